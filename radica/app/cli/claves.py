"""`radica prestadores clave-tecnica`: keep the technical key of a numbering range, so that the CUFE's value is checked.

Invariant: the key comes by standard input or prompt, never as an argument, and stands only encrypted; the invoices that
wait to be filed are reviewed with it at once, in short transactions.
"""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from sqlalchemy import select

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, leaf, positive
from radica.app.cli.words import answer, operator, read_secret
from radica.audit.services import record_reading
from radica.entidades.services import provider_by_nit
from radica.facturas.keys import known_keys, save_key
from radica.facturas.models import Factura
from radica.facturas.review import review
from radica.facturas.states import REVISABLES
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import NotFound
from radica.kernel.logs import hide
from radica.portales.credentials import Vault, open_vault

BATCH = 100


def configure_keys(verbs: Any) -> None:
    """Describe the options of the verb, below `radica prestadores`."""
    parser = verbs.add_parser("clave-tecnica", help="guarda la clave técnica de un rango de numeración de la DIAN")
    parser.add_argument("nit", metavar="NIT")
    parser.add_argument("--resolucion", required=True, metavar="N", help="número de la resolución de numeración")
    parser.add_argument("--prefijo", default="", metavar="P", help="prefijo del rango, si tiene")
    parser.add_argument("--desde", required=True, type=positive, metavar="N", help="primer número del rango")
    parser.add_argument("--hasta", required=True, type=positive, metavar="N", help="último número del rango")
    parser.add_argument("--clave-stdin", action="store_true", help="lee la clave de la entrada estándar")
    leaf(parser)
    parser.set_defaults(run=_keep)


def _keep(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            row = provider_by_nit(session, options.nit)
            if row is None:
                raise NotFound(f"No hay un prestador con NIT {options.nit[:20]}.", todo="radica prestadores listar")
            provider_id, nit = row.id, row.nit
        key = read_secret("Clave técnica", from_stdin=options.clave_stdin)
        hide(key)
        vault, at = open_vault(settings.keys), system_clock()
        with database.write() as session:
            new = save_key(
                session,
                vault,
                prestador_id=provider_id,
                resolucion=options.resolucion,
                prefijo=options.prefijo,
                desde=options.desde,
                hasta=options.hasta,
                clave=key,
                actor=operator(),
                at=at,
            )
            record_reading(
                session,
                prestador_id=provider_id,
                actor=operator(),
                action="guardar_clave_tecnica",
                purpose="administracion",
                object_=f"resolucion:{options.resolucion[:40]}",
                at=at,
            )
        reviewed = _review(database, vault, provider_id, at)
    document = {
        "nit": nit, "resolucion": options.resolucion, "prefijo": options.prefijo.upper(), "nueva": new,
        "facturas_revisadas": reviewed,
    }  # fmt: skip
    words = f"{'Guardada' if new else 'Reemplazada'} la clave técnica; {reviewed} facturas revisadas con ella."
    answer(document, words, as_json=options.json)
    return DONE


def _review(database: Database, vault: Vault, prestador_id: int, at: datetime) -> int:
    """Review what the provider has not filed yet, with all keys that are known now."""
    with database.read() as session:
        waiting = select(Factura.id).where(
            Factura.prestador_id == prestador_id, Factura.estado.in_([state.value for state in REVISABLES])
        )
        ids = list(session.scalars(waiting.order_by(Factura.id)))
    keys = known_keys(database, vault)
    for start in range(0, len(ids), BATCH):
        with database.write() as session:
            review(session, ids[start : start + BATCH], actor=operator(), at=at, key_for=keys)
    return len(ids)
