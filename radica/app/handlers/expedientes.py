"""The job that makes a dossier: seal, gather, draw, pack, prove, keep; and what a screen shows before it is ordered.

Invariant: what is unsealed is sealed first; every document that goes out is in the reading log before it is read; no
transaction holds a file or a hash; the dossier is *listo* in one transaction with its bag. Killed anywhere it starts
again from nothing and does no harm. Norms: CGP art. 422; Ley 527/1999 art. 9; Ley 1581/2012 art. 17.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import String, cast, func, literal, select, update
from sqlalchemy.orm import Session

from radica.app.handlers.glosas_fondo import keeping_turn
from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.audit.services import lock_all, record_reading
from radica.cartera.liquidacion import Resultado
from radica.cartera.liquidar import congelar
from radica.custodia.seal_models import Hoja, TipoHoja
from radica.custodia.sellos import add_manifest
from radica.custodia.services import Kept, seal
from radica.custodia.staging import leased_folder
from radica.custodia.store import Store
from radica.custodia.tsa import ensure_sealed
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Dead, Done, finish, finish_in
from radica.kernel.clock import Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import NO_ROOM, NotFound, RadicaError, Unavailable
from radica.prejuridico.acopio import facturas_de
from radica.prejuridico.bolsa import HISTORIA, Bag, BagFile, BagPlan, add_proofs, write_bag, zip_bag
from radica.prejuridico.contenido import Contenido, DocumentoExpediente, EstadoControl, Hueco
from radica.prejuridico.firma import Firma, Firmante, Impedimento, announce, load_signer, sign_pdf
from radica.prejuridico.indice_agn import agn_index
from radica.prejuridico.indice_judicial import judicial_index
from radica.prejuridico.models import Expediente
from radica.prejuridico.papel.armar import default_paths, whole_pdf
from radica.prejuridico.papel.valores import PdfResult
from radica.prejuridico.pruebas import reunir_pruebas
from radica.prejuridico.reunir import gather, liquidaciones
from radica.prejuridico.services import KIND_EXPORT, Hecho, fallar, invoices, terminar
from radica.prejuridico.states import EstadoExpediente
from radica.prejuridico.tabla import clases
from radica.users.purposes import Proposito

WHOLE, COURT, ARCHIVE = "data/ExpedienteCompleto.pdf", "data/IndiceJudicial.xlsx", "data/IndiceAgn.xml"
CLASE_BOLSA, CLASE_PDF = "expediente_bolsa", "expediente_pdf"
SHOW_EVERY_S = 0.25
"""Seconds between two words about how far it is; more would only wake up the database."""
READINGS_AT_ONCE = 200
NO_RETRY = frozenset({"disco_lleno", "custodia_alterada"})
"""Refusals that another try would meet again: a person sees them at once."""
_LISTED_GAPS = 200


@dataclass
class Telling:
    """Says how far a dossier is, in its job and in its row, now and then. Raises Unavailable when the turn was lost."""

    house: House
    claimed: Claimed | None
    expediente_id: int
    _next: float = field(default=0.0)
    _text: str = field(default="")

    def __call__(self, text: str, done: int, of: int) -> None:
        """Tell; a new text is told at once."""
        now = time.monotonic()
        if now < self._next and text == self._text:
            return
        self._next, self._text = now + SHOW_EVERY_S, text
        if self.claimed is not None:
            keep_turn(self.house, self.claimed, text, done, of)
        with self.house.db.write() as session:
            session.execute(
                update(Expediente)
                .where(Expediente.id == self.expediente_id, Expediente.estado == EstadoExpediente.SOLICITADO)
                .values(avance={"texto": text, "hechos": done, "de": of})
            )


@dataclass(frozen=True)
class _Made:
    """What was made in the folder, before it is kept."""

    contenido: Contenido
    pdf: PdfResult
    firma: Firma
    bag: Bag
    packed: Path


def export(house: House, claimed: Claimed) -> None:
    """Make the dossier of a job; a failure that a person must see ends it as *fallido* with what to do."""
    expediente_id = int(claimed.payload["expediente_id"])
    try:
        with keeping_turn(house, claimed, "Preparando el expediente"):
            build(house, claimed, expediente_id)
    except RadicaError as problem:
        lost = problem.code == "turno_perdido"
        again = isinstance(problem, Unavailable) and claimed.attempts < claimed.max_attempts
        if lost or (again and problem.code not in NO_RETRY):
            raise
        _fail(house, claimed, expediente_id, problem)


def build(house: House, claimed: Claimed, expediente_id: int) -> None:
    """Make, keep and register the dossier. Raises NotFound, Unavailable."""
    tell = Telling(house, claimed, expediente_id)
    with house.db.read() as session:
        row = session.get(Expediente, expediente_id)
        if row is None:
            raise NotFound("El expediente ya no existe.")
        if row.estado is not EstadoExpediente.SOLICITADO:
            finish(house.db, claimed, outcome=Done())
            return
    tell("Sellando lo que falta", 0, 1)
    ensure_sealed(house.db, house.settings, clock=house.clock)
    _sweep(house.settings, expediente_id)
    prefix = f"expediente-{expediente_id}-"
    try:
        with leased_folder(house.settings.incoming, prefix) as folder:
            signer = load_signer(house.settings, at=house.clock())
            content, results = _gathered(house, expediente_id, signer, tell)
            log_documents(house.db, content, row.prestador_id, actor=row.solicitado_por, at=house.clock(), tell=tell)
            made = _make(house, content, signer, folder, tell)
            tell("Guardando en custodia", 0, 2)
            bag, pdf = house.store.put_file(made.packed), house.store.put_file(made.firma.ruta)
    except OSError as error:
        raise Unavailable(
            f"No se pudo escribir el expediente ({error.strerror}); lo anterior está intacto.",
            todo="Revise el disco y vuelva a intentarlo.", code="disco_lleno" if error.errno in NO_ROOM else "disco",
        ) from error  # fmt: skip
    with house.db.write(durable=True) as session:
        row = session.get_one(Expediente, expediente_id)
        lock_all(session, [row])
        if not finish_in(session, claimed, outcome=Done()):
            raise Unavailable("Otro proceso siguió con este expediente.", code="turno_perdido")
        if row.estado is not EstadoExpediente.SOLICITADO:
            return
        names = f"expediente-{row.numero}"
        kept = [Kept(f"{names}.zip", CLASE_BOLSA, "", bag), Kept(f"{names}.pdf", CLASE_PDF, "", pdf)]
        seal(
            session, kept, prestador_id=row.prestador_id, case_key=row.case_key, group_key=made.bag.manifiesto[:16],
            origen="importacion", actor=house.actor, at=house.clock(),
        )  # fmt: skip
        for invoice in facturas_de(session, row.id):
            if invoice.id in results:
                congelar(session, invoice, results[invoice.id], actor=house.actor, at=house.clock())
        done = Hecho(
            bag.sha256, pdf.sha256, made.bag.manifiesto, bag.bytes, summary(made.contenido, made.pdf, made.firma)
        )
        terminar(session, row, done, actor=house.actor, at=house.clock())


def _gathered(
    house: House, expediente_id: int, signer: Firmante | Impedimento, tell: Telling
) -> tuple[Contenido, dict[int, Resultado]]:
    with house.db.read() as session:
        row = session.get_one(Expediente, expediente_id)
        results = liquidaciones(session, row, facturas_de(session, row.id), corte=row.corte)
        content = gather(
            session, row, corte=row.corte, store=house.store, resultados=results, avisos=_unsigned(signer), progress=tell,
        )  # fmt: skip
    tell("Reunido", 1, 1)
    return content, results


def _unsigned(signer: Firmante | Impedimento) -> tuple[Hueco, ...]:
    """Return the gap of a PDF that nobody can sign."""
    if isinstance(signer, Firmante):
        return ()
    return (Hueco(f"firma_{signer.codigo}", "integridad", None, signer.texto, signer.que_hacer),)


def _make(house: House, content: Contenido, signer: Firmante | Impedimento, folder: Path, tell: Telling) -> _Made:
    """Draw, pack and prove everything in a folder."""
    paths = bag_paths(content)
    pdf = whole_pdf(
        content, house.store, folder / "entero.pdf", temporary=folder, rutas=paths,
        firma=announce(signer) if isinstance(signer, Firmante) else "",
        progress=lambda done, of: tell("Dibujando el expediente", done, of),
    )  # fmt: skip
    tell("Firmando", 0, 1)
    signed = sign_pdf(pdf.ruta, folder / "firmado.pdf", house.settings, at=house.clock())
    files = [
        BagFile(path, _source(house.store, one), one.huella)
        for path, (_, one) in zip(paths, content.documentos(), strict=True)
    ]
    files += [
        BagFile(WHOLE, signed.ruta),
        BagFile(COURT, judicial_index(content, pdf)),
        BagFile(ARCHIVE, agn_index(content, pdf)),
    ]
    bag = write_bag(
        folder / f"expediente-{content.demandante.nit}-{content.numero}",
        BagPlan(files, content.corte, _bag_info(content)),
        progress=lambda done, of: tell("Armando la bolsa", done, of),
    )
    tell("Sellando el expediente", 0, 1)
    _prove(house, content, bag)
    packed = zip_bag(bag.folder, folder / "bolsa.zip", fecha=content.corte)
    return _Made(content, pdf, signed, bag, packed)


def _prove(house: House, content: Contenido, bag: Bag) -> None:
    """Make the bag's manifests a sealed leaf and put the proofs in. A try that died may have left a leaf of its own."""
    name = f"{Expediente.KIND}:{content.expediente}"
    with house.db.write(durable=True) as session:
        seen = select(Hoja).where(Hoja.tipo == TipoHoja.MANIFIESTO, Hoja.nombre == name)
        same = session.scalars(seen.where(Hoja.hash == bag.manifiesto)).first()
        last = session.scalar(select(func.max(Hoja.seq)).where(Hoja.tipo == TipoHoja.MANIFIESTO, Hoja.nombre == name))
        number = same.seq if same is not None else (last or 0) + 1
        leaf = add_manifest(session, expediente=name, seq=number, sha256=bag.manifiesto, at=house.clock())
        place = leaf.indice
    ensure_sealed(house.db, house.settings, clock=house.clock)
    with house.db.read() as session:
        add_proofs(bag, reunir_pruebas(session, session.get_one(Hoja, place), dict(content.eslabones)))


