"""Reads one file for the checker: first what it is and whose, then, when its turn comes, all that is in it.

Invariant: what a file is comes from its content and never stops a batch: a file that cannot be read carries its reason
in Spanish. A description is small and holds nobody's data, so that thousands of them wait in memory; the content is
opened only while its group is judged. Norms: Res. 948 de 2026; DIAN annex 1.9; Res. 2284 de 2023 annex 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.fev import Clase
from radica.facturas.jsonsafe import load_json
from radica.facturas.numbers import InvoiceNumber, parse_invoice_number
from radica.facturas.recognise import Pieza, Reconocido, recognise_path
from radica.facturas.recognise import Tipo as Documento
from radica.facturas.rips import Rips, is_rips, read_rips
from radica.facturas.soportes import sigla_in
from radica.facturas.sources import Source
from radica.facturas.texts import base_name
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.esquema_palabras import short
from radica.facturas.validacion.modelo import DocumentoXml, Fuente, Hallado, SoporteArchivo
from radica.facturas.xmlsafe import Unreadable, decode_base64

_HEAD = 64 * 1024
_REFUSED = "04"
_PDF_CODES = frozenset({"pdf_cortado", "pdf_sin_nombre_de_soporte", "pdf_falso"})
_STRANGE = frozenset({"desconocido", "formato", "xml_otro", "json_otro", "pagina_web"})
"""Codes of what was read and is no document of billing."""
_WHY = {13: "no hay permiso para leerlo", 2: "ya no está", 5: "el disco falla"}
_DOUBLED = re.compile(rb"\xc3\x83\xc2[\x80-\xbf]|\xc3\x82\xc2[\x80-\xbf]|\xc3\xa2\xe2\x82\xac")
"""Accents in UTF-8 that were read as Windows-1252 and written in UTF-8 again."""


class Tipo(StrEnum):
    """What a file is, as the JSON of `radica validar` prints it."""

    FEV = "fev"
    FACTURA = "factura"
    NOTA_CREDITO = "nota_credito"
    NOTA_DEBITO = "nota_debito"
    RESPUESTA = "application_response"
    RIPS = "rips"
    SOLICITUD = "muv_request"
    CUV = "cuv"
    SOPORTE = "soporte"
    DESCONOCIDO = "desconocido"


CON_XML = frozenset({Tipo.FEV, Tipo.FACTURA, Tipo.NOTA_CREDITO, Tipo.NOTA_DEBITO})
_BY_DOCUMENT = {
    Documento.FEV: Tipo.FEV,
    Documento.INVOICE: Tipo.FACTURA,
    Documento.NOTA_CREDITO: Tipo.NOTA_CREDITO,
    Documento.NOTA_DEBITO: Tipo.NOTA_DEBITO,
    Documento.RESPUESTA_DIAN: Tipo.RESPUESTA,
    Documento.RIPS: Tipo.RIPS,
    Documento.CUV: Tipo.CUV,
    Documento.SOPORTE: Tipo.SOPORTE,
}
_LOOKS = (
    (re.compile(rb"<(?:[\w.-]+:)?AttachedDocument\b"), Tipo.FEV),
    (re.compile(rb"<(?:[\w.-]+:)?Invoice\b"), Tipo.FACTURA),
    (re.compile(rb"<(?:[\w.-]+:)?CreditNote\b"), Tipo.NOTA_CREDITO),
    (re.compile(rb"<(?:[\w.-]+:)?DebitNote\b"), Tipo.NOTA_DEBITO),
    (re.compile(rb"<(?:[\w.-]+:)?ApplicationResponse\b"), Tipo.RESPUESTA),
    (re.compile(rb'"xmlFevFile"\s*:'), Tipo.SOLICITUD),
    (re.compile(rb'"(?:numDocumentoIdObligado|usuarios)"\s*:'), Tipo.RIPS),
    (re.compile(rb'"(?:ResultState|EsValido|CodigoUnicoValidacion)"\s*:', re.IGNORECASE), Tipo.CUV),
)


@dataclass(frozen=True)
class Problema:
    """Why a file cannot be read, or is no document of billing."""

    mensaje: str
    arreglo: str = ""
    ajeno: bool = False
    """It was read, and is something else."""


_A_MEDIAS = Problema(
    "Parece un documento de facturación al que le falta lo principal: un RIPS lleva numDocumentoIdObligado y usuarios, "
    "y una respuesta del MUV lleva ResultState y CodigoUnicoValidacion.",
    "Vuelva a generarlo en el sistema de donde salió.",
)


@dataclass(frozen=True)
class Archivo:
    """What a file is and which invoice it names. `ruta` is as it was given; `numeros` as it may be split."""

    ruta: str
    path: Path | None
    tipo: Tipo
    bytes_: int = 0
    problema: Problema | None = None
    notas: tuple[str, ...] = ()
    nit: str | None = None
    numeros: tuple[InvoiceNumber, ...] = ()
    es_nota: bool = False
    """The numbers are those of a note (or of a RIPS without invoice), not of an invoice."""
    cufe: str | None = None
    """The CUFE that it has, or of which it speaks."""
    cuv: str | None = None


@dataclass(frozen=True)
class Abierto:
    """The content of a file. `hallados` are what reading alone showed."""

    archivo: Archivo
    xml: DocumentoXml | None = None
    rips: Mapping[str, Any] | None = field(repr=False, default=None)
    resumen: Rips | None = field(repr=False, default=None)
    cuv: CuvResult | None = field(repr=False, default=None)
    soporte: SoporteArchivo | None = field(repr=False, default=None)
    problema: Problema | None = None
    hallados: tuple[Hallado, ...] = ()


def describir(source: Source) -> Archivo:
    """Say what a file is and whose. Never raises on what it holds or on a disk that does not give it."""
    if source.path is None or source.code:
        return Archivo(source.route, None, Tipo.DESCONOCIDO, problema=Problema(source.reason))
    path = source.path
    try:
        size = path.stat().st_size
        found = recognise_path(path, base_name(source.route))
        looks = Tipo.DESCONOCIDO if found.understood else _looks_like(path, source.route)
    except OSError as error:
        why = _WHY.get(error.errno or 0, f"error {error.errno} del sistema")
        return Archivo(source.route, None, Tipo.DESCONOCIDO, problema=Problema(f"No se pudo leer: {why}."))
    if found.is_zip:
        reason = Problema("Es un comprimido dentro de otro.", "Descomprímalo y valide su contenido.")
        return Archivo(source.route, path, Tipo.DESCONOCIDO, size, reason)
    if found.code in _PDF_CODES or (not found.understood and looks is Tipo.SOPORTE):
        broken = None if found.code == "pdf_sin_nombre_de_soporte" else Problema(found.reason, found.todo)
        return Archivo(source.route, path, Tipo.SOPORTE, size, broken)
    if not found.understood:
        if found.code == "json_otro" and looks is not Tipo.DESCONOCIDO:
            return Archivo(source.route, path, looks, size, _A_MEDIAS)
        strange = found.code in _STRANGE
        kind = Tipo.DESCONOCIDO if strange else looks
        return Archivo(source.route, path, kind, size, Problema(found.reason, found.todo, ajeno=strange))
    return _known(source, path, size, found)


def abrir(archivo: Archivo) -> Abierto:
    """Open a file that was described. What cannot be read after all becomes its problem."""
    path = archivo.path
    if path is None or archivo.tipo is Tipo.DESCONOCIDO or (archivo.problema and archivo.tipo is not Tipo.SOPORTE):
        return Abierto(archivo, problema=archivo.problema or Problema("No se pudo leer."))
    name = base_name(archivo.ruta)
    if archivo.tipo is Tipo.SOPORTE:
        support = SoporteArchivo(name, path, archivo.bytes_, sigla_in(name))
        return Abierto(archivo, soporte=support, problema=archivo.problema)
    try:
        data = path.read_bytes()
        if archivo.tipo in CON_XML or archivo.tipo is Tipo.RESPUESTA:
            return _open_xml(archivo, name, data)
        return _open_json(archivo, name, data)
    except Unreadable as unreadable:
        return Abierto(archivo, problema=Problema(unreadable.message, unreadable.todo))
    except OSError as error:
        why = _WHY.get(error.errno or 0, f"error {error.errno} del sistema")
        return Abierto(archivo, problema=Problema(f"No se pudo leer: {why}."))


def _known(source: Source, path: Path, size: int, found: Reconocido) -> Archivo:
    """Describe a file that was understood, by its sale document when it has one."""
    first = next((one for one in found.pieces if one.fev is not None), found.pieces[0])
    kind = Tipo.SOLICITUD if found.is_request else _BY_DOCUMENT[first.tipo]
    numbers, is_note = _numbers(first)
    return Archivo(
        ruta=source.route,
        path=path,
        tipo=kind,
        bytes_=size,
        notas=found.notes,
        nit=first.issuer.number if first.issuer is not None else None,
        numeros=numbers,
        es_nota=is_note,
        cufe=(first.fev.cufe if first.fev else first.response.cufe if first.response else None),
        cuv=first.cuv.cuv if first.cuv is not None else None,
    )


def _numbers(piece: Pieza) -> tuple[tuple[InvoiceNumber, ...], bool]:
    """Return the numbers of a document (with the known prefix, and as anybody would split it), and whether of a note."""
    if piece.fev is not None:
        ways = (piece.number, parse_invoice_number(piece.fev.number))
        return tuple(dict.fromkeys(one for one in ways if one)), piece.fev.kind is not Clase.FACTURA
    if piece.rips is not None and piece.rips.note_kind:
        number = parse_invoice_number(piece.rips.note_number)
        return ((number,) if number else ()), True
    return ((piece.number,) if piece.number else ()), False


def _looks_like(path: Path, route: str) -> Tipo:
    """Guess what a file that cannot be read was meant to be, by its first bytes; only for `tipo`."""
    if route.lower().endswith(".pdf"):
        return Tipo.SOPORTE
    with path.open("rb") as stream:
        head = stream.read(_HEAD).replace(b"\x00", b"")
    return next((kind for pattern, kind in _LOOKS if pattern.search(head)), Tipo.DESCONOCIDO)


def _open_xml(archivo: Archivo, name: str, data: bytes) -> Abierto:
    xml = abrir_xml(name, data)
    found = [*_notes(archivo), *letras(xml, data)]
    if archivo.tipo is Tipo.RESPUESTA and xml.respuesta is not None and xml.respuesta.code == _REFUSED:
        found.append(Hallado("LEC-DIAN-RECHAZADO", "ApplicationResponse/DocumentResponse/Response/ResponseCode"))
    return Abierto(archivo, xml=xml, hallados=tuple(found))


def letras(xml: DocumentoXml, data: bytes) -> tuple[Hallado, ...]:
    """LEC-CODIFICACION, LEC-LETRAS: DIAN admits only UTF-8, and accents that were coded twice."""
    found: list[Hallado] = []
    docinfo: Any = xml.raiz.getroottree().docinfo
    declared = str(docinfo.encoding or "UTF-8")
    if declared.upper().replace("_", "-") not in ("UTF-8", "UTF8", "ASCII", "US-ASCII"):
        found.append(Hallado("LEC-CODIFICACION", "", {"declarada": short(declared)}, linea=1))
    doubled = _DOUBLED.search(data)
    if doubled:
        line = data.count(b"\n", 0, doubled.start()) + 1
        found.append(Hallado("LEC-LETRAS", "", {}, linea=line))
    return tuple(found)


def _open_json(archivo: Archivo, name: str, data: bytes) -> Abierto:
    """Open RIPS, requests to the MUV and its answers; keys written twice in one object are told."""
    twice: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(members)
        if len(made) != len(members):
            seen: set[str] = set()
            twice.extend(key for key, _ in members if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return made

    value, _ = load_json(data, pairs=pairs)
    found = [*_notes(archivo)]
    if twice:
        found.append(Hallado("LEC-CLAVE-REPETIDA", "", {"veces": str(len(twice)), "clave": short(twice[0])}))
    if archivo.tipo is Tipo.CUV:
        answer = find_answer(value)
        if answer is None:
            raise Unreadable("La respuesta del MUV cambió mientras se leía.", code="cambio")
        cuv = read_cuv(answer)
        return Abierto(archivo, cuv=cuv, hallados=(*found, *respuesta_muv(cuv)))
    inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
    rips = inner if is_rips(inner) else None
    xml = None
    packed = value.get("xmlFevFile") if archivo.tipo is Tipo.SOLICITUD and isinstance(value, dict) else None
    if isinstance(packed, str) and packed.strip():
        content = decode_base64(packed)
        xml = abrir_xml(name, content)
        found += letras(xml, content)
    summary = read_rips(rips) if rips is not None else None
    if summary is not None and xml is None and not (summary.number or summary.note_kind or summary.note_number):
        found.append(Hallado("LEC-SIN-NUMERO", "numFactura", fuente=Fuente.RIPS))
    for place in summary.unread if summary is not None else ():
        found.append(Hallado("LEC-VALOR", place, {"campo": place.rpartition(".")[2]}, fuente=Fuente.RIPS))
    return Abierto(archivo, xml=xml, rips=rips, resumen=summary, hallados=tuple(found))


def respuesta_muv(cuv: CuvResult) -> tuple[Hallado, ...]:
    """LEC-CUV-RECHAZADO, LEC-CUV-SIN-CODIGO: an answer that brings no CUV (Res. 948 de 2026 art. 3)."""
    if cuv.accepted:
        return ()
    if not cuv.rejections and cuv.cuv is None:
        return (Hallado("LEC-CUV-SIN-CODIGO", variante="negado" if cuv.denied else ""),)
    codes = list(dict.fromkeys(short(line.codigo) for line in cuv.rejections if line.codigo))
    shown = ", ".join(codes[:10]) + (", …" if len(codes) > 10 else "")
    many = f"{len(cuv.rejections)} causa{'s' if len(cuv.rejections) != 1 else ''} de rechazo"
    values = {"rechazos": many, "codigos": f": {shown}" if shown else ""}
    return (Hallado("LEC-CUV-RECHAZADO", "", values),)


def _notes(archivo: Archivo) -> tuple[Hallado, ...]:
    return tuple(Hallado("LEC-NOTA", "", {"mensaje": note}) for note in archivo.notas)
