"""Tokens of a real authority are verified, refused for what is wrong with them, and waited for; openssl agrees."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bots.simulador.tsa import Handle, answer_to
from radica.audit.models import ChainHead
from radica.custodia import sellos
from radica.custodia.pruebas import leaf_covering, proof_of
from radica.custodia.seal_models import FalloTsa, Sello, TokenTiempo
from radica.custodia.tsa import (
    FAR,
    TokenProblem,
    digest_of,
    ensure_sealed,
    request_token,
    stamp_pending,
    verify_token,
    waiting_heads,
)
from radica.custodia.tsa_token import build_request, read_response
from radica.kernel.clock import fixed_clock, system_clock
from radica.kernel.config import Settings, TsaSettings
from radica.kernel.db import Database, insert_rows

DIGEST = hashlib.sha256(b"radica/1 7 raiz\n").digest()
NONCE = 2**62 + 7


def _ask(tsa: TsaSettings, timeout_s: float = 10) -> str:
    """The code of what is wrong, or nothing."""
    try:
        request_token(tsa, DIGEST, timeout_s=timeout_s, nonce=NONCE)
    except TokenProblem as problem:
        return problem.code
    return ""


def test_a_token_says_who_and_when(tsa: Handle, tsa_settings: TsaSettings) -> None:
    before = datetime.now(UTC)
    got = request_token(tsa_settings, DIGEST, timeout_s=10, nonce=NONCE)
    assert abs(got.info.hora - before) < FAR
    assert got.info.nonce == NONCE
    assert "DEMOSTRACION" in got.info.autoridad
    assert "DEMOSTRACION" in got.info.raiz
    assert got.info.anclada
    assert got.info.cadena.count("BEGIN CERTIFICATE") == 2
    assert len(got.info.huella_raiz) == len(got.info.huella_tsa) == 64
    assert verify_token(got.token, DIGEST, tsa.anchors.read_bytes()) == got.info
    with pytest.raises(TokenProblem, match="otra_huella"):
        verify_token(got.token, hashlib.sha256(b"other").digest(), None)


def test_openssl_agrees(tsa: Handle, tsa_settings: TsaSettings, tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl on this machine")
    got = request_token(tsa_settings, DIGEST, timeout_s=10, nonce=NONCE)
    token = tmp_path / "token.der"
    token.write_bytes(got.token)
    command = [
        program, "ts", "-verify", "-digest", DIGEST.hex(), "-in", token, "-token_in", "-CAfile", tsa.anchors,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("down", "http_503"),
        ("cut", "tsa_no_responde"),
        ("rubbish", "respuesta_ilegible"),
        ("html", "respuesta_ilegible"),
        ("huge", "respuesta_grande"),
        ("rejected", "negada_system_failure"),
        ("other_hash", "otra_huella"),
        ("other_nonce", "otro_nonce"),
        ("no_nonce", "otro_nonce"),
        ("wrong_eku", "sin_uso_de_estampado"),
        ("not_critical", "sin_uso_de_estampado"),
        ("expired", "certificado_vencido"),
        ("other_ca", "cadena_sin_ancla"),
        ("bad_signature", "firma_invalida"),
        ("far", ""),
        ("ok", ""),
    ],
)
def test_what_is_no_token_of_ours_is_refused_for_its_reason(
    tsa: Handle, tsa_settings: TsaSettings, mode: str, code: str
) -> None:
    tsa.configure(mode=mode)
    assert _ask(tsa_settings) == code


def test_an_authority_that_is_slow_or_away_ends_in_time(tsa: Handle, tsa_settings: TsaSettings) -> None:
    tsa.configure(mode="slow")
    assert _ask(tsa_settings, timeout_s=0.3) == "tsa_demorada"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        assert _ask(replace(tsa_settings, url=f"http://127.0.0.1:{port}/")) == "tsa_no_responde"
    assert _ask(replace(tsa_settings, url="http://127.0.0.1:no/")) == "tsa_no_responde"
    assert _ask(replace(tsa_settings, url=tsa.url.replace("http:", "https:"))) == "tls_invalido"


def test_without_anchors_an_authority_is_only_what_it_says(
    tsa: Handle, tsa_settings: TsaSettings, tmp_path: Path
) -> None:
    got = request_token(replace(tsa_settings, anchors=None), DIGEST, timeout_s=10, nonce=NONCE)
    assert not got.info.anclada
    assert got.info.cadena.count("BEGIN CERTIFICATE") == 2
    tsa.configure(mode="other_ca")
    assert _ask(replace(tsa_settings, anchors=None)) == ""
    assert _ask(replace(tsa_settings, anchors=tmp_path / "no-such.pem")) == ""
    (tmp_path / "rubbish.pem").write_text("no certificate")
    assert _ask(replace(tsa_settings, anchors=tmp_path / "rubbish.pem")) == "anclas_ilegibles"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_changed_byte_makes_a_token(tsa: Handle, data: st.DataObject) -> None:
    """Whatever is changed, cut or added: refused with a code or the same facts, never another error."""
    good = answer_to(tsa.state, build_request(DIGEST, NONCE), datetime(2026, 11, 20, tzinfo=UTC) + timedelta(days=3))
    anchors = tsa.anchors.read_bytes()
    told = read_response(good, DIGEST, NONCE, anchors).info
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    match data.draw(st.sampled_from(["flip", "cut", "put"])):
        case "flip":
            bad[at] ^= data.draw(st.integers(1, 255))
        case "cut":
            del bad[at:]
        case _:
            bad[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    try:
        found = read_response(bytes(bad), DIGEST, NONCE, anchors).info
    except TokenProblem:
        return
    assert (found.hora, found.serie, found.huella_raiz) == (told.hora, told.serie, told.huella_raiz)


# --- What the house does with it ----------------------------------------------------------------------------------------


def _grow(db: Database, prefix: str) -> None:
    with db.write() as session:
        insert_rows(session, ChainHead, [{"case_key": f"{prefix}:{n}", "seq": 1, "hash": "a" * 64} for n in range(3)])


def test_heads_wait_for_an_authority_that_is_down(db: Database, tsa: Handle, stamped_house: Settings) -> None:
    tsa.configure(mode="down")
    for n in range(3):
        _grow(db, f"factura{n}")
        ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        assert len(list(session.scalars(select(Sello)))) == 3
        assert list(session.scalars(select(TokenTiempo))) == []
        assert {row.motivo for row in session.scalars(select(FalloTsa))} == {"http_503"}
        assert proof_of(session, leaf_covering(session, "factura0:1", 1)).tokens == ()
    assert len(waiting_heads(db, "una")) == 3
    tsa.configure(mode="ok")
    done = stamp_pending(db, stamped_house, system_clock, now=True)
    assert (done.tokens, done.fallos, done.esperan) == (3, 0, 0)
    assert stamp_pending(db, stamped_house, system_clock, now=True).tokens == 0
    with db.read() as session:
        for row in session.scalars(select(TokenTiempo)):
            info = verify_token(row.token, digest_of(session.get_one(Sello, row.sello_id)), tsa.anchors.read_bytes())
            assert (info.hora, info.serie, info.cadena) == (row.hora, row.serie, row.cadena)
        assert len(proof_of(session, leaf_covering(session, "factura0:1", 1)).tokens) == 1


@pytest.mark.parametrize("mode", ["rubbish", "other_hash", "other_nonce", "bad_signature"])
def test_what_is_no_token_is_never_kept(db: Database, tsa: Handle, stamped_house: Settings, mode: str) -> None:
    tsa.configure(mode=mode)
    _grow(db, "factura")
    ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        assert list(session.scalars(select(TokenTiempo))) == []
        assert len(list(session.scalars(select(FalloTsa)))) == 1
        assert len(list(session.scalars(select(Sello)))) == 1, "sealed all the same"


def test_one_authority_that_fails_stops_no_other(db: Database, tsa: Handle, stamped_house: Settings) -> None:
    good = stamped_house.tsa[0]
    away = TsaSettings(name="otra", url="http://127.0.0.1:9/", anchors=None, accredited=True)
    house = replace(stamped_house, tsa=(away, good))
    _grow(db, "factura")
    ensure_sealed(db, house, clock=system_clock)
    with db.read() as session:
        assert [row.tsa for row in session.scalars(select(TokenTiempo))] == ["una"]
        assert [row.tsa for row in session.scalars(select(FalloTsa))] == ["otra"]
    back = replace(away, url=tsa.url)
    done = stamp_pending(db, replace(house, tsa=(back, good)), system_clock, now=True)
    assert (done.tokens, done.esperan) == (1, 0)
    with db.read() as session:
        assert {row.tsa: row.acreditada for row in session.scalars(select(TokenTiempo))} == {"una": False, "otra": True}


def test_an_authority_that_failed_is_left_in_peace_for_a_while(
    db: Database, tsa: Handle, stamped_house: Settings
) -> None:
    tsa.configure(mode="down")
    _grow(db, "factura")
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    sellos.seal(db, clock=fixed_clock(start))
    asked = []
    for minute in range(120):
        before = len(tsa.state.asked)
        stamp_pending(db, stamped_house, fixed_clock(start + timedelta(minutes=minute)))
        if len(tsa.state.asked) > before:
            asked.append(minute)
    assert asked == [0, 1, 3, 7, 15, 31, 61, 91]
    tsa.configure(mode="ok")
    back = fixed_clock(start - timedelta(days=1))
    assert stamp_pending(db, stamped_house, back).tokens == 1, "a clock set back makes nobody wait a day"


def test_an_hour_far_from_ours_is_kept_and_noted(
    db: Database, tsa: Handle, stamped_house: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tsa.configure(mode="far")
    _grow(db, "factura")
    ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        row = session.scalars(select(TokenTiempo)).one()
        assert abs(row.hora - row.recibido_at) > FAR
    assert "está a más de" in caplog.text


def test_an_old_token_still_holds_after_the_authority_starts_anew(
    db: Database, tsa: Handle, tsa_folder: Path, stamped_house: Settings
) -> None:
    got = request_token(stamped_house.tsa[0], DIGEST, timeout_s=10, nonce=NONCE)
    tsa.stop()
    assert verify_token(got.token, DIGEST, (tsa_folder / "ca.pem").read_bytes()).anclada
