"""Loads a payer's file: custody first, then read, matched and stored in batches; again without harm.

Invariant: no transaction holds a file, reading or matching; each batch commits by itself, so that filings never wait
behind an import; an import that was cut off (`terminada_at` null) is finished by importing the file again, and two at
once make one. Nothing read is dropped: each row of the file is a line with its fate. Norms: Res. 2284/2023 art. 6
and Anexo 3; Ley 527/1999 art. 12 (what arrived is kept as it arrived).
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from radica.custodia.services import Kept, record_blobs, seal
from radica.custodia.store import Store, Stored
from radica.entidades.models import Pagador
from radica.facturas.numbers import parse_nit
from radica.facturas.texts import base_name, storable
from radica.glosas.batches import Corrida, Guardadas, key_of, read_batch, tray_row, unread_rows, whole_groups
from radica.glosas.fates import DONE, Aviso, settle_first
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.glosas.respuesta.templates_store import sembrar
from radica.glosas.storing import Turno, active_rules, store_lines, take_turn, waiting_marks
from radica.kernel.clock import Clock, bogota, civil_date
from radica.kernel.db import Database, insert_rows
from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop, plain

BATCH = 1_000
"""Lines of one transaction: a third of a second of SQLite's only writer."""
MAX_BYTES = 512 * 1024 * 1024
UNREAD = "archivo_sin_leer"
TOTAL = "total_distinto"

Progress = Callable[[int, int], None]
"""Called after each batch with lines done and lines read."""


@dataclass(frozen=True)
class ResumenNotificacion:
    """What became of one notice. Counts are of its lines; `ya_estaba`: this import found it loaded and did nothing.

    Totals in centavos.
    """

    notificacion_id: int
    archivo: str
    formato: str
    ya_estaba: bool
    nuevas: int
    repetidas: int
    aplicadas: int
    sin_cruzar: int
    por_decidir: int
    no_leidas: int
    total_leido: int
    total_declarado: int | None
    avisos: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Say whether no line waits for a person."""
        return not (self.sin_cruzar or self.por_decidir or self.no_leidas)


@dataclass(frozen=True)
class ResumenImportacion:
    """What an import did: one summary per notice, in the order of the file."""

    sha256: str
    notificaciones: tuple[ResumenNotificacion, ...]

    @property
    def clean(self) -> bool:
        """Say whether everything was loaded and nothing waits for a person."""
        return all(one.clean for one in self.notificaciones)

    def as_json(self) -> dict[str, Any]:
        """Return the document that the CLI prints; money as text with two decimals."""
        notices = []
        for one in self.notificaciones:
            row = asdict(one) | {"avisos": list(one.avisos), "total_leido": plain(one.total_leido)}
            row["total_declarado"] = None if one.total_declarado is None else plain(one.total_declarado)
            notices.append(row)
        return {"sha256": self.sha256, "notificaciones": notices}


@dataclass(frozen=True)
class _Encargo:
    """What an import was asked: whose file, how it came, and the hands it works with."""

    db: Database
    store: Store
    nombre: str
    prestador_id: int
    origen: str
    recibida_at: datetime | None
    correo_id: int | None
    actor: str
    clock: Clock


def importar(
    database: Database,
    store: Store,
    ruta: Path,
    *,
    nombre: str,
    prestador_id: int,
    pagador_nit: str | None,
    origen: str,
    recibida_at: datetime | None,
    correo_id: int | None = None,
    actor: str,
    clock: Clock,
    workdir: Path,
    progress: Progress | None = None,
) -> ResumenImportacion:
    """Load one file (table, letter, mail or ZIP of them) for a provider.

    `origen`: archivo, correo, portal, mano. `recibida_at` is when it truly arrived (of the mail, or as a person
    states it); None leaves it to the file's own column. `workdir` must exist; reading takes its own temporary folder.
    Raises BadInput (payer unknown, arrival in the future, file too large) before anything is stored, Unavailable when
    disk or database give up: importing again goes on from there.
    """
    chosen = _check(database, pagador_nit, recibida_at, clock)
    if not workdir.is_dir():
        raise BadInput("Falta la carpeta de trabajo.", code="sin_carpeta")
    task = _Encargo(
        database, store, storable(base_name(nombre))[:300], prestador_id, origen, recibida_at, correo_id, actor, clock
    )
    stored = store.put_file(ruta, limit=MAX_BYTES)
    known = _finished(task, stored.sha256)
    if known is not None:
        return known
    readings = leer_archivo(ruta, nombre=task.nombre, pagador_nit=chosen, hoy=civil_date(clock()))
    notices = _open_notices(task, stored, readings)
    total, done = sum(len(one.lineas) for one in readings), 0
    run = Corrida(database, store, prestador_id)
    summaries = []
    with _settled_memory():
        for notice, reading in zip(notices, readings, strict=True):
            summaries.append(_store(task, run, notice, reading, _teller(progress, done, total)))
            done += len(reading.lineas)
    return ResumenImportacion(stored.sha256, tuple(summaries))


@contextmanager
def _settled_memory() -> Iterator[None]:
    """Keep the collector from walking through all that was read, over and over, while it is being stored."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _teller(progress: Progress | None, base: int, total: int) -> Callable[[int], None]:
    """Return what tells how many lines of one notice are done, on top of those of the notices before."""
    return lambda done: progress(base + done, total) if progress is not None else None


