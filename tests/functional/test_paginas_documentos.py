"""Documents beside the invoice: logged before they open, masked by role, never run in our origin."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from radica.app.demo.data import generate, write_package
from radica.audit.models import AccessLog
from radica.custodia.services import Kept, seal
from radica.custodia.store import FolderStore
from radica.facturas.intake import import_paths
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.tray import operator_scope
from radica.kernel.clock import civil_date
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.plugins.web import House


@dataclass
class Case:
    """An imported invoice, its documents by kind, and pieces of evidence by name."""

    house: House
    factura: int
    prestador: int
    documentos: dict[TipoDocumento, int]
    piezas: dict[str, int]
    paciente: str

    def log(self) -> list[tuple[str, str]]:
        with self.house.database.read() as session:
            return [(row.action, row.object) for row in session.scalars(select(AccessLog).order_by(AccessLog.id))][
                self.before :
            ]

    before: int = 0

    def enter(self, correo: str, *roles: Rol) -> Browser:
        browser = self.house.entered(correo, *roles, provider=self.prestador)
        self.before = 0
        self.before = len(self.log())
        return browser


SIDEWAYS = "45786966000049492a0008000000010012010300010000000600000000000000"
"""EXIF that says: turn the picture a quarter to the right."""


def huge_png() -> bytes:
    """Return a PNG of a few bytes that claims 40,000 by 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.fixture
def case(house: House, tmp_path: Path) -> Case:
    built = next(iter(generate(seed=5, packages=1, hoy=civil_date(house.clock()), defects=False)))
    write_package(tmp_path / "demo", built)
    store = FolderStore(house.settings.store)
    import_paths(
        house.database,
        store,
        [tmp_path / "demo"],
        operator_scope("consola:prueba"),
        clock=house.clock,
        workdir=house.settings.incoming,
    )
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "#ffffff").save(picture, format="PNG")
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "#ffffff").save(photo, format="JPEG", exif=bytes.fromhex(SIDEWAYS))
    files = {
        "captura-1_pantalla.jpg": ("captura", photo.getvalue()),
        "bomba.png": ("acuse_shot", huge_png()),
        "despues.png": ("screenshot_after", picture.getvalue()),
        "acuse.html": ("acuse_dom", b"<script>alert(1)</script><p>Acuse</p>"),
        "roto.png": ("acuse_shot", b"no es una imagen"),
    }
    kept = [Kept(name, kind, "", store.put(io.BytesIO(data))) for name, (kind, data) in files.items()]
    with house.database.write() as session:
        row = session.scalars(select(Factura)).one()
        pieces = seal(
            session,
            kept,
            prestador_id=row.prestador_id,
            case_key=row.case_key,
            group_key="",
            origen="persona",
            actor="prueba",
            at=house.clock(),
        )
        docs = session.scalars(select(Documento).where(Documento.factura_id == row.id))
        kinds = {doc.tipo: doc.id for doc in docs}
        names = {piece.nombre: piece.id for piece in pieces}
        made = Case(house, row.id, row.prestador_id, kinds, names, "")
    rips = store.read(_sha(house, kinds[TipoDocumento.RIPS])).decode()
    made.paciente = rips.split('"numDocumentoIdentificacion"', 1)[1].split('"')[1]
    return made


def _sha(house: House, doc_id: int) -> str:
    with house.database.read() as session:
        return session.get_one(Documento, doc_id).sha256


def test_the_page_tells_the_story_and_opens_nothing_by_itself(case: Case) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    browser.open(f"/facturas/{case.factura}")
    for words in ("Documentos", "Historia", "Qué hacer ahora", "RAD-01", "RAD-08", "Se creó la factura"):
        assert words in browser.text
    assert case.paciente not in browser.text
    assert case.log() == []


@pytest.mark.parametrize("kind", [TipoDocumento.FEV, TipoDocumento.RIPS, TipoDocumento.CUV, TipoDocumento.SOPORTE])
def test_each_kind_opens_beside_and_each_opening_is_logged_once(case: Case, kind: TipoDocumento) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    doc = case.documentos[kind]
    browser.open(f"/facturas/{case.factura}?documento={doc}")
    assert browser.tree().xpath("//aside[@id='visor']//h2")
    assert case.log() == [("ver", f"documento:{doc}")]
    browser.open(f"/documento/{doc}")
    assert browser.status == 200
    assert len(case.log()) == 2


