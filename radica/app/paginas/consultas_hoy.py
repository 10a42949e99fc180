"""What the day asks for: money by days left, the mixed list of work, what is stuck. SQL without Flask.

Invariant: each figure is counted with the very conditions of the list that it opens, so that the rows behind a number
make that number; only providers in view. Norm: Res. 948/2026 art. 15 (22 business days to file).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from radica.app.paginas.consultas_facturas import within
from radica.app.paginas.urgencia import SIN_PLAZO, rangos
from radica.entidades.models import EstadoPrestador, Pagador, Prestador
from radica.facturas.models import Factura, NoReconocido
from radica.facturas.states import POR_RADICAR, REVISABLES, EstadoFactura
from radica.plazos.rules import EstadoPlazo, Paso, estado_fecha
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.states import POR_CONFIRMAR, EstadoEnvio
from radica.users.models import ClaseTarea, Tarea

WORK_SHOWN = 40
_RANK = {step: index for index, step in enumerate(Paso)}
VERBOS = {
    ClaseTarea.CONFIRMAR_RESULTADO: "Confirmar si llegó",
    ClaseTarea.CONSEGUIR_NUMERO: "Conseguir el número",
    ClaseTarea.ATENDER_PORTAL: "Atender el portal",
    ClaseTarea.ANULAR_Y_REEXPEDIR: "Anular y reexpedir",
    ClaseTarea.CORREGIR_RECHAZO: "Corregir el rechazo",
    ClaseTarea.RADICADA_POR_FUERA: "Aclarar radicación ajena",
}


@dataclass(frozen=True)
class Casilla:
    """A figure: how many and how much (centavos)."""

    cuantas: int
    valor: int


@dataclass(frozen=True)
class Trabajo:
    """One line of work. `plazo` is the state of RAD-01 of its invoice, if it still runs."""

    verbo: str
    factura_id: int | None
    numero: str
    pagador: str
    detalle: str
    valor: int | None
    plazo: EstadoPlazo | None
    vence: date | None
    envio_id: int | None = None


@dataclass(frozen=True)
class Atasco:
    """What is stuck, as counts."""

    por_confirmar: int
    sin_numero: Casilla
    por_anular: Casilla
    en_radicacion: Casilla
    a_mano: int
    no_reconocidos: int
    por_confirmar_prestadores: Sequence[str]


def by_urgency(session: Session, ids: Collection[int], hoy: date) -> dict[str, Casilla]:
    """Return rows and centavos of what is not filed by step of urgency; every step is there."""
    ranges = rangos(hoy)
    step = case(*((within(rango), name) for name, rango in ranges.items() if name != SIN_PLAZO), else_=SIN_PLAZO)
    query = (
        select(step, func.count(), func.coalesce(func.sum(Factura.valor), 0))
        .where(Factura.prestador_id.in_(ids), Factura.estado.in_([one.value for one in POR_RADICAR]))
        .group_by(step)
    )
    found = {name: Casilla(int(count), int(cents)) for name, count, cents in session.execute(query)}
    return {name: found.get(name, Casilla(0, 0)) for name in ranges}


def stuck(session: Session, ids: Collection[int], *, usuario_id: int) -> Atasco:
    """Return what does not move by itself."""
    states = {
        state: Casilla(int(count), int(cents))
        for state, count, cents in session.execute(
            select(Factura.estado, func.count(), func.coalesce(func.sum(Factura.valor), 0))
            .where(
                Factura.prestador_id.in_(ids),
                Factura.estado.in_(
                    [EstadoFactura.RECIBIDA_SIN_NUMERO, EstadoFactura.POR_ANULAR, EstadoFactura.EN_RADICACION]
                ),
            )
            .group_by(Factura.estado)
        )
    }
    nothing = Casilla(0, 0)
    unknown = select(func.count()).select_from(Intento)
    by_hand = select(func.count()).select_from(Envio)
    mine = NoReconocido.usuario_id == usuario_id
    tray = mine | (NoReconocido.prestador_id.in_(ids) & NoReconocido.usuario_id.is_(None))
    names = select(Prestador.nombre).where(Prestador.id.in_(ids), Prestador.estado == EstadoPrestador.POR_CONFIRMAR)
    return Atasco(
        por_confirmar=session.scalar(
            unknown.where(Intento.prestador_id.in_(ids), Intento.estado.in_([one.value for one in POR_CONFIRMAR]))
        )
        or 0,
        sin_numero=states.get(EstadoFactura.RECIBIDA_SIN_NUMERO, nothing),
        por_anular=states.get(EstadoFactura.POR_ANULAR, nothing),
        en_radicacion=states.get(EstadoFactura.EN_RADICACION, nothing),
        a_mano=session.scalar(
            by_hand.where(Envio.prestador_id.in_(ids), Envio.canal == "mano", Envio.estado == EstadoEnvio.PREPARADO)
        )
        or 0,
        no_reconocidos=session.scalar(
            select(func.count()).select_from(NoReconocido).where(NoReconocido.resuelto_at.is_(None), tray)
        )
        or 0,
        por_confirmar_prestadores=list(session.scalars(names.order_by(Prestador.nombre))),
    )


def work(session: Session, ids: Collection[int], hoy: date) -> tuple[list[Trabajo], int]:
    """Return the most urgent lines of work and how many there are in all."""
    tasks = _tasks(session, ids, hoy)
    taken = {one.factura_id for one in tasks if one.factura_id is not None}
    waiting, count = _waiting(session, ids, hoy)
    lines = tasks + [one for one in waiting if one.factura_id not in taken]
    return sorted(lines, key=_weight)[:WORK_SHOWN], len(tasks) + count - len(
        taken & {one.factura_id for one in waiting}
    )


def _weight(one: Trabajo) -> tuple[int, date, int]:
    # What may already be at the payer, or lies at a person, stands with what lapses today: it blocks the rest.
    own = _RANK[one.plazo.paso] if one.plazo is not None else len(_RANK)
    rank = min(own, _RANK[Paso.VENCE_HOY]) if one.envio_id is not None else own
    return rank, one.vence or date.max, -(one.valor or 0)


def _waiting(session: Session, ids: Collection[int], hoy: date) -> tuple[list[Trabajo], int]:
    """Return what a person must file or mend: all that is ready, and what is not ready and lapses soon."""
    soon = rangos(hoy)[Paso.DE_3_A_5.value].hasta
    states = [one.value for one in REVISABLES]
    urgent = Factura.vence_radicar.is_not(None) & (Factura.vence_radicar <= soon)
    where = (
        Factura.prestador_id.in_(ids),
        Factura.estado.in_(states),
        (Factura.estado == EstadoFactura.LISTA) | urgent,
    )
    rows = session.execute(
        select(Factura, Pagador.nombre)
        .outerjoin(Pagador, Pagador.id == Factura.pagador_id)
        .where(*where)
        .order_by(Factura.vence_radicar.is_(None), Factura.vence_radicar, Factura.valor.desc(), Factura.id)
        .limit(WORK_SHOWN)
    )
    count = session.scalar(select(func.count()).select_from(Factura).where(*where)) or 0
    return [_line(row, payer, hoy) for row, payer in rows], count


def _line(row: Factura, payer: str | None, hoy: date) -> Trabajo:
    plazo = estado_fecha(row.vence_radicar, hoy) if row.vence_radicar else None
    lapsed = plazo is not None and plazo.paso is Paso.VENCIDA and not row.extemporanea_por
    verb, detail = {
        EstadoFactura.LISTA: ("Radicar", "lista"),
        EstadoFactura.NO_LISTA: ("Corregir", "la revisión halló errores que impiden radicarla"),
        EstadoFactura.INCOMPLETA: ("Completar", "le faltan documentos"),
    }[row.estado]
    if lapsed:
        verb, detail = "Decidir", "se venció el término: anularla o autorizar que se radique así"
    return Trabajo(verb, row.id, row.numero, payer or "", detail, row.valor, plazo, row.vence_radicar)


def _tasks(session: Session, ids: Collection[int], hoy: date) -> list[Trabajo]:
    rows = list(
        session.scalars(
            select(Tarea)
            .where(
                Tarea.prestador_id.in_(ids),
                Tarea.cerrada_at.is_(None),
                Tarea.clase.in_([one.value for one in VERBOS]),
            )
            .order_by(Tarea.creada_at, Tarea.id)
            .limit(500)
        )
    )
    envios = {int(row.case_key[6:]) for row in rows if row.case_key.startswith("envio:")}
    first = (
        select(EnvioFactura.envio_id, func.min(EnvioFactura.factura_id))
        .where(EnvioFactura.envio_id.in_(envios))
        .group_by(EnvioFactura.envio_id)
    )
    by_envio = {int(row[0]): int(row[1]) for row in session.execute(first)}
    wanted = set(by_envio.values())
    wanted |= {int(row.case_key[8:]) for row in rows if row.case_key.startswith("factura:")}
    found = select(Factura, Pagador.nombre).outerjoin(Pagador, Pagador.id == Factura.pagador_id)
    invoices = {row.id: (row, payer) for row, payer in session.execute(found.where(Factura.id.in_(wanted)))}
    return [_task(row, by_envio, invoices, hoy) for row in rows]


def _task(
    row: Tarea, by_envio: dict[int, int], invoices: Mapping[int, tuple[Factura, str | None]], hoy: date
) -> Trabajo:
    kind, _, number = row.case_key.partition(":")
    envio_id = int(number) if kind == "envio" else None
    factura_id = by_envio.get(envio_id) if envio_id is not None else int(number) if kind == "factura" else None
    factura, payer = invoices.get(factura_id or 0, (None, None))
    runs = factura is not None and factura.vence_radicar is not None and factura.estado in POR_RADICAR
    return Trabajo(
        verbo=VERBOS[row.clase],
        factura_id=factura_id,
        numero=factura.numero if factura else "",
        pagador=payer or "",
        detalle=row.detalle or row.titulo,
        valor=factura.valor if factura else None,
        plazo=estado_fecha(factura.vence_radicar, hoy) if runs and factura and factura.vence_radicar else None,
        vence=factura.vence_radicar if runs and factura else None,
        envio_id=envio_id,
    )
