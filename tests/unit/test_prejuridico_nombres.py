"""Names of the judicial electronic file: each word of the rule, for any title that somebody may type."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.prejuridico.nombres import MAX_NOMBRE, MAX_POR_CUADERNO, Titulo, nombrar, palabras, raiz

DAYS = st.none() | st.dates(date(1900, 1, 1), date(2100, 12, 31))
TITLES = st.builds(
    Titulo,
    texto=st.text(max_size=80),
    fecha=DAYS,
    extension=st.sampled_from(["pdf", "xml", ".JSON", "html", "", "tar.gz", "ñ", "docx"]),
    clave=st.text(max_size=30),
    grupo=st.sampled_from(["", "Facturas", "Glosas y devoluciones"]),
)
RULE = re.compile(r"(\d\d)([A-Z0-9][A-Za-z0-9]*)\.[a-z0-9]{1,5}")


@given(st.lists(TITLES, max_size=250))
def test_every_name_keeps_the_rule_and_no_two_are_alike(titulos: list[Titulo]) -> None:
    names = nombrar(titulos)
    assert len(names) == len(titulos)
    assert len({one.nombre.casefold() for one in names}) == len(names)
    assert len({one.ruta for one in names}) == len(names)
    for titulo, one in zip(titulos, names, strict=True):
        found = RULE.fullmatch(one.nombre)
        assert found, one.nombre
        assert len(one.nombre) <= MAX_NOMBRE
        assert int(found[1]) == one.orden
        if titulo.fecha:
            assert one.nombre.rpartition(".")[0].endswith(f"{titulo.fecha:%Y%m%d}")
        assert re.fullmatch(r"C\d\d+[A-Z][A-Za-z0-9]*", one.cuaderno)
        assert len(one.cuaderno) <= MAX_NOMBRE


@given(st.lists(TITLES, max_size=250))
def test_order_begins_at_one_in_each_cuaderno_and_has_no_holes(titulos: list[Titulo]) -> None:
    names = nombrar(titulos)
    orders: dict[str, list[int]] = {}
    for one in names:
        orders.setdefault(one.cuaderno, []).append(one.orden)
    assert all(found == list(range(1, len(found) + 1)) for found in orders.values())
    assert all(len(found) <= MAX_POR_CUADERNO for found in orders.values())
    assert (len(orders) > 1) == (len(titulos) > MAX_POR_CUADERNO)
    assert nombrar(titulos) == names


@pytest.mark.parametrize(
    ("titulo", "name"),
    [
        (Titulo("Demanda", date(2024, 1, 5)), "01Demanda20240105.pdf"),
        (Titulo("Acta de conciliación N.º 12", date(2026, 3, 9)), "01ActaConciliacionN1220260309.pdf"),
        (Titulo("Señal «ÑANDÚ» y otra-cosa", None, "xml"), "01SenalNanduOtraCosa.xml"),
        (Titulo("RIPS", date(2026, 1, 2), "json", "FE-00123"), "01RipsFe0012320260102.json"),
        (Titulo("", None, "exe!"), "01Documento.bin"),
        (Titulo("de la", None), "01DeLa.pdf"),
        (
            Titulo("Respuesta a la glosa formulada por la entidad", date(2026, 1, 2), "pdf", "FEHU990012"),
            "01RespuestaGlosaFehu99001220260102.pdf",
        ),
    ],
)  # fmt: skip
def test_a_name_reads_as_the_courts_write_it(titulo: Titulo, name: str) -> None:
    assert [one.nombre for one in nombrar([titulo])] == [name]
    assert nombrar([titulo])[0].cuaderno == "C01CuadernoPrincipal"


def test_what_is_cut_alike_is_told_apart_and_always_the_same_way() -> None:
    long = "Historia clínica de la atención de urgencias"
    titulos = [Titulo(f"{long} {word}", date(2026, 1, 2), grupo=f"g{n // 60}") for n, word in enumerate(["x"] * 180)]
    names = nombrar(titulos)
    assert names[0].nombre == "01HistoriaClinicaAtencion20260102.pdf"
    assert [one.ruta for one in names if one.orden == 1] == [
        "C01CuadernoPrincipal/01HistoriaClinicaAtencion20260102.pdf",
        "C02CuadernoG1/01HistoriaClinicaAtencionB20260102.pdf",
        "C03CuadernoG2/01HistoriaClinicaAtencionC20260102.pdf",
    ]


def test_a_chapter_that_fits_is_not_parted() -> None:
    names = nombrar(
        [Titulo("Uno", grupo="a")] * 60 + [Titulo("Dos", grupo="b")] * 60 + [Titulo("Tres", grupo="c")] * 150
    )
    sizes = [(key[:3], sum(one.cuaderno == key for one in names)) for key in dict.fromkeys(n.cuaderno for n in names)]
    assert sizes == [("C01", 60), ("C02", 60), ("C03", 99), ("C04", 51)]


def test_the_folder_waits_for_the_23_digits() -> None:
    assert raiz(None) == raiz("123") == "SinRadicado/01PrimeraInstancia"
    assert raiz("11001-31-03-001-2026-00123-00") == "11001310300120260012300/01PrimeraInstancia"


def test_words_lose_accents_and_signs() -> None:
    assert palabras("RipsYCuvDeFE12") == ["Rips", "Cuv", "Fe", "12"]
    assert palabras("Constancia DE radicación, ½ Ñoño_2") == ["Constancia", "Radicacion", "1", "2", "Nono", "2"]
