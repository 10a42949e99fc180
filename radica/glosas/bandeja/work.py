"""Who works an objection and until when it waits: take, assign by hand or by rule, leave for a day, escalate, talk.

Invariant: only who works at the objection's provider may own it; nothing waits beyond its term; whoever hands work
over is written in the provider's log with every case. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6 (terms).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from radica.audit.services import lock_all, record_reading
from radica.glosas.bandeja.tray_filter import Objecion, stake
from radica.glosas.bandeja.work_models import AjusteGlosas, Comentario, Mencion, ReglaAsignacion, Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import EstadoRespuesta
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web_format import fecha
from radica.plazos.calendar import add_business_days
from radica.radicacion.models import Envio
from radica.radicacion.states import EstadoEnvio
from radica.users.models import Acceso, Rol, Usuario

WORKERS = (Rol.GLOSAS, Rol.ADMINISTRACION, Rol.DIRECCION)
"""Roles whose holders may own an objection."""
_PURPOSE = "reparto de glosas"
_OBJECT = 120  # characters of a log line's object
_BATCH = 500
_HANDLE = re.compile(r"(?<![\w.@])@([\w.+-]{2,100})")


@dataclass(frozen=True)
class Reparto:
    """What an assignment did: how many changed hands, how many nobody's rule fits."""

    cambiadas: int
    sin_regla: int = 0


def assign(
    session: Session,
    rows: Sequence[Objecion],
    usuario_id: int | None,
    *,
    actor: str,
    at: datetime,
    via: str = "asignar",
) -> int:
    """Give objections to a person (None: to nobody); returns how many changed hands.

    Raises NotFound when the person does not work at the provider of each.
    """
    if usuario_id is not None:
        for prestador_id in sorted({row.prestador_id for row in rows}):
            if usuario_id not in workers(session, prestador_id):
                raise NotFound("Esa persona no trabaja glosas en este prestador; no se asignó nada.")
    lock_all(session, rows)
    moved = [row for row in rows if row.responsable_id != usuario_id]
    for row in moved:
        row.responsable_id = usuario_id
    session.flush()
    _log(session, moved, f"{via}_glosas", f"a usuario:{usuario_id}" if usuario_id else "a nadie", actor=actor, at=at)
    return len(moved)


def workers(session: Session, prestador_id: int) -> dict[int, str]:
    """Return who may own objections of a provider: id and name, by name."""
    rows = session.execute(
        select(Usuario.id, Usuario.nombre)
        .join(Acceso, Acceso.usuario_id == Usuario.id)
        .where(Acceso.prestador_id == prestador_id, Acceso.rol.in_(WORKERS), Usuario.activo.is_(True))
        .order_by(Usuario.nombre, Usuario.id)
    )
    return {row.id: row.nombre for row in rows}


def _log(session: Session, rows: Iterable[Objecion], action: str, what: str, *, actor: str, at: datetime) -> None:
    """Write the cases in the log of their provider, as many a line as fit."""
    by_provider: dict[int, list[str]] = {}
    for row in sorted(rows, key=lambda one: (one.KIND, one.id)):
        by_provider.setdefault(row.prestador_id, []).append(row.case_key)
    for prestador_id, cases in sorted(by_provider.items()):
        line = ""
        for case in [*cases, ""]:
            joined = f"{line},{case}" if line else case
            if case and len(joined) + len(what) + 1 <= _OBJECT:
                line = joined
                continue
            record_reading(
                session, prestador_id=prestador_id, actor=actor, action=action, purpose=_PURPOSE,
                object_=f"{line} {what}", at=at,
            )  # fmt: skip
            line = case


# --- By rule ----------------------------------------------------------------------------------------------------


def rules_of(session: Session, prestador_id: int) -> list[ReglaAsignacion]:
    """Return the rules of a provider, in their order."""
    return list(
        session.scalars(
            select(ReglaAsignacion)
            .where(ReglaAsignacion.prestador_id == prestador_id)
            .order_by(ReglaAsignacion.orden, ReglaAsignacion.id)
        )
    )


def owner_by_rule(rules: Sequence[ReglaAsignacion], row: Objecion) -> int | None:
    """Return to whom an objection goes: the first active rule whose payer, family and amount fit."""
    family = row.familia if isinstance(row, Glosa) else row.codigo[:2]
    money = stake(row)
    for rule in rules:
        if not rule.activa or (rule.pagador_id is not None and rule.pagador_id != row.pagador_id):
            continue
        if rule.familia and rule.familia != family:
            continue
        if (rule.desde is not None and money < rule.desde) or (rule.hasta is not None and money >= rule.hasta):
            continue
        return rule.usuario_id
    return None


