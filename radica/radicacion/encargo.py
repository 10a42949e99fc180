"""The order to prepare the files of an envío in the background, where a person would wait too long for them.

Invariant: an order tells for which documents and rules it is (`huella`), so that one that ended is believed only while
nothing of that changed; why a package cannot be met stands in the order that found it, without names of files.
Norms: Res. 2284/2023 annexes 1 and 2.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.jobs.models import Job, JobState
from radica.jobs.queue import enqueue
from radica.radicacion.entrega import perfil_de, sources_of
from radica.radicacion.models import Envio
from radica.radicacion.preparar import VERSION, Preparado
from radica.radicacion.services import facturas_of

KIND_PREPARE = "preparar_paquete"
REFUSED = "paquete_no_cumple"
PRIORITY = 40
"""Before what the clock orders: a person waits."""
_MAX_WORDS = 4_000


class EstadoEncargo(StrEnum):
    """How an order stands."""

    EN_CURSO = "en_curso"
    HECHO = "hecho"
    NO_CUMPLE = "no_cumple"


@dataclass(frozen=True)
class Encargo:
    """The last order for the documents and rules of today; `dicho` are the reasons, one a line, when it cannot be met."""

    estado: EstadoEncargo
    dicho: str = ""


def huella(session: Session, envio: Envio) -> str:
    """Return what a preparation depends on, as one hash: documents in force, the payer's rules, the programs' versions."""
    papers = [[astuple(one)[:5] for one in sources_of(session, row)] for row in facturas_of(session, envio)]
    said = json.dumps([papers, repr(perfil_de(session, envio)), VERSION])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def order(session: Session, envio: Envio) -> int:
    """Order the preparation of an envío; while one for the same documents waits or runs no second one is made."""
    of = huella(session, envio)
    return enqueue(
        session,
        KIND_PREPARE,
        payload={"envio_id": envio.id, "huella": of},
        subject=_subject(envio),
        priority=PRIORITY,
        max_attempts=2,
        dedup=f"{_subject(envio)}:{of}",
    )


def last(session: Session, envio: Envio) -> Encargo | None:
    """Return the last order for these documents and rules; None when there is none, or it broke off and may be repeated."""
    of = huella(session, envio)
    jobs = session.scalars(select(Job).where(Job.subject == _subject(envio)).order_by(Job.id.desc()).limit(10))
    job = next((one for one in jobs if one.payload.get("huella") == of), None)
    if job is None:
        return None
    if job.state in (JobState.READY, JobState.RUNNING):
        return Encargo(EstadoEncargo.EN_CURSO)
    if job.state is JobState.DONE:
        return Encargo(EstadoEncargo.HECHO)
    return Encargo(EstadoEncargo.NO_CUMPLE, job.error or "") if job.error_code == REFUSED else None


def words(done: Preparado) -> str:
    """Return why a package cannot be met, a line each; a file's name may carry a patient's document and stays out."""
    return "\n".join(dict.fromkeys(one.motivo for one in done.rechazos))[:_MAX_WORDS]


def _subject(envio: Envio) -> str:
    return f"paquete:{envio.id}"
