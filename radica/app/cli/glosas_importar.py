"""`radica glosas importar`: load what a payer sent, and say what became of each line.

Invariant: each file has its notice and each line its fate; loading again creates nothing; a file that fails alone
does not stop the others. Ends with 1 when a line waits for a person. Norm: Res. 2284 de 2023 art. 6.
"""

from __future__ import annotations

import argparse
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from radica.app.cli.bar import Bar
from radica.app.cli.context import open_database
from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, day_or_instant, leaf
from radica.app.cli.words import answer, operator
from radica.custodia.backends import open_store
from radica.entidades.services import provider_by_nit
from radica.facturas.numbers import parse_nit
from radica.glosas.intake import ResumenNotificacion, importar
from radica.kernel.clock import BOGOTA, system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, RadicaError


def add_importar(verbs: Any) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("importar", help="carga glosas, devoluciones y decisiones de los pagadores")
    parser.add_argument("rutas", nargs="+", type=Path, metavar="RUTA", help="archivo, correo o ZIP del pagador")
    parser.add_argument("--prestador", required=True, metavar="NIT", help="de quién son las facturas")
    parser.add_argument("--pagador", metavar="NIT", help="quién objeta; sin él, lo dicen el archivo y la factura")
    parser.add_argument(
        "--recibida", type=day_or_instant, metavar="FECHA",
        help="cuándo llegó de verdad (2026-11-20 o 2026-11-20T15:30); sin ella, la fecha que trae el archivo",
    )  # fmt: skip
    leaf(parser)
    parser.set_defaults(run=_import)


def _import(options: argparse.Namespace, settings: Settings) -> int:
    missing = [str(path) for path in options.rutas if not path.is_file()]
    if missing:
        raise BadInput(
            f"No existe o no es un archivo: {', '.join(missing)[:500]}. No se cargó nada.",
            todo="Revise la ruta.",
            code="ruta",
        )
    settings.ensure_folders()
    results: list[dict[str, Any]] = []
    notices: list[ResumenNotificacion] = []
    with open_database(settings) as database, Bar("Cargando glosas") as bar:
        provider = _provider(database, options.prestador)
        for path in options.rutas:
            try:
                done = importar(
                    database, open_store(settings), path, nombre=path.name, prestador_id=provider,
                    pagador_nit=options.pagador, origen="archivo", recibida_at=_instant(options.recibida),
                    actor=operator(), clock=system_clock, workdir=settings.incoming, progress=bar.show,
                )  # fmt: skip
            except RadicaError as error:
                if len(options.rutas) == 1:
                    raise
                results.append({"ruta": str(path), "error": error.code, "motivo": str(error)})
                continue
            results.append({"ruta": str(path), **done.as_json()})
            notices += done.notificaciones
    answer({"archivos": results}, _words(results, notices), as_json=options.json)
    if any("error" in one for one in results):
        return COULD_NOT
    return DONE if all(one.clean for one in notices) else FINDINGS


def _provider(database: Database, written: str) -> int:
    nit = parse_nit(written)
    with database.read() as session:
        found = provider_by_nit(session, nit.number) if nit is not None else None
    if found is None:
        raise BadInput(
            "Ningún prestador tiene ese NIT; no se cargó nada.",
            todo="Escríbalo como 900123456; «radica prestadores listar» los muestra.",
            code="prestador_desconocido",
        )
    return found.id


def _instant(given: date | datetime | None) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return given
    return datetime.combine(given, time(0), BOGOTA)


def _words(results: list[dict[str, Any]], notices: list[ResumenNotificacion]) -> str:
    lines = [f"{one['ruta']}: {one['motivo']}" for one in results if "error" in one]
    for one in notices:
        lines.append(
            f"{one.archivo} ({one.formato or 'no reconocido'}): {one.nuevas} nuevas, {one.repetidas} ya estaban, "
            f"{one.aplicadas} decisiones aplicadas, {one.sin_cruzar} sin factura, {one.por_decidir} por decidir, "
            f"{one.no_leidas} no leídas."
        )
        lines += [f"  {text}" for text in one.avisos]
    if not all(one.clean for one in notices):
        lines.append("Lo que espera a una persona está en la bandeja de líneas sin cruzar.")
    return "\n".join(lines)
