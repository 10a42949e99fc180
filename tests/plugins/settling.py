"""One envío in the hands of bots without a browser: real queue, services, custody and folders, on either database.

What a bot would say is given as its result; clocks are moved by writing the columns that hold them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bots import contract
from bots.contract import Operation, Outcome, Result
from radica.app.demo.catalog import P2
from radica.app.filing.run import apply_sealed
from radica.app.house import House
from radica.custodia.models import Pieza
from radica.custodia.services import Kept, seal
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane
from radica.jobs.queue import Claimed, Done, claim_next, finish_in, reap
from radica.kernel.money import plain
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account
from radica.radicacion.attempts import begin_attempt, lock_attempt, record_intent
from radica.radicacion.models import Envio, Intento
from radica.radicacion.outcomes import Decision
from radica.radicacion.services import KIND_FILE, KIND_LOOK_UP, order_filings
from radica.radicacion.settle import record_fence, record_reading, settle
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea, Tarea
from tests import factories
from tests.plugins import filing

BOT = contract.Bot("prueba", "1", "1")
RADICADO = "RAD-900123456_20261121_101500"


def said(outcome: Outcome, **values: Any) -> Result:
    """Return what a filing bot answers, with the fields that its outcome must bring."""
    needed: dict[Outcome, dict[str, Any]] = {
        Outcome.ACCEPTED: {"radicado": RADICADO, "text": "Radicada", "confidence": contract.Confidence.ALTA},
        Outcome.REJECTED: {"reason": "El contrato no está vigente."},
        Outcome.DUPLICATE: {"text": "La factura ya fue radicada."},
        Outcome.NOT_SUBMITTED: {"category": contract.Category.RETRY, "code": "portal_caido", "message": "Caído."},
        Outcome.UNKNOWN: {"code": "sin_respuesta", "message": "No respondió."},
        Outcome.STOPPED: {"why": "orden de terminar"},
    }
    return Result(Operation.RADICAR, outcome, BOT, **{**needed[outcome], **values})


@dataclass
class Desk:
    """A house and one envío of one or more invoices at one account."""

    house: House
    facturas: list[int]
    envio_id: int
    cuenta_id: int
    lane_id: int

    def envio(self) -> Envio:
        with self.house.db.read() as session:
            return session.get_one(Envio, self.envio_id)

    def attempts(self) -> list[Intento]:
        with self.house.db.read() as session:
            return list(
                session.scalars(select(Intento).where(Intento.envio_id == self.envio_id).order_by(Intento.numero))
            )

    def states(self) -> set[EstadoFactura]:
        with self.house.db.read() as session:
            return set(session.scalars(select(Factura.estado).where(Factura.id.in_(self.facturas))))

    def jobs(self, kind: str = KIND_FILE) -> list[JobState]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Job.state).where(Job.kind == kind).order_by(Job.id)))

    def tasks(self) -> list[ClaseTarea]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Tarea.clase).where(Tarea.cerrada_at.is_(None)).order_by(Tarea.id)))

    def busy(self) -> int | None:
        with self.house.db.read() as session:
            return session.get_one(Lane, self.lane_id).busy_job_id

    def looked_after(self) -> bool:
        """Say whether the envío is closed, or a job or a person will go on with it."""
        waiting = {JobState.READY, JobState.RUNNING}
        return (
            self.envio().estado not in (EstadoEnvio.PREPARADO, EstadoEnvio.EN_CURSO)
            or bool(waiting & {*self.jobs(), *self.jobs(KIND_LOOK_UP)})
            or bool(self.tasks())
        )

    # -- a worker's steps

    def claim(self) -> Claimed:
        self.due()
        claimed = claim_next(self.house.db, "w", self.house.host, 60)
        assert claimed is not None
        return claimed

    def due(self) -> None:
        """Let every pause be over."""
        with self.house.db.write() as session:
            session.execute(update(Job).where(Job.state == "ready").values(run_after_ms=0))
            session.execute(update(Lane).values(next_at_ms=0))

    def begin(self, claimed: Claimed, *, folder: bool = True) -> Intento | None:
        with self.house.db.write() as session:
            row = begin_attempt(
                session,
                claimed,
                host=self.house.host,
                folder_root=str(self.house.settings.attempts),
                marker=uuid4().hex,
                at=self.house.clock(),
            )
        if row is not None and folder:
            Path(row.carpeta).mkdir(parents=True)
        return row

    def intend(self, claimed: Claimed, intento: Intento) -> bool:
        with self.house.db.write(durable=True) as session:
            return record_intent(
                session,
                claimed,
                intento.id,
                intent_id=uuid4().hex,
                limit_s=60,
                actor="bot:w",
                at=self.house.clock(),
            )

    def sending(self) -> tuple[Claimed, Intento]:
        """Bring the envío to the point where the bot has `go`."""
        claimed = self.claim()
        intento = self.begin(claimed)
        assert intento is not None
        assert self.intend(claimed, intento)
        return claimed, intento

    def kept(self, *kinds: str) -> list[Kept]:
        """Put a file of each kind into the store, as gathered from a bot's folder."""
        return [
            Kept(f"{kind}.txt", kind, "", self.house.store.put(io.BytesIO(f"{kind} {uuid4()}".encode())))
            for kind in kinds
        ]

    def apply(
        self, claimed: Claimed | None, intento: Intento, result: Result, kinds: Sequence[str] = ("acuse_dom",)
    ) -> None:
        apply_sealed(self.house, claimed, intento.id, result, self.kept(*kinds), [])

    def lapse(self) -> None:
        """Let the leases run out and the reaper judge."""
        with self.house.db.write() as session:
            session.execute(update(Job).where(Job.state == "running").values(lease_until_ms=1))
        reap(self.house.db)

    def unknown(self) -> Intento:
        """Bring the envío to *por confirmar*, fenced."""
        claimed, intento = self.sending()
        self.apply(claimed, intento, said(Outcome.UNKNOWN))
        self.fence(intento)
        return intento

    def fence(self, intento: Intento, *, settled: bool = True) -> None:
        """Fence the attempt; `settled`: the portal's settling time has passed since."""
        with self.house.db.write() as session:
            assert record_fence(session, intento.id, at=self.house.clock())
            if settled:
                session.execute(update(Intento).where(Intento.id == intento.id).values(cercado_ms=1))

    def read(
        self, outcome: Outcome, *, kinds: Sequence[str] = ("acuse_dom",), ago_s: int = 0, **values: Any
    ) -> Decision | None:
        """Claim the look_up job and conclude it as a worker does; the portal was asked `ago_s` seconds ago."""
        claimed = self.claim()
        assert claimed.kind == KIND_LOOK_UP
        result = Result(Operation.LOOK_UP, outcome, BOT, **values)
        kept = self.kept(*kinds)
        with self.house.db.write(durable=True) as session:
            row = lock_attempt(session, int(claimed.payload["intento_id"]))
            asked_ms = now_ms(session) - 1000 * ago_s
            reading = record_reading(session, row.id, result, asked_ms=asked_ms, at=self.house.clock())
            pieces = self.seal(session, f"lectura:{reading.id}", kept)
            assert finish_in(session, claimed, outcome=Done())
            return settle(session, row.id, pieces, actor="bot:w", at=self.house.clock())

    def seal(self, session: Session, group: str, kept: Sequence[Kept]) -> list[Pieza]:
        envio = session.get_one(Envio, self.envio_id)
        return seal(
            session,
            kept,
            prestador_id=envio.prestador_id,
            case_key=envio.case_key,
            group_key=group,
            origen="bot",
            actor="bot:w",
            at=self.house.clock(),
        )

    def found(self, **values: Any) -> Decision | None:
        """Let look_up find exactly this filing."""
        with self.house.db.read() as session:
            rows = session.scalars(select(Factura).where(Factura.id.in_(self.facturas)).order_by(Factura.id)).all()
        now = self.house.clock().isoformat()
        lines = tuple(contract.FoundFactura(row.numero, RADICADO, now, plain(row.valor or 0)) for row in rows)
        whole = {"radicado": RADICADO, "fecha": now, "valor": plain(sum(row.valor or 0 for row in rows))}
        return self.read(Outcome.FOUND, **{**whole, "facturas": lines, **values})


