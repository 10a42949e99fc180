"""`radica glosas correo`, `buzones` and `resumen`: mailboxes of payers' notices, and each person's digest.

Invariant: a password comes from a prompt or from standard input, never from the arguments; reading now does what the
clock would do, once more and without harm.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, actions, leaf, port
from radica.app.cli.words import answer, operator, read_secret, table
from radica.app.handlers.digest import asunto, mensaje, resumen_de
from radica.app.handlers.digest_envio import elegir_horas, horas_de
from radica.app.handlers.glosas_fondo import read_now
from radica.app.handlers.smtp import ENV_LINKS, ENV_SENDER
from radica.app.house import make_house
from radica.audit.services import record_reading
from radica.entidades.models import Prestador
from radica.entidades.services import provider_by_nit
from radica.glosas.correo.imap import SECURITY
from radica.glosas.correo.mail_models import BuzonCorreo
from radica.glosas.correo.mailbox import crear_buzon
from radica.kernel.clock import bogota, civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import NotFound
from radica.kernel.logs import hide
from radica.portales.credentials import open_vault
from radica.users.services import find_user


def add_correo(verbs: argparse._SubParsersAction[Any]) -> None:
    """Add the verbs."""
    read = verbs.add_parser("correo", help="lee ahora los buzones de correo; lo que traen lo carga el worker")
    read.add_argument("--prestador", metavar="NIT", help="solo los buzones de este prestador")
    leaf(read)
    read.set_defaults(run=_read)
    boxes = actions(verbs.add_parser("buzones", help="buzones de correo (IMAP) donde llegan las glosas"))
    listing = boxes.add_parser("listar", help="los buzones y cómo les fue la última vez")
    leaf(listing)
    listing.set_defaults(run=_list)
    add = boxes.add_parser("agregar", help="agrega un buzón, o cambia la clave del que ya está")
    add.add_argument("nit", metavar="NIT", help="el prestador")
    add.add_argument("--servidor", required=True)
    add.add_argument("--puerto", type=port, default=993, metavar="N", help="993 si no se dice")
    add.add_argument("--seguridad", choices=SECURITY, default="tls", help="tls si no se dice")
    add.add_argument("--usuario", required=True)
    add.add_argument("--carpeta", default="INBOX", help="INBOX si no se dice")
    add.add_argument("--marcar-leido", action="store_true", help="marca como leído en el servidor lo que ya se guardó")
    add.add_argument("--clave-stdin", action="store_true", help="lee la clave de la entrada estándar")
    leaf(add)
    add.set_defaults(run=_add)
    digest = verbs.add_parser("resumen", help="el resumen diario de una persona: verlo, o cambiar sus horas")
    digest.add_argument("correo", metavar="CORREO", help="la persona")
    digest.add_argument("--horas", metavar="HH:MM,…", help="a qué horas lo recibe en días hábiles; «ninguna» lo apaga")
    leaf(digest)
    digest.set_defaults(run=_digest)


def _read(options: argparse.Namespace, settings: Settings) -> int:
    found = []
    with open_database(settings) as database:
        house = make_house(settings, database, environ=os.environ, clock=system_clock)
        with database.read() as session:
            ids = list(session.scalars(_boxes(session, options.prestador).where(BuzonCorreo.activo.is_(True))))
        for row in ids:
            done = read_now(house, row.id)
            with database.read() as session:
                after = session.get_one(BuzonCorreo, row.id)
            found.append(
                {
                    "buzon": row.id,
                    "usuario": row.usuario,
                    "leido": done is not None,
                    "nuevos": done.nuevos if done else 0,
                    "repetidos": done.repetidos if done else 0,
                    "con_problema": done.con_problema if done else 0,
                    "por_importar": done.por_importar if done else 0,
                    "fallo": after.fallo,
                }
            )
    words = [
        f"{one['usuario']}: {one['nuevos']} nuevos, {one['repetidos']} que ya estaban, {one['por_importar']} por cargar"
        + (f", {one['con_problema']} con problema" if one["con_problema"] else "")
        if one["leido"]
        else f"{one['usuario']}: {one['fallo']}"
        for one in found
    ]
    answer({"buzones": found}, "\n".join(words) or "No hay buzones activos.", as_json=options.json)
    if found and not any(one["leido"] for one in found):
        return COULD_NOT
    return FINDINGS if any(not one["leido"] or one["con_problema"] for one in found) else DONE


def _boxes(session: Session, nit: str | None) -> Any:
    query = select(BuzonCorreo).order_by(BuzonCorreo.id)
    return query if nit is None else query.where(BuzonCorreo.prestador_id == _provider(session, nit))


def _provider(session: Session, nit: str) -> int:
    row = provider_by_nit(session, nit)
    if row is None:
        raise NotFound(f"No hay un prestador con NIT {nit[:20]}.", todo="radica prestadores listar")
    return row.id


def _box(row: BuzonCorreo, nit: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "prestador": nit,
        "servidor": row.servidor,
        "puerto": row.puerto,
        "seguridad": row.seguridad,
        "usuario": row.usuario,
        "carpeta": row.carpeta,
        "marcar_leido": row.marcar_leido,
        "activo": row.activo,
        "leido_at": row.leido_at.isoformat() if row.leido_at else None,
        "fallo": row.fallo,
    }


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        rows = session.execute(
            select(BuzonCorreo, Prestador.nit)
            .join(Prestador, Prestador.id == BuzonCorreo.prestador_id)
            .order_by(Prestador.nit, BuzonCorreo.id)
        )
        found = [(_box(row, nit), row.leido_at) for row, nit in rows]
    cells = [
        (
            one["prestador"],
            f"{one['usuario']}/{one['carpeta']}",
            f"{one['servidor']}:{one['puerto']}",
            f"{bogota(read):%d/%m/%Y %H:%M}" if read else "nunca",
            one["fallo"] or ("al día" if one["activo"] else "apagado"),
        )
        for one, read in found
    ]
    head = ("Prestador", "Buzón", "Servidor", "Leído", "Estado")
    words = table(head, cells) if cells else "No hay buzones todavía."
    answer({"buzones": [one for one, _ in found]}, words, as_json=options.json)
    return FINDINGS if any(one["fallo"] for one, _ in found) else DONE


def _add(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            provider = _provider(session, options.nit)
        password = read_secret("Clave del buzón", from_stdin=options.clave_stdin, twice=True)
        hide(password)
        vault = open_vault(settings.keys)
        with database.write() as session:
            row = crear_buzon(
                session,
                vault,
                prestador_id=provider,
                servidor=options.servidor,
                puerto=options.puerto,
                seguridad=options.seguridad,
                usuario=options.usuario,
                clave=password,
                carpeta=options.carpeta,
                marcar_leido=options.marcar_leido,
            )
            record_reading(
                session,
                prestador_id=provider,
                actor=operator(),
                action="agregar_buzon",
                purpose="administracion",
                object_=f"buzon:{row.id}",
                at=system_clock(),
            )
            document = _box(row, options.nit)
    answer(document, f"El reloj leerá {options.usuario} cada cinco minutos.", as_json=options.json)
    return DONE


def _digest(options: argparse.Namespace, settings: Settings) -> int:
    today = civil_date(system_clock())
    with open_database(settings) as database:
        with database.write() as session:
            user = find_user(session, options.correo)
            if user is None:
                raise NotFound("No hay una persona con ese correo.", todo="radica usuarios listar")
            if options.horas is not None:
                none = options.horas.strip().lower() == "ninguna"
                elegir_horas(user, [] if none else [one.strip() for one in options.horas.split(",")])
            hours = [f"{one:%H:%M}" for one in horas_de(user)]
        with database.read() as session:
            found = resumen_de(session, user.id, today)
    subject, text = "", "Hoy no tiene nada que apremie."
    if found is not None and found.alguna:
        message = mensaje(
            found,
            remitente=os.environ.get(ENV_SENDER, "radica"),
            enlaces=os.environ.get(ENV_LINKS, "").rstrip("/"),
            message_id="<vista>",
        )
        body = message.get_body(("plain",))
        subject, text = asunto(found), body.get_content() if body else ""
    document = {"correo": user.correo, "horas": hours, "asunto": subject, "texto": text}
    when = ", ".join(hours) or "ninguna: no recibe resumen"
    answer(document, f"Horas: {when}.\n{subject}\n\n{text}".replace("\n\n\n", "\n\n"), as_json=options.json)
    return DONE
