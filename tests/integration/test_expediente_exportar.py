"""A dossier from its order to the bag in custody: whole, sealed, logged, verifiable, the same again, and after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bagit
import pikepdf
import pytest
from sqlalchemy import func, select, update

from radica.app.handlers.expedientes import bag_paths, fail_abandoned, preview
from radica.app.house import House
from radica.audit.models import AccessLog, Transition
from radica.cartera.models import Liquidacion
from radica.custodia.models import Blob, Pieza
from radica.custodia.seal_models import Hoja, TipoHoja
from radica.facturas.models import Documento, TipoDocumento
from radica.jobs.models import Job, JobState
from radica.jobs.queue import reap
from radica.prejuridico.contenido import Contenido
from radica.prejuridico.documentos import Alcance, agregar, guardar_archivo
from radica.prejuridico.models import Expediente, TipoDocumentoPersona, Via
from radica.prejuridico.papel.armar import whole_pdf
from radica.prejuridico.reunir import gather
from radica.prejuridico.services import KIND_EXPORT, reintentar
from radica.prejuridico.states import EstadoExpediente
from tests.conciliacion_seed import pdf
from tests.expediente_seed import ACTOR, Caso, make_caso
from tests.full_disk import small_files
from tests.plugins import filing

KILLS = ("leer", "guardar_bolsa", "guardar_pdf", "registrar")


@pytest.fixture
def hands(sqlite_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """A worker's house on SQLite, with an authority of time where the test asks for one."""
    made = filing.house_on(sqlite_url, tmp_path)
    if "tsa_settings" in request.fixturenames:
        made = replace(made, settings=replace(made.settings, tsa=(request.getfixturevalue("tsa_settings"),)))
    yield made
    made.db.dispose()


@pytest.fixture
def caso(hands: House) -> Caso:
    return make_caso(hands)


def unpack(caso: Caso, expediente_id: int, folder: Path) -> Path:
    """Take the bag out of custody."""
    row = caso.row(expediente_id)
    assert row.bolsa_sha256 is not None, row.problema
    with caso.house.store.local(row.bolsa_sha256) as path, zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    (bag,) = folder.iterdir()
    return bag


def verdict(bag: Path) -> tuple[int, str]:
    """Ask the bag's own verifier, on a Python without anything installed."""
    said = subprocess.run(
        [sys.executable, "-I", "-S", str(bag / "verificar.py"), "--json"], capture_output=True, text=True, check=False
    )
    return said.returncode, json.loads(said.stdout)["veredicto"]


def contents(caso: Caso, expediente_id: int) -> Contenido:
    """Gather a dossier anew."""
    with caso.house.db.read() as session:
        row = session.get_one(Expediente, expediente_id)
        return gather(session, row, corte=row.corte, store=caso.house.store)


@pytest.mark.usefixtures("tsa_settings")
def test_a_dossier_is_made_and_its_bag_verifies_on_a_bare_python(caso: Caso, tmp_path: Path) -> None:
    expediente = caso.order()
    caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.LISTO, row.problema
    bag = unpack(caso, expediente, tmp_path / "fuera")
    bagit.Bag(str(bag)).validate()
    assert verdict(bag) == (0, "VÁLIDA")
    with pikepdf.open(bag / "data" / "ExpedienteCompleto.pdf") as whole:
        assert len(whole.pages) == row.resumen["folios"]
    assert {"IndiceJudicial.xlsx", "IndiceAgn.xml"} <= {one.name for one in (bag / "data").iterdir()}
    with caso.house.db.read() as session:
        last = session.scalars(
            select(Transition).where(Transition.case_key == row.case_key).order_by(Transition.seq.desc())
        ).first()
        assert last is not None
        assert last.evidence == sorted([row.manifiesto_sha256, row.bolsa_sha256])
        leaf = session.scalars(select(Hoja).where(Hoja.tipo == TipoHoja.MANIFIESTO)).one()
        assert (leaf.nombre, leaf.hash) == (row.case_key, row.manifiesto_sha256)
        assert session.scalar(select(func.count()).select_from(Liquidacion)) == 2
        kinds = set(session.scalars(select(Pieza.clase).where(Pieza.case_key == row.case_key)))
        assert kinds == {"expediente_bolsa", "expediente_pdf"}
    assert not list(caso.house.settings.incoming.glob("expediente-*"))