def bag_paths(content: Contenido) -> list[str]:
    """Return where each document lies in the bag: by chapter and judicial name; the history where the verifier looks."""
    history = clases()["historia"].tipologia
    names = default_paths(content)
    rows = zip(names, content.documentos(), strict=True)
    return [HISTORIA if one.tipologia == history else name for name, (_, one) in rows]


def _source(store: Store, one: DocumentoExpediente) -> Any:
    if one.datos is not None:
        return one.datos
    sha256 = one.huella
    return lambda: store.open(sha256)


def _bag_info(content: Contenido) -> dict[str, str]:
    return {
        "Source-Organization": f"{_plain(content.demandante.nombre)}, NIT {content.demandante.nit}",
        "External-Identifier": f"{content.demandante.nit}-{content.numero}",
        "External-Description": f"Expediente de cobro contra {_plain(content.demandado.nombre)}, NIT "
        f"{content.demandado.nit}, via {content.via}, corte {content.corte.isoformat()}",
    }


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text).strip() or "-"


def log_documents(
    db: Database,
    content: Contenido,
    prestador_id: int,
    *,
    actor: str,
    at: datetime,
    tell: Telling | None = None,
    action: str = "exportar",
) -> int:
    """Write one line of the reading log per document of custody, before any is read to go out. Returns how many."""
    rows = {one.sha256: one for _, one in content.documentos() if one.sha256 is not None}
    waiting = list(rows.values())
    for start in range(0, len(waiting), READINGS_AT_ONCE):
        if tell is not None:
            tell("Anotando las lecturas", start, len(waiting))
        with db.write() as session:
            for one in waiting[start : start + READINGS_AT_ONCE]:
                record_reading(
                    session, prestador_id=prestador_id, actor=actor, action=action, purpose=Proposito.JURIDICA,
                    object_=f"expediente {content.numero}: {one.tipologia}"[:120], at=at, sha256=one.sha256,
                    case_key=one.caso or None,
                )  # fmt: skip
    return len(waiting)


