"""`radica usuarios`: people and their grants, for whoever operates the machine.

Invariant: a password comes from a prompt, from standard input or from RADICA_CLAVE, never from the arguments, where
other users of the machine read it; each grant is a link in the provider's own log.
"""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, leaf
from radica.app.cli.words import answer, operator, read_secret, table
from radica.entidades.models import Prestador
from radica.entidades.services import provider_by_nit
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput, NotFound
from radica.users.login import make_hash
from radica.users.models import Acceso, Rol, Usuario
from radica.users.passwords import check_policy, default_hasher
from radica.users.services import create_user, find_user, grant, normal_mail, revoke

PASSWORD_VARIABLE = "RADICA_CLAVE"  # noqa: S105 - the name of the variable


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    verbs = actions(parser)
    create = verbs.add_parser("crear", help="agrega una persona")
    create.add_argument("correo", metavar="CORREO")
    create.add_argument("--nombre", required=True)
    _grant_options(create, required=False)
    create.add_argument("--temporal", action="store_true", help="debe cambiar la contraseña al entrar")
    create.add_argument(
        "--clave-stdin",
        action="store_true",
        help=f"lee la contraseña de la entrada estándar (o désela en {PASSWORD_VARIABLE}; si no, se pregunta)",
    )
    leaf(create)
    create.set_defaults(run=_create)
    listing = verbs.add_parser("listar", help="las personas y sus accesos")
    leaf(listing)
    listing.set_defaults(run=_list)
    access = verbs.add_parser("acceso", help="da o quita roles en un prestador")
    access.add_argument("correo", metavar="CORREO")
    _grant_options(access, required=True)
    access.add_argument("--quitar", action="store_true", help="quita los roles en vez de darlos")
    leaf(access)
    access.set_defaults(run=_access)


def _grant_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--prestador", action="append", default=[], required=required, metavar="NIT", help="repetible")
    parser.add_argument(
        "--rol",
        action="append",
        default=[],
        required=required,
        choices=[role.value for role in Rol],
        metavar="ROL",
        help="repetible: " + ", ".join(role.value for role in Rol),
    )


def _create(options: argparse.Namespace, settings: Settings) -> int:
    if bool(options.prestador) != bool(options.rol):
        raise BadInput("Un acceso necesita prestador y rol.", todo="Dé --prestador y --rol, o ninguno de los dos.")
    mail = normal_mail(options.correo)
    with open_database(settings) as database:
        with database.read() as session:
            _providers(session, options.prestador)
            if find_user(session, mail) is not None:
                raise BadInput(
                    "Ya existe una persona con ese correo.", todo="Use: radica usuarios acceso", code="existe"
                )
        password = read_secret("Contraseña", from_stdin=options.clave_stdin, variable=PASSWORD_VARIABLE, twice=True)
        check_policy(password, correo=mail, nombre=options.nombre)
        hashed = make_hash(password, default_hasher())
        at = system_clock()
        with database.write() as session:
            user = create_user(
                session, correo=mail, nombre=options.nombre, clave_hash=hashed, at=at, temporary=options.temporal
            )
            roles = [Rol(one) for one in options.rol]
            for provider in _providers(session, options.prestador):
                grant(session, usuario_id=user.id, prestador_id=provider.id, roles=roles, actor=operator(), at=at)
            document = _shown(session, user)
    answer(document, f"Creada la persona {mail}.", as_json=options.json)
    return DONE


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        people = [_shown(session, user) for user in session.scalars(select(Usuario).order_by(Usuario.correo))]
    rows = [
        (
            str(one["correo"]),
            str(one["nombre"]),
            "activa" if one["activo"] else "inactiva",
            ", ".join(f"{grant['prestador']} {grant['rol']}" for grant in one["accesos"]) or "sin accesos",
        )
        for one in people
    ]
    text = table(("Correo", "Nombre", "Cuenta", "Accesos"), rows) if rows else "No hay personas todavía."
    answer({"usuarios": people}, text, as_json=options.json)
    return DONE


def _access(options: argparse.Namespace, settings: Settings) -> int:
    at, roles = system_clock(), [Rol(one) for one in options.rol]
    changed = 0
    with open_database(settings) as database, database.write() as session:
        user = find_user(session, options.correo)
        if user is None:
            raise NotFound("No hay una persona con ese correo.", todo="Mírelas con: radica usuarios listar")
        for provider in _providers(session, options.prestador):
            if options.quitar:
                held = select(Acceso).where(
                    Acceso.usuario_id == user.id, Acceso.prestador_id == provider.id, Acceso.rol.in_(roles)
                )
                for row in list(session.scalars(held)):
                    revoke(session, row, actor=operator(), at=at)
                    changed += 1
            else:
                changed += len(
                    grant(session, usuario_id=user.id, prestador_id=provider.id, roles=roles, actor=operator(), at=at)
                )
        session.flush()
        session.expire(user)
        document = {**_shown(session, user), "cambios": changed}
    text = (
        f"{'Quitados' if options.quitar else 'Dados'} {changed} accesos." if changed else "No había nada que cambiar."
    )
    answer(document, text, as_json=options.json)
    return DONE if changed else FINDINGS


def _providers(session: Session, nits: list[str]) -> list[Prestador]:
    """Return the providers of some NITs. Raises NotFound naming the missing one."""
    found = []
    for nit in dict.fromkeys(nits):
        row = provider_by_nit(session, nit)
        if row is None:
            raise NotFound(f"No hay un prestador con NIT {nit[:20]}.", todo="Mírelos con: radica prestadores listar")
        found.append(row)
    return found


def _shown(session: Session, user: Usuario) -> dict[str, Any]:
    rows = session.execute(
        select(Prestador.nit, Acceso.rol)
        .join(Prestador, Prestador.id == Acceso.prestador_id)
        .where(Acceso.usuario_id == user.id)
        .order_by(Prestador.nit, Acceso.rol)
    )
    return {
        "correo": user.correo,
        "nombre": user.nombre,
        "activo": user.activo,
        "accesos": [{"prestador": nit, "rol": rol.value} for nit, rol in rows],
    }
