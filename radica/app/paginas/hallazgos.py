"""The findings of one invoice as its page shows them: by who can mend them, by code, each place one click away.

Invariant: pure; nothing is left out: what is not shown at once is counted and folded. A finding of the checker whose
twin the review already tells is shown once, in the words of the review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from radica.facturas.aceptar import clave_fila, huella_vista, pueden_aceptar, riesgo_de
from radica.facturas.models import Documento, Hallazgo, OrigenHallazgo, Severidad, TipoDocumento
from radica.facturas.validacion.modelo import Clase, Fuente, Quien
from radica.facturas.validacion_models import HallazgoAceptado

QUIENES = {
    Quien.FACTURACION: "Lo arregla facturación",
    Quien.PROVEEDOR_TECNOLOGICO: "Lo arregla el proveedor tecnológico",
    Quien.ASISTENCIAL: "Lo aclara quien atendió",
    Quien.CONTRATACION: "Lo aclara contratación",
    Quien.SISTEMAS: "Lo arregla sistemas",
}
GEMELOS = {
    "RVG08": "RIPS-TOTAL",
    "RVG09": "RIPS-MODERADOR",
    "RVC001": "RIPS-NIT",
    "RVC004": "RIPS-NUMERO",
    "ARIT-LINEAS": "SUMA-LINEAS",
    "CUFE-QR": "CUFE-INCOHERENTE",
    "CUFE-CONTENEDOR": "CUFE-INCOHERENTE",
    "CUFE-DIAN": "CUFE-INCOHERENTE",
    "CUFE-RECALCULO": "CUFE-VALOR",
    "VFE006": "CUFE-FORMA",
    "VFE007": "CUFE-FORMA",
    "CRUCE-CUV-NUMERO": "CUV-NUMERO",
    "CRUCE-CUV-NIT": "CUV-NIT",
    "CRUCE-CUV-TOTAL": "CUV-VALOR",
    "CRUCE-CUV-PRUEBAS": "CUV-PRUEBAS",
    "CRUCE-CUV-RECHAZO": "CUV-RECHAZADO",
    "NIT-DV-EMISOR": "NIT-DV-EMISOR",
    "NIT-DV-PAGADOR": "NIT-DV-PAGADOR",
    "SOP-FALTA": "SOPORTE-FALTA",
    "SOP-CONDICIONAL": "SOPORTE-CONDICIONAL",
    "SOP-NOMBRE-OTRO": "SOPORTE-OTRO",
}
"""Codes of the checker and those with which the review says the same."""
PLACES = 30
"""Places of one code that are listed; the rest is counted, and the Excel has all."""
_XML = (TipoDocumento.FEV, TipoDocumento.INVOICE, TipoDocumento.RESPUESTA_DIAN)
_WEIGHT = {Severidad.BLOQUEO: 0, Severidad.AVISO: 1, Severidad.INFO: 2}


@dataclass(frozen=True)
class Lugar:
    """One place: its words, the document that shows it (None: not here), and the query that opens it there."""

    texto: str
    mensaje: str
    documento_id: int | None
    consulta: Mapping[str, str | int]


@dataclass(frozen=True)
class Fila:
    """All findings of one code with one remedy, for one kind of person."""

    codigo: str
    clase: str
    severidad: Severidad
    mensaje: str
    que_hacer: str
    norma: str
    lugares: tuple[Lugar, ...]
    cuantos: int
    valor: int | None
    """Money at risk, in centavos, over all places."""
    aceptado: HallazgoAceptado | None
    """The acceptance, when every place of the row is accepted."""
    puede: bool
    visto: str
    """Hash of all findings of the row, which is what the button accepts."""
    tambien: tuple[str, ...] = ()
    """Codes of the Ministry under which the checker found the same."""


@dataclass(frozen=True)
class Grupo:
    """What one kind of person can mend."""

    quien: str
    titulo: str
    filas: tuple[Fila, ...]

    @property
    def graves(self) -> int:
        """Rows that weigh more than a note and nobody accepted."""
        return sum(one.severidad is not Severidad.INFO and one.aceptado is None for one in self.filas)


def agrupar(
    found: Sequence[Hallazgo],
    documentos: Sequence[Documento],
    aceptados: Mapping[int, HallazgoAceptado],
    *,
    roles: frozenset[str],
    limite: int | None,
) -> tuple[list[Grupo], list[Hallazgo]]:
    """Return the groups of what a person can mend, and apart what nobody can decide without a register.

    `roles` are those that the person has at the provider; `limite` the provider's, in centavos.
    """
    house = {one.codigo for one in found if one.origen is OrigenHallazgo.REVISION}
    shown = [one for one in found if one.origen is OrigenHallazgo.REVISION or GEMELOS.get(one.codigo, "") not in house]
    undecided = [one for one in shown if one.clase == Clase.NO_DECIDIBLE]
    of_code: dict[str, list[Hallazgo]] = {}
    for one in found:
        of_code.setdefault(one.codigo, []).append(one)
    risks = {code: riesgo_de(many) for code, many in of_code.items()}
    groups = []
    for quien, title in QUIENES.items():
        mine = [one for one in shown if one.clase != Clase.NO_DECIDIBLE and one.quien == quien]
        if mine:
            rows = _rows(mine, documentos, aceptados, risks, roles=roles, limite=limite)
            told = tuple(replace(row, tambien=_twins(found, row.codigo)) for row in rows)
            groups.append(Grupo(quien.value, title, told))
    return sorted(groups, key=lambda one: min(_WEIGHT[row.severidad] for row in one.filas)), undecided


def _twins(found: Sequence[Hallazgo], codigo: str) -> tuple[str, ...]:
    """Return the codes of the checker that say what the review says with `codigo`."""
    codes = {one.codigo for one in found if GEMELOS.get(one.codigo) == codigo and one.codigo != codigo}
    return tuple(sorted(codes))


def _rows(
    mine: Sequence[Hallazgo],
    documentos: Sequence[Documento],
    aceptados: Mapping[int, HallazgoAceptado],
    risks: Mapping[str, int],
    *,
    roles: frozenset[str],
    limite: int | None,
) -> list[Fila]:
    by_row: dict[tuple[str, ...], list[Hallazgo]] = {}
    for one in mine:
        by_row.setdefault(clave_fila(one), []).append(one)
    rows = []
    for many in by_row.values():
        first = many[0]
        money = [one.valor for one in many if one.valor is not None]
        accepted = [aceptados.get(one.id) for one in many]
        rows.append(
            Fila(
                codigo=first.codigo,
                clase=first.clase,
                severidad=first.severidad,
                mensaje=first.mensaje,
                que_hacer=first.que_hacer,
                norma=first.norma,
                lugares=tuple(_place(one, documentos) for one in many[:PLACES]),
                cuantos=len(many),
                valor=sum(money) if money else None,
                aceptado=accepted[0] if all(accepted) else None,
                puede=bool(roles & {role.value for role in pueden_aceptar(many, risks[first.codigo], limite)}),
                visto=huella_vista(many),
            )
        )
    return sorted(rows, key=lambda row: (_WEIGHT[row.severidad], row.codigo))


def _place(one: Hallazgo, documentos: Sequence[Documento]) -> Lugar:
    """Return where a finding stands and in which document it opens."""
    words = one.lugar or ("cabecera" if one.origen is OrigenHallazgo.VALIDADOR else "")
    in_force = [doc for doc in documentos if doc.vigente]
    if "usuarios[" in one.lugar:
        doc = next((doc for doc in in_force if doc.tipo is TipoDocumento.RIPS), None)
        return Lugar(words, one.mensaje, doc.id if doc else None, {"lugar": one.lugar})
    if one.linea is not None and one.fuente in (Fuente.FEV, Fuente.RESPUESTA, Fuente.CAPITA_INICIAL, Fuente.CRUCE):
        doc = next((doc for doc in in_force if doc.tipo in _XML), None)
        return Lugar(f"{words} · renglón {one.linea}", one.mensaje, doc.id if doc else None, {"linea": one.linea})
    return Lugar(words, one.mensaje, None, {})
