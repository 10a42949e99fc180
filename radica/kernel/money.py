"""Money: integer centavos in the database, `Decimal` outside, one rounding and one `allocate`.

Invariant: no float ever touches an amount, and a sum split in parts is the sum again. Rounding is half up to
the centavo, as DIAN's technical annex 1.9 rounds the totals of an electronic invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from radica.kernel.errors import BadInput

CENT = Decimal("0.01")
MAX_CENTS = 9_999_999_999_999_999  # 99,999,999,999,999.99 pesos; fits a signed 64-bit column with room to sum


def round_money(value: Decimal) -> Decimal:
    """Round pesos half up to two decimals: the only rounding of the house."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def to_cents(value: Decimal | int | str) -> int:
    """Turn pesos (`Decimal`, int, or text with a decimal point) into centavos.

    Raises BadInput when the text is no number, is not finite, or is beyond `MAX_CENTS`.
    """
    try:
        amount = Decimal(value)
    except InvalidOperation as exc:
        raise BadInput("Un valor en pesos no se pudo leer.", todo="Escríbalo como 1234567.89.") from exc
    if not amount.is_finite():
        raise BadInput("Un valor en pesos no es un número.", todo="Escríbalo como 1234567.89.")
    if abs(amount) > Decimal(MAX_CENTS) / 100:
        raise BadInput("Un valor en pesos es demasiado grande para ser cierto.", todo="Revise el documento.")
    return int(round_money(amount) * 100)


def from_cents(cents: int) -> Decimal:
    """Turn centavos into pesos with exactly two decimals."""
    return (Decimal(cents) / 100).quantize(CENT)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` centavos by non-negative integer `weights`; the leftover centavos go to the largest remainders.

    Ties go to the earlier part. The parts always sum to `total`. Raises ValueError without a positive weight.
    """
    whole = sum(weights)
    if whole <= 0 or any(w < 0 for w in weights):
        raise ValueError("allocate needs non-negative weights with a positive sum")
    sign = -1 if total < 0 else 1
    shares = [divmod(abs(total) * w, whole) for w in weights]
    parts = [share for share, _ in shares]
    missing = abs(total) - sum(parts)
    for index in sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))[:missing]:
        parts[index] += 1
    return [sign * part for part in parts]


def format_cop(cents: int, *, decimals: bool | None = None) -> str:
    """Write centavos as Colombians read them: `$ 1.234.567` or `$ 1.234.567,89`.

    `decimals=None` shows them only when there are centavos.
    """
    pesos, rest = divmod(abs(cents), 100)
    text = f"{pesos:,}".replace(",", ".")
    if decimals or (decimals is None and rest):
        text = f"{text},{rest:02d}"
    return f"{'-' if cents < 0 else ''}$ {text}"


def plain(cents: int) -> str:
    """Write centavos for machines: `1234567.89`."""
    return str(from_cents(cents))
