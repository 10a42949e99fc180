"""What a background process holds in its hands: settings, database, store, keys, clock, and its own name.

Invariant: made once at the edge (CLI) and passed down as a value; nothing below reads a global.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radica.app.filing.acts import check_acts
from radica.app.host import host_id, owner_id
from radica.custodia.backends import open_store
from radica.custodia.store import Store
from radica.kernel.clock import Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.portales.credentials import Vault, open_vault


@dataclass(frozen=True)
class Timing:
    """Seconds. The lease must outlive several heartbeats; a drill shortens all of them."""

    lease_s: float = 60.0
    beat_s: float = 15.0
    poll_s: float = 1.0
    tend_s: float = 5.0
    adopt_after_s: float = 5.0
    result_patience_s: float = 5.0


@dataclass(frozen=True)
class House:
    """The hands of one worker process."""

    settings: Settings
    db: Database
    store: Store
    vault: Vault
    clock: Clock
    host: str
    owner: str
    environ: Mapping[str, str] = field(repr=False)
    timing: Timing = Timing()

    @property
    def actor(self) -> str:
        """How the history names this process."""
        return f"bot:{self.owner}"


def make_house(
    settings: Settings, db: Database, *, environ: Mapping[str, str], clock: Clock, timing: Timing | None = None
) -> House:
    """Return what a worker process of this machine holds in its hands; makes the folders it needs."""
    check_acts()
    settings.ensure_folders()
    host = host_id(environ)
    return House(
        settings=settings,
        db=db,
        store=open_store(settings),
        vault=open_vault(settings.keys),
        clock=clock,
        host=host,
        owner=owner_id(host),
        environ=environ,
        timing=timing or Timing(),
    )
