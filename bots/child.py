"""The process of one attempt: `python -m bots.child`. Reads `start`, drives one portal, speaks one `result`.

Invariants: the last button is pressed only after a `go` that is younger than five seconds (CLOCK_BOOTTIME) at the very
click; the pipe closed, `stop` or SIGTERM before `go` ends everything at once; after `go` the work goes on to its
deadline even with nobody listening, and result.json is durable before the result is spoken. Whatever goes wrong after
the click is `unknown`, whatever goes wrong before it is `not_submitted`. Errors are logged without their text.
"""

import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TypeAlias

from bots import contract, evidence, faults
from bots.browser import browser
from bots.contract import Category, Operation, Outcome, Result
from bots.page import Tab
from bots.portals.base import Ending, Halt, PortalBot, person, retry
from bots.portals.registry import maker_of
from bots.portals.work import Work
from bots.processes import kill_family
from bots.wire import mended

START_LIMIT_S = 30.0
GO_LIMIT_S = 30.0
CLOSE_LIMIT_S = 15.0
MARGIN_S = 3.0
"""Seconds kept back from every limit for evidence and result."""
EXIT_DONE, EXIT_ABANDONED, EXIT_BAD_START = 0, 3, 4


TERMINATE = b"\x00SIGTERM"
"""Put among the lines by the signal handler: the handler itself may take no lock, the main thread could hold it."""
Lines: TypeAlias = "queue.SimpleQueue[bytes | None]"


