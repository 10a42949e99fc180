"""The last gate before a log line."""

from __future__ import annotations

import io
import logging

import pytest

from radica.kernel import logs


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("paciente 1032456789 atendido", "1032456789"),
        ("documento CC 52.123.456", "52.123.456"),
        ("documento 1 032 456 789.", "456 789"),
        ("correo de ana.restrepo@clinica.example", "ana.restrepo"),
        ("clave=secreta123", "secreta123"),
        ('{"password": "se creta"}', "se creta"),
        ("Cookie: radica_sesion=abcDEF-123", "abcDEF"),
        ("Authorization: Bearer eyJhbGciOi.abc", "eyJhbGciOi"),
        ("csrf_token=IjA1ZmQx.x", "IjA1ZmQx"),
        ("GET /facturas?q=perez&doc=9 HTTP/1.1", "perez"),
        ("https://portal.example/ver?token=zzz", "zzz"),
    ],
)
def test_what_no_line_may_hold_is_gone(text: str, gone: str) -> None:
    assert gone not in logs.redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "peticion ruta=/facturas/<int:factura_id> factura_id=12 estado=200",
        "sha256 " + "0123456789abcdef" * 4,
        "desde 2026-11-21T10:00:00.123456Z hasta 2026-12-01",
        "127.0.0.1 respondió en 35 ms",
        "¿listo?",
    ],
)
def test_what_one_needs_to_find_a_fault_stays(text: str) -> None:
    assert logs.redact(text) == text


def test_a_known_secret_is_hidden_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_known", set())
    logs.hide("Clave/Portal")
    assert "Portal" not in logs.redact("el portal dijo: Clave/Portal no vale")
    logs.hide("ab")
    assert logs.redact("ab cabe") == "ab cabe", "two letters would blot out every line"


def test_an_exception_is_its_type_and_its_places() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.RedactingFormatter())
    logger = logging.getLogger("radica.prueba.aparte")
    logger.propagate = False
    logger.addHandler(handler)
    local = "dato del paciente"
    try:
        try:
            raise KeyError("CC 1032456789\n" + local)
        except KeyError as inner:
            raise ValueError("no se pudo") from inner
    except ValueError:
        logger.exception("falló incidente=%s", "AB12")
    finally:
        logger.removeHandler(handler)
    text = stream.getvalue()
    assert "builtins.ValueError: no se pudo" in text
    assert "builtins.KeyError" in text
    assert "test_web_logs.py" in text
    assert "1032456789" not in text
    assert local not in text


def test_a_message_stays_on_its_line() -> None:
    record = logging.LogRecord("radica", logging.INFO, "", 1, "uno\nINFO radica falsa", None, None)
    assert "\n" not in logs.RedactingFormatter().format(record)


def test_configuring_twice_writes_once() -> None:
    root, level = logging.getLogger(), logging.getLogger().level
    first, second = io.StringIO(), io.StringIO()
    logs.configure("INFO", first)
    handler = logs.configure("INFO", second)
    try:
        logs.event(logging.getLogger("radica.prueba"), "arranque", puerto=80, nada=None)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert first.getvalue() == ""
    assert second.getvalue().endswith("INFO radica.prueba arranque puerto=80\n")
