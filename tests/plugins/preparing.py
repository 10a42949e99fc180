"""An invoice with supports of our choice, ordered for a payer of our choice, and PDFs that need a change."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from sqlalchemy import select, update

from radica.app.house import House
from radica.custodia.services import record_blobs
from radica.entidades.models import Prestador
from radica.facturas.facts import remember
from radica.facturas.models import Documento, TipoDocumento
from radica.facturas.recognise import recognise
from radica.radicacion.entrega import plans_of
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio
from radica.radicacion.package import Plan
from radica.radicacion.perfil_paquete import Perfil, perfiles
from radica.radicacion.preparar import Preparado, preparar
from radica.radicacion.services import order_filings, withdraw
from tests.plugins.filing import account, house_on, packages, seed_factura

SMALL = 300_000
STRICT = Perfil("estricto", "Pagador de prueba", bytes_archivo=SMALL, sin_script=True)
ONE = Perfil("uno", "Pagador de un PDF", pdf_unico=True)


def heavy(pages: int = 6) -> bytes:
    """Return a PDF that no packing makes smaller: about 160 KB of noise on each page."""
    dice = random.Random(11)
    raw = io.BytesIO()
    paper = canvas.Canvas(raw)
    for number in range(pages):
        paper.drawString(72, 780, f"Resultado, hoja {number + 1}")
        paper.drawImage(ImageReader(Image.frombytes("L", (400, 400), dice.randbytes(160_000))), 50, 100, 400, 400)
        paper.showPage()
    paper.save()
    return raw.getvalue()


def loose(pages: int = 40) -> bytes:
    """Return a PDF that is large only because nothing in it is packed."""
    raw = io.BytesIO()
    paper = canvas.Canvas(raw, pageCompression=0)
    for number in range(pages):
        for line in range(60):
            paper.drawString(
                40, 800 - 12 * line, f"Hoja {number + 1}, renglón {line}: nota de evolución sin novedad " * 2
            )
        paper.showPage()
    paper.save()
    return raw.getvalue()


def scripted() -> bytes:
    raw = io.BytesIO()
    paper = canvas.Canvas(raw)
    paper.drawString(72, 700, "Epicrisis con guion")
    paper.save()
    out = io.BytesIO()
    with pikepdf.open(raw) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        pdf.pages[0].obj.Annots = pikepdf.Array(
            [
                pikepdf.Dictionary(
                    Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9],
                    A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe")),
                )
            ]
        )  # fmt: skip
        pdf.save(out)
    return out.getvalue()


@dataclass
class Desk:
    """One invoice with supports of our choice, ordered for a payer of our choice."""

    house: House
    factura_id: int
    envio_id: int
    originals: dict[str, str]

    def prepare(self) -> Preparado:
        house = self.house
        return preparar(
            house.db, house.store, self.envio_id, actor="persona:1", clock=house.clock, beat=lambda: None
        )  # fmt: skip

    def order_again(self) -> None:
        """Take the envío back and order the invoice once more."""
        house, at = self.house, self.house.clock()
        with house.db.write() as session:
            envio = session.get_one(Envio, self.envio_id)
            withdraw(session, envio, "prueba", actor="persona:1", at=at)
            again = order_filings(
                session, [self.factura_id], prestador_ids=[envio.prestador_id], actor="persona:1", at=at
            )
            self.envio_id = again.envios[0].id

    def rows(self) -> list[Linaje]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Linaje).order_by(Linaje.id)))

    def shown(self) -> Plan:
        with self.house.db.read() as session:
            envio = session.get_one(Envio, self.envio_id)
            nit = session.get_one(Prestador, envio.prestador_id).nit
            ((_, plan),) = plans_of(session, envio, nit)
            return plan


@pytest.fixture
def prepared_desk(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Perfil, dict[str, bytes]], Desk]]:
    house = house_on(database_url, tmp_path)

    def make(perfil: Perfil, supports: dict[str, bytes]) -> Desk:
        monkeypatch.setitem(perfiles(), perfil.codigo, perfil)
        stored = {name: house.store.put(io.BytesIO(data)) for name, data in supports.items()}
        with house.db.write() as session:
            at = house.clock()
            row = seed_factura(session, house.store, packages(1)[0], at)
            portal = account(session, house.vault, row, "http://127.0.0.1:9", usuario="u")
            portal.perfil = {**portal.perfil, "paquete": perfil.codigo}
            record_blobs(session, list(stored.values()), at=at)
            session.execute(
                update(Documento)
                .where(Documento.factura_id == row.id, Documento.tipo == TipoDocumento.SOPORTE)
                .values(vigente=False)
            )
            session.add_all(
                Documento(
                    prestador_id=row.prestador_id, factura_id=row.id, sha256=one.sha256, bytes=one.bytes, nombre=name,
                    tipo=TipoDocumento.SOPORTE, sigla=name[:3], media_type="application/pdf", datos=remember(recognise(supports[name], name).pieces[0]),
                    cargado_at=at, cargado_por="prueba",
                )
                for name, one in stored.items()
            )  # fmt: skip
            session.flush()
            ordered = order_filings(session, [row.id], prestador_ids=[row.prestador_id], actor="persona:1", at=at)
            (envio,) = ordered.envios
        return Desk(house, row.id, envio.id, {name: one.sha256 for name, one in stored.items()})

    yield make
    house.db.dispose()
