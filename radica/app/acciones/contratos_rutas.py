"""All screens of contracts in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import contratos
from radica.app.paginas import contratos as paginas
from radica.app.paginas import contratos_factura
from radica.app.paginas.contratos_plano import blueprint

__all__ = ["blueprint", "contratos", "contratos_factura", "paginas"]
