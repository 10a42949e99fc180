"""Part of the checker: form of the CUFE or CUDE, its agreement in the four places, and its value with the key.

Invariant: the technical key (the PIN, for notes) is asked of the context, used, and never shown; without it the value
is *no decidible*. Pure. Norms: DIAN annex 1.9 numerals 11.1 and 11.2; MUV technical document 2 v001 (VFE006, VFE007,
VCN005, VCN006, VDN003, VDN004).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from radica.facturas import cufe
from radica.facturas.fev import Clase, Fev
from radica.facturas.ubl import line_of, local_name
from radica.facturas.validacion.modelo import Contexto, DocumentoXml, Fuente, Hallado, Paquete

_FORM = {
    Clase.FACTURA: ("VFE006", "VFE007"),
    Clase.NOTA_CREDITO: ("VCN005", "VCN006"),
    Clase.NOTA_DEBITO: ("VDN003", "VDN004"),
}
_CONTINGENCIA = "03"
_DIGITS = 96
_ALPHANUMERIC = re.compile(r"[0-9A-Za-z]+")
_HEX96 = re.compile(r"[0-9a-fA-F]{96}")
_QR = re.compile(r"(?i)(?:documentkey|cu[fd]e)\s*[=:]\s*([0-9a-f]*)")


def codigo_unico(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Tell what is wrong with the CUFE of an invoice or the CUDE of a note."""
    xml, fev = paquete.xml, paquete.fev
    if xml is None or fev is None or xml.principal is None:
        return
    uuid = xml.principal.find("{*}UUID")
    written = (uuid.text or "").strip() if uuid is not None else ""
    yield from _form(fev, written, uuid if uuid is not None else xml.principal)
    if uuid is not None:
        yield from _attributes(fev, uuid)
    if not _HEX96.fullmatch(written):
        return
    yield from _places(xml, written.lower(), paquete.respuesta)
    yield from _value(fev, contexto, uuid)


def _form(fev: Fev, written: str, place: etree._Element) -> Iterator[Hallado]:
    """VFE006, VCN005, VDN003: invalid characters or empty. VFE007, VCN006, VDN004: not a SHA-384 in hexadecimal."""
    characters, shape = _FORM[fev.kind]
    line = line_of(place)
    length = "trae otros signos" if len(written) == _DIGITS else f"trae {len(written)} caracteres"
    values = {"nombre": _name(fev), "largo": length}
    if not _ALPHANUMERIC.fullmatch(written):
        yield Hallado(characters, "", values, "" if written else "vacio", line)
    if not _HEX96.fullmatch(written):
        yield Hallado(shape, "", values, "" if written else "vacio", line)


def _attributes(fev: Fev, uuid: etree._Element) -> Iterator[Hallado]:
    """Annex 1.9: schemeName CUFE-SHA384 or CUDE-SHA384, and schemeID the environment of ProfileExecutionID."""
    expected = f"{_name(fev)}-SHA384"
    place, line = f"{_root_name(fev)}/UUID", line_of(uuid)
    said = (uuid.get("schemeName") or "").strip()
    if said != expected:
        yield Hallado("CUFE-ESQUEMA", f"{place}/@schemeName", {"dice": said or "nada", "debe": expected}, "", line)
    environment = (uuid.get("schemeID") or "").strip()
    if environment and fev.environment and environment != fev.environment:
        values = {"dice": environment, "debe": fev.environment}
        yield Hallado("CUFE-AMBIENTE", f"{place}/@schemeID", values, "", line)


def _places(xml: DocumentoXml, own: str, apart: DocumentoXml | None) -> Iterator[Hallado]:
    """The QR, the container and DIAN's answer must repeat the code of the document."""
    principal = xml.principal
    for qr in principal.iter("{*}QRCode") if principal is not None else ():
        said = {found.lower() for found in _QR.findall("".join(str(text) for text in qr.itertext())) if found}
        if said - {own}:
            yield Hallado("CUFE-QR", f"{_tag(principal)}/UBLExtensions/…/QRCode", {}, "", line_of(qr))
    for copy in xml.raiz.iterfind("{*}ParentDocumentLineReference/{*}DocumentReference/{*}UUID"):
        if (copy.text or "").strip().lower() != own:
            place = "AttachedDocument/ParentDocumentLineReference/DocumentReference/UUID"
            yield Hallado("CUFE-CONTENEDOR", place, {}, "", line_of(copy))
    for holder in (xml, apart):
        answer = holder.raiz_respuesta if holder is not None else None
        named = answer.find("{*}DocumentResponse/{*}DocumentReference/{*}UUID") if answer is not None else None
        if answer is not None and (named is None or (named.text or "").strip().lower() != own):
            place = "ApplicationResponse/DocumentResponse/DocumentReference/UUID"
            line = line_of(named if named is not None else answer)
            yield Hallado("CUFE-DIAN", place, {}, "" if named is not None else "sin_cufe", line, Fuente.RESPUESTA)


def _value(fev: Fev, contexto: Contexto, uuid: etree._Element | None) -> Iterator[Hallado]:
    """SHA-384 of the chain: with the technical key for invoices, with the PIN of the software for the rest."""
    pin = fev.kind is not Clase.FACTURA or fev.type_code == _CONTINGENCIA
    values = {"nombre": _name(fev), "secreto": "el PIN del software" if pin else "la clave técnica de la resolución"}
    place = f"{_root_name(fev)}/UUID"
    line = line_of(uuid) if uuid is not None else None
    key = contexto.clave_de(fev) if contexto.clave_de is not None else None
    verdict = cufe.verify(fev, key)
    if verdict is cufe.Verificacion.DIFIERE:
        yield Hallado("CUFE-RECALCULO", place, values, "", line)
    elif verdict is cufe.Verificacion.NO_VERIFICABLE:
        yield Hallado("CUFE-RECALCULO", place, values, "sin_dato" if key else "sin_clave", line)


def _name(fev: Fev) -> str:
    """Return what the code of the document is called: CUDE for notes and for invoices of contingency."""
    return "CUFE" if fev.kind is Clase.FACTURA and fev.type_code != _CONTINGENCIA else "CUDE"


_ROOTS = {Clase.FACTURA: "Invoice", Clase.NOTA_CREDITO: "CreditNote", Clase.NOTA_DEBITO: "DebitNote"}


def _root_name(fev: Fev) -> str:
    return _ROOTS[fev.kind]


def _tag(element: etree._Element | None) -> str:
    return local_name(element) if element is not None else ""


def cude_de_evento(root: etree._Element, pin: str) -> str | None:
    """Return the CUDE that the fields of an event (ApplicationResponse 030–034) give; None when one is missing.

    Order of the fields as two implementations have it (no published vector).
    """
    paths = (
        "{*}ID",
        "{*}IssueDate",
        "{*}IssueTime",
        "{*}SenderParty/{*}PartyTaxScheme/{*}CompanyID",
        "{*}ReceiverParty/{*}PartyTaxScheme/{*}CompanyID",
        "{*}DocumentResponse/{*}Response/{*}ResponseCode",
        "{*}DocumentResponse/{*}DocumentReference/{*}ID",
        "{*}DocumentResponse/{*}DocumentReference/{*}DocumentTypeCode",
    )
    fields = [(root.findtext(path) or "").strip() for path in paths]
    return cufe.digest("".join(fields) + pin) if all(fields) else None
