"""What the clock orders and the worker does: watched folders, the daily review, cleaning; on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from radica.app import reloj
from radica.app.cli import procesos
from radica.app.demo.data import generate
from radica.app.handlers import background
from radica.app.handlers.background import HANDLERS, KIND_BOX, KIND_CLEAN, KIND_TERMS
from radica.app.house import House
from radica.app.worker import run_worker
from radica.custodia.store import FolderStore
from radica.entidades.models import EstadoPrestador
from radica.entidades.services import register_provider
from radica.facturas.intake import import_paths
from radica.facturas.models import Carga, Documento, Factura, Hallazgo, NoReconocido
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import operator_scope
from radica.jobs.models import Job, JobState, ScheduleSlot
from radica.kernel.clock import Clock, daily_due, fixed_clock, system_clock
from radica.kernel.config import Settings, load_settings
from radica.kernel.db import Database
from radica.portales.credentials import open_vault
from tests.full_disk import small_files

HOY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 17, 0, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({}, datos=str(tmp_path / "datos"))
    made.ensure_folders()
    return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SECOND_LOOK_S", 0.05)


def _work(db: Database, settings: Settings, clock: Clock = system_clock) -> int:
    house = House(
        settings, db, FolderStore(settings.store), open_vault(settings.keys), clock, "aquí", "aquí:1", environ={}
    )
    return run_worker(house, HANDLERS, stop=threading.Event(), until_empty=True)


def _provider(db: Database, *, estado: EstadoPrestador = EstadoPrestador.ACTIVO) -> str:
    built = next(iter(generate(seed=3, packages=1, hoy=HOY, defects=False)))
    with db.write() as session:
        register_provider(session, built.package.provider_nit, "IPS del buzón", at=NOON, estado=estado)
    return built.package.provider_nit


def _fill(folder: Path) -> list[Path]:
    """Leave the files of one package as the hospital's system would."""
    folder.mkdir(parents=True, exist_ok=True)
    built = next(iter(generate(seed=3, packages=1, hoy=HOY, defects=False)))
    paths = []
    for path, content in built.contents.items():
        target = folder / path.name
        target.write_bytes(content)
        paths.append(target)
    return paths


def _later(seconds: int = 3600) -> Clock:
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)


def test_two_clocks_order_each_due_job_once(db: Database, settings: Settings) -> None:
    nit = _provider(db)
    _fill(settings.watched / nit)
    for _ in range(2):
        reloj.order_boxes(db, settings, NOON)
        reloj.order_review(db, NOON)
        reloj.order_cleaning(db, NOON)
    with db.read() as session:
        kinds = sorted(session.scalars(select(Job.kind)))
        assert kinds == sorted([KIND_BOX, KIND_CLEAN, KIND_TERMS])
        dues = {row.kind: row.due_ms for row in session.scalars(select(ScheduleSlot))}
    assert dues[KIND_TERMS] == round(datetime(2026, 11, 20, 5, 5, tzinfo=UTC).timestamp() * 1000)
    assert dues[KIND_CLEAN] == round(datetime(2026, 11, 20, 17, 0, tzinfo=UTC).timestamp() * 1000)


def test_before_five_past_midnight_the_review_is_still_yesterdays() -> None:
    assert daily_due(datetime(2026, 11, 20, 5, 4, tzinfo=UTC), reloj.REVIEW_AT) == datetime(
        2026, 11, 19, 5, 5, tzinfo=UTC
    )
    assert daily_due(datetime(2026, 11, 20, 5, 5, tzinfo=UTC), reloj.REVIEW_AT) == datetime(
        2026, 11, 20, 5, 5, tzinfo=UTC
    )


def test_no_folder_is_ordered_that_is_empty_or_of_an_unconfirmed_provider(db: Database, settings: Settings) -> None:
    nit = _provider(db, estado=EstadoPrestador.POR_CONFIRMAR)
    _fill(settings.watched / nit)
    assert reloj.order_boxes(db, settings, NOON) == 0


def test_a_watched_folder_is_imported_put_away_and_never_twice(db: Database, settings: Settings) -> None:
    nit = _provider(db)
    box = settings.watched / nit
    paths = _fill(box)
    (box / "copiando.pdf.part").write_bytes(b"%PDF-")
    (box / "enlace.xml").symlink_to("/etc/hostname")
    assert reloj.order_boxes(db, settings, NOON) == 1
    assert _work(db, settings, _later()) == 1
    with db.read() as session:
        assert session.scalars(select(Factura.estado)).all() == [EstadoFactura.LISTA]
        documents = len(session.scalars(select(Documento.id)).all())
        assert documents == len(paths)
    left = {path.name for path in box.iterdir()}
    assert left == {"procesados", "copiando.pdf.part", "enlace.xml"}
    away = [path for path in (box / "procesados").rglob("*") if path.is_file()]
    assert sorted(path.name for path in away) == sorted(path.name for path in paths)

    _fill(box)
    assert reloj.order_boxes(db, settings, NOON + timedelta(minutes=1)) == 1
    assert _work(db, settings, _later()) == 1
    with db.read() as session:
        assert len(session.scalars(select(Documento.id)).all()) == documents
        assert session.scalars(select(NoReconocido.id)).all() == []
    away = [path for path in (box / "procesados").rglob("*") if path.is_file()]
    assert len(away) == 2 * len(paths)


