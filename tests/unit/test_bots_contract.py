"""The pipe contract: what is said arrives whole, what is not of the protocol is refused without quoting it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bots import contract as c

FILE = c.FilingFile("SOPORTE", "HEV", "HEV_9_FE1.pdf", "/store/ab", "ab" * 32, 12)
START = c.Start(
    operation=c.Operation.RADICAR,
    attempt=c.Attempt(7, 2, "f" * 32),
    portal=c.Portal("p2_cuentas_medicas", "https://portal.test", {"contrato": "X", "n": 3}, "2026-11", 90),
    credentials=c.Credentials("900000001", "clave-canario"),
    filing=c.Filing(
        "radicacion", 1, "900000001", "IPS", (c.Factura("FE1", "10.50", None, "c" * 96, "2026-11-01", (FILE,)),), {}
    ),
    folder="/var/intento",
    browser=c.Browser(None),
    deadline_s=300,
)
RESULT = c.Result(
    operation=c.Operation.RADICAR,
    outcome=c.Outcome.ACCEPTED,
    bot=c.Bot("p2", "1.0", "2026-11"),
    evidence=(c.EvidenceItem("acuse_shot", "acuse.png", "cd" * 32, 5),),
    radicado="RAD-1",
    text="Se radicó la FE1",
    confidence=c.Confidence.ALTA,
)


ANSWER = c.Answer((c.AnswerItem("RE9901", "No procede", "10.50", id="901", files=(FILE.name,)),), cuenta="51001")
REPLY = replace(
    START, operation=c.Operation.RESPONDER, filing=replace(START.filing, act="respuesta_glosa", answer=ANSWER)
)


@pytest.mark.parametrize("message", [START, REPLY, c.Go("intento-9"), c.Stop("perdí la concesión")])
def test_what_the_worker_says_arrives_whole(message: c.ToChild) -> None:
    assert c.decode_to_child(c.encode(message)) == message


@pytest.mark.parametrize(
    "message", [c.Progress("Ingresando", 1, 6), c.Evidence("manifest", "m.json"), c.ReadyToSubmit(12), RESULT]
)
def test_what_the_child_says_arrives_whole(message: c.FromChild) -> None:
    assert c.decode_from_child(c.encode(message)) == message


def test_a_message_is_one_line_even_with_line_breaks_inside() -> None:
    line = c.encode(c.Stop("uno\ndos"))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 200_000,
        b'{"t":"otra"}',
        b'{"t":"go"}',
        b'{"t":"go","intent":5}',
        b'{"t":"start","protocol":2}',
        c.encode(replace(START, protocol=1)),
        b'{"t":"go","intent":"' + b"x" * c.MAX_LINE + b'"}',
    ],
    ids=lambda line: line[:20].decode(),
)
def test_a_line_that_is_not_of_the_protocol_is_refused(line: bytes) -> None:
    with pytest.raises(c.ContractError):
        c.decode_to_child(line)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".oculto", "a\\b", "x" * 200, "a\n"])
def test_evidence_is_a_bare_file_name(name: str) -> None:
    with pytest.raises(c.ContractError):
        c.decode_from_child(json.dumps({"t": "evidence", "kind": "failure", "name": name}).encode())


def test_the_error_names_the_field_and_never_the_value() -> None:
    body = json.loads(c.encode(START))
    body["credentials"]["clave"] = ["clave-canario"]
    with pytest.raises(c.ContractError, match=r"credentials\.clave") as caught:
        c.decode_to_child(json.dumps(body).encode())
    assert "canario" not in str(caught.value)


def test_the_password_is_in_no_repr() -> None:
    assert "canario" not in repr(START)
    assert "canario" not in repr(START.credentials)


def test_a_start_without_facturas_is_refused() -> None:
    with pytest.raises(c.ContractError, match="facturas"):
        c.decode_to_child(c.encode(replace(START, filing=replace(START.filing, facturas=()))))


def test_an_outcome_of_the_other_operation_is_refused() -> None:
    with pytest.raises(c.ContractError, match="operation"):
        c.encode(replace(RESULT, outcome=c.Outcome.ABSENT))


def test_an_outcome_without_what_it_must_bring_is_refused() -> None:
    with pytest.raises(c.ContractError, match="confidence"):
        c.encode(replace(RESULT, confidence=None))
    with pytest.raises(c.ContractError, match="valor"):
        c.encode(replace(RESULT, operation=c.Operation.LOOK_UP, outcome=c.Outcome.FOUND))


def test_an_unknown_key_is_left_out() -> None:
    assert c.decode_to_child(b'{"t":"go","intent":"a","novedad":1}') == c.Go("a")


def test_result_json_is_whole_or_not_there(tmp_path: Path) -> None:
    assert c.read_result(tmp_path) is None
    c.write_result(tmp_path, RESULT)
    assert c.read_result(tmp_path) == RESULT
    assert [p.name for p in tmp_path.iterdir()] == [c.RESULT_FILE]


def test_a_half_written_result_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / c.RESULT_FILE).write_bytes(c.encode(RESULT)[:-20])
    with pytest.raises(c.ContractError):
        c.read_result(tmp_path)


def _with(**changes: object) -> c.Start:
    items = (replace(ANSWER.items[0], **changes),)  # type: ignore[arg-type]
    return replace(REPLY, filing=replace(REPLY.filing, answer=replace(ANSWER, items=items)))


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (replace(REPLY, filing=replace(REPLY.filing, answer=None)), "answer"),
        (replace(REPLY, filing=replace(REPLY.filing, answer=replace(ANSWER, items=()))), "items"),
        (replace(REPLY, filing=replace(REPLY.filing, facturas=REPLY.filing.facturas * 2)), "facturas"),
        (_with(texto=" "), "texto"),
        (_with(texto="canario" * 2000), "texto"),
        (_with(files=("otro.pdf",)), "files"),
        (_with(id=None), "id"),
        # A question about an answer must carry it: without it the portal would be asked about the filing.
        (replace(_with(files=("otro.pdf",)), operation=c.Operation.LOOK_UP), "files"),
    ],
)
def test_an_answer_that_does_not_hold_is_refused_by_its_field(message: c.Start, where: str) -> None:
    with pytest.raises(c.ContractError, match=where) as caught:
        c.decode_to_child(c.encode(message))
    assert "canario" not in str(caught.value)
