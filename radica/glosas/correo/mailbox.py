"""The mailboxes in which payers' notices arrive: their settings, and one reading of what came since the last.

Invariant: mails are read in the order of their UIDs and each is committed before the next, so that a reading that is
cut goes on where it was; nothing changes on the server but the mark of seen, where asked, after the commit; a
mailbox whose password is refused is not tried again before a person gives another.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.glosas.correo.imap import SECURITY, Buzon, Cuenta, Llegado, abrir
from radica.glosas.correo.mail_intake import Caja, Manos, Resumen, Sobre, clasificar_correo, guardado, guardar
from radica.glosas.correo.mail_models import BuzonCorreo, Correo
from radica.glosas.lectura.correo import leer_eml
from radica.kernel.errors import BadInput, NotFound
from radica.portales.credentials import Vault


def crear_buzon(
    session: Session,
    vault: Vault,
    *,
    prestador_id: int,
    servidor: str,
    puerto: int,
    seguridad: str,
    usuario: str,
    clave: str,
    carpeta: str = "INBOX",
    marcar_leido: bool = False,
) -> BuzonCorreo:
    """Add a mailbox, or change the one of this server, user and folder: its password, port and security.

    Raises BadInput when something is missing or out of range.
    """
    if seguridad not in SECURITY or not 0 < puerto < 65_536 or not (servidor and usuario and clave and carpeta):
        raise BadInput(
            "Faltan datos del buzón: servidor, puerto, seguridad (tls, starttls o ninguna), usuario, clave y carpeta.",
            code="buzon_incompleto",
        )
    found = session.scalar(
        select(BuzonCorreo).where(
            BuzonCorreo.prestador_id == prestador_id,
            BuzonCorreo.servidor == servidor,
            BuzonCorreo.usuario == usuario,
            BuzonCorreo.carpeta == carpeta,
        )
    )
    row = found or BuzonCorreo(prestador_id=prestador_id, servidor=servidor, usuario=usuario, carpeta=carpeta)
    row.puerto, row.seguridad, row.marcar_leido = puerto, seguridad, marcar_leido
    row.clave_cifrada, row.activo, row.fallo = vault.encrypt(clave), True, None
    session.add(row)
    session.flush()
    return row


def leer_buzon(hands: Manos, buzon_id: int, *, progress: Callable[[int, int], None] | None = None) -> Resumen:
    """Read what came since the last time. Raises NotFound, BadInput and Unavailable; what was read stays read."""
    box = _load(hands, buzon_id)
    total = Resumen()
    with abrir(box.cuenta, escribir=box.marcar) as folder:
        # Under another UIDVALIDITY the numbers mean other mails: all are looked at again, and known ones recognised.
        last = box.ultimo_uid if box.uidvalidity == folder.uidvalidity else 0
        uids = folder.uids_desde(last)
        for done, uid in enumerate(uids, 1):
            total = _read_one(hands, box, folder, uid, total)
            if progress:
                progress(done, len(uids))
    with hands.db.write() as session:
        row = _row(session, buzon_id)
        row.leido_at, row.fallo, row.uidvalidity = hands.clock(), total.aviso, folder.uidvalidity
    return total


def anotar_fallo(session: Session, buzon_id: int, words: str, *, at: datetime, desactivar: bool = False) -> BuzonCorreo:
    """Keep why a mailbox was not read; `desactivar` stops further tries until a person gives its password anew."""
    row = _row(session, buzon_id)
    row.fallo, row.leido_at = words[:300], at
    if desactivar:
        row.activo = False
    return row


def _row(session: Session, buzon_id: int) -> BuzonCorreo:
    row = session.get(BuzonCorreo, buzon_id)
    if row is None:
        raise NotFound("El buzón ya no existe.")
    return row


def _load(hands: Manos, buzon_id: int) -> Caja:
    with hands.db.read() as session:
        row = _row(session, buzon_id)
        account = Cuenta(
            servidor=row.servidor,
            puerto=row.puerto,
            seguridad=row.seguridad,
            usuario=row.usuario,
            clave=hands.vault.decrypt(row.clave_cifrada),
            carpeta=row.carpeta,
        )
        return Caja(row.id, row.prestador_id, account, row.uidvalidity, row.ultimo_uid, row.marcar_leido)


def _read_one(hands: Manos, box: Caja, folder: Buzon, uid: int, total: Resumen) -> Resumen:
    """Seal one mail, say what it is, order its import; then, and only then, mark it on the server."""
    mail = folder.traer(uid)
    if mail is None:
        return total  # somebody removed it while the folder was read
    if mail.recortado or not mail.datos:
        return _too_large(hands, box, folder, mail, total)
    stored = hands.store.put(io.BytesIO(mail.datos))
    message, problem = guardado(lambda: leer_eml(mail.datos))
    correo, new = guardar(hands, box, Sobre(folder.uidvalidity, mail, stored, message, problem))
    counted = replace(total, nuevos=total.nuevos + new, repetidos=total.repetidos + (not new))
    if not correo.razones:
        counted = clasificar_correo(hands, correo.id, mail.datos, message, problem, counted)
    _read_up_to(hands, box, folder, uid)
    if box.marcar:
        folder.marcar_visto(uid)
    return counted


def _too_large(hands: Manos, box: Caja, folder: Buzon, mail: Llegado, total: Resumen) -> Resumen:
    """A mail beyond the limit stays on the server; the list of mails keeps its header, so that a person fetches it."""
    words = f"Un correo de {mail.bytes // (1024 * 1024)} MB (UID {mail.uid}) no se leyó: cárguelo a mano."
    stored = hands.store.put(io.BytesIO(mail.datos))
    message, _ = guardado(lambda: leer_eml(mail.datos))
    correo, new = guardar(hands, box, Sobre(folder.uidvalidity, mail, stored, message, words))
    if not correo.razones:
        with hands.db.write() as session:
            row = session.get_one(Correo, correo.id)
            row.razones = ["Pesa más de lo que se lee: de él solo se trajo su encabezado."]
    _read_up_to(hands, box, folder, mail.uid)
    counted = replace(total, nuevos=total.nuevos + new, repetidos=total.repetidos + (not new))
    return replace(counted, con_problema=total.con_problema + new, aviso=words)


def _read_up_to(hands: Manos, box: Caja, folder: Buzon, uid: int) -> None:
    with hands.db.write() as session:
        row = _row(session, box.id)
        row.uidvalidity, row.ultimo_uid, row.leido_at = folder.uidvalidity, uid, hands.clock()
