"""A lawyer takes two invoices to a dossier that anybody can check; an auditor reads who opened it and checks custody.

The worker, the authority of time (a process of its own), the web and the browser are the real ones; the dossier that was
downloaded is judged by its own verifier, on a bare Python, outside the house.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select

from radica.app.cli.children import stop_all
from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.demo.sellos import start_authority
from radica.app.factory import create_app
from radica.app.handlers.sellar import order_seal
from radica.app.worker import run_worker
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date
from radica.prejuridico.models import Expediente
from radica.prejuridico.states import EstadoExpediente
from radica.users.login import make_hash
from radica.users.models import Rol
from radica.users.services import create_user, grant
from tests.conciliacion_seed import pdf
from tests.expediente_seed import Caso, make_caso
from tests.plugins import filing
from tests.plugins.web import CHEAP, PASSWORD
from tests.plugins.web_chromium import entered, follow, leaving, served

PROCESO = "11001310300120260012300"
NARROW: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1366, "height": 768}
LAWYER, AUDITOR = "julia@ips.example", "aura@ips.example"
AUTHORITY_LIMIT_S = 60
SEAL_TRIES = 60


@dataclass
class Stage:
    """A house with invoices that a payer owes, its address, and a worker that starts when a test lets it."""

    caso: Caso
    url: str
    stop: threading.Event

    def start_worker(self) -> threading.Thread:
        thread = threading.Thread(
            target=run_worker, args=(self.caso.house, ALL_HANDLERS), kwargs={"stop": self.stop}, daemon=True
        )
        thread.start()
        return thread

    def dossier(self) -> Expediente:
        with self.caso.house.db.read() as session:
            row = session.scalars(select(Expediente)).one()
            session.expunge(row)
        return row

    def numbers(self) -> list[str]:
        with self.caso.house.db.read() as session:
            return [session.get_one(Factura, one).numero for one in self.caso.facturas]


@pytest.fixture
def stage(sqlite_url: str, tmp_path: Path) -> Iterator[Stage]:
    bare = filing.house_on(sqlite_url, tmp_path)
    authority, settings = start_authority(bare.settings, os.environ, limit_s=AUTHORITY_LIMIT_S)
    house = replace(bare, settings=settings)
    stop = threading.Event()
    try:
        caso = make_caso(house, 3, whole=True)
        people = ((LAWYER, "Julia Prueba", Rol.JURIDICA), (AUDITOR, "Aura Prueba", Rol.AUDITORIA))
        with house.db.write() as session:
            for mail, name, role in people:
                user = create_user(
                    session, correo=mail, nombre=name, clave_hash=make_hash(PASSWORD, CHEAP), at=house.clock()
                )
                grant(
                    session, usuario_id=user.id, prestador_id=caso.prestador_id, roles=(role,), actor="prueba",
                    at=house.clock(),
                )  # fmt: skip
        with served(create_app(settings, house.db, house.clock, hasher=CHEAP)) as url:
            yield Stage(caso, url, stop)
    finally:
        stop.set()
        stop_all([authority])
        house.db.dispose()


def test_from_what_is_owed_to_a_lawsuit_and_the_audit_of_it(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    worker: threading.Thread | None = None
    with entered(browser, stage.url, LAWYER) as lawyer:
        brings_the_power(lawyer, tmp_path)
        orders(lawyer, stage)
        worker = stage.start_worker()
        sees_it_ready(lawyer)
        looks_at_the_paper(lawyer)
        archive = downloads(lawyer, tmp_path)
        checks_outside(archive, tmp_path / "perito")
        sees_the_seals(lawyer, stage)
        delivers_and_sues(lawyer, stage)
        fits_a_phone(lawyer, stage, lawyers_pages(stage))
    with entered(browser, stage.url, AUDITOR) as auditor:
        says_why(auditor)
        finds(auditor, stage)
        reads_who_opened(auditor)
        verifies(auditor)
        fits_a_phone(auditor, stage, auditors_pages(stage))
    stage.stop.set()
    worker.join(90)
    assert not worker.is_alive()


def section(page: Page, name: str) -> None:
    """Go to a section by the navigation."""
    follow(page, page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first)


def brings_the_power(page: Page, folder: Path) -> None:
    """She brings what only a person has: the power of attorney."""
    power = folder / "poder.pdf"
    power.write_bytes(pdf("Poder especial"))
    section(page, "Prejurídico")
    expect(page.locator(".cifras")).to_contain_text("3 facturas")
    follow(page, page.get_by_role("link", name="Documentos aportados"))
    page.get_by_label("Qué es").select_option("poder")
    page.get_by_label("Fecha del documento").fill("2026-01-15")
    page.get_by_label("Archivo").set_input_files(power)
    follow(page, page.get_by_role("button", name="Guardar"))
    expect(page.locator("#avisos")).to_contain_text("Quedó guardado")
    expect(page.locator("table.tabla tbody tr")).to_have_count(1)


def orders(page: Page, stage: Stage) -> None:
    """She opens the payer and chooses two of its invoices, all by keys, and orders their dossier."""
    section(page, "Prejurídico")
    with leaving(page):
        page.keyboard.press("e")
    expect(page.get_by_text("Todavía no hay expedientes")).to_be_visible()
    section(page, "Prejurídico")
    page.keyboard.press("j")
    with leaving(page):
        page.keyboard.press("Enter")
    expect(page.locator("table[data-rows] tbody tr")).to_have_count(3)
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("2 facturas")
    follow(page, page.get_by_role("button", name="Preparar expediente…"))
    page.get_by_label("Ciudad").fill("Bogotá")
    with leaving(page):
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_contain_text("En preparación")
    expect(page.locator("#avance")).to_contain_text("En espera")
    assert stage.dossier().estado is EstadoExpediente.SOLICITADO


def sees_it_ready(page: Page) -> None:
    """The page says how far it is, and becomes the dossier's without being asked."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Listo", timeout=40_000)
    page.wait_for_load_state()
    expect(page.get_by_text("Con qué se comprueba")).to_be_visible()
    lacking = page.locator(".huecos")
    expect(lacking).to_contain_text("existencia")
    expect(lacking).not_to_contain_text(re.compile("poder", re.IGNORECASE))
    expect(page.locator(".control li", has_text="Poder, certificado")).to_contain_text("parcial")


