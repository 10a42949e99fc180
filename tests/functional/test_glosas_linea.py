"""A line of the tray from its notice to an approved answer, as the people of a provider do it."""

from __future__ import annotations

from datetime import date

import pytest

from radica.facturas.models import Factura
from radica.glosas.bandeja.work_models import AjusteGlosas, Respuesta
from radica.glosas.codes import Manual
from radica.glosas.models import Glosa
from radica.glosas.states import EstadoRespuesta
from radica.users.models import Rol
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


def one_line(house: House, provider: int, **more: object) -> int:
    with house.database.write() as session:
        return seed.objected(session, seed.filed_invoice(session, provider), **more).id  # type: ignore[arg-type]


def answer(browser: Browser, id_: int, **values: object) -> None:
    browser.open(f"/glosas/glosa/{id_}")
    browser.fill(f"/glosas/glosa/{id_}/respuesta", **{"decision": "defender", "texto": seed.TEXTO, **values})


def test_an_empty_tray_says_what_fills_it(house: House, ips: int) -> None:
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    browser.open("/glosas")
    assert browser.status == 200
    assert "No hay glosas por responder" in browser.text
    browser.open("/glosas/devoluciones")
    assert "No hay devoluciones por responder" in browser.text


def test_from_the_tray_to_an_approved_answer(house: House, ips: int) -> None:
    first, second = one_line(house, ips, valor=9_000_000), one_line(house, ips, valor=1_000_000)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    browser.open("/glosas")
    assert "2 líneas · $ 100.000 en juego" in browser.text
    assert [row.get("data-href") for row in browser.tree().xpath("//tbody/tr")] == [
        f"/glosas/glosa/{first}",
        f"/glosas/glosa/{second}",
    ]
    answer(browser, first, hacer="terminar")
    assert browser.path == f"/glosas/glosa/{second}", "it goes on to the next line of the tray"
    assert "quedó aprobada" in browser.text
    with house.database.read() as session:
        row = session.query(Respuesta).one()
        assert (row.glosa_id, row.codigo, row.estado) == (first, "RE9602", EstadoRespuesta.APROBADA)
        assert row.texto == seed.TEXTO


