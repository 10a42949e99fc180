"""A provider, a payer and the files that payers send, loaded as `radica glosas importar` does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from radica.custodia.store import FolderStore
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.intake import ResumenImportacion, ResumenNotificacion, importar
from radica.glosas.models import Acto, Devolucion, Glosa, LineaNotificada, Notificacion
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from tests import factories
from tests.plugins.glosas import LATER, filed

TITLES = {
    "factura": "FACTURA",
    "codigo": "CODIGO GLOSA",
    "valor": "VALOR GLOSA",
    "fecha": "FECHA GLOSA",
    "numero": "NUMERO GLOSA",
    "servicio": "CODIGO SERVICIO",
    "nombre": "DESCRIPCION SERVICIO",
    "paciente": "DOCUMENTO",
    "valor_servicio": "VALOR SERVICIO",
    "valor_factura": "VALOR FACTURA",
    "levantado": "VALOR LEVANTADO",
    "ratificado": "VALOR RATIFICADO",
    "estado": "ESTADO",
    "radicacion": "FECHA RADICACION",
    "motivo": "MOTIVO",
}


def row(
    factura: str, valor: str = "1000", codigo: str = "TA0801", fecha: str = "2026-06-16", **more: str
) -> dict[str, str]:
    """Return one objection as a file writes it; pesos, ISO dates."""
    return {"factura": factura, "codigo": codigo, "valor": valor, "fecha": fecha, **more}


def table(rows: Sequence[dict[str, str]], *, total: str | None = None) -> bytes:
    """Return a file of the generic layout."""
    names = [name for name in TITLES if any(name in one for one in rows)]
    lines = [";".join(TITLES[name] for name in names)]
    lines += [";".join(one.get(name, "") for name in names) for one in rows]
    if total is not None:
        lines.append(";".join({"factura": "TOTAL", "valor": total}.get(name, "") for name in names))
    return ("\n".join(lines) + "\n").encode()


class Notices:
    """A database with one provider and payer, a store, and files loaded into them."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.folder, self.store = db, folder, FolderStore(folder / "custodia")
        self.work = folder / "trabajo"
        self.work.mkdir()
        with db.write() as session:
            self.prestador: Prestador = factories.prestador(session)
            self.pagador: Pagador = factories.pagador(session)
        self.at = LATER
        self.files = 0

    def invoice(self, numero: str, **more: Any) -> Factura:
        """Add an invoice of the provider, filed with the payer."""
        with self.db.write() as session:
            return filed(session, **{"prestador": self.prestador, "pagador": self.pagador, "numero": numero, **more})

    def load(self, data: bytes | Sequence[dict[str, str]], name: str | None = None, **more: Any) -> ResumenImportacion:
        """Load one file."""
        self.files += 1
        path = self.folder / f"archivo{self.files}"
        path.write_bytes(data if isinstance(data, bytes) else table(data))
        given: dict[str, Any] = {
            "prestador_id": self.prestador.id, "pagador_nit": self.pagador.nit, "origen": "archivo",
            "recibida_at": None, "actor": "prueba", "clock": fixed_clock(self.at), "workdir": self.work, **more,
        }  # fmt: skip
        return importar(self.db, self.store, path, nombre=name or f"glosas{self.files}.csv", **given)

    def one(self, data: bytes | Sequence[dict[str, str]], name: str | None = None, **more: Any) -> ResumenNotificacion:
        """Load a file that is one notice."""
        (only,) = self.load(data, name, **more).notificaciones
        return only

    def rows(self, model: type[Any]) -> list[Any]:
        """Return all rows of a table, oldest first."""
        with self.db.read() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def glosas(self) -> list[Glosa]:
        return self.rows(Glosa)

    def lineas(self) -> list[LineaNotificada]:
        return self.rows(LineaNotificada)

    def tray(self) -> list[tuple[str, str | None]]:
        """Return destino and razon of the lines that wait for a person."""
        waiting = ("sin_cruzar", "por_decidir", "no_leida")
        return [(one.destino.value, one.razon) for one in self.lineas() if one.destino in waiting]

    def money(self) -> tuple[int, int]:
        """Return how many glosas there are and what they count for, in centavos."""
        with self.db.read() as session:
            count, cents = session.execute(select(func.count(), func.sum(Glosa.valor))).one()
        return int(count), int(cents or 0)

    def counts(self) -> dict[str, int]:
        with self.db.read() as session:
            tables = (Notificacion, LineaNotificada, Glosa, Devolucion, Acto)
            return {one.__name__: session.scalar(select(func.count()).select_from(one)) or 0 for one in tables}

    def at_time(self, at: datetime) -> None:
        """Move the clock."""
        self.at = at


@pytest.fixture
def notices(db: Database, tmp_path: Path) -> Notices:
    return Notices(db, tmp_path)
