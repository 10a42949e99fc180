"""Chapter *actas*: meetings with the payer about these invoices, what was signed, and what was promised and not kept.

Invariant: an acta without signatures is never shown as an agreement. Norm: Circular conjunta 030/2013; Ley 1122/2007
art. 38 and Ley 2220/2022 say which other conciliations bind.
"""

from __future__ import annotations

from radica.conciliacion.models import Conciliacion
from radica.conciliacion.signing import ACTA, FIRMADA
from radica.conciliacion.states import FIRMADAS
from radica.kernel.clock import civil_date
from radica.kernel.money import format_cop
from radica.kernel.web_format import fecha
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Libro
from radica.prejuridico.tabla import clase_de_pieza


def escribir(libro: Libro, acopio: Acopio) -> None:
    """Write the meetings, in order."""
    for meeting in acopio.conciliaciones:
        signed = meeting.estado in FIRMADAS
        name = f"Conciliación {meeting.numero}"
        for piece in acopio.piezas.get(meeting.case_key, ()):
            kind = clase_de_pieza(piece.clase) if piece.clase in (ACTA, FIRMADA) else "prueba_acta"
            libro.pieza(
                kind, f"{name}: {'acta firmada' if kind == 'acta_firmada' else piece.clase.replace('_', ' ')}", piece,
                creado=civil_date(meeting.firmada_at or piece.sellada_at), lugar=(meeting.numero,),
                nota="" if signed else "No está firmada por las dos partes: no es un acuerdo.",
            )  # fmt: skip
        if not signed:
            libro.hueco(
                "acta_sin_firmar", "actas", f"La {name.lower()} no tiene acta firmada por las dos partes: {meeting.MACHINE.labels[meeting.estado].lower()}.",
                "Firme el acta, o no la presente como acuerdo.",
            )  # fmt: skip
        if acopio.compromisos.get(meeting.id):
            libro.generado(
                "compromisos", f"{name}: compromisos de pago", _promises(acopio, meeting), "application/pdf",
                lugar=(meeting.numero,), caso=meeting.case_key,
            )  # fmt: skip


def _promises(acopio: Acopio, meeting: Conciliacion) -> bytes:
    name = f"Compromisos de pago de la conciliación {meeting.numero}"
    sheet = Hoja(name, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    sheet.parrafo(
        "Los compromisos son de toda la conciliación, que puede tratar también de facturas que no están en este "
        f"expediente. Estado a {fecha(acopio.corte)}.",
        menor=True,
    )
    rows = []
    for one in acopio.compromisos[meeting.id]:
        done = acopio.compromisos_hechos.get(one.id)
        if done is not None:
            said = f"{done.resultado} el {fecha(done.fecha)} por {format_cop(done.valor)}"
        else:
            said = "sin cumplir" if one.fecha < acopio.corte else "por vencer"
        rows.append((fecha(one.fecha), format_cop(one.valor), said, one.nota))
    sheet.tabla(("Fecha", "Valor", "Qué pasó", "Nota"), rows, (2, 2, 4, 4), derecha=(1,))
    return sheet.pdf()
