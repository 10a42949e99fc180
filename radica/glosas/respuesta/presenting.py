"""Our answers on their way to the payer: the order, what is handed in, and what the end of the envío does to them.

Invariant: one envío per invoice, act and round carries all its approved answers, and only when no line of that round
lacks one (a portal closes whole accounts); what an envío carries is not touched; only sealed proof makes an answer
presented. Norms: Ley 1438/2011 art. 57 (GLO-03, GLO-05), Res. 2284/2023 art. 6.2 (DEV-02).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import LegalThing, Reason
from radica.audit.services import Move, advance_all, lock_all
from radica.facturas.models import Documento, Factura
from radica.glosas.acts import register_answers_presented
from radica.glosas.bandeja.tray_filter import stake
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta.answer_draft import draft_of, problems_of
from radica.glosas.states import DEV_POR_RESPONDER, POR_RESPONDER, EstadoRespuesta, EventoRespuesta
from radica.kernel.clock import civil_date
from radica.kernel.errors import NotFound
from radica.kernel.money import format_cop
from radica.portales.models import CuentaPortal
from radica.portales.services import account_for
from radica.radicacion.effects import Acuse, Closing, Effects, Words, register
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.opening import open_envio
from radica.radicacion.package import PackageFile, safe
from radica.radicacion.services import enqueue_filing
from radica.radicacion.states import ABIERTOS, Acto
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks

BOTS = frozenset({"p2_cuentas_medicas"})
"""Archetypes whose bot answers glosas; devoluciones are answered by hand."""
ROLE = "RESPUESTA"
"""Role of a file that is handed in with an answer."""
_OF_FACTS = frozenset(
    {"notificada_a_tiempo", "extemporanea_sin_fechas", "acepta_de_mas", "acepta_incompleto", "parte_que_no_es_parte"}
)
"""Problems of an answer that may come after its approval, from a notice date or an amount put right."""
WEAK = 2
"""Below this level the proof is words on a page: the answer counts, and its history says so."""


@dataclass(frozen=True)
class Rechazo:
    """An invoice whose answers could not be ordered, with every reason."""

    factura_id: int
    numero: str
    motivos: tuple[str, ...]


@dataclass(frozen=True)
class Ordenadas:
    """What came of an order: the envíos opened and the invoices refused."""

    envios: tuple[Envio, ...]
    rechazos: tuple[Rechazo, ...]


def order_answers(
    session: Session, respuesta_ids: Sequence[int], *, actor: str, at: datetime, canal: str | None = None
) -> Ordenadas:
    """Order that approved answers be presented: by bot where the payer has one for it, by hand otherwise.

    Each invoice goes whole: with the answers named go all others that are approved in the same round. `canal='mano'`
    keeps the bots away. Raises NotFound when an answer does not exist.
    """
    asked = list(session.scalars(select(Respuesta).where(Respuesta.id.in_(set(respuesta_ids))).order_by(Respuesta.id)))
    if len(asked) != len(set(respuesta_ids)):
        raise NotFound("Alguna de las respuestas no existe; no se ordenó nada.")
    groups: dict[tuple[int, Acto, int], list[Respuesta]] = {}
    for row in asked:
        groups.setdefault((row.factura_id, _act(row), row.ronda), []).append(row)
    facturas = {row.id: row for row in _facturas(session, {row.factura_id for row in asked})}
    # The invoice is the gate: two orders for it follow each other, and the second finds the answers on their way.
    lock_all(session, [*facturas.values(), *asked])
    envios, rechazos = [], []
    for (factura_id, acto, ronda), named in sorted(
        groups.items(), key=lambda item: (item[0][0], item[0][1], item[0][2])
    ):
        factura = facturas[factura_id]
        done = _order(session, factura, acto, ronda, named, canal=canal, actor=actor, at=at)
        if isinstance(done, Rechazo):
            rechazos.append(done)
        else:
            envios.append(done)
    return Ordenadas(tuple(envios), tuple(rechazos))


def _order(
    session: Session,
    factura: Factura,
    acto: Acto,
    ronda: int,
    named: Sequence[Respuesta],
    *,
    canal: str | None,
    actor: str,
    at: datetime,
) -> Envio | Rechazo:
    things = _due(session, factura, acto, ronda)
    rows = _answers(session, factura, acto, ronda)
    asked, due = {row.id for row in named}, {(thing.KIND, thing.id) for thing in things}
    # What was accepted by silence goes only when a person names it: its answer may have been given in time elsewhere.
    ready = [row for row in rows if row.estado is EstadoRespuesta.APROBADA and (row.id in asked or _target(row) in due)]
    motivos = [_not_ready(row) for row in named if row.estado is not EstadoRespuesta.APROBADA]
    motivos += _no_longer_true(session, ready)
    answered = {_target(row) for row in ready}
    motivos += [
        f"Falta aprobar la respuesta a {_called(thing)}." for thing in things if (thing.KIND, thing.id) not in answered
    ]
    account = None if canal == "mano" else _account(session, ready, acto)
    motivos += _files_refused(session, ready) if account else []
    if _under_way(session, factura, acto):
        motivos.append("Ya va en camino otra respuesta de esta factura: espere su resultado.")
    if motivos or not ready:
        return Rechazo(factura.id, factura.numero, tuple(dict.fromkeys(motivos)) or ("No hay respuestas aprobadas.",))
    lock_all(session, ready)
    envio = open_envio(
        session,
        acto,
        _envio_round(session, factura, acto, ronda),
        [(factura, sum(stake(thing_of(session, row)) for row in ready))],
        pagador_id=thing_of(session, ready[0]).pagador_id,
        account=account,
        actor=actor,
        at=at,
        reason=Reason.ORDEN_DE_PERSONA,
    )
    for row in ready:
        row.envio_id = envio.id
    facts = {"envio": envio.id}
    moves = [Move(row, EventoRespuesta.ENVIAR, Reason.ORDEN_DE_PERSONA, facts=facts) for row in ready]
    advance_all(session, moves, actor=actor, at=at)
    if account:
        enqueue_filing(session, envio, account)
    _close_refusals(session, factura, acto, actor=actor, at=at)
    return envio


def _close_refusals(session: Session, factura: Factura, acto: Acto, *, actor: str, at: datetime) -> None:
    """Close the tasks that asked to mend what the payer refused of the same invoice and act."""
    refused = session.scalars(
        select(EnvioFactura.envio_id).where(
            EnvioFactura.factura_id == factura.id, EnvioFactura.acto == acto, EnvioFactura.vivo == 0
        )
    )
    for envio_id in sorted(set(refused)):
        close_tasks(
            session, f"{Envio.KIND}:{envio_id}", por=actor, resultado="Se volvió a presentar", at=at,
            clases=[ClaseTarea.CORREGIR_RECHAZO],
        )  # fmt: skip


def answers_of_envio(session: Session, envio: Envio) -> list[Respuesta]:
    """Return the answers that an envío carries, in the order of their ids."""
    return list(session.scalars(select(Respuesta).where(Respuesta.envio_id == envio.id).order_by(Respuesta.id)))


def answer_files(session: Session, envio: Envio) -> dict[str, PackageFile]:
    """Return the supports that the answers of an envío hand in, by SHA-256, each under a name of its own.

    Raises NotFound when one is no document of the invoice.
    """
    files: dict[str, PackageFile] = {}
    taken: set[str] = set()
    for row in answers_of_envio(session, envio):
        for sha256 in row.soportes:
            if sha256 in files:
                continue
            document = _document(session, row.factura_id, sha256)
            if document is None:
                raise NotFound("Un soporte de la respuesta ya no está entre los documentos de la factura.")
            name = _unique(document.nombre, taken)
            files[sha256] = PackageFile(ROLE, document.sigla, name, sha256, document.bytes)
    return files


# -- what is due


def _due(session: Session, factura: Factura, acto: Acto, ronda: int) -> Sequence[Glosa | Devolucion]:
    if acto is Acto.RESPUESTA_DEVOLUCION:
        return session.scalars(
            select(Devolucion).where(Devolucion.factura_id == factura.id, Devolucion.estado.in_(DEV_POR_RESPONDER))
        ).all()
    return session.scalars(
        select(Glosa)
        .where(Glosa.factura_id == factura.id, Glosa.ronda == ronda, Glosa.estado.in_(POR_RESPONDER))
        .order_by(Glosa.id)
    ).all()


def _answers(session: Session, factura: Factura, acto: Acto, ronda: int) -> list[Respuesta]:
    link = Respuesta.glosa_id if acto is Acto.RESPUESTA_GLOSA else Respuesta.devolucion_id
    living = Respuesta.estado.not_in([EstadoRespuesta.DESCARTADA, EstadoRespuesta.PRESENTADA])
    return list(
        session.scalars(
            select(Respuesta)
            .where(Respuesta.factura_id == factura.id, Respuesta.ronda == ronda, link.is_not(None), living)
            .order_by(Respuesta.id)
        )
    )


def _not_ready(row: Respuesta) -> str:
    label = Respuesta.MACHINE.labels[row.estado].lower()
    return f"La respuesta {row.codigo} de la línea {row.glosa_id or row.devolucion_id} está «{label}»."


def _no_longer_true(session: Session, rows: Iterable[Respuesta]) -> list[str]:
    """Say what the rules of a code refuse now that held when the answer was approved: a date or an amount changed."""
    found = []
    for row in rows:
        thing = thing_of(session, row)
        problems = problems_of(session, thing, draft_of(row))
        found += [f"Respuesta a {_called(thing)}: {one.mensaje}" for one in problems if one.codigo in _OF_FACTS]
    return found


def _called(thing: Glosa | Devolucion) -> str:
    if isinstance(thing, Devolucion):
        return f"la devolución {thing.codigo}"
    return f"la glosa {thing.codigo} por {format_cop(thing.en_disputa)}"


def _account(session: Session, rows: Sequence[Respuesta], acto: Acto) -> CuentaPortal | None:
    if acto is not Acto.RESPUESTA_GLOSA or not rows:
        return None
    thing = thing_of(session, rows[0])
    found = account_for(session, prestador_id=thing.prestador_id, pagador_id=thing.pagador_id)
    return found if found is not None and found.arquetipo in BOTS else None


def _files_refused(session: Session, rows: Iterable[Respuesta]) -> list[str]:
    """Say which supports a portal would not take: it takes PDF only."""
    refused = []
    for row in rows:
        for sha256 in row.soportes:
            document = _document(session, row.factura_id, sha256)
            if document is None or not document.nombre.lower().endswith(".pdf"):
                name = document.nombre if document else "que se escogió"
                refused.append(f"El soporte {name} no es un PDF de la factura: el portal solo recibe PDF.")
    return refused


def _under_way(session: Session, factura: Factura, acto: Acto) -> bool:
    query = (
        select(Envio.id)
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .where(EnvioFactura.factura_id == factura.id, EnvioFactura.acto == acto, Envio.estado.in_(ABIERTOS))
    )
    return session.scalar(query.limit(1)) is not None


def _envio_round(session: Session, factura: Factura, acto: Acto, ronda: int) -> int:
    """The round of the envío: the answer's, or the next free one when a late line of the same round comes after."""
    held = session.scalar(
        select(func.max(EnvioFactura.ronda)).where(
            EnvioFactura.factura_id == factura.id, EnvioFactura.acto == acto, EnvioFactura.vivo == 1
        )
    )
    return max(ronda, (held or 0) + 1)


