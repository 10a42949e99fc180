"""The depth of a JSON is told before it is parsed, whatever its strings hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.facturas.jsonsafe import MAX_DEPTH, check_depth
from radica.facturas.xmlsafe import Unreadable

TEXTS = st.text(alphabet='ab"\\[]{}ñ,:\n/😀\u0000', max_size=8)


def _too_deep(text: str) -> bool:
    try:
        check_depth(text)
    except Unreadable as refused:
        return refused.code == "json_profundo"
    return False


@given(
    st.recursive(
        TEXTS | st.integers(), lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXTS, one, max_size=3)
    ),
    st.integers(min_value=MAX_DEPTH - 4, max_value=MAX_DEPTH + 2),
    st.booleans(),
)
def test_brackets_in_strings_nest_nothing(value: Any, around: int, ascii_only: bool) -> None:
    for _ in range(around):
        value = [value]
    assert _too_deep(json.dumps(value, ensure_ascii=ascii_only)) is (_depth(value) > MAX_DEPTH)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ('["' * 500_000, True),  # every second bracket stands outside
        ('"' + '[\\"' * 500_000, False),  # a string that never ends
        ("\\" * 1_000_001, False),
        ('{"a":' * MAX_DEPTH, False),
        ("]" * 100 + "[" * MAX_DEPTH, False),
        ("", False),
    ],
)
def test_broken_texts_are_scanned_to_their_end(text: str, *, deep: bool) -> None:
    assert _too_deep(text) is deep


def test_a_flood_of_brackets_never_reaches_the_parser() -> None:
    assert _too_deep("[" * 200_000)
    assert _too_deep('{"a":' * 200_000)
