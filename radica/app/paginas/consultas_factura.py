"""Everything that the page of one invoice tells, read in one go and without Flask.

Invariant: only rows of the invoice's own provider; documents, attempts and evidence come as rows, their bytes are
never touched here. The invoice itself was loaded (and authorised) by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Transition
from radica.audit.services import history
from radica.custodia.models import Pieza
from radica.custodia.services import pieces_of
from radica.entidades.models import Pagador, Prestador
from radica.facturas.documents import documents_of
from radica.facturas.models import Documento, Factura, Hallazgo, Severidad
from radica.jobs.models import Job, JobState
from radica.portales.models import CuentaPortal
from radica.radicacion.entrega import GROUP as PREPARED
from radica.radicacion.models import Envio, EnvioFactura, Intento, Lectura
from radica.users.models import Tarea
from radica.users.services import actor_names

_WEIGHT = {Severidad.BLOQUEO: 0, Severidad.AVISO: 1, Severidad.INFO: 2}
CLASES = {
    "acta": "Acta sin firmar",
    "expediente_bolsa": "Expediente completo con sus pruebas (ZIP)",
    "expediente_pdf": "Expediente en un solo PDF",
    "acta_firmada": "Acta firmada",
    "libro_pagador": "Libro del pagador",
    "pago": "Soporte de pago",
    "respuesta_muv": "Respuesta del MUV",
    "manifest": "Manifiesto de lo enviado",
    "lineage": "De dónde salió cada archivo",
    "entregado": "Archivo cambiado para entregarlo",
    "form_values": "Datos leídos del formulario",
    "screenshot_before": "Pantalla antes de enviar",
    "screenshot_after": "Pantalla después de enviar",
    "acuse_shot": "Captura del acuse",
    "acuse_dom": "Página del acuse (fuente)",
    "acuse_document": "Documento del pagador",
    "submit_response": "Respuesta del portal",
    "radicado": "Radicado leído",
    "tls": "Certificado del portal",
    "context": "Contexto del navegador",
    "operation": "Quién, con qué y cuándo",
    "result": "Resultado del bot",
    "failure": "Evidencia de la falla",
    "answers": "Respuestas que se llevaron",
    "items_before": "Ítems antes de responder",
    "items_after": "Ítems después de responder",
    "annex": "Anexo de la respuesta",
    "payer_sheet": "Hoja del pagador (Excel)",
}

PICTURES = frozenset({".png", ".jpg", ".jpeg"})
"""Names of images; what they hold is checked when they are drawn."""
CONSULTAS = {"acuse_shot": "Captura de la consulta", "acuse_dom": "Página de la consulta (fuente)"}
"""The same kinds when a later reading of the portal left them."""


@dataclass(frozen=True)
class IntentoVisto:
    """One attempt with what it left."""

    intento: Intento
    lecturas: Sequence[Lectura]
    piezas: Sequence[Pieza]

    @property
    def fotos(self) -> list[Pieza]:
        """Its screenshots."""
        return [one for one in self.piezas if is_picture(one)]


@dataclass(frozen=True)
class EnvioVisto:
    """One intention of filing: its attempts, its living job, how many invoices it carries, pieces outside attempts."""

    envio: Envio
    intentos: Sequence[IntentoVisto]
    job: Job | None
    facturas: int
    piezas: Sequence[Pieza]


@dataclass(frozen=True)
class Caso:
    """The whole story of one invoice."""

    factura: Factura
    prestador: Prestador
    pagador: Pagador | None
    documentos: Sequence[Documento]
    hallazgos: Sequence[Hallazgo]
    movimientos: Sequence[Transition]
    envios: Sequence[EnvioVisto]
    piezas: Sequence[Pieza]
    tareas: Sequence[Tarea]
    nombres: dict[str, str]
    con_bot: bool

    @property
    def envio(self) -> EnvioVisto | None:
        """The last intention, if any."""
        return self.envios[0] if self.envios else None


def load_case(session: Session, factura: Factura) -> Caso:
    """Read the whole story of an invoice."""
    envios = list(
        session.scalars(
            select(Envio)
            .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
            .where(EnvioFactura.factura_id == factura.id)
            .order_by(Envio.id.desc())
        )
    )
    keys = [factura.case_key, *(envio.case_key for envio in envios)]
    piezas = pieces_of(session, prestador_id=factura.prestador_id, case_keys=keys)
    moves = history(session, keys)
    documentos = documents_of(session, factura.id)
    vistos = _envios(session, envios, piezas)
    tareas = list(session.scalars(select(Tarea).where(Tarea.case_key.in_(keys)).order_by(Tarea.id.desc())))
    actors = {move.actor for move in moves} | {doc.cargado_por for doc in documentos}
    actors |= {tarea.cerrada_por for tarea in tareas if tarea.cerrada_por}
    actors |= {pieza.sellada_por for pieza in piezas}
    if factura.extemporanea_por:
        actors.add(factura.extemporanea_por)
    found = session.scalars(select(Hallazgo).where(Hallazgo.factura_id == factura.id))
    return Caso(
        factura=factura,
        prestador=session.get_one(Prestador, factura.prestador_id),
        pagador=session.get(Pagador, factura.pagador_id) if factura.pagador_id else None,
        documentos=sorted(documentos, key=_order),
        hallazgos=sorted(found, key=lambda one: (_WEIGHT[one.severidad], one.id)),
        movimientos=moves,
        envios=vistos,
        piezas=piezas,
        tareas=tareas,
        nombres=actor_names(session, actors),
        con_bot=_has_bot(session, factura),
    )


def _envios(session: Session, envios: Sequence[Envio], piezas: Sequence[Pieza]) -> list[EnvioVisto]:
    ids = [envio.id for envio in envios]
    attempts: dict[int, list[Intento]] = {}
    for row in session.scalars(select(Intento).where(Intento.envio_id.in_(ids)).order_by(Intento.id.desc())):
        attempts.setdefault(row.envio_id, []).append(row)
    readings: dict[int, list[Lectura]] = {}
    all_attempts = [row.id for rows in attempts.values() for row in rows]
    for reading in session.scalars(select(Lectura).where(Lectura.intento_id.in_(all_attempts)).order_by(Lectura.id)):
        readings.setdefault(reading.intento_id, []).append(reading)
    groups: dict[tuple[str, str], list[Pieza]] = {}
    for pieza in piezas:
        groups.setdefault((pieza.case_key, pieza.group_key), []).append(pieza)
    vistos = []
    for envio in envios:
        seen = [_attempt(envio, row, readings.get(row.id, []), groups) for row in attempts.get(envio.id, [])]
        taken = {pieza.id for one in seen for pieza in one.piezas}
        rest = [pieza for pieza in piezas if pieza.case_key == envio.case_key and pieza.id not in taken]
        vistos.append(EnvioVisto(envio, seen, _living_job(session, envio), len(envio.lineas), rest))
    return vistos


def _attempt(
    envio: Envio, row: Intento, readings: Sequence[Lectura], groups: dict[tuple[str, str], list[Pieza]]
) -> IntentoVisto:
    keys = [f"intento:{row.id}", *(f"lectura:{reading.id}" for reading in readings)]
    return IntentoVisto(row, readings, [pieza for key in keys for pieza in groups.get((envio.case_key, key), [])])


def _living_job(session: Session, envio: Envio) -> Job | None:
    alive = (JobState.READY, JobState.RUNNING, JobState.OUTCOME_UNKNOWN)
    return session.scalar(
        select(Job).where(Job.subject == envio.case_key, Job.state.in_(alive)).order_by(Job.id.desc()).limit(1)
    )


def _has_bot(session: Session, factura: Factura) -> bool:
    if factura.pagador_id is None:
        return False
    account = select(CuentaPortal.id).where(
        CuentaPortal.prestador_id == factura.prestador_id,
        CuentaPortal.pagador_id == factura.pagador_id,
        CuentaPortal.activa.is_(True),
    )
    return session.scalar(account.limit(1)) is not None


_KINDS = ("FEV", "INVOICE", "RESPUESTA_DIAN", "RIPS", "CUV", "NOTA_CREDITO", "NOTA_DEBITO", "SOPORTE")


def _order(doc: Documento) -> tuple[bool, int, str, int]:
    return (not doc.vigente, _KINDS.index(doc.tipo.value), doc.sigla, doc.id)


def evidence_groups(caso: Caso) -> list[tuple[str, list[Pieza]]]:
    """Return the evidence by what left it, newest group first, each with its title."""
    titles: dict[tuple[str, str], str] = {}
    for visto in caso.envios:
        for one in visto.intentos:
            titles[visto.envio.case_key, f"intento:{one.intento.id}"] = f"Intento {one.intento.numero}"
            for index, reading in enumerate(one.lecturas, start=1):
                key = visto.envio.case_key, f"lectura:{reading.id}"
                titles[key] = f"Consulta {index} después del intento {one.intento.numero}"
    groups: dict[tuple[str, str], list[Pieza]] = {}
    for pieza in reversed(caso.piezas):
        groups.setdefault((pieza.case_key, pieza.group_key), []).insert(0, pieza)
        if pieza.group_key == PREPARED:
            titles[pieza.case_key, PREPARED] = "Hecha para entregarla"
        elif pieza.group_key.startswith("muv:"):
            titles[pieza.case_key, pieza.group_key] = "Validador de MinSalud"
    return [(titles.get(key, "Aportada por una persona"), pieces) for key, pieces in groups.items()]


def class_name(pieza: Pieza) -> str:
    """Return how a person calls a piece of evidence."""
    if pieza.group_key.startswith("lectura:") and pieza.clase in CONSULTAS:
        return CONSULTAS[pieza.clase]
    return CLASES.get(pieza.clase, pieza.clase.replace("_", " ").capitalize())


def is_picture(pieza: Pieza) -> bool:
    """Say whether the piece is a screenshot."""
    return PurePosixPath(pieza.nombre).suffix.lower() in PICTURES
