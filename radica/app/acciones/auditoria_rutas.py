"""All screens of Auditoría in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import auditoria_excepcion, auditoria_exportar
from radica.app.paginas import auditoria, auditoria_buscar, auditoria_muestra, auditoria_paciente
from radica.app.paginas.auditoria_plano import blueprint

blueprint.app_context_processor(lambda: {"excepciones": auditoria_excepcion.open_exceptions})

__all__ = [
    "auditoria",
    "auditoria_buscar",
    "auditoria_excepcion",
    "auditoria_exportar",
    "auditoria_muestra",
    "auditoria_paciente",
    "blueprint",
]
