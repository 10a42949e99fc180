"""The offline verifier against bent proofs, rewritten histories and attackers who recompute what they can."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms

from bots.simulador.tsa import State
from bots.simulador.tsa_certs import load_or_make
from radica.prejuridico.bolsa import HISTORIA, VERIFIER
from radica.prejuridico.verificador.verificar import ALTERADA, INCOMPLETA, SIN_FIRMA, SIN_SELLO, VALIDA, verificar
from tests import bolsa_muestra as muestra
from tests.bolsa_muestra import Muestra
from tests.plugins.verificador import edit_proof, flip, named, run, stamps_of, verdict


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
    stamps = stamps_of(sample.folder)

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
    muestra.rebuild(sample, stamps_of(sample.folder))
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
