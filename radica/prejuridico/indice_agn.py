"""The electronic index of the dossier for the Archivo General de la Nación: XML with thirteen elements a document.

Invariant: one DocumentoIndizado per document, in the order of the dossier; pages are the folios of the PDF of the
whole; days are ISO; the hash is of the bytes that the bag holds. Same facts, same bytes. It holds no text of a document.
Norms: Acuerdo AGN 001/2024 art. 4.3.2 (expediente electrónico), before it 003/2015.
"""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from radica.prejuridico.contenido import Contenido
from radica.prejuridico.nombres import nombres_de
from radica.prejuridico.papel.valores import PdfResult

ESQUEMA = Path(__file__).parent / "data" / "indice_agn.xsd"
FUNCION = "SHA-256"
_TEXTO_MAX = 300
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")


def agn_index(contenido: Contenido, pdf: PdfResult) -> bytes:
    """Return the index as UTF-8 XML; `pdf` tells the folios of each document."""
    root = etree.Element("IndiceElectronico")
    _head(etree.SubElement(root, "Expediente"), contenido, pdf)
    names = nombres_de(contenido)
    rows = zip(contenido.documentos(), names, pdf.tramos, strict=True)
    for (_, one), name, place in rows:
        document = etree.SubElement(root, "DocumentoIndizado")
        for element, text in (
            ("Id", f"{contenido.numero}-{place.orden}"),
            ("Nombre_Documento", name.nombre),
            ("Tipologia_Documental", one.tipologia),
            ("Fecha_Creacion_Documento", one.fecha_creacion.isoformat()),
            ("Fecha_Incorporacion_Expediente", one.fecha_incorporacion.isoformat()),
            ("Valor_Huella", one.huella),
            ("Funcion_Resumen", FUNCION),
            ("Orden_Documento_Expediente", str(place.orden)),
            ("Pagina_Inicio", str(place.desde)),
            ("Pagina_Fin", str(place.hasta)),
            ("Formato", name.nombre.rpartition(".")[2].upper()),
            ("Tamano", f"{one.tamano} bytes"),
            ("Origen", one.origen.value),
        ):
            etree.SubElement(document, element).text = _clean(text)
    etree.indent(root, space="  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _head(head: etree._Element, contenido: Contenido, pdf: PdfResult) -> None:
    facts = [
        ("Numero", str(contenido.numero)),
        ("Productor", contenido.demandante.nombre),
        ("Nit_Productor", contenido.demandante.nit),
        ("Contraparte", contenido.demandado.nombre),
        ("Nit_Contraparte", contenido.demandado.nit),
    ]
    if contenido.radicado_judicial:
        facts.append(("Radicado_Judicial", contenido.radicado_judicial))
    facts += [
        ("Fecha_Cierre", contenido.corte.isoformat()),
        ("Total_Documentos", str(len(pdf.tramos))),
        ("Total_Folios", str(pdf.folios)),
    ]
    for element, text in facts:
        etree.SubElement(head, element).text = _clean(text)


def _clean(text: str) -> str:
    """Return a text on one line, of what XML can hold, never empty."""
    return _CONTROL.sub(" ", text).strip()[:_TEXTO_MAX].strip() or "—"
