"""Documents as a person reads them: the invoice, the RIPS by user and service, the answer of MinSalud, plain text.

Invariant: pure; what cannot be read is said in words, never guessed; without the right to health data every value of
a patient is masked here, before a template sees it. Norms: DIAN annex 1.9, Res. 948/2026 (RIPS and CUV).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.fev import CampoSalud, Fev, RespuestaDian
from radica.facturas.jsonsafe import decode_text, load_json
from radica.facturas.rips import FilaServicio, FilaUsuario, Rips, read_rips, walk
from radica.facturas.ubl import local_name, open_container, read_attached, read_fev, read_response
from radica.facturas.xmlsafe import Unreadable, parse_xml

USERS_SHOWN = 40
LINES_SHOWN = 300
TEXT_SHOWN = 200_000
AROUND = 12
"""Lines of a text shown before and after the one that was asked for."""
LINE_SHOWN = 2_000
MASK = "oculto"
_USER = re.compile(r"usuarios\[(\d{1,7})\]")
_SERVICE = re.compile(r"usuarios\[\d{1,7}\]\.servicios\.\w{1,40}\[\d{1,7}\]")
GRUPOS = {
    "consultas": "Consulta",
    "procedimientos": "Procedimiento",
    "urgencias": "Urgencias",
    "hospitalizacion": "Hospitalización",
    "recienNacidos": "Recién nacido",
    "medicamentos": "Medicamento",
    "otrosServicios": "Otro servicio",
}
_PLAIN_SALUD = {
    "CODIGO_PRESTADOR": "Código de habilitación",
    "MODALIDAD_PAGO": "Modalidad de pago",
    "COBERTURA_PLAN_BENEFICIOS": "Cobertura",
    "NUMERO_CONTRATO": "Contrato",
    "NUMERO_POLIZA": "Póliza",
}
"""Fields of sector salud that name no patient."""


@dataclass(frozen=True)
class FevVista:
    """The invoice on the page."""

    fev: Fev
    salud: tuple[tuple[str, str], ...]
    lineas_de_mas: int


@dataclass(frozen=True)
class RipsVista:
    """The RIPS on the page. `usuarios` are at most USERS_SHOWN, from position `desde`."""

    resumen: Rips
    usuarios: tuple[FilaUsuario, ...] = field(repr=False)
    desde: int
    siguiente: int | None
    oculto: bool


@dataclass(frozen=True)
class Texto:
    """A text, perhaps cut."""

    texto: str = field(repr=False)
    cortado: bool


@dataclass(frozen=True)
class Renglon:
    """One line of a text; `senalado` is the one that was asked for."""

    numero: int
    texto: str = field(repr=False)
    senalado: bool


def around_line(data: bytes, line: int) -> tuple[Renglon, ...]:
    """Return the lines of a text about number `line` (from 1), each cut at LINE_SHOWN; none when it has no such line."""
    lines = decode_text(data)[0].split("\n")
    if not 1 <= line <= len(lines):
        return ()
    first = max(1, line - AROUND)
    shown = lines[first - 1 : line + AROUND]
    return tuple(Renglon(first + n, text[:LINE_SHOWN], first + n == line) for n, text in enumerate(shown))


def user_of(place: str) -> int:
    """Return the position of the user that a path of the RIPS speaks of (`usuarios[3].…` is 3); 0 for any other."""
    found = _USER.search(place)
    return int(found[1]) if found else 0


def service_of(place: str) -> str:
    """Return the part of a path that names one service, or "" (`rips.usuarios[0].servicios.consultas[1].x`)."""
    found = _SERVICE.search(place)
    return found[0] if found else ""


def read_invoice(data: bytes) -> FevVista:
    """Read an invoice or note. Raises Unreadable with a true reason."""
    root = parse_xml(data)
    if local_name(root) == "AttachedDocument":
        container = open_container(root)
        if not container.documents:
            raise Unreadable("El contenedor no trae ninguna factura.", code="xml_vacio")
        fev = read_attached(root, container)
    else:
        fev = read_fev(root)
    extra = max(0, len(fev.lines) - LINES_SHOWN)
    return FevVista(replace(fev, lines=fev.lines[:LINES_SHOWN]), _salud(fev.salud), extra)


def _salud(blocks: Sequence[Sequence[CampoSalud]]) -> tuple[tuple[str, str], ...]:
    found = {
        (_PLAIN_SALUD[campo.name], campo.value): None
        for block in blocks
        for campo in block
        if campo.name in _PLAIN_SALUD and campo.value
    }
    return tuple((name, value) for name, value in found if value)


def read_dian(data: bytes) -> RespuestaDian:
    """Read an ApplicationResponse of DIAN. Raises Unreadable."""
    return read_response(parse_xml(data))


def read_services(data: bytes, *, desde: int, health: bool) -> RipsVista:
    """Read a RIPS from user number `desde` (0 is the first). Without `health`, patients are masked. Raises Unreadable."""
    value = _object(data)
    inner = value.get("rips")
    if isinstance(inner, dict):
        value = inner
    users = tuple(islice(walk(value), desde, desde + USERS_SHOWN))
    summary = read_rips(value)
    following = desde + USERS_SHOWN if desde + USERS_SHOWN < summary.users else None
    shown = users if health else tuple(_masked(user) for user in users)
    return RipsVista(summary, shown, desde, following, not health)


def _masked(user: FilaUsuario) -> FilaUsuario:
    services = tuple(_masked_service(row) for row in user.services)
    return replace(user, document=MASK, document_kind=None, born=MASK, sex=None, services=services)


def _masked_service(row: FilaServicio) -> FilaServicio:
    return replace(row, code=MASK, description=None, diagnosis=MASK, authorization=None, at=(row.at or "")[:7] or None)


def read_validation(data: bytes, *, health: bool) -> CuvResult:
    """Read an answer of MinSalud. Without `health` its remarks are left out: they quote clinical codes. Raises Unreadable."""
    answer = find_answer(_object(data))
    if answer is None:
        raise Unreadable("No es una respuesta del validador de MinSalud.", code="cuv_forma")
    found = read_cuv(answer)
    if health:
        return found
    return replace(found, results=tuple(replace(one, observaciones=None, lugar=None) for one in found.results))


def _object(data: bytes) -> Mapping[str, Any]:
    value, _ = load_json(data)
    if not isinstance(value, dict):
        raise Unreadable("El JSON no es un objeto.", code="json_forma")
    return value


def as_text(data: bytes) -> Texto:
    """Return bytes as text for a `<pre>`, cut at TEXT_SHOWN characters; what is no text is shown with replacements."""
    try:
        text, _ = decode_text(data[: 4 * TEXT_SHOWN])
    except Unreadable:
        text = data[:TEXT_SHOWN].decode("utf-8", "replace")
    return Texto(text[:TEXT_SHOWN], len(text) > TEXT_SHOWN or len(data) > 4 * TEXT_SHOWN)


def cents_of(amount: Decimal | None) -> int | None:
    """Return pesos of a document as centavos for the page, None when it did not say."""
    return None if amount is None or not amount.is_finite() else int(amount.quantize(Decimal("0.01")) * 100)
