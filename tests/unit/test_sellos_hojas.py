"""The bytes of a leaf are the canonical ones, however they are written."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.audit import merkle
from radica.audit.chain import canonical
from radica.custodia.arbol import leaf_bytes
from radica.custodia.seal_models import TipoHoja

names = st.one_of(
    st.text(min_size=1, max_size=20), st.from_regex(r"[a-z_]{1,12}:[0-9]{1,9}", fullmatch=True), st.just("factura:1\n")
)
hashes = st.one_of(st.text(max_size=8), st.binary(min_size=32, max_size=32).map(bytes.hex))


@given(st.sampled_from(TipoHoja), names, st.integers(1, 2**31 - 1), hashes)
def test_the_quick_way_and_the_canonical_one_agree(tipo: TipoHoja, name: str, seq: int, digest: str) -> None:
    whole = canonical({"tipo": tipo.value, "nombre": name, "seq": seq, "hash": digest})
    assert leaf_bytes(tipo, name, seq, digest) == whole
    assert leaf_bytes(tipo.value, name, seq, digest) == whole


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 1000])
def test_root_by_levels_is_root_by_growth(size: int) -> None:
    leaves = [hashlib.sha256(n.to_bytes(2, "big")).digest() for n in range(size)]
    frontier: merkle.Frontier = []
    for one in leaves:
        merkle.push(frontier, one)
    assert merkle.root(leaves) == merkle.frontier_root(frontier)
