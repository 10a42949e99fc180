"""The tray of 200,000 open glosas: the whole page of the application, on SQLite and PostgreSQL.

The floor is the bare SQL of the same rows in the same run: the rows of the page and the sums by day of its tiles, through
the plain driver. A page is asked as a browser asks it, with its session, and read to the end; several depths of the tray.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.app.embedded_pg import postgres_database, postgres_server
from radica.app.factory import create_app
from radica.app.schema import migrate
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.glosas.models import Confianza, Glosa, Manual
from radica.glosas.states import EstadoGlosa
from radica.kernel.clock import fixed_clock
from radica.kernel.config import load_settings
from radica.kernel.db import Database, insert_rows
from radica.kernel.web import SESSION_COOKIE
from radica.users.login import open_session
from radica.users.models import Rol
from radica.users.services import create_user, grant

LINES, INVOICES, PAYERS, CHUNK = 200_000, 20_000, 8, 10_000
ASKED = 15
GOAL_MS = 150
NOW = datetime(2026, 7, 1, 15, tzinfo=UTC)
CODES = ("TA0801", "SO3401", "FA0201", "AU0101", "CO0601", "CL0101")
PAGES = {
    "primera": "/glosas",
    "por_valor": "/glosas?orden=-valor",
    "de_un_pagador": "/glosas?pagador=3",
    "de_una_familia": "/glosas?familia=SO",
    "urgentes": "/glosas?hasta=2026-07-02",
}
_ROWS = (
    "SELECT * FROM glosas WHERE prestador_id = 1 AND turno = 'ips' AND (pendiente_hasta IS NULL OR"
    " pendiente_hasta <= '2026-07-01') ORDER BY vence, en_disputa DESC, id LIMIT 51"
)
_DAYS = (
    "SELECT vence, count(*), sum(en_disputa) FROM glosas WHERE prestador_id = 1 AND turno = 'ips' AND"
    " (pendiente_hasta IS NULL OR pendiente_hasta <= '2026-07-01') GROUP BY vence"
)


def run() -> dict[str, Any]:
    """Measure on both databases; `cumple` says whether every page stays under the goal."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        path = folder / "radica.sqlite"
        on_sqlite = _measure(
            f"sqlite:///{path}", folder / "a", lambda sql: sqlite3.connect(path).execute(sql).fetchall()
        )
        with postgres_server(os.environ) as server, postgres_database(server) as url:
            plain = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
            on_postgres = _measure(url, folder / "b", lambda sql: plain.execute(sql).fetchall())
            plain.close()
    worst = max(one["peor_ms"] for one in (on_sqlite, on_postgres))
    return {
        "lineas": LINES,
        "sqlite": on_sqlite,
        "postgresql": on_postgres,
        "meta_ms": GOAL_MS,
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": worst < GOAL_MS,
    }


def _measure(url: str, folder: Path, plain: Callable[[str], list[Any]]) -> dict[str, Any]:
    migrate(url)
    database = Database(url)
    token = _seed(database)
    folder.mkdir()
    settings = load_settings({"RADICA_CHROMIUM": "/nonexistent"}, datos=str(folder))
    client = create_app(settings, database, fixed_clock(NOW)).test_client()
    client.set_cookie(SESSION_COOKIE, token)

    def ask(address: str) -> None:
        answer = client.get(address)
        if answer.status_code != 200 or b"FV" not in answer.get_data():
            raise SystemExit(f"la página {address} no salió: {answer.status_code}")

    figures = {name: _median_ms(partial(ask, address)) for name, address in PAGES.items()}
    floor = _median_ms(lambda: (plain(_ROWS), plain(_DAYS)))
    database.dispose()
    return {
        "paginas_ms": figures,
        "peor_ms": max(figures.values()),
        "suelo_sql_ms": floor,
        "razon_primera": round(figures["primera"] / floor, 1),
    }


def _median_ms(work: Callable[[], object]) -> float:
    work()  # the first one compiles templates and fills caches of the driver
    seconds = []
    for _ in range(ASKED):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return round(1000 * statistics.median(seconds), 1)


def _seed(database: Database) -> str:
    """Put lines of many days, payers, codes and values, and a person who may see them; return the session's secret."""
    with database.write() as session:
        session.add(Prestador(id=1, nit="900000001", nombre="IPS", estado=EstadoPrestador.ACTIVO, creado_at=NOW))
        for number in range(1, PAYERS + 1):
            session.add(Pagador(id=number, nit=f"80000000{number}", nombre=f"EPS {number}", tipo=TipoPagador.EPS))
        session.flush()
        person = create_user(session, correo="ana@norte.example", nombre="Ana", clave_hash="x", at=NOW, temporary=False)
        grant(session, usuario_id=person.id, prestador_id=1, roles=tuple(Rol), actor="medicion", at=NOW)
        insert_rows(session, Factura, [_invoice(number) for number in range(INVOICES)])
        token = open_session(session, person, NOW)
    for start in range(0, LINES, CHUNK):
        with database.write() as session:
            insert_rows(session, Glosa, [_glosa(number) for number in range(start, start + CHUNK)])
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    return token


def _invoice(number: int) -> dict[str, Any]:
    return {
        "id": number + 1, "prestador_id": 1, "pagador_id": number % PAYERS + 1, "numero": f"FV{number}",
        "numero_clave": f"FV{number}", "numero_digitos": str(number), "estado": EstadoFactura.RADICADA, "version": 0,
        "valor": 10**9, "nivel_prueba": 3, "radicado": f"R{number}", "creada_at": NOW, "fecha_radicacion": NOW,
    }  # fmt: skip


def _glosa(number: int) -> dict[str, Any]:
    code, cents = CODES[number % len(CODES)], 1_000 + number * 7919 % 900_000
    return {
        "prestador_id": 1, "factura_id": number % INVOICES + 1, "pagador_id": number % INVOICES % PAYERS + 1,
        "huella": hashlib.sha256(str(number).encode()).hexdigest(), "codigo": code, "codigo_original": code,
        "familia": code[:2], "manual": Manual.UNICO, "motivo": "Sin soporte de la atención", "servicio": "890201",
        "item_confianza": Confianza.NINGUNA, "valor_objetado": cents, "valor": cents, "exceso": 0, "aceptado": 0,
        "levantado": 0, "en_disputa": cents, "ronda": 1, "notificada_at": NOW, "notificada_segun": "correo",
        "extemporanea": number % 9 == 0, "turno": "ips", "vence": date(2026, 6, 25) + timedelta(days=number * 31 % 40),
        "vence_termino": "GLO-03", "creada_at": NOW, "estado": EstadoGlosa.FORMULADA, "version": 0,
    }  # fmt: skip
