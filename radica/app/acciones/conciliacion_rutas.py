"""All screens of meetings in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import conciliacion, conciliacion_mesa
from radica.app.paginas import conciliacion as paginas
from radica.app.paginas import conciliacion_mesa as mesa
from radica.app.paginas.conciliacion_plano import blueprint

__all__ = ["blueprint", "conciliacion", "conciliacion_mesa", "mesa", "paginas"]
