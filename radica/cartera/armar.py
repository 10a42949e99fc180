"""An invoice of the database as a case to liquidate: its parts, from its glosas, devoluciones, actas, notes and payments.

Invariant: the concepts sum to value plus debit notes; what an act lifted counts from that act's day; what is in dispute
or accepted causes no interest by itself; what is not known is said. Norms: D.L. 1281/2002 art. 7, Res. 2284/2023
arts. 4, 6 and 7, Ley 1438/2011 art. 57, Circular conjunta 030/2013.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.caso import Abono, CasoLiquidacion, ClaseAbono, Concepto, TipoConcepto
from radica.cartera.inicios import (
    NADA,
    Reglas,
    TerminoPactado,
    aviso_de_pacto,
    capita,
    concepto,
    conciliada,
    desde_presentacion,
    levantada,
    mitades,
    sin_derecho,
)
from radica.cartera.models import ConceptoPago
from radica.cartera.pagos import NOMBRES, standing
from radica.cartera.parametros import Parametros
from radica.cartera.saldos import DEV_ACEPTADAS, notes_of
from radica.conciliacion.models import Compromiso, CompromisoHecho, ConciliacionLinea, EstadoCompromiso
from radica.entidades.contratos import acuerdos_con
from radica.entidades.models import Pagador, TipoPagador
from radica.entidades.tarifas import elegir_acuerdo
from radica.facturas.facts import recall
from radica.facturas.fev import Fev
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.tarifa_factura import dicho_de
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import DEV_ABIERTAS, EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import civil_date

CAPITA = "03"
"""Code of table modalidadPago: cápita."""
_CASE = re.compile(r"conciliacion:(\d{1,18})")


@dataclass
class _Bolsa:
    """What is gathered of one invoice."""

    session: Session
    factura: Factura
    reglas: Reglas
    modalidad: str | None = None
    conceptos: list[Concepto] = field(default_factory=list)
    avisos: list[str] = field(default_factory=list)


def armar_caso(session: Session, factura: Factura, parametros: Parametros) -> CasoLiquidacion:
    """Return an invoice as a debt, with what lowered it; `parametros` gives the part of the short term."""
    filed = civil_date(factura.fecha_radicacion) if factura.fecha_radicacion else None
    payer = session.get(Pagador, factura.pagador_id) if factura.pagador_id else None
    reason, doubt = sin_derecho(factura.servicio_hasta or factura.servicio_desde, filed)
    fev = _fev(session, factura)
    agreed = _agreed_term(session, factura, fev)
    kind = payer.tipo if payer else TipoPagador.DESCONOCIDO
    bag = _Bolsa(session, factura, Reglas(filed, kind, reason, agreed), fev.modalidad_pago if fev else None)
    bag.avisos += [doubt] if doubt else []
    if factura.valor is None:
        bag.avisos.append("La factura no tiene valor leído: se tomó cero.")
    glosas = list(
        session.scalars(
            select(Glosa).where(Glosa.factura_id == factura.id, Glosa.estado != EstadoGlosa.ANULADA).order_by(Glosa.id)
        )
    )
    acts = _acts(session, factura.id)
    for one in glosas:
        _glosa(bag, one, [act for act in acts if act.glosa_id == one.id])
    rest = (factura.valor or 0) - sum(one.valor for one in glosas)
    _rest(bag, rest, acts, int(parametros.anticipo))
    abonos = _notes(bag) + _payments(session, factura.id)
    concepts = [one for one in bag.conceptos if one.capital]
    return CasoLiquidacion(factura.numero, filed, concepts, abonos, bag.avisos)


def _acts(session: Session, factura_id: int) -> list[Acto]:
    return list(session.scalars(select(Acto).where(Acto.factura_id == factura_id).order_by(Acto.ocurrido_at, Acto.id)))


def _glosa(bag: _Bolsa, glosa: Glosa, acts: Sequence[Acto]) -> None:
    """Add the parts of one glosa: lifted, act by act; accepted; still in dispute."""
    name = f"glosa {glosa.codigo}" + (f" n.º {glosa.numero_glosa}" if glosa.numero_glosa else "")
    late = next((act for act in acts if act.tipo is TipoActo.RESPUESTA and act.plazo.get("oportuno") is False), None)
    left = glosa.levantado
    for act in acts:
        part = min(left, act.levantado)
        if not part:
            continue
        left -= part
        _lifted(bag, f"glosa:{glosa.id}:{act.id}", act, part, name, late=late)
    if left:
        day = civil_date(glosa.decidida_at or glosa.notificada_at)
        bag.avisos.append(f"De la {name} hay un valor levantado sin su acto; se contó desde el {day:%d/%m/%Y}.")
        bag.conceptos.append(levantada(f"glosa:{glosa.id}:x", left, day, bag.reglas, detalle=name))
    _accepted(bag, f"glosa:{glosa.id}:a", glosa.aceptado, name)
    _disputed(bag, f"glosa:{glosa.id}:d", glosa.en_disputa, name)


def _lifted(bag: _Bolsa, clave: str, act: Acto, part: int, name: str, *, late: Acto | None = None) -> None:
    day = civil_date(act.ocurrido_at)
    if late is not None:
        why = (
            f"La {name} no se respondió en término (se respondió el {civil_date(late.ocurrido_at):%d/%m/%Y}): no hay"
            " intereses (D.L. 1281/2002, art. 7)."
        )
        kind = TipoConcepto.GLOSA_LEVANTADA
        bag.conceptos.append(concepto(clave, kind, part, bag.reglas, NADA, detalle=name, motivo=why))
    elif act.tipo is TipoActo.CONCILIACION:
        bag.conceptos += _agreed(bag, clave, act, part, name)
    else:
        said = f"{name}, levantada el {day:%d/%m/%Y}"
        bag.conceptos.append(levantada(clave, part, day, bag.reglas, detalle=said))


def _agreed(bag: _Bolsa, clave: str, act: Acto, part: int, name: str) -> list[Concepto]:
    """Split what an acta lifted over the days on which the payer promised to pay, in proportion to its lines."""
    found = _CASE.fullmatch(act.texto)
    signed = civil_date(act.ocurrido_at)
    if found is None:
        return [conciliada(clave, part, signed, None, bag.reglas, detalle=name)]
    number = int(found[1])
    whole = sum(
        bag.session.scalars(select(ConciliacionLinea.levantado).where(ConciliacionLinea.conciliacion_id == number))
    )
    given_up = select(CompromisoHecho.compromiso_id).where(CompromisoHecho.resultado == EstadoCompromiso.DESISTIDO)
    promises = bag.session.scalars(
        select(Compromiso)
        .where(Compromiso.conciliacion_id == number, Compromiso.id.not_in(given_up))
        .order_by(Compromiso.fecha, Compromiso.id)
    )
    made: list[Concepto] = []
    promised = taken = 0
    for one in promises:
        promised = min(whole, promised + one.valor)
        share = promised * part // whole - taken if whole else 0
        taken += share
        if share:
            made.append(
                conciliada(
                    f"{clave}:{one.id}",
                    share,
                    signed,
                    one.fecha,
                    bag.reglas,
                    detalle=f"{name}, acta del {signed:%d/%m/%Y}",
                )
            )
    if part - taken:
        said = f"{name}, acta del {signed:%d/%m/%Y} sin fecha de pago"
        made.append(conciliada(clave, part - taken, signed, None, bag.reglas, detalle=said))
    return made


def _accepted(bag: _Bolsa, clave: str, capital: int, name: str) -> None:
    why = "Se aceptó: no se debe; espera su nota crédito."
    bag.conceptos.append(Concepto(clave, TipoConcepto.ACEPTADO, name, capital, NADA, why))


def _disputed(bag: _Bolsa, clave: str, capital: int, name: str) -> None:
    why = "Sigue en disputa: causa intereses desde la presentación si se resuelve que se objetó sin fundamento."
    early = desde_presentacion(bag.reglas)
    starts = {"presentacion": early} if early else NADA
    kind = TipoConcepto.EN_DISPUTA
    bag.conceptos.append(concepto(clave, kind, capital, bag.reglas, starts, detalle=name, motivo=why))


def _rest(bag: _Bolsa, rest: int, acts: Sequence[Acto], anticipo: int) -> None:
    """Add what no glosa objects to: as any invoice, or as its devolución left it."""
    if rest < 0:
        bag.avisos.append("Las glosas suman más que la factura: revise sus valores.")
        return
    returned = bag.session.scalars(
        select(Devolucion).where(Devolucion.factura_id == bag.factura.id, Devolucion.estado != EstadoDevolucion.ANULADA)
    ).first()
    if returned is None or returned.estado is EstadoDevolucion.LEVANTADA:
        if bag.modalidad == CAPITA and returned is None:
            bag.conceptos.append(capita(rest, bag.reglas, bag.factura.servicio_desde))
        else:
            longer = aviso_de_pacto(bag.reglas)
            bag.avisos += [longer] if longer else []
            bag.conceptos += mitades(rest, bag.reglas, devuelta=returned is not None, anticipo=anticipo)
        return
    name = f"devolución {returned.codigo}"
    if returned.estado in DEV_ACEPTADAS:
        _accepted(bag, "devolucion:a", rest, name)
        return
    left = rest
    for act in acts:
        if act.devolucion_id != returned.id or act.tipo is not TipoActo.CONCILIACION:
            continue
        lifted = min(left, act.levantado)
        taken = min(left - lifted, act.aceptado)
        left -= lifted + taken
        if lifted:
            _lifted(bag, f"devolucion:{act.id}", act, lifted, name)
        _accepted(bag, f"devolucion:{act.id}:a", taken, name)
    if left and returned.estado not in DEV_ABIERTAS:
        bag.avisos.append(f"La {name} está cerrada y sus actas no suman su valor; lo demás se dejó en disputa.")
    _disputed(bag, "devolucion:d", left, name)


def _fev(session: Session, factura: Factura) -> Fev | None:
    rows = session.scalars(
        select(Documento)
        .where(
            Documento.factura_id == factura.id,
            Documento.tipo.in_([TipoDocumento.FEV.value, TipoDocumento.INVOICE.value]),
            Documento.vigente,
        )
        .order_by(Documento.id)
    )
    return next((recall(Fev, row.datos) for row in rows if "salud" in row.datos), None)


def _agreed_term(session: Session, factura: Factura, fev: Fev | None) -> TerminoPactado | None:
    """Return the term of the contract of an invoice, None when there is none or it cannot be told which."""
    day = factura.servicio_hasta or factura.servicio_desde or civil_date(factura.expedida_at or factura.creada_at)
    contracts = acuerdos_con(session, factura.prestador_id, factura.pagador_id)
    chosen, _ = elegir_acuerdo(contracts, day, dicho_de(fev))
    return TerminoPactado(chosen.numero, chosen.dias_pago) if chosen and chosen.dias_pago else None


def _notes(bag: _Bolsa) -> list[Abono]:
    """Return the credit notes as what lowers the debt; debit notes become capital without interest."""
    found: list[Abono] = []
    for one in notes_of(bag.session, bag.factura.id):
        name = f"nota {'crédito' if one.tipo is TipoDocumento.NOTA_CREDITO else 'débito'} {one.numero}"
        if one.valor is None:
            bag.avisos.append(f"De la {name} no se leyó el valor: no se tuvo en cuenta.")
        elif one.tipo is TipoDocumento.NOTA_CREDITO:
            found += [Abono(one.fecha, one.valor, ClaseAbono.NOTA_CREDITO, name)] if one.valor else []
        else:
            why = "La tabla no dice desde cuándo causa intereses una nota débito: lo decide el abogado."
            key = f"nota:{one.numero}"
            bag.conceptos.append(Concepto(key, TipoConcepto.NOTA_DEBITO, one.numero, one.valor, NADA, why))
    return found


def _payments(session: Session, factura_id: int) -> list[Abono]:
    return [
        Abono(
            one.fecha, one.valor,
            ClaseAbono.RETENCION if one.concepto is ConceptoPago.RETENCION else ClaseAbono.PAGO,
            " · ".join(filter(None, (NOMBRES[one.concepto], one.referencia))),
        )
        for one in standing(session, factura_id)
    ]  # fmt: skip
