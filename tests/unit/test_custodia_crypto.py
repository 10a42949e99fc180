"""What stands encrypted: nothing in clear, each flip and cut told, keys rotated without touching a blob."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from radica.custodia import crypto
from radica.custodia.crypto import CHUNK, GCM_TAG, HEADER, plain_size, sealed_size
from radica.custodia.keyring import MASTER_FILE, WRAPPED_FILE, KeyRing
from radica.custodia.store import FolderStore, lend
from radica.kernel.errors import NotFound, Unavailable
from tests.full_disk import small_files

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIZES = [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17]


def _store(folder: Path, *, encrypt: bool = True) -> FolderStore:
    root = folder / "custodia"
    return FolderStore(root, KeyRing(folder / "claves", root), encrypt=encrypt)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return _store(tmp_path)


def _overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back_from_any_place(store: FolderStore, size: int) -> None:
    data = os.urandom(size)
    stored = store.put(io.BytesIO(data))
    again = store.put(io.BytesIO(data))
    assert (stored.new, again.new, store.size(stored.sha256)) == (True, False, size)
    place = store.sealed_path(stored.sha256)
    assert stat.S_IMODE(place.stat().st_mode) == 0o400
    assert place.stat().st_size == sealed_size(size)
    assert store.read(stored.sha256) == data
    assert store.digest(stored.sha256) == stored.sha256
    with store.open(stored.sha256) as source:
        for start in (0, size // 2, max(0, size - 3), CHUNK - 1, size + 5):
            source.seek(start)
            assert source.read(10) == data[start : start + 10]
        source.seek(0)
        assert b"".join(iter(lambda: source.read(4096), b"")) == data


def test_short_reads_fill_the_chunks(store: FolderStore) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(70_001, size if size and size > 0 else 70_001))

    data = os.urandom(2 * CHUNK + 9)
    stored = store.put(Trickle(data))
    assert store.read(stored.sha256) == data


def test_every_length_has_one_inverse() -> None:
    for size in (*SIZES, 10 * CHUNK, 10 * CHUNK + 1):
        assert plain_size(sealed_size(size)) == size
    with pytest.raises(Unavailable, match="alterado"):
        plain_size(HEADER + CHUNK + 2 * GCM_TAG)  # a last chunk without a byte
    with pytest.raises(Unavailable, match="alterado"):
        plain_size(HEADER + GCM_TAG - 1)


def test_nothing_stands_in_clear(store: FolderStore, tmp_path: Path) -> None:
    words = b"DIAGNOSTICO-DE-PRUEBA"
    staged = store.stage(io.BytesIO(words * 1000))
    assert words not in staged.temporary.read_bytes()
    (stored,) = store.settle([staged])
    assert [path for path in tmp_path.rglob("*") if path.is_file() and words in path.read_bytes()] == []
    with lend(store, [stored.sha256]) as (path,):
        assert path.read_bytes() == words * 1000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    assert list(store.temporary.iterdir()) == []


@pytest.mark.parametrize("size", [0, 5, CHUNK, CHUNK + 5])
def test_each_flipped_part_is_told(store: FolderStore, size: int) -> None:
    stored = store.put(io.BytesIO(os.urandom(size)))
    place = store.sealed_path(stored.sha256)
    whole = place.read_bytes()
    marks = {0, 4, 12, 44, HEADER - 1, HEADER, len(whole) - 1, len(whole) // 2, min(len(whole) - 1, HEADER + CHUNK + 3)}
    for at in sorted(marks):
        bad = bytearray(whole)
        bad[at] ^= 1
        _overwrite(place, bytes(bad))
        with pytest.raises(Unavailable):
            store.read(stored.sha256)
        with pytest.raises(Unavailable):
            store.digest(stored.sha256)
    _overwrite(place, whole)
    assert store.digest(stored.sha256) == stored.sha256


def test_cut_grown_swapped_and_shuffled_files_are_told(store: FolderStore) -> None:
    first, second = (store.put(io.BytesIO(os.urandom(3 * CHUNK))) for _ in range(2))
    place, other = store.sealed_path(first.sha256), store.sealed_path(second.sha256)
    whole = place.read_bytes()
    step = CHUNK + GCM_TAG
    swapped = (
        whole[:HEADER]
        + whole[HEADER + step : HEADER + 2 * step]
        + whole[HEADER : HEADER + step]
        + whole[HEADER + 2 * step :]
    )
    for bad in (
        whole[:-step],  # cut between two chunks
        whole[:-1],
        whole + b"\0",
        whole + whole[-step:],
        whole[:HEADER],
        b"",
        swapped,
        other.read_bytes(),  # a sound blob under another address
    ):
        _overwrite(place, bad)
        with pytest.raises(Unavailable, match="alterado"):
            store.read(first.sha256)
        with pytest.raises(Unavailable, match="alterado"):
            store.digest(first.sha256)


def test_a_cut_blob_is_noticed_on_the_next_put(store: FolderStore) -> None:
    stored = store.put(io.BytesIO(b"entero"))
    place = store.sealed_path(stored.sha256)
    _overwrite(place, place.read_bytes()[:-1])
    with pytest.raises(Unavailable, match="alterado"):
        store.put(io.BytesIO(b"entero"))


def test_plain_and_encrypted_live_side_by_side(tmp_path: Path) -> None:
    plain = _store(tmp_path, encrypt=False)
    old = plain.put(io.BytesIO(b"de antes"))
    assert plain.path(old.sha256).read_bytes() == b"de antes"
    store = _store(tmp_path)
    new = store.put(io.BytesIO(b"de ahora"))
    assert (store.read(old.sha256), store.put(io.BytesIO(b"de antes")).new) == (b"de antes", False)
    assert (plain.read(new.sha256), plain.put(io.BytesIO(b"de ahora")).new) == (b"de ahora", False)
    assert list(store.addresses()) == sorted([old.sha256, new.sha256])
    with store.local(old.sha256) as path:
        assert path == store.path(old.sha256)
    with pytest.raises(Unavailable, match="llaves"):
        FolderStore(store.root).read(new.sha256)
    with pytest.raises(NotFound):
        store.digest("0" * 64)
    with pytest.raises(NotFound):
        store.size("0" * 64)


def test_rotating_rewrites_no_blob_and_uses_new_keys(tmp_path: Path) -> None:
    store, ring = _store(tmp_path), KeyRing(tmp_path / "claves", tmp_path / "custodia")
    old = store.put(io.BytesIO(b"primero"))
    before, bytes_before = ring.describe(), store.sealed_path(old.sha256).read_bytes()
    after = ring.rotate(AT)
    assert after.master != before.master
    assert after.current != before.current
    assert [one.id for one in after.data] == [after.current, before.current]
    assert store.sealed_path(old.sha256).read_bytes() == bytes_before
    new = store.put(io.BytesIO(b"segundo"))  # the running process takes the new key by itself
    assert bytes.fromhex(after.current) in store.sealed_path(new.sha256).read_bytes()[:HEADER]
    fresh = _store(tmp_path)
    assert (fresh.read(old.sha256), fresh.read(new.sha256)) == (b"primero", b"segundo")
    assert before.master not in (tmp_path / "claves" / MASTER_FILE).read_text()
    assert stat.S_IMODE((tmp_path / "claves" / MASTER_FILE).stat().st_mode) == 0o600


def test_a_rotation_cut_between_its_writes_leaves_all_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, ring = _store(tmp_path), KeyRing(tmp_path / "claves", tmp_path / "custodia")
    old = store.put(io.BytesIO(b"primero"))

    class PowerCut(Exception):
        pass

    real = Path.replace
    for cut_at in (1, 2, 3):
        writes = 0

        def replace(self: Path, target: Path, cut: int = cut_at) -> Path:
            nonlocal writes
            writes += 1
            if writes == cut:
                raise PowerCut
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        with pytest.raises(PowerCut):
            ring.rotate(AT)
        monkeypatch.setattr(Path, "replace", real)
        fresh = _store(tmp_path)
        assert fresh.read(old.sha256) == b"primero"
        assert fresh.read(fresh.put(io.BytesIO(f"después {cut_at}".encode())).sha256)
    assert ring.rotate(AT).data


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (MASTER_FILE, None, "falta"),
        (MASTER_FILE, b"", "dañado"),
        (MASTER_FILE, b"zz no-es-base64!\n", "dañado"),
        (MASTER_FILE, b"\xff\xfe", "dañado"),
        (MASTER_FILE, b"0011223344556677 " + b"A" * 43 + b"=\n", "no es la de este"),
        (WRAPPED_FILE, None, "falta"),
        (WRAPPED_FILE, b"{", "dañado"),
        (WRAPPED_FILE, b'{"llaves": []}', "vacío"),
    ],
)
def test_lost_or_damaged_keys_are_refused_and_never_made_anew(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    stored = _store(tmp_path).put(io.BytesIO(b"secreto"))
    path = (tmp_path / "claves" if name == MASTER_FILE else tmp_path / "custodia") / name
    kept = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    store = _store(tmp_path)
    with pytest.raises(Unavailable, match=words):
        store.read(stored.sha256)
    with pytest.raises(Unavailable, match=words):
        store.put(io.BytesIO(b"otro"))
    with pytest.raises(Unavailable):
        KeyRing(tmp_path / "claves", tmp_path / "custodia").rotate(AT)
    assert path.exists() == (content is not None)
    path.write_bytes(kept)
    assert store.read(stored.sha256) == b"secreto"


def test_a_wrapped_key_of_another_is_refused(tmp_path: Path) -> None:
    stored = _store(tmp_path).put(io.BytesIO(b"secreto"))
    path = tmp_path / "custodia" / WRAPPED_FILE
    text = path.read_text()
    current = KeyRing(tmp_path / "claves", tmp_path / "custodia").describe().current
    path.write_text(text.replace(current, "0" * 16))
    with pytest.raises(Unavailable, match="no abre"):
        _store(tmp_path).read(stored.sha256)


def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(store: FolderStore) -> None:
    before = store.put(io.BytesIO(b"antes"))
    with small_files(100_000), pytest.raises(Unavailable, match="disco está lleno"):
        store.put(io.BytesIO(os.urandom(200_000)))
    big = store.put(io.BytesIO(os.urandom(200_000)))
    with small_files(100_000), pytest.raises(Unavailable, match="disco está lleno"), store.local(big.sha256):
        pass
    assert list(store.temporary.iterdir()) == []
    assert store.read(before.sha256) == b"antes"


def test_the_first_keys_on_a_full_disk_are_told(tmp_path: Path) -> None:
    store = _store(tmp_path)
    with small_files(10), pytest.raises(Unavailable, match="disco está lleno"):
        store.put(io.BytesIO(b"x"))
    assert store.read(store.put(io.BytesIO(b"x")).sha256) == b"x"


def test_a_reader_serves_programs_that_seek(store: FolderStore) -> None:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        archive.writestr("a.txt", os.urandom(CHUNK + 10))
    stored = store.put(io.BytesIO(box.getvalue()))
    with store.open(stored.sha256) as source, zipfile.ZipFile(source) as archive:
        assert archive.testzip() is None


def test_the_same_bytes_never_give_the_same_file(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        store = _store(tmp_path / name)
        files.append(store.sealed_path(store.put(io.BytesIO(b"igual")).sha256).read_bytes())
    assert files[0][HEADER:] != files[1][HEADER:]


def test_the_layout_of_rc1_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob written today must be read in fifteen years: key, salt and bytes give exactly this file."""
    monkeypatch.setattr(crypto.os, "urandom", lambda size: b"\x07" * size)
    key = crypto.DataKey("00112233445566aa", bytes(range(32)))
    path = tmp_path / "blob"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    digest, size = crypto.Sealer(handle, key).seal(io.BytesIO(b"radica"), each=lambda _: None)
    os.close(handle)
    assert (digest, size) == ("124bbfd2b37ac6eff1be68d54c511e41683eec167221a2ffc3885c58802a8aec", 6)
    assert path.read_bytes().hex() == (
        "5243310a00112233445566aa0707070707070707070707070707070707070707070707070707070707070707"
        "f8ef08422ffb9a5238d773019da1f698cf00e7f9f526cba82e1179d4f5b896ede268814c677a"
    )
    with crypto.Opened(path.open("rb", buffering=0), lambda _: key, digest) as opened:
        assert opened.read() == b"radica"
