"""Contracts and price lists through their pages: written, loaded after a look, compared, frozen, and who may not."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from radica.audit.models import Transition
from radica.custodia.backends import open_store
from radica.custodia.services import record_blobs
from radica.entidades.contratos import crear
from radica.entidades.contratos_models import Contrato, Precio, TarifaAplicada, Tarifario
from radica.entidades.models import Prestador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.models import ItemFactura
from radica.glosas.respuesta import templates_store
from radica.users.models import Rol
from tests import factories
from tests.functional.navigators import Browser
from tests.plugins.glosas import day, filed, glosa
from tests.plugins.web import House

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = ("Código", "CUPS", "Descripción", "Tarifa")


def sheet(*rows: tuple[Any, ...], head: tuple[str, ...] = HEAD) -> bytes:
    """Return a workbook with a title above its head and these rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001  equal rows are equal bytes
    page = book.add_worksheet("Lista")
    page.write(0, 0, "LISTA DE PRECIOS 2026")
    page.write_row(2, 0, head)
    for number, row in enumerate(rows, start=3):
        page.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def rips(*services: dict[str, Any], kind: str = "consultas") -> dict[str, Any]:
    """Return a RIPS of one patient with these services."""
    user = {"consecutivo": 1, "numDocumentoIdentificacion": "1020304050", "servicios": {kind: list(services)}}
    return {"numDocumentoIdObligado": "900123456", "numFactura": "FV1", "tipoNota": None, "usuarios": [user]}


def consulta(code: str, value: int, when: str = "2026-05-20 10:00", **more: Any) -> dict[str, Any]:
    return {
        "codConsulta": code, "vrServicio": value, "fechaInicioAtencion": when, "numAutorizacion": None,
        "grupoServicios": "01", "consecutivo": 1, **more,
    }  # fmt: skip


@dataclass
class Deal:
    """A provider, its payer, a contract without lists, and a filed invoice with RIPS."""

    provider: int
    payer: int
    contract: int
    invoice: int

    @property
    def page(self) -> str:
        return f"/contratos/{self.contract}"

    @property
    def bill(self) -> str:
        return f"/contratos/factura/{self.invoice}"


@pytest.fixture
def deal(house: House) -> Deal:
    house.clock.at = day(8, 20)
    provider = house.provider()
    services = rips(
        consulta("890201", 90_600),
        consulta("890301", 45_300, consecutivo=2),
        consulta("890302", 30_000, consecutivo=3, numAutorizacion="A-1"),
        consulta("999999", 12_000, consecutivo=4),
    )
    store = open_store(house.settings)
    stored = store.put(io.BytesIO(json.dumps(services).encode()))
    with house.database.write() as session:
        owner = session.get_one(Prestador, provider)
        payer = factories.pagador(session)
        bill = filed(session, prestador=owner, pagador=payer)
        record_blobs(session, [stored], at=day(6, 1))
        session.flush()
        session.add(
            Documento(
                prestador_id=provider, factura_id=bill.id, sha256=stored.sha256, bytes=stored.bytes, nombre="r.json",
                tipo=TipoDocumento.RIPS, sigla="", media_type="application/json", datos={}, cargado_at=day(6, 1),
                cargado_por="prueba",
            )
        )  # fmt: skip
        row = crear(
            session, prestador_id=provider, pagador_id=payer.id, numero="CT-2026-14", modalidad="04",
            desde=date(2026, 1, 1), actor="prueba", at=day(1, 2),
        )  # fmt: skip
        return Deal(provider, payer.id, row.id, bill.id)


@pytest.fixture
def dora(house: House, deal: Deal) -> Browser:
    return house.entered("dora@norte.example", Rol.DIRECCION, provider=deal.provider)


PRICES = (
    ("C1", 890201, "Consulta de primera vez", "$ 90.600"),
    ("C2", 890301, "Control", "40.000,00"),
    ("C3", "890302", "Otro control", 35000),
)


def load(browser: Browser, deal: Deal, content: bytes, *, name: str = "lista.xlsx", **terms: Any) -> None:
    """Send a list to be looked at."""
    browser.open(deal.page)
    values = {"lista-desde": "2026-01-01", **{f"lista-{key}": value for key, value in terms.items()}}
    browser.fill(f"{deal.page}/tarifario", **{"lista-archivo": (io.BytesIO(content), name), **values})


def load_all(browser: Browser, deal: Deal, content: bytes, **terms: Any) -> None:
    """Load a list to its end."""
    load(browser, deal, content, **terms)
    assert browser.status == 200, browser.text
    browser.fill(f"{deal.page}/tarifario/confirmar")


