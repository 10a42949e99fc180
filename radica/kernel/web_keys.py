"""Keys in files beside the data, never inside the database or the repository.

Invariant: a key is made once, with mode 0600, and two processes that start together end with the same one.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from radica.kernel.errors import Unavailable


def load_or_make_key(path: Path, *, size: int = 32) -> bytes:
    """Return the key at `path` (`size` random bytes), making it at the first start.

    Raises Unavailable when the file exists with another size: a truncated key must not be replaced in silence.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where a rename would overwrite: the first process wins, the second reads its key.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_bytes()
    if len(key) != size:
        raise Unavailable(
            "La clave del servidor está dañada; no se inició para no perder lo que protege.",
            todo=f"Recupere el archivo {path.name} de la copia de seguridad.",
            code="clave_danada",
        )
    return key
