"""All screens of glosas in one blueprint: importing this module adds the routes of each of its files.

Invariant: the factory registers what stands here; a file of screens that is not named here has no address.
"""

from __future__ import annotations

from radica.app.acciones import glosas as _answers
from radica.app.acciones import glosas_actos as _acts
from radica.app.acciones import glosas_cargar as _load
from radica.app.acciones import glosas_exportar as _files
from radica.app.acciones import glosas_filtradas as _filtered
from radica.app.acciones import glosas_limites as _limits
from radica.app.acciones import glosas_lineas as _loose
from radica.app.acciones import glosas_masiva as _bulk
from radica.app.acciones import glosas_plantillas as _templates
from radica.app.acciones import glosas_presentar as _present
from radica.app.acciones import glosas_reglas as _rules
from radica.app.acciones import glosas_siifa as _siifa
from radica.app.acciones import glosas_trabajo as _work
from radica.app.paginas import glosas as _trays
from radica.app.paginas import glosas_indicadores as _figures
from radica.app.paginas import glosas_linea as _line
from radica.app.paginas import glosas_notificaciones as _notices
from radica.app.paginas.glosas_plano import blueprint

ROOMS = (
    _trays,
    _line,
    _answers,
    _work,
    _bulk,
    _present,
    _load,
    _notices,
    _acts,
    _loose,
    _siifa,
    _rules,
    _templates,
    _limits,
    _filtered,
    _figures,
    _files,
)

__all__ = ["ROOMS", "blueprint"]
