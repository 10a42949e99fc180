"""Encryption of one blob at rest: AES-256-GCM in chunks whose order, end, length and address are all authenticated.

Layout of a sealed file: magic, id of the data key, random salt, tag, then the chunks, each with its own GCM tag. The
blob's key comes from data key and salt (HKDF-Expand: the data key is uniform already), so a nonce may count chunks;
its last byte marks the end. The tag is that of an empty GCM message over SHA-256 and length of the plain bytes: a file
cut, grown or put under another address is told when it is opened. Invariant: nothing is handed out that was not
authenticated. Norms: NIST SP 800-38D, RFC 5869 section 3.3.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from radica.kernel.errors import Unavailable

MAGIC = b"RC1\n"
KEY_BYTES = 32
ID_BYTES = 8
CHUNK = 1 << 18
"""Plain bytes of each chunk but the last."""
GCM_TAG = 16
_SALT = 32
_PREFIX = len(MAGIC) + ID_BYTES + _SALT
HEADER = _PREFIX + GCM_TAG
_INFO = b"radica custodia RC1"
_MIDDLE, _LAST, _ADDRESS = b"\x00", b"\x01", b"\x02"
"""Last byte of a nonce: what it is for."""

_OF_THREAD = threading.local()


class Damaged(Unavailable):
    """A sealed file is not what was written: cut, grown, changed, or under another address."""

    def __init__(self) -> None:
        super().__init__(
            "Un archivo guardado en custodia está alterado o incompleto; no se tocó.",
            todo="Avise al administrador: debe verificarse la custodia y recuperarse el archivo del respaldo.",
            code="custodia_alterada",
        )


@dataclass(frozen=True)
class DataKey:
    """A key from which those of many blobs are derived; `id` is 16 hex digits."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey({self.id})"


