"""Seal pieces of evidence and open them again, with the reading logged first.

Invariant: bytes reach the store before the row that names them, hashing never happens inside a transaction, and a
piece is found only through its provider. What a bot wrote is untrusted: name, size and kind are checked here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.custodia.models import Blob, Pieza
from radica.custodia.store import Store, Stored
from radica.kernel.db import insert_rows

MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".xml": "application/xml",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".html": "text/html",
    ".mhtml": "multipart/related",
    ".txt": "text/plain",
    ".eml": "message/rfc822",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class Candidate:
    """A file to seal: `path` for files of a bot's folder, with the kind (`clase`) and a note."""

    path: Path
    nombre: str
    clase: str
    nota: str = ""


@dataclass(frozen=True)
class Kept:
    """A candidate whose bytes are in the store."""

    nombre: str
    clase: str
    nota: str
    stored: Stored


def keep_files(store: Store, candidates: Sequence[Candidate], *, folder: Path) -> tuple[list[Kept], list[str]]:
    """Bring the bytes of untrusted files into the store; call it outside any transaction.

    Only regular files directly inside `folder` with a plain name are taken. Returns what was kept and the names
    refused, which the caller records (nothing is silently dropped).
    """
    kept, refused = [], []
    for candidate in candidates:
        inside = candidate.path.parent.resolve() == folder.resolve() and not candidate.path.is_symlink()
        if not (inside and _SAFE_NAME.fullmatch(candidate.nombre) and candidate.path.is_file()):
            refused.append(candidate.nombre[:120])
            continue
        if candidate.path.stat().st_size > MAX_EVIDENCE_BYTES:
            refused.append(candidate.nombre[:120])
            continue
        stored = store.put_file(candidate.path, limit=MAX_EVIDENCE_BYTES)
        kept.append(Kept(candidate.nombre, candidate.clase, candidate.nota, stored))
    return kept, refused


def record_blobs(session: Session, stored: Sequence[Stored], *, at: datetime) -> None:
    """Name stored bytes in the database; again is harmless."""
    rows = [{"sha256": item.sha256, "bytes": item.bytes, "stored_at": at} for item in stored]
    unique = list({row["sha256"]: row for row in rows}.values())
    insert_rows(session, Blob, unique, again=True)


def seal(
    session: Session,
    kept: Sequence[Kept],
    *,
    prestador_id: int,
    case_key: str,
    group_key: str,
    origen: str,
    actor: str,
    at: datetime,
) -> list[Pieza]:
    """Add a piece per kept file to the case; the same file of the same group again returns the piece it has."""
    record_blobs(session, [item.stored for item in kept], at=at)
    pieces = []
    for item in kept:
        found = session.scalar(
            select(Pieza).where(
                Pieza.case_key == case_key,
                Pieza.group_key == group_key,
                Pieza.nombre == item.nombre,
                Pieza.sha256 == item.stored.sha256,
            )
        )
        if found is None:
            found = Pieza(
                prestador_id=prestador_id,
                case_key=case_key,
                group_key=group_key,
                sha256=item.stored.sha256,
                bytes=item.stored.bytes,
                nombre=item.nombre,
                clase=item.clase,
                media_type=media_type(item.nombre),
                origen=origen,
                nota=item.nota,
                sellada_at=at,
                sellada_por=actor,
            )
            session.add(found)
        pieces.append(found)
    session.flush()
    return pieces


def media_type(name: str) -> str:
    """Return the media type that a file's name promises; downloads are always sent as attachments."""
    return MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


def pieces_of(session: Session, *, prestador_id: int, case_keys: Sequence[str]) -> list[Pieza]:
    """Return the pieces of some cases of one provider, in the order of their sealing."""
    rows = session.scalars(
        select(Pieza)
        .where(Pieza.prestador_id == prestador_id, Pieza.case_key.in_(case_keys))
        .order_by(Pieza.sellada_at, Pieza.id)
    )
    return list(rows)


def log_opening(
    session: Session,
    *,
    prestador_id: int,
    object_: str,
    sha256: str,
    actor: str,
    action: str,
    purpose: str,
    at: datetime,
    case_key: str | None = None,
) -> None:
    """Write that a person opens a piece or document; commit before the first byte leaves (Ley 1581/2012 art. 17)."""
    record_reading(
        session,
        prestador_id=prestador_id,
        actor=actor,
        action=action,
        purpose=purpose,
        object_=object_,
        sha256=sha256,
        at=at,
        case_key=case_key,
    )
