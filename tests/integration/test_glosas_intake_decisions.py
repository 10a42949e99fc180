"""The payer's later word in files: applied when it is clear, once however often it comes, else put before a person."""

from __future__ import annotations

import pytest

from radica.glosas.bandeja.work_models import Decision
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from tests.plugins.glosas import day, devolucion, present
from tests.plugins.notices import Notices, row

DECIDED = "2026-07-15"


def answered(notices: Notices, numero: str = "FV501", valor: str = "1000", **more: str) -> Glosa:
    """Load a glosa and answer it in time."""
    notices.invoice(numero)
    notices.one([row(numero, valor, **more)])
    with notices.db.write() as session:
        glosa = session.get_one(Glosa, notices.glosas()[-1].id)
        present(session, glosa, Decision.DEFENDER, on=day(7, 1))
        return glosa


def reasons(notices: Notices) -> list[str | None]:
    return [razon for _, razon in notices.tray()]


def test_a_lift_and_a_ratification_move_their_glosas(notices: Notices) -> None:
    answered(notices, "FV501")
    answered(notices, "FV502")
    rows = [
        row("FV501", "1000", fecha=DECIDED, levantado="1000", ratificado="0"),
        row("FV502", "1000", fecha=DECIDED, levantado="0", ratificado="1000"),
    ]
    found = notices.one(rows)
    assert (found.aplicadas, found.nuevas, found.clean) == (2, 0, True)
    lifted, ratified = notices.glosas()
    assert (lifted.estado, lifted.levantado) == (EstadoGlosa.LEVANTADA_TOTAL, 100_000)
    assert (ratified.estado, ratified.en_disputa) == (EstadoGlosa.EN_SUBSANACION, 100_000)
    decision = next(one for one in notices.rows(Acto) if one.tipo is TipoActo.DECISION)
    assert decision.ocurrido_at == day(7, 15, 0)
    assert decision.evidencia == [found_sha(notices)]


def found_sha(notices: Notices) -> str:
    return notices.rows(Acto)[-1].evidencia[0]


def test_a_part_lifted_leaves_the_rest(notices: Notices) -> None:
    answered(notices)
    assert notices.one([row("FV501", "1000", fecha=DECIDED, levantado="400", ratificado="600")]).aplicadas == 1
    (glosa,) = notices.glosas()
    assert (glosa.estado, glosa.levantado, glosa.en_disputa) == (EstadoGlosa.LEVANTADA_PARCIAL, 40_000, 60_000)


def test_the_same_decision_again_changes_nothing(notices: Notices) -> None:
    answered(notices)
    line = row("FV501", "1000", fecha=DECIDED, levantado="400", ratificado="600")
    notices.one([line])
    before = notices.glosas()[0]
    again = notices.one(
        [line, row("FV501", "1000", fecha=DECIDED, levantado="400", ratificado="600", motivo="otra vez")]
    )
    assert (again.aplicadas, again.repetidas) == (0, 2)
    assert (notices.glosas()[0].version, notices.glosas()[0].en_disputa) == (before.version, before.en_disputa)


def test_an_old_ratification_told_again_after_the_second_answer_is_not_the_second_one(notices: Notices) -> None:
    glosa = answered(notices)
    first = row("FV501", "1000", fecha=DECIDED, levantado="0", ratificado="1000")
    notices.one([first])
    with notices.db.write() as session:
        present(session, session.get_one(Glosa, glosa.id), Decision.SUBSANAR, on=day(7, 21))
    assert notices.one([first, row("FV501", "5", codigo="SO3401", servicio="1")]).repetidas == 1
    assert notices.glosas()[0].estado is EstadoGlosa.SUBSANADA
    mail = {"origen": "correo", "recibida_at": day(7, 24)}
    assert notices.one([{**first, "motivo": "reenvío"}], **mail).repetidas == 1
    undated = row("FV501", "1000", fecha="", levantado="0", ratificado="1000")
    notices.one([undated], **mail)
    assert reasons(notices) == ["decision_sin_fecha"]
    second = row("FV501", "1000", fecha="2026-07-24", levantado="0", ratificado="1000")
    assert notices.one([second]).aplicadas == 1
    assert notices.glosas()[0].estado is EstadoGlosa.DEFINITIVA


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"levantado": "100", "ratificado": "600"}, "valor_distinto"),
        ({"levantado": "0", "ratificado": "2000"}, "valor_distinto"),
        ({"levantado": "1000", "ratificado": "0", "codigo": "SO3401"}, "sin_glosa"),
        ({"levantado": "0", "ratificado": "1000", "fecha": "2026-06-20"}, "fecha_anterior"),
    ],
    ids=["does not add up", "more than in dispute", "another code", "before the answer"],
)
def test_what_is_not_clear_waits_for_a_person(notices: Notices, more: dict[str, str], expected: str) -> None:
    glosa = answered(notices)
    found = notices.one([row("FV501", "1000", **{"fecha": DECIDED, **more})])
    assert found.aplicadas == 0
    assert reasons(notices) == [expected]
    assert notices.glosas()[0].estado is EstadoGlosa.RESPONDIDA
    assert notices.glosas()[0].id == glosa.id


def test_a_ratification_of_what_was_never_answered_waits_for_a_person(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501")])
    notices.one([row("FV501", fecha=DECIDED, levantado="0", ratificado="1000")])
    assert reasons(notices) == ["estado_no_admite"]


def test_the_payer_may_withdraw_what_was_never_answered(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501")])
    assert notices.one([row("FV501", fecha=DECIDED, levantado="1000", ratificado="0")]).aplicadas == 1
    assert notices.glosas()[0].estado is EstadoGlosa.LEVANTADA_TOTAL


def test_a_decision_that_may_be_of_two_glosas_is_not_guessed(notices: Notices) -> None:
    answered(notices, servicio="1")
    notices.one([row("FV501", servicio="2")])
    notices.one([row("FV501", fecha=DECIDED, levantado="0", ratificado="1000")])
    assert reasons(notices) == ["varias_glosas"]


def test_equal_objections_are_decided_one_by_one(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501"), row("FV501")])
    with notices.db.write() as session:
        for one in notices.glosas():
            present(session, session.get_one(Glosa, one.id), on=day(7, 1))
    line = row("FV501", fecha=DECIDED, levantado="0", ratificado="1000")
    assert notices.one([line, line]).aplicadas == 2
    assert {one.estado for one in notices.glosas()} == {EstadoGlosa.EN_SUBSANACION}


@pytest.mark.parametrize(
    ("more", "estado"),
    [
        ({"levantado": "0", "ratificado": "100000"}, EstadoDevolucion.REITERADA),
        ({"levantado": "100000", "ratificado": "0"}, EstadoDevolucion.LEVANTADA),
    ],
    ids=["insists", "withdraws"],
)
def test_returns_are_decided_whole(notices: Notices, more: dict[str, str], estado: EstadoDevolucion) -> None:
    invoice = notices.invoice("FV501")
    with notices.db.write() as session:
        one = devolucion(session, invoice)
        present(session, one, on=day(6, 9))
    line = row("FV501", "100000", "DE1601", "2026-06-12", **more)
    assert notices.one([line]).aplicadas == 1
    assert notices.rows(Devolucion)[0].estado is estado
    assert notices.one([line, row("FV501", "1", "DE1601", "2026-06-04")]).repetidas == 2
