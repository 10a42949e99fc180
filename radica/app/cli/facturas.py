"""`radica radicar` and `radica estado`: order filings, and see how one invoice stands.

Invariant: ordering goes through the same service as a click on the screen: one intention per invoice, refusals with
all their reasons at once (exit 1), and the bot files when a worker runs.
"""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, leaf
from radica.app.cli.words import answer, operator
from radica.app.estado import factura_document, find_factura
from radica.entidades.models import EstadoPrestador, Pagador, Prestador
from radica.facturas.models import Factura
from radica.facturas.states import MACHINE, EstadoFactura
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop, to_cents
from radica.portales.models import CuentaPortal
from radica.radicacion.manual import order
from radica.radicacion.services import Ordered, facturas_of

BATCH = 200


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    if name == "estado":
        parser.add_argument("factura", metavar="FACTURA", help="el número, con prefijo o sin él")
        parser.add_argument("--nit", help="NIT del prestador, si el número es de varios")
        parser.set_defaults(run=_show)
    else:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--factura", metavar="N", help="el número de una factura")
        which.add_argument("--pendientes", action="store_true", help="todas las listas cuyo pagador tiene bot")
        parser.add_argument("--nit", help="solo las de este prestador")
        parser.set_defaults(run=_order)
    leaf(parser)


def _show(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        document = factura_document(session, find_factura(session, options.factura, nit=options.nit))
    answer(document, _words(document), as_json=options.json)
    return DONE


def _words(one: dict[str, Any]) -> str:
    label = MACHINE.labels[EstadoFactura(one["estado"])]
    payer = one["pagador"] or "pagador desconocido"
    value = format_cop(to_cents(one["valor"])) if one["valor"] is not None else "valor desconocido"
    lines = [f"{one['numero']} de {one['nit_prestador']}: {label}", f"  {payer} · {value}"]
    if one["radicado"]:
        lines.append(
            f"  Radicado {one['radicado']} el {one['fecha_radicacion']} · nivel de prueba {one['nivel_prueba']}"
        )
    lines += [f"  {term['termino']} vence el {term['vence']}" for term in one["plazos"]]
    lines += [f"  {item['severidad'].upper()} {item['mensaje']} {item['que_hacer']}" for item in one["hallazgos"]]
    if one["evidencias"]:
        lines.append(f"  {len(one['evidencias'])} evidencias selladas:")
        lines += [f"    {item['sha256'][:16]}…  {item['nombre']} ({item['bytes']} bytes)" for item in one["evidencias"]]
    return "\n".join(lines)


def _order(options: argparse.Namespace, settings: Settings) -> int:
    at = system_clock()
    envios: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    with open_database(settings) as database:
        with database.read() as session:
            if options.pendientes:
                chosen = _pending(session, options.nit)
            else:
                one = find_factura(session, options.factura, nit=options.nit)
                _confirmed(session, one)
                chosen = [(one.id, one.prestador_id)]
        for start in range(0, len(chosen), BATCH):
            part = chosen[start : start + BATCH]
            with database.write() as session:
                ordered = order(
                    session,
                    [factura for factura, _ in part],
                    prestador_ids=sorted({provider for _, provider in part}),
                    actor=operator(),
                    at=at,
                )
                _tell(session, ordered, envios, refused)
    document = {"envios": envios, "rechazos": refused}
    answer(document, _order_words(envios, refused), as_json=options.json)
    return FINDINGS if refused else DONE


def _confirmed(session: Session, row: Factura) -> None:
    provider = session.get_one(Prestador, row.prestador_id)
    if provider.estado is not EstadoPrestador.ACTIVO:
        raise BadInput(
            "El prestador de esa factura está por confirmar; no se radicó.",
            todo=f"Si es suyo: radica prestadores confirmar {provider.nit}",
            code="prestador_por_confirmar",
        )


def _pending(session: Session, nit: str | None) -> list[tuple[int, int]]:
    """Return (invoice, provider) of whatever is ready and has a bot; the others wait for a person in *Por radicar*."""
    query = (
        select(Factura.id, Factura.prestador_id)
        .join(Prestador, Prestador.id == Factura.prestador_id)
        .where(
            Factura.estado == EstadoFactura.LISTA,
            Prestador.estado == EstadoPrestador.ACTIVO,
            select(CuentaPortal.id)
            .where(
                CuentaPortal.prestador_id == Factura.prestador_id,
                CuentaPortal.pagador_id == Factura.pagador_id,
                CuentaPortal.activa.is_(True),
            )
            .exists(),
        )
        .order_by(Factura.vence_radicar, Factura.id)
    )
    if nit is not None:
        query = query.where(Prestador.nit == nit)
    return [(row[0], row[1]) for row in session.execute(query)]


def _tell(session: Session, ordered: Ordered, envios: list[dict[str, Any]], refused: list[dict[str, Any]]) -> None:
    envios += [
        {
            "envio": envio.id,
            "facturas": [row.numero for row in facturas_of(session, envio)],
            "pagador": session.get_one(Pagador, envio.pagador_id).nombre,
            "canal": envio.canal,
            "ronda": envio.ronda,
        }
        for envio in ordered.envios
    ]
    refused += [{"factura": one.numero, "motivos": list(one.motivos)} for one in ordered.rechazos]


def _order_words(envios: list[dict[str, Any]], refused: list[dict[str, Any]]) -> str:
    bots = sum(one["canal"] == "bot" for one in envios)
    lines = []
    if bots:
        lines.append(f"{bots} envíos quedaron en la cola de los bots (los hace: radica worker).")
    if len(envios) > bots:
        lines.append(f"{len(envios) - bots} envíos son para radicar a mano: están en la pantalla Por radicar.")
    for one in refused:
        lines += [f"No se radica {one['factura']}:", *(f"  - {reason}" for reason in one["motivos"])]
    return "\n".join(lines or ["No hay nada pendiente que un bot pueda radicar."])
