"""What an answer of the MUV means for the invoice that was sent: approved, rejected, of another, or not to be known.

Invariant: pure. Approved means a CUV in an answer that names this very invoice; a CUV that existed before is taken only
when the Ministry's own register shows this provider and these totals. Manual of the API FEV-RIPS 4.3; rule RVG18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from radica.facturas.cuv import CuvResult
from radica.facturas.muv.cliente import Muv, Respuesta
from radica.facturas.muv.transporte import MuvProblem
from radica.facturas.numbers import Match, parse_invoice_number, same_invoice
from radica.facturas.validacion.modelo import Modulo

TOLERANCE = Decimal(1)
"""Pesos; the register may round."""


@dataclass(frozen=True)
class Esperado:
    """What was sent: any of `numeros` names it; `totales` are its gross and payable amounts in pesos."""

    nit: str
    numeros: tuple[str, ...]
    totales: tuple[Decimal, ...]


@dataclass(frozen=True)
class Veredicto:
    """What it came to. `respuestas` are all answers by name, in order; `vale` is the one that stands (a document)."""

    resultado: str
    respuestas: tuple[tuple[str, Respuesta], ...]
    vale: Respuesta | None
    codigo: str = ""
    detalle: str = ""


def tramitar_paquete(muv: Muv, modulo: Modulo, rips: bytes | None, xml: bytes | None, sent: Esperado) -> Veredicto:
    """Send a package and follow it to its verdict. Raises MuvProblem when that cannot be had now."""
    first = muv.cargar(modulo, rips, xml)
    if first.ya_aprobado:
        return _recovered(muv, first, sent)
    answers = (("carga", first),)
    if first.dice.accepted:
        if names(first.dice.number, sent.numeros):
            return Veredicto("aprobado", answers, first)
        return _foreign(answers)
    if first.dice.number and not names(first.dice.number, sent.numeros):
        return _foreign(answers)
    codes = list(dict.fromkeys(one.codigo for one in first.dice.rejections))
    return Veredicto("rechazado", answers, first, codes[0] if codes else "", f"Reglas: {', '.join(codes[:12])}")


def names(number: str | None, expected: Sequence[str]) -> bool:
    """Say whether a written number is one of those expected."""
    said = parse_invoice_number(number)
    return any(same_invoice(said, parse_invoice_number(one)) is Match.SAME for one in expected)


def difiere(register: CuvResult, sent: Esperado) -> str:
    """Return in what the Ministry's register differs from what was sent; empty when in nothing that it says."""
    if register.issuer is not None and register.issuer.number != sent.nit:
        return "el prestador"
    if register.number is not None and not names(register.number, sent.numeros):
        return "el número"
    # The manual does not say which of the two totals it reports; older answers report zero.
    if register.total and sent.totales and min(abs(register.total - one) for one in sent.totales) > TOLERANCE:
        return "el valor"
    return ""


def _recovered(muv: Muv, first: Respuesta, sent: Esperado) -> Veredicto:
    """Fetch the CUV of a document that was processed before, and see that it is of these documents."""
    cuv = first.cuv_citado
    if cuv is None:
        return Veredicto(
            "fallido", (("carga", first),), None, "RVG18",
            "El MUV dice que esta factura ya tiene CUV y no dice cuál. Búsquelo en lo que respondió la primera vez y cárguelo.",
        )  # fmt: skip
    again, register = muv.recuperar(cuv), muv.consultar(cuv)
    answers = (("carga", first), ("recuperacion", again), ("consulta", register))
    if not (again.dice.accepted and register.dice.accepted and again.dice.cuv == register.dice.cuv == cuv):
        raise MuvProblem("cuv_no_consta", "El MUV dice que la factura ya tiene CUV y no lo entrega.", again=True)
    if not names(again.dice.number, sent.numeros):
        return _foreign(answers)
    other = difiere(register.dice, sent)
    if other:
        return Veredicto(
            "ajeno", answers, None, "otra_version",
            f"El MUV ya había aprobado esta factura con otros datos: difiere {other}. Compruebe con qué documentos se "
            "obtuvo ese CUV antes de radicar.",
        )  # fmt: skip
    return Veredicto("aprobado", answers, again, "RVG18", "Ya tenía CUV: se recuperó.")


def _foreign(answers: tuple[tuple[str, Respuesta], ...]) -> Veredicto:
    return Veredicto(
        "ajeno", answers, None, "otra_factura",
        "El MUV respondió con el resultado de otra factura: no se aceptó. Pida de nuevo la validación; si ya tiene CUV, se "
        "recupera.",
    )  # fmt: skip
