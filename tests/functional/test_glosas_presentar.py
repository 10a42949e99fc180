"""Approved answers on their way to the payer: whole invoices, the letter, the order by hand."""

from __future__ import annotations

import io

import pikepdf
import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.states import EstadoRespuesta
from radica.radicacion.models import Envio
from radica.radicacion.states import Acto
from radica.users.models import Rol
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins.web import House


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)


def invoice(house: House, provider: int, count: int = 2) -> tuple[int, list[int]]:
    with house.database.write() as session:
        row = seed.filed_invoice(session, provider)
        return row.id, [seed.objected(session, row, valor=1_000_000 * (n + 1)).id for n in range(count)]


def approve(browser: Browser, ids: list[int]) -> None:
    for id_ in ids:
        browser.open(f"/glosas/glosa/{id_}")
        browser.fill(f"/glosas/glosa/{id_}/respuesta", decision="defender", texto=seed.TEXTO, hacer="terminar")


def test_nothing_approved_says_so(ana: Browser) -> None:
    ana.open("/glosas/presentar")
    assert "No hay respuestas por presentar" in ana.text


def test_an_invoice_with_a_line_unanswered_is_not_presented(house: House, ips: int, ana: Browser) -> None:
    factura, ids = invoice(house, ips)
    approve(ana, ids[:1])
    ana.open("/glosas/presentar")
    assert "faltan 1" in ana.text
    assert not ana.tree().xpath("//input[@name='conjuntos']")
    ana.open(f"/glosas/presentar/{factura}")
    assert "1 línea no tiene respuesta aprobada" in ana.text
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    data = {"csrf_token": token, "conjuntos": f"{factura}:glosa:1", "canal": "mano"}
    ana.raw("POST", "/glosas/presentar", data=data, follow_redirects=True)
    assert "no se presentó" in ana.text
    with house.database.read() as session:
        assert session.query(Envio).count() == 0


def test_a_whole_invoice_is_ordered_by_hand(house: House, ips: int, ana: Browser) -> None:
    factura, ids = invoice(house, ips)
    approve(ana, ids)
    ana.open(f"/glosas/presentar/{factura}")
    ana.fill("/glosas/presentar")
    assert "queda para presentar a mano" in ana.text
    with house.database.read() as session:
        envio = session.scalars(select(Envio)).one()
        assert (envio.acto, envio.canal) == (Acto.RESPUESTA_GLOSA, "mano")
        assert ana.path.endswith(f"/envios/{envio.id}")
        assert {one.estado for one in session.query(Respuesta)} == {EstadoRespuesta.EN_ENVIO}
    ana.open(f"/glosas/glosa/{ids[0]}")
    assert f"Ver su envío {envio.id}" in ana.text
    assert not ana.tree().xpath("//form[contains(@action, '/respuesta')]")


def test_the_letter_says_what_was_answered_and_its_opening_is_logged(house: House, ips: int, ana: Browser) -> None:
    factura, ids = invoice(house, ips)
    approve(ana, ids)
    page = ana.open(f"/glosas/presentar/{factura}/glosa/1/carta.pdf")
    assert page.status_code == 200
    assert "attachment" in page.headers["Content-Disposition"]
    with pikepdf.open(io.BytesIO(page.get_data())) as document:
        assert len(document.pages) >= 1
    picture = ana.open(f"/glosas/presentar/{factura}/glosa/1/carta.png")
    assert picture.get_data().startswith(b"\x89PNG")
    with house.database.read() as session:
        logged = session.scalars(select(AccessLog.object).where(AccessLog.object.like("carta_glosa:%"))).all()
    assert len(logged) == 2


def test_the_letter_needs_a_role_that_sees_patients(house: House, ips: int, ana: Browser) -> None:
    factura, ids = invoice(house, ips, 1)
    approve(ana, ids)
    caja = house.entered("caja@norte.example", Rol.CARTERA, provider=ips)
    caja.open(f"/glosas/presentar/{factura}/glosa/1/carta.pdf")
    assert caja.status == 403


def test_another_providers_invoice_is_not_found(house: House, ana: Browser) -> None:
    factura, _ = invoice(house, house.provider("IPS del Sur"))
    ana.open("/glosas")
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    ana.raw("POST", "/glosas/presentar", data={"csrf_token": token, "conjuntos": f"{factura}:glosa:1"})
    assert ana.status == 404