def _facturas(session: Session, ids: Iterable[int]) -> Sequence[Factura]:
    return session.scalars(select(Factura).where(Factura.id.in_(ids)).order_by(Factura.id)).all()


def _act(row: Respuesta) -> Acto:
    return Acto.RESPUESTA_GLOSA if row.glosa_id is not None else Acto.RESPUESTA_DEVOLUCION


def _target(row: Respuesta) -> tuple[str, int]:
    return (Glosa.KIND, row.glosa_id) if row.glosa_id is not None else (Devolucion.KIND, row.devolucion_id or 0)


def thing_of(session: Session, row: Respuesta) -> Glosa | Devolucion:
    """Return what an answer answers."""
    if row.glosa_id is not None:
        return session.get_one(Glosa, row.glosa_id)
    return session.get_one(Devolucion, row.devolucion_id)


def _document(session: Session, factura_id: int, sha256: str) -> Documento | None:
    return session.scalar(
        select(Documento).where(Documento.factura_id == factura_id, Documento.sha256 == sha256).order_by(Documento.id)
    )


def _unique(original: str, taken: set[str]) -> str:
    base, dot, extension = original.rpartition(".")
    stem = safe(base if dot else original)[:100]
    suffix = f".{safe(extension).lower()}" if dot else ""
    name, n = stem + suffix, 1
    while name.lower() in taken:
        n += 1
        name = f"{stem}_{n}{suffix}"
    taken.add(name.lower())
    return name


