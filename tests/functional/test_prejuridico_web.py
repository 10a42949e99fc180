"""Prejurídico through its pages: what is owed, ordering a dossier, what a person brings, and who may not."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.audit.services import record_reading
from radica.custodia.services import Kept, record_blobs, seal
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.jobs.models import Job
from radica.prejuridico.models import DocumentoPersona, Expediente
from radica.prejuridico.services import Hecho, fallar, terminar
from radica.prejuridico.states import EstadoExpediente
from radica.users.models import Rol
from tests import factories
from tests.conciliacion_seed import NOW, Mesa, add_ratified, make_mesa, pdf
from tests.functional.conciliacion_pasos import send
from tests.functional.navigators import Browser
from tests.plugins.web import House


@pytest.fixture
def mesa(house: House) -> Mesa:
    house.clock.at = NOW
    return make_mesa(house.database, house.settings.store.parent)


@pytest.fixture
def ana(house: House, mesa: Mesa) -> Browser:
    return house.entered("ana@norte.example", Rol.JURIDICA, provider=mesa.prestador_id)


def order(browser: Browser, mesa: Mesa, *facturas: int, **more: str) -> None:
    """Choose invoices of the payer's list and order their dossier."""
    browser.open(f"/prejuridico?pagador={mesa.pagador_id}")
    token = browser.tree().xpath("//form[@id='masiva']//input[@name='csrf_token']/@value")[0]
    browser.raw("POST", "/prejuridico/preparar", data={"csrf_token": token, "facturas": [str(one) for one in facturas]})
    assert browser.status == 200, browser.text
    browser.fill("/prejuridico/expedientes", **more)


def only(house: House) -> Expediente:
    with house.database.read() as session:
        return session.scalars(select(Expediente)).one()


def finish(house: House, mesa: Mesa) -> None:
    """Let the dossier be ready, as the job leaves it."""
    with house.database.write() as session:
        row = session.scalars(select(Expediente)).one()
        stored = mesa.store.put(io.BytesIO(b"bolsa"))
        record_blobs(session, [stored], at=NOW)
        done = Hecho(stored.sha256, stored.sha256, "ab" * 32, 5, {"documentos": 3})
        terminar(session, row, done, actor="bot:prueba", at=NOW)


def test_what_is_owed_opens_from_payer_to_invoice(house: House, mesa: Mesa, ana: Browser) -> None:
    ana.open("/prejuridico")
    assert "3 facturas" in ana.text
    (row,) = ana.tree().xpath("//tbody/tr/@data-href")
    ana.open(row)
    with house.database.read() as session:
        for invoice in session.scalars(select(Factura)):
            assert invoice.numero in ana.text
    assert "Falta el poder" in ana.page.get_data(as_text=True)


def test_a_dossier_is_ordered_once_for_chosen_invoices(house: House, mesa: Mesa, ana: Browser) -> None:
    order(ana, mesa, *mesa.facturas[:2], ciudad="Bogotá")
    assert "Expediente 1" in ana.text
    assert "En preparación" in ana.text
    row = only(house)
    assert row.opciones == {"ciudad": "Bogotá"}
    with house.database.read() as session:
        jobs = session.scalars(select(Job).where(Job.kind == "exportar_expediente")).all()
        assert [one.payload["expediente_id"] for one in jobs] == [row.id]
    ana.open("/prejuridico/expedientes")
    assert "En preparación" in ana.text
    ana.open(f"/prejuridico?pagador={mesa.pagador_id}")
    assert ana.text.count("N.º 1") == 2


def test_invoices_of_two_payers_are_refused_with_words(house: House, mesa: Mesa, ana: Browser) -> None:
    with house.database.write() as session:
        other = factories.pagador(session)
        provider = session.get_one(Prestador, mesa.prestador_id)
        number = add_ratified(session, mesa, provider, other, 900_000).factura_id
    order(ana, mesa, mesa.facturas[0], number)
    assert ana.status == 422
    assert "varios pagadores" in ana.text
    with house.database.read() as session:
        assert session.scalars(select(Expediente)).all() == []


