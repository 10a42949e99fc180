"""Files that others load: Salud Total's answer, Dinámica Gerencial's objections, and a plain Excel of answers. Pure.

Invariant: one line wrong and the whole file is refused before it leaves, with every reason (the payer would refuse it
whole); a field never holds a separator or a line break; money is written as digits, never with a formula; equal rows
give equal bytes. Layouts: those in use at hospitals (no norm fixes them); what was not seen is an argument.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter

from radica.facturas.numbers import parse_invoice_number
from radica.glosas.codes import buscar
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.paper import letters
from radica.glosas.respuesta.splitting import Limites, en_grupos, partir
from radica.kernel.errors import BadInput
from radica.kernel.money import from_cents

MAX_FACTURAS_DGH = 300
SALUD_TOTAL = Limites("Salud Total", max_caracteres=500)
_BREAKS = re.compile(r"[\s|]+")
# Latin letters have no typographic dashes and quotes; people paste them from text processors.
_LATIN = str.maketrans({"–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "€": "EUR", "•": "-"})
MAX_REASONS = 20


@dataclass(frozen=True, slots=True)
class FilaRespuesta:
    """One answered objection as the files need it. Amounts in centavos; texts as people wrote them."""

    factura: str
    radicado: str
    numero_glosa: str
    registro: str
    codigo: str
    servicio: str
    codigo_servicio: str
    valor: int
    aceptado: int
    respuesta: str
    texto: str
    pagador: str = ""
    notificada: date | None = None
    vence: date | None = None
    estado: str = ""
    rips: str = ""


@dataclass(frozen=True, slots=True)
class Archivo:
    """A file to hand over."""

    nombre: str
    contenido: bytes
    filas: int


@dataclass(frozen=True, slots=True)
class PerfilDgh:
    """What Dinámica Gerencial's import asks that no invoice tells: numbering, user, class, cost centre."""

    consecutivo: int = 1
    fecha: date | None = None
    clase: str = ""
    usuario: str = ""
    centro_costo: str = ""


def salud_total(
    filas: Sequence[FilaRespuesta],
    *,
    nit: str,
    fecha: date,
    numero: int,
    separador: str = "|",
    encabezado: bool = False,
    referencia: str = "Continúa en el anexo.",
) -> Archivo:
    """Return `RTAGLOSA_<NIT>_<DDMMAAAA>_<n>.txt`: twelve fields a line, latin letters, CRLF.

    `nit` is the provider's. `separador` is «|» or a tab. Raises BadInput with every line that lacks something.
    """
    if separador not in ("|", "\t") or not nit.isdigit() or numero < 1:
        raise ValueError("separator, NIT or number of the file")
    _refuse([*_empty(filas), *(reason for n, one in enumerate(filas, 1) for reason in _wrong_salud_total(n, one))])
    lines: list[tuple[str, ...]] = [_FIELDS] if encabezado else []
    lines += [_salud_total(one, referencia) for one in filas]
    body = "".join(separador.join(fields) + "\r\n" for fields in lines)
    return Archivo(f"RTAGLOSA_{nit}_{fecha:%d%m%Y}_{numero}.txt", body.encode("latin-1", "replace"), len(filas))


_FIELDS = (
    "NumeroRad", "PrefijoFac", "NumeroFac", "NUMREG", "NombreServicio", "ValorGlosaTotalxServ",
    "CodMotvGlosaGeneral", "CodMotvGlosaEspc", "ValorAceptadoIPS", "Codigo Respuesta a glosas",
    "ConceptoRespuesta", "Observacion IPS",
)  # fmt: skip


def _salud_total(one: FilaRespuesta, referencia: str) -> tuple[str, ...]:
    prefix = found.prefix if (found := parse_invoice_number(one.factura)) else ""
    rule = catalogo()[one.respuesta]
    # Newlines go first: the limit counts what is written.
    observation = partir(_flat(one.texto), SALUD_TOTAL, referencia=referencia).corto
    return (
        _flat(one.radicado),
        prefix,
        # As it was written: the payer compares the number with its own, zeros and all.
        re.sub(r"[^0-9A-Z]", "", letters(one.factura).upper())[len(prefix) :],
        _flat(one.registro),
        _flat(one.servicio),
        _amount(one.valor),
        _general(one.codigo),
        one.codigo,
        _amount(one.aceptado),
        one.respuesta,
        _flat(rule.texto),
        observation,
    )


