"""Carries out an order to the MUV: judge, send, follow, and record; killed at any point it may be carried out again.

Invariant: nothing is held while the Ministry is asked; the answer's bytes are in custody before a row names them; only
who still has the job records; an answer about documents that were replaced meanwhile is kept and not loaded. Sending again is harmless: what was approved comes back as RVG18 and its CUV is
recovered. Log lines name provider, hash and codes, never a number of invoice or a patient. Res. 948 de 2026.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Apunte, Reason
from radica.audit.services import lock_all, note_fact
from radica.custodia.services import Kept, seal
from radica.custodia.store import Store, Stored
from radica.entidades.models import Prestador
from radica.facturas.documents import add_document, documents_of
from radica.facturas.facts import recall
from radica.facturas.juicio import Encargo, encargo_de
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.muv.cliente import YA_APROBADO, Credencial, Limites, Muv, Respuesta
from radica.facturas.muv.cuentas import abrir_cuenta, cuenta_de, prender
from radica.facturas.muv.envios import (
    ABIERTOS,
    DE_LA_FACTURA,
    SIN_SABER,
    Resultado,
    atendido,
    avisar,
    cerrar,
    contenido,
    otros_enviados,
    rechazos,
)
from radica.facturas.muv.transporte import MuvProblem, Puerta
from radica.facturas.muv.veredicto import Esperado, Veredicto, tramitar_paquete
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.recognise import Pieza, Tipo
from radica.facturas.review import review
from radica.facturas.rips import Rips
from radica.facturas.states import REVISABLES
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion_models import EnvioMuv
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Dead, Done, Retry, finish, finish_in
from radica.kernel.clock import Clock
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.kernel.money import from_cents
from radica.portales.credentials import Vault

log = logging.getLogger("radica.muv")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_JUDGEMENTS = 3
"""Times that an invoice that changes while it is judged is judged before its order waits."""


@dataclass(frozen=True)
class Casa:
    """What an order needs around it. `juez` judges an invoice whose documents nobody opened yet."""

    db: Database
    store: Store
    vault: Vault
    clock: Clock
    actor: str
    juez: Callable[[Encargo], object]


@dataclass(frozen=True)
class _Orden:
    """An order as it was read."""

    envio_id: int
    factura_id: int
    prestador_id: int
    modulo: Modulo
    huella: str
    rips: str | None
    xml: str | None
    puerta: Puerta
    credencial: Credencial
    cifrada: bytes
    """The very credential of the account with which it goes out, to see whether a person changed it meanwhile."""
    limites: Limites
    sent: Esperado

    @property
    def called(self) -> str:
        """Return what log lines call it."""
        return f"prestador {self.prestador_id} envío {self.huella[:12]}"


def tramitar(casa: Casa, claimed: Claimed) -> None:
    """Carry out the order of a job and finish the job."""
    _judge(casa, claimed)
    order = _read(casa, claimed)
    if order is None:
        finish(casa.db, claimed, outcome=Done())
        return
    try:
        rips = casa.store.read(order.rips) if order.rips else None
        xml = casa.store.read(order.xml) if order.xml else None
        _mark_sent(casa, claimed, order)
        log.info("%s: se envía (%s)", order.called, order.modulo.value)
        verdict = tramitar_paquete(
            Muv(order.puerta, order.credencial, order.limites), order.modulo, rips, xml, order.sent
        )
    except MuvProblem as problem:
        _failed(casa, claimed, order, problem)
        return
    _record(casa, claimed, order, verdict)


def _judge(casa: Casa, claimed: Claimed) -> None:
    """Have the checker open the documents when it has not done so yet.

    Raises Unavailable when they (or its tables) go on changing while it judges: an old verdict lets nothing through.
    """
    for _ in range(_JUDGEMENTS):
        with casa.db.read() as session:
            row = session.get(EnvioMuv, int(claimed.payload["envio_muv_id"]))
            factura = session.get(Factura, row.factura_id) if row is not None and row.factura_id is not None else None
            if factura is None or not factura.por_juzgar or factura.estado not in REVISABLES:
                return
            errand = encargo_de(session, factura)
        casa.juez(errand)
    raise Unavailable("La factura cambia mientras se comprueba; se repite.", code="sin_comprobar")


def _mark_sent(casa: Casa, claimed: Claimed, order: _Orden) -> None:
    """Write durably that the package goes out now. Raises Unavailable when another worker has the job, or ended it."""
    with casa.db.write(durable=True) as session:
        row = session.get_one(EnvioMuv, order.envio_id, with_for_update=True)
        if not _mine(session, claimed) or row.resultado not in ABIERTOS:
            raise _turn_lost()
        row.resultado, row.enviado_at = Resultado.ENVIANDO, row.enviado_at or casa.clock()


def _read(casa: Casa, claimed: Claimed) -> _Orden | None:
    """Read the order; one that must not be sent (any more) is ended with the reason, and None returned."""
    with casa.db.write() as session:
        row = session.get(EnvioMuv, int(claimed.payload["envio_muv_id"]))
        if row is None or row.resultado not in ABIERTOS or row.factura_id is None:
            return None
        if not _mine(session, claimed):
            raise _turn_lost()
        factura = session.get_one(Factura, row.factura_id)
        code, words = _obstacle(session, row, factura, claimed)
        account = cuenta_de(session, row.prestador_id)
        if code or account is None:
            log.info("prestador %s envío %s: no se envía (%s)", row.prestador_id, row.huella[:12], code)
            if row.enviado_at is not None:
                words = f"{words} {SIN_SABER}"
                avisar(session, row, factura, f"Quedó a medias la validación de la factura {factura.numero}", words, at=casa.clock())  # fmt: skip
            cerrar(row, Resultado.NO_ENVIADO, at=casa.clock(), codigo=code, detalle=words)
            return None
        door, credential, limits = abrir_cuenta(session, account, casa.vault)
        return _Orden(
            envio_id=row.id,
            factura_id=factura.id,
            prestador_id=row.prestador_id,
            modulo=Modulo(row.modulo),
            huella=row.huella,
            rips=claimed.payload["rips"],
            xml=claimed.payload["xml"],
            puerta=door,
            credencial=credential,
            cifrada=account.credencial_cifrada,
            limites=limits,
            sent=_expected(session, factura, Modulo(row.modulo), claimed),
        )


def _obstacle(session: Session, row: EnvioMuv, factura: Factura, claimed: Claimed) -> tuple[str, str]:
    """Return why an order must not be sent now, as code and words; empty when nothing speaks against it."""
    account = cuenta_de(session, row.prestador_id)
    if account is None or not account.activa:
        return "cuenta_apagada", "El envío al MUV está apagado para este prestador."
    if factura.estado not in REVISABLES:
        return "muv_tarde", "La factura ya está en radicación o radicada."
    changed = _changed(session, row, factura, claimed)
    if changed[0]:
        return changed
    codes = rechazos(session, factura.id)
    if codes:
        return "muv_rechazos", f"El comprobador halla lo que el MUV rechazaría: {', '.join(codes[:8])}."
    return "", ""


def _changed(session: Session, row: EnvioMuv, factura: Factura, claimed: Claimed) -> tuple[str, str]:
    """Return in what the documents in force are not those of the order, as code and words; empty when they are."""
    try:
        now = contenido(session, factura, Modulo(row.modulo))
    except BadInput as gone:
        return gone.code, gone.message
    sent = [claimed.payload["rips"], claimed.payload["xml"]]
    if [doc.sha256 if doc is not None else None for doc in (now.rips, now.xml)] != sent:
        return "documentos_cambiados", "Los documentos de la factura cambiaron después de pedirlo."
    return "", ""


def _expected(session: Session, factura: Factura, modulo: Modulo, claimed: Claimed) -> Esperado:
    """Return what the answer must name: the number as the invoice and as its RIPS write it."""
    numbers = [factura.numero] if modulo in DE_LA_FACTURA else []
    for doc in documents_of(session, factura.id, in_force=True):
        if doc.sha256 == claimed.payload["rips"] and doc.tipo is TipoDocumento.RIPS:
            said = recall(Rips, doc.datos)
            numbers += [one for one in (said.number, said.note_number) if one]
        elif doc.sha256 == claimed.payload["xml"] and doc.tipo is not TipoDocumento.FEV:
            numbers += [str(doc.datos["number"])] if doc.datos.get("number") else []
    totals = tuple(from_cents(one) for one in (factura.valor, factura.valor_bruto) if one is not None)
    nit = session.get_one(Prestador, factura.prestador_id).nit
    return Esperado(nit, tuple(dict.fromkeys(numbers)), totals if modulo in DE_LA_FACTURA else ())


def _failed(casa: Casa, claimed: Claimed, order: _Orden, problem: MuvProblem) -> None:
    """Try again later when that may help, else end the order and call a person."""
    kept = _keep(casa, [("error", problem.data)] if problem.data else [])
    refused, at = problem.code == "credenciales", casa.clock()
    with casa.db.write() as session:
        # What was refused may be the password that a person has just put right.
        account = cuenta_de(session, order.prestador_id) if refused else None
        changed = account is not None and account.credencial_cifrada != order.cifrada
        again = (problem.again or changed) and claimed.attempts < claimed.max_attempts
        ending = "se repite" if again else "termina"
        log.warning("%s: %s (http %s), %s", order.called, problem.code, problem.status, ending)
        outcome = Retry(problem.code, str(problem)) if again else Dead(problem.code, str(problem))
        row, factura = _ours(session, claimed, order, outcome)
        _seal(session, kept, row, factura, actor=casa.actor, at=at)
        row.http, row.codigo, row.detalle = problem.status, problem.code[:60], str(problem)
        if again:
            return
        if refused and not changed:
            _switch_off(session, row, at=at)
        words = f"{problem} {SIN_SABER}" if problem.again else str(problem)
        cerrar(row, Resultado.FALLIDO, at=at, codigo=problem.code, detalle=words)
        avisar(session, row, factura, f"No se pudo validar en el MUV la factura {factura.numero}", words, at=at)


def _switch_off(session: Session, row: EnvioMuv, *, at: datetime) -> None:
    """Stop sending with a password that was refused: trying on would lock the person's user at SISPRO."""
    account = cuenta_de(session, row.prestador_id)
    if account is not None:
        prender(session, account, activa=False, actor="muv", at=at)