def test_from_ready_to_the_lawsuit(house: House, mesa: Mesa, ana: Browser) -> None:
    order(ana, mesa, mesa.facturas[0])
    page = ana.path
    assert not ana.tree().xpath("//form[contains(@action, '/entregar')]")
    finish(house, mesa)
    ana.open(page)
    old = dict(ana.tree().xpath("//form[@id='forma-entregar']")[0].form_values())
    send(ana, "forma-entregar", **{"entregar-a_quien": ""})
    assert ana.status == 422
    send(ana, "forma-entregar", **{"entregar-a_quien": "Abogada Rivas"})
    assert "Entregado al abogado" in ana.text
    ana.raw("POST", f"{page}/entregar", data=old | {"entregar-a_quien": "Otra"})
    assert ana.status == 409, "the page of before the delivery changes nothing"
    ana.open(page)
    send(ana, "forma-demandar", **{"demandar-radicado": "11001-31-03"})
    assert "23 dígitos" in ana.text
    send(ana, "forma-demandar", **{"demandar-radicado": "11001 31 03 001 2026 00123 00"})
    assert only(house).estado is EstadoExpediente.DEMANDADO
    assert only(house).radicado_judicial == "11001310300120260012300"


def test_what_failed_says_why_and_is_ordered_again(house: House, mesa: Mesa, ana: Browser) -> None:
    order(ana, mesa, mesa.facturas[0])
    page = ana.path
    with house.database.write() as session:
        row = session.scalars(select(Expediente)).one()
        fallar(session, row, "El almacén no respondió.", actor="bot:prueba", at=NOW)
        job = session.scalars(select(Job).where(Job.kind == "exportar_expediente")).one()
        session.delete(job)
    ana.open(page)
    assert "El almacén no respondió." in ana.text
    send(ana, "forma-reintentar")
    assert only(house).estado is EstadoExpediente.SOLICITADO


def test_what_a_person_has_is_loaded_once_and_withdrawn_with_a_reason(house: House, mesa: Mesa, ana: Browser) -> None:
    def bring(data: bytes, name: str, **more: str) -> None:
        ana.open("/prejuridico/aportados")
        values = {"tipo": "poder", "fecha": "2026-11-01", "archivos": (io.BytesIO(data), name)} | more
        send(ana, "forma-aportar", **values)

    bring(pdf("poder especial"), "poder.pdf")
    assert "Quedó guardado" in ana.text
    bring(pdf("poder especial"), "otra vez.pdf")
    assert "ya estaba" in ana.text
    bring(b"no es un pdf", "poder.pdf")
    assert ana.status == 422
    bring(pdf("contrato"), "contrato.pdf", tipo="contrato", factura="NO-EXISTE-9")
    assert ana.status == 422
    assert "no hay una factura" in ana.text
    bring(pdf("autorización"), "autorizacion.pdf", tipo="contrato", fecha="2031-01-01")
    assert ana.status == 422
    with house.database.read() as session:
        row = session.scalars(select(DocumentoPersona)).one()
    ana.open("/prejuridico/aportados")
    send(ana, f"forma-retirar-{row.id}", motivo="")
    assert ana.status == 422
    send(ana, f"forma-retirar-{row.id}", motivo="x" * 301)
    assert ana.status == 422, "a reason is never cut in silence"
    send(ana, f"forma-retirar-{row.id}", motivo="Se revocó")
    assert "Se revocó" in ana.text
    ana.open(f"/prejuridico?pagador={mesa.pagador_id}")
    assert "Falta el poder" in ana.page.get_data(as_text=True)


@pytest.mark.parametrize("role", [Rol.AUDITORIA, Rol.DIRECCION])
def test_who_only_reads_orders_nothing(house: House, mesa: Mesa, ana: Browser, role: Rol) -> None:
    order(ana, mesa, mesa.facturas[0])
    page = ana.path
    finish(house, mesa)
    reader = house.entered("lee@norte.example", role, provider=mesa.prestador_id)
    reader.open(page)
    assert reader.status == 200
    assert not reader.tree().xpath("//main//form[@method='post']")
    token = reader.tree().xpath("//input[@name='csrf_token']/@value")[0]
    for path in ("/prejuridico/expedientes", f"{page}/descartar", "/prejuridico/aportados", "/prejuridico/preparar"):
        reader.raw("POST", path, data={"csrf_token": token, "facturas": mesa.facturas[0]})
        assert reader.status == 403, path


