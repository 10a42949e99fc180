"""Canonical JSON is Python's own, byte for byte: chains that were hashed by it stay verifiable."""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.audit.chain import canonical
from radica.kernel.canonical import canonical_json

PLAIN = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    PLAIN, lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text(), some, max_size=4), max_leaves=20
)


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Clase(StrEnum):
    UNA = "una"


@given(VALUES)
def test_the_bytes_are_those_of_pythons_encoder(value: Any) -> None:
    assert canonical_json(value) == written(value).encode()


def test_every_character_is_written_as_python_writes_it() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert canonical_json(every) == written(every).encode()
    assert canonical_json(dict.fromkeys(every, 0)) == written(dict.fromkeys(every, 0)).encode()


@pytest.mark.parametrize(
    "value",
    [
        2**63, 2**64, -(2**63) - 1, 10**40, {1: "a", 10: "b", 2: "c"}, {Clase.UNA: Clase.UNA}, (1, (2,)),
        {"b": 1, "a": {"z": None, "á": True}},
    ],
)  # fmt: skip
def test_what_the_quick_encoder_does_not_take_is_the_same_too(value: Any) -> None:
    assert canonical_json(value) == written(value).encode()


@pytest.mark.parametrize("value", [date(2026, 11, 22), {1, 2}, b"a", object(), {"a": [date(2026, 1, 1)]}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        canonical_json({"texto": "\ud800"})


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_a_link_is_hashed_in_nfc(link: dict[str, Any]) -> None:
    assert canonical(link) == b"\x01" + unicodedata.normalize("NFC", written(link)).encode()
