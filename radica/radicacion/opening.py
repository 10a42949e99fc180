"""The birth of an envío: one intention, its row and its lines, for whatever act.

Invariant: unique (invoice, act, round) among the living lines, held by a partial unique index; two orders at once make
one envío, because the second finds what it wanted already on its way (DESIGN section 5.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from radica.audit.services import open_case
from radica.facturas.models import Factura
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.states import Acto, EstadoEnvio


def open_envio(
    session: Session,
    acto: Acto,
    ronda: int,
    lineas: Sequence[tuple[Factura, int]],
    *,
    pagador_id: int,
    account: CuentaPortal | None,
    actor: str,
    at: datetime,
    reason: str,
) -> Envio:
    """Add an envío of one provider and payer. `lineas`: invoice and its amount at stake, in centavos.

    By bot with `account`, by hand without. The caller has locked the invoices.
    """
    envio = Envio(
        prestador_id=lineas[0][0].prestador_id,
        pagador_id=pagador_id,
        cuenta_id=account.id if account else None,
        acto=acto,
        ronda=ronda,
        canal="bot" if account else "mano",
        estado=EstadoEnvio.PREPARADO,
        version=0,
        valor=sum(valor for _, valor in lineas),
        nivel_prueba=0,
        creado_at=at,
        creado_por=actor,
        lineas=[EnvioFactura(factura_id=row.id, acto=acto, ronda=ronda, vivo=1, valor=valor) for row, valor in lineas],
    )
    session.add(envio)
    facts = {"facturas": [row.numero for row, _ in lineas], "ronda": ronda, "canal": envio.canal, "acto": acto.value}
    open_case(session, envio, actor=actor, at=at, reason=reason, facts=facts)
    return envio