def _record(casa: Casa, claimed: Claimed, order: _Orden, verdict: Veredicto) -> None:
    """Keep the answers, load the one that stands, and write the outcome; all or nothing."""
    kept = _keep(casa, [(name, answer.data) for name, answer in verdict.respuestas])
    at = casa.clock()
    with casa.db.write(durable=True) as session:
        row, factura = _ours(session, claimed, order, Done())
        _seal(session, kept, row, factura, actor=casa.actor, at=at)
        verdict = _weighed(session, row, factura, claimed, verdict)
        result = Resultado(verdict.resultado)
        last = verdict.vale or verdict.respuestas[-1][1]
        row.http, row.proceso = last.status, (last.dice.process or "")[:40] or None
        row.cuv = verdict.vale.dice.cuv if verdict.vale is not None and result is Resultado.APROBADO else None
        hashes = [one.stored.sha256 for one in kept]
        row.evidencia_sha256 = next(
            (item.stored.sha256 for item, (_, answer) in zip(kept, verdict.respuestas, strict=True) if answer is last), None
        )  # fmt: skip
        cerrar(row, result, at=at, codigo=verdict.codigo, detalle=verdict.detalle)
        if verdict.vale is not None and order.modulo in DE_LA_FACTURA:
            _load(session, factura, verdict.vale, row, actor=casa.actor, at=at)
        facts = {
            "envio": row.id, "modulo": row.modulo, "resultado": result.value, "codigo": row.codigo, "cuv": row.cuv,
            "proceso": row.proceso, "huella": row.huella,
        }  # fmt: skip
        note_fact(
            session, factura, Apunte.RESPONDER_MUV, actor=casa.actor, at=at, reason=Reason.ORDEN_DE_PERSONA,
            note=verdict.detalle or "Aprobada: recibió su CUV.", facts=facts, evidence=hashes,
        )  # fmt: skip
        if result in (Resultado.APROBADO, Resultado.RECHAZADO):
            atendido(session, factura, actor=casa.actor, at=at)
        else:
            titulo = f"Revisar lo que respondió el MUV de la factura {factura.numero}"
            avisar(session, row, factura, titulo, verdict.detalle, at=at)
    log.info("%s: %s %s", order.called, result.value, verdict.codigo)


