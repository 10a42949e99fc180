"""A long answer for a short form: nothing cut in two, nothing lost, counted as the form counts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.glosas.respuesta import splitting
from radica.glosas.respuesta.splitting import Limites, contar, limites_de, partir
from radica.kernel.errors import BadInput

QUINIENTOS = Limites("prueba", max_caracteres=500)
LARGO = (
    "La glosa TA0801 objeta $ 1.234.567 sobre el apoyo diagnóstico. El artículo 57 de la Ley 1438 de 2011 fija los "
    "términos y la Resolución 2284 de 2023 las causales; el valor facturado es el del anexo tarifario vigente. "
) * 6


def test_what_fits_stays_as_it_is() -> None:
    assert partir(" Tarifa pactada. ", QUINIENTOS) == splitting.Partes("Tarifa pactada.", None)


def test_a_long_text_ends_with_its_annex_and_the_annex_has_everything() -> None:
    parts = partir(LARGO, QUINIENTOS, referencia="Ver anexo 1, folios 1 a 3.")
    assert contar(parts.corto) <= 500
    assert parts.corto.endswith("Ver anexo 1, folios 1 a 3.")
    assert LARGO.startswith(parts.corto.removesuffix("Ver anexo 1, folios 1 a 3.").rstrip())
    assert parts.anexo == LARGO.strip()
    assert len(parts.corto) > 300


@pytest.mark.parametrize("limit", range(60, 420))
def test_no_amount_code_or_citation_is_cut_at_any_limit(limit: int) -> None:
    parts = partir(LARGO, Limites("x", max_caracteres=limit))
    head = parts.corto.removesuffix(splitting.REFERENCIA).rstrip()
    assert contar(parts.corto) <= limit
    assert LARGO.startswith(head)
    assert LARGO[len(head) : len(head) + 1] in {"", " "}
    assert not re.search(
        r"(?:\$|artículo|Ley|Ley 1438|Ley 1438 de|Resolución|Resolución 2284|Resolución 2284 de)$", head
    )


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=900),
    st.integers(splitting.MIN_CARACTERES, 600),
    st.booleans(),
)
def test_any_text_fits_any_limit(text: str, limit: int, upper: bool) -> None:
    limits = Limites("x", max_caracteres=limit, mayusculas=upper)
    parts = partir(text, limits)
    assert contar(parts.corto) <= limit
    if parts.anexo is None:
        assert parts.corto == splitting.ajustar(text, limits)
    else:
        head = parts.corto.removesuffix(splitting.ajustar(splitting.REFERENCIA, limits)).rstrip()
        assert splitting.ajustar(text, limits).startswith(head)


def test_upper_case_is_made_before_counting() -> None:
    parts = partir("straße " * 60, Limites("x", max_caracteres=430, mayusculas=True))
    assert parts.corto.startswith("STRASSE STRASSE")
    assert contar(parts.corto) <= 430
    assert partir("niño", Limites("x", mayusculas=True)).corto == "NIÑO"


def test_lengths_as_a_form_counts_them() -> None:
    assert [contar(one) for one in ("ñ", "n\u0303", "a\nb", "a\r\nb", "😀", "")] == [1, 1, 4, 4, 2, 0]


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(BadInput, match="no alcanza"):
        partir("x " * 50, Limites("x", max_caracteres=20))


def test_limits_by_nit_by_name_and_by_default() -> None:
    assert limites_de("900226715").un_solo_pdf
    assert limites_de("900.226.715-3").mayusculas
    assert limites_de(None, "SALUD TOTAL EPS-S S.A.").max_caracteres == 500
    assert limites_de("123456789", "Salud Vida").max_caracteres is None
    assert limites_de("").nombre == "Por defecto"
    assert {one.marca for one in splitting.todos()} <= {"V", "V-sec", "M"}


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers())), st.integers(1, 4))
def test_groups_keep_every_row_and_never_part_an_invoice(rows: list[tuple[str, int]], maximum: int) -> None:
    groups = splitting.en_grupos(rows, lambda row: row[0], maximum)
    assert sorted(row for group in groups for row in group) == sorted(rows)
    keys = [{row[0] for row in group} for group in groups]
    assert all(0 < len(one) <= maximum for one in keys)
    assert sum(map(len, keys)) == len(set().union(*keys))
