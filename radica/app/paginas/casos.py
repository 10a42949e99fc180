"""Cases and what belongs to them: which case a document is read in, and under which cases it may be opened.

Invariant: a case is a key (`factura:12`, `glosa:5`, `envio:9`, `conciliacion:3`…); an envío of one invoice is that
invoice's too, one of several is nobody's but its own, because its evidence may quote other patients.
"""

from __future__ import annotations

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.models import Pieza
from radica.facturas.models import Documento, Factura
from radica.glosas.models import Devolucion, Glosa
from radica.radicacion.models import EnvioFactura


def case_of(thing: Documento | Pieza) -> str | None:
    """Return the case in which a document or piece is read; None for a document that waits for its invoice."""
    if isinstance(thing, Pieza):
        return thing.case_key
    return None if thing.factura_id is None else f"{Factura.KIND}:{thing.factura_id}"


def covering_cases(session: Session, case_key: str) -> set[str]:
    """Return the case and the wider ones under which it may be opened by exception: its one invoice."""
    kind, _, number = case_key.partition(":")
    found = {case_key}
    if not number.isdecimal():
        return found
    id_ = int(number)
    if kind in ("glosa", "devolucion"):
        owner = Glosa if kind == "glosa" else Devolucion
        found |= {f"{Factura.KIND}:{one}" for one in session.scalars(select(owner.factura_id).where(owner.id == id_))}
    elif kind == "envio":
        ids = list(session.scalars(select(EnvioFactura.factura_id).where(EnvioFactura.envio_id == id_).limit(2)))
        if len(ids) == 1:
            found.add(f"{Factura.KIND}:{ids[0]}")
    return found


def asking_case(session: Session, case_key: str) -> tuple[str, int] | None:
    """Return kind and id of the case in whose name an exception is asked for a document of `case_key`.

    The invoice where there is one, else the envío of several; None where no case can be asked for.
    """
    for key in sorted(covering_cases(session, case_key), key=lambda one: not one.startswith(f"{Factura.KIND}:")):
        kind, _, number = key.partition(":")
        if kind in (Factura.KIND, "envio") and number.isdecimal():
            return kind, int(number)
    return None


def page_of(case_key: str | None) -> str | None:
    """Return the address of a case's page, None when it has none of its own."""
    kind, _, number = (case_key or "").partition(":")
    if not number.isdecimal() or len(number) > 18:
        return None
    id_ = int(number)
    addresses = {
        "factura": lambda: url_for("factura.ver", factura_id=id_),
        "envio": lambda: url_for("radicacion.envio", envio_id=id_),
        "glosa": lambda: url_for("glosas.ver", kind="glosa", objecion_id=id_),
        "devolucion": lambda: url_for("glosas.ver", kind="devolucion", objecion_id=id_),
        "conciliacion": lambda: url_for("conciliacion.ver", conciliacion_id=id_),
        "notificacion": lambda: url_for("glosas.notificacion", notificacion_id=id_),
        "expediente": lambda: url_for("prejuridico.expediente", expediente_id=id_),
        "correo": lambda: url_for("correos.detalle", correo_id=id_),
    }
    return addresses[kind]() if kind in addresses else None
