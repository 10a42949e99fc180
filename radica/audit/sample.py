"""A random sample that anybody can draw again: an order made of seed and id, and the first of it.

Invariant: pure; the same seed, size and population give the same sample on any machine, and the population has a hash
of its own that says whether it is the same. Method: SHA-256 over `seed|id`, ascending.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection

METHOD = "orden ascendente de SHA-256(semilla|id) sobre la población; se toman los primeros"
MAX_SEED = 64


def order_of(seed: str, id_: int) -> bytes:
    """Return what the population is ordered by."""
    return hashlib.sha256(f"{seed}|{id_}".encode()).digest()


def draw(ids: Collection[int], *, seed: str, size: int) -> list[int]:
    """Return `size` ids (or all), in the order of the draw: a larger sample begins with the smaller one."""
    return heapq.nsmallest(size, set(ids), key=lambda one: order_of(seed, one))


def population_hash(ids: Collection[int]) -> str:
    """Return the SHA-256 of the ids in ascending order, one a line."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(set(ids))).encode()).hexdigest()
