"""The whole demonstration, as a process: real intake, workers, Chromium and portals; the ledgers decide."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from radica.app.cli.children import environment

LIMIT_S = 280


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    kept = ("RADICA_CHROMIUM", "RADICA_CHROMIUM_SANDBOX")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RADICA_") or key in kept}
    return subprocess.Popen(
        [sys.executable, "-m", "radica.app.cli", "demo", "--datos", str(folder), "--paquetes", "8", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(environ),
    )


def _left_behind(folder: Path) -> list[str]:
    """Command lines of living processes that name the folder."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [" ".join(words) for words in lines if any(str(folder) in word for word in words)]


@pytest.mark.timeout(LIMIT_S + 20)
def test_once_every_invoice_ends_where_it_should(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    out, err = _start(folder, "--una-vez", "--json").communicate(timeout=LIMIT_S)
    figures = json.loads(out)
    assert out.count("\n") == 1, "one line and nothing else on standard output"
    assert list(figures) == [
        "importadas",
        "radicadas",
        "no_listas",
        "rechazadas",
        "recibidas_sin_numero",
        "por_confirmar",
        "duplicadas",
        "nivel_prueba",
        "objeciones",
        "expediente",
        "sellos",
        "sellos_de_tiempo",
        "sin_sellar",
        "segundos",
    ], err
    expected = {"importadas": 8, "radicadas": 4, "no_listas": 2, "rechazadas": 1, "recibidas_sin_numero": 1}
    assert {name: figures[name] for name in expected} == expected, err
    assert (figures["por_confirmar"], figures["duplicadas"]) == (0, 0)
    assert figures["nivel_prueba"]["0"] == 3
    assert figures["nivel_prueba"]["1"] == 1
    assert figures["sin_sellar"] == 0
    assert figures["sellos_de_tiempo"] == figures["sellos"] >= 1
    made = figures["expediente"]
    assert made["veredicto"] == ("VÁLIDA" if shutil.which("openssl") else "FIRMA DEL SELLO NO COMPROBADA"), err
    assert made["demostracion"] is True
    assert made["folios"] > 10
    assert (folder / "sellos.txt").read_text().count("radica/1 ") == figures["sellos"]
    assert _left_behind(folder) == []


def test_a_signal_ends_it_with_all_its_processes(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    process = _start(folder)
    try:
        assert process.stderr is not None
        said = ""
        while "radica está en http://127.0.0.1:" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert len(_left_behind(folder)) >= 8, "itself, portals, authority, web, clock and two workers"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=90)
    finally:
        if process.poll() is None:
            process.kill()
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in said + err
    until = time.monotonic() + 30  # a browser that was told to end may need a moment
    while _left_behind(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert _left_behind(folder) == []
