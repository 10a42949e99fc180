"""The errors that people see.

Invariant: a `RadicaError` carries a Spanish sentence for a biller (what happened, what was kept, what to do) and
never health data, secrets or paths of other tenants; everything else that is raised is a defect and is shown
only as a number to quote. Entry points (web, CLI, worker) translate them once.
"""

from __future__ import annotations

import errno

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when a file cannot grow: disk, quota or limit of the process full."""


class RadicaError(Exception):
    """A refusal that a person can act on. `message` says what happened, `todo` what to do; both Spanish."""

    def __init__(self, message: str, *, todo: str = "", code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.todo = todo
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.todo}".strip()


class NotFound(RadicaError):
    """The thing does not exist, or is not of a provider granted to the person: both read the same (404)."""

    def __init__(self, message: str = "No se encontró lo que busca.", *, todo: str = "") -> None:
        super().__init__(message, todo=todo, code="no_encontrado")


class Forbidden(RadicaError):
    """The person may see the thing but not do this with it (403)."""

    def __init__(self, message: str = "Su rol no permite esta acción.", *, todo: str = "") -> None:
        super().__init__(message, todo=todo, code="no_permitido")


class StalePage(RadicaError):
    """Somebody moved the thing after this page was drawn (409). Nothing was changed."""

    def __init__(self, message: str = "Otra persona o un bot ya cambió este caso; no se hizo nada.") -> None:
        super().__init__(message, todo="Recargue la página y decida de nuevo.", code="pagina_vencida")


class InvalidTransition(RadicaError):
    """The event is not possible from the present state (409). Nothing was changed."""


class BadInput(RadicaError):
    """What was given cannot be read or is out of range (422 on the web, exit 2 on the CLI)."""


class Ambiguous(RadicaError):
    """A name fits several things; `candidates` lists them so that a person chooses (CLI exit 2)."""

    def __init__(self, message: str, *, candidates: list[dict[str, str]], todo: str = "") -> None:
        super().__init__(message, todo=todo, code="ambiguo")
        self.candidates = candidates


class Unavailable(RadicaError):
    """Something outside does not answer (disk full, database locked, portal down); what was there is kept."""
