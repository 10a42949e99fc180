"""One box finds everything and tells no address; samples can be drawn again; a patient learns who read; what leaves opens alone."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from radica.app.handlers import indexar
from radica.app.house import House as Worker
from radica.app.house import make_house
from radica.audit.sample import draw, population_hash
from radica.custodia.services import record_blobs
from radica.custodia.text_models import TextoIndexado
from radica.custodia.texto import KEY_FILE
from radica.entidades.models import Prestador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.jobs.queue import claim_next
from radica.kernel.errors import Unavailable
from radica.users.models import Rol
from tests import factories, glosas_seed
from tests.functional.navigators import Browser
from tests.functional.test_auditoria_lecturas import say_purpose
from tests.plugins.web_auditing import Audited


@pytest.fixture
def worker(audited: Audited) -> Worker:
    return make_house(audited.house.settings, audited.house.database, environ={}, clock=audited.house.clock)


@pytest.fixture
def read(audited: Audited, worker: Worker) -> Audited:
    assert indexar.order_indexing(worker.db, worker.clock()) == 1
    claimed = claim_next(worker.db, worker.owner, worker.host, 60, kinds=[indexar.KIND_TEXT])
    assert claimed is not None
    indexar.index_texts(worker, claimed)
    return audited


@pytest.fixture
def aura(read: Audited) -> Browser:
    browser = read.enter("aura@norte.example", Rol.AUDITORIA)
    say_purpose(browser)
    return browser


def search(browser: Browser, typed: str) -> str:
    browser.open("/auditoria")
    browser.fill("/auditoria/buscar", q=typed)
    assert browser.status == 200
    assert browser.path == "/auditoria/buscar"
    return browser.text


def groups(browser: Browser) -> set[str]:
    return set(browser.tree().xpath("//main//section/@id"))


def facts(read: Audited) -> Factura:
    with read.house.database.read() as session:
        row = session.get_one(Factura, read.factura)
        session.expunge(row)
    return row


def test_the_box_finds_an_invoice_by_what_it_is_known_by(read: Audited, aura: Browser) -> None:
    row = facts(read)
    assert row.cufe
    for typed in (read.numero, read.numero.lower(), row.numero_digitos, row.numero_clave[:-1], row.cufe, row.cufe[:10]):
        assert read.numero in search(aura, typed), typed
        assert "facturas" in groups(aura), typed


def test_the_box_finds_what_documents_say(read: Audited, aura: Browser) -> None:
    search(aura, "agata núñez")
    assert groups(aura) == {"textos"}
    assert aura.tree().xpath(f"//section[@id='textos']//a[contains(@href, 'evidencia={read.pieza}')]")
    search(aura, "agata inexistente")
    assert groups(aura) == set()
    assert "Nada coincide" in aura.text


def test_the_box_finds_a_patient_and_their_invoice(read: Audited, aura: Browser) -> None:
    for typed in (read.paciente, f"{read.paciente[:1]}.{read.paciente[1:4]}.{read.paciente[4:7]}.{read.paciente[7:]}"):
        assert read.numero in search(aura, typed), typed
        assert {"paciente", "textos"} <= groups(aura), typed


def test_the_box_finds_bytes_by_their_hash(read: Audited, aura: Browser) -> None:
    with read.house.database.read() as session:
        sha = session.get_one(Documento, read.documentos[TipoDocumento.RIPS]).sha256
    for typed in (sha, sha[:8], sha.upper()):
        search(aura, typed)
        assert "huellas" in groups(aura), typed
    search(aura, sha[:7])
    assert "huellas" not in groups(aura)


def test_the_box_finds_glosas_by_code_and_number(read: Audited, aura: Browser) -> None:
    with read.house.database.write() as session:
        line = glosas_seed.objected(session, glosas_seed.filed_invoice(session, read.prestador))
        line.numero_glosa = "GL-77-1"
        code, radicado = line.codigo, session.get_one(Factura, line.factura_id).radicado
    search(aura, code)
    assert "codigos" in groups(aura)
    search(aura, "GL-77")
    assert "glosas" in groups(aura)
    assert radicado
    search(aura, radicado)
    assert "facturas" in groups(aura)


def test_nothing_typed_stands_in_an_address_a_log_or_the_database(
    read: Audited, aura: Browser, log_lines: list[str]
) -> None:
    search(aura, f"{read.paciente} agata")
    search(aura, read.paciente)
    pages = " ".join(str(one) for one in aura.tree().xpath("//@href|//@action|//@hx-get"))
    assert read.paciente not in pages
    assert not any(read.paciente in line or "agata" in line.lower() for line in log_lines)
    with read.house.database.read() as session:
        for table in ("access_log", "textos_indexados", "palabras_texto", "jobs"):
            for line in session.execute(text(f"SELECT * FROM {table}")):
                assert read.paciente not in str(line), table
    last = read.log()[-1]
    assert (last.action, last.purpose) == ("buscar", "auditoria")


def test_another_provider_finds_nothing_of_it(read: Audited) -> None:
    other = read.house.entered("otra@sur.example", Rol.AUDITORIA, provider=read.house.provider("IPS del Sur"))
    say_purpose(other)
    with read.house.database.read() as session:
        sha = session.get_one(Documento, read.documentos[TipoDocumento.RIPS]).sha256
    for typed in (read.numero, read.paciente, "agata núñez", sha, facts(read).cufe or ""):
        search(other, typed)
        assert groups(other) == set(), typed


def test_an_auditor_who_did_not_say_why_searches_nothing(read: Audited) -> None:
    browser = read.enter("bea@norte.example", Rol.AUDITORIA)
    browser.open("/auditoria")
    browser.fill("/auditoria/buscar", q=read.paciente)
    assert browser.status == 403
    assert groups(browser) == set()
    assert "para qué" in browser.text


def test_indexing_is_done_once_and_goes_on_where_it_was(read: Audited, worker: Worker) -> None:
    with read.house.database.read() as session:
        rows = session.execute(text("SELECT resultado, palabras FROM textos_indexados")).all()
        assert indexar.pending(session, limit=10) == []
    assert {row.resultado for row in rows} >= {"indexado"}
    assert indexar.order_indexing(worker.db, worker.clock()) == 0


def test_a_lost_key_is_said_and_nothing_is_written_over(read: Audited, aura: Browser, worker: Worker) -> None:
    (read.house.settings.keys / KEY_FILE).write_bytes(b"z" * 32)
    search(aura, "agata")
    assert groups(aura) == set()
    assert "la llave del índice no es la que lo escribió" in aura.text
    note = worker.store.put(io.BytesIO(b"palabras nuevas"))
    with read.house.database.write() as session:
        record_blobs(session, [note], at=worker.clock())
        paper = session.get_one(Documento, read.documentos[TipoDocumento.RIPS])
        copy = {one.name: getattr(paper, one.name) for one in Documento.__table__.c if one.name != "id"}
        session.add(Documento(**{**copy, "sha256": note.sha256}))
    read.house.clock.forward(minutes=1)
    assert indexar.order_indexing(worker.db, worker.clock()) == 1
    claimed = claim_next(worker.db, worker.owner, worker.host, 60, kinds=[indexar.KIND_TEXT])
    assert claimed is not None
    with pytest.raises(Unavailable):
        indexar.index_texts(worker, claimed)


def test_an_altered_document_does_not_keep_the_others_out_of_the_index(read: Audited, worker: Worker) -> None:
    """One flipped byte once stopped the job for good: it was met first again at each try."""
    notes = [worker.store.put(io.BytesIO(data)) for data in (b"altera", b"encontrable")]
    with read.house.database.write() as session:
        record_blobs(session, notes, at=worker.clock())
        paper = session.get_one(Documento, read.documentos[TipoDocumento.RIPS])
        copy = {one.name: getattr(paper, one.name) for one in Documento.__table__.c if one.name != "id"}
        session.add_all([Documento(**{**copy, "sha256": one.sha256}) for one in notes])
    place = read.house.settings.store / notes[0].sha256[:2] / f"{notes[0].sha256}.rc1"
    place.chmod(0o600)
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    read.house.clock.forward(minutes=1)
    assert indexar.order_indexing(worker.db, worker.clock()) == 1
    claimed = claim_next(worker.db, worker.owner, worker.host, 60, kinds=[indexar.KIND_TEXT])
    assert claimed is not None
    indexar.index_texts(worker, claimed)
    with worker.db.read() as session:
        rows = session.execute(select(TextoIndexado.sha256, TextoIndexado.resultado))
        found = {row.sha256: row.resultado for row in rows}
    assert [found[one.sha256] for one in notes] == ["ilegible", "indexado"]


# --- Sample -------------------------------------------------------------------------------------------------------


def test_the_same_seed_and_population_give_the_same_sample(read: Audited, aura: Browser) -> None:
    with read.house.database.write() as session:
        owner = session.get_one(Factura, read.factura).prestador_id
        provider = session.get_one(Prestador, owner)
        payer = factories.pagador(session, nombre="EPS de la Muestra")
        ids = [factories.factura(session, provider, payer, valor=100_000 * n).id for n in range(1, 41)]
        numbers = {row.id: row.numero for row in session.scalars(select(Factura))}
        paid = payer.id
    aura.open(f"/auditoria/muestra?semilla=acta-7&tamano=10&pagador={paid}")
    shown = [one.text for one in aura.tree().xpath("//main//tbody//a[contains(@class,'mono')]")]
    assert shown == [numbers[one] for one in draw(ids, seed="acta-7", size=10)]
    assert population_hash(ids)[:16] in aura.text
    aura.open(f"/auditoria/muestra?semilla=acta-8&tamano=10&pagador={paid}")
    assert [one.text for one in aura.tree().xpath("//main//tbody//a[contains(@class,'mono')]")] != shown
    aura.open(f"/auditoria/muestra?semilla=acta-7&tamano=50&pagador={paid}&minimo=2.000&maximo=3000")
    assert len(aura.tree().xpath("//main//tbody/tr")) == 2


def test_a_sample_leaves_as_pdf_and_csv_with_its_seed(read: Audited, aura: Browser) -> None:
    aura.open("/auditoria/muestra?semilla=acta-7&tamano=5")
    answer = aura.fill("/auditoria/muestra/csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")), delimiter=";"))
    assert ["Semilla", "acta-7"] in rows
    aura.open("/auditoria/muestra?semilla=acta-7&tamano=5")
    answer = aura.fill("/auditoria/muestra/pdf")
    with pikepdf.open(io.BytesIO(answer.get_data())) as pdf:
        assert len(pdf.pages) == 1
    assert [row.action for row in read.log()][-2:] == ["muestra", "muestra"]


@pytest.mark.parametrize("query", ["tamano=0", "tamano=abc", "tamano=99999", "minimo=-3", "maximo=1e9"])
def test_a_sample_that_makes_no_sense_is_refused(read: Audited, aura: Browser, query: str) -> None:
    assert read
    aura.open(f"/auditoria/muestra?semilla=x&{query}")
    assert aura.status == 422


# --- The patient's report -----------------------------------------------------------------------------------------


def test_a_patient_learns_who_read_their_documents(read: Audited) -> None:
    ana = read.enter("ana@norte.example", Rol.FACTURACION)
    ana.open(f"/documento/{read.documentos[TipoDocumento.SOPORTE]}/descargar")
    admin = read.enter("admin@norte.example", Rol.ADMINISTRACION)
    admin.open("/auditoria/paciente")
    admin.fill("/auditoria/paciente/pagina", documento=read.paciente)
    assert read.numero in admin.text
    assert "Descargó" in admin.text
    for form in ("csv", "pdf"):
        admin.open("/auditoria/paciente")
        admin.fill("/auditoria/paciente/pagina", documento=read.paciente)
        answer = admin.fill(f"/auditoria/paciente/{form}")
        assert answer.status_code == 200
        assert read.paciente not in answer.headers["Content-Disposition"]
    last = read.log()[-1]
    assert (last.action, last.purpose, read.paciente in last.object) == (
        "informe_accesos",
        "consulta del titular",
        False,
    )
    admin.open("/auditoria/paciente")
    admin.fill("/auditoria/paciente/pagina", documento="99999999")
    assert "no aparece" in admin.text
    admin.open("/auditoria/paciente")
    admin.fill("/auditoria/paciente/pagina", documento="no es")
    assert admin.status == 422
    assert ana.open("/auditoria/paciente").status_code == 403


# --- What leaves --------------------------------------------------------------------------------------------------


def test_a_selection_leaves_with_its_documents_and_each_is_logged(read: Audited, aura: Browser, tmp_path: Path) -> None:
    search(aura, read.numero)
    before = len(read.log())
    answer = export(aura, [read.factura])
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as box:
        box.extractall(tmp_path)
        names = set(box.namelist())
    lines = (tmp_path / "sha256.txt").read_text().splitlines()
    for line in lines:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert names - {"sha256.txt"} == {line.partition("  ")[2] for line in lines}
    index = (tmp_path / "indice.html").read_text()
    added = read.log()[before:]
    assert len(added) == len(lines) - 2 >= 5
    assert {(row.action, row.case_key) for row in added} == {("exportar", f"factura:{read.factura}")}
    for row in added:
        assert row.sha256
        assert row.sha256 in index


def token(browser: Browser) -> str:
    value: str = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    return value


def export(browser: Browser, ids: list[int]) -> TestResponse:
    data = {"csrf_token": token(browser), "factura_ids": [str(one) for one in ids]}
    return browser.raw("POST", "/auditoria/exportar", data=data)


def test_a_selection_of_nothing_too_much_or_another_provider_does_not_leave(read: Audited, aura: Browser) -> None:
    with read.house.database.write() as session:
        theirs = factories.factura(session, factories.prestador(session), factories.pagador(session)).id
    aura.open("/auditoria")
    before = len(read.log())
    for ids, status in (([], 422), ([read.factura, theirs], 404), (list(range(1, 300)), 422), ([2**70], 422)):
        aura.open("/auditoria")
        assert export(aura, ids).status_code == status, ids[:3]
    assert len(read.log()) == before


def test_a_document_missing_in_custody_is_named_in_what_leaves(read: Audited, aura: Browser) -> None:
    with read.house.database.read() as session:
        sha = session.get_one(Documento, read.documentos[TipoDocumento.RIPS]).sha256
    for path in read.house.settings.store.rglob(f"{sha}*"):
        path.chmod(0o600)
        path.unlink()
    aura.open("/auditoria")
    with zipfile.ZipFile(io.BytesIO(export(aura, [read.factura]).get_data())) as box:
        assert "falta en custodia" in box.read("indice.html").decode()
        assert sha not in box.read("sha256.txt").decode()