def test_billing_sees_no_dossier_and_an_empty_house_says_what_fills_it(house: House, mesa: Mesa) -> None:
    biller = house.entered("fac@norte.example", Rol.FACTURACION, provider=mesa.prestador_id)
    assert biller.raw("GET", "/prejuridico").status_code == 403
    empty = house.entered("nueva@sur.example", Rol.JURIDICA, provider=house.provider("IPS Nueva"))
    for path, words in (
        ("/prejuridico", "Nada por cobrar"),
        ("/prejuridico/expedientes", "Todavía no hay expedientes"),
        ("/prejuridico/aportados", "Nada aportado todavía"),
    ):
        empty.open(path)
        assert words in empty.text


@pytest.mark.parametrize("roles", [(Rol.FACTURACION,), (Rol.GLOSAS, Rol.CARTERA), (Rol.ADMINISTRACION,)])
def test_the_bytes_of_a_dossier_leave_only_for_who_opens_dossiers(
    house: House, mesa: Mesa, ana: Browser, roles: tuple[Rol, ...]
) -> None:
    order(ana, mesa, mesa.facturas[0])
    finish(house, mesa)
    row = only(house)
    with house.database.write() as session:
        stored = mesa.store.put(io.BytesIO(pdf("expediente entero")))
        (piece,) = seal(
            session, [Kept("expediente-1.pdf", "expediente_pdf", "", stored)], prestador_id=row.prestador_id,
            case_key=row.case_key, group_key="g", origen="importacion", actor="bot:prueba", at=NOW,
        )  # fmt: skip
        address = f"/evidencia/{piece.id}"
    other = house.entered("otra@norte.example", *roles, provider=mesa.prestador_id)
    for path in (address, f"{address}/descargar", f"{address}/texto", f"{address}/pagina/1"):
        for method in ("GET", "HEAD"):
            assert other.raw(method, path).status_code == 403, path
    with house.database.read() as session:
        assert session.scalars(select(AccessLog).where(AccessLog.object == f"evidencia:{piece.id}")).all() == []
    assert ana.raw("GET", f"{address}/descargar").status_code == 200


@pytest.mark.parametrize(("day", "words"), [("9999-12-31", "está en el futuro"), ("0001-01-01", "demasiado antigua")])
@pytest.mark.parametrize("address", ["/prejuridico/expedientes", "/prejuridico/vista-previa"])
def test_no_dossier_and_no_preview_of_a_day_that_cannot_be(
    house: House, mesa: Mesa, ana: Browser, address: str, day: str, words: str
) -> None:
    ana.open(f"/prejuridico/preparar?facturas={mesa.facturas[0]}")
    token = ana.tree().xpath("//form//input[@name='csrf_token']/@value")[0]
    asked = {"csrf_token": token, "facturas": mesa.facturas[0], "via": "ejecutivo", "corte": day}
    ana.raw("POST", address, data=asked)
    assert ana.status == 422
    assert words in ana.text
    with house.database.read() as session:
        assert session.scalars(select(Expediente)).all() == []


def test_the_proof_of_an_invoice_names_what_a_dossier_rests_on(house: House, mesa: Mesa, ana: Browser) -> None:
    order(ana, mesa, mesa.facturas[0])
    finish(house, mesa)
    ana.open(f"/facturas/{mesa.facturas[0]}/prueba")
    assert "huella de sus manifiestos" in ana.text


def test_the_log_calls_acts_and_cases_by_their_words(house: House, mesa: Mesa) -> None:
    with house.database.write() as session:
        for case in ("notificacion:7", "expediente:3"):
            record_reading(
                session, prestador_id=mesa.prestador_id, actor="usuario:1", action="previsualizar",
                purpose="cobro juridico", object_="documento:1", at=NOW, case_key=case, sha256="ab" * 32,
            )  # fmt: skip
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA, provider=mesa.prestador_id)
    auditor.open("/auditoria/accesos")
    assert "Notificación 7" in auditor.text
    assert "Vio antes el PDF de un expediente" in auditor.text
    assert auditor.tree().xpath("//a[@href='/prejuridico/expedientes/3']")