def _general(codigo: str) -> str:
    """Return the general concept in the manual's own form: TA of TA0801, 2 of 208."""
    return codigo[:2] if codigo[:1].isalpha() else codigo[:1]


def _wrong_salud_total(number: int, one: FilaRespuesta) -> list[str]:
    said = _wrong(number, one)
    for name, value in (("el número de radicación", one.radicado), ("el registro (NUMREG)", one.registro)):
        if not value.strip():
            said.append(f"línea {number}, factura {one.factura}: falta {name}")
    return said


def _wrong(number: int, one: FilaRespuesta) -> list[str]:
    where = f"línea {number}, factura {one.factura or 'sin número'}"
    checks = (
        (bool(one.factura.strip()), "falta la factura"),
        (buscar(one.codigo) is not None, f"«{one.codigo}» no es de ningún manual"),
        (
            one.respuesta in catalogo() and catalogo()[one.respuesta].autor == "ips",
            f"«{one.respuesta}» no es un código de respuesta",
        ),
        (bool(one.texto.strip()), "falta el texto de la respuesta"),
        (0 <= one.aceptado <= one.valor, "se acepta más de lo objetado"),
    )
    return [f"{where}: {words}" for fine, words in checks if not fine]


def _empty(filas: Sequence[FilaRespuesta]) -> list[str]:
    return [] if filas else ["no hay respuestas que exportar"]


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        more = f" y {len(reasons) - MAX_REASONS} más" if len(reasons) > MAX_REASONS else ""
        raise BadInput(
            f"El archivo no se hizo: {'; '.join(reasons[:MAX_REASONS])}{more}.",
            todo="Corrija esas líneas o quítelas; con una mala el pagador rechaza todo el archivo.",
            code="archivo_incompleto",
        )


def _flat(text: str) -> str:
    return _BREAKS.sub(" ", letters(text).translate(_LATIN)).strip()


def _amount(cents: int) -> str:
    """Write pesos as digits; with a decimal point only when there are centavos."""
    pesos, rest = divmod(cents, 100)
    return f"{pesos}.{rest:02d}" if rest else str(pesos)


DGH_COLUMNS = (
    "CDCONSEC", "CDFECDOC", "CRNCXC", "CROFECOBJ", "CROREFERE", "CROOBSERV", "CROCLAOBJ", "CRNCLAOBJ", "GENUSUARIO4",
    "CRNCONOBJ", "SLNSERPRO", "IDRIPS", "CTNCENCOS", "CROVALOBJ", "CRDOBSERV", "CROTIPOBJ",
)  # fmt: skip


def dinamica_gerencial(filas: Sequence[FilaRespuesta], *, nombre: str, perfil: PerfilDgh) -> list[Archivo]:
    """Return the workbooks of Dinámica Gerencial's OBJECIONES import: sixteen columns, at most 300 invoices each.

    Lines of an invoice stay together and share its consecutive (CDCONSEC, from `perfil.consecutivo` on). CROTIPOBJ is 0
    administrative, 1 medical (pertinence), 2 when the invoice has both. Raises BadInput with every wrong line.
    """
    _refuse([*_empty(filas), *(reason for n, one in enumerate(filas, 1) for reason in _wrong_dgh(n, one))])
    groups = en_grupos(filas, lambda one: one.factura, MAX_FACTURAS_DGH)
    order = {number: at for at, number in enumerate(dict.fromkeys(one.factura for one in filas))}
    made = []
    for at, group in enumerate(groups, 1):
        kinds: dict[str, set[bool]] = {}
        for one in group:
            kinds.setdefault(one.factura, set()).add(one.codigo.startswith("CL"))
        rows = [_dgh(one, perfil, perfil.consecutivo + order[one.factura], kinds[one.factura]) for one in group]
        name = f"{nombre}.xlsx" if len(groups) == 1 else f"{nombre}_{at}_de_{len(groups)}.xlsx"
        made.append(Archivo(name, _workbook("OBJECIONES", DGH_COLUMNS, rows), len(rows)))
    return made


