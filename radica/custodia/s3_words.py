"""What an S3 server and its library say, in words for a person; which of it is an answer and which a failure.

Invariant: names of objects and secrets are left out; everything that is no answer is `Unavailable`, so that a job comes
again and nothing is taken for done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from radica.kernel.errors import NotFound, RadicaError, Unavailable

ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed", "405"})
TAKEN = frozenset({"412", "PreconditionFailed"})
_REFUSED = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


@contextmanager
def words() -> Iterator[None]:
    """Turn what S3 and its library say into words for a person; keys and addresses of objects are left out."""
    try:
        yield
    except ClientError as problem:
        said = code(problem)
        if said in ABSENT or said in {"NoSuchBucket", "ObjectLockConfigurationNotFoundError"}:
            raise NotFound("Falta en el almacén un archivo que la base de datos nombra.") from None
        if said in _REFUSED:
            raise Unavailable(
                "El almacén S3 no acepta las claves de este servidor; lo guardado está intacto.",
                todo="Revise RADICA_S3_CLAVE_ID, RADICA_S3_CLAVE_SECRETA y los permisos del cubo.",
                code="almacen_s3",
            ) from problem
        raise _away(said) from problem
    except (BotoCoreError, OSError) as problem:
        raise _away(type(problem).__name__) from problem


def _away(what: str) -> RadicaError:
    return Unavailable(
        f"El almacén S3 no responde ({what[:40]}); lo guardado está intacto y lo que falta se vuelve a intentar.",
        todo="Revise la red y el servicio de almacenamiento.",
        code="almacen_s3",
    )


def code(problem: ClientError) -> str:
    """Return the code that the server gave."""
    return str(problem.response.get("Error", {}).get("Code", ""))


def is_refused(act: Callable[[], object]) -> bool:
    """Say whether the server refused; anything but a refusal or a success is raised in words."""
    with words():
        try:
            act()
        except ClientError as problem:
            if code(problem) in _REFUSED | {"InvalidRequest", "InvalidRetentionPeriod"}:
                return True
            raise
    return False
