"""The judgement of the simulated MUV: true, simple checks of one package, and answers in the Ministry's shapes.

Invariant: pure; what it accepts is coherent (same provider, same number, same sums) and what it refuses carries the
Ministry's code and path. Its answers have the keys and forms of real ones, in either case of letters. Norm: Res. 948 de
2026; manual of the API FEV-RIPS 4.3, sections 8.1 to 8.15.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

MAX_XML: Final = 16 * 1024 * 1024
REFUSED: Final = (
    "No aplica a paquetes procesados en estado [RECHAZADO] o validaciones realizadas antes del envío al "
    "Ministerio de Salud y Protección Social"
)
TOLERANCE: Final = Decimal(1)
PRICED: Final = ("consultas", "procedimientos", "medicamentos", "otrosServicios")
"""Kinds of service that carry a value of their own."""


@dataclass(frozen=True)
class Call:
    """One of the eleven calls: its name in the answers, and whether it wants RIPS and XML (None: either)."""

    module: str
    rips: bool
    xml: bool


CALLS: Final[Mapping[str, Call]] = {
    "CargarFevRips": Call("FacturaElectronica", rips=True, xml=True),
    "CargarNC": Call("NotaCredito", rips=True, xml=True),
    "CargarNCTotal": Call("NotaCreditoTotal", rips=False, xml=True),
    "CargarND": Call("NotaDebito", rips=True, xml=True),
    "CargarNotaAjuste": Call("NotaAjuste", rips=True, xml=False),
    "CargarRipsSinFactura": Call("RipsSinFactura", rips=True, xml=False),
    "CargarNCAcuerdoVoluntades": Call("NCAcuerdoVoluntades", rips=False, xml=True),
    "CargarCapitaInicial": Call("CapitaInicial", rips=False, xml=True),
    "CargarCapitaPeriodo": Call("CapitaPeriodo", rips=True, xml=True),
    "CargarCapitaFinal": Call("CapitaFinal", rips=True, xml=False),
    "CargarNCCapita": Call("NCCapita", rips=False, xml=True),
}


@dataclass(frozen=True)
class Line:
    """One result of the validation."""

    codigo: str
    descripcion: str
    observaciones: str = ""
    path: str = ""
    fuente: str = "Rips"
    clase: str = "RECHAZADO"

    def as_json(self) -> dict[str, Any]:
        """As the Ministry writes it; these keys are in capitals in a 400 too."""
        return {
            "Clase": self.clase,
            "Codigo": self.codigo,
            "Descripcion": self.descripcion,
            "Observaciones": self.observaciones,
            "PathFuente": self.path,
            "Fuente": self.fuente,
        }


@dataclass
class Verdict:
    """What became of a package. `structure` refusals answer with 400."""

    module: str
    number: str = ""
    nit: str = ""
    huella: str = ""
    structure: bool = False
    lines: list[Line] = field(default_factory=list)
    total: Decimal = Decimal(0)
    services: Decimal = Decimal(0)
    users: int = 0
    count: int = 0
    buyer: str = ""
    issued: str = ""
    period: tuple[str | None, str | None] = (None, None)

    @property
    def accepted(self) -> bool:
        """Say whether nothing rejects."""
        return all(line.clase != "RECHAZADO" for line in self.lines)

    @property
    def key(self) -> str:
        """What the Ministry processes once: a document of a provider under one call."""
        return f"{self.module}|{self.nit}|{self.number}"

    @property
    def cuv(self) -> str:
        """Ninety-six hexadecimal digits, the same for the same package."""
        return hashlib.sha384(f"{self.key}|{self.huella}".encode()).hexdigest()


def judge(call: str, body: Mapping[str, Any]) -> Verdict:
    """Judge the decoded body of one call (amounts are Decimal)."""
    wants = CALLS[call]
    folded = {str(name).lower(): value for name, value in body.items()}
    rips, xml = folded.get("rips"), folded.get("xmlfevfile") or ""
    verdict = Verdict(wants.module, huella=_fingerprint(call, rips, xml))
    if not _shape(wants, rips, xml, verdict):
        return verdict
    document = _document(xml, verdict) if wants.xml else None
    if isinstance(rips, dict):
        _read_rips(rips, verdict)
        verdict.lines += list(_structure(rips))
        verdict.structure = any(line.codigo == "RVG01" for line in verdict.lines)
    if verdict.structure:
        verdict.number = ""
        return verdict
    if document is not None:
        _read_document(document, verdict, rips if isinstance(rips, dict) else None)
    return verdict


def answer(verdict: Verdict, *, cuv: str | None, process: int, at: datetime, camel: bool, environment: str) -> dict[str, Any]:  # fmt: skip
    """Return the answer of a call; `cuv` None means refused."""
    reply: dict[str, Any] = {
        "ResultState": cuv is not None,
        "ProcesoId": process if cuv is not None else 0,
        "NumFactura": verdict.number,
        "CodigoUnicoValidacion": cuv or ("-" if camel else REFUSED),
    }
    if camel:
        reply["CodigoUnicoValidacionToShow"] = cuv or REFUSED
    reply |= {"FechaRadicacion": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}7+00:00", "RutaArchivos": None}
    if not verdict.structure:
        reply |= {
            "Ambiente": environment,
            "Modulo": verdict.module,
            "ModalidadPago": "Pago por evento" if verdict.buyer else "",
            "PeriodoAtencion": {"FechaInicio": verdict.period[0], "FechaFin": verdict.period[1]},
        }
    reply["ResultadosValidacion"] = [line.as_json() for line in verdict.lines]
    return lower_first(reply) if camel else reply


def lower_first(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the keys of a 400; the lines inside keep their capitals, as in the real one."""
    return {name[:1].lower() + name[1:]: value for name, value in reply.items()}


