"""Contracts with payers: agreed once, closed on a day, listed; what was agreed is never edited.

Invariant: on one day a number names one contract of a provider with a payer; contracts with different numbers may run
together (contributory and subsidised, event and package), because the invoice names its contract. A change of terms is
an amendment (`otrosies`); every act leaves a link in the provider's log. Norms: Decreto 441 de 2022; Ley 1122 de 2007
art. 13.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.entidades.contratos_models import Contrato, Otrosi
from radica.entidades.models import Pagador, Prestador
from radica.entidades.tarifas import MODALIDADES, Acuerdo, ReglaAutorizacion, codigo_normal, numero_normal
from radica.kernel.errors import BadInput, NotFound, StalePage

MAX_DIAS = 365
MAX_NUMERO = 80
MAX_PREFIJOS = 200
_CUCON = re.compile(r"[0-9a-fA-F]{64}")
_PREFIJO = re.compile(r"[0-9A-Z-]{1,20}")
SIN_REGLA = ReglaAutorizacion()
"""A contract that asks for no authorisation."""
PRIMER_DIA = date(1994, 1, 1)
"""Nothing was agreed under Ley 100 before it."""


def crear(
    session: Session,
    *,
    prestador_id: int,
    pagador_id: int,
    numero: str,
    modalidad: str,
    desde: date,
    hasta: date | None = None,
    cucon: str = "",
    dias_pago: int | None = None,
    autorizacion: ReglaAutorizacion = SIN_REGLA,
    actor: str,
    at: datetime,
) -> Contrato:
    """Write a contract. Raises BadInput with code `contrato_<field>`, NotFound for an unknown payer."""
    name = " ".join(numero.split())
    code = "".join(cucon.split()).lower()
    _check(name, modalidad, desde, hasta, code, dias_pago)
    # Two people who write the same contract at once: the second waits here and finds the first.
    session.execute(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update(key_share=True))
    if session.get(Pagador, pagador_id) is None:
        raise NotFound("No se encontró ese pagador; no se guardó el contrato.")
    sin_cruce(session, prestador_id, pagador_id, name, desde, hasta)
    row = Contrato(
        prestador_id=prestador_id,
        pagador_id=pagador_id,
        numero=name,
        cucon=code or None,
        modalidad=modalidad,
        desde=desde,
        hasta=hasta,
        dias_pago=dias_pago,
        autorizacion=autorizacion.dato(),
        creado_at=at,
        creado_por=actor,
    )
    session.add(row)
    session.flush()
    apuntar(session, row, "crear_contrato", actor, at)
    return row


def _check(numero: str, modalidad: str, desde: date, hasta: date | None, cucon: str, dias: int | None) -> None:
    wrong = None
    if not numero_normal(numero) or len(numero) > MAX_NUMERO:
        wrong = ("numero", f"Escriba el número del contrato, de hasta {MAX_NUMERO} caracteres.")
    elif modalidad not in MODALIDADES:
        wrong = ("modalidad", f"La modalidad es una de {', '.join(MODALIDADES)}.")
    elif desde < PRIMER_DIA:
        wrong = ("desde", "La fecha de inicio no puede ser tan antigua.")
    else:
        wrong = falla_de_terminos(desde, hasta, cucon, dias)
    if wrong:
        raise BadInput(f"{wrong[1]} No se guardó el contrato.", code=f"contrato_{wrong[0]}")


def falla_de_terminos(desde: date, hasta: date | None, cucon: str, dias: int | None) -> tuple[str, str] | None:
    """Return the field and the words of what is wrong with terms of a contract or amendment; None when nothing is."""
    if hasta is not None and hasta < desde:
        return "hasta", "Con esas fechas termina antes de empezar."
    if cucon and not _CUCON.fullmatch(cucon):
        return "cucon", "El CUCON son 64 caracteres de 0 a 9 y de a a f; déjelo en blanco si aún no lo tiene."
    if dias is not None and not 0 < dias <= MAX_DIAS:
        return "dias_pago", f"Los días de pago van de 1 a {MAX_DIAS}."
    return None


def sin_cruce(
    session: Session, prestador_id: int, pagador_id: int, numero: str, desde: date, hasta: date | None, but: int = 0
) -> None:
    """Raise BadInput when another contract of this number runs between two days."""
    key = numero_normal(numero)
    for one in acuerdos_con(session, prestador_id, pagador_id):
        end = ultimo_dia(one)
        apart = (end is not None and end < desde) or (hasta is not None and hasta < one.desde)
        if one.id != but and numero_normal(one.numero) == key and not apart:
            until = f"hasta el {end:%d/%m/%Y}" if end else "sin fecha de cierre"
            raise BadInput(
                f"El contrato {one.numero} ya rige desde el {one.desde:%d/%m/%Y} {until}; no se guardó nada.",
                todo="Ciérrelo antes del día en que empieza el nuevo, o use otro número.",
                code="contrato_repetido",
            )


def cerrar(
    session: Session, contrato: Contrato, hasta: date | None, *, visto: date | None, actor: str, at: datetime
) -> None:
    """Set the last day of a contract (None: it has none). `visto` is the last day that the person saw.

    Raises StalePage when somebody changed it meanwhile, BadInput when it would end before it began or run twice.
    """
    session.refresh(contrato, with_for_update=True)
    if contrato.hasta != visto:
        raise StalePage("Otra persona ya cambió la vigencia de este contrato; no se hizo nada.")
    if session.scalar(select(Otrosi.id).where(Otrosi.contrato_id == contrato.id).limit(1)) is not None:
        raise BadInput(
            "La vigencia de este contrato la fija su último otrosí; no se cambió nada.",
            todo="Registre otro otrosí con el nuevo último día.",
            code="contrato_hasta",
        )
    if hasta is not None and hasta < contrato.desde:
        raise BadInput("El contrato terminaría antes de empezar; no se cambió nada.", code="contrato_hasta")
    sin_cruce(
        session, contrato.prestador_id, contrato.pagador_id, contrato.numero, contrato.desde, hasta, but=contrato.id
    )
    if hasta == contrato.hasta:
        return
    contrato.hasta = hasta
    session.flush()
    apuntar(session, contrato, f"cerrar_contrato:{hasta.isoformat() if hasta else 'abierto'}", actor, at)


def listar(session: Session, prestador_ids: Collection[int], pagador_id: int | None = None) -> list[Contrato]:
    """Return the contracts of some providers: by payer's name, the newest first."""
    query = (
        select(Contrato)
        .join(Pagador, Pagador.id == Contrato.pagador_id)
        .where(Contrato.prestador_id.in_(prestador_ids))
        .order_by(Pagador.nombre, Pagador.id, Contrato.desde.desc(), Contrato.id.desc())
    )
    if pagador_id is not None:
        query = query.where(Contrato.pagador_id == pagador_id)
    return list(session.scalars(query))


