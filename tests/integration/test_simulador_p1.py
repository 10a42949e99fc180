"""The simulated SOAT claimant form over real HTTP: lookup without number, code, rules for files, faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bots.simulador.server import Handle, start
from tests.simulador_client import NIT, PDF, AtInsurer, Cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    with start("p1", tmp_path / "p1.sqlite", config={"code_delay_s": 0.0}) as handle:
        yield handle


@pytest.fixture
def person(portal: Handle) -> AtInsurer:
    visitor = AtInsurer(portal.url)
    assert visitor.log_in()[1]["Location"] == "/recepcion-reclamacion"
    return visitor


def _told(answer: tuple[int, dict[str, str], bytes]) -> Any:
    return json.loads(answer[2])


def test_a_claim_gets_a_code_and_is_then_known_without_it(portal: Handle, person: AtInsurer) -> None:
    assert not person.knows("FE1")["existe"]
    told = _told(person.file("FE1"))
    assert told["mensaje"] == f"Tu codigo es: '{told['codigo']}'"
    row = portal.ledger.rows()[0]
    assert (row["radicado"], row["provider_nit"], row["value"]) == (told["codigo"], NIT, None)
    known = person.knows("FE1")
    assert known["existe"]
    assert told["codigo"] not in str(known)
    again = _told(person.file("FE1"))
    assert (again["estado"], told["codigo"] in str(again)) == ("rechazada", False)


def test_another_provider_does_not_learn_that_an_invoice_is_known(portal: Handle, person: AtInsurer) -> None:
    person.file("FE1")
    other = AtInsurer(portal.url)
    other.log_in("900000002")
    assert not other.knows("FE1")["existe"]


def test_the_lookup_works_with_detection_off_but_only_after_the_lag(portal: Handle, person: AtInsurer) -> None:
    portal.configure(detect_duplicates=False)
    assert [_told(person.file("FE1"))["estado"] for _ in range(2)] == ["ok", "ok"]
    assert person.knows("FE1")["existe"]
    assert portal.ledger.counts()["duplicates_accepted"] == 1
    portal.configure(query_lag_s=3600)
    person.file("FE2")
    assert not person.knows("FE2")["existe"]
    portal.configure(known=["FE3"])
    assert person.knows("FE3")["existe"]


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("sl-ciudades", "00000", "ciudad"),
        ("txt-num-factura", "FE 1", "factura"),
        ("txt-email", "sin arroba", "correo"),
        ("txt-usuario-registra", "", "usuario"),
        ("sl-ramo", "VIDA", "ramo"),
        ("sl-tipo-amparo", "", "amparo"),
        ("sl-tipo-cuenta", "2", "cuenta"),
    ],
)
def test_a_wrong_field_is_refused_and_counted(
    portal: Handle, person: AtInsurer, field: str, value: str, word: str
) -> None:
    told = _told(person.file("FE1", changed={field: value}))
    assert told["estado"] == "rechazada"
    assert word in told["mensaje"]
    assert [row["accepted"] for row in portal.ledger.rows()] == [False]


def test_rules_for_files(portal: Handle, person: AtInsurer) -> None:
    two = [("str_bytes_archivo_factura", "f.pdf", PDF), ("f-archivo-historia-clinica", "h.pdf", PDF)]
    assert "FURIPS" in _told(person.file("FE1", files=two))["mensaje"]
    assert "minúscula" in _told(person.file("FE1", files=[*two, ("str_bytes_archivo_furips", "F.PDF", PDF)]))["mensaje"]
    portal.configure(max_file_bytes=len(PDF))
    big = [*two, ("str_bytes_archivo_furips", "f.pdf", PDF * 2)]
    assert "límite" in _told(person.file("FE1", files=big))["mensaje"]


def test_an_answer_to_a_glosa_is_another_act(portal: Handle, person: AtInsurer) -> None:
    person.file("FE1")
    answer = person.file("FE1", files=[("str_bytes_archivo_otros", "r.pdf", PDF)], changed={"sl-tipo-cuenta": "3"})
    assert _told(answer)["estado"] == "ok"
    assert [row["act"] for row in portal.ledger.rows()] == ["radicacion", "respuesta"]
    assert portal.ledger.counts()["duplicates"] == 0


def test_a_form_served_without_its_key_is_mended_by_a_reload(portal: Handle, person: AtInsurer) -> None:
    portal.configure(missing_form_key=1)
    assert person.form_key() == ""
    assert _told(person.file("FE1", key=""))["estado"] == "rechazada"
    assert _told(person.file("FE1"))["estado"] == "ok"


@pytest.mark.parametrize(
    ("mode", "saved", "said"),
    [
        ("popup_never_shown", True, {"estado": "ok", "silencio": True}),
        ("stale_page", True, {"estado": "ok", "anterior": True}),
        ("stale_page_before_save", False, {"estado": "ok", "anterior": True}),
    ],
)
def test_answers_that_prove_nothing(
    portal: Handle, person: AtInsurer, mode: str, saved: bool, said: dict[str, Any]
) -> None:
    portal.configure(errors={mode: 1})
    assert _told(person.file("FE1")) == said
    assert person.knows("FE1")["existe"] is saved


@pytest.mark.parametrize("mode", ["cut_connection_after_save", "hang_after_save"])
def test_an_answer_that_never_comes(portal: Handle, person: AtInsurer, mode: str) -> None:
    key = person.form_key()
    portal.configure(errors={mode: 1})
    impatient = AtInsurer(portal.url, timeout_s=1.0)
    impatient.cookies = person.cookies
    with pytest.raises(Cut):
        impatient.file("FE1", key=key)
    assert person.knows("FE1")["existe"]


def test_who_may_enter(portal: Handle) -> None:
    visitor = AtInsurer(portal.url)
    assert visitor.get("/recepcion-reclamacion")[0] == 302
    assert b"Entendido" in visitor.get("/")[2]
    assert visitor.log_in("12")[0] == 200
    portal.configure(nits=["900000002"])
    assert b"no se encuentra habilitado" in visitor.log_in()[2]
    assert visitor.log_in("900000002")[0] == 303


def test_the_second_question_comes_as_often_as_set(portal: Handle, person: AtInsurer) -> None:
    fields = {
        "sl-ciudades": "11001",
        "txt-num-factura": "FE1",
        "txt-email": "a@b.co",
        "txt-usuario-registra": "x",
        "sl-ramo": "AP",
        "sl-tipo-amparo": "GMQ",
        "sl-tipo-cuenta": "1",
    }

    def asked() -> set[bool]:
        return {_told(person.post_form("/recepcion-reclamacion/validar", fields))["confirmar"] for _ in range(12)}

    assert asked() == {True, False}
    portal.configure(double_confirm=1.0)
    assert asked() == {True}
    assert portal.ledger.rows() == []
