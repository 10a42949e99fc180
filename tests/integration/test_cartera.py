"""Invoices as debts on both databases: what each act does to the liquidation, payments, balance, tasks, commands."""

from __future__ import annotations

import hashlib
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera import pagos
from radica.cartera.caso import TipoConcepto
from radica.cartera.liquidacion import Resultado
from radica.cartera.liquidar import congelar, liquidar_factura
from radica.cartera.models import ConceptoPago, Liquidacion, PagoFactura, TasaUsura
from radica.cartera.saldos import balance, notes_of
from radica.cartera.tasas import load, rate_of
from radica.conciliacion.commitments import promise
from radica.conciliacion.models import Conciliacion
from radica.conciliacion.services import lines_of
from radica.conciliacion.signing import sign
from radica.custodia.models import Blob
from radica.custodia.services import Kept
from radica.custodia.store import FolderStore
from radica.entidades.models import TipoPagador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.acts import decide, decide_devolucion
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition
from tests.conciliacion_seed import agree, make_mesa
from tests.plugins.glosas import EVIDENCE, LATER, day, devolucion, filed, glosa, present

VALUE = 10_000_001
CUT = date(2026, 8, 31)
K = TipoConcepto


def liquidated(session: Session, invoice: Factura, corte: date = CUT, **chosen: str) -> Resultado:
    session.flush()
    found = liquidar_factura(session, invoice, corte=corte, parametros=chosen)
    debit = sum(one.valor or 0 for one in notes_of(session, invoice.id) if one.tipo is TipoDocumento.NOTA_DEBITO)
    assert found.caso.capital == (invoice.valor or 0) + debit
    return found


def parts(found: Resultado) -> dict[TipoConcepto, int]:
    return {one.concepto.tipo: one.concepto.capital for one in found.saldos}


def starts(found: Resultado) -> dict[TipoConcepto, date | None]:
    return {one.concepto.tipo: one.inicio.desde if one.inicio else None for one in found.saldos}


def served(invoice: Factura, until: date = date(2026, 5, 20)) -> Factura:
    invoice.servicio_desde = invoice.servicio_hasta = until
    return invoice


def note(session: Session, invoice: Factura, kind: TipoDocumento, payable: str | None, number: str = "NC1") -> None:
    sha = hashlib.sha256(f"{kind} {number} {invoice.id} {payable}".encode()).hexdigest()
    session.add(Blob(sha256=sha, bytes=1, stored_at=LATER))
    session.flush()
    session.add(
        Documento(
            prestador_id=invoice.prestador_id, factura_id=invoice.id, sha256=sha, bytes=1, nombre=f"{number}.xml",
            tipo=kind, media_type="application/xml", cargado_at=LATER, cargado_por="prueba",
            datos={"number": number, "payable": payable, "issue_date": "2026-07-15"},
        )
    )  # fmt: skip


def lift(session: Session, row: Any, cents: int, when: datetime, *, rest: bool) -> None:
    decide(
        session, row, levantado=cents, ratificado=rest, ocurrido_at=when, evidence=[EVIDENCE], actor="prueba", at=LATER,
        motivo="registro_manual",
    )  # fmt: skip


def test_what_nobody_objects_to_is_owed_in_two_parts(db: Database) -> None:
    with db.write() as session:
        found = liquidated(session, served(filed(session, valor=VALUE)))
        assert parts(found) == {K.NO_OBJETADO_CORTO: 5_000_000, K.NO_OBJETADO_LARGO: 5_000_001}
        # Filed on Monday 1 June 2026: five business days end on 9 June (8 June is a holiday).
        assert starts(found)[K.NO_OBJETADO_CORTO] == date(2026, 6, 10)
        early = liquidated(session, served(filed(session, valor=VALUE)), dias="calendario")
        assert starts(early) == {K.NO_OBJETADO_CORTO: date(2026, 6, 7), K.NO_OBJETADO_LARGO: date(2026, 7, 2)}
        assert early.causados > found.causados > 0


