"""`radica prestadores` and `radica portales`: who bills, and the accounts with which bots enter the payers' portals.

Invariant: a provider that only appeared in a file works when a person confirms it; a portal's password comes by
standard input or prompt and stands only encrypted.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.claves import configure_keys
from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, actions, leaf, positive
from radica.app.cli.words import answer, operator, read_secret, table
from radica.audit.services import record_reading
from radica.entidades.catalogue import kind_by_nit
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.entidades.services import confirm_provider, provider_by_nit, register_payer
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.logs import hide
from radica.portales.credentials import open_vault
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account

_LIMITS = ("limite_preparar_s", "limite_enviar_s", "asentamiento_s", "max_facturas")


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    verbs = actions(parser)
    if name == "prestadores":
        _configure_providers(verbs)
    else:
        _configure_portals(verbs)


def _configure_providers(verbs: Any) -> None:
    listing = verbs.add_parser("listar", help="los prestadores y su estado")
    leaf(listing)
    listing.set_defaults(run=_list_providers)
    confirm = verbs.add_parser("confirmar", help="da fe de un prestador que apareció en un archivo")
    confirm.add_argument("nit", metavar="NIT")
    leaf(confirm)
    confirm.set_defaults(run=_confirm)
    configure_keys(verbs)
    box = verbs.add_parser("buzon", help="dice en qué carpeta deja sus archivos el sistema del hospital")
    box.add_argument("nit", metavar="NIT")
    box.add_argument("carpeta", type=Path, metavar="CARPETA")
    leaf(box)
    box.set_defaults(run=_set_box)


def _configure_portals(verbs: Any) -> None:
    listing = verbs.add_parser("listar", help="las cuentas (sin sus claves)")
    leaf(listing)
    listing.set_defaults(run=_list_accounts)
    add = verbs.add_parser("agregar", help="agrega la cuenta de un prestador en el portal de un pagador")
    add.add_argument("--prestador", required=True, metavar="NIT")
    add.add_argument("--pagador", required=True, metavar="NIT")
    add.add_argument("--nombre-pagador", default="", metavar="NOMBRE", help="si el pagador aún no está")
    add.add_argument("--tipo-pagador", type=str.upper, choices=[kind.value for kind in TipoPagador], metavar="TIPO")
    add.add_argument("--arquetipo", required=True, metavar="NOMBRE", help="la clase del bot: p2_cuentas_medicas")
    add.add_argument("--url", required=True, metavar="URL")
    add.add_argument("--usuario", required=True)
    add.add_argument("--clave-stdin", action="store_true", help="lee la clave de la entrada estándar")
    add.add_argument("--perfil", default="{}", metavar="JSON", help="ajustes del portal: contrato, límites de espera…")
    for limit in _LIMITS:
        add.add_argument("--" + limit.replace("_", "-"), dest=limit, type=positive, metavar="N")
    leaf(add)
    add.set_defaults(run=_add_account)


def _list_providers(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        found = [_provider(row) for row in session.scalars(select(Prestador).order_by(Prestador.nit))]
    rows = [(one["nit"], one["nombre"], one["estado"].replace("_", " "), one["buzon"] or "") for one in found]
    text = table(("NIT", "Nombre", "Estado", "Buzón"), rows) if rows else "No hay prestadores todavía."
    answer({"prestadores": found}, text, as_json=options.json)
    return DONE


def _provider(row: Prestador) -> dict[str, Any]:
    return {"nit": row.nit, "nombre": row.nombre, "estado": row.estado.value, "buzon": row.buzon}


def _confirm(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write() as session:
        row = provider_by_nit(session, options.nit)
        if row is None:
            raise NotFound(f"No hay un prestador con NIT {options.nit[:20]}.", todo="radica prestadores listar")
        already = row.estado is EstadoPrestador.ACTIVO
        if not already:
            confirm_provider(session, row)
            _note(session, row.id, "confirmar_prestador", f"prestador:{row.id}")
        document = {**_provider(row), "cambio": not already}
    text = "Ya estaba confirmado; nada cambió." if already else f"Confirmado: {document['nombre']}."
    answer(document, text, as_json=options.json)
    return DONE


def _set_box(options: argparse.Namespace, settings: Settings) -> int:
    folder = options.carpeta.expanduser().resolve()
    if not folder.is_dir():
        raise BadInput("Esa carpeta no existe; nada cambió.", todo="Créela o corrija la ruta.", code="sin_carpeta")
    with open_database(settings) as database, database.write() as session:
        row = provider_by_nit(session, options.nit)
        if row is None:
            raise NotFound(f"No hay un prestador con NIT {options.nit[:20]}.", todo="radica prestadores listar")
        taken = session.scalar(select(Prestador.nit).where(Prestador.buzon == str(folder), Prestador.id != row.id))
        if taken is not None:
            raise BadInput("Esa carpeta ya es el buzón de otro prestador; nada cambió.", code="buzon_ajeno")
        row.buzon = str(folder)
        session.flush()
        document = _provider(row)
    answer(document, f"El reloj importará lo que llegue a {folder}.", as_json=options.json)
    return DONE


def _list_accounts(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        query = (
            select(CuentaPortal, Prestador.nit, Pagador.nit, Pagador.nombre)
            .join(Prestador, Prestador.id == CuentaPortal.prestador_id)
            .join(Pagador, Pagador.id == CuentaPortal.pagador_id)
            .order_by(Prestador.nit, Pagador.nit, CuentaPortal.id)
        )
        found = [_account(*row) for row in session.execute(query).all()]
    rows = [(one["prestador"], one["pagador"], one["arquetipo"], one["usuario"], one["url"]) for one in found]
    head = ("Prestador", "Pagador", "Portal", "Usuario", "Dirección")
    answer({"cuentas": found}, table(head, rows) if rows else "No hay cuentas todavía.", as_json=options.json)
    return DONE


def _account(row: CuentaPortal, provider: str, payer: str, name: str) -> dict[str, Any]:
    limits = {limit: getattr(row, limit) for limit in _LIMITS}
    return {
        "id": row.id,
        "prestador": provider,
        "pagador": payer,
        "nombre_pagador": name,
        "arquetipo": row.arquetipo,
        "url": row.base_url,
        "usuario": row.usuario,
        "activa": row.activa,
        **limits,
    }


def _add_account(options: argparse.Namespace, settings: Settings) -> int:
    profile = _profile(options.perfil)
    with open_database(settings) as database:
        with database.read() as session:
            provider_id = _active_provider(session, options.prestador)
        password = read_secret("Clave del portal", from_stdin=options.clave_stdin, twice=True)
        hide(password)
        vault = open_vault(settings.keys)
        with database.write() as session:
            kind = TipoPagador(options.tipo_pagador or kind_by_nit(options.pagador))
            payer = register_payer(session, options.pagador, options.nombre_pagador, tipo=kind)
            double = session.scalar(
                select(CuentaPortal.id).where(
                    CuentaPortal.prestador_id == provider_id,
                    CuentaPortal.pagador_id == payer.id,
                    CuentaPortal.usuario == options.usuario,
                )
            )
            if double is not None:
                raise BadInput("Esa cuenta ya está; nada cambió.", todo="radica portales listar", code="existe")
            limits = {name: value for name in _LIMITS if (value := getattr(options, name)) is not None}
            account = create_account(
                session,
                vault,
                prestador_id=provider_id,
                pagador_id=payer.id,
                arquetipo=options.arquetipo,
                base_url=options.url,
                usuario=options.usuario,
                clave=password,
                perfil=profile,
                **limits,
            )
            session.refresh(account)
            _note(session, provider_id, "agregar_cuenta", f"cuenta:{account.id}")
            document = _account(account, options.prestador, payer.nit, payer.nombre)
    answer(document, f"Agregada la cuenta {options.usuario} en {options.url}.", as_json=options.json)
    return DONE


def _note(session: Session, prestador_id: int, action: str, object_: str) -> None:
    """Leave a link in the provider's log of who did this."""
    record_reading(
        session,
        prestador_id=prestador_id,
        actor=operator(),
        action=action,
        purpose="administracion",
        object_=object_,
        at=system_clock(),
    )


def _active_provider(session: Session, nit: str) -> int:
    row = provider_by_nit(session, nit)
    if row is None:
        raise NotFound(f"No hay un prestador con NIT {nit[:20]}.", todo="radica prestadores listar")
    if row.estado is not EstadoPrestador.ACTIVO:
        todo = f"Si es suyo: radica prestadores confirmar {row.nit}"
        raise BadInput("El prestador está por confirmar: todavía no tiene bots.", todo=todo)
    return row.id


def _profile(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadInput("--perfil no es un objeto JSON.", todo='Escríbalo como {"contrato": "CT-1"}.', code="uso")
    return value
