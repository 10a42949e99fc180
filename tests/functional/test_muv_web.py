"""Screens of the validator of MinSalud: the account, its try-out, its switch, and the button of an invoice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bots.simulador.muv import Handle, start
from radica.app.paginas.muv import NOMBRES
from radica.audit.models import AccessLog
from radica.custodia.backends import open_store
from radica.facturas.intake import import_paths
from radica.facturas.models import Factura, Hallazgo
from radica.facturas.muv.cuentas import guardar_cuenta, prender
from radica.facturas.muv.envios import KIND, Resultado
from radica.facturas.tray import operator_scope
from radica.facturas.validacion_models import CuentaMuv, EnvioMuv
from radica.jobs.models import Job
from radica.portales.credentials import open_vault
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.plugins.validating_muv import built_packages, paths_of
from tests.plugins.web import PASSWORD, House

SECRET = "Canario-5518qW"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handle]:
    with start(tmp_path_factory.mktemp("muv")) as running:
        running.configure(accounts=[{"tipo": "CC", "numero": "1000001", "clave": SECRET}])
        yield running


@pytest.fixture
def admin(house: House) -> tuple[Browser, int]:
    provider = house.provider()
    return house.entered("ana@norte.example", Rol.ADMINISTRACION, provider=provider), provider


def write(browser: Browser, provider: int, server: Handle, **changes: str) -> str:
    address = f"/portales/muv/{provider}"
    browser.open(address)
    values = {"url": server.url, "numero": "1000001", "clave": SECRET, "certificado": server.certificate, **changes}
    browser.fill(f"{address}/guardar", **values)
    return address


def account(house: House) -> CuentaMuv:
    with house.database.read() as session:
        return session.scalars(select(CuentaMuv)).one()


def test_an_account_is_off_until_switched_on_and_its_secret_never_comes_out(
    house: House, admin: tuple[Browser, int], server: Handle, log_lines: list[str]
) -> None:
    browser, provider = admin
    assert "sin cuenta" in _text(browser, "/portales/muv")
    address = write(browser, provider, server)
    assert browser.status == 200
    row = account(house)
    assert not row.activa
    assert SECRET in open_vault(house.settings.keys).decrypt(row.credencial_cifrada)
    for path in ("/portales/muv", address):
        page = browser.open(path).get_data(as_text=True)
        assert SECRET not in page
        assert "1000001" not in page
    browser.fill(f"{address}/activa/1")
    assert account(house).activa
    assert "prendido" in _text(browser, "/portales/muv")
    browser.open(address)
    browser.fill(f"{address}/activa/0")
    assert not account(house).activa
    with house.database.read() as session:
        acts = list(session.scalars(select(AccessLog.action).order_by(AccessLog.id)))
    assert acts[-3:] == ["cambiar_cuenta_muv", "prender_muv", "apagar_muv"]
    assert not [line for line in log_lines if SECRET in line]


def test_it_is_tried_and_says_what_is_wrong(house: House, admin: tuple[Browser, int], server: Handle) -> None:
    browser, provider = admin
    address = write(browser, provider, server)
    browser.fill(f"{address}/probar")
    assert "aceptó el usuario" in browser.text
    assert "EnvironmentName: DockerTest" in browser.text
    write(browser, provider, server, clave="otra")
    browser.fill(f"{address}/probar")
    assert "no aceptó el usuario o la clave" in browser.text
    assert server.book.received == []


def test_a_self_signed_certificate_is_pinned_by_its_fingerprint(
    house: House, admin: tuple[Browser, int], server: Handle
) -> None:
    browser, provider = admin
    address = write(browser, provider, server, certificado="")
    logins = server.state.logins
    browser.fill(f"{address}/probar")
    assert "Huella SHA-256" in browser.text
    assert server.state.logins == logins  # nothing of the account left before the certificate held
    browser.fill(f"{address}/certificado")
    assert account(house).certificado_pem == server.certificate.strip()
    browser.fill(f"{address}/probar")
    assert "aceptó el usuario" in browser.text
    browser.open(address)
    browser.fill(f"{address}/guardar", certificado=server.certificate.replace("\n", "\r\n"), tipo_usuario="PIE")
    assert (browser.status, account(house).tipo_usuario) == (200, "PIE")  # the same one, as a browser writes its lines
    browser.raw("POST", f"{address}/certificado", data={"csrf_token": _token(browser), "huella": "0" * 64})
    assert browser.status == 422
    assert account(house).certificado_pem == server.certificate.strip()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://muv.example/api"}, "https://"),
        ({"url": "https://uno:dos@muv.example/api"}, "https://"),
        ({"clave": ""}, "clave de SISPRO"),
        ({"certificado": "no soy un certificado"}, "formato PEM"),
    ],
)
def test_what_is_wrong_is_said(
    house: House, admin: tuple[Browser, int], server: Handle, changes: dict[str, str], words: str
) -> None:
    browser, provider = admin
    write(browser, provider, server, **changes)
    assert browser.status == 422
    assert words in browser.text
    with house.database.read() as session:
        assert session.scalars(select(CuentaMuv)).all() == []


def test_a_new_address_asks_for_the_password_again(house: House, admin: tuple[Browser, int], server: Handle) -> None:
    browser, provider = admin
    write(browser, provider, server)
    write(browser, provider, server, clave="", numero="", url="https://otra.example/api")
    assert browser.status == 422
    assert "escribir de nuevo la clave" in browser.text
    assert account(house).url == server.url
    write(browser, provider, server, clave="", numero="", tipo_usuario="PIN")
    assert (browser.status, account(house).tipo_usuario) == (200, "PIN")
    assert SECRET in open_vault(house.settings.keys).decrypt(account(house).credencial_cifrada)


def test_only_administration_sees_the_account_and_strangers_nothing(
    house: House, admin: tuple[Browser, int], server: Handle
) -> None:
    browser, provider = admin
    address = write(browser, provider, server)
    house.person("luis@norte.example", {provider: (Rol.FACTURACION,)})
    clerk = house.browser()
    clerk.log_in("luis@norte.example", PASSWORD)
    assert clerk.open(address).status_code == 403
    house.person("eva@sur.example", {house.provider("IPS del Sur"): tuple(Rol)})
    stranger = house.browser()
    stranger.log_in("eva@sur.example", PASSWORD)
    assert stranger.open(address).status_code == 404
    assert "Norte" not in _text(stranger, "/portales/muv")
    stranger.open("/portales/muv")
    for act in ("/guardar", "/probar", "/certificado", "/activa/1"):
        assert stranger.raw("POST", address + act, data={"csrf_token": _token(stranger)}).status_code == 404
    assert not account(house).activa


def _invoice(house: House, folder: Path) -> Factura:
    """Load a package without its CUV, as an upload would."""
    paths = paths_of(built_packages(1)[0], folder / "paquete")
    import_paths(
        house.database, open_store(house.settings), paths, operator_scope("prueba"), clock=house.clock,
        workdir=house.settings.incoming,
    )  # fmt: skip
    with house.database.write() as session:
        session.execute(delete(Hallazgo))
        row = session.scalars(select(Factura)).one()
        session.expunge(row)
        return row


def test_the_button_orders_once_and_only_while_it_is_on(house: House, server: Handle, tmp_path: Path) -> None:
    invoice = _invoice(house, tmp_path)
    provider, page = invoice.prestador_id, f"/facturas/{invoice.id}"
    browser = house.entered("ana@norte.example", Rol.FACTURACION, provider=provider)
    browser.open(page)
    token = _token(browser)
    browser.raw("POST", f"{page}/muv", data={"csrf_token": token})
    assert browser.status == 422
    assert "apagado" in browser.text
    with house.database.write() as session:
        row = guardar_cuenta(
            session, open_vault(house.settings.keys), prestador_id=provider, url=server.url, tipo_usuario="RE",
            tipo_documento="CC", numero="1000001", clave=SECRET, certificado_pem=server.certificate, actor="prueba",
            at=house.clock(),
        )  # fmt: skip
        prender(session, row, activa=True, actor="prueba", at=house.clock())
    browser.open(page)
    assert "Validar con MinSalud" in browser.text
    for _ in range(2):
        browser.raw("POST", f"{page}/muv", data={"csrf_token": token})
        assert browser.status == 303
    with house.database.read() as session:
        assert len(session.scalars(select(EnvioMuv)).all()) == 1
        assert len(session.scalars(select(Job).where(Job.kind == KIND)).all()) == 1
    assert "Validar con MinSalud" not in _text(browser, page)
    assert "se está validando" in browser.text
    assert server.book.received == []


def test_every_result_has_words() -> None:
    assert set(NOMBRES) == set(Resultado)


def _text(browser: Browser, path: str) -> str:
    browser.open(path)
    return browser.text


def _token(browser: Browser) -> str:
    return str(browser.tree().xpath("//input[@name='csrf_token']/@value")[0])
