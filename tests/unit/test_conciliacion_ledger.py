"""Both ledgers side by side, and the payer's Excel: what is plain is read, what is not is refused with its words."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from radica.conciliacion import ledger
from radica.conciliacion.ledger import FilaLibro, Nuestra, classes, compare, name_of, state_class, whole
from radica.conciliacion.ledger_read import leer_libro
from radica.facturas.numbers import parse_invoice_number
from radica.kernel.errors import BadInput


def ours(
    number: str, *, valor: int = 1_000, disputa: int = 400, clase: str = ledger.EN_DISPUTA, mesa: bool = True
) -> Nuestra:
    parsed = parse_invoice_number(number)
    assert parsed is not None
    return Nuestra(abs(hash(number)), number, parsed, valor, disputa, clase, en_mesa=mesa)


def differences(rows: list[FilaLibro], books: list[Nuestra]) -> dict[str, str]:
    return {one.numero: one.diferencia for one in compare(rows, books)}


def test_each_difference_is_told() -> None:
    books = [ours("FE1"), ours("FE2"), ours("FE3"), ours("FE4"), ours("FE5", mesa=False), ours("FE6")]
    rows = [
        FilaLibro(2, "FE0001", 1_000, 400, "RATIFICADA"),
        FilaLibro(3, "FE2", 900, 400),
        FilaLibro(4, "3", 1_000, 300),
        FilaLibro(5, "FE4", 1_000, 400, "Levantada"),
        FilaLibro(6, "FE99", 1_000, 400),
        FilaLibro(7, "", motivo="La fila no dice la factura."),
    ]
    assert differences(rows, books) == {
        "FE1": ledger.IGUAL,
        "FE2": "valor",
        "FE3": "glosa",
        "FE4": "estado",
        "FE99": ledger.NO_ES_NUESTRA,
        "": ledger.NO_LEIDA,
        "FE6": ledger.NO_LA_TIENEN,  # FE5 is not on the table: that they do not name it says nothing
    }


def test_the_rows_of_one_invoice_are_one_invoice() -> None:
    rows = [FilaLibro(2, "FE1", 1_000, 150), FilaLibro(3, "FE-001", 1_000, 250)]
    (one,) = compare(rows, [ours("FE1")])
    assert (one.diferencia, one.glosa, one.valor, len(one.filas)) == ("", 400, 1_000, 2)
    (two,) = compare([*rows, FilaLibro(4, "FE1", 1_001, 0)], [ours("FE1")])
    assert two.diferencia == "valor"
    assert "varios valores" in two.detalle


def test_a_number_that_may_be_two_invoices_is_no_match() -> None:
    books = [ours("FE7"), ours("FV7", mesa=False)]
    found = compare([FilaLibro(2, "7", 1_000, 400)], books)
    assert {one.diferencia for one in found} == {ledger.AMBIGUA, ledger.NO_LA_TIENEN}
    assert "FE7, FV7" in found[0].detalle


def test_a_state_nobody_knows_is_not_compared() -> None:
    (one,) = compare([FilaLibro(2, "FE1", 1_000, 400, "EN COMITÉ 3")], [ours("FE1")])
    assert one.diferencia == ledger.IGUAL
    assert "no se pudo comparar" in one.detalle
    assert state_class("Glosa ratificada") == ledger.EN_DISPUTA
    assert state_class("comité") is None


def test_several_differences_have_one_name() -> None:
    (one,) = compare([FilaLibro(2, "FE1", 900, 300, "Aceptada")], [ours("FE1")])
    assert one.diferencia == "valor+glosa+estado"
    assert name_of(one.diferencia) == "Valor de factura, glosa y estado distintos"


_rows = st.lists(
    st.builds(
        FilaLibro,
        st.integers(2, 999),
        st.sampled_from(["FE1", "FE2", "2", "FE3", "FV2", "X9", "", "nada"]),
        st.none() | st.integers(0, 10**9),
        st.none() | st.integers(0, 10**9),
        st.sampled_from(["", "Ratificada", "Levantada", "?"]),
        st.sampled_from(["", "", "", "No se leyó."]),
    ),
    max_size=30,
)


@given(_rows)
def test_every_row_is_in_one_class_and_the_sums_add_up(rows: list[FilaLibro]) -> None:
    books = [ours("FE1"), ours("FE2"), ours("FV2", mesa=False), ours("FE3", disputa=0, clase=ledger.SIN_GLOSA)]
    crossed = compare(rows, books)
    parts = classes(crossed)
    sums = whole(parts)
    assert sums.filas == len(rows) == sum(len(one.filas) for one in crossed)
    assert sums.facturas == len(crossed)
    assert sums.glosa_suya == sum(one.glosa or 0 for one in rows)
    mentioned = {one.nuestra.numero for one in crossed if one.nuestra}
    assert {"FE1", "FE2", "FE3"} <= mentioned  # all of the table
    assert sums.glosa_nuestra == sum(one.en_disputa for one in books if one.numero in mentioned)


def book(path: Path, *sheets: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as out:
        for rows in sheets:
            sheet = out.add_worksheet()
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def test_columns_are_found_by_their_headings(tmp_path: Path) -> None:
    path = book(
        tmp_path / "libro.xlsx",
        [
            ["EPS SABANA VERDE"],
            ["Corte", "octubre"],
            [],
            ["Ítem", "Nro. Factura", "Vr. Factura", "Valor Glosa", "Saldo Glosa", "Estado de la glosa"],
            [1, "FE0010", 1_000_000, 300_000, "120.000,50", "RATIFICADA"],
            [2, 487523.0, 500_000.25, 0, "10.000,00", ""],
            ["Ítem", "Nro. Factura", "Vr. Factura", "Valor Glosa", "Saldo Glosa", "Estado de la glosa"],
            [3, "FE12", "mucho", 5, "1,00", ""],
            ["", "TOTAL", "", "", "130.000,50", ""],
        ],
    )
    read = leer_libro(path)
    assert read.columnas["pendiente"] == "Saldo Glosa"
    assert [(one.fila, one.factura, one.valor, one.glosa, one.estado) for one in read.filas[:2]] == [
        (5, "FE0010", 100_000_000, 12_000_050, "RATIFICADA"),
        (6, "487523", 50_000_025, 1_000_000, ""),
    ]
    assert read.filas[2].motivo
    assert read.avisos == []


def test_a_total_that_does_not_add_up_is_said(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Factura", "Valor glosa"], ["FE1", 1000], ["TOTAL", 1500]]
    (warning,) = leer_libro(book(tmp_path / "l.xlsx", rows)).avisos
    assert "$ 1.500" in warning
    assert "$ 1.000" in warning


@pytest.mark.parametrize(
    ("sheets", "words"),
    [
        ([[["Nombre", "Ciudad"], ["x", "y"]]], "«Nombre», «Ciudad»"),
        ([[["Factura", "Estado"], ["FE1", "Ratificada"]]], "valor de la factura o de la glosa"),
        ([[["Factura", "Valor glosa", "Vr glosa"], ["FE1", 1, 2]]], "«Valor glosa», «Vr glosa»"),
        ([[["Factura", "Valor glosa"], ["FE1", 1]], [["Factura", "Valor glosa"], ["FE2", 1]]], "Varias hojas"),
        ([[["Factura", "Valor glosa"]]], "ninguna fila"),
    ],
)
def test_what_is_not_plain_is_refused(tmp_path: Path, sheets: list[list[list[object]]], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        leer_libro(book(tmp_path / "l.xlsx", *sheets))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acta.xlsx"
    path.write_bytes(b"%PDF-1.7 nada")
    with pytest.raises(BadInput):
        leer_libro(path)
