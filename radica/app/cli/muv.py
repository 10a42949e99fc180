"""`radica muv`: the validator of MinSalud from the command line: its account, a try, an order, a question about a CUV.

Invariant: the password comes by standard input or prompt, never as an argument, and is not shown again; the sending is
off until `--prender`; ordering passes through the same service as the button of the screen. Res. 948 de 2026 art. 4.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, leaf, positive
from radica.app.cli.words import answer, operator, read_secret
from radica.app.estado import find_factura
from radica.entidades.models import Prestador
from radica.entidades.services import provider_by_nit
from radica.facturas.cuv import CuvResult
from radica.facturas.muv.cliente import Muv
from radica.facturas.muv.cuentas import (
    LIMITES,
    TIPOS_DOCUMENTO,
    TIPOS_USUARIO,
    abrir_cuenta,
    cuenta_de,
    fijar_certificado,
    fijar_limites,
    guardar_cuenta,
    prender,
)
from radica.facturas.muv.envios import pedir
from radica.facturas.muv.prueba import CORTOS, probar
from radica.facturas.muv.transporte import huella_de, leer_certificado
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion_models import CuentaMuv
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.logs import hide
from radica.kernel.money import format_cop, to_cents
from radica.portales.credentials import open_vault

_CUV_LENGTH = 96


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    _configure_account(verbs.add_parser("cuenta", help="muestra, guarda, prende o apaga la cuenta de un prestador"))
    trying = verbs.add_parser("probar", help="prueba la conexión y el usuario, sin enviar nada")
    trying.add_argument("nit", metavar="NIT")
    leaf(trying)
    trying.set_defaults(run=_try)
    order = verbs.add_parser("validar", help="pide la validación de una factura; la hace radica worker")
    order.add_argument("factura", metavar="FACTURA", help="el número, con prefijo o sin él")
    order.add_argument("--nit", help="NIT del prestador, si el número es de varios")
    order.add_argument(
        "--modulo", choices=[one.value for one in Modulo], metavar="MÉTODO", help="si no es el de la factura"
    )
    leaf(order)
    order.set_defaults(run=_order)
    ask = verbs.add_parser("consultar", help="pregunta al MUV qué tiene bajo un CUV")
    ask.add_argument("cuv", metavar="CUV")
    ask.add_argument("--nit", required=True, metavar="NIT", help="prestador cuya cuenta se usa")
    leaf(ask)
    ask.set_defaults(run=_ask)


def _configure_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nit", metavar="NIT")
    parser.add_argument("--url", metavar="URL", help="dirección del API: https://localhost:9443/api")
    parser.add_argument("--tipo-usuario", choices=list(TIPOS_USUARIO), help="RE si no se dice")
    parser.add_argument("--tipo-documento", choices=list(TIPOS_DOCUMENTO), help="CC si no se dice")
    parser.add_argument("--documento", metavar="N", help="número de documento registrado en SISPRO")
    parser.add_argument("--clave-stdin", action="store_true", help="lee la clave de la entrada estándar")
    parser.add_argument("--certificado", type=Path, metavar="FICHERO", help="el del servidor, en PEM")
    parser.add_argument(
        "--fijar", metavar="HUELLA", help="fija el certificado que muestra el servidor, si tiene esa huella"
    )
    for limit, words in zip(
        LIMITES, ("segundos para entrar", "segundos por envío", "segundos por consulta", "intentos"), strict=True
    ):
        parser.add_argument("--" + limit.replace("_", "-"), dest=limit, type=positive, metavar="N", help=words)
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument("--prender", action="store_true", help="permite enviar")
    switch.add_argument("--apagar", action="store_true", help="no se envía nada más")
    leaf(parser)
    parser.set_defaults(run=_account)


def _account(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            provider_id = _provider(session, options.nit).id
            kept = cuenta_de(session, provider_id)
            url = kept.url if kept is not None else None
        changing = options.url or options.documento or options.clave_stdin or options.certificado
        if changing or options.tipo_usuario or options.tipo_documento:
            _save(database, settings, provider_id, options)
            url = options.url or url
        if options.fijar:
            _pin(database, provider_id, url or "", options.fijar)
        limits = {name: getattr(options, name) for name in LIMITES if getattr(options, name) is not None}
        if limits:
            with database.write() as session:
                fijar_limites(session, _kept(session, provider_id), limits, actor=operator(), at=system_clock())
        if options.prender or options.apagar:
            with database.write() as session:
                row = _kept(session, provider_id)
                prender(session, row, activa=options.prender, actor=operator(), at=system_clock())
        with database.read() as session:
            document = _document(options.nit, cuenta_de(session, provider_id))
    answer(document, _words(document), as_json=options.json)
    return DONE


def _save(database: Database, settings: Settings, provider_id: int, options: argparse.Namespace) -> None:
    secret = ""
    with database.read() as session:
        row = cuenta_de(session, provider_id)
        usual = (
            (row.url, row.tipo_usuario, row.tipo_documento, row.certificado_pem or "")
            if row is not None
            else ("", "RE", "CC", "")
        )
    if row is None or options.clave_stdin:
        secret = read_secret("Clave de SISPRO", from_stdin=options.clave_stdin)
        hide(secret)
    pem = usual[3]
    if options.certificado is not None:
        try:
            pem = options.certificado.read_text("ascii")
        except (OSError, UnicodeDecodeError):
            raise BadInput("No se pudo leer el certificado; no se guardó nada.", todo="Revise la ruta.") from None
    with database.write() as session:
        guardar_cuenta(
            session,
            open_vault(settings.keys),
            prestador_id=provider_id,
            url=options.url or usual[0],
            tipo_usuario=options.tipo_usuario or usual[1],
            tipo_documento=options.tipo_documento or usual[2],
            numero=options.documento or "",
            clave=secret,
            certificado_pem=pem,
            actor=operator(),
            at=system_clock(),
        )


def _pin(database: Database, provider_id: int, url: str, wanted: str) -> None:
    """Pin what the server shows when its fingerprint is the one that was told."""
    pem = leer_certificado(url, timeout_s=CORTOS.consultar_s)
    shown = huella_de(pem)
    if shown != wanted.replace(":", "").strip().lower():
        raise BadInput(
            f"El servidor muestra un certificado con otra huella ({shown}); no se fijó.",
            todo="Compárela en el servidor y escríbala completa.",
            code="huella_distinta",
        )
    with database.write() as session:
        fijar_certificado(session, _kept(session, provider_id), pem, actor=operator(), at=system_clock())


def _try(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        door, credential, _ = abrir_cuenta(
            session, _kept(session, _provider(session, options.nit).id), open_vault(settings.keys)
        )
    result = probar(door, credential)
    document = {
        "bien": result.bien, "codigo": result.codigo, "mensaje": result.mensaje, "servidor": result.servidor,
        "huella": result.huella,
    }  # fmt: skip
    lines = [result.mensaje, result.servidor]
    if result.huella:
        lines.append(f"El servidor muestra un certificado con huella {result.huella}")
        lines.append(f"Si es la suya: radica muv cuenta {options.nit} --fijar {result.huella}")
    answer(document, "\n".join(line for line in lines if line), as_json=options.json)
    return DONE if result.bien else FINDINGS


def _order(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write(durable=True) as session:
        row = find_factura(session, options.factura, nit=options.nit)
        module = Modulo(options.modulo) if options.modulo else None
        asked = pedir(session, row, actor=operator(), at=system_clock(), modulo=module)
        envio = asked.envio
        document = {
            "factura": row.numero, "envio": envio.id, "metodo": envio.modulo, "resultado": envio.resultado,
            "nuevo": asked.nuevo, "cuv": envio.cuv,
        }  # fmt: skip
    words = "Pedida la validación" if asked.nuevo else "Ya se había pedido la validación"
    answer(
        document,
        f"{words} de {document['factura']} ({document['metodo']}): {document['resultado']}.",
        as_json=options.json,
    )
    return DONE


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    cuv = options.cuv.strip().lower()
    if len(cuv) != _CUV_LENGTH or any(one not in "0123456789abcdef" for one in cuv):
        raise BadInput("Eso no es un CUV: son 96 cifras hexadecimales.", code="cuv_forma")
    with open_database(settings) as database, database.read() as session:
        door, _, limits = abrir_cuenta(
            session, _kept(session, _provider(session, options.nit).id), open_vault(settings.keys)
        )
    said = Muv(door, None, limits).consultar(cuv).dice
    document = _register(cuv, said)
    answer(document, _register_words(document), as_json=options.json)
    return DONE if said.accepted else FINDINGS


def _register(cuv: str, said: CuvResult) -> dict[str, Any]:
    return {
        "cuv": cuv,
        "valido": said.accepted,
        "proceso": said.process,
        "nit": said.issuer.number if said.issuer is not None else None,
        "factura": said.number,
        "fecha": said.at.isoformat() if said.at is not None else None,
        "total": str(said.total) if said.total is not None else None,
        "reglas": [one.codigo for one in said.results],
    }


def _register_words(one: dict[str, Any]) -> str:
    if not one["valido"]:
        return f"El MUV no tiene ese CUV{': ' + ', '.join(one['reglas']) if one['reglas'] else ''}."
    total = f" · {format_cop(to_cents(one['total']))}" if one["total"] else ""
    return f"Válido: factura {one['factura'] or 'sin número'} del NIT {one['nit']}, {one['fecha']}{total}."


def _provider(session: Session, nit: str) -> Prestador:
    row = provider_by_nit(session, nit)
    if row is None:
        raise NotFound(f"No hay un prestador con NIT {nit[:20]}.", todo="radica prestadores listar")
    return row


def _kept(session: Session, provider_id: int) -> CuentaMuv:
    row = cuenta_de(session, provider_id)
    if row is None:
        raise NotFound(
            "Ese prestador no tiene cuenta del MUV.", todo="radica muv cuenta NIT --url … --documento … --clave-stdin"
        )
    return row


def _document(nit: str, row: CuentaMuv | None) -> dict[str, Any]:
    if row is None:
        return {"nit": nit, "cuenta": False, "activa": False}
    pem = row.certificado_pem
    return {
        "nit": nit, "cuenta": True, "activa": row.activa, "url": row.url, "tipo_usuario": row.tipo_usuario,
        "tipo_documento": row.tipo_documento, "certificado": huella_de(pem) if pem else None,
        "limites": row.limites,
    }  # fmt: skip


def _words(one: dict[str, Any]) -> str:
    if not one["cuenta"]:
        return f"El prestador {one['nit']} no tiene cuenta del MUV."
    pinned = f", certificado {one['certificado'][:16]}…" if one["certificado"] else ", sin certificado fijado"
    return f"{'Prendido' if one['activa'] else 'Apagado'}: {one['url']} ({one['tipo_usuario']}{pinned})."