def _weighed(session: Session, row: EnvioMuv, factura: Factura, claimed: Claimed, verdict: Veredicto) -> Veredicto:
    """Return the verdict as far as it is one of the documents in force: an old one never stands over newer papers."""
    said = verdict.vale.dice if verdict.vale is not None else None
    if said is None or Modulo(row.modulo) not in DE_LA_FACTURA:
        return verdict
    if _changed(session, row, factura, claimed)[0]:
        if verdict.resultado == Resultado.RECHAZADO:
            words = f"{verdict.detalle}. Mientras respondía se cargaron otros documentos: pida de nuevo la validación."
            return replace(verdict, vale=None, detalle=words)
        words = f"El MUV aprobó los documentos que se le enviaron (CUV {said.cuv}), pero mientras respondía se cargaron otros."
        return replace(
            verdict, resultado=Resultado.AJENO, vale=None, codigo="documentos_cambiados", detalle=f"{words} {_DECIDA}"
        )
    if verdict.codigo == YA_APROBADO and otros_enviados(session, row, said.cuv):
        words = f"El MUV ya tenía aprobada esta factura (CUV {said.cuv}) y antes se le habían enviado otros documentos de ella."
        return replace(
            verdict, resultado=Resultado.AJENO, vale=None, codigo="otra_version", detalle=f"{words} {_DECIDA}"
        )
    return verdict


