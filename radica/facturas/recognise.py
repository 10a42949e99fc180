"""What a file is, by its content: never by its name or extension.

Invariant: every file gives either one or more documents or a true reason in Spanish, and no exception: what comes from
outside cannot stop a batch. A name is used only to read which support a PDF claims to be. Nothing here writes.
Norms: Res. 948 de 2026 (FEV, RIPS, CUV), DIAN annex 1.9, Res. 2284 de 2023 annex 2 (names of supports).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lxml import etree

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.fev import Clase, Fev, RespuestaDian
from radica.facturas.jsonsafe import MAX_JSON_BYTES, decode_text, load_json, member_texts
from radica.facturas.numbers import InvoiceNumber, Nit, parse_invoice_number
from radica.facturas.rips import Rips, is_rips, read_rips
from radica.facturas.soportes import NombreSoporte, parse_support_name, why_not_a_support
from radica.facturas.texts import base_name
from radica.facturas.ubl import ROOTS, local_name, open_container, read_attached, read_fev, read_response
from radica.facturas.xmlsafe import Unreadable, decode_base64, parse_xml

MAX_BYTES = 1024 * 1024 * 1024
"""Res. 2284 de 2023, annex 2, numeral 3.3: one gigabyte."""
_HEAD = 4096
_TAIL = 32 * 1024

_FOREIGN = (
    (b"Rar!\x1a\x07", "Es un comprimido RAR, que no se abre.", "Comprímalo como ZIP y cárguelo de nuevo."),
    (b"7z\xbc\xaf\x27\x1c", "Es un comprimido 7z, que no se abre.", "Comprímalo como ZIP y cárguelo de nuevo."),
    (b"\x1f\x8b", "Es un comprimido GZIP, que no se abre.", "Comprímalo como ZIP y cárguelo de nuevo."),
    (b"\xd0\xcf\x11\xe0", "Es un documento de Office antiguo.", "Guárdelo como PDF."),
    (b"\x89PNG", "Es una imagen, no un PDF.", "Conviértala en PDF: los soportes van en PDF."),
    (b"\xff\xd8\xff", "Es una imagen, no un PDF.", "Conviértala en PDF: los soportes van en PDF."),
    (b"II*\x00", "Es una imagen, no un PDF.", "Conviértala en PDF: los soportes van en PDF."),
    (b"MM\x00*", "Es una imagen, no un PDF.", "Conviértala en PDF: los soportes van en PDF."),
    (b"MZ", "Es un programa, no un documento.", "No lo abra; avise a sistemas."),
)


class Tipo(StrEnum):
    """Kinds of document that the house keeps, by their content."""

    FEV = "FEV"  # AttachedDocument with Invoice and DIAN's answer
    INVOICE = "INVOICE"  # bare Invoice
    NOTA_CREDITO = "NOTA_CREDITO"
    NOTA_DEBITO = "NOTA_DEBITO"
    RESPUESTA_DIAN = "RESPUESTA_DIAN"
    RIPS = "RIPS"
    CUV = "CUV"
    SOPORTE = "SOPORTE"


_BARE = {
    Clase.FACTURA: Tipo.INVOICE,
    Clase.NOTA_CREDITO: Tipo.NOTA_CREDITO,
    Clase.NOTA_DEBITO: Tipo.NOTA_DEBITO,
}
MEDIA_TYPES = {Tipo.RIPS: "application/json", Tipo.CUV: "application/json", Tipo.SOPORTE: "application/pdf"}


@dataclass(frozen=True)
class Pieza:
    """One document. `inner` holds its own bytes when it came inside another file (a MUV request)."""

    tipo: Tipo
    fev: Fev | None = None
    rips: Rips | None = None
    cuv: CuvResult | None = None
    response: RespuestaDian | None = None
    soporte: NombreSoporte | None = None
    inner: bytes | None = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """MIME type with which it is kept and sent."""
        return MEDIA_TYPES.get(self.tipo, "application/xml")

    @property
    def issuer(self) -> Nit | None:
        """NIT of the provider that the document names; None when it names none (most CUV)."""
        if self.fev is not None:
            return self.fev.supplier.nit
        if self.rips is not None:
            return self.rips.issuer
        if self.soporte is not None:
            return self.soporte.issuer
        if self.response is not None:
            return self.response.receiver
        return self.cuv.issuer if self.cuv is not None else None

    @property
    def number(self) -> InvoiceNumber | None:
        """Number of the invoice that the document belongs to, as it writes it."""
        if self.fev is not None:
            return parse_invoice_number(self.fev.number, prefix=self.fev.prefix)
        if self.soporte is not None:
            return self.soporte.number
        for said in (self.rips, self.cuv, self.response):
            if said is not None:
                return parse_invoice_number(said.number)
        return None


@dataclass(frozen=True)
class Reconocido:
    """The result: documents, or `is_zip`, or neither and then `code`, `reason` and `todo` in Spanish."""

    pieces: tuple[Pieza, ...] = ()
    is_zip: bool = False
    code: str = ""
    reason: str = ""
    todo: str = ""
    notes: tuple[str, ...] = ()
    """What was odd and did not matter, in Spanish."""
    is_request: bool = False
    """Whether the documents came inside a request to the MUV."""

    @property
    def understood(self) -> bool:
        """True when it is one document or more."""
        return bool(self.pieces)


def recognise_path(path: Path, name: str) -> Reconocido:
    """Say what the file at `path`, which came with the name `name`, is. A PDF or ZIP is never read whole.

    Raises OSError only when the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(max(0, size - _TAIL))
        tail = stream.read(_TAIL)
    by_signature = _by_signature(head, tail, size, name)
    if by_signature is not None:
        return by_signature
    if size > MAX_JSON_BYTES:
        return _unknown("grande", f"El archivo pesa {size // (1024 * 1024)} MB y no es PDF ni ZIP.", "Revíselo.")
    return _by_text(path.read_bytes())