def test_a_contract_is_written_and_a_second_one_with_its_number_is_refused(
    house: House, deal: Deal, dora: Browser
) -> None:
    dora.open("/contratos/nuevo")
    values = {"pagador": deal.payer, "numero": "CT-9", "desde": "2026-01-01", "dias_pago": "15", "prefijos": "8832, 39"}
    dora.fill("/contratos", **values)
    assert "Contrato CT-9" in dora.text
    assert "15 días calendario" in dora.text
    assert "CUPS que empiezan por 39, 8832" in dora.text
    dora.open("/contratos/nuevo")
    dora.fill("/contratos", **{**values, "numero": "ct 9", "desde": "2026-06-01"})
    assert dora.status == 422
    assert "ya rige desde el 01/01/2026" in dora.text
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Contrato).where(Contrato.pagador_id == deal.payer)) == 2


def test_what_is_wrong_in_a_contract_is_said_at_its_field_and_kept(deal: Deal, dora: Browser) -> None:
    dora.open("/contratos/nuevo")
    dora.fill("/contratos", pagador=deal.payer, numero="CT-77", desde="2026-05-01", hasta="2026-04-01", cucon="abc")
    assert dora.status == 422
    assert "termina antes de empezar" in dora.text
    assert dora.tree().xpath("//input[@name='numero']/@value") == ["CT-77"]


def test_a_list_is_shown_with_its_refused_rows_and_loaded_without_them(house: House, deal: Deal, dora: Browser) -> None:
    bad = (
        (None, None, "sin código", 5),
        ("C5", 890305, "negativo", -3),
        ("C6", 890306, "enorme", 1e15),
        ("C7", 890307, "letras", "por definir"),
    )
    load(dora, deal, sheet(*PRICES, *bad))
    assert "Cargar 3 precios" in dora.text
    assert "el valor es negativo" in dora.text
    assert "falta el código" in dora.text
    assert "el valor no es una cantidad de dinero" in dora.text
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Tarifario)) == 0
    dora.fill(f"{deal.page}/tarifario/confirmar")
    assert "Quedó cargada la versión 1 con 3 precios. 4 filas no entraron." in dora.text
    assert "General v1" in dora.text
    with house.database.read() as session:
        assert dict(session.execute(select(Precio.cups, Precio.valor)).all()) == {
            "890201": 9_060_000,
            "890301": 4_000_000,
            "890302": 3_500_000,
        }


