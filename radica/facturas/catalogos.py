"""The large official tables (CUPS, CIE-10) of the house: loading a version, and the ones that rule.

Invariant: the bytes of every version stay in custody and its row is only added; the version that was loaded last rules;
the same file again adds nothing. Unfiled invoices that were judged before it are judged again. Norm: tables of SISPRO
that MUV technical document 1 names.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from radica.custodia.services import record_blobs
from radica.custodia.store import Store
from radica.facturas.juicio import olvidar_anteriores
from radica.facturas.validacion.tablas import (
    MAX_CATALOGO_BYTES,
    VACIOS,
    Catalogos,
    actualizada,
    leer_cie10,
    leer_cups,
)
from radica.facturas.validacion_models import CatalogoCargado
from radica.kernel.db import Database
from radica.kernel.errors import BadInput

LECTORES: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {"cups": leer_cups, "cie10": leer_cie10}
"""Reader of each catalogue that can be loaded, by its name."""
_KEPT = 4
"""Versions read that a process keeps: two tables, and the two before while a new one comes."""


@dataclass(frozen=True)
class CargaCatalogo:
    """What became of a file: its version of the table, whether it was new, and whether it is the one that rules."""

    nombre: str
    sha256: str
    filas: int
    version: str
    nueva: bool
    rige: bool


def cargar_catalogo(
    database: Database, store: Store, nombre: str, path: Path, *, actor: str, at: datetime
) -> CargaCatalogo:
    """Load a version of a table (`cups`, `cie10`). Raises BadInput when the file is not that table; nothing is kept then."""
    data = _bytes(path)
    rows = len(LECTORES[nombre](data))
    stored = store.put(io.BytesIO(data), limit=MAX_CATALOGO_BYTES)
    with database.write() as session:
        record_blobs(session, [stored], at=at)
        new = _add(session, nombre=nombre, sha256=stored.sha256, filas=rows, version=actualizada(data),
                   cargado_at=at, cargado_por=actor)  # fmt: skip
        row = session.scalars(
            select(CatalogoCargado).where(CatalogoCargado.nombre == nombre, CatalogoCargado.sha256 == stored.sha256)
        ).one()
        ruling = vigentes(session)[nombre]
        done = CargaCatalogo(nombre, row.sha256, row.filas, row.version, new, ruling.id == row.id)
    if done.rige:
        olvidar_anteriores(database, row.cargado_at)
    return done


def _add(session: Session, **values: Any) -> bool:
    """Add a version; False when it is there, also when another process loads the same file right now."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(CatalogoCargado).values(values).on_conflict_do_nothing().returning(CatalogoCargado.id)
    return session.execute(made).scalar_one_or_none() is not None


def vigentes(session: Session) -> dict[str, CatalogoCargado]:
    """Return the version that rules of each table that was loaded, by name."""
    last = select(func.max(CatalogoCargado.id)).group_by(CatalogoCargado.nombre)
    return {row.nombre: row for row in session.scalars(select(CatalogoCargado).where(CatalogoCargado.id.in_(last)))}


def catalogos_de_casa(session: Session, store: Store) -> Catalogos:
    """Return the tables that rule, read once per process and version; without any, `VACIOS`.

    Raises what the store raises when the bytes cannot be read: a lost catalogue is never taken for none.
    """
    found = vigentes(session)
    if not found:
        return VACIOS
    read = {nombre: _read(store, nombre, row.sha256) for nombre, row in found.items() if nombre in LECTORES}
    return Catalogos(
        cups=read.get("cups"),
        cie10=read.get("cie10"),
        versiones={nombre: row.version or row.sha256[:12] for nombre, row in found.items()},
    )


_read_already: dict[tuple[str, str], Mapping[str, Any]] = {}


def _read(store: Store, nombre: str, sha256: str) -> Mapping[str, Any]:
    """Read a version; what it holds is named by its hash, whatever store it comes from."""
    key = (nombre, sha256)
    if key not in _read_already:
        table = LECTORES[nombre](store.read(sha256))
        if len(_read_already) >= _KEPT:
            _read_already.clear()
        _read_already[key] = table
        return table
    return _read_already[key]


def _bytes(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size <= MAX_CATALOGO_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    raise BadInput(
        f"No se puede leer {path} como catálogo.", todo="Indique el CSV descargado de SISPRO.", code="archivo_malo"
    )
