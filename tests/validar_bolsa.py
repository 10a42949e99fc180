"""Files that are judged in a test: written to a folder, described, grouped and judged as the command does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from radica.facturas.sources import Source
from radica.facturas.validacion.grupos import agrupar
from radica.facturas.validacion.leer import describir
from radica.facturas.validacion.resultado import Encargo, resultados
from radica.facturas.validacion.tablas import VACIOS
from radica.kernel.clock import BOGOTA

AHORA = datetime(2026, 11, 20, 10, tzinfo=BOGOTA)


def juzgar_archivos(
    folder: Path, contents: Mapping[str, bytes], *, fecha: date | None = None
) -> dict[str, dict[str, Any]]:
    """Return the result of each file by its name."""
    paths = []
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    files = [describir(Source(path, name)) for path, name in zip(paths, contents, strict=True)]
    errand = Encargo(AHORA, VACIOS, fecha)
    found: dict[str, dict[str, Any]] = {}
    for group in agrupar(files):
        for result in resultados([files[at] for at in group], errand):
            assert json.loads(json.dumps(result)) == result
            found[result["ruta"]] = result
    return {name: found[name] for name in contents}


def juzgar_uno(folder: Path, name: str, data: bytes, *, fecha: date | None = None) -> dict[str, Any]:
    """Return the result of one file."""
    return juzgar_archivos(folder, {name: data}, fecha=fecha)[name]


def codigos(result: Mapping[str, Any], *severidades: str) -> set[str]:
    """Return the codes of a result, of these weights or of all."""
    return {one["codigo"] for one in result["hallazgos"] if not severidades or one["severidad"] in severidades}