# -- what the end of the envío does


def _carried(session: Session, envio: Envio) -> list[LegalThing]:
    rows = answers_of_envio(session, envio)
    return [*(thing_of(session, row) for row in rows), *rows]


def _received(session: Session, envio: Envio, acuse: Acuse, actor: str, at: datetime) -> None:
    rows = [row for row in answers_of_envio(session, envio) if row.estado is EstadoRespuesta.EN_ENVIO]
    if not rows:
        return  # better proof of what was presented already: the envío keeps it
    note = acuse.note
    if envio.nivel_prueba < WEAK:
        note = f"{note} Prueba de nivel {envio.nivel_prueba}: el portal mostró el cierre y no da número.".strip()
    register_answers_presented(
        session,
        rows,
        # A person's date is not mended: if it cannot be, registering it is refused with both dates.
        ocurrido_at=acuse.fecha
        if acuse.reason == Reason.REGISTRO_MANUAL
        else _believable(session, rows, acuse.fecha, at),
        nivel=envio.nivel_prueba,
        evidence=acuse.evidence,
        actor=actor,
        at=at,
        nota=note,
    )


def _believable(session: Session, rows: Sequence[Respuesta], said: datetime, at: datetime) -> datetime:
    """The payer's time, unless its clock says the future or a day before what is answered: then ours."""
    latest = max(_asked_at(thing_of(session, row)) for row in rows)
    return said if said <= at and civil_date(said) >= civil_date(latest) else at


