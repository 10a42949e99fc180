"""Cells and files that invite a guess: what has two readings goes to the tray, and is never one of them in silence."""

from __future__ import annotations

from datetime import date
from email.message import EmailMessage

import pytest

from radica.glosas.lectura.dinero import dinero
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura
from radica.glosas.lectura.valores import Duda, texto
from tests import glosas_cartas as cartas
from tests.glosas_libros import MOLDES, escribir, libro

HOY = date(2026, 11, 21)
TITULOS = ["Factura", "Código de glosa", "Valor glosado", "Fecha de notificación"]


def hoja(tmp_path, *filas, nombre="glosas.xlsx") -> Lectura:
    (reading,) = leer_archivo(libro(tmp_path / nombre, {"Hoja1": filas}), hoy=HOY)
    return reading


@pytest.mark.parametrize("written", ["1,234.567", "1.234.567,890", "12.345,678"])
@pytest.mark.parametrize("sign", [None, ".", ","])
def test_three_figures_after_the_other_sign_are_decimals_or_thousands(written, sign):
    assert isinstance(dinero(written, sign), Duda)


@pytest.mark.parametrize("written", ["150 2", "12 50", "1 0000", "100 200 3"])
def test_two_numbers_in_one_cell_are_no_amount(written):
    assert isinstance(dinero(written, None), Duda)


@pytest.mark.parametrize(("written", "cents"), [("1 234 567", 123_456_700), ("1 000,50", 100_050), ("$ 5", 500)])
def test_spaces_that_divide_thousands_are_read(written, cents):
    assert dinero(written, None) == cents


def test_characters_that_nobody_sees_do_not_make_another_code(tmp_path):
    reading = hoja(tmp_path, TITULOS, ["\u200fFE\u200b2", "TA\u200b08\u200b01", "1\u200b000", "\u200e13/03/2026\ufeff"])
    (line,) = reading.lineas
    assert (line.factura, line.codigo, line.valor) == ("FE2", "TA0801", 100_000)
    assert line.fecha_notificacion == date(2026, 3, 13)


def test_visible_letters_stay():
    assert texto("Ñandú – año 2026") == "Ñandú – año 2026"


@pytest.mark.parametrize("where", ["codigo", "servicio"])
def test_a_total_that_repeats_its_invoice_is_not_one_more_glosa(tmp_path, where):
    titles = ["Factura", "Código de glosa", "Descripción servicio", "Valor glosado"]
    total = ["FE1", "SUBTOTAL", "", 3000] if where == "codigo" else ["FE1", "", "Subtotal", 3000]
    reading = hoja(tmp_path, titles, ["FE1", "TA0801", "A", 1000], ["FE1", "SO0101", "B", 2000], total)
    assert (reading.total_leido, reading.total_declarado, len(reading.lineas)) == (300_000, 300_000, 2)


def test_a_service_named_like_a_total_with_its_code_is_a_glosa(tmp_path):
    titles = ["Factura", "Código de glosa", "Descripción servicio", "Valor glosado"]
    assert len(hoja(tmp_path, titles, ["FE1", "TA0801", "Total", 1000]).lineas) == 1


@pytest.mark.parametrize(
    ("titles", "rows"),
    [
        (["Factura", "Código glosa", "Valor total glosa", "Valor glosa"], [["FE1", "TA0801", 10_000, 4_000]]),
        (["Factura", "Código glosa", "Valor devolucion", "Valor glosa"], [["FE1", "TA0801", 0, 4_000]]),
        (["Factura", "Código causal", "Código glosa", "Valor glosa"], [["FE1", "SO0101", "TA0801", 4_000]]),
        (["Factura", "Número de factura", "Código glosa", "Valor glosa"], [["FE9", "FE1", "TA0801", 4_000]]),
    ],
)
def test_two_columns_for_one_thing_that_disagree_are_not_chosen_from(tmp_path, titles, rows):
    reading = hoja(tmp_path, titles, *rows)
    assert (reading.formato, reading.lineas) == ("", ())
    assert any("no traen lo mismo" in words for words in reading.avisos)


