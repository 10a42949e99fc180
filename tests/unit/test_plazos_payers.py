"""The catalogue of payers: kind by NIT, unknown on the prudent side, and NITs whose check digit exists."""

from __future__ import annotations

from importlib.resources import files

import pytest

from radica.entidades.catalogue import TipoPagador, kind_by_nit, known_payers, parse_payers, payer_by_nit

TEXT = files("radica.entidades").joinpath("data", "pagadores.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("written", ["900226715", "900226715-3", "900.226.715-3", " 900 226 715 "])
def test_kind_by_nit_however_it_is_written(written: str) -> None:
    found = payer_by_nit(written)
    assert found is not None
    assert (found.tipo, found.arquetipo, found.por_confirmar) == (TipoPagador.EPS, "P2", False)


@pytest.mark.parametrize("nit", ["", "900000000", "no es un NIT"])
def test_unknown_payer_is_unknown(nit: str) -> None:
    assert payer_by_nit(nit) is None
    assert kind_by_nit(nit) is TipoPagador.DESCONOCIDO


def test_every_kind_is_known_and_doubtful_entries_are_marked() -> None:
    assert {payer.tipo for payer in known_payers()} == set(TipoPagador) - {TipoPagador.DESCONOCIDO}
    assert all(payer.por_confirmar for payer in known_payers() if not payer.nit)
    assert all(payer.arquetipo in ("", "P1", "P2", "P3", "P4", "P5", "P6", "P7") for payer in known_payers())


@pytest.mark.parametrize(
    ("old", "new"),
    [("900226715", "9002267153"), ("901021565", "900226715"), (",EPS,P2,V,", ",LUNA,P2,V,"), (",P2,V,", ",P2,?,")],
)
def test_a_broken_catalogue_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match="line"):
        parse_payers(TEXT.replace(old, new, 1))
