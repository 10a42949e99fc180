"""Templates of a provider: written as versions, chosen by the most specific, filled with the facts of a case.

Invariant: no version is ever changed: a change is a new version, and answers go on pointing to the one that they used;
one version of each is in force. Norm: answer codes of Res. 2284/2023 Anexo Técnico 3.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas import codes
from radica.glosas.bandeja.work_models import Plantilla, Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.template_text import Texto, llenar, validar
from radica.kernel.clock import civil_date
from radica.kernel.db import insert_rows
from radica.kernel.errors import BadInput, StalePage
from radica.kernel.money import format_cop
from radica.plazos.table import versions

MAX_CLAVE, MAX_NOMBRE = 60, 120


@cache
def iniciales() -> tuple[dict[str, str], ...]:
    """Return the starter set: keys `clave`, `nombre`, `codigo`, `respuesta`, `texto`."""
    text = files("radica.glosas").joinpath("data", "plantillas.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def sembrar(session: Session, *, prestador_id: int, actor: str, at: datetime) -> int:
    """Give a provider the starter templates that it never had; returns how many. Safe to repeat."""
    known = set(session.scalars(select(Plantilla.clave).where(Plantilla.prestador_id == prestador_id)))
    fresh = [row for row in iniciales() if row["clave"] not in known]
    common = {"prestador_id": prestador_id, "version": 1, "pagador_id": None, "vigente": True}
    rows = [{**common, "creada_at": at, "creada_por": actor, **row} for row in fresh]
    # Two imports at once may both find that there is none.
    insert_rows(session, Plantilla, rows, again=True)
    return len(fresh)


def crear_version(
    session: Session,
    *,
    prestador_id: int,
    clave: str,
    nombre: str,
    texto: str,
    respuesta: str,
    codigo: str = "",
    pagador_id: int | None = None,
    actor: str,
    at: datetime,
) -> Plantilla:
    """Write a template, or the next version of it; the one before is kept and no longer offered.

    The same content again gives the version in force. Raises BadInput (key, name, codes, text), StalePage when
    somebody wrote a version meanwhile.
    """
    key, name, kept = clave.strip().lower(), nombre.strip(), validar(texto)
    if not key or len(key) > MAX_CLAVE or not name or len(name) > MAX_NOMBRE:
        raise BadInput("La plantilla necesita una clave y un nombre cortos; no se guardó.", code="plantilla_sin_nombre")
    _check_codes(respuesta, codigo)
    rows = session.scalars(
        select(Plantilla)
        .where(Plantilla.prestador_id == prestador_id, Plantilla.clave == key)
        .order_by(Plantilla.version)
    ).all()
    same = (name, kept, respuesta, codigo, pagador_id)
    for row in rows:
        if row.vigente and (row.nombre, row.texto, row.respuesta, row.codigo, row.pagador_id) == same:
            return row
        row.vigente = False
    new = Plantilla(
        prestador_id=prestador_id,
        clave=key,
        version=rows[-1].version + 1 if rows else 1,
        nombre=name,
        codigo=codigo,
        pagador_id=pagador_id,
        respuesta=respuesta,
        texto=kept,
        vigente=True,
        creada_at=at,
        creada_por=actor,
    )
    session.add(new)
    try:
        session.flush()
    except IntegrityError as taken:
        raise StalePage("Otra persona acaba de cambiar esta plantilla; no se guardó.") from taken
    return new


def _check_codes(respuesta: str, codigo: str) -> None:
    rule = catalogo().get(respuesta)
    if rule is None or rule.autor != "ips":
        raise BadInput(f"«{respuesta[:12]}» no es un código con que responda el prestador.", code="respuesta_mala")
    if not codigo:
        return
    found = codes.buscar(codigo)
    if found is None or found.tipo == "respuesta":
        raise BadInput(
            f"Ningún manual tiene el código «{codigo[:12]}».",
            todo="Use un código o sus dos letras.",
            code="codigo_malo",
        )
    if (found.tipo == "devolucion") != (rule.acto == "devolucion"):
        raise BadInput(
            f"{respuesta} no responde a {codigo}.", todo="Revise si es glosa o devolución.", code="codigos_no_casan"
        )


def retirar(session: Session, *, prestador_id: int, clave: str) -> int:
    """Stop offering a template; its versions stay for the answers that used them. Returns how many were in force."""
    rows = session.scalars(
        select(Plantilla).where(
            Plantilla.prestador_id == prestador_id, Plantilla.clave == clave, Plantilla.vigente.is_(True)
        )
    ).all()
    for row in rows:
        row.vigente = False
    session.flush()
    return len(rows)


def vigentes(session: Session, *, prestador_id: int) -> list[Plantilla]:
    """Return the templates in force of a provider, by name."""
    return list(
        session.scalars(
            select(Plantilla)
            .where(Plantilla.prestador_id == prestador_id, Plantilla.vigente.is_(True))
            .order_by(Plantilla.nombre, Plantilla.id)
        )
    )


def elegir(session: Session, objecion: Glosa | Devolucion, *, respuesta: str = "", limite: int = 8) -> list[Plantilla]:
    """Return the templates that fit an objection, the most specific first: by code, then by payer, then by name.

    A template fits by the code itself, its specific, its family or no code, and for any payer or this one. An old
    code also takes those of the specific that surely replaces it. `respuesta` keeps those of one answer code.
    """
    act = "devolucion" if isinstance(objecion, Devolucion) else "glosa"
    rank = _ranks(objecion.codigo)
    rules = catalogo()
    fits = [
        row
        for row in vigentes(session, prestador_id=objecion.prestador_id)
        if row.codigo in rank
        and row.pagador_id in (None, objecion.pagador_id)
        and rules[row.respuesta].acto == act
        and (not respuesta or row.respuesta == respuesta)
    ]
    fits.sort(key=lambda row: (-rank[row.codigo], row.pagador_id is None, row.nombre, row.id))
    return fits[:limite]


def _ranks(codigo: str) -> dict[str, int]:
    """Return which codes of a template fit this one, higher is nearer."""
    rank = {"": 0, codigo: 3}
    found = codes.buscar(codigo)
    if found is not None:
        rank.setdefault(found.familia, 1)
        rank.setdefault(found.especifico, 2)
        for heir in codes.homologar(codigo):
            if heir.confianza == "alta" and len(heir.codigo) == 4:
                rank.setdefault(heir.codigo, 2)
    return rank


def valores_de(
    session: Session, objecion: Glosa | Devolucion, *, aceptado: int = 0, soportes: str = ""
) -> dict[str, str]:
    """Return what a case tells for the variables of a template. `aceptado` in centavos. No patient data."""
    invoice = session.get_one(Factura, objecion.factura_id)
    code = codes.buscar(objecion.codigo)
    glosa = objecion if isinstance(objecion, Glosa) else None
    disputed = glosa.en_disputa if glosa else objecion.valor
    term = versions("GLO-01" if glosa else "DEV-01")[-1].cantidad
    return {
        "factura": invoice.numero,
        "radicado": invoice.radicado or "",
        "fecha_radicacion": _day(invoice.fecha_radicacion),
        "fecha_notificacion": _day(objecion.notificada_at),
        "dias_habiles": "" if objecion.dias_pagador is None else str(objecion.dias_pagador),
        "termino_pagador": str(term),
        "codigo": objecion.codigo,
        "descripcion_codigo": code.texto if code else "",
        "numero_glosa": (glosa.numero_glosa if glosa else objecion.numero if isinstance(objecion, Devolucion) else "")
        or "",
        "item": " ".join(part for part in (glosa.descripcion_servicio, glosa.servicio) if part) if glosa else "",
        "valor_objetado": format_cop(disputed),
        "valor_aceptado": format_cop(aceptado) if aceptado else "",
        "valor_defendido": format_cop(disputed - aceptado),
        "valor_factura": "" if invoice.valor is None else format_cop(invoice.valor),
        "pagador": session.get_one(Pagador, objecion.pagador_id).nombre,
        "prestador": session.get_one(Prestador, objecion.prestador_id).nombre,
        "nit_prestador": session.get_one(Prestador, objecion.prestador_id).nit,
        "soportes": soportes,
    }


def _day(at: datetime | date | None) -> str:
    if at is None:
        return ""
    return f"{civil_date(at) if isinstance(at, datetime) else at:%d/%m/%Y}"


def escribir(
    session: Session,
    plantilla: Plantilla,
    objecion: Glosa | Devolucion,
    *,
    aceptado: int = 0,
    soportes: str = "",
    de_la_persona: Mapping[str, str] | None = None,
) -> Texto:
    """Return a template filled for an objection. Raises BadInput when it is another provider's."""
    if plantilla.prestador_id != objecion.prestador_id:
        raise BadInput("Esa plantilla es de otro prestador.", code="plantilla_ajena")
    values = valores_de(session, objecion, aceptado=aceptado, soportes=soportes) | dict(de_la_persona or {})
    return llenar(plantilla.texto, values)


def usos(session: Session, *, prestador_id: int) -> dict[int, int]:
    """Return how many answers used each template version of a provider."""
    rows = session.execute(
        select(Respuesta.plantilla_id, func.count())
        .where(Respuesta.prestador_id == prestador_id, Respuesta.plantilla_id.is_not(None))
        .group_by(Respuesta.plantilla_id)
    )
    return {row_id: count for row_id, count in rows if row_id is not None}
