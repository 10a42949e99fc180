"""Bounds how many places one finding names: a million wrong services must not make a million sentences.

Invariant: of each code and wording at most `MAX_LUGARES` places are told, in the order of the document, and of what
rejects `MAX_RECHAZOS` more in all; then one finding per code says how many more there are. Nothing is dropped in
silence. Memory is that of what is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from radica.facturas.validacion.catalogo import regla_de
from radica.facturas.validacion.modelo import Clase, Hallado

MAX_LUGARES = 1000
"""Places told of one code and wording. The Ministry tells all of them; the largest real answer told 482 of one."""
MAX_RECHAZOS = 10_000
"""Places told beyond that of what rejects, in one call: a capitation of thousands of services has each with a price."""
CODIGO_MAS = "RAD-MAS"
"""House code of the finding that counts the rest."""


def acotar(
    hallados: Iterable[Hallado], fecha: date, maximo: int = MAX_LUGARES, rechazos: int = MAX_RECHAZOS
) -> Iterator[Hallado]:
    """Yield the findings whose rule is in force on a day, of each code and wording at most `maximo`.

    `rechazos` more are told of what rejects, in all. After them comes one `RAD-MAS` per code that had more, with the
    values `codigo` and `cuantos`.
    """
    told: Counter[tuple[str, str]] = Counter()
    rest: Counter[str] = Counter()
    for one in hallados:
        key = (one.codigo, one.variante)
        if key not in told and regla_de(one.codigo, one.variante, fecha) is None:
            continue
        told[key] += 1
        if told[key] <= maximo:
            yield one
        elif rechazos and _rechaza(one, fecha):
            rechazos -= 1
            yield one
        else:
            rest[one.codigo] += 1
    for code, count in rest.items():
        yield Hallado(CODIGO_MAS, "", {"codigo": code, "cuantos": str(count)})


def _rechaza(one: Hallado, fecha: date) -> bool:
    rule = regla_de(one.codigo, one.variante, fecha)
    return rule is not None and rule.clase is Clase.RECHAZO
