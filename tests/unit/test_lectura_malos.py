"""Files that cannot be read: each has one clear refusal, says what to do, and never takes the machine down."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from radica.app.cli.glosas_leer import document, exit_code
from radica.app.cli.program import main
from radica.glosas.lectura import hojas, planos
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura, NoLeida
from tests.glosas_libros import MOLDES, escribir, libro, plano, zip_de
from tests.outlook import _compound, _Node

HOY = date(2026, 11, 21)
TITULOS = ["Factura", "Código de glosa", "Valor glosado"]


def leer(path: Path) -> Lectura:
    (reading,) = leer_archivo(path, hoy=HOY)
    return reading


def refused(path: Path) -> str:
    """Read a file that must be refused; return what a person is told."""
    reading = leer(path)
    assert (reading.formato, reading.confianza, reading.lineas, reading.total_leido) == ("", 0, (), 0)
    return " ".join(reading.avisos)


def _book(tmp_path: Path) -> bytes:
    return escribir(tmp_path, "sanitas").read_bytes()


def _edited(tmp_path: Path, old: bytes, new: bytes, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """Return the Sanitas workbook with a part of its XML changed."""
    source = escribir(tmp_path, "sanitas")
    target = tmp_path / "editado.xlsx"
    with zipfile.ZipFile(source) as bundle, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in bundle.namelist():
            data = bundle.read(name)
            if name == part:
                assert old in data
                data = data.replace(old, new)
            out.writestr(name, data)
    return target.read_bytes()


ENCRYPTED = _compound(
    _Node("Root Entry", None, [_Node("EncryptedPackage", b"0" * 5000), _Node("EncryptionInfo", b"1" * 5000)])
)


@pytest.mark.parametrize(
    ("nombre", "datos", "dice"),
    [
        ("vacio.xlsx", b"", "vacío"),
        ("blancos.txt", b" \r\n\t\r\n", "vacío"),
        ("clave.xlsx", ENCRYPTED, "contraseña"),
        ("pagina.xls", b"<html><table><tr><td>Factura</td></tr></table></html>", "página web"),
        ("pagina.xls", b"\xef\xbb\xbf\r\n<META http-equiv=x><TABLE><TR>", "página web"),
        ("viejo.xls", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "2003"),
        ("roto.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "dañado"),
        ("binario.xlsx", bytes(range(256)) * 20, "no es una tabla"),
        ("carta.txt", "Señores IPS:\nadjuntamos la relación.\n".encode(), "no tiene columnas"),
        ("otra.csv", b"a;b;c\n1;2;3\n4;5;6\n", "no se reconoció"),
    ],
)
def test_what_is_no_file_of_glosas_is_refused_with_its_reason(tmp_path, nombre, datos, dice):
    path = tmp_path / nombre
    path.write_bytes(datos)
    assert dice in refused(path)


@pytest.mark.parametrize("parte", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(tmp_path, parte):
    data = _book(tmp_path)
    path = tmp_path / "cortado.xlsx"
    path.write_bytes(data[: int(len(data) * parte)])
    assert refused(path)


@pytest.mark.parametrize("at", range(0, 6000, 371))
def test_a_damaged_workbook_never_breaks_the_reading(tmp_path, at):
    data = bytearray(_book(tmp_path))
    at %= len(data)
    data[at : at + 7] = b"\xff" * 7
    path = tmp_path / "golpeado.xlsx"
    path.write_bytes(data)
    assert all(isinstance(one, Lectura) for one in leer_archivo(path, hoy=HOY))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="A3"', b'r="XFD1048576"'),
        (b'r="B3"', b'r="B1048576" s="0" '),
        (b'<row r="3"', b'<row r="999999999"'),
        (b'<c r="A3"', b"<x:c s=\"0\" r='XFD900000'"),
    ],
)
def test_a_sheet_that_claims_a_huge_rectangle_is_refused_before_it_is_opened(tmp_path, old, new):
    path = tmp_path / "enorme.xlsx"
    path.write_bytes(_edited(tmp_path, old, new))
    told = " ".join(note for one in leer_archivo(path, hoy=HOY) for note in one.avisos)
    if b"B1048576" in new:
        assert "más celdas" not in told  # one column more of a million rows still fits
    else:
        assert "más celdas de las que se pueden leer" in told


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="1000000"><c r="AZ1000000"><v>1</v></c></row>',  # every row after it has a lower number
        b'<row r="100000"><c r="AZ100000"><v>1</v></c><c r="Z999999"><v>1</v></c></row>',  # as many digits as its row
    ],
)
def test_a_huge_rectangle_is_found_wherever_its_corner_stands(tmp_path, monkeypatch, row):
    monkeypatch.setattr(hojas, "_CHUNK", 512)
    path = tmp_path / "escondido.xlsx"
    path.write_bytes(_edited(tmp_path, b'<row r="2"', row + b'<row r="2"'))
    assert "más celdas de las que se pueden leer" in refused(path)


def test_a_list_of_texts_that_lies_about_its_length_is_refused(tmp_path):
    path = tmp_path / "miente.xlsx"
    path.write_bytes(_edited(tmp_path, b' uniqueCount="', b' uniqueCount="9999999999', "xl/sharedStrings.xml"))
    assert "dañado" in refused(path)


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "linea.csv"
    path.write_text("Factura;Código de glosa;Valor glosado\n" + "a;b;" * 200_000, encoding="utf-8")
    assert "demasiado largas" in refused(path)


def test_two_million_rows_of_nothing_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(planos, "MAX_LINEAS", 5_000)
    path = plano(tmp_path / "nada.csv", [TITULOS, *([["", "", ""]] * 5_100)], separador=";")
    assert "más líneas" in refused(path)


def test_a_file_of_empty_rows_is_read_as_empty(tmp_path):
    path = plano(tmp_path / "nada.csv", [TITULOS, *([["", "", ""]] * 500)], separador=";")
    reading = leer(path)
    assert (reading.formato, reading.lineas, reading.no_leidas) == ("generico", (), ())
    assert "ninguna fila de datos" in " ".join(reading.avisos)


def test_a_formula_without_its_result_goes_to_the_tray_with_what_to_do(tmp_path):
    rows = [TITULOS, ["FE1", "TA0801", "=500+500"], ["FE2", "TA0801", 700]]
    reading = leer(libro(tmp_path / "formulas.xlsx", {"Hoja1": rows}))
    assert [line.factura for line in reading.lineas] == ["FE2"]
    assert [(row.fila, "fórmula sin calcular" in row.motivo) for row in reading.no_leidas] == [(2, True)]


def test_a_workbook_of_formulas_only_is_refused(tmp_path):
    rows = [TITULOS, *(["=A9", "=B9", "=C9"] for _ in range(4))]
    assert "fórmulas sin calcular" in refused(libro(tmp_path / "formulas.xlsx", {"Hoja1": rows}))


def test_the_closest_layout_and_what_it_lacks_are_told(tmp_path):
    rows = [
        ["NUMERO_FACTURA", "VALOR_GLOSA", "COD_SERVICIO", "SERVICIO", "OTRA"],
        ["FE1", 1, "890201", "Consulta", "x"],
    ]
    told = refused(libro(tmp_path / "casi.xlsx", {"Hoja1": rows}))
    assert "Savia" in told
    assert "MOTIVO_ESP_GLOSA_VALOR_A" in told


@pytest.mark.parametrize(
    ("columna", "celda", "dice"),
    [
        (0, "Consulta general", "números de factura"),
        (1, "890201", "códigos de glosa"),
        (2, "mucho", "valores en dinero"),
    ],
)
def test_a_column_that_does_not_hold_what_it_claims_is_told(tmp_path, columna, celda, dice):
    row = ["FE1", "TA0801", 1000]
    row[columna] = celda
    told = refused(libro(tmp_path / "falso.xlsx", {"Hoja1": [TITULOS, *[row] * 5]}))
    assert f"no trae {dice}" in told
    assert celda not in told


def test_one_bad_file_of_a_delivery_does_not_stop_the_others(tmp_path):
    bundle = zip_de(
        tmp_path / "todo.zip", {"roto.xlsx": b"PK\x03\x04roto", "bueno.xlsx": escribir(tmp_path, "sanitas")}
    )
    readings = leer_archivo(bundle, hoy=HOY)
    assert sorted(one.formato for one in readings) == ["", "sanitas"]
    assert exit_code(readings) == 1


def _run(capsys, *words: str) -> tuple[int, str]:
    code = main(["glosas", "leer", *words])
    return code, capsys.readouterr().out


def test_the_command_answers_with_the_document_and_nothing_else(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out = _run(capsys, str(escribir(tmp_path, "nueva_eps")), "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found)[:4] == ["archivo", "formato", "confianza", "pagador_nit"]
    assert found["total_leido"] == "745000.00"
    assert found["total_declarado"] is None
    line = found["lineas"][0]
    assert (line["factura"], line["tipo"], line["codigo"], line["codigo_original"]) == (
        "FE4001",
        "glosa",
        "FA0202",
        "FA0202",
    )
    assert (line["valor"], line["fecha_notificacion"], line["fecha_radicacion"]) == (
        "15000.00",
        "2026-03-13",
        "2026-02-20",
    )
    assert (line["radicado"], line["numero_glosa"], line["paciente_documento"]) == ("NR-1", "N-1", None)


@pytest.mark.parametrize(
    ("filas", "codigo"),
    [
        ([["FE1", "TA0801", 1000]], 0),
        ([["FE1", "TA0801", 1000], ["", "TA0801", 500]], 1),
        ([["FE1", "TA0801", 1000], ["TOTAL", "", 999]], 1),
        ([["FE1", "TA0801", 1000], ["TOTAL", "", 1000]], 0),
        ([["x", "y", "z"]] * 3, 2),
    ],
)
def test_the_exit_code_says_whether_a_person_is_needed(tmp_path, capsys, monkeypatch, filas, codigo):
    monkeypatch.chdir(tmp_path)
    path = libro(tmp_path / "x.xlsx", {"Hoja1": [TITULOS, *filas]})
    assert _run(capsys, str(path))[0] == codigo
    assert _run(capsys, str(path), "--json")[0] == codigo


def test_the_words_for_a_person_hold_no_patient(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, out = _run(capsys, str(escribir(tmp_path, "salud_total")))
    assert "formato salud_total" in out
    assert "$ 26.000" in out
    assert "10203040" not in out


def test_a_file_that_does_not_exist_is_an_error_of_use(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out = _run(capsys, "nada.xlsx", "--json")
    assert (code, json.loads(out)["error"]["codigo"]) == (2, "no_existe")


def test_a_delivery_of_several_files_is_one_document_over_all(tmp_path):
    bundle = zip_de(
        tmp_path / "todo.zip", {"a.xlsx": escribir(tmp_path, "sanitas"), "b.txt": escribir(tmp_path, "sura")}
    )
    found = document(leer_archivo(bundle, hoy=HOY), "todo.zip")
    assert (found["archivo"], found["formato"], len(found["lineas"])) == ("todo.zip", "varios", 3)
    assert found["total_leido"] == "1307200.50"
    assert [one["formato"] for one in found["lecturas"]] == ["sanitas", "sura"]


def test_a_companion_file_does_not_make_a_delivery_of_several_formats(tmp_path):
    files = {MOLDES[one].archivo: escribir(tmp_path, one) for one in ("coosalud_correo", "coosalud_detalle")}
    readings = leer_archivo(zip_de(tmp_path / "FC6001.zip", files), hoy=HOY)
    found = document(readings, "FC6001.zip")
    assert (found["formato"], found["pagador_nit"], len(found["lineas"])) == ("coosalud_correo", "900226715", 2)
    assert exit_code(readings) == 0


def test_only_whole_readings_are_clean():
    def one(**more: object) -> Lectura:
        base = {"archivo": "x", "formato": "sanitas", "confianza": 100, "pagador_nit": None, "lineas": ()}
        return Lectura(**{**base, "no_leidas": (), "total_leido": 5, "total_declarado": None, **more})  # type: ignore[arg-type]

    assert exit_code([one()]) == 0
    assert exit_code([one(total_declarado=5)]) == 0
    assert exit_code([one(total_declarado=6)]) == 1
    assert exit_code([one(no_leidas=(NoLeida(2, "x"),))]) == 1
    assert exit_code([one(), one(formato="")]) == 1
    assert exit_code([one(formato="")]) == 2
    assert exit_code([]) == 2


def test_every_example_file_is_written_with_its_own_titles():
    assert all(len(molde.filas) >= 1 and len(set(molde.titulos)) == len(molde.titulos) for molde in MOLDES.values())
