"""The people of a provider, for who administers it, and the walls to the next provider."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.users.models import Acceso, Rol, Usuario
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House

PEOPLE = "/administracion/usuarios"


def _administrator(house: House, *names: str) -> tuple[Browser, list[int]]:
    providers = [house.provider(name) for name in (names or ("IPS Clínica del Norte",))]
    house.person("ana@norte.example", dict.fromkeys(providers, (Rol.ADMINISTRACION,)), nombre="Ana Restrepo")
    browser = house.browser()
    browser.log_in("ana@norte.example", PASSWORD)
    return browser, providers


def _told(browser: Browser) -> str:
    password: str = browser.tree().xpath("//button[@data-copy]/@data-copy")[0]
    return password


def test_a_new_person_gets_a_password_that_is_told_once(any_house: House) -> None:
    browser, (provider,) = _administrator(any_house)
    browser.open(f"{PEOPLE}/nuevo")
    browser.fill(correo="Luis@norte.example", nombre="Luis  Ossa", prestador=provider, roles=["facturacion", "glosas"])
    assert browser.status == 200
    password = _told(browser)
    detail = browser.path
    assert "No se vuelve a mostrar" in browser.text
    browser.open(detail)
    assert "Contraseña temporal" not in browser.text
    luis = any_house.browser()
    luis.log_in("luis@norte.example", password)
    assert luis.path == "/mi-cuenta/clave"
    luis.fill(actual=password, nueva="una frase que solo luisito", repetida="una frase que solo luisito")
    assert "Luis Ossa" in luis.text
    assert luis.open(PEOPLE).status_code == 403


def test_what_is_wrong_in_the_form_is_said_and_the_rest_kept(house: House) -> None:
    browser, (provider,) = _administrator(house)
    browser.open(f"{PEOPLE}/nuevo")
    browser.fill(correo="esto no es", nombre="Luis Ossa", prestador=provider, roles=["glosas"])
    assert browser.status == 422
    assert "nombre@dominio.co" in browser.text
    assert browser.form().fields["nombre"] == "Luis Ossa"
    assert browser.tree().xpath("//input[@name='roles'][@checked]/@value") == ["glosas"]
    browser.fill(correo="luis@norte.example", roles=[])
    assert "Elija al menos un rol" in browser.text
    link = browser.tree().xpath("//div[@data-focus]//a/@href")[0]
    assert browser.tree().xpath(f"//*[@id='{link[1:]}']"), "the summary leads to the field"
    with house.database.read() as session:
        assert session.scalar(select(Usuario).where(Usuario.nombre == "Luis Ossa")) is None


def test_who_has_an_account_already_keeps_name_and_password(house: House) -> None:
    other = house.provider("IPS del Sur")
    house.person("luis@sur.example", {other: (Rol.CARTERA,)}, nombre="Luis del Sur")
    browser, (provider,) = _administrator(house)
    browser.open(f"{PEOPLE}/nuevo")
    browser.fill(correo="luis@sur.example", nombre="Otro Nombre", prestador=provider, roles=["glosas"])
    assert "ya tenía cuenta" in browser.text
    assert "Luis del Sur" in browser.text
    assert "IPS del Sur" not in browser.text
    assert "Cartera" not in " ".join(browser.tree().xpath("//table//text()")), "other providers' grants stay unseen"
    house.browser().log_in("luis@sur.example", PASSWORD)


def test_an_administrator_sees_and_grants_only_their_own_providers(any_house: House) -> None:
    house = any_house
    other = house.provider("IPS del Sur")
    stranger = house.person("eva@sur.example", {other: (Rol.ADMINISTRACION,)}, nombre="Eva del Sur")
    browser, (provider,) = _administrator(house)
    browser.open(PEOPLE)
    assert "Ana Restrepo" in browser.text
    assert "Eva" not in browser.text
    assert browser.open(f"{PEOPLE}/{stranger}").status_code == 404
    browser.open(f"{PEOPLE}/nuevo")
    assert browser.tree().xpath("//select[@name='prestador']/option/@value") == [str(provider)]
    browser.fill(correo="topo@norte.example", nombre="Topo", prestador=other, roles=["administracion"])
    assert browser.status == 422
    with house.database.read() as session:
        assert session.scalars(select(Acceso.usuario_id).where(Acceso.prestador_id == other)).all() == [stranger]


def test_a_grant_taken_away_holds_from_the_next_click(house: House) -> None:
    browser, (provider,) = _administrator(house)
    luis = house.person("luis@norte.example", {provider: (Rol.ADMINISTRACION, Rol.GLOSAS)}, nombre="Luis Ossa")
    his = house.browser()
    his.log_in("luis@norte.example", PASSWORD)
    assert his.open(PEOPLE).status_code == 200
    browser.open(f"{PEOPLE}/{luis}")
    with house.database.read() as session:
        grants = {one.rol: one.id for one in session.scalars(select(Acceso).where(Acceso.usuario_id == luis))}
    browser.fill(f"{PEOPLE}/{luis}/accesos/{grants[Rol.ADMINISTRACION]}/quitar")
    assert browser.path == f"{PEOPLE}/{luis}"
    assert his.open(PEOPLE).status_code == 403
    browser.fill(f"{PEOPLE}/{luis}/accesos/{grants[Rol.GLOSAS]}/quitar")
    assert browser.path == PEOPLE
    assert "Luis" not in browser.text
    with house.database.read() as session:
        actions = session.scalars(select(AccessLog.action).order_by(AccessLog.seq)).all()
    assert actions.count("retirar_acceso") == 2


def test_the_last_administrator_stays(any_house: House) -> None:
    browser, (provider,) = _administrator(any_house)
    with any_house.database.read() as session:
        grant = session.scalars(select(Acceso).where(Acceso.prestador_id == provider)).one()
    browser.open(f"{PEOPLE}/{grant.usuario_id}")
    browser.fill(f"{PEOPLE}/{grant.usuario_id}/accesos/{grant.id}/quitar")
    assert browser.status == 422
    assert "única persona que administra" in browser.text


def test_more_roles_are_added_to_the_ones_held(house: House) -> None:
    browser, (provider,) = _administrator(house)
    luis = house.person("luis@norte.example", {provider: (Rol.GLOSAS,)})
    for _ in range(2):
        browser.open(f"{PEOPLE}/{luis}")
        browser.fill(f"{PEOPLE}/{luis}/accesos", prestador=provider, roles=["glosas", "cartera"])
    assert "ya tenía esos roles" in browser.text
    with house.database.read() as session:
        held = session.scalars(select(Acceso.rol).where(Acceso.usuario_id == luis)).all()
    assert sorted(held) == [Rol.CARTERA, Rol.GLOSAS]


def test_a_reset_password_ends_the_sessions_and_unlocks(house: House) -> None:
    browser, (provider,) = _administrator(house)
    luis = house.person("luis@norte.example", {provider: (Rol.GLOSAS,)})
    his = house.browser()
    his.log_in("luis@norte.example", PASSWORD)
    browser.open(f"{PEOPLE}/{luis}")
    browser.fill(f"{PEOPLE}/{luis}/clave")
    password = _told(browser)
    his.open("/mi-cuenta")
    assert his.path == "/entrar"
    his.log_in("luis@norte.example", password)
    assert his.path == "/mi-cuenta/clave"


def test_a_switched_off_account_is_out_and_comes_back(house: House) -> None:
    browser, (provider,) = _administrator(house)
    luis = house.person("luis@norte.example", {provider: (Rol.GLOSAS,)})
    his = house.browser()
    his.log_in("luis@norte.example", PASSWORD)
    browser.open(f"{PEOPLE}/{luis}")
    browser.fill(f"{PEOPLE}/{luis}/desactivar")
    assert "Inactiva" in browser.text
    his.open("/mi-cuenta")
    assert his.path == "/entrar"
    his.log_in("luis@norte.example", PASSWORD, expect=False)
    assert his.status == 422
    browser.fill(f"{PEOPLE}/{luis}/activar")
    his.log_in("luis@norte.example", PASSWORD)


@pytest.mark.parametrize("act", ["clave", "desactivar", "segundo-factor/quitar"])
def test_an_account_shared_with_another_provider_is_not_taken_over(house: House, act: str) -> None:
    """Who could reset the password of a shared account could enter the other provider in that person's name."""
    browser, (provider,) = _administrator(house)
    other = house.provider("IPS del Sur")
    luis = house.person("luis@norte.example", {provider: (Rol.GLOSAS,), other: (Rol.CARTERA,)})
    browser.open(f"{PEOPLE}/{luis}")
    assert "Su cuenta no se administra desde aquí" in browser.text
    token = browser.form("/salir").fields["csrf_token"]
    answer = browser.raw("POST", f"{PEOPLE}/{luis}/{act}", data={"csrf_token": token})
    assert answer.status_code == 403
    house.browser().log_in("luis@norte.example", PASSWORD)


def test_nobody_switches_off_their_own_account(house: House) -> None:
    browser, (_provider,) = _administrator(house)
    with house.database.read() as session:
        me = session.scalars(select(Usuario.id)).one()
    browser.open(f"{PEOPLE}/{me}")
    token = browser.form("/salir").fields["csrf_token"]
    assert browser.raw("POST", f"{PEOPLE}/{me}/desactivar", data={"csrf_token": token}).status_code == 422


def test_the_list_follows_the_switch(house: House) -> None:
    browser, (norte, sur) = _administrator(house, "IPS Norte", "IPS Sur")
    house.person("luis@norte.example", {norte: (Rol.GLOSAS,)}, nombre="Luis Ossa")
    house.person("eva@sur.example", {sur: (Rol.GLOSAS,)}, nombre="Eva Peña")
    browser.open(PEOPLE)
    assert "Luis Ossa" in browser.text
    assert "Eva Peña" in browser.text
    browser.switch_provider(sur)
    assert browser.path == PEOPLE
    assert "Luis Ossa" not in browser.text
    assert "Eva Peña" in browser.text
