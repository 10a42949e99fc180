"""Which cases make the file of one invoice: itself, its envíos, objections, answers, notices, mails, meetings, dossiers.

Invariant: every case that holds a move or a sealed piece about the invoice is in the list, once, in a fixed order;
cases of a whole arrival (a notice, a mail, an acta) may speak of other invoices too, and the reader must know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from radica.conciliacion.models import Compromiso, ConciliacionLinea
from radica.custodia.models import Pieza
from radica.facturas.models import Documento
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa, LineaNotificada, Notificacion
from radica.prejuridico.models import DocumentoPersona, ExpedienteFactura
from radica.radicacion.models import EnvioFactura


def cases_of_invoice(session: Session, factura_id: int) -> list[str]:
    """Return the case keys of an invoice, itself first, then by kind and id; see `cases_by_kind`."""
    found = [f"factura:{factura_id}"]
    for kind, query in cases_by_kind(factura_id).items():
        found += [f"{kind}:{number}" for number in sorted(session.scalars(query)) if number is not None]
    brought = select(Pieza.case_key).join(DocumentoPersona, DocumentoPersona.pieza_id == Pieza.id)
    found += sorted(session.scalars(brought.where(DocumentoPersona.factura_id == factura_id)))
    return list(dict.fromkeys(found))


def cases_by_kind(factura_id: int) -> dict[str, Select[Any]]:
    """Return, by kind of case, the query of the ids that belong to an invoice."""
    notices = _notices(factura_id)
    meetings = select(ConciliacionLinea.conciliacion_id).where(ConciliacionLinea.factura_id == factura_id).distinct()
    queries: dict[str, Select[Any]] = {
        "envio": select(EnvioFactura.envio_id).where(EnvioFactura.factura_id == factura_id).distinct(),
        "notificacion": select(Notificacion.id).where(Notificacion.id.in_(notices)),
        "correo": select(Notificacion.correo_id)
        .where(Notificacion.id.in_(notices), Notificacion.correo_id.is_not(None))
        .distinct(),
        "devolucion": select(Devolucion.id).where(Devolucion.factura_id == factura_id),
        "glosa": select(Glosa.id).where(Glosa.factura_id == factura_id),
        "respuesta": select(Respuesta.id).where(Respuesta.factura_id == factura_id),
        "conciliacion": meetings,
        "compromiso": select(Compromiso.id).where(Compromiso.conciliacion_id.in_(meetings)),
        "expediente": select(ExpedienteFactura.expediente_id).where(ExpedienteFactura.factura_id == factura_id),
    }
    return queries


def _notices(factura_id: int) -> Select[Any]:
    """Return the query of the notices that objected, returned or decided on something of the invoice."""
    told = union(
        select(LineaNotificada.notificacion_id.label("id")).where(LineaNotificada.factura_id == factura_id),
        select(Glosa.notificacion_id).where(Glosa.factura_id == factura_id, Glosa.notificacion_id.is_not(None)),
        select(Devolucion.notificacion_id).where(
            Devolucion.factura_id == factura_id, Devolucion.notificacion_id.is_not(None)
        ),
    ).subquery()
    return select(told.c.id)


def hashes_of_invoice(session: Session, factura_id: int, cases: Sequence[str]) -> list[str]:
    """Return the SHA-256 of every document and sealed piece of the invoice and of its cases, in order, once each."""
    papers = select(Documento.sha256).where(Documento.factura_id == factura_id)
    pieces = select(Pieza.sha256).where(Pieza.case_key.in_(cases))
    return sorted(set(session.scalars(papers)) | set(session.scalars(pieces)))
