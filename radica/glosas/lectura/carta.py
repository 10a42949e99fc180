"""A payer's letter as lines of text, and what any letter says the same way: amounts, codes, dates, NIT, radicado.

Invariant: nothing here decides what a line means; layouts (`pdf_axa`, `pdf_bolivar`, `pdf_eps`) do. Amounts are read
with the style that the whole letter shows (`dinero`), so that `1.234` in a letter that settles nothing stays a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from radica.facturas.numbers import parse_nit
from radica.facturas.texts import fold
from radica.glosas.codes import buscar, es_codigo, normalizar, parece_codigo
from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.fechas import Orden, leer_fecha
from radica.glosas.lectura.tipos import Lectura, LineaLeida, NoLeida, TipoLinea
from radica.glosas.lectura.valores import Duda

OCR_LIMIT = 55
"""Confidence of a file read by OCR never passes this: a person looks at each line."""
_OCR_LINE = "Leída por OCR"
OCR_NOTICE = "Leída por OCR de una carta escaneada: compárela con la imagen antes de usarla."

_WRITTEN = (
    r"\(?-?\$?\s?\d{1,3}(?:[.,'’]\d{3})+(?:[.,]\d{1,2})?\)?(?![\w.,]*\d)"
    r"|\(?-?\$\s?\d+(?:[.,]\d{1,2})?\)?|\b\d+[.,]\d{2}\b"
)
_AMOUNT = re.compile(_WRITTEN)
_ANY_NUMBER = re.compile(_WRITTEN + r"|(?<![\w-])\d+(?![\w-])")
INVOICE = re.compile(r"\b(?=[A-Z0-9-]*\d{3})[A-Z]{0,6}[0-9]{0,2}[A-Z]{0,4}-?[0-9]{3,14}\b")
_CODE = re.compile(r"\b(?:[A-Z]{2}[ -]?\d{2}(?:[ -]?\d{2})?|[1-8]\d{2})\b")
_MONTH_DATE = re.compile(r"\b(\d{1,2}\s+de\s+[a-záéíóú]{4,10}\.?,?\s+del?\s+\d{4})\b", re.IGNORECASE)
_NUMBER_DATE = re.compile(r"\b(\d{4}[/-]\d{1,2}[/-]\d{1,2}|\d{1,2}[/-]\d{1,2}[/-]\d{4})\b")
_NIT = re.compile(r"\bN\.?\s?I\.?\s?T\.?[\s:.]*((?:No\.?\s*)?[\d.,]{9,15}(?:\s?-\s?\d)?)", re.IGNORECASE)
_RADICADO = re.compile(
    r"\bradicad[oa]s?\s*(?:n[o°ºúu]m?(?:ero)?\.?|nro\.?|#)?\s*:?\s*([A-Z0-9][A-Z0-9-]{3,30})", re.IGNORECASE
)
_PAGE = re.compile(r"^\s*(?:p[áa]g(?:ina)?\.?\s*)?\d{1,4}\s*(?:de|/)\s*\d{1,4}\s*$", re.IGNORECASE)
_DOLLAR = re.compile(r"\$\s+(?=\d)")


@dataclass(frozen=True, slots=True)
class Renglon:
    """One printed line: page and line within it, both from 1. `certeza` is OCR's, 100 for text."""

    pagina: int
    numero: int
    texto: str
    certeza: int = 100

    @property
    def hoja(self) -> str:
        """How a person finds the page."""
        return f"página {self.pagina}"


@dataclass(frozen=True, slots=True)
class Carta:
    """A letter: its lines, its ruled tables (page, rows of cells), whether OCR read it, and its way of money."""

    nombre: str
    renglones: tuple[Renglon, ...]
    hoy: date
    ocr: bool = False
    tablas: tuple[tuple[int, tuple[tuple[str, ...], ...]], ...] = ()
    signo: str | None = None

    @property
    def texto(self) -> str:
        """All lines."""
        return "\n".join(one.texto for one in self.renglones)

    def valor(self, text: str) -> int | Duda | None:
        """Return the centavos of an amount as this letter writes them."""
        return dinero(text, self.signo)


def carta(nombre: str, pages: Sequence[tuple[int, Iterable[tuple[str, int]]]], hoy: date, *, ocr: bool) -> Carta:
    """Make a letter of pages of (line, certainty); page numbers and empty lines are dropped from the reading."""
    lines = [
        Renglon(page, number, _DOLLAR.sub("$", " ".join(text.split())), sure)
        for page, texts in pages
        for number, (text, sure) in enumerate(texts, 1)
        if text.strip() and not _PAGE.match(text)
    ]
    return Carta(nombre, tuple(lines), hoy, ocr, signo=estilo(one.texto for one in lines).signo)


def estilo(texts: Iterable[str]) -> EstiloDinero:
    """Learn which sign divides decimals from every amount of a letter."""
    style = EstiloDinero()
    for text in texts:
        for amount in montos(text):
            style.ver(amount)
    return style


def montos(text: str) -> list[str]:
    """Return the amounts that a line prints, as printed, in order.

    Only what is written as money (a $ sign, groups of three, decimals): bare digits are as well the code of a service.
    """
    return [match.group().strip() for match in _AMOUNT.finditer(_NIT.sub(" ", _NUMBER_DATE.sub(" ", text)))]


