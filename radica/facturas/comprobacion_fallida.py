"""The task that a broken check leaves to people: one per invoice, closed when a later check of it comes to its end.

Invariant: what the checker could not finish is never left to be noticed on the invoice's page alone; a task opened
before a dangerous check (`anunciar`) outlives the process that does it, so the next one knows what ended the first.
Norm: Res. 948 de 2026 (what the MUV would reject is known before filing, or a person knows that it is not).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.facturas.models import Factura
from radica.facturas.validacion.modelo import Hallazgo
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import close_tasks, open_task

FALLO = "COMPROBADOR-FALLO"
"""Code of the finding that a check broke off."""
_FALLIDA = (
    "El comprobador no pudo terminar y una parte quedó sin comprobar. Avise a sistemas con este número; mientras tanto "
    "revísela a mano. La tarea se cierra sola cuando una comprobación termine bien."
)
_EN_CURSO = "Se está comprobando aparte, porque la comprobación anterior se interrumpió."


def atender(session: Session, factura: Factura, found: Iterable[Hallazgo], *, at: datetime) -> Tarea | None:
    """Open the task of an invoice whose check broke off and return it; close it when the check came to its end."""
    if all(one.codigo != FALLO for one in found):
        close_tasks(
            session, factura.case_key, por="reloj", resultado="La comprobación terminó bien.", at=at,
            clases=[ClaseTarea.COMPROBACION_FALLIDA],
        )  # fmt: skip
        return None
    return _open(session, factura, _FALLIDA, at)


def anunciar(session: Session, factura_id: int, *, at: datetime) -> bool:
    """Open the task before a check that may end its process; True when an earlier check left it so: it did end it."""
    factura = session.get_one(Factura, factura_id)
    left = session.scalar(
        select(Tarea.detalle).where(
            Tarea.clase == ClaseTarea.COMPROBACION_FALLIDA,
            Tarea.case_key == factura.case_key,
            Tarea.cerrada_at.is_(None),
        )
    )
    _open(session, factura, _EN_CURSO, at)
    return left == _EN_CURSO


def callar(session: Session, factura_id: int, *, at: datetime) -> None:
    """Take an announcement back: the check ended without a verdict, because its documents changed meanwhile."""
    key = session.get_one(Factura, factura_id).case_key
    close_tasks(
        session, key, por="reloj", resultado="Cambió mientras se comprobaba; se comprueba de nuevo.", at=at,
        clases=[ClaseTarea.COMPROBACION_FALLIDA],
    )  # fmt: skip


def _open(session: Session, factura: Factura, detail: str, at: datetime) -> Tarea:
    task = open_task(
        session,
        ClaseTarea.COMPROBACION_FALLIDA,
        prestador_id=factura.prestador_id,
        case_key=factura.case_key,
        titulo=f"Factura {factura.numero}: la comprobación no terminó",
        at=at,
    )
    task.detalle = detail
    return task
