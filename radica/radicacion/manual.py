"""Filing by hand, and what a person decides about an envío: through the same intention and states as a bot's.

Invariant: nothing is registered without a look at the page's version; a number needs sealed evidence of level 2 or
more; the date of filing is neither in the future nor before the invoice. Whoever files by hand holds the intention,
so that no bot files it again. Norms: Res. 948/2026 art. 15 (filing in term, unique number), Ley 527/1999 arts. 6-10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import lock_all
from radica.custodia.models import Pieza
from radica.custodia.services import Kept, seal
from radica.facturas.models import Factura
from radica.kernel.clock import bogota, civil_date
from radica.kernel.errors import BadInput, InvalidTransition, NotFound, StalePage
from radica.radicacion.effects import Acuse, effects_of
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.package import PackageFile, safe
from radica.radicacion.services import Ordered, facturas_of, order_filings, withdraw
from radica.radicacion.settle import person_absent, person_found, person_rejected
from radica.radicacion.states import ABIERTOS, INTENTOS_VIVOS, POR_CONFIRMAR, EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks

MAX_RADICADO = 120
HEAD_BYTES = 64 * 1024
"""How much of a file is looked at to say what it is; the headers of a mail fit."""


@dataclass(frozen=True)
class Proof:
    """What a file proves of a filing: its kind, the extension its content asks for, and the level it gives."""

    clase: str
    extension: str
    nivel: int


PDF = Proof("constancia", ".pdf", 3)
MAIL = Proof("correo", ".eml", 3)
PNG = Proof("captura", ".png", 2)
JPEG = Proof("captura", ".jpg", 2)
_LEVELS = {one.clase: one.nivel for one in (PDF, MAIL, PNG, JPEG)}


def proof_of(head: bytes) -> Proof | None:
    """Say by its first bytes what a file is as evidence of a filing; None when it is nothing that is taken."""
    if b"%PDF-" in head[:1024] and not head.startswith(b"PK"):  # a ZIP may store a PDF as it is
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if b"\x00" in head:
        return None
    headers = BytesHeaderParser().parsebytes(head)
    return MAIL if headers["From"] and headers["Date"] else None


def evidence_name(original: str, proof: Proof, number: int) -> str:
    """Return the plain name under which a person's file is sealed; its extension is the one of its content."""
    stem = safe(Path(original.replace("\\", "/")).stem)[:80]
    return f"{proof.clase}-{number}_{stem}{proof.extension}"


def level_of(pieces: Sequence[Pieza]) -> int:
    """Return the best proof level that some sealed pieces of a person give; 0 without any."""
    return max((_LEVELS.get(piece.clase, 0) for piece in pieces), default=0)


def order(
    session: Session,
    factura_ids: Sequence[int],
    *,
    prestador_ids: Sequence[int],
    actor: str,
    at: datetime,
    by_hand: bool = False,
) -> Ordered:
    """Order filings and close the tasks that asked for the correction of an earlier refusal of the same invoices."""
    ordered = order_filings(
        session, factura_ids, prestador_ids=prestador_ids, actor=actor, at=at, canal="mano" if by_hand else None
    )
    ids = [line.factura_id for envio in ordered.envios for line in envio.lineas]
    earlier = session.scalars(
        select(EnvioFactura.envio_id).where(EnvioFactura.factura_id.in_(ids), EnvioFactura.vivo == 0).distinct()
    )
    for envio_id in earlier:
        close_tasks(
            session, f"{Envio.KIND}:{envio_id}", por=actor, resultado="Se volvió a radicar", at=at,
            clases=[ClaseTarea.CORREGIR_RECHAZO],
        )  # fmt: skip
    return ordered


def check_ours(session: Session, factura_ids: Sequence[int], prestador_ids: Sequence[int]) -> None:
    """Raise NotFound when one of the invoices does not exist or is of another provider: then nothing is ordered."""
    wanted = set(factura_ids)
    found = session.scalar(
        select(func.count()).select_from(Factura).where(Factura.id.in_(wanted), Factura.prestador_id.in_(prestador_ids))
    )
    if found != len(wanted):
        raise NotFound("Alguna de las facturas no existe o no es de sus prestadores; no se hizo nada.")


