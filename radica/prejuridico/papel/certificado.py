"""The last sheets of the dossier: what is certified, what is not, and the SHA-256 of every document.

Invariant: it claims only what the making of the PDF knows; the hash that stands here is of the bytes that the bag
holds, not of the pages that show them. Norms: Ley 527/1999 arts. 8 and 9 (original and integrity), 28 and 30.
"""

from __future__ import annotations

from collections.abc import Sequence

from radica.conciliacion.acta import day_words
from radica.prejuridico.contenido import Contenido
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.papel.lienzo import count_words, folios_words, thousands
from radica.prejuridico.papel.valores import Forma, Tramo

SIN_FIRMA = (
    "Este PDF no lleva firma electrónica: al prepararlo no había un certificado digital en condiciones de firmar. Su"
    " integridad se comprueba con la bolsa que lo acompaña."
)
CERTIFICA = (
    (
        "Que cada documento de la relación se tomó de la custodia del prestador, y que la huella SHA-256 que se imprime a"
        " su lado es la de los bytes del archivo que está en la bolsa del expediente."
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


def draw_certificate(contenido: Contenido, tramos: Sequence[Tramo], *, folios: int, firma: str = "") -> bytes:
    """Return the certificate as PDF; `folios` of the whole, `firma` what is said of the signature that will follow."""
    sheet = Hoja(
        "Certificado del expediente",
        encabezado=f"{contenido.demandante.nombre}, NIT {contenido.demandante.nit}. Expediente N.º {contenido.numero}",
        autor=contenido.demandante.nombre,
    )
    loose = sum(one.forma is Forma.ANEXO for one in tramos)
    sheet.parrafo(
        f"Este PDF lo preparó el programa radica para {contenido.demandante.nombre}, y reúne"
        f" {count_words(len(tramos), 'documento', 'documentos')} de"
        f" {count_words(len(contenido.facturas), 'factura', 'facturas')} en {thousands(folios)} folios, con los hechos"
        f" registrados hasta el {day_words(contenido.corte)}."
    )
    sheet.seccion("Qué certifica")
    for text in CERTIFICA:
        sheet.parrafo(text)
    if loose:
        words = count_words(loose, "archivo no se pudo reproducir", "archivos no se pudieron reproducir")
        sheet.parrafo(f"Que {words}, y que la hoja de cada uno dice por qué.")
    sheet.seccion("Qué no certifica")
    for text in NO_CERTIFICA:
        sheet.parrafo(text)
    sheet.seccion("Firma de este PDF")
    sheet.parrafo(firma or SIN_FIRMA)
    sheet.seccion("Relación de documentos")
    rows = [
        [
            str(place.orden),
            one.titulo if one.factura is None or one.factura in one.titulo else f"{one.titulo} · {one.factura}",
            folios_words(place.desde, place.hasta),
            thousands(one.tamano),
            one.huella,
        ]
        for (_, one), place in zip(contenido.documentos(), tramos, strict=True)
    ]
    sheet.tabla(["N.º", "Documento", "Folios", "Bytes", "SHA-256"], rows, [5, 35, 13, 11, 36], derecha=[3])
    return sheet.pdf()
