"""An invoice goes wrong, is mended before anybody refuses it, and gets its CUV: biller, head, worker and the MUV's API.

The checker runs in the real worker, the MUV is the simulated API behind its own certificate, and what the pages say is
held against the ledger of that API, the database and the command line. Norm: Res. 948 de 2026 arts. 3 and 4.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from bots.simulador.muv import Handle, start
from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.demo.data import BuiltPackage
from radica.app.factory import create_app
from radica.app.handlers.juzgar import order_judging
from radica.app.house import House
from radica.app.worker import run_worker
from radica.audit.models import Apunte, Transition
from radica.entidades.models import EstadoPrestador, TipoPagador
from radica.entidades.services import register_payer, register_provider
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.muv.envios import Resultado
from radica.facturas.states import EstadoFactura
from radica.facturas.validacion_models import EnvioMuv, Validacion
from radica.kernel.clock import civil_date
from radica.users.login import make_hash
from radica.users.models import Rol
from radica.users.services import create_user, grant
from tests.plugins import filing
from tests.plugins.web import CHEAP, PASSWORD
from tests.plugins.web_chromium import entered, follow, leaving, served

BILLER, HEAD = "ana@ips.example", "berta@ips.example"
NUMERO, CLAVE = "1000001", "clave-muv-demo"
DEAR = "890701"
LESS = 8_820
"""Whole pesos by which the agreed price of one service is under the billed one."""
MORE = 10_000
"""Whole pesos by which the wrong RIPS bills another service above the invoice."""
WHY = "El pagador reconoció la diferencia por escrito"
TRIES = 100


@dataclass
class Stage:
    """A house that expects a provider's invoice, its address, the API, and both versions of the documents."""

    house: House
    url: str
    muv: Handle
    built: BuiltPackage
    papers: Path

    @property
    def wrong(self) -> list[Path]:
        return sorted((self.papers / "con_error").iterdir())

    @property
    def right(self) -> list[Path]:
        return sorted((self.papers / "bien").iterdir())

    @property
    def rips(self) -> Path:
        return next(one for one in self.right if one.name.startswith("RIPS"))

    def factura(self) -> Factura:
        with self.house.db.read() as session:
            return session.scalars(select(Factura)).one()

    def verdicts(self) -> int:
        with self.house.db.read() as session:
            return len(session.scalars(select(Validacion.id)).all())


def services_of(rips: dict[str, Any]) -> list[tuple[str, int]]:
    """Return code and unit price of what a RIPS bills."""
    names = ("codConsulta", "codProcedimiento", "codTecnologiaSalud")
    found = {}
    for rows in rips["usuarios"][0]["servicios"].values():
        for row in rows:
            code = next((row[name] for name in names if row.get(name)), None)
            price = row.get("vrUnitMedicamento") or row.get("vrUnitOS") or row.get("vrServicio")
            if code is not None and price:
                found[code] = price
    return sorted(found.items())


def write_papers(built: BuiltPackage, folder: Path) -> None:
    """Write the package without its CUV twice: as it is, and with a RIPS that the Ministry refuses."""
    for version in ("bien", "con_error"):
        (folder / version).mkdir(parents=True)
        for path, data in built.contents.items():
            content = data
            if path.name.startswith("ResultadosMSPS"):
                continue
            if version == "con_error" and path.name.startswith("RIPS"):
                rips = json.loads(data)
                first, second = rips["usuarios"][0]["servicios"]["procedimientos"]
                first["codDiagnosticoPrincipal"] = ""
                second["vrServicio"] += MORE
                content = json.dumps(rips).encode()
            (folder / version / path.name).write_bytes(content)


