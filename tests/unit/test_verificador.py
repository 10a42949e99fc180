"""The offline verifier against every tampering of every file: each is named, and the rest of the bag is judged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bots.simulador.tsa import State
from radica.prejuridico.bolsa import VERIFIER
from radica.prejuridico.verificador.verificar import ALTERADA, INCOMPLETA, SIN_FIRMA, VALIDA, verificar
from tests import bolsa_muestra as muestra
from tests.bolsa_muestra import Muestra
from tests.plugins.verificador import FILES, flip, named, run, stamps_of, verdict


def test_an_untouched_bag_is_valid_also_somewhere_else(folder: Path) -> None:
    report = verificar(folder)
    assert (report.veredicto(), report.hallazgos) == (VALIDA, [])
    assert sorted(report.archivos) == sorted(FILES)
    assert report.demostracion
    assert report.cadenas == [
        {"nombre": "factura:1", "eslabones": 3, "sellado_hasta": 3},
        {"nombre": "glosa:7", "eslabones": 2, "sellado_hasta": 2},
    ]
    acuse = hashlib.sha256(muestra.ACUSE).hexdigest()
    assert report.evidencias == {acuse: "data/06_radicacion/01Acuse.pdf", "ab" * 32: ""}
    assert [one["tokens"][0]["hora"] for one in report.sellos] == [
        "2026-11-20T15:04:05+00:00",
        "2026-11-20T09:00:00+00:00",
    ]


def test_the_program_alone_says_the_verdict_first_and_ends_with_zero(folder: Path) -> None:
    done = run("verificar.py", cwd=folder)
    first = done.stdout.splitlines()[0]
    assert (done.returncode, done.stderr) == (0, "")
    assert first == "VEREDICTO: VÁLIDA — sello de demostración, sin valor legal"
    assert "sólo lo dice el reloj de quien lo registró" in done.stdout
    assert not list(folder.rglob("__pycache__"))


def truncate(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def halve(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def grow(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def empty(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def drop(path: Path, _: Path) -> None:
    path.unlink()


def rename(path: Path, _: Path) -> None:
    path.rename(path.with_name("Otro.txt"))


def recase(path: Path, _: Path) -> None:
    path.rename(path.with_name(path.name.swapcase()))


def link(path: Path, folder: Path) -> None:
    target = folder.parent / "fuera"
    path.rename(target)
    path.symlink_to(target)


def add_beside(path: Path, _: Path) -> None:
    path.with_name(f"{path.stem}2{path.suffix}").write_bytes(path.read_bytes())


def add_twin(path: Path, _: Path) -> None:
    path.with_name(path.name.swapcase()).write_bytes(path.read_bytes())


TAMPERINGS = {
    flip: {ALTERADA}, truncate: {ALTERADA}, grow: {ALTERADA}, empty: {ALTERADA}, drop: {INCOMPLETA},
    rename: {ALTERADA}, recase: {ALTERADA}, link: {ALTERADA}, add_beside: {ALTERADA}, add_twin: {ALTERADA},
}  # fmt: skip


@pytest.mark.usefixtures("no_openssl")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda one: one.__name__)
def test_each_tampering_of_each_file_is_named(folder: Path, name: str, tamper: Callable[[Path, Path], None]) -> None:
    before = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    tamper(folder / name, folder)
    report = verificar(folder)
    assert report.veredicto() in TAMPERINGS[tamper]
    added = {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - before
    said = json.dumps(report.hallazgos, ensure_ascii=False)
    assert all(one in said for one in added or {name})


@pytest.mark.parametrize("name", [one for one in FILES if not one.startswith("tagmanifest-")])
@pytest.mark.parametrize("tamper", [flip, halve, drop, add_beside], ids=lambda one: one.__name__)
def test_recomputing_the_tag_manifests_hides_nothing(
    folder: Path, name: str, tamper: Callable[[Path, Path], None]
) -> None:
    tamper(folder / name, folder)
    muestra.retag(folder)
    assert verdict(folder) in {ALTERADA, INCOMPLETA}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("data/03_facturas/01Factura.xml", "data/06_radicacion/01Acuse.pdf"),
        ("manifest-sha256.txt", "manifest-sha512.txt"),
        ("sellos/sello-1-1.tsr", "sellos/sello-2-1.tsr"),
        ("sellos/sello-1.txt", "sellos/sello-2.txt"),
    ],
)
@pytest.mark.parametrize("hide", [False, True])
def test_two_files_in_each_others_place(folder: Path, one: str, other: str, hide: bool) -> None:
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)
    if hide:
        muestra.retag(folder)
    assert verdict(folder) == ALTERADA


def test_another_certificate_as_root_is_told_by_its_fingerprint(folder: Path) -> None:
    ancla = verificar(folder).sellos[0]["tokens"][0]["raiz_sha256"]
    root, chain = folder / "sellos/autoridad-1.raiz.pem", folder / "sellos/autoridad-1.cadena.pem"
    first, second = root.read_bytes(), chain.read_bytes()
    root.write_bytes(second)
    chain.write_bytes(first)
    assert verdict(folder) == ALTERADA
    muestra.retag(folder)  # the same signature under a nearer anchor: it holds, but it is not the one that was asked
    assert verdict(folder, ancla) == SIN_FIRMA


@pytest.mark.parametrize(
    "extra",
    [".oculto", "data/.oculto", "sellos/.oculto", "data/03_facturas/nuevo.pdf", "fetch.txt", "tagmanifest-md5.txt",
     "manifest-md5.txt", "otra/carpeta/x.txt", "data/03_facturas/01FACTURA.XML", "json.py", "verificar.pyc",
     "data/ﬁrma.pdf", "a\x1b[2J\nVEREDICTO: VÁLIDA"],
)  # fmt: skip
@pytest.mark.parametrize("hide", [False, True])
def test_nothing_may_be_added_anywhere(folder: Path, extra: str, hide: bool) -> None:
    (folder / extra).parent.mkdir(parents=True, exist_ok=True)
    (folder / extra).write_bytes(b"x")
    if hide:
        muestra.retag(folder)
    done = run(VERIFIER, folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0].startswith("VEREDICTO: ALTERADA")
    assert "\x1b" not in done.stdout
    assert done.stdout.count("\nVEREDICTO") == 0


def test_an_empty_folder_a_pipe_and_a_linked_folder_are_seen(folder: Path) -> None:
    assert verdict(folder) == VALIDA
    (folder / "data" / "vacia").mkdir()
    assert verdict(folder) == INCOMPLETA
    (folder / "data" / "vacia").rmdir()
    os.mkfifo(folder / "data" / "tubo")
    assert verdict(folder) == ALTERADA
    (folder / "data" / "tubo").unlink()
    (folder / "data" / "mas").symlink_to(folder / "sellos", target_is_directory=True)
    assert verdict(folder) == ALTERADA


def test_names_that_differ_only_in_unicode_form(folder: Path) -> None:
    (folder / "data" / "acci\u00f3n.txt").write_bytes(b"x")
    (folder / "data" / "accio\u0301n.txt").write_bytes(b"x")
    assert all(one in named(folder) for one in ("acci\u00f3n.txt", "accio\u0301n.txt"))
    assert verdict(folder) == ALTERADA


def test_two_listed_names_that_differ_only_in_capitals(sample: Muestra) -> None:
    (sample.folder / "data/03_facturas/01FACTURA.xml").write_bytes(b"<Invoice>2</Invoice>")
    with pytest.raises(ValueError, match="one name"):
        muestra.rebuild(sample, stamps_of(sample.folder))
    assert "sólo se distinguen por mayúsculas" in named(sample.folder)


def test_payload_oxum_is_held_against_the_payload(sample: Muestra, state: State) -> None:
    path = sample.folder / "bag-info.txt"
    size = sum(one.stat().st_size for one in (sample.folder / "data").rglob("*") if one.is_file())
    assert f"Payload-Oxum: {size}.3\n" in path.read_text()
    path.write_text(path.read_text().replace(f"{size}.3", f"{size}.4"))
    muestra.retag(sample.folder)
    report = verificar(sample.folder)
    found = [one for one in report.hallazgos if one["archivo"] == "bag-info.txt"]
    assert [(one["esperado"], one["hallado"]) for one in found] == [(f"{size}.4", f"{size}.3")]
