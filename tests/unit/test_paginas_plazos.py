"""The terms that an invoice's page shows, where the norm gives the payer none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from radica.app.paginas.plazos_factura import terms_shown
from radica.entidades.models import TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura

ISSUED = datetime(2026, 11, 3, 15, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, 15, tzinfo=UTC)


def _factura() -> Factura:
    return Factura(estado=EstadoFactura.LISTA, expedida_at=ISSUED)


@pytest.mark.parametrize("tipo", [TipoPagador.SOAT, TipoPagador.ADRES])
def test_a_payer_without_term_shows_the_prudent_date_with_its_reason_and_never_a_lapse(tipo: TipoPagador) -> None:
    with_term = next(one for one in terms_shown(_factura(), TipoPagador.EPS, TODAY) if one.termino == "RAD-01")
    shown = next(one for one in terms_shown(_factura(), tipo, TODAY) if one.termino == "RAD-01")
    assert shown.prudente == with_term.vence
    assert (shown.vence, shown.estado) == (None, None)
    assert str(tipo.value) in shown.motivo
    assert "Radicar" in shown.asunto
