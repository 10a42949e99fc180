"""Technical keys of DIAN's numbering resolutions, with which the value of a CUFE can be checked.

Invariant: a key is a secret: it stands only encrypted, with a key outside the database, and appears in no message, log
or finding. One key per provider, resolution and prefix. Norm: DIAN annex 1.9, numeral 11.1 (the technical key is part
of the chain whose SHA-384 is the CUFE).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.facturas.fev import Fev
from radica.facturas.models import ClaveTecnica
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.review import KeyFor
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.portales.credentials import Vault

MAX_CONSECUTIVE = 10**15
_KEY = re.compile(r"[0-9A-Za-z-]{20,128}")
_RESOLUTION = re.compile(r"[0-9]{5,30}")
_PREFIX = re.compile(r"[0-9A-Z]{0,10}")

log = logging.getLogger("radica.facturas")


@dataclass
class _Known:
    """A key as it stands in the database; opened the first time that an invoice needs it."""

    desde: int
    hasta: int
    cifrada: bytes = field(repr=False)
    clave: str | None = field(default=None, repr=False)
    opened: bool = False


def save_key(
    session: Session,
    vault: Vault,
    *,
    prestador_id: int,
    resolucion: str,
    prefijo: str,
    desde: int,
    hasta: int,
    clave: str,
    actor: str,
    at: datetime,
) -> bool:
    """Keep the key of a numbering range, in the place of the one it had; True when it is new.

    Raises BadInput when a figure or the key cannot be right; the key is never quoted.
    """
    number, prefix = re.sub(r"\s", "", resolucion), re.sub(r"[\s-]", "", prefijo).upper()
    if not _RESOLUTION.fullmatch(number) or not _PREFIX.fullmatch(prefix):
        raise BadInput("La resolución o el prefijo no tienen su forma; no se guardó nada.", code="resolucion_mala")
    if not 0 <= desde <= hasta < MAX_CONSECUTIVE:
        raise BadInput("El rango de numeración no es posible; no se guardó nada.", code="rango_malo")
    if not _KEY.fullmatch(clave.strip()):
        raise BadInput(
            "Eso no tiene la forma de una clave técnica; no se guardó nada.",
            todo="Cópiela entera del rango de numeración en el portal de la DIAN.",
            code="clave_mala",
        )
    row = session.scalar(
        select(ClaveTecnica).where(
            ClaveTecnica.prestador_id == prestador_id,
            ClaveTecnica.resolucion == number,
            ClaveTecnica.prefijo == prefix,
        )
    )
    new = row is None
    if row is None:
        row = ClaveTecnica(prestador_id=prestador_id, resolucion=number, prefijo=prefix)
        session.add(row)
    row.desde, row.hasta, row.clave_cifrada = desde, hasta, vault.encrypt(clave.strip())
    row.registrada_at, row.registrada_por = at, actor[:120]
    session.flush()
    return new


def known_keys(db: Database, vault: Vault) -> KeyFor:
    """Return what finds the key of an invoice among those that are kept; read once, for one import or review.

    A key that the vault cannot open counts as unknown and is told in the log: an import does not fail for it.
    """
    book: dict[tuple[int, str, str], _Known] = {}
    with db.read() as session:
        for row in session.scalars(select(ClaveTecnica)):
            book[row.prestador_id, row.resolucion, row.prefijo] = _Known(row.desde, row.hasta, row.clave_cifrada)

    def find(prestador_id: int, fev: Fev) -> str | None:
        numbering = fev.numbering
        number = parse_invoice_number(fev.number, prefix=numbering.prefix if numbering is not None else None)
        if numbering is None or numbering.resolution is None or number is None or not number.digits:
            return None
        known = book.get((prestador_id, numbering.resolution.strip(), number.prefix))
        if known is None or not known.desde <= int(number.digits[:30]) <= known.hasta:
            return None
        return _opened(known, vault)

    return find


def _opened(known: _Known, vault: Vault) -> str | None:
    if not known.opened:
        known.opened = True
        try:
            known.clave = vault.decrypt(known.cifrada)
        except Unavailable:
            log.warning("una clave técnica no se puede descifrar con la llave de este servidor")
    return known.clave