def test_the_same_facts_give_the_same_bytes(caso: Caso, tmp_path: Path) -> None:
    expediente = caso.order()
    first, second = contents(caso, expediente), contents(caso, expediente)
    assert [one.huella for _, one in first.documentos()] == [one.huella for _, one in second.documentos()]
    assert (first.huecos, first.lista_de_control, first.declaracion) == (
        second.huecos, second.lista_de_control, second.declaracion,
    )  # fmt: skip
    made = [
        whole_pdf(one, caso.house.store, tmp_path / f"{number}.pdf", temporary=tmp_path, rutas=bag_paths(one))
        for number, one in enumerate((first, second))
    ]
    assert made[0].ruta.read_bytes() == made[1].ruta.read_bytes()


def test_every_document_of_custody_that_goes_out_is_in_the_reading_log(caso: Caso) -> None:
    expediente = caso.order()
    caso.work()
    out = {one.sha256 for _, one in contents(caso, expediente).documentos() if one.sha256}
    with caso.house.db.read() as session:
        rows = list(session.scalars(select(AccessLog).where(AccessLog.action == "exportar")))
    assert {row.sha256 for row in rows} == out
    assert {(row.actor, row.purpose) for row in rows} == {(ACTOR, "cobro juridico")}
    assert all(row.case_key for row in rows)


def test_the_tracks_choose_and_order(caso: Caso) -> None:
    title = contents(caso, caso.order(via=Via.EJECUTIVO))
    trial = contents(caso, caso.order(via=Via.DECLARATIVO))
    assert [one.clave for one in title.capitulos][:4] == ["demanda", "facturas", "rips", "radicacion"]
    assert [one.clave for one in trial.capitulos][:4] == ["demanda", "contrato", "facturas", "rips"]
    for content in (title, trial):
        assert [one.carpeta for one in content.capitulos][10:] == ["11_integridad", "12_vacios"]
    demanded = {one.numero: one.exigido for one in title.lista_de_control}
    assert demanded[7] is False
    assert {one.numero: one.exigido for one in trial.lista_de_control}[7] is True


def test_what_is_missing_is_a_gap_and_what_is_brought_closes_it(caso: Caso, tmp_path: Path) -> None:
    expediente = caso.order()
    before = {one.codigo for one in contents(caso, expediente).huecos}
    assert {"sin_poder", "sin_contrato", "sin_reps", "sin_autorizacion", "prueba_sin_archivo"} <= before
    paper = tmp_path / "poder.pdf"
    paper.write_bytes(pdf("poder"))
    kept = guardar_archivo(caso.house.store, paper, TipoDocumentoPersona.PODER)
    with caso.house.db.write() as session:
        agregar(
            session, kept, tipo=TipoDocumentoPersona.PODER, alcance=Alcance(caso.prestador_id), fecha=caso.hoy,
            actor=ACTOR, at=caso.house.clock(),
        )  # fmt: skip
    after = contents(caso, expediente)
    assert "sin_poder" not in {one.codigo for one in after.huecos}
    (power,) = after.capitulos[0].documentos
    assert (power.tipologia, power.sha256) == ("Poder", kept.stored.sha256)


def test_a_pdf_that_does_not_open_goes_in_as_a_file_and_is_declared(caso: Caso, tmp_path: Path) -> None:
    broken = caso.house.store.put_file(write(tmp_path / "roto.pdf", b"%PDF-1.7\nnada que abrir\n%%EOF"))
    change_support(caso, broken.sha256, broken.bytes)
    expediente = caso.order()
    caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.LISTO, row.problema
    assert row.resumen["adjuntos"] == 1
    assert [one["codigo"] for one in row.resumen["lista"]].count("pdf_no_abre") == 1
    bag = unpack(caso, expediente, tmp_path / "fuera")
    assert any(one.read_bytes().endswith(b"nada que abrir\n%%EOF") for one in (bag / "data").rglob("*.pdf"))


def test_bytes_that_are_not_in_custody_are_declared_and_stop_nothing(caso: Caso) -> None:
    change_support(caso, "a" * 64, 10)
    expediente = caso.order()
    caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.LISTO, row.problema
    assert "falta_en_custodia" in [one["codigo"] for one in row.resumen["lista"]]


