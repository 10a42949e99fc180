"""The evidence bag: a planted secret is in no artefact, however it is spelt and whenever it becomes known."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from bots import contract, evidence

CANARY = 'p4ss"w<ó>rd &+/ %'
SPELLINGS = [
    CANARY,
    quote(CANARY, safe=""),
    quote_plus(CANARY),
    html.escape(CANARY),
    json.dumps(CANARY)[1:-1],
    json.dumps(CANARY, ensure_ascii=False)[1:-1],
    base64.b64encode(CANARY.encode()).decode(),
]


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def bag(tmp_path: Path, told: list[tuple[str, str]]) -> evidence.Bag:
    return evidence.Bag(tmp_path, lambda kind, name, _note: told.append((kind, name)))


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_a_text_never_holds_the_secret(bag: evidence.Bag, tmp_path: Path, spelt: str) -> None:
    bag.learn(CANARY)
    bag.text("failure", "falla.html", f"<p>antes {spelt} después</p>")
    written = (tmp_path / "falla.html").read_text()
    assert spelt not in written
    assert written == f"<p>antes {evidence.REDACTED} después</p>"


def test_json_stays_json(bag: evidence.Bag, tmp_path: Path) -> None:
    bag.learn(CANARY)
    bag.json("context", "contexto.json", {"a": CANARY, "b": f"x{CANARY}y"})
    assert json.loads((tmp_path / "contexto.json").read_text()) == {
        "a": evidence.REDACTED,
        "b": f"x{evidence.REDACTED}y",
    }


def test_a_secret_learnt_late_is_struck_out_before_the_result(bag: evidence.Bag, tmp_path: Path) -> None:
    bag.text("acuse_dom", "acuse.html", "<p>sesion=0123456789abcdef</p>")
    bag.learn_cookies(["0123456789abcdef", "es"])
    (item,) = bag.sweep()
    written = (tmp_path / "acuse.html").read_bytes()
    assert b"0123456789abcdef" not in written
    assert item.bytes == len(written)


def test_a_binary_with_the_secret_is_not_kept(bag: evidence.Bag, tmp_path: Path, told: list[tuple[str, str]]) -> None:
    bag.learn(CANARY)
    assert not bag.data("acuse_document", "malo.pdf", b"%PDF-" + CANARY.encode())
    assert bag.data("acuse_document", "bueno.pdf", b"%PDF-1.7 limpio")
    assert [p.name for p in tmp_path.iterdir()] == ["bueno.pdf"]
    assert told == [("acuse_document", "bueno.pdf")]


def test_a_binary_whose_secret_is_learnt_late_is_thrown_away(bag: evidence.Bag, tmp_path: Path) -> None:
    bag.data("acuse_document", "constancia.pdf", b"%PDF- 0123456789abcdef")
    bag.learn_cookies(["0123456789abcdef"])
    assert bag.sweep() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_short_cookie_is_a_preference_and_not_a_secret(bag: evidence.Bag) -> None:
    bag.learn_cookies(["es", "1"])
    assert bag.redact("es 1") == "es 1"


def test_password_and_token_fields_lose_their_value() -> None:
    source = (
        '<input type="password" name="clave" value="abc"><input name=csrf_token type=hidden value=zzz>'
        "<input name='factura' value='FE1'>"
    )
    cleaned = evidence.clean_html(source)
    assert "abc" not in cleaned
    assert "zzz" not in cleaned
    assert "value='FE1'" in cleaned


def test_session_headers_keep_only_their_name() -> None:
    kept = evidence.clean_headers([("Date", "hoy"), ("Set-Cookie", "s=1"), ("cookie", "s=1"), ("Authorization", "x")])
    assert kept == [
        ["Date", "hoy"],
        ["Set-Cookie", evidence.REDACTED],
        ["cookie", evidence.REDACTED],
        ["Authorization", evidence.REDACTED],
    ]


def _start(clave: str) -> contract.Start:
    return contract.Start(
        contract.Operation.RADICAR,
        contract.Attempt(1, 1, "m"),
        contract.Portal("p", "http://x", {}, "1", 60),
        contract.Credentials("usuario", clave),
        contract.Filing("radicacion", 1, "900123456", "IPS", (), {}),
        "/x",
        contract.Browser(None),
        60,
    )


@pytest.mark.parametrize(
    ("clave", "secret"), [("s3creta!", True), ("usuario", False), ("900123456", False), ("", False)]
)
def test_a_password_that_is_public_anyway_does_not_strike_out_the_provider(clave: str, *, secret: bool) -> None:
    assert evidence.account_secrets(_start(clave)) == ((clave,) if secret else ())
