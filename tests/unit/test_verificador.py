"""The offline verifier against every tampering of every file, and against attackers who recompute what they can."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms

from bots.simulador.tsa import State
from bots.simulador.tsa_certs import load_or_make
from radica.prejuridico.bolsa import HISTORIA, SEALED, VERIFIER
from radica.prejuridico.pruebas import TokenProbado
from radica.prejuridico.verificador import verificar as program
from radica.prejuridico.verificador.verificar import ALTERADA, INCOMPLETA, SIN_FIRMA, SIN_SELLO, VALIDA, verificar
from tests import bolsa_muestra as muestra
from tests.bolsa_muestra import Muestra

PRUEBA = "sellos/prueba.json"
FILES = [
    "LEEME.txt", "bag-info.txt", "bagit.txt", "verificar.py",
    "manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt",
    "data/03_facturas/01Factura.xml", "data/06_radicacion/01Acuse.pdf", HISTORIA,
    PRUEBA, "sellos/sello-1.txt", "sellos/sello-1-1.tsr", "sellos/sello-2.txt", "sellos/sello-2-1.tsr",
    "sellos/autoridad-1.raiz.pem", "sellos/autoridad-1.cadena.pem",
]  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return muestra.autoridad(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, state: State) -> Muestra:
    return muestra.make(tmp_path_factory.mktemp("bolsa") / "expediente-3", state)


@pytest.fixture
def sample(original: Muestra, tmp_path: Path) -> Muestra:
    """A copy, in another place."""
    folder = tmp_path / "otra máquina" / "expediente-3"
    shutil.copytree(original.folder, folder)
    bag = muestra.replace(original.bag, folder=folder)
    return Muestra(bag, original.leaves, original.sizes)


@pytest.fixture
def folder(sample: Muestra) -> Path:
    return sample.folder


@pytest.fixture
def no_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found without it, it cannot undo; and asking it takes most of the time."""
    monkeypatch.setenv("PATH", "")


def verdict(folder: Path, *anclas: str) -> str:
    return verificar(folder, anclas).veredicto()


def named(folder: Path) -> str:
    """Everything that the findings say, as one text."""
    return json.dumps(verificar(folder).hallazgos, ensure_ascii=False)


def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        capture_output=True, encoding="utf-8", timeout=60, check=False, **options,
    )  # fmt: skip


def edit_proof(folder: Path, change: Callable[[Any], None]) -> None:
    """Change prueba.json and hide it from the tag manifests."""
    proof = json.loads((folder / PRUEBA).read_bytes())
    change(proof)
    (folder / PRUEBA).write_text(json.dumps(proof), encoding="utf-8")
    muestra.retag(folder)


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


