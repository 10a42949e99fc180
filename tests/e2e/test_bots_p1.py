"""The P1 bot against the simulated claimant form in real Chromium; the portal's ledger is the oracle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bots import contract
from bots.contract import Category, Confidence, Operation, Outcome
from bots.simulador.server import Handle, start
from tests.plugins import bots as rig

FIELDS = {"ciudad_dane": "11001", "email": "cuentas@ejemplo.test", "usuario_registra": "facturación"}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    with start("p1", tmp_path / "ledger.db", config={"code_delay_s": 0.1}) as handle:
        yield handle


@pytest.fixture
def factura(tmp_path: Path) -> contract.Factura:
    store = tmp_path / "almacen"
    store.mkdir()
    return rig.factura(store, "FE1001", furips=True)


@pytest.fixture
def attempt(tmp_path: Path, portal: Handle, factura: contract.Factura) -> Callable[..., contract.Result]:
    made: list[Path] = []

    def run(**changes: Any) -> contract.Result:
        made.append(tmp_path / f"intento{len(made)}")
        made[-1].mkdir()
        facturas = changes.pop("facturas", (factura,))
        settings = {"archetype": "p1_previsora", "clave": "", "fields": FIELDS, "submit_limit_s": 8, **changes}
        return rig.run(rig.start(portal, made[-1], facturas, **settings))

    return run


@pytest.mark.parametrize("twice", [0.0, 1.0])
def test_a_claim_ends_accepted_with_the_code_of_its_own_answer(
    portal: Handle, attempt: Callable[..., contract.Result], factura: contract.Factura, twice: float
) -> None:
    portal.configure(double_confirm=twice)
    result = attempt()
    assert (result.outcome, result.confidence) == (Outcome.ACCEPTED, Confidence.ALTA)
    (row,) = portal.ledger.rows()
    assert (row["radicado"], row["invoice"], row["act"]) == (result.radicado, "FE1001", "radicacion")
    assert {file["sha256"] for file in row["files"]} == {f.sha256 for f in factura.files if f.role == "SOPORTE"}
    assert {item.kind for item in result.evidence} == {
        *("manifest", "form_values", "screenshot_before", "screenshot_after", "acuse_shot", "acuse_dom"),
        *("submit_response", "tls", "radicado", "context"),
    }


def test_the_query_knows_the_invoice_and_not_its_number(attempt: Callable[..., contract.Result]) -> None:
    before = attempt(operation=Operation.LOOK_UP)
    assert before.outcome is Outcome.ABSENT
    attempt()
    after = attempt(operation=Operation.LOOK_UP)
    assert (after.outcome, after.radicado) == (Outcome.KNOWN_WITHOUT_NUMBER, None)
    assert "FE1001" in (after.text or "")


LOST = [
    ("502_before_save", "error_del_portal", 0),
    ("502_after_save", "error_del_portal", 1),
    ("cut_connection_after_save", "conexion_perdida", 1),
    ("popup_never_shown", "sin_mensaje", 1),
    ("stale_page", "mensaje_de_otra_factura", 1),
    ("stale_page_before_save", "mensaje_de_otra_factura", 0),
]


@pytest.mark.parametrize(("fault", "code", "saved"), LOST)
def test_an_answer_that_is_not_certain_is_unknown(
    portal: Handle, attempt: Callable[..., contract.Result], fault: str, code: str, saved: int
) -> None:
    portal.configure(**{fault: 1, "detect_duplicates": False})
    result = attempt()
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, code)
    assert (portal.ledger.counts()["posts"], portal.ledger.counts()["accepted"]) == (1, saved)
    looked = attempt(operation=Operation.LOOK_UP)
    assert looked.outcome is (Outcome.KNOWN_WITHOUT_NUMBER if saved else Outcome.ABSENT)


OTHERWISE: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"reject": {"reason": "Póliza inexistente"}}, {"outcome": Outcome.REJECTED}, 1),
    ({"answer_without_number": 1}, {"outcome": Outcome.ACCEPTED, "radicado": None}, 1),
    ({"missing_form_key": 1}, {"outcome": Outcome.ACCEPTED}, 1),
    ({"missing_form_key": True}, {"category": Category.RETRY, "code": "formulario_incompleto"}, 0),
    ({"known": ["FE1001"]}, {"outcome": Outcome.DUPLICATE}, 0),
    ({"captcha": True}, {"category": Category.PERSON, "code": "captcha"}, 0),
    ({"login_fails": True}, {"category": Category.PERSON, "code": "credenciales"}, 0),
    ({"layout": "v2"}, {"category": Category.PERSON, "code": "cambio_de_pagina"}, 0),
]


@pytest.mark.parametrize(("settings", "expected", "posts"), OTHERWISE, ids=lambda value: str(value)[:30])
def test_each_way_in_which_it_ends_otherwise_has_its_name(
    portal: Handle,
    attempt: Callable[..., contract.Result],
    settings: dict[str, Any],
    expected: dict[str, Any],
    posts: int,
) -> None:
    portal.configure(**settings)
    result = attempt(profile={"step_limit_s": 3})
    assert {name: getattr(result, name) for name in expected} == expected
    assert portal.ledger.counts()["posts"] == posts


def test_the_portal_that_loses_a_typed_value_before_the_click_is_repeatable(
    attempt: Callable[..., contract.Result], portal: Handle
) -> None:
    result = attempt(fields={**FIELDS, "ciudad_dane": "99999"}, profile={"step_limit_s": 3})
    assert (result.outcome, result.category) == (Outcome.NOT_SUBMITTED, Category.PERSON)
    assert portal.ledger.counts()["posts"] == 0


def test_what_the_portal_refuses_before_its_last_request_was_never_sent(
    attempt: Callable[..., contract.Result], portal: Handle
) -> None:
    result = attempt(fields={**FIELDS, "email": "no-es-correo"})
    assert (result.outcome, result.category, result.code) == (
        Outcome.NOT_SUBMITTED,
        Category.PERSON,
        "datos_incompletos",
    )
    assert portal.ledger.counts()["posts"] == 0


def test_supports_beyond_the_slots_travel_as_one_pdf_with_their_lineage(
    attempt: Callable[..., contract.Result], portal: Handle, tmp_path: Path
) -> None:
    base = rig.factura(tmp_path / "almacen", "FE1002", furips=True)
    extra = []
    for sigla in ("HAM", "TAP"):
        data = rig.pdf(f"Soporte {sigla}")
        sha = hashlib.sha256(data).hexdigest()
        (tmp_path / "almacen" / sha).write_bytes(data)
        extra.append(
            contract.FilingFile("SOPORTE", sigla, f"{sigla}.pdf", str(tmp_path / "almacen" / sha), sha, len(data))
        )
    both = contract.Factura(**{**vars(base), "files": (*base.files, *extra)})
    result = attempt(facturas=(both,))
    assert result.outcome is Outcome.ACCEPTED
    manifest = json.loads((tmp_path / "intento0" / "manifiesto.json").read_text())
    lineage = {row["sigla"]: row["linaje"] for row in manifest["archivos"] if row["sigla"] in ("HAM", "TAP")}
    assert lineage["HAM"]["sha256_enviado"] == lineage["TAP"]["sha256_enviado"] != lineage["HAM"]["sha256_original"]
    assert "unir 2 PDF" in lineage["HAM"]["operaciones"][0]
    (row,) = portal.ledger.rows()
    assert lineage["HAM"]["sha256_enviado"] in {file["sha256"] for file in row["files"]}


def test_two_facturas_are_refused_before_anything(
    attempt: Callable[..., contract.Result], factura: contract.Factura, portal: Handle
) -> None:
    result = attempt(facturas=(factura, factura))
    assert (result.category, result.code) == (Category.PERMANENT, "una_factura")
    assert portal.ledger.counts()["posts"] == 0
