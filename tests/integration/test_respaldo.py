"""Backup and restore: the drill deletes everything, restores, verifies; what is incomplete or altered is refused."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from radica.app.embedded_pg import postgres_database
from radica.app.respaldo.crear import BLOBS_LIST, MANIFEST, UNFINISHED, Respaldo, make_backup
from radica.app.respaldo.restaurar import UNFINISHED as CUT
from radica.app.respaldo.restaurar import Restaurado, restore
from radica.app.schema import migrate
from radica.audit.models import Transition
from radica.audit.services import advance
from radica.custodia.backends import open_store
from radica.custodia.check_models import EstadoVerificacion
from radica.facturas.models import Factura
from radica.facturas.states import EventoFactura
from radica.jobs.models import Lane
from radica.kernel.clock import fixed_clock
from radica.kernel.config import Settings, load_settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, RadicaError, Unavailable
from tests import factories
from tests.factories import NOW
from tests.full_disk import small_files
from tests.plugins.custody import Custody
from tests.plugins.s3 import S3Server

SAME_AFTER = ("facturas", "transitions", "chain_heads", "access_log", "blobs", "piezas", "hojas", "sellos", "mosaicos")


def settings_of(custody: Custody) -> Settings:
    """Return the settings of the house that the fixture made."""
    folder = custody.store.root.parent
    return load_settings({"RADICA_DATABASE_URL": custody.db.url, "RADICA_CHROMIUM": "/no"}, datos=str(folder))


@pytest.fixture
def other(custody: Custody, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Yield another house: nothing in its folder, and an empty database of the same kind, without any table."""
    settings = replace(settings_of(custody), datos=tmp_path / "otra")
    if custody.db.is_sqlite:
        yield replace(settings, database_url=f"sqlite:///{tmp_path / 'otra' / 'radica.sqlite'}")
        return
    with postgres_database(request.getfixturevalue("postgres_url_of_server")) as url:
        yield replace(settings, database_url=url)


def back_up(custody: Custody, target: Path, *, with_keys: bool = True) -> Respaldo:
    return make_backup(custody.db, custody.store, settings_of(custody), target, at=NOW, with_keys=with_keys)


def bring_back(settings: Settings, source: Path) -> Restaurado:
    return restore(settings, source, actor="prueba", clock=fixed_clock(NOW))