def test_pages_are_pixels_and_carry_the_token_of_their_opening(case: Case) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    doc = case.documentos[TipoDocumento.SOPORTE]
    browser.open(f"/documento/{doc}")
    address = browser.tree().xpath("//img[@class='pagina']/@src")[0]
    answer = browser.open(address)
    assert answer.mimetype == "image/png"
    assert answer.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(answer.data)).width > 600
    assert len(case.log()) == 1
    case.house.clock.forward(minutes=21)
    browser.open(address)
    assert [action for action, _ in case.log()] == ["ver", "ver"]
    browser.open(f"/documento/{doc}/pagina/1?t=inventado")
    assert len(case.log()) == 3
    assert browser.open(f"/documento/{doc}/pagina/99").status_code == 404


def test_health_data_is_masked_or_refused_without_a_role_that_needs_it(case: Case) -> None:
    browser = case.enter("dir@norte.example", Rol.DIRECCION)
    rips, support = case.documentos[TipoDocumento.RIPS], case.documentos[TipoDocumento.SOPORTE]
    browser.open(f"/documento/{rips}")
    assert "oculto" in browser.text
    assert case.paciente not in browser.text
    browser.open(f"/documento/{support}")
    assert "su rol no los muestra" in browser.text
    assert len(case.log()) == 1, "what is not shown was not read"
    for path in ("texto", "descargar"):
        assert browser.open(f"/documento/{rips}/{path}").status_code == 403
        assert browser.open(f"/evidencia/{case.piezas['acuse.html']}/{path}").status_code == 403
    assert browser.open(f"/documento/{support}/pagina/1").status_code == 403
    assert len(case.log()) == 1
    biller = case.enter("ana@norte.example", Rol.FACTURACION)
    biller.open(f"/documento/{rips}")
    assert case.paciente in biller.text


def test_downloads_are_attachments_that_no_browser_runs(case: Case) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    paths = [f"/documento/{doc}" for doc in case.documentos.values()]
    paths += [f"/evidencia/{piece}" for piece in case.piezas.values()]
    for path in paths:
        answer = browser.open(f"{path}/descargar")
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.data
    assert [action for action, _ in case.log()] == ["descargar"] * len(paths)


def test_evidence_of_a_payer_is_shown_as_text_or_as_pixels(case: Case) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    answer = browser.open(f"/evidencia/{case.piezas['acuse.html']}")
    assert b"<script>alert" not in answer.data
    assert "<script>alert(1)</script>" in browser.tree().xpath("//pre")[0].text_content()
    browser.open(f"/evidencia/{case.piezas['despues.png']}")
    shown = browser.open(browser.tree().xpath("//img/@src")[0])
    assert shown.mimetype == "image/png"
    assert browser.open(f"/evidencia/{case.piezas['roto.png']}/pagina/1").status_code == 422
    assert browser.open(f"/evidencia/{case.piezas['bomba.png']}/pagina/1").status_code == 422


def test_a_photo_is_drawn_anew_the_right_way_up(case: Case) -> None:
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    browser.open(f"/evidencia/{case.piezas['captura-1_pantalla.jpg']}")
    shown = browser.open(browser.tree().xpath("//img/@src")[0])
    with Image.open(io.BytesIO(shown.data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (30, 40))
        assert not picture.getexif()


def test_a_broken_document_is_said_and_the_page_stays(case: Case) -> None:
    doc = case.documentos[TipoDocumento.SOPORTE]
    path = FolderStore(case.house.settings.store).path(_sha(case.house, doc))
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.4 nada")
    browser = case.enter("ana@norte.example", Rol.FACTURACION)
    browser.open(f"/facturas/{case.factura}?documento={doc}")
    assert browser.status == 200
    assert "no se puede mostrar" in browser.text


def test_nobody_else_opens_anything(case: Case) -> None:
    other = case.house.provider("IPS Ajena")
    browser = case.house.entered("otro@norte.example", *Rol, provider=other)
    things = [f"/documento/{doc}" for doc in case.documentos.values()]
    things += [f"/evidencia/{piece}" for piece in case.piezas.values()]
    for thing in things:
        for path in ("", "/texto", "/descargar", "/pagina/1"):
            assert browser.open(thing + path).status_code == 404, thing + path
    assert browser.open(f"/facturas/{case.factura}").status_code == 404
