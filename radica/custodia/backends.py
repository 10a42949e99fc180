"""Which store this house keeps its blobs in, from the settings.

Invariant: the one place that knows the kinds of stores; everybody else takes a `Store`.
"""

from __future__ import annotations

from radica.custodia.store import FolderStore, Store
from radica.kernel.config import Settings


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name."""
    return FolderStore(settings.store)
