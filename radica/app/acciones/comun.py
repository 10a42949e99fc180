"""What the acting screens share: evidence that a person uploads, vault, and the doors of an envío.

Invariant: an upload is written to a private folder, known by its content, opened once to see that it is whole, and
kept in custody before any transaction opens; nothing that a browser says about a file is believed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
from PIL import Image, UnidentifiedImageError
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from radica.app.paginas.comun import store
from radica.custodia.services import Candidate, Kept, keep_files
from radica.custodia.staging import leased_folder
from radica.facturas.keys import known_keys
from radica.facturas.review import KeyFor
from radica.kernel.errors import BadInput
from radica.kernel.web import current, person
from radica.portales.credentials import Vault, open_vault
from radica.radicacion.manual import HEAD_BYTES, PDF, Proof, evidence_name, proof_of
from radica.radicacion.models import Envio
from radica.radicacion.states import Acto
from radica.users.access import load_for
from radica.users.models import Rol

FILERS = (Rol.FACTURACION, Rol.ADMINISTRACION)
"""Who orders, registers and decides filings."""
ANSWERERS = (Rol.GLOSAS, *FILERS)
"""Who registers what became of the answers to glosas."""
DECIDERS = (Rol.DIRECCION, Rol.ADMINISTRACION)
"""Who may file an invoice whose term lapsed."""
EVIDENCE_LIMIT = 80_000_000
MAX_EVIDENCES = 12
ACCEPT = ".pdf,.eml,.png,.jpg,.jpeg"


def vault() -> Vault:
    """Return the vault of the portals' passwords."""
    return open_vault(current().settings.keys)


def keys() -> KeyFor:
    """Return what finds the technical keys, with which the value of a CUFE is checked."""
    return known_keys(current().database, vault())


def roles_of(envio: Envio) -> tuple[Rol, ...]:
    """Return who may act on an envío: its act says it."""
    return FILERS if envio.acto is Acto.RADICACION else ANSWERERS


def load_envio(session: Session, envio_id: int) -> Envio:
    """Return an envío on which the person may act. Raises NotFound, Forbidden."""
    row = load_for(session, Envio, envio_id, person(), roles=ANSWERERS)
    return load_for(session, Envio, envio_id, person(), roles=roles_of(row))


def check_envio(envio_id: int) -> Envio:
    """Return such an envío read in a transaction of its own, so that an upload is refused before it is kept."""
    with current().database.read() as session:
        return load_envio(session, envio_id)


def keep_evidence(files: Sequence[FileStorage]) -> list[Kept]:
    """Bring a person's files into custody. Raises BadInput naming the first that is no evidence; call it outside any
    transaction.
    """
    given = [one for one in files if one.filename]
    if len(given) > MAX_EVIDENCES:
        raise BadInput(f"Son demasiados archivos de una vez: se reciben {MAX_EVIDENCES}.")
    if not given:
        return []
    settings = current().settings
    with leased_folder(settings.incoming, "prueba-") as folder:
        candidates = [_candidate(one, folder, number) for number, one in enumerate(given, 1)]
        kept, refused = keep_files(store(), candidates, folder=folder)
    if refused:
        raise BadInput(
            "Un archivo de evidencia pasa de 64 MB; no se registró nada.", todo="Divídalo o redúzcalo y adjúntelo."
        )
    return kept


def _candidate(file: FileStorage, folder: Path, number: int) -> Candidate:
    original = Path((file.filename or "").replace("\\", "/")).name
    head = file.stream.read(HEAD_BYTES)
    proof = proof_of(head)
    if proof is None:
        raise BadInput(
            f"«{original[:80]}» no sirve como evidencia; no se registró nada.",
            todo="Se recibe la constancia en PDF, el correo guardado como .eml, o una imagen PNG o JPG.",
            code="evidencia_desconocida",
        )
    name = evidence_name(original, proof, number)
    path = folder / name
    with path.open("wb") as out:
        out.write(head)
        while chunk := file.stream.read(1 << 20):
            out.write(chunk)
    _check_whole(path, proof, original)
    return Candidate(path, name, proof.clase, nota=original[:200])


def _check_whole(path: Path, proof: Proof, original: str) -> None:
    try:
        if proof is PDF:
            with pikepdf.open(path) as document:
                whole = len(document.pages) > 0
        elif proof.clase == "captura":
            with Image.open(io.BytesIO(path.read_bytes())) as picture:
                picture.verify()
            whole = True
        else:
            whole = True
    except pikepdf.PasswordError:
        whole = True  # what a payer locked is still its constancia; the password goes in the note
    except (pikepdf.PdfError, UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        whole = False
    if not whole:
        raise BadInput(
            f"«{original[:80]}» está dañado o incompleto: no abre. No se registró nada.",
            todo="Descárguelo otra vez del pagador y adjúntelo.",
            code="evidencia_danada",
        )
