"""Accounts at portals: who may, what is refused, and that the password never comes out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.entidades.models import EstadoPrestador, Prestador
from radica.jobs.models import Lane
from radica.kernel.errors import BadInput
from radica.portales.credentials import open_vault
from radica.portales.models import CuentaPortal, EventoPortal
from radica.portales.services import create_account, safe_address
from radica.users.models import Rol
from tests import factories
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House

SECRET = "Canario-9917xZ"


def add(house: House, browser: Browser, provider: int, **changes: str) -> None:
    """Fill the form of a new account."""
    with house.database.write() as session:
        payer = factories.pagador(session).id
    browser.open("/portales/nueva")
    values = {
        "prestador": str(provider),
        "pagador": str(payer),
        "arquetipo": "p2_cuentas_medicas",
        "base_url": "https://eps.example/portal",
        "usuario": "ips1",
        "clave": SECRET,
    }
    browser.fill(**{**values, **changes})


@pytest.fixture
def admin(house: House) -> tuple[Browser, int]:
    provider = house.provider()
    return house.entered("ana@norte.example", Rol.ADMINISTRACION, provider=provider), provider


def test_an_account_is_added_and_its_password_never_comes_out(
    house: House, admin: tuple[Browser, int], log_lines: list[str]
) -> None:
    browser, provider = admin
    add(house, browser, provider)
    assert browser.status == 200
    assert "disponible" in browser.text
    with house.database.read() as session:
        row = session.scalars(select(CuentaPortal)).one()
        assert open_vault(house.settings.keys).decrypt(row.clave_cifrada) == SECRET
        assert SECRET.encode() not in row.clave_cifrada
    for path in ("/portales", f"/portales/{row.id}", "/portales/resumen"):
        assert SECRET not in browser.open(path).get_data(as_text=True)
    assert not [line for line in log_lines if SECRET in line]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_url": "http://eps.example"}, "https://"),
        ({"base_url": "http://127.0.0.1.malo.example"}, "https://"),
        ({"base_url": "https://usuario:clave@eps.example"}, "https://"),
        ({"clave": ""}, "Escriba la clave"),
        ({"max_facturas": "0"}, "Entre 1 y 500"),
    ],
)
def test_what_is_wrong_is_said(house: House, admin: tuple[Browser, int], changes: dict[str, str], words: str) -> None:
    browser, provider = admin
    add(house, browser, provider, **changes)
    assert browser.status == 422
    assert words in browser.text
    assert SECRET not in browser.page.get_data(as_text=True)  # type: ignore[union-attr]
    with house.database.read() as session:
        assert session.scalars(select(CuentaPortal)).all() == []


def test_pausing_needs_a_reason_and_everything_is_written_down(house: House, admin: tuple[Browser, int]) -> None:
    browser, provider = admin
    add(house, browser, provider)
    address = browser.path
    browser.fill(f"{address}/pausar", **{"pausa-motivo": ""})
    assert browser.status == 422
    browser.open(address)
    browser.fill(f"{address}/pausar", **{"pausa-motivo": "Cambió la página"})
    assert "En pausa: Cambió la página" in browser.text
    browser.open(address)
    browser.fill(f"{address}/reanudar")
    browser.open(address)
    browser.fill(f"{address}/clave", **{"clave-clave": "Otra-clave-1"})
    assert "quedó cambiada" in browser.text
    with house.database.read() as session:
        assert not session.scalars(select(Lane)).one().paused
        kinds = [one.clase for one in session.scalars(select(EventoPortal).order_by(EventoPortal.id))]
        assert kinds == ["creada", "pausa", "reanuda", "clave"]
        assert "Otra-clave-1" not in str([one.detalle for one in session.scalars(select(EventoPortal))])


def test_others_see_but_do_not_touch_and_strangers_see_nothing(house: House, admin: tuple[Browser, int]) -> None:
    browser, provider = admin
    add(house, browser, provider)
    address = browser.path
    house.person("luis@norte.example", {provider: (Rol.FACTURACION,)})
    reader = house.browser()
    reader.log_in("luis@norte.example", PASSWORD)
    assert reader.open(address).status_code == 200
    assert "Cambiar la clave" not in reader.text
    own = {"csrf_token": reader.tree().xpath("//input[@name='csrf_token']/@value")[0]}
    assert reader.raw("POST", f"{address}/reanudar", data=own).status_code == 403
    house.person("eva@sur.example", {house.provider("IPS del Sur"): tuple(Rol)})
    stranger = house.browser()
    stranger.log_in("eva@sur.example", PASSWORD)
    assert "Ningún portal tiene bot" in _text(stranger, "/portales")
    assert stranger.open(address).status_code == 404
    stranger.open("/portales")
    own = {"csrf_token": stranger.tree().xpath("//input[@name='csrf_token']/@value")[0]}
    for act in ("clave", "pausar", "reanudar", "activa/0"):
        assert stranger.raw("POST", f"{address}/{act}", data=own).status_code == 404


def _text(browser: Browser, path: str) -> str:
    browser.open(path)
    return browser.text


def test_a_provider_that_only_appeared_is_confirmed_by_who_administers_it(house: House) -> None:
    provider = house.provider("IPS por confirmar")
    with house.database.write() as session:
        session.get_one(Prestador, provider).estado = EstadoPrestador.POR_CONFIRMAR
    browser = house.entered("ana@norte.example", Rol.ADMINISTRACION, provider=provider)
    browser.open("/portales")
    assert "Prestadores por confirmar" in browser.text
    add(house, browser, provider)
    assert "por confirmar" in browser.text
    browser.open("/portales")
    browser.fill(f"/portales/prestadores/{provider}/confirmar")
    with house.database.read() as session:
        assert session.get_one(Prestador, provider).estado is EstadoPrestador.ACTIVO


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://eps.example", True),
        ("https://eps.example:8443/x", True),
        ("http://127.0.0.1:9001", True),
        ("http://localhost:9001/portal", True),
        ("http://[::1]:9001", True),
        ("http://eps.example", False),
        ("http://127.0.0.1@malo.example", False),
        ("https://", False),
        ("ftp://eps.example", False),
        ("https://eps.example:puerto", False),
        ("javascript:alert(1)", False),
        ("http://127.0.0.1.evil", False),
        ("http://localhost.evil:80/", False),
        ("https://eps.example\\@evil", False),
    ],
)
def test_an_address_is_encrypted_or_of_this_machine(text: str, good: bool) -> None:
    assert safe_address(text) is good


def test_the_service_itself_refuses_an_address_of_another_machine(house: House) -> None:
    provider = house.provider()
    with house.database.write() as session:
        payer = factories.pagador(session).id
        with pytest.raises(BadInput, match="https://"):
            create_account(
                session,
                open_vault(house.settings.keys),
                prestador_id=provider,
                pagador_id=payer,
                arquetipo="p2_cuentas_medicas",
                base_url="http://127.0.0.1.evil",
                usuario="u",
                clave=SECRET,
            )
        assert session.scalars(select(CuentaPortal)).all() == []