def _check(db: Database, pagador_nit: str | None, recibida_at: datetime | None, clock: Clock) -> str | None:
    """Refuse what would have to be undone by hand; return the payer's NIT as the house keeps it."""
    if recibida_at is not None and recibida_at > clock():
        raise BadInput(
            f"La fecha de recibo ({bogota(recibida_at):%d/%m/%Y %H:%M}) es futura; no se cargó nada.",
            todo="Escriba cuándo llegó de verdad.",
            code="fecha_futura",
        )
    if not pagador_nit:
        return None
    nit = parse_nit(pagador_nit)
    with db.read() as session:
        known = nit is not None and session.scalar(select(Pagador.id).where(Pagador.nit == nit.number)) is not None
    if nit is None or not known:
        raise BadInput(
            "Ningún pagador tiene ese NIT; no se cargó nada.",
            todo="Escriba el NIT del pagador que objeta, o no indique ninguno.",
            code="pagador_desconocido",
        )
    return nit.number


def _finished(task: _Encargo, sha256: str) -> ResumenImportacion | None:
    """Return what stands of a file that was loaded to its end, or None when there is something to do."""
    with task.db.read() as session:
        rows = list(
            session.scalars(
                select(Notificacion)
                .where(Notificacion.prestador_id == task.prestador_id, Notificacion.sha256 == sha256)
                .order_by(Notificacion.id)
            )
        )
        # What no layout knew is read again: another version may know it.
        if not rows or any(one.terminada_at is None or not one.formato for one in rows):
            return None
        return ResumenImportacion(sha256, tuple(_summary(session, one, again=True) for one in rows))


