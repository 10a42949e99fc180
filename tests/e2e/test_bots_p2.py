"""The P2 bot against the simulated EPS portal in real Chromium; the portal's ledger is the oracle."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bots import contract
from bots.contract import Category, Confidence, Operation, Outcome
from bots.simulador.server import Handle, start
from tests.plugins import bots as rig

LOOK_UP = Operation.LOOK_UP
KINDS = {
    *("manifest", "form_values", "screenshot_before", "screenshot_after", "acuse_shot", "acuse_dom"),
    *("submit_response", "tls", "acuse_document", "radicado", "context"),
}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    with start("p2", tmp_path / "ledger.db", config={"validation_s": 0.1}) as handle:
        yield handle


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    made: list[Path] = []

    def make() -> Path:
        made.append(tmp_path / f"intento{len(made)}")
        made[-1].mkdir()
        return made[-1]

    return make


@pytest.fixture
def factura(tmp_path: Path) -> contract.Factura:
    store = tmp_path / "almacen"
    store.mkdir(exist_ok=True)
    return rig.factura(store, "FE1001")


def test_a_filing_ends_accepted_with_all_its_evidence(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    where = folder()
    result = rig.run(rig.start(portal, where, (factura,)))

    assert result.outcome is Outcome.ACCEPTED
    assert result.confidence is Confidence.ALTA
    (row,) = portal.ledger.rows()
    assert (result.radicado, row["accepted"], row["invoice"]) == (row["radicado"], True, "FE1001")
    assert result.fecha == row["filed_at"] + "-05:00"
    assert {item.kind for item in result.evidence} == KINDS
    assert {file["sha256"] for file in row["files"]} == {file.sha256 for file in factura.files}
    assert {file["name"] for file in row["files"]} == {file.name for file in factura.files}
    manifest = json.loads((where / "manifiesto.json").read_text())
    assert {file["sha256"] for file in manifest["archivos"]} == {file.sha256 for file in factura.files}
    assert {file["paginas"] for file in manifest["archivos"] if file["rol"] == "SOPORTE"} == {1}
    assert (where / "constancia.pdf").read_bytes().startswith(b"%PDF-")
    answer = json.loads((where / "respuesta.json").read_text())
    assert answer["estado"] == 200
    assert answer["fecha_del_servidor"].endswith("GMT")
    assert contract.read_result(where) == result
    assert not (where / "envio").exists()


def test_the_evidence_is_what_the_page_held(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    where = folder()
    rig.run(rig.start(portal, where, (factura,)))
    fields = {f["name"]: f for f in json.loads((where / "formulario.json").read_text())["campos"]}
    assert fields["cuvTexto_1"]["value"] == factura.cuv
    assert fields["contrato"]["shown"] == ["EVENTO-2026 · Pago por evento"]
    sent = [(f["name"], f["bytes"]) for f in fields["soportes_1"]["files"]]
    assert sent == [(f.name, f.bytes) for f in factura.files if f.role == "SOPORTE"]


def test_no_secret_of_the_session_is_in_any_artefact_or_line(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    where = folder()
    message = rig.start(portal, where, (factura,))
    child = rig.Child(where, message.attempt.marker)
    child.say(message)
    child.until(contract.ReadyToSubmit)
    child.say(contract.Go("intento-1"))
    child.until(contract.Result)
    child.end()
    cookies = list(portal.portal._sessions)
    assert cookies
    secrets = [rig.CLAVE, *cookies]
    said = b"".join(contract.encode(line) for line in child.said)
    kept = [path for path in where.rglob("*") if path.is_file()]
    assert len(kept) > len(KINDS)
    for secret in secrets:
        assert secret.encode() not in said
        assert [path.name for path in kept if secret.encode() in path.read_bytes()] == []


def test_several_facturas_share_one_radicado(portal: Handle, folder: Callable[[], Path], tmp_path: Path) -> None:
    store = tmp_path / "almacen"
    store.mkdir()
    both = (rig.factura(store, "FE1001"), rig.factura(store, "FE1002", value="1000.50"))
    result = rig.run(rig.start(portal, folder(), both))
    assert result.outcome is Outcome.ACCEPTED
    assert {(r["invoice"], r["radicado"]) for r in portal.ledger.rows()} == {
        ("FE1001", result.radicado),
        ("FE1002", result.radicado),
    }
    found = rig.run(rig.start(portal, folder(), both, operation=LOOK_UP))
    assert (found.outcome, found.radicado, found.valor) == (Outcome.FOUND, result.radicado, "574480.50")
    assert [f.numero for f in found.facturas] == ["FE1001", "FE1002"]


LOST = [
    ("502_before_save", "error_del_portal", 0),
    ("502_after_save", "error_del_portal", 1),
    ("cut_connection_before_save", "conexion_perdida", 0),
    ("cut_connection_after_save", "conexion_perdida", 1),
    ("popup_never_shown", "sin_mensaje", 1),
    ("stale_page", "mensaje_de_otra_factura", 1),
    ("stale_page_before_save", "mensaje_de_otra_factura", 0),
    ("hang_after_save", "sin_respuesta", 1),
]


@pytest.mark.parametrize(("fault", "code", "saved"), LOST)
def test_an_answer_that_is_not_certain_is_unknown_and_only_the_query_settles_it(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura, fault: str, code: str, saved: int
) -> None:
    portal.configure(**{fault: 1, "detect_duplicates": False})
    result = rig.run(rig.start(portal, folder(), (factura,), submit_limit_s=8))
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, code)
    # One click is one request: Chromium itself would send a POST again on a used connection.
    assert portal.ledger.counts()["posts"] == 1
    assert portal.ledger.counts()["accepted"] == saved
    looked = rig.run(rig.start(portal, folder(), (factura,), operation=LOOK_UP))
    assert looked.outcome is (Outcome.FOUND if saved else Outcome.ABSENT)


REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"reject": {"reason": "Sin contrato vigente"}}, {"outcome": Outcome.REJECTED}),
    ({"reject_validation": {"reason": "Sin contrato vigente"}}, {"outcome": Outcome.REJECTED}),
    ({"answer_without_number": 1}, {"outcome": Outcome.ACCEPTED, "radicado": None, "confidence": Confidence.BAJA}),
    ({"acuse": "popup"}, {"outcome": Outcome.ACCEPTED, "document": None}),
    ({"constancia_fails": 1}, {"outcome": Outcome.ACCEPTED, "document": None}),
    ({"maintenance": True}, {"category": Category.RETRY, "code": "mantenimiento"}),
    ({"error_500": 1}, {"category": Category.RETRY, "code": "portal_caido"}),
    ({"upload_broken": 1}, {"category": Category.RETRY, "code": "carga_fallida"}),
    ({"captcha": True}, {"category": Category.PERSON, "code": "captcha"}),
    ({"login_fails": True}, {"category": Category.PERSON, "code": "credenciales"}),
    ({"layout": "v2"}, {"category": Category.PERSON, "code": "cambio_de_pagina"}),
]


@pytest.mark.parametrize(("settings", "expected"), REFUSED, ids=lambda value: next(iter(value)))
def test_each_way_in_which_it_ends_otherwise_has_its_name(
    portal: Handle,
    folder: Callable[[], Path],
    factura: contract.Factura,
    settings: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    portal.configure(**settings)
    result = rig.run(rig.start(portal, folder(), (factura,), profile={"step_limit_s": 3}))
    assert {name: getattr(result, name) for name in expected} == expected
    if result.outcome is Outcome.REJECTED:
        assert "Sin contrato vigente" in (result.reason or "")
    if "category" in expected:
        assert result.outcome is Outcome.NOT_SUBMITTED
        assert portal.ledger.counts()["submits"] == 0
        assert "failure" in {item.kind for item in result.evidence}


def test_a_known_invoice_is_evidence_of_an_earlier_filing_and_not_pressed(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    portal.configure(
        known=[{"numero": "FE1001", "radicado": "RAD-11111_20260115_100000", "fecha": "2026-01-15T10:00:00"}]
    )
    result = rig.run(rig.start(portal, folder(), (factura,)))
    assert (result.outcome, result.radicado, result.fecha) == (
        Outcome.DUPLICATE,
        "RAD-11111_20260115_100000",
        "2026-01-15",
    )
    assert portal.ledger.counts()["submits"] == 0


def test_an_untrusted_certificate_is_never_passed_over(
    tmp_path: Path, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    with start("p2", tmp_path / "tls.db", config={"tls": True}) as secure:
        assert secure.url.startswith("https://")
        result = rig.run(rig.start(secure, folder(), (factura,)))
        assert (result.outcome, result.category, result.code) == (
            Outcome.NOT_SUBMITTED,
            Category.PERSON,
            "certificado_invalido",
        )
        assert secure.ledger.counts()["posts"] == 0


def test_a_key_that_the_operator_confirmed_is_accepted_and_its_chain_kept(
    tmp_path: Path, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    with start("p2", tmp_path / "tls.db", config={"tls": True}) as secure:
        address = urlsplit(secure.url)
        assert address.hostname
        assert address.port
        pem = ssl.get_server_certificate((address.hostname, address.port))
        public = x509.load_pem_x509_certificate(pem.encode()).public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
        where = folder()
        result = rig.run(rig.start(secure, where, (factura,), profile={"pins": [pin]}))
        assert result.outcome is Outcome.ACCEPTED
        tls = json.loads((where / "tls.json").read_text())
        assert tls["cadena_pem"] == [pem]
        assert tls["direccion"] == {"ipAddress": "127.0.0.1", "port": address.port}


def test_a_portal_that_is_not_there_is_tried_later(folder: Callable[[], Path], factura: contract.Factura) -> None:
    result = rig.run(rig.start("http://127.0.0.1:9", folder(), (factura,)))
    assert (result.category, result.code) == (Category.RETRY, "portal_caido")


def test_a_file_that_is_not_the_ordered_one_is_not_sent(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura
) -> None:
    Path(factura.files[0].path).write_bytes(b"otra cosa")
    result = rig.run(rig.start(portal, folder(), (factura,)))
    assert (result.category, result.code) == (Category.PERMANENT, "archivo_alterado")
    assert portal.ledger.counts()["submits"] == 0


def test_the_query_does_not_take_another_invoice_for_ours(
    portal: Handle, folder: Callable[[], Path], factura: contract.Factura, tmp_path: Path
) -> None:
    rig.run(rig.start(portal, folder(), (factura,)))
    other = rig.factura(tmp_path / "almacen", "FE100")
    looked = rig.run(rig.start(portal, folder(), (other,), operation=LOOK_UP))
    assert looked.outcome is Outcome.ABSENT


def test_a_query_that_fails_says_nothing(portal: Handle, folder: Callable[[], Path], factura: contract.Factura) -> None:
    portal.configure(maintenance=True)
    looked = rig.run(rig.start(portal, folder(), (factura,), operation=LOOK_UP))
    assert (looked.outcome, looked.code) == (Outcome.CANNOT_SAY, "mantenimiento")
