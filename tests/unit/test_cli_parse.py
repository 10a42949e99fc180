"""The command line understands or refuses in Spanish, without a database."""

from __future__ import annotations

import json
from datetime import date

import pytest

from radica.app.cli import program
from radica.app.cli.parse import Parser, UsageProblem, day, leaf, positive


def _parser() -> Parser:
    parser = Parser(prog="radica algo")
    parser.add_argument("--desde", type=day, required=True)
    parser.add_argument("--cuantos", type=positive, default=1)
    leaf(parser)
    return parser


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Falta indicar: --desde."),
        (["--desde"], "--desde: falta el valor."),
        (["--desde", "ayer"], "--desde: «ayer» no es una fecha"),
        (["--desde", "2026-02-30"], "«2026-02-30» no es una fecha"),
        (["--desde", "2026-02-03", "--cuantos", "0"], "no es un número entero mayor que cero"),
        (["--desde", "2026-02-03", "--des", "x"], "No se entiende: --des x."),
        (["--desde", "2026-02-03", "sobra"], "No se entiende: sobra."),
    ],
)
def test_a_wrong_use_is_refused_in_spanish(words: list[str], said: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        _parser().parse_args(words)
    assert said in str(refused.value)
    assert refused.value.usage.startswith("Uso: radica algo")


def test_a_right_use_is_read() -> None:
    options = _parser().parse_args(["--desde", "2026-02-03", "--cuantos", "7", "--json"])
    assert (options.desde, options.cuantos, options.json) == (date(2026, 2, 3), 7, True)


def test_every_command_has_a_module_that_describes_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in program.COMMANDS:
        with pytest.raises(SystemExit) as end:
            program.main([name, "--help"])
        assert end.value.code == 0
        said = capsys.readouterr().out
        assert said.startswith(f"Uso: radica {name}")
        assert "usage" not in said
        assert "options" not in said


def test_terms_are_computed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["plazos", "calcular", "--termino", "rad-01", "--desde", "2026-11-05", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["termino", "desde", "vence", "norma", "articulo", "calendario", "lecturas"]
    assert (document["termino"], document["desde"], document["vence"]) == ("RAD-01", "2026-11-05", "2026-12-09")
    assert document["lecturas"] == [{"vence": "2026-12-09", "criterio": "22 días hábiles"}]


def test_where_the_norm_gives_no_term_it_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plazos", "calcular", "--termino", "RAD-01", "--desde", "2026-11-05", "--pagador", "soat", "--json"]
    assert program.main(words) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["vence"] is None
    assert document["motivo"]
    assert document["fecha_prudente"] == "2026-12-09"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["plazos", "calcular", "--termino", "RAD-99", "--desde", "2026-11-05"], "termino_desconocido"),
        (["plazos", "calcular", "--termino", "RAD-01"], "uso"),
        (["plazos"], "uso"),
        (["nada"], "uso"),
        (["--datos=x", "nada"], "uso"),
    ],
)
def test_an_error_is_one_json_document_and_exit_two(
    words: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main([*words, "--json"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["codigo"] == code
    assert said.err == ""
