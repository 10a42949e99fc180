"""Rates and money of a period by hand-made cases, and every figure equal to the rows that open it, on both databases."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from radica.entidades.models import Prestador, TipoPagador
from radica.glosas import acts
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.figures import Alcance, Clave
from radica.glosas.indicators import Eje, Parte, breakdown, indicators, open_rows
from radica.glosas.models import Glosa
from radica.glosas.silence import apply_silences
from radica.kernel.db import Database
from tests import factories
from tests.plugins import glosas as made
from tests.plugins.glosas import LATER, day

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}
TODAY = date(2026, 11, 20)


def scope(provider: Prestador, **values) -> Alcance:
    return Alcance((provider.id,), date(2026, 6, 1), date(2026, 6, 30), TODAY, **values)


def decide(session: Session, glosa: Glosa, levantado: int, on=None) -> None:
    acts.decide(
        session, glosa, levantado=levantado, ratificado=levantado < glosa.en_disputa, ocurrido_at=on or day(7, 10),
        evidence=[], **BY,
    )  # fmt: skip


def june(db: Database) -> Prestador:
    """Two payers; ten million filed in June and one in July; each way a glosa may end."""
    with db.write() as session:
        provider = factories.prestador(session)
        one, two = factories.pagador(session, nombre="EPS Uno"), factories.pagador(session, nombre="EPS Dos")
        soat = factories.pagador(session, nombre="Seguros", tipo=TipoPagador.SOAT)
        first = made.filed(session, valor=600_000_000, prestador=provider, pagador=one)
        second = made.filed(session, valor=300_000_000, prestador=provider, pagador=two)
        third = made.filed(session, valor=100_000_000, prestador=provider, pagador=soat)
        later = made.filed(session, valor=100_000_000, prestador=provider, pagador=one, at=day(7, 1))
        parted = made.glosa(session, first, 100_000_000)
        made.present(session, parted, Decision.ACEPTAR_PARTE, valor_aceptado=20_000_000, on=day(6, 30))
        decide(session, parted, 30_000_000)
        lifted = made.glosa(session, first, 40_000_000, codigo="TA0201", familia="TA")
        made.present(session, lifted, on=day(7, 1))
        decide(session, lifted, 40_000_000)
        waiting = made.glosa(session, second, 10_000_000)
        made.present(session, waiting, on=day(7, 1))
        made.glosa(session, second, 5_000_000)  # nobody answered: accepted by silence
        made.glosa(session, second, 7_000_000, notificada_at=day(7, 3))  # late
        made.glosa(session, third, 1_000_000, notificada_at=day(9, 1))  # a payer without terms
        made.glosa(session, later, 50_000_000, notificada_at=day(7, 15))  # of another cohort
        wrong = made.glosa(session, second, 9_000_000)
        acts.annul(session, wrong, texto="duplicada", **BY)
        made.present(session, made.devolucion(session, first), on=day(6, 10))
        made.devolucion(session, third, notificada_at=day(6, 12))
    apply_silences(db, [provider.id], today=date(2026, 7, 9), at=day(7, 9))
    return provider


def test_the_figures_of_a_cohort(db: Database) -> None:
    provider = june(db)
    with db.read() as session:
        found = indicators(session, scope(provider))
        told = {clave: (each.numerador, each.denominador) for clave, each in found.items()}
    assert told == {
        Clave.GLOSA_INICIAL: (163_000_000, 1_000_000_000),
        Clave.DEVOLUCION: (700_000_000, 1_000_000_000),
        Clave.LEVANTAMIENTO: (70_000_000, 140_000_000),
        Clave.RATIFICACION: (50_000_000, 140_000_000),
        Clave.ACEPTACION: (20_000_000, 140_000_000),
        Clave.GLOSA_DEFINITIVA: (25_000_000, 1_000_000_000),
        Clave.EXTEMPORANEAS: (1, 5),
        Clave.EXTEMPORANEAS_DEVOLUCION: (0, 1),
        Clave.RESPUESTA_OPORTUNA: (3, 6),
        Clave.RESPUESTA_OPORTUNA_DEVOLUCION: (1, 2),
        Clave.DIAS_RESPUESTA: (9 + 10 + 10, 3),
    }
    assert found[Clave.LEVANTAMIENTO].razon == Decimal("0.5")


def test_by_payer_and_by_code(db: Database) -> None:
    provider = june(db)
    with db.read() as session:
        payers = breakdown(session, scope(provider), Eje.PAGADOR)
        assert [group.nombre for group in payers] == ["EPS Uno", "EPS Dos", "Seguros"]
        first = payers[0].indicadores
        assert (first[Clave.GLOSA_INICIAL].numerador, first[Clave.GLOSA_INICIAL].denominador) == (
            140_000_000, 600_000_000,
        )  # fmt: skip
        assert payers[1].indicadores[Clave.EXTEMPORANEAS].numerador == 1
        assert payers[1].indicadores[Clave.LEVANTAMIENTO].razon is None
        codes = {group.clave: group.indicadores for group in breakdown(session, scope(provider), Eje.CODIGO)}
        assert codes["TA0201"][Clave.LEVANTAMIENTO].razon == 1
        assert codes["TA0201"][Clave.GLOSA_INICIAL].denominador == 1_000_000_000
        families = {group.clave for group in breakdown(session, scope(provider), Eje.FAMILIA)}
        assert families == {"FA", "TA", "DE"}
        again = indicators(session, scope(provider, codigo="TA"))[Clave.GLOSA_INICIAL]
        assert again.numerador == 40_000_000
        narrowed = indicators(session, payers[1].indicadores[Clave.GLOSA_INICIAL].alcance)
        assert narrowed == payers[1].indicadores


@pytest.mark.parametrize("eje", [None, *Eje])
def test_every_figure_is_the_sum_of_its_rows(db: Database, eje: Eje | None) -> None:
    provider = june(db)
    with db.read() as session:
        wide = replace(scope(provider), hasta=date(2026, 7, 31))
        groups = breakdown(session, wide, eje) if eje else []
        tables = [group.indicadores for group in groups] or [indicators(session, wide)]
        for table in tables:
            for each in table.values():
                for parte, total in ((Parte.NUMERADOR, each.numerador), (Parte.DENOMINADOR, each.denominador)):
                    rows, after = [], 0
                    while page := open_rows(session, each, parte, after=after, limit=2):
                        rows += page
                        after = page[-1].id
                    assert sum(row.aporte for row in rows) == total, (each.clave, parte)
                    assert len({row.id for row in rows}) == len(rows)


def test_another_providers_invoices_are_never_in_it(db: Database) -> None:
    june(db)
    with db.write() as session:
        other = factories.prestador(session)
    with db.read() as session:
        assert {one.denominador for one in indicators(session, scope(other)).values()} == {0}
        assert breakdown(session, scope(other), Eje.PAGADOR) == []


def test_lifted_ratified_and_accepted_share_one_base_whatever_happens(db: Database) -> None:
    dice = random.Random(5)
    with db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        for _ in range(40):
            invoice = made.filed(session, valor=10**7, prestador=provider, pagador=payer)
            glosa = made.glosa(session, invoice, dice.randint(1, 10**7))
            part = dice.randint(0, glosa.en_disputa)
            made.present(session, glosa, dice.choice(list(Decision)), valor_aceptado=part, on=day(7, 1))
            if glosa.en_disputa and dice.random() < 0.8:
                decide(session, glosa, dice.randint(0, glosa.en_disputa))
        found = indicators(session, scope(provider))
    three = [found[one] for one in (Clave.LEVANTAMIENTO, Clave.RATIFICACION, Clave.ACEPTACION)]
    assert sum(one.numerador for one in three) == three[0].denominador > 0
    assert {one.denominador for one in three} == {three[0].denominador}
