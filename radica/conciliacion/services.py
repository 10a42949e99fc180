"""A meeting from its call to its end: convene, lines in and out, date and people, hold, reopen, fail.

Invariant: a meeting moves only by `advance()`; its lines change only while it is *convocada*; when it ends without an
acta its lines are free again and nothing of any glosa changed. Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance, lock_all, open_case
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import RAZONES, Alcance, Candidata, Filtro, ids_of, key_of, scope
from radica.conciliacion.states import ABIERTAS, EstadoConciliacion, EventoConciliacion
from radica.custodia.services import Kept, seal
from radica.entidades.models import Prestador
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.clock import civil_date
from radica.kernel.db import insert_rows
from radica.kernel.errors import BadInput, InvalidTransition, NotFound, StalePage

MAX_LINEAS = 3_000
"""Of one table: its acta is drawn while a person waits (about 4 ms a line)."""
MAX_ASISTENTES = 30
LADOS = {"prestador": "por el prestador", "pagador": "por el pagador", "otro": "otro"}


def convene(
    session: Session,
    *,
    prestador_id: int,
    pagador_id: int,
    filtro: Filtro,
    actor: str,
    at: datetime,
    anterior_id: int | None = None,
) -> Conciliacion:
    """Call a meeting with all lines of the scope that may go in.

    Raises BadInput when none may, saying why each was left out, when the cut-off is in the future, and when the
    earlier meeting is not a finished one of the same two parties.
    """
    if filtro.fecha_corte > civil_date(at):
        raise BadInput("La fecha de corte está en el futuro.", todo="Escriba una fecha hasta hoy.", code="fecha_futura")
    _lock_provider(session, prestador_id)
    before = _earlier(session, prestador_id, pagador_id, anterior_id)
    held = scope(session, prestador_id=prestador_id, pagador_id=pagador_id, filtro=filtro)
    if not held.entran:
        raise BadInput(f"No hay líneas que llevar a la mesa. {why_not(held)}".strip(), code="sin_lineas")
    if len(held.entran) > MAX_LINEAS:
        raise BadInput(
            f"Son {len(held.entran)} líneas; una mesa lleva hasta {MAX_LINEAS}.",
            todo="Convoque varias, por código o por fecha.",
            code="demasiadas",
        )
    last = session.scalar(select(func.max(Conciliacion.numero)).where(Conciliacion.prestador_id == prestador_id))
    row = Conciliacion(
        prestador_id=prestador_id,
        pagador_id=pagador_id,
        numero=(last or 0) + 1,
        fecha_corte=filtro.fecha_corte,
        alcance=filtro.stored(),
        anterior_id=before,
        estado=EstadoConciliacion.CONVOCADA,
        version=0,
        asistentes=[],
        creada_at=at,
        creada_por=actor,
    )
    session.add(row)
    facts = {"lineas": len(held.entran), "en_disputa": held.en_disputa, "pagador_id": pagador_id}
    open_case(session, row, actor=actor, at=at, reason=Reason.ORDEN_DE_PERSONA, facts=facts)
    _put(session, row, held.entran)
    return row


def why_not(held: Alcance) -> str:
    """Say in one sentence why lines of a scope stay out."""
    words = [f"{RAZONES[key]} ({count})" for key, (count, _) in held.por_razon().items()]
    if held.desconocidas:
        names = ", ".join(held.desconocidas[:5]) + (" y otras" if len(held.desconocidas) > 5 else "")
        words.append(f"no hay facturas de este pagador con número {names}")
    if not words:
        return "Este pagador no tiene nada en disputa con esos filtros."
    return "Quedan fuera: " + "; ".join(words) + "."


def candidates(session: Session, row: Conciliacion, numbers: Sequence[str]) -> Alcance:
    """Return what may be added to a table: of the named invoices, or all of its payer up to its cut-off date."""
    filtro = Filtro(fecha_corte=row.fecha_corte, facturas=tuple(numbers))
    return scope(session, prestador_id=row.prestador_id, pagador_id=row.pagador_id, filtro=filtro)


def add_lines(session: Session, row: Conciliacion, numbers: Sequence[str]) -> int:
    """Put on the table what the named invoices have in dispute; returns how many lines.

    Raises BadInput with the reasons when nothing may go in.
    """
    if not numbers:
        raise BadInput("Escriba al menos un número de factura.", code="sin_facturas")
    lock_open_table(session, row)
    held = candidates(session, row, numbers)
    if not held.entran:
        raise BadInput(f"No se agregó nada. {why_not(held)}", code="sin_lineas")
    count = session.scalar(
        select(func.count()).select_from(ConciliacionLinea).where(ConciliacionLinea.conciliacion_id == row.id)
    )
    if (count or 0) + len(held.entran) > MAX_LINEAS:
        raise BadInput(f"Una mesa lleva hasta {MAX_LINEAS} líneas.", todo="Convoque otra.", code="demasiadas")
    _put(session, row, held.entran)
    return len(held.entran)


def remove_lines(session: Session, row: Conciliacion, line_ids: Sequence[int]) -> int:
    """Take lines off the table; they may go on another. Returns how many. Raises BadInput when none would stay."""
    lock_open_table(session, row)
    ours = ConciliacionLinea.conciliacion_id == row.id
    ids = set(session.scalars(select(ConciliacionLinea.id).where(ours, ConciliacionLinea.id.in_(set(line_ids)))))
    count = session.scalar(select(func.count()).select_from(ConciliacionLinea).where(ours)) or 0
    if not ids:
        raise BadInput("Esas líneas ya no están en la mesa; no se quitó nada.", code="sin_lineas")
    if len(ids) == count:
        raise BadInput(
            "La mesa quedaría sin líneas; no se quitó ninguna.",
            todo="Si no habrá conciliación, ciérrela como fracasada con su motivo.",
            code="mesa_vacia",
        )
    session.execute(delete(ConciliacionLinea).where(ours, ConciliacionLinea.id.in_(ids)))
    return len(ids)


def meeting_token(row: Conciliacion) -> str:
    """Return what tells a page whether date, place, people or notes changed since it was drawn."""
    content = [row.citada_at.isoformat() if row.citada_at else None, row.lugar, row.asistentes, row.notas]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def set_meeting(
    session: Session,
    row: Conciliacion,
    *,
    citada_at: datetime | None,
    lugar: str,
    asistentes: Sequence[dict[str, str]],
    notas: str,
    expected: str | None = None,
) -> None:
    """Write when and where the meeting is and who attends. Raises StalePage when somebody changed it meanwhile.

    `asistentes`: [{"nombre", "cargo", "por"}], `por` one of LADOS.
    """
    lock_open_table(session, row)
    if expected is not None and expected != meeting_token(row):
        raise StalePage("Otra persona cambió los datos de la reunión; los suyos no se guardaron.")
    people = [
        {key: " ".join(one.get(key, "").split())[:160] for key in ("nombre", "cargo", "por")} for one in asistentes
    ]
    people = [one for one in people if one["nombre"] or one["cargo"]]
    if len(people) > MAX_ASISTENTES:
        raise BadInput(f"Son más de {MAX_ASISTENTES} asistentes.", code="asistentes")
    if any(not one["nombre"] or one["por"] not in LADOS for one in people):
        raise BadInput("A cada asistente le hace falta nombre y por quién viene.", code="asistentes")
    row.citada_at, row.lugar, row.asistentes, row.notas = citada_at, lugar.strip()[:200], people, notas.strip()
    session.flush()


def reopen(session: Session, row: Conciliacion, motivo: str, *, actor: str, at: datetime, version: int | None) -> None:
    """Put a held meeting back on the table: its unsigned acta no longer counts (it stays in custody)."""
    _needs(motivo)
    advance(
        session, row, EventoConciliacion.REABRIR_MESA, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        note=motivo.strip(), facts={"acta": row.acta_sha256}, expected_version=version,
    )  # fmt: skip
    row.acta_sha256 = None
    session.flush()


def fail(
    session: Session,
    row: Conciliacion,
    motivo: str,
    *,
    kept: Sequence[Kept] = (),
    actor: str,
    at: datetime,
    version: int | None = None,
) -> None:
    """End a meeting without agreement, with its reason; its lines are free for another. Evidence is welcome."""
    _needs(motivo)
    pieces = seal_for(session, row, kept, actor=actor, at=at)
    advance(
        session, row, EventoConciliacion.FRACASAR, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        note=motivo.strip(), evidence=[one.sha256 for one in pieces], expected_version=version,
    )  # fmt: skip
    release(session, row)


def release(session: Session, row: Conciliacion) -> None:
    """Let the lines of a meeting that ends go on other tables."""
    session.execute(
        update(ConciliacionLinea)
        .where(ConciliacionLinea.conciliacion_id == row.id)
        .values(vivo=0)
        .execution_options(synchronize_session="fetch")
    )


def seal_for(session: Session, row: Conciliacion, kept: Sequence[Kept], *, actor: str, at: datetime) -> list[Any]:
    """Seal a person's files in the case of a meeting."""
    return seal(
        session, kept, prestador_id=row.prestador_id, case_key=row.case_key, group_key=row.case_key,
        origen="persona", actor=actor, at=at,
    )  # fmt: skip


