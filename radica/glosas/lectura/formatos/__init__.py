"""The layouts that are known, one small file each. A new one is a file here and its name in `FORMATOS`.

Norm: none; each payer sends what its own program writes. The columns are those seen in real files.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Formato
from radica.glosas.lectura.formatos import (
    adres,
    coosalud_correo,
    coosalud_portal,
    dispensario,
    famisanar,
    generico,
    grupo_sis,
    mutual_ser,
    nueva_eps,
    policia,
    salud_total,
    salud_total_export,
    sanitas,
    savia,
    sura,
)

_MODULES = (
    adres,
    coosalud_correo,
    coosalud_portal,
    dispensario,
    famisanar,
    grupo_sis,
    mutual_ser,
    nueva_eps,
    policia,
    salud_total,
    salud_total_export,
    sanitas,
    savia,
    sura,
    generico,
)

FORMATOS: tuple[Formato, ...] = tuple(one for module in _MODULES for one in module.FORMATOS)
"""Every layout, the generic one last."""
