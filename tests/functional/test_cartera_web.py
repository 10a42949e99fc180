"""What is owed, through its pages: from the list to a payment, another reading, a workbook, and who may not."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from radica.app.handlers.prescripciones import check_prescription
from radica.cartera.models import Liquidacion, PagoFactura
from radica.custodia.models import Pieza
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.users.models import Rol
from tests import factories
from tests.functional.navigators import Browser
from tests.plugins.glosas import day, filed
from tests.plugins.web import House

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n"


@dataclass
class Debt:
    """A provider with an old and a new invoice of one payer, and a paid one."""

    provider: int
    payer: int
    old: int
    new: int

    @property
    def page(self) -> str:
        return f"/cartera/factura/{self.new}/liquidacion"


@pytest.fixture
def debt(house: House) -> Debt:
    house.clock.at = day(8, 20)
    provider = house.provider()
    with house.database.write() as session:
        owner = session.get_one(Prestador, provider)
        payer = factories.pagador(session)
        old = filed(session, at=day(9, 1, year=2023), valor=30_000_000, prestador=owner, pagador=payer)
        new = filed(session, valor=10_000_000, prestador=owner, pagador=payer)
        new.servicio_hasta = new.servicio_desde = day(5, 20).date()
        return Debt(provider, payer.id, old.id, new.id)


@pytest.fixture
def cata(house: House, debt: Debt) -> Browser:
    return house.entered("cata@norte.example", Rol.CARTERA, provider=debt.provider)


def number_of(house: House, invoice: int) -> str:
    with house.database.read() as session:
        return session.get_one(Factura, invoice).numero


def test_every_total_opens_down_to_its_invoices(house: House, debt: Debt, cata: Browser) -> None:
    cata.open("/cartera")
    assert "2 facturas · $ 400.000 en todo el filtro" in cata.text
    assert "6 sep 2026" in cata.text  # three years after the fifth calendar day
    cata.open("/cartera?prescripcion=cerca")
    assert number_of(house, debt.old) in cata.text
    assert number_of(house, debt.new) not in cata.text
    assert "1 factura · $ 300.000" in cata.text
    cata.open(f"/cartera?pagador={debt.payer}&edad=90")
    assert number_of(house, debt.new) in cata.text
    assert "1 factura · $ 100.000" in cata.text
    cata.open("/cartera?edad=30")
    assert "Ninguna con esos filtros" in cata.text
    cata.open("/cartera?despues=basura&edad=x&pagador=99999999999999999999")
    assert cata.status == 200


def test_a_long_list_is_read_page_by_page(house: House, debt: Debt, cata: Browser) -> None:
    with house.database.write() as session:
        owner, old = session.get_one(Prestador, debt.provider), session.get_one(Factura, debt.old)
        payer = factories.pagador(session, nombre="EPS Otra")
        for _ in range(60):
            filed(session, valor=100, prestador=owner, pagador=payer)
        assert old.pagador_id != payer.id
    cata.open("/cartera")
    seen = set(cata.tree().xpath("//table[.//th='Edad']//td[1]/a/text()"))
    (onward,) = cata.tree().xpath("//a[@rel='next']/@href")
    cata.open(onward)
    seen |= set(cata.tree().xpath("//table[.//th='Edad']//td[1]/a/text()"))
    assert len(seen) == 62
    assert cata.tree().xpath("//a[@rel='next']") == []


def test_a_payment_with_its_proof_lowers_the_debt_and_can_be_undone(house: House, debt: Debt, cata: Browser) -> None:
    cata.open(debt.page)
    assert "Ningún pago registrado" in cata.text
    cata.fill(
        f"/cartera/factura/{debt.new}/pagos",
        **{
            "pago-fecha": "2026-07-01", "pago-valor": "60.000,50", "pago-concepto": "giro_directo",
            "pago-referencia": "TR 77", "pago-pruebas": (io.BytesIO(PDF), "comprobante.pdf"),
        },
    )  # fmt: skip
    assert "Quedó registrado: $ 60.000,50" in cata.text
    assert "TR 77" in cata.text
    with house.database.read() as session:
        row = session.scalars(select(PagoFactura)).one()
        assert row.valor == 6_000_050
        piece = session.get_one(Pieza, row.pieza_id)
        assert (piece.clase, piece.case_key) == ("pago", f"factura:{debt.new}")
    cata.fill(f"/cartera/pagos/{row.id}/anular", **{"anular-motivo": " "})
    assert (cata.status, "Escriba por qué se anula" in cata.text) == (422, True)
    cata.open(debt.page)
    cata.fill(f"/cartera/pagos/{row.id}/anular", **{"anular-motivo": "Era de otra factura"})
    assert cata.path == debt.page
    assert "Se anuló: Era de otra factura" in cata.text
    assert cata.tree().xpath(f"//form[@action='/cartera/pagos/{row.id}/anular']") == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"pago-fecha": "2026-08-21"}, "está en el futuro"),
        ({"pago-fecha": ""}, "Escriba la fecha"),
        ({"pago-valor": "mucho"}, "No se entiende el valor"),
        ({"pago-valor": "0"}, "mayor que cero"),
        ({"pago-concepto": "regalo"}, "Not a valid choice"),
        ({"pago-pruebas": (io.BytesIO(b"MZ nada"), "raro.exe")}, "no sirve como evidencia"),
    ],
)
def test_what_was_typed_wrong_is_said_and_nothing_is_lost(
    house: House, debt: Debt, cata: Browser, typed: dict[str, object], said: str
) -> None:
    cata.open(debt.page)
    base = {"pago-fecha": "2026-07-01", "pago-valor": "60.000", "pago-referencia": "TR 77"}
    token = cata.tree().xpath("//input[@name='csrf_token']/@value")[0]
    data = {**base, **typed, "csrf_token": token, "pago-concepto": typed.get("pago-concepto", "pago")}
    answer = cata.raw("POST", f"/cartera/factura/{debt.new}/pagos", data=data, content_type="multipart/form-data")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "TR 77" in text
    assert said in text or said == "Not a valid choice"
    with house.database.read() as session:
        assert session.scalars(select(PagoFactura)).all() == []


def test_another_reading_stands_in_the_address_and_is_kept_with_it(house: House, debt: Debt, cata: Browser) -> None:
    cata.open(debt.page)
    plain = cata.text
    assert "lecturas prudentes" in plain
    (other,) = [one for one in cata.tree().xpath("//a/@href") if "divisor=365" in one and "xlsx" not in one]
    cata.open(other)
    assert "1 lectura cambiada" in cata.text
    cata.fill(f"/cartera/factura/{debt.new}/congelar")
    assert "Quedó guardada la liquidación" in cata.text
    with house.database.read() as session:
        kept = session.scalars(select(Liquidacion)).one()
        assert (kept.parametros["divisor"], kept.corte) == ("365", day(8, 20).date())
    cata.open(f"{debt.page}?divisor=1&corte=ayer")
    assert "no admite «1»" in cata.text
    book = cata.raw("GET", f"{debt.page}.xlsx?divisor=365")
    assert (book.status_code, book.mimetype, book.get_data()[:2]) == (200, XLSX, b"PK")
    assert cata.raw("GET", f"{debt.page}.xlsx?divisor=1").status_code == 422


def test_months_without_a_rate_are_named(debt: Debt, cata: Browser) -> None:
    cata.open(f"{debt.page}?corte=2026-10-10")
    assert "Sin tasa certificada para 2026-09, 2026-10" in cata.text
    assert "sin liquidar" in cata.text


def test_what_is_about_to_prescribe_stands_on_the_day_s_page_and_opens_its_debt(
    house: House, debt: Debt, cata: Browser
) -> None:
    assert check_prescription(house.database, house.clock()) == 1
    cata.open("/hoy")
    assert "1 factura por prescribir" in cata.text
    cata.open("/tareas?clase=vigilar_prescripcion")
    assert f"/cartera/factura/{debt.old}/liquidacion" in cata.tree().xpath("//a/@href")
    assert "C.Co., art. 789" in cata.text


def test_readers_read_and_nobody_else_sees_what_is_owed(house: House, debt: Debt) -> None:
    reader = house.entered("lucia@norte.example", Rol.JURIDICA, provider=debt.provider)
    reader.open(debt.page)
    assert reader.status == 200
    assert reader.tree().xpath("//form[@method='post'][contains(@action, '/cartera/')]") == []
    token = reader.tree().xpath("//input[@name='csrf_token']/@value")
    answer = reader.raw(
        "POST", f"/cartera/factura/{debt.new}/pagos", headers={"X-CSRFToken": token[0] if token else ""}
    )
    assert answer.status_code in (400, 403)
    biller = house.entered("bibi@norte.example", Rol.FACTURACION, provider=debt.provider)
    assert biller.raw("GET", "/cartera").status_code == 403
    assert biller.raw("GET", debt.page).status_code == 403
    other = house.entered("otro@sur.example", Rol.CARTERA)
    assert other.raw("GET", debt.page).status_code == 404
    other.open("/cartera")
    assert "Nada por cobrar" in other.text
