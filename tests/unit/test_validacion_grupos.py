"""Which files are taken for one invoice: nothing is guessed, and the order given changes nothing."""

from __future__ import annotations

from itertools import permutations

import pytest

from radica.facturas.numbers import parse_invoice_number
from radica.facturas.validacion.grupos import agrupar
from radica.facturas.validacion.leer import Archivo, Problema, Tipo


def archivo(
    ruta: str, tipo: Tipo, numero: str = "", nit: str | None = "900", *, nota: bool = False, **more: str
) -> Archivo:
    number = parse_invoice_number(numero)
    return Archivo(ruta, None, tipo, nit=nit, numeros=(number,) if number else (), es_nota=nota, **more)  # type: ignore[arg-type]


def names(files: list[Archivo]) -> list[list[str]]:
    return sorted(sorted(files[at].ruta for at in group) for group in agrupar(files))


FEV = archivo("fev", Tipo.FEV, "FE0012", cufe="c1")


def test_all_that_is_of_one_invoice_is_together_in_any_order() -> None:
    files = [
        FEV,
        archivo("rips", Tipo.RIPS, "FE12"),
        archivo("cuv", Tipo.CUV, "12", nit=None),
        archivo("dian", Tipo.RESPUESTA, "otro", cufe="c1"),
        archivo("pdf", Tipo.SOPORTE, "FE-12"),
    ]
    for order in permutations(files):
        assert names(list(order)) == [["cuv", "dian", "fev", "pdf", "rips"]]


@pytest.mark.parametrize(
    "other",
    [
        archivo("b", Tipo.RIPS, "12", nit="901"),
        archivo("b", Tipo.RIPS, "FE12", nota=True),
        archivo("b", Tipo.FEV, "XX12"),
    ],
)
def test_what_another_says_stays_apart(other: Archivo) -> None:
    assert names([FEV, other]) == [["b"], ["fev"]]


def test_a_rips_of_another_nit_is_held_against_the_only_invoice_of_its_number() -> None:
    """Rule RVC001 says just that; with its own RIPS there, or another invoice of the number, it stays apart."""
    strange = archivo("ajeno", Tipo.RIPS, "FE12", nit="901")
    own = archivo("propio", Tipo.RIPS, "FE12")
    twin = archivo("otra", Tipo.FEV, "FE12", nit="902")
    for order in permutations([FEV, strange]):
        assert names(list(order)) == [["ajeno", "fev"]]
    for order in permutations([FEV, own, strange]):
        assert names(list(order)) == [["ajeno"], ["fev", "propio"]]
    for order in permutations([FEV, twin, strange]):
        assert names(list(order)) == [["ajeno"], ["fev"], ["otra"]]


def test_the_only_xml_and_the_only_rips_are_held_against_each_other() -> None:
    """Rule RVC004 says just that; where there is more than the two, each stays with its own."""
    rips, cuv = archivo("rips", Tipo.RIPS, "FE13"), archivo("cuv", Tipo.CUV, "FE13", nit=None)
    for order in permutations([FEV, rips, cuv]):
        assert names(list(order)) == [["cuv", "fev", "rips"]]
    assert names([FEV, archivo("rips", Tipo.RIPS, "FE13", nit="901")]) == [["fev"], ["rips"]]
    assert names([FEV, archivo("nota", Tipo.RIPS, "FE13", nota=True)]) == [["fev"], ["nota"]]
    for more in (archivo("otra", Tipo.FEV, "FE14"), archivo("otro", Tipo.RIPS, "FE15")):
        assert names([FEV, rips, more]) == sorted([["fev"], ["rips"], [more.ruta]])


def test_a_number_without_prefix_joins_only_where_one_fits() -> None:
    bare = archivo("bare", Tipo.RIPS, "000012")
    assert names([FEV, bare]) == [["bare", "fev"]]
    assert names([FEV, archivo("otra", Tipo.FEV, "SE12"), bare]) == [["bare"], ["fev"], ["otra"]]


def test_two_rips_that_differ_in_a_prefix_are_two() -> None:
    files = [archivo("rs", Tipo.RIPS, "1", nota=True), archivo("nd", Tipo.RIPS, "2ND1", nota=True)]
    assert names(files) == [["nd"], ["rs"]]


def test_an_answer_of_an_invoice_does_not_join_a_note_by_its_digits() -> None:
    assert names([archivo("rs", Tipo.RIPS, "1", nota=True), archivo("cuv", Tipo.CUV, "ML001", nit=None)]) == [
        ["cuv"],
        ["rs"],
    ]


def test_answers_with_one_cuv_are_of_one_paper() -> None:
    files = [
        archivo("rs", Tipo.RIPS, "1", nota=True),
        archivo("respuesta", Tipo.CUV, "1", nit=None, cuv="ab"),
        archivo("consulta", Tipo.CUV, "", cuv="ab"),
    ]
    assert names(files) == [["consulta", "respuesta", "rs"]]


def test_a_support_with_a_name_that_says_nothing_is_of_the_only_invoice_of_its_folder() -> None:
    loose = Archivo("uno/informe.pdf", None, Tipo.SOPORTE)
    here, there = archivo("uno/f.xml", Tipo.FEV, "FE1"), archivo("dos/f.xml", Tipo.FEV, "FE2")
    assert names([here, there, loose]) == [["dos/f.xml"], ["uno/f.xml", "uno/informe.pdf"]]
    assert names([here, archivo("uno/g.xml", Tipo.FEV, "FE3"), loose]) == [
        ["uno/f.xml"],
        ["uno/g.xml"],
        ["uno/informe.pdf"],
    ]


@pytest.mark.parametrize(
    "stray",
    [
        archivo("b", Tipo.CUV, "FE12", nit="901"),
        archivo("b", Tipo.CUV, "FE13", nit=None),
        archivo("b", Tipo.RESPUESTA, "", cufe="c2"),
        archivo("b", Tipo.SOPORTE, "FE12", nit="901"),
        archivo("b", Tipo.SOPORTE, "FE13"),
    ],
)
def test_what_fits_no_invoice_is_held_against_the_only_one(stray: Archivo) -> None:
    """So that a CUV of another invoice, or a support with another number in its name, is told and not passed over."""
    other = archivo("otra", Tipo.FEV, "FE14")
    for order in permutations([FEV, stray]):
        assert names(list(order)) == [["b", "fev"]]
    for order in permutations([FEV, other, stray]):
        assert names(list(order)) == [["b"], ["fev"], ["otra"]]


def test_what_cannot_be_read_joins_nothing() -> None:
    broken = Archivo("roto", None, Tipo.RIPS, problema=Problema("x"), nit="900", numeros=FEV.numeros)
    assert names([FEV, broken]) == [["fev"], ["roto"]]