def looks_at_the_paper(page: Page) -> None:
    """She looks at the PDF beside the page: its sheets are drawn."""
    page.keyboard.press("v")
    first = page.locator("#visor img.pagina").first
    expect(first).to_be_visible()
    assert first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert page.locator("#visor img.pagina").count() > 5
    page.keyboard.press("q")
    expect(page.locator("#visor img.pagina")).to_have_count(0)


def downloads(page: Page, folder: Path) -> Path:
    """She downloads the dossier by its key."""
    with page.expect_download() as started:
        page.keyboard.press("d")
    archive = folder / started.value.suggested_filename
    started.value.save_as(archive)
    assert archive.name == "expediente-1.zip"
    return archive


def checks_outside(archive: Path, folder: Path) -> None:
    """An expert unpacks it and lets its own verifier judge, on a bare Python; one changed byte is named."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    (bag,) = folder.iterdir()
    signed = shutil.which("openssl") is not None
    status, said = verdict_of(bag)
    told = "VÁLIDA" if signed else "FIRMA DEL SELLO NO COMPROBADA"
    assert said.splitlines()[0] == f"VEREDICTO: {told} — sello de demostración, sin valor legal", said
    assert status == (0 if signed else 1)
    touched = max((bag / "data").rglob("*.xml"), key=lambda one: one.stat().st_size)
    whole = touched.read_bytes()
    touched.chmod(0o600)
    touched.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    status, said = verdict_of(bag)
    assert said.startswith("VEREDICTO: ALTERADA"), said
    assert f"ALTERADA: {touched.relative_to(bag).as_posix()}: " in said
    assert status == 1
    touched.write_bytes(whole)
    assert verdict_of(bag)[1].startswith(f"VEREDICTO: {told}")


def verdict_of(bag: Path) -> tuple[int, str]:
    """Run the bag's verifier as its LEEME says, with nothing of this environment but where programs are."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verificar.py"], cwd=bag, capture_output=True, encoding="utf-8", timeout=60,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def sees_the_seals(page: Page, stage: Stage) -> None:
    """Each act of the invoice stands under a seal that an authority stamped; what came after it waits for the next."""
    here = page.url
    follow(page, page.get_by_role("link", name=stage.numbers()[0]).first)
    follow(page, page.get_by_role("link", name="Ver la prueba"))
    assert page.url.endswith("/prueba")
    links = page.locator("li.eslabon")
    assert links.count() >= 4
    stamped = page.locator("li.eslabon-bien")
    expect(stamped).to_have_count(links.count() - 1)
    expect(links.first).to_contain_text("por sellar")  # the liquidation that the dossier froze
    assert order_seal(stage.caso.house.db) == 1
    for _ in range(SEAL_TRIES):
        page.reload()
        if stamped.count() == links.count():
            break
        page.wait_for_timeout(300)
    expect(stamped).to_have_count(links.count())
    expect(links.first).to_contain_text("demostracion")
    expect(links.first).to_contain_text("autoridad no acreditada")
    with page.expect_download() as started:
        links.first.get_by_title("Descargar la prueba de esta actuación").click()
    assert started.value.suggested_filename.endswith(".json")
    page.goto(here)