def test_two_columns_that_agree_are_no_doubt(tmp_path):
    titles = ["Factura", "Código glosa", "Valor total glosa", "Valor glosa"]
    reading = hoja(tmp_path, titles, ["FE1", "TA0801", 4_000, "4000.00"], ["FE2", "TA0801", "$5.000,00", 5_000])
    assert reading.total_leido == 900_000


def test_the_habit_of_dates_falls_when_another_column_of_the_file_goes_against_it(tmp_path):
    base = MOLDES["nueva_eps"]
    row = {**base.filas[0], "FECHA_HORA_GLOSA": "05/03/2026", "FECHA_HORA_RADICACION": "02/25/2026"}
    reading = hoja(tmp_path, *base.tabla([row]), nombre=base.archivo)
    assert reading.lineas == ()
    assert "puede ser de marzo o de mayo" in reading.no_leidas[0].motivo


@pytest.mark.parametrize(
    "words",
    [
        "Sin levantar", "Pendiente por levantar", "Por subsanar", "En subsanación", "Levantada y ratificada",
        "No ratificada", "Anulada", "Conciliada", "CERRADA", "Rechazada", "No procede el levantamiento",
    ],
)  # fmt: skip
def test_a_state_that_does_not_say_who_keeps_the_money_is_not_read(tmp_path, words):
    reading = hoja(tmp_path, [*TITULOS, "Estado"], ["FE1", "TA0801", 1000, "13/03/2026", words])
    assert (len(reading.lineas), len(reading.no_leidas)) == (0, 1)


@pytest.mark.parametrize("words", ["No se levanta", "no levantada", "RATIFICADA TOTAL", "Glosa ratificada por la EPS"])
def test_a_state_that_denies_the_lifting_keeps_the_glosa(tmp_path, words):
    reading = hoja(tmp_path, [*TITULOS, "Estado"], ["FE1", "TA0801", 1000, "13/03/2026", words])
    assert [(line.tipo.value, line.valor) for line in reading.lineas] == [("ratificacion", 100_000)]


@pytest.mark.parametrize(("lifted", "kept"), [(-500, None), (500, -500), (-500, 1500)])
def test_a_decision_with_a_negative_amount_is_not_read(tmp_path, lifted, kept):
    titles = [*TITULOS, "Valor levantado", "Valor ratificado"]
    reading = hoja(tmp_path, titles, ["FE1", "TA0801", 1000, "13/03/2026", lifted, kept])
    assert (len(reading.lineas), len(reading.no_leidas)) == (0, 1)


@pytest.mark.parametrize("quantity", ["²", "9" * 50, "٣", "-1"])
def test_an_odd_quantity_does_not_stop_the_file(tmp_path, quantity):
    base = MOLDES["savia"]
    reading = hoja(tmp_path, *base.tabla([{**base.filas[0], "CANTIDAD_SERVICIO": quantity}]), nombre=base.archivo)
    assert [line.valor_servicio for line in reading.lineas] == [None]


def test_a_prefix_of_figures_that_the_number_may_bring_already_is_a_doubt(tmp_path):
    base = MOLDES["sura"]
    row = {**base.filas[0], "PREFIJOFACTURA": "1", "NUMEROFACTURA": "123"}
    reading = hoja(tmp_path, *base.tabla([row]), nombre="MASIVO.xlsx")
    assert (reading.lineas, len(reading.no_leidas)) == ((), 1)


def correo(html: str = "", csv: bytes = b"") -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Glosas", "auditoria@example.com"
    message.set_content("Ver anexo.")
    if html:
        message.add_alternative(html, subtype="html")
    if csv:
        message.add_attachment(csv, maintype="application", subtype="octet-stream", filename="glosas.csv")
    return message.as_bytes()


