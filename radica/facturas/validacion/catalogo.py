"""The rules as dated data: severity, words and who mends, by code, wording and day.

Invariant: for one code and wording no two rows are in force on the same day; a code that a rule finds and that has no
row in force on that day is *not a rule then* and says nothing. The files are `data/reglas_*.csv`, written in our own
words; severities change in time and differ from the published text (`muv_api.md`), so each row says from when.
Norms: MUV technical documents 1 v002 and 2 v001 (2026-07-01), and what real answers showed before.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from radica.facturas.validacion.modelo import Clase, Fuente, Hallado, Hallazgo, Quien

_VALUE = re.compile(r"«?\{\w+\}»?")
_FROM, _TO = date(2000, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Regla:
    """One row: a code (and wording) in force from `desde` to `hasta`, both included."""

    codigo: str
    variante: str
    desde: date
    hasta: date
    clase: Clase
    fuente: Fuente
    quien: Quien
    aplica: frozenset[str]
    """For undecidable rules: which parts the package must have (`fev`, `rips`, or a kind of service); empty: always."""
    mensaje: str
    arreglo: str
    norma: str


@cache
def reglas() -> dict[tuple[str, str], tuple[Regla, ...]]:
    """Return all rows by (code, wording). Raises ValueError naming the row that is wrong, or two that overlap."""
    found: dict[tuple[str, str], list[Regla]] = {}
    folder = files("radica.facturas.validacion").joinpath("data")
    names = sorted(one.name for one in folder.iterdir() if one.name.startswith("reglas_") and one.name.endswith(".csv"))
    for name in names:
        with folder.joinpath(name).open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        for line, row in enumerate(rows, start=2):
            try:
                rule = _rule(row)
            except (KeyError, ValueError, AttributeError) as wrong:
                raise ValueError(f"{name} line {line}: {wrong}") from wrong
            twins = found.setdefault((rule.codigo, rule.variante), [])
            if any(one.desde <= rule.hasta and rule.desde <= one.hasta for one in twins):
                raise ValueError(f"{name} line {line}: {rule.codigo} {rule.variante} twice in force")
            twins.append(rule)
    return {key: tuple(rows) for key, rows in found.items()}


def regla_de(codigo: str, variante: str, fecha: date) -> Regla | None:
    """Return the row of a code and wording in force on a day; a wording without row falls back to the plain one."""
    for key in ((codigo, variante), (codigo, "")):
        rows = reglas().get(key)
        if rows is not None:
            return next((row for row in rows if row.desde <= fecha <= row.hasta), None)
    raise KeyError(codigo)


def contar(hallados: Iterable[Hallado], fecha: date) -> Iterator[Hallazgo]:
    """Turn what rules found into findings, with the severity and the words of the day."""
    for one in hallados:
        rule = regla_de(one.codigo, one.variante, fecha)
        if rule is None:
            continue
        yield Hallazgo(
            codigo=one.codigo,
            clase=rule.clase,
            ruta=one.ruta,
            mensaje=rule.mensaje.format_map(one.valores),
            arreglo=rule.arreglo.format_map(one.valores),
            quien=rule.quien,
            fuente=one.fuente or rule.fuente,
            norma=rule.norma,
            linea=one.linea,
            dinero=one.dinero,
        )


def no_decidibles(presentes: frozenset[str], fecha: date) -> Iterator[Hallazgo]:
    """Tell, once each, the rules in force that nobody can decide without a register, for what the package has."""
    for rows in reglas().values():
        for row in rows:
            if row.clase is Clase.NO_DECIDIBLE and row.desde <= fecha <= row.hasta and row.aplica <= presentes:
                yield Hallazgo(
                    row.codigo, row.clase, "", row.mensaje, row.arreglo, row.quien, row.fuente, row.norma, None
                )


def _rule(row: dict[str, str]) -> Regla:
    return Regla(
        codigo=row["codigo"],
        variante=row["variante"],
        desde=date.fromisoformat(row["desde"]) if row["desde"] else _FROM,
        hasta=date.fromisoformat(row["hasta"]) if row["hasta"] else _TO,
        clase=Clase(row["clase"]),
        fuente=Fuente(row["fuente"]),
        quien=Quien(row["quien"]),
        aplica=frozenset(row["aplica"].split()),
        mensaje=row["mensaje"],
        arreglo=row["arreglo"],
        norma=row["norma"],
    )


def titulo_de(codigo: str) -> str:
    """Return what a code is about in one line, without its values; "" for a code that is not of the checker."""
    rows = next((rows for (code, _), rows in reglas().items() if code == codigo), ())
    words = rows[-1].mensaje if rows else ""
    return _VALUE.sub("…", words).replace("….", "…")
