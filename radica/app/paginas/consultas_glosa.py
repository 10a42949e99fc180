"""Everything that the page of one objection tells, read in one go and without Flask.

Invariant: only rows of the objection's own provider; documents and evidence come as rows, their bytes are never
touched here. The objection itself was loaded (and authorised) by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import Transition
from radica.audit.services import history
from radica.custodia.models import Pieza
from radica.custodia.services import pieces_of
from radica.entidades.models import Pagador, Prestador
from radica.facturas.documents import documents_of
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.bandeja.tray_filter import Objecion
from radica.glosas.bandeja.work_log import Entrega, handovers
from radica.glosas.bandeja.work_models import AjusteGlosas, Comentario, Respuesta
from radica.glosas.models import Acto, Devolucion, Glosa, ItemFactura, Notificacion
from radica.glosas.respuesta.answer_draft import answer_of, settings_of
from radica.users.models import Usuario
from radica.users.services import actor_names

_ORDER = (
    TipoDocumento.SOPORTE,
    TipoDocumento.FEV,
    TipoDocumento.INVOICE,
    TipoDocumento.RIPS,
    TipoDocumento.CUV,
    TipoDocumento.RESPUESTA_DIAN,
    TipoDocumento.NOTA_CREDITO,
    TipoDocumento.NOTA_DEBITO,
)


@dataclass(frozen=True)
class CasoGlosa:
    """The whole story of one objection. `hermanas`: lines of the same invoice and round, with those answered."""

    objecion: Objecion
    factura: Factura
    pagador: Pagador
    prestador: Prestador
    notificacion: Notificacion | None
    item: ItemFactura | None
    documentos: Sequence[Documento]
    actos: Sequence[Acto]
    respuesta: Respuesta | None
    anteriores: Sequence[Respuesta]
    comentarios: Sequence[Comentario]
    movimientos: Sequence[Transition]
    piezas: Sequence[Pieza]
    nombres: dict[str, str]
    ajuste: AjusteGlosas
    responsable: str | None
    hermanas: int
    entregas: Sequence[Entrega]

    @property
    def soportes(self) -> list[Documento]:
        """Documents in force that may go with the answer."""
        return [doc for doc in self.documentos if doc.vigente]


def load_line_case(session: Session, objecion: Objecion) -> CasoGlosa:
    """Read the whole story of an objection."""
    factura = session.get_one(Factura, objecion.factura_id)
    answers = _answers(session, objecion)
    keys = [objecion.case_key, *(one.case_key for one in answers)]
    moves = history(session, keys)
    acts = _acts(session, objecion)
    comments = list(
        session.scalars(select(Comentario).where(Comentario.case_key == objecion.case_key).order_by(Comentario.id))
    )
    actors = {move.actor for move in moves} | {one.actor for one in acts} | {one.preparada_por for one in answers}
    actors |= {one.aprobada_por for one in answers if one.aprobada_por}
    actors |= {f"usuario:{one.usuario_id}" for one in comments}
    handed = handovers(session, objecion)
    actors |= {one.actor for one in handed} | {f"usuario:{one.usuario_id}" for one in handed if one.usuario_id}
    living = answer_of(session, objecion)
    return CasoGlosa(
        objecion=objecion,
        factura=factura,
        pagador=session.get_one(Pagador, objecion.pagador_id),
        prestador=session.get_one(Prestador, objecion.prestador_id),
        notificacion=session.get(Notificacion, objecion.notificacion_id) if objecion.notificacion_id else None,
        item=session.get(ItemFactura, objecion.item_id) if isinstance(objecion, Glosa) and objecion.item_id else None,
        documentos=sorted(
            documents_of(session, factura.id),
            key=lambda doc: (not doc.vigente, _ORDER.index(doc.tipo), doc.sigla, doc.id),
        ),
        actos=acts,
        respuesta=living,
        anteriores=[one for one in answers if living is None or one.id != living.id],
        comentarios=comments,
        movimientos=moves,
        piezas=pieces_of(session, prestador_id=objecion.prestador_id, case_keys=[objecion.case_key]),
        nombres=actor_names(session, actors),
        ajuste=settings_of(session, objecion.prestador_id),
        responsable=_name(session, objecion.responsable_id),
        hermanas=_siblings(session, objecion),
        entregas=handed,
    )


def _name(session: Session, usuario_id: int | None) -> str | None:
    return session.scalar(select(Usuario.nombre).where(Usuario.id == usuario_id)) if usuario_id else None


def _answers(session: Session, objecion: Objecion) -> list[Respuesta]:
    link = Respuesta.devolucion_id if isinstance(objecion, Devolucion) else Respuesta.glosa_id
    return list(session.scalars(select(Respuesta).where(link == objecion.id).order_by(Respuesta.id.desc())))


def _acts(session: Session, objecion: Objecion) -> list[Acto]:
    link = Acto.devolucion_id if isinstance(objecion, Devolucion) else Acto.glosa_id
    return list(session.scalars(select(Acto).where(link == objecion.id).order_by(Acto.ocurrido_at, Acto.id)))


def _siblings(session: Session, objecion: Objecion) -> int:
    if isinstance(objecion, Devolucion):
        return 0
    query = select(func.count()).where(
        Glosa.factura_id == objecion.factura_id, Glosa.turno == "ips", Glosa.id != objecion.id
    )
    return session.scalar(query) or 0
