"""What a person decides, through the real forms and on both databases: an outcome in doubt, a lapsed or refused invoice."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import uuid4

from PIL import Image
from sqlalchemy import select

from bots import contract
from radica.app.demo.catalog import P2
from radica.app.filing.run import apply_sealed
from radica.app.house import House as Hands
from radica.audit.models import Transition
from radica.custodia.models import Pieza
from radica.custodia.store import FolderStore
from radica.facturas.models import Factura, Hallazgo
from radica.facturas.review import review
from radica.facturas.states import EstadoFactura
from radica.jobs.models import Job, JobState
from radica.jobs.queue import claim_next
from radica.portales.credentials import open_vault
from radica.portales.services import create_account
from radica.radicacion.attempts import begin_attempt, record_intent
from radica.radicacion.models import Envio, Intento
from radica.radicacion.services import KIND_FILE, order_filings
from radica.radicacion.settle import record_fence
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea, Rol, Tarea
from tests.acciones_seed import import_ready
from tests.functional.navigators import Browser
from tests.functional.test_acciones_radicacion import FILER, pdf, seed, send, token
from tests.plugins.web import House

BOT = contract.Bot("prueba", "1", "1")
WHY = "Lo confirmó el área de cuentas médicas"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "#ffffff").save(out, format="JPEG")
    return out.getvalue()


def in_doubt(house: House, folder: Path, *, fenced: bool) -> tuple[Browser, int, int]:
    """Leave one invoice's attempt in doubt: sent by a bot that says no more. Returns browser, envío and invoice."""
    (factura,) = import_ready(house.database, FolderStore(house.settings.store), house.clock, folder)
    hands = Hands(
        house.settings, house.database, FolderStore(house.settings.store), open_vault(house.settings.keys),
        house.clock, "prueba", "prueba:1", environ={},
    )  # fmt: skip
    with house.database.write() as session:
        row = session.get_one(Factura, factura)
        assert row.pagador_id is not None
        provider = row.prestador_id
        create_account(
            session, hands.vault, prestador_id=provider, pagador_id=row.pagador_id, arquetipo=P2,
            base_url="http://127.0.0.1:9", usuario="u", clave="clave-de-prueba",
        )  # fmt: skip
        ordered = order_filings(session, [factura], prestador_ids=[provider], actor="usuario:1", at=house.clock())
        envio = ordered.envios[0].id
    claimed = claim_next(house.database, "w", hands.host, 60, [KIND_FILE])
    assert claimed is not None
    with house.database.write(durable=True) as session:
        attempt = begin_attempt(
            session, claimed, host=hands.host, folder_root=str(house.settings.attempts), marker=uuid4().hex,
            at=house.clock(),
        )  # fmt: skip
        assert attempt is not None
        record_intent(
            session, claimed, attempt.id, intent_id=uuid4().hex, limit_s=60, actor="bot:w", at=house.clock()
        )  # fmt: skip
    said = contract.Result(
        contract.Operation.RADICAR, contract.Outcome.UNKNOWN, BOT, code="sin_respuesta", message="No respondió."
    )
    apply_sealed(hands, claimed, attempt.id, said, [], [])
    if fenced:
        with house.database.write() as session:
            assert record_fence(session, attempt.id, at=house.clock())
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    browser.open(f"/radicacion/envios/{envio}")
    assert browser.status == 200, browser.text
    assert "no se envía otra vez hasta saberlo" in browser.text
    return browser, envio, factura


def facts(house: House, envio: int, factura: int) -> tuple[EstadoEnvio, EstadoFactura, EstadoIntento, int]:
    """Return the states of envío, invoice and last attempt, and how many filing jobs are waiting."""
    with house.database.read() as session:
        attempt = session.scalars(select(Intento).where(Intento.envio_id == envio).order_by(Intento.id.desc())).first()
        ready = session.scalars(select(Job.id).where(Job.kind == KIND_FILE, Job.state == JobState.READY)).all()
        assert attempt is not None
        return (
            session.get_one(Envio, envio).estado,
            session.get_one(Factura, factura).estado,
            attempt.estado,
            len(ready),
        )


