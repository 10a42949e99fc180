"""`radica glosas plantillas`: the texts with which a provider answers, as versions.

Invariant: a text is checked before it is kept (variables, citations, codes); a change is a new version; retiring one
keeps what used it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, leaf
from radica.app.cli.words import answer, operator, table
from radica.entidades.models import Pagador
from radica.entidades.services import provider_by_nit
from radica.facturas.numbers import parse_nit
from radica.glosas.respuesta.template_text import VARIABLES
from radica.glosas.respuesta.templates_store import crear_version, retirar, sembrar, usos, vigentes
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput

MAX_BYTES = 100_000


def add_plantillas(verbs: Any) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("plantillas", help="textos de respuesta: listar, guardar una versión, retirar")
    parser.add_argument("--prestador", required=True, metavar="NIT")
    parser.add_argument("--guardar", metavar="CLAVE", help="guarda una versión nueva con el texto de --texto")
    parser.add_argument("--retirar", metavar="CLAVE", help="deja de ofrecerla")
    parser.add_argument("--iniciales", action="store_true", help="agrega las plantillas con que se empieza")
    parser.add_argument(
        "--texto", type=Path, metavar="ARCHIVO", help=f"texto en UTF-8; variables: {', '.join(VARIABLES)}"
    )
    parser.add_argument("--nombre", default="", metavar="NOMBRE")
    parser.add_argument("--respuesta", default="", metavar="RE9602", help="código con que responde")
    parser.add_argument(
        "--codigo", default="", metavar="CÓDIGO", help="código o letras de la glosa; sin él, cualquiera"
    )
    parser.add_argument("--pagador", metavar="NIT", help="sólo para este pagador")
    leaf(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write() as session:
        nit = parse_nit(options.prestador)
        provider = provider_by_nit(session, nit.number) if nit else None
        if provider is None:
            raise BadInput(
                "Ningún prestador tiene ese NIT.", todo="radica prestadores listar", code="prestador_desconocido"
            )
        done = _change(session, provider.id, options)
        used = usos(session, prestador_id=provider.id)
        rows = [
            {
                "clave": row.clave,
                "version": row.version,
                "nombre": row.nombre,
                "respuesta": row.respuesta,
                "codigo": row.codigo,
                "usos": used.get(row.id, 0),
            }
            for row in vigentes(session, prestador_id=provider.id)
        ]
    head = ("Clave", "Versión", "Responde", "A", "Usos", "Nombre")
    cells = [
        (
            str(one["clave"]),
            str(one["version"]),
            str(one["respuesta"]),
            str(one["codigo"] or "todas"),
            str(one["usos"]),
            str(one["nombre"]),
        )
        for one in rows
    ]
    answer({"plantillas": rows}, table(head, cells) if rows else "No hay plantillas.", as_json=options.json)
    return DONE if done else FINDINGS


def _change(session: Session, prestador_id: int, options: argparse.Namespace) -> bool:
    """Do what was asked before listing; False when there was nothing to retire."""
    at = system_clock()
    if options.iniciales:
        sembrar(session, prestador_id=prestador_id, actor=operator(), at=at)
    if options.guardar:
        crear_version(
            session,
            prestador_id=prestador_id,
            clave=options.guardar,
            nombre=options.nombre or options.guardar,
            texto=_text(options.texto),
            respuesta=options.respuesta.upper(),
            codigo=options.codigo.upper(),
            pagador_id=_payer(session, options.pagador),
            actor=operator(),
            at=at,
        )
    if options.retirar:
        return retirar(session, prestador_id=prestador_id, clave=options.retirar) > 0
    return True


def _text(path: Path | None) -> str:
    if path is None or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise BadInput(
            "Falta el archivo con el texto de la plantilla.", todo="Indíquelo con --texto.", code="sin_texto"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BadInput(
            "El texto no está en UTF-8; no se guardó.", todo="Guárdelo como UTF-8.", code="texto_ilegible"
        ) from wrong


def _payer(session: Session, written: str | None) -> int | None:
    if not written:
        return None
    nit = parse_nit(written)
    found = session.scalar(select(Pagador.id).where(Pagador.nit == nit.number)) if nit else None
    if found is None:
        raise BadInput("Ningún pagador tiene ese NIT.", todo="Revíselo.", code="pagador_desconocido")
    return found
