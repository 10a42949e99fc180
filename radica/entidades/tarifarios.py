"""Price lists of contracts, and base lists (SOAT, ISS) of a provider: stored as versions, looked up by code and day.

Invariant: rows are only added: a new version has its first day and the ones before stay as they were; the same file
with the same terms again adds nothing. A price made of a base keeps that base beside it, rounded once by the list's
own rule. Amounts are centavos. Norms: Decreto 780 de 2016 Anexo Técnico 1 (SOAT manual), Decreto 441 de 2022.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.entidades.contratos import acuerdos_de, ultimo_dia
from radica.entidades.contratos_models import Contrato, Precio, Tarifario
from radica.entidades.models import Prestador
from radica.entidades.tarifas import BASES, FACTOR_MAX, REDONDEOS, Lista, Pactado, Precios, con_factor
from radica.kernel.clock import civil_date
from radica.kernel.db import insert_rows, parts_of
from radica.kernel.errors import BadInput
from radica.kernel.money import MAX_CENTS

GENERAL = "General"
MAX_NOMBRE = 120
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class FilaPrecio:
    """One row of a list as read: code normalised, `valor` in centavos as the file says it (the base when there is one)."""

    codigo: str
    cups: str | None
    descripcion: str
    valor: int


@dataclass(frozen=True)
class Condiciones:
    """How a list is read: name, base, factor in hundredths of a percent over it, rounding, and its days."""

    desde: date
    nombre: str = GENERAL
    base: str = "PROPIA"
    factor: int = 0
    redondeo: str = "peso"
    hasta: date | None = None


def cargar(
    session: Session,
    contrato: Contrato | None,
    condiciones: Condiciones,
    filas: Sequence[FilaPrecio],
    *,
    prestador_id: int,
    sha256: str,
    origen_id: int | None = None,
    actor: str,
    at: datetime,
) -> tuple[Tarifario, bool]:
    """Store a version of a list and say whether it is new; without a contract it is a base list of the provider.

    `sha256` is the file, which the caller has in custody. Raises BadInput: no rows, terms out of range, dates.
    """
    end = ultimo_dia(acuerdos_de(session, [contrato])[0]) if contrato is not None else None
    terms = _checked(condiciones, end)
    if not filas:
        raise BadInput("La lista no tiene ningún precio que se pueda cargar; no se guardó.", code="tarifario_vacio")
    session.execute(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update(key_share=True))
    rows = session.scalars(
        select(Tarifario)
        .where(
            Tarifario.prestador_id == prestador_id,
            Tarifario.contrato_id == contrato.id if contrato is not None else Tarifario.contrato_id.is_(None),
            Tarifario.nombre == terms.nombre,
        )
        .order_by(Tarifario.version)
    ).all()
    same = [row for row in rows if row.desde == terms.desde]
    if same and _terms_of(same[-1]) == terms and same[-1].sha256 == sha256:
        return same[-1], False
    prices = [(one, con_factor(one.valor, terms.factor, terms.redondeo)) for one in filas]
    if any(not 0 <= value <= MAX_CENTS for _, value in prices):
        raise BadInput("Con ese porcentaje hay precios imposibles; no se guardó la lista.", code="tarifario_factor")
    row = Tarifario(
        prestador_id=prestador_id,
        contrato_id=contrato.id if contrato is not None else None,
        origen_id=origen_id,
        nombre=terms.nombre,
        version=rows[-1].version + 1 if rows else 1,
        base=terms.base,
        factor=terms.factor,
        redondeo=terms.redondeo,
        desde=terms.desde,
        hasta=terms.hasta,
        sha256=sha256,
        filas=len(filas),
        cargado_at=at,
        cargado_por=actor,
    )
    session.add(row)
    session.flush()
    _insert(session, row, prices)
    record_reading(
        session, prestador_id=prestador_id, actor=actor, action="cargar_tarifario", purpose="administracion",
        object_=f"tarifario:{row.id}", sha256=sha256, at=at,
    )  # fmt: skip
    return row, True


def _checked(terms: Condiciones, fin: date | None) -> Condiciones:
    name = " ".join(terms.nombre.split()) or GENERAL
    wrong = None
    if len(name) > MAX_NOMBRE:
        wrong = ("nombre", f"El nombre de la lista pasa de {MAX_NOMBRE} caracteres.")
    elif terms.base not in BASES:
        wrong = ("base", f"La base es una de {', '.join(BASES)}.")
    elif not -10_000 < terms.factor <= FACTOR_MAX:
        wrong = ("factor", "El porcentaje va de -99,99 a 1000.")
    elif terms.base == "PROPIA" and terms.factor:
        wrong = ("factor", "Un porcentaje se aplica sobre una base SOAT o ISS, no sobre precios propios.")
    elif terms.redondeo not in REDONDEOS:
        wrong = ("redondeo", f"El redondeo es uno de {', '.join(REDONDEOS)}.")
    elif terms.hasta is not None and terms.hasta < terms.desde:
        wrong = ("hasta", "La lista termina antes de empezar.")
    elif fin is not None and fin < terms.desde:
        wrong = ("desde", f"El contrato terminó el {fin:%d/%m/%Y}, antes de que la lista empiece.")
    if wrong:
        raise BadInput(f"{wrong[1]} No se guardó la lista.", code=f"tarifario_{wrong[0]}")
    return Condiciones(terms.desde, name, terms.base, terms.factor, terms.redondeo, terms.hasta)


def _terms_of(row: Tarifario) -> Condiciones:
    return Condiciones(row.desde, row.nombre, row.base, row.factor, row.redondeo, row.hasta)


def _insert(session: Session, row: Tarifario, prices: Sequence[tuple[FilaPrecio, int]]) -> None:
    own = row.base == "PROPIA"
    for start in range(0, len(prices), _AT_ONCE):
        insert_rows(
            session,
            Precio,
            [
                {
                    "tarifario_id": row.id,
                    "codigo": one.codigo,
                    "cups": one.cups,
                    "descripcion": one.descripcion,
                    "valor": value,
                    "base": None if own else one.valor,
                }
                for one, value in prices[start : start + _AT_ONCE]
            ],
        )


def versiones(session: Session, contrato_id: int) -> list[Tarifario]:
    """Return the versions of a contract's lists: by name, the newest first."""
    return list(
        session.scalars(
            select(Tarifario)
            .where(Tarifario.contrato_id == contrato_id)
            .order_by(Tarifario.nombre, Tarifario.version.desc())
        )
    )


