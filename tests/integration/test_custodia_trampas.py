"""What was found by attacking custody: blobs replaced by what is no file, keys of another house, backups made by hand."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from radica.app.respaldo.crear import BLOBS_LIST, MANIFEST, UNFINISHED, make_backup
from radica.app.respaldo.restaurar import restore
from radica.custodia.check_models import EstadoVerificacion
from radica.custodia.keyring import KeyRing
from radica.custodia.staging import leased_folder, sweep_leased
from radica.custodia.store import FolderStore
from radica.kernel.clock import fixed_clock
from radica.kernel.config import Settings, load_settings
from radica.kernel.errors import BadInput, Unavailable
from tests.factories import NOW
from tests.full_disk import small_files
from tests.plugins.custody import Custody

REPOSITORY = Path(__file__).resolve().parents[2]


def settings_of(custody: Custody) -> Settings:
    folder = custody.store.root.parent
    return load_settings({"RADICA_DATABASE_URL": custody.db.url, "RADICA_CHROMIUM": "/no"}, datos=str(folder))


def another(custody: Custody, tmp_path: Path) -> Settings:
    """Return an empty house; these tests are refused before a row is loaded, so SQLite serves for it."""
    return replace(settings_of(custody), datos=tmp_path / "otra", database_url=f"sqlite:///{tmp_path}/otra/x.sqlite")


def edit(folder: Path, **fields: object) -> None:
    """Write a manifest again as one who knows its form would."""
    content = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**content, **fields}), "utf-8")


def relist(folder: Path, lines: str) -> None:
    """Write the list of the store again, and the manifest so that it agrees."""
    (folder / BLOBS_LIST).write_text(lines, "ascii")
    parts = json.loads((folder / MANIFEST).read_text("utf-8"))["partes"]
    for one in parts:
        if one["ruta"] == BLOBS_LIST:
            one["sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    edit(folder, partes=parts, base="sqlite")


# --- What stands in the place of a blob ----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["enlace", "carpeta", "tuberia"])
def test_blobs_that_are_no_files_are_named_and_do_not_stop_the_verification(custody: Custody, what: str) -> None:
    """Three in a row once counted as a store that is down: whoever placed them kept every later blob from being read."""
    for one in custody.hashes:
        place = custody.store.sealed_path(one)
        aside = place.with_suffix(".aparte")
        place.rename(aside)
        if what == "enlace":
            place.symlink_to(aside)
        elif what == "carpeta":
            place.mkdir()
        else:
            os.mkfifo(place)
    ended, found = custody.verify()
    assert ended.estado is EstadoVerificacion.TERMINADA
    assert [one for one in found if one[2].startswith("blob:") and one[0] != "huerfano"] == [
        ("alterado", "grave", f"blob:{one}") for one in sorted(custody.hashes)
    ]


# --- Lent in clear, and killed --------------------------------------------------------------------------------------

LENDER = """
import sys, time
from pathlib import Path
from radica.custodia.keyring import KeyRing
from radica.custodia.staging import leased_folder
from radica.custodia.store import FolderStore
root = Path(sys.argv[1])
store = FolderStore(root / "custodia", KeyRing(root / "claves", root / "custodia"))
with store.local(sys.argv[2]) as path, leased_folder(root / "entrada", "vista-") as folder:
    (folder / "borrador.pdf").write_bytes(path.read_bytes())
    print("prestado", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_in_clear_is_swept_and_what_lives_is_not(custody: Custody) -> None:
    root = custody.store.root.parent
    incoming = root / "entrada"
    incoming.mkdir()
    (incoming / "carga-7").mkdir()  # an upload: not ours to remove
    command = [sys.executable, "-c", LENDER, str(root), custody.hashes[0]]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"prestado\n"
        assert (sweep_leased(custody.store.temporary), sweep_leased(incoming)) == (0, 0)
        assert len(list(custody.store.temporary.iterdir())) == 1
        process.kill()
    with custody.store.local(custody.hashes[1]) as mine, leased_folder(incoming, "vista-") as folder:
        assert (sweep_leased(custody.store.temporary), sweep_leased(incoming)) == (1, 1)
        assert (mine.is_file(), folder.is_dir()) == (True, True)
    assert list(custody.store.temporary.iterdir()) == []
    assert [one.name for one in incoming.iterdir()] == ["carga-7"]


# --- Keys ----------------------------------------------------------------------------------------------------------


def test_a_rotation_removes_the_drafts_of_one_that_was_killed(custody: Custody) -> None:
    """A draft holds a master key in clear: left there it would outlive the rotation that was to end it."""
    root = custody.store.root.parent
    draft = root / "claves" / ".custodia.key.0011aabb"
    draft.write_text("resto", "ascii")
    KeyRing(root / "claves", custody.store.root).rotate(datetime.now(UTC))
    assert sorted(one.name for one in (root / "claves").iterdir()) == ["custodia.key", "custodia.lock"]
    assert custody.store.measure(custody.hashes[0])[0] == custody.hashes[0]


def test_a_key_that_cannot_be_read_is_told_in_words(custody: Custody) -> None:
    root = custody.store.root.parent
    (root / "claves" / "custodia.key").unlink()
    (root / "claves" / "custodia.key").mkdir()
    fresh = FolderStore(custody.store.root, KeyRing(root / "claves", custody.store.root))
    with pytest.raises(Unavailable, match="no se puede leer"):
        fresh.read(custody.hashes[0])


# --- Backups --------------------------------------------------------------------------------------------------------


def test_keys_rotated_while_a_backup_is_made_do_not_make_one_that_nobody_opens(
    custody: Custody, tmp_path: Path
) -> None:
    root, target = custody.store.root.parent, tmp_path / "respaldo"
    settings = settings_of(custody)

    def rotate_at(done: int, of: int) -> None:
        if done == of:
            KeyRing(root / "claves", target / "almacen").describe()
            KeyRing(root / "claves", custody.store.root).rotate(datetime.now(UTC))

    foreign = _Objects(custody.store)
    with pytest.raises(Unavailable, match="llaves cambiaron"):
        make_backup(custody.db, foreign, settings, target, at=NOW, with_keys=True, progress=rotate_at)  # type: ignore[arg-type]
    assert (target / UNFINISHED).exists()


class _Objects:
    """A store that is no folder, as S3 is none: its blobs are encrypted anew into the backup."""

    def __init__(self, store: FolderStore) -> None:
        self.open = store.open


def test_keys_of_another_house_are_refused_before_anything_is_restored(custody: Custody, tmp_path: Path) -> None:
    settings = replace(settings_of(custody), database_url=custody.db.url)
    made = make_backup(custody.db, custody.store, settings, tmp_path / "respaldo", at=NOW)
    edit(made.carpeta, base="sqlite")
    target = another(custody, tmp_path)
    strange = FolderStore(tmp_path / "ajena" / "custodia", KeyRing(target.keys, tmp_path / "ajena" / "custodia"))
    strange.put(io.BytesIO(b"de otra casa"))
    with pytest.raises(Unavailable, match="llave maestra no es la de este"):
        restore(target, made.carpeta, actor="prueba", clock=fixed_clock(NOW))
    assert not target.store.exists()


@pytest.mark.parametrize("path", ["almacen/../claves/web.key", "base/ajeno", "almacen/ab/nada", "almacen/tmp/x"])
def test_a_list_that_leads_out_of_the_store_restores_nothing(custody: Custody, tmp_path: Path, path: str) -> None:
    """The sums agree: whoever wrote it recomputed them."""
    settings = settings_of(custody)
    made = make_backup(custody.db, custody.store, settings, tmp_path / "respaldo", at=NOW, with_keys=True)
    planted = made.carpeta / path
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(b"llave del atacante")
    relist(made.carpeta, f"{hashlib.sha256(planted.read_bytes()).hexdigest()}  {path}\n")
    target = another(custody, tmp_path)
    with pytest.raises(BadInput, match="no se restauró nada"):
        restore(target, made.carpeta, actor="prueba", clock=fixed_clock(NOW))
    assert not target.keys.exists()


@pytest.mark.parametrize("field", ["partes", "faltantes", "base", "esquema"])
@pytest.mark.parametrize("value", [None, 7])
def test_a_manifest_that_lacks_what_it_must_say_is_refused_in_words(
    custody: Custody, tmp_path: Path, field: str, value: object
) -> None:
    made = make_backup(custody.db, custody.store, settings_of(custody), tmp_path / "respaldo", at=NOW)
    edit(made.carpeta, **{field: value})
    with pytest.raises(BadInput, match="no es un respaldo"):
        restore(another(custody, tmp_path), made.carpeta, actor="prueba", clock=fixed_clock(NOW))


def test_a_disk_that_fills_while_restoring_is_told_in_words(custody: Custody, tmp_path: Path) -> None:
    made = make_backup(custody.db, custody.store, settings_of(custody), tmp_path / "respaldo", at=NOW, with_keys=True)
    edit(made.carpeta, base="sqlite")
    target = another(custody, tmp_path)
    with pytest.raises(Unavailable, match="disco está lleno"), small_files(2000):
        restore(target, made.carpeta, actor="prueba", clock=fixed_clock(NOW))
    with pytest.raises(BadInput, match="a medias"):
        restore(target, made.carpeta, actor="prueba", clock=fixed_clock(NOW))
    shutil.rmtree(target.datos)