def summary(content: Contenido, pdf: PdfResult, signature: Firma) -> dict[str, Any]:
    """Return what screens and the CLI tell of a dossier, as JSON. Amounts in centavos."""
    lacking = [one for one in content.lista_de_control if one.exigido and one.estado is EstadoControl.FALTA]
    return {
        "facturas": len(content.facturas),
        "documentos": len(pdf.tramos),
        "folios": pdf.folios,
        "adjuntos": len(pdf.anexos),
        "vacios": len(content.huecos),
        "lista": [
            {"codigo": one.codigo, "factura": one.factura, "texto": one.texto, "que_hacer": one.que_hacer}
            for one in content.huecos[:_LISTED_GAPS]
        ],
        "faltan": [one.documento for one in lacking],
        "control": [
            {
                "documento": one.documento,
                "exigido": one.exigido,
                "estado": one.estado.value,
                "detalle": one.detalle,
                "norma": one.norma,
                "certeza": one.certeza,
            }
            for one in content.lista_de_control
        ],
        "capital": sum(one.capital or 0 for one in content.facturas),
        "intereses": sum(one.intereses or 0 for one in content.facturas),
        "firma": signature.perfil,
        "firma_problemas": [one.texto for one in signature.impedimentos],
    }


def _fail(house: House, claimed: Claimed, expediente_id: int, problem: RadicaError) -> None:
    with house.db.write() as session:
        row = session.get(Expediente, expediente_id)
        if not finish_in(session, claimed, outcome=Dead(problem.code, str(problem))):
            return
        if row is not None and row.estado is EstadoExpediente.SOLICITADO:
            fallar(session, row, str(problem), actor=house.actor, at=house.clock())


