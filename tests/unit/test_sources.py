"""The walk through what was given: what a disk refuses or nests without end costs its own path only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from radica.facturas.sources import sources

DEEP = 1_200


def test_a_folder_deeper_than_the_stack_is_walked(tmp_path: Path):
    """Made and removed step by step: the path is longer than one call may carry, and no stack holds it."""
    here = os.getcwd()  # noqa: PTH109  gone back to below
    top = tmp_path / "h"
    top.mkdir()
    os.chdir(top)
    try:
        for _ in range(DEEP):
            os.mkdir("a")  # noqa: PTH102  relative to where we stand
            os.chdir("a")
        Path("x.json").write_text("{}", encoding="utf-8")
        (found,) = sources([top], ["h"], tmp_path, None)
        Path("x.json").unlink()
        for _ in range(DEEP):
            os.chdir("..")
            os.rmdir("a")  # noqa: PTH106  likewise
    finally:
        os.chdir(here)
    assert found.path is not None
    assert found.route == "h/" + "a/" * DEEP + "x.json"


def test_a_path_that_is_too_long_says_so(tmp_path: Path):
    long = tmp_path / ("x" * 300)
    (found,) = sources([long], ["largo"], tmp_path, None)
    assert (found.path, found.code) == (None, "ruta_larga")


def test_order_and_hidden_folders(tmp_path: Path):
    for name in ("b/2.xml", "b/1.xml", "a.xml", "_oculta/x.xml", ".git/x.xml", "b.xml"):
        path = tmp_path / "todo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<a/>", encoding="utf-8")
    found = [one.route for one in sources([tmp_path / "todo"], ["todo/"], tmp_path, None)]
    assert found == ["todo/a.xml", "todo/b/1.xml", "todo/b/2.xml", "todo/b.xml"]


_LIST = """
import sys
from pathlib import Path
from radica.facturas.sources import sources
for one in sources([Path(sys.argv[1])], ["t"], Path(sys.argv[1]), None):
    print(one.route, one.code)
"""


def test_a_folder_that_may_be_listed_but_not_entered_stops_nothing(tmp_path: Path):
    """Its files are told one by one and those beside it are read. Root needs no permission, so it gives that up."""
    shut = tmp_path / "t" / "cerrada"
    shut.mkdir(parents=True)
    for path in (shut / "a.json", tmp_path / "t" / "z.json"):
        path.write_text("{}", encoding="utf-8")
    shut.chmod(0o600)
    command = [sys.executable, "-c", _LIST, str(tmp_path / "t")]
    if os.geteuid() == 0:
        gives_up = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={gives_up}", f"--inh-caps={gives_up}", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("setpriv is not here")
    finally:
        shut.chmod(0o700)
    assert done.returncode == 0, done.stderr[-400:]
    assert done.stdout.splitlines() == ["t/cerrada/a.json sin_permiso", "t/z.json "]