def _open_notices(task: _Encargo, stored: Stored, readings: Sequence[Lectura]) -> list[Aviso]:
    """Write a notice for each reading in one transaction, and seal the file as its evidence; again finds them.

    A provider's first file also brings it the starter templates, with which its lines will be answered.
    """
    at = task.clock()
    source = "correo" if task.correo_id is not None or task.origen == "correo" else ""
    source = source or ("persona" if task.recibida_at is not None else "archivo")
    with task.db.write(durable=True) as session:
        record_blobs(session, [stored], at=at)
        sembrar(session, prestador_id=task.prestador_id, actor=task.actor, at=at)
        nits = {one.pagador_nit for one in readings if one.pagador_nit}
        payers = dict(session.execute(select(Pagador.nit, Pagador.id).where(Pagador.nit.in_(nits))).all())
        found = []
        for part, reading in zip(_parts(task.nombre, readings), readings, strict=True):
            row = {
                "prestador_id": task.prestador_id, "pagador_id": payers.get(reading.pagador_nit or ""),
                "origen": task.origen, "formato": reading.formato[:40], "confianza": reading.confianza,
                "nombre": task.nombre, "parte": part, "sha256": stored.sha256, "correo_id": task.correo_id,
                "recibida_at": task.recibida_at or at, "recibida_segun": source, "cargada_at": at,
                "cargada_por": task.actor, "total_leido": reading.total_leido,
                "total_declarado": reading.total_declarado, "lineas": 0, "nuevas": 0, "repetidas": 0,
                "sin_cruzar": 0, "no_leidas": 0, "avisos": list(reading.avisos),
            }  # fmt: skip
            insert_rows(session, Notificacion, [row], again=True)
            notice = session.scalars(
                select(Notificacion).where(
                    Notificacion.prestador_id == task.prestador_id,
                    Notificacion.sha256 == stored.sha256,
                    Notificacion.parte == part,
                )
            ).one()
            if not notice.formato and reading.formato:
                _read_at_last(session, notice, reading, payers.get(reading.pagador_nit or ""), task.actor, at)
            seal(
                session, [Kept(task.nombre, "notificacion", part, stored)], prestador_id=task.prestador_id,
                case_key=f"notificacion:{notice.id}", group_key="", origen="importacion", actor=task.actor, at=at,
            )  # fmt: skip
            found.append(_aviso(notice))
    return found


def _read_at_last(
    session: Session, notice: Notificacion, reading: Lectura, payer: int | None, actor: str, at: datetime
) -> None:
    """Open again a notice that no layout knew when it came, and take its row out of the tray."""
    notice.formato, notice.confianza, notice.avisos = reading.formato[:40], reading.confianza, list(reading.avisos)
    notice.total_leido, notice.total_declarado = reading.total_leido, reading.total_declarado
    notice.pagador_id, notice.terminada_at = notice.pagador_id or payer, None
    session.flush()
    stale = update(LineaNotificada).where(LineaNotificada.notificacion_id == notice.id, LineaNotificada.razon == UNREAD)
    values = {"destino": DestinoLinea.DESCARTADA, "resuelta_at": at, "resuelta_por": actor}
    session.execute(stale.values(values).execution_options(synchronize_session=False))


def _parts(nombre: str, readings: Sequence[Lectura]) -> list[str]:
    """Name each reading by its place inside the file, so that the same bytes under another name are the same notice."""
    parts: list[str] = []
    for one in readings:
        inner = one.archivo.removeprefix(nombre).lstrip("/") if one.archivo.startswith(nombre) else one.archivo
        part = storable(inner)[-300:]
        while part in parts:
            part = f"{part[-290:]}+"
        parts.append(part)
    return parts


def _aviso(row: Notificacion) -> Aviso:
    return Aviso(row.id, row.prestador_id, row.pagador_id, row.sha256, row.recibida_at, row.recibida_segun)


def _store(
    task: _Encargo, run: Corrida, notice: Aviso, reading: Lectura, tell: Callable[[int], None]
) -> ResumenNotificacion:
    """Store the lines of one notice that are not stored yet, and close it."""
    with task.db.read() as session:
        rules = active_rules(session, task.prestador_id)
        row = session.get_one(Notificacion, notice.id)
        if row.terminada_at is not None:
            return _summary(session, row, again=True)
        waiting = waiting_marks(session, task.prestador_id, besides=notice.id)
    stored, done = Guardadas(notice.id), 0
    for part in whole_groups(reading.lineas, BATCH):
        at = task.clock()
        lines = read_batch(run, notice, part)
        for line in lines:
            settle_first(line, notice, civil_date(at))
        keys = [key_of(line.leida.hoja, line.leida.fila) for line in lines]
        with task.db.write() as session:
            take_turn(session, notice.prestador_id)
            left = stored.left(session, keys)
            if left:
                fresh = [lines[index] for index in left]
                fates = store_lines(
                    session, notice, fresh, rules, Turno(task.actor, at), own=stored.own, waiting=waiting
                )
                count(session, notice.id, fates)
        stored.mine([keys[index] for index in left])
        done += len(part)
        tell(done)
    return _close(task, notice, reading, stored)


