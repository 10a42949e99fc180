"""The nightly job: dates from the uses of each blob, renewed while a dispute is open, given to the store that takes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from radica.app.handlers.retener import KIND_RETAIN, order_retention, retain
from radica.app.house import House
from radica.app.worker import run_worker
from radica.custodia import retencion
from radica.custodia.check_models import RetencionBlob
from radica.custodia.models import Blob
from radica.custodia.s3 import S3Store
from radica.custodia.store import FolderStore
from radica.facturas.models import Documento, TipoDocumento
from radica.glosas.models import Glosa
from radica.kernel.clock import civil_date, fixed_clock, system_clock
from radica.kernel.config import S3Settings
from tests.plugins.filing import house_on
from tests.plugins.notices import Notices, row


@pytest.fixture
def home(notices: Notices, tmp_path: Path) -> Iterator[House]:
    made = house_on(notices.db.engine.url.render_as_string(hide_password=False), tmp_path / "casa")
    yield replace(made, store=FolderStore(notices.folder / "custodia"), clock=fixed_clock(notices.at))
    made.db.dispose()


def _night(home: House, at: datetime) -> dict[str, RetencionBlob]:
    assert order_retention(home.db, at) == 1
    assert order_retention(home.db, at) == 0
    run_worker(replace(home, clock=fixed_clock(at)), {KIND_RETAIN: retain}, stop=threading.Event(), until_empty=True)
    with home.db.read() as session:
        return {one.sha256: one for one in session.scalars(select(RetencionBlob))}


def test_dates_follow_uses_and_disputes_and_never_go_back(notices: Notices, home: House) -> None:
    invoice = notices.invoice("FV1")
    notice = notices.one([row("FV1", "100")])
    (glosa,) = notices.glosas()
    with notices.db.write() as session:
        (sha256,) = session.scalars(select(Blob.sha256))
    first = _night(home, notices.at)[sha256]
    came = civil_date(notices.at)
    assert (first.hasta, first.regla, first.aplicada_at) == (retencion.plus_years(came, 10), "comercial", None)
    # The same bytes turn out to be a clinical support too: the longer date.
    with notices.db.write() as session:
        session.add(
            Documento(
                prestador_id=invoice.prestador_id, factura_id=invoice.id, sha256=sha256, bytes=1, nombre="hc.pdf",
                tipo=TipoDocumento.SOPORTE, media_type="application/pdf", cargado_at=notices.at, cargado_por="prueba",
            )
        )  # fmt: skip
    second = _night(home, notices.at + timedelta(days=1))[sha256]
    assert (second.hasta, second.regla) == (retencion.plus_years(came, 15), "clinica")
    # Eleven years on, the glosa still open: ahead of that day by the years of the dispute and one.
    later = notices.at.replace(year=notices.at.year + 11)
    third = _night(home, later)[sha256]
    assert (third.hasta, third.regla) == (retencion.plus_years(civil_date(later), 6), "disputa")
    assert _night(home, later + timedelta(days=1))[sha256].hasta == third.hasta  # not renewed each night
    # Settled: nothing moves back.
    with notices.db.write() as session:
        session.execute(
            update(Glosa)
            .where(Glosa.id == glosa.id)
            .values(estado="levantada_total", levantado=glosa.valor, en_disputa=0)
        )
    assert _night(home, later + timedelta(days=2))[sha256].hasta == third.hasta
    assert notice.nuevas == 1


def test_the_store_in_s3_takes_the_dates(
    notices: Notices, home: House, s3_settings: S3Settings, tmp_path: Path
) -> None:
    notices.invoice("FV1")
    bucket = S3Store(s3_settings, tmp_path / "tmp", system_clock)
    notices.store = bucket  # type: ignore[assignment]
    notices.one([row("FV1", "100")])
    (held,) = _night(replace(home, store=bucket), system_clock()).values()
    assert held.aplicada_at is not None
    assert held.hasta >= date(2030, 1, 1)
    assert bucket.retain(held.sha256, held.hasta)
