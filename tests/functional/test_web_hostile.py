"""What no page of ours sends: hostile values in every address and form of one's own things; nothing fails, nothing leaks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from werkzeug.routing import Rule

from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.functional.test_web_tenants import _values, things_of
from tests.plugins.web import House

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
            for values in _values(rule, things):
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
