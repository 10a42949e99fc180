"""The workbook, read as a spreadsheet program would: every formula is computed again from the cells it names."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from lxml import etree

from radica.cartera.caso import Abono, CasoLiquidacion, ClaseAbono, Concepto, Inicio, TipoConcepto
from radica.cartera.hoja_calculo import workbook
from radica.cartera.liquidacion import Resultado, liquidar
from radica.cartera.parametros import elegir
from radica.cartera.tabla_tasas import bundled

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
TOKEN = re.compile(
    r"\s*(?:(?P<text>\"[^\"]*\")|(?P<range>(?:'[^']+'!|[A-Za-zÀ-ÿ]+!)?\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)"
    r"|(?P<name>[A-Z]+)\(|(?P<number>\d+(?:\.\d+)?)|(?P<mark><>|<=|>=|[-+*/(),=<>&])|(?P<word>FALSE|TRUE))"
)
Value = Any


@dataclass
class Book:
    """Cells of a workbook by sheet and address: what is written, and the formula where there is one."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    formulas: dict[tuple[str, str], str] = field(default_factory=dict)
    known: dict[tuple[str, str], Value] = field(default_factory=dict)

    def at(self, sheet: str, cell: str) -> Value:
        """Return a cell, computed anew when it is a formula."""
        if (sheet, cell) in self.formulas:
            if (sheet, cell) not in self.known:
                self.known[sheet, cell] = Formula(self, sheet, self.formulas[sheet, cell]).value()
            return self.known[sheet, cell]
        return self.values.get((sheet, cell))


def opened(data: bytes) -> Book:
    book = Book()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            one.get("name") for one in etree.fromstring(archive.read("xl/workbook.xml")).iterfind(".//m:sheet", NS)
        ]
        shared = [
            "".join(str(text) for text in one.itertext())
            for one in etree.fromstring(archive.read("xl/sharedStrings.xml")).iterfind("m:si", NS)
        ]
        for number, name in enumerate(names, start=1):
            for cell in etree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml")).iterfind(".//m:c", NS):
                place, formula = (str(name), str(cell.get("r"))), cell.findtext("m:f", namespaces=NS)
                raw = cell.findtext("m:v", namespaces=NS)
                if formula is not None:
                    book.formulas[place] = formula
                if raw is not None:
                    kind = cell.get("t")
                    book.values[place] = shared[int(raw)] if kind == "s" else raw if kind == "str" else Decimal(raw)
    return book


def sums(mark: str, left: Value, right: Value) -> Value:
    """Do one arithmetic step; with a text in it a spreadsheet gives #VALUE!."""
    if not (isinstance(left, Decimal) and isinstance(right, Decimal)):
        return "#VALUE!"
    return {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[mark](right)


class Formula:
    """A formula of the few functions that the workbook uses, computed by descent."""

    def __init__(self, book: Book, sheet: str, text: str) -> None:
        self.book, self.sheet = book, sheet
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, text[at:]
            self.tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self.next = 0

    def value(self) -> Value:
        found = self.compare()
        assert self.next == len(self.tokens)
        return found

    def peek(self) -> str:
        return self.tokens[self.next][1] if self.next < len(self.tokens) else ""

    def take(self) -> tuple[str, str]:
        self.next += 1
        return self.tokens[self.next - 1]

    def compare(self) -> Value:
        left = self.add()
        while self.peek() in ("=", "<>", "&"):
            mark, right = self.take()[1], self.add()
            left = f"{left}{right}" if mark == "&" else (left == right) is (mark == "=")
        return left

    def add(self) -> Value:
        left = self.multiply()
        while self.peek() in ("+", "-"):
            left = sums(self.take()[1], left, self.multiply())
        return left

    def multiply(self) -> Value:
        left = self.atom()
        while self.peek() in ("*", "/"):
            left = sums(self.take()[1], left, self.atom())
        return left

    def atom(self) -> Value:
        kind, text = self.take()
        if kind == "text":
            return text[1:-1]
        if kind == "number":
            return Decimal(text)
        if kind == "word":
            return text == "TRUE"
        if kind == "range":
            return self.cells(text) if ":" in text else self.cells(text)[0][0]
        if kind == "name":
            return self.call(text)
        assert text == "("
        found = self.compare()
        assert self.take()[1] == ")"
        return found

    def cells(self, text: str) -> list[list[Value]]:
        sheet, _, area = text.rpartition("!")
        first, _, last = area.replace("$", "").partition(":")
        (a, n), (b, m) = (re.fullmatch(r"([A-Z]+)(\d+)", one).groups() for one in (first, last or first))  # type: ignore[union-attr]
        return [
            [
                self.book.at(sheet.strip("'") or self.sheet, f"{chr(column)}{row}")
                for column in range(ord(a), ord(b) + 1)
            ]
            for row in range(int(n), int(m) + 1)
        ]

    def call(self, name: str) -> Value:
        given: list[Value] = []
        while self.peek() != ")":
            given.append(self.compare())
            if self.peek() == ",":
                self.take()
        self.take()
        return getattr(self, f"f_{name.lower()}")(*given)

    @staticmethod
    def f_round(value: Value, digits: Decimal) -> Value:
        if not isinstance(value, Decimal):
            return value
        return value.quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP)

    @staticmethod
    def f_sum(cells: list[list[Value]]) -> Decimal:
        return sum((one for row in cells for one in row if isinstance(one, Decimal)), Decimal(0))

    @staticmethod
    def f_sumifs(cells: list[list[Value]], *tests: Value) -> Decimal:
        total = Decimal(0)
        for at, (value, *_) in enumerate(cells):
            pairs = zip(tests[::2], tests[1::2], strict=True)
            if isinstance(value, Decimal) and all(Formula.fits(area[at][0], wanted) for area, wanted in pairs):
                total += value
        return total

    @staticmethod
    def fits(value: Value, wanted: Value) -> bool:
        if isinstance(wanted, str) and wanted.startswith("<"):
            return isinstance(value, Decimal) and value < Decimal(wanted[1:])
        return bool(value == wanted)

    @staticmethod
    def f_vlookup(key: Value, cells: list[list[Value]], column: Decimal, near: bool) -> Value:
        assert near is False
        return next((row[int(column) - 1] for row in cells if row[0] == key), None)

    @staticmethod
    def f_iferror(value: Value, otherwise: Value) -> Value:
        return otherwise if value is None else value

    @staticmethod
    def f_isnumber(value: Value) -> bool:
        return isinstance(value, Decimal)

    @staticmethod
    def f_if(test: bool, yes: Value, no: Value) -> Value:
        return yes if test else no

    @staticmethod
    def f_max(*values: Value) -> Value:
        return max(values) if all(isinstance(one, Decimal) for one in values) else "#VALUE!"

    @staticmethod
    def f_year(day: Decimal) -> Decimal:
        return Decimal((date(1899, 12, 30) + timedelta(days=int(day))).year)

    @staticmethod
    def f_month(day: Decimal) -> Decimal:
        return Decimal((date(1899, 12, 30) + timedelta(days=int(day))).month)

    @staticmethod
    def f_mod(value: Decimal, by: Decimal) -> Decimal:
        return value % by

    @staticmethod
    def f_or(*tests: bool) -> bool:
        return any(tests)

    @staticmethod
    def f_and(*tests: bool) -> bool:
        return all(tests)


