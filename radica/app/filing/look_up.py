"""One reading of a portal about an attempt whose outcome is unknown.

Invariant: a reading never files anything; whatever it answers, the evidence is sealed and `settle` decides; a bot
that dies here has said nothing, which is a reading too (`cannot_say`).
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from bots import contract
from bots.contract import Outcome, Result
from bots.faults import point
from radica.app.filing.attempt_files import gather, write_operation
from radica.app.filing.child_process import Child
from radica.app.filing.plan import Plan, load_plan
from radica.app.filing.run import start_message
from radica.app.house import House
from radica.custodia.services import Kept, seal
from radica.jobs.clock import now_ms
from radica.jobs.queue import Claimed, Done, Progress, finish, finish_in, heartbeat
from radica.kernel.errors import NotFound
from radica.radicacion.attempts import lock_attempt
from radica.radicacion.models import Intento
from radica.radicacion.settle import record_reading, settle
from radica.radicacion.states import EstadoIntento


def look_up(house: House, claimed: Claimed) -> None:
    """Do one look_up job."""
    intento_id = int(claimed.payload["intento_id"])
    with house.db.read() as session:
        intento = session.get(Intento, intento_id)
        asked_ms = now_ms(session)
        if intento is None:
            raise NotFound("El intento por confirmar no existe.")
        plan = None if intento.estado is not EstadoIntento.DESCONOCIDO else load_plan(session, house.vault, intento_id)
    if plan is None:
        finish(house.db, claimed, outcome=Done())
        return
    folder = house.settings.attempts / f"consulta-{uuid.uuid4().hex}"
    folder.mkdir(parents=True, mode=0o700)
    write_operation(folder, house, {"envio": intento.envio_id, "intento": intento.numero, "acto": "consulta"})
    result, announced = _ask(house, claimed, plan, intento, folder)
    kept, _ = gather(house.store, folder, announced + [(item.name, item.kind) for item in result.evidence])
    point("worker.before_reading")
    _conclude(house, claimed, intento, result, kept, asked_ms)


def _ask(
    house: House, claimed: Claimed, plan: Plan, intento: Intento, folder: Path
) -> tuple[Result, list[tuple[str, str]]]:
    child = Child(uuid.uuid4().hex, folder, house.environ)
    announced: list[tuple[str, str]] = []
    limit = time.monotonic() + plan.limite_preparar_s
    try:
        child.send(start_message(house, plan, intento, folder, contract.Operation.LOOK_UP))
        while time.monotonic() < limit:
            progress = None
            try:
                message = child.receive(min(house.timing.beat_s, limit - time.monotonic()))
            except TimeoutError:
                message = contract.Progress("", 0, 0)
            except contract.ContractError:
                break
            if message is None:
                break
            if isinstance(message, contract.Result):
                if message.operation is not contract.Operation.LOOK_UP:
                    break  # an answer to another question is none
                return message, announced
            if isinstance(message, contract.Evidence):
                announced.append((message.name, message.kind))
            if isinstance(message, contract.Progress) and message.step:
                progress = Progress(message.step, message.n, message.of)
            if not heartbeat(house.db, claimed, house.timing.lease_s, progress):
                break
    finally:
        child.end(patience_s=house.timing.result_patience_s)
    silent = Result(
        contract.Operation.LOOK_UP,
        Outcome.CANNOT_SAY,
        contract.Bot("?", "?", "?"),
        code="bot_interrumpido",
        message="El bot se interrumpió mientras consultaba el portal.",
    )
    return silent, announced


def _conclude(
    house: House, claimed: Claimed, intento: Intento, result: Result, kept: list[Kept], asked_ms: int
) -> None:
    with house.db.write(durable=True) as session:
        at = house.clock()
        # Locked first, in the order of everybody: two readings of one attempt then follow each other.
        row = lock_attempt(session, intento.id)
        reading = record_reading(session, row.id, result, asked_ms=asked_ms, at=at)
        pieces = seal(
            session,
            kept,
            prestador_id=row.prestador_id,
            case_key=f"envio:{row.envio_id}",
            group_key=f"lectura:{reading.id}",
            origen="bot",
            actor=house.actor,
            at=at,
        )
        if not finish_in(session, claimed, outcome=Done()):
            return  # late: the reading and its evidence stay, and the job's next holder reads again
        settle(session, row.id, pieces, actor=house.actor, at=at)
