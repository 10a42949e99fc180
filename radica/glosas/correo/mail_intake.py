"""One mail on its way in: sealed with its arrival, recognised as a copy or as new, classified, its import ordered.

Invariant: the bytes are in custody before they are parsed; a mail is one per provider by its bytes, and by its
Message-ID when the content is the same too; one that breaks its reader is kept and listed with the reason; no file
is read or hashed while a transaction writes. Norm: Ley 527/1999 arts. 20-24 (time of receipt of a data message).
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.models import Pieza
from radica.custodia.services import Kept, record_blobs, seal
from radica.custodia.staging import DISK_FULL
from radica.custodia.store import Store, Stored
from radica.entidades.models import Prestador
from radica.facturas.archive import Entrada, Rechazo
from radica.facturas.texts import storable
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.correo.clasificar import clasificar, codigos_dentro, codigos_en
from radica.glosas.correo.imap import Cuenta, Llegado
from radica.glosas.correo.mail_models import ClaseCorreo, Correo
from radica.glosas.lectura.contenedor import es_cuerpo, expandir
from radica.glosas.lectura.correo import Mensaje, leer_eml
from radica.jobs.queue import enqueue
from radica.kernel.clock import Clock, bogota
from radica.kernel.db import Database
from radica.kernel.errors import NO_ROOM, NotFound, RadicaError, Unavailable
from radica.kernel.logs import describe
from radica.portales.credentials import Vault

KIND_IMPORT = "importar_correo"
IMPORTED = (ClaseCorreo.GLOSA, ClaseCorreo.DEVOLUCION, ClaseCorreo.DECISION)
"""Kinds whose attachments are loaded by themselves; the others wait in the list of mails for a person."""
ACTOR = "correo"
NAME = "correo.eml"

T = TypeVar("T")
log = logging.getLogger("radica.buzon")


@dataclass(frozen=True)
class Resumen:
    """What one reading of a mailbox did. `con_problema` are kept and listed, not read."""

    nuevos: int = 0
    repetidos: int = 0
    con_problema: int = 0
    por_importar: int = 0
    aviso: str | None = None


@dataclass(frozen=True)
class Manos:
    """What reading a mailbox needs: database, store, vault, clock and a folder for files under way."""

    db: Database
    store: Store
    vault: Vault
    clock: Clock
    workdir: Path


@dataclass(frozen=True)
class Caja:
    """A mailbox as read from its row."""

    id: int
    prestador_id: int
    cuenta: Cuenta
    uidvalidity: int | None
    ultimo_uid: int
    marcar: bool


@dataclass(frozen=True)
class Sobre:
    """A mail on its way in: where it lay, its bytes in the store, and what could be read of it."""

    uidvalidity: int
    mail: Llegado
    stored: Stored
    message: Mensaje | None
    problem: str | None


def guardar(hands: Manos, box: Caja, cover: Sobre) -> tuple[Correo, bool]:
    """Seal a mail under its row, or under the row of the mail that it is a copy of; say whether it is new."""
    compared: set[int] = set()
    twin: int | None = None
    at = hands.clock()
    while True:
        with hands.db.read() as session:
            waiting = [one for one in _namesakes(session, box.prestador_id, cover.message) if one[0] not in compared]
        own = huella(cover.message) if waiting and cover.message else ""
        # Files are read and hashed while no transaction is open.
        twin = twin or next((id_ for id_, sha in waiting if _says(hands, sha) == own), None)
        compared |= {id_ for id_, _ in waiting}
        with hands.db.write() as session:
            _take_turn(session, box.prestador_id)
            same = session.scalar(
                select(Correo).where(Correo.prestador_id == box.prestador_id, Correo.sha256 == cover.stored.sha256)
            )
            others = _namesakes(session, box.prestador_id, cover.message) if same is None and twin is None else []
            if any(id_ not in compared for id_, _ in others):
                continue  # another mailbox just brought one of this name
            known = same or (session.get_one(Correo, twin) if twin is not None else None)
            correo = known or _new(session, box, cover, at)
            if known is None or known.buzon_id != box.id or known.sha256 != cover.stored.sha256:
                _seal(session, box, cover, correo, at=at)
                if known is not None:
                    _note_copy(known, box, cover.mail, at)
        return correo, known is None


def _namesakes(session: Session, prestador_id: int, message: Mensaje | None) -> list[tuple[int, str]]:
    """Return the mails with this Message-ID. It alone is not believed: some senders give every mail the same."""
    if message is None or not message.message_id:
        return []
    rows = session.execute(
        select(Correo.id, Correo.sha256)
        .where(Correo.prestador_id == prestador_id, Correo.message_id == storable(message.message_id)[:300])
        .order_by(Correo.id)
        .limit(50)
    )
    return [(row.id, row.sha256) for row in rows]


def _says(hands: Manos, sha256: str) -> str | None:
    data = hands.store.read(sha256)
    message, _ = guardado(lambda: leer_eml(data))
    return huella(message) if message else None


def _take_turn(session: Session, prestador_id: int) -> None:
    """Two mailboxes of one provider that receive the same mail take turns at its row, so that one sees the other's."""
    session.execute(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update(key_share=True))