def already(cuv: str | None) -> Line:
    """The line of a package that has its CUV; it quotes it unless `cuv` is None."""
    said = f"CUV: {cuv}" if cuv else ""
    return Line("RVG18", "El Código CUV ya fue aprobado previamente en otro proceso.", said, fuente="FevRips")


def query(verdict: Mapping[str, Any], cuv: str) -> dict[str, Any]:
    """Return the answer of ConsultarCUV for an approval kept in the ledger."""
    return {
        "ProcesoId": verdict["proceso"],
        "EsValido": True,
        "CodigoUnicoValidacion": cuv,
        "FechaValidacion": verdict["fecha_colombia"],
        "TipoDocumento": verdict["modulo"],
        "NumDocumentoIdObligado": verdict["nit"],
        "NumeroDocumento": verdict["numero"],
        "FechaEmision": verdict["emision"] or None,
        "TotalFactura": json.loads(verdict["total"]),
        "CantidadUsuarios": verdict["usuarios"],
        "CantidadAtenciones": verdict["atenciones"],
        "TotalValorServicios": json.loads(verdict["servicios"]),
        "IdentificacionAdquiriente": verdict["adquiriente"],
        "CodigoPrestador": "",
        "ModalidadPago": "Pago por evento",
        "NumDocumentoReferenciado": None,
        **dict.fromkeys(("UrlJson", "UrlXml", "JsonFile", "XmlFileBase64")),
        "ResultadosValidacion": [],
    }


def unknown(cuv: str) -> dict[str, Any]:
    """Return the answer of ConsultarCUV for a CUV that was never given."""
    line = Line("CCV001", "El CUV consultado no existe.", fuente="FevRips")
    return {
        "ProcesoId": 0,
        "EsValido": False,
        "CodigoUnicoValidacion": cuv,
        "FechaValidacion": None,
        "NumDocumentoIdObligado": None,
        "ResultadosValidacion": [line.as_json()],
    }


def _fingerprint(call: str, rips: Any, xml: str) -> str:
    return hashlib.sha256(f"{call}|{rips!r}|{xml}".encode()).hexdigest()


def _shape(wants: Call, rips: Any, xml: str, verdict: Verdict) -> bool:
    """Say whether the two members are what the call wants; else the verdict is a refusal of structure."""
    wrong = isinstance(rips, dict) != wants.rips or bool(xml) != wants.xml
    if wrong:
        verdict.structure = True
        verdict.lines.append(Line("RVG01", "El paquete no trae lo que este método exige.", path="rips"))
    return not wrong


def _structure(rips: Mapping[str, Any]) -> Iterator[Line]:
    """The structure errors that it knows: a provider code that is no twelve digits, a service without value."""
    for place, service in _services(rips):
        code = str(service.get("codPrestador") or "")
        if len(code) != 12 or not code.isdigit():
            said = (
                f"La propiedad [codPrestador] no cumple con el formato o tipo de dato requerido, Dato enviado [{code}]"
            )
            yield _rvg01(said, f"rips.{place}.codPrestador")
        if any(f".{kind}[" in place for kind in PRICED) and not isinstance(service.get("vrServicio"), int | Decimal):
            yield _rvg01("La propiedad [vrServicio] es requerida", f"rips.{place}.vrServicio")


