"""Who asks: a frozen snapshot of a person, made once per request from the session row.

Invariant: it holds no ORM object and no secret, so that it can be used after the reading transaction is closed, in
templates and in error pages alike; roles are told per provider and never mixed between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Provider:
    """A provider granted to the person, for the switch of the frame."""

    id: int
    nit: str
    nombre: str


@dataclass(frozen=True)
class Person:
    """A person with a living session. `prestador_id` is the switch: one provider, or None for all the granted."""

    id: int
    nombre: str
    correo: str
    sesion_id: int
    grants: Mapping[int, frozenset[str]]
    providers: tuple[Provider, ...]
    prestador_id: int | None
    seen_at: datetime
    must_change_password: bool = False

    @property
    def actor(self) -> str:
        """Name in the history: stable, and no personal data in it."""
        return f"usuario:{self.id}"

    @property
    def provider(self) -> Provider | None:
        """The provider of the switch, None for all."""
        return next((one for one in self.providers if one.id == self.prestador_id), None)

    def granted(self, *roles: str) -> frozenset[int]:
        """Return the ids of the providers granted in any of `roles` (no roles: in any role)."""
        wanted = {str(role) for role in roles}
        return frozenset(key for key, held in self.grants.items() if held and (not wanted or held & wanted))

    def selected(self, *roles: str) -> frozenset[int]:
        """Return the granted ids that the switch leaves in view."""
        ids = self.granted(*roles)
        return ids if self.prestador_id is None else ids & {self.prestador_id}

    def may(self, *roles: str) -> bool:
        """Tell whether any of `roles` is held at a provider in view; for what a page offers, never for authorising."""
        return bool(self.selected(*roles))
