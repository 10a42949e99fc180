"""State machines as plain tables.

Invariant: a `Machine` is two StrEnums and a dict (state, event) → state; it decides and touches nothing. The
tables live in each capability's `states.py`, each entry with its article; only `audit.advance()` applies them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from radica.kernel.errors import InvalidTransition


@dataclass(frozen=True)
class Machine:
    """A table of legal moves. `labels` are the Spanish words of each state, for messages and screens."""

    name: str
    states: type[StrEnum]
    events: type[StrEnum]
    table: Mapping[tuple[StrEnum, StrEnum], StrEnum]
    labels: Mapping[StrEnum, str]

    def next(self, state: StrEnum, event: StrEnum) -> StrEnum:
        """Return the state after `event`. Raises InvalidTransition when the table has no such move."""
        try:
            return self.table[(state, event)]
        except KeyError:
            raise InvalidTransition(
                f"No se puede «{str(event).replace('_', ' ')}» cuando el caso está «{self.labels[state]}».",
                todo="Recargue la página para ver el estado actual.",
                code="transicion_invalida",
            ) from None

    def can(self, state: StrEnum, event: StrEnum) -> bool:
        """Tell whether the table has the move."""
        return (state, event) in self.table
