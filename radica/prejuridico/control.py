"""The checklist of the lawsuit: each entry of the table against what the book holds, with what is missing.

Invariant: an entry is complete only when every invoice has it; what the facts do not ask for is *no aplica*, and the
certainty of each demand is told, because what each court asks for is not one. Sources: data/control.csv.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radica.prejuridico.acopio import Acopio
from radica.prejuridico.capitulos.pagos import en_pie
from radica.prejuridico.contenido import EstadoControl, Hueco, ItemControl
from radica.prejuridico.libro import Libro
from radica.prejuridico.models import TipoDocumentoPersona
from radica.prejuridico.tabla import control

E, T = EstadoControl, TipoDocumentoPersona
Juicio = tuple[EstadoControl, str]

# Gaps by entry: with none of them an entry is whole; of several invoices, those without them have it.
_GAPS: dict[str, frozenset[str]] = {
    "factura": frozenset({"sin_factura", "factura_ilegible", "xml_con_otros_pacientes"}),
    "respuesta_dian": frozenset({"sin_validacion_dian", "sin_factura"}),
    "rips": frozenset({"sin_rips", "sin_cuv", "rips_sin_redactar"}),
    "radicacion": frozenset({"prueba_debil", "envio_sin_evidencia", "evidencia_reservada"}),
    "soportes": frozenset({"sin_soportes", "falta_soporte", "soportes_redactados"}),
    "autorizacion": frozenset({"sin_autorizacion"}),
    "glosas": frozenset(
        {"acto_sin_prueba", "prueba_sin_archivo", "prueba_reservada", "notificacion_en_extracto", "correo_reservado"}
    ),
    "notas": frozenset({"sin_nota_credito"}),
    "pagos": frozenset({"pago_sin_prueba"}),
    "actas": frozenset({"acta_sin_firmar"}),
    "liquidacion": frozenset({"sin_liquidacion", "tasa_faltante"}),
    "poder": frozenset({"sin_poder", "sin_certificado", "sin_reps"}),
    "contrato": frozenset({"sin_contrato"}),
    "integridad": frozenset({"cadena_sin_sello", "sello_sin_tiempo", "tsa_no_acreditada"}),
}
_MISSING = frozenset(
    {"sin_factura", "sin_rips", "sin_contrato", "sin_soportes", "cadena_sin_sello", "sin_autorizacion"}
)


def lista(libro: Libro, acopio: Acopio) -> tuple[ItemControl, ...]:
    """Return the checklist of the track."""
    special: dict[str, Callable[[Acopio], Juicio | None]] = {
        "eventos": _events,
        "constancia_conciliacion": _prior,
        "glosas": lambda facts: None if any(facts.actos.values()) else (E.NO_APLICA, "No hay devoluciones ni glosas."),
        "notas": lambda facts: None if _accepted(facts) else (E.NO_APLICA, "No hay valores aceptados."),
        "pagos": lambda facts: None if _paid(facts) else (E.NO_APLICA, "No hay pagos anotados."),
        "actas": lambda facts: None if facts.conciliaciones else (E.NO_APLICA, "No hubo conciliación."),
    }
    made = []
    for row in control():
        judge = special.get(row["clave"])
        verdict = judge(acopio) if judge else None
        state, detail = verdict or _by_gaps(row["clave"], libro.huecos, len(acopio.facturas))
        made.append(
            ItemControl(
                int(row["numero"]),
                row["documento"],
                row[libro.via] == "exigido",
                row["norma"],
                row["certeza"],
                state,
                detail,
            )
        )
    return tuple(made)


def _by_gaps(clave: str, gaps: Sequence[Hueco], invoices: int) -> Juicio:
    mine = [one for one in gaps if one.codigo in _GAPS[clave]]
    if not mine:
        return E.COMPLETO, "En el expediente."
    lacking = {one.factura for one in mine if one.factura and one.codigo in _MISSING}
    detail = mine[0].texto if len(mine) == 1 else f"{mine[0].texto} Y {len(mine) - 1} más: véalos en los vacíos."
    whole = all(one.factura is None and one.codigo in _MISSING for one in mine)
    if whole or (lacking and len(lacking) == invoices) or (len(mine) == len(_GAPS[clave]) == 3 and clave == "poder"):
        return E.FALTA, detail
    return E.PARCIAL, detail


def _events(facts: Acopio) -> Juicio:
    kinds = {row.tipo.value for row in facts.persona if row.tipo.value.startswith("evento_")}
    kinds |= {f"evento_{one.sigla}" for rows in facts.documentos.values() for one in rows if one.sigla.startswith("03")}
    if kinds:
        return E.COMPLETO, f"Hay {len(kinds)} clases de evento."
    return E.FALTA, "No se cargaron eventos 030 a 034; consulte la factura en el RADIAN."


def _prior(facts: Acopio) -> Juicio:
    if any(row.tipo is T.CONSTANCIA_CONCILIACION for row in facts.persona):
        return E.COMPLETO, "En el expediente."
    return E.FALTA, "No se cargó. No es requisito en todo proceso: el abogado lo decide."


def _accepted(facts: Acopio) -> bool:
    return any(one.aceptado for rows in facts.glosas.values() for one in rows)


def _paid(facts: Acopio) -> bool:
    return any(en_pie(rows) for rows in facts.pagos.values())
