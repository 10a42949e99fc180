"""The content-addressed store in S3: an object for each SHA-256, in a bucket whose Object Lock nobody can undo.

Invariant: bytes are staged encrypted on this machine, sent with the checksum that the server must find, only where the
key is still free (If-None-Match), and with a COMPLIANCE date from the retention table; what counts is the version whose
checksum is the address, so that a delete marker or a newer version hides nothing. Every call has a time limit and few
tries; a server that is away is `Unavailable`, nothing is lost and the job comes again. Norm: Res. 839/2017 art. 3.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from radica.custodia.crypto import KEY_BYTES, Damaged, DataKey, Opened
from radica.custodia.retencion import least_until
from radica.custodia.s3_words import ABSENT, TAKEN, code, is_refused, words
from radica.custodia.staging import CHUNK, Staged, lent_file, open_raw, open_regular, stage_stream
from radica.custodia.store import HASH, Each, Stored
from radica.kernel.clock import BOGOTA, Clock, civil_date
from radica.kernel.config import S3Settings
from radica.kernel.errors import BadInput, NotFound, RadicaError, Unavailable

CONNECT_S, READ_S, TRIES = 5, 30, 3
CANARY = "canario"
CANARY_LASTS = timedelta(hours=1)
_KEY = re.compile(r"(?:.*/)?([0-9a-f]{2})/([0-9a-f]{64})")


@dataclass(frozen=True)
class Immutability:
    """What the canary told: was the deletion of a locked version refused, and the shortening of its date?"""

    delete_refused: bool
    shorten_refused: bool


class S3Store:
    """A bucket of blobs: `<prefix>/<first two hex>/<sha256>`; bytes under way in a folder of this machine."""

    def __init__(self, settings: S3Settings, temporary: Path, clock: Clock) -> None:
        self.temporary = temporary
        self.temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._bucket, self._clock = settings.bucket, clock
        self._prefix = f"{settings.prefix}/" if settings.prefix else ""
        self._client = _client(settings)
        # Lives as long as this process: what it staged and did not send nobody can read.
        self._key = DataKey("0" * 16, os.urandom(KEY_BYTES))
        self._checked = False

    def check(self) -> None:
        """Raise BadInput when the bucket is missing or has no Object Lock, Unavailable when nobody answers."""
        try:
            with words():
                found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except NotFound:
            found = {}
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise BadInput(
                f"El cubo «{self._bucket}» no existe o no tiene Object Lock: no se guarda nada en él.",
                todo="Cree uno con Object Lock y versiones encendidos desde el comienzo y nómbrelo en RADICA_ALMACEN.",
                code="cubo_sin_candado",
            )
        self._checked = True

    def check_if_there(self) -> None:
        """Check, unless nobody answers: then it is done before the first blob is sent. Raises BadInput."""
        with suppress(Unavailable):
            self.check()

    def put(self, source: BinaryIO, *, limit: int | None = None) -> Stored:
        """Store a stream; `limit` in bytes. Raises BadInput when it is longer, Unavailable when it cannot be kept."""
        staged = self.stage(source, limit=limit)
        try:
            return self.settle([staged])[0]
        finally:
            self.discard([staged])

    def put_file(self, path: Path, *, limit: int | None = None) -> Stored:
        """Store the bytes of a regular file; a link is refused."""
        with open_regular(path) as source:
            return self.put(source, limit=limit)

    def stage(self, source: BinaryIO, *, limit: int | None = None) -> Staged:
        """Write and hash a stream to an encrypted temporary file of this machine."""
        return stage_stream(self.temporary, source, lambda: self._key, limit=limit)

    def stage_file(self, path: Path, *, limit: int | None = None) -> Staged:
        """Stage the bytes of a regular file."""
        with open_regular(path) as source:
            return self.stage(source, limit=limit)

    def settle(self, staged: Sequence[Staged], *, each: Each = map) -> list[Stored]:
        """Send staged bytes; `each` may be the `map` of a thread pool. Raises Unavailable; then it may be called again."""
        if not self._checked:
            self.check()
        by_file = {one.temporary: one for one in staged}
        new: dict[Path, bool] = {}

        def send(path: Path) -> None:
            new[path] = self._send(by_file[path])

        list(each(send, by_file))
        return [Stored(one.sha256, one.bytes, new=new[one.temporary]) for one in staged]

    def discard(self, staged: Sequence[Staged]) -> None:
        """Remove temporary files that are not needed any more."""
        for one in staged:
            one.temporary.unlink(missing_ok=True)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob as a stream; reading to its end raises Unavailable when the bytes are not those of the address."""
        answer = self._get(sha256)
        return cast("BinaryIO", _Stream(answer["Body"], int(answer["ContentLength"]), sha256))

    def read(self, sha256: str) -> bytes:
        """Return a blob whole."""
        with self.open(sha256) as source:
            return source.read()

    def exists(self, sha256: str) -> bool:
        """Tell whether a version with these bytes is there."""
        try:
            self._version(sha256)
        except NotFound:
            return False
        return True

    def size(self, sha256: str) -> int:
        """Return the bytes of a blob."""
        return int(self._version(sha256)["ContentLength"])

    def digest(self, sha256: str) -> str:
        """Return the SHA-256 of the bytes that the server gives now."""
        return self.measure(sha256)[0]

    def measure(self, sha256: str) -> tuple[str, int]:
        """Return SHA-256 and length of the bytes that the server gives now, whatever checksum it tells."""
        answer = self._get(sha256)
        found, size = hashlib.sha256(), 0
        with words(), answer["Body"] as body:
            while piece := body.read(CHUNK):
                found.update(piece)
                size += len(piece)
        return found.hexdigest(), size

    def retain(self, sha256: str, until: date) -> bool:
        """Lock the version until that day has passed in Bogotá; a later date that it has already stays."""
        found = self._version(sha256)
        limit = _end_of(until)
        present = found.get("ObjectLockRetainUntilDate")
        if present is None or present < limit:
            with words():
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=self._name(sha256),
                    VersionId=found["VersionId"],
                    Retention={"Mode": "COMPLIANCE", "RetainUntilDate": limit},
                )
        return True

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """Lend a blob as a file of this machine (mode 0600), removed afterwards."""
        with self.open(sha256) as source, lent_file(self.temporary, source) as path:
            yield path

    def addresses(self) -> Iterator[str]:
        """Walk the SHA-256 of every version that is there, in order, those behind a delete marker too."""
        last = ""
        with words():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for one in page.get("Versions", []):
                    found = _KEY.fullmatch(one["Key"])
                    if found and found[2] != last and one["Key"] == self._name(found[2]):
                        last = found[2]
                        yield last

    def prove(self) -> Immutability:
        """Put a canary, then try to delete its version and to shorten its date. Raises Unavailable and BadInput."""
        self.check()
        name = f"{self._prefix}{CANARY}/{self._clock():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        until = self._clock() + CANARY_LASTS
        data = secrets.token_bytes(16)
        with words():
            put = self._client.put_object(
                Bucket=self._bucket, Key=name, Body=data, ChecksumSHA256=_base64(hashlib.sha256(data).hexdigest()),
                ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until,
            )  # fmt: skip
        where = {"Bucket": self._bucket, "Key": name, "VersionId": put["VersionId"]}
        sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": until - CANARY_LASTS / 2}
        shorten = is_refused(lambda: self._client.put_object_retention(**where, Retention=sooner))
        plain, forced = where, {**where, "BypassGovernanceRetention": True}
        delete = all(is_refused(partial(self._client.delete_object, **asked)) for asked in (plain, forced))
        with words():
            try:
                still = self._client.get_object(**where)["Body"].read() == data
            except ClientError as problem:
                if code(problem) not in ABSENT:
                    raise
                still = False
        if not still:
            return Immutability(delete_refused=False, shorten_refused=shorten)
        with words():
            held = self._client.get_object_retention(**where)["Retention"]["RetainUntilDate"]
        # Words are not enough: the bytes and the date must stand as they were put.
        return Immutability(delete_refused=delete, shorten_refused=shorten and held >= until.replace(microsecond=0))

    def is_encrypted(self) -> bool:
        """Say whether the bucket encrypts what it keeps by itself, as far as the server tells."""
        try:
            with words():
                found = self._client.get_bucket_encryption(Bucket=self._bucket)
        except RadicaError:
            return False
        return bool(found.get("ServerSideEncryptionConfiguration", {}).get("Rules"))

    def _send(self, staged: Staged) -> bool:
        """Send one file; False when its bytes are there already."""
        until = _end_of(least_until(civil_date(self._clock())))
        with Opened(open_raw(staged.temporary), lambda _: self._key, staged.sha256) as body, words():
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._name(staged.sha256), Body=body, ContentLength=staged.bytes,
                    ChecksumSHA256=_base64(staged.sha256), IfNoneMatch="*",
                    ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until,
                )  # fmt: skip
            except ClientError as problem:
                if code(problem) not in TAKEN:
                    raise
            else:
                return True
        if int(self._version(staged.sha256)["ContentLength"]) != staged.bytes:
            raise Damaged
        return False

    def _version(self, sha256: str, *, get: bool = False) -> dict[str, Any]:
        """Ask for the version that holds the bytes of the address: the newest, else an older one. Raises NotFound."""
        ask = self._client.get_object if get else self._client.head_object
        where = {"Bucket": self._bucket, "Key": self._name(sha256), "ChecksumMode": "ENABLED"}
        with suppress(NotFound), words():
            found = self._asked(ask, where)
            if found.get("ChecksumSHA256") == _base64(sha256):
                return found
        with words():
            versions = list(self._versions(sha256))
        for version in versions:
            with suppress(NotFound), words():
                found = self._asked(ask, {**where, "VersionId": version})
                if found.get("ChecksumSHA256") == _base64(sha256):
                    return found
        raise NotFound(
            "Falta en el almacén un archivo que la base de datos nombra.",
            todo="Avise al administrador: debe revisarse la custodia.",
        )

    def _get(self, sha256: str) -> dict[str, Any]:
        return self._version(sha256, get=True)

    def _versions(self, sha256: str) -> Iterator[str]:
        name = self._name(sha256)
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=name)
        for page in pages:
            yield from (one["VersionId"] for one in page.get("Versions", []) if one["Key"] == name)

    @staticmethod
    def _asked(ask: Any, where: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = ask(**where)
        return found

    def _name(self, sha256: str) -> str:
        """Return the key of a blob: the one gate. Raises BadInput on anything but a hash."""
        if not HASH.fullmatch(sha256):
            raise BadInput("El identificador del archivo no es válido.", code="hash_invalido")
        return f"{self._prefix}{sha256[:2]}/{sha256}"


class _Stream(io.BufferedIOBase):
    """The bytes of an object as they come, hashed on the way: the end is reached only with the bytes of the address."""

    def __init__(self, body: Any, size: int, sha256: str) -> None:
        self._body, self._left, self._sha256, self._digest = body, size, sha256, hashlib.sha256()
        self.size = size

    def readable(self) -> bool:
        """It can be read, once and in order."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all when it is None or negative. Raises Unavailable."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if not wanted:
            return b""
        with words():
            piece: bytes = self._body.read(wanted)
        self._digest.update(piece)
        self._left -= len(piece)
        if len(piece) < wanted or (not self._left and self._digest.hexdigest() != self._sha256):
            raise Damaged
        return piece

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes."""
        return self.read(CHUNK if size < 0 else size)

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()
        super().close()


@lru_cache(maxsize=4)
def _client(settings: S3Settings) -> Any:
    """Return the client of these settings; making one costs tenths of a second, and threads may share it."""
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.key_id,
        aws_secret_access_key=settings.secret,
        config=Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=16,
            s3={"addressing_style": "path" if settings.endpoint else "auto"},
        ),
    )


def _end_of(day: date) -> datetime:
    """Return the first instant after a day in Bogotá."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=BOGOTA)


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
