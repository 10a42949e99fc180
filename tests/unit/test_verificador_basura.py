"""The offline verifier before rubbish, what is no bag, and wrong anchors: always a verdict, never a traceback."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radica.prejuridico.bolsa import HISTORIA, SEALED, VERIFIER
from radica.prejuridico.verificador import verificar as program
from radica.prejuridico.verificador.verificar import ALTERADA, INCOMPLETA, verificar
from tests import bolsa_muestra as muestra
from tests.plugins.verificador import FILES, PRUEBA, flip, named, run, verdict


def _rubbish() -> Iterator[tuple[str, bytes]]:
    yield "not json", b"\x00\xff{"
    yield "empty", b""
    yield "list", b"[]"
    yield "text", b'"x"'
    yield "deep", b"[" * 200_000
    yield "deep object", b'{"formato":' * 100_000
    yield "giant number", b'{"formato":"radica-prueba/1","hojas":' + b"9" * 1_000_000 + b',"sellos":[]}'
    yield "giant size", b'{"formato":"radica-prueba/1","hojas":[],"sellos":[{"hojas":1e999999,"raiz":"x"}]}'
    yield "not a number", b'{"formato":"radica-prueba/1","hojas":NaN,"sellos":Infinity}'
    yield "lone surrogate", b'{"formato":"radica-historia/1","cadenas":{"a:1":[{"hash":"x","note":"\\ud800"}]}}'
    yield "wrong links", b'{"formato":"radica-historia/1","cadenas":{"factura:1":[1,2],"glosa:7":"xx"}}'
    yield "wrong evidence", b'{"formato":"radica-historia/1","cadenas":{"a:1":[{"hash":"x","evidence":[{}]}]}}'
    yield "other edition", b'{"formato":"radica-prueba/2"}'


@pytest.mark.usefixtures("no_openssl")
@pytest.mark.parametrize("name", [PRUEBA, HISTORIA, *FILES[4:8], *FILES[-6:]])
@pytest.mark.parametrize(("kind", "content"), list(_rubbish()), ids=lambda one: one if isinstance(one, str) else "")
def test_rubbish_has_a_verdict(folder: Path, name: str, kind: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    if not name.startswith("tagmanifest-"):
        muestra.retag(folder)
    assert verdict(folder) in {ALTERADA, INCOMPLETA}


@pytest.mark.parametrize("cut", range(0, 1400, 50))
def test_a_token_cut_or_bent_anywhere_has_a_verdict(folder: Path, cut: int) -> None:
    path = folder / "sellos/sello-1-1.tsr"
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    muestra.retag(folder)
    assert verdict(folder) == ALTERADA
    path.write_bytes(content[:cut] + b"\xff\x80\x84" + content[cut + 3 :])
    muestra.retag(folder)
    assert verdict(folder) == ALTERADA


@pytest.mark.parametrize("where", ["nada", "vacia", "archivo", "data"])
def test_what_is_no_bag_is_said(folder: Path, where: str) -> None:
    (folder.parent / "vacia").mkdir()
    (folder.parent / "archivo").write_bytes(b"x")
    place = folder / "data" if where == "data" else folder.parent / where
    done = run(VERIFIER, place)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(("VEREDICTO: INCOMPLETA", "VEREDICTO: ALTERADA"))


def test_a_file_that_cannot_be_read_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "01Acuse.pdf":
            raise PermissionError(13, "Permission denied", str(self))
        return opens(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)  # who runs the tests may be root, who reads everything
    assert verdict(folder) == INCOMPLETA
    assert "data/06_radicacion/01Acuse.pdf" in named(folder)


@pytest.mark.parametrize("ancla", ["", "xyz", "ab" * 31])
def test_an_anchor_that_is_no_fingerprint_is_refused(folder: Path, ancla: str) -> None:
    done = run(VERIFIER, folder, "--ancla", ancla)
    assert done.returncode == 2
    assert "64 cifras" in done.stderr


def test_an_anchor_may_be_written_as_openssl_prints_it(folder: Path) -> None:
    root = verificar(folder).sellos[0]["tokens"][0]["raiz_sha256"].upper()
    assert run(VERIFIER, folder, "--ancla", ":".join(root[at : at + 2] for at in range(0, 64, 2))).returncode == 0


def test_the_json_says_the_same(folder: Path) -> None:
    flip(folder / "data/06_radicacion/01Acuse.pdf", folder)
    done = run(VERIFIER, folder, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["veredicto"]) == (1, ALTERADA)
    first = said["hallazgos"][0]
    assert first["archivo"] == "data/06_radicacion/01Acuse.pdf"
    assert len(first["esperado"]) == len(first["hallado"]) == 64
    assert first["esperado"] == hashlib.sha256(muestra.ACUSE).hexdigest()


# What it is made of.


def test_it_is_one_short_file_of_the_standard_library_for_python_3_9() -> None:
    source = VERIFIER.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules - sys.stdlib_module_names == set()
    assert not {"match_case", "zip(strict"} & set(source.split())
    assert len(source.splitlines()) <= 400


def test_it_agrees_with_the_house_on_what_is_sealed_and_where() -> None:
    assert (program.SELLADOS, program.HISTORIA) == (SEALED, HISTORIA)


def test_every_verdict_stands_in_the_leeme() -> None:
    leeme = (VERIFIER.parent / "LEEME.txt").read_text(encoding="utf-8")
    places = [leeme.find(f"\n  {one} ") for one in program.PRECEDENCIA]
    assert -1 not in places
    assert places == sorted(places)


def test_a_certificate_with_bytes_that_two_readers_read_differently_is_refused(folder: Path) -> None:
    path = folder / "sellos/autoridad-1.raiz.pem"
    text = path.read_text()
    for other in (text.replace("\n", "\r\n"), text.replace("A", "=", 1), text + text, "x" + text, text + "x"):
        path.write_text(other, newline="")
        muestra.retag(folder)
        assert verdict(folder) == ALTERADA


def test_a_history_dated_long_before_its_seal_shows_that_date_beside_the_hour_of_the_authority(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = verificar(folder)
    assert report.desde == {5: "2026-09-01T07:00:00.123000Z", 9: "2026-09-03T07:00:00.123000Z"}
    program.mostrar(report)
    lines = capsys.readouterr().out.splitlines()
    for size, date in report.desde.items():
        at = next(place for place, line in enumerate(lines) if line.startswith(f"Sello: radica/1 {size} "))
        assert date in lines[at + 1]
        assert "2026-11-20T" in lines[at + 2]
