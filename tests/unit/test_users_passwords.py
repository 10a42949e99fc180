"""Passwords, codes and keys."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import pyotp
import pytest

from radica.kernel.errors import BadInput, Unavailable
from radica.kernel.web_keys import load_or_make_key
from radica.users.login import lock_minutes
from radica.users.passwords import (
    check_policy,
    default_hasher,
    hash_password,
    matched_step,
    matches,
    new_secret,
    open_secret,
    seal_secret,
    temporary_password,
)
from radica.users.qr import qr_path

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_the_house_hashes_with_argon2id_and_a_salt() -> None:
    hasher = default_hasher()
    assert hasher.type is argon2.Type.ID
    assert hasher.memory_cost >= 19_456, "at least what OWASP asks for"
    one, two = hash_password("ñandú y café con leche", CHEAP), hash_password("ñandú y café con leche", CHEAP)
    assert one.startswith("$argon2id$")
    assert one != two
    assert matches(one, "ñandú y café con leche", CHEAP)
    assert not matches(one, "nandu y cafe con leche", CHEAP)


def test_the_same_letters_typed_on_another_system_are_the_same_password() -> None:
    assert matches(hash_password("caf\u00e9 con leche y pan", CHEAP), "cafe\u0301 con leche y pan", CHEAP)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not matches("no es un hash", "lo que sea", CHEAP)


@pytest.mark.parametrize(
    "password", ["", "corta", "a" * 30, "contraseña1234", "123456123456", "ana.restrepo.ana", "x" * 201, "abababababab"]
)
def test_the_policy_refuses(password: str) -> None:
    with pytest.raises(BadInput):
        check_policy(password, correo="ana.restrepo@norte.example", nombre="Ana Restrepo")


@pytest.mark.parametrize("password", ["cuatro palabras que nadie junta", "8kT-qw_72#zP!m", "el río crece en abril"])
def test_the_policy_takes(password: str) -> None:
    check_policy(password, correo="ana.restrepo@norte.example", nombre="Ana Restrepo")


def test_temporary_passwords_differ_read_well_and_pass_the_policy() -> None:
    many = {temporary_password() for _ in range(200)}
    assert len(many) == 200
    for one in many:
        assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", one)
        assert not set(one) & set("il1o0")


def test_locks_grow_and_have_an_end() -> None:
    assert [lock_minutes(n) for n in range(12)] == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert lock_minutes(10**6) == 30


def test_a_code_is_good_once_and_half_a_minute_around() -> None:
    secret = new_secret()
    step = int(AT.timestamp()) // 30
    code = pyotp.TOTP(secret).at(AT)
    assert matched_step(secret, f"{code[:3]} {code[3:]}", AT, after_step=0) == step
    assert matched_step(secret, code, AT + timedelta(seconds=30), after_step=0) == step
    assert matched_step(secret, code, AT + timedelta(seconds=61), after_step=0) is None
    assert matched_step(secret, code, AT, after_step=step) is None
    assert matched_step(secret, "", AT, after_step=0) is None


def test_the_secret_is_sealed_with_a_key_outside_the_database() -> None:
    key, other = b"a" * 32, b"b" * 32
    sealed = seal_secret("ABCD", key)
    assert "ABCD" not in sealed
    assert open_secret(sealed, key) == "ABCD"
    with pytest.raises(Unavailable):
        open_secret(sealed, other)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "claves" / "web.key"
    key = load_or_make_key(path)
    assert len(key) == 32
    assert load_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["web.key"]


def test_a_truncated_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "web.key"
    path.write_bytes(b"corta")
    with pytest.raises(Unavailable):
        load_or_make_key(path)
    assert path.read_bytes() == b"corta"


def test_the_qr_is_a_square_with_its_quiet_zone_and_finders() -> None:
    side, path = qr_path("otpauth://totp/radica:ana@norte.example?secret=ABCDEFGH&issuer=radica")
    assert (side - 8 - 17) % 4 == 0
    runs = [tuple(map(int, one)) for one in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path)]
    assert all(x >= 4 and x + width <= side - 4 and 4 <= y < side - 4 for x, y, width in runs)
    for x, y in ((4, 4), (side - 11, 4), (4, side - 11)):
        assert (x, y, 7) in runs, "the three finders begin with seven dark modules"
