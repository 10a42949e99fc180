"""What happens to a final submit, the same on every simulated portal: faults, the durable row, and the fate of the answer.

Invariant: the row is committed before any fate that loses the answer, so the ledger knows what the client cannot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from flask import Response

from bots.simulador.ledger import Submit
from bots.simulador.portal import Portal, bad_gateway

SAVED_FATES: Final = {
    "502_after_save": "502",
    "hang_after_save": "hang",
    "cut_connection_after_save": "cut",
    "stale_page": "stale",
    "popup_never_shown": "silent",
    "answer_without_number": "without_number",
}
UNSAVED_FATES: Final = {
    "502_before_save": "502",
    "cut_connection_before_save": "cut",
    "stale_page_before_save": "stale",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The rows as recorded, how the answer ends, and the filing that came before (for pages that were not refreshed)."""

    rows: tuple[Submit, ...]
    fate: str
    earlier: dict[str, Any] | None

    @property
    def accepted(self) -> bool:
        """Whether the payer now holds the filing."""
        return self.rows[0].accepted


def receive(
    portal: Portal, submits: Sequence[Submit], number: Callable[[int], str], duplicate: Callable[[str, str, str], str]
) -> Receipt:
    """Record a final submit as the settings and faults of the moment say.

    ``number`` makes the radicado of a serial, ``duplicate`` the sentence of a known invoice out of its number, the
    earlier date (ISO) and the earlier radicado.
    """
    numbers = tuple(item.invoice for item in submits)
    earlier = portal.ledger.last_accepted()
    lost = next((fate for mode, fate in UNSAVED_FATES.items() if portal.strikes(mode, *numbers)), None)
    refusal = None if lost else portal.strikes("reject", *numbers)
    if lost:
        fate, reason = lost, "no guardada por falla del servidor"
    elif refusal:
        fate, reason = "sent", refusal.reason or "La cuenta no cumple los requisitos de radicación."
    else:
        fate = next((fate for mode, fate in SAVED_FATES.items() if portal.strikes(mode, *numbers)), "sent")
        reason = ""
    rows = portal.ledger.file(
        [replace(item, accepted=not reason, reason=reason, response=fate) for item in submits],
        at=datetime.now(UTC),
        lag_s=portal.config.query_lag_s,
        refuse_duplicates=portal.config.detect_duplicates,
        number=number,
        duplicate=duplicate,
    )
    return Receipt(rows, fate, earlier)


def refused(portal: Portal, submits: Sequence[Submit], reason: str) -> None:
    """Record a final submit that never reached the decision (lost session, form key, missing file)."""
    portal.ledger.file(
        [replace(item, accepted=False, reason=reason) for item in submits],
        at=datetime.now(UTC),
        lag_s=0,
        refuse_duplicates=False,
        number=str,
        duplicate=lambda *_: "",
    )


def lost_answer(portal: Portal, receipt: Receipt) -> Response | None:
    """The answer of the fates that do not reach the page's own code, else ``None``."""
    if receipt.fate == "502":
        return bad_gateway()
    if receipt.fate == "hang":
        return portal.hang()
    if receipt.fate == "cut":
        return portal.cut()
    return None
