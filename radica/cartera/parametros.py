"""How interest is counted where a norm leaves room: each choice is a row of `data/parametros.csv` with its source.

Invariant: pure; the first option of a key is the prudent default; each option names its norm, its validity and how
sure we are of it (V read in the norm, V-sec in a secondary source, M from memory, D a decision of the house).
Norms: E.T. art. 635, Ley 1122/2007 art. 13, Ley 1438/2011 art. 57, D.L. 1281/2002 art. 7, Código Civil art. 1653.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files

from radica.kernel.errors import BadInput

NOMBRES = {
    "divisor": "Divisor de la tasa anual",
    "base": "De dónde se restan los puntos",
    "puntos": "Puntos que se restan",
    "anticipo": "Parte que se paga en el término corto (%)",
    "dias": "Días de la Ley 1122",
    "glosa": "Glosa levantada",
    "devolucion": "Devolución injustificada",
    "conciliado": "Lo conciliado",
    "capitacion": "Capitación",
    "disputa": "Lo que sigue en disputa",
    "imputacion": "Imputación de los pagos",
    "redondeo": "Redondeo de cada renglón",
}
"""The keys, in the order in which a person reads them."""
MARCAS = {"V": "leída en la norma", "V-sec": "fuente secundaria", "M": "de memoria", "D": "decisión de la casa"}


@dataclass(frozen=True)
class Opcion:
    """One reading of one parameter, with its source. `vigente_desde` is None where nobody found the date."""

    clave: str
    valor: str
    texto: str
    norma: str
    articulo: str
    marca: str
    confianza: str
    vigente_desde: date | None
    nota: str

    @property
    def certeza(self) -> str:
        """How sure we are, as it is printed: `V alta`."""
        return f"{self.marca} {self.confianza}"

    @property
    def cita(self) -> str:
        """The norm with its article."""
        return f"{self.norma}, art. {self.articulo}" if self.articulo else self.norma


@dataclass(frozen=True)
class Parametros:
    """The reading chosen of each parameter, by its value in the table."""

    divisor: str = "366"
    base: str = "usura"
    puntos: str = "2"
    anticipo: str = "50"
    dias: str = "habiles"
    glosa: str = "levantamiento"
    devolucion: str = "presentacion"
    conciliado: str = "compromiso"
    capitacion: str = "radicacion"
    disputa: str = "no"
    imputacion: str = "intereses"
    redondeo: str = "centavo"

    def as_dict(self) -> dict[str, str]:
        """Return the choices by key."""
        return asdict(self)

    def con(self, clave: str, valor: str) -> Parametros:
        """Return these choices with another reading of one key."""
        return replace(self, **{clave: valor})


@lru_cache(maxsize=1)
def opciones() -> Mapping[str, tuple[Opcion, ...]]:
    """Return the options of each key, the default first. Raises ValueError when the table is damaged."""
    text = files("radica.cartera").joinpath("data", "parametros.csv").read_text(encoding="utf-8")
    found: dict[str, tuple[Opcion, ...]] = {}
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        since = date.fromisoformat(row["vigente_desde"]) if row["vigente_desde"] else None
        one = Opcion(
            row["clave"], row["valor"], row["texto"], row["norma"], row["articulo"], row["marca"], row["confianza"],
            since, row["nota"],
        )  # fmt: skip
        whole = one.clave in NOMBRES and one.marca in MARCAS and one.texto and one.norma
        if not whole or bool(since) != bool(row["vigencia_marca"]):
            raise ValueError(f"parametros.csv line {line}")
        found[one.clave] = (*found.get(one.clave, ()), one)
    if set(found) != set(NOMBRES):
        raise ValueError("parametros.csv: a key has no option")
    return found


def opcion(clave: str, valor: str) -> Opcion:
    """Return one option with its source. Raises BadInput when the table has none such."""
    for one in opciones().get(clave, ()):
        if one.valor == valor:
            return one
    known = ", ".join(one.valor for one in opciones().get(clave, ()))
    raise BadInput(
        f"El parámetro {clave[:20]} no admite «{valor[:20]}».",
        todo=f"Use {known}." if known else f"Los parámetros son {', '.join(NOMBRES)}.",
        code="parametro",
    )


def elegir(valores: Mapping[str, str] | None = None) -> Parametros:
    """Return the defaults with some values changed. Raises BadInput for a key or value that the table lacks."""
    chosen = Parametros(**{clave: ones[0].valor for clave, ones in opciones().items()})
    for clave, valor in (valores or {}).items():
        chosen = chosen.con(opcion(clave, valor).clave, valor)
    return chosen
