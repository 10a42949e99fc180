"""The traps of real files: headers, totals, encodings, repeated amounts, doubtful columns, containers."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radica.glosas.lectura.cierre import total_declarado
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura
from tests.glosas_libros import MOLDES, cambiada, escribir, libro, plano, zip_de

HOY = date(2026, 11, 21)
TITULOS = ["Factura", "Código de glosa", "Valor glosado", "Fecha de notificación"]
FILA = ["FE1", "TA0801", 1000, "13/03/2026"]


def leer(path: Path, **mas: str) -> Lectura:
    readings = leer_archivo(path, hoy=HOY, **mas)
    assert len(readings) == 1, [one.archivo for one in readings]
    return readings[0]


def hoja(tmp_path: Path, *filas: list[object], nombre: str = "glosas.xlsx") -> Lectura:
    return leer(libro(tmp_path / nombre, {"Hoja1": filas}))


@pytest.mark.parametrize("fila", range(1, 21))
def test_the_header_is_found_in_any_of_the_first_twenty_rows(tmp_path, fila):
    above = [["EPS INVENTADA"], [], ["Relación de glosas", "marzo"]] * 7
    reading = hoja(tmp_path, *above[: fila - 1], TITULOS, FILA)
    assert [line.fila for line in reading.lineas] == [fila + 1]


def test_a_header_further_down_is_not_looked_for(tmp_path):
    reading = hoja(tmp_path, *([["texto"]] * 20), TITULOS, FILA)
    assert reading.formato == ""


@pytest.mark.parametrize(
    "titulos",
    [
        ["FACTURA", "CODIGO DE GLOSA", "VALOR GLOSADO", "FECHA DE NOTIFICACION"],
        ["  factura ", "Código  de   glosa:", "Valor\nglosado", "Fecha_de_notificación"],
        ["Factura.", "CÓDIGO DE GLOSA", "valor glosado ($)", "FECHA-DE-NOTIFICACIÓN"],
    ],
)
def test_titles_are_compared_without_accents_case_or_punctuation(tmp_path, titulos):
    assert len(hoja(tmp_path, titulos, FILA).lineas) == 1


def test_repeated_headers_titles_and_notes_are_no_lines(tmp_path):
    reading = hoja(
        tmp_path,
        TITULOS,
        FILA,
        [],
        ["Factura FE2"],
        TITULOS,
        ["FE2", *FILA[1:]],
        ["Elaboró: área de auditoría"],
        ["", "", "", "Página 1 de 1"],
    )
    assert [(line.fila, line.factura) for line in reading.lineas] == [(2, "FE1"), (6, "FE2")]
    assert reading.no_leidas == ()


@pytest.mark.parametrize(
    ("totales", "declarado"),
    [
        ([["TOTAL", "", 2000]], 200_000),
        ([["Total general:", "", "$ 2.000,00"]], 200_000),
        ([["", "GRAN TOTAL", 2000]], 200_000),
        ([["SUBTOTAL", "", 1500], ["SUBTOTAL", "", 500], ["TOTAL", "", 2000]], 200_000),
        ([["SUBTOTAL", "", 1500], ["SUBTOTAL", "", 500]], 200_000),
        ([["TOTAL FE1", "", 1500], ["TOTAL FE2", "", 500]], 200_000),
        ([["TOTAL", "", 1500], ["TOTAL", "", 500], ["TOTAL", "", 2000]], 200_000),
        ([["TOTAL", "", "", 2000]], 200_000),
        ([["TOTAL", "", 9999]], 999_900),
        ([["TOTAL"]], None),
        ([], None),
    ],
)
def test_rows_of_totals_are_compared_and_never_summed(tmp_path, totales, declarado):
    reading = hoja(tmp_path, TITULOS, FILA, ["FE2", *FILA[1:]], *totales)
    assert (len(reading.lineas), reading.total_leido, reading.total_declarado) == (2, 200_000, declarado)
    assert any("no es la suma" in note for note in reading.avisos) is (declarado == 999_900)


@pytest.mark.parametrize(
    ("antes", "despues", "declarado"),
    [
        (["Valor total glosado: $ 2.000,00"], [], 200_000),
        (["Total glosa", 2000], [], 200_000),
        (["Total de facturas", 2], [], None),
        (["Valor total facturado: $ 9.000,00"], [], None),
        (["Total glosado: 1.234"], [], None),
        ([], ["Total glosado: $ 2.000,00"], 200_000),
    ],
)
def test_a_total_printed_around_the_table_is_the_file_s_total(tmp_path, antes, despues, declarado):
    reading = hoja(tmp_path, antes, TITULOS, FILA, ["FE2", *FILA[1:]], despues)
    assert (len(reading.lineas), reading.total_declarado) == (2, declarado)


def test_a_repeated_header_of_a_file_of_ratifications_is_no_row(tmp_path):
    titles = ["Factura", "Código de glosa", "Valor ratificado"]
    reading = hoja(tmp_path, titles, ["FE1", "TA0801", 1000], titles, ["FE2", "TA0801", 1000])
    assert ([line.factura for line in reading.lineas], reading.no_leidas) == (["FE1", "FE2"], ())


def test_a_service_called_total_is_not_a_total(tmp_path):
    titles = ["Servicio", *TITULOS]
    reading = hoja(tmp_path, titles, ["TOTAL PARENTERAL NUTRICIÓN", *FILA], ["Gran abdominoplastia", *FILA])
    assert len(reading.lineas) == 2
    assert reading.total_declarado is None


def test_totals_of_no_rows_are_none():
    assert total_declarado([]) is None


@pytest.mark.parametrize("codificacion", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("separador", [";", "|", "\t", ","])
def test_text_files_are_read_in_any_encoding_and_separator(tmp_path, codificacion, separador):
    rows = [
        ["Factura", "Código de glosa", "Valor glosado", "Observación"],
        ["FE1", "TA0801", "1000", "Atención de niño"],
    ]
    path = plano(tmp_path / "glosas.txt", rows, separador=separador, codificacion=codificacion)
    assert leer(path).lineas[0].motivo == "Atención de niño"


def test_accents_doubled_before_the_file_came_are_undone(tmp_path):
    rows = [["Factura", "Código de glosa", "Valor glosado", "Observación"], ["FE1", "TA0801", "1000", "Atención"]]
    text = "\n".join(";".join(row) for row in rows).encode().decode("latin-1")
    path = tmp_path / "doblado.csv"
    path.write_text(text, encoding="utf-8")
    assert leer(path).lineas[0].motivo == "Atención"


def test_letters_lost_before_the_file_came_do_not_hide_its_titles_and_are_told(tmp_path):
    table = [
        [str(cell).replace("Ó", "\ufffd").replace("ó", "\ufffd") for cell in row] for row in MOLDES["savia"].tabla()
    ]
    table[0][7] = "OBSERVACI\ufffdN_GLOSA_A"
    path = plano(tmp_path / "perdido.csv", table, separador=";")
    reading = leer(path)
    assert reading.formato == "savia"
    assert any("perdieron letras" in note for note in reading.avisos)


def test_a_quote_that_never_closes_costs_no_other_line(tmp_path):
    rows = [[*TITULOS[:3], "Observación"]]
    rows += [[f"FE{n}", "TA0801", "1000", '"sin cerrar' if n == 3 else "ok"] for n in range(1, 60)]
    reading = leer(plano(tmp_path / "comillas.txt", rows, separador="|"))
    assert len(reading.lineas) == 59
    assert reading.lineas[2].motivo == "sin cerrar"
    assert [line.fila for line in reading.lineas] == list(range(2, 61))


def test_a_quoted_cell_may_hold_line_ends_and_separators(tmp_path):
    path = tmp_path / "comillas.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*TITULOS[:3], "Observación"])
        writer.writerow(["FE1", "TA0801", "1000", "uno; dos\ntres"])
        writer.writerow(["FE2", "TA0801", "1000", "fin"])
    reading = leer(path)
    assert [(line.fila, line.factura, line.motivo) for line in reading.lineas] == [
        (2, "FE1", "uno; dos tres"),
        (4, "FE2", "fin"),
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30), max_size=12))
def test_no_text_in_a_cell_loses_or_adds_a_line(tmp_path, texts):
    path = tmp_path / "cualquiera.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*TITULOS[:3], "Observación"])
        writer.writerows(["FE1", "TA0801", "1000", text] for text in texts)
    reading = leer(path)
    assert len(reading.lineas) == len(texts)


@pytest.mark.parametrize(
    ("codigo", "leido", "original"),
    [
        ("TA0203", None, "TA0203"),
        ("TA0201", "TA0201", "TA0201"),
        ("ta-02-01", "TA0201", "ta-02-01"),
        (203, "203", "203"),
        ("0203", "203", "0203"),
        ("203.0", "203", "203.0"),
        ("TA02", "TA02", "TA02"),
        ("TA0201 - Consulta", "TA0201", "TA0201"),
        ("PE0101", None, "PE0101"),
        ("SC01", None, "SC01"),
        ("TA", "TA", "TA"),
        ("RE9602", "RE9602", "RE9602"),
    ],
)
def test_codes_of_each_manual_stay_apart_and_unknown_ones_keep_their_line(tmp_path, codigo, leido, original):
    reading = hoja(tmp_path, TITULOS, ["FE1", codigo, 1000, "13/03/2026"], FILA)
    line = reading.lineas[0]
    assert (line.codigo, line.codigo_original, line.valor) == (leido, original, 100_000)
    assert any("no está en ningún manual" in note for note in line.avisos) is (leido is None)
    assert any(original in note for note in reading.avisos) is (leido is None)


def test_numeric_codes_follow_the_payer_s_own_rule(tmp_path):
    line = leer(escribir(tmp_path, "coosalud_correo")).lineas[0]
    assert (line.codigo, line.codigo_original) == ("TA0301", "203")


def test_the_value_of_a_return_is_the_invoice_s_and_is_counted_once(tmp_path):
    rows = [cambiada("famisanar", CODIGO_DEVOLUCION=code) for code in ("DE5601", "DE1601", "DE5601")]
    rows.append(cambiada("famisanar", NRO_FACTURA="FE1003"))
    reading = leer(escribir(tmp_path, "famisanar", rows))
    assert [line.valor for line in reading.lineas] == [57_348_000, 0, 0, 57_348_000]
    assert reading.total_leido == 114_696_000
    assert "fila 2" in reading.lineas[1].avisos[-1]
    assert any("se contó una sola vez" in note for note in reading.avisos)


def _cabecera(tmp_path: Path, *, factura: object = "", total: object = "") -> Lectura:
    titles = ["Factura", "Código de glosa", "Valor glosado", "Servicio", "Valor factura"]
    rows = [
        ["FE1", code, 9000, service, factura] for code, service in (("TA0801", "A"), ("SO3401", "B"), ("FA0202", "C"))
    ]
    return hoja(tmp_path, titles, *rows, ["FE2", "TA0801", 500, "A", 7000], *([["TOTAL", "", total]] if total else []))


@pytest.mark.parametrize(
    ("factura", "total", "valores"),
    [
        (9000, "", [900_000, 0, 0, 50_000]),
        ("", 9500, [900_000, 0, 0, 50_000]),
        ("", "", [900_000, 900_000, 900_000, 50_000]),
        (80000, 27500, [900_000, 900_000, 900_000, 50_000]),
    ],
    ids=["vale la factura", "lo prueba el total", "nada lo prueba", "el total lo niega"],
)
def test_an_amount_repeated_on_every_line_is_counted_once_only_when_the_file_proves_it(
    tmp_path, factura, total, valores
):
    reading = _cabecera(tmp_path, factura=factura, total=total)
    assert [line.valor for line in reading.lineas] == valores
    told = [note for note in reading.avisos if "FE1" in note]
    assert len(told) == (0 if total == 27500 else 1)


def test_a_negative_value_stays_negative_and_is_told(tmp_path):
    reading = hoja(tmp_path, TITULOS, FILA, ["FE2", "TA0801", "(1.250,00)", "13/03/2026"])
    assert [line.valor for line in reading.lineas] == [100_000, -125_000]
    assert any("negativo" in note for note in reading.lineas[1].avisos)


def test_a_thousand_without_decimals_is_not_guessed(tmp_path):
    values = ["1.234", "15.600", "234.000"]
    reading = hoja(tmp_path, TITULOS, *(["FE1", "TA0801", value, "13/03/2026"] for value in values))
    assert (reading.lineas, [row.fila for row in reading.no_leidas]) == ((), [2, 3, 4])
    settled = hoja(tmp_path, TITULOS, *(["FE1", "TA0801", value, "13/03/2026"] for value in [*values, "1.500,50"]))
    assert [line.valor for line in settled.lineas] == [123_400, 1_560_000, 23_400_000, 150_050]


def test_a_generic_sheet_has_no_habit_of_dates(tmp_path):
    reading = hoja(tmp_path, TITULOS, ["FE1", "TA0801", 1000, "05/03/2026"], ["FE2", "TA0801", 1000, "04/04/2026"])
    assert [line.factura for line in reading.lineas] == ["FE2"]
    assert [row.fila for row in reading.no_leidas] == [2]


def test_dates_that_excel_half_converted_go_to_the_tray(tmp_path):
    days = ["25/03/2026", date(2026, 5, 3), date(2026, 4, 4)]
    reading = hoja(tmp_path, TITULOS, *(["FE1", "TA0801", 1000, day] for day in days))
    assert [row.fila for row in reading.no_leidas] == [3]
    assert "Excel" in reading.no_leidas[0].motivo


@pytest.mark.parametrize("serial", [46094, 46094.75, "46094"])
def test_a_serial_of_excel_is_a_date(tmp_path, serial):
    assert hoja(tmp_path, TITULOS, ["FE1", "TA0801", 1000, serial]).lineas[0].fecha_notificacion == date(2026, 3, 13)


def test_doubtful_dates_are_loaded_and_told(tmp_path):
    titles = [*TITULOS, "Fecha de radicación", "Valor factura"]
    tomorrow = HOY + timedelta(days=1)
    rows = [
        ["FE1", "TA0801", 1000, tomorrow, date(2026, 2, 20), 5000],
        ["FE2", "TA0801", 1000, date(2026, 2, 19), date(2026, 2, 20), 5000],
        ["FE3", "TA0801", 6000, date(2026, 3, 13), date(2026, 2, 20), 5000],
        ["FE4", "TA0801", 1000, date(2026, 3, 13), tomorrow, 5000],
        ["FE5", "TA0801", 1000, HOY, HOY, 1000],
    ]
    reading = hoja(tmp_path, titles, *rows)
    said = ["posterior a hoy", "anterior a la radicación", "mayor que el de la factura", "posterior a hoy"]
    assert [len(line.avisos) for line in reading.lineas] == [1, 1, 1, 2, 0]
    assert all(any(words in note for note in line.avisos) for words, line in zip(said, reading.lineas, strict=False))
    assert len(reading.avisos) == 4


def test_a_row_that_is_not_read_keeps_its_place_reason_and_text(tmp_path):
    reading = hoja(tmp_path, TITULOS, FILA, ["", "TA0801", 1000, "13/03/2026"], ["FE3", "TA0801", "", "13/03/2026"])
    assert [(row.fila, row.hoja, row.motivo) for row in reading.no_leidas] == [
        (3, "Hoja1", "no trae el número de factura"),
        (4, "Hoja1", "no trae valor"),
    ]
    assert reading.no_leidas[0].texto == "TA0801 | 1000 | 13/03/2026"


def test_a_cumulative_file_is_read_whole_and_says_so(tmp_path):
    base = list(MOLDES["nueva_eps"].filas)
    reading = leer(escribir(tmp_path, "nueva_eps", [*base, base[0]]))
    assert len(reading.lineas) == 3
    assert any("acumulado" in note for note in reading.avisos)


def test_a_workbook_with_macros_is_read_without_running_them(tmp_path):
    assert leer(escribir(tmp_path, "sanitas", nombre="glosas.xlsm")).formato == "sanitas"


def test_two_layouts_in_one_workbook_are_read_each_by_itself(tmp_path):
    sheets = {
        "Glosa": MOLDES["sanitas"].tabla(),
        "Savia": MOLDES["savia"].tabla(),
        "Notas": [["leer antes"], ["de usar"]],
    }
    readings = leer_archivo(libro(tmp_path / "dos.xlsx", sheets), hoy=HOY)
    assert [(one.archivo, one.formato, len(one.lineas)) for one in readings] == [
        ("dos.xlsx#Glosa", "sanitas", 2),
        ("dos.xlsx#Savia", "savia", 1),
    ]
    assert any("«Notas» no se reconoció" in note for note in readings[0].avisos)


def test_sheets_of_one_layout_are_one_reading(tmp_path):
    base = MOLDES["sanitas"]
    other = base.tabla([{**row, "ID GLOSA": 8000 + number} for number, row in enumerate(base.filas)])
    reading = leer(libro(tmp_path / "meses.xlsx", {"Enero": base.tabla(), "Febrero": other}))
    assert [line.hoja for line in reading.lineas] == ["Enero", "Enero", "Febrero", "Febrero"]
    assert reading.total_leido == 2 * 5_720_050


def test_a_hidden_sheet_is_not_read_and_that_is_told(tmp_path):
    sheets = {"Glosa": MOLDES["sanitas"].tabla(), "Copia": MOLDES["sanitas"].tabla()}
    reading = leer(libro(tmp_path / "oculta.xlsx", sheets, ocultas=["Copia"]))
    assert len(reading.lineas) == 2
    assert any("oculta «Copia»" in note for note in reading.avisos)


def test_two_formats_in_one_zip_and_a_file_twice_under_another_name(tmp_path):
    files = {
        "a/sanitas.xlsx": escribir(tmp_path, "sanitas"),
        "b/otra copia.xlsx": escribir(tmp_path, "sanitas"),
        "sura.txt": escribir(tmp_path, "sura"),
        "basura.bin": b"\x00\x01\x02" * 400,
    }
    readings = {one.archivo: one for one in leer_archivo(zip_de(tmp_path / "todo.zip", files), hoy=HOY)}
    assert {name: one.formato for name, one in readings.items()} == {
        "todo.zip/a/sanitas.xlsx": "sanitas",
        "todo.zip/sura.txt": "sura",
        "todo.zip/basura.bin": "",
    }
    assert any("otra copia.xlsx es el mismo" in note for note in readings["todo.zip/a/sanitas.xlsx"].avisos)


@pytest.mark.parametrize(
    ("formato", "elegido", "queda", "contradice"),
    [
        ("coosalud_correo", None, "900226715", False),
        ("coosalud_correo", "900.226.715-1", "900226715", False),
        ("coosalud_correo", "830003564", "830003564", True),
        ("sanitas", None, None, False),
        ("sanitas", "800251440", "800251440", False),
        ("sanitas", "900226715", "900226715", True),
        ("sanitas", "800130907", "800130907", True),
        ("sanitas", "999999999", "999999999", False),
        ("generico", "900226715", "900226715", False),
        ("policia", "900226715", "900226715", True),
    ],
)
def test_a_payer_that_the_file_contradicts_is_told_and_never_replaced(tmp_path, formato, elegido, queda, contradice):
    more = {"pagador_nit": elegido} if elegido else {}
    reading = leer(escribir(tmp_path, formato), **more)
    assert reading.pagador_nit == queda
    assert (reading.confianza <= 40) is contradice
    assert ("compruébelo antes de cargarlo" in " ".join(reading.avisos)) is contradice
