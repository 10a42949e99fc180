"""From which day each part of an invoice owes interest, under each reading that the norms leave open. Pure.

Invariant: interest begins the day after the last day to pay (the day of the fact does not count); a term that the
table does not give for a payer is no start but a reason; a term agreed in the contract counts where it is shorter
than the legal one, which stays the longest, or where the table gives none. Norms: Ley 1122/2007 art. 13 lit. d (PAG-01 to PAG-04), Ley
1438/2011 art. 57 (GLO-06), D.L. 1281/2002 art. 7 and Res. 2284/2023 arts. 4 and 6 (PAG-06, PAG-07, RAD-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from radica.cartera.caso import Concepto, Inicio, TipoConcepto
from radica.cartera.liquidacion import DIA
from radica.entidades.tarifas import vence_pactado
from radica.plazos.table import Unidad
from radica.plazos.terms import Plazo, SinTermino, calcular

NADA: Mapping[str, Inicio] = {}


@dataclass(frozen=True)
class TerminoPactado:
    """The term of payment of a contract, in calendar days from filing."""

    contrato: str
    dias: int


@dataclass(frozen=True)
class Reglas:
    """What decides the starts of one invoice: day of filing, kind of payer, and why nothing at all owes interest."""

    presentada: date | None
    pagador: str
    sin_intereses: str = ""
    pactado: TerminoPactado | None = None


def por_termino(term_id: str, desde: date, reglas: Reglas) -> tuple[dict[str, Inicio], str]:
    """Return the starts after a term, by reading (`habiles`, `calendario`), or why the table has none."""
    found = calcular(term_id, desde, pagador=reglas.pagador)
    if isinstance(found, SinTermino):
        return {}, found.motivo
    certainty = f"{found.detalle.marca} {found.detalle.confianza}"
    names = ("habiles", "calendario") if found.detalle.unidad is Unidad.DIAS else ("habiles",)
    return {
        name: Inicio(
            reading.vence + DIA, term_id, f"{found.detalle.asunto}: {reading.criterio}", found.norma, found.articulo,
            certainty,
        )
        for name, reading in zip(names, found.lecturas, strict=False)
        if reading.vence is not None
    }, ""  # fmt: skip


def con_pacto(starts: Mapping[str, Inicio], reglas: Reglas) -> dict[str, Inicio]:
    """Return the starts with the agreed term where it ends before the legal one, or where the table has none."""
    agreed, filed = reglas.pactado, reglas.presentada
    if agreed is None or filed is None:
        return dict(starts)
    start = Inicio(
        vence_pactado(filed, agreed.dias) + DIA, "CONTRATO",
        f"Término pactado en el contrato {agreed.contrato}: {agreed.dias} días calendario desde la presentación",
        "Acuerdo de voluntades (Decreto 441/2022)", "", "V media",
    )  # fmt: skip
    names = tuple(starts) or ("habiles", "calendario")
    return {name: start if name not in starts or start.desde < starts[name].desde else starts[name] for name in names}


def aviso_de_pacto(reglas: Reglas) -> str:
    """Say when a contract agrees on more days than the law: the legal term rules; "" otherwise."""
    if reglas.pactado is None or reglas.presentada is None:
        return ""
    starts, _ = por_termino("PAG-03", reglas.presentada, reglas)
    last = vence_pactado(reglas.presentada, reglas.pactado.dias) + DIA
    if not starts or any(last <= one.desde for one in starts.values()):
        return ""
    legal = next(iter(starts.values()))
    return (
        f"El contrato {reglas.pactado.contrato} pacta {reglas.pactado.dias} días para pagar, más que la ley:"
        f" se liquidó con el término legal ({legal.cita})."
    )


def desde_presentacion(reglas: Reglas) -> Inicio | None:
    """Return the start of what was objected without reason (PAG-06); None while the invoice was not filed."""
    if reglas.presentada is None:
        return None
    return Inicio(
        reglas.presentada + DIA, "PAG-06", "Sin fundamento: desde la presentación, sin contar ese día",
        "D.L. 1281/2002; Res. 2284/2023", "7; 4 y 6", "V alta",
    )  # fmt: skip


def concepto(
    clave: str,
    tipo: TipoConcepto,
    capital: int,
    reglas: Reglas,
    inicios: Mapping[str, Inicio],
    *,
    detalle: str = "",
    motivo: str = "",
) -> Concepto:
    """Return a concept; what stops interest on the whole invoice stops it here too."""
    if reglas.sin_intereses:
        return Concepto(clave, tipo, detalle, capital, NADA, reglas.sin_intereses)
    return Concepto(clave, tipo, detalle, capital, inicios, motivo)


def mitades(capital: int, reglas: Reglas, *, devuelta: bool, anticipo: int) -> list[Concepto]:
    """Return the two parts of what nobody objects to (or was returned without reason): short term and long term."""
    kinds = (
        (TipoConcepto.DEVOLUCION_CORTO, TipoConcepto.DEVOLUCION_LARGO)
        if devuelta
        else (TipoConcepto.NO_OBJETADO_CORTO, TipoConcepto.NO_OBJETADO_LARGO)
    )
    # An odd centavo stays in the long term: the short one never asks for more than the law does.
    short = capital * anticipo // 100
    made = []
    for kind, part, term in zip(kinds, (short, capital - short), ("PAG-02", "PAG-03"), strict=True):
        starts, reason = ({}, "") if reglas.presentada is None else por_termino(term, reglas.presentada, reglas)
        starts = con_pacto(starts, reglas)
        reason = "" if starts else reason
        early = desde_presentacion(reglas) if devuelta and starts else None
        if early is not None:
            starts["presentacion"] = early
        made.append(concepto(str(kind), kind, part, reglas, starts, motivo=reason))
    return made


def capita(capital: int, reglas: Reglas, mes: date | None) -> Concepto:
    """Return what a capitation owes: the whole month in advance (PAG-01)."""
    norm = ("Ley 1122/2007", "13 lit. d")
    starts = {}
    if reglas.presentada is not None:
        said = "Mes anticipado: desde que se presentó la factura"
        starts["radicacion"] = Inicio(reglas.presentada + DIA, "PAG-01", said, *norm, "D media")
    if mes is not None:
        said = "Mes anticipado: desde que empezó el mes"
        starts["mes"] = Inicio(mes.replace(day=1) + DIA, "PAG-01", said, *norm, "V alta")
    kind = TipoConcepto.CAPITACION
    return concepto(str(kind), kind, capital, reglas, starts)


def levantada(clave: str, capital: int, dia: date, reglas: Reglas, *, detalle: str) -> Concepto:
    """Return what a lifted glosa owes: five business days after, or since filing, or sixty days after filing."""
    starts, reason = _levantamiento(dia, reglas)
    if starts and reglas.presentada is not None:
        early = desde_presentacion(reglas)
        if early is not None:
            starts["presentacion"] = early
        sixty, _ = por_termino("PAG-04", reglas.presentada, reglas)
        starts |= {f"sesenta_{name}": one for name, one in sixty.items()}
    return concepto(clave, TipoConcepto.GLOSA_LEVANTADA, capital, reglas, starts, detalle=detalle, motivo=reason)


def conciliada(clave: str, capital: int, acta: date, promesa: date | None, reglas: Reglas, *, detalle: str) -> Concepto:
    """Return what an acta lifted: due on the day promised, or five business days after it was signed."""
    starts, reason = _levantamiento(acta, reglas)
    starts = {"acta": starts["levantamiento"]} if starts else {}
    if promesa is not None:
        starts["compromiso"] = Inicio(
            promesa + DIA, "CON", f"El pagador prometió pagar el {promesa:%d/%m/%Y}", "Circular conjunta 030/2013", "",
            "V media",
        )  # fmt: skip
    elif "acta" in starts:
        starts["compromiso"] = starts["acta"]
    return concepto(
        clave, TipoConcepto.CONCILIADO, capital, reglas, starts, detalle=detalle, motivo="" if starts else reason
    )


def _levantamiento(dia: date, reglas: Reglas) -> tuple[dict[str, Inicio], str]:
    starts, reason = por_termino("GLO-06", dia, reglas)
    return ({"levantamiento": starts["habiles"]} if "habiles" in starts else {}), reason


def sin_derecho(servicio: date | None, presentada: date | None) -> tuple[str, str]:
    """Return why an invoice owes no interest at all (RAD-08, or not filed), and what could not be checked."""
    if presentada is None:
        return "La factura no está radicada: no corre ningún término de pago.", ""
    if servicio is None:
        return "", "No se sabe cuándo terminó el servicio: no se pudo comprobar si se cobró dentro de seis meses."
    term = calcular("RAD-08", servicio)
    if isinstance(term, Plazo) and presentada > term.vence:
        said = f"({servicio:%d/%m/%Y}; vencían el {term.vence:%d/%m/%Y})"
        norm = f"{term.norma}, art. {term.articulo}"
        return f"Se cobró después de seis meses del servicio {said}: no se reconocen intereses ({norm}).", ""
    return "", ""
