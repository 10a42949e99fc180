"""What no page of ours sends: hostile values in every address and form of one's own things; nothing fails, nothing leaks."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import delete, select
from werkzeug.routing import Rule

from radica.entidades.models import Prestador, TipoPagador
from radica.facturas.models import Documento, Factura
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.states import EstadoEnvio
from radica.users.models import Acceso, Rol, Usuario
from tests import factories
from tests.full_disk import small_files
from tests.functional.navigators import Browser
from tests.functional.test_web_tenants import values_of
from tests.functional.things import things_of
from tests.plugins.web import PASSWORD, House

QUERY = (
    "q", "orden", "pagador", "prestador", "desde", "hasta", "nivel", "estado", "urgencia", "paso", "codigo", "ver",
    "situacion", "resultado", "documento", "evidencia", "t", "acto", "next", "todas",
)  # fmt: skip
FIELDS = (
    "q", "id", "factura_ids", "canal", "todas", "prestador", "prestador_id", "pagador", "correo", "nombre", "clave",
    "codigo", "actual", "nueva", "repetida", "next", "roles", "motivo", "factura", "sigla", "arquetipo", "base_url",
    "usuario", "contrato", "max_facturas", "clave-clave", "pausa-motivo",
    *(f"{form}-{name}" for form in ("radicada", "rechazada", "ausente", "retirar", "tarde", "pedir", "desistir",
                                    "tal-cual", "anulada")
      for name in ("version", "motivo", "fecha", "radicado", "nota", "nota_credito")),
)  # fmt: skip


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


DEEP = base64.urlsafe_b64encode(b"[" * 20_000).decode()
CURSORS = [
    cursor(1), cursor(10**40), cursor(float("inf"), 1), cursor(float("nan"), 1), cursor(10**40, 10**40), cursor(None, 1),
    cursor("0001-01-01T00:00:00+14:00", 1), cursor("9999-12-31T23:59:59-14:00", 1), cursor("x\x00", 1),
    cursor("2026-11-20", -(10**30)), cursor(True, True), cursor({}, []), cursor("\ud800", 1), DEEP,
]  # fmt: skip
VALUES = [
    "\x00", "a\x00b", "9" * 30, "-1", "0001-01-01", "9999-12-31", "2026-11-20T09:30", "٣", "²", "%", "'\"><script>",
    "\u202egnp.exe", "=1+1", "..%2f..", "y" * 3000, "nan", "1e999", "vence", "-valor", "numero", "9999-12-31T23:59",
]  # fmt: skip


def own(house: House) -> tuple[Browser, dict[str, int | str]]:
    provider = house.provider()
    things = things_of(house, provider)
    return house.entered("ana@norte.example", *Rol, provider=provider), things


def addresses(house: House, things: dict[str, int | str], method: str) -> Iterator[tuple[Rule, str]]:
    adapter = house.app.url_map.bind("localhost")
    for rule in sorted(house.app.url_map.iter_rules(), key=lambda one: one.rule):
        if method not in (rule.methods or ()) or rule.endpoint in ("static", "users.salir"):
            continue
        if rule.arguments <= things.keys() | {"kind", "acto"}:
            for values in values_of(rule, things):
                yield rule, adapter.build(rule.endpoint, values, method=method)


def test_no_value_in_an_address_breaks_a_page(any_house: House) -> None:
    browser, things = own(any_house)
    wrong = []
    for rule, address in addresses(any_house, things, "GET"):
        queries = [dict.fromkeys(QUERY, value) for value in VALUES]
        orders = ("vence", "-valor", "expedida", "numero")
        queries += [
            {side: value, "orden": order} for value in CURSORS for side in ("despues", "antes") for order in orders
        ]
        if not rule.endpoint.endswith((".lista", ".por_radicar", ".envios", ".resultado", ".exportar")):
            queries = queries[: len(VALUES)]
        for query in queries:
            status = browser.open(f"{address}?{urlencode(query, errors='replace')}", follow=False).status_code
            if status >= 500:
                wrong.append(f"{status} {rule.rule} {list(query.items())[:1]}"[:160])
    assert wrong == []


def test_no_value_in_a_form_breaks_an_act(any_house: House) -> None:
    browser, things = own(any_house)
    browser.open("/mi-cuenta")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    wrong = []
    for rule, address in addresses(any_house, things, "POST"):
        for value in VALUES:
            data = {**dict.fromkeys(FIELDS, value), "csrf_token": token}
            if rule.endpoint == "users.clave":
                data["actual"] = "no es"
            answer = browser.raw("POST", address, data=data)
            if answer.status_code >= 500:
                wrong.append(f"{answer.status_code} {rule.rule} {value[:20]!r}")
            if b"<script>'" in answer.data or b'"><script>' in answer.data:
                wrong.append(f"{rule.rule} draws a script")
    assert wrong == []


@pytest.mark.parametrize("target", ["//malo.example", "/\\malo.example", "https://malo.example", "/\t/malo.example"])
def test_nobody_is_sent_to_another_site_after_entering(house: House, target: str) -> None:
    house.entered("ana@norte.example")
    browser = house.browser()
    browser.open(f"/entrar?next={quote(target)}")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    data = {"correo": "ana@norte.example", "clave": "cuatro palabras que nadie junta", "next": target}
    answer = browser.raw("POST", "/entrar", data={**data, "csrf_token": token})
    assert answer.status_code in (302, 303)
    assert "malo" not in answer.headers["Location"]


def test_a_file_name_is_in_no_title(house: House) -> None:
    browser, things = own(house)
    browser.open(f"/no-reconocidos/{things['fila_id']}")
    assert "raro.xml" in browser.text
    assert "raro.xml" not in browser.tree().xpath("string(//title)")


def test_a_full_disk_is_said_and_nothing_is_registered(house: House) -> None:
    browser, things = own(house)
    browser.open("/facturas/cargar")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    mail = b"From: eps@x.example\r\nDate: Fri, 20 Nov 2026 09:31:00 -0500\r\n\r\n" + b"x" * 300_000
    headers = {"X-CSRFToken": token, "Accept": "application/json"}
    begun = browser.client.post("/facturas/cargar/empezar", headers=headers).get_json()
    piece = {**headers, "X-Archivo": "0", "X-Desde": "0", "X-Nombre": "a.xml"}
    proof = {"radicada-version": "0", "radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "1"}
    proof |= {"csrf_token": token, "radicada-pruebas": (io.BytesIO(mail), "correo.eml")}  # type: ignore[dict-item] # a file
    with small_files(100_000):  # reading needs no room, and nothing is written before the file
        answer = browser.client.post(begun["trozo"], data=mail, headers=piece)
        assert answer.status_code == 503
        assert answer.get_json()["error"]["codigo"] == "disco_lleno"
        address = f"/radicacion/envios/{things['envio_id']}/radicada"
        answer = browser.raw("POST", address, data=proof, content_type="multipart/form-data")
    assert answer.status_code == 503
    assert "El disco está lleno" in browser.text
    assert [one.name for one in house.settings.incoming.iterdir()] == [f"carga-{begun['carga']}"]
    with house.database.read() as session:
        assert session.get_one(Envio, things["envio_id"]).estado is EstadoEnvio.PREPARADO
        assert session.scalars(select(Documento).where(Documento.cargado_por != "prueba")).all() == []


def test_an_expired_session_brings_back_to_the_page_of_the_form_and_changes_nothing(house: House) -> None:
    browser, things = own(house)
    page = f"/radicacion/facturas/{things['factura_id']}/decidir"
    browser.open(page)
    data = {"csrf_token": browser.tree().xpath("//input[@name='csrf_token']/@value")[0]}
    data |= {"pedir-version": "0", "pedir-motivo": "Se venció"}
    house.clock.forward(minutes=31)
    origin = {"Referer": f"http://localhost{page}"}
    answer = browser.raw("POST", f"{page}/pedir", data=data, headers=origin)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/entrar")
    assert quote(page, safe="/") in answer.headers["Location"] or quote(page, safe="") in answer.headers["Location"]
    with house.database.read() as session:
        assert session.get_one(Factura, things["factura_id"]).version == 0


def test_a_grant_that_was_taken_away_holds_from_the_next_click(house: House) -> None:
    browser, things = own(house)
    page = f"/radicacion/facturas/{things['factura_id']}/decidir"
    browser.open(page)
    data = {"csrf_token": browser.tree().xpath("//input[@name='csrf_token']/@value")[0]}
    data |= {"pedir-version": "0", "pedir-motivo": "x"}
    with house.database.write() as session:
        user = session.scalars(select(Usuario).where(Usuario.correo == "ana@norte.example")).one()
        session.execute(delete(Acceso).where(Acceso.usuario_id == user.id))
    assert browser.raw("POST", f"{page}/pedir", data=data).status_code in (403, 404)
    for address in (page, f"/facturas/{things['factura_id']}", f"/documento/{things['documento_id']}/descargar"):
        assert browser.open(address).status_code == 404, address
    with house.database.read() as session:
        assert session.get_one(Factura, things["factura_id"]).version == 0


def test_the_switch_does_not_take_a_provider_that_is_not_granted(house: House) -> None:
    browser, _ = own(house)
    other = house.provider("IPS del Sur")
    browser.open("/mi-cuenta")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    assert browser.raw("POST", "/prestador", data={"csrf_token": token, "prestador_id": str(other)}).status_code == 404
    assert "IPS del Sur" not in browser.open("/hoy", follow=True).get_data(as_text=True)


def test_an_order_with_one_foreign_invoice_orders_none(any_house: House) -> None:
    browser, mine = own(any_house)
    with any_house.database.write() as session:
        ready = factories.factura(
            session, session.get_one(Prestador, mine["prestador_id"]), factories.pagador(session)
        ).id
    theirs = things_of(any_house, any_house.provider("IPS del Sur"))
    browser.open("/radicacion/por-radicar")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    data = {"csrf_token": token, "id": f"{ready},{theirs['factura_id']}", "canal": "mano"}
    assert browser.raw("POST", "/radicacion/ordenar", data=data).status_code == 404
    with any_house.database.read() as session:
        assert session.get_one(Factura, ready).version == 0


def test_two_clicks_at_once_make_one_envio(any_house: House) -> None:
    browser, mine = own(any_house)
    with any_house.database.write() as session:
        provider = session.get_one(Prestador, mine["prestador_id"])
        ready = factories.factura(session, provider, factories.pagador(session)).id
    people = [browser, any_house.browser()]
    people[1].log_in("ana@norte.example", PASSWORD)

    def order(one: Browser) -> int:
        one.open("/radicacion/por-radicar")
        token = one.tree().xpath("//input[@name='csrf_token']/@value")[0]
        data = {"csrf_token": token, "id": str(ready), "canal": "mano"}
        return one.raw("POST", "/radicacion/ordenar", data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(order, people))
    assert answers[0] in (200, 303)
    assert max(answers) < 500
    with any_house.database.read() as session:
        lines = session.scalars(select(EnvioFactura).where(EnvioFactura.factura_id == ready)).all()
        assert len(lines) == 1


def test_what_a_cell_of_the_export_says_is_never_a_formula(house: House) -> None:
    browser, mine = own(house)
    with house.database.write() as session:
        provider = session.get_one(Prestador, mine["prestador_id"])
        payer = factories.pagador(session, nombre='=HYPERLINK("http://malo.example")')
        factories.factura(session, provider, payer, numero="=1+1")
    answer = browser.open("/facturas/exportar.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet.lower().replace("hyperlink(", "")


def test_a_payer_without_term_shows_the_prudent_date_and_does_not_block(house: House) -> None:
    browser, mine = own(house)
    with house.database.write() as session:
        provider = session.get_one(Prestador, mine["prestador_id"])
        payer = factories.pagador(session, tipo=TipoPagador.SOAT, nombre="Seguros del Llano")
        factura = factories.factura(session, provider, payer).id
    browser.open(f"/facturas/{factura}")
    assert "conviene a más tardar el 23 dic 2026" in browser.text
    assert "sin término para este pagador" in browser.text
    assert "La tabla no tiene término de RAD-01 para pagadores de tipo SOAT" in browser.text
    assert browser.tree().xpath("//form[@action='/radicacion/ordenar']"), "a notice, not a block"
