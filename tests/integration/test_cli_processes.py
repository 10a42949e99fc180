"""The long-running commands as processes: they answer, and end in good order by a signal."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from radica.app.cli.children import Child, environment, start, stop_all

LIMIT_S = 60


def _environ() -> dict[str, str]:
    return environment({key: value for key, value in os.environ.items() if not key.startswith("RADICA_")})


@pytest.fixture
def command(sqlite_url: str, tmp_path: Path) -> Iterator:
    """Start a command as a process of its own; whatever still runs is ended."""
    running: list[subprocess.Popen[str]] = []

    def run(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "radica.app.cli", "--datos", str(tmp_path / "datos"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**_environ(), "RADICA_DATABASE_URL": sqlite_url},
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT_S)


def test_the_web_answers_and_ends_by_a_signal(command) -> None:
    process = command("web", "--puerto", "0")
    while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", line := process.stderr.readline())):
        assert line, "the web ended by itself"
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=LIMIT_S)
    connection.request("GET", "/salud")
    assert connection.getresponse().status == 200
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=LIMIT_S) == 0
    assert "Traceback" not in process.stderr.read()


def test_a_worker_ends_when_the_queue_is_empty(command) -> None:
    process = command("worker", "--hasta-vacio")
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_several_workers_end_together(command) -> None:
    process = command("worker", "--hasta-vacio", "--procesos", "2")
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_the_clock_ends_by_a_signal(command) -> None:
    process = command("reloj")
    while "reloj en marcha" not in (line := process.stderr.readline()):
        assert line, "the clock ended by itself"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=LIMIT_S) == 0


def test_a_closed_pipe_is_no_incident(command) -> None:
    process = command("plazos", "listar")
    process.stdout.close()
    process.wait(timeout=LIMIT_S)
    assert "incidente" not in (said := process.stderr.read())
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_children_are_ended_even_when_they_do_not_listen(tmp_path: Path) -> None:
    deaf = tmp_path / "sordo.py"
    deaf.write_text(
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('listo', flush=True)\ntime.sleep(600)\n"
    )
    environ = {**_environ(), "PYTHONPATH": str(tmp_path)}
    child: Child = start("sordo", ["sordo"], environ=environ, read_output=True)
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == b"listo\n"
    stop_all([child], patience_s=0.2)
    assert child.process.returncode == -signal.SIGKILL