def ultimo_monto(text: str) -> str | None:
    """Return the number that ends a line, bare digits too; None when anything but punctuation follows the last."""
    hidden = _NUMBER_DATE.sub(lambda found: "x" * len(found.group()), text)
    numbers = list(_ANY_NUMBER.finditer(hidden))
    return numbers[-1].group().strip() if numbers and not re.search(r"\w", hidden[numbers[-1].end() :]) else None


def codigo_de(text: str) -> tuple[str | None, str]:
    """Return the only glosa code of a text: (canonical, as written).

    A text with the form of a code that no manual has gives (None, as written); none, or several different, ("", "").
    Old numeric codes count only where nothing with letters does.
    """
    candidates = [match.group() for match in _CODE.finditer(text)]
    lettered = {one for one in candidates if not one[0].isdigit() and (es_codigo(one) or parece_codigo(one))}
    chosen = lettered or {one for one in candidates if one[0].isdigit() and es_codigo(one)}
    if len({_plain(one) for one in chosen}) != 1:
        return None, ""
    written = min(chosen)
    found = normalizar(written)
    return (found.codigo if found else None), written


def _plain(code: str) -> str:
    found = normalizar(code)
    return found.codigo if found else re.sub(r"[ -]", "", code)


def fecha_de(text: str) -> date | None:
    """Return the first date of a text that reads without doubt; Colombian letters put the day first."""
    for pattern in (_MONTH_DATE, _NUMBER_DATE):
        for match in pattern.finditer(text):
            found = leer_fecha(match.group(1).replace(",", ""), Orden.DIA_MES)
            if isinstance(found, date):
                return found
    return None


def fecha_rotulada(carta: Carta, *labels: str) -> date | None:
    """Return the date in the first line that carries one of the labels (folded text), after the label."""
    for line in carta.renglones:
        plain = fold(line.texto)
        for label in labels:
            place = plain.find(label)
            if place >= 0 and (found := fecha_de(line.texto[place:])):
                return found
    return None


def rotulado(carta: Carta, pattern: re.Pattern[str]) -> str | None:
    """Return the first group of the first line where the pattern is found."""
    for line in carta.renglones:
        if match := pattern.search(line.texto):
            return match.group(1).strip(" .:-")
    return None


def radicado_de(carta: Carta) -> str | None:
    """Return the payer's filing number, when the letter says one with digits."""
    for line in carta.renglones:
        for match in _RADICADO.finditer(line.texto):
            if sum(one.isdigit() for one in match.group(1)) >= 3:
                return match.group(1)
    return None


def nit_del_pagador(carta: Carta) -> str | None:
    """Return the NIT that stands before the addressee («Señores»), digits without check digit; None when none does."""
    for line in carta.renglones:
        if fold(line.texto).startswith(("senor", "doctor", "respetad", "ips ", "prestador", "nombre del prestador")):
            return None
        if match := _NIT.search(line.texto):
            found = parse_nit(re.sub(r"^No\.?\s*", "", match.group(1), flags=re.IGNORECASE))
            return found.number if found else None
    return None


def tipo_de(codigo: str | None, text: str) -> TipoLinea:
    """Return what a line is: a DE code returns the invoice; else what the letter's subject says."""
    found = buscar(codigo) if codigo else None
    if found is not None and found.tipo == "devolucion":
        return TipoLinea.DEVOLUCION
    plain = fold(text)
    if "ratific" in plain:
        return TipoLinea.RATIFICACION
    return TipoLinea.GLOSA


def armar(
    carta: Carta,
    formato: str,
    confianza: int,
    lineas: Sequence[LineaLeida],
    no_leidas: Sequence[NoLeida],
    *,
    declarado: int | None,
    pagador_nit: str | None = None,
    avisos: Sequence[str] = (),
) -> Lectura:
    """Put a reading together: totals, and what an OCR reading or a letter dated tomorrow must say."""
    notices = list(avisos)
    total = sum(line.valor for line in lineas)
    if carta.ocr:
        confianza = min(confianza, OCR_LIMIT)
        notices.append(OCR_NOTICE)
    if declarado is not None and declarado != total:
        confianza = min(confianza, 60)
    if not lineas:
        confianza = min(confianza, 20)
    return Lectura(
        archivo=carta.nombre,
        formato=formato,
        confianza=confianza,
        pagador_nit=pagador_nit,
        lineas=tuple(lineas),
        no_leidas=tuple(no_leidas),
        total_leido=total,
        total_declarado=declarado,
        avisos=tuple(notices),
    )


def avisos_de(line: Renglon) -> tuple[str, ...]:
    """Return the notices of one line: what OCR read is never sure, and how sure it was is said."""
    return () if line.certeza >= 100 else (f"{_OCR_LINE} (certeza {line.certeza} de 100): verifíquela.",)


def leida_por_ocr(line: LineaLeida) -> bool:
    """Say whether OCR read this line: it is never loaded before a person compared it with the picture."""
    return any(notice.startswith(_OCR_LINE) for notice in line.avisos)


def fecha_creible(found: date | None, hoy: date, notices: list[str]) -> date | None:
    """Return the letter's date unless it lies in the future; then say so in `notices`."""
    if found is not None and found > hoy:
        notices.append(f"La carta dice ser del {found:%d/%m/%Y}, que no ha llegado: no se tomó su fecha.")
        return None
    return found
