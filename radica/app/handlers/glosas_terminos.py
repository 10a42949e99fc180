"""The daily job of the terms of glosas: what the norm gives a silence, and a task where it gives nothing.

Invariant: ordered once a day however many clocks run; done in short transactions, twice without harm. Norms: Res.
2284/2023 art. 6 and Anexo 3; Ley 1438/2011 art. 57; whole days by Ley 4/1913 art. 62.
"""

from __future__ import annotations

import logging
from datetime import datetime, time

from sqlalchemy import select

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.entidades.models import Prestador
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.recount import recompute_terms
from radica.glosas.silence import Silencios, apply_batch
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_day
from radica.kernel.clock import civil_date
from radica.kernel.db import Database

KIND_LAPSES = "vencer_terminos_glosas"
LAPSES_AT = time(0, 10)
"""Bogotá time of the run: the day that lapsed has just ended."""

log = logging.getLogger("radica.fondo")


def order_lapses(database: Database, now: datetime) -> int:
    """Order the run, once for its day. Returns 1 when the job was added."""
    return order_day(database, KIND_LAPSES, now, LAPSES_AT)


def lapse_terms(house: House, claimed: Claimed) -> None:
    """Do the run: the terms are counted again first, for a calendar that changed; then every provider, in batches."""
    summary = Silencios()
    at = house.clock()
    recount = recompute_terms(house.db, keep=lambda done: keep_turn(house, claimed, "Recontando términos", done, done))
    if recount.cambiadas:
        log.info("términos recontados: %s de %s cambiaron con el calendario", recount.cambiadas, recount.contadas)
    with house.db.read() as session:
        providers = list(session.scalars(select(Prestador.id).order_by(Prestador.id)))
    for done, provider in enumerate(providers, start=1):
        for kind in (Glosa, Devolucion):
            after: int | None = 0
            while after is not None:
                after = apply_batch(house.db, kind, provider, after, summary, today=civil_date(at), at=at)
                keep_turn(house, claimed, "Revisando términos de glosas", done, len(providers))
    log.info(
        "términos vencidos: %s glosas y %s devoluciones aceptadas por silencio, %s devoluciones levantadas, "
        "%s sin decisión, %s tareas",
        summary.aceptadas, summary.devoluciones_aceptadas, summary.devoluciones_levantadas, summary.sin_decision,
        summary.tareas,
    )  # fmt: skip
    finish(house.db, claimed, outcome=Done())
