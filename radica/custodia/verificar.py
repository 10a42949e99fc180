"""Verifications: start one, run it through its stages, take up one that was cut, and read what it found.

Invariant: a verification never deletes nor mends; what a step found, what it counted and how far it came are written
in one transaction, so that a process that is killed repeats one step and loses none. Two processes on one verification
do not write over each other: who moved the cursor last goes on, the other stops. Norms: Ley 527/1999 arts. 9 and 12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from radica.audit.models import ChainHead
from radica.custodia import verificar_arbol, verificar_blobs, verificar_cadenas, verificar_hechos, verificar_tokens
from radica.custodia.check_models import EstadoVerificacion, Gravedad, HallazgoCustodia, TipoHallazgo, Verificacion
from radica.custodia.models import Blob
from radica.custodia.seal_models import Hoja, TokenTiempo
from radica.custodia.store import Store
from radica.custodia.verificar_base import Alcance, AlmacenCaido, Etapa, Hallado, Paso, Taller, read_alcance
from radica.kernel.clock import Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database, insert_rows
from radica.kernel.errors import NotFound, Unavailable

NOCTURNA, PERSONA = "nocturna", "persona"
"""Who asked: the clock, or somebody."""

ETAPAS: Mapping[str, Etapa] = {
    "cadenas": verificar_cadenas.chains,
    "asuntos": verificar_cadenas.unborn,
    "hechos": verificar_hechos.facts,
    "filas": verificar_blobs.row_claims,
    "arbol": verificar_arbol.tree,
    "tokens": verificar_tokens.tokens,
    "blobs": verificar_blobs.blobs,
    "huerfanos": verificar_blobs.strays,
}
"""The stages in their order: what is small and says most comes first; the bytes take the rest of the night."""

Progreso = Callable[[int, int, str], None]
"""Is told how many things were looked at, of about how many, and the stage."""


@dataclass(frozen=True)
class Resumen:
    """How a verification ended or stands: counts by kind of thing, findings by gravity and by kind."""

    id: int
    estado: EstadoVerificacion
    etapa: str
    revisados: int
    total: int
    bytes: int
    cuentas: Mapping[str, int]
    gravedades: Mapping[str, int]
    tipos: Mapping[str, int]
    pausa: str = ""

    @property
    def limpia(self) -> bool:
        """Whether nothing grave and no warning was found."""
        return not self.gravedades.get(Gravedad.GRAVE) and not self.gravedades.get(Gravedad.AVISO)


@dataclass(frozen=True)
class Medios:
    """With what a verification is run: threads, trusted certificates by authority, file of the published seals."""

    hilos: int = 2
    anclas: Mapping[str, bytes] = field(default_factory=dict)
    publicados: Path | None = None


def means_of(settings: Settings) -> Medios:
    """Return the means that the settings name. Raises Unavailable when a certificate file cannot be read."""
    anchors: dict[str, bytes] = {}
    for one in settings.tsa:
        if one.anchors is not None:
            try:
                anchors[one.name] = one.anchors.read_bytes()
            except OSError as problem:
                raise Unavailable(
                    f"No se pudo leer el certificado en que se confía para la autoridad {one.name}.",
                    todo="Revise RADICA_TSA_ANCLAS.",
                    code="ancla_ilegible",
                ) from problem
    return Medios(anclas=anchors, publicados=settings.seal_file)


def start(db: Database, alcance: Alcance, *, origen: str, actor: str, at: datetime) -> int:
    """Open a verification in a transaction of its own; see `open_verification`."""
    with db.write() as session:
        return open_verification(session, alcance, origen=origen, actor=actor, at=at)


def open_verification(session: Session, alcance: Alcance, *, origen: str, actor: str, at: datetime) -> int:
    """Open a verification and return its id; nothing is looked at yet."""
    row = Verificacion(
        origen=origen,
        actor=actor,
        alcance=alcance.as_json(),
        estado=EstadoVerificacion.EN_CURSO,
        etapa=next(iter(ETAPAS)),
        total=_total(session, alcance),
        cuentas={},
        iniciada_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def _total(session: Session, alcance: Alcance) -> int:
    """Return about how many things there are to look at: chains, leaves, stamps, blobs."""
    leaves = (session.scalar(select(func.count()).select_from(Hoja)) or 0) + (
        session.scalar(select(func.count()).select_from(TokenTiempo)) or 0
    )
    if alcance.casos:
        return leaves + len(alcance.casos) + len(alcance.hashes)
    blobs = select(func.count()).select_from(Blob).where(Blob.sha256 > alcance.tras_blob)
    if alcance.desde is not None:
        blobs = blobs.where(Blob.stored_at >= alcance.desde)
    chains = session.scalar(select(func.count()).select_from(ChainHead)) or 0
    return leaves + chains + (session.scalar(blobs) or 0)


def unfinished(session: Session, alcance: Alcance, *, origen: str) -> int | None:
    """Return the latest verification of this scope that did not end, to go on with it."""
    rows = session.scalars(
        select(Verificacion)
        .where(Verificacion.origen == origen, Verificacion.estado != EstadoVerificacion.TERMINADA)
        .order_by(Verificacion.id.desc())
        .limit(20)
    )
    wanted = alcance.as_json()
    return next((row.id for row in rows if row.alcance == wanted), None)


def run(
    db: Database,
    store: Store,
    verificacion_id: int,
    *,
    clock: Clock,
    medios: Medios | None = None,
    budget_bytes: int | None = None,
    partial: bool = False,
    progress: Progreso | None = None,
) -> Resumen:
    """Go through the stages from where the verification stands; return how it ended.

    `budget_bytes`: bytes of blobs that this run may read; when they are spent it pauses, or, if `partial`, it ends
    with the blobs it has (the address of the last one stands under `hasta`). A store that does not answer pauses it
    too. Raises NotFound when there is no such verification, Unavailable when another process goes on with it.
    """
    means = medios or Medios()
    place = _take_up(db, verificacion_id)
    spent = 0

    def left() -> int | None:
        return None if budget_bytes is None else max(1, budget_bytes - spent)

    bench = Taller(db, store, place.alcance, means.hilos, means.anclas, means.publicados, left)
    names = list(ETAPAS)
    for name in names[names.index(place.etapa) :]:
        place.enter(name)
        try:
            for step in ETAPAS[name](bench, place.cursor):
                spent += step.bytes
                place.keep(db, step, at=clock())
                if progress is not None:
                    progress(place.revisados, place.total, name)
                if name == "blobs" and budget_bytes is not None and spent >= budget_bytes:
                    return _budget_spent(db, place, at=clock(), partial=partial)
        except AlmacenCaido as problem:
            place.keep(db, _store_down(db, place, problem.code), at=clock())
            return place.end(db, EstadoVerificacion.PAUSADA, None, pausa=problem.message)
    return place.end(db, EstadoVerificacion.TERMINADA, clock())


def _budget_spent(db: Database, place: _Place, *, at: datetime, partial: bool) -> Resumen:
    """End a run whose bytes are spent: for good where others go on, else until the next run."""
    if partial:
        place.cuentas_texto["hasta"] = place.cursor
        return place.end(db, EstadoVerificacion.TERMINADA, at)
    return place.end(db, EstadoVerificacion.PAUSADA, None, pausa="Se gastó lo que podía leer esta vez.")


def _store_down(db: Database, place: _Place, code: str) -> Paso:
    """Return the step that says so, once per verification."""
    with db.read() as session:
        told = session.scalar(
            select(HallazgoCustodia.id).where(
                HallazgoCustodia.verificacion_id == place.id, HallazgoCustodia.objeto == "almacen"
            )
        )
    words = "El almacén no respondió; la verificación quedó en pausa y sigue donde iba."
    found = Hallado(TipoHallazgo.ILEGIBLE, Gravedad.AVISO, "almacen", "", code, words)
    return Paso(place.cursor, 0, 0, {}, [] if told else [found])


def _take_up(db: Database, verificacion_id: int) -> _Place:
    with db.write() as session:
        row = session.get(Verificacion, verificacion_id)
        if row is None:
            raise NotFound("No existe esa verificación.")
        if row.estado is EstadoVerificacion.TERMINADA:
            raise NotFound("Esa verificación ya terminó.", todo="Empiece otra.")
        set_state(row, EstadoVerificacion.EN_CURSO)
        texts = {key: value for key, value in row.cuentas.items() if isinstance(value, str)}
        counts = Counter({key: value for key, value in row.cuentas.items() if isinstance(value, int)})
        return _Place(
            row.id, read_alcance(row.alcance), row.etapa, row.cursor, row.revisados, row.total, row.bytes, counts, texts
        )


def set_state(row: Verificacion, estado: EstadoVerificacion) -> None:
    """Say how a verification stands: it moves on processes, no law knows it."""
    row.estado = estado


@dataclass
class _Place:
    """How far a verification came, as this process knows it."""

    id: int
    alcance: Alcance
    etapa: str
    cursor: str
    revisados: int
    total: int
    bytes: int
    cuentas: Counter[str]
    cuentas_texto: dict[str, str]
    _kept: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        self._kept = (self.etapa, self.cursor)

    def enter(self, etapa: str) -> None:
        """Go to a stage; its cursor is empty unless the verification stood in it."""
        if etapa != self.etapa:
            self.etapa, self.cursor = etapa, ""

    def keep(self, db: Database, step: Paso, *, at: datetime) -> None:
        """Write a step: findings, counts and cursor together. Raises Unavailable when another process went on."""
        self.cursor, self.revisados, self.bytes = step.cursor, self.revisados + step.revisados, self.bytes + step.bytes
        self.cuentas.update(step.cuentas)
        rows = [_row(one, self.id, at) for one in step.hallados]
        with db.write() as session:
            self._write(session)
            insert_rows(session, HallazgoCustodia, rows)

    def end(self, db: Database, estado: EstadoVerificacion, at: datetime | None, *, pausa: str = "") -> Resumen:
        """Close the run and return how it ended."""
        with db.write() as session:
            self._write(session)
            row = session.get_one(Verificacion, self.id)
            set_state(row, estado)
            row.terminada_at = at
            row.cuentas = {**self.cuentas, **self.cuentas_texto}
            session.flush()
            return summary(session, self.id, pausa=pausa)

    def _write(self, session: Session) -> None:
        etapa, cursor = self._kept
        moved = session.execute(
            update(Verificacion)
            .where(Verificacion.id == self.id, Verificacion.etapa == etapa, Verificacion.cursor == cursor)
            .values(
                etapa=self.etapa,
                cursor=self.cursor,
                revisados=self.revisados,
                bytes=self.bytes,
                cuentas={**self.cuentas, **self.cuentas_texto},
            )
            .returning(Verificacion.id)
        ).all()
        if not moved:
            raise Unavailable("Otro proceso sigue con esta verificación.", code="verificacion_ocupada")
        self._kept = (self.etapa, self.cursor)


def _row(found: Hallado, verificacion_id: int, at: datetime) -> dict[str, Any]:
    return {
        "verificacion_id": verificacion_id,
        "prestador_id": found.prestador_id,
        "tipo": found.tipo,
        "gravedad": found.gravedad,
        "objeto": found.objeto[:160],
        "esperado": found.esperado[:200],
        "hallado": found.hallado[:200],
        "detalle": found.detalle,
        "at": at,
    }


# --- What it found --------------------------------------------------------------------------------------------------


def summary(
    session: Session, verificacion_id: int, *, prestadores: Sequence[int] | None = None, pausa: str = ""
) -> Resumen:
    """Return how a verification stands; `prestadores` counts only findings of theirs and of the whole house.

    Raises NotFound.
    """
    row = session.get(Verificacion, verificacion_id)
    if row is None:
        raise NotFound("No existe esa verificación.")
    query = (
        select(HallazgoCustodia.tipo, HallazgoCustodia.gravedad, func.count().label("cuantos"))
        .where(HallazgoCustodia.verificacion_id == row.id)
        .group_by(HallazgoCustodia.tipo, HallazgoCustodia.gravedad)
    )
    if prestadores is not None:
        query = query.where(_seen_by(prestadores))
    kinds: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    for tipo, gravedad, cuantos in session.execute(query):
        kinds[tipo.value] += cuantos
        weights[gravedad.value] += cuantos
    counts = {key: value for key, value in row.cuentas.items() if isinstance(value, int)}
    return Resumen(row.id, row.estado, row.etapa, row.revisados, row.total, row.bytes, counts, weights, kinds, pausa)


def findings(
    session: Session,
    verificacion_id: int,
    *,
    prestadores: Sequence[int] | None = None,
    after: int = 0,
    limit: int = 500,
) -> list[HallazgoCustodia]:
    """Return what a verification found, in the order of finding; `prestadores` as in `summary`."""
    query = (
        select(HallazgoCustodia)
        .where(HallazgoCustodia.verificacion_id == verificacion_id, HallazgoCustodia.id > after)
        .order_by(HallazgoCustodia.id)
        .limit(limit)
    )
    if prestadores is not None:
        query = query.where(_seen_by(prestadores))
    return list(session.scalars(query))


def _seen_by(prestadores: Sequence[int]) -> Any:
    return or_(HallazgoCustodia.prestador_id.is_(None), HallazgoCustodia.prestador_id.in_(prestadores))
