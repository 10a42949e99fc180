"""Which store this house keeps its blobs in, from the settings.

Invariant: the one place that knows the kinds of stores; everybody else takes a `Store`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from radica.custodia.keyring import KeyRing
from radica.custodia.s3 import S3Store
from radica.custodia.store import FolderStore, Store
from radica.kernel.clock import system_clock
from radica.kernel.config import S3Settings, Settings


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name; what is encrypted can be read whether or not new blobs are.

    Raises BadInput when the bucket has no Object Lock. One that does not answer now is asked again at the first blob.
    """
    if settings.s3 is not None:
        return _bucket(settings.s3, settings.store / "tmp")
    return FolderStore(settings.store, KeyRing(settings.keys, settings.store), encrypt=settings.encrypt_store)


@lru_cache(maxsize=4)
def _bucket(settings: S3Settings, temporary: Path) -> S3Store:
    """Return the store of a bucket, asked for its lock once in this process."""
    store = S3Store(settings, temporary, system_clock)
    store.check_if_there()
    return store
