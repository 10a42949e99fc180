"""What is answered to a payer's glosas, as it crosses the pipe: part of the contract. Standard library only.

Invariant: an answer is for one invoice in one round; each item says how the payer's own item is found and every file it
names is among the invoice's files. Whatever does not hold is a ContractError that names the field, never the value.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bots.wire import ContractError

MAX_TEXT = 8000
"""Characters of one answer on the pipe; each portal has its own, smaller limit."""
MAX_ITEMS = 20_000


class AnswerMode(StrEnum):
    """One by one, or equal answers together where the portal can."""

    ITEM = "item"
    MASS = "mass"


@dataclass(frozen=True)
class AnswerItem:
    """The answer to one objected item.

    It is found by the payer's own `id`, or by `codigo` (as the payer wrote it), `servicio` and `valor` (pesos as
    decimal text) together; `otros_valores` are what the payer may show instead of `valor`. `tipo` is the answer's code
    (RE9901) or the portal's own; `files` are names among the files, which become one where the portal takes one.
    """

    tipo: str
    texto: str
    valor: str
    id: str | None = None
    codigo: str | None = None
    servicio: str | None = None
    files: tuple[str, ...] = ()
    otros_valores: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """All items of one objected account. `cuenta` and `radicado` as the payer names it; dates ISO."""

    items: tuple[AnswerItem, ...]
    mode: AnswerMode = AnswerMode.ITEM
    cuenta: str | None = None
    radicado: str | None = None
    fecha_radicacion: str | None = None


def check_answer(answer: Answer | None, files: Collection[str], invoices: int) -> None:
    """ContractError unless there is an answer, for one invoice, whose files and texts hold."""
    if answer is None:
        raise ContractError("filing.answer: missing")
    if invoices != 1:
        raise ContractError("filing.facturas: expected exactly one for an answer")
    if not 0 < len(answer.items) <= MAX_ITEMS:
        raise ContractError("filing.answer.items: expected at least one, and not too many")
    for n, item in enumerate(answer.items):
        if not item.texto.strip() or len(item.texto) > MAX_TEXT:
            raise ContractError(f"filing.answer.items[{n}].texto: empty or too long")
        if item.id is None and item.codigo is None:
            raise ContractError(f"filing.answer.items[{n}]: neither id nor code")
        if not set(item.files) <= set(files):
            raise ContractError(f"filing.answer.items[{n}].files: not among the files")
