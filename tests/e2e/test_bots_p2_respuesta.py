"""The P2 bot that answers glosas, in real Chromium against the simulated EPS; the portal's ledger is the oracle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import contract
from bots.contract import Answer, AnswerItem, AnswerMode, Category, Operation, Outcome
from bots.portals.reading import BOGOTA
from bots.simulador.answers import Account
from bots.simulador.p2_glosas import put_account
from bots.simulador.server import Handle, start
from tests.plugins import bots as rig

ITEMS = [
    {"id_glosa": "901", "servicio": "890201", "codigo": "TA0201", "valor": "10000.00"},
    {"id_glosa": "902", "servicio": "903841", "codigo": "FA0802", "valor": "2500.50"},
    {"id_glosa": "903", "servicio": "903841", "codigo": "FA0802", "valor": "700.00"},
]
COLLEAGUE = "COLEGA02"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    users = [
        {"usuario": rig.NIT, "clave": rig.CLAVE, "nit": rig.NIT, "nombre": "IPS"},
        {"usuario": COLLEAGUE, "clave": rig.CLAVE, "nit": rig.NIT, "nombre": "IPS"},
    ]
    with start("p2", tmp_path / "ledger.db", config={"users": users}) as handle:
        yield handle


@pytest.fixture
def account(portal: Handle) -> Account:
    put_account(portal.portal, {"nit": rig.NIT, "factura": "FE100", "items": ITEMS[:1]})  # a neighbour in the bag
    return put_account(
        portal.portal, {"nit": rig.NIT, "factura": "FE1001", "valor_factura": "573480.00", "items": ITEMS}
    )


@pytest.fixture
def ask(portal: Handle, account: Account, tmp_path: Path) -> Callable[..., contract.Result]:
    """Run one operation on the account's answer, each in a folder of its own."""
    store = tmp_path / "almacen"
    store.mkdir()
    factura = rig.answered_factura(store, "FE1001", "anexo.pdf", "otro.pdf")
    made: list[Path] = []

    def run(operation: Operation = Operation.RESPONDER, **changes: Any) -> contract.Result:
        made.append(tmp_path / f"intento{len(made)}")
        made[-1].mkdir()
        answer = changes.pop("answer", answer_of())
        changes["profile"] = {"readback_limit_s": 1, **changes.pop("profile", {})}
        message = rig.start(portal, made[-1], (factura,), operation=operation, answer=answer, **changes)
        return rig.run(message, changes.get("faults"))

    return run


def answer_of(*, mode: AnswerMode = AnswerMode.ITEM, **changes: Any) -> Answer:
    """Answers to the three items: two found by the payer's id, one by service, code and value."""
    items = (
        AnswerItem("RE9901", "La tarifa es la pactada,\nvea el anexo", "10000.00", id="901", files=("anexo.pdf",)),
        AnswerItem(
            "RE9901",
            "Se adjunta el soporte",
            "2500.50",
            codigo="FA0802",
            servicio="903841",
            files=("otro.pdf", "anexo.pdf"),
        ),
        AnswerItem("RE9601", "Se adjunta el soporte", "700.00", id="903"),
    )
    return Answer(tuple(replace(item, **changes) for item in items), mode=mode)


def drafts(account: Account) -> dict[str, tuple[str, str, str]]:
    return {i.id_glosa: (i.answer.code, i.answer.text, i.answer.file_name) for i in account.items if i.answer}


def test_every_item_is_answered_once_and_the_account_closed_once(
    portal: Handle, account: Account, ask: Callable[..., contract.Result], tmp_path: Path
) -> None:
    result = ask()
    assert (result.outcome, result.operation, result.radicado) == (Outcome.ACCEPTED, Operation.RESPONDER, None)
    assert "¡Usted ha cerrado una cuenta!" in (result.text or "")
    assert f"Cuenta {account.id} de la factura FE1001 respondida y cerrada" in (result.text or "")
    assert result.fecha == account.closings[0].at.isoformat() + "-05:00"
    assert drafts(account) == {
        "901": ("999", "LA TARIFA ES LA PACTADA,\r\nVEA EL ANEXO", "anexo.pdf"),
        "902": ("999", "SE ADJUNTA EL SOPORTE", "otro.pdf"),
        "903": ("996", "SE ADJUNTA EL SOPORTE", ""),
    }
    counts = portal.portal.desk.ledger.counts()
    assert (counts["answers"], counts["answers_again"], counts["closings"]) == (3, 0, 1)
    assert [a.state for a in portal.portal.desk.accounts()] == ["EN BOLSA", "RESPONDIDA"]
    kinds = {item.kind for item in result.evidence}
    assert {"manifest", "answers", "items_before", "items_after", "screenshot_before", "acuse_dom"} <= kinds
    assert {"submit_response", "screenshot_after", "radicado", "tls", "context"} <= kinds
    folder = tmp_path / "intento0"
    assert [n for n in ("detalle.xlsx", "glosas.xlsx") if not (folder / n).read_bytes().startswith(b"PK")] == []
    after = json.loads((folder / "items_despues.json").read_text())["items"]
    assert [(row["id"], row["estado"]) for row in after] == [(n, "RESPONDIDA") for n in ("901", "902", "903")]
    assert "RESPONDIDA" in (folder / "cierre.html").read_text()


