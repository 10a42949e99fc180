"""One filing by a bot, or one answer to glosas, from the claimed job to the sealed result.

Invariant: `go` is given only after `record_intent` committed durably; a worker that cannot write it says `stop`; the
evidence is in the store before any row names it; what comes late is sealed all the same (DESIGN sections 5 and 6).
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from bots import contract
from bots.contract import Outcome, Result
from bots.faults import point
from radica.app.filing.attempt_files import copy_out, gather, write_manifest, write_operation
from radica.app.filing.child_process import Child
from radica.app.filing.plan import Plan, load_plan
from radica.app.house import House
from radica.custodia.models import Pieza
from radica.custodia.services import Kept, seal
from radica.jobs.queue import Claimed, Progress, heartbeat
from radica.kernel.errors import InvalidTransition
from radica.radicacion.attempts import apply_result, begin_attempt, lock_attempt, record_intent
from radica.radicacion.late import settle_late_acuse
from radica.radicacion.models import Intento
from radica.radicacion.preparar import preparar
from radica.radicacion.settle import mark_unknown

MAX_WORDS = 1_500
CHILD_SHARE = 0.8
"""Part of the intent's lease that the bot may use: it must give its answer before the lease ends."""


@dataclass
class Heard:
    """What a bot said so far."""

    result: Result | None = None
    evidence: list[tuple[str, str]] = field(default_factory=list)
    go_given: bool = False


def file_by_bot(house: House, claimed: Claimed) -> None:
    """Do one filing job."""
    marker = uuid.uuid4().hex
    with house.db.write() as session:
        intento = begin_attempt(
            session,
            claimed,
            host=house.host,
            folder_root=str(house.settings.attempts),
            marker=marker,
            at=house.clock(),
        )
    if intento is None:
        return
    point("worker.began")
    folder = Path(intento.carpeta)
    folder.mkdir(parents=True, mode=0o700)
    heard = Heard(result=_prepare(house, claimed, intento))
    with house.db.read() as session:
        plan = load_plan(session, house.vault, intento.id)
    _lay_out(house, plan, intento, folder)
    if heard.result is not None:  # the payer would not take these files: no bot is started for them
        _conclude(house, claimed, intento, folder, heard)
        return
    child = Child(marker, folder, house.environ)
    try:
        child.send(start_message(house, plan, intento, folder, plan.operation))
        _converse(house, claimed, plan, intento, child, heard)
    finally:
        child.end(patience_s=house.timing.result_patience_s)
    point("worker.before_seal")
    _conclude(house, claimed, intento, folder, heard)


def _prepare(house: House, claimed: Claimed, intento: Intento) -> Result | None:
    """Make what the payer's rules need of the files; a result when they cannot be met, and then nothing is sent."""
    steps = 0

    def beat() -> None:
        nonlocal steps
        steps += 1
        heartbeat(house.db, claimed, house.timing.lease_s, Progress("Preparando los archivos", steps, 0))

    done = preparar(house.db, house.store, intento.envio_id, actor=house.actor, clock=house.clock, beat=beat)
    words = [" ".join(filter(None, (one.nombre and f"{one.nombre}:", one.motivo))) for one in done.refused_by_bot]
    if not words:
        return None
    return Result(
        contract.Operation.RADICAR,
        Outcome.NOT_SUBMITTED,
        contract.Bot("?", "?", "?"),
        category=contract.Category.PERSON,
        code="paquete_no_cumple",
        message=f"El pagador no recibe así estos archivos y no se envió nada. {' '.join(words)}"[:MAX_WORDS],
    )


def start_message(
    house: House, plan: Plan, intento: Intento, folder: Path, operation: contract.Operation
) -> contract.Start:
    """Build the first line for the bot; it is the only place where the password leaves the vault."""
    return contract.Start(
        operation=operation,
        attempt=contract.Attempt(intento.id, intento.numero, intento.marker),
        portal=contract.Portal(
            plan.arquetipo, plan.base_url, plan.perfil, plan.perfil_version, int(plan.limite_enviar_s * CHILD_SHARE)
        ),
        credentials=contract.Credentials(plan.usuario, plan.clave),
        filing=plan.filing(folder, intento),
        folder=str(folder),
        browser=contract.Browser(house.settings.chromium, house.settings.chromium_sandbox),
        deadline_s=plan.limite_preparar_s + int(plan.limite_enviar_s * CHILD_SHARE),
    )


def _lay_out(house: House, plan: Plan, intento: Intento, folder: Path) -> None:
    for files in plan.packages.values():
        copy_out(house.store, files, folder)
    for annex in plan.answer.annexes if plan.answer else ():
        (folder / annex.name).write_bytes(annex.data)
    write_manifest(folder, plan.packages, plan.pages, plan.lineage)
    write_operation(
        folder,
        house,
        {
            "ordenado_por": plan.ordenado_por,
            "envio": intento.envio_id,
            "intento": intento.numero,
            "portal": {"arquetipo": plan.arquetipo, "direccion": plan.base_url, "perfil": plan.perfil_version},
        },
    )


