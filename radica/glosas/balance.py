"""The money of a glosa: valor = aceptado + levantado + en disputa, and how much of a new objection counts.

Invariant: no amount is negative, the identity holds after every step, and several causes on one item never count for
more than the item, nor all causes of an invoice for more than the invoice. Amounts are centavos. Norm: DESIGN
section 4; Res. 2284/2023 Anexo Técnico 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop


@dataclass(frozen=True)
class Balance:
    """Where each centavo of one glosa is. Raises BadInput when the amounts do not add up or one is negative."""

    valor: int
    aceptado: int
    levantado: int
    en_disputa: int

    def __post_init__(self) -> None:
        amounts = (self.valor, self.aceptado, self.levantado, self.en_disputa)
        if min(amounts) < 0 or self.valor != self.aceptado + self.levantado + self.en_disputa:
            raise BadInput(
                "El valor de la glosa debe ser la suma de lo aceptado, lo levantado y lo que sigue en disputa; "
                "no se cambió nada.",
                todo="Revise los valores.",
                code="balance",
            )

    def accept(self, amount: int) -> Balance:
        """Move `amount` from dispute to accepted. Raises BadInput when there is not that much in dispute."""
        self._take(amount, "acepta")
        return Balance(self.valor, self.aceptado + amount, self.levantado, self.en_disputa - amount)

    def lift(self, amount: int) -> Balance:
        """Move `amount` from dispute to lifted. Raises BadInput when there is not that much in dispute."""
        self._take(amount, "levanta")
        return Balance(self.valor, self.aceptado, self.levantado + amount, self.en_disputa - amount)

    def restore(self, amount: int) -> Balance:
        """Take `amount` back from accepted into dispute: an acceptance by silence that was none."""
        if not 0 <= amount <= self.aceptado:
            raise BadInput(
                f"No se puede devolver a disputa {format_cop(amount)}: lo aceptado es {format_cop(self.aceptado)}.",
                code="balance",
            )
        return Balance(self.valor, self.aceptado - amount, self.levantado, self.en_disputa + amount)

    def _take(self, amount: int, verb: str) -> None:
        if not 0 <= amount <= self.en_disputa:
            raise BadInput(
                f"Se {verb} {format_cop(amount)} y en disputa hay {format_cop(self.en_disputa)}; no se cambió nada.",
                todo="Revise el valor.",
                code="mas_que_en_disputa",
            )


def new_balance(valor: int) -> Balance:
    """Return the balance of a glosa just notified: everything is in dispute."""
    return Balance(valor, 0, 0, valor)


def countable(item_value: int | None, already: int, objected: int, invoice_left: int) -> int:
    """Return what counts of an objection of `objected` centavos.

    `item_value` is what the item is worth (None: no item is known), `already` what other causes count on the same
    item, `invoice_left` what of the invoice no cause counts yet. Never negative, never above `objected`.
    """
    room = invoice_left if item_value is None else min(item_value - already, invoice_left)
    return max(0, min(objected, room))
