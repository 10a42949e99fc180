"""`radica expediente`: make dossiers here and now, load and withdraw what only a person has, list both.

Invariant: the command orders and works through the same service, job and queue as the screen; gaps are normal and
told; exit 0 made, 1 some invoice could not be included, 2 nothing done. A file is never written over another, and
taking one out is in the reading log before it is on the disk. Norm: Ley 1581/2012 art. 17.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.expediente_documento import add_documents
from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, actions, day, leaf
from radica.app.cli.words import answer, note, operator, table
from radica.app.estado import find_factura
from radica.app.handlers.expedientes import HANDLERS
from radica.app.house import House, make_house
from radica.app.worker import do_one
from radica.audit.services import record_reading
from radica.entidades.models import EstadoPrestador, Pagador, Prestador
from radica.facturas.models import Factura
from radica.jobs.queue import claim_next
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.money import plain
from radica.prejuridico.candidatas import candidates
from radica.prejuridico.models import Expediente, Via
from radica.prejuridico.pacientes import numeros_de
from radica.prejuridico.services import KIND_EXPORT, solicitar
from radica.prejuridico.states import CON_BOLSA, EstadoExpediente
from radica.users.purposes import Proposito

WAIT_S = 0.5


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    make = verbs.add_parser("exportar", help="arma el expediente de una o varias facturas contra su pagador")
    which = make.add_mutually_exclusive_group(required=True)
    which.add_argument("--factura", action="append", metavar="N", help="número de factura; se repite")
    which.add_argument("--todas", action="store_true", help="todas las radicadas con saldo, un expediente por pagador")
    make.add_argument("--prestador", metavar="NIT", help="sólo las de este prestador")
    make.add_argument("--pagador", metavar="NIT", help="sólo las de este pagador")
    make.add_argument(
        "--via",
        choices=[one.value for one in Via],
        default=Via.EJECUTIVO.value,
        metavar="VÍA",
        help="ejecutivo, declarativo",
    )
    make.add_argument("--corte", type=day, metavar="FECHA", help="los intereses se cuentan hasta este día (hoy)")
    make.add_argument("--ciudad", default="", metavar="CIUDAD", help="para el índice judicial")
    make.add_argument("--despacho", default="", metavar="DESPACHO", help="para el índice judicial")
    make.add_argument("--operador", default="", metavar="NOMBRE", help="quién opera el sistema, si no es el prestador")
    make.add_argument(
        "--paciente-stdin",
        action="store_true",
        help="deja sólo este paciente; su documento se lee de la entrada estándar",
    )
    make.add_argument("--salida", type=Path, metavar="DIR", help="copia aquí cada bolsa en ZIP")
    leaf(make)
    make.set_defaults(run=_export)
    listing = verbs.add_parser("listar", help="expedientes y su estado")
    listing.add_argument("--prestador", metavar="NIT", help="sólo los de este prestador")
    leaf(listing)
    listing.set_defaults(run=_list)
    add_documents(verbs)


def _export(options: argparse.Namespace, settings: Settings) -> int:
    if options.salida is not None and not options.salida.is_dir():
        raise BadInput(f"No existe la carpeta {options.salida}; no se hizo nada.", todo="Créela.", code="carpeta")
    with open_database(settings) as database:
        house = make_house(settings, database, environ=os.environ, clock=system_clock)
        corte = options.corte or civil_date(house.clock())
        with database.read() as session:
            groups, refused = _groups(session, options, corte)
        who = sys.stdin.readline().strip() if options.paciente_stdin else ""
        ordered = [one for group in groups if (one := _order(house, group, options, corte, who, refused)) is not None]
        made = [_made(house, one, options.salida) for one in ordered]
    document = {"expedientes": made, "rechazos": refused}
    answer(document, _words(made, refused), as_json=options.json)
    if not any(one["estado"] == EstadoExpediente.LISTO.value for one in made):
        return COULD_NOT
    return FINDINGS if refused or any(one["estado"] != EstadoExpediente.LISTO.value for one in made) else DONE


def _groups(session: Session, options: argparse.Namespace, corte: date) -> tuple[list[list[int]], list[dict[str, str]]]:
    """Return the invoices of each dossier to make, and the numbers that cannot be in one, with why."""
    refused: list[dict[str, str]] = []
    rows: list[Factura] = []
    for number in dict.fromkeys(options.factura or ()):
        try:
            rows.append(find_factura(session, number, nit=options.prestador))
        except RadicaError as problem:
            refused.append({"factura": number, "motivo": str(problem)})
    if options.todas:
        query = select(Prestador.id).where(Prestador.estado == EstadoPrestador.ACTIVO)
        if options.prestador:
            query = query.where(Prestador.nit == options.prestador)
        rows = [one.factura for one in candidates(session, list(session.scalars(query)), corte)]
        rows.sort(key=lambda one: (one.prestador_id, one.pagador_id or 0, one.id))
    payers = {one.id: one.nit for one in session.scalars(select(Pagador))}
    groups: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        if row.pagador_id is None:
            refused.append({"factura": row.numero, "motivo": "No tiene pagador. Asígneselo."})
        elif options.pagador and payers[row.pagador_id] != options.pagador:
            if not options.todas:
                refused.append({"factura": row.numero, "motivo": "No es de ese pagador."})
        else:
            groups.setdefault((row.prestador_id, row.pagador_id), []).append(row.id)
    if not groups and not refused:
        raise BadInput("Ninguna factura radicada tiene saldo; no se hizo nada.", code="sin_facturas")
    return list(groups.values()), refused


def _order(
    house: House, ids: Sequence[int], options: argparse.Namespace, corte: date, who: str, refused: list[dict[str, str]]
) -> int | None:
    """Order one dossier; None when its group is refused, with why."""
    chosen: dict[str, Any] = {
        name: value for name in ("ciudad", "despacho", "operador") if (value := getattr(options, name).strip())
    }
    try:
        if options.paciente_stdin:
            with house.db.read() as session:
                chosen["pacientes"] = numeros_de(session, house.store, ids, who)
        with house.db.write() as session:
            row = solicitar(
                session, ids, via=Via(options.via), corte=corte, actor=operator(), at=house.clock(), opciones=chosen
            )
            return row.id
    except RadicaError as problem:
        with house.db.read() as session:
            numbers = session.scalars(select(Factura.numero).where(Factura.id.in_(ids)).order_by(Factura.id))
            refused += [{"factura": number, "motivo": str(problem)} for number in numbers]
        return None


def _made(house: House, expediente_id: int, out: Path | None) -> dict[str, Any]:
    """Work until the dossier is no longer under way, whoever does it, and tell what came of it."""
    shown = ""
    while (row := _row(house.db, expediente_id)).estado is EstadoExpediente.SOLICITADO:
        claimed = claim_next(house.db, house.owner, house.host, house.timing.lease_s, [KIND_EXPORT])
        if claimed is not None:
            do_one(house, HANDLERS[KIND_EXPORT], claimed)
            continue
        text = str(row.avance.get("texto", ""))
        if text != shown:
            note(f"Expediente {row.numero}: {text}")
            shown = text
        time.sleep(WAIT_S)
    document = _document(house.db, row)
    if out is not None and row.estado in CON_BOLSA:
        document["archivo"] = str(_take_out(house, row, out))
    return document


def _row(db: Database, expediente_id: int) -> Expediente:
    with db.read() as session:
        return session.get_one(Expediente, expediente_id)


def _take_out(house: House, row: Expediente, folder: Path) -> Path:
    """Copy the bag out of custody; the reading is written first."""
    assert row.bolsa_sha256 is not None  # CHECK of the states with a bag
    with house.db.write() as session:
        nit = session.get_one(Prestador, row.prestador_id).nit
        record_reading(
            session, prestador_id=row.prestador_id, actor=operator(), action="descargar", purpose=Proposito.JURIDICA,
            object_=f"expediente {row.numero}: bolsa", at=house.clock(), sha256=row.bolsa_sha256, case_key=row.case_key,
        )  # fmt: skip
    target = folder / f"expediente-{nit}-{row.numero}.zip"
    with house.store.open(row.bolsa_sha256) as source, target.open("xb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
    return target


def _document(db: Database, row: Expediente) -> dict[str, Any]:
    with db.read() as session:
        payer, provider = session.get_one(Pagador, row.pagador_id), session.get_one(Prestador, row.prestador_id)
    told = row.resumen
    return {
        "expediente": row.id,
        "numero": row.numero,
        "prestador": provider.nit,
        "pagador": payer.nit,
        "via": row.via.value,
        "corte": row.corte.isoformat(),
        "estado": row.estado.value,
        "problema": row.problema,
        "facturas": told.get("facturas"),
        "documentos": told.get("documentos"),
        "folios": told.get("folios"),
        "capital": plain(told["capital"]) if "capital" in told else None,
        "intereses": plain(told["intereses"]) if "intereses" in told else None,
        "firma": told.get("firma", ""),
        "faltan": told.get("faltan", []),
        "vacios": told.get("lista", []),
        "total_vacios": told.get("vacios", 0),
        "bolsa_sha256": row.bolsa_sha256,
        "manifiesto_sha256": row.manifiesto_sha256,
        "bytes": row.bytes,
    }


def _words(made: Sequence[dict[str, Any]], refused: Sequence[dict[str, str]]) -> str:
    lines: list[str] = []
    for one in made:
        if one["problema"]:
            lines.append(f"Expediente {one['numero']} contra {one['pagador']}: no se pudo preparar. {one['problema']}")
            continue
        lines.append(
            f"Expediente {one['numero']} contra {one['pagador']}: {one['facturas']} facturas, {one['documentos']} "
            f"documentos, {one['folios']} folios, {one['total_vacios']} vacíos declarados."
        )
        lines += [f"  Falta: {name}" for name in one["faltan"]]
        lines += [f"  {one['archivo']}"] if one.get("archivo") else [f"  En custodia, SHA-256 {one['bolsa_sha256']}"]
    lines += [f"No entra {one['factura']}: {one['motivo']}" for one in refused]
    return "\n".join(lines or ["No se preparó ningún expediente."])


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            query = select(Expediente).join(Prestador, Prestador.id == Expediente.prestador_id)
            if options.prestador:
                query = query.where(Prestador.nit == options.prestador)
            rows = list(session.scalars(query.order_by(Expediente.prestador_id, Expediente.numero)))
        documents = [_document(database, row) for row in rows]
    lines = [
        (
            one["prestador"],
            str(one["numero"]),
            one["pagador"],
            one["via"],
            one["corte"],
            one["estado"],
            str(one["folios"] or ""),
        )
        for one in documents
    ]
    words = (
        table(("Prestador", "N.º", "Pagador", "Vía", "Corte", "Estado", "Folios"), lines)
        if lines
        else "No hay expedientes."
    )
    answer({"expedientes": documents}, words, as_json=options.json)
    return DONE
