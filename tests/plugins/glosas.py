"""Filed invoices with services, and glosas, devoluciones and answers upon them, through the real acts.

Dates are days of 2026 at ten in the morning in Bogotá unless a test says otherwise; amounts are centavos.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from radica.audit.services import open_case
from radica.custodia.models import Blob
from radica.entidades.models import Pagador, Prestador, TipoPagador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.glosas.acts import (
    NuevaDevolucion,
    NuevaGlosa,
    formulate_all,
    formulate_devolucion,
    register_answers_presented,
)
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.codes import Manual
from radica.glosas.models import Devolucion, Glosa, ItemFactura
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import BOGOTA
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.states import Acto, EstadoEnvio
from tests import factories

EVIDENCE = "e" * 64
_serial = count(1)


def day(month: int, number: int, hour: int = 10, *, year: int = 2026) -> datetime:
    """Return a moment of a Colombian day."""
    return datetime.combine(date(year, month, number), time(hour), tzinfo=BOGOTA)


FILED = day(6, 1)
NOTICED = day(6, 16)
"""Nine business days after FILED: in time for a glosa, which may be answered until 8 July."""
RETURNED = day(6, 4)
"""Three business days after FILED: in time for a devolución, which may be answered until 12 June."""
LATER = day(11, 20)
"""When things are typed in, unless a test says otherwise."""


def filed(
    session: Session,
    *,
    valor: int = 10_000_000,
    at: datetime = FILED,
    tipo: TipoPagador = TipoPagador.EPS,
    prestador: Prestador | None = None,
    pagador: Pagador | None = None,
    numero: str | None = None,
) -> Factura:
    """Add an invoice filed at `at` with a number and proof."""
    provider = prestador or factories.prestador(session)
    payer = pagador or factories.pagador(session, tipo=tipo)
    number = numero or f"FV{next(_serial) + 50000}"
    row = Factura(
        prestador_id=provider.id,
        pagador_id=payer.id,
        numero=number,
        numero_clave=number,
        numero_digitos=number.lstrip("FV"),
        estado=EstadoFactura.RADICADA,
        version=0,
        valor=valor,
        valor_bruto=valor,
        radicado=f"RAD{next(_serial)}",
        fecha_radicacion=at,
        nivel_prueba=3,
        expedida_at=at,
        creada_at=at,
    )
    session.add(row)
    open_case(session, row, actor="prueba", at=at, reason="importacion")
    return row


def items(session: Session, factura: Factura, valores: Sequence[int], *, codigo: str = "890201") -> list[ItemFactura]:
    """Add the services of an invoice, with the RIPS they come from."""
    sha = hashlib.sha256(f"rips {factura.id}".encode()).hexdigest()
    if session.get(Blob, sha) is None:
        session.add(Blob(sha256=sha, bytes=1, stored_at=FILED))
        session.flush()
    document = Documento(
        prestador_id=factura.prestador_id,
        factura_id=factura.id,
        sha256=sha,
        bytes=1,
        nombre="rips.json",
        tipo=TipoDocumento.RIPS,
        sigla="",
        media_type="application/json",
        datos={},
        cargado_at=FILED,
        cargado_por="prueba",
    )
    session.add(document)
    session.flush()
    rows = [
        ItemFactura(
            prestador_id=factura.prestador_id,
            factura_id=factura.id,
            documento_id=document.id,
            tipo="consultas",
            usuario=1,
            consecutivo=number,
            codigo=codigo,
            descripcion="Consulta de primera vez",
            valor=valor,
        )
        for number, valor in enumerate(valores, start=1)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def nueva(factura: Factura, valor: int, **values: Any) -> NuevaGlosa:
    """Return a new objection to an invoice; `item` is an ItemFactura."""
    item: ItemFactura | None = values.pop("item", None)
    if item is not None:
        values = {"item_id": item.id, "item_valor": item.valor, **values}
    huella = hashlib.sha256(f"huella {next(_serial)}".encode()).hexdigest()
    base: dict[str, Any] = {
        "huella": huella,
        "codigo": "FA0201",
        "codigo_original": "FA0201",
        "familia": "FA",
        "manual": Manual.UNICO,
        "notificada_at": NOTICED,
        "notificada_segun": "correo",
    }
    return NuevaGlosa(factura_id=factura.id, valor_objetado=valor, **{**base, **values})


def glosa(session: Session, factura: Factura, valor: int = 1_000_000, *, at: datetime = LATER, **values: Any) -> Glosa:
    """Add one glosa through the real birth."""
    new = nueva(factura, valor, **values)
    (glosa_id,) = formulate_all(session, [new], notificacion=None, actor="prueba", at=at, evidence=[EVIDENCE])
    return session.get_one(Glosa, glosa_id)


def devolucion(
    session: Session, factura: Factura, *, notificada_at: datetime = RETURNED, at: datetime = LATER, **values: Any
) -> Devolucion:
    """Add one devolución through the real birth."""
    base: dict[str, Any] = {"codigo": "DE1601", "motivo": "Faltan soportes", "notificada_segun": "correo"}
    new = NuevaDevolucion(factura_id=factura.id, notificada_at=notificada_at, **{**base, **values})
    return formulate_devolucion(session, new, notificacion=None, actor="prueba", at=at, evidence=[EVIDENCE])


def answer(
    session: Session,
    thing: Glosa | Devolucion,
    decision: Decision = Decision.DEFENDER,
    *,
    valor_aceptado: int = 0,
    ronda: int | None = None,
    estado: EstadoRespuesta = EstadoRespuesta.EN_ENVIO,
    at: datetime = LATER,
) -> Respuesta:
    """Add an answer, on its way to the payer unless `estado` says otherwise."""
    turn = ronda or (thing.ronda if isinstance(thing, Glosa) else 1)
    travels = estado in (EstadoRespuesta.EN_ENVIO, EstadoRespuesta.PRESENTADA)
    row = Respuesta(
        prestador_id=thing.prestador_id,
        factura_id=thing.factura_id,
        glosa_id=thing.id if isinstance(thing, Glosa) else None,
        devolucion_id=thing.id if isinstance(thing, Devolucion) else None,
        ronda=turn,
        decision=decision,
        codigo="RE9602" if isinstance(thing, Glosa) else "RE9601",
        valor_aceptado=valor_aceptado,
        texto="La atención está soportada.",
        preparada_at=at,
        preparada_por="persona:1",
        envio_id=_envio(session, thing, turn, at).id if travels else None,
        estado=estado,
        version=0,
    )
    session.add(row)
    open_case(session, row, actor="prueba", at=at, reason="orden_de_persona")
    return row


def _envio(session: Session, thing: Glosa | Devolucion, ronda: int, at: datetime) -> Envio:
    acto = Acto.RESPUESTA_GLOSA if isinstance(thing, Glosa) else Acto.RESPUESTA_DEVOLUCION
    row = Envio(
        prestador_id=thing.prestador_id,
        pagador_id=thing.pagador_id,
        acto=acto,
        ronda=ronda,
        canal="mano",
        valor=thing.valor,
        creado_at=at,
        creado_por="prueba",
        estado=EstadoEnvio.PREPARADO,
        version=0,
    )
    # One envío a line, here: the rows of several would be one intention, which the house makes one.
    line = EnvioFactura(factura_id=thing.factura_id, acto=acto, ronda=ronda, vivo=0, valor=thing.valor)
    row.lineas.append(line)
    session.add(row)
    session.flush()
    return row


def present(
    session: Session,
    thing: Glosa | Devolucion,
    decision: Decision = Decision.DEFENDER,
    *,
    on: datetime,
    valor_aceptado: int = 0,
    at: datetime = LATER,
    evidence: str = EVIDENCE,
) -> Respuesta:
    """Answer an objection and let the payer have it on `on`."""
    row = answer(session, thing, decision, valor_aceptado=valor_aceptado, at=at)
    register_answers_presented(
        session, [row], ocurrido_at=on, nivel=3, evidence=[evidence], actor="bot:w", at=at, nota=""
    )
    return row