def test_equal_answers_go_in_mass_at_most_so_many_per_page_load(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    alike = answer_of(mode=AnswerMode.MASS, tipo="RE9901", texto="No procede", files=("anexo.pdf",))
    result = ask(answer=alike, profile={"max_masiva": 2})
    assert result.outcome is Outcome.ACCEPTED
    rows = portal.portal.desk.ledger.rows("respuesta")
    assert [row["bulk"] for row in rows] == [2, 2, 0]
    assert portal.portal.desk.ledger.counts()["answers_again"] == 0


def test_more_than_two_hundred_items_need_several_page_loads(
    portal: Handle, ask: Callable[..., contract.Result], tmp_path: Path
) -> None:
    raw = [{"id_glosa": f"7{n:03d}", "servicio": "890201", "codigo": "TA0201", "valor": "10.00"} for n in range(201)]
    put_account(portal.portal, {"cuenta": "77", "nit": rig.NIT, "factura": "FE1001", "items": raw})
    items = tuple(AnswerItem("RE9901", "No procede", "10.00", id=str(one["id_glosa"])) for one in raw)
    result = ask(answer=Answer(items, mode=AnswerMode.MASS, cuenta="77"), deadline_s=300, submit_limit_s=120)
    assert result.outcome is Outcome.ACCEPTED
    assert sorted({row["bulk"] for row in portal.portal.desk.ledger.rows("respuesta")}) == [0, 200]
    assert portal.portal.desk.ledger.counts()["answers"] == 201


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        ({"answer_file_refused": 1}, 0),
        ({"answer_not_kept": 1}, 0),
        ({"answer_502_after_save": 1}, 0),
        ({"answer_cut_after_save": 1}, 0),
        ({"button_disabled_s": 2.0}, 0),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_goes_wrong_while_answering_is_mended_and_no_item_is_answered_twice(
    portal: Handle, account: Account, ask: Callable[..., contract.Result], fault: dict[str, Any], again: int
) -> None:
    portal.configure(**fault)
    assert ask().outcome is Outcome.ACCEPTED
    counts = portal.portal.desk.ledger.counts()
    assert (counts["answers_kept"], counts["answers_again"], counts["closings"]) == (3, again, 1)


def test_a_session_that_is_lost_on_the_way_is_entered_again(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    portal.configure(answer_then_session_lost=2)
    assert ask().outcome is Outcome.ACCEPTED
    counts = portal.portal.desk.ledger.counts()
    assert (counts["answers"], counts["answers_again"], counts["closings"]) == (3, 0, 1)


UNCERTAIN = [
    ("close_not_kept", "cierre_sin_confirmar", False),
    ("502_before_save", "error_del_portal", False),
    ("502_after_save", "error_del_portal", True),
    ("cut_connection_before_save", "conexion_perdida", False),
    ("cut_connection_after_save", "conexion_perdida", True),
    ("popup_never_shown", "sin_mensaje", True),
    ("hang_after_save", "sin_respuesta", True),
]


@pytest.mark.parametrize(("fault", "code", "closed"), UNCERTAIN)
def test_a_closing_that_is_not_certain_is_unknown_and_only_the_query_settles_it(
    portal: Handle, account: Account, ask: Callable[..., contract.Result], fault: str, code: str, closed: bool
) -> None:
    portal.configure(**{fault: 1, "detect_duplicates": False})
    result = ask(submit_limit_s=10)
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, code)
    assert portal.portal.desk.ledger.counts()["closings"] == 1
    looked = ask(Operation.LOOK_UP)
    assert looked.outcome is (Outcome.KNOWN_WITHOUT_NUMBER if closed else Outcome.ABSENT)
    if not closed:
        assert ask().outcome is Outcome.ACCEPTED  # the drafts are there: nothing is answered again
        counts = portal.portal.desk.ledger.counts()
        assert (counts["answers"], counts["answers_again"], counts["closings_kept"]) == (3, 0, 1)


def test_a_closing_that_the_lists_hide_is_neither_known_nor_absent_for_good(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    portal.configure(query_lag_s=3600)
    result = ask()
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "cierre_sin_confirmar")
    assert ask(Operation.LOOK_UP).outcome is Outcome.ABSENT  # the settling time is there for this
    again = ask()
    assert (again.outcome, portal.portal.desk.ledger.counts()["closings"]) == (Outcome.NOT_SUBMITTED, 1)


def test_a_refusal_of_the_payer_closes_nothing(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    portal.configure(errors={"reject": {"reason": "La respuesta está fuera de término."}})
    result = ask()
    assert result.outcome is Outcome.REJECTED
    assert "fuera de término" in (result.reason or "")
    assert account.closings == []


STOPPED: list[tuple[dict[str, Any], str, Category]] = [
    ({"answer": answer_of(texto="x" * 501), "profile": {"limite_texto": 500}}, "texto_largo", Category.PERMANENT),
    ({"answer": Answer(answer_of().items[:2])}, "falta_respuesta", Category.PERSON),
    ({"answer": replace(answer_of(), cuenta="99999")}, "cuenta_no_esta", Category.PERSON),
]


@pytest.mark.parametrize(
    ("changes", "code", "category"), STOPPED, ids=lambda value: value if type(value) is str else ""
)
def test_what_does_not_fit_is_seen_before_anything_is_written(
    portal: Handle,
    account: Account,
    ask: Callable[..., contract.Result],
    changes: dict[str, Any],
    code: str,
    category: Category,
) -> None:
    result = ask(**changes)
    assert (result.outcome, result.code, result.category) == (Outcome.NOT_SUBMITTED, code, category)
    assert portal.portal.desk.ledger.counts()["answers"] == 0


def test_an_account_that_a_colleague_has_is_left_alone(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    portal.configure(answer_account_taken=1)
    result = ask()
    assert (result.code, result.category) == ("cuenta_tomada", Category.PERSON)
    assert ask().code == "cuenta_no_esta"
    assert portal.portal.desk.ledger.counts()["answers"] == 0


def test_a_colleagues_draft_is_not_written_over(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    portal.configure(errors={"502_before_save": 1})
    assert ask().outcome is Outcome.UNKNOWN
    other = answer_of(texto="Otro texto")
    result = ask(answer=other)
    assert (result.code, result.category) == ("respondida_distinta", Category.PERSON)
    assert portal.portal.desk.ledger.counts()["answers"] == 3


def test_what_was_closed_by_hand_is_evidence_of_an_earlier_answer_and_not_pressed(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    assert ask().outcome is Outcome.ACCEPTED
    result = ask()
    assert (result.outcome, result.fecha) == (Outcome.DUPLICATE, account.closings[0].at.isoformat() + "-05:00")
    assert portal.portal.desk.ledger.counts()["closings"] == 1


def test_the_second_round_is_another_closing_and_the_first_does_not_count_for_it(
    portal: Handle, account: Account, ask: Callable[..., contract.Result]
) -> None:
    assert ask().outcome is Outcome.ACCEPTED
    account.closings[0] = replace(account.closings[0], at=account.closings[0].at - timedelta(days=9))
    second = Answer(answer_of().items[:1])
    later: dict[str, Any] = {"answer": second, "round": 2}
    intent = (datetime.now(BOGOTA) - timedelta(minutes=1)).isoformat()
    assert ask(**later).code == "cuenta_no_esta"  # the payer has not put it back in the bag
    looked = ask(Operation.LOOK_UP, intent_not_before=intent, **later)
    assert (looked.outcome, (looked.fecha or "")[:10]) == (
        Outcome.KNOWN_WITHOUT_NUMBER,
        account.closings[0].at.date().isoformat(),
    )  # before the intent: the house calls that made elsewhere
    portal.portal.desk.decide(account, {"902": "LEVANTADA", "903": "LEVANTADA"}, "RATIFICADA")
    assert ask(Operation.LOOK_UP, intent_not_before=intent, **later).outcome is Outcome.ABSENT
    assert ask(**later).outcome is Outcome.ACCEPTED
    looked = ask(Operation.LOOK_UP, intent_not_before=intent, **later)
    assert looked.fecha == account.closings[1].at.isoformat() + "-05:00"
    assert [closing.round for closing in account.closings] == [1, 2]


def test_the_password_is_in_no_artefact(ask: Callable[..., contract.Result], tmp_path: Path) -> None:
    ask()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "intento" in str(path)]
    assert len(kept) > 10
    assert [path.name for path in kept if rig.CLAVE.encode() in path.read_bytes()] == []
