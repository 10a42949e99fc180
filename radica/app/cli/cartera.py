"""`radica cartera`: payments to an invoice, its liquidation of interest, and what is about to prescribe.

Invariant: the command only asks `radica.cartera`; money is typed and printed exactly; a file is never written over
another. Norms: Ley 1438/2011 art. 56, D.L. 1281/2002 arts. 4 and 7, Res. 2284/2023 art. 7.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, day, leaf, positive
from radica.app.cli.words import answer, operator, table
from radica.app.estado import find_factura
from radica.cartera import pagos
from radica.cartera.hoja_calculo import workbook
from radica.cartera.liquidacion import Resultado
from radica.cartera.liquidar import congelar, documento, liquidar_factura
from radica.cartera.models import ConceptoPago, PagoFactura
from radica.cartera.parametros import NOMBRES
from radica.cartera.prescripcion import alertas
from radica.cartera.saldos import balance
from radica.custodia.backends import open_store
from radica.custodia.services import Candidate, Kept, keep_files
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.money import format_cop, plain, to_cents


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    payment = verbs.add_parser("pago", help="pagos de una factura")
    acts = payment.add_subparsers(dest="acto", required=True, metavar="ACTO", title="Actos")
    _add_enter(acts)
    undo = acts.add_parser("anular", help="anula un pago registrado por error")
    undo.add_argument("pago", type=positive, metavar="ID", help="el número que da «pago listar»")
    undo.add_argument("--motivo", required=True, metavar="TEXTO")
    leaf(undo)
    undo.set_defaults(run=_reverse)
    listing = acts.add_parser("listar", help="pagos y saldo de una factura")
    _invoice(listing)
    leaf(listing)
    listing.set_defaults(run=_list)
    _add_liquidar(verbs)
    near = verbs.add_parser("prescripcion", help="facturas cuya vía más corta está por prescribir")
    near.add_argument("--hoy", type=day, metavar="FECHA", help="contado desde este día (hoy)")
    leaf(near)
    near.set_defaults(run=_near)


def _invoice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--factura", required=True, metavar="N", help="el número, con prefijo o sin él")
    parser.add_argument("--nit", help="NIT del prestador, si el número es de varios")


def _add_enter(acts: Any) -> None:
    parser = acts.add_parser("registrar", help="registra un pago con su soporte")
    _invoice(parser)
    parser.add_argument("--fecha", required=True, type=day, metavar="FECHA", help="el día en que llegó el dinero")
    parser.add_argument("--valor", required=True, metavar="PESOS", help="por ejemplo 1234567.89")
    parser.add_argument(
        "--concepto",
        choices=[one.value for one in ConceptoPago],
        default=ConceptoPago.PAGO.value,
        metavar="CONCEPTO",
        help=", ".join(one.value for one in ConceptoPago),
    )
    parser.add_argument("--referencia", default="", metavar="TEXTO", help="número de la transferencia o comprobante")
    parser.add_argument("--nota", default="", metavar="TEXTO")
    parser.add_argument("--soporte", type=Path, metavar="FICHERO", help="su prueba: queda en custodia")
    leaf(parser)
    parser.set_defaults(run=_enter)


def _add_liquidar(verbs: Any) -> None:
    parser = verbs.add_parser("liquidar", help="liquida los intereses de mora de una factura")
    _invoice(parser)
    parser.add_argument("--corte", type=day, metavar="FECHA", help="hasta ese día, incluido (hoy)")
    parser.add_argument(
        "--parametro",
        action="append",
        default=[],
        metavar="CLAVE=VALOR",
        help=f"otra lectura de {', '.join(NOMBRES)}; se repite",
    )
    parser.add_argument("--excel", type=Path, metavar="FICHERO", help="además, la hoja de cálculo con sus fórmulas")
    parser.add_argument("--congelar", action="store_true", help="la guarda como quedó")
    leaf(parser)
    parser.set_defaults(run=_liquidate)


def _enter(options: argparse.Namespace, settings: Settings) -> int:
    at = system_clock()
    kept = [_keep(settings, options.soporte)] if options.soporte else []
    with open_database(settings) as database, database.write() as session:
        factura = find_factura(session, options.factura, nit=options.nit)
        row = pagos.enter(
            session, factura, fecha=options.fecha, valor=to_cents(options.valor),
            concepto=ConceptoPago(options.concepto), referencia=options.referencia, nota=options.nota, kept=kept,
            actor=operator(), at=at,
        )  # fmt: skip
        left = balance(session, factura).saldo
        document = {"pago": row.id, "factura": factura.numero, "valor": plain(row.valor), "saldo": plain(left)}
    words = f"Pago {document['pago']} registrado: saldo de {document['factura']} {format_cop(left)}."
    answer(document, words + ("" if kept else "\nQuedó sin soporte: adjúntelo cuando lo tenga."), as_json=options.json)
    return DONE


def _keep(settings: Settings, path: Path) -> Kept:
    """Bring the proof of a payment into custody. Raises BadInput."""
    name = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in path.name).lstrip("._-")
    settings.ensure_folders()
    candidates = [Candidate(path, name[-120:] or "soporte", "pago", nota=path.name[:200])]
    kept, refused = keep_files(open_store(settings), candidates, folder=path.parent)
    if refused or not kept:
        raise BadInput(
            f"No se puede recibir {path} como soporte; no se registró el pago.",
            todo="Indique un archivo de hasta 64 MB.",
            code="soporte_malo",
        )
    return kept[0]


def _reverse(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.write() as session:
        row = session.get(PagoFactura, options.pago)
        if row is None:
            raise NotFound("No hay un pago con ese número.", todo="radica cartera pago listar --factura N")
        made = pagos.reverse(session, row, options.motivo, actor=operator(), at=system_clock())
        document = {"pago": row.id, "anulado_por": made.id, "valor": plain(row.valor)}
    answer(document, f"Pago {document['pago']} anulado.", as_json=options.json)
    return DONE


def _list(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        factura = find_factura(session, options.factura, nit=options.nit)
        rows, left = pagos.entered(session, factura.id), balance(session, factura)
    document = {
        "factura": factura.numero,
        "valor": plain(left.valor),
        "notas_debito": plain(left.notas_debito),
        "pagado": plain(left.pagado),
        "retenido": plain(left.retenido),
        "notas_credito": plain(left.notas_credito),
        "saldo": plain(left.saldo),
        "pagos": [
            {
                "pago": one.pago.id,
                "fecha": one.pago.fecha.isoformat(),
                "valor": plain(one.pago.valor),
                "concepto": str(one.pago.concepto),
                "referencia": one.pago.referencia,
                "soporte": one.pago.pieza_id,
                "anulado": one.anulado_por.nota if one.anulado_por else None,
            }
            for one in rows
        ],
    }
    shown = [
        (str(one.pago.id), one.pago.fecha.isoformat(), format_cop(one.pago.valor), pagos.NOMBRES[one.pago.concepto],
         one.pago.referencia + (" (anulado)" if one.anulado_por else ""))
        for one in rows
    ]  # fmt: skip
    words = table(("ID", "Fecha", "Valor", "Concepto", "Referencia"), shown) if shown else "Sin pagos registrados."
    answer(document, f"{words}\nSaldo {format_cop(left.saldo)}", as_json=options.json)
    return DONE


def _liquidate(options: argparse.Namespace, settings: Settings) -> int:
    at = system_clock()
    corte = options.corte or civil_date(at)
    if options.excel and (options.excel.exists() or not options.excel.parent.is_dir()):
        raise BadInput(f"No se puede escribir {options.excel}: ya existe, o falta su carpeta.", code="ya_existe")
    with open_database(settings) as database, database.write() if options.congelar else database.read() as session:
        factura = find_factura(session, options.factura, nit=options.nit)
        found = liquidar_factura(session, factura, corte=corte, parametros=_readings(options.parametro))
        frozen = congelar(session, factura, found, actor=operator(), at=at).id if options.congelar else None
    if options.excel:
        with options.excel.open("xb") as out:
            out.write(workbook(found))
    answer({**documento(found), "liquidacion": frozen}, _words(found), as_json=options.json)
    return FINDINGS if found.vacios else DONE


def _readings(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if any(not mark for _, mark, _ in pairs):
        raise BadInput("Un parámetro se escribe CLAVE=VALOR.", todo="Por ejemplo divisor=365.", code="parametro")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _words(found: Resultado) -> str:
    lines = [
        f"Factura {found.caso.factura}, liquidada hasta el {found.corte:%d/%m/%Y}:",
        f"  Capital que causa intereses   {format_cop(found.capital)}",
        f"  Capital que no los causa      {format_cop(found.sin_intereses)}",
        f"  Intereses causados            {format_cop(found.causados)}",
        f"  Intereses pagados             {format_cop(found.pagados)}",
        f"  Total con intereses           {format_cop(found.capital + found.pendientes)}",
    ]
    lines += [
        f"  Otra lectura, {one.opcion.texto}: {format_cop(one.diferencia)} de diferencia ({one.opcion.cita})"
        for one in found.alternativas
    ]
    return "\n".join([*lines, *(f"  Aviso: {one}" for one in found.avisos)])


def _near(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database, database.read() as session:
        today = options.hoy or civil_date(system_clock())
        rows = alertas(session, today)
    document = {
        "facturas": [
            {
                "factura": one.numero,
                "pagador": one.pagador,
                "saldo": plain(one.saldo),
                "vence": one.reloj.vence.isoformat(),
                "dias": one.dias,
                "via": one.reloj.via,
                "norma": f"{one.reloj.norma}, art. {one.reloj.articulo}",
                "certeza": one.reloj.certeza,
            }
            for one in rows
        ]
    }
    shown = [(one.numero, one.pagador[:40], format_cop(one.saldo), one.reloj.vence.isoformat(), one.reloj.via)
             for one in rows]  # fmt: skip
    words = (
        table(("Factura", "Pagador", "Saldo", "Prescribe", "Vía"), shown) if rows else "Ninguna está por prescribir."
    )
    answer(document, words, as_json=options.json)
    return FINDINGS if rows else DONE
