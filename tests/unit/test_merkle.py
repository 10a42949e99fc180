"""RFC 6962 trees against the naive recursion of the norm's text, and against values computed without our code."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radica.audit import merkle

# The eight leaves with which Certificate Transparency tests its implementations, and the roots over the first n.
LEAVES = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def naive_root(data: list[bytes]) -> bytes:
    """MTH of section 2.1, word by word."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(index: int, data: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(data) == 1:
        return []
    k = 1
    while k * 2 < len(data):
        k *= 2
    if index < k:
        return [*naive_path(index, data[:k]), naive_root(data[k:])]
    return [*naive_path(index - k, data[k:]), naive_root(data[:k])]


def naive_proof(older: int, data: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    if older == len(data):
        return [] if whole else [naive_root(data)]
    k = 1
    while k * 2 < len(data):
        k *= 2
    if older <= k:
        return [*naive_proof(older, data[:k], whole=whole), naive_root(data[k:])]
    return [*naive_proof(older - k, data[k:], whole=False), naive_root(data[:k])]


def hashes(data: list[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(one) for one in data]


@pytest.mark.parametrize("size", range(9))
def test_the_known_roots(size: int) -> None:
    assert merkle.root(hashes(LEAVES[:size])).hex() == ROOTS[size]
    assert naive_root(LEAVES[:size]).hex() == ROOTS[size]


def test_every_path_of_every_small_tree_is_the_norms() -> None:
    for size in range(1, 40):
        data = [bytes([n]) for n in range(size)]
        leaves, top = hashes(data), naive_root(data)
        for index in range(size):
            path = merkle.inclusion_path(leaves, index)
            assert path == naive_path(index, data)
            assert merkle.verify_inclusion(leaves[index], index, size, path, top)
            for other in range(size + 2):
                assert merkle.verify_inclusion(leaves[index], other, size, path, top) is (other == index)
        for older in range(1, size + 1):
            proof = merkle.consistency_path(leaves, older)
            assert proof == naive_proof(older, data)
            assert merkle.verify_consistency(older, size, naive_root(data[:older]), top, proof)


blocks = st.lists(st.binary(max_size=4), min_size=1, max_size=70)


@settings(max_examples=150)
@given(blocks, st.data())
def test_an_inclusion_path_holds_for_nothing_else(data: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    leaves, top = hashes(data), naive_root(data)
    path = merkle.inclusion_path(leaves, index)
    assert merkle.verify_inclusion(leaves[index], index, len(data), path, top)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"another leaf"), index, len(data), path, top)
    assert not merkle.verify_inclusion(leaves[index], index, len(data), [*path, top], top)
    if path:
        cut = draw.draw(st.integers(0, len(path) - 1))
        assert not merkle.verify_inclusion(leaves[index], index, len(data), path[:cut] + path[cut + 1 :], top)
        flipped = [*path[:cut], bytes([path[cut][0] ^ 1]) + path[cut][1:], *path[cut + 1 :]]
        assert not merkle.verify_inclusion(leaves[index], index, len(data), flipped, top)


@settings(max_examples=150)
@given(blocks, st.data())
def test_a_consistency_proof_shows_a_rewritten_past(data: list[bytes], draw: st.DataObject) -> None:
    older = draw.draw(st.integers(1, len(data)))
    leaves, old, new = hashes(data), naive_root(data[:older]), naive_root(data)
    proof = merkle.consistency_path(leaves, older)
    assert merkle.verify_consistency(older, len(data), old, new, proof)
    forged = [b"rewritten by hand", *data[1:]]
    assert not merkle.verify_consistency(older, len(data), old, naive_root(forged), proof)
    assert not merkle.verify_consistency(
        older, len(data), old, naive_root(forged), merkle.consistency_path(hashes(forged), older)
    )
    if proof:
        assert not merkle.verify_consistency(older, len(data), old, new, proof[:-1])
        assert not merkle.verify_consistency(older, len(data), old, new, [*proof, old])


@given(st.integers(1, 3000))
def test_a_growing_tree_has_the_root_of_the_whole(size: int) -> None:
    leaves = hashes([n.to_bytes(2, "big") for n in range(size)])
    frontier: merkle.Frontier = []
    for one in leaves:
        merkle.push(frontier, one)
    assert merkle.frontier_root(frontier) == merkle.root(leaves)
    assert len(frontier) == size.bit_count()
    cut = merkle.complete_ranges(0, size)
    assert merkle.fold([merkle.root(leaves[a:b]) for a, b in cut]) == merkle.root(leaves)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    left, right = hashes([b"a", b"b"])
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_path_to_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_ranges(index, size)
    assert not merkle.verify_inclusion(b"\x00" * 32, index, size, [], b"\x00" * 32)


@pytest.mark.parametrize(("older", "newer"), [(0, 3), (4, 3), (-1, 3)])
def test_only_a_smaller_tree_can_be_older(older: int, newer: int) -> None:
    with pytest.raises(ValueError, match="older"):
        merkle.consistency_ranges(older, newer)
    assert not merkle.verify_consistency(older, newer, b"\x00" * 32, b"\x00" * 32, [])