def was_refused(session: Session, factura_id: int) -> bool:
    """Say whether a payer refused a filing of the invoice."""
    query = (
        select(Envio.id)
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .where(EnvioFactura.factura_id == factura_id, Envio.estado == EstadoEnvio.RECHAZADO)
    )
    return session.scalar(query.limit(1)) is not None


def packages_of(session: Session, envio: Envio, nit: str) -> list[tuple[Factura, list[PackageFile]]]:
    """Return what is handed in for each invoice of an envío, named for the payer, in order."""
    return effects_of(envio).package(session, envio, nit)


def seal_evidence(session: Session, envio: Envio, kept: Sequence[Kept], *, actor: str, at: datetime) -> list[Pieza]:
    """Seal what a person brought to the case of an envío; the bytes are in the store already."""
    return seal(
        session,
        kept,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        group_key=f"registro:{envio.version}",
        origen="persona",
        actor=actor,
        at=at,
    )


def register_filed(
    session: Session,
    envio: Envio,
    *,
    radicado: str | None,
    cuando: datetime,
    kept: Sequence[Kept],
    actor: str,
    at: datetime,
    expected_version: int,
    note: str = "",
) -> list[Pieza]:
    """Register that the payer holds the filing. `cuando`: the payer's own time (aware); `radicado` None: it gave none.

    Returns the sealed pieces. Raises BadInput when evidence, number or date do not hold, StalePage when the envío
    moved meanwhile, InvalidTransition when a bot is pressing the button or the envío is closed.
    """
    facturas = _locked(session, envio, expected_version)
    number = clean_radicado(radicado)
    if envio.estado is EstadoEnvio.RECIBIDO_SIN_NUMERO and number is None:
        raise BadInput("Falta el número de radicado: que el pagador la tiene ya estaba registrado.")
    check_moment(cuando, facturas, at=at)
    if not kept:
        raise BadInput(
            "Falta la evidencia: sin ella la factura no puede quedar radicada. No se registró nada.",
            todo="Adjunte la constancia en PDF, el correo del pagador (.eml) o la imagen de la pantalla.",
            code="sin_evidencia",
        )
    pieces = seal_evidence(session, envio, kept, actor=actor, at=at)
    acuse = Acuse(
        nivel=level_of(pieces),
        radicado=number,
        fecha=cuando,
        evidence=tuple(piece.sha256 for piece in pieces),
        reason=Reason.REGISTRO_MANUAL,
        note=note.strip()[:2000],
    )
    person_found(session, envio, acuse, actor=actor, at=at)
    return pieces


def register_rejected(
    session: Session,
    envio: Envio,
    motivo: str,
    *,
    kept: Sequence[Kept],
    actor: str,
    at: datetime,
    expected_version: int,
) -> None:
    """Register that the payer refused it, in the payer's words; the evidence is welcome, not required."""
    _locked(session, envio, expected_version)
    pieces = seal_evidence(session, envio, kept, actor=actor, at=at)
    person_rejected(session, envio, motivo, [piece.sha256 for piece in pieces], actor=actor, at=at)


def register_absent(
    session: Session,
    envio: Envio,
    motivo: str,
    *,
    kept: Sequence[Kept],
    actor: str,
    at: datetime,
    expected_version: int,
    host_apagado: bool = False,
) -> None:
    """Register, with evidence and reason, that the payer does not hold what a bot may have sent: it is sent again.

    `host_apagado` is taken only while the attempt is not fenced: then it is the person's word that fences it.
    """
    _locked(session, envio, expected_version)
    pieces = seal_evidence(session, envio, kept, actor=actor, at=at)
    hashes = [piece.sha256 for piece in pieces]
    person_absent(session, envio, motivo.strip(), hashes, actor=actor, at=at, host_apagado=host_apagado)


