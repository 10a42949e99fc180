"""`radica glosas codigos`: look a code up in both manuals, or find codes by their words. Needs no database.

Invariant: what no manual has is said so (exit 1); what replaces an old code comes with how sure that is and why.
"""

from __future__ import annotations

import argparse
from typing import Any

from radica.app.cli.parse import DONE, FINDINGS, day, leaf
from radica.app.cli.words import answer, table
from radica.glosas import codes
from radica.glosas.codes import Codigo, Manual

_NAMES = {Manual.UNICO: "Manual Único (Res. 2284/2023)", Manual.ANTERIOR: "manual anterior (Res. 3047/2008)"}
_KINDS = {"glosa": "Glosa", "devolucion": "Devolución", "respuesta": "Respuesta"}
_LEVELS = {"general": "concepto general", "especifico": "concepto específico", "aplicacion": "código de aplicación"}


def add_codigos(verbs: Any) -> None:
    """Give the group `radica glosas` its verb `codigos`."""
    parser = verbs.add_parser("codigos", help="qué dice un código de glosa, devolución o respuesta")
    parser.add_argument(
        "codigo",
        nargs="*",
        metavar="CÓDIGO|PALABRAS",
        help="TA0801, FA02, 203, o palabras de su texto; nada: conceptos",
    )
    parser.add_argument("--servicio", type=day, metavar="FECHA", help="dice qué manual rige un servicio de ese día")
    parser.add_argument("--radicacion", type=day, metavar="FECHA")
    parser.add_argument("--expedicion", type=day, metavar="FECHA")
    parser.add_argument("--grupo", choices=["G1", "G2", "G3"], default="", metavar="G1|G2|G3", help="del prestador")
    leaf(parser)
    parser.set_defaults(run=codigos)


def codigos(options: argparse.Namespace, _settings: object) -> int:
    """Say a code, or the codes that hold these words, or the general concepts."""
    words = " ".join(options.codigo).strip()
    exact = codes.normalizar(words) if words else None
    found: tuple[Codigo, ...]
    if exact is not None:
        found, said = (exact,), _words(exact)
    elif words:
        found = codes.buscar_texto(words)
        said = _listing(found) if found else f"Ningún manual tiene «{words[:40]}», ni como código ni en sus textos."
    else:
        found = tuple(one for one in codes.codigos(Manual.UNICO) if one.nivel == "general")
        said = _listing(found)
    document: dict[str, object] = {"codigos": [_document(one) for one in found]}
    if options.servicio or options.radicacion or options.expedicion:
        rule = codes.manual_aplicable(options.servicio, options.radicacion, options.expedicion, grupo=options.grupo)
        document["manual_aplicable"] = {
            "manual": rule.manual.value if rule.manual else None,
            "motivo": rule.motivo,
            "marca": rule.marca,
        }
        name = _NAMES[rule.manual] if rule.manual else "las fechas no lo resuelven"
        said += f"\n\nManual que rige: {name}. {rule.motivo}"
    answer(document, said, as_json=options.json)
    return DONE if found else FINDINGS


def _document(one: Codigo) -> dict[str, object]:
    return {
        "codigo": one.codigo,
        "manual": one.manual.value,
        "tipo": one.tipo,
        "nivel": one.nivel,
        "familia": one.familia,
        "texto": one.texto,
        "afecta": one.afecta,
        "nota": one.nota,
        "marca": one.marca,
        "confianza": one.confianza,
        "campos_rips": list(one.campos_rips),
        "aplicaciones": [child.codigo for child in codes.aplicaciones(one.codigo)],
        "equivale_a": [heir._asdict() for heir in codes.homologar(one.codigo)],
        "reemplaza": [old.codigo for old in codes.antiguos(one.codigo)],
    }


def _listing(found: tuple[Codigo, ...]) -> str:
    return table(("Código", "Manual", "Texto"), [(one.codigo, one.manual.value, one.texto) for one in found])


def _words(one: Codigo) -> str:
    family = codes.FAMILIAS[one.familia]
    lines = [
        f"{one.codigo}  {one.texto}",
        f"  {_KINDS[one.tipo]}, {_LEVELS[one.nivel]}, {family}; {_NAMES[one.manual]}.",
    ]
    if one.afecta:
        lines.append(f"  Afecta: {one.afecta}.")
    if one.nota:
        lines.append(f"  {one.nota}")
    if one.campos_rips:
        lines.append(f"  Campos del RIPS: {', '.join(one.campos_rips)}")
    lines.append(f"  Certeza: {one.marca}, confianza {one.confianza}.")
    if children := codes.aplicaciones(one.codigo):
        lines += ["", *(f"  {child.codigo}  {child.texto}" for child in children)]
    if one.manual is Manual.ANTERIOR:
        heirs = codes.homologar(one.codigo)
        lines += ["", "En el Manual Único:"] if heirs else ["", codes.motivo_sin_homologo(one.codigo)]
        lines += [f"  {heir.codigo}  ({heir.confianza}) {heir.razon}" for heir in heirs]
    elif olds := codes.antiguos(one.codigo):
        lines += ["", f"Antes: {', '.join(old.codigo for old in olds)} (Res. 3047/2008)."]
    return "\n".join(lines)
