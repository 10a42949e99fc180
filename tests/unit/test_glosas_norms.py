"""Citations: what the catalogue has passes in every spelling; what it does not have is named, however it is written."""

from __future__ import annotations

import unicodedata

import pytest

from radica.glosas.respuesta import norms
from radica.kernel.errors import BadInput


@pytest.mark.parametrize(
    "text",
    [
        "Según el artículo 57 de la Ley 1438 de 2011, la glosa es extemporánea.",
        "Res. 2284/2023, art. 6.1",
        "La Resolución 2284 de 2023 en su Anexo Técnico 3",
        "Ley 1438/11",
        "L. 1438 de 2011, art. 57",
        "Resolución No. 2284 del 27 de diciembre de 2023",
        "Resolución N.º 2284 de 2023",
        "arts. 56 y 57 de la Ley 1438",
        "Resoluciones 3047 de 2008 y 416 de 2009",
        "Ley 1.438 de 2011",
        "artículo 2.5.3.4.5.7 del Decreto 780 de 2016",
        "art. 773 del Código de Comercio",
        "D.L. 1281 de 2002 art. 7",
        "Decreto Único Reglamentario 780 de 2016",
        "Circular Conjunta 030 de 2013",
        "RES. 2284 DE 2023 ART. 4",
        "El prestador no acepta. La Ley 1438 de 2011 (art. 57) fija el plazo.",
        "Ley 4ª de 1913, artículo 62",
        "artículo 57\nde la Ley 1438 de 2011",
        # No citations at all:
        "la factura FE1234 de 2026 con código TA0801 y contrato 45 de 2024",
        "literal d. 30 días, por concepto 203 de tarifas, artículo 12 del contrato; factura A352-24",
        "",
    ],
)
def test_what_the_catalogue_has_may_be_cited(text: str) -> None:
    assert norms.citas_desconocidas(text) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ley 9999 de 2020", ["Ley 9999 de 2020"]),
        ("la Ley 1438 de 2012 dice", ["Ley 1438 de 2012"]),
        ("art. 58 de la Ley 1438 de 2011", ["art. 58 (Ley 1438 de 2011)"]),
        ("arts. 57 y 99 de la Ley 1438", ["arts. 57 y 99 (Ley 1438 de 2011)"]),
        ("Sentencia T-760 de 2008", ["Sentencia T-760 de 2008"]),
        ("ver T-760/2008", ["T-760/2008"]),
        ("el artículo 15 lo ordena", ["artículo 15"]),
        ("Decreto 1234 de 2025, art. 3", ["Decreto 1234 de 2025"]),
        ("según jurisprudencia de la Corte Constitucional", ["jurisprudencia", "Corte Constitucional"]),
        ("SC15032-2017", ["SC15032-2017"]),
        ("Resoluciones 3047 de 2008 y 5555 de 2010", ["5555 de 2010"]),
        ("Código Civil art. 1602", ["Código Civil"]),
        ("Concepto 201911600123 de 2019", ["Concepto 201911600123 de 2019"]),
        ("LEY 100", ["LEY 100"]),
        ("L. 9999 de 2020", ["L. 9999 de 2020"]),
        ("Conc. 12345 de 2020", ["Conc. 12345 de 2020"]),
        ("Directiva 5 de 2020", ["Directiva 5 de 2020"]),
        ("Instrucción Externa 45 de 2021", ["Instrucción Externa 45 de 2021"]),
        ("\uff2cey 9999 de 2020", ["\uff2cey 9999 de 2020"]),  # a full-width letter
        ("Ley 1438 de 2011. El artículo 99 dice", ["artículo 99"]),
        (unicodedata.normalize("NFD", "Resolución 9999 de 2020"), ["Resolución 9999 de 2020"]),
        ("Ley\u00ad 9999 de\u00a02020", ["Ley 9999 de 2020"]),
        ("Ley １４３９ de 2011", ["Ley １４３９ de 2011"]),
        ("Ley 9999 y otra vez Ley 9999 de 2020", ["Ley 9999", "Ley 9999 de 2020"]),
    ],
)
def test_what_it_does_not_have_is_named_as_written(text: str, named: list[str]) -> None:
    assert norms.citas_desconocidas(text) == named


def test_every_norm_can_be_cited_by_its_own_name() -> None:
    assert len({one.id for one in norms.catalogo()}) == len(norms.catalogo())
    for one in norms.catalogo():
        assert norms.citas_desconocidas(one.cita) == [], one.id
        for article in one.articulos:
            assert norms.citas_desconocidas(f"art. {article} de {one.cita}") == [], (one.id, article)


@pytest.mark.parametrize("piece", ["ley ", "ley 1, ", "art. 1,", "art 1 Ley 1438 ", "a", " ", "\n", "1.", "sentencia "])
def test_a_text_made_to_be_slow_is_still_read(piece: str) -> None:
    norms.citas_desconocidas((piece * norms.MAX_TEXT)[: norms.MAX_TEXT])


def test_a_text_too_long_to_be_looked_through_is_refused() -> None:
    with pytest.raises(BadInput, match="no se revisó"):
        norms.citas_desconocidas("x" * (norms.MAX_TEXT + 1))
