"""A house with things in custody: invoices that moved, their evidence in an encrypted store, and a seal over them.

`by_hand` is the attacker with the database in his hands: triggers and foreign keys off, one statement, nothing else.
"""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from radica.audit.services import advance, record_reading
from radica.custodia.keyring import KeyRing
from radica.custodia.sellos import seal_heads
from radica.custodia.services import Kept, seal
from radica.custodia.store import FolderStore
from radica.custodia.verificar import PERSONA, Medios, Resumen, findings, run, start
from radica.custodia.verificar_base import Alcance
from radica.facturas.models import Factura
from radica.facturas.states import EventoFactura
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from tests import factories
from tests.factories import NOW


@dataclass
class Custody:
    """What a test looks at: ids of invoices, of the provider, and the addresses of their evidence."""

    db: Database
    store: FolderStore
    prestador: int
    facturas: list[int]
    hashes: list[str]

    def verify(self, scope: Alcance | None = None, **more: Any) -> tuple[Resumen, list[tuple[str, str, str]]]:
        """Verify, and return how it ended with (tipo, gravedad, objeto) of each finding."""
        number = start(self.db, scope or Alcance(), origen=PERSONA, actor="prueba", at=NOW)
        ended = run(self.db, self.store, number, clock=fixed_clock(NOW), medios=Medios(), **more)
        return ended, self.found(number)

    def verify_with(self, means: Medios) -> list[tuple[str, str, str]]:
        """Verify everything with other means, and return the findings."""
        number = start(self.db, Alcance(), origen=PERSONA, actor="prueba", at=NOW)
        run(self.db, self.store, number, clock=fixed_clock(NOW), medios=means)
        return self.found(number)

    def move(self, factura: int) -> None:
        """Move an invoice once more, and seal what is new."""
        with self.db.write() as session:
            row = session.get_one(Factura, factura)
            advance(session, row, EventoFactura.CANCELAR_ENVIO, actor="prueba", at=NOW, reason="decision_de_persona")
        with self.db.write() as session:
            assert seal_heads(session, at=NOW) is not None

    def found(self, number: int) -> list[tuple[str, str, str]]:
        """Return (tipo, gravedad, objeto) of each finding of a verification."""
        with self.db.read() as session:
            return [(one.tipo.value, one.gravedad.value, one.objeto) for one in findings(session, number)]

    def by_hand(self, statement: str, *values: Any) -> int:
        """Change the database past triggers and foreign keys; `?` stands for a value. Returns the rows touched."""
        if self.db.is_sqlite:
            with sqlite3.connect(self.db.url.removeprefix("sqlite:///"), isolation_level=None) as raw:
                names = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
                raw.execute("PRAGMA foreign_keys=OFF")
                for name, _ in names:
                    raw.execute(f'DROP TRIGGER "{name}"')
                touched = raw.execute(statement, values).rowcount
                for _, sql in names:
                    raw.execute(sql)
            raw.close()
            return touched
        with psycopg.connect(self.db.url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as server:
            server.execute("SET session_replication_role = replica")
            return server.execute(statement.replace("?", "%s"), values).rowcount


@pytest.fixture
def custody(db: Database, tmp_path: Path) -> Custody:
    """Return three invoices with two links and a piece each, a reading, and one seal over all of it."""
    store = FolderStore(tmp_path / "custodia", KeyRing(tmp_path / "claves", tmp_path / "custodia"))
    stored = [store.put(io.BytesIO(f"prueba {number}".encode() * 500)) for number in range(3)]
    facturas = []
    with db.write() as session:
        owner, payer = factories.prestador(session), factories.pagador(session)
        for one in stored:
            row = factories.factura(session, owner, payer)
            kept = [Kept("acuse.pdf", "acuse", "", one)]
            seal(
                session, kept, prestador_id=owner.id, case_key=row.case_key, group_key="", origen="persona",
                actor="prueba", at=NOW,
            )  # fmt: skip
            advance(
                session, row, EventoFactura.ABRIR_ENVIO, actor="prueba", at=NOW, reason="orden_de_persona",
                note="nota de la orden", evidence=[one.sha256],
            )  # fmt: skip
            facturas.append(row.id)
        record_reading(
            session, prestador_id=owner.id, actor="prueba", action="ver", purpose="auditoria", object_="pieza:1", at=NOW
        )
    with db.write() as session:
        assert seal_heads(session, at=NOW) is not None
    return Custody(db, store, owner.id, facturas, [one.sha256 for one in stored])
