"""The tray of lines that wait: decided by a person with a reason, or by a fact that came later."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from radica.app.handlers.glosas_reintento import KIND_RETRY, order_retry
from radica.app.handlers.glosas_reintento import retry as retry_job
from radica.app.house import make_house
from radica.glosas.bandeja.lines_tray import Acto, accept, candidates, discard, figures, match_by_hand, retry, waiting
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.jobs.queue import claim_next
from radica.kernel.clock import fixed_clock
from radica.kernel.config import load_settings
from radica.kernel.errors import BadInput, NotFound
from tests import factories
from tests.plugins.glosas import day, filed
from tests.plugins.notices import Notices, row


def acto(notices: Notices, motivo: str = "lo confirmó el pagador") -> Acto:
    return Acto("usuario:9", notices.at, motivo)


def only(notices: Notices) -> LineaNotificada:
    with notices.db.read() as session:
        (line,) = waiting(session, [notices.prestador.id])
        return line


def again(notices: Notices) -> dict[DestinoLinea, int]:
    return dict(retry(notices.db, notices.store, notices.prestador.id, actor="reloj", clock=fixed_clock(notices.at)))


def test_pages_follow_one_another_and_figures_add_up(notices: Notices) -> None:
    notices.one([row(f"FV{n}", "10") for n in range(1, 8)])
    with notices.db.read() as session:
        first = waiting(session, [notices.prestador.id], limit=4)
        rest = waiting(session, [notices.prestador.id], limit=4, after_id=first[-1].id)
        none = waiting(session, [notices.prestador.id], razon="otro_pagador")
        total = figures(session, [notices.prestador.id])
    assert [one.id for one in (*first, *rest)] == sorted({one.id for one in (*first, *rest)})
    assert (len(first), len(rest), none) == (4, 3, [])
    assert total == {(DestinoLinea.SIN_CRUZAR, "factura_desconocida"): (7, 7_000)}


def test_the_tray_is_read_along_its_own_index(notices: Notices) -> None:
    notices.one([row("FV1", "10")])
    with notices.db.read() as session:
        if not notices.db.is_sqlite:
            session.execute(text("SET LOCAL enable_seqscan = off"))  # of a table of one row it would read all of it
            session.execute(text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN QUERY PLAN" if notices.db.is_sqlite else "EXPLAIN"
        plan = session.execute(
            text(
                f"{explain} SELECT * FROM lineas_notificadas WHERE prestador_id IN (1) AND "
                "lineas_notificadas.destino IN ('sin_cruzar', 'por_decidir', 'no_leida') ORDER BY id"
            )
        ).all()
    assert "ix_lineas_notificadas_bandeja" in str(plan)


def test_by_hand_one_number_of_a_notice_is_matched_at_once(notices: Notices) -> None:
    invoice = notices.invoice("FV501")
    notices.one([row("ABC77", "10"), row("ABC77", "20"), row("ABC77", "20"), row("ABC78", "30")])
    with notices.db.write() as session:
        line = waiting(session, [notices.prestador.id])[0]
        ended = match_by_hand(session, line, invoice.id, acto(notices))
    assert ended == {DestinoLinea.CARGADA: 3}
    assert notices.money() == (3, 5_000)
    assert notices.tray() == [("sin_cruzar", "factura_desconocida")]
    (notice,) = notices.rows(Notificacion)
    assert (notice.nuevas, notice.sin_cruzar) == (3, 1)
    done = notices.lineas()[0]
    assert done.resuelta_por == "usuario:9"
    assert "lo confirmó el pagador" in (done.motivo or "")


def test_by_hand_nothing_of_another_provider_is_found(notices: Notices) -> None:
    with notices.db.write() as session:
        stranger = filed(session, prestador=factories.prestador(session), pagador=notices.pagador, numero="FV777")
    notices.one([row("FV777")])
    line = only(notices)
    with notices.db.write() as session:
        here = session.get_one(LineaNotificada, line.id)
        assert candidates(session, here) == []
        with pytest.raises(NotFound):
            match_by_hand(session, here, stranger.id, acto(notices))
    assert notices.money() == (0, 0)


def test_candidates_of_an_ambiguous_number(notices: Notices) -> None:
    for numero in ("F9", "V9"):
        notices.invoice(numero)
    notices.one([row("9")])
    with notices.db.read() as session:
        found = candidates(session, waiting(session, [notices.prestador.id])[0])
    assert [one.numero for one in found] == ["F9", "V9"]


def test_a_higher_value_is_accepted_as_a_glosa_of_the_difference(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", "100")])
    notices.one([row("FV501", "150", fecha="2026-06-18")])
    with notices.db.write() as session:
        assert (
            accept(session, session.get_one(LineaNotificada, only(notices).id), acto(notices)) is DestinoLinea.CARGADA
        )
    first, second = notices.glosas()
    assert (first.valor, second.valor_objetado) == (10_000, 5_000)
    assert second.fecha_segun_pagador == date(2026, 6, 18)
    assert second.notificada_at == day(6, 18, 0)
    assert notices.one([row("FV501", "150", fecha="2026-06-18", motivo="otra vez")]).repetidas == 1


def test_a_doubtful_date_ends_by_the_true_one(notices: Notices) -> None:
    notices.invoice("FV501", at=day(6, 20))
    notices.one([row("FV501")])
    with notices.db.write() as session:
        line = session.get_one(LineaNotificada, only(notices).id)
        with pytest.raises(BadInput, match="fecha"):
            accept(session, line, acto(notices))
        assert accept(session, line, acto(notices), notificada=date(2026, 6, 19)) is DestinoLinea.POR_DECIDIR
        assert accept(session, line, acto(notices), notificada=date(2026, 6, 23)) is DestinoLinea.CARGADA
    (glosa,) = notices.glosas()
    assert (glosa.notificada_segun, glosa.notificada_at) == ("persona", day(6, 23, 0))


def test_what_cannot_be_set_aside(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", "1", "DE1601", "2026-06-04"), row("FV501", "5")])
    with notices.db.write() as session, pytest.raises(BadInput, match="no se puede"):
        accept(session, session.get_one(LineaNotificada, only(notices).id), acto(notices))
    with notices.db.write() as session, pytest.raises(BadInput, match="por qué"):
        discard(session, session.get_one(LineaNotificada, only(notices).id), acto(notices, " "))
    assert notices.money() == (0, 0)


def test_discarded_with_a_reason_and_only_once(notices: Notices) -> None:
    notices.one([row("FV501")])
    line = only(notices)
    with notices.db.write() as session:
        discard(session, session.get_one(LineaNotificada, line.id), acto(notices, "es de otra sede"))
    (kept,) = notices.lineas()
    assert (kept.destino, kept.resuelta_por) == (DestinoLinea.DESCARTADA, "usuario:9")
    assert (kept.motivo or "").endswith("Descartada: es de otra sede")
    with notices.db.write() as session, pytest.raises(BadInput, match="ya salió"):
        discard(session, session.get_one(LineaNotificada, line.id), acto(notices))


def test_what_was_discarded_does_not_come_back_with_the_next_cumulative_file(notices: Notices) -> None:
    notices.one([row("FV501", "10"), row("FV502", "30")])
    with notices.db.read() as session:
        first = waiting(session, [notices.prestador.id])[0]
    with notices.db.write() as session:
        discard(session, session.get_one(LineaNotificada, first.id), acto(notices, "es de otra sede"))
    notices.one([row("FV501", "10"), row("FV501", "10"), row("FV501", "11"), row("FV502", "30"), row("FV503", "1")])
    with notices.db.read() as session:
        values = sorted(one.valor for one in waiting(session, [notices.prestador.id]))
    assert values == [100, 1_000, 1_100, 3_000], "one of the two equal lines was discarded; the other is new"
    assert [one.destino for one in notices.lineas() if one.razon == "ya_descartada"] == [DestinoLinea.REPETIDA]


def test_a_discarded_line_is_loaded_once_its_invoice_is_known(notices: Notices) -> None:
    notices.one([row("FV501", "10")])
    with notices.db.write() as session:
        discard(session, session.get_one(LineaNotificada, only(notices).id), acto(notices, "no es nuestra"))
    notices.invoice("FV501")
    notices.one([row("FV501", "10"), row("FV509", "2")])
    assert notices.money() == (1, 1_000)


def test_an_invoice_that_comes_later_settles_its_lines(notices: Notices) -> None:
    split = [row("FV501", "10"), row("FV501", "10"), row("FV502", "30")]
    notices.one(split)
    assert again(notices) == {}
    notices.invoice("FV501")
    assert again(notices) == {DestinoLinea.CARGADA: 2}
    assert notices.money() == (2, 2_000)
    assert notices.tray() == [("sin_cruzar", "factura_desconocida")]
    assert again(notices) == {}
    assert notices.one([*split, row("FV501", "10", "SO3401")]).repetidas == 3


def test_one_of_two_equal_lines_decided_alone_does_not_swallow_the_other(notices: Notices) -> None:
    invoice = notices.invoice("FV501")
    notices.one([row("X1", "10"), row("X2", "10")])
    for _ in range(2):
        with notices.db.write() as session:
            line = waiting(session, [notices.prestador.id])[0]
            assert match_by_hand(session, line, invoice.id, acto(notices)) == {DestinoLinea.CARGADA: 1}
    assert notices.money() == (2, 2_000)


def test_retrying_many_pages_ends(notices: Notices) -> None:
    notices.one([row(f"FV{n}", "10") for n in range(1, 2_300)])
    notices.invoice("FV2299")
    assert again(notices) == {DestinoLinea.CARGADA: 1}


def test_the_clock_orders_the_retry_once_an_hour_and_it_settles_lines(notices: Notices) -> None:
    notices.one([row("FV501", "10")])
    assert order_retry(notices.db, notices.at) == 1
    assert order_retry(notices.db, notices.at) == 0
    notices.invoice("FV501")
    house = make_house(
        load_settings({}, datos=str(notices.folder / "datos")), notices.db, environ={}, clock=fixed_clock(notices.at)
    )
    claimed = claim_next(notices.db, "prueba", "host", 60)
    assert claimed is not None
    assert claimed.kind == KIND_RETRY
    retry_job(house, claimed)
    assert notices.money() == (1, 1_000)
    assert notices.lineas()[0].resuelta_por == "reloj"


def test_a_cumulative_file_does_not_make_its_lines_wait_twice(notices: Notices) -> None:
    waits = [row("FV501", "10"), row("FV501", "10"), row("FV502", "30")]
    notices.one(waits)
    found = notices.one([*waits, row("FV501", "10", "SO3401"), row("FV502", "31", "SO3401")])
    assert (found.repetidas, found.sin_cruzar) == (3, 2)
    assert len(notices.tray()) == 5
    notices.invoice("FV501")
    assert again(notices) == {DestinoLinea.CARGADA: 3}
    assert notices.money() == (3, 3_000)


@pytest.mark.parametrize("third", ["10", "20"])
def test_one_more_of_equal_lines_that_wait_is_never_swallowed(notices: Notices, third: str) -> None:
    notices.one([row("FV501", "10"), row("FV501", "10")])
    found = notices.one([row("FV501", "10"), row("FV501", "10"), row("FV501", third)])
    assert (found.repetidas, found.sin_cruzar) == (0, 3)
    notices.invoice("FV501")
    assert again(notices) == {DestinoLinea.CARGADA: 3, DestinoLinea.REPETIDA: 2}
    assert notices.money() == (3, (20 + int(third)) * 100)
