"""Bags: a dossier as a BagIt 1.0 folder and ZIP, with its verifier, its LEEME and its proofs.

Invariant: same plan, same bytes: names sorted, times fixed to the cut-off day, nothing of this machine; each file is
hashed while it is written and, where its hash is known, refused when it differs. Names are plain ASCII that every
system keeps as they are. What the sealed leaf covers (`SEALED`) is complete before the proofs are added; only
`sellos/` and the tag manifests come after it. Norms: RFC 8493, Ley 527/1999 arts. 9 and 12.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from radica import __version__
from radica.kernel.errors import NO_ROOM, Unavailable
from radica.prejuridico.pruebas import HojaProbada, Pruebas, SelloProbado, TokenProbado

VERIFIER = Path(__file__).parent / "verificador" / "verificar.py"
LEEME = Path(__file__).parent / "verificador" / "LEEME.txt"
HISTORIA = "data/11_integridad/historia.json"
"""Where the verifier looks for the links of the chains."""
SEALED = ("LEEME.txt", "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt", "verificar.py")
"""What the leaf of a dossier covers, in the order of its canonical listing."""
CHUNK = 1 << 20
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_NAME = re.compile(r"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:\.|/|$))[A-Za-z0-9_][A-Za-z0-9_.-]*(?<!\.)")
_LABEL = re.compile(r"[A-Z][A-Za-z0-9-]*")
_RESERVED = {"Bagging-Date", "Payload-Oxum", "Bag-Software-Agent"}
MAX_PATH = 200

Source = bytes | Path | Callable[[], BinaryIO]
"""Bytes, a file, or what opens a stream (`lambda: store.open(sha256)`)."""


@dataclass(frozen=True)
class BagFile:
    """A file of the payload. `path` begins with `data/`; `sha256`, when given, must be that of what is read."""

    path: str
    source: Source
    sha256: str | None = None


@dataclass(frozen=True)
class BagPlan:
    """What goes into a bag. `info` are further fields of bag-info.txt; `corte` dates every file in it."""

    files: Sequence[BagFile]
    corte: date
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bag:
    """A bag on disk. `manifiesto` is what its leaf says (SHA-256, hex); `bytes` and `files` are of its payload."""

    folder: Path
    corte: date
    manifiesto: str
    files: int
    bytes: int


@dataclass(frozen=True)
class _Written:
    sha256: str
    sha512: str
    bytes: int


def write_bag(target: Path, plan: BagPlan, *, progress: Callable[[int, int], None] | None = None) -> Bag:
    """Write everything that the leaf covers into `target`, a folder that must not exist yet.

    `progress` is told how many files are written, and of how many. Raises ValueError on a name or field that no bag
    may have, Unavailable when a file is not what its hash says or the disk is full; then the folder is removed.
    """
    check_names([one.path for one in plan.files])
    info = _info(plan.info)
    with _disk_errors():
        target.mkdir(parents=True)
    try:
        with _disk_errors():
            written: dict[str, _Written] = {}
            for number, one in enumerate(sorted(plan.files, key=lambda one: one.path), 1):
                written[one.path] = _write(target / one.path, one.source, expected=one.sha256)
                if progress:
                    progress(number, len(plan.files))
            size = sum(one.bytes for one in written.values())
            info += f"Bag-Software-Agent: radica {__version__}\nBagging-Date: {plan.corte.isoformat()}\n"
            info += f"Payload-Oxum: {size}.{len(written)}\n"
            tags: dict[str, Source] = {
                "bagit.txt": _DECLARATION,
                "bag-info.txt": info.encode("utf-8"),
                "verificar.py": VERIFIER,
                "LEEME.txt": LEEME,
                "manifest-sha256.txt": listing((name, one.sha256) for name, one in written.items()),
                "manifest-sha512.txt": listing((name, one.sha512) for name, one in written.items()),
            }
            sealed = [(name, _write(target / name, tags[name]).sha256) for name in SEALED]
            _fix_times(target, plan.corte)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return Bag(target, plan.corte, hashlib.sha256(listing(sealed)).hexdigest(), len(written), size)


def add_proofs(bag: Bag, proofs: Pruebas) -> None:
    """Write `sellos/` and the tag manifests. Raises ValueError when the proofs are of other manifests or no proofs."""
    if not proofs.hojas or (proofs.hojas[0].tipo, proofs.hojas[0].hash) != ("manifiesto", bag.manifiesto):
        raise ValueError("the first leaf must be that of this bag's manifests")
    with _disk_errors():
        for name, content in proof_files(proofs).items():
            _write(bag.folder / name, content)
        tags = sorted(one for one in _files_of(bag.folder) if not one.startswith(("data/", "tagmanifest-")))
        hashes = {name: _hash_of(bag.folder / name) for name in tags}
        _write(bag.folder / "tagmanifest-sha256.txt", listing((name, one.sha256) for name, one in hashes.items()))
        _write(bag.folder / "tagmanifest-sha512.txt", listing((name, one.sha512) for name, one in hashes.items()))
        _fix_times(bag.folder, bag.corte)


def proof_files(proofs: Pruebas) -> dict[str, bytes]:
    """Return the files of `sellos/` by name. Heads are numbered newest first; an authority has its two files once."""
    files: dict[str, bytes] = {}
    authorities: dict[bytes, dict[str, str]] = {}
    seals = [_seal_entry(number, one, files, authorities) for number, one in enumerate(proofs.sellos, 1)]
    body = {"formato": "radica-prueba/1", "hojas": [_leaf_entry(one) for one in proofs.hojas], "sellos": seals}
    files["sellos/prueba.json"] = (json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    return files


def _leaf_entry(leaf: HojaProbada) -> dict[str, Any]:
    return {**asdict(leaf), "ruta": list(leaf.ruta)}


def _seal_entry(
    number: int, seal: SelloProbado, files: dict[str, bytes], authorities: dict[bytes, dict[str, str]]
) -> dict[str, Any]:
    line = f"sellos/sello-{number}.txt"
    files[line] = seal.linea
    tokens = []
    for place, token in enumerate(seal.tokens, 1):
        name = f"sellos/sello-{number}-{place}.tsr"
        files[name] = token.der
        root, others = _certificates(token)
        if root + others not in authorities:
            which = f"sellos/autoridad-{len(authorities) + 1}"
            authorities[root + others] = {"raiz": f"{which}.raiz.pem", "cadena": f"{which}.cadena.pem"}
            files |= {f"{which}.raiz.pem": root, f"{which}.cadena.pem": others}
        paths = authorities[root + others]
        tokens.append({"archivo": name, "tsa": token.tsa, "acreditada": token.acreditada, **paths})
    return {"hojas": seal.hojas, "raiz": seal.raiz, "linea": line, "tokens": tokens}


def _certificates(token: TokenProbado) -> tuple[bytes, bytes]:
    """Return the authority's root and its other certificates as PEM: the chain that was kept, and what the token has.

    Every certificate of the token is told beside it, so that the verifier sees one that somebody slipped in.
    """
    *chain, root = x509.load_pem_x509_certificates(token.cadena_pem.encode())
    inside = cms.ContentInfo.load(token.der)["content"]["certificates"]
    brought = [x509.load_der_x509_certificate(one.chosen.dump()) for one in inside]
    brought.sort(key=lambda one: one.public_bytes(Encoding.DER))
    others = [one for one in dict.fromkeys([*chain, *brought]) if one != root] or [root]
    return root.public_bytes(Encoding.PEM), b"".join(one.public_bytes(Encoding.PEM) for one in others)


def listing(hashes: Iterable[tuple[str, str]]) -> bytes:
    """Return a manifest: what `sha256sum` prints for these names, sorted by name."""
    return "".join(f"{one}  {name}\n" for name, one in sorted(hashes)).encode("ascii")


def zip_bag(folder: Path, out: Path, *, fecha: date) -> Path:
    """Write the bag as a ZIP with its folder inside: sorted, stored, dated `fecha`; `out` must not exist yet.

    Stored, not deflated: the bytes of a deflate depend on the library of the machine. Raises Unavailable when the
    disk is full; then nothing is left.
    """
    moment = (max(fecha.year, 1980), fecha.month, fecha.day, 0, 0, 0)
    try:
        with _disk_errors(), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as packed:
            for name in sorted(_files_of(folder)):
                entry = zipfile.ZipInfo(f"{folder.name}/{name}", moment)
                entry.create_system, entry.external_attr = 3, 0o100644 << 16
                entry.file_size = (folder / name).stat().st_size
                with (folder / name).open("rb") as source, packed.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, CHUNK)
    except FileExistsError:
        raise
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return out


def check_names(paths: Sequence[str]) -> None:
    """Raise ValueError when a path is not one that every system keeps as it is, or two differ only in capitals."""
    for path in paths:
        parts = path.split("/")
        if parts[0] != "data" or len(parts) < 2 or len(path) > MAX_PATH or not all(map(_NAME.fullmatch, parts)):
            raise ValueError(f"no name for a file of a bag: {path!r}")
    if len({path.casefold() for path in paths}) != len(paths):
        raise ValueError("two files of a bag have one name")


def _info(fields: Mapping[str, str]) -> str:
    for label, value in fields.items():
        if not _LABEL.fullmatch(label) or label in _RESERVED or not value or not value.isprintable():
            raise ValueError(f"no field for bag-info.txt: {label!r}")
    return "".join(f"{label}: {value.strip()}\n" for label, value in fields.items())


def _write(path: Path, source: Source, *, expected: str | None = None) -> _Written:
    path.parent.mkdir(parents=True, exist_ok=True)
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    with _opened(source) as stream, path.open("xb") as out:
        while chunk := stream.read(CHUNK):
            sha256.update(chunk)
            sha512.update(chunk)
            size += out.write(chunk)
    if expected is not None and sha256.hexdigest() != expected:
        raise Unavailable(
            "Un documento del expediente no es el que entró a custodia; el expediente no se hizo.",
            todo="No borre nada y ejecute: radica custodia verificar",
            code="custodia_alterada",
        )
    return _Written(sha256.hexdigest(), sha512.hexdigest(), size)


def _opened(source: Source) -> BinaryIO:
    if isinstance(source, bytes):
        return BytesIO(source)
    return source.open("rb") if isinstance(source, Path) else source()


def _hash_of(path: Path) -> _Written:
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            sha256.update(chunk)
            sha512.update(chunk)
            size += len(chunk)
    return _Written(sha256.hexdigest(), sha512.hexdigest(), size)


def _files_of(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _fix_times(folder: Path, day: date) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (moment, moment))


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Unavailable(
                "El disco está lleno; el expediente no se hizo y lo anterior está intacto.",
                todo="Libere espacio y vuelva a intentarlo.",
                code="disco_lleno",
            ) from error
        raise