def bases(session: Session, prestador_id: int) -> list[Tarifario]:
    """Return the base lists of a provider, the newest first."""
    return list(
        session.scalars(
            select(Tarifario)
            .where(Tarifario.prestador_id == prestador_id, Tarifario.contrato_id.is_(None))
            .order_by(Tarifario.base, Tarifario.desde.desc(), Tarifario.version.desc())
        )
    )


def base_del_dia(session: Session, prestador_id: int, base: str, dia: date) -> Tarifario:
    """Return the base list of a provider in force on a day: the one that began last. Raises BadInput without one."""
    for row in bases(session, prestador_id):
        if row.base == base and row.desde <= dia and (row.hasta is None or dia <= row.hasta):
            return row
    raise BadInput(
        f"No hay lista base {base} que rija el {dia:%d/%m/%Y}; no se guardó nada.",
        todo="Cargue primero la lista base, o dé un archivo con sus valores.",
        code="tarifario_sin_base",
    )


def filas_de(session: Session, tarifario: Tarifario) -> list[FilaPrecio]:
    """Return the prices of a list as rows, to make another out of it."""
    rows = session.execute(
        select(Precio.codigo, Precio.cups, Precio.descripcion, Precio.valor)
        .where(Precio.tarifario_id == tarifario.id)
        .order_by(Precio.id)
    )
    return [FilaPrecio(row.codigo, row.cups, row.descripcion, row.valor) for row in rows]


def lista_de(row: Tarifario) -> Lista:
    """Return a version as a value for a comparison. Raises ValueError for a base list, which no contract has."""
    if row.contrato_id is None:
        raise ValueError("a base list applies to no invoice")
    return Lista(
        row.id, row.contrato_id, row.nombre, row.version, row.base, row.factor, row.desde, row.hasta, row.sha256,
        row.cargado_por, civil_date(row.cargado_at).isoformat(),
    )  # fmt: skip


def listas_de(session: Session, contrato_ids: Collection[int]) -> list[Lista]:
    """Return every version of the lists of some contracts as values, by id."""
    if not contrato_ids:
        return []
    rows = session.scalars(select(Tarifario).where(Tarifario.contrato_id.in_(contrato_ids)).order_by(Tarifario.id))
    return [lista_de(row) for row in rows]


def precios_de(session: Session, listas: Sequence[Lista], codigos: Collection[str]) -> Precios:
    """Return the prices of some codes in some lists, under their code and under their CUPS."""
    by_id = {one.id: one for one in listas}
    found: dict[int, dict[str, list[Pactado]]] = defaultdict(lambda: defaultdict(list))
    if not by_id:
        return {}
    for part in parts_of(sorted(set(codigos))):
        rows = session.execute(
            select(Precio.tarifario_id, Precio.codigo, Precio.cups, Precio.valor)
            .where(Precio.tarifario_id.in_(by_id), or_(Precio.codigo.in_(part), Precio.cups.in_(part)))
            .order_by(Precio.id)
        )
        wanted = set(part)
        for list_id, code, cups, value in rows:
            price = Pactado(by_id[list_id], code, cups, value)
            for key in {code, cups or code} & wanted:
                found[list_id][key].append(price)
    return {list_id: {key: tuple(prices) for key, prices in codes.items()} for list_id, codes in found.items()}
