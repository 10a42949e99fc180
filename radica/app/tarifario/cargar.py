"""Load a price list: read it, keep its file in custody, store its version; or make one out of a base list.

Invariant: the file is in custody before any transaction opens, and its hash stands in the version; loading the same
again adds nothing; rows refused are told and never stop the others; unfiled invoices are judged by the new prices.
Norm: Decreto 441 de 2022 (annexes of agreements).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from radica.app.tarifario.leer import Leido, Rechazo, leer_tarifario
from radica.custodia.services import Kept, seal
from radica.custodia.store import Store
from radica.entidades import tarifarios
from radica.entidades.contratos_models import Contrato, Tarifario
from radica.entidades.tarifarios import Condiciones
from radica.facturas.juicio import olvidar_anteriores
from radica.facturas.texts import base_name
from radica.kernel.db import Database

_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Cargado:
    """What became of a file: the version, whether it is new, and the rows that were refused."""

    tarifario_id: int
    version: int
    nueva: bool
    filas: int
    rechazados: int
    rechazos: Sequence[Rechazo]
    avisos: Sequence[str]


def cargar_archivo(
    database: Database,
    store: Store,
    path: Path,
    condiciones: Condiciones,
    *,
    prestador_id: int,
    contrato_id: int | None,
    nombre: str,
    actor: str,
    at: datetime,
    leido: Leido | None = None,
) -> Cargado:
    """Load a file into a contract, or as a base list without one. Raises Unreadable and BadInput."""
    read = leido or leer_tarifario(path)
    stored = store.put_file(path)
    label = (_PLAIN.sub("-", base_name(nombre)).strip(".-") or "tarifario")[-100:]
    kept = Kept(label if label[0].isalnum() else f"t{label}", "tarifario", base_name(nombre)[:200], stored)
    with database.write() as session:
        contract = session.get_one(Contrato, contrato_id) if contrato_id is not None else None
        row, new = tarifarios.cargar(
            session, contract, condiciones, read.filas, prestador_id=prestador_id, sha256=stored.sha256, actor=actor,
            at=at,
        )  # fmt: skip
        case = f"contrato:{contrato_id}" if contrato_id is not None else f"tarifas:{prestador_id}"
        seal(
            session, [kept], prestador_id=prestador_id, case_key=case, group_key="tarifarios", origen="persona",
            actor=actor, at=at,
        )  # fmt: skip
        done = _done(row, new, read)
    _judge_again(database, row, contract)
    return done


def cargar_de_base(
    database: Database, contrato_id: int, condiciones: Condiciones, *, actor: str, at: datetime
) -> Cargado:
    """Make a version for a contract out of the provider's base list in force on its first day. Raises BadInput."""
    with database.write() as session:
        contract = session.get_one(Contrato, contrato_id)
        base = tarifarios.base_del_dia(session, contract.prestador_id, condiciones.base, condiciones.desde)
        row, new = tarifarios.cargar(
            session, contract, replace(condiciones), tarifarios.filas_de(session, base),
            prestador_id=contract.prestador_id, sha256=base.sha256, origen_id=base.id, actor=actor, at=at,
        )  # fmt: skip
        done = _done(row, new, Leido())
    _judge_again(database, row, contract)
    return done


def _judge_again(database: Database, row: Tarifario, contract: Contrato | None) -> None:
    """Have the unfiled invoices of a contract compared with its new prices; a base list applies to none."""
    if contract is not None:
        olvidar_anteriores(database, row.cargado_at, prestador_id=contract.prestador_id, pagador_id=contract.pagador_id)


def _done(row: Tarifario, new: bool, read: Leido) -> Cargado:
    return Cargado(row.id, row.version, new, row.filas, read.rechazados, tuple(read.rechazos), tuple(read.avisos))
