"""The simulated EPS portal over real HTTP: the way of one account, its refusals, and every fault of the final submit."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from bots.simulador.server import Handle, start
from tests.simulador_client import CUV, NIT, PDF, AtEps, Cut, cuv, fev, rips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    with start("p2", tmp_path / "p2.sqlite", config={"validation_s": 0.0}) as handle:
        yield handle


@pytest.fixture
def person(portal: Handle) -> AtEps:
    visitor = AtEps(portal.url)
    assert visitor.log_in()[1]["Location"] == "/app/inicio"
    return visitor


def _told(answer: tuple[int, dict[str, str], bytes]) -> Any:
    return json.loads(answer[2])


def test_an_account_is_filed_shown_and_proved(portal: Handle, person: AtEps) -> None:
    account = person.upload("FE1", "FE2")
    assert portal.ledger.rows() == []  # a draft is not a filing
    state = person.state(account)
    assert (state["estado"], state["habilitado"], state["total"]) == ("VALIDADA", True, "1146960.00")
    told = _told(person.file(account))
    assert told["facturas"] == ["FE1", "FE2"]
    assert told["radicado"] in told["mensaje"]
    rows = portal.ledger.rows()
    assert [(row["invoice"], row["radicado"], row["provider_nit"], row["value"]) for row in rows] == [
        ("FE1", told["radicado"], NIT, "573480.00"),
        ("FE2", told["radicado"], NIT, "573480.00"),
    ]
    assert len({row["post"] for row in rows}) == 1
    assert {item["role"] for item in rows[0]["files"]} == {"FEV", "RIPS", "CUV", "SOPORTE"}
    assert [row["valor"] for row in person.search("FE2")] == ["$ 573.480,00"]
    status, headers, pdf = person.get(told["constancia"])
    assert (status, headers["Content-Type"], pdf[:5]) == (200, "application/pdf", b"%PDF-")


def test_a_radicado_has_the_payers_pattern(portal: Handle, person: AtEps) -> None:
    told = _told(person.file(person.upload("FE1")))
    assert portal.ledger.rows()[0]["filed_at"][:4] == told["fecha"][6:10]
    prefix, serial, day, hour = told["radicado"].replace("-", "_").split("_")
    assert (prefix, serial.isdigit(), len(day), len(hour)) == ("RAD", True, 8, 6)


@pytest.mark.parametrize(
    ("field", "content", "word"),
    [
        ("fevXml_1", fev("FE1")[:-20], "dañado"),
        ("fevXml_1", fev("FE1", nit="800000002"), "800000002"),
        ("ripsJson_1", rips("FE7"), "FE7"),
        ("ripsJson_1", rips("FE1", nit="800000002"), "800000002"),
        ("ripsJson_1", rips("FE1", value="1000"), "no coincide"),
        ("ripsJson_1", b"no es JSON", "no se puede leer"),
        ("cuvArchivo_1", cuv("FE1", "f" * 96), "no corresponde"),
        ("cuvArchivo_1", cuv("FE7"), "FE7"),
        ("soportes_1", b"GIF89a", "PDF"),
    ],
)
def test_a_mismatch_is_said_and_cannot_be_filed(
    portal: Handle, person: AtEps, field: str, content: bytes, word: str
) -> None:
    right = {
        "fevXml_1": fev("FE1"),
        "ripsJson_1": rips("FE1"),
        "cuvArchivo_1": cuv("FE1"),
        "soportes_1": PDF,
    } | {field: content}
    names = {"fevXml_1": "f.xml", "ripsJson_1": "r.json", "cuvArchivo_1": "c.json", "soportes_1": "s.pdf"}
    account = person.upload("FE1", files=[(key, names[key], value) for key, value in right.items()])
    state = person.state(account)
    assert (state["estado"], state["habilitado"]) == ("CON ERRORES", False)
    assert word in " ".join(item["observacion"] for item in state["resultados"] if not item["correcto"])
    assert person.file(account)[0] == 409
    assert not any(row["accepted"] for row in portal.ledger.rows())


def test_a_duplicate_is_refused_with_date_and_number_when_detection_is_on(portal: Handle, person: AtEps) -> None:
    before = person.upload("FE1")
    radicado = _told(person.file(person.upload("FE1")))["radicado"]
    assert radicado in _told(person.file(before))["mensaje"]  # a draft older than the filing
    note = next(item for item in person.state(person.upload("FE1"))["resultados"] if item["tipo"] == "FACTURA")
    assert radicado in note["observacion"]
    assert portal.ledger.counts() | {"submits": 2, "accepted": 1, "duplicates": 1, "duplicates_accepted": 0} == (
        portal.ledger.counts()
    )


def test_with_detection_off_the_ledger_counts_the_second_filing(portal: Handle, person: AtEps) -> None:
    portal.configure(detect_duplicates=False)
    account = person.upload("FE1")
    assert [_told(person.file(account))["estado"] for _ in range(2)] == ["ok", "ok"]
    assert portal.ledger.counts()["duplicates_accepted"] == 1
    assert len(person.search("FE1")) == 2


def test_an_invoice_known_from_elsewhere_is_refused_and_found(portal: Handle, person: AtEps) -> None:
    portal.configure(known=[{"numero": "FE1", "fecha": "2026-03-02T09:00:00", "radicado": "RAD-9", "valor": "10.00"}])
    assert "02/03/2026" in str(person.state(person.upload("FE1"))["resultados"])
    assert person.search("FE1")[0]["radicado"] == "RAD-9"


def test_a_filing_shows_only_after_the_lag(portal: Handle, person: AtEps) -> None:
    portal.configure(query_lag_s=3600.0)
    person.file(person.upload("FE1"))
    assert person.search("FE1") == []
    row = portal.ledger.rows()[0]
    assert row["accepted"]
    assert row["visible_at"] > row["received_at"]


@pytest.mark.parametrize(
    ("mode", "saved", "response"),
    [("502_after_save", True, "502"), ("502_before_save", False, "502")],
)
def test_a_bad_gateway_does_not_tell_whether_it_was_saved(
    portal: Handle, person: AtEps, mode: str, saved: bool, response: str
) -> None:
    account = person.upload("FE1")
    portal.configure(errors={mode: 1})
    status, _, body = person.file(account)
    assert (status, b"RAD-" in body) == (502, False)
    assert [(row["accepted"], row["response"]) for row in portal.ledger.rows()] == [(saved, response)]
    assert bool(person.search("FE1")) is saved


@pytest.mark.parametrize(
    ("mode", "saved"),
    [("cut_connection_after_save", True), ("cut_connection_before_save", False), ("hang_after_save", True)],
)
def test_an_answer_that_never_comes(portal: Handle, person: AtEps, mode: str, saved: bool) -> None:
    account = person.upload("FE1")
    portal.configure(errors={mode: 1})
    with pytest.raises(Cut):
        person.file(account, timeout_s=1.0)
    assert [row["accepted"] for row in portal.ledger.rows()] == [saved]
    assert bool(person.search("FE1")) is saved


@pytest.mark.parametrize(("mode", "saved"), [("stale_page", True), ("stale_page_before_save", False)])
def test_the_message_of_an_earlier_filing_names_the_earlier_invoice(
    portal: Handle, person: AtEps, mode: str, saved: bool
) -> None:
    earlier = _told(person.file(person.upload("FE1")))
    account = person.upload("FE2")
    portal.configure(errors={mode: 1})
    assert _told(person.file(account)) == earlier
    assert bool(person.search("FE2")) is saved


def test_messages_without_number(portal: Handle, person: AtEps) -> None:
    portal.configure(
        errors={"answer_without_number": {"invoices": ["FE1"]}, "popup_never_shown": {"invoices": ["FE2"]}}
    )
    first, second = (person.file(person.upload(number))[2] for number in ("FE1", "FE2"))
    assert b"RAD-" not in first + second
    assert b"FE1" in first
    assert portal.ledger.counts()["accepted"] == 2
    portal.configure(acuse="none")
    assert b"RAD-" not in person.file(person.upload("FE3"))[2]
    portal.configure(acuse="popup")
    told = _told(person.file(person.upload("FE4")))
    assert told["radicado"]
    assert told["constancia"] is None


def test_refusals_carry_the_reason_that_was_set(portal: Handle, person: AtEps) -> None:
    portal.configure(errors={"reject": {"next": 1, "reason": "Contrato sin saldo"}})
    assert _told(person.file(person.upload("FE1")))["mensaje"] == "Contrato sin saldo"
    portal.configure(errors={"reject_validation": {"next": 1, "reason": "Período cerrado"}})
    assert person.state(person.upload("FE2"))["mensaje"] == "Período cerrado"
    assert [row["reason"] for row in portal.ledger.rows()] == ["Contrato sin saldo"]


def test_validation_takes_its_time_and_the_button_too(portal: Handle, person: AtEps) -> None:
    portal.configure(validation_s=600.0)
    account = person.upload("FE1")
    assert person.state(account)["estado"] == "VALIDANDO"
    assert person.file(account)[0] == 409
    portal.configure(validation_s=0.0, button_disabled_s=600.0)
    state = person.state(person.upload("FE1"))
    assert (state["estado"], state["habilitado"]) == ("VALIDADA", False)


def test_a_session_ends_without_notice_and_the_submit_is_still_counted(portal: Handle, person: AtEps) -> None:
    account = person.upload("FE1")
    portal.configure(session_ttl_s=0.05)
    time.sleep(0.1)
    assert person.file(account)[0] == 401
    assert [(row["accepted"], row["reason"]) for row in portal.ledger.rows()] == [(False, "sesión vencida")]
    assert person.get("/app/radicar")[1]["Location"] == "/app?caducada=1"


def test_nobody_enters_without_the_right_key(portal: Handle) -> None:
    visitor = AtEps(portal.url)
    for key in ("otra-clave", ""):
        status, headers, body = visitor.log_in(key=key)
        assert (status, "Set-Cookie" in headers, b"incorrectos" in body) == (200, False, True)
    assert visitor.get("/app/radicar")[0] == 302
    portal.configure(login_fails=1)
    assert b"incorrectos" in visitor.log_in()[2]
    portal.configure(captcha=True)
    assert b'id="captcha"' in visitor.get("/app")[2]
    assert b"robot" in visitor.log_in()[2]


def test_one_provider_does_not_see_anothers_constancia(portal: Handle, person: AtEps) -> None:
    link = _told(person.file(person.upload("FE1")))["constancia"]
    other = AtEps(portal.url)
    other.log_in("900000002", "clave-p2-demo2")
    assert other.get(link)[0] == 404
    assert other.search("FE1") == []


def test_the_second_layout_renames_every_field(portal: Handle) -> None:
    portal.configure(layout="v2")
    page = AtEps(portal.url).get("/app")[2].decode()
    assert 'id="codPrestador"' in page
    assert "usuarioIngreso" not in page


def test_size_limits_are_the_portals_own(portal: Handle, person: AtEps) -> None:
    portal.configure(max_file_bytes=10)
    assert "límite" in str(person.state(person.upload("FE1"))["resultados"])


def test_the_draft_keeps_the_hashes_of_what_was_sent(portal: Handle, person: AtEps) -> None:
    person.file(person.upload("FE1"))
    kept = {item["role"]: item for item in portal.ledger.rows()[0]["files"]}
    assert kept["FEV"]["bytes"] == len(fev("FE1"))
    assert CUV not in str(kept)
