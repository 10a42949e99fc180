"""The words of the command line: argparse that speaks Spanish, and the ways in which a command ends.

Invariant: a usage error is a `UsageProblem` like any other refusal (exit 2, and a JSON document under `--json`),
never a text that argparse prints by itself; abbreviations of options are refused, because scripts outlive them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NoReturn

from radica.kernel.clock import BOGOTA
from radica.kernel.errors import BadInput

DONE, FINDINGS, COULD_NOT, INTERRUPTED = 0, 1, 2, 130
"""Exit codes of every command."""

_TRANSLATIONS = (
    (re.compile(r"the following arguments are required: (.*)", re.DOTALL), r"Falta indicar: \1."),
    (re.compile(r"unrecognized arguments: (.*)", re.DOTALL), r"No se entiende: \1."),
    (re.compile(r"one of the arguments (.*) is required", re.DOTALL), r"Falta una de estas opciones: \1."),
    (re.compile(r"argument (.*): not allowed with argument (.*)", re.DOTALL), r"\1 no va junto con \2."),
    (re.compile(r"argument (.*?): invalid choice: (.*) \(choose from (.*)\)", re.DOTALL), r"\1: no existe \2; hay \3."),
    (re.compile(r"argument (.*?): invalid \w+ value: (.*)", re.DOTALL), r"\1: no se pudo leer \2."),
    (re.compile(r"argument (.*?): expected (?:one|at least one) argument", re.DOTALL), r"\1: falta el valor."),
    (re.compile(r"argument (.*?): expected (\d+) arguments", re.DOTALL), r"\1: se esperan \2 valores."),
    (re.compile(r"argument (.*?): ignored explicit argument (.*)", re.DOTALL), r"\1 no lleva valor."),
    (re.compile(r"argument (.*?): (.*)", re.DOTALL), r"\1: \2"),
)


class UsageProblem(BadInput):
    """The command was not understood; `usage` is how to write it."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message, todo="Agregue --help para ver cómo se usa.", code="uso")
        self.usage = usage


class _Formatter(argparse.HelpFormatter):
    """Help with the word «Uso»."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=110)

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        """Replace argparse's own word."""
        super().add_usage(usage, actions, groups, "Uso: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """An argparse parser with Spanish titles; errors are raised, not printed."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(**{**options, "add_help": False, "allow_abbrev": False})
        self._positionals.title = "Datos"
        self._optionals.title = "Opciones"
        self.add_argument("-h", "--help", "--ayuda", action="help", help="muestra esta ayuda y termina")

    def error(self, message: str) -> NoReturn:
        """Raise UsageProblem with the message in Spanish."""
        raise UsageProblem(translate(message), self.format_usage().strip())


def translate(message: str) -> str:
    """Return argparse's message in Spanish."""
    for pattern, spanish in _TRANSLATIONS:
        if pattern.fullmatch(message):
            return pattern.sub(spanish, message)
    return message


def actions(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[Any]:
    """Give a command its verbs (`radica usuarios crear`)."""
    return parser.add_subparsers(dest="accion", required=True, metavar="ACCIÓN", title="Acciones")


def leaf(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    """Add what every command that runs has: `--datos` and, unless it serves until ended, `--json`."""
    # SUPPRESS: an absent option must not undo the one given before the command.
    parser.add_argument("--datos", metavar="DIR", default=argparse.SUPPRESS, help="carpeta de datos (./var)")
    if json:
        parser.add_argument("--json", action="store_true", help="un documento JSON en la salida y nada más")


def day(text: str) -> date:
    """Read a civil date for argparse. Raises ArgumentTypeError in Spanish."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"«{text[:40]}» no es una fecha; escríbala como 2026-11-20.") from None


def day_or_instant(text: str) -> date | datetime:
    """Read a date, or a date with time (Colombian time when it has no zone), for argparse."""
    try:
        if len(text) <= 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"«{text[:40]}» no es una fecha; escríbala como 2026-11-20, o 2026-11-20T15:30."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BOGOTA)


def positive(text: str) -> int:
    """Read a whole number of at least 1 for argparse."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:18]) < 10**9:
        raise argparse.ArgumentTypeError(f"«{text[:40]}» no es un número entero mayor que cero.")
    return int(text)


def port(text: str) -> int:
    """Read a TCP port for argparse; 0 means any free one."""
    if not (text.isascii() and text.isdigit()) or not 0 <= int(text[:9]) <= 65535:
        raise argparse.ArgumentTypeError(f"«{text[:40]}» no es un puerto (0 a 65535).")
    return int(text)
