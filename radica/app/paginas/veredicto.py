"""The verdict on dropped files as the page and the Excel show it: by invoice, and in it by who can mend.

Invariant: pure; every finding is shown or counted, never dropped; nothing here outlives the answer. The words of the
severities are those of the Excel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from radica.app.paginas.hallazgos import PLACES
from radica.app.paginas.hallazgos import QUIENES as TITULOS
from radica.app.paginas.hallazgos_plano import DOCUMENTOS, Fila
from radica.facturas.validacion.modelo import Quien
from radica.kernel.errors import BadInput
from radica.kernel.money import to_cents
from radica.kernel.web_format import fecha

PESOS = ("rechazo", "notificacion", "aviso", "no_decidible")
_LONGEST_AMOUNT = 20
_DE_LECTURA = frozenset({"LEC-ILEGIBLE", "LEC-DESCONOCIDO", "LEC-SIN-REVISAR"})
"""What is told of a file that nobody could read: it is no verdict on an invoice."""
TIPOS = {
    "fev": "Factura (contenedor)",
    "factura": "Factura",
    "nota_credito": "Nota crédito",
    "nota_debito": "Nota débito",
    "application_response": "Respuesta de la DIAN",
    "rips": "RIPS",
    "muv_request": "Solicitud al MUV",
    "cuv": "Respuesta del MUV",
    "soporte": "Soporte",
    "desconocido": "No se reconoce",
}
CAPAS = {
    "AttachedDocument": "contenedor",
    "Invoice": "factura",
    "CreditNote": "nota crédito",
    "DebitNote": "nota débito",
    "ApplicationResponse": "DIAN",
}


@dataclass(frozen=True)
class Lugar:
    """One place of a finding: the file, its path in the document, and the line."""

    archivo: str
    texto: str
    mensaje: str


@dataclass(frozen=True)
class Hallado:
    """All places of one code with one remedy."""

    codigo: str
    severidad: str
    mensaje: str
    arreglo: str
    norma: str
    lugares: tuple[Lugar, ...]
    cuantos: int


@dataclass(frozen=True)
class Grupo:
    """What one kind of person can mend."""

    quien: str
    titulo: str
    filas: tuple[Hallado, ...]


@dataclass(frozen=True)
class Archivo:
    """One file: what it is, how it came out, and its signatures as (layer, verdict)."""

    ruta: str
    tipo: str
    estado: str
    firmas: tuple[tuple[str, str], ...]
    hallazgos: int


@dataclass(frozen=True)
class Ficha:
    """One invoice (or what goes with none): its files and what was found."""

    numero: str
    nit: str
    fecha: str
    pagar: int | None
    """In centavos; None when it is unsaid or no amount that an invoice has."""
    tono: str
    """`rechazo`, `notificacion`, `aviso`, `valido` or `ilegible`: the heaviest."""
    archivos: tuple[Archivo, ...]
    grupos: tuple[Grupo, ...]
    sin_registro: tuple[Hallado, ...]
    cuentas: Mapping[str, int]


def fichas(resultados: Sequence[Mapping[str, Any]]) -> list[Ficha]:
    """Return one card per invoice, those with a rejection first."""
    by_group: dict[int, list[Mapping[str, Any]]] = {}
    for one in resultados:
        by_group.setdefault(one["grupo"], []).append(one)
    cards = [_card(many) for many in by_group.values()]
    order = ("rechazo", "ilegible", "notificacion", "aviso", "valido")
    return sorted(cards, key=lambda card: order.index(card.tono))


def filas(resultados: Sequence[Mapping[str, Any]]) -> Iterator[Fila]:
    """Yield one row of the Excel for each finding, in the order of the files."""
    for one in resultados:
        says = one["factura"]
        for each in one["hallazgos"]:
            yield Fila(
                factura=says["numero"] or "",
                nit=says["nit_emisor"] or "",
                codigo=each["codigo"],
                severidad=each["severidad"],
                quien=each["quien"],
                documento=each["documento"],
                ruta=each["ruta"],
                linea=each["linea"],
                mensaje=each["mensaje"],
                arreglo=each["arreglo"],
                norma=each["norma"],
                archivo=one["ruta"],
            )


def _card(files: Sequence[Mapping[str, Any]]) -> Ficha:
    found = [(one["ruta"], each) for one in files for each in one["hallazgos"]]
    counts = {weight: sum(each["severidad"] == weight for _, each in found) for weight in PESOS}
    says = _says(files)
    decided = [(path, each) for path, each in found if each["severidad"] != "no_decidible"]
    return Ficha(
        numero=says.get("numero") or "",
        nit=says.get("nit_emisor") or "",
        fecha=_day(says.get("fecha_expedicion")),
        pagar=_cents(says.get("valor_pagar")),
        tono=_tone(files, counts),
        archivos=tuple(_file(one) for one in files),
        grupos=tuple(_groups(decided)),
        sin_registro=tuple(_rows([(path, each) for path, each in found if each["severidad"] == "no_decidible"])),
        cuentas=counts,
    )


def _says(files: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what the files say of the invoice: of each fact, the first that says it."""
    facts: dict[str, str] = {}
    for one in sorted(files, key=lambda one: one["factura"].get("valor_pagar") is None):
        for name, value in one["factura"].items():
            if value and name not in facts:
                facts[name] = value
    return facts


