"""The Merkle tree of RFC 6962: roots, inclusion and consistency paths, and their verification.

Invariant: pure, standard library only, no state. A leaf is hashed behind 0x00 and a node behind 0x01, so that no node
passes for a leaf; an odd node is promoted, never doubled; the empty tree is the hash of nothing. Everything below
takes and gives hashes of 32 bytes. Norm: RFC 6962 section 2.1 (Ley 527/1999 art. 9: integrity of a data message).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first (inclusive) to the last (exclusive)."""
HashOf = Callable[[Range], bytes]
"""Gives the root over a range of leaves."""
Frontier = list[tuple[int, bytes]]
"""Roots of the complete subtrees of a tree that grows, biggest first, each with its height."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf with this content."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


# --- A tree that grows ------------------------------------------------------------------------------------------------


def push(frontier: Frontier, leaf: bytes) -> None:
    """Add the hash of one more leaf; memory stays logarithmic however many come."""
    height = 0
    while frontier and frontier[-1][0] == height:
        leaf = node_hash(frontier.pop()[1], leaf)
        height += 1
    frontier.append((height, leaf))


def frontier_root(frontier: Frontier) -> bytes:
    """Return the root of what was pushed so far."""
    return fold([one for _, one in frontier])


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring complete subtrees, biggest first."""
    if not hashes:
        return EMPTY_ROOT
    found = hashes[-1]
    for one in reversed(hashes[:-1]):
        found = node_hash(one, found)
    return found


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over the hashes of leaves."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = [level.pop()] if len(level) % 2 else []
        level = pair_up(level) + odd
    return level[0]


def pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the level above a level of even length."""
    sha256 = hashlib.sha256
    return [sha256(b"\x01" + one + two).digest() for one, two in zip(hashes[::2], hashes[1::2], strict=True)]


# --- Which ranges a proof needs ---------------------------------------------------------------------------------------


def split_point(size: int) -> int:
    """Return the largest power of two below `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def complete_ranges(start: int, end: int) -> list[Range]:
    """Cut a range into complete subtrees, biggest first; `start` must be the beginning of such a subtree."""
    found = []
    while start < end:
        width = 1 << ((end - start).bit_length() - 1)
        found.append((start, start + width))
        start += width
    return found


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the neighbours whose hashes lead from leaf `index` to the root over `size` leaves, from the leaf up.

    Raises ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(older: int, newer: int) -> list[Range]:
    """Return the ranges whose hashes show that `newer` leaves begin with the `older` ones. Raises ValueError."""
    if not 0 < older <= newer:
        raise ValueError("the older tree is not empty and not bigger than the newer one")
    start, end, found, whole = 0, newer, [], True
    while older < end:
        middle = start + split_point(end - start)
        if older <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path of the leaf at `index` among these hashes of leaves. Raises ValueError."""
    return [_hash_over(leaves)(one) for one in inclusion_ranges(index, len(leaves))]


def consistency_path(leaves: Sequence[bytes], older: int) -> list[bytes]:
    """Return the proof that the tree over these hashes of leaves begins with its first `older`. Raises ValueError."""
    return [_hash_over(leaves)(one) for one in consistency_ranges(older, len(leaves))]


def _hash_over(leaves: Sequence[bytes]) -> HashOf:
    return lambda one: root(leaves[one[0] : one[1]])


# --- Verification: what somebody without the tree does ----------------------------------------------------------------


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the leaf with this hash stands at `index` in the tree of `size` leaves with that root."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(one, found)
            while not at & 1 and at:  # promoted: no neighbour on these levels
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(older: int, newer: int, older_root: bytes, newer_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the tree of `newer` leaves begins with that of `older` leaves, given both roots."""
    if not 0 < older <= newer:
        return False
    if older == newer:
        return not path and older_root == newer_root
    rest = list(path)
    if older & (older - 1) == 0:  # a complete tree is itself the first node
        rest.insert(0, older_root)
    if not rest:
        return False
    at, last = older - 1, newer - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = rest[0]
    for one in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, one)
        at, last = at >> 1, last >> 1
    return last == 0 and old == older_root and new == newer_root
