"""Figures, findings with two remedies, amendments and the task of a broken check, in Chromium at desk and at hand.

Invariant: at 1366×768 and at 390×844 nothing sticks out of the page, and what is folded opens and is reached by keys.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect

from radica.custodia.store import FolderStore
from radica.entidades.contratos import crear
from radica.entidades.models import Pagador, Prestador
from radica.facturas.juicio import encargo_de, interrumpida, registrar
from radica.facturas.models import Factura
from radica.facturas.validacion.modelo import Clase
from radica.users.models import Rol
from tests.acciones_seed import import_ready
from tests.functional.test_hallazgos import WHY, finding
from tests.plugins.web import House
from tests.plugins.web_chromium import entered, leaving, served

WIDE: ViewportSize = {"width": 1366, "height": 768}
NARROW: ViewportSize = {"width": 390, "height": 844}
LONG = "CORPORACIÓN DE SERVICIOS ESPECIALIZADOS EN SALUD Y ALTA COMPLEJIDAD DE LAS TRES QUEBRADAS IMAGINARIAS I.P.S. S.A.S."


def fits(page: Page, address: str) -> None:
    """Open a page at both widths; nothing sticks out."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (address, size)


def seeded(house: House, folder: Path) -> tuple[int, int]:
    """Return an invoice with two remedies of one code and a broken check behind it, and a contract; names are long."""
    (factura_id,) = import_ready(house.database, FolderStore(house.settings.store), house.clock, folder)
    with house.database.write() as session:
        row = session.get_one(Factura, factura_id)
        assert registrar(session, encargo_de(session, row), interrumpida(house.clock()), at=house.clock())
        place = "usuarios[0].servicios.consultas[1].vrServicio"
        notice = finding("TAR-900", Clase.AVISO, place, dinero=1)
        found = [finding("RVC900", Clase.RECHAZO, place), notice, replace(notice, arreglo="Otro remedio.")]
        row.por_juzgar = 1
        session.flush()
        assert registrar(session, encargo_de(session, row), [*found, *interrumpida(house.clock())], at=house.clock())
        assert row.pagador_id is not None
        session.get_one(Prestador, row.prestador_id).nombre = LONG
        session.get_one(Pagador, row.pagador_id).nombre = LONG
        contract = crear(
            session, prestador_id=row.prestador_id, pagador_id=row.pagador_id, numero="CT-2026-14", modalidad="04",
            desde=date(2026, 1, 1), hasta=date(2026, 12, 31), actor="prueba", at=house.clock(),
        )  # fmt: skip
        provider, made = row.prestador_id, contract.id
    house.entered("ana@norte.example", Rol.FACTURACION, Rol.DIRECCION, Rol.ADMINISTRACION, provider=provider)
    return factura_id, made


def test_the_screens_fit_and_their_acts_work_at_both_widths(house: House, browser: Browser, tmp_path: Path):
    factura, contract = seeded(house, tmp_path)
    with served(house.app) as url, entered(browser, url, "ana@norte.example") as page:
        for path in (
            "/comprobaciones", "/comprobaciones/facturas", "/comprobaciones/facturas?codigo=TAR-900",
            "/comprobaciones/facturas?resultado=esperan", "/validar", "/tareas", "/contratos", "/contratos/nuevo",
            "/contratos/bases", f"/contratos/factura/{factura}", f"/facturas/{factura}", "/portales/muv",
        ):  # fmt: skip
            fits(page, url + path)
        page.goto(f"{url}/tareas")
        with leaving(page):
            page.get_by_role("link", name="Comprobación sin terminar").click()
        expect(page.locator("#hallazgos")).to_contain_text("no pudo terminar")
        _accept_by_keys(page)
        _amend_at_hand(page, f"{url}/contratos/{contract}")
        fits(page, f"{url}/contratos/{contract}")


def _accept_by_keys(page: Page) -> None:
    """Accept one of two remedies with keys alone: the other stays open."""
    rows = page.locator("ul.hallazgos > li", has_text="TAR-900")
    expect(rows).to_have_count(2)
    mine = rows.filter(has_text="Otro remedio.")
    fold = mine.get_by_text("Aceptar o pedir nota crédito")
    fold.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(WHY)
    page.keyboard.press("Tab")
    with leaving(page):
        page.keyboard.press("Enter")
    expect(mine).to_contain_text("Lo aceptó")
    expect(page.locator("li.aceptado")).to_have_count(1)


def _amend_at_hand(page: Page, address: str) -> None:
    """Write an amendment on a narrow screen, first wrong: the page says where and keeps what was typed."""
    page.set_viewport_size(NARROW)
    page.goto(address)
    page.get_by_text("Registrar un otrosí").click()
    form = page.locator("form[action$='/otrosi']")
    form.get_by_label("Rige desde").fill("2026-01-01")
    form.get_by_label("Días para pagar").fill("45")
    with leaving(page):
        form.get_by_role("button", name="Guardar el otrosí").click()
    expect(form).to_contain_text("Un otrosí empieza después que su contrato")
    expect(form.get_by_label("Días para pagar")).to_have_value("45")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    form.get_by_label("Rige desde").fill("2026-07-01")
    with leaving(page):
        form.get_by_role("button", name="Guardar el otrosí").click()
    expect(page.locator("#otrosies tbody tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
