"""The letter that any EPS writes: addressee, subject with radicado, a table of invoices, a paragraph with the term.

Invariant: columns are what their titles say and their values confirm (a column of codes holds codes, one of values
holds money); without titles, a line with two amounts is reported, never guessed. Layout: generic (mark M), so the
confidence stays below that of the verified ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from radica.facturas.texts import fold
from radica.glosas.lectura.carta import (
    INVOICE,
    Carta,
    Renglon,
    armar,
    avisos_de,
    codigo_de,
    fecha_creible,
    fecha_de,
    fecha_rotulada,
    montos,
    nit_del_pagador,
    radicado_de,
    tipo_de,
)
from radica.glosas.lectura.tipos import Lectura, LineaLeida, NoLeida, TipoLinea
from radica.glosas.lectura.valores import Duda, vacio

FORMATO = "carta_eps"
TABLA, TEXTO = 80, 65
"""Confidence by how the lines were found: in a ruled table, or in lines of text."""

_WORDS = ("glosa", "devolucion", "objecion", "factura")
_TITLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("radicado", re.compile(r"radicad|no\.? rad")),
    ("fecha", re.compile(r"fecha")),
    ("paciente", re.compile(r"documento (?:del )?(?:paciente|usuario|afiliado)|identificaci|c\.?c\.? ")),
    ("ratificado", re.compile(r"ratificad|se mantiene|no aceptad")),
    ("levantado", re.compile(r"levantad")),
    ("aceptado", re.compile(r"aceptad")),
    ("valor_factura", re.compile(r"(?:valor|vr\.?|vlr\.?|total)\b.*\bfactura")),
    ("valor", re.compile(r"(?:valor|vr\.?|vlr\.?|monto)\b.*(?:glosa|objet|devuel|devoluc)|^glosad[ao]$")),
    (
        "codigo",
        re.compile(r"^c[oó]d\S*\s*(?:de\s+)?(?:la\s+)?(?:glosa|devoluci.n|causal|objeci.n)?$|causal|^c[oó]digo$"),
    ),
    ("servicio", re.compile(r"c[oó]d\S*.*(?:servicio|tecnolog|cups)|^cups$")),
    ("descripcion", re.compile(r"servicio|tecnolog|descripci.n del s")),
    ("motivo", re.compile(r"motivo|observaci|justificaci|descripci|concepto|raz[oó]n")),
    ("factura", re.compile(r"factura|^fev$")),
)
_TOTAL = re.compile(r"^\s*(?:valor\s+)?(?:gran\s+)?(?:total|suma)", re.IGNORECASE)
_LIFTS = re.compile(r"\blevant|\bno (?:se )?ratific|\breconsidera")
_UNSETTLED = "La carta habla de levantar o reconsiderar y no dice de esta línea cuánto se levanta y cuánto se mantiene."
_END = ("el termino", "cuenta con", "de conformidad", "la respuesta", "atentamente", "cordialmente", "favor", "auditor")


def es_eps(plain: str) -> int:
    """Return how sure (0–100) a folded text is of being a payer's letter on glosas or devoluciones."""
    if not any(one in plain for one in _WORDS[:3]) or "factura" not in plain:
        return 0
    frame = sum(one in plain for one in ("asunto", "senores", "referencia", "nit", "radicad", "auditor", "cordial"))
    return min(70, 30 + 10 * frame)


@dataclass
class _Lectura:
    """What every line shares, and what was read so far."""

    carta: Carta
    dated: date | None
    filed: date | None
    radicado: str | None
    subject: str
    lineas: list[LineaLeida] = field(default_factory=list)
    no_leidas: list[NoLeida] = field(default_factory=list)
    declarado: int | None = None
    avisos: list[str] = field(default_factory=list)


def leer_eps(carta: Carta) -> Lectura:
    """Read the letter by its ruled tables, else by its lines."""
    notices: list[str] = []
    dated = fecha_creible(
        next((found for line in carta.renglones[:15] if (found := fecha_de(line.texto))), None), carta.hoy, notices
    )
    subject = " ".join(
        line.texto for line in carta.renglones[:30] if fold(line.texto).startswith(("asunto", "referencia", "ref"))
    )
    state = _Lectura(
        carta,
        dated,
        fecha_rotulada(carta, "fecha de radicacion", "fecha radicacion"),
        radicado_de(carta),
        subject or " ".join(line.texto for line in carta.renglones[:15]),
        avisos=notices,
    )
    titles: list[str] = []
    for page, rows in carta.tablas:
        titles = _table(state, page, rows, titles)
    by_table = bool(state.lineas or state.no_leidas)
    if not by_table:
        _lines(state)
    if not state.lineas and not state.no_leidas:
        _prose(state)
    return armar(
        carta,
        FORMATO,
        TABLA if by_table else TEXTO,
        state.lineas,
        state.no_leidas,
        declarado=state.declarado,
        pagador_nit=nit_del_pagador(carta),
        avisos=state.avisos,
    )


