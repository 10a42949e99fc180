"""Entering and leaving as a person does it: lockout, expiry, second factor, one's own password, the switch."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import select

from radica.audit.models import AccessLog
from radica.users.models import Rol, Sesion, Usuario
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House

HOME = {"/", "/hoy"}
REFUSED = "El correo o la contraseña no corresponden"
NEW = "otra frase bien larga y distinta"


def _ana(house: House, *roles: Rol) -> Browser:
    house.person("ana@norte.example", {house.provider(): roles or (Rol.FACTURACION,)}, nombre="Ana Restrepo")
    return house.browser()


def _user(house: House, correo: str = "ana@norte.example") -> Usuario:
    with house.database.read() as session:
        return session.scalars(select(Usuario).where(Usuario.correo == correo)).one()


def test_a_person_enters_and_comes_to_where_they_were_going(any_house: House) -> None:
    browser = _ana(any_house)
    browser.open("/mi-cuenta?de=prueba")
    browser.log_in("ANA@norte.example ", PASSWORD)
    assert browser.path == "/mi-cuenta"
    assert "Ana Restrepo" in browser.text


def test_a_foreign_address_is_not_returned_to(house: House) -> None:
    browser = _ana(house)
    browser.open("/entrar?next=//malo.example/robo")
    browser.log_in("ana@norte.example", PASSWORD)
    assert browser.path in HOME


@pytest.mark.parametrize("correo", ["ana@norte.example", "nadie@norte.example"])
def test_a_wrong_password_and_an_unknown_person_read_the_same(house: House, correo: str) -> None:
    browser = _ana(house)
    browser.log_in(correo, "no es esta frase", expect=False)
    assert browser.status == 422
    assert REFUSED in browser.text
    assert browser.form("/entrar").fields["correo"] == correo, "what was typed is still there"
    assert browser.form("/entrar").fields["clave"] in (None, ""), "but never the password"


def test_five_failures_lock_for_longer_and_longer(any_house: House) -> None:
    house = any_house
    browser = _ana(house)
    for _ in range(4):
        browser.log_in("ana@norte.example", "no es esta frase", expect=False)
    assert _user(house).bloqueado_hasta is None
    browser.log_in("ana@norte.example", "no es esta frase", expect=False)
    locked = _user(house).bloqueado_hasta
    assert locked is not None
    assert (locked - house.clock()).total_seconds() == 60
    browser.log_in("ana@norte.example", PASSWORD, expect=False)
    assert REFUSED in browser.text, "the right password does not open a locked account"
    house.clock.forward(seconds=61)
    browser.log_in("ana@norte.example", "no es esta frase", expect=False)
    locked = _user(house).bloqueado_hasta
    assert locked is not None
    assert (locked - house.clock()).total_seconds() == 120
    house.clock.forward(seconds=121)
    browser.log_in("ana@norte.example", PASSWORD)
    assert _user(house).fallos == 0


def test_one_address_cannot_try_many_people(house: House) -> None:
    browser = _ana(house)
    for number in range(30):
        browser.log_in(f"alguien{number}@norte.example", "no es esta frase", expect=False)
    browser.log_in("ana@norte.example", PASSWORD, expect=False)
    assert browser.status == 429
    house.clock.forward(minutes=16)
    browser.log_in("ana@norte.example", PASSWORD)


def test_a_session_ends_without_use_and_after_a_working_day(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    for _ in range(3):
        house.clock.forward(minutes=29)
        browser.open("/mi-cuenta")
        assert browser.path == "/mi-cuenta"
    house.clock.forward(minutes=30)
    browser.open("/mi-cuenta")
    assert browser.path == "/entrar"
    assert "lo que escribió se conserva" in browser.text
    browser.log_in("ana@norte.example", PASSWORD)
    assert browser.path == "/mi-cuenta", "and back to where it was"
    for _ in range(20):
        house.clock.forward(minutes=25)
        browser.open("/mi-cuenta")
    assert browser.path == "/entrar", "eight hours are the end, with use or without"


def test_an_expired_session_asks_a_fragment_to_reload_the_whole_page(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    house.clock.forward(hours=1)
    answer = browser.raw(
        "GET",
        "/mi-cuenta/clave",
        headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/mi-cuenta?a=1"},
    )
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/entrar?next=/mi-cuenta?a%3D1&vencida=1"


def test_leaving_ends_the_session_in_the_database_too(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    stolen = browser.client.get_cookie("radica_sesion")
    assert stolen is not None
    browser.log_out()
    assert browser.path == "/entrar"
    thief = house.browser()
    thief.client.set_cookie("radica_sesion", stolen.value)
    thief.open("/mi-cuenta")
    assert thief.path == "/entrar"


def test_the_secret_of_the_cookie_is_not_in_the_database(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    cookie = browser.client.get_cookie("radica_sesion")
    assert cookie is not None
    with house.database.read() as session:
        row = session.scalars(select(Sesion)).one()
    assert cookie.value not in row.token_hash
    thief = house.browser()
    thief.client.set_cookie("radica_sesion", row.token_hash)
    thief.open("/mi-cuenta")
    assert thief.path == "/entrar"


def test_a_withdrawn_account_is_out_at_once(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    with house.database.write() as session:
        user = session.get(Usuario, _user(house).id)
        assert user is not None
        user.activo = False
    browser.open("/mi-cuenta")
    assert browser.path == "/entrar"


def test_a_changed_password_ends_the_other_sessions(any_house: House) -> None:
    browser = _ana(any_house)
    browser.log_in("ana@norte.example", PASSWORD)
    other = any_house.browser()
    other.log_in("ana@norte.example", PASSWORD)
    browser.open("/mi-cuenta/clave")
    browser.fill(actual="no es esta frase", nueva=NEW, repetida=NEW)
    assert browser.status == 422
    assert "no es esa" in browser.text
    assert _user(any_house).fallos == 1, "a wrong try inside a session counts too"
    browser.fill(actual=PASSWORD, nueva=NEW, repetida=NEW)
    assert browser.path == "/mi-cuenta"
    other.open("/mi-cuenta")
    assert other.path == "/entrar"
    other.log_in("ana@norte.example", NEW)


@pytest.mark.parametrize(
    ("nueva", "repetida", "says"),
    [
        ("corta", "corta", "entre 12 y 200"),
        (NEW, NEW + "x", "No es igual"),
        (PASSWORD, PASSWORD, "la misma contraseña"),
        ("contraseña123456", "contraseña123456", "fácil de adivinar"),
        ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "fácil de adivinar"),
        ("restreporestrepo", "restreporestrepo", "fácil de adivinar"),
    ],
)
def test_a_bad_new_password_is_refused_with_its_reason(house: House, nueva: str, repetida: str, says: str) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    browser.open("/mi-cuenta/clave")
    browser.fill(actual=PASSWORD, nueva=nueva, repetida=repetida)
    assert browser.status == 422
    assert says in browser.text
    assert "Falta corregir un campo" in browser.text


def test_a_temporary_password_is_changed_before_anything_else(house: House) -> None:
    house.person("ana@norte.example", {house.provider(): tuple(Rol)}, temporary=True)
    browser = house.browser()
    browser.log_in("ana@norte.example", PASSWORD)
    assert browser.path == "/mi-cuenta/clave"
    browser.open("/administracion/usuarios")
    assert browser.path == "/mi-cuenta/clave"
    browser.fill(actual=PASSWORD, nueva=NEW, repetida=NEW)
    browser.open("/administracion/usuarios")
    assert browser.path == "/administracion/usuarios"


def _enrol(house: House, browser: Browser) -> str:
    browser.open("/mi-cuenta/segundo-factor")
    secret = "".join(browser.tree().xpath("//span[contains(@class,'clave')]")[0].text_content().split())
    browser.fill(codigo=pyotp.TOTP(secret).at(house.clock()))
    assert browser.path == "/mi-cuenta"
    assert "Activo" in browser.text
    return secret


def test_the_second_factor_is_asked_for_and_its_code_is_good_once(any_house: House) -> None:
    house = any_house
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    secret = _enrol(house, browser)
    assert secret not in (_user(house).segundo_factor or ""), "kept encrypted"
    used = pyotp.TOTP(secret).at(house.clock())
    browser.log_out()
    browser.log_in("ana@norte.example", PASSWORD, expect=False)
    assert browser.path == "/entrar/codigo"
    browser.open("/mi-cuenta")
    assert browser.path == "/entrar", "the password alone opens nothing"
    browser.open("/entrar/codigo")
    browser.fill(codigo=used)
    assert browser.status == 422, "the code of the enrolment was used"
    house.clock.forward(seconds=60)
    browser.fill(codigo=pyotp.TOTP(secret).at(house.clock()))
    assert browser.path in HOME
    second = house.browser()
    second.log_in("ana@norte.example", PASSWORD, expect=False)
    second.fill(codigo=pyotp.TOTP(secret).at(house.clock()))
    assert second.status == 422, "nor twice in its half minute"


def test_wrong_codes_lock_like_wrong_passwords(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    secret = _enrol(house, browser)
    browser.log_out()
    browser.log_in("ana@norte.example", PASSWORD, expect=False)
    house.clock.forward(seconds=60)
    right = pyotp.TOTP(secret).at(house.clock())
    for _ in range(5):
        browser.fill(codigo=f"{(int(right) + 7) % 1_000_000:06d}")
        assert browser.status == 422
    browser.fill(codigo=right)
    assert browser.status == 422
    assert browser.path == "/entrar/codigo"


def test_half_an_entry_does_not_wait_for_ever(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    _enrol(house, browser)
    browser.log_out()
    browser.log_in("ana@norte.example", PASSWORD, expect=False)
    house.clock.forward(minutes=6)
    browser.open("/entrar/codigo")
    assert browser.path == "/entrar"


def test_the_second_factor_is_taken_off_with_the_password_only(house: House) -> None:
    browser = _ana(house)
    browser.log_in("ana@norte.example", PASSWORD)
    _enrol(house, browser)
    browser.fill("/mi-cuenta/segundo-factor/quitar", actual="no es esta frase")
    assert _user(house).segundo_factor is not None
    browser.fill("/mi-cuenta/segundo-factor/quitar", actual=PASSWORD)
    assert _user(house).segundo_factor is None
    assert "otp_paso" not in _user(house).preferencias


def test_the_switch_takes_only_granted_providers_and_is_remembered(any_house: House) -> None:
    house = any_house
    one, two, other = house.provider("IPS Uno"), house.provider("IPS Dos"), house.provider("IPS Ajena")
    house.person("ana@norte.example", {one: (Rol.ADMINISTRACION,), two: (Rol.ADMINISTRACION,)})
    browser = house.browser()
    browser.log_in("ana@norte.example", PASSWORD)
    assert "IPS Ajena" not in browser.text
    browser.open("/mi-cuenta")
    browser.switch_provider(two)
    assert browser.path == "/mi-cuenta", "the person stays where they were"
    assert browser.tree().xpath("//span[@class='barra-prestador-nombre']")[0].text == "IPS Dos"
    token = browser.form("/prestador").fields["csrf_token"]
    answer = browser.raw("POST", "/prestador", data={"csrf_token": token, "prestador_id": str(other)})
    assert answer.status_code == 404
    browser.open("/mi-cuenta")
    browser.switch_provider(None)
    assert "Todos mis prestadores" in browser.text


def test_grants_are_links_of_the_log_that_nobody_rewrites(house: House) -> None:
    _ana(house, Rol.CARTERA, Rol.GLOSAS)
    with house.database.read() as session:
        links = session.scalars(select(AccessLog).order_by(AccessLog.seq)).all()
    assert [(one.action, one.object.split()[-1]) for one in links] == [
        ("conceder_acceso", "rol:cartera"),
        ("conceder_acceso", "rol:glosas"),
    ]
    assert links[1].prev_hash == links[0].hash
