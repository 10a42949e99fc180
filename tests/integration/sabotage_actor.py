"""Jobs done by processes that are killed some steps later each time: `python -m tests.integration.sabotage_actor …`.

A step is a statement, a commit, a file put in its place or a connection; each process is a fork of this one, so that
a hundred of them cost seconds. It writes, as JSON, at which kinds of step processes died and how many lived.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event, text, update
from sqlalchemy.engine import Engine

from radica.app.handlers import juzgar, muv, tarifas_congelar
from radica.app.handlers.juzgar import KIND_JUDGE
from radica.app.handlers.tarifas_congelar import KIND_FREEZE
from radica.app.house import House
from radica.app.tarifario.cargar import cargar_archivo
from radica.app.worker import do_one
from radica.entidades.contratos_models import Contrato
from radica.entidades.tarifarios import Condiciones
from radica.facturas.models import Factura
from radica.facturas.muv.envios import KIND as KIND_MUV
from radica.jobs.driver import Link
from radica.jobs.queue import claim_next, enqueue, reap
from radica.kernel.clock import fixed_clock
from tests.plugins.filing import house_on
from tests.plugins.queueing import make_due

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
HANDLERS = {**juzgar.HANDLERS, **muv.HANDLERS, **tarifas_congelar.HANDLERS}
FILES = frozenset({"os.rename", "os.link", "os.remove"})


class Fuse:
    """Counts steps and kills its process at the last one."""

    def __init__(self, steps: int, told: int) -> None:
        self.left, self.told = steps, told

    def light(self) -> None:
        """Watch every step from here on."""
        event.listen(Engine, "before_cursor_execute", lambda *_: self.step("sentencia"))
        event.listen(Engine, "commit", lambda *_: self.step("confirmación"))
        run = Link.run

        def run_watched(link: Link, *given: Any) -> Any:
            if link.is_short:
                self.step("cola")
            return run(link, *given)

        Link.run = run_watched  # type: ignore[method-assign]
        sys.addaudithook(self.seen)

    def seen(self, name: str, _: object) -> None:
        if name in FILES or name == "socket.connect":
            self.step(name)

    def step(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.write(self.told, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def do_job(house: House, kind: str) -> bool:
    """Claim one job of a kind and do it; False when none is left."""
    claimed = claim_next(house.db, f"p{os.getpid()}", "host", 60, [kind])
    if claimed is None:
        return False
    do_one(house, HANDLERS[kind], claimed)
    return True


def put_back(house: House) -> None:
    """Let the leases of the dead run out and their jobs be ready."""
    with house.db.write() as session:
        session.execute(text("UPDATE jobs SET max_attempts = 1000, attempts = 0"))
        session.execute(text("UPDATE jobs SET lease_until_ms = 1 WHERE state = 'running'"))
    reap(house.db)
    make_due(house.db)


def order(house: House, kind: str) -> None:
    with house.db.write() as session:
        if kind == KIND_JUDGE:
            session.execute(update(Factura).values(por_juzgar=1))
        enqueue(session, kind, payload={}, max_attempts=1000, dedup=kind)


def load_list(house: House, path: str) -> bool:
    with house.db.read() as session:
        contract = session.query(Contrato).one()
    cargar_archivo(
        house.db, house.store, Path(path), Condiciones(date(2026, 1, 1)), prestador_id=contract.prestador_id,
        contrato_id=contract.id, nombre="lista.csv", actor="prueba", at=NOW,
    )  # fmt: skip
    return False


ROLES: dict[str, tuple[Callable[[House, str], None], Callable[[House, str], bool]]] = {
    "muv": (lambda *_: None, lambda house, _: do_job(house, KIND_MUV)),
    "juzgar": (lambda house, _: order(house, KIND_JUDGE), lambda house, _: do_job(house, KIND_JUDGE)),
    "congelar": (lambda house, _: order(house, KIND_FREEZE), lambda house, _: do_job(house, KIND_FREEZE)),
    "lista": (lambda *_: None, load_list),
}


def child(role: str, url: str, folder: Path, argument: str, steps: int, told: int) -> None:
    house = replace(house_on(url, folder), clock=fixed_clock(NOW))
    before, act = ROLES[role]
    put_back(house)
    before(house, argument)
    Fuse(steps, told).light()
    act(house, argument)


def warm(role: str, url: str, folder: Path, argument: str) -> None:
    """Do it once unharmed in this very process, so that its forks find schemas compiled; nothing stays open."""
    house = replace(house_on(url, folder), clock=fixed_clock(NOW))
    before, act = ROLES[role]
    before(house, argument)
    act(house, argument)
    house.db.dispose()


def die_ever_later(role: str, url: str, folder: Path, pace: int, argument: str) -> Counter[str]:
    died: Counter[str] = Counter()
    steps = 1
    while True:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            status = 1
            try:
                child(role, url, folder, argument, steps, writing)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        _, status = os.waitpid(pid, 0)
        where = os.read(reading, 100).decode()
        os.close(reading)
        if not os.WIFSIGNALED(status):
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit(f"{role}, step {steps}: {status}")
            return died
        died[where] += 1
        steps += pace


def main(url: str, folder: str, *parts: str) -> None:
    """Do each part, `ROLE:PACE:ARGUMENT`, in its turn; `:0:` is the warming up."""
    told = {}
    for part in parts:
        role, pace, argument = part.split(":", 2)
        if pace == "0":
            warm(role, url, Path(folder), argument)
        else:
            told[role] = die_ever_later(role, url, Path(folder), int(pace), argument)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
