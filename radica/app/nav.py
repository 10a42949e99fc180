"""The left navigation, by trade: what a biller looks for, in the order of the work.

Invariant: an entry shows only when its page exists and a role held in view may open it.
"""

from __future__ import annotations

from dataclasses import dataclass

from radica.users.models import Rol


@dataclass(frozen=True)
class Entry:
    """One line. `section` is what the pages of it set as `nav`, so that the line is marked; no roles: everybody."""

    section: str
    label: str
    icon: str
    endpoint: str
    roles: tuple[Rol, ...] = ()


ENTRIES = (
    Entry("hoy", "Hoy", "sun", "hoy.index"),
    Entry("facturas", "Facturas", "file", "facturas.lista"),
    Entry("validar", "Validar", "check", "validar.inicio"),
    Entry("radicacion", "Radicación", "send", "radicacion.tablero"),
    Entry("glosas", "Glosas", "message", "glosas.lista"),
    Entry("conciliacion", "Conciliación", "handshake", "conciliacion.lista"),
    Entry("cartera", "Cartera", "tasks", "cartera.lista", (Rol.CARTERA, Rol.DIRECCION, Rol.JURIDICA, Rol.AUDITORIA)),
    Entry(
        "contratos",
        "Contratos",
        "link",
        "contratos.lista",
        (Rol.ADMINISTRACION, Rol.DIRECCION, Rol.FACTURACION, Rol.GLOSAS, Rol.CARTERA, Rol.AUDITORIA, Rol.JURIDICA),
    ),
    Entry(
        "prejuridico",
        "Prejurídico",
        "seal",
        "prejuridico.cobro",
        (Rol.JURIDICA, Rol.CARTERA, Rol.DIRECCION, Rol.AUDITORIA),
    ),
    Entry("bots", "Portales y bots", "robot", "portales.lista"),
    Entry("no_reconocidos", "No reconocidos", "inbox", "tray.lista"),
    Entry("auditoria", "Auditoría", "eye", "auditoria.inicio", (Rol.AUDITORIA, Rol.DIRECCION, Rol.ADMINISTRACION)),
    Entry("administracion", "Administración", "users", "personas.lista", (Rol.ADMINISTRACION,)),
)
