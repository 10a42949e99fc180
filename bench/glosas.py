"""A payer's Excel of 100,000 objections: read, then matched to invoices and services of their RIPS, and stored.

Floors of the same run, each side in a process of its own: the rows that the Excel library alone gives in a second, and
the rows that our import left, put again with `executemany` into a fresh database of the same schema. Memory is the
peak of the process that imports.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.app.schema import migrate
from radica.custodia.services import record_blobs
from radica.custodia.store import FolderStore
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.glosas import intake
from radica.glosas.lectura.leer import leer_archivo
from radica.kernel.clock import BOGOTA, civil_date, fixed_clock
from radica.kernel.db import Database, insert_rows

LINES = 100_000
PER_INVOICE = 100
GOAL_READ, GOAL_STORED, GOAL_MB = 30_000, 3_000, 400
FILED, NOTICED = datetime(2026, 6, 1, 8, tzinfo=BOGOTA), datetime(2026, 6, 16, 9, tzinfo=BOGOTA)
NOW = datetime(2026, 6, 18, 9, tzinfo=BOGOTA)
TITLES = (
    "NUMERO_FACTURA", "CODIGO_GLOSA_DEV", "VALOR_GLOSA_DEV", "VALOR_TOTAL_FACTURA", "FECHA_HORA_GLOSA",
    "FECHA_HORA_RADICACION", "NUMERO_GLOSA_DEV", "NUMERO_RADICACION", "CODIGO_SERVICIO", "DESCRIPCION_SERVICIO",
    "DESCRIPCION_GLOSA_DEV", "OBSERVACION",
)  # fmt: skip
CODES = ("TA0801", "SO3401", "FA0201", "AU0101", "CO0601")
WRITTEN = ("glosas", "actos", "transitions", "chain_heads", "lineas_notificadas", "items_factura")
"""Tables that the import fills, in an order in which their rows may be put again."""
FILE = "Registro_Informacion.xlsx"


def run() -> dict[str, Any]:
    """Measure; `cumple` says whether the three goals are met and every line became a glosa with its service."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        _write_file(folder / FILE)
        read, plain = _child("leer", folder), _child("suelo_leer", folder)
        stored = _child("cargar", folder)
        again = _child("suelo_cargar", folder)
    read_s, stored_s = LINES / read["s"], LINES / stored["s"]
    whole = stored["nuevas"] == LINES and stored["con_servicio"] == LINES and read["lineas"] == LINES
    return {
        "lineas": LINES,
        "leidas_por_segundo": round(read_s),
        "suelo_filas_por_segundo": round(LINES / plain["s"]),
        "razon_leer": round(plain["s"] / read["s"], 2),
        "cargadas_por_segundo": round(stored_s),
        "suelo_cargadas_por_segundo": round(LINES / again["s"]),
        "filas_por_linea": round(again["filas"] / LINES, 2),
        "razon_cargar": round(again["s"] / stored["s"], 2),
        "cpu_ms_por_linea": {"leer": read["cpu_ms"], "cargar": stored["cpu_ms"]},
        "memoria_mb": {"leer": read["mb"], "cargar": stored["mb"]},
        "mayor_pausa_entre_avances_s": stored["pausa_s"],
        "metas": {"leidas": GOAL_READ, "cargadas": GOAL_STORED, "memoria_mb": GOAL_MB},
        "completas": whole,
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": whole and read_s >= GOAL_READ and stored_s >= GOAL_STORED and stored["mb"] < GOAL_MB,
    }


