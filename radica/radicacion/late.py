"""An acuse that came after its job was judged: what it settles, and what it contradicts.

Invariant: an acuse is never thrown away because it came late (DESIGN section 5.5), and never moves an envío that
somebody else closed: then a person is told, because the payer may hold two filings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bots.contract import Result
from radica.custodia.models import Pieza
from radica.radicacion.attempts import acuse_of
from radica.radicacion.models import Envio, Intento
from radica.radicacion.services import MIN_LEVEL, close_with_acuse
from radica.radicacion.settle import end_attempt
from radica.radicacion.states import ABIERTOS, POR_CONFIRMAR, EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea
from radica.users.tasks import open_task


def settle_late_acuse(
    session: Session, intento: Intento, result: Result, pieces: Sequence[Pieza], *, actor: str, at: datetime
) -> bool:
    """Settle by an acuse that came late: its bot saw it, so it counts as found. False when it settles nothing.

    It also undoes an *absent* of which no other attempt came, and brings the number of a filing that had none. One
    that contradicts what was decided meanwhile is told to a person: the payer may hold two.
    """
    acuse = acuse_of(result, pieces, intento, at)
    envio = session.get_one(Envio, intento.envio_id)
    if acuse is None or (envio.estado is EstadoEnvio.RADICADO and acuse.radicado in (None, envio.radicado)):
        return False
    numbered = acuse.radicado is not None and acuse.nivel >= MIN_LEVEL
    if envio.estado is EstadoEnvio.RECIBIDO_SIN_NUMERO and not numbered:
        return False
    unsettled = intento.estado in POR_CONFIRMAR or (
        intento.estado is EstadoIntento.AUSENTE and not _another_is_out(session, intento)
    )
    if (unsettled and envio.estado in ABIERTOS) or envio.estado is EstadoEnvio.RECIBIDO_SIN_NUMERO:
        end_attempt(session, intento, EstadoIntento.HALLADO, at=at, detalle=result.text)
        close_with_acuse(session, envio, acuse, actor=actor, at=at)
        return True
    open_task(
        session,
        ClaseTarea.CONFIRMAR_RESULTADO,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo="Llegó tarde un acuse que contradice lo registrado: revise si el pagador la tiene dos veces",
        detalle=f"Intento {intento.numero}: {acuse.radicado or 'sin número'}",
        at=at,
    )
    return False


def _another_is_out(session: Session, intento: Intento) -> bool:
    """Say whether another attempt of the same envío may have reached the payer and is not settled."""
    out = [EstadoIntento.ENVIANDO, *POR_CONFIRMAR]
    query = select(Intento.id).where(Intento.envio_id == intento.envio_id, Intento.estado.in_(out))
    return session.scalar(query.where(Intento.id != intento.id).limit(1)) is not None
