"""The same service, CUFE or CUV under two invoices of a provider: found by keyed hashes that stay in the database.

Invariant: no patient is in the table: a service is a keyed hash (`validacion.lote`); the fingerprints of an invoice are
rewritten with each verdict. Only invoices of one provider are compared. Norm: Res. 2284 de 2023 annex 3 (a service is
billed once); Ley 1581 de 2012.
"""

from __future__ import annotations

import hmac
from collections import defaultdict

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.facturas.validacion.lote import Huellas, Servicio, cuantos_servicios
from radica.facturas.validacion.modelo import Hallado
from radica.facturas.validacion_models import HuellaServicio
from radica.kernel.db import insert_rows, parts_of

MAX_TOLD = 20
"""Other invoices that are named for one."""


def clave_de(maestra: bytes, prestador_id: int) -> bytes:
    """Return the key of a provider's fingerprints, apart from every other use of the master key."""
    return hmac.digest(maestra, f"servicios:{prestador_id}".encode("ascii"), "sha256")


def repetidos(session: Session, *, prestador_id: int, factura_id: int, huellas: Huellas) -> list[Hallado]:
    """Return what other living invoices of the provider share with this one; names invoices, never patients."""
    mine: dict[str, Servicio] = {}
    for one in huellas.servicios:
        mine.setdefault(one.clave, one)
    shared: defaultdict[str, list[Servicio]] = defaultdict(list)
    for keys in parts_of(list(mine)):
        query = (
            select(HuellaServicio.clave, Factura.numero)
            .join(Factura, Factura.id == HuellaServicio.factura_id)
            .where(
                HuellaServicio.prestador_id == prestador_id,
                HuellaServicio.clave.in_(keys),
                HuellaServicio.factura_id != factura_id,
                Factura.estado != EstadoFactura.ANULADA.value,
            )
            .distinct()
        )
        for key, number in session.execute(query):
            shared[number].append(mine[key])
    found = []
    for number, services in sorted(shared.items())[:MAX_TOLD]:
        first = min(services, key=lambda one: one.ruta)
        said = {
            "otra": number,
            "cuantos": cuantos_servicios(len(services)),
            "codigo": first.codigo,
            "fecha": first.fecha,
        }
        found.append(Hallado("DUP-SERVICIO", first.ruta, said))
    same = select(Factura.numero).where(
        Factura.prestador_id == prestador_id,
        Factura.id != factura_id,
        Factura.cufe == huellas.cufe,
        Factura.estado != EstadoFactura.ANULADA.value,
    )
    if huellas.cufe:
        found += [Hallado("DUP-CUFE", "UUID", {"otra": number}) for number in session.scalars(same.limit(1))]
    return found


def guardar(session: Session, *, prestador_id: int, factura_id: int, huellas: Huellas) -> None:
    """Put the fingerprints of an invoice in the place of those it had."""
    session.execute(delete(HuellaServicio).where(HuellaServicio.factura_id == factura_id))
    rows = [
        {"prestador_id": prestador_id, "factura_id": factura_id, "clave": one.clave, "ruta": one.ruta[:120]}
        for one in huellas.servicios
    ]
    insert_rows(session, HuellaServicio, rows)
