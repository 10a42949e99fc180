"""`radica plazos`: compute a legal term with its norm, its calendar and every reading.

Invariant: the command only asks `plazos`; where a norm gives no term it says so with its reason (exit 1), and never
prints a date of its own.
"""

from __future__ import annotations

import argparse

from radica.app.cli.parse import DONE, FINDINGS, actions, day_or_instant, leaf
from radica.app.cli.words import answer, table
from radica.entidades.catalogue import TipoPagador
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.plazos.rules import estado_plazo
from radica.plazos.table import term_ids, versions
from radica.plazos.terms import Plazo, SinTermino, calcular, plazo_json


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    verbs = actions(parser)
    compute = verbs.add_parser("calcular", help="hasta cuándo va un término")
    compute.add_argument("--termino", required=True, metavar="ID", help="por ejemplo RAD-01")
    compute.add_argument("--desde", required=True, type=day_or_instant, metavar="FECHA", help="el hecho: 2026-11-20")
    compute.add_argument("--segunda", type=day_or_instant, metavar="FECHA", help="la otra fecha de un término ambiguo")
    compute.add_argument(
        "--pagador",
        type=str.upper,
        choices=[kind.value for kind in TipoPagador],
        default=TipoPagador.DESCONOCIDO.value,
        metavar="TIPO",
        help="EPS, SOAT, ADRES, ARL u OTRO: para algunos la norma no da término",
    )
    leaf(compute)
    compute.set_defaults(run=_compute)
    listing = verbs.add_parser("listar", help="los términos que se conocen")
    leaf(listing)
    listing.set_defaults(run=_list)


def _compute(options: argparse.Namespace, _settings: Settings) -> int:
    today = civil_date(system_clock())
    found = calcular(options.termino, options.desde, segunda=options.segunda, pagador=options.pagador, hoy=today)
    if isinstance(found, SinTermino):
        answer(_nothing(found, options.desde), _nothing_words(found), as_json=options.json)
        return FINDINGS
    state = estado_plazo(found, today)
    answer(plazo_json(found), _words(found, state.texto), as_json=options.json)
    return DONE


def _words(found: Plazo, state: str) -> str:
    lines = [
        f"{found.termino}: {found.detalle.asunto}",
        f"  Desde {found.desde:%d/%m/%Y} vence el {found.vence:%d/%m/%Y} ({state}).",
        f"  Norma: {found.norma}, {found.articulo}. Calendario {found.calendario}.",
    ]
    if len(found.lecturas) > 1:
        lines.append("  La norma admite varias lecturas; se toma la más prudente:")
        lines += [
            f"    {one.vence:%d/%m/%Y}  {one.criterio}" if one.vence else f"    (sin fecha)  {one.criterio}"
            for one in found.lecturas
        ]
    return "\n".join([*lines, *(f"  Aviso: {text}" for text in found.avisos)])


def _nothing(found: SinTermino, desde: object) -> dict[str, object]:
    return {
        "termino": found.termino,
        "desde": str(desde)[:10],
        "vence": None,
        "norma": found.norma,
        "articulo": found.articulo,
        "calendario": None,
        "lecturas": [],
        "motivo": found.motivo,
        "fecha_prudente": found.fecha_prudente.isoformat() if found.fecha_prudente else None,
    }


def _nothing_words(found: SinTermino) -> str:
    prudent = f"\n  Por prudencia, vigile el {found.fecha_prudente:%d/%m/%Y}." if found.fecha_prudente else ""
    return f"{found.termino}: no hay un término que contar. {found.motivo}{prudent}"


def _list(options: argparse.Namespace, _settings: Settings) -> int:
    latest = [versions(term)[-1] for term in term_ids()]
    document = {
        "terminos": [
            {"termino": one.id, "asunto": one.asunto, "norma": one.norma, "articulo": one.articulo} for one in latest
        ]
    }
    answer(document, table(("Término", "Asunto"), [(one.id, one.asunto) for one in latest]), as_json=options.json)
    return DONE