def test_what_did_not_fit_on_the_disk_stays_in_the_folder_and_comes_in_later(db: Database, settings: Settings) -> None:
    nit = _provider(db)
    box = settings.watched / nit
    paths = _fill(box)
    (box / "nota.txt").write_bytes(b"x" * 20_000_001)
    assert reloj.order_boxes(db, settings, NOON) == 1
    with db.write() as session:
        session.execute(update(Job).values(max_attempts=1))
    with small_files(20_000_000):
        _work(db, settings, _later())
    assert len(list(box.iterdir())) == len(paths) + 1, "nothing was put away"
    with db.read() as session:
        assert session.scalars(select(Job.state)).all() == [JobState.DEAD]
    assert reloj.order_boxes(db, settings, NOON + timedelta(minutes=1)) == 1
    _work(db, settings, _later())
    assert {path.name for path in box.iterdir()} == {"procesados"}
    with db.read() as session:
        assert session.scalars(select(Factura.estado)).all() == [EstadoFactura.LISTA]
        assert sorted(row.codigo for row in session.scalars(select(NoReconocido))) == ["desconocido", "disco_lleno"]


def test_what_is_not_understood_or_of_another_provider_is_put_away_and_stands_in_its_tray(
    db: Database, settings: Settings
) -> None:
    nit = _provider(db)
    box = settings.watched / nit
    _fill(box / "lote1")
    (box / "nota.txt").write_bytes(b"hola")
    other = generate(seed=9, packages=40, hoy=HOY, defects=False)
    foreign = next(built for built in other if built.package.provider_nit != nit)
    name, content = next((path.name, data) for path, data in foreign.contents.items() if path.suffix == ".xml")
    (box / name).write_bytes(content)
    assert reloj.order_boxes(db, settings, NOON) == 1
    _work(db, settings, _later())
    assert {path.name for path in box.iterdir()} == {"procesados"}
    with db.read() as session:
        assert len(session.scalars(select(Factura.id)).all()) == 1
        owners = {(row.nombre, row.duenio) for row in session.scalars(select(NoReconocido))}
        provider = session.scalars(select(Factura.prestador_id)).one()
        assert owners == {("nota.txt", f"prestador:{provider}"), (name, f"prestador:{provider}")}


def test_a_file_that_is_still_growing_is_left_for_the_next_minute(db: Database, settings: Settings) -> None:
    nit = _provider(db)
    box = settings.watched / nit
    paths = _fill(box)
    assert reloj.order_boxes(db, settings, NOON) == 1
    assert _work(db, settings) == 1  # by the real clock the files are seconds old
    with db.read() as session:
        assert session.scalars(select(Carga.id)).all() == []
    assert sorted(path.name for path in box.iterdir()) == sorted(path.name for path in paths)


def test_the_daily_review_moves_what_lapsed_over_night(db: Database, settings: Settings) -> None:
    nit = _provider(db)
    paths = _fill(settings.datos / "lote")
    import_paths(
        db,
        FolderStore(settings.store),
        paths,
        operator_scope("prueba", only_nit=nit),
        clock=fixed_clock(NOON),
        workdir=settings.incoming,
    )
    with db.write() as session:
        session.execute(update(Factura).values(vence_radicar=date(2026, 11, 20)))
        assert session.scalars(select(Factura.estado)).all() == [EstadoFactura.LISTA]
    much_later = NOON + timedelta(days=120)
    assert reloj.order_review(db, much_later) == 1
    assert _work(db, settings, fixed_clock(much_later)) == 1
    with db.read() as session:
        assert session.scalars(select(Factura.estado)).all() == [EstadoFactura.NO_LISTA]
        assert "RAD01-VENCIDO" in session.scalars(select(Hallazgo.codigo)).all()


def test_cleaning_removes_only_what_is_old(db: Database, settings: Settings) -> None:
    store = FolderStore(settings.store)
    old = store.temporary / "viejo"
    old.write_bytes(b"x")
    assert reloj.order_cleaning(db, NOON) == 1
    assert _work(db, settings) == 1
    assert old.exists(), "a file of today may have an owner"
    assert reloj.order_cleaning(db, NOON + timedelta(hours=1)) == 1
    assert _work(db, settings, _later(2 * 86_400)) == 1
    assert not old.exists()
    with db.read() as session:
        assert set(session.scalars(select(Job.state))) == {JobState.DONE}


def test_every_kind_that_the_clock_orders_has_a_handler() -> None:
    assert {KIND_BOX, KIND_TERMS, KIND_CLEAN} <= procesos.ALL_HANDLERS.keys()