def test_the_same_list_again_adds_nothing_and_a_new_one_leaves_the_old(house: House, deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    load_all(dora, deal, sheet(*PRICES))
    assert "ya estaba cargada" in dora.text
    load_all(dora, deal, sheet(("C1", 890201, "Consulta", 99_000)), desde="2026-07-01")
    assert "versión 2" in dora.text
    with house.database.read() as session:
        rows = session.execute(select(Tarifario.version, Tarifario.desde, Tarifario.filas).order_by(Tarifario.id)).all()
    assert [tuple(one) for one in rows] == [(1, date(2026, 1, 1), 3), (2, date(2026, 7, 1), 1)]


def test_an_invoice_is_compared_frozen_and_downloaded(house: House, deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    dora.open(deal.bill)
    text = dora.text
    assert "En riesgo $ 17.300" in text  # 5.300 too much, 12.000 without a price
    assert "Cobrado de menos $ 5.000" in text
    assert "1020304050" not in text
    dora.fill(f"{deal.bill}/congelar")
    assert "quedó congelada" in dora.text
    assert "íntegra" in dora.text
    with house.database.read() as session:
        row = session.scalars(select(TarifaAplicada)).one()
        link = session.scalars(select(Transition).where(Transition.event == "congelar_tarifa")).one()
        assert (row.de_mas, row.de_menos, row.sin_pactar) == (530_000, 500_000, 1_200_000)
        assert link.facts["hash"] == row.hash
        assert "1020304050" not in json.dumps(row.lineas)
    dora.open(f"/facturas/{deal.invoice}")
    assert "Se congeló la tarifa que le aplicaba" in dora.text
    answer = dora.open(f"{deal.bill}/tarifas.xlsx")
    assert answer.mimetype == XLSX
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[1:]] == ["890201", "890301", "890302", "999999"]
    assert [row[7] for row in rows[1:3]] == [0.0, 5300.0]


def test_only_lines_of_one_kind_are_shown_when_asked(deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    dora.open(f"{deal.bill}?solo=de_mas")
    assert "890301" in dora.text
    assert "890302" not in dora.text


def test_a_version_shows_its_prices_and_gives_back_the_very_file(house: House, deal: Deal, dora: Browser) -> None:
    content = sheet(*PRICES)
    load_all(dora, deal, content)
    with house.database.read() as session:
        number = session.scalars(select(Tarifario.id)).one()
    dora.open(f"/contratos/tarifario/{number}?buscar=890.301")
    assert "Control" in dora.text
    assert "Consulta de primera vez" not in dora.text
    assert dora.open(f"/contratos/tarifario/{number}/archivo").get_data() == content


def test_a_contract_over_soat_takes_its_prices_from_the_base_list(house: House, deal: Deal, dora: Browser) -> None:
    base = f"/contratos/bases/{deal.provider}"
    dora.open("/contratos/bases")
    soat = sheet(("39145", 890201, "Consulta", 51_234), head=("Código SOAT", "CUPS", "Descripción", "Valor"))
    dora.fill(base, **{"lista-archivo": (io.BytesIO(soat), "soat.xlsx"), "lista-desde": "2026-01-01"})
    dora.fill(f"{base}/confirmar")
    assert "SOAT v1" in dora.text
    dora.open(deal.page)
    dora.fill(
        f"{deal.page}/tarifario",
        **{
            "lista-sin_archivo": "y",
            "lista-base": "SOAT",
            "lista-factor": "-10,5",
            "lista-redondeo": "centena",
            "lista-desde": "2026-02-01",
        },
    )
    assert "SOAT -10,50 %" in dora.text
    with house.database.read() as session:
        made = session.scalars(select(Precio).order_by(Precio.id.desc())).first()
        assert made is not None
        assert (made.base, made.valor) == (5_120_000, 4_580_000)  # 51.234 to the hundred; less 10,5 %; to the hundred


def test_a_contract_is_closed_and_a_page_from_before_is_refused(house: House, deal: Deal, dora: Browser) -> None:
    late = house.entered("leo@norte.example", Rol.ADMINISTRACION, provider=deal.provider)
    late.open(deal.page)
    dora.open(deal.page)
    dora.fill(f"{deal.page}/cerrar", **{"cerrar-hasta": "2026-12-31"})
    assert "31 dic 2026" in dora.text
    late.fill(f"{deal.page}/cerrar", **{"cerrar-hasta": "2026-10-31"})
    assert late.status == 409
    with house.database.read() as session:
        assert session.get_one(Contrato, deal.contract).hasta == date(2026, 12, 31)


@pytest.mark.parametrize("role", [Rol.FACTURACION, Rol.GLOSAS, Rol.CARTERA])
def test_who_only_reads_sees_no_form_and_cannot_write(house: House, deal: Deal, role: Rol) -> None:
    reader = house.entered("lee@norte.example", role, provider=deal.provider)
    reader.open(deal.page)
    assert "Cargar una lista" not in reader.text
    token = reader.tree().xpath("//input[@name='csrf_token']/@value")[0]
    for address in (f"{deal.page}/cerrar", f"{deal.page}/tarifario", f"{deal.page}/tarifario/confirmar"):
        assert reader.raw("POST", address, headers={"X-CSRFToken": token}).status_code == 403
    assert reader.open("/contratos/nuevo").status_code == 403


def test_another_house_does_not_see_them(house: House, deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    with house.database.read() as session:
        number = session.scalars(select(Tarifario.id)).one()
    stranger = house.entered("otra@sur.example", Rol.DIRECCION, provider=house.provider("IPS del Sur"))
    for address in (deal.page, deal.bill, f"/contratos/tarifario/{number}", f"/contratos/tarifario/{number}/archivo"):
        assert stranger.open(address).status_code == 404
    stranger.open("/contratos")
    assert "CT-2026-14" not in stranger.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "vacío"),
        (b"PK\x03\x04 nada", "dañado"),
        (b"hola;mundo\n1;2\n3;4\n", "fila de títulos"),
        (
            sheet(("A", 1, "x", 5), head=("Código", "CUPS", "Valor SOAT 2025", "Valor SOAT 2026")),
            "varias columnas de valor",
        ),
        (sheet(("A", 1, "x", "=1+1")), "Ninguna fila se puede cargar"),
    ],
    ids=["empty", "broken", "untitled", "two-prices", "formula"],
)
def test_a_file_that_is_no_list_is_refused_in_words(
    house: House, deal: Deal, dora: Browser, content: bytes, words: str
) -> None:
    load(dora, deal, content, nombre="Mía")
    assert dora.status == 422
    assert words in dora.text
    assert dora.tree().xpath("//input[@name='lista-nombre']/@value") == ["Mía"]
    assert not list(house.settings.incoming.glob("tarifario-*"))