def _converse(house: House, claimed: Claimed, plan: Plan, intento: Intento, child: Child, heard: Heard) -> None:
    """Listen to the bot until its result, its end or its limit; keep the lease while it prepares."""
    limit = time.monotonic() + plan.limite_preparar_s
    progress: Progress | None = None
    next_beat = time.monotonic() + house.timing.beat_s
    while time.monotonic() < limit:
        try:
            message = child.receive(min(limit, next_beat) - time.monotonic())
        except TimeoutError:
            message = contract.Progress("", 0, 0)
        except contract.ContractError:
            return  # a bot that speaks nonsense is judged by what it left in its folder
        if message is None:
            return
        if isinstance(message, contract.Progress) and message.step:
            progress = Progress(message.step, message.n, message.of)
            next_beat = min(next_beat, time.monotonic())
        elif isinstance(message, contract.Evidence):
            heard.evidence.append((message.name, message.kind))
        elif isinstance(message, contract.ReadyToSubmit):
            if not _give_go(house, claimed, plan, intento, child):
                child.send(contract.Stop("El envío ya no corresponde a este trabajador."))
                continue
            heard.go_given = True
            limit = time.monotonic() + plan.limite_enviar_s
        elif isinstance(message, contract.Result):
            if message.operation is not plan.operation:
                return  # an answer to another question is nonsense too
            heard.result = message
            point("worker.got_result")
            return
        if time.monotonic() >= next_beat:
            next_beat = time.monotonic() + house.timing.beat_s
            if not heartbeat(house.db, claimed, house.timing.lease_s, progress) and not heard.go_given:
                child.send(contract.Stop("El envío ya no corresponde a este trabajador."))
                return


def _give_go(house: House, claimed: Claimed, plan: Plan, intento: Intento, child: Child) -> bool:
    point("worker.before_intent")
    intent_id = uuid.uuid4().hex
    try:
        with house.db.write(durable=True) as session:
            written = record_intent(
                session,
                claimed,
                intento.id,
                intent_id=intent_id,
                limit_s=plan.limite_enviar_s,
                actor=house.actor,
                at=house.clock(),
            )
    except InvalidTransition:
        return False  # a person closed the envío while the bot prepared it; nothing of the intent was written
    point("worker.after_intent")
    if not written:
        return False
    child.send(contract.Go(intent_id))  # if the child is gone, its silence is judged like any other
    point("worker.after_go")
    return True


def _conclude(house: House, claimed: Claimed, intento: Intento, folder: Path, heard: Heard) -> None:
    result = heard.result or left_behind(folder, intento)
    if result is None:
        result = silent_result(heard)
    announced = heard.evidence + [(item.name, item.kind) for item in result.evidence]
    kept, refused = gather(house.store, folder, announced)
    point("worker.sealed")
    apply_sealed(house, claimed, intento.id, result, kept, refused)
    point("worker.finished")


def left_behind(folder: Path, intento: Intento) -> Result | None:
    """Return the result that a bot wrote before it could speak, None when there is none of this attempt."""
    try:
        result = contract.read_result(folder)
    except contract.ContractError:
        return None
    ours = result is not None and result.marker == intento.marker
    return result if ours and result is not None and result.operation is not contract.Operation.LOOK_UP else None


def silent_result(heard: Heard) -> Result:
    """Judge a bot that ended without a word: unknown after `go`, a failure to repeat before it."""
    bot = contract.Bot("?", "?", "?")
    if heard.go_given:
        return Result(
            contract.Operation.RADICAR,
            Outcome.UNKNOWN,
            bot,
            code="bot_sin_respuesta",
            message="El bot terminó sin decir si el portal recibió lo enviado.",
        )
    return Result(
        contract.Operation.RADICAR,
        Outcome.NOT_SUBMITTED,
        bot,
        category=contract.Category.RETRY,
        code="bot_interrumpido",
        message="El bot se interrumpió antes de enviar; no se envió nada.",
    )


def apply_sealed(
    house: House, claimed: Claimed | None, intento_id: int, result: Result, kept: list[Kept], refused: list[str]
) -> None:
    """Seal the pieces and apply the result, in one durable transaction."""
    with house.db.write(durable=True) as session:
        at = house.clock()
        intento = lock_attempt(session, intento_id)
        pieces = seal_attempt(session, house, intento, kept, refused)
        applied = apply_result(session, claimed, intento, result, pieces, actor=house.actor, at=at)
        mark_unknown(session, at=at)
        if applied.late:
            settle_late_acuse(session, intento, result, pieces, actor=house.actor, at=at)


def seal_attempt(session: Session, house: House, intento: Intento, kept: list[Kept], refused: list[str]) -> list[Pieza]:
    """Add the kept files as pieces of the attempt; what was refused or is missing is written down beside them."""
    intento.sellado_at = house.clock()
    if refused:
        intento.datos = {**intento.datos, "evidencia_faltante": refused[:50]}
    return seal(
        session,
        kept,
        prestador_id=intento.prestador_id,
        case_key=f"envio:{intento.envio_id}",
        group_key=f"intento:{intento.id}",
        origen="bot",
        actor=house.actor,
        at=house.clock(),
    )
