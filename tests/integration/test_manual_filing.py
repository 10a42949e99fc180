"""Filing by hand: the same intention and states as a bot's, with evidence, on both databases."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.demo.catalog import P2
from radica.audit.services import advance, history
from radica.custodia.models import Pieza
from radica.custodia.services import Kept
from radica.custodia.store import FolderStore
from radica.facturas.models import Factura
from radica.facturas.states import REVISABLES, EstadoFactura, EventoFactura
from radica.jobs.models import Job, JobState, Phase
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition, StalePage
from radica.portales.credentials import open_vault
from radica.portales.services import create_account
from radica.radicacion import manual
from radica.radicacion.models import Envio, Intento
from radica.radicacion.states import EstadoEnvio, EstadoIntento, EventoEnvio
from radica.users.models import ClaseTarea, Tarea
from tests import factories
from tests.factories import NOW

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
WHEN = NOW + timedelta(hours=1)
LATER = NOW + timedelta(hours=2)
ME = "usuario:7"


def _kept(store: FolderStore, data: bytes = PDF, name: str = "constancia.pdf") -> Kept:
    proof = manual.proof_of(data)
    assert proof is not None
    return Kept(manual.evidence_name(name, proof, 1), proof.clase, "", store.put(io.BytesIO(data)))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "custodia")


def _ready(session: Session, **values: object) -> Factura:
    return factories.factura(session, factories.prestador(session), factories.pagador(session), **values)  # type: ignore[arg-type]


def _opened(session: Session, factura: Factura | None = None) -> Envio:
    row = factura or _ready(session)
    ordered = manual.order(session, [row.id], prestador_ids=[row.prestador_id], actor=ME, at=NOW, by_hand=True)
    assert ordered.rechazos == ()
    return ordered.envios[0]


def _act(db: Database, envio_id: int, act: Callable[[Session, Envio], None]) -> None:
    with db.write() as session:
        act(session, session.get_one(Envio, envio_id))


def _rejected(session: Session, envio: Envio, motivo: str, kept: Sequence[Kept] = ()) -> None:
    manual.register_rejected(session, envio, motivo, kept=kept, actor=ME, at=LATER, expected_version=envio.version)


def _withdrawn(session: Session, envio: Envio, motivo: str) -> None:
    manual.take_back(session, envio, motivo, actor=ME, at=LATER, expected_version=envio.version)


def _absent(session: Session, envio: Envio, kept: Sequence[Kept], *, off: bool = False) -> None:
    manual.register_absent(
        session, envio, "No está", kept=kept, actor=ME, at=LATER, expected_version=envio.version, host_apagado=off
    )


def _filed(session: Session, envio: Envio, kept: list[Kept], **changes: object) -> None:
    values: dict[str, object] = {"radicado": "884213", "cuando": WHEN, "at": LATER, "expected_version": envio.version}
    manual.register_filed(session, envio, kept=kept, actor=ME, **{**values, **changes})  # type: ignore[arg-type]


def test_a_constancia_in_pdf_files_the_invoice_at_level_3(db: Database, store: FolderStore) -> None:
    kept = _kept(store)
    with db.write() as session:
        envio = _opened(session)
        _filed(session, envio, [kept])
        factura_id, case = envio.lineas[0].factura_id, envio.case_key
    with db.read() as session:
        factura = session.get_one(Factura, factura_id)
        assert (factura.estado, factura.radicado, factura.nivel_prueba) == (EstadoFactura.RADICADA, "884213", 3)
        assert factura.fecha_radicacion == WHEN
        last = history(session, [case])[0]
        assert last.actor == ME
        assert last.evidence == [kept.stored.sha256]
        piece = session.scalars(select(Pieza).where(Pieza.case_key == case)).one()
        assert (piece.origen, piece.sellada_por, piece.media_type) == ("persona", ME, "application/pdf")


def test_an_image_proves_level_2(db: Database, store: FolderStore) -> None:
    kept = _kept(store, PNG, "pantalla.png")
    with db.write() as session:
        envio = _opened(session)
        _filed(session, envio, [kept])
        assert (envio.estado, envio.nivel_prueba) == (EstadoEnvio.RADICADO, 2)


def test_a_bot_cannot_file_what_a_person_is_filing(db: Database, tmp_path: Path) -> None:
    with db.write() as session:
        factura = _ready(session)
        assert factura.pagador_id is not None
        create_account(
            session,
            open_vault(tmp_path / "claves"),
            prestador_id=factura.prestador_id,
            pagador_id=factura.pagador_id,
            arquetipo=P2,
            base_url="https://eps.example",
            usuario="u",
            clave="c",
        )
        envio = _opened(session, factura)
        assert envio.canal == "mano"
        again = manual.order(session, [factura.id], prestador_ids=[factura.prestador_id], actor="bot", at=NOW)
        assert again.envios == ()
        assert "en radicación" in again.rechazos[0].motivos[0]
        assert list(session.scalars(select(Job))) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cuando": LATER + timedelta(minutes=1)}, "futuro"),
        ({"cuando": NOW - timedelta(days=2)}, "anterior a la expedición"),
        ({"radicado": "x" * 121}, "no parece"),
        ({"kept": []}, "Falta la evidencia"),
    ],
)
def test_what_does_not_hold_is_refused_and_nothing_moves(
    db: Database, store: FolderStore, changes: dict[str, object], words: str
) -> None:
    kept = _kept(store)
    with db.write() as session:
        envio_id = _opened(session).id
    values = {"kept": [kept], **changes}
    with pytest.raises(BadInput, match=words):
        _act(db, envio_id, lambda session, row: _filed(session, row, **values))  # type: ignore[arg-type]
    with db.read() as session:
        assert session.get_one(Envio, envio_id).estado is EstadoEnvio.PREPARADO
        assert list(session.scalars(select(Pieza))) == []


def test_a_stale_page_is_refused(db: Database, store: FolderStore) -> None:
    kept = _kept(store)
    with db.write() as session:
        envio = _opened(session)
        envio_id, seen = envio.id, envio.version
        _filed(session, envio, [kept])
    with pytest.raises(StalePage), db.write() as session:
        _filed(session, session.get_one(Envio, envio_id), [kept], expected_version=seen)


def test_two_people_registering_at_once_make_one_filing(db: Database, store: FolderStore) -> None:
    kept = _kept(store)
    with db.write() as session:
        envio = _opened(session)
        envio_id, seen = envio.id, envio.version

    def register(number: int) -> str:
        try:
            with db.write() as session:
                row = session.get_one(Envio, envio_id)
                _filed(session, row, [kept], radicado=f"R-{number}", expected_version=seen)
        except StalePage:
            return "vencida"
        return "registrada"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(register, range(2))) == ["registrada", "vencida"]


def test_without_number_it_is_received_and_the_number_comes_later(db: Database, store: FolderStore) -> None:
    kept, later = _kept(store, PNG, "consulta.png"), _kept(store)
    with db.write() as session:
        envio = _opened(session)
        _filed(session, envio, [kept], radicado=None)
        assert (envio.estado, envio.nivel_prueba) == (EstadoEnvio.RECIBIDO_SIN_NUMERO, 1)
        task = session.scalars(select(Tarea).where(Tarea.cerrada_at.is_(None))).one()
        assert task.clase is ClaseTarea.CONSEGUIR_NUMERO
    with pytest.raises(BadInput, match="Falta el número"), db.write() as session:
        _filed(session, session.get_one(Envio, envio.id), [later], radicado=" ")
    with db.write() as session:
        row = session.get_one(Envio, envio.id)
        _filed(session, row, [later], radicado=" RAD  7 ")
        assert (row.estado, row.radicado, row.nivel_prueba) == (EstadoEnvio.RADICADO, "RAD 7", 3)
        assert list(session.scalars(select(Tarea).where(Tarea.cerrada_at.is_(None)))) == []


def test_a_rejection_needs_the_payers_reason_and_a_new_order_closes_its_task(db: Database, store: FolderStore) -> None:
    with db.write() as session:
        envio = _opened(session)
        envio_id, factura_id = envio.id, envio.lineas[0].factura_id
    with pytest.raises(BadInput, match="motivo"):
        _act(db, envio_id, lambda session, row: _rejected(session, row, " "))
    with db.write() as session:
        row = session.get_one(Envio, envio_id)
        _rejected(session, row, "Falta HEV", [_kept(store)])
        factura = session.get_one(Factura, factura_id)
        assert (row.estado, row.motivo_rechazo) == (EstadoEnvio.RECHAZADO, "Falta HEV")
        assert factura.estado in REVISABLES - {EstadoFactura.LISTA}
    with db.write() as session:
        factura = session.get_one(Factura, factura_id)
        _make_ready(session, factura)
        second = _opened(session, factura)
        assert second.ronda == 2
        closed = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.CORREGIR_RECHAZO)).one()
        assert closed.cerrada_at is not None


def _make_ready(session: Session, factura: Factura) -> None:
    advance(session, factura, EventoFactura.QUEDAR_LISTA, actor="prueba", at=LATER, reason="revision")


def test_withdrawing_needs_a_reason_and_frees_the_invoice(db: Database) -> None:
    with db.write() as session:
        envio = _opened(session)
        envio_id, factura_id = envio.id, envio.lineas[0].factura_id
    with pytest.raises(BadInput, match="motivo"):
        _act(db, envio_id, lambda session, row: _withdrawn(session, row, ""))
    with db.write() as session:
        row = session.get_one(Envio, envio_id)
        _withdrawn(session, row, "Se equivocó de pagador")
        assert row.estado is EstadoEnvio.CANCELADO
        assert session.get_one(Factura, factura_id).estado in REVISABLES


def _with_attempt(session: Session, vault_folder: Path, estado: EstadoIntento) -> tuple[Envio, Intento]:
    factura = _ready(session)
    assert factura.pagador_id is not None
    account = create_account(
        session,
        open_vault(vault_folder),
        prestador_id=factura.prestador_id,
        pagador_id=factura.pagador_id,
        arquetipo=P2,
        base_url="https://eps.example",
        usuario="u",
        clave="c",
    )
    envio = manual.order(session, [factura.id], prestador_ids=[factura.prestador_id], actor=ME, at=NOW).envios[0]
    job = session.scalars(select(Job).where(Job.subject == envio.case_key)).one()
    assert job.lane_id == account.lane_id
    sent = estado is not EstadoIntento.PREPARANDO
    intento = Intento(
        prestador_id=envio.prestador_id,
        envio_id=envio.id,
        numero=1,
        job_id=job.id,
        token=1,
        marker="m-1",
        host="h",
        carpeta="/c",
        estado=estado,
        intent_id="i-1" if sent else None,
        intent_at=NOW if sent else None,
        iniciado_at=NOW,
        datos={},
    )
    session.add(intento)
    session.flush()
    return envio, intento


def test_nobody_withdraws_or_registers_under_a_bot_that_is_pressing(
    db: Database, store: FolderStore, tmp_path: Path
) -> None:
    with db.write() as session:
        envio, _ = _with_attempt(session, tmp_path / "claves", EstadoIntento.ENVIANDO)
        envio_id = envio.id
    acts: list[Callable[[Session, Envio], None]] = [
        lambda session, row: _filed(session, row, [_kept(store)]),
        lambda session, row: _rejected(session, row, "no"),
        lambda session, row: _withdrawn(session, row, "no"),
    ]
    for act in acts:
        with pytest.raises(InvalidTransition):
            _act(db, envio_id, act)
    with db.read() as session:
        attempts = list(session.scalars(select(Intento)))
        options = manual.options_for(session.get_one(Envio, envio_id), attempts)
        assert options == manual.Options(package=True)


def test_absent_needs_the_fence_or_the_word_that_the_host_is_off(
    db: Database, store: FolderStore, tmp_path: Path
) -> None:
    kept = [_kept(store)]
    with db.write() as session:
        envio, intento = _with_attempt(session, tmp_path / "claves", EstadoIntento.ESPERA_PERSONA)
        job = session.get_one(Job, intento.job_id)
        job.state, job.phase, job.intent_id = JobState.OUTCOME_UNKNOWN, Phase.SUBMITTING, "i-1"
        advance(session, envio, EventoEnvio.INTENTAR, actor="bot", at=NOW, reason="orden_automatica")
        envio_id, intento_id = envio.id, intento.id
        assert manual.options_for(envio, [intento]).unfenced
    with pytest.raises(BadInput, match="no se ha dado por terminado"):
        _act(db, envio_id, lambda session, row: _absent(session, row, kept))
    with pytest.raises(BadInput, match="evidencia"):
        _act(db, envio_id, lambda session, row: _absent(session, row, [], off=True))
    with db.write() as session:
        row = session.get_one(Envio, envio_id)
        _absent(session, row, kept, off=True)
        assert row.estado is EstadoEnvio.PREPARADO
        assert session.get_one(Intento, intento_id).estado is EstadoIntento.AUSENTE
        ready = session.scalars(select(Job).where(Job.subject == row.case_key, Job.state == JobState.READY)).all()
        assert len(ready) == 1


@pytest.mark.parametrize(
    ("data", "clase"),
    [
        (PDF, "constancia"),
        (PNG, "captura"),
        (b"\xff\xd8\xff\xe0rest", "captura"),
        (b"Received: x\r\nFrom: eps@x.example\r\nDate: Fri, 20 Nov 2026 10:00:00 -0500\r\n\r\nhola", "correo"),
        (b"MZ\x90\x00", None),
        (b"<html><body>Radicado 1</body></html>", None),
        (b"", None),
    ],
)
def test_evidence_is_known_by_its_content(data: bytes, clase: str | None) -> None:
    proof = manual.proof_of(data)
    assert (proof.clase if proof else None) == clase


def test_the_name_of_evidence_is_plain_and_ends_as_its_content() -> None:
    assert manual.evidence_name("..\\..\\Añejo señal.exe", manual.PDF, 2) == "constancia-2_Anejo-senal.pdf"
    assert manual.evidence_name("", manual.PNG, 1) == "captura-1_sin-nombre.png"


def test_a_day_is_judged_in_bogota() -> None:
    factura = Factura(numero="FE1", expedida_at=datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    manual.check_moment(datetime(2026, 11, 20, 5, 30, tzinfo=UTC), [factura], at=LATER)
    with pytest.raises(BadInput):
        manual.check_moment(datetime(2026, 11, 20, 4, 30, tzinfo=UTC), [factura], at=LATER)
