"""`radica contrato` and `radica tarifario`: write contracts, load price lists, compare an invoice with them.

Invariant: goes through the same services as the screen; rows refused are told with their number and the others are
loaded (exit 1); loading the same list again adds nothing. Norm: Decreto 441 de 2022.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones.contratos_formas import leer_factor
from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, day, leaf, positive
from radica.app.cli.words import answer, operator, table
from radica.app.estado import find_factura
from radica.app.tarifario.cargar import Cargado, cargar_archivo, cargar_de_base
from radica.custodia.backends import open_store
from radica.entidades import contratos, otrosies
from radica.entidades.contratos_models import Contrato
from radica.entidades.models import Pagador, Prestador
from radica.entidades.services import provider_by_nit
from radica.entidades.tarifarios import GENERAL, Condiciones
from radica.entidades.tarifas import (
    BASES,
    EVENTO,
    MODALIDADES,
    NOMBRES,
    REDONDEOS,
    Comparacion,
    Fallo,
    ReglaAutorizacion,
    numero_normal,
)
from radica.facturas.juicio import olvidar_anteriores
from radica.facturas.tarifa_factura import comparar_factura
from radica.facturas.tarifa_papeles import abrir, fuentes_de
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import Ambiguous, BadInput, NotFound
from radica.kernel.money import format_cop, plain


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    if name == "contrato":
        _configure_contracts(verbs)
    else:
        _configure_lists(verbs)


def _configure_contracts(verbs: Any) -> None:
    make = verbs.add_parser("crear", help="registra un contrato con un pagador")
    make.add_argument("numero", metavar="NÚMERO")
    make.add_argument("--prestador", required=True, metavar="NIT")
    make.add_argument("--pagador", required=True, metavar="NIT")
    make.add_argument(
        "--modalidad", default=EVENTO, choices=list(MODALIDADES), help="01 paquete, 02 PGP, 03 cápita, 04 evento"
    )
    make.add_argument("--desde", required=True, type=day, metavar="FECHA")
    make.add_argument("--hasta", type=day, metavar="FECHA")
    make.add_argument("--cucon", default="", metavar="CÓDIGO")
    make.add_argument("--dias-pago", type=positive, metavar="N", help="días calendario para pagar")
    make.add_argument("--autoriza-todos", action="store_true", help="todos los servicios piden autorización")
    make.add_argument("--autoriza-hospitalizacion", action="store_true")
    make.add_argument("--autoriza", default="", metavar="CÓDIGOS", help="comienzos de CUPS que la piden: 8832,39")
    leaf(make)
    make.set_defaults(run=_create)
    listing = verbs.add_parser("listar", help="los contratos y su vigencia")
    listing.add_argument("--prestador", metavar="NIT")
    leaf(listing)
    listing.set_defaults(run=_list)
    amend = verbs.add_parser(
        "otrosi", help="registra un otrosí: términos nuevos desde un día; lo que no se dice sigue igual"
    )
    _which(amend)
    amend.add_argument("--desde", required=True, type=day, metavar="FECHA", help="primer día en que rige")
    amend.add_argument("--hasta", type=day, metavar="FECHA", help="nuevo último día del contrato")
    amend.add_argument("--cucon", metavar="CÓDIGO")
    amend.add_argument("--dias-pago", type=positive, metavar="N", help="días calendario para pagar")
    amend.add_argument("--nota", default="", metavar="TEXTO", help="qué se pactó")
    leaf(amend)
    amend.set_defaults(run=_amend)
    close = verbs.add_parser("cerrar", help="pone el último día de un contrato")
    _which(close)
    close.add_argument("--hasta", required=True, type=day, metavar="FECHA")
    leaf(close)
    close.set_defaults(run=_close)


def _configure_lists(verbs: Any) -> None:
    load = verbs.add_parser("cargar", help="carga una lista de precios (Excel o CSV) como versión nueva")
    _which(load)
    load.add_argument("fichero", nargs="?", type=Path, metavar="FICHERO", help="sin él, la lista base ya cargada")
    _terms(load)
    leaf(load)
    load.set_defaults(run=_load)
    base = verbs.add_parser("base", help="carga la lista base de un prestador (manual SOAT o ISS)")
    base.add_argument("fichero", type=Path, metavar="FICHERO")
    base.add_argument("--prestador", required=True, metavar="NIT")
    _terms(base)
    leaf(base)
    base.set_defaults(run=_load_base)
    compare = verbs.add_parser("comparar", help="compara cada línea de una factura con lo pactado en su fecha")
    compare.add_argument("factura", metavar="FACTURA")
    compare.add_argument("--nit", help="NIT del prestador, si el número es de varios")
    leaf(compare)
    compare.set_defaults(run=_compare)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("contrato", metavar="CONTRATO", help="el número del contrato")
    parser.add_argument("--prestador", metavar="NIT", help="si el número es de varios")


def _terms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--desde", required=True, type=day, metavar="FECHA", help="primer día en que rige")
    parser.add_argument("--hasta", type=day, metavar="FECHA")
    parser.add_argument("--nombre", default=GENERAL, help="un contrato puede tener varias listas")
    parser.add_argument("--base", type=str.upper, default=BASES[0], choices=BASES)
    parser.add_argument("--factor", default="0", metavar="%", help="porcentaje sobre la base: --factor=-10,5")
    parser.add_argument("--redondeo", default="peso", choices=list(REDONDEOS))


def _create(options: argparse.Namespace, settings: Settings) -> int:
    rule = ReglaAutorizacion(
        options.autoriza_todos, options.autoriza_hospitalizacion, contratos.leer_prefijos(options.autoriza)
    )
    with open_database(settings) as database, database.write() as session:
        row = contratos.crear(
            session, prestador_id=_provider(session, options.prestador), pagador_id=_payer(session, options.pagador),
            numero=options.numero, modalidad=options.modalidad, desde=options.desde, hasta=options.hasta,
            cucon=options.cucon, dias_pago=options.dias_pago, autorizacion=rule, actor=operator(), at=system_clock(),
        )  # fmt: skip
        document = _document(session, row)
    answer(document, f"Registrado el contrato {document['numero']}.", as_json=options.json)
    return DONE


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        ids = (
            [_provider(session, options.prestador)]
            if options.prestador
            else list(session.scalars(select(Prestador.id)))
        )
        found = [_document(session, row) for row in contratos.listar(session, ids)]
    rows = [
        (one["numero"], one["pagador"], MODALIDADES[one["modalidad"]], one["desde"], one["hasta"] or "sin cierre")
        for one in found
    ]
    head = ("Contrato", "Pagador", "Modalidad", "Desde", "Hasta")
    answer({"contratos": found}, table(head, rows) if rows else "No hay contratos todavía.", as_json=options.json)
    return DONE


def _close(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write() as session:
        row = _contract(session, options)
        contratos.cerrar(session, row, options.hasta, visto=row.hasta, actor=operator(), at=system_clock())
        document = _document(session, row)
    answer(document, f"El contrato {document['numero']} rige hasta el {document['hasta']}.", as_json=options.json)
    return DONE


def _amend(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.write() as session:
            row = _contract(session, options)
            (deal,) = contratos.acuerdos_de(session, [row])
            now = deal.el(options.desde)
            terms = otrosies.Terminos(
                options.desde, options.hasta or now.hasta, now.cucon if options.cucon is None else options.cucon,
                options.dias_pago or now.dias_pago, now.autorizacion,
            )  # fmt: skip
            done = otrosies.pactar(
                session, row, terms, nota=options.nota, visto=len(deal.otrosies), actor=operator(), at=system_clock()
            )
            document, number, at = _document(session, row), done.numero, done.creado_at
            provider, payer = row.prestador_id, row.pagador_id
        olvidar_anteriores(database, at, prestador_id=provider, pagador_id=payer)
    answer(document, f"Registrado el otrosí {number} del contrato {document['numero']}.", as_json=options.json)
    return DONE


def _document(session: Session, row: Contrato) -> dict[str, Any]:
    amended = otrosies.de_contrato(session, row.id)
    return {
        "id": row.id,
        "numero": row.numero,
        "prestador": session.get_one(Prestador, row.prestador_id).nit,
        "pagador": session.get_one(Pagador, row.pagador_id).nit,
        "modalidad": row.modalidad,
        "cucon": row.cucon,
        "desde": row.desde.isoformat(),
        "hasta": row.hasta.isoformat() if row.hasta else None,
        "dias_pago": row.dias_pago,
        "autorizacion": row.autorizacion,
        "otrosies": [
            {
                "numero": one.numero,
                "desde": one.desde.isoformat(),
                "hasta": _iso(one.hasta),
                "cucon": one.cucon,
                "dias_pago": one.dias_pago,
                "autorizacion": one.autorizacion,
                "nota": one.nota,
            }
            for one in amended
        ],
    }


def _provider(session: Session, nit: str) -> int:
    row = provider_by_nit(session, nit)
    if row is None:
        raise NotFound(f"No hay un prestador con NIT {nit[:20]}.", todo="radica prestadores listar")
    return row.id


def _payer(session: Session, nit: str) -> int:
    found = session.scalar(select(Pagador.id).where(Pagador.nit == nit))
    if found is None:
        raise NotFound(
            f"No hay un pagador con NIT {nit[:20]}.",
            todo="Aparece con su primera factura, o con radica portales agregar.",
        )
    return found


def _contract(session: Session, options: argparse.Namespace) -> Contrato:
    """Return the contract of a number, the one that began last when it was renewed. Raises NotFound, Ambiguous."""
    query = select(Contrato).order_by(Contrato.desde.desc(), Contrato.id.desc())
    if options.prestador:
        query = query.where(Contrato.prestador_id == _provider(session, options.prestador))
    key = numero_normal(options.contrato)
    found = [row for row in session.scalars(query) if numero_normal(row.numero) == key]
    if not found:
        raise NotFound(f"No hay un contrato {options.contrato[:80]}.", todo="radica contrato listar")
    if len({(row.prestador_id, row.pagador_id) for row in found}) > 1:
        raise Ambiguous(
            "Ese número es de varios contratos; no se hizo nada.",
            candidates=[{"contrato": row.numero, "desde": row.desde.isoformat()} for row in found],
            todo="Diga cuál con --prestador.",
        )
    return found[0]


def _condiciones(options: argparse.Namespace) -> Condiciones:
    try:
        factor = leer_factor(options.factor)
    except ValueError:
        raise BadInput(
            "--factor es un porcentaje entre -99,99 y 1000.", todo="Escríbalo como --factor=-10,5.", code="uso"
        ) from None
    return Condiciones(options.desde, options.nombre, options.base, factor, options.redondeo, options.hasta)


def _load(options: argparse.Namespace, settings: Settings) -> int:
    terms = _condiciones(options)
    with open_database(settings) as database:
        with database.read() as session:
            row = _contract(session, options)
            contract, provider = row.id, row.prestador_id
        if options.fichero is None:
            done = cargar_de_base(database, contract, terms, actor=operator(), at=system_clock())
        else:
            done = cargar_archivo(
                database, open_store(settings), _file(options.fichero), terms, prestador_id=provider,
                contrato_id=contract, nombre=options.fichero.name, actor=operator(), at=system_clock(),
            )  # fmt: skip
    return _told(done, options)


def _load_base(options: argparse.Namespace, settings: Settings) -> int:
    terms = _condiciones(options)
    with open_database(settings) as database:
        with database.read() as session:
            provider = _provider(session, options.prestador)
        done = cargar_archivo(
            database, open_store(settings), _file(options.fichero), terms, prestador_id=provider, contrato_id=None,
            nombre=options.fichero.name, actor=operator(), at=system_clock(),
        )  # fmt: skip
    return _told(done, options)


def _file(path: Path) -> Path:
    if not path.is_file():
        raise BadInput(f"No existe el archivo {path}.", todo="Indique un Excel o un CSV.", code="archivo_malo")
    return path


def _told(done: Cargado, options: argparse.Namespace) -> int:
    document = {
        "version": done.version,
        "nueva": done.nueva,
        "precios": done.filas,
        "rechazadas": done.rechazados,
        "rechazos": [{"hoja": one.hoja, "fila": one.fila, "motivo": one.motivo} for one in done.rechazos],
        "avisos": list(done.avisos),
    }
    said = f"Versión {done.version} con {done.filas} precios." if done.nueva else "Esa misma lista ya estaba cargada."
    refused = [f"Fila {one.fila}{f' de {one.hoja}' if one.hoja else ''}: {one.motivo}." for one in done.rechazos[:50]]
    if done.rechazados > len(refused):
        refused.append(f"Y {done.rechazados - len(refused)} filas más; con --json salen todas.")
    answer(document, "\n".join([said, *done.avisos, *refused]), as_json=options.json)
    return FINDINGS if done.rechazados else DONE


def _compare(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        with database.read() as session:
            row = find_factura(session, options.factura, nit=options.nit)
            sources, number = fuentes_de(session, row.id), row.numero
        rips, fev = abrir(sources, open_store(settings))
        with database.read() as session:
            found = comparar_factura(session, sources.factura_id, rips, fev)
    answer(_comparison(number, found), _comparison_words(number, found), as_json=options.json)
    wrong = found.en_riesgo or found.de_menos or found.cuenta.get(Fallo.SIN_TARIFARIO, 0)
    return FINDINGS if wrong or any(one.sin_autorizacion for one in found.lineas) else DONE


def _comparison(number: str, found: Comparacion) -> dict[str, Any]:
    return {
        "factura": number,
        "fuente": found.fuente,
        "cobrado": plain(found.cobrado),
        "de_mas": plain(found.de_mas),
        "de_menos": plain(found.de_menos),
        "sin_pactar": plain(found.sin_pactar),
        "sin_autorizacion": plain(found.sin_autorizacion),
        "en_riesgo": plain(found.en_riesgo),
        "avisos": list(found.avisos),
        "lineas": [
            {
                "ruta": one.cobrada.ruta,
                "codigo": one.cobrada.codigo,
                "fecha": _iso(one.cobrada.fecha),
                "cantidad": str(one.cobrada.cantidad),
                "cobrado": None if one.cobrada.valor is None else plain(one.cobrada.valor),
                "esperado": None if one.esperado is None else plain(one.esperado),
                "diferencia": plain(one.diferencia),
                "resultado": one.fallo.value,
                "sin_autorizacion": one.sin_autorizacion,
                "contrato": one.acuerdo.numero if one.acuerdo else None,
                "lista": f"{one.pactado.lista.nombre} v{one.pactado.lista.version}" if one.pactado else None,
                "nota": one.nota,
            }
            for one in found.lineas
        ],
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _comparison_words(number: str, found: Comparacion) -> str:
    lines = [
        f"{number}: {len(found.lineas)} líneas, cobrado {format_cop(found.cobrado)}, en riesgo {format_cop(found.en_riesgo)}",
        f"  de más {format_cop(found.de_mas)} · de menos {format_cop(found.de_menos)}",
        f"  sin precio pactado {format_cop(found.sin_pactar)} · sin autorización {format_cop(found.sin_autorizacion)}",
        *(f"  {text}" for text in found.avisos),
    ]
    shown = [one for one in found.lineas if one.fallo in (Fallo.DE_MAS, Fallo.DE_MENOS, Fallo.NO_PACTADO)][:40]
    for one in shown:
        agreed = f", pactado {format_cop(one.esperado)}" if one.esperado is not None else ""
        lines.append(
            f"  {NOMBRES[one.fallo]}: {one.cobrada.codigo} {_iso(one.cobrada.fecha) or ''}"
            f" {format_cop(one.cobrada.valor or 0)}{agreed}"
        )
    return "\n".join(lines)