def count(session: Session, notificacion_id: int, fates: Counter[DestinoLinea]) -> None:
    """Add to the figures of a notice."""
    columns = {
        "nuevas": DestinoLinea.CARGADA,
        "repetidas": DestinoLinea.REPETIDA,
        "sin_cruzar": DestinoLinea.SIN_CRUZAR,
        "no_leidas": DestinoLinea.NO_LEIDA,
    }
    values: dict[str, Any] = {name: getattr(Notificacion, name) + fates[fate] for name, fate in columns.items()}
    values["lineas"] = Notificacion.lineas + sum(fates.values())
    query = update(Notificacion).where(Notificacion.id == notificacion_id).values(values)
    session.execute(query.execution_options(synchronize_session=False))


def _close(task: _Encargo, notice: Aviso, reading: Lectura, stored: Guardadas) -> ResumenNotificacion:
    """Put what was not read and a total that does not match in the tray, and say that the notice is whole."""
    rows = [*unread_rows(notice, reading.no_leidas), *_whole_file(notice, reading)]
    for start in range(0, len(rows) + 1, BATCH):
        part = rows[start : start + BATCH]
        keys = [key_of(row["hoja"], row["fila"]) for row in part]
        with task.db.write() as session:
            take_turn(session, notice.prestador_id)
            left = stored.left(session, keys)
            insert_rows(session, LineaNotificada, [part[index] for index in left])
            count(session, notice.id, Counter(part[index]["destino"] for index in left))
            if start + BATCH > len(rows):
                last = session.get_one(Notificacion, notice.id)
                last.terminada_at = last.terminada_at or task.clock()
        stored.mine([keys[index] for index in left])
    with task.db.read() as session:
        return _summary(session, session.get_one(Notificacion, notice.id), again=False)


def _whole_file(notice: Aviso, reading: Lectura) -> list[dict[str, Any]]:
    """Return the row that speaks of the file as a whole: nothing could be read, or its own total is another."""
    if not reading.formato and not reading.lineas and not reading.no_leidas:
        why = " ".join(reading.avisos) or "El archivo no se reconoció como notificación de ningún pagador."
        return [tray_row(notice, "", 0, UNREAD, why)]
    said = reading.total_declarado
    if said is None or said == reading.total_leido:
        return []
    why = (
        f"El archivo dice sumar {format_cop(said)} y lo leído suma {format_cop(reading.total_leido)}: "
        "revise si faltan filas o si un valor se leyó mal."
    )
    difference = abs(said - reading.total_leido)
    return [tray_row(notice, "", 0, TOTAL, why, destino=DestinoLinea.POR_DECIDIR, valor=difference)]


def _summary(session: Session, row: Notificacion, *, again: bool) -> ResumenNotificacion:
    """Return what became of a notice; of one that was there before, only what still waits for a person."""
    query = select(LineaNotificada.destino, func.count()).where(LineaNotificada.notificacion_id == row.id)
    fates = dict(session.execute(query.group_by(LineaNotificada.destino)).all())

    def of(fate: DestinoLinea) -> int:
        return int(fates.get(fate, 0))

    said = list(row.avisos)
    if again:
        said.insert(0, f"Ya estaba cargado desde el {bogota(row.cargada_at):%d/%m/%Y %H:%M}; no se cambió nada.")
    return ResumenNotificacion(
        notificacion_id=row.id,
        archivo=f"{row.nombre}/{row.parte}" if row.parte and not row.parte.startswith("#") else row.nombre + row.parte,
        formato=row.formato,
        ya_estaba=again,
        nuevas=0 if again else of(DestinoLinea.CARGADA),
        repetidas=sum(map(of, DONE)) if again else of(DestinoLinea.REPETIDA),
        aplicadas=0 if again else of(DestinoLinea.APLICADA),
        sin_cruzar=of(DestinoLinea.SIN_CRUZAR),
        por_decidir=of(DestinoLinea.POR_DECIDIR),
        no_leidas=of(DestinoLinea.NO_LEIDA),
        total_leido=row.total_leido,
        total_declarado=row.total_declarado,
        avisos=tuple(said),
    )