def recognise(data: bytes, name: str) -> Reconocido:
    """Say what these bytes, which came with the name `name`, are. Never raises."""
    by_signature = _by_signature(data[:_HEAD], data[-_TAIL:], len(data), name)
    return by_signature if by_signature is not None else _by_text(data)


def _by_signature(head: bytes, tail: bytes, size: int, name: str) -> Reconocido | None:
    """Tell what needs only the first and last bytes: empty, too large, PDF, ZIP, foreign formats."""
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        return _unknown("vacio", "El archivo está vacío.", "Vuelva a generarlo y cárguelo de nuevo.")
    if size > MAX_BYTES:
        return _unknown("grande", "El archivo pesa más de 1 GB, el máximo de la Res. 2284 de 2023.", "Divídalo.")
    # Before the PDF: a ZIP that stores its first PDF as it is shows that PDF's mark among its own first bytes.
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _office(head) or Reconocido(is_zip=True)
    if b"%PDF-" in head[:1024]:
        return _pdf(tail, name)
    for signature, reason, todo in _FOREIGN:
        if head.startswith(signature):
            return _unknown("formato", reason, todo)
    if base_name(name).lower().endswith(".pdf"):
        return _unknown(
            "pdf_falso", "El nombre dice PDF pero el contenido no es un PDF.", "Vuelva a generar el PDF y cárguelo."
        )
    return None


def _office(head: bytes) -> Reconocido | None:
    """Tell an Office document, which is a ZIP inside, by its first entries."""
    if b"[Content_Types].xml" in head or b"mimetypeapplication/vnd" in head:
        return _unknown("formato", "Es un documento de Office.", "Guárdelo como PDF si es un soporte.")
    return None


def _pdf(tail: bytes, name: str) -> Reconocido:
    if b"startxref" not in tail:
        return _unknown("pdf_cortado", "El PDF está incompleto o cortado.", "Vuelva a generarlo y cárguelo de nuevo.")
    plain = base_name(name)
    soporte = parse_support_name(plain)
    if soporte is None:
        return _unknown(
            "pdf_sin_nombre_de_soporte",
            why_not_a_support(plain),
            "Cámbiele el nombre según la Res. 2284 de 2023 o asígnelo a su factura en la bandeja.",
        )
    return Reconocido(pieces=(Pieza(Tipo.SOPORTE, soporte=soporte),))


def _by_text(data: bytes) -> Reconocido:
    """Tell XML from JSON by the first character, whatever the encoding."""
    start = data[:_HEAD].translate(None, b"\x00\xef\xbb\xbf\xfe\xff \t\r\n")[:1]
    try:
        if start == b"<":
            return _xml(data)
        if start in (b"{", b"["):
            return _json(data)
    except Unreadable as exc:
        return _unknown(exc.code, exc.message, exc.todo)
    return _unknown(
        "desconocido",
        "No es XML, JSON, PDF ni ZIP: no se reconoce como documento de facturación.",
        "Revise el archivo.",
    )


def _xml(data: bytes) -> Reconocido:
    root = _parse_or_page(data)
    name = local_name(root)
    if name == "AttachedDocument":
        return _attached(root)
    if name in ROOTS:
        fev = read_fev(root)
        return Reconocido(pieces=(Pieza(_BARE[fev.kind], fev=fev),))
    if name == "ApplicationResponse":
        return Reconocido(pieces=(Pieza(Tipo.RESPUESTA_DIAN, response=read_response(root)),))
    inside = sum(1 for element in root.iter() if local_name(element) in ROOTS)
    if inside:
        return _several(inside)
    if name.lower() == "html":
        return _web_page()
    return _unknown("xml_otro", "Es un XML, pero no es factura, nota ni respuesta de la DIAN.", "Revise el archivo.")