def take_back(session: Session, envio: Envio, motivo: str, *, actor: str, at: datetime, expected_version: int) -> None:
    """Withdraw an envío of which nothing reached the payer. Raises BadInput without a reason."""
    if not motivo.strip():
        raise BadInput("Falta el motivo para retirarlo.", todo="Escriba por qué se retira.")
    _locked(session, envio, expected_version)
    asked = session.scalar(
        select(func.count())
        .select_from(Intento)
        .where(Intento.envio_id == envio.id, Intento.estado.in_([*INTENTOS_VIVOS, *POR_CONFIRMAR]))
    )
    if asked:
        raise InvalidTransition(
            "Ya no se puede retirar: un bot lo está trabajando o su resultado está por confirmar.",
            todo="Espere su respuesta o registre lo que dijo el pagador.",
            code="envio_en_curso",
        )
    withdraw(session, envio, motivo.strip()[:2000], actor=actor, at=at)


def clean_radicado(text: str | None) -> str | None:
    """Return a filing number in one line without outer spaces, None when there is none. Raises BadInput if too long."""
    number = " ".join((text or "").split())
    if len(number) > MAX_RADICADO or any(not letter.isprintable() for letter in number):
        raise BadInput("Ese radicado no parece un número de radicado.", todo="Cópielo como está en la constancia.")
    return number or None


def check_moment(cuando: datetime, facturas: Sequence[Factura], *, at: datetime) -> None:
    """Refuse a date of filing in the future or before an invoice was issued (civil days of Colombia)."""
    if cuando > at:
        raise BadInput(
            f"La fecha de radicación ({bogota(cuando):%d/%m/%Y %H:%M}) está en el futuro.",
            todo="Escriba la fecha y hora que dice la constancia.",
        )
    for factura in facturas:
        if factura.expedida_at is not None and civil_date(cuando) < civil_date(factura.expedida_at):
            raise BadInput(
                f"La fecha de radicación es anterior a la expedición de la factura {factura.numero} "
                f"({civil_date(factura.expedida_at):%d/%m/%Y}).",
                todo="Revise la fecha en la constancia.",
            )


def same_number(session: Session, envio: Envio) -> int:
    """Count other filed envíos of the provider and payer with the same number: payers may give one for many."""
    count = session.scalar(
        select(func.count())
        .select_from(Envio)
        .where(
            Envio.prestador_id == envio.prestador_id,
            Envio.pagador_id == envio.pagador_id,
            Envio.radicado == envio.radicado,
            Envio.id != envio.id,
        )
    )
    return count or 0


@dataclass(frozen=True)
class Options:
    """What a person may do with an envío now; `unfenced`: a process of the bot may still live."""

    found: bool = False
    absent: bool = False
    rejected: bool = False
    withdraw: bool = False
    package: bool = False
    unfenced: bool = False


def options_for(envio: Envio, attempts: Sequence[Intento]) -> Options:
    """Return what the state of an envío and its attempts lets a person do; the services check it again."""
    states = {one.estado for one in attempts}
    unsettled = [one for one in attempts if one.estado in POR_CONFIRMAR]
    sending = EstadoIntento.ENVIANDO in states
    registers = envio.estado in ABIERTOS or envio.estado is EstadoEnvio.RECIBIDO_SIN_NUMERO
    working = bool(states & INTENTOS_VIVOS)
    return Options(
        found=registers and not sending,
        absent=bool(unsettled) and not sending,
        rejected=registers and not sending and (envio.estado in ABIERTOS or effects_of(envio).numbered),
        withdraw=envio.estado is EstadoEnvio.PREPARADO and not unsettled and not working,
        package=True,
        unfenced=any(one.intent_at is not None and one.cercado_at is None for one in unsettled),
    )


def _locked(session: Session, envio: Envio, expected_version: int) -> list[Factura]:
    """Lock an envío and its invoices and check the page's version. Raises StalePage."""
    facturas = facturas_of(session, envio)
    lock_all(session, [envio, *facturas])
    if envio.version != expected_version:
        raise StalePage
    return facturas
