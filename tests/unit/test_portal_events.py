"""Every code that a bot can say has Spanish words for a person: the codes are read off the source of `bots/`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from radica.app.acciones.portales import EVENTS, event_name

ROOT = Path(__file__).parents[2]
RAISERS = {"retry": 0, "person": 0, "permanent": 0, "Halt": 1}
"""What makes a code, and the place of the code among its arguments."""
# Files whose results become events of a portal without passing through `bots/`.
OURS = ("radica/app/filing/run.py", "radica/radicacion/attempts.py")


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            yield from _text(one)
    elif isinstance(node, ast.IfExp):
        yield from _text(node.body)
        yield from _text(node.orelse)


def _codes(node: ast.AST, *, raisers: bool) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if raisers and name in RAISERS and len(node.args) > RAISERS[name]:
            yield from _text(node.args[RAISERS[name]])
        if raisers or name in ("Result", "replace"):
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from _text(keyword.value)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        for target, value in zip(node.targets[0].elts, node.value.elts, strict=False):
            if isinstance(target, ast.Name) and target.id == "code":
                yield from _text(value)


def codes_of_bots() -> set[str]:
    """Return the codes written in the bots and in what judges a silent bot."""
    files = [path for path in (ROOT / "bots").rglob("*.py") if "simulador" not in path.parts]
    trees = [(path, True) for path in files] + [(ROOT / name, False) for name in OURS]
    return {
        code
        for path, raisers in trees
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for code in _codes(node, raisers=raisers)
    }


def test_the_codes_are_found_in_each_of_their_shapes() -> None:
    found = codes_of_bots()
    assert {"certificado_invalido", "cambio_de_pagina"} <= found, "raised"
    assert {"falla_del_bot", "consulta_ambigua", "conexion_perdida"} <= found, "Halt(…), code=…, code, message = …"
    assert {"bot_sin_respuesta", "bot_interrumpido", "detenido"} <= found, "of a bot that said nothing"


def test_every_code_of_the_bots_has_words() -> None:
    found = codes_of_bots()
    assert found - EVENTS.keys() == set()


def test_no_words_are_kept_for_what_nothing_says() -> None:
    acts = {"pausa", "reanuda", "clave", "activa", "inactiva", "creada", "sin_codigo"}
    assert EVENTS.keys() - codes_of_bots() - acts == set()


def test_a_code_of_a_newer_bot_reads_as_words_too() -> None:
    assert event_name("algo_nuevo") == "Algo nuevo"
