"""Nobody reaches the things of a provider that was not granted: every address with an id, as a stranger to it.

`walk` visits each rule that has numbers in it, with the ids of somebody else's things, in each of its methods. A room
that adds an argument adds to `things` how to make such a thing; an argument without one fails the walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from tests.functional.navigators import Browser
from tests.functional.things import WORDS, things_of
from tests.plugins.web import House


def numbered(app: Flask) -> list[Rule]:
    """Return the rules with a number in them."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if any(isinstance(_converter(rule, name), IntegerConverter) for name in rule.arguments)
    ]


def _converter(rule: Rule, name: str) -> object:
    return rule._converters[name]


def values_of(rule: Rule, ids: Mapping[str, int | str]) -> Iterator[dict[str, int | str]]:
    """Fill the arguments: one filling per word of an `any(…)`, whose number may be told apart as `word.name`."""
    words = {name: kind for name in rule.arguments if isinstance(kind := _converter(rule, name), AnyConverter)}
    for chosen in product(*(sorted(kind.items) for kind in words.values())):
        values: dict[str, int | str] = dict(zip(words, chosen, strict=True))
        for name in rule.arguments - words.keys():
            told = [
                ids[key]
                for key in (f"{rule.endpoint}.{name}", *(f"{word}.{name}" for word in chosen), name)
                if key in ids
            ]
            assert told, f"{rule.endpoint} has «{name}»: tell things_of() how to make one"
            values[name] = told[0]
        yield values


def walk(house: House, stranger: Browser, ids: Mapping[str, int | str], *, only: str = "") -> list[str]:
    """Visit all of them (whose endpoint begins with `only`) as `stranger`; return what answered anything but 404."""
    stranger.open("/mi-cuenta")
    token = stranger.tree().xpath("//input[@name='csrf_token']/@value")[0]
    adapter = house.app.url_map.bind("localhost")
    wrong = []
    for rule in sorted(numbered(house.app), key=lambda one: one.endpoint):
        if not rule.endpoint.startswith(only):
            continue
        for values in values_of(rule, ids):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                address = adapter.build(rule.endpoint, values, method=method)
                status = stranger.raw(method, address, headers={"X-CSRFToken": token}).status_code
                if status != 404:
                    wrong.append(f"{method} {address} ({rule.endpoint}) answered {status}")
    return wrong


def test_the_walk_sees_the_addresses(house: House) -> None:
    assert {"personas.detalle", "personas.quitar"} <= {rule.endpoint for rule in numbered(house.app)}


def test_no_address_shows_or_changes_a_thing_of_another_provider(any_house: House) -> None:
    stranger = any_house.entered("ana@norte.example")
    theirs = things_of(any_house, any_house.provider("IPS del Sur"))
    assert walk(any_house, stranger, theirs) == []


def test_no_address_fails_on_an_id_beyond_the_database(any_house: House) -> None:
    stranger = any_house.entered("ana@norte.example")
    huge = dict.fromkeys(things_of(any_house, any_house.provider("IPS del Sur")), 2**70) | WORDS
    assert walk(any_house, stranger, huge) == []


def test_the_walk_would_see_a_leak(house: House) -> None:
    own = house.entered("ana@norte.example", provider=(provider := house.provider()))
    assert any(line.startswith("GET") for line in walk(house, own, things_of(house, provider), only="personas."))
