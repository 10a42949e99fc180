"""For what a document is read: a closed list, with the one that each role's work has by itself.

Invariant: every line of the reading log carries one of these; an auditor says theirs, because auditing is done for
many ends and the log must tell which. Norm: Ley 1581/2012 art. 4 lit. b (purpose) and art. 17 lit. b.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from radica.users.models import Rol


class Proposito(StrEnum):
    """Purposes, as they stand in the log."""

    FACTURACION = "facturacion"
    GLOSAS = "respuesta de glosas"
    CARTERA = "cartera"
    JURIDICA = "cobro juridico"
    DIRECCION = "direccion"
    ADMINISTRACION = "administracion"
    REPARTO = "reparto de glosas"
    RADICAR = "radicar a mano"
    RESPONDER = "responder a mano"
    AUDITORIA = "auditoria"
    CUSTODIA = "revision de custodia"
    AUTORIDAD = "requerimiento de autoridad"
    TITULAR = "consulta del titular"
    EXCEPCION = "acceso excepcional"
    CONSULTA = "consulta"


NOMBRES = {
    Proposito.FACTURACION: "Facturación y radicación",
    Proposito.GLOSAS: "Respuesta de glosas",
    Proposito.CARTERA: "Cartera",
    Proposito.JURIDICA: "Cobro jurídico",
    Proposito.DIRECCION: "Dirección",
    Proposito.ADMINISTRACION: "Administración del sistema",
    Proposito.REPARTO: "Reparto de glosas",
    Proposito.RADICAR: "Radicar a mano",
    Proposito.RESPONDER: "Responder a mano",
    Proposito.AUDITORIA: "Auditoría de cuentas y procesos",
    Proposito.CUSTODIA: "Revisión de la custodia y los sellos",
    Proposito.AUTORIDAD: "Requerimiento de una autoridad (Supersalud, SIC, juez)",
    Proposito.TITULAR: "Consulta o reclamo del titular (Ley 1581 de 2012, arts. 14 y 15)",
    Proposito.EXCEPCION: "Acceso excepcional a datos de salud",
    Proposito.CONSULTA: "Consulta",
}
"""How the purposes are said to people."""

DE_AUDITORIA = (Proposito.AUDITORIA, Proposito.CUSTODIA, Proposito.AUTORIDAD, Proposito.TITULAR)
"""What an auditor chooses from."""

_BY_ROLE = {
    Rol.FACTURACION: Proposito.FACTURACION,
    Rol.GLOSAS: Proposito.GLOSAS,
    Rol.AUDITORIA: None,
    Rol.JURIDICA: Proposito.JURIDICA,
    Rol.CARTERA: Proposito.CARTERA,
    Rol.DIRECCION: Proposito.DIRECCION,
    Rol.ADMINISTRACION: Proposito.ADMINISTRACION,
}
"""In the order of the trade: the first role held says the purpose; None: the person says it."""


def default_purpose(held: Collection[str]) -> Proposito | None:
    """Return the purpose that the roles held at a provider bring along; None when the person must say theirs."""
    for role, purpose in _BY_ROLE.items():
        if role.value in held:
            return purpose
    return Proposito.CONSULTA


def purpose_name(stored: str) -> str:
    """Return how a purpose of the log is said; what is not of the list (lines of before) is said as it stands."""
    return NOMBRES[Proposito(stored)] if stored in set(Proposito) else stored