def assign_by_rules(session: Session, prestador_id: int, *, actor: str, at: datetime, limit: int = 5_000) -> Reparto:
    """Give every objection that waits for us and has no owner to whom the rules say; at most `limit` at once.

    A rule that names somebody who no longer works there is passed over.
    """
    present = workers(session, prestador_id)
    rules = [rule for rule in rules_of(session, prestador_id) if rule.usuario_id in present]
    groups: dict[int, list[Objecion]] = {}
    left = 0
    kinds: tuple[type[Glosa] | type[Devolucion], ...] = (Devolucion, Glosa)
    for kind in kinds:
        free: Any = select(kind).where(
            kind.prestador_id == prestador_id, kind.turno == "ips", kind.responsable_id.is_(None)
        )
        for row in session.scalars(free.order_by(kind.vence, kind.id).limit(limit)):
            owner = owner_by_rule(rules, row)
            if owner is None:
                left += 1
            else:
                groups.setdefault(owner, []).append(row)
    moved = sum(
        assign(session, rows, owner, actor=actor, at=at, via="repartir") for owner, rows in sorted(groups.items())
    )
    return Reparto(moved, left)


# --- For a later day --------------------------------------------------------------------------------------------


def pend(session: Session, row: Objecion, hasta: date, motivo: str, *, hoy: date, actor: str, at: datetime) -> None:
    """Take an objection out of the tray until a day, on which it comes back by itself.

    Raises BadInput for a day that is not after today, or after the last day of the running term.
    """
    if hasta <= hoy:
        raise BadInput("El día tiene que ser después de hoy; no se cambió nada.", todo="Elija otro día.")
    if row.vence is not None and hasta > row.vence:
        raise BadInput(
            f"Vence el {fecha(row.vence)}: no puede quedar pendiente más allá de ese día; no se cambió nada.",
            todo=f"Elija un día hasta el {fecha(row.vence)}.",
            code="pendiente_fuera_de_termino",
        )
    if row.turno != "ips":
        raise BadInput("Ahora no nos toca actuar en este caso: no hay nada que dejar pendiente.")
    lock_all(session, [row])
    row.pendiente_hasta, row.pendiente_motivo = hasta, motivo.strip()[:300]
    session.flush()
    _log(session, [row], "pendiente_glosas", f"hasta {hasta.isoformat()}", actor=actor, at=at)


def pend_many(
    session: Session, rows: Sequence[Objecion], hasta: date, motivo: str, *, hoy: date, actor: str, at: datetime
) -> int:
    """Leave many objections for a later day; returns how many. What lapses before that day stays in the tray.

    Raises BadInput for a day that is not after today.
    """
    if hasta <= hoy:
        raise BadInput("El día tiene que ser después de hoy; no se cambió nada.", todo="Elija otro día.")
    lock_all(session, rows)
    able = [row for row in rows if row.turno == "ips" and (row.vence is None or hasta <= row.vence)]
    for row in able:
        row.pendiente_hasta, row.pendiente_motivo = hasta, motivo.strip()[:300]
    session.flush()
    _log(session, able, "pendiente_glosas", f"hasta {hasta.isoformat()}", actor=actor, at=at)
    return len(able)


def unpend(session: Session, row: Objecion, *, actor: str, at: datetime) -> None:
    """Bring an objection back to the tray now."""
    lock_all(session, [row])
    row.pendiente_hasta = row.pendiente_motivo = None
    session.flush()
    _log(session, [row], "pendiente_glosas", "vuelve a la bandeja", actor=actor, at=at)


# --- Escalation -------------------------------------------------------------------------------------------------


def escalate(
    session: Session, *, hoy: date, actor: str, at: datetime, prestador_id: int | None = None, limit: int = 5_000
) -> int:
    """Give to whom each provider (or one) named the objections that are about to lapse unanswered; returns how many moved.

    "About to": the last day is at most `escalar_dias` business days away, and no answer is on its way. What was left
    pending comes back. Doing it again on the same day moves nothing.
    """
    moved = 0
    settings = select(AjusteGlosas).where(AjusteGlosas.escalar_a_id.is_not(None)).order_by(AjusteGlosas.prestador_id)
    if prestador_id is not None:
        settings = settings.where(AjusteGlosas.prestador_id == prestador_id)
    for one in session.scalars(settings):
        owner = one.escalar_a_id
        if owner is None or owner not in workers(session, one.prestador_id):
            continue
        last = add_business_days(hoy, max(1, one.escalar_dias))
        due = _due(session, one.prestador_id, last, owner, limit)
        moved += assign(session, due, owner, actor=actor, at=at, via="escalar")
        for row in due:
            row.pendiente_hasta = row.pendiente_motivo = None
        session.flush()
    return moved


