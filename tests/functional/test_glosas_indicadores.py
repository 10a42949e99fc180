"""Figures that open to the rows that make them, and the files that go out."""

from __future__ import annotations

import io
import re

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from radica.audit.models import AccessLog
from radica.users.models import Rol
from tests import factories
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins.web import House


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)


def lines(house: House, provider: int, *values: int) -> None:
    with house.database.write() as session:
        payer = factories.pagador(session, nombre="EPS Páramo")
        for cents in values:
            seed.objected(session, seed.filed_invoice(session, provider, payer, valor=10_000_000), valor=cents)


def pesos(text: str) -> int:
    return int(re.sub(r"[^0-9]", "", text))


def test_a_figure_opens_to_rows_that_add_up_to_it(house: House, ips: int, ana: Browser) -> None:
    lines(house, ips, 1_000_000, 2_000_000)
    ana.open("/glosas/indicadores")
    assert "Glosa inicial 15,0 %" in ana.text
    assert "EPS Páramo" in ana.text
    for part, total in (("numerador", 30_000), ("denominador", 200_000)):
        ana.open(f"/glosas/indicadores/glosa_inicial?parte={part}")
        cells = ana.tree().xpath("//tbody/tr/td[@data-label='Aporta']")
        assert sum(pesos(one.text_content()) for one in cells) == total


def test_figures_are_of_the_period_and_the_payer_asked(house: House, ips: int, ana: Browser) -> None:
    lines(house, ips, 1_000_000)
    ana.open("/glosas/indicadores?desde=2020-01-01&hasta=2020-12-31")
    assert "no hay facturas radicadas con glosas" in ana.text
    for nonsense in ("/glosas/indicadores?desde=ayer&pagador=x&eje=nada", "/glosas/indicadores/nada"):
        ana.open(nonsense)
        assert ana.status in (200, 404)


def test_nothing_of_another_provider_is_in_a_figure(house: House, ana: Browser) -> None:
    lines(house, house.provider("IPS del Sur"), 1_000_000)
    ana.open("/glosas/indicadores/glosa_inicial")
    assert "Ninguna fila forma este número" in ana.text


def rows_of(page: TestResponse) -> list[list[object]]:
    """Return the rows of a workbook below its heading."""
    return CalamineWorkbook.from_filelike(io.BytesIO(page.get_data())).get_sheet_by_index(0).to_python()[1:]  # type: ignore[return-value]


def test_the_tray_goes_out_as_it_is_filtered(house: House, ips: int, ana: Browser) -> None:
    lines(house, ips, 1_000_000, 2_000_000)
    lines(house, house.provider("IPS del Sur"), 5_000_000)
    page = ana.open("/glosas/glosas/exportar.xlsx?codigo=TA0801")
    assert sorted(str(row[11]) for row in rows_of(page)) == ["10000.0", "20000.0"]
    page = ana.open("/glosas/glosas/exportar.xlsx?codigo=FA0202")
    assert rows_of(page) == []
    with house.database.read() as session:
        logged = session.scalars(select(AccessLog.object).where(AccessLog.action == "exportar")).all()
    assert logged == ["bandeja_glosas:2"]


def test_answers_go_out_in_the_layouts_that_payers_take(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        line = seed.objected(session, seed.filed_invoice(session, ips), numero_glosa="G-77").id
    ana.open(f"/glosas/respuestas/{ips}/excel")
    assert ana.status == 422
    ana.open(f"/glosas/glosa/{line}")
    ana.fill(f"/glosas/glosa/{line}/respuesta", decision="defender", texto=seed.TEXTO, hacer="terminar")
    for layout, name in (("excel", ".xlsx"), ("salud_total", ".txt"), ("dinamica", ".xlsx")):
        page = ana.open(f"/glosas/respuestas/{ips}/{layout}")
        assert page.status_code == 200, ana.text
        assert name in page.headers["Content-Disposition"]
        assert page.get_data()


def test_files_with_patients_need_a_role_that_sees_them(house: House, ips: int) -> None:
    lines(house, ips, 1_000_000)
    caja = house.entered("caja@norte.example", Rol.CARTERA, provider=ips)
    for path in ("/glosas/glosas/exportar.xlsx", f"/glosas/respuestas/{ips}/excel"):
        caja.open(path)
        assert caja.status == 403
