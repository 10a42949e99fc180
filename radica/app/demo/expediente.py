"""The demonstration's dossier: ordered like any other, made by its workers, judged by the verifier of this installation.

Invariant: the verdict is the published verifier's over the ZIP that lies in custody; nothing of the making is asked.
Norm: CGP art. 422.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.backends import open_store
from radica.entidades.models import Prestador
from radica.kernel.clock import Clock, civil_date
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.prejuridico.bolsa_zip import unpack_bag
from radica.prejuridico.candidatas import candidates
from radica.prejuridico.models import Expediente, Via
from radica.prejuridico.services import solicitar
from radica.prejuridico.states import EstadoExpediente
from radica.prejuridico.verificador import verificar

LIMIT_S = 120.0
POLL_S = 0.3
MOST = 4
"""Invoices of the dossier: enough to see what one holds."""


def order_dossier(database: Database, *, clock: Clock) -> int | None:
    """Order a dossier of what one payer owes one provider, and return its id; None when nothing was filed.

    One that was made before (a demonstration taken up again) is taken as it is.
    """
    with database.write() as session:
        made = session.scalar(select(Expediente.id).order_by(Expediente.id).limit(1))
        if made is not None:
            return made
        chosen = _owed(session, clock)
        if not chosen:
            return None
        row = solicitar(
            session, chosen, via=Via.EJECUTIVO, corte=civil_date(clock()), actor="demo", at=clock(),
        )  # fmt: skip
        return row.id


def _owed(session: Session, clock: Clock) -> list[int]:
    """Return the invoices of the pair of provider and payer that has most of them."""
    providers = frozenset(session.scalars(select(Prestador.id)))
    pairs: dict[tuple[int, int], list[int]] = defaultdict(list)
    for one in candidates(session, providers, civil_date(clock())):
        if one.factura.pagador_id is not None:
            pairs[one.factura.prestador_id, one.factura.pagador_id].append(one.factura.id)
    _, most = max(((len(ids), sorted(ids)) for ids in pairs.values()), default=(0, []))
    return most[:MOST]


def await_dossier(database: Database, expediente_id: int, *, stop: Event, watch: Callable[[], None]) -> Expediente:
    """Wait until the workers made it or said why not; `watch` looks after them. Returns it as it then stands."""
    limit = time.monotonic() + LIMIT_S
    while True:
        watch()
        with database.read() as session:
            row = session.get_one(Expediente, expediente_id)
            session.expunge(row)
        if row.estado is not EstadoExpediente.SOLICITADO or time.monotonic() > limit or stop.wait(POLL_S):
            return row


def judge_dossier(settings: Settings, row: Expediente) -> tuple[dict[str, Any], list[str]]:
    """Run the verifier over the dossier's ZIP; return its figures, and what is wrong with them."""
    if row.bolsa_sha256 is None:
        told = row.problema or row.avance.get("texto", "")
        return {"veredicto": None, "demostracion": True, "folios": 0}, [f"el expediente no quedó listo: {told}"]
    with (
        open_store(settings).local(row.bolsa_sha256) as packed,
        tempfile.TemporaryDirectory(dir=settings.incoming, prefix="expediente-") as place,
    ):
        report = verificar.verificar(unpack_bag(packed, Path(place)))
    verdict = report.veredicto()
    # Without openssl the signature of a time stamp is not checked, and the verifier does not call that valid.
    good = verificar.VALIDA if shutil.which("openssl") else verificar.SIN_FIRMA
    wrong = [] if verdict == good else [f"el expediente se comprobó y salió {verdict}"]
    wrong += [f"{one['archivo']}: {one['que']}" for one in report.hallazgos[:5] if wrong]
    figures = {"veredicto": verdict, "demostracion": report.demostracion, "folios": row.resumen.get("folios", 0)}
    return figures, wrong
