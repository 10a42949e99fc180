"""What the pages of a meeting keep, refuse and say: nothing typed is lost, who may not, an empty house."""

from __future__ import annotations

import re

import pytest
from pypdfium2 import PdfDocument

from radica.facturas.models import Factura
from radica.users.models import Rol
from tests.conciliacion_seed import NOW, Mesa, make_mesa
from tests.functional.conciliacion_pasos import convene, lines
from tests.functional.navigators import Browser
from tests.plugins.web import House


@pytest.fixture
def mesa(house: House) -> Mesa:
    house.clock.at = NOW
    return make_mesa(house.database, house.settings.store.parent)


@pytest.fixture
def ana(house: House, mesa: Mesa) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=mesa.prestador_id)


def test_nothing_typed_is_lost(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    ana.fill(
        f"/conciliacion/{number}/reunion",
        **{"reunion-citada": "no es fecha", "reunion-lugar": "Cali", "reunion-notas": "acordar tarifas"},
        nombre=["", "Rosa"],
        cargo=["Directora", ""],
        por=["prestador", "pagador"],
    )
    assert ana.status == 422
    page = ana.page.get_data(as_text=True)  # type: ignore[union-attr]
    for typed in ("Cali", "acordar tarifas", "Directora", "Rosa"):
        assert typed in page
    ana.fill(
        f"/conciliacion/{number}/compromisos", **{"compromiso-fecha": "2026-12-01", "compromiso-valor": "99.999.999"}
    )
    assert ana.status == 422
    assert "solo pueden deber" in ana.text
    assert "99.999.999" in ana.page.get_data(as_text=True)  # type: ignore[union-attr]


def test_lines_are_taken_off_and_put_back(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    ana.open(f"/conciliacion/{number}/mesa")
    first = lines(house, number)[0]
    with house.database.read() as session:
        invoice = session.get_one(Factura, first.factura_id).numero
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    ana.raw(
        "POST", f"/conciliacion/{number}/quitar", data={"csrf_token": token, "linea": [str(first.id)]},
        follow_redirects=True,
    )  # fmt: skip
    assert "Se quitó una línea" in ana.text
    assert len(lines(house, number)) == 2
    ana.fill(f"/conciliacion/{number}/lineas", facturas=f"{invoice}, {invoice}\n")
    assert "Se agregó una línea" in ana.text
    ana.fill(f"/conciliacion/{number}/lineas", facturas="NADA1")
    assert "NADA1" in ana.text
    ana.open(f"/conciliacion/{number}")
    ana.fill(f"/conciliacion/{number}/fracasar", **{"fracasar-motivo": "No asistió el pagador"})
    assert "Fracasada" in ana.text
    assert ana.raw("GET", f"/conciliacion/{number}/acta.pdf").status_code == 404


def test_the_draft_says_that_it_is_one(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    ana.open(f"/conciliacion/{number}/acta")
    pages = ana.tree().xpath("//main//img/@src")
    assert len(pages) >= 3
    assert ana.raw("GET", pages[0]).mimetype == "image/png"
    assert ana.raw("GET", f"/conciliacion/{number}/acta/pagina/99").status_code == 404
    document = PdfDocument(ana.raw("GET", f"/conciliacion/{number}/acta.pdf").get_data())
    assert "BORRADOR" in document[0].get_textpage().get_text_range()
    document.close()


@pytest.mark.parametrize("role", [Rol.DIRECCION, Rol.JURIDICA, Rol.AUDITORIA])
def test_who_only_reads_changes_nothing(house: House, mesa: Mesa, ana: Browser, role: Rol) -> None:
    number = convene(ana)
    house.person("dora@norte.example", {mesa.prestador_id: (role,)}, nombre="Dora")
    dora = house.browser()
    dora.log_in("dora@norte.example", "cuatro palabras que nadie junta")
    for page in ("", f"/{number}", f"/{number}/mesa", f"/{number}/simulador", f"/{number}/libro", f"/{number}/acta"):
        dora.open(f"/conciliacion{page}")
        assert dora.status == 200, page
        forms = dora.tree().xpath("//main//form[@method='post']/@action")
        assert forms == [], page
    token = dora.tree().xpath("//input[@name='csrf_token']/@value")[0]
    for act in ("mesa", "celebrar", "firmar", "fracasar", "reunion", "libro", "quitar", "compromisos"):
        dora.raw("POST", f"/conciliacion/{number}/{act}", data={"csrf_token": token})
        assert dora.status == 403, act
    assert dora.open("/conciliacion/nueva").status_code == 403


def test_billing_does_not_see_meetings(house: House, mesa: Mesa) -> None:
    biller = house.entered("eva@norte.example", Rol.FACTURACION, provider=mesa.prestador_id)
    assert biller.open("/conciliacion").status_code == 403


def test_an_empty_house_says_what_fills_it(house: House) -> None:
    browser = house.entered("ana@norte.example", Rol.GLOSAS)
    browser.open("/conciliacion")
    assert "Todavía no hay conciliaciones" in browser.text
    browser.open("/conciliacion/nueva")
    assert "Ningún pagador ha objetado nada" in browser.text
    assert browser.open("/conciliacion?estado=otro&pagador=99999999999999999999&despues=x").status_code == 200
    assert re.search(r"Ninguna|Todavía", browser.text)


def test_a_scope_of_another_provider_is_refused(house: House, mesa: Mesa) -> None:
    stranger = house.entered("ana@sur.example", Rol.GLOSAS)
    stranger.open(f"/conciliacion/nueva?prestador={mesa.prestador_id}&pagador={mesa.pagador_id}")
    assert "Entran" not in stranger.text
    token = stranger.tree().xpath("//input[@name='csrf_token']/@value")[0]
    asked = {
        "csrf_token": token, "prestador": str(mesa.prestador_id), "pagador": str(mesa.pagador_id),
        "corte": "2026-11-20", "glosas": "y", "devoluciones": "y",
    }  # fmt: skip
    for act in ("ver", "convocar"):
        stranger.raw("POST", "/conciliacion/nueva", data={**asked, "hacer": act})
        assert stranger.status == 422  # neither of the two is a choice of hers
        assert "FV" not in stranger.text