def flip(path: Path, _: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


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
        muestra.rebuild(sample, _stamps_of(sample.folder))
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


# The proof is cut or bent, and the tag manifests are recomputed.


def _cut(*keys: str | int) -> Callable[[Any], None]:
    def change(proof: Any) -> None:
        for key in keys[:-1]:
            proof = proof[key]
        del proof[keys[-1]]

    return change


CUTS = [
    ("hojas",), ("sellos",), ("hojas", 0), ("hojas", 0, "ruta"), ("hojas", 0, "hash"), ("sellos", 0),
    ("sellos", 1), ("sellos", 0, "raiz"), ("sellos", 0, "tokens"), ("sellos", 0, "tokens", 0, "raiz"), ("formato",),
]  # fmt: skip


@pytest.mark.usefixtures("no_openssl")
@pytest.mark.parametrize("keys", CUTS, ids=str)
def test_a_proof_that_was_cut(folder: Path, keys: tuple[str | int, ...]) -> None:
    edit_proof(folder, _cut(*keys))
    assert verdict(folder) in {ALTERADA, INCOMPLETA}


def test_all_leaves_of_a_chain_are_needed(folder: Path) -> None:
    def change(proof: Any) -> None:
        proof["hojas"] = [one for one in proof["hojas"] if one["nombre"] != "glosa:7"]

    edit_proof(folder, change)
    assert verdict(folder) == INCOMPLETA
    assert "falta la hoja sellada de glosa:7" in named(folder)


def test_a_later_leaf_that_was_cut_shows_in_how_far_the_chain_is_sealed(folder: Path) -> None:
    def change(proof: Any) -> None:
        assert (proof["hojas"][1]["nombre"], proof["hojas"][1]["seq"]) == ("factura:1", 3)
        del proof["hojas"][1]

    edit_proof(folder, change)
    assert verificar(folder).cadenas[0] == {"nombre": "factura:1", "eslabones": 3, "sellado_hasta": 2}


def test_a_shorter_or_longer_path_does_not_reach_the_root(folder: Path) -> None:
    edit_proof(folder, lambda proof: proof["hojas"][1]["ruta"].pop())
    assert verdict(folder) == ALTERADA
    edit_proof(folder, lambda proof: proof["hojas"][1]["ruta"].extend(["ab" * 32] * 2))
    assert verdict(folder) == ALTERADA


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("hojas", 0, "indice"), 7), (("hojas", 0, "indice"), -1), (("hojas", 0, "indice"), 10**30),
        (("hojas", 0, "seq"), 2), (("hojas", 0, "nombre"), "expediente:4"), (("hojas", 0, "tipo"), "cadena"),
        (("hojas", 0, "seq"), True), (("hojas", 1, "seq"), 1), (("hojas", 1, "nombre"), "factura:2"),
        (("hojas", 1, "ruta"), ["zz"]), (("hojas", 1, "ruta"), [None]), (("sellos", 0, "hojas"), 10),
        (("sellos", 0, "raiz"), "ab" * 32), (("sellos", 0, "linea"), "sellos/sello-2.txt"),
        (("sellos", 0, "linea"), "../../secreto"), (("sellos", 0, "tokens", 0, "archivo"), "sellos/sello-2-1.tsr"),
        (("sellos", 0, "tokens", 0, "raiz"), "/etc/ssl/certs/ca-certificates.crt"), (("sellos",), {}), (("hojas",), 3),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("no_openssl")
def test_a_proof_that_was_bent(folder: Path, place: tuple[str | int, ...], value: Any) -> None:
    def change(proof: Any) -> None:
        for key in place[:-1]:
            proof = proof[key]
        proof[place[-1]] = value

    edit_proof(folder, change)
    assert verdict(folder) in {ALTERADA, INCOMPLETA}


def test_without_tokens_there_is_no_time(folder: Path) -> None:
    def change(proof: Any) -> None:
        for seal in proof["sellos"]:
            seal["tokens"] = []

    for path in (folder / "sellos").glob("*.[tp][se][rm]"):
        path.unlink()
    edit_proof(folder, change)
    assert verdict(folder) == SIN_SELLO


def test_a_token_of_another_seal(sample: Muestra, state: State) -> None:
    other = muestra.token(state, b"radica/1 9 " + b"cd" * 32 + b"\n", muestra.NOW)
    (sample.folder / "sellos" / "sello-1-1.tsr").write_bytes(other.der)
    muestra.retag(sample.folder)
    assert verdict(sample.folder) == ALTERADA
    assert "sella otra cosa" in named(sample.folder)


# Attackers.


def change_history(folder: Path, change: Callable[[Any], None]) -> None:
    data = json.loads((folder / HISTORIA).read_bytes())
    change(data["cadenas"])
    (folder / HISTORIA).write_bytes(muestra.history(data["cadenas"]))


def _stamps_of(folder: Path) -> Callable[[bytes, int], TokenProbado]:
    """The tokens that the bag has: whoever has no authority can only put them back."""
    chain = b"".join((folder / f"sellos/autoridad-1.{one}.pem").read_bytes() for one in ("cadena", "raiz")).decode()
    ders = {9: (folder / "sellos/sello-1-1.tsr").read_bytes(), 5: (folder / "sellos/sello-2-1.tsr").read_bytes()}
    return lambda _, size: TokenProbado("demo", ders[size], chain, acreditada=False)


