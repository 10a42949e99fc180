"""The rules of the house that no linter knows, read off the syntax trees (DESIGN sections 3 to 5).

Each rule is a function that returns the places that break it, so that a rule can be shown broken code too.
An exception to a rule stands in a list below with its reason; an entry that excuses nothing any more fails.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# Rooms that hold amounts: centavos or Decimal, never binary fractions.
MONEY_ROOMS = ("facturas", "glosas", "conciliacion", "cartera", "prejuridico", "kernel/money.py")

# What the house may know of the bots: the words of the pipe, and the drill's fault plan, which crosses it.
BOTS_IN_THE_HOUSE = {"bots.contract", "bots.faults", "bots.processes"}

# "file::function" -> why catching everything is right there.
BROAD_EXCEPT: dict[str, str] = {
    "radica/app/worker.py::do_one": "the worker loop: a defect becomes a numbered incident and a job tried again",
    "radica/app/worker.py::_tend_guarded": "the worker loop: what cannot be tended now is tended in the next round",
    "radica/glosas/correo/mail_intake.py::guardado": "the boundary of one mail: it is kept and listed, the mailbox goes on",
}

# "file::function" -> why it writes a state without audit.advance(): administration or a technical machine, never a
# legal state.
STATE_WRITERS: dict[str, str] = {
    "radica/entidades/services.py::confirm_provider": "whether a provider was vouched for: no case, no term, no money",
    "radica/radicacion/attempts.py::set_attempt": "an attempt moves on processes; its envío moves by advance()",
    "radica/custodia/verificar.py::set_state": "a verification moves on processes; no law knows it",
}

# Top-level modules that a declared dependency brings along and means to be imported from.
BROUGHT_ALONG = {
    "pdfminer": "pdfplumber",
    "werkzeug": "flask",
    "jinja2": "flask",
    "markupsafe": "flask",
    "wtforms": "flask-wtf",
}


def _python_files(*tops: str) -> list[Path]:
    return sorted(path for top in tops for path in (REPOSITORY / top).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def long_functions(tree: ast.Module) -> list[str]:
    """Name each function of more than MAX_FUNCTION_LINES lines."""
    return [
        f"{function.name} ({function.end_lineno - function.lineno + 1} lines)"
        for function in _functions(tree)
        if function.end_lineno is not None and function.end_lineno - function.lineno >= MAX_FUNCTION_LINES
    ]


def inner_imports(tree: ast.Module) -> list[str]:
    """Name each import inside a function."""
    return [
        f"{function.name}: line {node.lineno}"
        for function in _functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def _places(tree: ast.Module, breaks: Callable[[ast.AST], bool]) -> list[str]:
    """Name the innermost function around each node that breaks a rule."""
    found = []

    def visit(node: ast.AST, function: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if breaks(node):
            found.append(function)
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(tree, "<module>")
    return found


def state_writes(tree: ast.Module) -> list[str]:
    """Name where an existing thing is given a state: attribute, setattr or the values of an UPDATE."""
    return _places(tree, _gives_a_state)


def _gives_a_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return isinstance(node.ctx, ast.Store) and node.attr in {"estado", "state"}
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    keywords = {keyword.arg for keyword in node.keywords}
    return (called == "setattr" and bool(texts & {"estado", "state"})) or (called == "values" and "estado" in keywords)


def broad_excepts(tree: ast.Module) -> list[str]:
    """Name where everything is caught and not raised again."""
    return _places(
        tree,
        lambda node: isinstance(node, ast.ExceptHandler) and _catches_everything(node) and not _raises_again(node),
    )


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or getattr(one, "id", "") in {"Exception", "BaseException"} for one in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def float_calls(tree: ast.Module) -> list[str]:
    """Name each float(…)."""
    return [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]


def commits(tree: ast.Module) -> list[str]:
    """Name each session.commit() or rollback()."""
    return [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]


def imported(tree: ast.Module) -> set[str]:
    """Return the dotted names of all modules imported anywhere; `from a import b` gives a and a.b."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _breaches(rule: Callable[[ast.Module], list[str]], paths: list[Path]) -> list[str]:
    return [
        f"{_name(path)}: {place}"
        for path in paths
        for place in rule(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    ]


def test_no_file_is_too_long() -> None:
    sizes = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _all_code()}
    assert sizes, "no code found: the test looks in the wrong place"
    assert {name: lines for name, lines in sizes.items() if lines > MAX_FILE_LINES} == {}


def _all_code() -> list[Path]:
    return _python_files("radica", "bots", "bench")


def test_no_function_is_too_long() -> None:
    assert _breaches(long_functions, _all_code()) == []


def test_no_import_inside_a_function() -> None:
    assert _breaches(inner_imports, _all_code()) == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        _name(path)
        for path in _python_files("radica", "bots")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def _excused(rule: Callable[[ast.Module], list[str]], paths: list[Path], excuses: dict[str, str]) -> None:
    found = {place.replace(": ", "::") for place in _breaches(rule, paths)}
    assert sorted(found - excuses.keys()) == []
    assert sorted(excuses.keys() - found) == [], "these excuses are no longer needed"


def test_only_advance_gives_a_legal_state() -> None:
    paths = [path for path in _python_files("radica") if not _name(path).startswith("radica/audit/")]
    _excused(state_writes, paths, STATE_WRITERS)


def test_nobody_catches_everything_but_where_it_is_right() -> None:
    _excused(broad_excepts, _all_code(), BROAD_EXCEPT)


