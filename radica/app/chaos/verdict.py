"""The judgement of a chaos drill: what the portals' ledgers received against what the house believes.

Invariant: the ledger is the oracle; `dobles`, `perdidos` and `desconocidos_al_final` are counted from it and from the
database, never from the drill's own memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from radica.facturas.models import Factura
from radica.kernel.db import Database
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.states import ABIERTOS, EstadoEnvio, EstadoIntento
from radica.users.models import Tarea


@dataclass(frozen=True)
class Standing:
    """How far the envíos are: open ones that no person was asked about, those a person was asked about, closed."""

    abiertos: int
    espera_persona: int
    cerrados: int
    desconocidos: int


def standing(db: Database) -> Standing:
    """Count the envíos."""
    with db.read() as session:
        asked = set(session.scalars(select(Tarea.case_key).where(Tarea.cerrada_at.is_(None))))
        envios = list(session.scalars(select(Envio)))
        unknown = session.scalar(
            select(func.count()).select_from(Intento).where(Intento.estado == EstadoIntento.DESCONOCIDO)
        )
    open_ = [envio for envio in envios if envio.estado in ABIERTOS]
    waiting = [envio for envio in open_ if envio.case_key in asked]
    return Standing(len(open_) - len(waiting), len(waiting), len(envios) - len(open_), unknown or 0)


def doubles(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return submits received beyond the first of each (NIT, invoice, act), accepted or not."""
    counts = Counter((row["nit"], row["invoice"], row["act"]) for row in rows)
    return sum(count - 1 for count in counts.values())


def lost(db: Database, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the invoices that nobody will look after, or about which house and ledger disagree."""
    filed: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["accepted"]:
            filed[row["invoice"]].add(row["radicado"] or "")
    missing = []
    with db.read() as session:
        asked = set(session.scalars(select(Tarea.case_key).where(Tarea.cerrada_at.is_(None))))
        pairs = session.execute(
            select(Factura, Envio)
            .join(EnvioFactura, EnvioFactura.factura_id == Factura.id)
            .join(Envio, Envio.id == EnvioFactura.envio_id)
        ).all()
    for factura, envio in pairs:
        known = filed.get(factura.numero, set())
        if envio.estado is EstadoEnvio.RADICADO:
            agrees = envio.radicado in known
        elif envio.estado in ABIERTOS:
            agrees = envio.case_key in asked
        else:
            agrees = not known
        if not agrees:
            missing.append(factura.numero)
    return sorted(missing)
