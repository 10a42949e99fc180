"""What the end of an envío does to what it carries, chosen by its act.

Invariant: an envío and what it carries move in one transaction, with the same sealed evidence; an act without effects
is an error, never silence. The registry is filled by the room that owns the act, when its module is imported. Norms:
Res. 948/2026 art. 15 (filing), Ley 1438/2011 art. 57 and Res. 2284/2023 art. 6.2 (answers).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from radica.audit.models import LegalThing, Reason
from radica.facturas.models import Factura
from radica.radicacion.models import Envio
from radica.radicacion.package import PackageFile
from radica.radicacion.states import Acto


@dataclass(frozen=True)
class Acuse:
    """What proves a filing. `evidence`: SHA-256 of sealed pieces. `fecha`: payer's own time if it was readable."""

    nivel: int
    radicado: str | None
    fecha: datetime
    evidence: tuple[str, ...]
    reason: str = Reason.ACUSE_SELLADO
    note: str = ""


@dataclass(frozen=True)
class Closing:
    """Why an envío ends without reaching the payer's books: coded reason, words, sealed pieces, who and when."""

    reason: str
    note: str
    evidence: tuple[str, ...]
    actor: str
    at: datetime


@dataclass(frozen=True)
class Words:
    """Titles of the tasks that an envío of this act opens."""

    no_number: str | None  # None: the payer gives none for this act, and nobody is sent to get it
    refused: str
    outside: str
    stopped: str


@dataclass(frozen=True)
class Effects:
    """What moves with an envío. The envío has moved already; `things` were locked with it, in the house's order.

    `received` is called for both *radicado* and *recibido sin número*: the envío's state tells which. `package` says
    what is handed in for each invoice, given the provider's NIT.
    """

    things: Callable[[Session, Envio], Sequence[LegalThing]]
    received: Callable[[Session, Envio, Acuse, str, datetime], None]
    rejected: Callable[[Session, Envio, Closing], None]
    cancelled: Callable[[Session, Envio, Closing], None]
    package: Callable[[Session, Envio, str], list[tuple[Factura, list[PackageFile]]]]
    words: Words

    @property
    def numbered(self) -> bool:
        """Whether only a number makes this act complete."""
        return self.words.no_number is not None


_BY_ACT: dict[Acto, Effects] = {}


def register(acto: Acto, effects: Effects) -> None:
    """Say what the envíos of an act move."""
    _BY_ACT[acto] = effects


def effects_of(envio: Envio) -> Effects:
    """Return what an envío moves. Raises KeyError when the room of its act was not loaded: nothing may move then."""
    return _BY_ACT[envio.acto]


def without_effects() -> list[Acto]:
    """Return the acts that no room speaks for; empty in a process that was put together well."""
    return [acto for acto in Acto if acto not in _BY_ACT]
