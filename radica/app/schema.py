"""Bring a database to the present schema, and tell whether it is there.

Invariant: the migrations are the only way a table comes to be; nothing calls `create_all`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

import migrations


def alembic_config(url: str) -> Config:
    """Return alembic's configuration for a database URL; no ini file is needed."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str, *, revision: str = "head") -> None:
    """Upgrade the database at `url`; safe to call twice and from two processes."""
    command.upgrade(alembic_config(url), revision)


def present_revision(engine: Engine) -> str | None:
    """Return the revision of the database, None when it is empty."""
    # Reading: to look at the schema waits for nobody who writes.
    with engine.connect().execution_options(radica_tx="read") as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision(url: str) -> str | None:
    """Return the newest revision that this code knows."""
    return ScriptDirectory.from_config(alembic_config(url)).get_current_head()


def revisions(url: str) -> list[str]:
    """Return all revisions that this code knows."""
    return [one.revision for one in ScriptDirectory.from_config(alembic_config(url)).walk_revisions()]
