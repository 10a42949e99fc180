"""Reviews and acts of people on invoices and the tray, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.demo.catalog import PROVIDERS
from radica.app.demo.data import build_set
from radica.audit.models import Reason
from radica.audit.services import advance, history
from radica.custodia.store import FolderStore
from radica.entidades.models import Pagador, TipoPagador
from radica.facturas import services
from radica.facturas.documents import documents_of
from radica.facturas.intake import import_paths
from radica.facturas.models import Factura, Hallazgo, NoReconocido
from radica.facturas.review import due_ids, review
from radica.facturas.states import EventoFactura
from radica.facturas.tray import operator_scope
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition, StalePage
from radica.users.tasks import open_tasks

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
BILLER = "usuario:1"


@pytest.fixture
def numero(db: Database, tmp_path: Path) -> str:
    """The number of the one invoice of the database: right, loaded today, ready to be filed."""
    made = build_set(tmp_path / "demo", seed=3, packages=1, hoy=TODAY, defects=False)
    load(db, tmp_path, tmp_path / "demo")
    return made.packages[0].number


def load(db: Database, folder: Path, *paths: Path, at: datetime = NOW) -> None:
    store = FolderStore(folder / "custodia")
    import_paths(db, store, paths, operator_scope("prueba"), clock=fixed_clock(at), workdir=folder)


def only(session: Session) -> Factura:
    return session.scalars(select(Factura)).one()


def codes(session: Session) -> set[str]:
    return set(session.scalars(select(Hallazgo.codigo)))


def estado(db: Database) -> str:
    with db.read() as session:
        return str(only(session).estado)


def reviewed(db: Database, at: datetime) -> tuple[str, set[str]]:
    with db.write() as session:
        review(session, [only(session).id], actor="reloj", at=at)
    with db.read() as session:
        return str(only(session).estado), codes(session)


def after_the_term(db: Database) -> datetime:
    with db.read() as session:
        due = only(session).vence_radicar
    assert due is not None
    return datetime(due.year, due.month, due.day, 12, tzinfo=UTC) + timedelta(days=1)


def test_a_review_moves_the_invoice_and_writes_why(db: Database, numero: str):
    assert estado(db) == "lista"
    with db.read() as session:
        moves = history(session, [only(session).case_key])
    assert [(m.event, m.to_state, m.reason) for m in moves] == [
        ("quedar_lista", "lista", Reason.REVISION),
        ("crear", "incompleta", Reason.IMPORTACION),
    ]


def test_a_review_that_changes_nothing_writes_no_move(db: Database, numero: str):
    with db.read() as session:
        before = only(session).version
    assert reviewed(db, NOW)[0] == "lista"
    with db.read() as session:
        assert only(session).version == before


def test_the_term_lapses_with_the_calendar(db: Database, numero: str):
    late = after_the_term(db)
    with db.read() as session:
        assert due_ids(session, today=TODAY) == []
        assert len(due_ids(session, today=late.date() - timedelta(days=2))) == 1
    near, found = reviewed(db, late - timedelta(days=2))
    assert (near, "RAD01-POR-VENCER" in found) == ("lista", True)
    lapsed, found = reviewed(db, late)
    assert (lapsed, "RAD01-VENCIDO" in found) == ("no_lista", True)
    with db.read() as session:
        assert due_ids(session, today=late.date()) == []  # reviewed today already


def test_a_soat_payer_has_no_term_and_a_notice(db: Database, numero: str):
    with db.write() as session:
        session.scalars(select(Pagador)).one().tipo = TipoPagador.SOAT
    state, found = reviewed(db, after_the_term(db))
    assert (state, "RAD01-SIN-TERMINO" in found) == ("lista", True)
    with db.read() as session:
        assert only(session).vence_radicar is None


def test_filing_late_needs_a_reason(db: Database, numero: str):
    late = after_the_term(db)
    reviewed(db, late)
    with db.write() as session, pytest.raises(BadInput, match="motivo"):
        services.authorise_late(session, only(session), "  ", actor=BILLER, at=late)
    with db.write() as session:
        services.authorise_late(session, only(session), "El pagador la acepta", actor=BILLER, at=late)
    with db.read() as session:
        row = only(session)
        assert (row.estado, row.extemporanea_por, row.extemporanea_motivo) == ("lista", BILLER, "El pagador la acepta")
        assert "RAD01-AUTORIZADO" in codes(session)


def test_annul_and_reissue(db: Database, numero: str):
    late = after_the_term(db)
    reviewed(db, late)
    with db.write() as session, pytest.raises(StalePage):
        services.ask_annulment(session, only(session), "Venció", actor=BILLER, at=late, expected_version=0)
    with db.write() as session:
        services.ask_annulment(session, only(session), "Venció el término", actor=BILLER, at=late)
    with db.read() as session:
        row = only(session)
        assert row.estado == "por_anular"
        (task,) = open_tasks(session, [row.prestador_id])
        assert numero in task.titulo
    assert reviewed(db, late)[0] == "por_anular"  # a review does not touch it
    with db.write() as session, pytest.raises(BadInput, match="nota crédito"):
        services.annul(session, only(session), [], actor=BILLER, at=late)
    with db.write() as session:
        services.annul(session, only(session), ["a" * 64], actor=BILLER, at=late)
    with db.read() as session:
        row = only(session)
        assert row.estado == "anulada"
        assert open_tasks(session, [row.prestador_id]) == []
        assert history(session, [row.case_key])[0].evidence == ["a" * 64]


def test_to_annul_may_be_taken_back_by_filing_late(db: Database, numero: str):
    late = after_the_term(db)
    with db.write() as session:
        services.ask_annulment(session, only(session), "Venció", actor=BILLER, at=late)
    with db.write() as session:
        services.authorise_late(session, only(session), "El pagador la recibe", actor=BILLER, at=late)
    with db.read() as session:
        row = only(session)
        assert row.estado == "lista"
        assert open_tasks(session, [row.prestador_id]) == []


def refuse(session: Session, at: datetime) -> None:
    for event in (EventoFactura.ABRIR_ENVIO, EventoFactura.RECHAZAR):
        advance(session, only(session), event, actor="bot", at=at, reason=Reason.RECHAZO_DEL_PAGADOR)


def test_a_refused_invoice_waits_for_a_correction_or_a_decision(db: Database, numero: str, tmp_path: Path):
    with db.write() as session:
        refuse(session, NOW + timedelta(hours=1))
    state, found = reviewed(db, NOW + timedelta(hours=1))
    assert (state, "RECHAZO-SIN-CORREGIR" in found) == ("no_lista", True)
    with db.write() as session:
        services.file_as_it_is(
            session, only(session), "Fue un error del portal", actor=BILLER, at=NOW + timedelta(hours=2)
        )
    assert estado(db) == "lista"
    with db.write() as session:
        refuse(session, NOW + timedelta(hours=3))
    assert reviewed(db, NOW + timedelta(hours=3))[0] == "no_lista"  # the decision was for that refusal only
    support = tmp_path / f"PDE_{nit(db)}_{numero}.pdf"
    support.write_bytes(b"%PDF-1.4\nstartxref\n0\n%%EOF")
    load(db, tmp_path, support, at=NOW + timedelta(hours=4))
    assert estado(db) == "lista"


def nit(db: Database) -> str:
    with db.read() as session:
        doc = documents_of(session, only(session).id)[0]
        return str(doc.datos["supplier"]["nit"]["number"] if "supplier" in doc.datos else doc.datos["issuer"]["number"])


def test_documents_are_not_replaced_while_it_is_being_filed(db: Database, numero: str, tmp_path: Path):
    with db.write() as session:
        row = only(session)
        advance(session, row, EventoFactura.ABRIR_ENVIO, actor="bot", at=NOW, reason=Reason.ORDEN_DE_PERSONA)
        support = next(d for d in documents_of(session, row.id) if d.tipo == "SOPORTE")
        name, sha256 = support.nombre, support.sha256
    (tmp_path / name).write_bytes(b"%PDF-1.4\notra version\nstartxref\n0\n%%EOF")
    load(db, tmp_path, tmp_path / name)
    with db.read() as session:
        found = [(d.sha256 == sha256, d.vigente) for d in documents_of(session, only(session).id) if d.nombre == name]
    assert found == [(True, True), (False, False)]
    with db.write() as session, pytest.raises(InvalidTransition):
        services.authorise_late(session, only(session), "x", actor=BILLER, at=NOW)


def in_tray(db: Database, folder: Path, name: str, data: bytes) -> int:
    (folder / name).write_bytes(data)
    load(db, folder, folder / name)
    with db.read() as session:
        return session.scalars(select(NoReconocido.id).where(NoReconocido.nombre == name)).one()


def test_a_pdf_of_the_tray_becomes_a_support(db: Database, numero: str, tmp_path: Path):
    row_id = in_tray(db, tmp_path, "escaneo.pdf", b"%PDF-1.4\nstartxref\n0\n%%EOF")
    with db.write() as session, pytest.raises(BadInput, match="sigla"):
        services.assign_support(
            session, session.get_one(NoReconocido, row_id), only(session), "ZZZ", actor=BILLER, at=NOW
        )
    with db.write() as session:
        doc = services.assign_support(
            session, session.get_one(NoReconocido, row_id), only(session), "pde", actor=BILLER, at=NOW
        )
        assert doc.nombre == f"PDE_{nit(db)}_{numero}.pdf"
    with db.read() as session:
        row = session.get_one(NoReconocido, row_id)
        assert (row.resuelto_por, row.resolucion) == (BILLER, f"Asignado como PDE a la factura {numero}")
        assert "PDE" in {d.sigla for d in documents_of(session, only(session).id, in_force=True)}
    with db.write() as session, pytest.raises(BadInput, match="ya salió"):
        services.assign_support(
            session, session.get_one(NoReconocido, row_id), only(session), "PDE", actor=BILLER, at=NOW
        )


def test_the_tray_is_emptied_with_a_reason(db: Database, numero: str, tmp_path: Path):
    row_id = in_tray(db, tmp_path, "basura.txt", b"hola")
    with db.write() as session, pytest.raises(BadInput, match="PDF"):
        services.assign_support(
            session, session.get_one(NoReconocido, row_id), only(session), "PDE", actor=BILLER, at=NOW
        )
    with db.write() as session, pytest.raises(BadInput, match="qué se hizo"):
        services.discard(session.get_one(NoReconocido, row_id), " ", actor=BILLER, at=NOW)
    with db.write() as session:
        services.discard(session.get_one(NoReconocido, row_id), "No es nuestro", actor=BILLER, at=NOW)
    with db.read() as session:
        assert session.get_one(NoReconocido, row_id).resolucion == "Descartado: No es nuestro"


@pytest.mark.parametrize(("key_for", "code"), [(lambda *_: "0" * 40, "CUFE-VALOR"), (None, None)])
def test_the_cufe_with_the_key_of_its_resolution(
    db: Database, numero: str, key_for: Callable[[int, str], str | None] | None, code: str | None
):
    keys = {p.nit: p.clave_tecnica for p in PROVIDERS}
    known = key_for or (lambda *_: keys[nit(db)])
    with db.write() as session:
        review(session, [only(session).id], actor="reloj", at=NOW, key_for=known)
        found = codes(session)
    assert ("CUFE-VALOR" in found) is (code == "CUFE-VALOR")
    assert "CUFE-SIN-CLAVE" not in found
