"""Invoices with a whole story behind them, for tests of dossiers: real documents, filed by hand with evidence,
objected, answered, ratified, paid in part; each step through the acts of its room.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from radica.app.demo.data import BuiltPackage
from radica.app.handlers.expedientes import HANDLERS
from radica.app.house import House
from radica.app.worker import do_one
from radica.audit.services import open_case
from radica.cartera import pagos
from radica.custodia.services import Kept, seal
from radica.facturas.models import Factura
from radica.glosas.acts import decide, formulate_all
from radica.glosas.models import Glosa
from radica.jobs.queue import claim_next
from radica.kernel.clock import civil_date
from radica.prejuridico.models import Expediente, Via
from radica.prejuridico.services import KIND_EXPORT, solicitar
from radica.radicacion import manual
from radica.radicacion.models import Envio
from tests.conciliacion_seed import pdf
from tests.plugins import filing
from tests.plugins.glosas import EVIDENCE, nueva, present

ACTOR = "persona:1"


@dataclass
class Caso:
    """A house and the invoices of one provider against one payer."""

    house: House
    prestador_id: int
    pagador_id: int
    facturas: list[int]

    @property
    def hoy(self) -> date:
        return civil_date(self.house.clock())

    def order(self, *, via: Via = Via.EJECUTIVO, **more: object) -> int:
        """Order a dossier of all invoices."""
        with self.house.db.write() as session:
            row = solicitar(
                session,
                self.facturas,
                via=via,
                corte=self.hoy,
                actor=ACTOR,
                at=self.house.clock(),
                **more,  # type: ignore[arg-type]
            )
            return row.id

    def work(self) -> None:
        """Let a worker do the dossiers that wait."""
        while claimed := claim_next(self.house.db, "w", self.house.host, 60, [KIND_EXPORT]):
            do_one(self.house, HANDLERS[KIND_EXPORT], claimed)

    def row(self, expediente_id: int) -> Expediente:
        with self.house.db.read() as session:
            return session.get_one(Expediente, expediente_id)


def make_caso(house: House, count: int = 2, *, story: bool = True, whole: bool = False) -> Caso:
    """Return `count` invoices of one provider against one payer, filed a month ago; `story`: objected and paid too.

    Unless `whole`, the history names one proof that custody never had.
    """
    house.settings.ensure_folders()
    now = house.clock()
    by_pair: dict[tuple[str, str], list[BuiltPackage]] = defaultdict(list)
    for built in filing.packages(max(24, count * 8), hoy=civil_date(now) - timedelta(days=60)):
        by_pair[built.package.provider_nit, built.package.payer_nit].append(built)
    chosen = max(by_pair.values(), key=len)[:count]
    assert len(chosen) == count, "the demo's packages no longer repeat a pair often enough"
    with house.db.write() as session:
        rows = [filing.seed_factura(session, house.store, one, now) for one in chosen]
        ids = [row.id for row in rows]
        pair = (rows[0].prestador_id, rows[0].pagador_id)
    assert pair[1] is not None
    caso = Caso(house, pair[0], pair[1], ids)
    for number, factura_id in enumerate(ids, 1):
        file_by_hand(caso, factura_id, now - timedelta(days=45), f"RAD-{number:05d}")
    if story:
        object_and_pay(caso, ids[0], now, whole=whole)
    return caso


def keep(house: House, data: bytes, name: str, clase: str = "constancia") -> Kept:
    """Bring bytes into custody."""
    return Kept(name, clase, "", house.store.put(io.BytesIO(data)))


def file_by_hand(caso: Caso, factura_id: int, when: datetime, radicado: str) -> None:
    """File an invoice by hand with a PDF of the payer."""
    house = caso.house
    proof = keep(house, pdf(f"Constancia de radicacion {radicado}"), "constancia-1_acuse.pdf")
    with house.db.write() as session:
        ordered = manual.order(
            session, [factura_id], prestador_ids=[caso.prestador_id], actor=ACTOR, at=house.clock(), by_hand=True
        )
        (envio,) = ordered.envios
    with house.db.write() as session:
        session.add(envio)
        manual.register_filed(
            session, envio, radicado=radicado, cuando=when, kept=[proof], actor=ACTOR, at=house.clock(),
            expected_version=envio.version,
        )  # fmt: skip


def object_and_pay(caso: Caso, factura_id: int, now: datetime, *, whole: bool) -> None:
    """Let the payer object to an invoice, insist after the answer, and pay a part of the rest."""
    house = caso.house
    with house.db.write() as session:
        invoice = session.get_one(Factura, factura_id)
        piece = proof_of(session, caso, invoice, "glosa del pagador")
        new = nueva(
            invoice, 100_000, notificada_at=now - timedelta(days=30), motivo="Se cobra por encima de la tarifa."
        )
        (glosa_id,) = formulate_all(session, [new], notificacion=None, actor=ACTOR, at=now, evidence=[piece])
        glosa = session.get_one(Glosa, glosa_id)
        answered = proof_of(session, caso, invoice, "acuse de la respuesta") if whole else EVIDENCE
        told = present(session, glosa, on=now - timedelta(days=25), at=now, evidence=answered)
        sent = session.get_one(Envio, told.envio_id)
        open_case(session, sent, actor=ACTOR, at=now, reason="orden_de_persona")
        decide(
            session, glosa, levantado=40_000, ratificado=True, ocurrido_at=now - timedelta(days=20),
            evidence=[proof_of(session, caso, invoice, "decision del pagador")], actor=ACTOR, at=now,
            motivo="registro_manual",
        )  # fmt: skip
        pagos.enter(
            session, invoice, fecha=caso.hoy - timedelta(days=5), valor=50_000, referencia="TRF-1",
            kept=[keep(house, pdf("comprobante"), "constancia-1_pago.pdf")], actor=ACTOR, at=now,
        )  # fmt: skip


def proof_of(session: Session, caso: Caso, invoice: Factura, words: str) -> str:
    """Seal a PDF as evidence of an act and return its hash."""
    kept = keep(caso.house, pdf(words), f"constancia-1_{hashlib.sha256(words.encode()).hexdigest()[:8]}.pdf")
    (piece,) = seal(
        session, [kept], prestador_id=invoice.prestador_id, case_key=invoice.case_key, group_key="prueba",
        origen="persona", actor=ACTOR, at=caso.house.clock(),
    )  # fmt: skip
    return piece.sha256