def _write_file(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Hoja1")
    sheet.write_row(0, 0, TITLES)
    for number in range(LINES):
        invoice, service = divmod(number, PER_INVOICE)
        row = (
            _numero(invoice), CODES[number % len(CODES)], 1_000 + number % 997, 50_000_000, f"{NOTICED:%Y-%m-%d %H:%M:%S}",
            f"{FILED:%Y-%m-%d %H:%M:%S}", f"G{number}", f"R{invoice}", _servicio(service), "CONSULTA DE CONTROL",
            "El servicio no tiene soporte", "Revisar la historia clinica y la tarifa pactada en el contrato vigente",
        )  # fmt: skip
        sheet.write_row(number + 1, 0, row)
    book.close()


def _numero(invoice: int) -> str:
    return f"FV{100_000 + invoice}"


def _servicio(service: int) -> str:
    return str(890_200 + service)


def _child(role: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.glosas", role, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        sys.exit(f"{role}: {done.stderr.strip()[-400:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


# --- In the processes ---------------------------------------------------------------------------------------------


def _leer(folder: Path) -> dict[str, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    (reading,) = leer_archivo(folder / FILE, nombre=FILE, hoy=civil_date(NOW))
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    return {"s": seconds, "lineas": len(reading.lineas), "cpu_ms": round(1000 * used / LINES, 3), "mb": _peak_mb()}


def _suelo_leer(folder: Path) -> dict[str, Any]:
    start = time.perf_counter()
    with CalamineWorkbook.from_path(folder / FILE) as book:
        rows = sum(1 for _ in book.get_sheet_by_name("Hoja1").iter_rows())
    assert rows == LINES + 1
    return {"s": time.perf_counter() - start}


def _cargar(folder: Path) -> dict[str, Any]:
    """Import as `radica glosas importar` does; the time counts from the end of the reading."""
    url = f"sqlite:///{folder / 'radica.sqlite'}"
    migrate(url)
    db, store = Database(url), FolderStore(folder / "custodia")
    _seed(db, store)
    moments: list[float] = []
    read: dict[str, float] = {}

    def reading(*args: Any, **options: Any) -> Any:
        found = leer_archivo(*args, **options)
        read.update(wall=time.perf_counter(), cpu=time.process_time())
        return found

    vars(intake)["leer_archivo"] = reading
    done = intake.importar(
        db, store, folder / FILE, nombre=FILE, prestador_id=1, pagador_nit=None, origen="archivo", recibida_at=None,
        actor="medicion", clock=fixed_clock(NOW), workdir=folder,
        progress=lambda _done, _of: moments.append(time.perf_counter()),
    )  # fmt: skip
    seconds, used = time.perf_counter() - read["wall"], time.process_time() - read["cpu"]
    db.dispose()
    base = sqlite3.connect(folder / "radica.sqlite")
    (matched,) = base.execute("SELECT count(*) FROM glosas WHERE item_id IS NOT NULL").fetchone()
    base.close()
    pauses = [after - before for before, after in zip([read["wall"], *moments], moments, strict=False)]
    return {
        "s": seconds, "nuevas": done.notificaciones[0].nuevas, "con_servicio": matched, "mb": _peak_mb(),
        "cpu_ms": round(1000 * used / LINES, 3), "pausa_s": round(max(pauses), 2),
    }  # fmt: skip


def _seed(db: Database, store: FolderStore) -> None:
    """Put the invoices of the file, filed, each with a RIPS of its services in custody."""
    count = LINES // PER_INVOICE
    with db.write() as session:
        session.add(Prestador(id=1, nit="900000001", nombre="IPS", estado=EstadoPrestador.ACTIVO, creado_at=FILED))
        session.add(Pagador(id=1, nit="900156264", nombre="Nueva EPS", tipo=TipoPagador.EPS))
        session.flush()
        insert_rows(session, Factura, [_invoice(number) for number in range(count)])
        kept = [store.put(io.BytesIO(_rips(number))) for number in range(count)]
        record_blobs(session, kept, at=FILED)
        documents = [
            {
                "prestador_id": 1, "factura_id": number + 1, "sha256": one.sha256, "bytes": one.bytes, "sigla": "",
                "nombre": "rips.json", "tipo": TipoDocumento.RIPS, "media_type": "application/json", "datos": {},
                "vigente": True, "cargado_at": FILED, "cargado_por": "medicion",
            }
            for number, one in enumerate(kept)
        ]  # fmt: skip
        insert_rows(session, Documento, documents)


def _invoice(number: int) -> dict[str, Any]:
    return {
        "id": number + 1, "prestador_id": 1, "pagador_id": 1, "numero": _numero(number),
        "numero_clave": _numero(number), "numero_digitos": _numero(number)[2:], "estado": EstadoFactura.RADICADA,
        "version": 0, "valor": 5_000_000_000, "nivel_prueba": 3, "radicado": f"R{number}", "creada_at": FILED,
        "fecha_radicacion": FILED, "expedida_at": FILED,
    }  # fmt: skip


def _rips(number: int) -> bytes:
    """Return a RIPS whose services have each a code of their own."""
    services = [
        {"consecutivo": n + 1, "codConsulta": _servicio(n), "vrServicio": 50_000, "valorPagoModerador": 0}
        for n in range(PER_INVOICE)
    ]
    user = {"numDocumentoIdentificacion": "1098765432", "consecutivo": 1, "servicios": {"consultas": services}}
    document = {"numDocumentoIdObligado": "900000001", "numFactura": _numero(number), "usuarios": [user]}
    return json.dumps(document).encode()


def _suelo_cargar(folder: Path) -> dict[str, Any]:
    """Put the rows that the import left into a fresh database of the same schema, in batches of as many lines."""
    target = folder / "suelo.sqlite"
    migrate(f"sqlite:///{target}")
    source = sqlite3.connect(folder / "radica.sqlite")
    base = sqlite3.connect(target, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    tables = [(table, source.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()) for table in WRITTEN]  # noqa: S608
    start = time.perf_counter()
    for begin in range(0, LINES, intake.BATCH):
        base.execute("BEGIN IMMEDIATE")
        for table, rows in tables:
            part = rows[begin : begin + intake.BATCH]
            if part:
                places = ",".join("?" * len(part[0]))
                base.executemany(f"INSERT INTO {table} VALUES ({places})", part)  # noqa: S608
        base.execute("COMMIT")
    seconds = time.perf_counter() - start
    base.close()
    source.close()
    return {"s": seconds, "filas": sum(len(rows) for _, rows in tables)}


def _peak_mb() -> int:
    """Return the most memory that this process ever held, in MB (Linux counts it in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


ROLES = {"leer": _leer, "suelo_leer": _suelo_leer, "cargar": _cargar, "suelo_cargar": _suelo_cargar}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(ROLES[sys.argv[1]](Path(sys.argv[2]))))
