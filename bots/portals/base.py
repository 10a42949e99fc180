"""What a portal class must offer, and how it ends an operation.

`log_in` and `prepare` may be repeated without harm. `submit` passes the portal's point of no return, exactly once.
`look_up` only reads. A portal says what it saw with an `Ending`, or leaves with `Halt`; what a Halt means (repeatable,
unknown, cannot say) is not its judgement but the child's, who knows whether the button was pressed.
"""

from dataclasses import dataclass
from typing import Protocol

from bots.contract import Category, Confidence, FoundFactura, Outcome


@dataclass(frozen=True)
class Ending:
    """What the portal answered. Fields as in `contract.Result`."""

    outcome: Outcome
    radicado: str | None = None
    fecha: str | None = None
    valor: str | None = None
    text: str | None = None
    confidence: Confidence | None = None
    document: str | None = None
    reason: str | None = None
    category: Category | None = None
    code: str | None = None
    message: str | None = None
    why: str | None = None
    facturas: tuple[FoundFactura, ...] = ()


class Halt(Exception):
    """The work cannot go on. `code` for machines, `message` Spanish for a biller, without secret or health data."""

    def __init__(self, category: Category, code: str, message: str) -> None:
        super().__init__(code)
        self.category = category
        self.code = code
        self.message = message


def retry(code: str, message: str) -> Halt:
    """Time mends it: the queue tries again."""
    return Halt(Category.RETRY, code, message)


def person(code: str, message: str) -> Halt:
    """A person must act before it makes sense to try again."""
    return Halt(Category.PERSON, code, message)


def permanent(code: str, message: str) -> Halt:
    """Not with this package: it must be corrected."""
    return Halt(Category.PERMANENT, code, message)


class PortalBot(Protocol):
    """One portal archetype, driven for one filing."""

    name: str
    version: str
    POINT_OF_NO_RETURN: str

    def log_in(self) -> None:
        """Open the portal and enter."""

    def prepare(self) -> Ending | None:
        """Fill everything up to the last button and read it back. An Ending when the portal already decided."""

    def submit(self) -> Ending:
        """Press the last button once and wait for the certain answer."""

    def look_up(self) -> Ending:
        """Ask the portal what it knows of the filing."""