def sealed_size(plain: int) -> int:
    """Return the bytes on disk of `plain` bytes."""
    return HEADER + plain + GCM_TAG * max(1, -(-plain // CHUNK))


def plain_size(sealed: int) -> int:
    """Return the plain bytes of a sealed file of `sealed` bytes. Raises Damaged when no file has that length."""
    body = sealed - HEADER
    size = body - GCM_TAG * max(1, -(-body // (CHUNK + GCM_TAG)))
    if size < 0 or sealed_size(size) != sealed:
        raise Damaged
    return size


class Sealer:
    """Writes one sealed file to `handle`, an empty file open for writing; what is fed in is hashed on the way."""

    def __init__(self, handle: int, key: DataKey) -> None:
        self._handle = handle
        self._prefix = MAGIC + bytes.fromhex(key.id) + os.urandom(_SALT)
        self._box = _derive(key, self._prefix)
        self._number = 0

    def seal(self, source: BinaryIO, *, each: Callable[[int], None]) -> tuple[str, int]:
        """Write all of `source`; `each` is told the bytes so far. Returns SHA-256 and length of the plain bytes."""
        digest, size = hashlib.sha256(), 0
        whole, _ = _buffers()
        ahead = _whole_chunk(source)
        while True:
            chunk, ahead = ahead, _whole_chunk(source) if len(ahead) == CHUNK else b""
            size += len(chunk)
            each(size)
            digest.update(chunk)
            box = whole[HEADER : HEADER + len(chunk) + GCM_TAG]
            self._box.encrypt_into(_nonce(self._number, last=not ahead), chunk, self._prefix, box)
            if self._number == 0:  # the header goes with it in one write; of a longer file, filled when it ends
                whole[:HEADER] = bytes(HEADER) if ahead else self._header(digest.digest(), size)
                box = whole[: HEADER + len(box)]
            write_whole(self._handle, box)
            self._number += 1
            if not ahead:
                break
        if self._number > 1:
            _write_at(self._handle, self._header(digest.digest(), size), 0)
        return digest.hexdigest(), size

    def _header(self, digest: bytes, size: int) -> bytes:
        return self._prefix + _address_tag(self._box, self._prefix, digest, size)


class Opened(io.BufferedIOBase):
    """The plain bytes of a sealed file, from any place in it; a chunk is handed out only when it is authentic."""

    def __init__(self, source: io.FileIO, key_of: Callable[[str], DataKey], sha256: str) -> None:
        """Read the header. Raises Damaged, and Unavailable when the data key is not there; closes `source` then."""
        self._source = source
        try:
            self.size = plain_size(os.fstat(source.fileno()).st_size)
            header = source.read(HEADER)
            if len(header) != HEADER or header[: len(MAGIC)] != MAGIC:
                raise Damaged
            self._prefix = header[:_PREFIX]
            self._box = _derive(key_of(self._prefix[len(MAGIC) :][:ID_BYTES].hex()), self._prefix)
            if not hmac.compare_digest(
                header[_PREFIX:], _address_tag(self._box, self._prefix, bytes.fromhex(sha256), self.size)
            ):
                raise Damaged
            self._chunks = max(1, -(-self.size // CHUNK))
            self._at = 0
            self._held: tuple[int, bytes] = (-1, b"")
            if not self.size:
                self._chunk(0)  # nobody will ask for its bytes: its tag is looked at here
        except BaseException:
            source.close()
            raise

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from any place."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place; beyond the end reads nothing."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("negative place")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that follow when it is None or negative. Raises Damaged."""
        left = max(0, self.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted:
            number, skip = divmod(self._at, CHUNK)
            piece = self._chunk(number)[skip : skip + wanted]
            pieces.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one chunk still holds, up to `size` bytes."""
        return self.read(CHUNK if size < 0 else min(size, CHUNK))

    def digest(self) -> str:
        """Return the SHA-256 of all plain bytes, with few copies. Raises Damaged."""
        found = hashlib.sha256()
        into, out = _buffers()
        self._source.seek(HEADER)
        for number in range(self._chunks):
            length = self._length(number)
            if self._source.readinto(into[: length + GCM_TAG]) != length + GCM_TAG:
                raise Damaged
            try:
                nonce = _nonce(number, last=number == self._chunks - 1)
                self._box.decrypt_into(nonce, into[: length + GCM_TAG], self._prefix, out[:length])
            except InvalidTag:
                raise Damaged from None
            found.update(out[:length])
        return found.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()

    def _length(self, number: int) -> int:
        return min(CHUNK, self.size - number * CHUNK)

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._source.seek(HEADER + number * (CHUNK + GCM_TAG))
            sealed = self._source.read(self._length(number) + GCM_TAG)
            try:
                nonce = _nonce(number, last=number == self._chunks - 1)
                self._held = (number, self._box.decrypt(nonce, sealed, self._prefix))
            except InvalidTag:
                raise Damaged from None
        return self._held[1]


def measure_short(source: io.FileIO, key_of: Callable[[str], DataKey], sha256: str) -> tuple[str, int] | None:
    """Return SHA-256 and length of the plain bytes of a sealed file of one chunk; None, from its start, of a longer one.

    One read, one decryption, no object: a verification asks this fifty thousand times, and what Python does between
    the two cost half as much as they. Raises as `Opened`.
    """
    whole, plain = _buffers()
    got = os.readv(source.fileno(), [whole])
    size = got - HEADER - GCM_TAG
    if got == len(whole):
        source.seek(0)
        return None
    if size < 0 or whole[: len(MAGIC)] != MAGIC:
        raise Damaged
    prefix = bytes(whole[:_PREFIX])
    box = _derive(key_of(prefix[len(MAGIC) :][:ID_BYTES].hex()), prefix)
    address = bytes.fromhex(sha256)
    if not hmac.compare_digest(whole[_PREFIX:HEADER], _address_tag(box, prefix, address, size)):
        raise Damaged
    try:
        box.decrypt_into(_nonce(0, last=True), whole[HEADER:got], prefix, plain[:size])
    except InvalidTag:
        raise Damaged from None
    found = hashlib.sha256(plain[:size])
    if found.digest() != address:
        raise Damaged
    return sha256, size


def _derive(key: DataKey, prefix: bytes) -> AESGCM:
    """Return the cipher of the blob whose header begins with `prefix`: one block of HKDF-Expand over its salt."""
    return AESGCM(hmac.digest(key.secret, _INFO + prefix[-_SALT:] + b"\x01", "sha256"))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (_LAST if last else _MIDDLE)


def _address_tag(box: AESGCM, prefix: bytes, digest: bytes, size: int) -> bytes:
    return box.encrypt(bytes(11) + _ADDRESS, b"", prefix + digest + size.to_bytes(8, "big"))


def _buffers() -> tuple[memoryview, memoryview]:
    """Return two buffers of this thread: a file of one chunk and a byte more, and its plain bytes.

    Making them anew for each blob costs more than decrypting it.
    """
    if not hasattr(_OF_THREAD, "pair"):
        _OF_THREAD.pair = memoryview(bytearray(HEADER + CHUNK + GCM_TAG + 1)), memoryview(bytearray(CHUNK))
    pair: tuple[memoryview, memoryview] = _OF_THREAD.pair
    return pair


def _whole_chunk(source: BinaryIO) -> bytes:
    """Return the next CHUNK bytes, fewer only at the end: pipes and sockets give less at a time."""
    piece = source.read(CHUNK)
    if not piece or len(piece) == CHUNK:
        return piece
    pieces, size = [piece], len(piece)
    while size < CHUNK and (piece := source.read(CHUNK - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def write_whole(handle: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`: one call may take less."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _write_at(handle: int, data: bytes, place: int) -> None:
    while data:
        written = os.pwrite(handle, data, place)
        data, place = data[written:], place + written