def _wrong_dgh(number: int, one: FilaRespuesta) -> list[str]:
    found = parse_invoice_number(one.factura)
    checks = (
        (
            found is not None and bool(found.digits) and len(found.digits) <= 10,
            "el número no tiene un consecutivo de hasta 10 cifras",
        ),
        (buscar(one.codigo) is not None, f"«{one.codigo}» no es de ningún manual"),
        (one.notificada is not None, "falta la fecha de la objeción"),
        (one.valor >= 0, "el valor es negativo"),
    )
    return [f"línea {number}, factura {one.factura or 'sin número'}: {words}" for fine, words in checks if not fine]


def _dgh(one: FilaRespuesta, perfil: PerfilDgh, consecutive: int, kinds: set[bool]) -> tuple[object, ...]:
    number = parse_invoice_number(one.factura)
    prefix, digits = (number.prefix, number.digits) if number else ("", "")
    kind = 2 if len(kinds) > 1 else int(True in kinds)
    return (
        consecutive,
        perfil.fecha or one.notificada,
        f"{prefix}{digits.zfill(10)}",
        one.notificada,
        letters(one.numero_glosa or one.radicado),
        letters(one.texto),
        0,
        perfil.clase,
        perfil.usuario,
        one.codigo[:6],
        one.codigo_servicio,
        one.rips,
        perfil.centro_costo,
        from_cents(one.valor),
        letters(one.texto),
        kind,
    )


GENERIC_COLUMNS = (
    "Factura", "Radicado", "Pagador", "Número de glosa", "Código de glosa", "Descripción del código", "Servicio",
    "Notificada", "Vence", "Valor objetado", "Valor aceptado", "Valor no aceptado", "Código de respuesta", "Respuesta",
    "Estado",
)  # fmt: skip


def excel(filas: Sequence[FilaRespuesta], *, nombre: str) -> Archivo:
    """Return one workbook with a row for each answer and a closing row with the totals."""
    _refuse(_empty(filas))
    rows: list[tuple[object, ...]] = []
    for one in filas:
        code = buscar(one.codigo)
        amounts = (from_cents(one.valor), from_cents(one.aceptado), from_cents(one.valor - one.aceptado))
        rows.append(
            (one.factura, one.radicado, one.pagador, one.numero_glosa, one.codigo, code.texto if code else "",
             one.servicio, one.notificada, one.vence, *amounts, one.respuesta, one.texto, one.estado)
        )  # fmt: skip
    value, accepted = sum(one.valor for one in filas), sum(one.aceptado for one in filas)
    totals = (from_cents(value), from_cents(accepted), from_cents(value - accepted))
    rows.append(("TOTAL", "", "", "", "", "", "", None, None, *totals, "", "", ""))
    return Archivo(f"{nombre}.xlsx", _workbook("Respuestas", GENERIC_COLUMNS, rows), len(filas))


def _workbook(sheet_name: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    # A fixed date: equal rows give equal bytes.
    book.set_properties({"title": sheet_name, "comments": "radica", "created": datetime(2026, 1, 1)})  # noqa: DTZ001
    sheet = book.add_worksheet(sheet_name)
    head = book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1})
    money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for at, name in enumerate(columns):
        sheet.set_column(at, at, max(12, min(40, len(name) + 4)))
        sheet.write_string(0, at, name, head)
    sheet.freeze_panes(1, 1)
    for line, row in enumerate(rows, 1):
        for at, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, Decimal):
                sheet.write_number(line, at, value, money)
            elif isinstance(value, int):
                sheet.write_number(line, at, value)
            elif isinstance(value, date):
                sheet.write_datetime(line, at, value, day)
            else:
                sheet.write_string(line, at, str(value)[:32_000])
    book.close()
    return out.getvalue()
