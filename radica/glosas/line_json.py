"""A line as JSON for its row, and back: so that the tray decides it again without the file.

Invariant: `line_of(line_content(x))` is what was read of x; amounts stay integer centavos, dates ISO. Health data: it
stands in the row and in no log line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from radica.glosas.fates import Linea
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea

_DATES = ("fecha_notificacion", "fecha_radicacion", "fecha_factura")
_PLAIN = tuple(name for name in LineaLeida._fields if name not in {*_DATES, "tipo", "avisos"})


def line_content(line: Linea) -> dict[str, Any]:
    """Return what was read, with how it was matched and what there is to say of it."""
    read, cruce, item = line.leida, line.cruce, line.item
    content: dict[str, Any] = {
        name: value for name in _PLAIN if (value := getattr(read, name)) is not None and value != ""
    }
    content["tipo"] = read.tipo.value
    for name in _DATES:
        if (day := getattr(read, name)) is not None:
            content[name] = day.isoformat()
    if read.avisos:
        content["avisos_lectura"] = list(read.avisos)
    if line.avisos:
        content["avisos"] = line.avisos
    match: dict[str, Any] = {"factura": cruce.confianza.value}
    if cruce.candidatos:
        match["candidatos"] = [one.id for one in cruce.candidatos]
    if item is not None:
        match["servicio"] = item.confianza.value
        if item.motivo:
            match["motivo_servicio"] = item.motivo
    content["cruce"] = match
    return content


def line_of(content: Mapping[str, Any]) -> LineaLeida:
    """Return the line that a row keeps. Raises KeyError when it keeps none (a row that was not read)."""
    plain: dict[str, Any] = {name: content[name] for name in _PLAIN if name in content}
    plain.setdefault("factura", "")
    plain.setdefault("codigo", None)
    plain.setdefault("codigo_original", "")
    days: dict[str, Any] = {name: date.fromisoformat(content[name]) for name in _DATES if name in content}
    return LineaLeida(**plain, **days, tipo=TipoLinea(content["tipo"]), avisos=tuple(content.get("avisos_lectura", ())))
