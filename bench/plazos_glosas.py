"""Terms of 200,000 open glosas counted again: as a pure function, and as the whole job on SQLite.

The floor of the function is the same loop with one dictionary look-up a line, the floor of the job the bare reading of
the same columns; both in the same run. The last round writes: under a calendar with one day less, most lines move.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.app.schema import migrate
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.glosas.clocks import Objeto, first_terms
from radica.glosas.models import Confianza, Glosa, Manual
from radica.glosas.recount import recompute_terms
from radica.glosas.states import EstadoGlosa
from radica.kernel.clock import BOGOTA
from radica.kernel.db import Database, insert_rows
from radica.plazos.calendar import ExtraDay, build_calendar

LINES = 200_000
INVOICES = 20_000
ROUNDS = 3
GOAL_S = 5
FIRST = datetime(2026, 1, 13, 10, tzinfo=BOGOTA)
CHUNK = 10_000


def run() -> dict[str, Any]:
    """Measure; `cumple` says whether function and job stay under the goal and every line was counted."""
    notices = [
        (FIRST + timedelta(minutes=17 * n), FIRST + timedelta(minutes=17 * n, days=n % 40)) for n in range(LINES)
    ]
    pure, floor = _pure(notices)
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        path = Path(name) / "radica.sqlite"
        url = f"sqlite:///{path}"
        migrate(url)
        database = Database(url)
        _seed(database)
        bare = min(_bare(path) for _ in range(ROUNDS))
        jobs = [_timed(lambda: recompute_terms(database)) for _ in range(ROUNDS)]
        closed = build_calendar(extra=[ExtraDay(date(2026, 4, 15), business=False, reason="cierre")])
        changed_s, changed = _timed(lambda: recompute_terms(database, calendar=closed))
        database.dispose()
    job = min(seconds for seconds, _ in jobs)
    counted = all(one.contadas == LINES for _, one in [*jobs, (changed_s, changed)])
    return {
        "lineas": LINES,
        "funcion_s": round(pure, 3),
        "suelo_funcion_s": round(floor, 3),
        "razon_funcion": round(pure / floor, 1),
        "trabajo_s": round(job, 3),
        "suelo_lectura_s": round(bare, 3),
        "razon_trabajo": round(job / bare, 1),
        "trabajo_con_cambios_s": round(changed_s, 3),
        "cambiadas": changed.cambiadas,
        "meta_s": GOAL_S,
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": counted and changed.cambiadas > 0 and max(pure, job, changed_s) < GOAL_S,
    }


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _pure(notices: list[tuple[datetime, datetime]]) -> tuple[float, float]:
    def terms() -> int:
        return sum(
            first_terms(filed, noticed, Objeto.GLOSA, pagador=TipoPagador.EPS).vence is not None
            for filed, noticed in notices
        )

    known: dict[tuple[date, date], int] = {}

    def look_up() -> int:
        return sum(known.setdefault((filed.date(), noticed.date()), 1) for filed, noticed in notices)

    seconds = [(_timed(terms)[0], _timed(look_up)[0]) for _ in range(ROUNDS)]
    return min(ours for ours, _ in seconds), min(bare for _, bare in seconds)


def _bare(path: Path) -> float:
    base = sqlite3.connect(path)
    start = time.perf_counter()
    rows = base.execute(
        "SELECT g.id, g.version, g.estado, g.extemporanea, g.dias_pagador, g.vence, g.vence_alterno, g.notificada_at,"
        " g.respondida_at, f.fecha_radicacion, p.tipo FROM glosas g JOIN facturas f ON f.id = g.factura_id"
        " JOIN pagadores p ON p.id = g.pagador_id WHERE g.turno <> '' ORDER BY g.id"
    ).fetchall()
    base.close()
    assert len(rows) == LINES
    return time.perf_counter() - start


def _seed(database: Database) -> None:
    with database.write() as session:
        session.add(Prestador(id=1, nit="900000001", nombre="IPS", estado=EstadoPrestador.ACTIVO, creado_at=FIRST))
        session.add(Pagador(id=1, nit="800000001", nombre="EPS", tipo=TipoPagador.EPS))
        session.flush()
        insert_rows(session, Factura, [_invoice(number) for number in range(1, INVOICES + 1)])
    for start in range(0, LINES, CHUNK):
        with database.write() as session:
            insert_rows(session, Glosa, [_glosa(number) for number in range(start, start + CHUNK)])


def _invoice(number: int) -> dict[str, Any]:
    return {
        "id": number, "prestador_id": 1, "pagador_id": 1, "numero": f"F{number}", "numero_clave": f"F{number}",
        "numero_digitos": str(number), "estado": EstadoFactura.RADICADA, "version": 0, "valor": 10**9,
        "nivel_prueba": 3, "radicado": f"R{number}", "creada_at": FIRST,
        "fecha_radicacion": FIRST + timedelta(days=number % 120, seconds=number),
    }  # fmt: skip


def _glosa(number: int) -> dict[str, Any]:
    filed = FIRST + timedelta(days=(number % INVOICES + 1) % 120)
    notified = filed + timedelta(days=number % 40 + 1, seconds=number)
    first = first_terms(filed, notified, Objeto.GLOSA, pagador=TipoPagador.EPS)
    return {
        "id": number + 1, "prestador_id": 1, "factura_id": number % INVOICES + 1, "pagador_id": 1,
        "huella": hashlib.sha256(str(number).encode()).hexdigest(), "codigo": "FA0201", "codigo_original": "FA0201",
        "familia": "FA", "manual": Manual.UNICO, "motivo": "", "item_confianza": Confianza.NINGUNA,
        "valor_objetado": 1000, "valor": 1000, "exceso": 0, "aceptado": 0, "levantado": 0, "en_disputa": 1000,
        "ronda": 1, "notificada_at": notified, "notificada_segun": "correo", "extemporanea": first.extemporanea,
        "dias_pagador": first.dias_pagador, "turno": "ips", "vence": first.vence, "vence_termino": "GLO-03",
        "creada_at": notified, "estado": EstadoGlosa.FORMULADA, "version": 0,
    }  # fmt: skip
