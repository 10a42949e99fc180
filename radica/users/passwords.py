"""Passwords and second factors: argon2id hashes, the policy, and time-based codes.

Invariant: a password is never kept, logged or compared in clear; for an unknown person the same work is done, so
that the time of the answer does not tell who exists. A code is good once. Norms: NIST SP 800-63B (length over
composition), RFC 6238 (codes by time).
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from datetime import datetime

import argon2
import pyotp
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken

from radica.kernel.errors import BadInput, Unavailable

MIN_LENGTH = 12
MAX_LENGTH = 200
STEP_S = 30
ISSUER = "radica"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that reads like something else
_WEAK = (
    "contraseña",
    "contrasena",
    "password",
    "colombia",
    "123456",
    "qwerty",
    "abcdef",
    "facturacion",
    "radicacion",
    "administrador",
)


def default_hasher() -> argon2.PasswordHasher:
    """Return the house's hasher (argon2id at the library's defaults: about 0.2 s and 64 MiB a hash)."""
    return argon2.PasswordHasher()


def normalise(password: str) -> str:
    """Return the password as NFKC: the same keys give the same text on every keyboard and system."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, hasher: argon2.PasswordHasher) -> str:
    """Return the argon2id hash."""
    return hasher.hash(normalise(password))


def matches(hashed: str, password: str, hasher: argon2.PasswordHasher) -> bool:
    """Tell whether `password` is the one of `hashed`; a damaged hash matches nothing."""
    try:
        return hasher.verify(hashed, normalise(password)[:MAX_LENGTH])
    except (VerificationError, InvalidHashError):
        return False


def check_policy(password: str, *, correo: str = "", nombre: str = "") -> None:
    """Raise BadInput when the password is too short, too long, common, or made of the person's own name."""
    text = normalise(password)
    if len(text) < MIN_LENGTH:
        raise BadInput(f"La contraseña tiene menos de {MIN_LENGTH} caracteres.", todo="Use una frase que recuerde.")
    if len(text) > MAX_LENGTH:
        raise BadInput(f"La contraseña tiene más de {MAX_LENGTH} caracteres.", todo="Use una más corta.")
    lower = text.lower()
    own = [part for part in (*correo.lower().split("@")[:1], *nombre.lower().split()) if len(part) >= 4]
    rest = lower
    for word in (*_WEAK, *own):
        rest = rest.replace(word, "")
    if len(set(lower)) < 6 or len(rest) < 6:
        raise BadInput(
            "La contraseña es fácil de adivinar (palabras comunes, repeticiones o su propio nombre).",
            todo="Use una frase de varias palabras que no se relacionen.",
        )


def temporary_password() -> str:
    """Return a password to be told once and changed at the first entry (four groups of four, 79 bits)."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def seal_secret(secret: str, key: bytes) -> str:
    """Return a second factor's secret encrypted with the `key` (32 bytes) that stands outside the database."""
    return Fernet(base64.urlsafe_b64encode(key)).encrypt(secret.encode()).decode()


def open_secret(sealed: str, key: bytes) -> str:
    """Return the secret. Raises Unavailable when it was sealed with another key."""
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(sealed.encode()).decode()
    except InvalidToken as exc:
        raise Unavailable(
            "No se pudo leer su segundo factor: la clave del servidor cambió.",
            todo="Pídale a quien administra los accesos que lo quite; después lo activa de nuevo.",
            code="segundo_factor_ilegible",
        ) from exc


def new_secret() -> str:
    """Return a fresh secret for an authenticator application (base32, 160 bits)."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, correo: str) -> str:
    """Return the address that the QR code of the enrolment page holds."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=correo, issuer_name=ISSUER)


def matched_step(secret: str, code: str, now: datetime, *, after_step: int) -> int | None:
    """Return the time step whose code this is (one step of drift either way), None when none or already used."""
    digits = "".join(letter for letter in code if letter.isascii() and letter.isdigit())
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    for step in (present, present - 1, present + 1):
        if step > after_step and secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return None