def start(day: date, reading: str = "habiles") -> dict[str, Inicio]:
    return {reading: Inicio(day, "PAG-02", "5 días hábiles", "Ley 1122/2007", "13 lit. d", "V alta")}


def case() -> CasoLiquidacion:
    concepts = (
        Concepto("no_objetado_corto", TipoConcepto.NO_OBJETADO_CORTO, "", 1_234_567_89, start(date(2024, 2, 10))),
        Concepto("no_objetado_largo", TipoConcepto.NO_OBJETADO_LARGO, "", 1_234_567_90, start(date(2024, 3, 15))),
        Concepto(
            "glosa:1:2",
            TipoConcepto.GLOSA_LEVANTADA,
            "glosa TA0801",
            300_000_01,
            start(date(2025, 1, 3), "levantamiento"),
        ),
        Concepto("glosa:1:d", TipoConcepto.EN_DISPUTA, "glosa TA0801", 55_000_00, {}, "Sigue en disputa."),
    )
    paid = (
        Abono(date(2024, 5, 7), 500_000_00, ClaseAbono.PAGO, "=1+1"),
        Abono(date(2024, 9, 30), 40_000_00, ClaseAbono.RETENCION, "retefuente"),
        Abono(date(2025, 6, 1), 60_000_00, ClaseAbono.NOTA_CREDITO, "NC1"),
        Abono(date(2026, 7, 15), 900_000_00, ClaseAbono.PAGO, "giro"),
    )
    return CasoLiquidacion("FE1", date(2024, 2, 2), concepts, paid)


def result(**chosen: str) -> Resultado:
    return liquidar(case(), bundled(), elegir(chosen), date(2026, 10, 15))


@pytest.mark.parametrize(
    "chosen",
    [{}, {"divisor": "anual"}, {"base": "bancario", "redondeo": "peso"}, {"imputacion": "capital", "divisor": "365"}],
)
def test_the_formulas_give_the_program_s_figures_again(chosen: dict[str, str]) -> None:
    found = result(**chosen)
    book = opened(workbook(found))
    assert len(book.formulas) > 7 * len(found.lineas)
    assert len(found.vacios) > 0  # months that nobody certified yet
    for (sheet, cell), formula in book.formulas.items():
        again, kept = Formula(book, sheet, formula).value(), book.values.get((sheet, cell))
        assert again == kept, f"{sheet}!{cell} = {formula}"
    assert book.at("Resumen", "B4") * 100 == found.causados
    assert book.at("Resumen", "B6") * 100 == found.pendientes
    assert book.at("Resumen", "B7") * 100 == found.capital + found.pendientes


def test_a_changed_cell_changes_the_total() -> None:
    book = opened(workbook(result()))
    before = book.at("Resumen", "B4")
    book.values["Tasas", "C2"] += 1
    book.known.clear()
    assert book.at("Resumen", "B4") > before


def test_texts_are_no_formulas_and_equal_facts_give_equal_bytes() -> None:
    data = workbook(result())
    book = opened(data)
    assert book.values["Imputación", "C2"] == "=1+1"
    assert ("Imputación", "C2") not in book.formulas
    assert workbook(result()) == data


def test_an_invoice_without_anything_to_liquidate_is_a_workbook_too() -> None:
    book = opened(workbook(liquidar(CasoLiquidacion("FE2", None, ()), bundled(), elegir(), date(2026, 8, 31))))
    assert [book.at("Resumen", f"B{row}") for row in range(2, 9)] == [0] * 7
