"""Whether each invoice of the demonstration ended where it should, by our database and by the payers' own ledgers.

Invariant: the ledger of a portal is the oracle: an invoice counts as filed by a bot only when the payer holds exactly
one accepted submit of it under the radicado that we show; what was not to be filed must be in no ledger.
"""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.demo.casa import find_package
from radica.app.demo.data import MANUAL, NO_LISTA, RADICADA, RECHAZADA, SIN_NUMERO, DemoPackage
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.jobs.models import Job, JobState
from radica.kernel.errors import Unavailable
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.services import KIND_FILE, KIND_LOOK_UP
from radica.radicacion.states import ABIERTOS, POR_CONFIRMAR, EstadoEnvio, EstadoIntento

LIMIT_S = 20
UNSETTLED = (EstadoIntento.PREPARANDO, EstadoIntento.ENVIANDO, EstadoIntento.DESCONOCIDO)


@dataclass(frozen=True)
class Submits:
    """What a payer's ledger says of one invoice: submits received, accepted ones, and their numbers."""

    received: int = 0
    accepted: int = 0
    radicados: tuple[str, ...] = ()


@dataclass
class Verdict:
    """The figures of the demonstration's JSON line (without the time), and what did not end where it should."""

    figures: dict[str, Any]
    wrong: list[str] = field(default_factory=list)


def read_ledger(url: str) -> list[dict[str, Any]]:
    """Return the rows of a simulated portal's ledger. Raises Unavailable when it does not answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/__sim/ledger")
        rows: list[dict[str, Any]] = json.loads(connection.getresponse().read())["rows"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise Unavailable("Un portal simulado no contesta.", code="portal_simulado") from error
    finally:
        connection.close()
    return rows


def by_invoice(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Submits]:
    """Group ledger rows by provider's NIT and invoice."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((str(row["provider_nit"]), str(row["invoice"])), []).append(row)
    return {
        key: Submits(
            received=len(found),
            accepted=sum(bool(row["accepted"]) for row in found),
            radicados=tuple(str(row["radicado"]) for row in found if row["radicado"]),
        )
        for key, found in grouped.items()
    }


def pending(session: Session) -> int:
    """Count what is still under way: jobs of the bots, and attempts that neither ended nor wait for a person."""
    jobs = session.scalar(
        select(func.count())
        .select_from(Job)
        .where(Job.kind.in_([KIND_FILE, KIND_LOOK_UP]), Job.state.in_([JobState.READY, JobState.RUNNING]))
    )
    attempts = session.scalar(select(func.count()).select_from(Intento).where(Intento.estado.in_(UNSETTLED)))
    return (jobs or 0) + (attempts or 0)


def settled(session: Session) -> tuple[int, int]:
    """Return how many of the bots' envíos are not open any more, and how many there are."""
    total = session.scalar(select(func.count()).select_from(Envio).where(Envio.canal == "bot")) or 0
    open_ = select(func.count()).select_from(Envio).where(Envio.canal == "bot", Envio.estado.in_(ABIERTOS))
    return total - (session.scalar(open_) or 0), total


def judge(session: Session, packages: Sequence[DemoPackage], ledger: Sequence[dict[str, Any]]) -> Verdict:
    """Compare every package with the database and with the rows of all ledgers."""
    submits = by_invoice(ledger)
    levels: Counter[int] = Counter()
    states: Counter[str] = Counter()
    wrong: list[str] = []
    imported = refused = 0
    for package in packages:
        row = find_package(session, package)
        if row is None:
            wrong.append(f"{package.number}: no se importó")
            continue
        imported += 1
        levels[row.nivel_prueba] += 1
        rejected = _was_rejected(session, row)
        refused += rejected
        states[row.estado.value] += 1 if package.expected != RECHAZADA else row.estado is EstadoFactura.RADICADA
        problem = _problem(session, package, row, submits.get((package.provider_nit, row.numero), Submits()), rejected)
        if problem:
            wrong.append(f"{package.number} ({package.expected}): {problem}")
    unknown = session.scalar(select(func.count()).select_from(Intento).where(Intento.estado.in_(POR_CONFIRMAR))) or 0
    figures = {
        "importadas": imported,
        "radicadas": states[EstadoFactura.RADICADA.value],
        "no_listas": states[EstadoFactura.NO_LISTA.value] + states[EstadoFactura.INCOMPLETA.value],
        "rechazadas": refused,
        "recibidas_sin_numero": states[EstadoFactura.RECIBIDA_SIN_NUMERO.value],
        "por_confirmar": unknown,
        "duplicadas": sum(one.received - 1 for one in submits.values()),
        "nivel_prueba": {str(level): levels[level] for level in range(5)},
    }
    if figures["duplicadas"]:
        wrong.append(f"los portales recibieron {figures['duplicadas']} envíos repetidos")
    if unknown:
        wrong.append(f"{unknown} intentos quedaron por confirmar")
    return Verdict(figures, wrong)


def _problem(session: Session, package: DemoPackage, row: Factura, seen: Submits, rejected: bool) -> str:
    """Say what is wrong with one invoice; empty when it ended where it should."""
    state = row.estado
    if package.expected == RADICADA:
        if state is not EstadoFactura.RADICADA or row.nivel_prueba < 2:
            return f"quedó «{state.value}» con nivel {row.nivel_prueba}"
        if (seen.received, seen.accepted) != (1, 1) or seen.radicados != (row.radicado,):
            return f"el portal tiene {seen.received} envíos y los radicados {', '.join(seen.radicados) or 'ninguno'}"
        return ""
    if package.expected == NO_LISTA:
        if state not in (EstadoFactura.NO_LISTA, EstadoFactura.INCOMPLETA):
            return f"quedó «{state.value}»"
        return f"el portal tiene {seen.received} envíos" if seen.received else ""
    if package.expected == RECHAZADA:
        if not rejected or state is not EstadoFactura.NO_LISTA:
            return f"quedó «{state.value}»"
        return f"el portal aceptó {seen.accepted} envíos" if seen.accepted else ""
    if package.expected == SIN_NUMERO:
        if state is not EstadoFactura.RECIBIDA_SIN_NUMERO or row.nivel_prueba != 1:
            return f"quedó «{state.value}» con nivel {row.nivel_prueba}"
        return "" if (seen.received, seen.accepted) == (1, 1) else f"el portal tiene {seen.received} envíos"
    assert package.expected == MANUAL
    if seen.received:
        return "un portal la recibió y es de radicar a mano"
    if state is EstadoFactura.RADICADA:
        return "" if _by_hand(session, row) and row.nivel_prueba >= 2 else "no consta que se radicó a mano"
    return "" if state is EstadoFactura.LISTA else f"quedó «{state.value}»"


def _was_rejected(session: Session, row: Factura) -> bool:
    query = (
        select(Envio.id)
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .where(EnvioFactura.factura_id == row.id, Envio.estado == EstadoEnvio.RECHAZADO)
    )
    return session.scalars(query.limit(1)).first() is not None


def _by_hand(session: Session, row: Factura) -> bool:
    query = (
        select(Envio.id)
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .where(EnvioFactura.factura_id == row.id, Envio.canal == "mano", Envio.estado == EstadoEnvio.RADICADO)
    )
    return session.scalars(query.limit(1)).first() is not None
