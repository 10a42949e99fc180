"""RIPS and answers of the MUV, as read from real documents."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.jsonsafe import load_json
from radica.facturas.recognise import recognise
from radica.facturas.rips import Rips, read_rips, walk

# Of each invoice with both documents: Σ vrServicio, Σ valorPagoModerador (reference/cufe.md, numeral 4).
TOTALS = {
    "caso01_muv_request.json": ("39925701", "0", 570),
    "caso03_muv_request.json": ("87000", "0", 1),
    "caso05_rips.json": ("228630", "0", 17),
    "caso07_rips.json": ("1120000", "64400", 4),
    "caso10_rips.json": ("103470", "0", 1),
    "caso11_rips_envuelto.json": ("5000", "15000", 1),
    "caso28_rips.json": ("9957551", "0", 87),
    "caso33_rips_farmacia.json": ("0", "0", 398),
    "caso70_rips.json": ("20618", "0", 4),
}


def rips_of(path: Path) -> Rips:
    rips = recognise(path.read_bytes(), path.name).pieces[0].rips
    assert rips is not None
    return rips


def cuv_of(path: Path) -> CuvResult:
    cuv = recognise(path.read_bytes(), path.name).pieces[0].cuv
    assert cuv is not None
    return cuv


@pytest.mark.parametrize(("name", "totals"), TOTALS.items())
def test_totals_of_real_rips(muestras: Path, name: str, totals: tuple[str, str, int]):
    rips = rips_of(muestras / name)
    assert (rips.total, rips.copayment, rips.services) == (Decimal(totals[0]), Decimal(totals[1]), totals[2])
    assert rips.unread == ()


def test_summary_of_a_stay(muestras: Path):
    rips = rips_of(muestras / "caso28_rips.json")
    assert (rips.number, rips.users, rips.note_kind) == ("00003074044", 1, None)
    assert list(rips.groups) == [
        "consultas", "procedimientos", "urgencias", "hospitalizacion", "medicamentos", "otrosServicios",
    ]  # fmt: skip
    assert rips.groups["medicamentos"].count == 42
    assert rips.groups["hospitalizacion"].total == 0
    assert rips.first is not None
    assert rips.last is not None
    assert rips.first <= rips.last
    assert rips.providers


def test_notes_and_rips_without_invoice(muestras: Path):
    debit, alone = (
        rips_of(muestras / "caso18_rips_nota_debito_ND.json"),
        rips_of(muestras / "caso16_rips_sin_factura_RS.json"),
    )
    assert (debit.note_kind, debit.note_number, debit.number) == ("ND", "2ND1", "COR176187")
    assert (alone.note_kind, alone.note_number, alone.number) == ("RS", "1", None)


def test_a_damaged_official_example_says_what_could_not_be_read(muestras: Path):
    rips = rips_of(muestras / "caso36_rips_ejemplo_oficial_res2275.json")
    assert set(rips.groups) >= {"recienNacidos", "hospitalizacion"}
    assert "usuarios[0].servicios.procedimientos[0].vrServicio" in rips.unread


def test_values_that_are_no_numbers_are_not_taken_as_zero():
    rips = read_rips(
        {
            "usuarios": [
                {"servicios": {"consultas": [{"vrServicio": "mil"}, {"vrServicio": True}, {"vrServicio": "10.5"}]}}
            ]
        }
    )
    assert rips.total == Decimal("10.5")
    assert rips.unread == tuple(f"usuarios[0].servicios.consultas[{i}].vrServicio" for i in (0, 1))


def test_amounts_are_exact():
    value, _ = load_json(b'{"usuarios":[{"servicios":{"consultas":[{"vrServicio":0.1},{"vrServicio":0.2}]}}]}')
    assert read_rips(value).total == Decimal("0.3")


def test_null_lists_and_odd_records():
    rips = read_rips(
        {"usuarios": [{"servicios": None}, {"servicios": {"consultas": None, "urgencias": [None, 3]}}, None]}
    )
    assert (rips.users, rips.services, rips.first) == (3, 0, None)


def test_the_walk_shows_users_and_services(muestras: Path):
    value = json.loads((muestras / "caso07_rips.json").read_text(encoding="utf-8"))
    users = list(walk(value))
    assert (len(users), [len(u.services) for u in users]) == (4, [1, 1, 1, 1])
    assert sum(s.amount or 0 for u in users for s in u.services) == 1120000
    assert users[0].document
    assert users[0].document not in repr(users)
    assert users[0].services[0].code is not None


ANSWERS = {
    "caso01_muv_respuesta.json": (False, "CN309317"),
    "caso03_muv_respuesta.json": (True, "CN311708"),
    "caso07_ResultadosMSPS_cuv_adaptado.json": (True, "A01E5687"),
    "caso11_muv_respuesta_rechazo.json": (False, "SETP990000103"),
    "caso13_muv_respuesta_rechazo.json": (False, "SETP990070004"),
    "caso15_muv_respuesta_rechazo.json": (False, "SETP9900001023"),
    "caso16_muv_respuesta_400_camelcase.json": (False, None),
    "caso16_muv_respuesta_aceptado.json": (True, "1"),
    "caso20_consultarcuv_respuesta.json": (True, None),
    "caso60_muv_manual_NotaDebito.json": (True, "COR810000"),
    "caso62_muv_manual_RipsSinFactura.json": (True, "NAF20"),
    "caso64_muv_manual_CapitaInicial.json": (True, "ML001"),
    "caso70_muv_respuesta.json": (True, "CME443346"),
}


@pytest.mark.parametrize(("name", "said"), ANSWERS.items())
def test_real_answers(muestras: Path, name: str, said: tuple[bool, str | None]):
    cuv = cuv_of(muestras / name)
    assert (cuv.accepted, cuv.number) == said
    assert (cuv.cuv is not None) is said[0]
    assert bool(cuv.rejections) is not said[0]
    assert cuv.at is not None
    assert cuv.at.utcoffset() == timedelta(hours=-5)


def test_details_of_an_answer(muestras: Path):
    cuv = cuv_of(muestras / "caso60_muv_manual_NotaDebito.json")
    assert (cuv.process, cuv.environment, cuv.module) == ("11", "DockerTest", "NotaDebito")
    assert cuv.at is not None
    assert cuv.at.replace(microsecond=0) == datetime(2025, 10, 30, 16, 31, 18, tzinfo=timezone(timedelta(hours=-5)))
    assert {r.clase for r in cuv.results} == {"NOTIFICACION"}
    assert len(cuv_of(muestras / "caso01_muv_respuesta.json").results) == 841
    query = cuv_of(muestras / "caso20_consultarcuv_respuesta.json")
    assert (query.is_query, query.issuer and query.issuer.number) == (True, "901355357")


@pytest.mark.parametrize(
    "answer",
    [
        {"ResultState": True, "CodigoUnicoValidacion": "-"},
        {"ResultState": True, "CodigoUnicoValidacion": None},
        {"ResultState": False, "CodigoUnicoValidacion": "a" * 96},
        {"ResultState": "si", "CodigoUnicoValidacion": "a" * 96},
    ],
)
def test_accepted_needs_the_word_and_the_code(answer: dict[str, object]):
    found = find_answer(answer)
    assert found is not None
    assert not read_cuv(found).accepted


def test_an_answer_is_found_inside_the_envelopes_of_who_kept_it():
    answer = {"resultState": True, "codigoUnicoValidacion": "a" * 96, "numFactura": "FE1"}
    for kept in (
        answer,
        {"data": answer},
        {"status": 200, "body": {"data": answer}},
        {"respuesta": answer, "ok": True},
    ):
        found = find_answer(kept)
        assert found is not None
        assert read_cuv(found).accepted
    for other in ({"una": answer, "otra": answer}, {"rips": {"usuarios": []}, "respuesta": answer}, [answer]):
        assert find_answer(other) is None