def test_a_draft_is_kept_and_written_over(house: House, ips: int) -> None:
    line = one_line(house, ips)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    answer(browser, line, texto="", hacer="guardar")
    assert "El borrador quedó guardado." in browser.text
    answer(browser, line, texto="Otra cosa.", hacer="guardar")
    with house.database.read() as session:
        row = session.query(Respuesta).one()
        assert (row.texto, row.estado) == ("Otra cosa.", EstadoRespuesta.BORRADOR)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"texto": ""}, "La respuesta no tiene texto"),
        ({"texto": "Según la Ley 9999 de 2031, no procede."}, "normas que no están en el catálogo"),
        ({"decision": "aceptar_parte", "valor_aceptado": "45.300"}, "menor que $ 45.300"),
        ({"decision": "aceptar_parte", "valor_aceptado": "doce"}, "No se entiende el valor"),
        ({"decision": "aceptar", "motivo": ""}, "Diga por qué se acepta"),
        ({"decision": "subsanar", "texto": "Va el soporte que faltaba."}, "no lleva el soporte"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(house: House, ips: int, values: dict[str, str], words: str) -> None:
    line = one_line(house, ips, valor=4_530_000)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    answer(browser, line, **values, hacer="terminar")
    assert browser.status == 422
    assert words in " ".join(browser.tree().xpath("//*[contains(@class, 'campo-error')]//text()"))
    if values.get("texto"):
        assert browser.tree().xpath("//textarea[@name='texto']")[0].text.strip() == values["texto"]
    with house.database.read() as session:
        assert session.query(Respuesta).count() == 0


def test_accepting_a_part_keeps_its_value_and_supports(house: House, ips: int) -> None:
    line = one_line(house, ips, valor=4_530_000)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    browser.open(f"/glosas/glosa/{line}")
    support = browser.tree().xpath("//input[@name='soportes']/@value")[0]
    answer(
        browser,
        line,
        decision="aceptar_parte",
        valor_aceptado="$ 10.000,50",
        motivo="Error de digitación.",
        soportes=support,
        hacer="terminar",
    )
    with house.database.read() as session:
        row = session.query(Respuesta).one()
        assert (row.codigo, row.valor_aceptado, row.estado) == ("RE9801", 1_000_050, EstadoRespuesta.APROBADA)
        assert row.soportes == [support]


def test_above_the_amount_another_person_approves(house: House, ips: int) -> None:
    line = one_line(house, ips, valor=9_000_000)
    with house.database.write() as session:
        session.add(AjusteGlosas(prestador_id=ips, cuatro_ojos_desde=5_000_000, grupo_manual="", escalar_dias=2))
    ana = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    answer(ana, line, hacer="terminar")
    assert "espera la aprobación de otra persona" in ana.text
    ana.open(f"/glosas/glosa/{line}")
    with house.database.read() as session:
        waiting = session.query(Respuesta).one().id
    assert "la aprueba otra persona" in ana.text
    assert not ana.tree().xpath(f"//form[@action='/glosas/respuestas/{waiting}/aprobar']")
    blind = house.entered("sara@norte.example", Rol.DIRECCION, provider=ips)
    blind.open(f"/glosas/glosa/{line}")
    assert not blind.tree().xpath(f"//form[@action='/glosas/respuestas/{waiting}/aprobar']"), "who cannot read it"
    luis = house.entered("luis@norte.example", Rol.DIRECCION, Rol.GLOSAS, provider=ips)
    luis.open("/glosas?respuesta=por_aprobar")
    assert "1 línea" in luis.text
    luis.open(f"/glosas/glosa/{line}")
    luis.fill(f"/glosas/respuestas/{waiting}/aprobar")
    with house.database.read() as session:
        assert session.query(Respuesta).one().estado is EstadoRespuesta.APROBADA


def test_the_author_cannot_approve_by_hand_made_request(house: House, ips: int) -> None:
    line = one_line(house, ips, valor=9_000_000)
    with house.database.write() as session:
        session.add(AjusteGlosas(prestador_id=ips, cuatro_ojos_desde=5_000_000, grupo_manual="", escalar_dias=2))
    ana = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    answer(ana, line, hacer="terminar")
    with house.database.read() as session:
        row = session.query(Respuesta).one()
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    ana.raw("POST", f"/glosas/respuestas/{row.id}/aprobar", data={"csrf_token": token, "version": row.version})
    assert ana.status == 403
    assert "la aprueba otra persona" in ana.text
    with house.database.read() as session:
        assert session.query(Respuesta).one().estado is EstadoRespuesta.POR_APROBAR


def test_sent_back_it_is_a_draft_with_the_reason(house: House, ips: int) -> None:
    line = one_line(house, ips)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    answer(browser, line, hacer="terminar")
    with house.database.read() as session:
        id_ = session.query(Respuesta).one().id
    browser.open(f"/glosas/glosa/{line}")
    browser.fill(f"/glosas/respuestas/{id_}/devolver", motivo="Falta citar el contrato.")
    assert "Falta citar el contrato." in browser.text
    with house.database.read() as session:
        assert session.query(Respuesta).one().estado is EstadoRespuesta.BORRADOR


def test_a_page_that_is_no_longer_true_changes_nothing(house: House, ips: int) -> None:
    line = one_line(house, ips)
    ana = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    luis = house.entered("luis@norte.example", Rol.GLOSAS, provider=ips)
    answer(ana, line, hacer="guardar", texto="Primera.")
    for browser in (ana, luis):
        browser.open(f"/glosas/glosa/{line}")
    house.clock.forward(minutes=1)
    action = f"/glosas/glosa/{line}/respuesta"
    luis.fill(action, texto="La de Luis.", hacer="guardar")
    ana.fill(action, texto="La de Ana.", hacer="guardar")
    assert ana.status == 409
    with house.database.read() as session:
        assert session.query(Respuesta).one().texto == "La de Luis."


def test_who_does_not_answer_sees_no_form_and_no_health(house: House, ips: int) -> None:
    line = one_line(house, ips, motivo="Paciente con apendicitis que no corresponde.")
    house.person("caja@norte.example", {ips: (Rol.CARTERA,)})
    browser = house.browser()
    browser.log_in("caja@norte.example", PASSWORD)
    for path in ("/glosas", f"/glosas/glosa/{line}"):
        browser.open(path)
        assert browser.status == 200
        assert "apendicitis" not in browser.page.get_data(as_text=True)  # type: ignore[union-attr]
    assert not browser.tree().xpath("//form[contains(@action, '/respuesta')]")
    browser.raw("POST", f"/glosas/glosa/{line}/respuesta", data={"csrf_token": "x"})
    assert browser.status in (400, 403)


def test_a_late_notice_is_offered_with_its_proof(house: House, ips: int) -> None:
    with house.database.write() as session:
        filed = seed.NOTICED.replace(year=2026, month=9, day=1)
        invoice = seed.filed_invoice(session, ips, filed=filed)
        line = seed.objected(session, invoice).id
        assert session.get_one(Glosa, line).extemporanea
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    browser.open(f"/glosas/glosa/{line}")
    assert "Llegó tarde" in browser.text
    assert "RE9502" in browser.text
    assert browser.tree().xpath("//input[@name='decision' and @value='extemporanea']/@checked")
    assert "Calendario CO-hábil" in browser.text


def test_an_old_code_says_which_manual_rules_and_what_it_is_called_today(house: House, ips: int) -> None:
    line = one_line(house, ips)
    with house.database.write() as session:
        row = session.get_one(Glosa, line)
        row.codigo, row.manual, row.familia = "203", Manual.ANTERIOR, "TA"
        session.get_one(Factura, row.factura_id).servicio_hasta = date(2026, 9, 1)
    ana = house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)
    ana.open(f"/glosas/glosa/{line}")
    assert "El código es de otro manual que el que rige" in ana.text
    assert "Hoy equivale a TA0" in ana.text
    with house.database.write() as session:
        session.get_one(Glosa, line).manual = Manual.UNICO
    ana.open(f"/glosas/glosa/{line}")
    assert "de otro manual" not in ana.text
