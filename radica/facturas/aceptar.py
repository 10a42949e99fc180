"""Before and after a finding: a person accepts it with a reason, takes that back, or asks for a credit note.

Invariant: an acceptance is of one finding as a person saw it (its words, weight and money), for the very documents it
was found in; it stands in the invoice's chain and changes no state: what blocks a filing goes on blocking it. Who may
accept depends on the weight and on the money at risk. Norm: none forbids it; Ley 527 de 1999 art. 9 for the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Apunte, Reason
from radica.audit.services import note_fact
from radica.entidades.models import Prestador
from radica.facturas.documents import documents_of
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo, Severidad, TipoDocumento
from radica.facturas.validacion.modelo import Clase, Fuente
from radica.facturas.validacion_models import HallazgoAceptado
from radica.kernel.errors import BadInput, StalePage
from radica.users.models import ClaseTarea, Rol, Tarea
from radica.users.tasks import open_task

ANY = (Rol.FACTURACION, Rol.DIRECCION, Rol.ADMINISTRACION)
HIGHER = (Rol.DIRECCION, Rol.ADMINISTRACION)
MIN_REASON = 10
"""Characters of a reason that says something."""
MAX_REASON = 1_000
_XML = (TipoDocumento.FEV, TipoDocumento.INVOICE, TipoDocumento.RESPUESTA_DIAN)
_OF: Mapping[str, tuple[TipoDocumento, ...]] = {
    Fuente.FEV: _XML,
    Fuente.RESPUESTA: _XML,
    Fuente.CAPITA_INICIAL: _XML,
    Fuente.RIPS: (TipoDocumento.RIPS,),
    Fuente.CUV: (TipoDocumento.CUV,),
    Fuente.CRUCE: (*_XML, TipoDocumento.RIPS),
    Fuente.SOPORTE: (TipoDocumento.SOPORTE, TipoDocumento.RIPS),
}


def clave_fila(one: Hallazgo) -> tuple[str, ...]:
    """Return what makes findings one row of the page and one act: the same remedy of the same code, by the same people.

    One code may ask for different remedies in different places; who accepts one of them has not accepted the other.
    """
    return (one.codigo, one.origen.value, one.quien, one.clase, one.severidad.value, one.que_hacer)


def riesgo_de(of_code: Sequence[Hallazgo]) -> int:
    """Return the centavos at risk in all findings of a code: parts of it are no way around the limit."""
    return sum(one.valor or 0 for one in of_code)


def pueden_aceptar(found: Sequence[Hallazgo], riesgo: int, limite: int | None) -> tuple[Rol, ...]:
    """Return the roles that may accept findings at once; `riesgo` is of their whole code, `limite` the provider's.

    Both in centavos; None: no limit.
    """
    over = limite is not None and riesgo > limite
    grave = any(one.clase == Clase.RECHAZO or one.severidad is Severidad.BLOQUEO for one in found)
    return HIGHER if over or grave else ANY


def huella_de(hallazgo: Hallazgo, documents: Sequence[Documento]) -> str:
    """Return the hash of the documents a finding speaks of: those of its source, or all."""
    kinds = _OF.get(hallazgo.fuente)
    told = sorted(doc.sha256 for doc in documents if doc.vigente and (kinds is None or doc.tipo in kinds))
    return hashlib.sha256("\n".join(told).encode("ascii")).hexdigest()


def dicho_de(one: Hallazgo) -> str:
    """Return the hash of what a page tells of a finding: where, how grave, how much money, what is wrong and the remedy."""
    told = (*clave_fila(one), one.lugar, one.linea, one.valor, one.mensaje)
    return hashlib.sha256(repr(told).encode("utf-8")).hexdigest()


def huella_vista(found: Sequence[Hallazgo]) -> str:
    """Return the hash of what a row of the page tells, so that nobody accepts what was not shown."""
    return hashlib.sha256("\n".join(sorted(map(dicho_de, found))).encode("ascii")).hexdigest()


def fila_vista(of_code: Sequence[Hallazgo], visto: str | None) -> list[Hallazgo]:
    """Return the findings of a code that stood in the row with this hash. Raises StalePage when they changed."""
    rows: dict[tuple[str, ...], list[Hallazgo]] = {}
    for one in of_code:
        rows.setdefault(clave_fila(one), []).append(one)
    for many in rows.values():
        if huella_vista(many) == visto:
            return many
    raise StalePage("Lo que se halló cambió desde que abrió la página; no se hizo nada.")


def aceptaciones(
    session: Session, factura: Factura, found: Sequence[Hallazgo], documents: Sequence[Documento]
) -> dict[int, HallazgoAceptado]:
    """Return, by id of finding, the living acceptance for the documents in force."""
    rows = session.scalars(
        select(HallazgoAceptado).where(
            HallazgoAceptado.factura_id == factura.id, HallazgoAceptado.retirado_at.is_(None)
        )
    )
    by_key = {(row.codigo, row.lugar, row.huella, row.dicho): row for row in rows}
    if not by_key:
        return {}
    hits = ((one.id, by_key.get(_key(one, documents))) for one in found)
    return {id_: row for id_, row in hits if row is not None}


def _key(one: Hallazgo, documents: Sequence[Documento]) -> tuple[str, str, str, str]:
    return (one.codigo, one.lugar, huella_de(one, documents), dicho_de(one))


def aceptar(
    session: Session, factura: Factura, found: Sequence[Hallazgo], *, motivo: str, actor: str, at: datetime
) -> int:
    """Record that a person takes responsibility for the findings of one row; the caller checked the role.

    Returns how many were accepted now. Raises BadInput without a reason, StalePage when none is left to accept.
    """
    reason = _reason(motivo)
    if any(one.origen is OrigenHallazgo.REVISION and one.severidad is Severidad.BLOQUEO for one in found):
        raise BadInput(
            "Lo que impide radicar no se acepta: se corrige.",
            todo="Cargue el documento que falta.",
            code="no_aceptable",
        )
    if all(one.clase == Clase.NO_DECIDIBLE for one in found):
        raise BadInput("Eso nadie lo decide sin conexión: no hay qué aceptar.", code="no_aceptable")
    documents = documents_of(session, factura.id)
    already = aceptaciones(session, factura, found, documents)
    fresh = {_key(one, documents): one for one in found if one.id not in already}
    if not fresh:
        raise StalePage("Esos hallazgos ya estaban aceptados, o ya no están.")
    for (codigo, lugar, print_, told), one in fresh.items():
        session.add(
            HallazgoAceptado(
                prestador_id=factura.prestador_id,
                factura_id=factura.id,
                codigo=codigo,
                lugar=lugar,
                huella=print_,
                dicho=told,
                valor=one.valor,
                motivo=reason,
                aceptado_at=at,
                aceptado_por=actor,
            )
        )
    _note(session, factura, Apunte.ACEPTAR_HALLAZGO, list(fresh), reason, actor=actor, at=at)
    return len(fresh)


def retirar(session: Session, factura: Factura, found: Sequence[Hallazgo], *, actor: str, at: datetime) -> int:
    """Take the living acceptances of one row back; return how many. Raises StalePage when there is none."""
    living = aceptaciones(session, factura, found, documents_of(session, factura.id))
    rows = session.scalars(
        select(HallazgoAceptado)
        .where(HallazgoAceptado.id.in_({row.id for row in living.values()}), HallazgoAceptado.retirado_at.is_(None))
        .order_by(HallazgoAceptado.id)
        .with_for_update()
    ).all()
    if not rows:
        raise StalePage("Esa aceptación ya estaba retirada.")
    for row in rows:
        row.retirado_at, row.retirado_por = at, actor
    keys = [(row.codigo, row.lugar, row.huella, row.dicho) for row in rows]
    _note(session, factura, Apunte.RETIRAR_ACEPTACION, keys, "", actor=actor, at=at)
    return len(rows)


def _note(
    session: Session,
    factura: Factura,
    what: Apunte,
    keys: Sequence[tuple[str, str, str, str]],
    reason: str,
    *,
    actor: str,
    at: datetime,
) -> None:
    """Write one link for all of a row: how many, and the hash of their places, documents and words."""
    told = "\n".join("|".join(key) for key in sorted(keys))
    facts = {"codigo": keys[0][0], "cuantos": len(keys), "huella": hashlib.sha256(told.encode("utf-8")).hexdigest()}
    note_fact(session, factura, what, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA, note=reason, facts=facts)


def pedir_nota_credito(session: Session, factura: Factura, hallazgo: Hallazgo, *, motivo: str, at: datetime) -> Tarea:
    """Open the task of issuing a credit note for what a finding shows; one open task per invoice.

    Raises BadInput without a reason. The words of the finding name no patient, so the task may repeat them.
    """
    reason = _reason(motivo)
    return open_task(
        session,
        ClaseTarea.EMITIR_NOTA_CREDITO,
        prestador_id=factura.prestador_id,
        case_key=factura.case_key,
        titulo=f"Emitir nota crédito de la factura {factura.numero} por {hallazgo.codigo}",
        at=at,
        detalle=f"{hallazgo.mensaje} {reason}",
    )


def fijar_limite(session: Session, prestador: Prestador, centavos: int | None) -> None:
    """Set up to which money at risk facturación accepts findings of a provider; None: any."""
    if centavos is not None and centavos < 0:
        raise BadInput("El límite no puede ser negativo.", code="limite_negativo")
    prestador.limite_aceptacion = centavos
    session.flush()


def _reason(motivo: str) -> str:
    reason = " ".join(motivo.split())
    if len(reason) < MIN_REASON:
        raise BadInput("Falta el motivo.", todo=f"Escriba por qué, en {MIN_REASON} letras o más.", code="sin_motivo")
    if len(reason) > MAX_REASON:
        raise BadInput(f"El motivo pasa de {MAX_REASON} letras.", todo="Resúmalo.", code="motivo_largo")
    return reason
