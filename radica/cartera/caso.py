"""What a liquidation is made of: the concepts of an invoice's debt, from when each owes interest, and what lowered it.

Invariant: values only, in centavos and civil dates; each start names its norm and how sure we are; a concept without
a start says why in Spanish. Norms: Ley 1122/2007 art. 13, Ley 1438/2011 art. 57, D.L. 1281/2002 art. 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from radica.cartera.parametros import Parametros


class TipoConcepto(StrEnum):
    """A part of what an invoice owes; each has its own rule for when interest begins."""

    NO_OBJETADO_CORTO = "no_objetado_corto"  # PAG-02
    NO_OBJETADO_LARGO = "no_objetado_largo"  # PAG-03
    CAPITACION = "capitacion"  # PAG-01
    DEVOLUCION_CORTO = "devolucion_corto"  # PAG-06, or PAG-02
    DEVOLUCION_LARGO = "devolucion_largo"  # PAG-06, or PAG-03
    GLOSA_LEVANTADA = "glosa_levantada"  # GLO-06, PAG-06 or PAG-04
    CONCILIADO = "conciliado"  # the promise of the acta, or GLO-06
    NOTA_DEBITO = "nota_debito"  # no norm at hand says from when
    EN_DISPUTA = "en_disputa"  # PAG-06 when the judge finds it unfounded
    ACEPTADO = "aceptado"  # not owed; waits for its credit note


ETIQUETAS = {
    TipoConcepto.NO_OBJETADO_CORTO: "No objetado, parte del término corto",
    TipoConcepto.NO_OBJETADO_LARGO: "No objetado, saldo",
    TipoConcepto.CAPITACION: "Capitación",
    TipoConcepto.DEVOLUCION_CORTO: "Devuelto sin razón, parte del término corto",
    TipoConcepto.DEVOLUCION_LARGO: "Devuelto sin razón, saldo",
    TipoConcepto.GLOSA_LEVANTADA: "Glosa levantada",
    TipoConcepto.CONCILIADO: "Conciliado",
    TipoConcepto.NOTA_DEBITO: "Nota débito",
    TipoConcepto.EN_DISPUTA: "Sigue en disputa",
    TipoConcepto.ACEPTADO: "Aceptado, sin nota crédito",
}
ORDEN = {kind: at for at, kind in enumerate(TipoConcepto)}
NO_SE_DEBEN = frozenset({TipoConcepto.ACEPTADO, TipoConcepto.EN_DISPUTA})
"""What a payment pays last."""


@dataclass(frozen=True)
class Inicio:
    """One reading of the first day that owes interest, with the term, norm and certainty that give it."""

    desde: date
    termino: str
    criterio: str
    norma: str
    articulo: str
    certeza: str

    @property
    def cita(self) -> str:
        """The norm with its article."""
        return f"{self.norma}, art. {self.articulo}" if self.articulo else self.norma


@dataclass(frozen=True)
class Concepto:
    """A part of the debt: `capital` in centavos, its possible starts by reading, and why it has none."""

    clave: str
    tipo: TipoConcepto
    detalle: str
    capital: int
    inicios: Mapping[str, Inicio] = field(default_factory=dict)
    motivo: str = ""

    def inicio(self, parametros: Parametros) -> Inicio | None:
        """Return the start under the readings chosen, None when nothing runs."""
        return self.inicios.get(_reading(self.tipo, parametros))

    @property
    def titulo(self) -> str:
        """How a line calls it."""
        return f"{ETIQUETAS[self.tipo]}: {self.detalle}" if self.detalle else ETIQUETAS[self.tipo]


def _reading(kind: TipoConcepto, chosen: Parametros) -> str:
    if kind in (TipoConcepto.DEVOLUCION_CORTO, TipoConcepto.DEVOLUCION_LARGO):
        return "presentacion" if chosen.devolucion == "presentacion" else chosen.dias
    readings = {
        TipoConcepto.NO_OBJETADO_CORTO: chosen.dias,
        TipoConcepto.NO_OBJETADO_LARGO: chosen.dias,
        TipoConcepto.CAPITACION: chosen.capitacion,
        TipoConcepto.GLOSA_LEVANTADA: f"sesenta_{chosen.dias}" if chosen.glosa == "sesenta" else chosen.glosa,
        TipoConcepto.CONCILIADO: chosen.conciliado,
        TipoConcepto.EN_DISPUTA: "presentacion" if chosen.disputa == "infundada" else "",
    }
    return readings.get(kind, "")


class ClaseAbono(StrEnum):
    """What lowered the debt."""

    PAGO = "pago"
    RETENCION = "retencion"
    NOTA_CREDITO = "nota_credito"


@dataclass(frozen=True)
class Abono:
    """Something that lowers the debt on a day: `valor` in centavos, always positive."""

    fecha: date
    valor: int
    clase: ClaseAbono
    referencia: str = ""


@dataclass(frozen=True)
class CasoLiquidacion:
    """One invoice as a debt. `avisos`: what the person should know of how it was built."""

    factura: str
    presentada: date | None
    conceptos: Sequence[Concepto]
    abonos: Sequence[Abono] = ()
    avisos: Sequence[str] = ()

    @property
    def capital(self) -> int:
        """What the concepts sum to, before anything was paid."""
        return sum(one.capital for one in self.conceptos)
