"""The frame of the web: doors, transactions, headers, errors."""

from __future__ import annotations

from tests.plugins.web import House


def test_a_stranger_is_asked_to_log_in_and_comes_back(house: House) -> None:
    provider = house.provider()
    house.person("ana@norte.example", {provider: ()})
    browser = house.browser()
    browser.open("/mi-cuenta")
    assert browser.path == "/entrar"
    assert browser.status == 200


def test_the_first_page_opens(house: House) -> None:
    browser = house.entered()
    assert browser.status == 200
    browser.open("/mi-cuenta")
    assert "ana@norte.example" in browser.text