def price_list(rips: Path) -> bytes:
    """Return the Excel of what was agreed: every billed price, and one lower than billed."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Tarifas")
        sheet.write_row(0, 0, ("Código", "Tarifa"))
        for row, (code, price) in enumerate(services_of(json.loads(rips.read_bytes())), start=1):
            sheet.write_row(row, 0, (code, price - LESS if code == DEAR else price))
    return out.getvalue()


def people(house: House, built: BuiltPackage) -> None:
    """Add the provider, its payer and the two who work there."""
    with house.db.write() as session:
        provider = register_provider(
            session, built.package.provider_nit, "IPS de prueba", at=house.clock(), estado=EstadoPrestador.ACTIVO
        )
        register_payer(session, built.package.payer_nit, "EPS de prueba", tipo=TipoPagador.EPS)
        for mail, name, role in ((BILLER, "Ana Prueba", Rol.FACTURACION), (HEAD, "Berta Prueba", Rol.ADMINISTRACION)):
            user = create_user(
                session, correo=mail, nombre=name, clave_hash=make_hash(PASSWORD, CHEAP), at=house.clock()
            )
            grant(
                session, usuario_id=user.id, prestador_id=provider.id, roles=(role,), actor="prueba", at=house.clock()
            )


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    house = filing.house_on(database_url, tmp_path)
    built = next(one for one in filing.packages(4) if one.package.number == "CCP50104")
    write_papers(built, tmp_path / "papeles")
    people(house, built)
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(house, ALL_HANDLERS), kwargs={"stop": stop}, daemon=True)
    with start(tmp_path / "muv") as muv:
        muv.configure(accounts=[{"tipo": "CC", "numero": NUMERO, "clave": CLAVE}], environment="DockerProd")
        worker.start()
        try:
            with served(create_app(house.settings, house.db, house.clock, hasher=CHEAP)) as url:
                yield Stage(house, url, muv, built, tmp_path / "papeles")
        finally:
            stop.set()
            worker.join(90)
            house.db.dispose()
    assert not worker.is_alive()


def test_from_a_rips_that_the_ministry_refuses_to_its_cuv(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    assert by_command(stage.wrong, tmp_path) == (1, {"RVG01", "RVG08"})
    with entered(browser, stage.url, HEAD) as berta:
        agrees_on_prices(berta, stage, tmp_path)
        switches_on(berta, stage)
    with entered(browser, stage.url, BILLER) as ana:
        loads(ana, stage.wrong)
        sees_what_is_wrong(ana, stage)
        opens_the_places(ana)
        is_refused(ana, stage)
        mends(ana, stage)
        accepts(ana, stage)
        validates(ana, stage)
        reads_the_figure(ana)
    assert by_command(stage.right, tmp_path) == (0, set())


def by_command(paths: list[Path], folder: Path) -> tuple[int, set[str]]:
    """Judge files by the command line: how it ends, and the codes that refuse."""
    done = subprocess.run(
        [sys.executable, "-m", "radica.app.cli", "--datos", str(folder / "suelto"), "validar", "--json",
         *map(str, paths)],
        capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    found = [one for result in json.loads(done.stdout)["resultados"] for one in result["hallazgos"]]
    return done.returncode, {one["codigo"] for one in found if one["severidad"] == "rechazo"}


def section(page: Page, name: str) -> None:
    """Go to a section by the navigation."""
    follow(page, page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first)


def confirmed(page: Page, button: Locator) -> None:
    """Press what asks again before it acts, and say yes."""
    button.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    follow(page, page.get_by_role("dialog").get_by_role("button", name="Continuar"))


def agrees_on_prices(page: Page, stage: Stage, folder: Path) -> None:
    """The head writes the contract and loads its price list from Excel, after a look at how it was read."""
    prices = folder / "tarifas.xlsx"
    prices.write_bytes(price_list(stage.rips))
    count = len(services_of(json.loads(stage.rips.read_bytes())))
    since = (civil_date(stage.house.clock()) - timedelta(days=365)).isoformat()
    section(page, "Contratos")
    follow(page, page.get_by_role("link", name="Registrar el primero"))
    page.get_by_label("Pagador").select_option(label=f"EPS de prueba · NIT {stage.built.package.payer_nit}")
    page.get_by_label("Número del contrato").fill(stage.built.package.contract)
    page.get_by_label("Rige desde").fill(since)
    follow(page, page.get_by_role("button", name="Guardar el contrato"))
    expect(page.get_by_text("Sin lista de precios")).to_be_visible()
    load = page.locator("#cargar")
    load.locator("input[type=file]").set_input_files(prices)
    load.get_by_label("Rige desde").fill(since)
    follow(page, load.get_by_role("button", name="Revisar la lista"))
    follow(page, page.get_by_role("button", name=f"Cargar {count} precios"))
    expect(page.locator("#listas")).to_contain_text("rige hoy")


def switches_on(page: Page, stage: Stage) -> None:
    """The head writes the account of the MUV, pins the certificate that the server shows, tries it and switches it on."""
    section(page, "Portales y bots")
    follow(page, page.get_by_role("link", name="Validador de MinSalud"))
    expect(page.locator("table.tabla")).to_contain_text("sin cuenta")
    follow(page, page.get_by_role("link", name="IPS de prueba"))
    page.get_by_label("Dirección del API").fill(stage.muv.url)
    page.get_by_label("Tipo de documento").select_option("CC")
    page.get_by_label("Número de documento").fill(NUMERO)
    page.get_by_label("Clave de SISPRO").fill(CLAVE)
    follow(page, page.get_by_role("button", name="Guardar", exact=True))
    follow(page, page.get_by_role("button", name="Probar la conexión"))
    expect(page.get_by_text("Huella SHA-256")).to_be_visible()
    confirmed(page, page.get_by_role("button", name="Fijar este certificado"))
    follow(page, page.get_by_role("button", name="Probar la conexión"))
    expect(page.get_by_text("aceptó el usuario")).to_be_visible()
    confirmed(page, page.get_by_role("button", name="Prender"))
    expect(page.get_by_text("prendido", exact=True)).to_be_visible()
    assert CLAVE not in page.content()
    assert stage.muv.book.received == []


def loads(page: Page, paths: list[Path]) -> None:
    """The biller loads files and opens the invoice that they became."""
    section(page, "Facturas")
    follow(page, page.get_by_role("link", name=re.compile("^Cargar")).first)
    with leaving(page):  # what is chosen goes up by itself
        page.get_by_label("Archivos para cargar").set_input_files(paths)
    rows = page.locator("table.tabla tbody tr")
    expect(rows).to_have_count(len(paths))
    follow(page, rows.first.get_by_role("link"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("CCP50104")


def judged(page: Page, stage: Stage, times: int) -> None:
    """Wait until the worker judged, and let the page say what it found."""
    for _ in range(TRIES):
        if stage.verdicts() >= times:
            break
        page.wait_for_timeout(200)
    assert stage.verdicts() == times
    with leaving(page):
        page.reload()
    expect(page.get_by_text("Los documentos se están comprobando")).to_have_count(0)


def row_of(page: Page, code: str) -> Locator:
    """Return what the page says of a code."""
    return page.locator("ul.hallazgos > li").filter(has=page.locator("span.mono", has_text=re.compile(f"^{code}$")))


def sees_what_is_wrong(page: Page, stage: Stage) -> None:
    """Both rejections, the price above the agreed one and the missing signatures stand under who mends each."""
    expect(page.get_by_text("Los documentos se están comprobando")).to_be_visible()
    assert order_judging(stage.house.db, stage.house.clock()) == 1  # as the clock does each minute
    judged(page, stage, 1)
    billing = page.locator(".hallazgos-grupo", has=page.get_by_role("heading", name="Lo arregla facturación"))
    expect(billing).to_contain_text("RIPS-TOTAL")
    total = row_of(page, "RIPS-TOTAL")
    expect(total).to_contain_text("10.000")
    dear = row_of(page, "TAR-DE-MAS")
    expect(dear).to_have_count(1)
    expect(dear).to_contain_text("en 2 lugares")  # the dear one, and what the wrong RIPS adds
    expect(dear).to_contain_text("en riesgo $ 18.820")
    expect(row_of(page, "RVG01")).to_contain_text("El Ministerio lo rechaza")
    software = page.locator(".hallazgos-grupo", has=page.get_by_role("heading", name="proveedor tecnológico"))
    expect(software).to_contain_text("FIRMA-AUSENTE")
    assert stage.factura().estado is EstadoFactura.INCOMPLETA


def opens_the_places(page: Page) -> None:
    """One click shows the service in the RIPS and the line in the XML, marked and in view."""
    marked = page.locator("#visor #senalado")
    row_of(page, "RVG01").locator("a[hx-get]").first.click()
    expect(marked).to_be_visible()
    expect(marked).to_be_in_viewport()
    assert marked.evaluate("one => one.tagName") == "TR"
    expect(marked).to_contain_text("902210")
    dear = row_of(page, "TAR-DE-MAS")
    dear.get_by_text("Ver dónde").click()
    dear.locator("a[hx-get]").first.click()
    expect(marked).to_contain_text(DEAR)
    expect(marked).to_be_in_viewport()
    signature = row_of(page, "FIRMA-AUSENTE")
    signature.get_by_text("Ver dónde").click()
    signature.locator("a[hx-get]").first.click()
    expect(page.locator("#visor #senalado .renglon-numero")).to_be_visible()
    expect(marked).to_be_in_viewport()


def is_refused(page: Page, stage: Stage) -> None:
    """While the rejections stand the MUV is not asked, and the page says why."""
    card = page.locator("#muv")
    expect(card).to_contain_text("El comprobador halla lo que el MUV rechazaría: RVG01, RVG08")
    expect(card.get_by_role("button", name="Validar con MinSalud")).to_have_count(0)
    with stage.house.db.read() as session:
        assert session.scalars(select(EnvioMuv)).all() == []


def mends(page: Page, stage: Stage) -> None:
    """The corrected RIPS comes; the old one stays as replaced; the checks find no rejection any more."""
    loads(page, [stage.rips])
    papers = page.locator("#documentos")
    expect(papers.locator("li.docs-viejo")).to_have_count(1)
    expect(papers.locator("li.docs-viejo")).to_contain_text("reemplazado")
    follow(page, page.get_by_role("button", name="Comprobar de nuevo"))
    judged(page, stage, 2)
    for code in ("RVG01", "RIPS-TOTAL", "RVG08"):
        expect(row_of(page, code)).to_have_count(0)
    with stage.house.db.read() as session:
        kept = session.scalars(select(Documento).where(Documento.tipo == TipoDocumento.RIPS)).all()
        assert len({one.sha256 for one in kept}) == 2


def accepts(page: Page, stage: Stage) -> None:
    """She accepts the price that stands above the agreed one, and says why; it stands in the history."""
    dear = row_of(page, "TAR-DE-MAS")
    expect(dear).to_contain_text("en riesgo $ 8.820")
    dear.get_by_text("Aceptar o pedir nota crédito").click()
    dear.get_by_label("Por qué").fill(WHY)
    follow(page, dear.get_by_role("button", name="Aceptar tal como está"))
    expect(row_of(page, "TAR-DE-MAS")).to_contain_text("Lo aceptó Ana Prueba")
    expect(row_of(page, "TAR-DE-MAS")).to_contain_text(WHY)
    story = page.locator(".tarjeta", has=page.get_by_role("heading", name="Historia", exact=True))
    expect(story).to_contain_text("Se aceptó un hallazgo")
    expect(story).to_contain_text(WHY)
    with stage.house.db.read() as session:
        link = session.scalars(select(Transition).where(Transition.event == Apunte.ACEPTAR_HALLAZGO.value)).one()
    assert link.case_key == stage.factura().case_key
    assert link.facts["codigo"] == "TAR-DE-MAS"


def validates(page: Page, stage: Stage) -> None:
    """She asks MinSalud; the worker sends; the CUV comes and the invoice is ready to be filed."""
    confirmed(page, page.get_by_role("button", name="Validar con MinSalud"))
    expect(page.locator("#avisos")).to_contain_text("Se pidió la validación")
    for _ in range(TRIES):
        if stage.factura().cuv is not None:
            break
        page.wait_for_timeout(200)
    with leaving(page):
        page.reload()
    expect(page.locator("#muv")).to_contain_text("Aprobado")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lista")
    (approval,) = stage.muv.book.approved
    row = stage.factura()
    assert (row.estado, row.cuv) == (EstadoFactura.LISTA, approval["cuv"])
    assert len(stage.muv.book.received) == 1
    expect(page.locator("#documentos")).to_contain_text("CUV")
    with stage.house.db.read() as session:
        order = session.scalars(select(EnvioMuv)).one()
    assert (order.resultado, order.cuv) == (Resultado.APROBADO, row.cuv)


def reads_the_figure(page: Page) -> None:
    """The figure of the first pass counts this invoice once, and not as clean."""
    section(page, "Facturas")
    follow(page, page.get_by_role("link", name="Comprobaciones"))
    expect(page.locator(".cifras")).to_contain_text(re.compile(r"Limpieza 1\s*0 %"))
    expect(page.locator(".cifras")).to_contain_text(re.compile(r"Comprobadas\s*1\b"))
    expect(page.get_by_role("row", name=re.compile("EPS de prueba"))).to_contain_text("0 %")
    expect(page.get_by_role("row", name=re.compile("Ana Prueba"))).to_contain_text("0 %")
    expect(page.get_by_role("row", name=re.compile("RVG01"))).to_have_count(1)