def test_no_float_near_money() -> None:
    rooms = [REPOSITORY / "radica" / room for room in MONEY_ROOMS]
    paths = [path for path in _python_files("radica") if any(path.is_relative_to(room) for room in rooms)]
    assert paths, "no room with money found: the test looks in the wrong place"
    assert _breaches(float_calls, paths) == []


def test_a_service_neither_commits_nor_knows_the_web() -> None:
    services = [path for path in _python_files("radica") if path.stem == "services" or path.parent.name == "services"]
    assert _breaches(commits, services) == []
    web = {_name(path) for path in services if {"flask", "flask_login"} & imported(ast.parse(path.read_text("utf-8")))}
    assert web == set()


def test_the_house_knows_only_the_contract_of_the_bots() -> None:
    strangers = {
        f"{_name(path)}: {module}"
        for path in _python_files("radica")
        for module in imported(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith("bots.") and not any(f"{module}.".startswith(f"{ok}.") for ok in BOTS_IN_THE_HOUSE)
    }
    assert strangers == set()


def test_the_contract_of_the_bots_needs_only_the_standard_library() -> None:
    waiting, seen, strangers = {"bots.contract"}, set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        path = REPOSITORY / f"{module.replace('.', '/')}.py"
        if path.is_file():  # else a name inside a module, or the package itself, which imports nothing
            names = imported(ast.parse(path.read_text(encoding="utf-8")))
            waiting |= {name for name in names if name.startswith("bots.")} - seen
            strangers |= {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"bots"}
    assert strangers == set()
    assert imported(ast.parse((REPOSITORY / "bots" / "__init__.py").read_text(encoding="utf-8"))) == set()


# Written in pieces, so that this file does not break its own rule.
FORBIDDEN_TEXT = re.compile(
    "|".join(
        [
            r"//[\w.-]*(?:npm|pypi|python|debian|ubuntu)[\w]*\.(?:org|com|net|io)\b",
            "files." + "pythonhosted",
            "registry." + "npmjs",
            r"(?<![\w.])/(?:" + "work" + r")/(?:main|shared|\.library)",
            "/root" + r"/\.",
            "index" + "-url ",
        ]
    )
)


def _own_files(folder: Path = REPOSITORY) -> Iterator[Path]:
    """Walk the checkout without what .gitignore names; git itself may be missing where the tests run."""
    ignored = [line.rstrip("/") for line in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").split()]
    for path in sorted(folder.iterdir()):
        if path.name == ".git" or any(fnmatch(path.name, one) or _name(path) == one for one in ignored):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _own_files(path)
        elif path.is_file():
            yield path


def test_no_line_names_a_registry_or_a_path_of_one_machine() -> None:
    places = [
        f"{_name(path)}:{number}"
        for path in _own_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if FORBIDDEN_TEXT.search(line)
    ]
    assert places == []


def _distributions_asked_for(*groups: str) -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [
        *project["project"]["dependencies"],
        *(line for one in groups for line in project["dependency-groups"][one]),
    ]
    return {match.group().lower().replace("_", "-") for line in lines if (match := re.match(r"[\w.-]+", line))}


@pytest.mark.parametrize("group", ["base", "dev"])
def test_the_lock_holds_what_the_project_asks_for(group: str) -> None:
    lock = (REPOSITORY / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9._-]+)(?:\[[\w,]+\])?==", lock, re.MULTILINE))
    names = (
        _distributions_asked_for() if group == "base" else _distributions_asked_for("dev") - _distributions_asked_for()
    )
    assert names - locked == set(), "run ./run lock"
    assert lock.count("--hash=sha256:") >= len(locked) > 0


@pytest.mark.parametrize(("tops", "groups"), [(("radica", "bots", "migrations"), ()), (("tests", "bench"), ("dev",))])
def test_what_is_imported_is_asked_for(tops: tuple[str, ...], groups: tuple[str, ...]) -> None:
    asked = _distributions_asked_for(*groups)
    own = {"radica", "bots", "migrations", "tests", "bench"} | sys.stdlib_module_names
    installed = packages_distributions()
    missing = set()
    for path in _python_files(*tops):
        for top in {name.split(".")[0] for name in imported(ast.parse(path.read_text(encoding="utf-8")))} - own:
            carriers = {name.lower().replace("_", "-") for name in installed.get(top, [])} | {BROUGHT_ALONG.get(top)}
            if not asked & carriers:
                missing.add(f"{_name(path)}: {top}")
    assert missing == set(), "name it in pyproject.toml and run ./run lock"


BROKEN = (
    """
def largo():
"""
    + "    x = 1\n" * MAX_FUNCTION_LINES
    + """
def malo(factura):
    import json
    factura.estado = json.loads("1")
    setattr(factura, "state", 1)
    update(Factura).values(estado=1)
    session.commit()
    try:
        return float(1)
    except (OSError, Exception):
        return None

def bueno(factura):
    nuevo = Factura(estado=1)
    try:
        return nuevo.estado
    except BaseException:
        close()
        raise
"""
)


@pytest.mark.parametrize(
    ("rule", "count"),
    [(long_functions, 1), (inner_imports, 1), (state_writes, 3), (commits, 1), (float_calls, 1), (broad_excepts, 1)],
)
def test_each_rule_sees_what_breaks_it_and_nothing_else(rule: Callable[[ast.Module], list[str]], count: int) -> None:
    assert len(rule(ast.parse(BROKEN))) == count


@pytest.mark.parametrize(
    "line", ["https:" + "//py" + "pi.org/simple", "/wo" + "rk/shared/samples", "https:" + "//registry.np" + "mjs.org/x"]
)
def test_the_text_rule_sees_hosts_and_paths(line: str) -> None:
    assert FORBIDDEN_TEXT.search(line)