def test_in_doubt_and_found_by_a_person(any_house: House, tmp_path: Path) -> None:
    browser, envio, factura = in_doubt(any_house, tmp_path, fenced=True)
    typed = {"radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "RAD-9"}
    send(browser, f"/radicacion/envios/{envio}/radicada", {"radicada-pruebas": ("acuse.pdf", pdf())}, **typed)
    assert "Quedó radicada con número RAD-9, prueba de nivel 3" in browser.text
    assert facts(any_house, envio, factura) == (
        EstadoEnvio.RADICADO, EstadoFactura.RADICADA, EstadoIntento.HALLADO, 0,
    )  # fmt: skip
    browser.open("/radicacion")
    assert "Por confirmar" not in browser.tree().xpath("//table//text()")


def test_in_doubt_and_absent_needs_evidence_and_a_fence(any_house: House, tmp_path: Path) -> None:
    browser, envio, factura = in_doubt(any_house, tmp_path, fenced=False)
    action = f"/radicacion/envios/{envio}/ausente"
    before = facts(any_house, envio, factura)
    send(browser, action, {}, **{"ausente-motivo": WHY})
    assert (browser.status, "Falta el motivo o la evidencia" in browser.text) == (422, True)
    browser.open(f"/radicacion/envios/{envio}")
    send(browser, action, {"ausente-pruebas": ("pantalla.jpg", picture())}, **{"ausente-motivo": WHY})
    assert browser.status >= 400, "a process of the bot may still live"
    assert facts(any_house, envio, factura) == before
    with any_house.database.read() as session:
        assert session.scalars(select(Pieza)).all() == []
    browser.open(f"/radicacion/envios/{envio}")
    files = {"ausente-pruebas": ("pantalla.jpg", picture())}
    send(browser, action, files, **{"ausente-motivo": WHY, "ausente-host_apagado": "y"})
    assert "se enviará de nuevo" in browser.text
    assert facts(any_house, envio, factura) == (
        EstadoEnvio.PREPARADO, EstadoFactura.EN_RADICACION, EstadoIntento.AUSENTE, 1,
    )  # fmt: skip


def test_in_doubt_and_absent_with_a_fence_is_sent_again_once(any_house: House, tmp_path: Path) -> None:
    browser, envio, factura = in_doubt(any_house, tmp_path, fenced=True)
    action = f"/radicacion/envios/{envio}/ausente"
    stale = {**token(browser), "ausente-version": browser.form(action).fields["ausente-version"]}
    files = {"ausente-pruebas": ("pantalla.jpg", picture())}
    send(browser, action, files, **{"ausente-motivo": WHY})
    assert facts(any_house, envio, factura)[3] == 1
    again = {**stale, "ausente-motivo": WHY, "ausente-pruebas": (io.BytesIO(picture()), "p.jpg")}
    browser.raw("POST", action, data=again, content_type="multipart/form-data")
    assert browser.status == 409
    assert facts(any_house, envio, factura)[3] == 1, "a double click sends once"


def test_in_doubt_and_rejected_frees_the_invoice(any_house: House, tmp_path: Path) -> None:
    browser, envio, factura = in_doubt(any_house, tmp_path, fenced=True)
    send(browser, f"/radicacion/envios/{envio}/rechazada", {}, **{"rechazada-motivo": "El contrato no está vigente"})
    assert browser.status == 200, browser.text
    assert "El contrato no está vigente" in browser.text
    assert facts(any_house, envio, factura) == (
        EstadoEnvio.RECHAZADO, EstadoFactura.NO_LISTA, EstadoIntento.TERMINADO, 0,
    )  # fmt: skip
    decide = f"/radicacion/facturas/{factura}/decidir"
    browser.open(decide)
    send(browser, f"{decide}/tal-cual", {}, **{"tal-cual-motivo": "El pagador se equivocó"})
    assert "Se revisó de nuevo tal como está" in browser.text
    with any_house.database.read() as session:
        assert session.get_one(Factura, factura).estado is EstadoFactura.LISTA
        assert "El pagador se equivocó" in session.scalars(select(Transition.note)).all()


def test_an_envio_in_doubt_cannot_be_withdrawn(any_house: House, tmp_path: Path) -> None:
    browser, envio, factura = in_doubt(any_house, tmp_path, fenced=True)
    before = facts(any_house, envio, factura)
    action = f"/radicacion/envios/{envio}/retirar"
    version = browser.form(f"/radicacion/envios/{envio}/radicada").fields["radicada-version"]
    data = {**token(browser), "retirar-motivo": "x", "retirar-version": version}
    assert browser.raw("POST", action, data=data).status_code == 409
    assert facts(any_house, envio, factura) == before


def lapsed(house: House, folder: Path) -> tuple[int, int]:
    """Return provider and invoice of a whole package whose term to file lapsed."""
    (factura,) = import_ready(house.database, FolderStore(house.settings.store), house.clock, folder)
    house.clock.forward(days=90)
    with house.database.write() as session:
        review(session, [factura], actor="reloj", at=house.clock())
        row = session.get_one(Factura, factura)
        assert row.estado is EstadoFactura.NO_LISTA
        return row.prestador_id, factura


def enter(house: House, correo: str, provider: int, *roles: Rol) -> Browser:
    return house.entered(correo, *roles, provider=provider)


def test_direccion_lets_a_lapsed_invoice_be_filed_with_a_reason(any_house: House, tmp_path: Path) -> None:
    provider, factura = lapsed(any_house, tmp_path)
    browser = enter(any_house, "dir@norte.example", provider, Rol.DIRECCION)
    decide = f"/radicacion/facturas/{factura}/decidir"
    browser.open(decide)
    send(browser, f"{decide}/tarde", {}, **{"tarde-motivo": ""})
    assert browser.status == 422
    browser.open(decide)
    send(browser, f"{decide}/tarde", {}, **{"tarde-motivo": "El portal estuvo caído"})
    assert "autorizada para radicarse fuera de término" in browser.text
    with any_house.database.read() as session:
        row = session.get_one(Factura, factura)
        assert (row.estado, row.extemporanea_motivo) == (EstadoFactura.LISTA, "El portal estuvo caído")
        assert row.extemporanea_por is not None
        assert row.extemporanea_por.startswith("usuario:")
    assert (
        browser.raw(
            "POST", "/radicacion/ordenar", data={**token(browser), "id": str(factura), "canal": "mano"}
        ).status_code
        == 403
    ), "who lets it be filed late does not thereby file it"
    biller = enter(any_house, "ana@norte.example", provider, Rol.FACTURACION)
    biller.open("/radicacion/por-radicar")
    data = {**token(biller), "id": str(factura), "canal": "mano"}
    biller.raw("POST", "/radicacion/ordenar", data=data, follow_redirects=True)
    assert "ningún bot la tomará" in biller.text


def test_annul_withdraw_and_annul_with_the_credit_note(any_house: House, tmp_path: Path) -> None:
    provider, factura = lapsed(any_house, tmp_path)
    browser = enter(any_house, "ana@norte.example", provider, Rol.FACTURACION)
    decide = f"/radicacion/facturas/{factura}/decidir"

    def state() -> tuple[EstadoFactura, list[ClaseTarea]]:
        with any_house.database.read() as session:
            tasks = session.scalars(select(Tarea.clase).where(Tarea.cerrada_at.is_(None))).all()
            return session.get_one(Factura, factura).estado, list(tasks)

    browser.open(decide)
    send(browser, f"{decide}/pedir", {}, **{"pedir-motivo": "Se venció"})
    assert state() == (EstadoFactura.POR_ANULAR, [ClaseTarea.ANULAR_Y_REEXPEDIR])
    browser.open(decide)
    old = browser.form(f"{decide}/anulada").fields["anulada-version"]
    send(browser, f"{decide}/desistir", {}, **{"desistir-motivo": "Dirección la va a radicar"})
    assert "Ya no está por anular" in browser.text
    assert state() == (EstadoFactura.NO_LISTA, [])
    stale = {**token(browser), "anulada-version": old, "anulada-nota_credito": "NC-1"}
    stale |= {"anulada-archivo": (io.BytesIO(b"<CreditNote/>"), "nc.xml")}
    browser.raw("POST", f"{decide}/anulada", data=stale, content_type="multipart/form-data")
    assert browser.status == 409
    assert state() == (EstadoFactura.NO_LISTA, [])
    browser.open(decide)
    send(browser, f"{decide}/pedir", {}, **{"pedir-motivo": "Se venció de verdad"})
    browser.open(decide)
    files = {"anulada-archivo": ("nc.xml", b"<CreditNote/>")}
    send(browser, f"{decide}/anulada", files, **{"anulada-nota_credito": "NC-1"})
    assert state() == (EstadoFactura.ANULADA, [])


def test_a_refused_invoice_that_nobody_refused_cannot_go_as_it_is(any_house: House, tmp_path: Path) -> None:
    provider, factura = lapsed(any_house, tmp_path)
    browser = enter(any_house, "ana@norte.example", provider, Rol.FACTURACION)
    decide = f"/radicacion/facturas/{factura}/decidir"
    browser.open(decide)
    with any_house.database.read() as session:
        version = session.get_one(Factura, factura).version
        found = session.scalars(select(Hallazgo.codigo)).all()
    data = {**token(browser), "tal-cual-motivo": "x", "tal-cual-version": version}
    browser.raw("POST", f"{decide}/tal-cual", data=data)
    assert browser.status >= 400, browser.text
    with any_house.database.read() as session:
        row = session.get_one(Factura, factura)
        assert (row.estado, row.version) == (EstadoFactura.NO_LISTA, version)
        assert session.scalars(select(Hallazgo.codigo)).all() == found


def test_two_people_decide_at_once_and_one_is_told(any_house: House) -> None:
    provider = any_house.provider()
    (factura,) = seed(any_house, provider)
    decide = f"/radicacion/facturas/{factura}/decidir"
    people = [enter(any_house, f"p{n}@norte.example", provider, Rol.FACTURACION) for n in (1, 2)]
    for one in people:
        one.open(decide)
    send(people[0], f"{decide}/pedir", {}, **{"pedir-motivo": "uno"})
    send(people[1], f"{decide}/pedir", {}, **{"pedir-motivo": "dos"})
    assert people[1].status == 409
    assert "ya cambió este caso" in people[1].text
    with any_house.database.read() as session:
        assert session.scalars(select(Tarea.detalle)).all() == ["uno"]


def test_nobody_authorises_a_delay_before_there_is_one(any_house: House) -> None:
    provider = any_house.provider()
    (factura,) = seed(any_house, provider)
    browser = enter(any_house, "dir@norte.example", provider, Rol.DIRECCION)
    decide = f"/radicacion/facturas/{factura}/decidir"
    browser.open(decide)
    data = {**token(browser), "tarde-motivo": "por si acaso", "tarde-version": "0"}
    assert browser.raw("POST", f"{decide}/tarde", data=data).status_code == 409
    with any_house.database.read() as session:
        assert session.get_one(Factura, factura).extemporanea_por is None
