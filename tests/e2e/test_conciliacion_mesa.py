"""The working table in a real browser: two values are typed and the third follows, exact totals, the keyboard."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from waitress.server import create_server

from radica.conciliacion.models import Conciliacion
from radica.conciliacion.services import lines_of
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.table import split_of
from radica.kernel.config import load_settings
from radica.users.models import Rol
from tests.conciliacion_seed import NOW, Mesa, make_mesa
from tests.plugins.web import PASSWORD, House

HUGE = 9_007_199_254_740_993
"""Centavos beyond what a number of the browser holds exactly."""


@pytest.fixture
def mesa(house: House) -> Mesa:
    house.clock.at = NOW
    return make_mesa(house.database, house.settings.store.parent, (286_400_050, 400, HUGE))


@pytest.fixture
def page(house: House, mesa: Mesa) -> Iterator[Page]:
    executable = load_settings(os.environ).chromium
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: the table is not looked at")
        pytest.skip("no Chromium on this machine")
    house.person("ana@norte.example", {mesa.prestador_id: (Rol.GLOSAS,)})
    with house.database.write() as session:
        row = mesa.convene(session)
    server = create_server(house.app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        opened = chromium.new_page(viewport={"width": 1366, "height": 768}, locale="es-CO")
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(f"http://127.0.0.1:{server.effective_port}/conciliacion/{row.id}/mesa")
        opened.fill("#correo", "ana@norte.example")
        opened.fill("#clave", PASSWORD)
        opened.keyboard.press("Enter")
        expect(opened.locator("tr[data-linea]")).to_have_count(3)
        yield opened
        assert complaints == []
        chromium.close()
    server.close()
    thread.join(5)


def values(page: Page, row: int) -> list[str]:
    fields = page.locator("tr[data-linea]").nth(row).locator("[data-parte]")
    return [fields.nth(at).input_value() for at in range(3)]


def test_the_third_follows_totals_are_exact_and_the_keys_save(house: House, mesa: Mesa, page: Page) -> None:
    with house.database.read() as session:
        order = {one.glosa_id: at for at, one in enumerate(lines_of(session, session.get_one(Conciliacion, 1)))}
    small, tiny, huge = (order[one] for one in mesa.glosas)
    rows = page.locator("tr[data-linea]")
    rows.nth(small).locator("[data-parte=lev]").fill("1.000,50")
    assert values(page, small) == ["1.000,50", "0", "2.863.000"]
    rows.nth(small).locator("[data-parte=ace]").fill("2000")
    assert values(page, small) == ["1.000,50", "2000", "2.861.000"]
    rows.nth(huge).locator("[data-parte=ace]").fill("0,01")
    assert values(page, huge) == ["0", "0,01", "90.071.992.547.409,92"]
    rows.nth(tiny).locator("[data-parte=lev]").fill("5")  # more than the line disputes
    expect(rows.nth(tiny)).to_have_class("no-suma")
    expect(page.locator("[data-mesa-aviso]")).to_have_text("1 sin cuadrar")
    rows.nth(tiny).locator("[data-parte=lev]").fill("4")
    expect(page.locator("[data-suma=levantado]")).to_have_text("$ 1.004,50")
    expect(page.locator("[data-suma=aceptado]")).to_have_text("$ 2.000,01")
    expect(page.locator("[data-suma=sigue]")).to_have_text("$ 90.071.995.408.409,92")
    rows.nth(0).locator("[data-parte=ace]").press("Enter")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.keyboard.press("Control+Enter")
    expect(page.locator("#avisos")).to_contain_text("Se guardaron 3 líneas")
    with house.database.read() as session:
        lines = lines_of(session, session.get_one(Conciliacion, 1))
        assert split_of(lines[small]) == Reparto(100_050, 200_000, 286_100_000)
        assert split_of(lines[tiny]) == Reparto(400, 0, 0)
        assert split_of(lines[huge]) == Reparto(0, 1, HUGE - 1)
