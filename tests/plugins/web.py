"""Fixtures of the web: an application on an empty database, a clock that tests move, and people with grants.

Invariant: the application is the real one from `create_app`; only the cost of the password hash is lowered, because
the house's parameters take a fifth of a second and 64 MiB each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import pytest
from flask import Flask

from radica.app.factory import create_app
from radica.entidades.models import EstadoPrestador, Prestador
from radica.kernel.config import Settings, load_settings
from radica.kernel.db import Database
from radica.kernel.logs import RedactingFormatter
from radica.users.login import make_hash
from radica.users.models import Rol
from radica.users.services import create_user, find_user, grant
from tests.functional.navigators import Browser

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "cuatro palabras que nadie junta"


@dataclass
class MovableClock:
    """A business clock that stands still until a test moves it."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 15, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **parts: int) -> None:
        self.at += timedelta(**parts)


@dataclass
class House:
    """The application with what a test needs around it."""

    app: Flask
    database: Database
    clock: MovableClock
    settings: Settings

    def browser(self) -> Browser:
        """Return a fresh browser: cookies of its own."""
        return Browser(self.app.test_client())

    def provider(self, nombre: str = "IPS Clínica del Norte", nit: str | None = None) -> int:
        """Add a provider and return its id."""
        with self.database.write() as session:
            count = session.query(Prestador).count()
            row = Prestador(
                nit=nit or f"9001{count:05d}", nombre=nombre, estado=EstadoPrestador.ACTIVO, creado_at=self.clock()
            )
            session.add(row)
            session.flush()
            return row.id

    def person(
        self, correo: str, grants: dict[int, tuple[Rol, ...]], *, nombre: str = "Ana Prueba", temporary: bool = False
    ) -> int:
        """Add a person with roles per provider id and return the id; the password is PASSWORD."""
        with self.database.write() as session:
            user = find_user(session, correo) or create_user(
                session,
                correo=correo,
                nombre=nombre,
                clave_hash=make_hash(PASSWORD, CHEAP),
                at=self.clock(),
                temporary=temporary,
            )
            for provider, roles in grants.items():
                grant(
                    session,
                    usuario_id=user.id,
                    prestador_id=provider,
                    roles=roles,
                    actor="prueba",
                    at=self.clock(),
                )
            return user.id

    def entered(self, correo: str = "ana@norte.example", *roles: Rol, provider: int | None = None) -> Browser:
        """Return the browser of a person who entered; made with all roles at one provider when not told otherwise."""
        chosen = provider if provider is not None else self.provider()
        self.person(correo, {chosen: roles or tuple(Rol)})
        browser = self.browser()
        browser.log_in(correo, PASSWORD)
        return browser


def _house(database: Database, folder: Path) -> House:
    settings = load_settings({"RADICA_CHROMIUM": "/nonexistent"}, datos=str(folder))
    clock = MovableClock()
    return House(create_app(settings, database, clock, hasher=CHEAP), database, clock, settings)


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Yield the application on SQLite: enough for most of what a page does."""
    database = Database(sqlite_url)
    yield _house(database, tmp_path / "datos")
    database.dispose()


@pytest.fixture
def any_house(db: Database, tmp_path: Path) -> House:
    """Return the application, once per kind of database."""
    return _house(db, tmp_path / "datos")


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """Yield the lines that the process would have written, as they leave the gate."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keeper = Keeper()
    keeper.setFormatter(RedactingFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    yield lines
    root.setLevel(before)
    root.removeHandler(keeper)