def delivers_and_sues(page: Page, stage: Stage) -> None:
    """She writes down to whom it went and which process it became."""
    page.locator("#forma-entregar").get_by_label("A quién se entrega").fill("Abogada Rivas")
    follow(page, page.get_by_role("button", name="Registrar la entrega"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Entregado al abogado")
    page.locator("#forma-demandar").get_by_label("Número del proceso").fill(PROCESO)
    follow(page, page.locator("#forma-demandar").get_by_role("button", name="Registrar"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Con demanda presentada")
    expect(page.get_by_text("Se presentó la demanda")).to_be_visible()
    row = stage.dossier()
    assert (row.estado, row.radicado_judicial) == (EstadoExpediente.DEMANDADO, PROCESO)


def says_why(page: Page) -> None:
    """The auditor says for what she reads before she reads."""
    section(page, "Auditoría")
    expect(page.get_by_text("Todavía no ha dicho para qué consulta")).to_be_visible()
    follow(page, page.get_by_role("navigation", name="Auditoría").get_by_role("link", name="Propósito"))
    page.get_by_role("radio").first.check()
    follow(page, page.get_by_role("button", name="Guardar propósito"))
    expect(page.get_by_text("Todavía no ha dicho para qué consulta")).to_have_count(0)


def search(page: Page, typed: str) -> None:
    page.get_by_label("Buscar en todo").fill(typed)
    follow(page, page.get_by_role("button", name="Buscar", exact=True))


def finds(page: Page, stage: Stage) -> None:
    """She finds the dossier's paper by its hash and the invoice by the payer's number; the words stay out of the address."""
    paper = stage.dossier().pdf_sha256
    assert paper is not None
    section(page, "Auditoría")
    search(page, paper)
    expect(page.locator("#huellas tbody tr")).to_have_count(1)
    expect(page.locator("#huellas")).to_contain_text("expediente-1.pdf")
    search(page, "RAD-00001")
    expect(page.locator("#facturas, #envios").first).to_contain_text("RAD-00001")
    assert page.url.endswith("/auditoria/buscar")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size(WIDE)


def reads_who_opened(page: Page) -> None:
    """The log says what the lawyer saw and downloaded, and of which case."""
    follow(page, page.get_by_role("navigation", name="Auditoría").get_by_role("link", name="Accesos", exact=True))
    page.get_by_label("Persona").select_option(label="Julia Prueba")
    page.get_by_label("Qué hizo").select_option("descargar")
    follow(page, page.get_by_role("button", name="Filtrar"))
    rows = page.locator(".aud-accesos tbody tr")
    expect(rows.filter(has_text=re.compile("xpediente")).first).to_be_visible()
    for one in rows.all():
        expect(one).to_contain_text("Julia Prueba")
        expect(one).to_contain_text("Descargó")
    page.get_by_label("Qué hizo").select_option("ver")
    follow(page, page.get_by_role("button", name="Filtrar"))
    expect(rows.first).to_contain_text("Vio")


def verifies(page: Page) -> None:
    """She asks for a verification of all custody; it ends and has nothing to say."""
    follow(page, page.get_by_role("navigation", name="Auditoría").get_by_role("link", name="Integridad"))
    follow(page, page.get_by_role("button", name="Verificar ahora"))
    done = page.get_by_role("link", name="Terminada: ver el resultado")
    expect(done.or_(page.get_by_text("Nada que decir")).first).to_be_visible(timeout=30_000)
    if done.count():
        follow(page, done)
    assert page.locator("table.tabla").count() == 1, page.locator("table.tabla").first.inner_text()
    expect(page.get_by_text("Nada que decir")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("link", name="Informe en PDF").click()
    assert started.value.path().read_bytes().startswith(b"%PDF-")


def lawyers_pages(stage: Stage) -> list[str]:
    caso = stage.caso
    return [
        "/prejuridico",
        f"/prejuridico?pagador={caso.pagador_id}",
        f"/prejuridico/preparar?facturas={caso.facturas[2]}",
        "/prejuridico/expedientes",
        f"/prejuridico/expedientes/{stage.dossier().id}",
        "/prejuridico/aportados",
        f"/facturas/{caso.facturas[0]}",
        f"/facturas/{caso.facturas[0]}/prueba",
        "/cartera",
        f"/cartera/factura/{caso.facturas[0]}/liquidacion",
    ]


def auditors_pages(stage: Stage) -> list[str]:
    day = civil_date(stage.caso.house.clock()).isoformat()
    return [
        "/auditoria",
        "/auditoria/proposito",
        f"/auditoria/muestra?semilla=acordada-{day}&tamano=2",
        "/auditoria/accesos",
        "/auditoria/excepcionales",
        "/auditoria/paciente",
        "/custodia",
        "/custodia/sellos",
        f"/prejuridico/expedientes/{stage.dossier().id}",
    ]


def fits_a_phone(page: Page, stage: Stage, paths: list[str]) -> None:
    """No page scrolls sideways on a narrow screen."""
    page.set_viewport_size(NARROW)
    wide = {}
    for path in paths:
        answer = page.goto(stage.url + path)
        assert answer is not None
        assert answer.status == 200, path
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            wide[path] = width
    page.set_viewport_size(WIDE)
    assert wide == {}
