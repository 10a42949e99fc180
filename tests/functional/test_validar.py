"""Page *Validar*: files dropped in the real form, the verdict, its Excel, and that nothing is left behind."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from radica.app.validar import soltados
from radica.custodia.models import Blob
from radica.facturas.models import Carga, Documento, Factura
from radica.users.models import Rol
from tests.acciones_seed import right_packages, write_package
from tests.functional.navigators import Browser
from tests.plugins.web import House

SECRET = "CC1019283746_HEV_900123456_FE77.pdf"


def files(tmp_path: Path) -> list[Path]:
    (built,) = right_packages(1)
    return write_package(built, tmp_path / "p")


def token(browser: Browser) -> str:
    return str(browser.tree().xpath("//input[@name='csrf_token']/@value")[0])


def dropped(
    browser: Browser, given: list[tuple[bytes, str]], *, excel: bool = False, piece: bool = False
) -> TestResponse:
    """Choose files and press one of the two buttons of the page."""
    browser.open("/validar")
    (form,) = browser.tree().xpath("//form[@id='validar' and @action='/validar']")
    assert form.get("enctype") == "multipart/form-data"
    (other,) = form.xpath(".//button[@formaction]/@formaction")
    return browser.raw(
        "POST",
        other if excel else "/validar",
        data={"csrf_token": token(browser), "archivos": [(io.BytesIO(data), name) for data, name in given]},
        content_type="multipart/form-data",
        headers={"HX-Request": "true"} if piece else {},
    )


def of_paths(paths: list[Path]) -> list[tuple[bytes, str]]:
    return [(path.read_bytes(), path.name) for path in paths]


def left_behind(house: House) -> list[Path]:
    return list(house.settings.incoming.iterdir())


def written(house: House) -> dict[str, int]:
    """Return the files under the house's folder and their sizes; the database's own apart."""
    found = (path for path in house.settings.datos.rglob("*") if path.is_file() and "radica.db" not in path.name)
    return {str(path): path.stat().st_size for path in found}


def test_files_of_one_invoice_are_crossed_and_nothing_is_kept(house: House, tmp_path: Path, log_lines: list[str]):
    browser = house.entered()
    before = written(house)
    dropped(browser, of_paths(files(tmp_path)))
    assert browser.status == 200
    cards = browser.tree().xpath("//section[contains(@class,'validar-ficha')]")
    assert len(cards) == 1
    assert "FIRMA-AUSENTE" in browser.text
    assert browser.page is not None
    assert browser.page.headers["Cache-Control"] == "no-store"
    with house.database.read() as session:
        for model in (Factura, Documento, Carga, Blob):
            assert session.scalar(select(func.count()).select_from(model)) == 0
    assert left_behind(house) == []
    assert written(house) == before
    assert not any(path.name in line for path in files(tmp_path / "otra") for line in log_lines)


def test_a_role_of_any_kind_may_validate(house: House):
    browser = house.entered("cartera@norte.example", Rol.CARTERA)
    browser.open("/hoy")
    assert browser.tree().xpath("//nav//a[@href='/validar']")
    dropped(browser, [(b"hola", "nota.txt")])
    assert browser.status == 200
    assert "No se reconoce" in browser.text


def test_a_broken_file_says_why_and_the_others_are_judged(house: House, tmp_path: Path):
    given = of_paths(files(tmp_path))
    xml = next(one for one in given if one[1].endswith(".xml"))
    browser = house.entered()
    dropped(browser, [*given, (xml[0][: len(xml[0]) // 2], "cortada.xml"), (b"%PDF-1.4 nada", SECRET)])
    assert browser.status == 200
    assert "no se puede leer" in browser.text
    assert "incompleto o cortado" in browser.text
    assert len(browser.tree().xpath("//section[contains(@class,'validar-ficha')]")) >= 2


def test_a_zip_is_opened(house: House, tmp_path: Path):
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for path in files(tmp_path):
            archive.write(path, path.name)
    browser = house.entered()
    dropped(browser, [(box.getvalue(), "todo.zip")])
    assert "todo.zip/" in browser.text
    assert len(browser.tree().xpath("//section[contains(@class,'validar-ficha')]")) == 1


def test_the_script_gets_the_verdict_alone(house: House):
    browser = house.entered()
    answer = dropped(browser, [(b"hola", "nota.txt")], piece=True)
    assert "<html" not in answer.get_data(as_text=True)
    assert "Veredicto" in browser.text


def test_markup_in_a_name_stays_text(house: House):
    browser = house.entered()
    dropped(browser, [(b"hola", "<img src=x onerror=alert(1)>.txt")])
    assert not browser.tree().xpath("//img[@onerror]")
    assert "onerror" in browser.text


def test_no_file_and_too_many_are_refused(house: House, monkeypatch: pytest.MonkeyPatch):
    browser = house.entered()
    dropped(browser, [])
    assert browser.status == 422
    assert "No eligió ningún archivo" in browser.text
    monkeypatch.setattr(soltados, "MAX_FILES", 2)
    dropped(browser, [(b"x", f"{number}.txt") for number in range(3)])
    assert browser.status == 422
    assert "de una vez se comprueban 2" in browser.text


def test_too_many_bytes_are_refused(house: House):
    browser = house.entered()
    body = b'--x\r\nContent-Disposition: form-data; name="archivos"; filename="g.json"\r\n\r\n' + b" " * 41_000_000
    browser.raw("POST", "/validar", data=body + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert browser.status == 413


def test_what_does_not_end_is_given_up_and_nothing_stays(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(soltados, "READ_S", 0.001)
    browser = house.entered()
    dropped(browser, [(b"hola", "nota.txt")])
    assert browser.status == 422
    assert "no se alcanzaron a comprobar" in browser.text
    assert left_behind(house) == []


def test_who_comes_while_others_are_served_is_told(house: House):
    browser = house.entered()
    taken = [soltados._turns.acquire(blocking=False) for _ in range(soltados.AT_ONCE)]
    try:
        assert all(taken)
        dropped(browser, [(b"hola", "nota.txt")])
        assert browser.status == 503
        assert "otras personas" in browser.text
    finally:
        for _ in taken:
            soltados._turns.release()


def test_the_excel_has_every_finding_as_text(house: House, tmp_path: Path):
    browser = house.entered()
    given = of_paths(files(tmp_path))
    answer = dropped(browser, [*given, (b"hola", "=HYPERLINK(1).txt")], excel=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data()))
    rows = book.get_sheet_by_index(0).to_python()
    head = list(rows[0])
    assert head[:5] == ["Factura", "NIT", "Pagador", "Código", "Severidad"]
    found = [dict(zip(head, row, strict=True)) for row in rows[1:]]
    assert {"FIRMA-AUSENTE", "LEC-DESCONOCIDO"} <= {one["Código"] for one in found}
    (strange,) = [one for one in found if one["Código"] == "LEC-DESCONOCIDO"]
    assert strange["Archivo"] == "=HYPERLINK(1).txt"
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as inside:
        assert b"<f>" not in inside.read("xl/worksheets/sheet1.xml"), "what begins with = is a text, not a formula"
    assert all(one["Quién lo arregla"] and one["Qué hacer"] for one in found)


def test_a_stranger_is_asked_to_enter(house: House):
    browser = house.browser()
    browser.raw(
        "POST", "/validar", data={"archivos": [(io.BytesIO(b"x"), "x.xml")]}, content_type="multipart/form-data"
    )
    assert browser.status in (302, 303, 400, 401)


def test_real_answers_of_the_ministry(house: House, muestras: Path):
    browser = house.entered()
    names = ("caso11_fev_attached.xml", "caso11_rips_envuelto.json")
    dropped(browser, [((muestras / name).read_bytes(), name) for name in names])
    text = browser.text
    assert "El Ministerio lo rechaza" in text
    assert "FED129" in text
    assert "renglón" in text
    assert "firma DIAN válida" in text


def test_one_service_under_two_invoices_shows(house: House, muestras: Path):
    first = (muestras / "caso07_rips.json").read_bytes()
    second, times = re.subn(rb'"numFactura": *"[^"]*"', b'"numFactura":"FX999"', first)
    assert times == 1
    browser = house.entered()
    dropped(browser, [(first, "a.json"), (second, "b.json")])
    assert browser.text.count("DUP-SERVICIO") == 2
