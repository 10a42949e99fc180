"""Price lists as people send them: titles, money, codes that Excel changed, and rows that are refused with their reason."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from radica.app.tarifario.leer import Leido, leer_tarifario
from radica.facturas.xmlsafe import Unreadable


def book(
    path: Path,
    rows: list[tuple[Any, ...]],
    *,
    head: tuple[str, ...] = ("Código", "Descripción", "Valor"),
    skip: int = 0,
    merged: bool = False,
) -> Path:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = made.add_worksheet("Precios")
    day = made.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(skip, 0, head)
    for number, row in enumerate(rows, start=skip + 1):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell, day)
            elif isinstance(cell, str) and cell.startswith("="):
                sheet.write_formula(number, column, cell, None, "")
            elif cell is not None:
                sheet.write(number, column, cell)
    if merged:
        sheet.merge_range(skip + len(rows) + 1, 0, skip + len(rows) + 2, 0, "M1")
        sheet.write_row(skip + len(rows) + 1, 1, ("uno", 10))
        sheet.write_row(skip + len(rows) + 2, 1, ("dos", 20))
    made.close()
    path.write_bytes(out.getvalue())
    return path


def read(tmp_path: Path, rows: list[tuple[Any, ...]], **more: Any) -> Leido:
    return leer_tarifario(book(tmp_path / "lista.xlsx", rows, **more))


@pytest.mark.parametrize(
    ("head", "skip"),
    [
        (("CÓDIGO CUPS", "DESCRIPCIÓN DEL SERVICIO", "TARIFA PACTADA"), 0),
        (("Cups", "Nombre", "Vr. Unitario"), 3),
        (("cod. servicio", "detalle", "Precio"), 12),
        (("Código", "Servicio", "Tarifa 2026 negociada"), 1),
    ],
)
def test_titles_are_found_wherever_and_however_they_are_written(
    tmp_path: Path, head: tuple[str, ...], skip: int
) -> None:
    found = read(tmp_path, [("890201", "Consulta", 45000)], head=head, skip=skip)
    assert [(one.codigo, one.descripcion, one.valor) for one in found.filas] == [("890201", "Consulta", 4_500_000)]


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        (45000, 4_500_000),
        (45000.5, 4_500_050),
        ("$ 45.000", 4_500_000),
        ("45,000.50", 4_500_050),
        ("1.234.567,89", 123_456_789),
        (" 45000 ", 4_500_000),
    ],
)
def test_money_is_read_as_colombians_write_it(tmp_path: Path, cell: Any, cents: int) -> None:
    others = [(f"X{n}", "otro", "1.234.567,00") for n in range(2)] if cell == "$ 45.000" else []
    assert read(tmp_path, [("890201", "c", cell), *others]).filas[0].valor == cents


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, "sin", 5), "falta el código"),
        (("A1", "sin valor", None), "falta el valor"),
        (("A1", "texto", "según manual"), "no es una cantidad"),
        (("A1", "negativo", -45000), "negativo"),
        (("A1", "entre paréntesis", "(45.000,00)"), "negativo"),
        (("A1", "cero", 0), "cero"),
        (("A1", "enorme", 1e15), "grande"),
        (("A1", "dos lecturas", "1.234"), "puede ser mil"),
        ((date(2026, 1, 2), "una fecha", 5), "otra cosa"),
        ((True, "una marca", 5), "otra cosa"),
        (("A" * 41, "largo", 5), "demasiado largo"),
        (("***", "signos", 5), "no tiene letras"),
        (("A1", "fórmula", "=1+1"), "fórmula sin calcular"),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_the_others_are_read(
    tmp_path: Path, row: tuple[Any, ...], reason: str
) -> None:
    found = read(tmp_path, [("OK1", "bueno", 1500), row, ("OK2", "bueno", 2500)])
    assert [one.codigo for one in found.filas] == ["OK1", "OK2"]
    assert [(one.fila, one.hoja) for one in found.rechazos] == [(3, "Precios")]
    assert reason in found.rechazos[0].motivo


def test_totals_titles_again_and_blank_rows_are_no_prices(tmp_path: Path) -> None:
    found = read(tmp_path, [("A1", "a", 10), (None, None, None), ("TOTAL", "", 10), (None, "TOTAL GENERAL", 10)])
    assert (len(found.filas), found.rechazados) == (1, 0)


def test_a_merged_code_serves_its_first_row_alone(tmp_path: Path) -> None:
    found = read(tmp_path, [("A1", "a", 10)], merged=True)
    assert [one.codigo for one in found.filas] == ["A1", "M1"]
    assert "falta el código" in found.rechazos[0].motivo


def test_a_code_twice_is_named_and_with_other_prices_loads_none(tmp_path: Path) -> None:
    found = read(tmp_path, [("A1", "a", 10), ("A1", "a", 10), ("B1", "b", 10), ("B1", "b", 20), ("C1", "c", 5)])
    assert [one.codigo for one in found.filas] == ["A1", "C1"]
    assert [(one.fila, "repite la fila 2" in one.motivo) for one in found.rechazos] == [
        (3, True),
        (4, False),
        (5, False),
    ]
    assert "precios distintos en las filas 4, 5" in found.rechazos[1].motivo


def test_one_code_of_soat_may_stand_for_several_cups(tmp_path: Path) -> None:
    rows = [("39145", 890201, 51234), ("39145", "890301", 51234), ("39145", 10101, 51234)]
    found = read(tmp_path, rows, head=("Código SOAT", "CUPS", "Valor"))
    assert [(one.codigo, one.cups) for one in found.filas] == [
        ("39145", "890201"),
        ("39145", "890301"),
        ("39145", "010101"),
    ]


def test_a_csv_of_an_old_program_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes("Código;Descripción;Tarifa\r\n890201;Atención médica;45.300,00\r\n".encode("cp1252"))
    assert leer_tarifario(path).filas[0].valor == 4_530_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "vacio"),
        (b"PK\x03\x04rota", "dañado"),
        (b"<html><table></table></html>", "html"),
        (b"uno;dos\n1;2\n3;4\n", "sin_titulos"),
    ],
)
def test_what_is_no_list_is_refused_whole(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as refusal:
        leer_tarifario(path)
    assert refusal.value.code == code


def test_two_columns_of_prices_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="varias columnas"):
        read(tmp_path, [("A1", 1, 2)], head=("Código", "Valor 2025", "Valor 2026"))
    found = read(tmp_path, [("A1", 1, 2)], head=("Código", "Valor SOAT", "Valor pactado"))
    assert found.filas[0].valor == 200
