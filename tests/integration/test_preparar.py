"""What a payer would not take is changed once, with proof and lineage, and the original stays; on both databases."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.house import House
from radica.app.worker import do_one
from radica.custodia.models import Blob, Pieza
from radica.custodia.services import record_blobs
from radica.entidades.models import Prestador
from radica.facturas.facts import remember
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.recognise import recognise
from radica.jobs.queue import claim_next
from radica.radicacion import preparar as preparing
from radica.radicacion.entrega import GROUP, plans_of
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio, Intento
from radica.radicacion.package import Plan
from radica.radicacion.perfil_paquete import Perfil, perfiles
from radica.radicacion.preparar import Preparado, preparar
from radica.radicacion.services import KIND_FILE, order_filings, withdraw
from radica.users.models import Tarea
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
def desk(
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


def test_a_script_goes_a_loose_file_is_packed_and_a_heavy_one_is_split(desk: Callable[..., Desk]) -> None:
    given = {"EPI_900123456_A1.pdf": scripted(), "HEV_900123456_A1.pdf": loose(), "PDX_900123456_A1.pdf": heavy()}
    case = desk(STRICT, given)
    plan = case.prepare().planes[case.factura_id]
    assert plan.rechazos == ()
    sent = [item for item in plan.files if item.role == "SOPORTE"]
    assert [item.name for item in sent][:2] == ["EPI_900123456_A1.pdf", "HEV_900123456_A1.pdf"]
    assert [item.name for item in sent][2:] == [f"PDX_900123456_A1_{n}.pdf" for n in range(1, len(sent) - 1)]
    assert all(item.bytes <= SMALL for item in sent)
    rows = case.rows()
    assert [row.operacion for row in rows] == ["limpiar", "comprimir"] + ["dividir"] * (len(sent) - 2)
    store = case.house.store
    for name, data in given.items():
        assert store.read(case.originals[name]) == data  # the original stays
    with pikepdf.open(io.BytesIO(store.read(sent[0].sha256))) as clean:
        assert "/OpenAction" not in clean.Root
        assert "calc.exe" not in str(clean.pages[0].obj.Annots[0].items())
    whole = [text for row in rows if row.operacion == "dividir" for text in row.prueba["texto"]]
    assert len(whole) == 6
    assert len(set(whole)) == 6
    assert all(row.texto_igual and row.version == preparing.VERSION for row in rows)
    assert sum(row.paginas_enviado for row in rows if row.operacion == "dividir") == rows[-1].paginas_original == 6
    assert case.shown() == plan  # page, ZIP and bot see the same
    with case.house.db.read() as session:
        sealed = set(session.scalars(select(Pieza.sha256).where(Pieza.group_key == GROUP)))
        assert sealed == {item.sha256 for item in sent}
        assert sealed <= set(session.scalars(select(Blob.sha256)))


def test_what_was_made_once_is_not_made_again(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    case = desk(STRICT, {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy()})
    first = case.prepare()
    made = len(case.rows())
    # From here on, whoever starts the maker gets nothing.
    monkeypatch.setattr(preparing, "COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    assert case.prepare() == first
    assert len(case.rows()) == made
    with case.house.db.write() as session:
        envio = session.get_one(Envio, case.envio_id)
        withdraw(session, envio, "prueba", actor="persona:1", at=case.house.clock())
        again = order_filings(
            session, [case.factura_id], prestador_ids=[envio.prestador_id], actor="persona:1", at=case.house.clock()
        )
        other = again.envios[0].id
    case.envio_id = other
    assert case.prepare().planes[case.factura_id].files == first.planes[case.factura_id].files
    copied = [row for row in case.rows() if row.envio_id == other]
    assert [row.prueba for row in copied] == [row.prueba for row in case.rows()[:made]]


@pytest.mark.parametrize(
    "said",
    [
        '{"estado": "hecho", "salidas": [{"nombre": "x.pdf", "paginas": 1}], "hojas": [1], "original": [["a", "b"]], "enviado": [["a", "c"]]}',
        '{"estado": "ilegible"}',
        "no es JSON",
        '{"estado": "hecho"}',
    ],
)  # fmt: skip
def test_a_change_without_proof_is_refused(
    said: str, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk(STRICT, {"EPI_900123456_A1.pdf": scripted()})
    liar = f"import sys; sys.stdin.readline(); print({said!r}, flush=True)"
    monkeypatch.setattr(preparing, "COMMAND", (sys.executable, "-c", liar))
    plan = case.prepare().planes[case.factura_id]
    assert len(plan.rechazos) == 1
    assert plan.rechazos[0].nombre == "EPI_900123456_A1.pdf"
    assert case.rows() == []
    assert case.originals["EPI_900123456_A1.pdf"] in {item.sha256 for item in plan.files}


def test_one_pdf_for_a_payer_that_takes_one(desk: Callable[..., Desk]) -> None:
    case = desk(ONE, {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy(3)})
    plan = case.prepare().planes[case.factura_id]
    (whole,) = [item for item in plan.files if item.role == "SOPORTE"]
    rows = case.rows()
    assert [(row.operacion, row.orden, row.paginas_original, row.paginas_enviado) for row in rows] == [
        ("unir", 1, 1, 4),
        ("unir", 2, 3, 4),
    ]
    assert {row.sha256_enviado for row in rows} == {whole.sha256}
    assert [len(row.prueba["texto"]) for row in rows] == [1, 3]
    assert case.shown() == plan


def test_without_rules_nothing_is_touched(desk: Callable[..., Desk]) -> None:
    case = desk(Perfil("nada", "Sin reglas"), {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy()})
    plan = case.prepare().planes[case.factura_id]
    assert {item.sha256 for item in plan.files if item.role == "SOPORTE"} == set(case.originals.values())
    assert case.rows() == []


def test_lineage_is_only_added(desk: Callable[..., Desk]) -> None:
    case = desk(STRICT, {"EPI_900123456_A1.pdf": scripted()})
    case.prepare()
    with pytest.raises(DatabaseError), case.house.db.write() as session:
        session.execute(update(Linaje).values(texto_igual=False))


def test_a_bot_is_not_started_for_what_the_payer_would_not_take(desk: Callable[..., Desk]) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(heavy())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    case = desk(STRICT, {"EPI_900123456_A1.pdf": locked.getvalue()})
    claimed = claim_next(case.house.db, "prueba", case.house.host, 30, [KIND_FILE])
    assert claimed is not None
    do_one(case.house, ALL_HANDLERS[KIND_FILE], claimed)
    with case.house.db.read() as session:
        (attempt,) = session.scalars(select(Intento))
        assert (attempt.resultado, attempt.codigo, attempt.intent_at) == ("not_submitted", "paquete_no_cumple", None)
        assert "pide contraseña" in (attempt.detalle or "")
        assert session.scalars(select(Tarea)).all()
        assert session.get_one(Factura, case.factura_id).radicado is None
