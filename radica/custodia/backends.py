"""Which store this house keeps its blobs in, from the settings.

Invariant: the one place that knows the kinds of stores; everybody else takes a `Store`.
"""

from __future__ import annotations

from radica.custodia.keyring import KeyRing
from radica.custodia.store import FolderStore, Store
from radica.kernel.config import Settings


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name; what is encrypted can be read whether or not new blobs are."""
    return FolderStore(settings.store, KeyRing(settings.keys, settings.store), encrypt=settings.encrypt_store)
