"""`radica custodia verificar`: look at everything that is kept, or at one invoice, and say what is not as it must be.

Invariant: exit 1 when something grave or a warning was found, 0 when only notes or nothing; cut at any moment, the same
command goes on where it was; nothing is deleted or mended.
"""

from __future__ import annotations

import argparse
from typing import Any

from radica.app.cli.bar import Bar
from radica.app.cli.context import open_database
from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, day, leaf, positive
from radica.app.cli.words import answer, note, operator, table
from radica.app.estado import find_factura
from radica.app.handlers.verificacion import (
    CUENTAS,
    ETAPAS,
    GRAVEDADES,
    MB,
    TIPOS,
    result_document,
    scope_of_invoice,
    since,
    tell_grave,
)
from radica.custodia.backends import open_store
from radica.custodia.check_models import EstadoVerificacion, HallazgoCustodia
from radica.custodia.verificar import PERSONA, Resumen, findings, means_of, run, start, unfinished
from radica.custodia.verificar_base import Alcance
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database

MOST = 10_000
"""Findings that are told at once; the rest stand on the page."""


def configure(verbs: Any) -> None:
    """Describe the options of the verb, below `radica custodia`."""
    parser = verbs.add_parser("verificar", help="comprueba archivos, historia, árbol y sellos; no cambia nada")
    parser.add_argument("--factura", metavar="N", help="solo lo de una factura: sus asuntos, documentos y piezas")
    parser.add_argument("--nit", help="NIT del prestador, si el número es de varios")
    parser.add_argument("--desde", type=day, metavar="FECHA", help="solo lo guardado y escrito desde ese día")
    parser.add_argument("--mb", type=positive, metavar="N", help="lee a lo sumo N millones de bytes y queda en pausa")
    parser.add_argument("--de-nuevo", action="store_true", help="no continúa la que quedó a medias")
    leaf(parser)
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        scope = _scope(options, database)
        number = _number(options, database, scope)
        with Bar("Verificando la custodia") as bar:
            ended = run(
                database,
                open_store(settings),
                number,
                clock=system_clock,
                medios=means_of(settings),
                budget_bytes=options.mb * MB if options.mb else None,
                progress=lambda done, of, stage: bar.show(done, of, ETAPAS[stage].lower()),
            )
        tell_grave(database, number, at=system_clock())
        with database.read() as session:
            found = findings(session, number, limit=MOST)
    answer(result_document(ended, found, scope.as_json()), _words(ended, found), as_json=options.json)
    if ended.estado is EstadoVerificacion.PAUSADA and ended.limpia:
        return COULD_NOT if options.mb is None else DONE
    return DONE if ended.limpia else FINDINGS


def _scope(options: argparse.Namespace, database: Database) -> Alcance:
    start_at = since(options.desde) if options.desde else None
    if options.factura is None:
        return Alcance(desde=start_at)
    with database.read() as session:
        scope = scope_of_invoice(session, find_factura(session, options.factura, nit=options.nit))
    return Alcance(scope.factura, scope.prestador_id, scope.casos, scope.hashes, start_at)


def _number(options: argparse.Namespace, database: Database, scope: Alcance) -> int:
    with database.read() as session:
        cut = None if options.de_nuevo else unfinished(session, scope, origen=PERSONA)
    if cut is not None:
        note(f"Continúa la verificación {cut}, que quedó a medias.")
        return cut
    return start(database, scope, origen=PERSONA, actor=operator(), at=system_clock())


def _words(ended: Resumen, found: list[HallazgoCustodia]) -> str:
    lines = [f"Verificación {ended.id}: {'terminada' if ended.estado is EstadoVerificacion.TERMINADA else 'en pausa'}."]
    if ended.pausa:
        lines.append(f"  {ended.pausa} El mismo comando la continúa.")
    lines += [
        f"  {ended.cuentas[key]:>9,} {words}".replace(",", ".")
        for key, words in CUENTAS.items()
        if key in ended.cuentas
    ]
    if not found:
        lines.append("Nada que decir: todo está como se guardó.")
        return "\n".join(lines)
    rows = [(GRAVEDADES[one.gravedad], TIPOS[one.tipo], one.objeto[:80], one.detalle) for one in found[:100]]
    lines += ["", table(("GRAVEDAD", "TIPO", "OBJETO", "QUÉ"), rows)]
    if len(found) > len(rows):
        lines.append(f"… y {len(found) - len(rows)} hallazgos más, con --json o en la página Custodia.")
    return "\n".join(lines)
