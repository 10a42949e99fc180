"""The package that is handed in: which files, which names, which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radica.radicacion.package import ORDER, Source, build_package, safe, zip_name

HASH = "a" * 64


def source(tipo: str, nombre: str, sigla: str = "", sha256: str = HASH) -> Source:
    return Source(tipo, sigla, nombre, sha256, 10)


def names(*sources: Source) -> list[str]:
    return [item.name for item in build_package("FE-10", "900123456", sources)]


def test_fev_rips_cuv_then_supports_by_sigla() -> None:
    found = names(
        source("SOPORTE", "HEV_900123456_FE10.PDF", "HEV"),
        source("SOPORTE", "EPI_900123456_FE10.pdf", "EPI"),
        source("CUV", "ResultadosMSPS_x.json"),
        source("RIPS", "x.json"),
        source("FEV", "ad0900.xml"),
    )
    assert found == [
        "FEV_900123456_FE-10.xml",
        "RIPS_900123456_FE-10.json",
        "CUV_900123456_FE-10.json",
        "EPI_900123456_FE10.pdf",
        "HEV_900123456_FE10.pdf",
    ]


def test_what_is_no_part_of_a_package_stays_at_home() -> None:
    assert names(source("RESPUESTA_DIAN", "r.xml"), source("NOTA_CREDITO", "n.xml")) == []


def test_two_supports_of_one_name_keep_both_places() -> None:
    found = names(
        source("SOPORTE", "HEV.pdf", "HEV", "a" * 64),
        source("SOPORTE", "hev.PDF", "HEV", "b" * 64),
        source("SOPORTE", "HEV_2.pdf", "HEV", "c" * 64),
    )
    assert sorted(name.lower() for name in found) == ["hev.pdf", "hev_2.pdf", "hev_3.pdf"]


def test_a_support_that_is_named_as_no_pdf_is_named_anew() -> None:
    assert names(source("SOPORTE", "epicrisis.exe", "EPI")) == ["EPI_900123456_FE-10.pdf"]
    assert names(source("SOPORTE", "sin extension", "")) == ["sin-extension.pdf"]
    assert names(source("SOPORTE", "../../etc/passwd.pdf", "")) == ["etc-passwd.pdf"]


def test_the_zip_is_named_by_provider_and_invoice() -> None:
    assert zip_name("FE/10", "900123456") == "900123456_FE-10.zip"
    assert safe("...") == "sin-nombre"


sources = st.lists(
    st.builds(
        Source,
        st.sampled_from([*ORDER, "INVOICE", "RESPUESTA_DIAN"]),
        st.sampled_from(["", "HEV", "EPI"]),
        st.text(max_size=20) | st.text("abc.", min_size=200, max_size=300),
        st.sampled_from([letter * 64 for letter in "abc"]),
        st.just(10),
    ),
    max_size=12,
)


@given(sources=sources, numero=st.text(max_size=10), nit=st.text(max_size=10))
def test_every_file_has_a_plain_name_of_its_own_and_none_is_left_out(
    sources: list[Source], numero: str, nit: str
) -> None:
    found = build_package(numero, nit, sources)
    assert len(found) == sum(one.tipo != "RESPUESTA_DIAN" for one in sources)
    assert len({item.name.lower() for item in found}) == len(found)
    for item in found:
        assert item.name == safe(item.name)
        assert not item.name.startswith(".")
        assert len(item.name) <= 160
    assert [ORDER.index(item.role) for item in found] == sorted(ORDER.index(item.role) for item in found)
    assert build_package(numero, nit, sources[::-1]) == found
