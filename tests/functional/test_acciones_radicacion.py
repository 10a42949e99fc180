"""The board, ordering, filing by hand and deciding, through real forms."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.custodia.models import Pieza
from radica.custodia.store import FolderStore
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.radicacion.models import Envio
from radica.radicacion.states import EstadoEnvio
from radica.users.models import Rol
from tests import factories
from tests.acciones_seed import import_ready
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House

FILER = (Rol.FACTURACION,)


def pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(out)
    return out.getvalue()


def seed(house: House, provider: int, count: int = 1, **values: Any) -> list[int]:
    """Add ready invoices without documents, for lists, and return their ids."""
    with house.database.write() as session:
        payer = factories.pagador(session)
        rows = []
        for _ in range(count):
            row = factories.factura(session, session.get_one(Prestador, provider), payer, **values)
            row.vence_radicar = (house.clock() + timedelta(days=10)).date()
            rows.append(row.id)
        session.flush()
        return rows


def send(browser: Browser, action: str, files: dict[str, tuple[str, bytes]], **values: Any) -> None:
    """Fill the form in view, attach files and send it as a browser does."""
    data: dict[str, Any] = {**dict(browser.form(action).form_values()), **values}
    for name, (filename, content) in files.items():
        data[name] = (io.BytesIO(content), filename)
    browser.raw("POST", action, data=data, content_type="multipart/form-data", follow_redirects=True)


@pytest.fixture
def by_hand(house: House, tmp_path: Path) -> Callable[..., tuple[Browser, int, int]]:
    """Return who orders one invoice by hand: the browser on the page of its envío, its id and the invoice's."""

    def order() -> tuple[Browser, int, int]:
        (factura,) = import_ready(house.database, FolderStore(house.settings.store), house.clock, tmp_path)
        with house.database.read() as session:
            provider = session.get_one(Factura, factura).prestador_id
        browser = house.entered("ana@norte.example", *FILER, provider=provider)
        browser.open("/radicacion/por-radicar")
        browser.raw(
            "POST",
            "/radicacion/ordenar",
            data={**token(browser), "id": str(factura), "canal": "mano"},
            follow_redirects=True,
        )
        found = re.search(r"/radicacion/envios/(\d+)", browser.path)
        assert found, browser.text
        return browser, int(found[1]), factura

    return order


def token(browser: Browser) -> dict[str, str]:
    """Return the form token of the page in view."""
    return {"csrf_token": browser.tree().xpath("//input[@name='csrf_token']/@value")[0]}


def state(house: House, envio_id: int) -> EstadoEnvio:
    with house.database.read() as session:
        return session.get_one(Envio, envio_id).estado


def test_an_empty_board_says_what_fills_it(house: House) -> None:
    browser = house.entered()
    browser.open("/radicacion")
    assert browser.status == 200
    assert "Todavía no se ha ordenado" in browser.text
    browser.open("/radicacion/por-radicar")
    assert "No hay nada por radicar" in browser.text