def test_a_list_that_waits_is_of_its_person_alone(house: House, deal: Deal, dora: Browser) -> None:
    load(dora, deal, sheet(*PRICES))
    form = dict(dora.form(f"{deal.page}/tarifario/confirmar").form_values())
    other = house.entered("eva@norte.example", Rol.DIRECCION, provider=deal.provider)
    other.open(deal.page)
    token = other.tree().xpath("//input[@name='csrf_token']/@value")[0]
    answer = other.raw("POST", f"{deal.page}/tarifario/confirmar", data={**form, "csrf_token": token})
    assert answer.status_code == 422
    assert "ya no está a la espera" in other.text
    other.raw("POST", f"{deal.page}/tarifario/confirmar", data={**form, "csrf_token": token, "lista-huella": "../../x"})
    assert other.status == 404


def objected(house: House, deal: Deal, code: str, value: int) -> int:
    """Object to the service of a code by its tariff."""
    from_rips = {"890201": 1, "890301": 2}
    with house.database.write() as session:
        bill = session.get_one(Factura, deal.invoice)
        document = session.scalars(select(Documento.id).where(Documento.factura_id == bill.id)).one()
        item = ItemFactura(
            prestador_id=deal.provider, factura_id=bill.id, documento_id=document, tipo="consultas", usuario=1,
            consecutivo=from_rips[code], codigo=code, descripcion="Consulta", valor=value,
        )  # fmt: skip
        session.add(item)
        session.flush()
        templates_store.sembrar(session, prestador_id=deal.provider, actor="prueba", at=day(8, 1))
        return glosa(session, bill, value, item=item, codigo="TA0201", codigo_original="TA0201", familia="TA").id


def test_the_frozen_tariff_stands_beside_its_glosa_and_answers_it(house: House, deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    line = objected(house, deal, "890201", 9_060_000)
    gloria = house.entered("gloria@norte.example", Rol.GLOSAS, provider=deal.provider)
    gloria.open(f"/glosas/glosa/{line}")
    assert "No hay tarifa congelada" in gloria.text
    gloria.open(deal.bill)
    gloria.fill(f"{deal.bill}/congelar")
    gloria.open(f"/glosas/glosa/{line}")
    assert "Se cobró lo pactado" in gloria.text
    assert "General v1" in gloria.text
    assert "acuerdo CT-2026-14, lista de precios General, versión 1" in gloria.text, "the template is filled with it"
    gloria.fill(f"/glosas/glosa/{line}/respuesta", usar="t0")
    typed = gloria.tree().xpath("//textarea[@name='texto']")[0].text_content()
    assert "se facturó en $ 90.600 y el valor pactado para esa fecha en el contrato CT-2026-14" in typed
    assert gloria.tree().xpath("//input[@name='decision'][@checked]/@value") == ["defender"]


def test_a_tariff_against_us_is_shown_and_offered_as_no_defence(house: House, deal: Deal, dora: Browser) -> None:
    load_all(dora, deal, sheet(*PRICES))
    line = objected(house, deal, "890301", 4_530_000)
    gloria = house.entered("gloria@norte.example", Rol.GLOSAS, provider=deal.provider)
    gloria.open(deal.bill)
    gloria.fill(f"{deal.bill}/congelar")
    gloria.open(f"/glosas/glosa/{line}")
    assert "Se cobró más de lo pactado: sobran $ 5.300" in gloria.text
    assert "nos da la razón" not in gloria.text
    assert "acuerdo CT-2026-14, {clausula}" in gloria.text, "what does not speak for us is left for the person"


def test_who_may_not_freeze_is_refused_and_without_a_contract_nothing_is(house: House, deal: Deal) -> None:
    cata = house.entered("cata@norte.example", Rol.CARTERA, provider=deal.provider)
    cata.open(deal.bill)
    assert "Congelar" not in cata.text
    token = cata.tree().xpath("//input[@name='csrf_token']/@value")[0]
    assert cata.raw("POST", f"{deal.bill}/congelar", headers={"X-CSRFToken": token}).status_code == 403
    with house.database.write() as session:
        other = filed(
            session, prestador=session.get_one(Prestador, deal.provider), pagador=factories.pagador(session)
        ).id
    dora = house.entered("dora@norte.example", Rol.DIRECCION, provider=deal.provider)
    dora.open(f"/contratos/factura/{other}")
    assert "No hay contrato registrado con este pagador" in dora.text
    token = dora.tree().xpath("//input[@name='csrf_token']/@value")[0]
    assert dora.raw("POST", f"/contratos/factura/{other}/congelar", headers={"X-CSRFToken": token}).status_code == 422
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(TarifaAplicada)) == 0