def test_a_full_disk_fails_with_words_and_leaves_nothing(caso: Caso, tmp_path: Path) -> None:
    heavy = write(tmp_path / "contrato.pdf", pdf("contrato") + b"\n%" + b"x" * 9_000_000)
    kept = guardar_archivo(caso.house.store, heavy, TipoDocumentoPersona.CONTRATO)
    with caso.house.db.write() as session:
        agregar(
            session, kept, tipo=TipoDocumentoPersona.CONTRATO, alcance=Alcance(caso.prestador_id), fecha=caso.hoy,
            actor=ACTOR, at=caso.house.clock(),
        )  # fmt: skip
    expediente = caso.order()
    with small_files(6_000_000):
        caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.FALLIDO
    assert "disco está lleno" in row.problema
    assert not list(caso.house.settings.incoming.glob("expediente-*"))
    with caso.house.db.write() as session:
        reintentar(session, session.get_one(Expediente, expediente), actor=ACTOR, at=caso.house.clock())
    caso.work()
    assert caso.row(expediente).estado is EstadoExpediente.LISTO


@pytest.mark.parametrize("point", KILLS)
def test_killed_at_any_point_another_worker_makes_it_once(caso: Caso, point: str, tmp_path: Path) -> None:
    expediente = caso.order()
    actor = Path(__file__).with_name("expediente_actor.py")
    words = [sys.executable, str(actor), caso.house.db.url, str(caso.house.settings.datos), point]
    died = subprocess.run(words, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert caso.row(expediente).estado is EstadoExpediente.SOLICITADO
    with caso.house.db.write() as session:
        session.execute(update(Job).where(Job.state == JobState.RUNNING.value).values(lease_until_ms=1))
    reap(caso.house.db)
    with caso.house.db.write() as session:
        session.execute(update(Job).where(Job.state == JobState.READY.value).values(run_after_ms=0))
    caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.LISTO, row.problema
    bag = unpack(caso, expediente, tmp_path / "fuera")
    bagit.Bag(str(bag)).validate()
    assert verdict(bag) == (1, "SIN SELLO DE TIEMPO")
    with caso.house.db.read() as session:
        for sha256 in session.scalars(select(Pieza.sha256).where(Pieza.case_key == row.case_key)):
            assert caso.house.store.exists(sha256)
    assert not list(caso.house.settings.incoming.glob(f"expediente-{expediente}-*"))


def test_a_dossier_whose_job_is_dead_says_so(caso: Caso) -> None:
    expediente = caso.order()
    assert fail_abandoned(caso.house.db, caso.house.clock()) == 0
    with caso.house.db.write() as session:
        session.execute(update(Job).where(Job.kind == KIND_EXPORT).values(state=JobState.DEAD.value))
    assert fail_abandoned(caso.house.db, caso.house.clock()) == 1
    assert caso.row(expediente).estado is EstadoExpediente.FALLIDO


def test_a_preview_is_drawn_before_anything_is_ordered(caso: Caso, tmp_path: Path) -> None:
    draft = Expediente(
        id=0, numero=1, prestador_id=caso.prestador_id, pagador_id=caso.pagador_id, via=Via.EJECUTIVO, corte=caso.hoy,
        opciones={}, solicitado_por=ACTOR,
    )  # fmt: skip
    house = caso.house
    content = preview(
        house.db,
        house.settings,
        house.store,
        draft,
        caso.facturas,
        tmp_path / "vista.pdf",
        actor=ACTOR,
        clock=house.clock,
    )
    with pikepdf.open(tmp_path / "vista.pdf") as whole:
        assert len(whole.pages) > 20
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Expediente)) == 0
        seen = session.scalar(select(func.count()).select_from(AccessLog).where(AccessLog.action == "previsualizar"))
        assert seen == len({one.sha256 for _, one in content.documentos() if one.sha256})


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def change_support(caso: Caso, sha256: str, size: int) -> None:
    """Let a support of the first invoice be other bytes."""
    from_store = sha256 != "a" * 64
    with caso.house.db.write() as session:
        known = {"sha256": sha256, "bytes": size, "stored_at": caso.house.clock()}
        session.execute(Blob.__table__.insert(), [known])
        row = session.scalars(
            select(Documento).where(Documento.factura_id == caso.facturas[0], Documento.tipo == TipoDocumento.SOPORTE)
        ).first()
        assert row is not None
        row.sha256, row.bytes = sha256, size
    assert caso.house.store.exists(sha256) is from_store
