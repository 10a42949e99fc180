"""Encryption of portal passwords with a key outside the database.

Invariant: a password exists in clear only in memory and on the pipe to a bot; the key is a file of mode 0600 (or
an environment variable read by the settings) and never stands in the database, the store or a log.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from radica.kernel.errors import Unavailable

KEY_FILE = "credenciales.key"


class Vault:
    """Encrypts and decrypts with the keys of a file: one a line, the first encrypts, all decrypt (rotation)."""

    def __init__(self, keys: list[bytes]) -> None:
        self._box = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        return "Vault(…)"

    def encrypt(self, secret: str) -> bytes:
        """Return the token to store."""
        return self._box.encrypt(secret.encode())

    def decrypt(self, token: bytes) -> str:
        """Return the secret. Raises Unavailable when none of the keys opens it."""
        try:
            return self._box.decrypt(token).decode()
        except InvalidToken:
            raise Unavailable(
                "La clave de un portal no se puede descifrar con la llave de este servidor.",
                todo="Restaure el archivo de llaves o vuelva a escribir la clave del portal.",
                code="llave_de_credenciales",
            ) from None


def open_vault(keys_folder: Path) -> Vault:
    """Open the vault; the first time, make its key (created exclusively, mode 0600)."""
    path = keys_folder / KEY_FILE
    keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        temporary = keys_folder / f".{KEY_FILE}.{os.getpid()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(Fernet.generate_key() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(temporary, path)  # fails when another process was first: then its key is the key
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    lines = [line.strip() for line in path.read_bytes().splitlines() if line.strip()]
    return Vault(lines)
