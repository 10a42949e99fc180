"""`radica glosas exportar` and `radica glosas carta`: our answers as files for a payer or the hospital's system.

Invariant: a file is written whole and never over another; a wrong line stops the file with every reason; taking a
letter out is written in the provider's reading log before it is on the disk. Norm: Ley 1581/2012 art. 17.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, day, leaf, positive
from radica.app.cli.words import answer, operator
from radica.audit.services import record_reading
from radica.custodia.backends import open_store
from radica.custodia.store import lend
from radica.entidades.models import Pagador
from radica.entidades.services import provider_by_nit
from radica.facturas.numbers import parse_nit
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.exports import Archivo, PerfilDgh, dinamica_gerencial, excel, salud_total
from radica.glosas.respuesta.letter import draw
from radica.glosas.respuesta.letter_facts import carta_de, filas_de, respuestas_de
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput
from radica.kernel.money import plain

FORMATS = ("excel", "salud-total", "dinamica")


def add_exportar(verbs: Any) -> None:
    """Describe both verbs."""
    parser = verbs.add_parser("exportar", help="respuestas en el archivo que otro sistema carga")
    parser.add_argument("--formato", choices=FORMATS, default="excel", metavar="FORMATO", help=", ".join(FORMATS))
    _common(parser)
    parser.add_argument(
        "--numero", type=positive, default=1, metavar="N", help="consecutivo del archivo o primer CDCONSEC"
    )
    parser.add_argument("--usuario", default="", metavar="U", help="usuario de Dinámica (GENUSUARIO4)")
    parser.add_argument("--centro-costo", default="", metavar="C", help="centro de costo de Dinámica (CTNCENCOS)")
    leaf(parser)
    parser.set_defaults(run=_export)
    letter = verbs.add_parser("carta", help="carta de respuesta en PDF, con sus soportes si se pide")
    _common(letter)
    letter.add_argument("--numero", required=True, metavar="N", help="número de la carta")
    letter.add_argument("--ciudad", default="", metavar="CIUDAD")
    letter.add_argument("--firma", default="", metavar="NOMBRE", help="quién firma")
    letter.add_argument("--cargo", default="", metavar="CARGO")
    letter.add_argument("--unir", action="store_true", help="un solo PDF con los soportes detrás")
    leaf(letter)
    letter.set_defaults(run=_letter)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prestador", required=True, metavar="NIT")
    parser.add_argument("--pagador", metavar="NIT", help="sólo las de este pagador")
    parser.add_argument(
        "--factura", action="append", default=[], metavar="N", help="sólo las de esta factura; se repite"
    )
    parser.add_argument(
        "--estado",
        action="append",
        choices=[one.value for one in EstadoRespuesta],
        metavar="ESTADO",
        help="estado de la respuesta; se repite (aprobada)",
    )
    parser.add_argument("--fecha", type=day, metavar="FECHA", help="fecha del documento (hoy)")
    parser.add_argument("--salida", type=Path, default=Path(), metavar="DIR", help="carpeta (la actual)")


def _chosen(session: Session, options: argparse.Namespace) -> tuple[int, list[Respuesta]]:
    nit = parse_nit(options.prestador)
    provider = provider_by_nit(session, nit.number) if nit else None
    if provider is None:
        raise BadInput(
            "Ningún prestador tiene ese NIT.", todo="radica prestadores listar", code="prestador_desconocido"
        )
    payer = None
    if options.pagador:
        wanted = parse_nit(options.pagador)
        payer = session.scalar(select(Pagador.id).where(Pagador.nit == wanted.number)) if wanted else None
        if payer is None:
            raise BadInput("Ningún pagador tiene ese NIT.", todo="Revíselo.", code="pagador_desconocido")
    states = [EstadoRespuesta(one) for one in options.estado or [EstadoRespuesta.APROBADA.value]]
    rows = respuestas_de(session, prestador_id=provider.id, estados=states, pagador_id=payer, facturas=options.factura)
    if not rows:
        names = ", ".join(EstadoRespuesta(one).value for one in states)
        raise BadInput(
            f"No hay respuestas en estado {names}.", todo="Indique otras con --estado.", code="sin_respuestas"
        )
    return provider.id, rows


def _export(options: argparse.Namespace, settings: Settings) -> int:
    on = options.fecha or civil_date(system_clock())
    with open_database(settings) as database, database.write() as session:
        provider_id, rows = _chosen(session, options)
        filas = filas_de(session, rows)
        name = f"respuestas_{on:%Y%m%d}_{options.numero}"
        if options.formato == "salud-total":
            made = [salud_total(filas, nit=_nit(options.prestador), fecha=on, numero=options.numero)]
        elif options.formato == "dinamica":
            perfil = PerfilDgh(options.numero, on, "", options.usuario, options.centro_costo)
            made = dinamica_gerencial(filas, nombre=name, perfil=perfil)
        else:
            made = [excel(filas, nombre=name)]
        _free(options.salida, made)
        _note(session, provider_id, "exportar_respuestas", f"{options.formato}: {len(filas)} respuestas")
    _save(options.salida, made)
    document = {"archivos": [{"archivo": one.nombre, "respuestas": one.filas} for one in made]}
    answer(document, "\n".join(f"{one.nombre}: {one.filas} respuestas" for one in made), as_json=options.json)
    return DONE


def _letter(options: argparse.Namespace, settings: Settings) -> int:
    on: date = options.fecha or civil_date(system_clock())
    with open_database(settings) as database:
        with database.write() as session:
            provider_id, rows = _chosen(session, options)
            carta = carta_de(
                session,
                rows,
                numero=options.numero,
                fecha=on,
                ciudad=options.ciudad,
                firma=(options.firma, options.cargo),
            )
            joined = [one.sha256 for one in carta.soportes] if options.unir else []
            for digest in (None, *joined):
                _note(
                    session, provider_id, "carta_de_respuesta", f"carta {options.numero[:40]}: {carta.sha256}", digest
                )
        with lend(open_store(settings), joined) as files:
            data = draw(carta, files)
    safe = "".join(one if one.isalnum() or one in "-_" else "-" for one in options.numero)[:60]
    made = [Archivo(f"carta_{safe}.pdf", data, len(carta.lineas))]
    _free(options.salida, made)
    _save(options.salida, made)
    total, accepted = sum(one.valor for one in carta.lineas), sum(one.aceptado for one in carta.lineas)
    document = {
        "archivo": made[0].nombre,
        "respuestas": made[0].filas,
        "soportes": len(carta.soportes),
        "objetado": plain(total),
        "aceptado": plain(accepted),
        "contenido_sha256": carta.sha256,
    }
    answer(
        document, f"{made[0].nombre}: {made[0].filas} respuestas, {len(carta.soportes)} soportes.", as_json=options.json
    )
    return DONE


def _nit(text: str) -> str:
    found = parse_nit(text)
    return found.number if found else ""


def _free(folder: Path, made: Sequence[Archivo]) -> None:
    if not folder.is_dir():
        raise BadInput(f"No existe la carpeta {folder}; no se escribió nada.", todo="Créela.", code="carpeta")
    if taken := [one.nombre for one in made if (folder / one.nombre).exists()]:
        raise BadInput(
            f"Ya existe {', '.join(taken)[:200]}; no se escribió nada.",
            todo="Use otro --numero o carpeta.",
            code="ya_existe",
        )


def _save(folder: Path, made: Sequence[Archivo]) -> None:
    for one in made:
        with (folder / one.nombre).open("xb") as out:
            out.write(one.contenido)


def _note(session: Session, prestador_id: int, action: str, object_: str, sha256: str | None = None) -> None:
    record_reading(
        session,
        prestador_id=prestador_id,
        actor=operator(),
        action=action,
        purpose="respuesta de glosas",
        object_=object_,
        sha256=sha256,
        at=system_clock(),
    )
