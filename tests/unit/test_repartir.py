"""Tasks shared among processes: one that dies or hangs costs only itself."""

from __future__ import annotations

import psutil
import pytest

from radica.app.validar.repartir import Perdida, repartir
from tests.tareas import hacer


def shared(tasks: list[tuple[str, int]], *, processes: int = 2, limit: float = 60.0) -> dict[tuple[str, int], object]:
    return dict(
        repartir(hacer, tasks, processes=processes, allowed_s=lambda task: 1.0 if task[0] == "cuelga" else limit)
    )


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_task_comes_back_once(processes: int) -> None:
    tasks = [("bien", number) for number in range(40)]
    found = list(repartir(hacer, tasks, processes=processes, allowed_s=lambda _: 60.0))
    assert sorted(found) == [(task, 2 * task[1]) for task in tasks]


def test_nothing_to_do_starts_nothing() -> None:
    assert shared([]) == {}


@pytest.mark.parametrize("harm", ["muere", "sale", "falla"])
def test_a_process_that_ends_costs_its_task_only(harm: str, capfd: pytest.CaptureFixture[str]) -> None:
    tasks = [("bien", 1), (harm, 2), ("bien", 3), (harm, 4), ("bien", 5)]
    assert shared(tasks) == {
        ("bien", 1): 2,
        (harm, 2): Perdida.MURIO,
        ("bien", 3): 6,
        (harm, 4): Perdida.MURIO,
        ("bien", 5): 10,
    }
    assert "patient" not in "".join(capfd.readouterr())


def test_a_task_that_hangs_is_ended_and_the_rest_goes_on() -> None:
    found = shared([("cuelga", 1), *(("bien", number) for number in range(5))])
    assert found[("cuelga", 1)] is Perdida.TARDO
    assert [found[("bien", number)] for number in range(5)] == [0, 2, 4, 6, 8]


def test_processes_end_with_the_work() -> None:
    ours = children()
    running = repartir(hacer, [("bien", 1), ("cuelga", 2), ("bien", 3)], processes=2, allowed_s=lambda _: 60.0)
    assert next(running) == (("bien", 1), 2)
    assert children() - ours
    running.close()  # type: ignore[attr-defined]  # it is a generator
    assert children() - ours == set()


def children() -> set[int]:
    """Return the processes whose parent we are, but for what multiprocessing keeps for itself."""
    return {one.pid for one in psutil.Process().children() if "resource_tracker" not in " ".join(one.cmdline())}
