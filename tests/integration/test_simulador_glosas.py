"""The bag of answers of the simulated EPS over real HTTP: assign, answer, close, come back ratified, and the ledger."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from bots.simulador.p2_glosas import SHEET_COLUMNS, put_account
from bots.simulador.server import Handle, start
from tests.simulador_client import NIT, PDF, AtEps, Cut

ITEMS = [
    {"id_glosa": "901", "servicio": "890201", "codigo": "TA0201", "valor": "10000.00"},
    {"id_glosa": "902", "servicio": "903841", "codigo": "FA0802", "valor": "2500.50"},
]


class AtBag(AtEps):
    """A person at the bag of answers."""

    def told(self, method: str, path: str) -> tuple[int, Any]:
        status, _, body = self.ask(method, path, b"" if method == "POST" else None)
        return status, json.loads(body)

    def rows(self, tray: str) -> list[list[str]]:
        days = "?desde=2020-01-01&hasta=2099-12-31"
        rows: list[list[str]] = self.told("GET", f"/app/glosas/{tray}/datos{days}")[1]["filas"]
        return rows

    def open(self, account: str) -> tuple[int, Any]:
        return self.told("POST", f"/app/glosas/cuenta/{account}/abrir")

    def reply(self, account: str, *ids: str, text: str = "No procede", mass: bool = False, pdf: bytes = PDF) -> int:
        fields = {"glosaRespTipo": "999", "glosaRespObs": text, "masiva": "1" if mass else "0", "idglosa": ids[0]}
        files = [("glosaRespFile", "soporte.pdf", pdf)]
        status, _, _ = self.post_files(f"/app/glosas/cuenta/{account}/responder", fields, files)
        return status

    def close(self, account: str) -> tuple[int, Any]:
        return self.told("POST", f"/app/glosas/cuenta/{account}/cerrar")

    def closed(self, invoice: str) -> list[list[str]]:
        rows: list[list[str]] = self.told("GET", f"/app/glosas/respondidas/buscar?factura={invoice}")[1]["filas"]
        return rows


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    users = [
        {"usuario": NIT, "clave": "c", "nit": NIT, "nombre": "IPS"},
        {"usuario": "colega", "clave": "c", "nit": NIT, "nombre": "IPS"},
    ]
    with start("p2", tmp_path / "p2.sqlite", config={"users": users}) as handle:
        yield handle


@pytest.fixture
def account(portal: Handle) -> str:
    raw = {"nit": NIT, "factura": "FE1", "valor_factura": "573480.00", "items": ITEMS}
    return put_account(portal.portal, raw).id


@pytest.fixture
def person(portal: Handle) -> AtBag:
    visitor = AtBag(portal.url)
    visitor.log_in(NIT, "c")
    return visitor


def test_an_account_is_opened_answered_and_closed_once(portal: Handle, person: AtBag, account: str) -> None:
    (row,) = person.rows("bolsa")
    assert (row[0], row[4], row[7]) == (account, "FE1", "$ 12.500,50")
    status, told = person.open(account)
    assert (status, told["titulo"]) == (200, "¡Se ha asignado la cuenta!")
    assert person.rows("bolsa") == []
    assert [one[0] for one in person.rows("pausa")] == [account]
    assert person.close(account)[0] == 409  # one item is SIN RESPUESTA
    assert [person.reply(account, one) for one in ("901", "902")] == [200, 200]
    status, told = person.close(account)
    assert (status, told["titulo"]) == (200, "¡Usted ha cerrado una cuenta!")
    assert person.rows("pausa") == []
    assert [one[:4] for one in person.closed("FE1")] == [[account, row[1], "FE1", "1"]]
    assert portal.portal.desk.ledger.counts() == {
        "answers": 2,
        "answers_kept": 2,
        "answers_again": 0,
        "closings": 2,
        "closings_kept": 1,
        "closings_again": 0,
    }


def test_the_sheets_have_a_title_row_and_then_the_headers(person: AtBag, account: str) -> None:
    person.open(account)
    body = person.get(f"/app/glosas/cuenta/{account}/glosas.xlsx")[2]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "GLOSAS DE LA CUENTA"
    assert rows[1] == list(SHEET_COLUMNS)
    assert [row[0] for row in rows[2:]] == ["901", "902"]
    assert rows[2][6] == "$ 10.000,00"


def test_an_account_belongs_to_who_opened_it(portal: Handle, person: AtBag, account: str) -> None:
    other = AtBag(portal.url)
    other.log_in("colega", "c")
    other.open(account)
    assert person.rows("bolsa") == person.rows("pausa") == []
    status, told = person.open(account)
    assert (status, told["mensaje"]) == (409, "La cuenta ya fue asignada al usuario colega.")
    assert person.reply(account, "901") == 409
    assert person.close(account)[0] == 409


def test_what_the_payer_ratifies_comes_back_and_what_it_lifts_does_not(
    portal: Handle, person: AtBag, account: str
) -> None:
    person.open(account)
    for one in ("901", "902"):
        person.reply(account, one)
    person.close(account)
    made = person.post_json("/__sim/glosas/decidir", {"factura": "FE1", "items": {"902": "LEVANTADA"}})
    assert json.loads(made[2])["cuentas"] == [account]
    (row,) = person.rows("bolsa")
    assert (row[7], row[8]) == ("$ 10.000,00", "2")
    person.open(account)
    assert person.reply(account, "901", text="insistimos") == 200
    assert person.close(account)[0] == 200
    assert [one[3] for one in person.closed("FE1")] == ["1", "2"]
    assert portal.portal.desk.ledger.rows("respuesta")[-1]["text"] == "INSISTIMOS"


@pytest.mark.parametrize(
    ("fault", "status", "kept"),
    [("answer_file_refused", 409, False), ("answer_not_kept", 200, False), ("answer_502_after_save", 502, True)],
)
def test_an_answer_that_goes_wrong_is_in_the_ledger(
    portal: Handle, person: AtBag, account: str, fault: str, status: int, kept: bool
) -> None:
    person.open(account)
    portal.configure(**{fault: 1})
    assert person.reply(account, "901") == status
    assert portal.portal.desk.get(account).item("901").state == ("RESPONDIDA" if kept else "SIN RESPUESTA")


@pytest.mark.parametrize(
    ("fault", "status", "closed"),
    [
        ("close_not_kept", 200, False),
        ("502_before_save", 502, False),
        ("502_after_save", 502, True),
        ("cut_connection_after_save", 0, True),
        ("reject", 409, False),
    ],
)
def test_a_closing_that_goes_wrong(
    portal: Handle, person: AtBag, account: str, fault: str, status: int, closed: bool
) -> None:
    person.open(account)
    for one in ("901", "902"):
        person.reply(account, one)
    portal.configure(**{fault: 1})
    try:
        said = person.ask("POST", f"/app/glosas/cuenta/{account}/cerrar", b"")[0]
    except Cut:
        said = 0
    assert said == status
    assert bool(person.closed("FE1")) is closed
    assert portal.portal.desk.ledger.rows("cierre")[-1]["kept"] is closed


def test_a_second_closing_shows_as_a_double(portal: Handle, person: AtBag, account: str) -> None:
    person.open(account)
    for one in ("901", "902"):
        person.reply(account, one)
    person.close(account)
    assert person.close(account)[0] == 409
    portal.configure(detect_duplicates=False)
    assert person.close(account)[0] == 200
    assert portal.portal.desk.ledger.counts()["closings_again"] == 2


def test_controls_put_accounts_in_the_bag_and_show_them(portal: Handle, person: AtBag) -> None:
    assert person.post_json("/__sim/glosas", {"cuentas": [{"nit": NIT, "factura": "FE9", "items": ITEMS}]})[0] == 200
    assert person.post_json("/__sim/glosas", {"cuentas": [{"factura": "FE9"}]})[0] == 400
    (shown,) = person.get_json("/__sim/glosas")["cuentas"]
    assert (shown["factura"], shown["estado"], len(shown["items"])) == ("FE9", "EN BOLSA", 2)
