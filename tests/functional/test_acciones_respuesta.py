"""Answers presented by hand through the page of their envío: registered with proof, refused, withdrawn; by act and role."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Glosa
from radica.glosas.respuesta.presenting import order_answers
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.radicacion.models import Envio
from radica.radicacion.states import EstadoEnvio
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.functional.test_acciones_radicacion import pdf, send
from tests.plugins import glosas as casos
from tests.plugins.web import House


@pytest.fixture
def presented(house: House) -> Callable[..., tuple[Browser, int]]:
    """Return who has one answer to present by hand: the browser on the page of its envío, and its id."""

    def order(*roles: Rol) -> tuple[Browser, int]:
        at = house.clock()
        with house.database.write() as session:
            factura = casos.filed(session, at=at - timedelta(days=40), numero="FE777")
            glosa = casos.glosa(session, factura, notificada_at=at - timedelta(days=20), at=at)
            row = casos.answer(session, glosa, estado=EstadoRespuesta.APROBADA, at=at)
            session.flush()
            envio = order_answers(session, [row.id], actor="persona:1", at=at).envios[0].id
            provider = factura.prestador_id
        browser = house.entered("ana@norte.example", *roles, provider=provider)
        browser.open(f"/radicacion/envios/{envio}")
        return browser, envio

    return order


def _states(house: House, envio: int) -> tuple[EstadoEnvio, EstadoRespuesta | None, EstadoGlosa | None]:
    with house.database.read() as session:
        row = session.get_one(Envio, envio)
        return row.estado, session.scalar(select(Respuesta.estado)), session.scalar(select(Glosa.estado))


def _send(house: House, browser: Browser, envio: int, **typed: str) -> None:
    day = house.clock().strftime("%Y-%m-%dT07:00")
    values = {"radicada-fecha": day, **typed}
    send(browser, f"/radicacion/envios/{envio}/radicada", {"radicada-pruebas": ("acuse.pdf", pdf())}, **values)


@pytest.mark.parametrize("numbered", [False, True])
def test_an_answer_presented_by_hand_with_its_proof(
    house: House, presented: Callable[..., tuple[Browser, int]], numbered: bool
) -> None:
    browser, envio = presented(Rol.GLOSAS)
    assert "Respuesta a glosas de FE777" in browser.text
    assert "ningún bot la tomará" in browser.text
    _send(house, browser, envio, **({"radicada-radicado": "R-1"} if numbered else {"radicada-sin_numero": "y"}))
    assert browser.status == 200, browser.text
    assert "Quedó registrado que se presentó la respuesta, prueba de nivel 3." in browser.text
    ended = EstadoEnvio.RADICADO if numbered else EstadoEnvio.RECIBIDO_SIN_NUMERO
    assert _states(house, envio) == (ended, EstadoRespuesta.PRESENTADA, EstadoGlosa.RESPONDIDA)
    assert "El pagador la rechazó" not in browser.text
    if not numbered:
        assert "no da número" in browser.text
        assert "Sin número 0" in _board(browser)


def _board(browser: Browser) -> str:
    browser.open("/radicacion")
    return browser.text


def test_the_package_of_an_answer_has_its_letter(house: House, presented: Callable[..., tuple[Browser, int]]) -> None:
    browser, envio = presented(Rol.GLOSAS)
    browser.open(f"/radicacion/envios/{envio}/paquete")
    assert browser.page is not None
    with zipfile.ZipFile(io.BytesIO(browser.page.get_data())) as archive:
        assert archive.namelist() == ["Respuesta_FE777-1.pdf"]
        assert archive.read("Respuesta_FE777-1.pdf").startswith(b"%PDF-")
    with house.database.read() as session:
        readings = session.scalars(select(AccessLog.object)).all()
    assert f"carta:envio:{envio}" in readings


def test_without_proof_nothing_is_presented(house: House, presented: Callable[..., tuple[Browser, int]]) -> None:
    browser, envio = presented(Rol.GLOSAS)
    day = house.clock().strftime("%Y-%m-%dT07:00")
    action = f"/radicacion/envios/{envio}/radicada"
    send(browser, action, {}, **{"radicada-fecha": day, "radicada-sin_numero": "y"})
    assert browser.status == 422
    assert _states(house, envio) == (EstadoEnvio.PREPARADO, EstadoRespuesta.EN_ENVIO, EstadoGlosa.FORMULADA)


def test_a_refused_or_withdrawn_answer_is_free_again(
    house: House, presented: Callable[..., tuple[Browser, int]]
) -> None:
    browser, envio = presented(Rol.GLOSAS)
    send(browser, f"/radicacion/envios/{envio}/rechazada", {}, **{"rechazada-motivo": "Fuera de término"})
    assert "Quedó registrado el rechazo. Corrija las respuestas." in browser.text
    assert _states(house, envio) == (EstadoEnvio.RECHAZADO, EstadoRespuesta.APROBADA, EstadoGlosa.FORMULADA)
    browser.open(f"/radicacion/envios/{envio}/paquete")
    assert browser.status == 404
    with house.database.write() as session:
        ids = list(session.scalars(select(Respuesta.id)))
        second = order_answers(session, ids, actor="persona:1", at=house.clock()).envios[0].id
    browser.open(f"/radicacion/envios/{second}")
    send(browser, f"/radicacion/envios/{second}/retirar", {}, **{"retirar-motivo": "Se mejora"})
    assert "sus respuestas, aprobadas otra vez" in browser.text
    assert _states(house, second)[:2] == (EstadoEnvio.CANCELADO, EstadoRespuesta.APROBADA)


def test_a_filing_is_not_for_who_answers_glosas(house: House, presented: Callable[..., tuple[Browser, int]]) -> None:
    browser, envio = presented(Rol.CARTERA)
    assert "Registrar y decidir es de los roles Glosas, Facturación y Administración." in browser.text
    browser.raw("POST", f"/radicacion/envios/{envio}/retirar", data={}, follow_redirects=True)
    assert browser.status in (400, 403)
    assert _states(house, envio)[0] is EstadoEnvio.PREPARADO
