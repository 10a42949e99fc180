"""The package under a payer's rules, as who files by hand meets it: ZIPs, what was changed, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import select

from radica.app.acciones import envio as envio_pages
from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.house import make_house
from radica.app.worker import do_one
from radica.audit.models import AccessLog
from radica.custodia.services import record_blobs
from radica.custodia.store import FolderStore
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.jobs.models import Job, JobState
from radica.jobs.queue import claim_next
from radica.portales.credentials import open_vault
from radica.portales.services import create_account
from radica.radicacion.encargo import KIND_PREPARE
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.manual import order
from radica.radicacion.perfil_paquete import Perfil, perfiles
from radica.users.models import Rol
from tests.acciones_seed import import_ready
from tests.functional.navigators import Browser
from tests.plugins.web import House

Ordered = Callable[[Perfil], tuple[Browser, int, int]]


@pytest.fixture
def ordered(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ordered:
    """Return who orders one invoice by hand, with a scripted support, for a payer with rules."""
    store = FolderStore(house.settings.store)

    monkeypatch.setattr(envio_pages, "WAIT_S", 600.0)  # what is told to wait has tests of its own

    def make(perfil: Perfil) -> tuple[Browser, int, int]:
        monkeypatch.setitem(perfiles(), perfil.codigo, perfil)
        (factura,) = import_ready(house.database, store, house.clock, tmp_path)
        with house.database.write() as session:
            row = session.get_one(Factura, factura)
            assert row.pagador_id is not None
            create_account(
                session, open_vault(house.settings.keys), prestador_id=row.prestador_id, pagador_id=row.pagador_id,
                arquetipo="p9", base_url="https://eps.example", usuario="u", clave="c",
                perfil={"paquete": perfil.codigo},
            )  # fmt: skip
            support = session.scalars(
                select(Documento).where(Documento.factura_id == factura, Documento.tipo == TipoDocumento.SOPORTE)
            ).first()
            assert support is not None
            armed = io.BytesIO()
            with pikepdf.open(io.BytesIO(store.read(support.sha256))) as pdf:
                pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
                pdf.save(armed)
            stored = store.put(io.BytesIO(armed.getvalue()))
            record_blobs(session, [stored], at=house.clock())
            support.vigente = False
            values = {
                name: getattr(support, name) for name in ("prestador_id", "factura_id", "nombre", "tipo", "sigla")
            }
            session.add(
                Documento(
                    **values, sha256=stored.sha256, bytes=stored.bytes, media_type="application/pdf",
                    datos=support.datos, cargado_at=house.clock(), cargado_por="prueba",
                )
            )  # fmt: skip
            session.flush()
            found = order(
                session, [factura], prestador_ids=[row.prestador_id], actor="persona:1", at=house.clock(), by_hand=True
            )
            provider, envio = row.prestador_id, found.envios[0].id
        return house.entered("ana@norte.example", Rol.FACTURACION, provider=provider), envio, factura

    return make


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        assert box.testzip() is None
        return {name: box.read(name) for name in box.namelist()}


def test_a_cleaned_file_goes_in_the_zip_and_its_lineage_stands_on_both_pages(house: House, ordered: Ordered) -> None:
    browser, envio, factura = ordered(Perfil("limpio", "EPS sin guiones", zip="{numero}.zip", sin_script=True))
    answer = browser.open(f"/radicacion/envios/{envio}/paquete")
    with house.database.read() as session:
        (change,) = session.scalars(select(Linaje))
        number = session.get_one(Factura, factura).numero
        read = session.scalars(select(AccessLog.sha256).where(AccessLog.action == "descargar")).all()
    assert f"filename={number}.zip" in answer.headers["Content-Disposition"]
    files = unzipped(answer.data)
    assert change.sha256_enviado in read
    assert len(read) == len(files)
    assert not any(b"app.alert" in data for data in files.values())
    browser.open(f"/radicacion/envios/{envio}")
    assert "Según las reglas de EPS sin guiones" in browser.text
    for path in (f"/radicacion/envios/{envio}", f"/facturas/{factura}/prueba"):
        browser.open(path)
        table = " ".join(browser.tree().xpath("//*[contains(@class, 'linaje')]//text()"))
        assert "Se quitaron JavaScript y acciones" in table
        assert "igual, página por página" in table
        assert change.sha256_original[:10] in table
        assert change.sha256_enviado[:10] in table
    browser.open(f"/facturas/{factura}")
    assert "Archivo cambiado para entregarlo" in browser.text


def test_several_zips_come_one_by_one_or_all_in_one(house: House, ordered: Ordered) -> None:
    browser, envio, _ = ordered(Perfil("partido", "EPS de pocos", zip="{nit}_{fecha}_{parte}.zip", archivos=2))
    browser.open(f"/radicacion/envios/{envio}")
    links = browser.tree().xpath("//*[@id='partes']//a/@href")
    assert len(links) >= 2
    whole = unzipped(browser.open(f"/radicacion/envios/{envio}/paquete").data)
    assert len(whole) == len(links)
    apart = [unzipped(browser.open(link).data) for link in links]
    assert [set(unzipped(data)) for data in whole.values()] == [set(one) for one in apart]
    assert all(len(one) <= 2 for one in apart)
    for wrong in ("0", "99", "x"):
        assert browser.open(f"/radicacion/envios/{envio}/paquete?parte={wrong}").status_code == 404


def test_what_cannot_be_met_is_told_and_a_person_may_still_take_it(ordered: Ordered) -> None:
    browser, envio, _ = ordered(Perfil("pide", "EPS que pide", exige=("LDP",)))
    browser.open(f"/radicacion/envios/{envio}/paquete")
    assert browser.text.count("Falta el soporte LDP") == 1
    assert "No se descargó nada" in browser.text
    (link,) = browser.tree().xpath("//a[contains(., 'de todos modos')]/@href")
    assert browser.open(link).mimetype == "application/zip"


def work_off(house: House) -> None:
    """Do the preparations that wait, as a worker does."""
    worker = make_house(house.settings, house.database, environ={"RADICA_HOST": "prueba"}, clock=house.clock)
    while (claimed := claim_next(worker.db, "prueba", worker.host, 60, [KIND_PREPARE])) is not None:
        do_one(worker, ALL_HANDLERS[KIND_PREPARE], claimed)


def orders(house: House) -> list[JobState]:
    with house.database.read() as session:
        return list(session.scalars(select(Job.state).where(Job.kind == KIND_PREPARE).order_by(Job.id)))


def test_what_takes_long_goes_on_in_the_background_and_then_comes_at_once(
    house: House, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, envio, factura = ordered(Perfil("limpio", "EPS sin guiones", zip="{numero}.zip", sin_script=True))
    monkeypatch.setattr(envio_pages, "WAIT_S", 0.0)
    for _ in range(2):  # who is impatient orders it once
        browser.open(f"/radicacion/envios/{envio}/paquete")
        assert "se están preparando" in browser.text
    assert orders(house) == [JobState.READY]
    work_off(house)
    assert orders(house) == [JobState.DONE]
    answer = browser.open(f"/radicacion/envios/{envio}/paquete")
    assert not any(b"app.alert" in data for data in unzipped(answer.data).values())
    # Another support, and what was prepared before is not believed any more.
    with house.database.write() as session:
        row = session.scalars(
            select(Documento).where(Documento.factura_id == factura, Documento.tipo == TipoDocumento.SOPORTE)
        ).first()
        assert row is not None
        row.vigente = not row.vigente
    browser.open(f"/radicacion/envios/{envio}/paquete")
    assert "se están preparando" in browser.text
    assert orders(house) == [JobState.DONE, JobState.READY]


def test_what_the_background_could_not_meet_is_told_on_the_page(
    house: House, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, envio, _ = ordered(Perfil("pide", "EPS que pide", sin_script=True, exige=("LDP",)))
    monkeypatch.setattr(envio_pages, "WAIT_S", 0.0)
    browser.open(f"/radicacion/envios/{envio}/paquete")
    work_off(house)
    assert orders(house) == [JobState.DEAD]
    browser.open(f"/radicacion/envios/{envio}/paquete")
    assert "No se descargó nada" in browser.text
    assert "Falta el soporte LDP" in browser.text
    (link,) = browser.tree().xpath("//a[contains(., 'de todos modos')]/@href")
    assert browser.open(link).mimetype == "application/zip"


def test_one_download_prepares_at_a_time(house: House, ordered: Ordered) -> None:
    browser, envio, _ = ordered(Perfil("limpio", "EPS sin guiones", sin_script=True))
    with envio_pages._AT_WORK:
        browser.open(f"/radicacion/envios/{envio}/paquete")
    assert "se están preparando" in browser.text
    assert orders(house) == [JobState.READY]