def _asked_at(thing: Glosa | Devolucion) -> datetime:
    decided = thing.decidida_at if isinstance(thing, Glosa) else None
    return max(thing.notificada_at, decided or thing.notificada_at)


def _back(session: Session, envio: Envio, closing: Closing) -> None:
    """The answers are free again: as they were approved, to be mended or presented anew."""
    rows = [row for row in answers_of_envio(session, envio) if row.estado is EstadoRespuesta.EN_ENVIO]
    facts = {"envio": envio.id}
    moves = [
        Move(row, EventoRespuesta.VOLVER, closing.reason, closing.note, facts, closing.evidence) for row in rows
    ]  # fmt: skip
    advance_all(session, moves, actor=closing.actor, at=closing.at)
    for row in rows:
        row.envio_id = None
    session.flush()


def _package(session: Session, envio: Envio, _nit: str) -> list[tuple[Factura, list[PackageFile]]]:
    files = list(answer_files(session, envio).values())
    return [(row, files) for row in _facturas(session, {line.factura_id for line in envio.lineas})]


for _acto in (Acto.RESPUESTA_GLOSA, Acto.RESPUESTA_DEVOLUCION):
    register(
        _acto,
        Effects(
            things=_carried,
            received=_received,
            rejected=_back,
            cancelled=_back,
            package=_package,
            words=Words(
                no_number=None,
                refused="Corregir la respuesta y presentarla de nuevo: el pagador no la recibió",
                outside="El portal dice que ya tiene esta respuesta: se respondió por fuera",
                stopped="El bot no pudo presentar la respuesta: se necesita una persona",
            ),
        ),
    )