@pytest.mark.parametrize(("until", "runs"), [(date(2025, 12, 1), True), (date(2025, 11, 28), False), (None, True)])
def test_six_months_after_the_service_there_is_no_interest_any_more(
    db: Database, until: date | None, runs: bool
) -> None:
    with db.write() as session:
        invoice = filed(session, valor=VALUE)
        invoice.servicio_hasta = until
        found = liquidated(session, invoice)
    assert bool(found.lineas) is runs
    said = " ".join(one.concepto.motivo for one in found.saldos) + " ".join(found.avisos)
    assert ("seis meses" in said) is (until is None or not runs)


def test_a_payer_without_a_term_in_the_table_gets_no_invented_start(db: Database) -> None:
    with db.write() as session:
        found = liquidated(session, served(filed(session, valor=VALUE, tipo=TipoPagador.SOAT)))
    assert not found.lineas
    assert all("no tiene término" in one.concepto.motivo for one in found.saldos)


def test_a_lifted_glosa_is_owed_five_days_after_or_since_filing(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        row = glosa(session, invoice, 4_000_000)
        present(session, row, on=day(6, 25))
        lift(session, row, 1_500_000, day(7, 1), rest=True)
        found = liquidated(session, invoice)
        assert parts(found)[K.GLOSA_LEVANTADA] == 1_500_000
        assert parts(found)[K.EN_DISPUTA] == 2_500_000
        assert starts(found)[K.GLOSA_LEVANTADA] == date(2026, 7, 9)
        assert starts(found)[K.EN_DISPUTA] is None
        other = {(one.opcion.clave, one.opcion.valor): one for one in found.alternativas}
        assert other["glosa", "presentacion"].diferencia > 0
        assert other["disputa", "infundada"].capital == found.capital + 2_500_000
        since = liquidated(session, invoice, glosa="presentacion")
        assert starts(since)[K.GLOSA_LEVANTADA] == date(2026, 6, 2)


def test_a_glosa_answered_late_owes_no_interest_when_it_is_lifted(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        row = glosa(session, invoice, 4_000_000)
        present(session, row, on=day(7, 20))
        lift(session, row, 4_000_000, day(7, 24), rest=False)
        found = liquidated(session, invoice)
    lifted = next(one for one in found.saldos if one.concepto.tipo is K.GLOSA_LEVANTADA)
    assert lifted.inicio is None
    assert "no se respondió en término" in lifted.concepto.motivo


def test_what_was_accepted_is_not_owed_and_its_note_takes_it_away(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        row = glosa(session, invoice, 4_000_000)
        row.aceptado, row.en_disputa = 1_000_000, 3_000_000
        found = liquidated(session, invoice)
        assert parts(found)[K.ACEPTADO] == 1_000_000
        assert balance(session, invoice).aceptado_sin_nota == 1_000_000
        note(session, invoice, TipoDocumento.NOTA_CREDITO, "10000.00")
        again = liquidated(session, invoice)
        assert again.causados == found.causados
        assert next(one.capital for one in again.saldos if one.concepto.tipo is K.ACEPTADO) == 0
        left = balance(session, invoice)
        assert (left.notas_credito, left.saldo, left.aceptado_sin_nota) == (1_000_000, VALUE - 1_000_000, 0)


def test_a_return_without_reason_owes_since_filing(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        row = devolucion(session, invoice)
        assert parts(liquidated(session, invoice)) == {K.EN_DISPUTA: VALUE}
        present(session, row, on=day(6, 9))
        decide_devolucion(
            session, row, True, ocurrido_at=day(6, 12), evidence=[EVIDENCE], actor="prueba", at=LATER,
            motivo="registro_manual",
        )  # fmt: skip
        found = liquidated(session, invoice)
        assert set(starts(found).values()) == {date(2026, 6, 2)}
        assert ("devolucion", "general") in {(one.opcion.clave, one.opcion.valor) for one in found.alternativas}


def test_what_an_acta_lifts_is_owed_on_the_days_that_were_promised(db: Database, tmp_path: Path) -> None:
    mesa = make_mesa(db, tmp_path, (1_000_000, 3_000_000))
    with db.write() as session:
        row = mesa.convene(session)
        mesa.meet(session, row)
        agree(session, row, levanta=60, acepta=40)
        promise(session, row, fecha=date(2026, 11, 20), valor=1_000_000, at=LATER)
        promise(session, row, fecha=date(2026, 12, 20), valor=1_000_000, at=LATER)
    with db.write() as session:
        row = session.get_one(Conciliacion, row.id)
        mesa.hold(session, row)
        sign(session, row, kept=mesa.signed(), firmada_at=day(11, 19), actor="prueba", at=LATER)
    with db.write() as session:
        first = session.get_one(Factura, mesa.facturas[0])
        found = liquidated(session, first, date(2026, 12, 31))
        agreed = sorted(
            (one.inicio.desde, one.concepto.capital)
            for one in found.saldos
            if one.concepto.tipo is K.CONCILIADO and one.inicio
        )
        # Of 600,000 lifted here and 2,400,000 in all, 2,000,000 were promised: a quarter of each promise is here.
        assert agreed == [(date(2026, 11, 21), 250_000), (date(2026, 11, 27), 100_000), (date(2026, 12, 21), 250_000)]
        assert len(lines_of(session, session.get_one(Conciliacion, row.id))) == 2
        assert parts(found)[K.ACEPTADO] == 400_000


def test_a_debit_note_is_capital_without_interest(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        note(session, invoice, TipoDocumento.NOTA_DEBITO, "500.00", "ND1")
        note(session, invoice, TipoDocumento.NOTA_CREDITO, None, "NC9")
        found = liquidated(session, invoice)
        assert starts(found)[K.NOTA_DEBITO] is None
        assert any("NC9" in one for one in found.avisos)


def test_a_note_that_came_in_two_files_counts_once(db: Database) -> None:
    with db.write() as session:
        invoice = filed(session, valor=VALUE)
        note(session, invoice, TipoDocumento.NOTA_CREDITO, "500.00", "NC1")
        note(session, invoice, TipoDocumento.NOTA_CREDITO, "500.0", "NC1")
        assert balance(session, invoice).notas_credito == 50_000


def enter(session: Session, invoice: Factura, cents: int, when: date = date(2026, 7, 1), **more: Any) -> PagoFactura:
    return pagos.enter(session, invoice, fecha=when, valor=cents, actor="prueba", at=LATER, **more)


def test_a_payment_with_its_proof_and_its_undoing(db: Database, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "custodia")
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        proof = Kept("giro.pdf", "pago", "", store.put(io.BytesIO(b"%PDF-1.4 giro")))
        row = enter(session, invoice, 2_000_000, referencia="TR 1", kept=[proof])
        assert row.pieza_id is not None
        before = liquidated(session, invoice)
        assert sum(one.abono.valor for one in before.imputaciones) == 2_000_000
        with pytest.raises(BadInput, match="ya está"):
            enter(session, invoice, 2_000_000, referencia="TR  1 ")
        pagos.reverse(session, row, "Era de otra factura", actor="prueba", at=LATER)
        assert liquidated(session, invoice).imputaciones == []
        assert balance(session, invoice).saldo == VALUE
        with pytest.raises(InvalidTransition, match="ya estaba anulado"):
            pagos.reverse(session, row, "otra vez", actor="prueba", at=LATER)
        undoing = session.scalars(select(PagoFactura).where(PagoFactura.anula_id == row.id)).one()
        with pytest.raises(InvalidTransition, match="no se anula a su vez"):
            pagos.reverse(session, undoing, "nada", actor="prueba", at=LATER)
        enter(session, invoice, 2_000_000, referencia="TR 1")  # undone: it may be entered again


@pytest.mark.parametrize(
    ("cents", "when"), [(0, date(2026, 7, 1)), (-1, date(2026, 7, 1)), (5, date(2026, 11, 21)), (5, date(1999, 1, 1))]
)
def test_a_payment_that_cannot_be_is_refused(db: Database, cents: int, when: date) -> None:
    with db.write() as session:
        invoice = filed(session, valor=VALUE)
        with pytest.raises(BadInput, match="no se guardó nada"):
            enter(session, invoice, cents, when)


payments = st.lists(
    st.tuples(st.integers(1, 9_000_000), st.sampled_from(list(ConceptoPago)), st.integers(0, 60), st.booleans()),
    max_size=6,
)
notes = st.lists(st.tuples(st.integers(0, 3_000_000), st.booleans()), max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payments, notes)
def test_every_peso_is_in_one_place(
    sqlite_url: str, paid: list[tuple[int, ConceptoPago, int, bool]], given_notes: list[tuple[int, bool]]
) -> None:
    database = Database(sqlite_url)
    with database.write() as session:
        invoice = served(filed(session, valor=VALUE))
        for n, (cents, kind, offset, undone) in enumerate(paid):
            row = enter(
                session, invoice, cents, date(2026, 6, 1) + timedelta(days=offset), concepto=kind, referencia=str(n)
            )
            if undone:
                pagos.reverse(session, row, "prueba", actor="prueba", at=LATER)
        for n, (cents, credit) in enumerate(given_notes):
            kind_of = TipoDocumento.NOTA_CREDITO if credit else TipoDocumento.NOTA_DEBITO
            note(session, invoice, kind_of, f"{cents // 100}.{cents % 100:02d}", f"N{n}")
        session.flush()
        left = balance(session, invoice)
        assert left.valor + left.notas_debito == left.pagado + left.retenido + left.notas_credito + left.saldo
        assert left.retenido == sum(c for c, kind, _, undone in paid if kind is ConceptoPago.RETENCION and not undone)
        assert left.pagado == sum(c for c, kind, _, undone in paid if kind is not ConceptoPago.RETENCION and not undone)
        # What the liquidation leaves open is the same balance, but for interest that payments covered and excess.
        found = liquidated(session, invoice)
        assert found.capital + found.sin_intereses == left.saldo + found.pagados + found.exceso
    database.dispose()


def test_a_rate_that_changed_is_a_new_row_that_rules(db: Database) -> None:
    head = "mes,tasa_ea_usura,fuente,verificacion\n"
    with db.write() as session:
        assert rate_of(session, "2026-09") is None
        done = load(
            session,
            f"{head}2026-08,29.66,SFC,V\n2026-09,29.90,SFC,V\n2026-10,,SFC,\n2026-99,1,x,V\n",
            actor="a",
            at=LATER,
        )
        assert (done.nuevas, done.cambiadas, done.iguales, list(done.ausentes)) == (
            ["2026-09"],
            [],
            ["2026-08"],
            ["2026-10"],
        )
        assert len(done.rechazos) == 1
        assert load(session, f"{head}2026-09,29.95,SFC,V\n", actor="a", at=LATER).cambiadas == ["2026-09"]
    with db.read() as session:
        rate = rate_of(session, "2026-09")
        assert rate is not None
        assert rate.puntos == 2995
        assert [one.puntos for one in session.scalars(select(TasaUsura).order_by(TasaUsura.id))] == [2990, 2995]


def test_a_frozen_liquidation_stays_when_rates_and_payments_change(db: Database) -> None:
    with db.write() as session:
        invoice = served(filed(session, valor=VALUE))
        found = liquidated(session, invoice, date(2026, 9, 30), divisor="365")
        row = congelar(session, invoice, found, actor="prueba", at=LATER)
        enter(session, invoice, 1_000_000)
        load(session, "mes,tasa_ea_usura,fuente,verificacion\n2026-09,29.9,SFC,V\n", actor="a", at=LATER)
        assert liquidated(session, invoice, date(2026, 9, 30), divisor="365").causados != found.causados
    with db.read() as session:
        kept = session.get_one(Liquidacion, row.id)
        assert (kept.intereses, kept.resultado["meses_sin_tasa"]) == (found.pendientes, ["2026-09"])
        assert kept.parametros["divisor"] == "365"
