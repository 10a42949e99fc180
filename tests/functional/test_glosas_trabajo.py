"""How a team shares the lines: assign, leave for a day, talk; and answers many equal ones at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from radica.glosas.bandeja.work import escalate, mentions_for
from radica.glosas.bandeja.work_models import AjusteGlosas, Respuesta
from radica.glosas.models import Glosa
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import civil_date
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


def lines(house: House, provider: int, count: int, **more: object) -> list[int]:
    """Add lines of one payer and one code, each of an invoice of its own."""
    with house.database.write() as session:
        payer = factories.pagador(session)
        return [
            seed.objected(session, seed.filed_invoice(session, provider, payer), **more).id  # type: ignore[arg-type]
            for _ in range(count)
        ]


def row(house: House, id_: int) -> Glosa:
    with house.database.read() as session:
        return session.get_one(Glosa, id_)


def tick(browser: Browser, ids: list[int], **values: str) -> None:
    """Tick lines of the tray in view and press a button of its bar; its fields belong to the form by their `form`."""
    tree = browser.tree()
    boxes = set(tree.xpath("//input[@name='ids' and @form='masiva']/@value"))
    assert {str(one) for one in ids} <= boxes, "the tray offers these lines"
    assert tree.xpath(f"//button[@form='masiva' and @name='hacer' and @value='{values['hacer']}']")
    form = browser.form("/glosas/glosas/masiva")
    browser.raw(
        "POST", form.get("action"), data={**dict(form.form_values()), "ids": ids, **values}, follow_redirects=True
    )


def test_ticked_lines_get_an_owner(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 3)
    luis = house.person("luis@norte.example", {ips: (Rol.GLOSAS,)}, nombre="Luis Prueba")
    ana.open("/glosas")
    tick(ana, [ids[0], ids[2]], usuario_id=str(luis), hacer="asignar")
    assert "2 líneas cambiaron de manos" in ana.text
    assert [row(house, id_).responsable_id for id_ in ids] == [luis, None, luis]
    ana.open("/glosas?responsable=sin")
    assert "1 línea ·" in ana.text


def test_the_line_tells_who_handed_it_over(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 12)  # two digits, so that one id is the beginning of another
    luis = house.person("luis@norte.example", {ips: (Rol.GLOSAS,)}, nombre="Luis Prueba")
    ana.open("/glosas")
    tick(ana, [ids[0], ids[11]], usuario_id=str(luis), hacer="asignar")
    with house.database.write() as session:
        session.add(AjusteGlosas(prestador_id=ips, grupo_manual="", escalar_a_id=luis, escalar_dias=2))
        other = session.get_one(Glosa, ids[1])
        other.vence = civil_date(house.clock()) + timedelta(days=1)
        session.flush()
        escalate(session, hoy=civil_date(house.clock()), actor="reloj", at=house.clock())
    told = {}
    for id_ in (ids[0], ids[1], ids[2]):
        ana.open(f"/glosas/glosa/{id_}")
        told[id_] = (ana.text.count("Asignada"), ana.text.count("Escalada: su término se acaba"))
        assert ("a Luis Prueba" in ana.text) is (id_ != ids[2])
    assert told == {ids[0]: (1, 0), ids[1]: (0, 1), ids[2]: (0, 0)}


def test_nobody_from_outside_gets_a_line(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    outsider = house.person("otro@sur.example", {house.provider("IPS del Sur"): (Rol.GLOSAS,)})
    ana.open("/glosas")
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    ana.raw("POST", f"/glosas/glosa/{id_}/asignar", data={"csrf_token": token, "usuario_id": outsider})
    assert ana.status == 404
    assert row(house, id_).responsable_id is None


def test_lines_of_another_provider_are_not_found_in_bulk(house: House, ips: int, ana: Browser) -> None:
    (theirs,) = lines(house, house.provider("IPS del Sur"), 1)
    (mine,) = lines(house, ips, 1)
    ana.open("/glosas")
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    for path, more in (
        ("/glosas/glosas/masiva", {"hacer": "asignar", "usuario_id": ""}),
        ("/glosas/glosas/masiva", {"hacer": "responder"}),
        ("/glosas/masiva/vista", {"decision": "defender", "texto": seed.TEXTO}),
        ("/glosas/masiva/guardar", {"decision": "defender", "texto": seed.TEXTO, f"version-{theirs}": "0"}),
    ):
        ana.raw("POST", path, data={"csrf_token": token, "ids": [mine, theirs], **more})
        assert ana.status == 404, path
    with house.database.read() as session:
        assert session.query(Respuesta).count() == 0


def test_a_pended_line_is_out_of_the_tray_until_its_day(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    day = civil_date(house.clock()) + timedelta(days=3)
    ana.open(f"/glosas/glosa/{id_}")
    ana.fill(f"/glosas/glosa/{id_}/pendiente", hasta=day.isoformat(), motivo="Falta el contrato.")
    assert "Falta el contrato." in ana.text
    ana.open("/glosas")
    assert "No hay glosas por responder" in ana.text
    ana.open("/glosas?pendientes=si")
    assert "1 línea ·" in ana.text
    house.clock.forward(days=3)
    ana = house.browser()
    ana.log_in("ana@norte.example", "cuatro palabras que nadie junta")
    ana.open("/glosas")
    assert "1 línea ·" in ana.text


def test_nothing_waits_beyond_its_term(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    last = row(house, id_).vence
    assert last is not None
    ana.open(f"/glosas/glosa/{id_}")
    ana.fill(
        f"/glosas/glosa/{id_}/pendiente", hasta=(last + timedelta(days=1)).isoformat(), motivo="Falta el contrato."
    )
    assert ana.status == 422
    assert "no puede quedar pendiente más allá de ese día" in ana.text
    assert row(house, id_).pendiente_hasta is None


def test_a_comment_calls_a_colleague_until_they_look(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    luis = house.entered("luis@norte.example", Rol.GLOSAS, provider=ips)
    luis_id = house.person("luis@norte.example", {})
    ana.open(f"/glosas/glosa/{id_}")
    ana.fill(f"/glosas/glosa/{id_}/comentar", texto="@luis ¿tiene el tarifario?")
    assert "se avisó a" in ana.text
    with house.database.read() as session:
        assert [said.texto for _, said, _ in mentions_for(session, luis_id)] == ["@luis ¿tiene el tarifario?"]
    luis.open(f"/glosas/glosa/{id_}")
    assert "¿tiene el tarifario?" in luis.text
    with house.database.read() as session:
        assert mentions_for(session, luis_id) == []


def test_calling_nobody_keeps_nothing(house: House, ips: int, ana: Browser) -> None:
    (id_,) = lines(house, ips, 1)
    ana.open(f"/glosas/glosa/{id_}")
    ana.fill(f"/glosas/glosa/{id_}/comentar", texto="@nadie mire esto")
    assert ana.status == 422
    assert "@nadie" in ana.text


def bulk(browser: Browser, ids: list[int], **values: object) -> None:
    """Tick lines, write one answer, look at each."""
    browser.open("/glosas")
    tick(browser, ids, hacer="responder", usuario_id="")
    browser.fill("/glosas/masiva/vista", **{"decision": "defender", **values})


def test_many_equal_lines_are_answered_after_seeing_each(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 3)
    bulk(ana, ids, texto="La factura {factura} se liquidó según la tarifa pactada.")
    numbers = [cell.text_content() for cell in ana.tree().xpath("//tbody/tr/td[@data-label='Texto']")]
    assert len(set(numbers)) == 3, "each line shows its own text"
    ana.fill("/glosas/masiva/guardar", hacer="terminar")
    assert "3 respuestas quedaron guardadas: 3 aprobadas" in ana.text
    with house.database.read() as session:
        assert {one.estado for one in session.query(Respuesta)} == {EstadoRespuesta.APROBADA}
        assert len({one.texto for one in session.query(Respuesta)}) == 3


def test_a_share_is_accepted_of_each_line(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 2, valor=1_000_001)
    bulk(
        ana, ids, decision="aceptar_parte", porcentaje="25", texto="Se acepta una parte.", motivo="Error nuestro.",
        con_soportes="y",
    )  # fmt: skip
    ana.fill("/glosas/masiva/guardar", hacer="terminar")
    with house.database.read() as session:
        assert [one.valor_aceptado for one in session.query(Respuesta)] == [250_000, 250_000]


def test_what_moved_meanwhile_is_refused_and_the_rest_goes_on(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 3)
    bulk(ana, ids, texto=seed.TEXTO)
    luis = house.entered("luis@norte.example", Rol.GLOSAS, provider=ips)
    luis.open(f"/glosas/glosa/{ids[1]}")
    luis.fill(f"/glosas/glosa/{ids[1]}/respuesta", texto="La de Luis.", decision="defender", hacer="guardar")
    ana.fill("/glosas/masiva/guardar", hacer="terminar")
    assert "2 respuestas quedaron guardadas" in ana.text
    assert "Otra persona escribió su respuesta mientras tanto" in ana.text
    with house.database.read() as session:
        texts = {one.glosa_id: one.texto for one in session.query(Respuesta)}
    assert texts[ids[1]] == "La de Luis."
    assert texts[ids[0]] == texts[ids[2]] == seed.TEXTO


def test_lines_that_are_not_equal_are_shown_in_groups(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 2) + lines(house, ips, 1, codigo="FA0202")
    ana.open("/glosas")
    tick(ana, ids, hacer="responder", usuario_id="")
    assert "no son iguales" in ana.text
    assert len(ana.tree().xpath("//main//form[@action='/glosas/glosas/masiva']")) == 2


def test_a_text_with_an_invented_norm_is_said_for_each_line(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 2)
    bulk(ana, ids, texto="Según la Ley 9999 de 2031, no procede.")
    assert "2 líneas no pueden quedar así" in ana.text
    assert not ana.tree().xpath("//button[@value='terminar']")


def test_above_the_amount_the_bulk_waits_for_another_person(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 2, valor=9_000_000)
    with house.database.write() as session:
        session.add(AjusteGlosas(prestador_id=ips, cuatro_ojos_desde=5_000_000, grupo_manual="", escalar_dias=2))
    bulk(ana, ids, texto=seed.TEXTO)
    ana.fill("/glosas/masiva/guardar", hacer="terminar")
    assert "2 esperan a otra persona" in ana.text


def test_equal_lines_are_found_from_one_of_them(house: House, ips: int, ana: Browser) -> None:
    ids = lines(house, ips, 3)
    lines(house, ips, 1)  # another payer
    ana.open(f"/glosas/glosa/{ids[0]}")
    assert "Hay 2 líneas iguales" in ana.text
    ana.open(f"/glosas/glosa/{ids[0]}/iguales")
    assert len(ana.tree().xpath("//form[@action='/glosas/masiva/vista']//input[@name='ids']")) == 3