_DECIDA = "Compruebe con cuáles se obtuvo ese CUV antes de cargarlo: la respuesta completa está en la evidencia de la factura."


def _ours(session: Session, claimed: Claimed, order: _Orden, outcome: Done | Retry | Dead) -> tuple[EnvioMuv, Factura]:
    """Lock the invoice and end the job. Raises Unavailable when another worker has it: nothing is written then."""
    factura = session.get_one(Factura, order.factura_id)
    lock_all(session, [factura])
    if not finish_in(session, claimed, outcome=outcome):
        raise _turn_lost()
    return session.get_one(EnvioMuv, order.envio_id), factura


def _mine(session: Session, claimed: Claimed) -> bool:
    row = select(Job.id).where(Job.id == claimed.id, Job.token == claimed.token, Job.state == JobState.RUNNING.value)
    return session.scalar(row) is not None


def _turn_lost() -> Unavailable:
    return Unavailable("Otro proceso siguió con este trabajo.", code="turno_perdido")


def _keep(casa: Casa, answers: list[tuple[str, bytes]]) -> list[Kept]:
    """Bring answers into custody; call it outside any transaction."""
    return [Kept(f"muv_{name}.json", "respuesta_muv", "", casa.store.put(io.BytesIO(data))) for name, data in answers]


def _seal(session: Session, kept: list[Kept], row: EnvioMuv, factura: Factura, *, actor: str, at: datetime) -> None:
    if kept:
        seal(
            session,
            kept,
            prestador_id=row.prestador_id,
            case_key=factura.case_key,
            group_key=f"muv:{row.id}",
            origen="muv",
            actor=actor,
            at=at,
        )


def _load(session: Session, factura: Factura, answer: Respuesta, row: EnvioMuv, *, actor: str, at: datetime) -> None:
    """Load an answer as the CUV of its invoice, as an import would, and review it; the same bytes again do nothing."""
    assert row.evidencia_sha256 is not None
    twin = select(Documento.id).where(
        Documento.factura_id == factura.id,
        Documento.sha256 == row.evidencia_sha256,
        Documento.tipo == TipoDocumento.CUV.value,
    )
    if session.scalar(twin) is None:
        letter = "A" if answer.dice.accepted else "R"
        number = _UNSAFE.sub("-", factura.numero)
        add_document(
            session,
            Pieza(Tipo.CUV, cuv=answer.dice),
            Stored(row.evidencia_sha256, len(answer.data), new=False),
            f"ResultadosMSPS_{number}_ID{answer.dice.process or 0}_{letter}_CUV.json",
            factura=factura,
            number=parse_invoice_number(factura.numero),
            actor=actor,
            at=at,
        )
    review(session, [factura.id], actor=actor, at=at)
