"""«Elegir todo el filtro»: how much it is, said before it acts; what moved meanwhile or is too much does nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from radica.glosas.bandeja import filter_work
from radica.glosas.models import Glosa
from radica.kernel.clock import civil_date
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.functional.test_glosas_trabajo import lines, row
from tests.plugins.web import House

ALL = "/glosas/glosas/filtro"


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)


def send(browser: Browser, which: str, **values: str) -> None:
    """Send one of the two forms of the page."""
    (form,) = browser.tree().xpath(f"//form[@id='{which}']")
    browser.raw("POST", form.get("action"), data={**dict(form.form_values()), **values}, follow_redirects=True)


def test_all_that_the_filter_shows_gets_an_owner(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 60)
    other = lines(house, ips, 2, codigo="FA0202")
    luis = house.person("luis@norte.example", {ips: (Rol.GLOSAS,)}, nombre="Luis Prueba")
    ana.open("/glosas?familia=TA")
    (link,) = ana.tree().xpath("//tfoot//a[text()='Elegir todo el filtro']/@href")
    ana.open(link)
    assert "60 líneas" in ana.text
    assert "$ 2.718.000" in " ".join(ana.text.split())
    send(ana, "asignar", usuario_id=str(luis))
    assert "60 líneas cambiaron de manos" in ana.text
    assert {row(house, id_).responsable_id for id_ in ids} == {luis}
    assert {row(house, id_).responsable_id for id_ in other} == {None}


def test_more_than_one_part_is_done_whole(
    house: House, ips: int, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_work, "AT_ONCE", 2)
    ids = lines(house, ips, 5)
    me = house.person("ana@norte.example", {})
    ana.open(ALL + "?responsable=sin")
    send(ana, "asignar", usuario_id=str(me))
    assert "5 líneas cambiaron de manos" in ana.text
    assert {row(house, id_).responsable_id for id_ in ids} == {me}


def test_all_is_left_for_a_day_but_what_lapses_sooner(house: House, ips: int, ana: Browser) -> None:
    late, soon = lines(house, ips, 2)
    day = civil_date(house.clock()) + timedelta(days=3)
    with house.database.write() as session:
        session.get_one(Glosa, soon).vence = day - timedelta(days=1)
    ana.open(ALL)
    send(ana, "pendiente", hasta=day.isoformat(), motivo="Falta el contrato.")
    assert "1 línea quedó pendiente" in ana.text
    assert "1 vence antes de ese día y sigue" in ana.text
    assert (row(house, late).pendiente_hasta, row(house, soon).pendiente_hasta) == (day, None)


def test_without_a_day_nothing_is_left_and_the_reason_stays(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    ana.open(ALL)
    send(ana, "pendiente", motivo="Falta el contrato.")
    assert ana.status == 422
    assert ana.tree().xpath("//input[@name='motivo']/@value") == ["Falta el contrato."]
    assert row(house, id_).pendiente_hasta is None


def test_a_filter_that_moved_does_nothing_and_says_what_it_holds_now(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 2)
    ana.open(ALL)
    ids += lines(house, ips, 1)
    send(ana, "asignar")
    assert ana.status == 422
    assert "El filtro cambió: ahora son 3" in ana.text
    assert {row(house, id_).responsable_id for id_ in ids} == {None}


def test_more_than_the_limit_is_refused(house: House, ips: int, ana: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = lines(house, ips, 3)
    ana.open(ALL)
    monkeypatch.setattr(filter_work, "MAX_FILTER", 2)
    send(ana, "asignar")
    assert ana.status == 422
    assert "más de 2 líneas" in ana.text
    assert {row(house, id_).responsable_id for id_ in ids} == {None}


def test_only_lines_where_the_person_answers_are_counted(house: House, ips: int) -> None:
    south = house.provider("IPS del Sur")
    mine, theirs = lines(house, ips, 1), lines(house, south, 1)
    house.person("eva@norte.example", {ips: (Rol.GLOSAS,), south: (Rol.CARTERA,)})
    eva = house.entered("eva@norte.example", Rol.GLOSAS, provider=ips)
    eva.open(ALL)
    assert "1 línea ·" in eva.text
    send(eva, "asignar")
    assert row(house, mine[0]).responsable_id is not None
    assert row(house, theirs[0]).responsable_id is None


def test_nobody_from_outside_gets_a_filter(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    outsider = house.person("otro@sur.example", {house.provider("IPS del Sur"): (Rol.GLOSAS,)})
    ana.open(ALL)
    send(ana, "asignar", usuario_id=str(outsider))
    assert ana.status == 422
    assert "no trabaja glosas" in ana.text
    assert row(house, id_).responsable_id is None
