"""How a command speaks and is told things: its answer, its notes, who acts, and secrets that are never arguments.

Invariant: the answer is the only thing on standard output; everything else goes to standard error.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from radica.kernel.errors import BadInput


def answer(document: Any, words: str, *, as_json: bool) -> None:
    """Write the answer on standard output: the document, or the words for a person."""
    sys.stdout.write((json.dumps(document, ensure_ascii=False) if as_json else words.rstrip("\n")) + "\n")
    sys.stdout.flush()


def note(words: str) -> None:
    """Write a line for the person on standard error."""
    sys.stderr.write(words + "\n")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows under a head, in columns."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    return "\n".join(line.rstrip() for line in lines)


def operator() -> str:
    """Return the actor that the history names for what is done on this command line."""
    name = ""
    with suppress(OSError, KeyError):  # a container's user may have no name
        name = getpass.getuser()
    return f"consola:{name or 'sin-nombre'}"[:120]


def read_secret(prompt: str, *, from_stdin: bool, variable: str | None = None, twice: bool = False) -> str:
    """Return a secret from standard input, an environment variable, or a prompt; never from the arguments.

    Raises BadInput when there is none, or the two entries differ.
    """
    if from_stdin:
        secret = sys.stdin.readline().rstrip("\r\n")
    elif variable and os.environ.get(variable):
        secret = os.environ[variable]
    elif sys.stdin.isatty():
        secret = getpass.getpass(f"{prompt}: ")
        if twice and getpass.getpass(f"{prompt}, otra vez: ") != secret:
            raise BadInput("Las dos contraseñas no son iguales; no se guardó nada.", todo="Repita el comando.")
    else:
        raise BadInput(
            "Falta la contraseña y no hay teclado para preguntarla.",
            todo="Désela por la entrada estándar con --clave-stdin" + (f" o en {variable}." if variable else "."),
            code="falta_clave",
        )
    if not secret:
        raise BadInput("La contraseña llegó vacía; no se guardó nada.", code="falta_clave")
    return secret
