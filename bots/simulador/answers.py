"""The bag of answers of the p2 portal: objected accounts, who has them, what was answered, which rounds are closed.

Invariant: answers to items are drafts until the account is closed; an account is closed only when no item is without
answer; what is closed can only come back by the payer (``decide``), as a new round. Accounts live in memory, what was
received lives in the ledger. The lists show a closing only after the portal's lag, as payers do.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Final

from bots.simulador.answer_ledger import ANSWER, CLOSING, OPENING, AnswerLedger, Event

OPEN: Final = "SIN RESPUESTA"
ANSWERED: Final = "RESPONDIDA"
LIFTED: Final = "LEVANTADA"
IN_BAG: Final = "EN BOLSA"
PAUSED: Final = "EN PAUSA"
CLOSED: Final = "RESPONDIDA"


class Refused(Exception):
    """The portal says no; the text is what it shows."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The draft answer to one item."""

    code: str
    text: str
    file_name: str
    file_sha256: str
    user: str
    at: datetime


@dataclass(slots=True)
class Item:
    """One objected item of an account; ``value`` in pesos as decimal text."""

    id_glosa: str
    id_item: str
    item: str
    kind: str
    description: str
    reason: str
    value: str
    user: str = "AUDITOR1"
    at: str = ""
    lifted: bool = False
    answer: Answered | None = None

    @property
    def state(self) -> str:
        """What the table shows."""
        if self.lifted:
            return LIFTED
        return ANSWERED if self.answer else OPEN


@dataclass(frozen=True, slots=True)
class Closing:
    """One closed round; ``at`` the portal's local time, ``visible`` when its lists show it (UTC)."""

    round: int
    user: str
    at: datetime
    visible: datetime
    items: int
    value: str


@dataclass(slots=True)
class Account:
    """One objected account of one invoice. ``enabled_at``: monotonic seconds from which it may be closed."""

    id: str
    nit: str
    provider: str
    invoice: str
    radicado: str
    filed_at: datetime
    issued: str
    value: str
    items: list[Item]
    round: int = 1
    state: str = IN_BAG
    owner: str = ""
    enabled_at: float = 0.0
    closings: list[Closing] = field(default_factory=list)

    @property
    def objected(self) -> str:
        """Sum of what is still objected, decimal text."""
        return str(sum((Decimal(item.value) for item in self.items if not item.lifted), Decimal("0.00")))

    def shown(self, now: datetime) -> tuple[str, str]:
        """State and owner as the lists show them at ``now`` (UTC): a closing shows late."""
        if self.state == CLOSED and now < self.closings[-1].visible:
            return PAUSED, self.closings[-1].user
        return self.state, self.owner

    def item(self, id_glosa: str) -> Item:
        """The item with that id; Refused when there is none."""
        found = next((item for item in self.items if item.id_glosa == id_glosa), None)
        if found is None:
            raise Refused("El ítem no pertenece a la cuenta.")
        return found