def guardado(act: Callable[[], T]) -> tuple[T | None, str | None]:
    """Do one step with one mail. Returns what it gave, or why it gave nothing: one mail never stops its mailbox."""
    try:
        return act(), None
    except Unreadable as problem:
        return None, f"{problem.message} {problem.todo}".strip()
    except RadicaError:
        raise
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise Unavailable(DISK_FULL, todo="Libere espacio: se lee solo.", code="disco_lleno") from exc
        raise
    except Exception as exc:  # noqa: BLE001 - one mail that breaks the reader is kept and listed, the rest goes on
        number = uuid.uuid4().hex[:8]
        log.error(  # noqa: TRY400 - its words may quote the mail
            "incidente %s al leer un correo: %s", number, describe(exc)
        )
        return None, f"No se pudo leer (incidente {number}); su original está en custodia."


def huella(message: Mensaje) -> str:
    """Return a digest of what a mail says, apart from the way it took (headers of transport differ in each box)."""
    digest = hashlib.sha256()
    for text in (message.asunto, message.texto, message.html):
        digest.update(f"{len(text)}:{' '.join(text.split())}\n".encode("utf-8", "replace"))
    for attached in message.adjuntos:
        inner = huella(attached.mensaje) if attached.mensaje else hashlib.sha256(attached.datos).hexdigest()
        digest.update(f"{attached.nombre}\x00{inner}\n".encode("utf-8", "replace"))
    return digest.hexdigest()


def _arrived(mail: Llegado, at: datetime) -> datetime:
    """Return the server's time of arrival; ours when it gives none, or one that has not come yet."""
    return mail.llegada if mail.llegada is not None and mail.llegada <= at else at


def _new(session: Session, box: Caja, cover: Sobre, at: datetime) -> Correo:
    message = cover.message
    record_blobs(session, [cover.stored], at=at)
    row = Correo(
        prestador_id=box.prestador_id,
        buzon_id=box.id,
        message_id=storable(message.message_id)[:300] if message else "",
        sha256=cover.stored.sha256,
        bytes=cover.stored.bytes,
        remitente=storable(message.remitente)[:320] if message else "",
        asunto=storable(message.asunto)[:500] if message else "",
        enviado_at=message.fecha if message else None,
        llegada_at=_arrived(cover.mail, at),
        leido_at=at,
        clase=ClaseCorreo.OTRO,
        razones=[],  # given by the classification: while empty, the mail is sealed and not looked at yet
        problema=cover.problem,
    )
    session.add(row)
    session.flush()
    return row


def _seal(session: Session, box: Caja, cover: Sobre, correo: Correo, *, at: datetime) -> None:
    """Seal the raw mail with where and when it arrived."""
    arrival = cover.mail.llegada
    note = (
        f"Buzón {box.cuenta.usuario} en {box.cuenta.servidor}, carpeta {box.cuenta.carpeta}, UIDVALIDITY "
        f"{cover.uidvalidity}, UID {cover.mail.uid}; llegada según el servidor: "
        f"{arrival.isoformat() if arrival else 'no la dice'}."
    )
    seal(
        session,
        [Kept(NAME, "correo", note, cover.stored)],
        prestador_id=box.prestador_id,
        case_key=caso(correo.id),
        group_key=f"buzon:{box.id}",
        origen="importacion",
        actor=ACTOR,
        at=at,
    )


