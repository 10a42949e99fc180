"""The README names whatever a reader may meet: legal states and events, commands, settings, rooms, terms, levels.

What is to be found is read off the code, so that a new state without its line in the glossary fails here; and what the
README names must exist, so that a removed one fails too.
"""

from __future__ import annotations

import importlib
import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from bench.__main__ import measurements
from radica.app.cli.parse import Parser
from radica.app.cli.program import COMMANDS
from radica.kernel.flow import Machine
from radica.plazos.rules import terms_for_event
from radica.plazos.table import Evento, term_ids

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\bRADICA_[A-Z_]*[A-Z]\b")
STARTED_HERE = (Evento.PRESTACION_SERVICIO, Evento.EXPEDICION_FEV, Evento.CUV, Evento.ENVIO, Evento.RADICACION)


def symbols() -> Iterator[str]:
    """Yield `Class.MEMBER` for each member of each enumeration of each states.py."""
    for path in sorted((REPOSITORY / "radica").rglob("states.py")):
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and issubclass(kind, StrEnum) and kind.__module__ == name:
                yield from (f"{kind.__name__}.{member.name}" for member in kind)


def leaves(words: str, parser: ArgumentParser) -> Iterator[str]:
    """Yield the full words of each command that can be run."""
    nested = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not nested:
        yield words
    for action in nested:
        for verb, inner in action.choices.items():
            yield from leaves(f"{words} {verb}", inner)


def commands() -> Iterator[str]:
    for name, (module, _) in COMMANDS.items():
        parser = Parser(prog=f"radica {name}")
        importlib.import_module(f"radica.app.cli.{module}").configure(name, parser)
        yield from leaves(f"radica {name}", parser)


def variables() -> set[str]:
    """Return the environment variables that product, bots, tests and ./run read."""
    files = [path for top in ("radica", "bots", "bench", "tests/plugins") for path in (REPOSITORY / top).rglob("*.py")]
    return {name for path in [*files, REPOSITORY / "run"] for name in VARIABLE.findall(path.read_text("utf-8"))}


def rooms() -> list[str]:
    packages = [path.parent.name for path in (REPOSITORY / "radica").glob("*/__init__.py")]
    return [f"radica/{name}" for name in sorted(packages)] + ["bots/", "bots/simulador/"]


def run_verbs() -> set[str]:
    """Return the verbs that ./run knows, read off its last `case`."""
    cases = (REPOSITORY / "run").read_text(encoding="utf-8").rsplit("case $verb in", 1)[1]
    heads = re.findall(r"^  ([a-z][a-z |-]*)\)", cases, re.MULTILINE)
    return {word for head in heads for word in head.split(" | ") if not word.startswith(("-", "help", "ayuda"))}


def unnamed(wanted: set[str], text: str = README) -> list[str]:
    """Return what does not stand in code marks, as a whole or as the first words of them."""
    marked = [span.strip() for span in re.findall(r"`([^`\n]+)`", text)]
    return sorted(one for one in wanted if not any(re.match(re.escape(one) + r"(?![\w-])", span) for span in marked))


WANTED = {
    "states and events": set(symbols()),
    "commands": set(commands()),
    "settings": variables(),
    "rooms": set(rooms()),
    "verbs": {f"./run {verb}" for verb in run_verbs()},
    "terms": {term for event in STARTED_HERE for term in terms_for_event(event)},
}


@pytest.mark.parametrize("what", WANTED)
def test_the_readme_names_all(what: str) -> None:
    assert unnamed(WANTED[what]) == []


@pytest.mark.parametrize("what", WANTED)
def test_what_is_to_be_named_is_found_in_the_code_and_missed_when_absent(what: str) -> None:
    one = min(WANTED[what])
    assert len(WANTED[what]) >= 5
    assert unnamed({one}, f"about `{one}x`, {one} and `no {one}`") == [one]
    assert unnamed({one}, f"about `{one}`") == []


def test_each_state_has_the_word_of_the_screen_and_its_symbol_in_one_row() -> None:
    rows = [line for line in README.splitlines() if line.startswith("|")]
    for path in sorted((REPOSITORY / "radica").rglob("states.py")):
        module = importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
        machines = [value for value in vars(module).values() if isinstance(value, Machine)]
        assert machines, module.__name__
        for state, label in [pair for machine in machines for pair in machine.labels.items()]:
            symbol = f"`{type(state).__name__}.{state.name}`"
            assert any(row.startswith(f"| {label} |") and symbol in row for row in rows), f"{label}: {symbol}"


def test_each_proof_level_has_its_row() -> None:
    section = README.split("### Proof levels", 1)[1].split("\n#", 1)[0]
    assert re.findall(r"^\| (\d) \|", section, re.MULTILINE) == ["0", "1", "2", "3", "4"]


def test_each_measurement_has_its_row() -> None:
    assert measurements()
    assert [name for name in measurements() if f"| `{name}` |" not in README] == []


def test_what_the_readme_names_exists() -> None:
    assert set(VARIABLE.findall(README)) - variables() == set()
    assert set(re.findall(r"`((?:Estado|Evento)[A-Z]\w+\.[A-Z_]+|Acto\.[A-Z_]+)`", README)) - set(symbols()) == set()
    assert {span.split()[0] for span in re.findall(r"`radica ([^`]+)`", README)} - COMMANDS.keys() - {"…"} == set()
    assert set(re.findall(r"`((?:RAD|DEV|GLO|PAG|TIT)-\d\d)`", README)) - set(term_ids()) == set()
    paths = re.findall(r"`((?:radica|bots|bench|tests|migrations|templates)/[\w./-]*)`", README)
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
