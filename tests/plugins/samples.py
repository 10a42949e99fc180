"""Real documents and reference tables, which stay outside the repository (DESIGN section 10).

Where the folder is missing, the tests that ask for it are skipped and the last lines of the run say so in capitals.
They fail instead when somebody counted on the folder: RADICA_MUESTRAS is set, or CI is set and the folder exists,
and it cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "NO REAL DOCUMENTS"


class Unreadable(Exception):
    """Somebody counted on the folder and it cannot be read; the test fails."""


class Absent(Exception):
    """There is no folder here; the test is skipped with a loud line."""


def locate(environ: Mapping[str, str], repository: Path, sibling: str) -> Path:
    """Return the readable folder `sibling` ("samples" or "reference").

    The samples are RADICA_MUESTRAS or ../shared/samples beside the repository; the reference tables are the
    samples' sibling. Raises Absent or Unreadable as the module says.
    """
    named = environ.get("RADICA_MUESTRAS")
    samples = Path(named) if named else repository.parent / "shared" / "samples"
    folder = samples if sibling == "samples" else samples.resolve().parent / sibling
    try:
        empty = not any(folder.iterdir())
    except OSError as error:
        if named or (environ.get("CI") and not isinstance(error, FileNotFoundError)):
            raise Unreadable(
                f"{folder} cannot be read ({error.strerror}) and RADICA_MUESTRAS or CI counts on it"
            ) from error
        raise Absent(f"{MARK}: {folder} cannot be read ({error.strerror})") from error
    if empty and (named or environ.get("CI")):
        raise Unreadable(f"{folder} is empty and RADICA_MUESTRAS or CI counts on it")
    if empty:
        raise Absent(f"{MARK}: {folder} is empty")
    return folder


def _folder(sibling: str) -> Path:
    try:
        return locate(os.environ, REPOSITORY, sibling)
    except Absent as absent:
        pytest.skip(str(absent))
    except Unreadable as unreadable:
        pytest.fail(str(unreadable), pytrace=False)


@pytest.fixture(scope="session")
def muestras() -> Path:
    """Return the folder of real documents; read only, nothing of it may be copied into the repository."""
    return _folder("samples")


@pytest.fixture(scope="session")
def referencia() -> Path:
    """Return the folder of reference tables (norms, codes, vectors)."""
    return _folder("reference")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines how many tests ran without the real documents."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if MARK in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", f"{MARK}: {len(skipped)} tests were skipped; set RADICA_MUESTRAS", red=True)
