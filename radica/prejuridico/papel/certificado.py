"""The last sheets of the dossier: what is certified, what is not, and the SHA-256 of every document.

Invariant: it claims only what the making of the PDF knows; the hash that stands here is of the bytes that the bag
holds, not of the pages that show them. Norms: Ley 527/1999 arts. 8 and 9 (original and integrity), 28 and 30.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radica.conciliacion.acta import day_words
from radica.glosas.respuesta.paper import DIM, INK, MARGIN
from radica.prejuridico.papel.lienzo import LOW, ROOM, TOP, WIDTH, Lienzo, count_words, folios_words, thousands
from radica.prejuridico.papel.tinta import BOLD, MONO, PLAIN, shorten
from radica.prejuridico.papel.valores import Forma, Tramo

_ROW = 26
_NAME_ROOM = ROOM - 30 - 76 - 70

SIN_FIRMA = (
    "Este PDF no lleva firma electrónica: al prepararlo no había un certificado digital en condiciones de firmar. Su"
    " integridad se comprueba con la bolsa que lo acompaña."
)
CERTIFICA = (
    (
        "Que cada documento de la relación se tomó de la custodia del prestador o lo generó el programa con los hechos"
        " registrados, y que la huella SHA-256 que se imprime debajo es la del archivo que está en la bolsa del expediente."
    ),
    (
        "Que las páginas se reproducen en su orden y completas. A cada página ajena se le añadió al pie una franja con el"
        " folio y el nombre del documento; nada se escribió sobre ella. Sellos, firmas visibles y campos llenos quedaron"
        " como dibujo; enlaces y acciones no se conservan."
    ),
    (
        "Que los archivos que no son páginas (XML, JSON, correos, datos) se identifican en una hoja con su huella, su tamaño"
        " y su lugar en la bolsa, donde están sin cambios."
    ),
)
NO_CERTIFICA = (
    (
        "Que el contenido de los documentos sea cierto, ni que un tercero los haya emitido: eso lo dicen ellos mismos, sus"
        " firmas y los acuses."
    ),
    (
        "La fecha en que existía cada documento más allá de sus sellos de tiempo. Los sellos están en la bolsa; el de una"
        " autoridad sin acreditación de ONAC no es estampado cronológico (Ley 527 de 1999, art. 30)."
    ),
    "La firma digital de un documento original, que se comprueba en su archivo y no en las páginas que lo muestran.",
    "Este mismo PDF: su huella está en los manifiestos de la bolsa, porque ningún archivo puede contener la suya.",
)


def draw_certificate(lienzo: Lienzo, tramos: Sequence[Tramo], *, firma: str = "") -> None:
    """Draw the certificate as the next sheets; `firma` is what is said of the signature that will follow."""
    content = lienzo.contenido
    lienzo.head("Certificado")
    y = TOP - 8
    lienzo.text(MARGIN, y, "Certificado del expediente", font=BOLD, size=18)
    y = _paragraph(
        lienzo,
        y - 26,
        f"Este PDF lo preparó el programa radica para {content.demandante.nombre}, NIT {content.demandante.nit}, y reúne"
        f" {count_words(len(tramos), 'documento', 'documentos')} de"
        f" {count_words(len(content.facturas), 'factura', 'facturas')}, con los hechos registrados hasta el"
        f" {day_words(content.corte)}.",
    )
    loose = sum(one.forma is Forma.ANEXO for one in tramos)
    sure = list(CERTIFICA)
    if loose:
        words = count_words(loose, "archivo no se pudo reproducir", "archivos no se pudieron reproducir")
        sure.append(f"Que {words}, y que la hoja de cada uno dice por qué.")
    for title, texts in (
        ("Qué certifica", sure),
        ("Qué no certifica", NO_CERTIFICA),
        ("Firma de este PDF", [firma or SIN_FIRMA]),
    ):
        y -= 10
        lienzo.text(MARGIN, y, title, font=BOLD, size=11)
        y -= 16
        for text in texts:
            y = _paragraph(lienzo, y, text)
    lienzo.end()
    _listing(lienzo, tramos)


def _paragraph(lienzo: Lienzo, y: Any, text: str) -> Any:
    return lienzo.block(MARGIN, y, text, ROOM, size=9.5, lead=13) - 4


def _listing(lienzo: Lienzo, tramos: Sequence[Tramo]) -> None:
    """Draw the list of documents with their hashes, on sheets of its own."""
    y = _columns(lienzo, first=True)
    for (_, one), place in zip(lienzo.contenido.documentos(), tramos, strict=True):
        name = one.titulo if one.factura is None or one.factura in one.titulo else f"{one.titulo} · {one.factura}"
        if y - _ROW < LOW:
            lienzo.end()
            y = _columns(lienzo, first=False)
        lienzo.text(MARGIN, y, str(place.orden), size=8.2, color=DIM)
        lienzo.text(MARGIN + 30, y, shorten(name, PLAIN, 8.2, _NAME_ROOM), size=8.2)
        lienzo.to_right(WIDTH - MARGIN - 76, y, folios_words(place.desde, place.hasta), size=8.2)
        lienzo.to_right(WIDTH - MARGIN, y, thousands(one.tamano), size=8.2)
        lienzo.text(MARGIN + 30, y - 10.5, one.huella, font=MONO, size=7.4, color=DIM)
        lienzo.rule(y - 15, thick=0.3)
        y -= _ROW
    lienzo.end()


def _columns(lienzo: Lienzo, *, first: bool) -> Any:
    lienzo.head("Certificado: relación de documentos")
    y = TOP
    if first:
        lienzo.text(MARGIN, y - 4, "Relación de documentos", font=BOLD, size=14)
        y -= 28
    lienzo.text(MARGIN, y, "N.º", font=BOLD, size=8, color=DIM)
    lienzo.text(MARGIN + 30, y, "Documento y huella SHA-256 de su archivo", font=BOLD, size=8, color=DIM)
    lienzo.to_right(WIDTH - MARGIN - 76, y, "Folios", font=BOLD, size=8, color=DIM)
    lienzo.to_right(WIDTH - MARGIN, y, "Bytes", font=BOLD, size=8, color=DIM)
    lienzo.rule(y - 5, color=INK)
    return y - 18
