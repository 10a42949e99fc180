"""Chapter *vacíos*: what is missing or not proved, the checklist and the technical statement, drawn and as data.

Invariant: everything that another chapter declared is here, once, in words and for machines; a dossier without gaps
says so. Nothing here is softened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from radica.prejuridico.acopio import Acopio
from radica.prejuridico.contenido import EstadoControl, ItemControl, Seccion
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Libro
from radica.prejuridico.tabla import capitulos

FORMATO_VACIOS = "radica-vacios/1"
ESTADOS = {
    EstadoControl.COMPLETO: "Completo",
    EstadoControl.PARCIAL: "Parcial",
    EstadoControl.FALTA: "Falta",
    EstadoControl.NO_APLICA: "No aplica",
}


def escribir(libro: Libro, acopio: Acopio, lista: Sequence[ItemControl], declaracion: Sequence[Seccion]) -> None:
    """Write the chapter; call it last."""
    head = f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}"
    libro.generado("vacios", "Vacíos declarados", _gaps(libro, head, acopio.autor), "application/pdf")
    data = {"formato": FORMATO_VACIOS, "vacios": [asdict(one) for one in libro.huecos]}
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1)
    libro.generado("vacios_datos", "Vacíos declarados (datos)", text.encode("utf-8"), "application/json")
    libro.generado(
        "lista_control",
        "Lista de control de la demanda",
        _checklist(libro.via, head, acopio.autor, lista),
        "application/pdf",
    )
    libro.generado("declaracion", "Declaración técnica", _statement(head, acopio.autor, declaracion), "application/pdf")


def _gaps(libro: Libro, head: str, author: str) -> bytes:
    sheet = Hoja("Vacíos declarados", encabezado=head, autor=author)
    if not libro.huecos:
        sheet.parrafo("El programa no encontró vacíos. Eso no reemplaza la revisión del abogado.")
        return sheet.pdf()
    sheet.parrafo("Lo que este expediente no tiene o no prueba, dicho por él mismo.")
    for key, title in capitulos(libro.via):
        mine = [one for one in libro.huecos if one.capitulo == key]
        if mine:
            sheet.seccion(title)
            rows = [(one.factura or "todas", one.texto, one.que_hacer) for one in mine]
            sheet.tabla(("Factura", "Qué falta o no se prueba", "Qué hacer"), rows, (1.8, 6.4, 3.8))
    return sheet.pdf()


def _checklist(via: str, head: str, author: str, items: Sequence[ItemControl]) -> bytes:
    sheet = Hoja("Lista de control de la demanda", encabezado=head, autor=author)
    sheet.parrafo(
        f"Vía {via}. Qué exige cada despacho varía: cada renglón dice su norma y con qué certeza se conoce "
        "(V leída en la norma, V-sec en fuente secundaria, M de memoria).",
        menor=True,
    )
    rows = [
        (
            str(one.numero),
            one.documento,
            ESTADOS[one.estado],
            "exigido" if one.exigido else "conveniente",
            one.detalle,
            f"{one.norma} ({one.certeza})",
        )
        for one in items
    ]
    sheet.tabla(("N.º", "Documento", "Estado", "En esta vía", "Detalle", "Norma"), rows, (0.7, 3.2, 1.3, 1.5, 4.4, 2.9))
    return sheet.pdf()


def _statement(head: str, author: str, sections: Sequence[Seccion]) -> bytes:
    sheet = Hoja("Declaración técnica", encabezado=head, autor=author)
    for one in sections:
        sheet.seccion(one.titulo)
        for words in one.parrafos:
            sheet.parrafo(words)
        if one.tabla:
            widths = [3.0, 9.0] if len(one.tabla[0]) == 2 else [1.0, 1.2, 4.9, 4.9]
            sheet.tabla(one.tabla[0], one.tabla[1:], widths)
    return sheet.pdf()
