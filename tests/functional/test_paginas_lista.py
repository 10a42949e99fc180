"""Facturas and Hoy: pages that neither skip nor repeat, figures that open, walls between tenants, export, search."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import python_calamine
from sqlalchemy import select

from radica.app.paginas.consultas_facturas import ORDERS, Filtro, page_of
from radica.app.paginas.frases import INTENTOS, LECTURAS, MOVIMIENTOS, TIPOS, state_sentence
from radica.app.paginas.urgencia import SIN_PLAZO, rangos
from radica.audit.models import AccessLog
from radica.entidades.models import Pagador, Prestador
from radica.facturas import states as factura_states
from radica.facturas.models import Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.plazos.calendar import add_business_days
from radica.plazos.rules import estado_fecha
from radica.radicacion.states import EstadoIntento
from radica.users.models import Rol
from tests import factories
from tests.functional.navigators import Browser
from tests.plugins.web import House

TODAY = date(2026, 11, 20)


def seed(house: House, provider: int, count: int, *, prefix: str = "FE", **values: object) -> list[int]:
    """Add invoices of a provider, each a day older than the one before."""
    with house.database.write() as session:
        owner = session.get_one(Prestador, provider)
        payer = session.scalar(select(Pagador).limit(1)) or factories.pagador(session)
        ids = []
        for index in range(count):
            row = factories.factura(session, owner, payer, numero=f"{prefix}{20000 + index}", valor=1_000_00 + index)
            row.expedida_at = datetime(2026, 11, 1, 12, 0, tzinfo=UTC) - timedelta(hours=index)
            row.vence_radicar = add_business_days(TODAY, index % 9) if index % 5 else None
            for name, value in values.items():
                setattr(row, name, value)
            ids.append(row.id)
        return ids


def numbers(browser: Browser) -> list[str]:
    return [str(text) for text in browser.tree().xpath("//table[contains(@class,'tabla')]//tbody//td/a/text()")]


def follow(browser: Browser, rel: str) -> None:
    browser.open(browser.tree().xpath(f"//a[@rel='{rel}']/@href")[0])


def test_a_row_added_meanwhile_neither_repeats_nor_hides_another(any_house: House) -> None:
    provider = any_house.provider()
    seed(any_house, provider, 70)
    browser = any_house.entered(provider=provider)
    browser.open("/facturas")
    first = numbers(browser)
    seed(any_house, provider, 1, prefix="NUEVA", expedida_at=datetime(2026, 11, 19, tzinfo=UTC))
    follow(browser, "next")
    second = numbers(browser)
    assert len(first) == 50
    assert len(second) == 20
    assert not set(first) & set(second)
    assert first + second == [f"FE{20000 + index}" for index in range(70)]
    follow(browser, "prev")
    assert numbers(browser) == first


@pytest.mark.parametrize("orden", [sign + key for key in ORDERS for sign in ("", "-")])
def test_every_order_walks_all_rows_once_and_back(house: House, orden: str) -> None:
    provider = house.provider()
    seed(house, provider, 60)
    seed(house, provider, 60, prefix="SIN", expedida_at=None, vence_radicar=None, valor=None)
    wanted = Filtro(frozenset({provider}), orden=orden)
    with house.database.read() as session:
        there: list[int] = []
        page = page_of(session, wanted, TODAY, after=None, before=None)
        while True:
            there += [row.id for row in page.rows]
            if page.next is None:
                break
            page = page_of(session, wanted, TODAY, after=page.next, before=None)
        back = [row.id for row in page.rows]
        while page.previous is not None:
            page = page_of(session, wanted, TODAY, after=None, before=page.previous)
            back = [row.id for row in page.rows] + back
    assert len(there) == len(set(there)) == 120
    assert back == there


def test_each_figure_of_hoy_opens_the_rows_that_make_it(any_house: House) -> None:
    provider = any_house.provider()
    seed(any_house, provider, 60)
    seed(any_house, provider, 3, prefix="VEN", vence_radicar=date(2026, 11, 3))
    seed(any_house, provider, 4, prefix="ANU", estado=EstadoFactura.ANULADA)
    browser = any_house.entered(provider=provider)
    browser.open("/hoy")
    tiles = [
        (tile.get("href"), *(part.text_content() for part in tile.xpath("./span")[1:3]))
        for tile in browser.tree().xpath("//a[contains(@class,'cifra')]")
    ]
    extra = browser.tree().xpath("//a[contains(@href,'sin_plazo')]")[0]
    total = browser.tree().xpath("//p[@id='por-radicar']/a")[0].text_content()
    assert len(tiles) == 5
    counted = 0
    for href, count, money in tiles:
        browser.open(href)
        assert f"{count} factura" in browser.text
        assert money in browser.text
        assert len(numbers(browser)) == min(50, int(count))
        counted += int(count)
    browser.open(extra.get("href"))
    assert extra.text_content().startswith(f"{len(numbers(browser))} sin plazo")
    assert total.startswith(f"{counted + len(numbers(browser))} facturas por radicar")
    assert counted + len(numbers(browser)) == 63


def test_filters_stay_in_the_address_and_go_away_one_by_one(house: House) -> None:
    provider = house.provider()
    seed(house, provider, 12)
    browser = house.entered(provider=provider)
    browser.open("/facturas?estado=lista&urgencia=1_2&orden=-valor")
    chips = browser.tree().xpath("//a[@class='filtro']")
    assert [chip.text_content().strip() for chip in chips] == ["Lista", "1 a 2 días hábiles"]
    assert chips[0].get("href") == "/facturas?orden=-valor&urgencia=1_2"
    browser.open("/facturas?estado=inventado&urgencia=nunca&desde=ayer&nivel=9&pagador=x&orden=nada&despues=roto")
    assert len(numbers(browser)) == 12


def test_nothing_of_another_tenant_is_seen_counted_found_or_exported(house: House) -> None:
    mine, other = house.provider(), house.provider("IPS Ajena")
    seed(house, mine, 2)
    foreign = seed(house, other, 3, prefix="AJE", radicado="RAD-AJENO-1", estado=EstadoFactura.LISTA)
    browser = house.entered(provider=mine)
    browser.open("/facturas")
    assert "AJE" not in browser.text
    assert "2 facturas" in browser.text
    browser.open(f"/facturas?prestador={other}")
    assert not numbers(browser)
    assert browser.open(f"/facturas/{foreign[0]}").status_code == 404
    browser.open("/hoy")
    assert "AJE" not in browser.text
    for text in ("AJE20000", "RAD-AJENO-1"):
        browser.open("/hoy")
        browser.fill("/buscar", q=text)
        assert "Nada coincide" in browser.text
    assert b"AJE" not in browser.open("/facturas/exportar.xlsx").data


def test_one_exact_hit_goes_straight_there_and_no_hit_leaves_no_trace_in_an_address(house: House) -> None:
    provider = house.provider()
    ids = seed(house, provider, 3)
    seed(house, provider, 1, prefix="RAD", radicado="RAD-77120-X")
    browser = house.entered(provider=provider)
    for text in ("FE20001", "fe-0020001", "FE 20001"):
        browser.open("/hoy")
        browser.fill("/buscar", q=text)
        assert browser.path == f"/facturas/{ids[1]}", text
    browser.open("/hoy")
    browser.fill("/buscar", q="RAD-77120-X")
    assert "RAD20000" in browser.text
    browser.open("/hoy")
    browser.fill("/buscar", q="1032456789")
    assert browser.path == "/buscar"
    assert browser.page is not None
    assert "1032456789" not in browser.page.request.url


def test_the_export_is_the_filter_and_its_reading_is_logged(house: House) -> None:
    provider = house.provider()
    seed(house, provider, 7)
    seed(house, provider, 1, prefix="=CMD", numero="=1+1", estado=EstadoFactura.NO_LISTA)
    browser = house.entered(provider=provider)
    answer = browser.open("/facturas/exportar.xlsx?orden=valor")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert len(rows) == 9
    assert "=1+1" in {row[0] for row in rows}
    assert [row[3] for row in rows[1:]] == sorted(row[3] for row in rows[1:])
    with house.database.read() as session:
        line = session.scalars(select(AccessLog).where(AccessLog.action == "exportar")).one()
        assert (line.prestador_id, line.object) == (provider, "facturas:8")
    assert len(sheet_of(browser, "/facturas/exportar.xlsx?estado=no_lista")) == 2


def sheet_of(browser: Browser, path: str) -> list[list[object]]:
    data = io.BytesIO(browser.open(path).data)
    return [list(row) for row in python_calamine.CalamineWorkbook.from_filelike(data).get_sheet_by_index(0).to_python()]


def test_ordering_a_whole_filter_is_said_before_it_is_done(house: House) -> None:
    provider = house.provider()
    ids = seed(house, provider, 4)
    seed(house, provider, 2, prefix="NO", estado=EstadoFactura.NO_LISTA)
    browser = house.entered(provider=provider)
    browser.open("/facturas/radicar-filtro")
    assert "Se ordena radicar 4 facturas" in browser.text
    sent = {int(value) for value in browser.tree().xpath("//input[@name='factura_ids']/@value")}
    assert sent == set(ids)
    looker = house.entered("mira@norte.example", Rol.CARTERA, provider=provider)
    assert looker.open("/facturas/radicar-filtro").status_code == 403


def test_steps_of_the_filter_are_those_of_the_badge() -> None:
    for today in (TODAY, date(2026, 12, 24), date(2026, 11, 21), date(2026, 1, 1)):
        ranges = rangos(today)
        for shift in range(-40, 60):
            day = today + timedelta(days=shift)
            holds = [
                name
                for name, one in ranges.items()
                if not one.sin and (one.desde is None or day >= one.desde) and (one.hasta is None or day <= one.hasta)
            ]
            assert holds == [estado_fecha(day, today).paso.value], (today, day)
        assert ranges[SIN_PLAZO].sin


def test_every_state_and_event_has_its_sentence() -> None:
    for state in EstadoFactura:
        row = Factura(estado=state, radicado="R-1", nivel_prueba=3, fecha_radicacion=datetime(2026, 11, 14, tzinfo=UTC))
        said = state_sentence(row, "EPS E.P.S.")
        assert said.endswith(".")
        assert ".." not in said
    events = {("factura", event.value) for event in factura_states.EventoFactura}
    assert events <= MOVIMIENTOS.keys()
    assert set(INTENTOS) == set(EstadoIntento)
    assert set(TIPOS) == set(TipoDocumento)
    assert LECTURAS.keys() == {"found", "known_without_number", "absent", "cannot_say"}
    assert not any(re.search(r"[a-z]_[a-z]", text) for text, _ in MOVIMIENTOS.values())