def lock_open_table(session: Session, row: Conciliacion) -> None:
    """Lock a meeting whose lines are about to change. Raises InvalidTransition when it is not being prepared."""
    lock_all(session, [row])
    if row.estado is not EstadoConciliacion.CONVOCADA:
        done = "ya está celebrada" if row.estado in ABIERTAS else "ya terminó"
        raise InvalidTransition(
            f"La conciliación {row.numero} {done}; no se cambió nada.",
            todo="Reabra la mesa para cambiarla." if row.estado in ABIERTAS else "Convoque otra.",
            code="mesa_cerrada",
        )


def lines_of(session: Session, row: Conciliacion) -> list[ConciliacionLinea]:
    """Return the lines of a table in their order (code, invoice)."""
    return list(
        session.scalars(
            select(ConciliacionLinea)
            .where(ConciliacionLinea.conciliacion_id == row.id)
            .order_by(ConciliacionLinea.id)
            .execution_options(populate_existing=True)
        )
    )


def _put(session: Session, row: Conciliacion, lines: Sequence[Candidata]) -> None:
    """Put lines on a table; each is locked and looked at again, so that two tables never hold it."""
    glosas, devoluciones = ids_of(lines)
    things: list[Any] = [*_some(session, Devolucion, devoluciones), *_some(session, Glosa, glosas)]
    lock_all(session, things)
    now = {f"{one.KIND}:{one.id}": one for one in things}
    values = []
    for line in lines:
        thing = now[key_of(line)]
        dispute = thing.en_disputa if isinstance(thing, Glosa) else thing.valor
        if thing.estado != line.estado or dispute != line.en_disputa:
            raise StalePage(f"La línea {line.codigo} de la factura {line.numero} cambió en este momento.")
        values.append(
            {
                "prestador_id": row.prestador_id,
                "conciliacion_id": row.id,
                "factura_id": line.factura_id,
                "glosa_id": line.glosa_id,
                "devolucion_id": line.devolucion_id,
                "en_disputa": dispute,
                "levantado": 0,
                "aceptado": 0,
                "sigue": dispute,
                "nota": "",
                "vivo": 1,
            }
        )
    if _on_a_table(session, glosas, devoluciones):
        raise StalePage("Otra persona acaba de llevar una de estas líneas a otra mesa.")
    insert_rows(session, ConciliacionLinea, values)


