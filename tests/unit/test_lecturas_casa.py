"""Reading is an act everywhere: what sends bytes says who, what for and of which case; purposes are of a closed list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radica.users.models import Rol
from radica.users.purposes import DE_AUDITORIA, NOMBRES, Proposito, default_purpose, purpose_name

HOUSE = Path(__file__).resolve().parents[2] / "radica"
SENDS = re.compile(r"\bsend_file\(|\bkeeper\.open\(|store\(\)\.(?:read|open|local)\(|\"Content-Disposition\"")
LOGS = re.compile(r"\b(?:opened|log_opening|log_export|record_reading)\(")
NO_DOCUMENT = {
    "app/acciones/prejuridico.py": "logs in app/handlers/expedientes.py, each document that the dossier holds",
    "app/acciones/validar.py": "what the person dropped a moment ago comes back as findings; nothing of the house is read",
    "app/paginas/auditoria_paciente.py": "logs through log_search, before it sends",
    "app/paginas/cartera.py": "a liquidation: amounts, dates and norms",
    "app/paginas/custodia.py": "the report of a verification: hashes and counts",
    "app/paginas/evidencia.py": "the proof of a link: hashes, seals and tokens",
}
"""Files that send bytes and log through another, or send none of a provider."""


def senders(texts: dict[str, str]) -> list[str]:
    """Name the screens that send bytes and log nothing."""
    return sorted(
        name for name, text in texts.items() if SENDS.search(text) and not LOGS.search(text) and name not in NO_DOCUMENT
    )


def test_every_screen_that_sends_bytes_logs_the_reading() -> None:
    texts = {path.relative_to(HOUSE).as_posix(): path.read_text() for path in (HOUSE / "app").rglob("*.py")}
    assert senders(texts) == []
    assert all(SENDS.search(texts[name]) for name in NO_DOCUMENT)


def test_a_screen_that_forgot_would_be_seen() -> None:
    assert senders({"app/x.py": "answer = send_file(box)"}) == ["app/x.py"]


def test_purposes_written_in_the_code_are_of_the_list() -> None:
    known = {one.value for one in Proposito}
    wrong = [
        f"{path.name}: {found}"
        for path in HOUSE.rglob("*.py")
        for found in re.findall(r"\b_?(?:purpose|PURPOSE) ?= ?\"([^\"]+)\"", path.read_text())
        if found not in known
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("roles", "purpose"),
    [
        ((Rol.FACTURACION, Rol.AUDITORIA), Proposito.FACTURACION),
        ((Rol.AUDITORIA,), None),
        ((Rol.AUDITORIA, Rol.DIRECCION), None),
        ((Rol.CARTERA,), Proposito.CARTERA),
        ((), Proposito.CONSULTA),
    ],
)
def test_the_first_role_of_the_trade_says_the_purpose(roles: tuple[Rol, ...], purpose: Proposito | None) -> None:
    assert default_purpose({one.value for one in roles}) is purpose


def test_every_purpose_has_a_name_and_old_ones_are_said_as_they_stand() -> None:
    assert set(NOMBRES) == set(Proposito) >= set(DE_AUDITORIA)
    assert purpose_name("respuesta_a_glosas") == "respuesta_a_glosas"
    assert purpose_name("auditoria") == NOMBRES[Proposito.AUDITORIA]
