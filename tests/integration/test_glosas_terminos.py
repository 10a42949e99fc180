"""The daily job of lapsed terms: ordered once a day, done through the real queue, twice without harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.app.handlers.glosas_terminos import KIND_LAPSES, LAPSES_AT, lapse_terms, order_lapses
from radica.glosas.models import Glosa
from radica.jobs.models import Job, JobState
from radica.jobs.queue import claim_next
from radica.kernel.clock import daily_due, fixed_clock
from radica.kernel.errors import Unavailable
from tests.plugins import filing
from tests.plugins import glosas as made
from tests.plugins.glosas import day


@pytest.mark.parametrize(
    ("now", "due"), [(day(7, 9, 0), day(7, 8, 0)), (day(7, 9, 1), day(7, 9, 0)), (day(7, 9, 23), day(7, 9, 0))]
)
def test_the_run_is_due_ten_minutes_into_the_day(now, due) -> None:
    assert daily_due(now, LAPSES_AT) == due.replace(minute=10)


def test_two_clocks_order_one_run_and_it_applies_what_lapsed(database_url: str, tmp_path: Path) -> None:
    now = day(7, 9, 1)
    house = replace(filing.house_on(database_url, tmp_path), clock=fixed_clock(now))
    with house.db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        glosa.vence = date(2026, 7, 30)  # counted with a calendar that knew a holiday less
    assert [order_lapses(house.db, now), order_lapses(house.db, day(7, 9, 12))] == [1, 0]
    claimed = claim_next(house.db, "w", house.host, 60)
    assert claimed is not None
    assert claimed.kind == KIND_LAPSES
    lapse_terms(house, claimed)
    with house.db.read() as session:
        assert session.get_one(Glosa, glosa.id).estado == "aceptada_tacita"
        assert session.scalars(select(Job.state).where(Job.kind == KIND_LAPSES)).all() == [JobState.DONE]
    with pytest.raises(Unavailable):  # its turn is over: it says so instead of going on
        lapse_terms(house, claimed)
    assert order_lapses(house.db, day(7, 10, 1)) == 1
    house.db.dispose()
