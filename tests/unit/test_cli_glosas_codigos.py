"""`radica glosas codigos`: a code in words, as JSON, by its words, and one that no manual has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radica.app.cli import program


@pytest.fixture
def codigos(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(*words: str) -> tuple[int, str]:
        code = program.main(["--datos", str(tmp_path), "glosas", "codigos", *words])
        return code, capsys.readouterr().out

    return run


def test_a_code_with_its_applications_and_what_it_replaced(codigos) -> None:
    code, out = codigos("fa-02")
    assert code == 0
    assert "FA0206" in out
    assert "concepto específico" in out
    assert "Antes: 102" in out


def test_an_old_code_says_its_heirs_with_confidence(codigos) -> None:
    code, out = codigos("0203", "--json")
    (found,) = json.loads(out)["codigos"]
    assert code == 0
    assert (found["codigo"], found["manual"]) == ("203", "3047")
    assert [(one["codigo"], one["confianza"]) for one in found["equivale_a"]][:2] == [
        ("TA03", "alta"),
        ("TA0301", "media"),
    ]


def test_what_no_manual_has_is_a_finding(codigos) -> None:
    assert codigos("PE01")[0] == 1
    assert "Ningún manual" in codigos("SC02")[1]


def test_words_find_codes_and_nothing_lists_the_concepts(codigos) -> None:
    assert "SO0803" in codigos("lectura", "interpretacion")[1]
    assert json.loads(codigos("--json")[1])["codigos"][0]["codigo"] == "DE"


def test_which_manual_rules_a_service(codigos) -> None:
    code, out = codigos("203", "--servicio", "2025-01-10", "--radicacion", "2025-02-03")
    assert code == 0
    assert "Manual que rige: manual anterior (Res. 3047/2008)." in out
    found = json.loads(codigos("TA08", "--servicio", "2025-03-01", "--grupo", "G2", "--json")[1])
    assert found["manual_aplicable"]["manual"] == "3047"
    assert "las fechas no lo resuelven" in codigos("TA08", "--servicio", "2025-03-01")[1]
