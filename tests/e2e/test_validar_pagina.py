"""Page *Validar* in a real browser: files chosen and dropped, the verdict beside the form, the Excel of the same files."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from python_calamine import CalamineWorkbook

from tests.acciones_seed import right_packages, write_package
from tests.plugins.web import House
from tests.plugins.web_chromium import entered, served

DROP = """(zone) => {
  const data = new DataTransfer();
  data.items.add(new File(["hola"], "nota.txt", {type: "text/plain"}));
  zone.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (built,) = right_packages(1)
    return [str(path) for path in write_package(built, tmp_path / "p")]


def test_the_verdict_comes_beside_the_form_and_the_excel_is_of_the_same_files(
    house: House, browser: Browser, files: list[str], tmp_path: Path
):
    house.entered()
    with served(house.app) as url, entered(browser, url, "ana@norte.example") as page:
        page.get_by_role("link", name="Validar", exact=True).click()
        page.get_by_label("Archivos para validar").set_input_files(files)
        expect(page.locator("[data-elegidos]")).to_contain_text("archivos elegidos")
        page.get_by_role("button", name="Validar", exact=True).click()
        expect(page.get_by_role("heading", name="Veredicto")).to_be_visible(timeout=30_000)
        expect(page.locator(".validar-ficha")).to_have_count(1)
        expect(page.get_by_role("button", name="Validar", exact=True)).to_be_enabled()
        with page.expect_download(timeout=30_000) as download:
            page.locator("#resultado [data-excel]").click()
        download.value.save_as(tmp_path / "hallazgos.xlsx")
        rows = CalamineWorkbook.from_path(tmp_path / "hallazgos.xlsx").get_sheet_by_index(0).to_python()
        assert "FIRMA-AUSENTE" in [row[3] for row in rows]
        expect(page.locator(".validar-ficha")).to_have_count(1)
        expect(page.locator("#validar")).to_be_visible()


def test_what_is_dropped_is_judged_and_too_much_is_refused_before_it_is_sent(house: House, browser: Browser):
    house.entered()
    with served(house.app) as url, entered(browser, url, "ana@norte.example") as page:
        page.goto(f"{url}/validar")
        page.locator("[data-soltar]").evaluate(DROP)
        expect(page.locator("[data-elegidos]")).to_have_text("1 archivo elegido, 1 kB")
        page.get_by_role("button", name="Validar", exact=True).click()
        expect(page.get_by_role("heading", name="Archivo suelto")).to_be_visible(timeout=30_000)
        page.reload()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.locator("#archivos").set_input_files(
            [{"name": f"{number}.txt", "mimeType": "text/plain", "buffer": b"x"} for number in range(501)]
        )
        expect(page.locator("[data-error]")).to_contain_text("de una vez se comprueban 500")
        page.get_by_role("button", name="Validar", exact=True).click()
        assert "POST" not in asked