class Desk:
    """All accounts of one portal."""

    def __init__(self, ledger: AnswerLedger) -> None:
        self.ledger = ledger
        self._accounts: dict[str, Account] = {}
        self._serial = 0
        self.lock = RLock()

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    def reset(self) -> None:
        """Forget accounts and events."""
        with self.lock:
            self._accounts.clear()
            self.ledger.reset()

    def put(self, raw: Mapping[str, Any], *, now: datetime, filed: Mapping[str, Any] | None = None) -> Account:
        """Put an objected account in the bag. ``filed``: the ledger's row of its filing, if it was filed here.

        ``raw``: nit, factura, valor_factura, items (servicio, descripcion, tipo, codigo, motivo, valor, …) and
        whatever else the table shows. KeyError, ValueError: something needed is missing or no number.
        """
        with self.lock:
            self._serial += 1
            serial = self._serial
            local = now.replace(microsecond=0)
            account = Account(
                id=str(raw.get("cuenta") or 51000 + serial),
                nit=str(raw["nit"]),
                provider=str(raw.get("prestador", "IPS")),
                invoice=str(raw["factura"]),
                radicado=str(
                    raw.get("radicado") or (filed or {}).get("radicado") or f"RAD-{37000 + serial}_20260301_080000"
                ),
                filed_at=datetime.fromisoformat(
                    str(raw.get("fecha_radicacion") or (filed or {}).get("filed_at") or local.isoformat())
                ).replace(tzinfo=None),
                issued=str(raw.get("fecha_factura", "")),
                value=str(Decimal(str(raw.get("valor_factura", "0")))),
                items=[_item(one, serial, n, local) for n, one in enumerate(raw["items"], 1)],
            )
            self._accounts[account.id] = account
            return account

    def accounts(self, nit: str = "") -> list[Account]:
        """All accounts (of a provider), oldest first."""
        with self.lock:
            return [one for one in self._accounts.values() if not nit or one.nit == nit]

    def get(self, account_id: str, nit: str = "") -> Account:
        """The account, if it is the provider's; Refused otherwise."""
        found = self._accounts.get(account_id)
        if found is None or (nit and found.nit != nit):
            raise Refused("La cuenta no existe.")
        return found

    def assign(self, account: Account, user: str, *, disabled_s: float, taken_by: str = "") -> None:
        """Give the account to a user (again is harmless); ``taken_by``: a colleague is quicker. Refused: not free."""
        with self.lock:
            if taken_by:
                account.state, account.owner = PAUSED, taken_by
            if account.state == CLOSED:
                raise Refused("La cuenta ya fue respondida y cerrada.")
            if account.state == PAUSED and account.owner != user:
                raise Refused(f"La cuenta ya fue asignada al usuario {account.owner}.")
            account.state, account.owner = PAUSED, user
            account.enabled_at = time.monotonic() + disabled_s
            self.ledger.record([_event(OPENING, account, user)])

    def answer(
        self, account: Account, ids: list[str], user: str, draft: Answered, *, bulk: int, lost: str = ""
    ) -> None:
        """Keep the draft answer of items; ``lost``: why it is not kept although it was received. Refused: not ours."""
        with self.lock:
            items = [account.item(one) for one in ids]
            refusal = _not_ours(account, user) or ("" if draft.text else "La observación es obligatoria.")
            reason = refusal or lost
            self.ledger.record(
                [
                    replace(
                        _event(ANSWER, account, user),
                        item=item.id_glosa,
                        code=draft.code,
                        text=draft.text,
                        file_sha256=draft.file_sha256,
                        bulk=bulk,
                        kept=not reason,
                        again=item.answer is not None,
                        reason=reason,
                    )
                    for item in items
                ]
            )
            if refusal:
                raise Refused(refusal)
            for item in items if not reason else ():
                item.answer = draft

    def finish(
        self, account: Account, user: str, *, now: datetime, lag_s: float, repeatable: bool, lost: str = ""
    ) -> Closing | None:
        """Close the round. ``repeatable``: a closed account takes another closing, so that doubles do harm.

        ``lost``: why nothing is kept of it. None then; Refused when an item has no answer or the account is not ours.
        """
        with self.lock:
            again = account.state == CLOSED
            refusal = "" if again and repeatable else _not_ours(account, user) or _missing(account)
            reason = refusal or lost
            event = _event(CLOSING, account, user)
            self.ledger.record([replace(event, kept=not reason, again=again, reason=reason)])
            if refusal:
                raise Refused(refusal)
            if lost:
                return None
            visible = datetime.now(UTC) + timedelta(seconds=lag_s)
            count = sum(not item.lifted for item in account.items)
            closing = Closing(account.round, user, now, visible, count, account.objected)
            account.closings.append(closing)
            account.state, account.owner = CLOSED, ""
            return closing

    def decide(self, account: Account, decisions: Mapping[str, str], default: str) -> None:
        """The payer's decision on a closed round: items RATIFICADA or LEVANTADA; what is ratified comes back.

        Refused when the account is not closed.
        """
        with self.lock:
            if account.state != CLOSED:
                raise Refused("La cuenta no está cerrada.")
            for item in account.items:
                item.lifted = item.lifted or decisions.get(item.id_glosa, default) == LIFTED
                item.answer = None if not item.lifted else item.answer
            if any(not item.lifted for item in account.items):
                account.state, account.owner, account.round = IN_BAG, "", account.round + 1


def draft_of(code: str, text: str, name: str, content: bytes, user: str, at: datetime) -> Answered:
    """A draft answer as the page sends it: the text in capitals, white space folded at its ends."""
    digest = hashlib.sha256(content).hexdigest() if content else ""
    return Answered(code, text.upper().strip(), name, digest, user, at)


def _event(kind: str, account: Account, user: str) -> Event:
    return Event(kind, account.id, account.invoice, account.nit, account.round, user)


def _not_ours(account: Account, user: str) -> str:
    if account.state == CLOSED:
        return "La cuenta ya fue respondida y cerrada."
    return "" if account.state == PAUSED and account.owner == user else "La cuenta no está asignada a su usuario."


def _missing(account: Account) -> str:
    count = sum(item.state == OPEN for item in account.items)
    return f"La cuenta tiene {count} ítem(s) SIN RESPUESTA." if count else ""


def _item(raw: Mapping[str, Any], serial: int, n: int, now: datetime) -> Item:
    return Item(
        id_glosa=str(raw.get("id_glosa") or f"{serial}{n:05d}"),
        id_item=str(raw.get("id_item") or f"{n}"),
        item=f"{raw['servicio']} {raw.get('descripcion', 'SERVICIO DE SALUD')}",
        kind=str(raw.get("tipo", "TARIFAS")),
        description=f"{raw['codigo']} {raw.get('texto_codigo', 'MAYOR VALOR COBRADO')}",
        reason=str(raw.get("motivo", "SE OBJETA MAYOR VALOR COBRADO")),
        value=str(Decimal(str(raw["valor"])).quantize(Decimal("0.01"))),
        at=now.strftime("%d/%m/%Y"),
    )
