"""All screens of Prejurídico in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import prejuridico, prejuridico_aportados
from radica.app.paginas import prejuridico as paginas
from radica.app.paginas.prejuridico_plano import blueprint

__all__ = ["blueprint", "paginas", "prejuridico", "prejuridico_aportados"]
