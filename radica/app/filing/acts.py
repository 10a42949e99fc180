"""Which rooms say what the end of an envío moves: a process that files or registers has them all.

Invariant: no process works with an act that nobody speaks for; it does not start.
"""

from __future__ import annotations

from radica.glosas.respuesta import presenting
from radica.radicacion import services
from radica.radicacion.effects import without_effects

SPEAKERS = (services, presenting)
"""Importing them registered what they move."""


def check_acts() -> None:
    """Raise RuntimeError when an act has no effects: a room is missing among `SPEAKERS`."""
    missing = without_effects()
    if missing:
        raise RuntimeError(f"acts without effects: {', '.join(missing)}")