def test_a_mail_that_was_cut_says_so_beside_what_it_still_holds(tmp_path):
    path = tmp_path / "correo.eml"
    rows = b"".join(b"FE%d;TA0801;%d\n" % (number, number * 1000) for number in range(1, 200))
    whole = correo(csv=b"FACTURA;CODIGO GLOSA;VALOR GLOSA\n" + rows)
    path.write_bytes(whole)
    assert len(leer_archivo(path, hoy=HOY)) == 1
    path.write_bytes(whole[: whole.rindex(b"\n", 0, len(whole) // 2)])
    cut, read = sorted(leer_archivo(path, hoy=HOY), key=lambda one: one.formato)
    assert "llegó cortado" in cut.avisos[0]
    assert 0 < len(read.lineas) < 199


def test_a_cell_of_a_mail_that_covers_rows_does_not_move_the_others(tmp_path):
    path = tmp_path / "correo.eml"
    titles = "".join(f"<th>{one}</th>" for one in ("FACTURA", "CODIGO GLOSA", "VALOR GLOSA", "VALOR FACTURA"))
    first = "<tr><td rowspan=2>FE1</td><td>TA0801</td><td>1000</td><td rowspan='2'>90000</td></tr>"
    rest = "<tr><td>SO3401</td><td>2000</td></tr><tr><td>FE2</td><td>SO3401</td><td>3000</td><td>5000</td></tr>"
    path.write_bytes(correo(html=f"<table><tr>{titles}</tr>{first}{rest}</table>"))
    (reading,) = leer_archivo(path, hoy=HOY)
    assert [(line.factura, line.codigo, line.valor) for line in reading.lineas] == [
        ("FE1", "TA0801", 100_000),
        ("FE2", "SO3401", 300_000),
    ]
    assert [row.motivo for row in reading.no_leidas] == ["no trae el número de factura"]


def carta_de(tmp_path, **mas) -> Lectura:
    path = tmp_path / "carta.pdf"
    path.write_bytes(cartas.eps(**mas))
    (reading,) = leer_archivo(path, hoy=HOY)
    return reading


@pytest.mark.parametrize(
    "subject", ["Levantamiento de glosas", "Respuesta: no se ratifica la glosa", "Reconsideración"]
)
@pytest.mark.parametrize("ruled", [True, False])
def test_a_letter_that_lifts_does_not_bring_new_glosas(tmp_path, subject, ruled):
    reading = carta_de(tmp_path, asunto=subject, ruled=ruled, total=None)
    assert (reading.formato, reading.lineas, len(reading.no_leidas)) == ("carta_eps", (), len(cartas.EPS_ROWS))
    assert "levantar" in reading.no_leidas[0].motivo


@pytest.mark.parametrize("subject", ["Respuesta a sus glosas", "Levantamiento parcial de glosas"])
def test_a_letter_that_says_what_it_lifts_and_keeps_is_a_decision(tmp_path, subject):
    head = ("Factura", "Código", "Valor levantado", "Valor ratificado", "Observación")
    rows = [("FC1001", "TA0801", "$ 60.000,00", "$ 30.000,50", "Se mantiene")]
    (line,) = carta_de(tmp_path, rows=rows, head=head, asunto=subject, total=None).lineas
    assert (line.tipo.value, line.valor, line.levantado) == ("decision", 3_000_050, 6_000_000)


def test_a_reconsideration_that_ratifies_is_a_ratification(tmp_path):
    reading = carta_de(tmp_path, asunto="Reconsideración: ratificación de glosas", total=None)
    assert {line.tipo.value for line in reading.lineas} == {"ratificacion"}


@pytest.mark.parametrize("filler", ["0", "00", "NO", "No aplica", "Ninguna", "SIN DEVOLUCION"])
def test_a_column_of_returns_filled_with_nothing_returns_no_invoice(tmp_path, filler):
    base = MOLDES["salud_total"]
    row = {**base.filas[0], "CausalDevolucion": filler}
    path = escribir(tmp_path, "salud_total", [row])
    (reading,) = leer_archivo(path, hoy=HOY)
    assert [line.tipo.value for line in reading.lineas] == ["glosa"]
    assert reading.lineas[0].codigo == base.filas[0]["CodMotvGlosaEspc"]


@pytest.mark.parametrize(("old", "kept"), [("104", "104"), ("111", "111"), ("320", "320"), ("203", "TA0301")])
def test_an_old_code_with_several_heirs_is_not_given_one(tmp_path, old, kept):
    base = MOLDES["coosalud_correo"]
    reading = hoja(tmp_path, *base.tabla([{**base.filas[0], "codigo_glosa": old}]), nombre=base.archivo)
    assert [(line.codigo, line.codigo_original) for line in reading.lineas] == [(kept, old)]


def plano(tmp_path, text: str, name: str = "glosas.csv") -> Lectura:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    (reading,) = leer_archivo(path, hoy=HOY)
    return reading


@pytest.mark.parametrize(
    "rows",
    [
        "Factura,Código de glosa,Valor glosado\nFE1,TA0801,1000,50\nFE2,TA0801,2000,75\n",
        "Factura;Código de glosa;Valor glosado;Valor factura\nFE1;TA0801;1000;50;9000\nFE2;TA0801;2000;75;9000\n",
        "Factura,Código de glosa,Valor glosado,Motivo\nFE1,TA0801,1000,50,no soporta\nFE2,TA0801,2000,75,tarifa\n",
    ],
)
def test_a_row_with_more_cells_than_titles_may_have_moved_and_is_not_read(tmp_path, rows):
    reading = plano(tmp_path, rows)
    assert (reading.lineas, len(reading.no_leidas)) == ((), 2)
    assert "más columnas que los títulos" in reading.no_leidas[0].motivo


def test_a_separator_in_the_free_text_at_the_end_moves_nothing(tmp_path):
    reading = plano(
        tmp_path, "Factura;Código de glosa;Valor glosado;Motivo\nFE1;TA0801;1000;no; soporta\nFE2;TA0801;5;x;\n"
    )
    assert [line.valor for line in reading.lineas] == [100_000, 500]


def test_two_stray_quotes_do_not_swallow_the_rows_between(tmp_path):
    titles = "Factura;Código de glosa;Motivo;Valor glosado"
    rows = ['FE1;TA0801;"no soporta;1000', "FE2;TA0801;ok;2000", 'FE3;SO0101;aguja de 5";3000']
    reading = plano(tmp_path, "\n".join([titles, *rows, ""]))
    assert [(line.factura, line.valor) for line in reading.lineas] == [
        ("FE1", 100_000),
        ("FE2", 200_000),
        ("FE3", 300_000),
    ]


def test_a_cell_of_several_lines_between_quotes_stays_one(tmp_path):
    titles = "Factura;Código de glosa;Motivo;Valor glosado"
    reading = plano(tmp_path, titles + '\nFE1;TA0801;"no\nsoporta";1000\nFE2;TA0801;ok;2000\n')
    assert [(line.factura, line.valor) for line in reading.lineas] == [("FE1", 100_000), ("FE2", 200_000)]


def test_a_sheet_copied_in_its_workbook_counts_once(tmp_path):
    rows = [TITULOS, ["FE1", "TA0801", 1000, "13/03/2026"], ["FE1", "SO0101", 500, "13/03/2026"]]
    path = libro(tmp_path / "glosas.xlsx", {"Marzo": rows, "Marzo (2)": rows, "Abril": [TITULOS, rows[1]]})
    (reading,) = leer_archivo(path, hoy=HOY)
    assert (reading.total_leido, len(reading.lineas)) == (250_000, 3)
    assert any("repite la anterior" in words for words in reading.avisos)


def test_a_workbook_whose_cells_repeat_a_few_texts_is_not_taken_for_a_damaged_one(tmp_path):
    rows = [["FE1", "TA0801", 1000 + number, "13/03/2026"] for number in range(2_000)]
    assert len(hoja(tmp_path, TITULOS, *rows).lineas) == 2_000