# --- Ruled tables -----------------------------------------------------------------------------------------------


def columnas(titles: Sequence[str]) -> list[str]:
    """Return what each title names, "" for none; a title names the first thing that fits, and each thing once."""
    named: list[str] = []
    for title in titles:
        plain = fold(title.replace("\n", " "))
        fits = next((name for name, pattern in _TITLES if pattern.search(plain)), "")
        named.append(fits if fits not in named else "")
    return named


def _is_head(named: Sequence[str]) -> bool:
    return "factura" in named and bool({"valor", "ratificado"} & set(named))


def _table(state: _Lectura, page: int, rows: Sequence[Sequence[str]], titles: list[str]) -> list[str]:
    """Read the rows of one table; a table of the same width without titles goes on with the last ones."""
    current = titles if rows and len(rows[0]) == len(titles) else []
    for number, row in enumerate(rows, 1):
        named = columnas(row)
        if _is_head(named):
            current = named
        elif current and len(row) == len(current):
            _row(state, page, number, row, current)
    return current or titles


def _row(state: _Lectura, page: int, number: int, row: Sequence[str], titles: Sequence[str]) -> None:
    cells = {name: " ".join(cell.split()) for name, cell in zip(titles, row, strict=True) if name}
    text = " | ".join(" ".join(cell.split()) for cell in row)
    money = "ratificado" if "ratificado" in cells else "valor"
    value = state.carta.valor(cells[money])
    if any(_TOTAL.match(cell) for cell in row):
        state.declarado = value if isinstance(value, int) else state.declarado
        return
    if not any(cell.strip() for cell in row):
        return
    invoice = cells["factura"]
    problem = ""
    if not {"levantado", "ratificado"} & set(cells) and _unsettled(state.subject):
        problem = _UNSETTLED
    elif vacio(invoice) or not INVOICE.fullmatch(invoice.upper().replace(" ", "")):
        problem = "La columna de factura no trae un número de factura."
    elif isinstance(value, Duda):
        problem = f"{value.motivo[0].upper()}{value.motivo[1:]}."
    elif value is None or value < 0:
        problem = "No trae el valor glosado."
    if problem or not isinstance(value, int):
        state.no_leidas.append(NoLeida(number, problem, text, f"página {page}"))
        return
    code, written = codigo_de(cells.get("codigo", "")) if "codigo" in cells else codigo_de(cells.get("motivo", ""))
    written = written or cells.get("codigo", "")
    state.lineas.append(
        LineaLeida(
            fila=number,
            hoja=f"página {page}",
            factura=invoice.replace(" ", ""),
            tipo=_tipo(state, code, cells),
            codigo=code,
            codigo_original=written,
            valor=value,
            fecha_notificacion=state.dated,
            fecha_radicacion=state.filed,
            radicado=cells.get("radicado") or state.radicado,
            servicio=cells.get("servicio") or None,
            descripcion_servicio=cells.get("descripcion") or None,
            valor_factura=_known(state.carta, cells.get("valor_factura")),
            motivo=cells.get("motivo") or None,
            paciente_documento=cells.get("paciente") or None,
            levantado=_known(state.carta, cells.get("levantado")),
            aceptado=_known(state.carta, cells.get("aceptado")),
        )
    )


def _unsettled(subject: str) -> bool:
    """Say whether a letter's subject lifts: its amounts are then no new objections, and may be on either side."""
    plain = fold(subject)
    lifts = _LIFTS.search(plain)
    return lifts is not None and ("ratific" not in plain or not lifts.group().startswith("reconsidera"))


def _tipo(state: _Lectura, code: str | None, cells: Mapping[str, str]) -> TipoLinea:
    """Return what a row is; one that says what is lifted or kept is the payer's decision."""
    kind = tipo_de(code, state.subject)
    decided = bool({"levantado", "ratificado"} & set(cells))
    return TipoLinea.DECISION if decided and kind is TipoLinea.GLOSA else kind


def _known(carta: Carta, text: str | None) -> int | None:
    value = carta.valor(text) if text else None
    return value if isinstance(value, int) else None


# --- Lines of text (no rules on paper, or OCR) -------------------------------------------------------------------


def _lines(state: _Lectura) -> None:
    """Read lines that begin with an invoice and hold an amount; what follows without one belongs to the reason."""
    order = _order(state.carta)
    open_line = False
    for line in state.carta.renglones:
        plain = fold(line.texto)
        if _TOTAL.match(line.texto):
            amounts = montos(line.texto)
            picked = _pick(amounts, order)
            value = state.carta.valor(picked) if picked else None
            state.declarado = value if isinstance(value, int) else state.declarado
            open_line = False
            continue
        start = re.match(r"\s*(?:\d{1,3}[.)]?\s+)?(" + INVOICE.pattern + r")\s+(.+)$", line.texto)
        if start and (montos(start.group(2)) or codigo_de(start.group(2))[1]):
            _text_line(state, line, start.group(1), start.group(2), order)
            open_line = True
        elif open_line and state.lineas and not montos(line.texto) and not plain.startswith(_END):
            last = state.lineas[-1]
            joined = f"{last.motivo or ''} {line.texto}".strip()
            state.lineas[-1] = last._replace(motivo=joined[:2000])
        else:
            open_line = False