def _parse_or_page(data: bytes) -> etree._Element:
    """Parse; when that fails, say so of a web page (they are rarely XML and always have a DOCTYPE)."""
    try:
        return parse_xml(data)
    except Unreadable:
        start = data[:_HEAD].translate(None, b"\x00").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").lower()
        if start.startswith((b"<!doctype html", b"<html")):
            page = _web_page()
            raise Unreadable(page.reason, todo=page.todo, code=page.code) from None
        raise


def _attached(root: etree._Element) -> Reconocido:
    container = open_container(root)
    if len(container.documents) > 1:
        return _several(len(container.documents))
    if not container.documents:
        if container.responses:
            piece = Pieza(Tipo.RESPUESTA_DIAN, response=container.responses[0])
            return Reconocido(pieces=(piece,), notes=("El contenedor trae la respuesta de la DIAN sin la factura.",))
        return _unknown(
            "contenedor_vacio",
            "El AttachedDocument no trae ninguna factura adentro.",
            "Pida al proveedor tecnológico el contenedor completo.",
        )
    fev = read_attached(root, container)
    tipo = Tipo.FEV if fev.kind is Clase.FACTURA else _BARE[fev.kind]
    return Reconocido(pieces=(Pieza(tipo, fev=fev),))


def _json(data: bytes) -> Reconocido:
    value, repaired = load_json(data)
    notes = ("El JSON no estaba en UTF-8; se leyó como Windows-1252.",) if repaired else ()
    if isinstance(value, list):
        known = sum(1 for item in value if is_rips(_unwrapped(item)) or find_answer(item) is not None)
        return _several(known) if known else _unknown_json()
    if not isinstance(value, dict):
        return _unknown_json()
    if "xmlFevFile" in value:
        return _muv_request(value, data, notes)
    answer = find_answer(value)
    if answer is not None:
        return Reconocido(pieces=(Pieza(Tipo.CUV, cuv=read_cuv(answer)),), notes=notes)
    inner = _unwrapped(value)
    if is_rips(inner):
        wrapped = inner is not value
        exact = member_texts(decode_text(data)[0])["rips"].encode("utf-8") if wrapped else None
        return Reconocido(pieces=(Pieza(Tipo.RIPS, rips=read_rips(inner), inner=exact),), notes=notes)
    return _unknown_json()


def _muv_request(value: Mapping[str, Any], data: bytes, notes: tuple[str, ...]) -> Reconocido:
    """Open a request to the MUV: the RIPS and the XML inside are kept with their own bytes."""
    pieces: list[Pieza] = []
    rips, xml = value.get("rips"), value.get("xmlFevFile")
    if isinstance(rips, dict) and is_rips(rips):
        exact = member_texts(decode_text(data)[0])["rips"].encode("utf-8")
        pieces.append(Pieza(Tipo.RIPS, rips=read_rips(rips), inner=exact))
    if isinstance(xml, str) and xml.strip():
        content = decode_base64(xml)
        found = _xml(content)
        if not found.understood:
            return found
        pieces += [Pieza(p.tipo, fev=p.fev, response=p.response, inner=content) for p in found.pieces]
    if not pieces:
        return _unknown("muv_vacio", "La solicitud al MUV no trae RIPS ni factura.", "Revise cómo se generó.")
    return Reconocido(pieces=tuple(pieces), notes=notes, is_request=True)


def _unwrapped(value: Any) -> Any:
    """Return the RIPS that stands in `{"rips": …}`, or the value itself."""
    inner = value.get("rips") if isinstance(value, dict) else None
    return inner if is_rips(inner) else value


def _unknown(code: str, reason: str, todo: str) -> Reconocido:
    return Reconocido(code=code, reason=reason, todo=todo)


def _several(count: int) -> Reconocido:
    return _unknown(
        "varios",
        f"El archivo trae {count} documentos de facturación juntos; no se sabe a cuál tratar."
        if count > 1
        else "La factura viene dentro de otro documento que no es su contenedor de la DIAN.",
        "Cargue cada factura en su propio archivo.",
    )


def _web_page() -> Reconocido:
    return _unknown(
        "pagina_web", "Es una página web, quizá un error de descarga.", "Vuelva a descargar el documento y cárguelo."
    )


def _unknown_json() -> Reconocido:
    return _unknown("json_otro", "Es un JSON, pero no es RIPS, CUV ni solicitud al MUV.", "Revise el archivo.")