def _due(session: Session, prestador_id: int, last: date, owner: int, limit: int) -> list[Objecion]:
    found: list[Objecion] = []
    kinds: tuple[type[Glosa] | type[Devolucion], ...] = (Devolucion, Glosa)
    for kind in kinds:
        link = Respuesta.glosa_id if kind is Glosa else Respuesta.devolucion_id
        # What was ordered by hand is with nobody until a person says that it was presented.
        travelling = (
            select(Respuesta.id)
            .join(Envio, Envio.id == Respuesta.envio_id)
            .where(
                link == kind.id,
                Respuesta.estado == EstadoRespuesta.EN_ENVIO,
                or_(Envio.canal != "mano", Envio.estado != EstadoEnvio.PREPARADO),
            )
        )
        query: Any = (
            select(kind)
            .where(
                kind.prestador_id == prestador_id,
                kind.turno == "ips",
                kind.vence <= last,
                (kind.responsable_id.is_(None)) | (kind.responsable_id != owner),
                ~travelling.exists(),
            )
            .order_by(kind.vence, kind.id)
        )
        found += session.scalars(query.limit(limit)).all()
    return found


# --- Words ------------------------------------------------------------------------------------------------------


def comment(session: Session, row: Objecion, texto: str, *, usuario_id: int, at: datetime) -> list[str]:
    """Add a word of a person to an objection; returns the names of those it calls by `@`.

    A handle is what stands before the @ of a person's address. Raises BadInput for an empty text or a handle that
    nobody at this provider has.
    """
    text = texto.strip()
    if not text:
        raise BadInput("El comentario está vacío; no se guardó.", todo="Escríbalo.")
    called = _called(session, row.prestador_id, text)
    said = Comentario(
        prestador_id=row.prestador_id, case_key=row.case_key, usuario_id=usuario_id, texto=text[:4000], at=at
    )
    session.add(said)
    session.flush()
    for id_ in sorted(called):
        if id_ != usuario_id:
            session.add(Mencion(comentario_id=said.id, usuario_id=id_))
    session.flush()
    return [name for id_, name in sorted(called.items()) if id_ != usuario_id]


def _called(session: Session, prestador_id: int, text: str) -> dict[int, str]:
    handles = {one.rstrip(".").lower() for one in _HANDLE.findall(text)}
    if not handles:
        return {}
    people = session.execute(
        select(Usuario.id, Usuario.nombre, Usuario.correo)
        .where(
            Usuario.id.in_(select(Acceso.usuario_id).where(Acceso.prestador_id == prestador_id)),
            Usuario.activo.is_(True),
        )
        .order_by(Usuario.id)
    ).all()
    known = {row.correo.partition("@")[0].lower() for row in people}
    strangers = sorted(handles - known)
    if strangers:
        raise BadInput(
            f"Nadie en este prestador se llama @{strangers[0]}; no se guardó el comentario.",
            todo="Escriba @ y lo que va antes de la arroba en su correo.",
            code="mencion_desconocida",
        )
    return {row.id: row.nombre for row in people if row.correo.partition("@")[0].lower() in handles}


def mentions_for(session: Session, usuario_id: int, *, limit: int = 50) -> list[tuple[Mencion, Comentario, str]]:
    """Return the unseen mentions of a person, newest first: mention, comment, who wrote it. For the day's page."""
    rows = session.execute(
        select(Mencion, Comentario, Usuario.nombre)
        .join(Comentario, Comentario.id == Mencion.comentario_id)
        .join(Usuario, Usuario.id == Comentario.usuario_id)
        .where(Mencion.usuario_id == usuario_id, Mencion.vista_at.is_(None))
        .order_by(Mencion.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def unseen(session: Session, case_key: str, usuario_id: int) -> bool:
    """Say whether a case mentions a person who has not seen it yet."""
    query = (
        select(Mencion.id)
        .join(Comentario, Comentario.id == Mencion.comentario_id)
        .where(Mencion.usuario_id == usuario_id, Mencion.vista_at.is_(None), Comentario.case_key == case_key)
    )
    return session.scalar(query.limit(1)) is not None


def mark_seen(session: Session, case_key: str, usuario_id: int, *, at: datetime) -> int:
    """Note that a person saw what mentions them on a case; returns how many."""
    comments = select(Comentario.id).where(Comentario.case_key == case_key)
    done: Any = session.execute(
        update(Mencion)
        .where(Mencion.usuario_id == usuario_id, Mencion.vista_at.is_(None), Mencion.comentario_id.in_(comments))
        .values(vista_at=at)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)