def _rvg01(said: str, path: str) -> Line:
    return Line("RVG01", "Solo se podrá validar los RIPS si cumplen con la estructura establecida.", said, path)


def _services(rips: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    users = rips.get("usuarios")
    for number, user in enumerate(users if isinstance(users, list) else []):
        kinds = user.get("servicios") if isinstance(user, dict) else None
        for kind, services in (kinds or {}).items():
            for at, service in enumerate(services or []):
                yield f"usuarios[{number}].servicios.{kind}[{at}]", service


def _read_rips(rips: Mapping[str, Any], verdict: Verdict) -> None:
    note = str(rips.get("tipoNota") or "")
    verdict.nit = str(rips.get("numDocumentoIdObligado") or "")
    verdict.number = str((rips.get("numNota") if note else rips.get("numFactura")) or "")
    verdict.users = len(rips.get("usuarios") or [])
    for place, service in _services(rips):
        value = service.get("vrServicio")
        verdict.services += Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)
        verdict.count += 1
        if service.get("codConsulta") and not any(line.codigo == "RVC019" for line in verdict.lines):
            said = "El código de CUPS se puede validar con el diagnóstico principal."
            verdict.lines.append(Line("RVC019", said, "", f"{place}.codConsulta", clase="NOTIFICACION"))


def _document(xml: str, verdict: Verdict) -> etree._Element | None:
    """Return the sale document inside the Base64; None with the reason among the lines."""
    try:
        data = base64.b64decode(xml, validate=True)
    except (binascii.Error, ValueError):
        verdict.lines.append(_gi("GI001", "El archivo no está en Base64."))
        return None
    if len(data) > MAX_XML:
        verdict.lines.append(_gi("GI008", "El archivo XML pesa más de 16 MB."))
        return None
    try:
        root = _parse(data)
        inner = root.findtext("{*}Attachment/{*}ExternalReference/{*}Description")
        return _parse(inner.strip().encode()) if inner else root
    except etree.XMLSyntaxError:
        verdict.lines.append(_gi("GI002", "El archivo no es un XML bien formado."))
        return None


def _parse(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _gi(code: str, said: str) -> Line:
    return Line(code, said, fuente="FacturaElectronica")


def _read_document(document: etree._Element, verdict: Verdict, rips: Mapping[str, Any] | None) -> None:
    """Read the sale document and cross it with the RIPS."""
    number = (document.findtext("{*}ID") or "").strip()
    nit = _nit(document, "AccountingSupplierParty")
    verdict.total = _amount(document.findtext("{*}LegalMonetaryTotal/{*}LineExtensionAmount"))
    verdict.buyer = _nit(document, "AccountingCustomerParty")
    verdict.issued = (document.findtext("{*}IssueDate") or "").strip()
    period = document.find("{*}InvoicePeriod")
    if period is not None:
        start, end = (period.findtext(f"{{*}}{name}") for name in ("StartDate", "EndDate"))
        verdict.period = (f"{start}T00:00:00" if start else None, f"{end}T00:00:00" if end else None)
    if rips is None:
        verdict.number, verdict.nit = number, nit
        return
    note = bool(rips.get("tipoNota"))
    if not note and verdict.number != number:
        verdict.lines.append(Line("RVG02", "El número de factura no coincide.", path="numFactura", fuente="FevRips"))
    if nit != verdict.nit:
        said = f"NIT RIPS ({verdict.nit}) NIT Xml de FEV ({nit})"
        verdict.lines.append(Line("RVC001", "El NIT no coincide.", said, "numDocumentoIdObligado", "FevRips"))
    if not note and abs(verdict.total - verdict.services) > TOLERANCE:
        said = f"El valor total factura ${verdict.total} - Valor total RIPS ${verdict.services}"
        verdict.lines.append(Line("RVG08", "La suma de los servicios no coincide.", said, fuente="FevRips"))


def _nit(document: etree._Element, party: str) -> str:
    found = document.find(f"{{*}}{party}/{{*}}Party/{{*}}PartyTaxScheme/{{*}}CompanyID")
    return (found.text or "").strip() if found is not None else ""


def _amount(text: str | None) -> Decimal:
    try:
        return Decimal((text or "0").strip())
    except InvalidOperation:
        return Decimal(0)
