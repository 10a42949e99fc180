"""Letters in PDF and scanned: what each layout gives, what is refused instead of guessed, and hostile files."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from radica.glosas.lectura import pdf_proceso
from radica.glosas.lectura.carta import OCR_LIMIT, codigo_de, leida_por_ocr, montos, ultimo_monto
from radica.glosas.lectura.pdf import es_carta, leer_pdf
from radica.glosas.lectura.tipos import Lectura, TipoLinea
from tests import glosas_cartas as cartas

HOY = date(2026, 11, 20)


def read(tmp_path: Path, data: bytes, name: str = "carta.pdf") -> Lectura:
    path = tmp_path / "entrada"
    path.write_bytes(data)
    assert es_carta(data[:1024]) or b"%PDF" not in data
    return leer_pdf(path, name, hoy=HOY)


def reasons(found: Lectura) -> str:
    assert found.lineas == ()
    assert len(found.no_leidas) == 1
    assert found.total_leido == 0
    return found.no_leidas[0].motivo


def test_a_letter_of_axa(tmp_path: Path):
    found = read(tmp_path, cartas.axa())
    assert (found.formato, found.pagador_nit, found.archivo) == ("axa_carta", "860002184", "carta.pdf")
    assert found.confianza >= 90
    assert [(one.factura, one.codigo, one.valor, one.servicio) for one in found.lineas] == [
        ("HUS487523", "TA0201", 25_400_00, "39145"),
        ("HUS0000487600", "SO3401", 1_300_000_50, "T50012"),
        ("HUS0000487600", "FA0101", 48_200_00, "39201"),
    ]
    first = found.lineas[0]
    assert first.numero_glosa == "2026-7741002"
    assert first.fecha_notificacion == date(2026, 11, 12)
    assert first.fecha_radicacion == date(2026, 10, 20)
    assert first.descripcion_servicio == "CONSULTA DE URGENCIAS"
    assert first.valor_servicio == 85_400_00
    assert first.tipo is TipoLinea.GLOSA
    assert (first.hoja, first.avisos) == ("página 1", ())
    assert not leida_por_ocr(first)
    assert found.no_leidas == ()
    assert found.total_leido == found.total_declarado == 1_373_600_50


def test_a_letter_of_axa_with_one_row_per_claim(tmp_path: Path):
    rows = (
        ("2026-1001", "HUS1001", "03/10/2026", "$1.200.000,00", "$1.000.000,00", "$200.000,00"),
        ("2026-1002", "HUS1002", "04/10/2026", "$350.000,00", "$350.000,00", "$0,00"),
    )
    found = read(tmp_path, cartas.axa_by_rows(rows, "200.000,00"))
    assert [(one.factura, one.numero_glosa, one.valor) for one in found.lineas] == [
        ("HUS1001", "2026-1001", 20_000_000)
    ]
    assert found.total_declarado == 20_000_000


def test_axa_in_thousands_that_nothing_settles_is_not_guessed(tmp_path: Path):
    items = (("2026-1", "HUS1001", "25.400", (("39145", "CONSULTA", "1", "85.400", "60.000", "TA0201", "25.400"),)),)
    found = read(tmp_path, cartas.axa([("2026-10001", *items[0][1:])], total="25.400"))
    assert found.lineas == ()
    assert "puede ser mil" in found.no_leidas[0].motivo


def test_axa_whose_lines_do_not_add_up_loses_confidence(tmp_path: Path):
    found = read(tmp_path, cartas.axa(total="9.999.999,00"))
    assert found.total_declarado == 999_999_900
    assert found.confianza <= 60


def test_an_acta_of_bolivar_with_items_over_several_lines(tmp_path: Path):
    found = read(tmp_path, cartas.bolivar())
    assert found.formato == "bolivar_acta"
    assert [(one.factura, one.codigo, one.valor, one.numero_glosa) for one in found.lineas] == [
        ("FC10023", "TA0201", 25_400_00, "45872 (1.01)"),
        ("FC10023", "SO3401", 1_229_500_00, "45872 (1.02)"),
    ]
    assert found.lineas[0].servicio == "890701"
    assert found.lineas[1].servicio is None
    assert "según lo pactado" in (found.lineas[1].motivo or "")
    assert found.lineas[0].radicado == "2026-88123"
    assert found.lineas[0].fecha_notificacion == date(2026, 11, 10)
    assert found.lineas[0].fecha_radicacion == date(2026, 10, 21)
    assert found.total_leido == found.total_declarado == 1_254_900_00
    assert found.no_leidas == ()


def test_an_item_of_bolivar_without_its_value_is_reported(tmp_path: Path):
    found = read(
        tmp_path, cartas.bolivar([("1.01", "890701 Consulta TA0201 ver anexo"), ("1.02", "TA0801 $ 25.400,00")])
    )
    assert [one.codigo for one in found.lineas] == ["TA0801"]
    assert found.no_leidas[0].motivo == "Ítem (1.01): El ítem no trae su valor glosado."
    assert found.no_leidas[0].fila == 7


@pytest.mark.parametrize("ruled", [True, False])
def test_a_letter_of_any_eps(tmp_path: Path, ruled: bool):
    found = read(tmp_path, cartas.eps(ruled=ruled))
    assert (found.formato, found.pagador_nit) == ("carta_eps", "800111222")
    assert [(one.factura, one.codigo, one.valor, one.valor_factura) for one in found.lineas] == [
        ("FC10023", "TA0801", 125_000_00, 1_250_000_00),
        ("FC10024", "SO0601", 480_300_50, 480_300_50),
        ("FC10025", "AU0101", 95_000_00, 95_000_00),
    ]
    assert found.lineas[0].motivo == "Mayor valor cobrado frente a la tarifa pactada"
    assert {one.radicado for one in found.lineas} == {"RAD-2026-00123"}
    assert {one.fecha_notificacion for one in found.lineas} == {date(2026, 11, 12)}
    assert found.total_leido == found.total_declarado == 700_300_50
    assert found.no_leidas == ()


def test_a_table_over_many_pages_repeats_its_titles(tmp_path: Path):
    rows = [(f"FC{20000 + n}", "$ 100.000,00", "TA0801", "$ 10.000,00", "Mayor valor") for n in range(90)]
    found = read(tmp_path, cartas.eps(rows, total="$ 900.000,00"))
    assert len(found.lineas) == 90
    assert len({one.factura for one in found.lineas}) == 90
    assert {one.hoja for one in found.lineas} >= {"página 1", "página 2", "página 3"}
    assert found.total_leido == found.total_declarado == 900_000_00


def test_a_letter_of_devolucion_and_one_of_ratification(tmp_path: Path):
    rows = [("FC1001", "$ 90.000,50", "DE1601", "$ 90.000,50", "Persona de otro responsable")]
    found = read(tmp_path, cartas.eps(rows, total=None, asunto="Devolución de facturas"))
    assert [one.tipo for one in found.lineas] == [TipoLinea.DEVOLUCION]
    head = ("Factura", "Código", "Valor levantado", "Valor ratificado", "Observación")
    rows = [("FC1001", "TA0801", "$ 60.000,00", "$ 30.000,50", "Se mantiene")]
    found = read(tmp_path, cartas.eps(rows, head=head, total=None, asunto="Ratificación de glosas"))
    line = found.lineas[0]
    assert (line.tipo, line.valor, line.levantado) == (TipoLinea.RATIFICACION, 30_000_50, 60_000_00)


def test_a_row_that_cannot_be_read_goes_to_the_tray_with_its_text(tmp_path: Path):
    rows = [
        *cartas.EPS_ROWS[:1],
        ("ver anexo", "$ 1,00", "TA0801", "$ 1.000,00", "x"),
        ("FC7", "$ 1,00", "TA0801", "", "y"),
        ("FC10031", "$ 1.000.000,00", "TA0801", "mil pesos", "z"),
    ]
    found = read(tmp_path, cartas.eps(rows, total=None))
    assert len(found.lineas) == 1
    assert [one.fila for one in found.no_leidas] == [3, 4, 5]
    assert "ver anexo" in found.no_leidas[0].texto


def test_a_code_of_no_manual_comes_as_written(tmp_path: Path):
    rows = [("FC1001", "$ 90.000,50", "PE0101", "$ 90.000,50", "Pertinencia")]
    line = read(tmp_path, cartas.eps(rows, total=None)).lineas[0]
    assert (line.codigo, line.codigo_original) == (None, "PE0101")


def test_text_without_titles_and_two_amounts_is_not_guessed(tmp_path: Path):
    before, after = cartas.eps_words("Notificación de glosas", "Cali, 12 de noviembre de 2026")
    found = read(
        tmp_path, cartas.plain_pdf([*before, "FC10023 $ 1.250.000,00 TA0801 $ 125.000,00 mayor valor", *after])
    )
    assert found.lineas == ()
    assert "no dice cuál es el glosado" in found.no_leidas[0].motivo


def test_a_line_with_a_code_and_no_amount_is_reported(tmp_path: Path):
    before, after = cartas.eps_words("Notificación de glosas", "Cali, 12 de noviembre de 2026")
    found = read(tmp_path, cartas.plain_pdf([*before, "FC10023 servicio 890701 TA0801 mayor valor", *after]))
    assert found.lineas == ()
    assert found.no_leidas[0].motivo == "No trae el valor glosado."


def test_a_letter_on_one_invoice_in_words(tmp_path: Path):
    before, after = cartas.eps_words("Devolución de factura", "Cali, 12 de noviembre de 2026")
    words = ["Se devuelve la factura No. FC10023 por la causal DE1601", "por valor de $ 1.250.000,00."]
    found = read(tmp_path, cartas.plain_pdf([*before, *words, *after]))
    assert [(one.factura, one.codigo, one.valor, one.tipo) for one in found.lineas] == [
        ("FC10023", "DE1601", 125_000_000, TipoLinea.DEVOLUCION)
    ]


def test_a_letter_from_tomorrow_gives_no_date(tmp_path: Path):
    found = read(tmp_path, cartas.eps(fecha="Cali, 21 de noviembre de 2026"))
    assert {one.fecha_notificacion for one in found.lineas} == {None}
    assert "21/11/2026" in found.avisos[0]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: cartas.encrypted(cartas.axa()), "protegido con contraseña"),
        (lambda: cartas.axa()[:900], "dañado"),
        (lambda: b"%PDF-1.7\n" + b"\x00\xff" * 5000, "dañado"),
        (lambda: cartas.many_pages(2000), "2000 páginas"),
        (lambda: cartas.many_pages(2), "en blanco"),
        (lambda: cartas.plain_pdf(["Señores: los invitamos a nuestra asamblea anual de prestadores."]), "No parece"),
        (
            lambda: cartas.plain_pdf(["glosa de factura " + "x" * 300] * 400, per_page=400, size=1),
            "desmedida",
        ),
        (lambda: b"\x89PNG\r\n\x1a\n" + b"rota", "dañado"),
    ],
)
def test_what_cannot_be_read_is_one_refusal_with_what_to_do(tmp_path: Path, make, word: str):
    found = read(tmp_path, make())
    assert word in reasons(found)
    assert found.confianza == 0
    assert reasons(found).endswith(".")


def test_a_scanned_letter_without_ocr_goes_to_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = read(tmp_path, cartas.scanned(["EPS DE PRUEBA", "Asunto: glosas de la factura"]))
    assert "tesseract-ocr-spa" in reasons(found)


ocr = pytest.mark.skipif(
    not (shutil.which("tesseract") and pdf_proceso.hay_ocr()),
    reason="NO OCR HERE: install tesseract-ocr and tesseract-ocr-spa to test scanned letters",
)


def _scan() -> list[str]:
    before, after = cartas.eps_words(
        "Devolución de facturas. Radicado No. RAD-2026-00123", "Bogotá D.C., 12 de noviembre de 2026"
    )
    row = "FC10023   $ 1.250.000,00   DE1601   Persona de otro responsable"
    return [*before, "Factura   Valor devuelto   Código   Motivo", row, "TOTAL   $ 1.250.000,00", *after]


@ocr
@pytest.mark.parametrize("kind", ["pdf", "PNG", "TIFF"])
def test_a_scanned_letter_is_read_and_never_sure(tmp_path: Path, kind: str):
    data = cartas.scanned(_scan()) if kind == "pdf" else cartas.picture(_scan(), format_=kind)
    found = read(tmp_path, data)
    assert found.confianza <= OCR_LIMIT
    assert any("OCR" in one for one in found.avisos)
    assert [(one.factura, one.codigo, one.valor, one.tipo) for one in found.lineas] == [
        ("FC10023", "DE1601", 125_000_000, TipoLinea.DEVOLUCION)
    ]
    assert "OCR" in found.lineas[0].avisos[0]
    assert leida_por_ocr(found.lineas[0])
    assert found.lineas[0].radicado == "RAD-2026-00123"


@ocr
def test_a_picture_without_letters_is_said_so(tmp_path: Path):
    assert "no se reconoce texto" in reasons(read(tmp_path, cartas.picture([])))


def test_amounts_and_codes_in_a_line():
    assert montos("1 $ 1.250.000,00 del 03/10/2026 y 573480.00 (1.250,00)") == [
        "$ 1.250.000,00",
        "573480.00",
        "(1.250,00)",
    ]
    assert montos("NIT 860.002.184-6 y código 890701") == []
    assert ultimo_monto("CONSULTA 85.400,00 25.400,00 ") == "25.400,00"
    assert ultimo_monto("CONSULTA 1 85400 60000 TA0201 25400") == "25400"
    assert ultimo_monto("CONSULTA 1 85400 TA0201") is None
    assert ultimo_monto("CONSULTA 25.400,00 pesos") is None
    assert codigo_de("mayor valor TA0801, TA08-01") == ("TA0801", "TA08-01")
    assert codigo_de("TA0801 y SO0601") == (None, "")
    assert codigo_de("causal 203 de la tarifa")[0] == "203"
    assert codigo_de("PE0101 no existe") == (None, "PE0101")
    assert codigo_de("sin código") == (None, "")
