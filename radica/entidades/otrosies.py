"""Amendments of a contract (otrosíes): new terms from a day on; what was in force before it stays as it was.

Invariant: an amendment carries every term, so the terms of a day are read from one row; rows are only added, and one
with the same first day stands over the earlier, which stays in sight. It begins after the contract and no later than
the day after its end: what begins later is another contract. Norms: Decreto 441 de 2022; Código Civil art. 1602.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.contratos import SIN_REGLA, acuerdo_de, apuntar, falla_de_terminos, sin_cruce
from radica.entidades.contratos_models import Contrato, Otrosi
from radica.entidades.models import Prestador
from radica.entidades.tarifas import Acuerdo, ReglaAutorizacion
from radica.kernel.errors import BadInput, StalePage

MAX_NOTA = 500
DIA = timedelta(days=1)


@dataclass(frozen=True)
class Terminos:
    """What an amendment agrees: all terms, changed or not; dates included, `dias_pago` calendar days (None: the law's)."""

    desde: date
    hasta: date | None
    cucon: str = ""
    dias_pago: int | None = None
    autorizacion: ReglaAutorizacion = SIN_REGLA


def de_contrato(session: Session, contrato_id: int) -> list[Otrosi]:
    """Return the amendments of a contract in the order in which they were written."""
    return list(session.scalars(select(Otrosi).where(Otrosi.contrato_id == contrato_id).order_by(Otrosi.numero)))


def pactar(
    session: Session, contrato: Contrato, terminos: Terminos, *, nota: str, visto: int, actor: str, at: datetime
) -> Otrosi:
    """Write an amendment; `visto` is how many the person saw.

    Raises StalePage when somebody wrote another meanwhile, BadInput with code `otrosi_<field>`.
    """
    session.execute(select(Prestador.id).where(Prestador.id == contrato.prestador_id).with_for_update(key_share=True))
    before = de_contrato(session, contrato.id)
    if len(before) != visto:
        raise StalePage("Otra persona ya registró un otrosí de este contrato; no se hizo nada.")
    code, said = "".join(terminos.cucon.split()).lower(), " ".join(nota.split())
    wanted = Terminos(terminos.desde, terminos.hasta, code, terminos.dias_pago, terminos.autorizacion)
    deal = acuerdo_de(contrato, before)
    _check(deal, wanted, said)
    sin_cruce(
        session, contrato.prestador_id, contrato.pagador_id, contrato.numero, contrato.desde, wanted.hasta,
        but=contrato.id,
    )  # fmt: skip
    row = Otrosi(
        prestador_id=contrato.prestador_id,
        contrato_id=contrato.id,
        numero=len(before) + 1,
        desde=wanted.desde,
        hasta=wanted.hasta,
        cucon=wanted.cucon or None,
        dias_pago=wanted.dias_pago,
        autorizacion=wanted.autorizacion.dato(),
        nota=said,
        creado_at=at,
        creado_por=actor,
    )
    session.add(row)
    session.flush()
    apuntar(session, contrato, f"otrosi_contrato:{row.numero}", actor, at)
    return row


def _check(deal: Acuerdo, wanted: Terminos, said: str) -> None:
    wrong = falla_de_terminos(wanted.desde, wanted.hasta, wanted.cucon, wanted.dias_pago)
    if wanted.desde <= deal.desde:
        wrong = ("desde", f"Un otrosí empieza después que su contrato, que rige desde el {deal.desde:%d/%m/%Y}.")
    elif (end := deal.el(eve := wanted.desde - DIA).hasta) is not None and eve > end:
        wrong = ("desde", f"El contrato terminó el {end:%d/%m/%Y}: lo que empieza después es otro contrato.")
    elif len(said) > MAX_NOTA:
        wrong = ("nota", f"Resúmalo en {MAX_NOTA} caracteres.")
    elif wrong is None and not said and not _cambios(deal.el(wanted.desde), _como(deal, wanted)):
        wrong = ("nota", "No cambia ningún término: escriba qué se pactó, por ejemplo la lista de precios nueva.")
    if wrong:
        raise BadInput(f"{wrong[1]} No se guardó el otrosí.", code=f"otrosi_{wrong[0]}")


def _como(deal: Acuerdo, wanted: Terminos) -> Acuerdo:
    return Acuerdo(
        deal.id, deal.numero, wanted.cucon, deal.modalidad, wanted.desde, wanted.hasta, wanted.dias_pago,
        wanted.autorizacion,
    )  # fmt: skip


@dataclass(frozen=True)
class Tramo:
    """Terms of a contract, the days on which they rule, and what changed since those of the eve."""

    acuerdo: Acuerdo
    desde: date
    hasta: date | None
    """Last day of these terms: the eve of the next ones, or the end that they agree."""
    cambios: tuple[str, ...]
    reemplazado_por: int | None
    """Number of a later amendment with the same first day: these terms never ruled a day."""


def tramos(acuerdo: Acuerdo) -> list[Tramo]:
    """Return the terms of a contract one after another, the first ones first. Pure."""
    chain: Sequence[Acuerdo] = (acuerdo, *acuerdo.otrosies)
    found: list[Tramo] = []
    for place, one in enumerate(chain):
        rest = chain[place + 1 :]
        over = next((later.otrosi for later in reversed(rest) if later.desde == one.desde), None)
        following = next((later.desde - DIA for later in rest if later.desde > one.desde), None)
        ends = [day for day in (one.hasta, following) if day is not None]
        before = acuerdo.el(one.desde - DIA) if one.otrosi else one
        found.append(Tramo(one, one.desde, min(ends, default=None), _cambios(before, one), over))
    return found


def _cambios(before: Acuerdo, now: Acuerdo) -> tuple[str, ...]:
    """Return in words what differs between two terms."""
    told = []
    if before.hasta != now.hasta:
        told.append(f"termina {_fin(now.hasta)} (antes, {_fin(before.hasta)})")
    if before.dias_pago != now.dias_pago:
        told.append(f"pago a {_pago(now.dias_pago)} (antes, {_pago(before.dias_pago)})")
    if before.cucon != now.cucon:
        told.append("otro CUCON" if now.cucon else "sin CUCON")
    if before.autorizacion != now.autorizacion:
        told.append("otras reglas de autorización")
    return tuple(told)


def _fin(day: date | None) -> str:
    return f"el {day:%d/%m/%Y}" if day else "sin fecha de cierre"


def _pago(days: int | None) -> str:
    return f"{days} día{'' if days == 1 else 's'}" if days else "el término de ley"