def _swap_links(chains: Any) -> None:
    chains["factura:1"][0], chains["factura:1"][1] = chains["factura:1"][1], chains["factura:1"][0]


def _drop_last(chains: Any) -> None:
    chains["factura:1"].pop()


def _drop_middle(chains: Any) -> None:
    del chains["factura:1"][1]


def _change_link(chains: Any) -> None:
    chains["factura:1"][0]["facts"]["valor"] = 99


def _change_text(chains: Any) -> None:
    chains["glosa:7"][1]["note"] = "otra cosa"


def _forget_chain(chains: Any) -> None:
    del chains["glosa:7"]


HISTORIES = [_swap_links, _drop_last, _drop_middle, _change_link, _change_text, _forget_chain]


@pytest.mark.parametrize("change", HISTORIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("effort", ["none", "manifests", "everything"])
def test_a_rewritten_history(sample: Muestra, change: Callable[[Any], None], effort: str) -> None:
    stamps = _stamps_of(sample.folder)

    def again(chains: Any) -> None:
        change(chains)
        if effort == "everything":
            for chain in chains.values():
                muestra.rechain(chain)

    change_history(sample.folder, again)
    if effort != "none":
        muestra.rebuild(sample, stamps)
    assert verdict(sample.folder) == ALTERADA
    if effort == "everything":
        assert "sella otra cosa, no su raíz" in named(sample.folder)


def test_a_changed_document_with_everything_recomputed_up_to_the_root(sample: Muestra) -> None:
    (sample.folder / "data/03_facturas/01Factura.xml").write_bytes(b"<Invoice>2</Invoice>")
    muestra.rebuild(sample, _stamps_of(sample.folder))
    report = verificar(sample.folder)
    assert {one["archivo"] for one in report.hallazgos} == {"sellos/sello-1-1.tsr"}
    assert report.veredicto() == ALTERADA


def test_who_replaces_token_and_authority_is_told_by_the_fingerprint(sample: Muestra, tmp_path: Path) -> None:
    true_root = verificar(sample.folder).sellos[0]["tokens"][0]["raiz_sha256"]
    assert verdict(sample.folder, true_root) == VALIDA
    forger = State(load_or_make(tmp_path / "falsa", muestra.NOW))
    (sample.folder / "data/03_facturas/01Factura.xml").write_bytes(b"<Invoice>2</Invoice>")
    muestra.rebuild(sample, lambda line, _: muestra.token(forger, line, muestra.NOW))
    report = verificar(sample.folder)
    assert report.veredicto() == VALIDA
    assert report.sellos[0]["tokens"][0]["raiz_sha256"] != true_root
    assert verdict(sample.folder, true_root) == SIN_FIRMA
    assert run(VERIFIER, sample.folder, "--ancla", true_root).returncode == 1


def test_a_second_certificate_beside_the_trusted_root_is_refused(sample: Muestra, tmp_path: Path) -> None:
    true_root = (sample.folder / "sellos/autoridad-1.raiz.pem").read_bytes()
    ancla = verificar(sample.folder).sellos[0]["tokens"][0]["raiz_sha256"]
    forger = State(load_or_make(tmp_path / "falsa", muestra.NOW))
    muestra.rebuild(sample, lambda line, _: muestra.token(forger, line, muestra.NOW))
    root = sample.folder / "sellos/autoridad-1.raiz.pem"
    root.write_bytes(true_root + root.read_bytes())
    muestra.retag(sample.folder)
    assert verdict(sample.folder, ancla) == ALTERADA
    chain = sample.folder / "sellos/autoridad-1.cadena.pem"
    chain.write_bytes(chain.read_bytes() + root.read_bytes()[len(true_root) :])
    root.write_bytes(true_root)  # the right root above a token that it did not sign
    muestra.retag(sample.folder)
    assert verdict(sample.folder, ancla) == ALTERADA
    assert "la firma del sello no vale" in named(sample.folder)


def test_a_certificate_that_was_slipped_into_the_token(sample: Muestra, tmp_path: Path) -> None:
    path = sample.folder / "sellos/sello-1-1.tsr"
    other = State(load_or_make(tmp_path / "otra", muestra.NOW)).authority.certificates["good"]
    token = cms.ContentInfo.load(path.read_bytes())
    token["content"]["certificates"].append(cms.Certificate.load(other.public_bytes(muestra.Encoding.DER)))
    path.write_bytes(token.dump(force=True))
    muestra.retag(sample.folder)
    assert verdict(sample.folder) == ALTERADA
    assert "los certificados de sellos/sello-1-1.tsr no son los de" in named(sample.folder)


def test_a_token_whose_signature_was_touched(sample: Muestra, state: State) -> None:
    state.configure(mode="bad_signature")
    try:
        muestra.rebuild(sample, lambda line, _: muestra.token(state, line, muestra.NOW))
    finally:
        state.configure(mode="ok")
    assert verdict(sample.folder) == ALTERADA
    assert "la firma del sello no vale" in named(sample.folder)


def test_an_authority_that_expired_since_is_judged_at_its_hour(sample: Muestra, tmp_path: Path) -> None:
    long_ago = datetime(2012, 5, 1, 12, tzinfo=UTC)
    old = State(load_or_make(tmp_path / "vieja", long_ago))
    muestra.rebuild(sample, lambda line, _: muestra.token(old, line, long_ago))
    assert verdict(sample.folder) == VALIDA


# Without openssl, with a bad one.


def test_without_openssl_the_signature_is_not_checked(folder: Path) -> None:
    done = run(folder / "verificar.py", env={"PATH": ""})
    assert done.returncode == 1
    assert done.stdout.startswith("VEREDICTO: FIRMA DEL SELLO NO COMPROBADA — sello de demostración")
    flip(folder / "data/06_radicacion/01Acuse.pdf", folder)
    assert run(folder / "verificar.py", env={"PATH": ""}).stdout.startswith("VEREDICTO: ALTERADA")


@pytest.mark.parametrize("script", ["exit 3", "echo Verification: OK; exit 1", "echo no se entiende -attime", ""])
def test_an_openssl_that_does_not_serve(folder: Path, tmp_path: Path, script: str) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    (place / "openssl").write_text(f"#!/bin/sh\n{script}\n" if script else "no es un programa")
    (place / "openssl").chmod(0o755)
    done = run(VERIFIER, folder, env={"PATH": str(place)})
    assert done.stdout.startswith("VEREDICTO: FIRMA DEL SELLO NO COMPROBADA")
    assert (done.returncode, done.stderr) == (1, "")


def test_an_openssl_without_the_newer_options_still_serves(folder: Path, tmp_path: Path) -> None:
    place, real = tmp_path / "bin", shutil.which("openssl")
    place.mkdir()
    (place / "openssl").write_text(
        f'#!/bin/sh\ncase "$*" in *-attime*) echo "unknown option -attime" >&2; exit 1;; esac\nexec {real} "$@"\n'
    )
    (place / "openssl").chmod(0o755)
    assert run(VERIFIER, folder, env={"PATH": str(place)}).returncode == 0


def test_a_program_that_the_bag_brings_is_not_run(folder: Path) -> None:
    (folder / "openssl").write_text("#!/bin/sh\ntouch ../corrio\necho Verification: OK\n")
    (folder / "openssl").chmod(0o755)
    run("verificar.py", cwd=folder, env={"PATH": f"{folder}:."})
    assert not (folder.parent / "corrio").exists()


# Rubbish.


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
