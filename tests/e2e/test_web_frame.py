"""The frame in a real browser: its policy, its keys, what is kept when a session ends, narrow screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Blueprint, Flask, flash, render_template_string, request
from playwright.sync_api import Browser, BrowserContext, Page, expect
from waitress.server import create_server

from radica.app.factory import create_app
from radica.kernel.errors import InvalidTransition
from radica.kernel.web import allow_anyone, go
from radica.users.models import Rol
from tests.plugins.web import CHEAP, PASSWORD, House

PAGE = """
{% extends "_layout/page.html" %}
{% from "_macros/forms.html" import button, csrf, input %}
{% from "_macros/tables.html" import barra_masiva, casilla, casilla_todas, th %}
{% from "_macros/ui.html" import copiable, cop, urgencia_de %}
{% set title = "Prueba" %}
{% block actions %}<a class="btn btn-primary" href="/mi-cuenta" data-key="r" title="Responder">Responder</a>{% endblock %}
{% block content %}
  <form method="post" action="/prueba/nota" data-keep="nota">{{ csrf() }}{{ input("nota", "Nota") }}<button class="btn" id="guardar">Guardar</button></form>
  {{ button("/prueba/nota", "Borrar", confirm="Se borra la nota.", hidden={"nota": "borrada"}) }}
  <button id="pieza" class="btn" hx-get="/prueba/pieza" hx-target="#destino">Pieza</button>
  <button id="choca" class="btn" hx-post="/prueba/choca" hx-target="#destino">Choca</button>
  <div id="destino">vacío</div>
  <div class="tabla-marco"><table class="tabla apila" data-rows><thead><tr><th>{{ casilla_todas() }}</th>{{ th("Factura", "numero") }}{{ th("Valor", "valor", num=true) }}<th>Plazo</th></tr></thead><tbody>
  {% for n in range(3) %}<tr data-href="/mi-cuenta?fila={{ n }}"><td>{{ casilla(n, 4530000050 * (n + 1)) }}</td><td>{{ copiable("FE1023" ~ n) }}</td><td class="num" data-label="Valor">{{ cop(453000000) }}</td><td data-label="Plazo">{{ urgencia_de("vence_hoy", "vence hoy") }}</td></tr>{% endfor %}
  </tbody></table></div>
  {% call barra_masiva() %}<button class="btn btn-sm">Radicar</button>{% endcall %}
{% endblock %}
"""


@dataclass
class Site:
    house: House
    url: str
    notes: list[str]


def _views(notes: list[str]) -> Blueprint:
    views = Blueprint("prueba", __name__, url_prefix="/prueba")

    @views.get("/pagina")
    def pagina() -> str:
        return render_template_string(PAGE)

    @views.post("/nota")
    @allow_anyone
    def nota() -> object:
        notes.append(request.form["nota"])
        flash("La nota quedó guardada.", "success")
        return go("/prueba/pagina")

    @views.get("/pieza")
    def pieza() -> str:
        return "<strong>pieza nueva</strong>"

    @views.post("/choca")
    @allow_anyone
    def choca() -> str:
        raise InvalidTransition("El caso ya cambió.", todo="Recargue.", code="transicion_invalida")

    return views


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    notes: list[str] = []
    app: Flask = create_app(house.settings, house.database, house.clock, hasher=CHEAP, more_views=[_views(notes)])
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    house.person("ana@norte.example", {house.provider("IPS Uno"): tuple(Rol), house.provider("IPS Dos"): tuple(Rol)})
    yield Site(house, f"http://127.0.0.1:{server.effective_port}", notes)
    server.close()
    thread.join(5)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport={"width": 1366, "height": 768}, locale="es-CO")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto(f"{site.url}/prueba/pagina")
    _enter(page)
    yield page
    context.close()
    assert complaints == []


def _enter(page: Page) -> None:
    page.get_by_label("Correo").fill("ana@norte.example")
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_url("**/prueba/pagina")


def test_what_was_typed_survives_an_expired_session_and_goes_when_it_was_taken(page: Page, site: Site) -> None:
    page.get_by_label("Nota").fill("respuesta larga a la glosa")
    site.house.clock.forward(hours=1)
    page.locator("#guardar").click()
    expect(page.get_by_text("Su sesión se cerró por tiempo")).to_be_visible()
    assert site.notes == []
    _enter(page)
    expect(page.get_by_label("Nota")).to_have_value("respuesta larga a la glosa")
    page.locator("#guardar").click()
    expect(page.get_by_text("La nota quedó guardada")).to_be_visible()
    assert site.notes == ["respuesta larga a la glosa"]
    expect(page.get_by_label("Nota")).to_have_value("")


def test_leaving_takes_the_drafts_along(page: Page) -> None:
    page.get_by_label("Nota").fill("borrador")
    page.locator("summary", has_text="Ana Prueba").click()
    page.get_by_role("button", name="Salir").click()
    page.wait_for_url("**/entrar*")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_double_click_sends_once(page: Page, site: Site) -> None:
    page.get_by_label("Nota").fill("una sola vez")
    page.locator("#guardar").dblclick()
    expect(page.get_by_text("La nota quedó guardada")).to_be_visible()
    assert site.notes == ["una sola vez"]


def test_an_act_is_done_only_when_it_was_confirmed(page: Page, site: Site) -> None:
    page.get_by_role("button", name="Borrar").click()
    expect(page.get_by_text("Se borra la nota.")).to_be_visible()
    page.get_by_role("button", name="Volver").click()
    assert site.notes == []
    page.get_by_role("button", name="Borrar").click()
    page.get_by_role("button", name="Continuar").click()
    expect(page.get_by_text("La nota quedó guardada")).to_be_visible()
    assert site.notes == ["borrada"]


def test_pieces_come_in_errors_go_to_the_notices_and_an_ended_session_to_the_login(page: Page, site: Site) -> None:
    page.locator("#pieza").click()
    expect(page.locator("#destino")).to_have_text("pieza nueva")
    page.locator("#choca").click()
    expect(page.locator("#avisos")).to_contain_text("El caso ya cambió.")
    expect(page.locator("#destino")).to_have_text("pieza nueva")
    site.house.clock.forward(hours=1)
    page.locator("#pieza").click()
    page.wait_for_url("**/entrar?next=/prueba/pagina*")
    _enter(page)


def test_the_keys_move_choose_open_search_and_explain(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_label("Buscar factura")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("tr.actual")).to_contain_text("FE10231")
    expect(page.locator("[data-bulk]")).to_contain_text("1 factura · $ 90.600.001")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("2 facturas · $ 135.900.001")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Responder")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mi-cuenta?fila=0")


def test_nothing_sticks_out_of_a_narrow_screen_or_at_twice_the_size(page: Page, site: Site) -> None:
    for width, height in ((390, 844), (683, 384)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/prueba/pagina", "/", "/mi-cuenta", "/administracion/usuarios", "/administracion/usuarios/1"):
            page.goto(site.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.get_by_role("button", name="Menú").click()
        expect(page.get_by_role("link", name="Administración")).to_be_visible()
