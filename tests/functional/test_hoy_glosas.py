"""The morning of who answers glosas: what lapses with its money and owner, who speaks to her, the tasks and their end."""

from __future__ import annotations

import pytest

from radica.glosas.models import Glosa
from radica.kernel.money import format_cop
from radica.users.models import ClaseTarea, Rol, Tarea
from radica.users.tasks import open_task
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


@pytest.fixture
def line(house: House, ips: int) -> int:
    with house.database.write() as session:
        invoice = seed.filed_invoice(session, ips, factories.pagador(session))
        return seed.objected(session, invoice).id


def test_a_line_stands_on_the_day_with_its_money_its_missing_owner_and_its_page(
    house: House, ana: Browser, line: int
) -> None:
    with house.database.read() as session:
        row = session.get_one(Glosa, line)
    ana.open("/hoy")
    assert "Por responder al pagador" in ana.text
    assert "sin responsable" in ana.text
    assert format_cop(row.en_disputa).replace("\xa0", " ") in ana.text.replace("\xa0", " ")
    links = ana.tree().xpath(f"//a[@href='/glosas/glosa/{line}']")
    assert links
    ana.open(f"/glosas/glosa/{line}")
    assert ana.status == 200


def test_another_providers_lines_are_not_on_my_day(house: House, line: int) -> None:
    stranger = house.entered("otra@sur.example", Rol.GLOSAS, provider=house.provider("IPS del Sur"))
    stranger.open("/hoy")
    assert "Por responder al pagador" not in stranger.text


def test_a_credit_note_is_closed_with_its_number_once(house: House, ips: int, ana: Browser, line: int) -> None:
    with house.database.write() as session:
        task = open_task(
            session,
            ClaseTarea.EMITIR_NOTA_CREDITO,
            prestador_id=ips,
            case_key=f"glosa:{line}",
            titulo="Emitir nota crédito",
            at=house.clock(),
        ).id
    ana.open("/hoy")
    assert ana.tree().xpath("//a[contains(@href, '/tareas?clase=emitir_nota_credito')]")
    ana.open("/tareas")
    ana.fill(f"/tareas/{task}/cerrar", resultado="NC 118 del 20 de noviembre")
    with house.database.read() as session:
        closed = session.get_one(Tarea, task)
    assert closed.resultado == "NC 118 del 20 de noviembre"
    assert closed.cerrada_por is not None
    ana.open("/tareas")
    assert "No hay tareas" in ana.text


def test_what_only_an_act_settles_is_not_closed_by_a_word(house: House, ips: int, ana: Browser, line: int) -> None:
    with house.database.write() as session:
        open_task(
            session,
            ClaseTarea.APROBAR_RESPUESTA,
            prestador_id=ips,
            case_key=f"glosa:{line}",
            titulo="Aprobar",
            at=house.clock(),
        )
    ana.open("/tareas")
    assert "se cierra en su caso" in ana.text
    assert not ana.tree().xpath("//form[contains(@action, '/cerrar')]")