def _sweep(settings: Settings, expediente_id: int) -> None:
    """Remove what a try of the same dossier left when it was killed."""
    for left in settings.incoming.glob(f"expediente-{expediente_id}-*"):
        shutil.rmtree(left, ignore_errors=True)


def fail_abandoned(db: Database, now: datetime) -> int:
    """Say of dossiers whose job is dead that they failed; a tick of the clock. Returns how many."""
    alive = (JobState.READY, JobState.RUNNING)
    with db.read() as session:
        waiting = session.execute(
            select(Expediente.id).where(
                Expediente.estado == EstadoExpediente.SOLICITADO,
                ~select(Job.id)
                .where(
                    Job.kind == KIND_EXPORT,
                    Job.state.in_(alive),
                    Job.subject == literal("expediente:") + cast(Expediente.id, String),
                )
                .exists(),
            )
        )
        ids = [row[0] for row in waiting]
    for expediente_id in ids:
        with db.write() as session:
            _abandon(session, expediente_id, now)
    return len(ids)


def _abandon(session: Session, expediente_id: int, now: datetime) -> None:
    row = session.get_one(Expediente, expediente_id)
    lock_all(session, [row])
    if row.estado is EstadoExpediente.SOLICITADO:
        words = "El trabajo que preparaba el expediente falló varias veces. Inténtelo de nuevo; si se repite, avise a sistemas."
        fallar(session, row, words, actor="reloj", at=now)


def preview(
    db: Database, settings: Settings, store: Store, draft: Expediente, factura_ids: Sequence[int], out: Path, *,
    actor: str, clock: Clock,
) -> Contenido:  # fmt: skip
    """Draw the PDF that a dossier would have, without ordering it; nothing is kept but the lines of the reading log.

    `draft` is a dossier that is in no session (provider, payer, track, day, options). Raises Unavailable.
    """
    signer = load_signer(settings, at=clock())
    with db.read() as session:
        rows = invoices(session, factura_ids, [draft.prestador_id])
        content = gather(session, draft, corte=draft.corte, store=store, facturas_=rows, avisos=_unsigned(signer))
    log_documents(db, content, draft.prestador_id, actor=actor, at=clock(), action="previsualizar")
    whole_pdf(content, store, out, temporary=settings.incoming, rutas=bag_paths(content))
    return content


HANDLERS: Mapping[str, Handler] = {KIND_EXPORT: export}
