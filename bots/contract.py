"""What worker and bot say to each other: JSON lines over a pipe (protocol 2). Standard library only.

Worker to child: Start, Go, Stop. Child to worker: Progress, Evidence, ReadyToSubmit, Result.
Invariant: whatever decodes is complete and of the right types; whatever does not is a ContractError whose text never
quotes a value, because `start` carries a password and facturas carry health data.
"""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from bots import answer as answering
from bots import wire
from bots.wire import build, json_object, write_durably

ContractError = wire.ContractError
Answer = answering.Answer
AnswerItem = answering.AnswerItem
AnswerMode = answering.AnswerMode

PROTOCOL = 2
MAX_LINE = 8 * 1024 * 1024
"""Bytes of the longest line either side accepts (a start with 300 supports stays far below)."""
GO_MAX_AGE_NS = 5_000_000_000
"""Age, in CLOCK_BOOTTIME nanoseconds since the child's own ready_to_submit, beyond which a `go` is refused."""
RESULT_FILE = "result.json"
MAX_KIND, MAX_STEPS = 40, 1_000_000
_LIMITS = {"radicado": 120, "code": 60}  # characters: what does not fit where it is kept is no number and no code
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,119}")
_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Operation(StrEnum):
    """What a child is started for."""

    RADICAR = "radicar"
    RESPONDER = "responder"
    LOOK_UP = "look_up"


class Outcome(StrEnum):
    """How an operation ended; which belong to which operation is in `OUTCOMES`."""

    # radicar, responder
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    NOT_SUBMITTED = "not_submitted"
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    # look_up
    FOUND = "found"
    KNOWN_WITHOUT_NUMBER = "known_without_number"
    ABSENT = "absent"
    CANNOT_SAY = "cannot_say"


class Category(StrEnum):
    """Who can mend a not_submitted: time (retry), a person, or nobody with this package (permanent)."""

    RETRY = "retry"
    PERSON = "person"
    PERMANENT = "permanent"


class Confidence(StrEnum):
    """How sure the reading of a radicado is."""

    ALTA = "alta"
    MEDIA = "media"
    BAJA = "baja"


_READ = {Outcome.FOUND, Outcome.KNOWN_WITHOUT_NUMBER, Outcome.ABSENT, Outcome.CANNOT_SAY, Outcome.STOPPED}
_FILED = set(Outcome) - _READ | {Outcome.STOPPED}
OUTCOMES: dict[Operation, frozenset[Outcome]] = {
    Operation.RADICAR: frozenset(_FILED),
    Operation.RESPONDER: frozenset(_FILED),
    Operation.LOOK_UP: frozenset(_READ),
}

# Which fields an outcome must bring; all others may be null.
_REQUIRED: dict[Outcome, tuple[str, ...]] = {
    Outcome.ACCEPTED: ("text", "confidence"),
    Outcome.REJECTED: ("reason",),
    Outcome.DUPLICATE: ("text",),
    Outcome.NOT_SUBMITTED: ("category", "code", "message"),
    Outcome.UNKNOWN: ("code", "message"),
    Outcome.STOPPED: ("why",),
    Outcome.FOUND: ("radicado", "valor"),
    Outcome.KNOWN_WITHOUT_NUMBER: ("text",),
    Outcome.ABSENT: (),
    Outcome.CANNOT_SAY: ("code", "message"),
}


@dataclass(frozen=True)
class Attempt:
    """Which attempt of which job; `marker` is also in the environment of every process of the attempt."""

    id: int
    number: int
    marker: str


@dataclass(frozen=True)
class Portal:
    """`profile` is the payer's dated configuration; `submit_limit_s` seconds from `go` to a result."""

    archetype: str
    base_url: str
    profile: dict[str, Any]
    profile_version: str
    submit_limit_s: int


@dataclass(frozen=True)
class Credentials:
    """The portal account. Exists only on the pipe and in memory; its repr is mute."""

    usuario: str = field(repr=False)
    clave: str = field(repr=False)


@dataclass(frozen=True)
class FilingFile:
    """One file to hand in. `role` FEV, RIPS, CUV or SOPORTE; `sigla` the support code of Res. 2284; `bytes` its size."""

    role: str
    sigla: str | None
    name: str
    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Factura:
    """One invoice of the filing. `valor` in pesos as decimal text ("123.45"), `fecha_expedicion` an ISO date."""

    numero: str
    valor: str
    cufe: str | None
    cuv: str | None
    fecha_expedicion: str | None
    files: tuple[FilingFile, ...] = ()


@dataclass(frozen=True)
class Filing:
    """What is filed: one act of one round, 1..n facturas of one provider. `fields` is what this portal asks besides.

    With `answer` it is the answer to the glosas of its only factura, whose files are those of the answer.
    """

    act: str
    round: int
    provider_nit: str
    provider_name: str
    facturas: tuple[Factura, ...]
    fields: dict[str, Any]
    intent_not_before: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class Browser:
    """Which Chromium to start; None lets Playwright choose its own."""

    executable: str | None
    sandbox: bool = True


@dataclass(frozen=True)
class Start:
    """Everything one operation needs. `deadline_s`: seconds from this line to the end of the process."""

    operation: Operation
    attempt: Attempt
    portal: Portal
    credentials: Credentials = field(repr=False)
    filing: Filing = field(repr=False)
    folder: str
    browser: Browser
    deadline_s: int
    protocol: int = PROTOCOL


@dataclass(frozen=True)
class Go:
    """The intent is durable: press the button, once."""

    intent: str


@dataclass(frozen=True)
class Stop:
    """The intent could not be had: end without pressing."""

    why: str


@dataclass(frozen=True)
class Progress:
    """Step `n` of `of`; `step` is short Spanish for the board."""

    step: str
    n: int
    of: int


