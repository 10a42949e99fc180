"""Technical keys: kept encrypted, found by resolution, prefix and range, and what they tell of a CUFE stands."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.demo.catalog import PROVIDERS, Provider
from radica.app.demo.data import build_set
from radica.custodia.store import FolderStore
from radica.entidades.services import register_provider
from radica.facturas.cufe import Verificacion
from radica.facturas.intake import import_paths
from radica.facturas.keys import known_keys, save_key
from radica.facturas.models import ClaveTecnica, Factura, Hallazgo
from radica.facturas.review import KeyFor, review
from radica.facturas.tray import operator_scope
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.kernel.errors import BadInput
from radica.portales.credentials import Vault, open_vault

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
WRONG = "f" * 40


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(tmp_path / "llaves")


@pytest.fixture
def provider(db: Database, tmp_path: Path) -> Provider:
    """The catalogue's provider of the one invoice of the database, imported while no key was known."""
    made = build_set(tmp_path / "demo", seed=3, packages=1, hoy=date(2026, 11, 20), defects=False)
    load(db, tmp_path)
    return next(one for one in PROVIDERS if one.nit == made.packages[0].provider_nit)


def load(db: Database, folder: Path, key_for: KeyFor | None = None) -> None:
    store, scope = FolderStore(folder / "custodia"), operator_scope("prueba")
    import_paths(db, store, [folder / "demo"], scope, clock=fixed_clock(NOW), workdir=folder, key_for=key_for)


def keep(
    db: Database, vault: Vault, provider: Provider, clave: str, *, prefijo: str = "", hasta: int = 999_999
) -> bool:
    with db.write() as session:
        return save(session, vault, provider, only(session).prestador_id, clave, prefijo=prefijo, hasta=hasta)


def save(
    session: Session,
    vault: Vault,
    provider: Provider,
    prestador_id: int,
    clave: str,
    *,
    prefijo: str = "",
    hasta: int = 999_999,
) -> bool:
    return save_key(
        session,
        vault,
        prestador_id=prestador_id,
        resolucion=provider.resolution,
        prefijo=prefijo or provider.prefix.lower(),
        desde=1,
        hasta=hasta,
        clave=clave,
        actor="prueba",
        at=NOW,
    )


def only(session: Session) -> Factura:
    return session.scalars(select(Factura)).one()


def told(db: Database, key_for: KeyFor | None = None) -> tuple[str, set[str]]:
    """Review the invoice; return its state and the findings about the value of its CUFE."""
    with db.write() as session:
        review(session, [only(session).id], actor="reloj", at=NOW, key_for=key_for)
    with db.read() as session:
        about = set(
            session.scalars(select(Hallazgo.codigo).where(Hallazgo.codigo.in_(["CUFE-VALOR", "CUFE-SIN-CLAVE"])))
        )
        return str(only(session).estado), about


def test_a_key_verifies_the_cufe(db: Database, vault: Vault, provider: Provider):
    assert told(db, known_keys(db, vault)) == ("lista", {"CUFE-SIN-CLAVE"})
    assert keep(db, vault, provider, provider.clave_tecnica)
    assert told(db, known_keys(db, vault)) == ("lista", set())


def test_a_verdict_stands_when_a_review_has_no_keys(db: Database, vault: Vault, provider: Provider):
    keep(db, vault, provider, WRONG)
    assert told(db, known_keys(db, vault)) == ("no_lista", {"CUFE-VALOR"})
    assert told(db) == ("no_lista", {"CUFE-VALOR"})
    assert not keep(db, vault, provider, provider.clave_tecnica)
    assert told(db, known_keys(db, vault)) == ("lista", set())


def test_the_import_checks_with_the_keys_it_is_given(db: Database, vault: Vault, tmp_path: Path):
    made = build_set(tmp_path / "demo", seed=3, packages=6, hoy=date(2026, 11, 20), defects=False)
    first = PROVIDERS[0]
    with db.write() as session:
        for one in PROVIDERS:
            row = register_provider(session, one.nit, one.name, at=NOW)
            save(session, vault, one, row.id, WRONG if one is first else one.clave_tecnica)
    load(db, tmp_path, known_keys(db, vault))
    with db.read() as session:
        told = {row.numero: row.cufe_comprobado for row in session.scalars(select(Factura))}
    verdicts = {one.nit: Verificacion.DIFIERE if one is first else Verificacion.COINCIDE for one in PROVIDERS}
    assert told == {one.number: verdicts[one.provider_nit] for one in made.packages}
    assert {Verificacion.DIFIERE, Verificacion.COINCIDE} == set(told.values())


@pytest.mark.parametrize(("prefijo", "hasta"), [("OTRO", 999_999), ("", 1)])
def test_a_key_of_another_range_tells_nothing(db: Database, vault: Vault, provider: Provider, prefijo: str, hasta: int):
    keep(db, vault, provider, WRONG, prefijo=prefijo, hasta=hasta)
    assert told(db, known_keys(db, vault)) == ("lista", {"CUFE-SIN-CLAVE"})


def test_a_key_stands_only_encrypted(db: Database, vault: Vault, provider: Provider):
    keep(db, vault, provider, WRONG)
    with db.read() as session:
        kept = session.scalars(select(ClaveTecnica.clave_cifrada)).one()
    assert WRONG.encode() not in kept
    assert vault.decrypt(kept) == WRONG


def test_a_key_that_cannot_be_opened_is_unknown_and_told(
    db: Database, vault: Vault, provider: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    keep(db, vault, provider, WRONG)
    with caplog.at_level(logging.WARNING, logger="radica.facturas"):
        other = known_keys(db, open_vault(tmp_path / "otras-llaves"))
        assert told(db, other) == ("lista", {"CUFE-SIN-CLAVE"})
    assert "no se puede descifrar" in caplog.text


def test_what_is_no_key_is_refused_without_quoting_it(db: Database, vault: Vault, provider: Provider):
    with pytest.raises(BadInput) as refusal:
        keep(db, vault, provider, "corta con espacios")
    assert "corta" not in str(refusal.value)
    with pytest.raises(BadInput, match="rango"):
        keep(db, vault, provider, WRONG, hasta=0)
