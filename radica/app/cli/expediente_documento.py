"""`radica expediente documento agregar|retirar|listar`: what only a person has, from the command line.

Invariant: the file is in custody before its row; a withdrawal has a reason; listing shows no contents.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, day, leaf, positive
from radica.app.cli.words import answer, operator, table
from radica.app.estado import find_factura
from radica.custodia.backends import open_store
from radica.custodia.models import Pieza
from radica.entidades.models import Pagador, Prestador
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput, NotFound
from radica.prejuridico.documentos import Alcance, agregar, guardar_archivo, listar, retirar
from radica.prejuridico.models import DocumentoPersona, TipoDocumentoPersona


def add_documents(verbs: Any) -> None:
    """Describe the three acts."""
    parser = verbs.add_parser("documento", help="poder, certificados, contrato, autorizaciones, eventos…")
    acts = parser.add_subparsers(dest="acto", required=True, metavar="ACTO", title="Actos")
    add = acts.add_parser("agregar", help="carga un documento a custodia")
    add.add_argument("archivo", type=Path, metavar="FICHERO", help="PDF o imagen; de un evento, también su XML")
    add.add_argument(
        "--tipo", required=True, choices=[one.value for one in TipoDocumentoPersona], metavar="TIPO",
        help=", ".join(one.value for one in TipoDocumentoPersona),
    )  # fmt: skip
    add.add_argument("--fecha", required=True, type=day, metavar="FECHA", help="la del documento mismo")
    add.add_argument("--prestador", metavar="NIT", help="de quién es; sobra si se dice la factura")
    add.add_argument("--pagador", metavar="NIT", help="sólo contra este pagador")
    add.add_argument("--factura", metavar="N", help="sólo de esta factura")
    add.add_argument("--nota", default="", metavar="TEXTO")
    leaf(add)
    add.set_defaults(run=_add)
    back = acts.add_parser("retirar", help="saca un documento de los expedientes que vengan; sigue en custodia")
    back.add_argument("documento", type=positive, metavar="ID", help="el número que da «documento listar»")
    back.add_argument("--motivo", required=True, metavar="TEXTO")
    leaf(back)
    back.set_defaults(run=_withdraw)
    listing = acts.add_parser("listar", help="documentos cargados")
    listing.add_argument("--prestador", metavar="NIT", help="sólo los de este prestador")
    listing.add_argument("--retirados", action="store_true", help="también los retirados")
    leaf(listing)
    listing.set_defaults(run=_list)


def _add(options: argparse.Namespace, settings: Settings) -> int:
    kind = TipoDocumentoPersona(options.tipo)
    settings.ensure_folders()
    with open_database(settings) as database:
        with database.read() as session:
            scope = _scope(session, options)
        kept = guardar_archivo(open_store(settings), options.archivo, kind)
        with database.write() as session:
            row, new = agregar(
                session, kept, tipo=kind, alcance=scope, fecha=options.fecha, actor=operator(), at=system_clock(),
                nota=options.nota,
            )  # fmt: skip
            piece = session.get_one(Pieza, row.pieza_id)
            document = {**_document(row, piece), "nuevo": new}
    words = f"Documento {row.id}: cargado." if new else f"Ya estaba cargado: es el documento {row.id}."
    answer(document, words, as_json=options.json)
    return DONE


def _scope(session: Session, options: argparse.Namespace) -> Alcance:
    if options.factura:
        invoice = find_factura(session, options.factura, nit=options.prestador)
        return Alcance(invoice.prestador_id, invoice.pagador_id, invoice.id)
    if not options.prestador:
        raise BadInput(
            "Falta de quién es el documento; no se cargó.", todo="Diga --prestador o --factura.", code="alcance"
        )
    provider = session.scalar(select(Prestador.id).where(Prestador.nit == options.prestador))
    if provider is None:
        raise BadInput(
            "Ningún prestador tiene ese NIT.", todo="radica prestadores listar", code="prestador_desconocido"
        )
    payer = None
    if options.pagador:
        payer = session.scalar(select(Pagador.id).where(Pagador.nit == options.pagador))
        if payer is None:
            raise BadInput("Ningún pagador tiene ese NIT.", todo="Revíselo.", code="pagador_desconocido")
    return Alcance(provider, payer)


def _withdraw(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write() as session:
        row = session.get(DocumentoPersona, options.documento)
        if row is None:
            raise NotFound("Ese documento no existe.", todo="Véalos con: radica expediente documento listar")
        retirar(session, row, options.motivo, actor=operator(), at=system_clock())
    answer(
        {"documento": options.documento, "retirado": True},
        f"Documento {options.documento}: retirado.",
        as_json=options.json,
    )
    return DONE


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        query = select(Prestador.id)
        if options.prestador:
            query = query.where(Prestador.nit == options.prestador)
        rows = listar(session, list(session.scalars(query)), con_retirados=options.retirados)
        documents = [_document(row, piece) for row, piece in rows]
    lines = [
        (
            str(one["documento"]),
            one["tipo"],
            one["fecha"],
            str(one["factura_id"] or ""),
            "retirado" if one["retirado"] else "",
        )
        for one in documents
    ]
    words = table(("N.º", "Tipo", "Fecha", "Factura (id)", ""), lines) if lines else "No hay documentos cargados."
    answer({"documentos": documents}, words, as_json=options.json)
    return DONE


def _document(row: DocumentoPersona, piece: Pieza) -> dict[str, Any]:
    return {
        "documento": row.id,
        "tipo": row.tipo.value,
        "fecha": row.fecha.isoformat(),
        "prestador_id": row.prestador_id,
        "pagador_id": row.pagador_id,
        "factura_id": row.factura_id,
        "sha256": piece.sha256,
        "nota": row.nota,
        "retirado": row.retirado_at is not None,
    }