def _tone(files: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> str:
    refused = (each for one in files for each in one["hallazgos"] if each["severidad"] == "rechazo")
    if any(each["codigo"] not in _DE_LECTURA for each in refused):
        return "rechazo"
    if any(one["estado"] == "ilegible" for one in files):
        return "ilegible"
    return next((weight for weight in ("rechazo", "notificacion", "aviso") if counts[weight]), "valido")


def _day(text: str | None) -> str:
    try:
        return fecha(date.fromisoformat(text)) if text else ""
    except ValueError:
        return ""


def _cents(text: str | None) -> int | None:
    if not text or len(text) > _LONGEST_AMOUNT:
        return None
    try:
        return to_cents(text)
    except BadInput:
        return None


def _file(one: Mapping[str, Any]) -> Archivo:
    return Archivo(
        ruta=one["ruta"],
        tipo=TIPOS.get(one["tipo"], one["tipo"]),
        estado=one["estado"],
        firmas=tuple((CAPAS.get(layer, layer), verdict) for layer, verdict in one["firma"].items()),
        hallazgos=sum(each["severidad"] != "no_decidible" for each in one["hallazgos"]),
    )


def _groups(found: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Grupo]:
    groups = []
    for who in Quien:
        rows = _rows([(path, each) for path, each in found if each["quien"] == who])
        if rows:
            groups.append(Grupo(who.value, TITULOS[who], tuple(rows)))
    return sorted(groups, key=lambda group: min(PESOS.index(row.severidad) for row in group.filas))


def _rows(found: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Hallado]:
    """Fold findings of one code and remedy into one row, the heaviest first."""
    by_code: dict[tuple[str, str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for path, each in found:
        by_code.setdefault((each["codigo"], each["severidad"], each["arreglo"]), []).append((path, each))
    rows = [
        Hallado(
            codigo=code,
            severidad=severity,
            mensaje=many[0][1]["mensaje"],
            arreglo=remedy,
            norma=many[0][1]["norma"],
            lugares=tuple(_place(path, each) for path, each in many[:PLACES]),
            cuantos=len(many),
        )
        for (code, severity, remedy), many in by_code.items()
    ]
    return sorted(rows, key=lambda row: (PESOS.index(row.severidad), row.codigo))


def _place(path: str, each: Mapping[str, Any]) -> Lugar:
    parts = [DOCUMENTOS.get(each["documento"], each["documento"]), each["ruta"] or "cabecera"]
    if each["linea"] is not None:
        parts.append(f"renglón {each['linea']}")
    return Lugar(path, " · ".join(parts), each["mensaje"])