def _order(carta: Carta) -> tuple[str, ...]:
    """Return in which order the letter's titles name the value of the invoice and the glossed one."""
    for line in carta.renglones:
        plain = fold(line.texto)
        if "factura" not in plain or "glosa" not in plain or not ("valor" in plain or "vr" in plain):
            continue
        whole = re.search(r"(?:valor|vr\.?|vlr\.?)\s+(?:de\s+)?(?:la\s+)?factura", plain)
        glossed = re.search(r"(?:valor|vr\.?|vlr\.?)\s+(?:de\s+)?(?:la\s+)?(?:glosa|objet|devuel)", plain)
        if whole and glossed and not montos(line.texto):
            return ("factura", "glosa") if whole.start() < glossed.start() else ("glosa", "factura")
    return ()


def _pick(amounts: Sequence[str], order: tuple[str, ...]) -> str | None:
    """Return the glossed one of the amounts of a line; None when that is not settled."""
    if len(set(amounts)) == 1:
        return amounts[0]
    return amounts[order.index("glosa")] if len(amounts) == 2 and order else None


def _text_line(state: _Lectura, line: Renglon, invoice: str, rest: str, order: tuple[str, ...]) -> None:
    amounts = montos(rest)
    picked = _pick(amounts, order)
    value = state.carta.valor(picked) if picked else None
    unsettled = _unsettled(state.subject)
    if not isinstance(value, int) or value < 0 or unsettled:
        if unsettled:
            reason = _UNSETTLED
        elif isinstance(value, Duda):
            reason = f"{value.motivo[0].upper()}{value.motivo[1:]}."
        elif not amounts:
            reason = "No trae el valor glosado."
        else:
            reason = "Trae varios valores y la carta no dice cuál es el glosado."
        state.no_leidas.append(NoLeida(line.numero, reason, line.texto, line.hoja))
        return
    words = rest
    for amount in amounts:
        words = words.replace(amount, " ", 1)
    code, written = codigo_de(words)
    whole = amounts[order.index("factura")] if len(amounts) == 2 and order else None
    state.lineas.append(
        LineaLeida(
            fila=line.numero,
            hoja=line.hoja,
            factura=invoice,
            tipo=tipo_de(code, state.subject),
            codigo=code,
            codigo_original=written,
            valor=value,
            fecha_notificacion=state.dated,
            fecha_radicacion=state.filed,
            radicado=state.radicado,
            valor_factura=_known(state.carta, whole),
            motivo=" ".join(words.replace(written, " ", 1).split()).strip(" -|$") or None,
            avisos=avisos_de(line),
        )
    )


# --- One invoice in the words of the letter ----------------------------------------------------------------------

_PROSE_INVOICE = re.compile(
    r"\bfactura\s*(?:electr[oó]nica)?\s*(?:de venta)?\s*(?:n(?:ro|o|[°ºúu]m?(?:ero)?)\.?)?\s*:?\s*([A-Z]{0,6}-?[0-9]{3,14})\b",
    re.IGNORECASE,
)


def _prose(state: _Lectura) -> None:
    """Read a letter on one invoice: it names one number, one code and one amount; else a person reads it."""
    text = " ".join(line.texto for line in state.carta.renglones)
    invoices = {match.group(1).upper() for match in _PROSE_INVOICE.finditer(text)}
    if len(invoices) != 1:
        return
    code, written = codigo_de(text)
    amounts = {state.carta.valor(one) for one in montos(_PROSE_INVOICE.sub(" ", text)) if "$" in one}
    value = next(iter(amounts)) if len(amounts) == 1 else None
    first = state.carta.renglones[0]
    if not written or not isinstance(value, int) or value <= 0 or _unsettled(state.subject):
        reason = "Nombra una factura, pero no un solo código y un solo valor."
        reason = _UNSETTLED if _unsettled(state.subject) else reason
        state.no_leidas.append(NoLeida(1, reason, text[:1000], first.hoja))
        return
    state.lineas.append(
        LineaLeida(
            fila=1,
            hoja=first.hoja,
            factura=next(iter(invoices)),
            tipo=tipo_de(code, state.subject),
            codigo=code,
            codigo_original=written,
            valor=value,
            fecha_notificacion=state.dated,
            fecha_radicacion=state.filed,
            radicado=state.radicado,
            avisos=avisos_de(first),
        )
    )
