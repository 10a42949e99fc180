"""The ways in: old workbooks (.xls), mails with attachments and tables of their own, titles that people write."""

from __future__ import annotations

import struct
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from radica.glosas.lectura.leer import leer_archivo
from tests.glosas_libros import MOLDES, escribir, libro, zip_de
from tests.outlook import _compound, _Node

HOY = date(2026, 11, 21)
TITULOS = ["Factura", "Código de glosa", "Valor glosado"]


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _cell(y: int, x: int, value: object) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(value), 1) + text)
    return _record(0x0203, struct.pack("<HHHd", y, x, 0, value))


def xls(path: Path, rows: list[list[object]], *, locked: bool = False) -> Path:
    """Write a workbook of Excel 97 (BIFF8): one sheet, texts and numbers."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    sheet += b"".join(_cell(y, x, value) for y, row in enumerate(rows) for x, value in enumerate(row))
    sheet += _record(0x000A, b"")
    name = b"Hoja1"
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    head += _record(0x002F, b"\x01\x00" + b"\x00" * 52) if locked else b""
    at = len(head) + 4 + 8 + len(name) + 4
    head += _record(0x0085, struct.pack("<IBBBB", at, 0, 0, len(name), 0) + name) + _record(0x000A, b"")
    stream = head + sheet
    path.write_bytes(_compound(_Node("Root Entry", None, [_Node("Workbook", stream.ljust(4608, b"\x00"))])))
    return path


def test_a_workbook_of_excel_97_is_read(tmp_path):
    path = xls(tmp_path / "glosas.xls", [TITULOS, ["FE1", "TA0801", 1250.5], ["FE2", "SO3401", 700.0]])
    (reading,) = leer_archivo(path, hoy=HOY)
    assert [(line.fila, line.factura, line.valor) for line in reading.lineas] == [
        (2, "FE1", 125_050),
        (3, "FE2", 70_000),
    ]


def test_a_workbook_of_excel_97_with_a_password_is_refused(tmp_path):
    (reading,) = leer_archivo(xls(tmp_path / "clave.xls", [TITULOS, ["FE1", "TA0801", 1.0]], locked=True), hoy=HOY)
    assert (reading.formato, reading.lineas) == ("", ())


@pytest.mark.parametrize(
    ("at", "data"),
    [(24, b"\xff" * 8), (44, b"\xff" * 4), (60, b"\xff\xff\xff\x0f"), (512, b"\xff" * 32), (1100, b"\x7f" * 40)],
)
def test_a_damaged_workbook_of_excel_97_takes_nothing_down(tmp_path, at, data):
    path = xls(tmp_path / "golpeado.xls", [TITULOS, ["FE1", "TA0801", 1250.5]])
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)
    (reading,) = leer_archivo(path, hoy=HOY)
    assert reading.formato in ("", "generico")
    assert reading.lineas == () or [line.valor for line in reading.lineas] == [125_050]


def test_a_workbook_of_excel_97_that_makes_its_reader_ask_for_gigabytes_is_refused(tmp_path):
    path = xls(tmp_path / "cuatro gigas.xls", [TITULOS, ["FE1", "TA0801", 1250.5]])
    content = path.read_bytes()
    path.write_bytes(content[:53] + b"\x18\xf3\x8bV" + content[56:])
    (reading,) = leer_archivo(path, hoy=HOY)
    assert "dañado" in reading.avisos[0]


def _mail(tmp_path: Path, html: str = "", *adjuntos: Path) -> Path:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "glosas@eps.invalid",
        "ips@ips.invalid",
        "Notificación de glosas",
    )
    message["Date"], message["Message-ID"] = "Fri, 13 Mar 2026 22:10:00 -0500", "<1@eps.invalid>"
    message.set_content("Adjuntamos la relación de glosas.")
    if html:
        message.add_alternative(html, subtype="html")
    for one in adjuntos:
        message.add_attachment(one.read_bytes(), maintype="application", subtype="octet-stream", filename=one.name)
    path = tmp_path / "correo.eml"
    path.write_bytes(message.as_bytes())
    return path


def test_a_mail_gives_what_its_attachments_hold_and_is_silent_about_its_words(tmp_path):
    bundle = zip_de(
        tmp_path / "FC6001.zip",
        {
            "GLOSAS FC6001.xlsx": escribir(tmp_path, "coosalud_correo"),
            "DETALLE FC6001.xlsx": escribir(tmp_path, "coosalud_detalle"),
        },
    )
    readings = leer_archivo(_mail(tmp_path, "", bundle, escribir(tmp_path, "sura")), hoy=HOY)
    assert {one.archivo.rsplit("/", 1)[-1]: one.formato for one in readings} == {
        "DETALLE FC6001.xlsx": "coosalud_detalle",
        "GLOSAS FC6001.xlsx": "coosalud_correo",
        "GLOSAS_MASIVO_01.TXT": "sura",
    }


def test_a_table_in_the_mail_itself_is_read(tmp_path):
    molde = MOLDES["mutual_ser"]
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in molde.tabla() if len(row) > 1
    )
    html = f"<html><body><p>Hola</p><table><tr><td><table>{rows}</table></td></tr></table></body></html>"
    (reading,) = leer_archivo(_mail(tmp_path, html), hoy=HOY)
    assert (reading.formato, reading.total_leido, reading.total_declarado) == ("mutual_ser", 2_600_000, 2_600_000)


def test_a_mail_that_brings_nothing_says_so(tmp_path):
    (reading,) = leer_archivo(_mail(tmp_path, "<p>Descargue sus glosas del portal</p>"), hoy=HOY)
    assert reading.formato == ""
    assert "enlace" in reading.avisos[0]


@pytest.mark.parametrize(
    "titulos",
    [
        ("N° Factura", "Cód. Glosa", "Vr. Glosa"),
        ("No. de factura", "Código de la causal", "Valor de la glosa"),
        ("Nro Factura", "Causal de glosa", "Vlr glosado"),
        ("Número de la factura", "CODIGO", "Total glosado"),
        ("Factura de venta", "Código motivo", "Valor objetado"),
        ("FACTURA ELECTRÓNICA", "Código glosa o devolución", "Valor glosado ($)"),
        ("FACTURA", "Código devolución", "VALOR DEVUELTO"),
        ("Factura No.", "COD GLOSA", "Glosa inicial"),
    ],
)
def test_titles_that_people_write_are_recognised(tmp_path, titulos):
    (reading,) = leer_archivo(libro(tmp_path / "x.xlsx", {"Hoja1": [titulos, ["FE1", "TA0801", 1000]]}), hoy=HOY)
    assert [(line.factura, line.codigo, line.valor) for line in reading.lineas] == [("FE1", "TA0801", 100_000)]
    assert reading.confianza <= 70


def test_the_code_of_the_service_is_not_taken_for_the_glosa_s(tmp_path):
    rows = [["Factura", "Código", "Causal", "Valor glosa"], ["FE1", "890201", "TA0201", 1000]]
    (reading,) = leer_archivo(libro(tmp_path / "x.xlsx", {"Hoja1": rows}), hoy=HOY)
    assert [line.codigo for line in reading.lineas] == ["TA0201"]


@pytest.mark.parametrize("titulo", ["Valor factura", "Valor aceptado", "Cantidad", "Valor a pagar", "Valor servicio"])
def test_another_amount_is_not_taken_for_the_objected_one(tmp_path, titulo):
    rows = [["Factura", "Código de glosa", titulo], ["FE1", "TA0801", 1000]]
    (reading,) = leer_archivo(libro(tmp_path / "x.xlsx", {"Hoja1": rows}), hoy=HOY)
    assert (reading.formato, reading.lineas) == ("", ())


@pytest.mark.parametrize(
    ("textos", "radicado"),
    [
        (["RADICADO: 12345"], "12345"),
        (["Radicado de la cuenta No. 12345"], "12345"),
        (["NÚMERO DE RADICADO", 12345], "12345"),
        (["No. RADICADO:", "GS-2026-0099"], "GS-2026-0099"),
        (["GLOSA A RAD 12345"], "12345"),
        (["Fecha de radicado: 13/03/2026"], None),
        (["Rad. 12345 del 13/03/2026"], "12345"),
    ],
)
def test_the_radicado_above_a_header_is_found_by_its_label(tmp_path, textos, radicado):
    molde = MOLDES["policia"]
    table = [["INFORME"], textos, [], molde.titulos, list(molde.filas[0].values())]
    (reading,) = leer_archivo(escribir(tmp_path, "policia", tabla=table, nombre="informe.xlsx"), hoy=HOY)
    assert reading.lineas[0].radicado == radicado