class Pipe:
    """Standard input and output, kept for the contract alone: whatever else prints goes to standard error."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def speak(self, message: contract.FromChild) -> None:
        """Write one line; a worker that is gone is not our concern here (end of input tells it)."""
        data = contract.encode(message)
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._out, data) :]
            except OSError:
                return

    def lines(self) -> Lines:
        """Lines of standard input as they come, then None; read by a thread of its own."""
        box: Lines = queue.SimpleQueue()
        threading.Thread(target=_read_lines, args=(box,), daemon=True).start()
        return box


def _read_lines(box: Lines) -> None:
    rest = b""
    while len(rest) <= contract.MAX_LINE:
        chunk = os.read(0, 1 << 16)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            box.put(line)
    box.put(None)


class Attempt:
    """One attempt under way: its phase, its limits and its single result. Is the `Pilot` of its portal."""

    def __init__(self, pipe: Pipe, start: contract.Start) -> None:
        self.pipe = pipe
        self.start = start
        self.folder = Path(start.folder)
        self.bag = evidence.Bag(self.folder, self._announce)
        self.bot = contract.Bot(start.portal.archetype, "?", start.portal.profile_version)
        self._end = time.monotonic() + start.deadline_s
        self._limit_moved = threading.Condition()
        self._ending_lock = threading.RLock()
        self._crossing_lock = threading.RLock()
        self._ready_ns = 0
        self._go: str | None = None
        self._go_came = threading.Event()
        self._stopped: str | None = None
        self._crossed = False
        self._barred = False
        self._finished = False

    # -- what the portal asks (page.Pilot)

    def progress(self, step: str, n: int, of: int) -> None:
        """Speak a step of the work; Stopped when the worker withdrew before `go`."""
        if self._stopped is not None and self._go is None:
            raise Stopped(self._stopped)
        self.pipe.speak(contract.Progress(step, n, of))

    def remaining(self) -> float:
        """Seconds left for the work, the margin for evidence taken off."""
        return max(0.0, self._end - MARGIN_S - time.monotonic())

    def click_limit(self) -> float:
        """Unix time (seconds) at which `go` is too old: the page refuses the click from then on."""
        left_ns = contract.GO_MAX_AGE_NS - (contract.boot_ns() - self._ready_ns)
        return time.time() + left_ns / 1e9

    def cross(self) -> None:
        """Pass the point of no return; Halt when `go` is too old or the attempt is already being ended."""
        faults.point("child.before_click")
        with self._crossing_lock:
            self._check_age()
            if self._barred:
                raise retry("tiempo_agotado", "Se agotó el tiempo del intento.")
            self._crossed = True

    def cross_back(self) -> None:
        """The page vouches that the click never went through."""
        self._crossed = False

    def clicked(self) -> None:
        """The button was pressed."""
        faults.point("child.after_click")

    # -- the handshake

    def ask_go(self) -> None:
        """Say ready, wait for `go`. Raises Stopped, or Halt when it comes late or not at all."""
        self._ready_ns = contract.boot_ns()
        self.pipe.speak(contract.ReadyToSubmit(self._ready_ns))
        faults.point("child.ready")
        if not self._go_came.wait(min(GO_LIMIT_S, self.remaining())):
            raise retry("sin_go", "El permiso para enviar no llegó; no se envió nada.")
        if self._go is None:
            raise Stopped(self._stopped or "")
        faults.point("child.got_go")
        self._check_age()
        with self._limit_moved:
            self._end = min(self._end, time.monotonic() + self.start.portal.submit_limit_s)
            self._limit_moved.notify_all()

    def _check_age(self) -> None:
        if contract.boot_ns() - self._ready_ns > contract.GO_MAX_AGE_NS:
            raise retry("go_tardio", "El permiso para enviar llegó tarde; no se oprimió el botón.")

    def listen(self, lines: Lines) -> None:
        """Thread: `go`, `stop`, SIGTERM, and the end of the pipe, which before `go` is the end of this process."""
        while True:
            line = lines.get()
            if self._go is not None:
                if line is None:
                    return
                continue  # after `go` the deadline rules, because the filing may be on its way
            if line is None:
                self.abandon("el trabajador se fue antes del permiso")
            if line is TERMINATE:
                self.abandon("orden de terminar antes del permiso")
            try:
                message = contract.decode_to_child(line)
            except contract.ContractError:
                message = contract.Stop("línea ilegible")
            if isinstance(message, contract.Stop):
                self._stopped = message.why
                self._go_came.set()
            elif isinstance(message, contract.Go) and self._ready_ns and self._stopped is None:
                self._go = message.intent
                self._go_came.set()

    def watch(self) -> None:
        """Thread: ends the attempt at its limit, even when driver or browser do not answer any more."""
        with self._limit_moved:
            while (left := self._end - time.monotonic()) > 0:
                self._limit_moved.wait(left)
        with self._crossing_lock:  # whoever is not across now will never be
            self._barred = True
            ending = self.ending_of(retry("tiempo_agotado", "Se agotó el tiempo del intento."))
        self.finish(ending)
        self.leave(EXIT_DONE)

    def close_by(self, seconds: float) -> None:
        """From now on only so many seconds are left for closing the browser."""
        with self._limit_moved:
            self._end = time.monotonic() + seconds
            self._limit_moved.notify_all()

    # -- the end

    def ending_of(self, halt: Halt) -> Ending:
        """What a Halt means at this moment of this operation."""
        if self.start.operation is Operation.LOOK_UP:
            return Ending(Outcome.CANNOT_SAY, code=halt.code, message=halt.message)
        if self._crossed:
            return Ending(Outcome.UNKNOWN, code=halt.code, message=halt.message + _AFTER)
        return Ending(Outcome.NOT_SUBMITTED, category=halt.category, code=halt.code, message=halt.message)

    def finish(self, ending: Ending) -> None:
        """Make the result durable, then speak it. Only the first call counts; later ones wait until it is done."""
        with self._ending_lock:
            if self._finished:
                return
            self._finished = True
            faults.point("child.before_result")
            result = self._redacted(
                Result(
                    operation=self.start.operation,
                    bot=self.bot,
                    evidence=self.bag.sweep(),
                    marker=self.start.attempt.marker,
                    intent=self._go,
                    **{f.name: getattr(ending, f.name) for f in fields(ending)},
                )
            )
            contract.write_result(self.folder, result)
            self.pipe.speak(result)
            faults.point("child.after_result")

    def abandon(self, why: str) -> NoReturn:
        """Nobody waits for us and nothing was pressed: leave a note and go, browser and all."""
        self.finish(Ending(Outcome.STOPPED, why=why))
        self.leave(EXIT_ABANDONED)

    def leave(self, code: int) -> NoReturn:
        """End the whole family and this process, without the clean-up that could hang."""
        kill_family(self.start.attempt.marker, self.folder)
        os._exit(code)

    def _redacted(self, result: Result) -> Result:
        def strike(text: str) -> str:
            return mended(self.bag.redact(text))

        return replace(
            result,
            text=strike(result.text) if result.text else result.text,
            reason=strike(result.reason) if result.reason else result.reason,
            message=strike(result.message) if result.message else result.message,
        )

    def _announce(self, kind: str, name: str, note: str | None) -> None:
        self.pipe.speak(contract.Evidence(kind, name, note))


class Stopped(Exception):
    """The worker said stop before `go`."""


_AFTER = " No se sabe si el pagador lo recibió: se consultará antes de cualquier otro envío."


def drive(attempt: Attempt) -> Ending:
    """The operation itself, in a fresh browser; whatever it ends in becomes an Ending."""
    start = attempt.start
    make = maker_of(start.portal.archetype, start.filing)
    if make is None:
        raise person("portal_sin_bot", "No hay un bot que haga esto en el portal: hágalo por fuera y regístrelo.")
    with browser(start.browser, start.portal.profile.get("pins", ())) as context:
        tab = Tab(context.new_page(), start.portal.base_url, attempt, start.portal.profile.get("step_limit_s", 20))
        work = Work(start, tab, attempt.bag, attempt)
        portal = make(work)
        work.bot = attempt.bot = contract.Bot(portal.name, portal.version, start.portal.profile_version)
        ending = _operate(attempt, portal, work)
        attempt.finish(ending)
        attempt.close_by(CLOSE_LIMIT_S)
    return ending


def _operate(attempt: Attempt, portal: PortalBot, work: Work) -> Ending:
    try:
        portal.log_in()
        faults.point("child.logged_in")
        ending = portal.look_up() if attempt.start.operation is Operation.LOOK_UP else _file(attempt, portal, work)
    except Halt as halt:
        work.keep_failure(halt)
        return attempt.ending_of(halt)
    except Stopped as stopped:
        return Ending(Outcome.STOPPED, why=str(stopped))
    finally:
        work.drop_stage()
    return ending


def _file(attempt: Attempt, portal: PortalBot, work: Work) -> Ending:
    decided = portal.prepare()
    if decided is not None:
        work.keep_context()
        return decided
    faults.point("child.prepared")
    attempt.ask_go()
    ending = portal.submit()
    work.keep_context()
    return ending


def main() -> NoReturn:
    """Run one attempt from the lines on standard input; the exit code says whether a result was spoken."""
    sys.excepthook = _log_error
    sys.unraisablehook = lambda args: _log_error(args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger().addHandler(logging.NullHandler())  # libraries log error texts, which quote what was typed
    threading.excepthook = lambda args: _log_error(args.exc_type, args.exc_value, args.exc_traceback)
    pipe = Pipe()
    lines = pipe.lines()
    try:
        first = lines.get(timeout=START_LIMIT_S)
        start = contract.decode_to_child(first or b"")
    except (queue.Empty, contract.ContractError):
        os._exit(EXIT_BAD_START)
    if not isinstance(start, contract.Start) or not Path(start.folder).is_dir():
        os._exit(EXIT_BAD_START)
    os.chdir(start.folder)  # one more sign by which the processes of this attempt are found
    attempt = Attempt(pipe, start)
    attempt.bag.learn(*evidence.account_secrets(start))
    signal.signal(signal.SIGTERM, lambda _signal, _frame: lines.put(TERMINATE))
    threading.Thread(target=attempt.listen, args=(lines,), daemon=True).start()
    threading.Thread(target=attempt.watch, daemon=True).start()
    faults.point("child.started")
    try:
        drive(attempt)
    except Halt as halt:
        attempt.finish(attempt.ending_of(halt))
    finally:
        # Also the way of an error nobody foresaw: logged without its text by the hook, and never a guess.
        kind, error, trace = sys.exc_info()
        if kind is not None:
            _log_error(kind, error, trace)
        attempt.finish(attempt.ending_of(Halt(Category.RETRY, "falla_del_bot", "El bot falló de forma inesperada.")))
        attempt.leave(EXIT_DONE)


def _log_error(kind: type[BaseException], _error: BaseException | None, trace: TracebackType | None) -> None:
    """Type and places of an error, never its text: a browser's error quotes what was typed."""
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(traceback.extract_tb(trace)[-6:]))
    sys.stderr.write(f"{kind.__name__} at {places}\n")


if __name__ == "__main__":
    main()
