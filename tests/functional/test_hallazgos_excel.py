"""Excel of the findings: of the list's filter and of one invoice, only of providers in view, and logged."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from python_calamine import CalamineWorkbook
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.facturas.models import EstadoFactura, Factura, Hallazgo, OrigenHallazgo, Severidad
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.plugins.web import House

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def invoice(house: House, provider: int, number: str, *findings: tuple[str, OrigenHallazgo, str]) -> int:
    """Add an invoice with findings (code, origin, words) and return its id."""
    with house.database.write() as session:
        row = Factura(
            prestador_id=provider, numero=number, numero_clave=number, numero_digitos=number[2:], valor=1_000_00,
            estado=EstadoFactura.LISTA, creada_at=AT,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for code, origin, words in findings:
            session.add(
                Hallazgo(
                    prestador_id=provider, factura_id=row.id, codigo=code, severidad=Severidad.BLOQUEO, lugar="a[0].b",
                    mensaje=words, que_hacer="Corríjalo.", at=AT, origen=origin, clase="rechazo", quien="asistencial",
                    fuente="Rips", linea=12, valor=45_000_50,
                )
            )  # fmt: skip
        return row.id


def rows_of(browser: Browser) -> list[dict[str, object]]:
    assert browser.page is not None
    assert browser.status == 200
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(browser.page.get_data())).get_sheet_by_index(0).to_python()
    return [dict(zip(sheet[0], row, strict=True)) for row in sheet[1:]]


def test_findings_of_the_filter(house: House):
    provider = house.provider(nit="900123456")
    checker, review = OrigenHallazgo.VALIDADOR, OrigenHallazgo.REVISION
    invoice(house, provider, "FE1", ("RVC014", checker, "=2+2"), ("RVG08", checker, "x"), ("RIPS-TOTAL", review, "y"))
    invoice(house, provider, "FE2", ("RVG08", checker, "z"))
    browser = house.entered(provider=provider)
    browser.open("/facturas")
    (link,) = browser.tree().xpath("//a[starts-with(@href,'/facturas/hallazgos.xlsx')]/@href")
    browser.open(link)
    found = rows_of(browser)
    assert sorted((one["Factura"], one["Código"]) for one in found) == [
        ("FE1", "RIPS-TOTAL"),
        ("FE1", "RVC014"),
        ("FE2", "RVG08"),
    ], "what the review tells too is one row"
    (one,) = [each for each in found if each["Código"] == "RVC014"]
    assert (one["NIT"], one["Severidad"], one["Quién lo arregla"]) == (
        "900123456",
        "Rechazo del Ministerio",
        "Quien atendió",
    )
    assert (one["Documento"], one["Ruta"], one["Línea"], one["Qué pasa"]) == ("RIPS", "a[0].b", 12, "=2+2")
    assert one["Valor en riesgo"] == 45_000.50
    assert browser.page is not None
    with zipfile.ZipFile(io.BytesIO(browser.page.get_data())) as inside:
        assert b"<f>" not in inside.read("xl/worksheets/sheet1.xml")
    browser.open("/facturas/hallazgos.xlsx?q=FE2")
    assert [each["Factura"] for each in rows_of(browser)] == ["FE2"]
    with house.database.read() as session:
        logged = session.scalars(select(AccessLog.object).where(AccessLog.action == "exportar")).all()
    assert logged == ["hallazgos:3", "hallazgos:1"]


def test_findings_of_one_invoice_and_of_no_stranger(house: House):
    mine, theirs = house.provider("IPS Norte"), house.provider("IPS Sur")
    own = invoice(house, mine, "FE1", ("RVC014", OrigenHallazgo.VALIDADOR, "x"))
    other = invoice(house, theirs, "FE9", ("RVC014", OrigenHallazgo.VALIDADOR, "x"))
    browser = house.entered("ana@norte.example", Rol.FACTURACION, provider=mine)
    browser.open(f"/facturas/{own}/hallazgos.xlsx")
    assert [one["Factura"] for one in rows_of(browser)] == ["FE1"]
    browser.open(f"/facturas/{other}/hallazgos.xlsx")
    assert browser.status == 404
    browser.open("/facturas/hallazgos.xlsx")
    assert [one["Factura"] for one in rows_of(browser)] == ["FE1"]
