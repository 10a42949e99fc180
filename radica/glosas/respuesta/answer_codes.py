"""The answer codes as data: for which act, how much each accepts, which note and which proof it asks for. Pure.

Invariant: a devolución is answered whole (RE95, RE96, RE97), a glosa line by line (also RE98 and RE99); RIPS quality
(SO61) carries no money and is cured by an adjustment note. Norms: Res. 2284/2023 art. 6 and Anexo Técnico 3; Res.
948/2026 art. 7. Rows in `data/respuestas.csv`; amounts are centavos.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from radica.glosas.codes import buscar
from radica.kernel.money import format_cop

Acto = Literal["glosa", "devolucion"]


@dataclass(frozen=True, slots=True)
class CodigoRespuesta:
    """An answer code: for which act, whose, how much it accepts (nada, parte, todo), which credit note, what it needs."""

    codigo: str
    acto: str
    autor: str
    decision: str
    acepta: str
    nota: str
    exige: str
    norma: str
    marca: str
    texto: str


@dataclass(frozen=True, slots=True)
class Opcion:
    """A code that a person may choose for an act; `recomendada` is the one to offer first."""

    codigo: CodigoRespuesta
    motivo: str
    recomendada: bool = False


@dataclass(frozen=True, slots=True)
class NotaDebida:
    """The note that an answer obliges to: `tipo` credito or ajuste_rips; `valor` in centavos (0 for RIPS)."""

    tipo: str
    total: bool
    valor: int
    texto: str


@cache
def catalogo() -> dict[str, CodigoRespuesta]:
    """Return the answer codes by code, those of the payer too."""
    text = files("radica.glosas").joinpath("data", "respuestas.csv").read_text(encoding="utf-8")
    found = {row["codigo"]: CodigoRespuesta(**row) for row in csv.DictReader(text.splitlines())}
    if any(buscar(code) is None for code in found):
        raise ValueError("respuestas.csv: a code that the manual does not have")
    return found


def codigo_para(acto: Acto, decision: str) -> CodigoRespuesta | None:
    """Return the code of a decision (defender, subsanar, aceptar_parte, aceptar, extemporanea); None: the act has none."""
    return next(
        (one for one in catalogo().values() if (one.acto, one.decision, one.autor) == (acto, decision, "ips")), None
    )


def sin_valor(codigo_glosa: str) -> bool:
    """Say whether an objection of this code carries no money (SO61)."""
    found = buscar(codigo_glosa)
    return found is not None and found.sin_valor


def opciones(
    acto: Acto, *, codigo_glosa: str, valor: int, extemporanea: bool | None, ronda: int = 1
) -> tuple[Opcion, ...]:
    """Return the codes that fit an act, the recommended one first. `valor`: centavos in dispute."""
    free = sin_valor(codigo_glosa) or (acto == "glosa" and valor == 0)
    late = extemporanea is True and ronda == 1
    found = []
    for one in catalogo().values():
        if one.acto != acto or one.autor != "ips":
            continue
        if one.decision == "extemporanea" and not late:
            continue
        if free and one.acepta != "nada":
            continue
        if one.acepta == "parte" and valor < 2:
            continue
        reason = (
            "La notificación llegó tarde: no hace falta discutir el fondo."
            if one.decision == "extemporanea"
            else one.texto
        )
        if free and one.decision == "subsanar":
            reason = "No afecta el valor: se subsana con nota de ajuste de RIPS."
        found.append(
            Opcion(one, reason, recomendada=one.decision == ("extemporanea" if late else "subsanar" if free else ""))
        )
    return tuple(sorted(found, key=lambda one: not one.recomendada))


def nota_debida(codigo: str, *, codigo_glosa: str, valor: int, aceptado: int) -> NotaDebida | None:
    """Return the note that follows an answer, or None. `valor`: of the invoice for a devolución. Centavos."""
    rule = catalogo().get(codigo)
    if rule is None:
        return None
    if sin_valor(codigo_glosa):
        if rule.decision != "subsanar":
            return None
        return NotaDebida(
            "ajuste_rips",
            total=False,
            valor=0,
            texto="Nota de ajuste de RIPS por los campos objetados; no cambia el valor.",
        )
    if rule.nota == "total":
        return NotaDebida(
            "credito", total=True, valor=valor, texto=f"Nota crédito por el 100 % de la factura, {format_cop(valor)}."
        )
    if rule.nota == "parcial" and aceptado > 0:
        return NotaDebida(
            "credito", total=False, valor=aceptado, texto=f"Nota crédito por lo aceptado, {format_cop(aceptado)}."
        )
    return None