@dataclass(frozen=True)
class Evidence:
    """A file the bot has just written into its folder; `name` is a bare file name."""

    kind: str
    name: str
    note: str | None = None


@dataclass(frozen=True)
class ReadyToSubmit:
    """Everything is filled and read back. `boot_ns`: CLOCK_BOOTTIME of this host, nanoseconds."""

    boot_ns: int


@dataclass(frozen=True)
class Bot:
    """Which code spoke, under which dated profile."""

    name: str
    version: str
    profile_version: str


@dataclass(frozen=True)
class EvidenceItem:
    """One artefact in the attempt folder. `sha256` in hexadecimal, `bytes` its size."""

    kind: str
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class FoundFactura:
    """What the portal's query says of one factura; `fecha` ISO as the payer shows it, `valor` decimal text."""

    numero: str
    radicado: str | None
    fecha: str | None
    valor: str | None


@dataclass(frozen=True)
class Result:
    """The end of an operation. Which of the optional fields are set depends on `outcome` (see `_REQUIRED`).

    `fecha` is the payer's own time (ISO 8601, with offset when the portal shows a time) or null. `valor` of a found
    filing is the sum over its facturas, which are listed one by one in `facturas`. `marker` and `intent` tie a
    result.json found on disk to its attempt.
    """

    operation: Operation
    outcome: Outcome
    bot: Bot
    evidence: tuple[EvidenceItem, ...] = ()
    radicado: str | None = None
    fecha: str | None = None
    valor: str | None = None
    text: str | None = None
    confidence: Confidence | None = None
    document: str | None = None
    reason: str | None = None
    category: Category | None = None
    code: str | None = None
    message: str | None = None
    why: str | None = None
    facturas: tuple[FoundFactura, ...] = ()
    marker: str | None = None
    intent: str | None = None


ToChild: TypeAlias = Start | Go | Stop
FromChild: TypeAlias = Progress | Evidence | ReadyToSubmit | Result


def boot_ns() -> int:
    """CLOCK_BOOTTIME in nanoseconds: counts suspended time too, and no clock adjustment moves it."""
    return time.clock_gettime_ns(_BOOT_CLOCK)


def encode(message: ToChild | FromChild) -> bytes:
    """One line, newline included. A Result is checked first, so that no side ever speaks an incomplete one."""
    if isinstance(message, Result):
        check_result(message)
    body = {"t": _NAMES[type(message)], **asdict(message)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode_to_child(line: bytes) -> ToChild:
    """Read a line of the worker; ContractError when it is not one, or is of another protocol version."""
    raw = json_object(line, MAX_LINE)
    kind = raw.get("t")
    if kind == "start":
        if raw.get("protocol") != PROTOCOL:
            raise ContractError("another protocol version")
        return _checked(build(Start, raw, ""))
    if kind == "go":
        return build(Go, raw, "")
    if kind == "stop":
        return build(Stop, raw, "")
    raise ContractError("unknown message for the child")


def _checked(start: Start) -> Start:
    filing = start.filing
    if not filing.facturas:
        raise ContractError("filing.facturas: expected at least one")
    if start.operation is Operation.RESPONDER or filing.answer is not None:
        names = {file.name for factura in filing.facturas for file in factura.files}
        answering.check_answer(filing.answer, names, len(filing.facturas))
    return start


def decode_from_child(line: bytes) -> FromChild:
    """Read a line of the child (untrusted); ContractError when it is not one."""
    raw = json_object(line, MAX_LINE)
    kind = raw.get("t")
    if kind == "progress":
        progress = build(Progress, raw, "")
        if not all(0 <= n <= MAX_STEPS for n in (progress.n, progress.of)):
            raise ContractError("progress: out of range")
        return progress
    if kind == "evidence":
        evidence = build(Evidence, raw, "")
        _check_evidence((evidence,))
        return evidence
    if kind == "ready_to_submit":
        return build(ReadyToSubmit, raw, "")
    if kind == "result":
        result = build(Result, raw, "")
        check_result(result)
        return result
    raise ContractError("unknown message from the child")


def check_result(result: Result) -> None:
    """ContractError when the outcome is not one of its operation, or lacks a field it must bring."""
    if result.outcome not in OUTCOMES[result.operation]:
        raise ContractError("outcome does not belong to the operation")
    for name in _REQUIRED[result.outcome]:
        if getattr(result, name) is None:
            raise ContractError(f"result without {name}")
    _check_evidence(result.evidence)
    if any(len(getattr(result, name) or "") > limit for name, limit in _LIMITS.items()):
        raise ContractError("radicado or code: too long")


def write_result(folder: Path, result: Result) -> None:
    """Write result.json so that it is whole or not there (temporary file, fsync, rename, fsync of the folder)."""
    write_durably(folder / RESULT_FILE, encode(result))


def read_result(folder: Path) -> Result | None:
    """The result.json a child left behind, or None; ContractError when it is not a result."""
    path = folder / RESULT_FILE
    if not path.is_file():
        return None
    with path.open("rb") as source:
        message = decode_from_child(source.read(MAX_LINE + 1))
    if not isinstance(message, Result):
        raise ContractError("result.json holds another message")
    return message


def _check_evidence(items: Sequence[Evidence | EvidenceItem]) -> None:
    if not all(SAFE_NAME.fullmatch(item.name) and len(item.kind) <= MAX_KIND for item in items):
        raise ContractError("evidence: expected a bare file name and a short kind")


_NAMES: dict[type, str] = {
    Start: "start",
    Go: "go",
    Stop: "stop",
    Progress: "progress",
    Evidence: "evidence",
    ReadyToSubmit: "ready_to_submit",
    Result: "result",
}
