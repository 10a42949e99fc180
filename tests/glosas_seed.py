"""Invoices that a payer objected to, as the screens of glosas need them: made through the acts, never row by row."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from radica.audit.services import open_case
from radica.custodia.models import Blob
from radica.entidades.models import Pagador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.glosas.acts import NuevaDevolucion, NuevaGlosa, formulate_all, formulate_devolucion
from radica.glosas.codes import Manual
from radica.glosas.models import DestinoLinea, Devolucion, Glosa, LineaNotificada, Notificacion
from tests import factories

_serial = count(5_000_001)
NOTICED = factories.NOW - timedelta(days=3)
FILED = factories.NOW - timedelta(days=20)
TEXTO = "El servicio se prestó y se facturó a la tarifa pactada; el soporte va adjunto."


def filed_invoice(
    session: Session, provider: int, payer: Pagador | None = None, *, valor: int = 50_000_000, filed: datetime = FILED
) -> Factura:
    """Add a filed invoice with one support. `valor` in centavos."""
    number = f"FE{next(_serial) % 5_000_000 + 20000}"
    row = Factura(
        prestador_id=provider,
        pagador_id=(payer or factories.pagador(session)).id,
        numero=number,
        numero_clave=number,
        numero_digitos=number.lstrip("FE"),
        estado=EstadoFactura.RADICADA,
        version=0,
        valor=valor,
        valor_bruto=valor,
        radicado=f"R-{next(_serial) % 5_000_000:06d}",
        fecha_radicacion=filed,
        nivel_prueba=3,
        expedida_at=filed - timedelta(days=2),
        creada_at=factories.NOW,
    )
    session.add(row)
    open_case(session, row, actor="prueba", at=factories.NOW, reason="importacion")
    support(session, row)
    return row


def support(session: Session, invoice: Factura, *, sigla: str = "HEV", sha: str = "") -> Documento:
    """Add a support to an invoice; its bytes are in no store."""
    digest = sha or f"{next(_serial):064x}"
    if session.get(Blob, digest) is None:
        session.add(Blob(sha256=digest, bytes=2_400, stored_at=factories.NOW))
        session.flush()
    row = Documento(
        prestador_id=invoice.prestador_id,
        factura_id=invoice.id,
        sha256=digest,
        bytes=2_400,
        nombre=f"{sigla}_900000001_{invoice.numero}.pdf",
        tipo=TipoDocumento.SOPORTE,
        sigla=sigla,
        media_type="application/pdf",
        cargado_at=factories.NOW,
        cargado_por="prueba",
    )
    session.add(row)
    session.flush()
    return row


def objected(
    session: Session,
    invoice: Factura,
    *,
    codigo: str = "TA0801",
    valor: int = 4_530_000,
    noticed: datetime = NOTICED,
    at: datetime = factories.NOW,
    **more: Any,
) -> Glosa:
    """Add one glosa to an invoice. `valor` in centavos."""
    new = NuevaGlosa(
        factura_id=invoice.id,
        huella=f"{next(_serial):064x}",
        codigo=codigo,
        codigo_original=codigo,
        manual=Manual.UNICO,
        valor_objetado=valor,
        notificada_at=noticed,
        notificada_segun="persona",
        **{"familia": codigo[:2], "motivo": "Se cobra por encima de la tarifa pactada.", **more},
    )
    ids = formulate_all(session, [new], notificacion=None, actor="prueba", at=at)
    return session.get_one(Glosa, ids[0])


def returned(session: Session, invoice: Factura, *, codigo: str = "DE1601", noticed: datetime = NOTICED) -> Devolucion:
    """Add a devolución of an invoice."""
    new = NuevaDevolucion(invoice.id, codigo, "El paciente está a cargo de otro responsable.", noticed, "persona")
    return formulate_devolucion(session, new, notificacion=None, actor="prueba", at=factories.NOW)


def notice(
    session: Session, provider: int, *, razon: str = "factura_desconocida"
) -> tuple[Notificacion, LineaNotificada]:
    """Add a notice with one line that was not matched."""
    digest = f"{next(_serial):064x}"
    session.add(Blob(sha256=digest, bytes=900, stored_at=factories.NOW))
    session.flush()
    row = Notificacion(
        prestador_id=provider,
        origen="archivo",
        formato="generico",
        nombre="glosas.xlsx",
        sha256=digest,
        recibida_at=factories.NOW,
        cargada_at=factories.NOW,
        cargada_por="prueba",
        terminada_at=factories.NOW,
        total_leido=1_000_000,
        lineas=1,
        sin_cruzar=1,
    )
    session.add(row)
    session.flush()
    line = LineaNotificada(
        prestador_id=provider,
        notificacion_id=row.id,
        fila=2,
        destino=DestinoLinea.SIN_CRUZAR,
        razon=razon,
        motivo="La factura FE999 no está entre las suyas.",
        valor=1_000_000,
        contenido={
            "fila": 2,
            "factura": "FE999",
            "tipo": "glosa",
            "codigo": "TA0801",
            "codigo_original": "TA0801",
            "valor": 1_000_000,
            "motivo": "Se cobra por encima de la tarifa pactada.",
            "fecha_notificacion": NOTICED.date().isoformat(),
            "paciente_documento": "1020304050",
        },
    )
    session.add(line)
    session.flush()
    return row, line
