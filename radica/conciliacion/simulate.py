"""Arithmetic of the table: a line split in lifted, accepted and still disputed, by hand or by percentages. Pure.

Invariant: the three parts of a line are never negative and always sum to what it disputes, and the parts of a group
sum to the group's parts, to the centavo. A devolución is of a whole invoice and is not divided (Res. 2284/2023 art. 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radica.kernel.errors import BadInput
from radica.kernel.money import allocate, format_cop

WHOLE = 10_000
"""A percentage of 100,00 in hundredths."""


@dataclass(frozen=True)
class Reparto:
    """How a line, or several, stand after the meeting. Centavos."""

    levantado: int = 0
    aceptado: int = 0
    sigue: int = 0

    @property
    def en_disputa(self) -> int:
        """What was in dispute before."""
        return self.levantado + self.aceptado + self.sigue

    def __add__(self, other: Reparto) -> Reparto:
        """Sum part by part."""
        return Reparto(self.levantado + other.levantado, self.aceptado + other.aceptado, self.sigue + other.sigue)


@dataclass(frozen=True)
class Partida:
    """A line as the arithmetic sees it. `entera`: a devolución, which is lifted, accepted or kept whole."""

    id: int
    codigo: str
    en_disputa: int
    entera: bool = False


@dataclass(frozen=True)
class Porcentaje:
    """What is accepted and lifted of a code, in hundredths of a percent (2.500 = 25 %); the rest stays in dispute."""

    acepta: int
    levanta: int

    def __post_init__(self) -> None:
        """Refuse what is no split. Raises BadInput."""
        if self.acepta < 0 or self.levanta < 0 or self.acepta + self.levanta > WHOLE:
            raise BadInput(
                "Los porcentajes de aceptar y levantar deben estar entre 0 y 100, y juntos no pasar de 100.",
                todo="Corrija los porcentajes.",
                code="porcentaje",
            )


@dataclass(frozen=True)
class Simulado:
    """One code of a simulation: how many lines, how they end, and how many devoluciones could not be divided."""

    codigo: str
    lineas: int
    reparto: Reparto
    indivisibles: int = 0


def total(parts: Sequence[Reparto]) -> Reparto:
    """Sum some splits."""
    return sum(parts, Reparto())


def check(en_disputa: int, reparto: Reparto, *, entera: bool = False) -> Reparto:
    """Return the split when it is one of `en_disputa`. Raises BadInput saying by how much it is not."""
    if min(reparto.levantado, reparto.aceptado, reparto.sigue) < 0:
        raise BadInput(
            f"Ningún valor puede ser negativo, ni dos juntos pasar de {format_cop(en_disputa)}.",
            todo="Corrija los valores de la línea.",
            code="negativo",
        )
    if reparto.en_disputa != en_disputa:
        excess = reparto.en_disputa - en_disputa
        words = f"sobran {format_cop(excess)}" if excess > 0 else f"faltan {format_cop(-excess)}"
        raise BadInput(
            f"Levantado, aceptado y lo que sigue deben sumar {format_cop(en_disputa)}: {words}.",
            todo="Corrija uno de los tres valores.",
            code="no_suma",
        )
    if entera and en_disputa not in (reparto.levantado, reparto.aceptado, reparto.sigue):
        raise BadInput(
            "Una devolución es de toda la factura: se levanta, se acepta o sigue, entera.",
            todo="Lleve todo su valor a una sola columna.",
            code="devolucion_entera",
        )
    return reparto


def third(en_disputa: int, before: Reparto, levantado: int | None, aceptado: int | None, sigue: int | None) -> Reparto:
    """Complete what a person typed (None: left empty) so that it sums to `en_disputa`.

    With one value missing the third follows. With three that do not sum, the one that was not touched follows the
    two that were; when only one was touched, what stays in dispute gives way (or, if that one was touched, what is
    lifted). Nothing is checked here: see `check`.
    """
    typed = (levantado, aceptado, sigue)
    was = (before.levantado, before.aceptado, before.sigue)
    given = {index: value for index, value in enumerate(typed) if value is not None}
    filled = [given.get(index, 0) for index in range(3)]
    if len(given) == 3:
        if sum(filled) == en_disputa:
            return Reparto(*filled)
        given = {index: value for index, value in given.items() if value != was[index]}
    if not given:
        return before
    if len(given) < 3:
        free = next(index for index in range(3) if index not in given) if len(given) == 2 else 0 if 2 in given else 2
        filled[free] = en_disputa - sum(value for index, value in enumerate(filled) if index != free)
    return Reparto(*filled)


def spread(lines: Sequence[Partida], percent: Porcentaje) -> dict[int, Reparto]:
    """Split some lines by percentages; by id. Devoluciones that cannot be divided are left out.

    The percentages hold for the sum of the lines to the centavo (largest remainders), and each line sums to itself:
    first what is accepted is shared by value, then what is lifted by what each line has left.
    """
    whole = _whole(percent)
    done: dict[int, Reparto] = {}
    if whole is not None:
        for line in lines:
            if line.entera and line.en_disputa > 0:
                done[line.id] = Reparto(*(line.en_disputa * part for part in whole))
    divided = [line for line in lines if not line.entera and line.en_disputa > 0]
    if not divided:
        return done
    sums = [line.en_disputa for line in divided]
    rest = WHOLE - percent.acepta - percent.levanta
    accepted, lifted, _ = allocate(sum(sums), [percent.acepta, percent.levanta, rest])
    accepts = _share(accepted, sums)
    left = [value - part for value, part in zip(sums, accepts, strict=True)]
    lifts = _share(lifted, left)
    for line, accept, lift in zip(divided, accepts, lifts, strict=True):
        done[line.id] = Reparto(lift, accept, line.en_disputa - accept - lift)
    return done


def simulate(lines: Sequence[Partida], wanted: dict[str, Porcentaje]) -> list[Simulado]:
    """Return how each code would end; a code without percentages stays in dispute whole. Ordered by money."""
    by_code: dict[str, list[Partida]] = {}
    for line in lines:
        by_code.setdefault(line.codigo, []).append(line)
    result = []
    for code, ones in by_code.items():
        parts = spread(ones, wanted.get(code, Porcentaje(0, 0)))
        kept = [parts.get(line.id, Reparto(sigue=line.en_disputa)) for line in ones]
        result.append(Simulado(code, len(ones), total(kept), indivisibles=len(ones) - len(parts)))
    return sorted(result, key=lambda one: (-one.reparto.en_disputa, one.codigo))


def _whole(percent: Porcentaje) -> tuple[int, int, int] | None:
    """Return which part takes all of a line that is not divided; None when none does."""
    parts = (percent.levanta, percent.acepta, WHOLE - percent.levanta - percent.acepta)
    return (parts[0] // WHOLE, parts[1] // WHOLE, parts[2] // WHOLE) if WHOLE in parts else None


def _share(amount: int, weights: Sequence[int]) -> list[int]:
    return allocate(amount, weights) if sum(weights) > 0 else [0] * len(weights)
