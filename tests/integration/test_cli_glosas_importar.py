"""`radica glosas importar` as an operator uses it: what was loaded, what waits, what is refused, and again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radica.app.cli import program
from radica.glosas.models import Glosa
from radica.kernel.db import Database
from tests.plugins.glosas import day
from tests.plugins.notices import Notices, row, table

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notices]:
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)
    database = Database(sqlite_url)
    yield Notices(database, tmp_path)
    database.dispose()


@pytest.fixture
def radica(desk: Notices, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        given = ["--datos", str(desk.folder / "datos"), "glosas", "importar", *words]
        code = program.main([*given, "--prestador", desk.prestador.nit])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def put(desk: Notices, name: str, *rows: dict[str, str]) -> str:
    path = desk.folder / name
    path.write_bytes(table(rows))
    return str(path)


def test_what_is_whole_ends_with_0_and_again_loads_nothing(desk: Notices, radica: Run) -> None:
    desk.invoice("FV501")
    path = put(desk, "g.csv", row("FV501"), row("FV501", "20", "SO3401"))
    code, out, _ = radica(path, "--pagador", desk.pagador.nit, "--recibida", "2026-06-17")
    assert code == 0
    assert "2 nuevas" in out
    glosa: Glosa = desk.glosas()[0]
    assert (glosa.notificada_segun, glosa.notificada_at) == ("persona", day(6, 17, 0))
    code, out, _ = radica(path, "--json")
    (notice,) = json.loads(out)["archivos"][0]["notificaciones"]
    assert (code, notice["ya_estaba"], notice["nuevas"], notice["total_leido"]) == (0, True, 0, "1020.00")
    assert desk.money() == (2, 102_000)


def test_what_waits_for_a_person_ends_with_1(desk: Notices, radica: Run) -> None:
    code, out, _ = radica(put(desk, "g.csv", row("FV999")))
    assert code == 1
    assert "1 sin factura" in out


def test_one_file_that_fails_does_not_stop_the_others(
    desk: Notices, radica: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.invoice("FV501")
    monkeypatch.setattr("radica.glosas.intake.MAX_BYTES", 200)
    large = put(desk, "a.csv", *[row("FV501", str(n)) for n in range(20)])
    code, out, _ = radica(large, put(desk, "b.csv", row("FV501")), "--json")
    first, second = json.loads(out)["archivos"]
    assert (code, first["error"], second["notificaciones"][0]["nuevas"]) == (2, "demasiado_grande", 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("no_esta.csv",), "ruta"), (("{}", "--pagador", "999999999"), "pagador_desconocido")],
    ids=["no such file", "payer unknown"],
)
def test_refusals_change_nothing(desk: Notices, radica: Run, words: tuple[str, ...], expected: str) -> None:
    path = put(desk, "g.csv", row("FV501"))
    code, out, _ = radica(*(word.format(path) for word in words), "--json")
    assert (code, json.loads(out)["error"]["codigo"]) == (2, expected)
    assert desk.counts() == dict.fromkeys(desk.counts(), 0)
