"""All screens of cartera in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import cartera
from radica.app.paginas import cartera as paginas
from radica.app.paginas.cartera_plano import blueprint

__all__ = ["blueprint", "cartera", "paginas"]
