"""Lines in dispute between a provider and a payer, for tests of meetings: each through the real acts of glosas."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from radica.conciliacion.acta import gather
from radica.conciliacion.acta_pdf import draw
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import Filtro
from radica.conciliacion.services import convene, lines_of, set_meeting
from radica.conciliacion.signing import celebrate
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.table import Cambio, save_lines
from radica.custodia.services import Kept
from radica.custodia.store import FolderStore
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.acts import decide, decide_devolucion
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.db import Database
from tests import factories
from tests.plugins.glosas import EVIDENCE, day, devolucion, filed, glosa, present

NOW = day(11, 20)
MEETING = day(11, 18)
SIGNED = day(11, 19)
PEOPLE = [
    {"nombre": "Ana Prueba", "cargo": "Coordinadora de glosas", "por": "prestador"},
    {"nombre": "Luis Pagador", "cargo": "Auditor", "por": "pagador"},
]


@dataclass
class Mesa:
    """Two parties, what is in dispute between them, and a store."""

    database: Database
    store: FolderStore
    prestador_id: int
    pagador_id: int
    facturas: list[int] = field(default_factory=list)
    glosas: list[int] = field(default_factory=list)

    def convene(self, session: Session, **filters: object) -> Conciliacion:
        """Call a meeting on everything."""
        filtro = Filtro(fecha_corte=date(2026, 11, 20), **filters)  # type: ignore[arg-type]
        return convene(
            session, prestador_id=self.prestador_id, pagador_id=self.pagador_id, filtro=filtro, actor="prueba", at=NOW
        )

    def meet(self, session: Session, row: Conciliacion) -> None:
        """Say when and who."""
        set_meeting(session, row, citada_at=MEETING, lugar="Bogotá", asistentes=PEOPLE, notas="")

    def hold(self, session: Session, row: Conciliacion) -> Kept:
        """Draw the acta and close the table; returns the acta that was kept."""
        content = gather(session, row)
        kept = self.keep(draw(content), "acta.pdf")
        celebrate(session, row, kept=kept, contents_sha256=content.sha256, actor="prueba", at=NOW)
        return kept

    def keep(self, data: bytes, name: str) -> Kept:
        """Bring bytes into custody."""
        return Kept(name, "constancia", name, self.store.put(io.BytesIO(data)))

    def signed(self, text: str = "acta firmada por las dos partes") -> Kept:
        """Return a PDF as it comes back signed."""
        return self.keep(pdf(text), "constancia-1_acta-firmada.pdf")


def make_mesa(database: Database, folder: Path, values: tuple[int, ...] = (1_000_000, 2_500_001, 700_000)) -> Mesa:
    """Return a provider and a payer with ratified glosas of some values, one invoice each."""
    with database.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        mesa = Mesa(database, FolderStore(folder / "custodia"), provider.id, payer.id)
        for number, value in enumerate(values):
            code = ("FA0201", "TA0801", "SO3401")[number % 3]
            add_ratified(session, mesa, provider, payer, value, code)
    return mesa


def add_ratified(
    session: Session, mesa: Mesa, provider: Prestador, payer: Pagador, value: int, code: str = "FA0201"
) -> Glosa:
    """Add an invoice with one glosa that was answered and ratified."""
    invoice = filed(session, valor=max(10_000_000, value), prestador=provider, pagador=payer)
    row = ratified(session, invoice, value, code)
    mesa.facturas.append(invoice.id)
    mesa.glosas.append(row.id)
    return row


def ratified(session: Session, invoice: Factura, value: int, code: str = "FA0201") -> Glosa:
    """Add a glosa that was answered and ratified."""
    row = glosa(session, invoice, value, codigo=code, codigo_original=code, familia=code[:2])
    present(session, row, on=day(6, 25))
    decide(
        session, row, levantado=0, ratificado=True, ocurrido_at=day(7, 2), evidence=[EVIDENCE], actor="prueba",
        at=NOW, motivo="registro_manual",
    )  # fmt: skip
    return row


def reiterated(session: Session, invoice: Factura) -> Devolucion:
    """Add a devolución that was answered and on which the payer insists."""
    row = devolucion(session, invoice)
    present(session, row, on=day(6, 9))
    decide_devolucion(
        session, row, False, ocurrido_at=day(6, 12), evidence=[EVIDENCE], actor="prueba", at=NOW,
        motivo="registro_manual",
    )  # fmt: skip
    return row


def typed(line: ConciliacionLinea, *, levantado: int = 0, aceptado: int = 0, nota: str = "") -> Cambio:
    """Return what a person types on a line that her page shows as it stands."""
    seen = Reparto(line.levantado, line.aceptado, line.sigue)
    return Cambio(seen, levantado, aceptado, None, vio_nota=line.nota, nota=nota)


def agree(session: Session, row: Conciliacion, *, levanta: int = 60, acepta: int = 40) -> None:
    """Write whole percentages on every line by hand."""
    changes = {}
    for line in lines_of(session, row):
        lifted, accepted = line.en_disputa * levanta // 100, line.en_disputa * acepta // 100
        if levanta + acepta == 100:
            accepted = line.en_disputa - lifted
        changes[line.id] = typed(line, levantado=lifted, aceptado=accepted)
    saved = save_lines(session, row, changes)
    assert not saved.rechazadas
    assert not saved.vencidas


def pdf(text: str) -> bytes:
    """Return a small PDF."""
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 700, text)
    canvas.save()
    return out.getvalue()


def moment(when: datetime) -> str:
    """Write an instant as a `datetime-local` field wants it."""
    return when.strftime("%Y-%m-%dT%H:%M")