def rows_of(db: Database) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of what must be the same afterwards."""
    with db.read() as session:
        return {
            name: sorted(tuple(map(str, row)) for row in session.execute(text(f"SELECT * FROM {name}")))
            for name in SAME_AFTER
        }


def delete_everything(custody: Custody) -> None:
    """Lose store, keys and database of the first house."""
    shutil.rmtree(custody.store.root)
    shutil.rmtree(custody.store.root.parent / "claves")
    for name in SAME_AFTER:
        custody.by_hand(f"DELETE FROM {name}")
    custody.db.dispose()


def test_the_drill_everything_is_deleted_and_comes_back(custody: Custody, tmp_path: Path, other: Settings) -> None:
    with custody.db.write() as session:
        session.add(Lane(name="p1:1:1:ana", next_at_ms=0, gap_ms=0, paused=False))
    before = rows_of(custody.db)
    documents = [custody.store.read(one) for one in custody.hashes]
    made = back_up(custody, tmp_path / "respaldo")
    assert made.contenido["blobs"] == 3
    assert not (made.carpeta / UNFINISHED).exists()
    delete_everything(custody)

    done = bring_back(other, made.carpeta)
    assert done.verificacion.estado is EstadoVerificacion.TERMINADA
    assert done.verificacion.limpia
    assert (done.verificacion.cuentas["blobs"], done.verificacion.cuentas["sellos"]) == (3, 1)
    db, store = Database(other.database_url), open_store(other)
    try:
        assert rows_of(db) == before
        assert [store.read(one) for one in custody.hashes] == documents
        with db.read() as session:
            assert session.scalars(select(Lane.paused)).all() == [True]  # what was filed later is not in it
        _lives_on(db, custody.facturas[0])
    finally:
        db.dispose()


def _lives_on(db: Database, factura: int) -> None:
    """New rows get ids of their own, chains go on, and history is protected as before."""
    with db.write() as session:
        row = session.get_one(Factura, factura)
        advance(session, row, EventoFactura.CANCELAR_ENVIO, actor="prueba", at=NOW, reason="decision_de_persona")
        more = factories.factura(session, factories.prestador(session), factories.pagador(session))
        assert more.id > factura
    with db.read() as session:
        last = session.scalars(select(Transition).where(Transition.case_key == f"factura:{factura}"))
        assert [one.seq for one in last] == [1, 2, 3]
    with pytest.raises(DBAPIError, match="solo admite filas nuevas"), db.write() as session:
        session.execute(text("DELETE FROM transitions"))


def test_a_backup_made_while_people_write_is_of_one_moment(custody: Custody, tmp_path: Path, other: Settings) -> None:
    """What is sealed after the snapshot is not in it, and nothing of it is missing: its verification is clean."""
    target = tmp_path / "respaldo"

    def write_meanwhile(done: int, _of: int) -> None:
        if done == 1:
            with custody.db.write() as session:
                row = session.get_one(Factura, custody.facturas[0])
                advance(session, row, EventoFactura.CANCELAR_ENVIO, actor="otra", at=NOW, reason="decision_de_persona")

    make_backup(
        custody.db, custody.store, settings_of(custody), target, at=NOW, with_keys=True, progress=write_meanwhile
    )
    done = bring_back(other, target)
    assert done.verificacion.limpia
    assert done.verificacion.cuentas["eslabones"] == 7


def test_without_the_keys_nothing_is_restored_and_it_says_so(custody: Custody, tmp_path: Path, other: Settings) -> None:
    made = back_up(custody, tmp_path / "respaldo", with_keys=False)
    assert not (made.carpeta / "claves").exists()
    with pytest.raises(Unavailable, match=r"custodia\.key"):
        bring_back(other, made.carpeta)
    shutil.copytree(custody.store.root.parent / "claves", other.keys)
    assert bring_back(other, made.carpeta).verificacion.limpia


def test_a_house_with_anything_in_it_is_not_restored_over(custody: Custody, tmp_path: Path) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    before = rows_of(custody.db)
    with pytest.raises(BadInput, match="ya hay una casa"):
        bring_back(settings_of(custody), made.carpeta)
    assert rows_of(custody.db) == before


def test_an_empty_database_that_was_migrated_already_is_empty(
    custody: Custody, tmp_path: Path, other: Settings
) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    other.ensure_folders()
    migrate(other.database_url)
    assert bring_back(other, made.carpeta).verificacion.limpia


def _flip(path: Path) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("what", ["blob", "base", "lista", "falta"])
def test_a_backup_that_changed_is_refused_before_anything_is_loaded(
    custody: Custody, tmp_path: Path, other: Settings, what: str
) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    blob = next(one for one in sorted((made.carpeta / "almacen").rglob("*.rc1")))
    if what == "falta":
        blob.unlink()
    else:
        base = next(iter(sorted((made.carpeta / "base").iterdir())))
        _flip({"blob": blob, "base": base, "lista": made.carpeta / BLOBS_LIST}[what])
    with pytest.raises(BadInput, match="no se restauró nada"):
        bring_back(other, made.carpeta)
    assert not other.store.exists()


def test_a_backup_that_was_cut_is_told_from_a_whole_one(custody: Custody, tmp_path: Path, other: Settings) -> None:
    target = tmp_path / "respaldo"

    def cut(done: int, _of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_backup(custody.db, custody.store, settings_of(custody), target, at=NOW, progress=cut)
    assert (target / UNFINISHED).exists()
    assert not (target / MANIFEST).exists()
    with pytest.raises(BadInput, match="incompleto"):
        bring_back(other, target)
    with pytest.raises(BadInput, match="ya tiene algo"):
        back_up(custody, target)


def test_a_full_disk_leaves_an_incomplete_backup_and_says_so(custody: Custody, tmp_path: Path) -> None:
    with pytest.raises(RadicaError, match=r"disco está lleno|disco tenga espacio"), small_files(6000):
        back_up(custody, tmp_path / "respaldo")
    assert (tmp_path / "respaldo" / UNFINISHED).exists()
    assert back_up(custody, tmp_path / "segundo").contenido["blobs"] == 3


def test_a_blob_that_is_missing_is_named_and_the_rest_is_kept(
    custody: Custody, tmp_path: Path, other: Settings
) -> None:
    custody.store.sealed_path(custody.hashes[1]).unlink()
    made = back_up(custody, tmp_path / "respaldo")
    assert made.faltantes == (custody.hashes[1],)
    done = bring_back(other, made.carpeta)
    assert dict(done.verificacion.tipos) == {"faltante": 1}


def test_a_backup_of_another_kind_of_database_is_refused(custody: Custody, tmp_path: Path, other: Settings) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    foreign = (
        "postgresql+psycopg://nadie@127.0.0.1:1/x" if custody.db.is_sqlite else f"sqlite:///{tmp_path / 'x.sqlite'}"
    )
    with pytest.raises(BadInput, match="misma clase de base"):
        bring_back(replace(other, database_url=foreign), made.carpeta)


def test_a_path_that_leaves_the_backup_is_refused(custody: Custody, tmp_path: Path, other: Settings) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    content = json.loads((made.carpeta / MANIFEST).read_text("utf-8"))
    content["partes"][0]["ruta"] = "../../etc/hostname"
    (made.carpeta / MANIFEST).write_text(json.dumps(content), "utf-8")
    with pytest.raises(BadInput, match="no se restauró nada"):
        bring_back(other, made.carpeta)


def test_the_database_file_of_a_backup_stands_alone(custody: Custody, tmp_path: Path) -> None:
    if not custody.db.is_sqlite:
        assert (back_up(custody, tmp_path / "respaldo").carpeta / "base" / "transitions.copy.gz").is_file()
        return
    made = back_up(custody, tmp_path / "respaldo")
    with closing(sqlite3.connect(made.carpeta / "base" / "radica.sqlite")) as raw:
        assert raw.execute("SELECT count(*) FROM blobs").fetchone() == (3,)
    assert [one.name for one in (made.carpeta / "base").iterdir()] == ["radica.sqlite"]


def test_a_restore_that_was_cut_is_told_and_not_gone_over(custody: Custody, tmp_path: Path, other: Settings) -> None:
    made = back_up(custody, tmp_path / "respaldo")
    other.ensure_folders()
    (other.datos / CUT).write_text("x", "utf-8")
    with pytest.raises(BadInput, match="a medias"):
        bring_back(other, made.carpeta)


def test_the_drill_with_the_store_in_s3(custody: Custody, tmp_path: Path, other: Settings, s3_server: S3Server) -> None:
    first = replace(settings_of(custody), datos=tmp_path / "con-s3", s3=s3_server.bucket())
    first.ensure_folders()
    store = open_store(first)
    documents = [custody.store.read(one) for one in custody.hashes]
    for data in documents:
        store.put(io.BytesIO(data))
    made = make_backup(custody.db, store, first, tmp_path / "respaldo", at=NOW, with_keys=True)
    assert made.contenido["almacen"] == "s3"
    kept = b"".join(path.read_bytes() for path in (made.carpeta / "almacen").rglob("*.rc1"))
    assert all(data[:64] not in kept for data in documents)  # what left the bucket is encrypted
    delete_everything(custody)

    target = replace(other, s3=s3_server.bucket())
    done = bring_back(target, made.carpeta)
    assert done.verificacion.limpia
    assert done.verificacion.cuentas["blobs"] == 3
    assert [open_store(target).read(one) for one in custody.hashes] == documents
