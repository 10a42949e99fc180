"""Orders to the MUV: ask for the validation of an invoice, and write down what came of it.

Invariant: one living order per provider, call and content, so that two clicks send once; what the checker would see
rejected is not sent; a CUV counts only when the answer is of this very invoice. Functions join the caller's
transaction. Norms: Res. 948 de 2026 arts. 3 and 4 (CUV), art. 15 (without it nothing is filed).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, String, cast, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from radica.facturas.documents import documents_of
from radica.facturas.facts import recall
from radica.facturas.fev import Fev
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo, TipoDocumento
from radica.facturas.muv.cuentas import INTENTOS, cuenta_de
from radica.facturas.muv.llamadas import MAX_XML, PIDE
from radica.facturas.states import REVISABLES
from radica.facturas.validacion.modelo import Clase, Fuente, Modulo
from radica.facturas.validacion_models import CuentaMuv, EnvioMuv
from radica.jobs.models import Job, JobState
from radica.jobs.queue import enqueue
from radica.kernel.errors import BadInput
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

KIND = "validar_muv"


class Resultado(StrEnum):
    """What became of an order; a technical machine, no law knows it."""

    PEDIDO = "pedido"
    ENVIANDO = "enviando"
    APROBADO = "aprobado"
    RECHAZADO = "rechazado"
    NO_ENVIADO = "no_enviado"
    FALLIDO = "fallido"
    AJENO = "ajeno"


ABIERTOS = (Resultado.PEDIDO, Resultado.ENVIANDO)
DE_LA_FACTURA = frozenset({Modulo.FEV, Modulo.CAPITA_INICIAL, Modulo.CAPITA_PERIODO, Modulo.CAPITA_FINAL})
"""Calls whose CUV is that of the invoice itself; those of notes have their own."""
_XML = {
    Modulo.NC: TipoDocumento.NOTA_CREDITO,
    Modulo.NC_TOTAL: TipoDocumento.NOTA_CREDITO,
    Modulo.NC_ACUERDO: TipoDocumento.NOTA_CREDITO,
    Modulo.NC_CAPITA: TipoDocumento.NOTA_CREDITO,
    Modulo.ND: TipoDocumento.NOTA_DEBITO,
}
_SIGLA = {Modulo.NC: "NC", Modulo.ND: "ND", Modulo.NOTA_AJUSTE: "NA"}


@dataclass(frozen=True)
class Contenido:
    """The documents that travel: RIPS and XML, as far as the call wants them."""

    modulo: Modulo
    rips: Documento | None
    xml: Documento | None


@dataclass(frozen=True)
class Pedido:
    """An order; `nuevo` says whether it was made now."""

    envio: EnvioMuv
    nuevo: bool


def pedir(session: Session, factura: Factura, *, actor: str, at: datetime, modulo: Modulo | None = None) -> Pedido:
    """Order the validation of an invoice, or return the order that lives for the same content.

    Raises BadInput saying why it cannot be: the sending is off, a document is missing, it has its CUV, the checker
    rejects it, or it is filed already.
    """
    account = cuenta_de(session, factura.prestador_id)
    if account is None or not account.activa:
        raise BadInput(
            "El envío al validador de MinSalud está apagado para este prestador; no se envió nada.",
            todo="Quien administra lo prende en Portales y bots › Validador de MinSalud.",
            code="muv_apagado",
        )
    if factura.estado not in REVISABLES:
        raise BadInput("Esta factura ya está en radicación o radicada; no se envió nada.", code="muv_tarde")
    content = contenido(session, factura, modulo)
    if factura.cuv is not None and content.modulo in DE_LA_FACTURA and not _only_a_test(session, factura):
        raise BadInput("Esta factura ya tiene su CUV; no se envió nada.", code="muv_ya_tiene_cuv")
    codes = rechazos(session, factura.id)
    if codes:
        raise BadInput(
            f"El comprobador halla lo que el MUV rechazaría: {', '.join(codes[:8])}. No se envió nada.",
            todo="Corrija esos hallazgos y pida de nuevo la validación.",
            code="muv_rechazos",
        )
    row, new = _living(session, factura, account, content, actor=actor, at=at)
    if row.resultado in ABIERTOS:
        _order(session, row, factura, account, content)
    return Pedido(row, new)


def contenido(session: Session, factura: Factura, modulo: Modulo | None = None) -> Contenido:
    """Return the documents in force that a call wants (the call that fits the invoice when none is named).

    Raises BadInput when one is missing or too large.
    """
    docs = documents_of(session, factura.id, in_force=True)
    chosen = modulo or _module_of(docs)
    wants = PIDE[chosen]
    kind = _XML.get(chosen, TipoDocumento.FEV)
    xml = _last(one for one in docs if one.tipo is kind) if wants.xml else None
    letters = _SIGLA.get(chosen, "")
    rips = _last(one for one in docs if one.tipo is TipoDocumento.RIPS and one.sigla == letters) if wants.rips else None
    if wants.xml and xml is None:
        raise BadInput(
            "Falta el XML que pide el MUV (el contenedor AttachedDocument con la respuesta de la DIAN).",
            todo="Cárguelo y pida de nuevo la validación.",
            code="muv_falta_xml",
        )
    if wants.rips and rips is None:
        raise BadInput("Falta el RIPS de la factura.", todo="Cárguelo y pida la validación.", code="muv_falta_rips")
    if xml is not None and xml.bytes > MAX_XML:
        raise BadInput(
            "El XML pesa más de 16 MB: el MUV lo rechaza (GI008). No se envió nada.",
            todo="Pida al proveedor tecnológico el XML sin representación gráfica dentro.",
            code="GI008",
        )
    return Contenido(chosen, rips, xml)


def rechazos(session: Session, factura_id: int) -> list[str]:
    """Return the codes with which the checker says that the MUV would reject; what it says of an old answer aside."""
    rows = session.scalars(
        select(Hallazgo.codigo)
        .where(
            Hallazgo.factura_id == factura_id,
            Hallazgo.origen == OrigenHallazgo.VALIDADOR.value,
            Hallazgo.clase == Clase.RECHAZO.value,
            Hallazgo.fuente.not_in([Fuente.CUV.value, Fuente.SOPORTE.value]),
        )
        .distinct()
        .order_by(Hallazgo.codigo)
    )
    return list(rows)


def envios_de(session: Session, factura_id: int, *, limit: int = 20) -> list[EnvioMuv]:
    """Return the orders of an invoice, newest first."""
    query = select(EnvioMuv).where(EnvioMuv.factura_id == factura_id).order_by(EnvioMuv.id.desc())
    return list(session.scalars(query.limit(limit)))


def otros_enviados(session: Session, row: EnvioMuv, cuv: str | None) -> bool:
    """Say whether other documents of this invoice went out before and may be those that were approved with `cuv`."""
    mine = session.scalars(select(Job.payload).where(Job.dedup == f"{KIND}:{row.id}")).first() or {}
    earlier = session.execute(
        select(EnvioMuv.resultado, EnvioMuv.cuv, Job.payload)
        .join(Job, Job.dedup == literal(f"{KIND}:") + cast(EnvioMuv.id, String))
        .where(
            EnvioMuv.factura_id == row.factura_id,
            EnvioMuv.modulo == row.modulo,
            EnvioMuv.id != row.id,
            EnvioMuv.enviado_at.is_not(None),
            EnvioMuv.resultado != Resultado.RECHAZADO.value,
        )
    )
    return any(
        any(sent.get(name) != mine.get(name) for name in ("rips", "xml"))
        and (result != Resultado.APROBADO or given == cuv)
        for result, given, sent in earlier
    )


def aprobados_con(session: Session, factura_ids: Sequence[int]) -> dict[tuple[int, str], frozenset[str]]:
    """Return, by invoice and CUV, the hashes of the documents that the house sent when it got that CUV."""
    rows = session.execute(
        select(EnvioMuv.factura_id, EnvioMuv.cuv, Job.payload)
        .join(Job, Job.dedup == literal(f"{KIND}:") + cast(EnvioMuv.id, String))
        .where(
            EnvioMuv.factura_id.in_(factura_ids),
            EnvioMuv.resultado == Resultado.APROBADO.value,
            EnvioMuv.modulo.in_([one.value for one in DE_LA_FACTURA]),
        )
    )
    return {
        (factura_id, cuv): frozenset(one for one in (sent.get("rips"), sent.get("xml")) if one)
        for factura_id, cuv, sent in rows
    }


def cerrar(row: EnvioMuv, resultado: Resultado, *, at: datetime, codigo: str = "", detalle: str = "") -> None:
    """End an order; only an approved one goes on standing for its content."""
    row.resultado, row.terminado_at = resultado, at
    row.codigo, row.detalle = codigo[:60] or None, detalle
    row.vivo = int(resultado is Resultado.APROBADO)


def avisar(session: Session, row: EnvioMuv, factura: Factura, titulo: str, detalle: str, *, at: datetime) -> None:
    """Open the task of a person for an order that came to nothing by itself."""
    open_task(
        session,
        ClaseTarea.ATENDER_PORTAL,
        prestador_id=row.prestador_id,
        case_key=factura.case_key,
        titulo=titulo,
        detalle=detalle,
        at=at,
    )


def atendido(session: Session, factura: Factura, *, actor: str, at: datetime) -> None:
    """Close the task of an invoice once the MUV has spoken."""
    close_tasks(
        session, factura.case_key, por=actor, resultado="El MUV respondió.", at=at, clases=[ClaseTarea.ATENDER_PORTAL]
    )


def abandonados(session: Session, *, limit: int = 200) -> list[int]:
    """Return the open orders whose job is at its end: killed too often, or gone."""
    return list(session.scalars(_orphan().order_by(EnvioMuv.id).limit(limit)))


def _orphan(*also: ColumnElement[bool]) -> Select[int]:
    alive = (JobState.READY.value, JobState.RUNNING.value, JobState.OUTCOME_UNKNOWN.value)
    job = select(Job.id).where(
        Job.kind == KIND, Job.state.in_(alive), Job.dedup == literal(f"{KIND}:") + cast(EnvioMuv.id, String)
    )
    return select(EnvioMuv.id).where(EnvioMuv.vivo == 1, EnvioMuv.resultado.in_([*ABIERTOS]), ~job.exists(), *also)


def abandonar(session: Session, envio_id: int, *, at: datetime) -> bool:
    """Write that an order failed because its job did, and tell a person. False when it is no longer so."""
    row = session.get_one(EnvioMuv, envio_id, with_for_update=True)
    # Somebody may have asked again since it was found: then its new job is alive.
    if (
        row.resultado not in ABIERTOS
        or row.factura_id is None
        or session.scalar(_orphan(EnvioMuv.id == row.id)) is None
    ):
        return False
    factura = session.get_one(Factura, row.factura_id)
    cerrar(row, Resultado.FALLIDO, at=at, codigo="trabajo_interrumpido", detalle=SIN_SABER)
    avisar(
        session, row, factura, f"No terminó la validación en el MUV de la factura {factura.numero}", SIN_SABER, at=at
    )
    return True


SIN_SABER = "No se sabe si el MUV alcanzó a procesarla. Pida de nuevo la validación: si ya tiene CUV, se recupera; no se duplica."


def huella_de_envio(factura: Factura, account: CuentaMuv, content: Contenido) -> str:
    """Return the hash of what is sent and to whom: the same again is the same order."""
    parts = [content.modulo.value, account.url, str(factura.prestador_id)]
    parts += [doc.sha256 if doc is not None else "-" for doc in (content.rips, content.xml)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _module_of(docs: Sequence[Documento]) -> Modulo:
    """Tell the call by what was read of the documents, as `validacion.motor.modulo_de` does by the opened ones."""
    kept = _last(one for one in docs if one.tipo in (TipoDocumento.FEV, TipoDocumento.INVOICE))
    fev = recall(Fev, kept.datos) if kept is not None else None
    if fev is None or (fev.modalidad_pago != "03" and not fev.es_recaudo):
        return Modulo.FEV
    has_rips = any(one.tipo is TipoDocumento.RIPS and not one.sigla for one in docs)
    return Modulo.CAPITA_PERIODO if has_rips else Modulo.CAPITA_INICIAL


def _last(docs: Iterable[Documento]) -> Documento | None:
    found = list(docs)
    return found[-1] if found else None


def _only_a_test(session: Session, factura: Factura) -> bool:
    """Say whether the CUV of an invoice is of the environment of tests."""
    docs = documents_of(session, factura.id, in_force=True)
    said = [str(one.datos.get("environment") or "").lower() for one in docs if one.tipo is TipoDocumento.CUV]
    return bool(said) and any(word in said[-1] for word in ("test", "stage", "prueba"))


def _living(
    session: Session, factura: Factura, account: CuentaMuv, content: Contenido, *, actor: str, at: datetime
) -> tuple[EnvioMuv, bool]:
    """Add the order, or return the one that lives; two processes at once make one."""
    values = {
        "prestador_id": factura.prestador_id,
        "factura_id": factura.id,
        "modulo": content.modulo.value,
        "huella": huella_de_envio(factura, account, content),
        "vivo": 1,
        "resultado": Resultado.PEDIDO.value,
        "pedido_at": at,
        "pedido_por": actor,
        "detalle": "",
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = session.execute(
        dialect.insert(EnvioMuv).values(values).on_conflict_do_nothing().returning(EnvioMuv.id)
    ).scalar_one_or_none()
    query = select(EnvioMuv).where(
        EnvioMuv.prestador_id == factura.prestador_id,
        EnvioMuv.modulo == values["modulo"],
        EnvioMuv.huella == values["huella"],
        EnvioMuv.vivo == 1,
    )
    return session.scalars(query).one(), made is not None


def _order(session: Session, row: EnvioMuv, factura: Factura, account: CuentaMuv, content: Contenido) -> None:
    payload = {
        "envio_muv_id": row.id,
        "rips": content.rips.sha256 if content.rips is not None else None,
        "xml": content.xml.sha256 if content.xml is not None else None,
    }
    enqueue(
        session,
        KIND,
        payload=payload,
        prestador_id=row.prestador_id,
        subject=factura.case_key,
        max_attempts=int(account.limites.get("intentos", INTENTOS)),
        dedup=f"{KIND}:{row.id}",
    )
