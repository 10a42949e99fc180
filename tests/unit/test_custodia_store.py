"""The store keeps bytes once, at their hash, read-only, behind one path gate."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

import pytest

from radica.custodia.services import Candidate, keep_files
from radica.custodia.store import FolderStore
from radica.kernel.errors import BadInput, NotFound, Unavailable


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "custodia")


def test_same_bytes_are_stored_once_and_read_back(store: FolderStore) -> None:
    data = b"factura" * 1000
    first, second = store.put(io.BytesIO(data)), store.put(io.BytesIO(data))
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert (first.new, second.new) == (True, False)
    assert store.read(first.sha256) == data
    blobs = [path for path in store.root.rglob("*") if path.is_file()]
    assert blobs == [store.path(first.sha256)]
    assert stat.S_IMODE(blobs[0].stat().st_mode) == 0o400


@pytest.mark.parametrize("bad", ["../../etc/passwd", "A" * 64, "0" * 63, "", "0" * 64 + "/x", "..%2f" * 16])
def test_the_gate_admits_only_hashes(store: FolderStore, bad: str) -> None:
    with pytest.raises(BadInput):
        store.path(bad)


def test_a_stream_over_the_limit_leaves_nothing(store: FolderStore) -> None:
    with pytest.raises(BadInput, match="más grande"):
        store.put(io.BytesIO(b"x" * 1000), limit=999)
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_a_full_disk_is_told_and_leaves_nothing(store: FolderStore) -> None:
    class FullDisk(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(Unavailable, match="disco está lleno"):
        store.put(FullDisk())  # type: ignore[arg-type]
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_links_are_refused(store: FolderStore, tmp_path: Path) -> None:
    target = tmp_path / "secreto"
    target.write_bytes(b"x")
    link = tmp_path / "enlace"
    link.symlink_to(target)
    with pytest.raises(OSError, match="Too many levels"):
        store.put_file(link)


def test_a_missing_blob_is_told(store: FolderStore) -> None:
    with pytest.raises(NotFound, match="custodia"):
        store.open("0" * 64)


def test_truncated_blob_is_noticed_on_the_next_put(store: FolderStore) -> None:
    stored = store.put(io.BytesIO(b"entero"))
    path = store.path(stored.sha256)
    path.chmod(0o600)
    path.write_bytes(b"ente")
    with pytest.raises(Unavailable, match="alterado"):
        store.put(io.BytesIO(b"entero"))


def test_only_plain_files_of_the_folder_are_kept(store: FolderStore, tmp_path: Path) -> None:
    folder = tmp_path / "intento"
    folder.mkdir()
    (folder / "acuse.pdf").write_bytes(b"%PDF-1.4")
    outside = tmp_path / "fuera.txt"
    outside.write_bytes(b"no")
    (folder / "enlace.txt").symlink_to(outside)
    kept, refused = keep_files(
        store,
        [
            Candidate(folder / "acuse.pdf", "acuse.pdf", "acuse_document"),
            Candidate(folder / "enlace.txt", "enlace.txt", "failure"),
            Candidate(folder / "../fuera.txt", "../fuera.txt", "failure"),
            Candidate(folder / "no_existe.png", "no_existe.png", "failure"),
        ],
        folder=folder,
    )
    assert [item.nombre for item in kept] == ["acuse.pdf"]
    assert len(refused) == 3
