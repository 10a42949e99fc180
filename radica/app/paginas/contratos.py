"""Contracts by payer, one contract with its lists and versions, the prices of a version, and the base lists.

Invariant: reading changes nothing; a price list leaves as the very file that was loaded, its download logged before
the first byte. Norm: Decreto 441 de 2022 (agreements between payers and providers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from radica.app.acciones.contratos_formas import AmendForm, CloseForm, LoadForm
from radica.app.paginas.comun import payer_names, provider_names, purpose_at, store
from radica.app.paginas.conciliacion_plano import query_id
from radica.app.paginas.contratos_plano import (
    READERS,
    WRITERS,
    blueprint,
    load_contract,
    load_list,
    may_write,
)
from radica.app.paginas.frases import who
from radica.audit.services import record_reading
from radica.custodia.models import Pieza
from radica.entidades.contratos import acuerdos_de, listar, ultimo_dia
from radica.entidades.contratos_models import Contrato, Precio, Tarifario
from radica.entidades.models import Pagador, Prestador
from radica.entidades.otrosies import de_contrato, tramos
from radica.entidades.tarifarios import bases as base_lists
from radica.entidades.tarifarios import lista_de, versiones
from radica.entidades.tarifas import MODALIDADES, Acuerdo, codigo_normal, listas_del_dia
from radica.kernel.clock import civil_date
from radica.kernel.errors import RadicaError
from radica.kernel.web import allow, current, db_session, now, person
from radica.kernel.web_paging import Page, cut, decode_cursor
from radica.users.services import actor_names

PAGE = 100


@dataclass(frozen=True)
class FilaContrato:
    """A contract on the list: its state today and how many lists rule it."""

    c: Contrato
    prestador: str
    a: Acuerdo
    """With the terms of today."""
    hasta: date | None
    """Its last day, as its last amendment has it."""
    vigente: bool
    listas: int


@blueprint.get("")
@allow(*READERS)
def lista() -> ResponseReturnValue:
    """List contracts by payer."""
    session, ids, today = db_session(), sorted(person().selected(*READERS)), civil_date(now())
    payer = query_id("pagador") or None
    rows = listar(session, ids, payer)
    names = payer_names(session, (row.pagador_id for row in rows))
    providers = provider_names(session, (row.prestador_id for row in rows))
    lists = _ruling(session, rows, today)
    shown = [
        FilaContrato(
            row, providers.get(row.prestador_id, ""), deal.el(today), ultimo_dia(deal), deal.rige(today),
            lists.get(row.id, 0),
        )
        for row, deal in zip(rows, acuerdos_de(session, rows), strict=True)
    ]  # fmt: skip
    groups = [
        (payer_id, names.get(payer_id, ""), list(part))
        for payer_id, part in groupby(shown, key=lambda one: one.c.pagador_id)
    ]
    return render_template(
        "contratos/lista.html",
        grupos=groups,
        cuantos=len(rows),
        MODALIDADES=MODALIDADES,
        varios=len(ids) > 1,
        escribe=person().may(*WRITERS),
        filtros_puestos=[("pagador", names.get(payer, "Un pagador"))] if payer else [],
        hoy=today,
    )


def _ruling(session: Session, rows: Sequence[Contrato], today: date) -> dict[int, int]:
    """Return how many lists of each contract rule today."""
    ids = [row.id for row in rows]
    lists = [lista_de(one) for one in session.scalars(select(Tarifario).where(Tarifario.contrato_id.in_(ids)))]
    return {one: len(listas_del_dia(lists, one, today)) for one in ids}


@blueprint.get("/<int:contrato_id>")
@allow(*READERS)
def ver(contrato_id: int) -> ResponseReturnValue:
    """Show one contract."""
    return contract_page(contrato_id)


def contract_page(
    contrato_id: int,
    *,
    cerrar: Any = None,
    lista: Any = None,
    otrosi: Any = None,
    error: RadicaError | None = None,
    acto: str = "",
) -> str:
    """Return the page of a contract; `cerrar`, `lista` and `otrosi` are forms as left, `acto` the open one."""
    with current().database.read() as session:
        row = load_contract(session, contrato_id)
        versions = versiones(session, row.id)
        today = civil_date(now())
        ruling = {one.id for one in listas_del_dia([lista_de(one) for one in versions], row.id, today)}
        amended = de_contrato(session, row.id)
        (deal,) = acuerdos_de(session, [row])
        actors = {row.creado_por} | {one.cargado_por for one in versions} | {one.creado_por for one in amended}
        names = actor_names(session, actors)
        end = row.hasta.isoformat() if row.hasta else ""
        return render_template(
            "contratos/contrato.html",
            c=row,
            a=deal,
            hoy_rige=deal.el(today),
            fin=ultimo_dia(deal),
            tramos=list(reversed(tramos(deal))),
            otrosies={one.numero: one for one in amended},
            pagador=session.get_one(Pagador, row.pagador_id),
            prestador=session.get_one(Prestador, row.prestador_id),
            versiones=versions,
            rigen=ruling,
            bases=base_lists(session, row.prestador_id),
            archivos=_files(session, row.prestador_id, {one.sha256 for one in versions}),
            nombres={one: who(one, names) for one in actors},
            MODALIDADES=MODALIDADES,
            escribe=may_write(row.prestador_id),
            cerrar=cerrar or CloseForm(prefix="cerrar", formdata=None, visto=end, hasta=row.hasta),
            lista=lista or LoadForm(prefix="lista", formdata=None, desde=_first_day(deal, today, bool(amended))),
            otrosi=otrosi or _amend_form(deal.el(date.max), len(amended)),
            error=error,
            acto=acto,
            hoy=today,
        )


def _first_day(deal: Acuerdo, today: date, amended: bool) -> date:
    """Return from when a list loaded now would rule: with the newest amendment, else from today."""
    return max(deal.otrosies, key=lambda one: one.otrosi).desde if amended else max(deal.desde, today)


def _amend_form(last: Acuerdo, seen: int) -> AmendForm:
    """Return the form of an amendment with the terms that it would change."""
    return AmendForm(
        prefix="otrosi", formdata=None, visto=str(seen), hasta=last.hasta, cucon=last.cucon, dias_pago=last.dias_pago,
        autoriza_todos=last.autorizacion.todos, autoriza_hospitalizacion=last.autorizacion.hospitalizacion,
        prefijos=", ".join(last.autorizacion.prefijos),
    )  # fmt: skip


def _files(session: Session, prestador_id: int, hashes: set[str]) -> dict[str, str]:
    """Return the names under which the files of some lists are in custody."""
    rows = session.execute(
        select(Pieza.sha256, Pieza.nota).where(
            Pieza.prestador_id == prestador_id, Pieza.sha256.in_(hashes), Pieza.group_key == "tarifarios"
        )
    )
    return {row.sha256: row.nota for row in rows}


@blueprint.get("/bases")
@allow(*READERS)
def bases() -> ResponseReturnValue:
    """Show the base lists of each provider in view."""
    return houses_page()


def houses_page(*, form: Any = None, prestador_id: int = 0, error: RadicaError | None = None) -> str:
    """Return the page of base lists; `form` is the one of a provider as a person left it."""
    with current().database.read() as session:
        view = person().selected(*READERS)
        houses = [one for one in person().providers if one.id in view]
        rows = {one.id: base_lists(session, one.id) for one in houses}
        actors = {row.cargado_por for part in rows.values() for row in part}
        names = actor_names(session, actors)
        today = civil_date(now())
        forms = {
            one.id: form if form is not None and one.id == prestador_id else _fresh(today)
            for one in houses
            if may_write(one.id)
        }
        for house, one in forms.items():
            for field in one:
                field.id = f"{field.id}-{house}"  # several forms on one page: each label opens its own field
        return render_template(
            "contratos/bases.html",
            casas=houses,
            filas=rows,
            formas=forms,
            nombres={one: who(one, names) for one in actors},
            error=error,
            error_en=prestador_id,
        )


def _fresh(today: date) -> LoadForm:
    return LoadForm(prefix="lista", formdata=None, nombre="SOAT", base="SOAT", redondeo="centena", desde=today)


@blueprint.get("/tarifario/<int:tarifario_id>")
@allow(*READERS)
def precios(tarifario_id: int) -> ResponseReturnValue:
    """Show the prices of one version; `?buscar=` finds by code, CUPS or words."""
    session = db_session()
    row = load_list(session, tarifario_id)
    wanted = request.args.get("buscar", "").strip()[:80]
    query = select(Precio).where(Precio.tarifario_id == row.id)
    if wanted:
        code = codigo_normal(wanted)
        word = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(
            or_(Precio.codigo == code, Precio.cups == code, Precio.descripcion.ilike(word, escape="\\"))
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    at = decode_cursor(request.args.get("despues"), size=1)
    after = at[0] if at and isinstance(at[0], int) else 0
    rows = session.scalars(query.where(Precio.id > max(0, min(after, 2**62))).order_by(Precio.id).limit(PAGE + 1)).all()
    page = cut(rows, limit=PAGE, key=lambda one: [one.id], came_with=None)
    contract = session.get(Contrato, row.contrato_id) if row.contrato_id is not None else None
    names = actor_names(session, {row.cargado_por})
    return render_template(
        "contratos/precios.html",
        t=row,
        c=contract,
        pagador=session.get(Pagador, contract.pagador_id) if contract is not None else None,
        page=Page(page.rows, page.next, None, total),
        buscar=wanted,
        cargo=who(row.cargado_por, names),
        archivo=_files(session, row.prestador_id, {row.sha256}).get(row.sha256, ""),
    )


@blueprint.get("/tarifario/<int:tarifario_id>/archivo")
@allow(*READERS)
def archivo(tarifario_id: int) -> ResponseReturnValue:
    """Send the file of a list, byte for byte, always as an attachment."""
    with current().database.read() as session:
        row = load_list(session, tarifario_id)
        name = _files(session, row.prestador_id, {row.sha256}).get(row.sha256, "") or "tarifario"
    source = store().open(row.sha256)
    with current().database.write() as session:
        record_reading(
            session, prestador_id=row.prestador_id, actor=person().actor, action="descargar",
            purpose=purpose_at(row.prestador_id), object_=f"tarifario:{row.id}", sha256=row.sha256, at=now(),
        )  # fmt: skip
    answer = send_file(source, mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-SHA256"] = row.sha256
    return answer
