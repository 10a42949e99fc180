"""`radica custodia sellar|sellos|prueba|consistencia`: seal now, see the seals, and carry a proof away.

Invariant: a proof is checked before it is written; taking one out is a reading like any other and is logged. What an
authority does not stamp now waits, and the exit code says so.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, leaf, positive
from radica.app.cli.words import answer, note, operator, table
from radica.app.estado import find_factura
from radica.app.handlers.sellar_publicar import publish, published_line
from radica.audit.chain import instant_text
from radica.audit.models import ChainHead, Transition
from radica.audit.services import READINGS, record_reading
from radica.custodia.pruebas import consistency, link_proof, seal_dict
from radica.custodia.seal_models import FalloTsa, PublicacionSello, Sello, TokenTiempo
from radica.custodia.sellos import clock_went_back, last_seal, seal, unsealed
from radica.custodia.tsa import stamp_pending
from radica.kernel.clock import bogota, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput, NotFound
from radica.users.purposes import Proposito

SHOWN = 20


def configure(verbs: Any) -> None:
    """Describe the options of the verbs, below `radica custodia`."""
    now = verbs.add_parser("sellar", help="sella ahora lo que falta y pide sus sellos de tiempo")
    leaf(now)
    now.set_defaults(run=_seal)
    listing = verbs.add_parser("sellos", help="los sellos, con sus sellos de tiempo y dónde se publicaron")
    listing.add_argument("--ultimos", type=positive, default=SHOWN, metavar="N", help=f"cuántos ({SHOWN})")
    leaf(listing)
    listing.set_defaults(run=_list)
    proof = verbs.add_parser("prueba", help="escribe la prueba de inclusión de un evento, para llevársela")
    which = proof.add_mutually_exclusive_group(required=True)
    which.add_argument("--factura", metavar="N", help="número de la factura")
    which.add_argument("--caso", metavar="K", help="cadena, como factura:12 o lecturas:1")
    proof.add_argument("--nit", help="NIT del prestador, si el número es de varios")
    proof.add_argument("--evento", type=positive, metavar="N", help="número del evento en su historia; el último si no")
    proof.add_argument("--salida", type=Path, metavar="F", help="archivo en que se escribe")
    leaf(proof)
    proof.set_defaults(run=_prove)
    both = verbs.add_parser("consistencia", help="prueba de que un sello contiene todo lo de uno anterior")
    both.add_argument("--desde", type=positive, required=True, metavar="S", help="número del sello anterior")
    both.add_argument("--hasta", type=positive, required=True, metavar="S", help="número del sello posterior")
    both.add_argument("--salida", type=Path, metavar="F", help="archivo en que se escribe")
    leaf(both)
    both.set_defaults(run=_consistency)


def _seal(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        made = seal(database, clock=system_clock)
        publish(database, settings, os.environ, clock=system_clock)
        stamped = stamp_pending(database, settings, system_clock, now=True)
        with database.read() as session:
            newest, left = last_seal(session), unsealed(session)
    document = {
        "sello": seal_dict(made) if made else None,
        "ultimo": newest.id if newest else None,
        "sin_sellar": left,
        "sellos_de_tiempo": stamped.tokens,
        "fallos": stamped.fallos,
        "esperan": stamped.esperan,
    }
    words = (
        f"Sello {made.id}: {made.hojas} hojas.\n{published_line(made)}" if made else "No hay nada nuevo que sellar.\n"
    )
    if settings.tsa:
        words += f"Sellos de tiempo: {stamped.tokens} recibidos, {stamped.esperan} esperan."
    else:
        words += "Sin autoridad de sellado configurada: el sello no tiene fecha de un tercero (RADICA_TSA)."
    if stamped.fallos:
        note("Una autoridad no dio su sello de tiempo; se le pide de nuevo en unos minutos (radica custodia sellos).")
    answer(document, words, as_json=options.json)
    return FINDINGS if stamped.esperan or left else DONE


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        newest = select(Sello).order_by(Sello.hojas.desc())
        rows = list(session.scalars(newest.limit(options.ultimos + 1)))
        older = dict(zip([one.id for one in rows], rows[1:], strict=False))
        found = [_facts(session, one, older.get(one.id)) for one in rows[: options.ultimos]]
        left = unsealed(session)
    cells = [
        (
            str(one["id"]),
            f"{bogota(datetime.fromisoformat(one['creado_at'])):%d/%m/%Y %H:%M}",
            str(one["hojas"]),
            one["raiz"],
            ", ".join(token["tsa"] for token in one["tokens"]) or one["ultimo_fallo"] or "sin sello de tiempo",
            "reloj atrasado" if one["reloj_atras"] else "",
        )
        for one in found
    ]
    head = ("Sello", "Fecha", "Hojas", "Raíz", "Sello de tiempo", "Nota")
    words = table(head, cells) if cells else "No hay sellos todavía."
    if left:
        words += f"\nSin sellar: {left}."
    answer({"sellos": found, "sin_sellar": left}, words, as_json=options.json)
    return DONE


def _facts(session: Session, one: Sello, before: Sello | None) -> dict[str, Any]:
    tokens = session.scalars(select(TokenTiempo).where(TokenTiempo.sello_id == one.id).order_by(TokenTiempo.hora))
    told = session.scalars(select(PublicacionSello).where(PublicacionSello.sello_id == one.id))
    failure = session.scalars(
        select(FalloTsa).where(FalloTsa.sello_id == one.id).order_by(FalloTsa.id.desc()).limit(1)
    ).first()
    return {
        **seal_dict(one),
        "reloj_atras": before is not None and clock_went_back(before, one),
        "tokens": [
            {
                "tsa": token.tsa,
                "hora": instant_text(token.hora),
                "serie": token.serie,
                "acreditada": token.acreditada,
                "desfase_s": round((token.hora - token.recibido_at).total_seconds()),
            }
            for token in tokens
        ],
        "ultimo_fallo": f"{failure.tsa}: {failure.motivo}" if failure else None,
        "publicado": [{"destino": row.destino, "at": instant_text(row.at)} for row in told],
    }


def _prove(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            case = find_factura(session, options.factura, nit=options.nit).case_key if options.factura else options.caso
            head = session.get(ChainHead, case)
            if head is None:
                raise NotFound(
                    f"No hay una historia «{case[:60]}».", todo="Escríbala como factura:12, glosa:7 o lecturas:1."
                )
            seq = options.evento or head.seq
            provider = _provider(session, case)
            document = link_proof(session, case, seq)
        with database.write() as session:
            record_reading(
                session,
                prestador_id=provider,
                actor=operator(),
                action="llevar_prueba",
                purpose=Proposito.CUSTODIA,
                object_=f"{case}#{seq}",
                at=system_clock(),
                case_key=None if case.startswith(f"{READINGS}:") else case,
            )
    stamps = ", ".join(one["tsa"] for one in document["tokens"]) or "ninguno todavía"
    words = (
        f"{case}, evento {seq}: hoja {document['hoja']['indice']} de {document['sello']['hojas']} "
        f"bajo el sello {document['sello']['id']}.\nSellos de tiempo: {stamps}."
    )
    return _carry(options, document, words)


def _provider(session: Session, case: str) -> int:
    kind, _, number = case.partition(":")
    if kind == READINGS:
        return int(number)
    found = session.scalar(select(Transition.prestador_id).where(Transition.case_key == case).limit(1))
    if found is None:
        raise NotFound(f"No hay una historia «{case[:60]}».", todo="Escríbala como factura:12, glosa:7 o lecturas:1.")
    return found


def _consistency(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        seals = [session.get(Sello, one) for one in (options.desde, options.hasta)]
        older, newer = seals
        if older is None or newer is None:
            raise NotFound("No hay un sello con ese número.", todo="Véalos con: radica custodia sellos")
        document = consistency(session, older, newer).as_dict()
    words = (
        f"El sello {newer.id} ({newer.hojas} hojas) contiene sin cambios todo lo del sello {older.id} "
        f"({older.hojas} hojas): la prueba tiene {len(document['camino'])} pasos."
    )
    return _carry(options, document, words)


def _carry(options: argparse.Namespace, document: dict[str, Any], words: str) -> int:
    """Write a proof to the file that was named, new; and say it."""
    if options.salida is not None:
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        try:
            with options.salida.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            raise BadInput(
                f"Ya existe {options.salida}; no se sobrescribió.", todo="Elija otro nombre.", code="archivo_existe"
            ) from None
        words += f"\nEscrita en {options.salida}."
    elif not options.json:
        words += "\nPara llevársela: --salida ARCHIVO, o --json."
    answer(document, words, as_json=options.json)
    return DONE