def acuerdo_de(row: Contrato, otrosies: Iterable[Otrosi] = ()) -> Acuerdo:
    """Return a contract as a value for a comparison, with its amendments in the order in which they begin."""
    amended = (
        Acuerdo(
            row.id, row.numero, one.cucon or "", row.modalidad, one.desde, one.hasta, one.dias_pago,
            ReglaAutorizacion.de(one.autorizacion), one.numero,
        )
        for one in sorted(otrosies, key=lambda one: (one.desde, one.numero))
    )  # fmt: skip
    return Acuerdo(
        row.id, row.numero, row.cucon or "", row.modalidad, row.desde, row.hasta, row.dias_pago,
        ReglaAutorizacion.de(row.autorizacion), 0, tuple(amended),
    )  # fmt: skip


def acuerdos_de(session: Session, rows: Sequence[Contrato]) -> list[Acuerdo]:
    """Return contracts as values with their amendments, in their order."""
    amended: dict[int, list[Otrosi]] = {row.id: [] for row in rows}
    for one in session.scalars(select(Otrosi).where(Otrosi.contrato_id.in_(amended))):
        amended[one.contrato_id].append(one)
    return [acuerdo_de(row, amended[row.id]) for row in rows]


def ultimo_dia(acuerdo: Acuerdo) -> date | None:
    """Return the last day of a contract as its last amendment has it; None when it has no end."""
    return acuerdo.el(date.max).hasta


def acuerdos_con(session: Session, prestador_id: int, pagador_id: int | None) -> list[Acuerdo]:
    """Return all contracts of a provider with a payer as values, by id."""
    if pagador_id is None:
        return []
    rows = session.scalars(
        select(Contrato)
        .where(Contrato.prestador_id == prestador_id, Contrato.pagador_id == pagador_id)
        .order_by(Contrato.id)
    )
    return acuerdos_de(session, rows.all())


def leer_prefijos(text: str) -> tuple[str, ...]:
    """Return the beginnings of codes that a person typed, by comma or blank. Raises BadInput."""
    found = tuple(dict.fromkeys(codigo_normal(one) for one in re.split(r"[,;\s]+", text) if one.strip()))
    if len(found) > MAX_PREFIJOS or any(not _PREFIJO.fullmatch(one) for one in found):
        raise BadInput(
            "Los comienzos de código llevan solo letras y cifras, separados por comas; no se guardó el contrato.",
            todo="Por ejemplo: 8832, 8833, 39.",
            code="contrato_prefijos",
        )
    return found


def apuntar(session: Session, row: Contrato, action: str, actor: str, at: datetime) -> None:
    """Write an act on a contract in the provider's log."""
    record_reading(
        session, prestador_id=row.prestador_id, actor=actor, action=action[:30], purpose="administracion",
        object_=f"contrato:{row.id}", at=at,
    )  # fmt: skip
