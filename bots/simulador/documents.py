"""What a payer reads in the files it receives: invoice XML, RIPS JSON, CUV and PDF supports.

Invariant: untrusted bytes are parsed without network, entities or DTD, and a file that cannot be read is a problem said
in words, never an exception that reaches the web server. Field names: Res. 2275/2023 (RIPS), DIAN annex 1.9 (FEV).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

from bots.simulador.ledger import FileSeen

_CAC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
_CBC: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_INVOICE: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
_ATTACHED: Final = "{urn:oasis:names:specification:ubl:schema:xsd:AttachedDocument-2}AttachedDocument"
_CUV: Final = re.compile(r"[0-9a-f]{96}")


class Unreadable(ValueError):
    """A file that the portal refuses; the message is the one shown on screen."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file with its content."""

    name: str
    content: bytes
    role: str

    def seen(self) -> FileSeen:
        """Name, hash and size, for the ledger."""
        return FileSeen(self.name, hashlib.sha256(self.content).hexdigest(), len(self.content), self.role)


@dataclass(frozen=True, slots=True)
class Fev:
    """What the payer takes from the electronic invoice; amounts in pesos."""

    number: str
    nit: str
    provider_name: str
    cufe: str
    issue_date: str
    payable: Decimal
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Rips:
    """What the payer takes from the RIPS; ``total`` is the sum of every ``vrServicio``, in pesos."""

    number: str
    nit: str
    total: Decimal


def bare_nit(text: str) -> str:
    """The NIT without points, spaces or check digit after a hyphen."""
    return re.sub(r"\D", "", text.partition("-")[0])


def _xml(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("El archivo XML está dañado o incompleto.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("El archivo XML declara un DTD, lo que no está permitido.")
    return root


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _amounts(invoice: etree._Element) -> tuple[Decimal, ...]:
    found = []
    for name in ("PayableAmount", "LineExtensionAmount", "TaxInclusiveAmount"):
        text = _text(invoice, f"{_CAC}LegalMonetaryTotal/{_CBC}{name}")
        if text:
            try:
                found.append(Decimal(text))
            except InvalidOperation as error:
                raise Unreadable("La factura trae un valor que no es numérico.") from error
    if not found:
        raise Unreadable("La factura no trae el total a pagar (LegalMonetaryTotal).")
    return tuple(found)


def read_fev(content: bytes) -> Fev:
    """Read an ``Invoice`` or the ``AttachedDocument`` around it.

    Raises:
        Unreadable: broken XML, a DTD, another kind of document, or a mandatory element missing.
    """
    root = _xml(content)
    if root.tag == _ATTACHED:
        inner = _text(root, f"{_CAC}Attachment/{_CAC}ExternalReference/{_CBC}Description")
        root = _xml(inner.encode("utf-8"))
    if root.tag != _INVOICE:
        raise Unreadable("El archivo XML no es una factura electrónica de venta.")
    supplier = f"{_CAC}AccountingSupplierParty/{_CAC}Party/{_CAC}PartyTaxScheme/"
    number, nit = _text(root, f"{_CBC}ID"), bare_nit(_text(root, f"{supplier}{_CBC}CompanyID"))
    if not number or not nit:
        raise Unreadable("La factura no trae número o NIT del emisor.")
    amounts = _amounts(root)
    return Fev(
        number=number,
        nit=nit,
        provider_name=_text(root, f"{supplier}{_CBC}RegistrationName"),
        cufe=_text(root, f"{_CBC}UUID"),
        issue_date=_text(root, f"{_CBC}IssueDate"),
        payable=amounts[0],
        amounts=amounts,
    )


def _json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable("El archivo JSON no se puede leer.") from error


def _services(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    users = document.get("usuarios")
    for user in users if isinstance(users, list) else []:
        groups = user.get("servicios") if isinstance(user, dict) else None
        for group in groups.values() if isinstance(groups, dict) else []:
            for service in group if isinstance(group, list) else []:
                if isinstance(service, dict):
                    yield service


def read_rips(content: bytes) -> Rips:
    """Read a RIPS JSON, bare or inside ``{"rips": …}``.

    Raises:
        Unreadable: not JSON, not a RIPS, or an amount that is no number.
    """
    document = _json(content)
    if isinstance(document, dict) and isinstance(document.get("rips"), dict):
        document = document["rips"]
    if not isinstance(document, dict) or "numFactura" not in document or "usuarios" not in document:
        raise Unreadable("El archivo JSON no tiene la estructura de un RIPS.")
    try:
        total = sum((Decimal(str(item.get("vrServicio") or 0)) for item in _services(document)), Decimal(0))
    except InvalidOperation as error:
        raise Unreadable("El RIPS trae un valor de servicio que no es numérico.") from error
    return Rips(
        number=str(document.get("numFactura") or "").strip(),
        nit=bare_nit(str(document.get("numDocumentoIdObligado") or "")),
        total=total,
    )


def read_cuv(content: bytes) -> tuple[str, str]:
    """The CUV and the invoice number of a ``ResultadosMSPS`` JSON.

    Raises:
        Unreadable: not JSON, no CUV in it, or a CUV that is not 96 hexadecimal digits.
    """
    document = _json(content)
    if not isinstance(document, dict):
        raise Unreadable("El archivo del CUV no tiene la estructura esperada.")
    by_name = {str(key).lower(): value for key, value in document.items()}
    cuv = str(by_name.get("codigounicovalidacion") or "").strip()
    if not is_cuv(cuv):
        raise Unreadable("El archivo no trae un Código Único de Validación de 96 caracteres.")
    return cuv.lower(), str(by_name.get("numfactura") or "").strip()


def is_cuv(text: str) -> bool:
    """Whether the text has the shape of a CUV (96 hexadecimal digits)."""
    return _CUV.fullmatch(text.strip().lower()) is not None


def pdf_problem(upload: Upload, max_bytes: int) -> str:
    """Why the portal refuses a PDF support, or an empty text."""
    if upload.name.endswith(".PDF"):
        return "La extensión del archivo debe ir en minúscula (.pdf)."
    if not upload.name.endswith(".pdf"):
        return "Solo se permiten archivos con extensión .pdf."
    if len(upload.content) > max_bytes:
        return f"El archivo supera el límite de {max_bytes // (1024 * 1024)} MB."
    if not upload.content.startswith(b"%PDF-"):
        return "El archivo no es un PDF válido."
    return ""
