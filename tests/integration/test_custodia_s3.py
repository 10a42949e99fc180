"""The store in S3 against a real server: same bytes once, nothing deleted before its day, away and back again."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from radica.custodia import s3
from radica.custodia.backends import open_store
from radica.custodia.retencion import least_until
from radica.custodia.s3 import S3Store
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import S3Settings, load_settings
from radica.kernel.errors import BadInput, NotFound, Unavailable
from tests.plugins.s3 import S3Server


@pytest.fixture
def store(s3_settings: S3Settings, tmp_path: Path) -> S3Store:
    return S3Store(s3_settings, tmp_path / "tmp", system_clock)


def _head(server: S3Server, settings: S3Settings, sha256: str) -> dict:
    return server.client().head_object(
        Bucket=settings.bucket, Key=f"casa/{sha256[:2]}/{sha256}", ChecksumMode="ENABLED"
    )


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3_000_000])
def test_bytes_go_in_once_and_come_back(store: S3Store, size: int) -> None:
    data = os.urandom(size)
    first, second = store.put(io.BytesIO(data)), store.put(io.BytesIO(data))
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert (first.new, second.new, first.bytes) == (True, False, size)
    assert store.read(first.sha256) == data
    assert store.digest(first.sha256) == first.sha256
    assert (store.size(first.sha256), store.exists(first.sha256), store.exists("0" * 64)) == (size, True, False)
    with store.local(first.sha256) as path:
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(store.temporary.iterdir()) == []


def test_what_comes_in_is_locked_until_the_least_date(
    store: S3Store, s3_server: S3Server, s3_settings: S3Settings
) -> None:
    days = {civil_date(system_clock())}
    stored = store.put(io.BytesIO(b"acuse"))
    days.add(civil_date(system_clock()))  # it may be midnight
    head = _head(s3_server, s3_settings, stored.sha256)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    until = head["ObjectLockRetainUntilDate"]
    assert civil_date(until - timedelta(seconds=1)) in {least_until(day) for day in days}
    where = {"Bucket": s3_settings.bucket, "Key": f"casa/{stored.sha256[:2]}/{stored.sha256}"}
    client = s3_server.client()
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(**where, VersionId=head["VersionId"])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(**where, VersionId=head["VersionId"], BypassGovernanceRetention=True)
    assert store.read(stored.sha256) == b"acuse"


def test_a_date_moves_forward_and_never_back(store: S3Store, s3_server: S3Server, s3_settings: S3Settings) -> None:
    stored = store.put(io.BytesIO(b"historia"))
    later = date(system_clock().year + 20, 5, 17)
    assert store.retain(stored.sha256, later)
    held = _head(s3_server, s3_settings, stored.sha256)["ObjectLockRetainUntilDate"]
    assert held == datetime(later.year, 5, 18, 5, tzinfo=UTC)
    assert store.retain(stored.sha256, date(system_clock().year + 1, 1, 1))
    assert _head(s3_server, s3_settings, stored.sha256)["ObjectLockRetainUntilDate"] == held
    with pytest.raises(NotFound):
        store.retain("0" * 64, later)


def test_a_delete_marker_and_a_newer_version_hide_nothing(
    store: S3Store, s3_server: S3Server, s3_settings: S3Settings
) -> None:
    stored = store.put(io.BytesIO(b"lo que fue"))
    where = {"Bucket": s3_settings.bucket, "Key": f"casa/{stored.sha256[:2]}/{stored.sha256}"}
    client = s3_server.client()
    client.put_object(**where, Body=b"lo que quisieran")
    assert store.read(stored.sha256) == b"lo que fue"
    client.delete_object(**where)
    assert store.read(stored.sha256) == b"lo que fue"
    assert store.digest(stored.sha256) == stored.sha256
    assert list(store.addresses()) == [stored.sha256]


def test_all_addresses_come_in_order_over_many_pages(store: S3Store) -> None:
    data = [f"pieza {number}".encode() for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        placed = store.settle([store.stage(io.BytesIO(one)) for one in data], each=pool.map)
    assert [one.sha256 for one in placed] == [hashlib.sha256(one).hexdigest() for one in data]
    store.prove()  # a canary is no blob
    assert list(store.addresses()) == sorted(one.sha256 for one in placed)


def test_what_is_staged_stands_encrypted(store: S3Store) -> None:
    secret = b"Diagnostico de una persona " * 100
    staged = store.stage(io.BytesIO(secret))
    assert b"Diagnostico" not in staged.temporary.read_bytes()
    store.discard([staged])
    with pytest.raises(BadInput, match="más grande"):
        store.put(io.BytesIO(secret), limit=100)
    assert list(store.temporary.iterdir()) == []


def test_the_canary_proves_the_lock(store: S3Store) -> None:
    proof = store.prove()
    assert (proof.delete_refused, proof.shorten_refused) == (True, True)


def test_a_bucket_without_lock_is_refused(s3_server: S3Server, tmp_path: Path) -> None:
    open_bucket = s3_server.bucket(locked=False)
    loose = S3Store(open_bucket, tmp_path / "tmp", system_clock)
    with pytest.raises(BadInput, match="Object Lock"):
        loose.put(io.BytesIO(b"x"))
    missing = S3Settings("no-existe-este-cubo", "", *_rest(open_bucket))
    with pytest.raises(BadInput, match="no existe"):
        S3Store(missing, tmp_path / "tmp", system_clock).check()
    wrong = S3Settings(open_bucket.bucket, "", open_bucket.endpoint, "us-east-1", "otra", "otra")
    with pytest.raises(Unavailable, match="claves"):
        S3Store(wrong, tmp_path / "tmp", system_clock).check()


def _rest(one: S3Settings) -> tuple[str | None, str, str | None, str | None]:
    return one.endpoint, one.region, one.key_id, one.secret


def test_the_settings_name_the_bucket(s3_settings: S3Settings, tmp_path: Path) -> None:
    variables = {
        "RADICA_ALMACEN": f"s3://{s3_settings.bucket}/casa", "RADICA_S3_ENDPOINT": str(s3_settings.endpoint),
        "RADICA_S3_CLAVE_ID": str(s3_settings.key_id), "RADICA_S3_CLAVE_SECRETA": str(s3_settings.secret),
    }  # fmt: skip
    settings = load_settings(variables, datos=str(tmp_path / "datos"))
    store = open_store(settings)
    assert isinstance(store, S3Store)
    assert store.read(store.put(io.BytesIO(b"hola")).sha256) == b"hola"
    assert open_store(settings) is store


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    monkeypatch.setattr(s3, "CONNECT_S", 1)
    monkeypatch.setattr(s3, "TRIES", 1)
    folder = tmp_path / "s3"
    folder.mkdir()
    server = S3Server(folder)
    server.start()
    yield server
    server.stop()


def test_a_server_that_is_away_loses_nothing(own_server: S3Server, tmp_path: Path) -> None:
    settings = own_server.bucket()
    store = S3Store(settings, tmp_path / "tmp", system_clock)
    before = store.put(io.BytesIO(b"antes"))
    staged = store.stage(io.BytesIO(b"durante"))
    own_server.stop()
    with pytest.raises(Unavailable, match="no responde"):
        store.settle([staged])
    with pytest.raises(Unavailable, match="intacto"):
        store.read(before.sha256)
    # A process that starts meanwhile starts, and says so only when it must keep something.
    fresh = S3Store(settings, tmp_path / "tmp2", system_clock)
    fresh.check_if_there()
    with pytest.raises(Unavailable, match="no responde"):
        fresh.put(io.BytesIO(b"durante"))
    assert list(fresh.temporary.iterdir()) == []
    own_server.start()
    (kept,) = store.settle([staged])
    store.discard([staged])
    assert kept.new
    assert fresh.read(kept.sha256) == b"durante"
    assert store.read(before.sha256) == b"antes"