def _note_copy(correo: Correo, box: Caja, mail: Llegado, at: datetime) -> None:
    """Say that the mail came to another box too; an earlier arrival there is for a person to weigh."""
    arrived = _arrived(mail, at)
    words = f"Llegó también al buzón {box.cuenta.usuario}/{box.cuenta.carpeta} el {bogota(arrived):%d/%m/%Y %H:%M}."
    if arrived < correo.llegada_at:
        words += " Es antes de la llegada que cuenta: compruebe desde qué día corre el término."
    if words not in correo.razones and correo.razones:
        correo.razones = [*correo.razones, words]


def clasificar_correo(
    hands: Manos, correo_id: int, data: bytes, message: Mensaje | None, problem: str | None, total: Resumen
) -> Resumen:
    """Say what the mail is and order its import; no transaction is open while its files are looked through."""
    if message is None:
        kind, reasons, refused = ClaseCorreo.OTRO, ["No se pudo abrir: véalo en custodia."], problem
    else:
        inside, refused = guardado(lambda: _contents(hands, data))
        names, codes, refusals = inside or ((), frozenset(), ())
        found = clasificar(message.asunto, names, codes)
        kind, reasons = found.clase, list(found.razones)
        refused = refused or " ".join(f"{one.name}: {one.reason} {one.todo}" for one in refusals)[:2000] or None
    with hands.db.write() as session:
        row = session.get_one(Correo, correo_id)
        row.clase, row.problema = kind, refused and storable(refused)
        row.razones = [storable(one) for one in (*reasons, *row.razones)]
        if kind in IMPORTED:
            pedir_importacion(session, row)
    return replace(
        total,
        con_problema=total.con_problema + (refused is not None),
        por_importar=total.por_importar + (kind in IMPORTED),
    )


def pedir_importacion(session: Session, correo: Correo) -> int:
    """Order the import of a mail's lines; while one is under way no second is made. Returns the job's id."""
    return enqueue(
        session,
        KIND_IMPORT,
        payload={"correo_id": correo.id},
        prestador_id=correo.prestador_id,
        subject=caso(correo.id),
        dedup=f"{KIND_IMPORT}:{correo.id}",
    )


def reclasificar(session: Session, correo: Correo, clase: ClaseCorreo, *, actor: str) -> None:
    """Follow a person who says what a mail is; what is a notice is imported, also when it failed before."""
    if clase is not correo.clase:
        correo.razones = [*correo.razones, f"{actor} dijo que es {clase.value} y no {correo.clase.value}."]
        correo.clase = clase
    if clase in IMPORTED:
        pedir_importacion(session, correo)


def _contents(hands: Manos, data: bytes) -> tuple[Sequence[str], AbstractSet[str], Sequence[Rechazo]]:
    """Return the names inside a mail, the codes found in its words and files, and what was refused."""
    names: list[str] = []
    codes: set[str] = set()
    refused: list[Rechazo] = []
    with TemporaryDirectory(prefix="correo-", dir=hands.workdir) as folder:
        path = Path(folder) / NAME
        path.write_bytes(data)
        inner = Path(folder) / "dentro"
        inner.mkdir()
        for one in expandir(path, NAME, carpeta=inner):
            if isinstance(one, Entrada):
                if es_cuerpo(one.name):
                    codes |= codigos_en(one.path.read_text("utf-8", "replace"))
                else:
                    names.append(one.name)
                    codes |= codigos_dentro(one.path, one.name)
            elif one.code != "decorativo":
                names.append(one.name)
                refused.append(one)
    return names, codes, refused


def pieza_de(session: Session, correo: Correo) -> Pieza:
    """Return the sealed raw mail. Raises NotFound when there is none, which would be a defect."""
    found = session.scalar(
        select(Pieza)
        .where(Pieza.prestador_id == correo.prestador_id, Pieza.case_key == caso(correo.id), Pieza.clase == "correo")
        .order_by(Pieza.id)
        .limit(1)
    )
    if found is None:
        raise NotFound("El correo no tiene su original en custodia.")
    return found


def caso(correo_id: int) -> str:
    """Return the case to which a mail's evidence belongs."""
    return f"correo:{correo_id}"