def test_filing_by_hand_from_the_list_to_the_number(house: House, by_hand: Any) -> None:
    browser, envio, factura = by_hand()
    assert "ningún bot la tomará" in browser.text
    typed = {"radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "RAD-77"}
    send(browser, f"/radicacion/envios/{envio}/radicada", {"radicada-pruebas": ("acuse.pdf", pdf())}, **typed)
    assert browser.status == 200
    assert "Quedó radicada con número RAD-77, prueba de nivel 3" in browser.text
    with house.database.read() as session:
        row = session.get_one(Factura, factura)
        assert (row.estado, row.radicado, row.nivel_prueba) == (EstadoFactura.RADICADA, "RAD-77", 3)
        assert row.fecha_radicacion.isoformat() == "2026-11-20T14:30:00+00:00"  # type: ignore[union-attr]
        assert session.scalars(select(Pieza)).one().origen == "persona"
    browser.open("/radicacion")
    assert "RAD-77" in browser.text


def test_a_second_click_says_that_it_is_done(house: House, by_hand: Any) -> None:
    browser, envio, _ = by_hand()
    action = f"/radicacion/envios/{envio}/radicada"
    typed = {"radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "RAD-77", "radicada-version": "0"}
    for _ in range(2):
        browser.raw(
            "POST",
            action,
            data={**token(browser), **typed, "radicada-pruebas": (io.BytesIO(pdf()), "a.pdf")},
            content_type="multipart/form-data",
            follow_redirects=True,
        )
    assert browser.status == 200
    assert "ya estaba registrada" in browser.text
    with house.database.read() as session:
        assert len(session.scalars(select(Pieza)).all()) == 1


def test_a_stale_page_changes_nothing(house: House, by_hand: Any) -> None:
    browser, envio, _ = by_hand()
    send(
        browser,
        f"/radicacion/envios/{envio}/rechazada",
        {},
        **{"rechazada-motivo": "Falta la autorización", "rechazada-version": "7"},
    )
    assert browser.status == 409
    assert "ya cambió este caso" in browser.text
    assert state(house, envio) is EstadoEnvio.PREPARADO


@pytest.mark.parametrize(
    ("values", "file", "words"),
    [
        ({"radicada-radicado": ""}, pdf(), "Escriba el número"),
        ({"radicada-fecha": "2026-11-20T23:00"}, pdf(), "está en el futuro"),
        ({"radicada-fecha": "2026-01-18T09:00"}, pdf(), "anterior a la expedición"),
        ({}, None, "Falta la evidencia"),
        ({}, b"MZ\x90\x00\x03", "no sirve como evidencia"),
        ({}, b"%PDF-1.7 esto no es un PDF", "está dañado"),
        ({"radicada-sin_numero": "y"}, pdf(), "deje solo lo que es"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    house: House, by_hand: Any, values: dict[str, str], file: bytes | None, words: str
) -> None:
    browser, envio, _ = by_hand()
    typed = {"radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "RAD-5", "radicada-nota": "por ventanilla"}
    files = {"radicada-pruebas": ("acuse.pdf", file)} if file is not None else {}
    send(browser, f"/radicacion/envios/{envio}/radicada", files, **{**typed, **values})
    assert browser.status == 422
    assert words in browser.text
    assert "por ventanilla" in browser.tree().xpath("//textarea[@name='radicada-nota']")[0].text
    assert state(house, envio) is EstadoEnvio.PREPARADO
    with house.database.read() as session:
        assert session.scalars(select(Pieza)).all() == []


def test_without_number_and_the_number_later(house: House, by_hand: Any) -> None:
    browser, envio, _ = by_hand()
    action = f"/radicacion/envios/{envio}/radicada"
    first = {"radicada-fecha": "2026-11-20T09:30", "radicada-sin_numero": "y"}
    mail = b"From: eps@x.example\r\nDate: Fri, 20 Nov 2026 09:31:00 -0500\r\n\r\nRecibida"
    send(browser, action, {"radicada-pruebas": ("correo.eml", mail)}, **first)
    assert state(house, envio) is EstadoEnvio.RECIBIDO_SIN_NUMERO
    later = {"radicada-fecha": "2026-11-20T09:30", "radicada-radicado": "8-1"}
    send(browser, action, {"radicada-pruebas": ("constancia.pdf", pdf())}, **later)
    assert state(house, envio) is EstadoEnvio.RADICADO


def test_a_refused_invoice_says_the_payers_reason_and_offers_to_correct_it(house: House, by_hand: Any) -> None:
    browser, envio, factura = by_hand()
    send(browser, f"/radicacion/envios/{envio}/rechazada", {}, **{"rechazada-motivo": "Falta la autorización"})
    assert state(house, envio) is EstadoEnvio.RECHAZADO
    assert "Falta la autorización" in browser.text
    assert "será la ronda 2" in browser.text
    browser.open(f"/radicacion/facturas/{factura}/decidir")
    assert "tal como está" in browser.text


def test_a_withdrawn_envio_frees_the_invoice(house: House, by_hand: Any) -> None:
    browser, envio, factura = by_hand()
    send(browser, f"/radicacion/envios/{envio}/retirar", {}, **{"retirar-motivo": "Era de otro pagador"})
    assert state(house, envio) is EstadoEnvio.CANCELADO
    with house.database.read() as session:
        assert session.get_one(Factura, factura).estado is EstadoFactura.LISTA


def test_the_package_is_a_zip_with_the_payers_names_and_its_reading_is_logged(house: House, by_hand: Any) -> None:
    browser, envio, factura = by_hand()
    answer = browser.open(f"/radicacion/envios/{envio}/paquete")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as box, house.database.read() as session:
        number = session.get_one(Factura, factura).numero
        nit = session.get_one(Prestador, session.get_one(Factura, factura).prestador_id).nit
        names = box.namelist()
        assert names[:3] == [f"FEV_{nit}_{number}.xml", f"RIPS_{nit}_{number}.json", f"CUV_{nit}_{number}.json"]
        assert all(name.endswith(".pdf") for name in names[3:])
        assert box.testzip() is None
        lines = session.scalars(select(AccessLog).where(AccessLog.action == "descargar")).all()
        assert {(line.object, line.purpose) for line in lines} == {(f"factura:{factura}", "radicar a mano")}
        assert len(lines) == len(names)


def test_an_order_says_all_that_it_refused_with_every_reason(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    good = seed(house, provider, 2)
    bad = seed(house, provider, 1, estado=EstadoFactura.NO_LISTA)
    browser.open("/radicacion/por-radicar")
    data = {**token(browser), "id": [str(one) for one in good + bad], "canal": "bot"}
    browser.raw("POST", "/radicacion/ordenar", data=data)
    assert browser.status == 200
    assert "Se ordenó radicar 2 facturas" in browser.text
    assert "1 factura no se pudo ordenar" in browser.text
    assert "La factura está «no lista»" in browser.text
    browser.raw("POST", "/radicacion/ordenar", data=data)
    assert "3 facturas no se pudieron ordenar" in browser.text
    with house.database.read() as session:
        assert len(session.scalars(select(Envio)).all()) == 2


def test_all_of_the_filter_takes_only_what_is_ready(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    seed(house, provider, 3)
    seed(house, provider, 2, estado=EstadoFactura.INCOMPLETA)
    browser.open("/radicacion/por-radicar")
    assert "3 facturas están listas" in browser.text
    browser.raw("POST", "/radicacion/ordenar", data={**token(browser), "todas": "1", "canal": "bot"})
    assert "Se ordenó radicar 3 facturas" in browser.text


def test_pages_filters_and_totals_agree(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radica.app.acciones.radicacion.PAGE", 2)
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    seed(house, provider, 5)
    for order in ("vence", "-valor", "expedida"):
        browser.open(f"/radicacion/por-radicar?orden={order}")
        seen: list[str] = []
        for _ in range(5):
            seen += browser.tree().xpath("//table[@data-rows]//tbody/tr/td[2]/a/text()")
            following = browser.tree().xpath("//a[@rel='next']/@href")
            if not following:
                break
            browser.open(following[0])
        assert len(seen) == len(set(seen)) == 5, order
    browser.open("/radicacion/por-radicar?paso=vencida")
    assert "Ninguna factura cumple este filtro" in browser.text
    browser.open("/radicacion/por-radicar?despues=roto&estado=nada&pagador=x&orden=y")
    assert browser.status == 200


def test_a_stranger_of_another_tenant_gets_404_everywhere(house: House, by_hand: Any) -> None:
    _, envio, factura = by_hand()
    other = house.provider("IPS del Sur")
    house.person("eva@sur.example", {other: tuple(Rol)})
    browser = house.browser()
    browser.log_in("eva@sur.example", PASSWORD)
    for path in (f"envios/{envio}", f"envios/{envio}/paquete", f"facturas/{factura}/decidir"):
        assert browser.open(f"/radicacion/{path}").status_code == 404, path
    browser.open("/radicacion")
    own = token(browser)
    posts = {
        f"envios/{envio}/radicada": {"radicada-version": "0"},
        f"envios/{envio}/retirar": {"retirar-version": "0", "retirar-motivo": "x"},
        f"facturas/{factura}/decidir/pedir": {"pedir-version": "0", "pedir-motivo": "x"},
        "ordenar": {"id": str(factura)},
    }
    for path, values in posts.items():
        assert browser.raw("POST", f"/radicacion/{path}", data={**own, **values}).status_code == 404, path
    assert state(house, envio) is EstadoEnvio.PREPARADO
    browser.open("/radicacion")
    assert "Todavía no se ha ordenado" in browser.text


def test_who_only_reads_sees_but_does_not_act(house: House, by_hand: Any) -> None:
    _, envio, factura = by_hand()
    with house.database.read() as session:
        provider = session.get_one(Factura, factura).prestador_id
    house.person("luis@norte.example", {provider: (Rol.AUDITORIA,)})
    browser = house.browser()
    browser.log_in("luis@norte.example", PASSWORD)
    browser.open(f"/radicacion/envios/{envio}")
    assert browser.status == 200
    assert "es de los roles Facturación y Administración" in browser.text
    data = {**token(browser), "retirar-version": "0", "retirar-motivo": "x"}
    assert browser.raw("POST", f"/radicacion/envios/{envio}/retirar", data=data).status_code == 403
    assert browser.open(f"/radicacion/envios/{envio}/paquete").status_code == 403


def test_a_lapsed_invoice_needs_the_role_and_a_reason(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    (factura,) = seed(house, provider)
    with house.database.write() as session:
        session.get_one(Factura, factura).vence_radicar = date(2026, 11, 2)
    browser.open("/radicacion/por-radicar")
    assert "vencida hace" in browser.text
    assert "Decidir: vencida" in browser.text
    browser.open(f"/radicacion/facturas/{factura}/decidir")
    assert "Esto lo decide Dirección o Administración" in browser.text
    data = {**token(browser), "tarde-version": "0", "tarde-motivo": "El portal estuvo caído"}
    assert browser.raw("POST", f"/radicacion/facturas/{factura}/decidir/tarde", data=data).status_code == 403


def test_annul_asks_for_the_credit_note(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    (factura,) = seed(house, provider)
    browser.open(f"/radicacion/facturas/{factura}/decidir")
    send(browser, f"/radicacion/facturas/{factura}/decidir/pedir", {}, **{"pedir-motivo": "Se venció"})
    assert browser.status == 200, browser.text
    assert "Por anular" in browser.text
    action = f"/radicacion/facturas/{factura}/decidir/anulada"
    send(browser, action, {}, **{"anulada-nota_credito": "NC-9"})
    assert browser.status == 422
    assert "Falta la nota crédito" in browser.text
    browser.open(f"/radicacion/facturas/{factura}/decidir")
    send(browser, action, {"anulada-archivo": ("nc.xml", b"<CreditNote/>")}, **{"anulada-nota_credito": "NC-9"})
    with house.database.read() as session:
        assert session.get_one(Factura, factura).estado is EstadoFactura.ANULADA
        assert session.scalars(select(Pieza)).one().nota == "Nota crédito NC-9"
