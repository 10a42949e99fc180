"""How `radica validar` ends when somebody ends it: what it took out of a ZIP does not stay."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def started(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start it over ZIPs; it has its answer ready and waits for a reader that does not come, or still works."""
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    given = tmp_path / "dado"
    given.mkdir(exist_ok=True)
    for at in range(40):
        with zipfile.ZipFile(given / f"{at}.zip", "w") as bundle:
            for name in range(60):
                bundle.writestr(f"{name}.json", '{"numDocumentoIdObligado":"1","usuarios":[]}')
    before = set(temporary.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-m", "radica.app.cli", "--datos", str(tmp_path / "var"), "validar", str(given), "-j", "1"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    for _ in range(3_000):
        if any(list(one.glob("d/1/*")) for one in set(temporary.iterdir()) - before) or process.poll() is not None:
            break
        select.select([], [], [], 0.01)
    assert process.poll() is None, "it ended before it was told to"
    return process


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_told_to_end_it_takes_away_what_it_unpacked(tmp_path: Path, told: signal.Signals):
    process = started(tmp_path)
    process.send_signal(told)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_killed_one_left_goes_with_the_next_and_what_lives_stays(tmp_path: Path):
    killed = started(tmp_path)
    killed.kill()
    killed.communicate(timeout=60)
    (left,) = (tmp_path / "tmp").iterdir()
    living = started(tmp_path)
    living.send_signal(signal.SIGSTOP)  # it must not end by itself while the next one comes
    try:
        (mine,) = (tmp_path / "tmp").iterdir()
        assert mine != left
        again = started(tmp_path)
        assert mine.exists()
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)
    finally:
        living.send_signal(signal.SIGCONT)
        living.send_signal(signal.SIGINT)
        living.communicate(timeout=60)
    assert list((tmp_path / "tmp").iterdir()) == []
