"""Nobody reaches the things of a provider that was not granted: every address with an id, as a stranger to it.

`walk` visits each rule that has numbers in it, with the ids of somebody else's things, in each of its methods. A room
that adds an argument adds to `things_of` how to make such a thing; an argument without one fails the walk.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from sqlalchemy import select

from radica.users.models import Acceso, Rol
from tests.functional.navigators import Browser
from tests.plugins.web import House


def numbered(app: Flask) -> dict[str, tuple[str, set[str], set[str]]]:
    """Return per endpoint its rule, its methods and the names of its number arguments."""
    found = {}
    for rule in app.url_map.iter_rules():
        names = {name for name in rule.arguments if f"<int:{name}>" in rule.rule}
        if names:
            found[rule.endpoint] = (rule.rule, (rule.methods or set()) - {"HEAD", "OPTIONS"}, names)
    return found


def walk(house: House, stranger: Browser, ids: Mapping[str, int]) -> list[str]:
    """Visit all of them as `stranger`; return what answered anything but 404."""
    stranger.open("/mi-cuenta")
    token = stranger.tree().xpath("//input[@name='csrf_token']/@value")[0]
    wrong = []
    for endpoint, (rule, methods, names) in sorted(numbered(house.app).items()):
        missing = names - ids.keys()
        assert not missing, f"{endpoint} has {missing}: tell things_of() how to make one"
        address = rule
        for name in names:
            address = address.replace(f"<int:{name}>", str(ids[name]))
        for method in sorted(methods):
            status = stranger.raw(method, address, headers={"X-CSRFToken": token}).status_code
            if status != 404:
                wrong.append(f"{method} {rule} ({endpoint}) answered {status}")
    return wrong


def things_of(house: House, provider: int) -> dict[str, int]:
    """Make one thing of each kind for a provider and return their ids by the name of the argument."""
    user = house.person(f"de{provider}@otra.example", {provider: (Rol.FACTURACION, Rol.ADMINISTRACION)})
    with house.database.read() as session:
        acceso = session.scalars(select(Acceso.id).where(Acceso.usuario_id == user)).first()
    assert acceso is not None
    return {"usuario_id": user, "acceso_id": acceso}


def test_the_walk_sees_the_addresses(house: House) -> None:
    assert {"personas.detalle", "personas.quitar"} <= numbered(house.app).keys()


def test_no_address_shows_or_changes_a_thing_of_another_provider(any_house: House) -> None:
    stranger = any_house.entered("ana@norte.example")
    theirs = things_of(any_house, any_house.provider("IPS del Sur"))
    assert walk(any_house, stranger, theirs) == []


def test_no_address_fails_on_an_id_beyond_the_database(any_house: House) -> None:
    stranger = any_house.entered("ana@norte.example")
    huge = dict.fromkeys(things_of(any_house, any_house.provider("IPS del Sur")), 2**70)
    assert walk(any_house, stranger, huge) == []


def test_the_walk_would_see_a_leak(house: House) -> None:
    own = house.entered("ana@norte.example", provider=(provider := house.provider()))
    assert any(line.startswith("GET") for line in walk(house, own, things_of(house, provider)))