def _some(session: Session, model: type[Any], ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), 500):
        found += session.scalars(select(model).where(model.id.in_(ids[start : start + 500])))
    return found


def _on_a_table(session: Session, glosas: Sequence[int], devoluciones: Sequence[int]) -> bool:
    for column, ids in ((ConciliacionLinea.glosa_id, glosas), (ConciliacionLinea.devolucion_id, devoluciones)):
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            if session.scalar(select(column).where(column.in_(part), ConciliacionLinea.vivo == 1).limit(1)) is not None:
                return True
    return False


def _lock_provider(session: Session, prestador_id: int) -> None:
    """Let meetings of one provider be called one after the other: their numbers follow each other."""
    found = session.scalar(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update())
    if found is None:
        raise NotFound


def _earlier(session: Session, prestador_id: int, pagador_id: int, anterior_id: int | None) -> int | None:
    if anterior_id is None:
        return None
    row = session.get(Conciliacion, anterior_id)
    if row is None or (row.prestador_id, row.pagador_id) != (prestador_id, pagador_id) or row.estado in ABIERTAS:
        raise BadInput(
            "La conciliación anterior debe ser una terminada con el mismo pagador.",
            todo="Elija otra, o ninguna.",
            code="anterior",
        )
    return row.id


def _needs(motivo: str) -> None:
    if not motivo.strip():
        raise BadInput("Escriba el motivo.", code="sin_motivo")