def open_desk(house: House, count: int = 1) -> Desk:
    """Order one envío of `count` invoices at a new account of a new provider."""
    with house.db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        rows = [factories.factura(session, provider, payer) for _ in range(count)]
        account: CuentaPortal = create_account(
            session,
            house.vault,
            prestador_id=provider.id,
            pagador_id=payer.id,
            arquetipo=P2,
            base_url="http://127.0.0.1:9",
            usuario="u",
            clave=filing.CLAVE,
            perfil={},
            asentamiento_s=1,
            max_facturas=count,
        )
        ids = [row.id for row in rows]
        ordered = order_filings(session, ids, prestador_ids=[provider.id], actor="persona:1", at=house.clock())
        assert [len(ordered.envios), len(ordered.rechazos)] == [1, 0]
        return Desk(house, ids, ordered.envios[0].id, account.id, account.lane_id)


@pytest.fixture
def hands(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Yield a worker's house, once per kind of database."""
    made = filing.house_on(database_url, tmp_path)
    yield made
    made.db.dispose()


@pytest.fixture
def desk(hands: House) -> Desk:
    """Return one envío of one invoice, ordered and waiting for a bot."""
    return open_desk(hands)


__all__ = ["RADICADO", "Desk", "EstadoIntento", "open_desk", "said"]
