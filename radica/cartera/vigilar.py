"""Tasks about prescription: opened, sharpened at each step and closed when nothing is owed any more.

Invariant: one open task an invoice; one that a person closed comes back only at the next step; looking twice a day
changes nothing. Norms: those of `prescripcion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.prescripcion import UMBRALES, Alerta, alertas
from radica.kernel.clock import BOGOTA
from radica.kernel.money import format_cop
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import open_task

PAID = "La factura ya no tiene saldo por reclamar."
WHO = "reloj"


def watch(session: Session, *, today: date, at: datetime, umbrales: Sequence[int] = UMBRALES) -> int:
    """Bring the tasks in line with the clocks of the day. Returns how many invoices are within a step."""
    found = {f"factura:{one.factura_id}": one for one in alertas(session, today, umbrales=umbrales)}
    rows = list(session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.VIGILAR_PRESCRIPCION)))
    for row in rows:
        if row.cerrada_at is None and row.case_key not in found:
            row.cerrada_at, row.cerrada_por, row.resultado = at, WHO, PAID
    open_now = {row.case_key: row for row in rows if row.cerrada_at is None}
    for key, one in found.items():
        title, detail = titulo(one), detalle(one)
        before = open_now.get(key)
        if before is not None:
            before.titulo, before.detalle = title, detail
        elif not any(row.case_key == key and _in_step(row, one) for row in rows):
            open_task(
                session, ClaseTarea.VIGILAR_PRESCRIPCION, prestador_id=one.prestador_id, case_key=key, titulo=title,
                detalle=detail, at=at,
            )  # fmt: skip
    session.flush()
    return len(found)


def _in_step(row: Tarea, one: Alerta) -> bool:
    """Say whether a closed task was closed by a person since the present step began."""
    began = datetime.combine(one.reloj.vence - timedelta(days=one.umbral), time(0), tzinfo=BOGOTA)
    return row.cerrada_at is not None and row.cerrada_por != WHO and row.cerrada_at >= began


def titulo(one: Alerta) -> str:
    """Return what the task is called."""
    when = f"{one.reloj.vence:%d/%m/%Y}"
    if one.dias < 0:
        return f"Factura {one.numero}: la vía más corta prescribió el {when}; saldo {format_cop(one.saldo)}"
    return (
        f"Factura {one.numero}: prescribe el {when} por la vía más corta (menos de {one.umbral} días); saldo"
        f" {format_cop(one.saldo)}"
    )


def detalle(one: Alerta) -> str:
    """Return what the task explains."""
    return (
        f"{one.reloj.via}: {one.reloj.norma}, art. {one.reloj.articulo} ({one.reloj.certeza}), contada desde el"
        f" {one.reloj.desde:%d/%m/%Y}. La jurisdicción no está unificada: actúe antes de la más corta, con demanda o"
        " con solicitud de conciliación que la suspenda."
    )
