"""Chapters *demanda* and *contrato*: what only a person has, loaded with type and date; what is missing is a gap.

Invariant: a document withdrawn does not come in; of what has several, the newest stands first. Norms: CGP arts. 82–85.
"""

from __future__ import annotations

from radica.prejuridico.acopio import Acopio
from radica.prejuridico.libro import Libro
from radica.prejuridico.models import DocumentoPersona, TipoDocumentoPersona

T = TipoDocumentoPersona
NOMBRES = {
    T.PODER: "Poder",
    T.CERTIFICADO_EXISTENCIA: "Certificado de existencia y representación",
    T.REPS: "Habilitación en el REPS",
    T.CONTRATO: "Contrato",
    T.AUTORIZACION: "Autorización",
    T.EVENTO_030: "Evento 030, acuse de recibo de la factura",
    T.EVENTO_031: "Evento 031, reclamo",
    T.EVENTO_032: "Evento 032, recibo del servicio",
    T.EVENTO_033: "Evento 033, aceptación expresa",
    T.EVENTO_034: "Evento 034, aceptación tácita",
    T.CONSTANCIA_CONCILIACION: "Constancia de conciliación",
    T.OTRO: "Anexo",
}
SALUD = frozenset({T.AUTORIZACION})
"""Types that name a patient."""
_NEEDED = (
    (T.PODER, "demanda", "sin_poder", "No se cargó el poder para demandar."),
    (T.CERTIFICADO_EXISTENCIA, "demanda", "sin_certificado", "No se cargaron los certificados de existencia."),
    (T.REPS, "demanda", "sin_reps", "No se cargó la habilitación del prestador en el REPS."),
    (T.CONTRATO, "contrato", "sin_contrato", "No se cargó el contrato, ni por qué se atendió sin contrato."),
)


def escribir(libro: Libro, acopio: Acopio) -> None:
    """Write both chapters."""
    numbers = {one.id: one.numero for one in acopio.facturas}
    for row in sorted(acopio.persona, key=lambda one: (-one.fecha.toordinal(), one.id)):
        _write(libro, acopio, row, numbers.get(row.factura_id or 0))
    have = {row.tipo for row in acopio.persona}
    for tipo, chapter, code, words in _NEEDED:
        if tipo not in have:
            libro.hueco(
                code, chapter, words, "Apórtelo en Prejurídico, Documentos aportados, y prepare otro expediente."
            )
    for invoice in acopio.facturas:
        if not any(one.tipo is T.AUTORIZACION and one.factura_id == invoice.id for one in acopio.persona):
            libro.hueco(
                "sin_autorizacion",
                "contrato",
                f"No se cargó la autorización de la factura {invoice.numero}, ni la prueba de silencio o de urgencia.",
                "Cárguela si el servicio la necesitaba, o diga en la demanda por qué no.",
                factura=invoice.numero,
            )


def _write(libro: Libro, acopio: Acopio, row: DocumentoPersona, factura: str | None) -> None:
    piece = acopio.piezas_sueltas[row.pieza_id]
    whole = f"{NOMBRES[row.tipo]}, factura {factura}" if factura else NOMBRES[row.tipo]
    note = f"Aportado por una persona el {row.cargado_at:%Y-%m-%d}."
    libro.pieza(
        row.tipo.value, whole, piece, creado=row.fecha, factura=factura, salud=row.tipo in SALUD,
        nota=f"{note} {row.nota}".strip(), digitalizado=piece.media_type in ("image/png", "image/jpeg"),
    )  # fmt: skip
