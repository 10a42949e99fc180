"""The package that is handed in: which files, which names, which order."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radica.radicacion.package import ORDER, Source, build_package, plan, safe, zip_name
from radica.radicacion.perfil_paquete import MB, Perfil

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


def test_what_a_change_would_spoil_is_not_joined() -> None:
    one_pdf = Perfil("uno", "Un solo PDF", pdf_unico=True)
    signed = replace(source("SOPORTE", "EPI.pdf", "EPI", "b" * 64), rasgos=frozenset({"firmado"}))
    plain = source("SOPORTE", "HEV.pdf", "HEV", "c" * 64)
    found = plan("FE1", "900123456", [signed, plain], one_pdf)
    assert found.cambios == ()
    assert [(one.nombre, "firma digital" in one.motivo) for one in found.rechazos] == [("EPI.pdf", True)]
    assert plan("FE1", "900123456", [signed], one_pdf).rechazos == ()  # alone it goes as it is
    assert [
        one.operacion for one in plan("FE1", "900123456", [plain, replace(signed, rasgos=None)], one_pdf).cambios
    ] == ["unir"]


@pytest.mark.parametrize("trait", ["javascript", "accion", "apertura", "vista", "guion_xfa"])
@pytest.mark.parametrize("lock", ["", "firmado", "xfa", "protegido"])
def test_what_a_portal_refuses_inside_is_cleaned_or_told(trait: str, lock: str) -> None:
    rules = Perfil("limpio", "Sin guiones", sin_script=True)
    one = replace(source("SOPORTE", "EPI.pdf", "EPI"), rasgos=frozenset({trait, lock} - {""}))
    found = plan("FE1", "900123456", [one], rules)
    assert ([change.operacion for change in found.cambios], len(found.rechazos)) == (
        ([], 1) if lock else (["limpiar"], 0)
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=12), st.integers(1, 5))
def test_no_zip_is_larger_than_the_payer_takes(sizes: list[int], most: int) -> None:
    rules = Perfil("borde", "Al borde", bytes_zip=5 * MB, archivos=most, zip="{nit}_{fecha}_{parte}.zip")
    given_ = [
        replace(source("SOPORTE", f"HEV_{n}.pdf", "HEV", f"{n:064x}"), bytes=size) for n, size in enumerate(sizes)
    ]
    found = plan("FE1", "900123456", given_, rules, fecha=date(2026, 11, 20))
    assert found.cambios == ()  # each fits alone
    assert sorted(item.sha256 for item in found.files) == sorted(one.sha256 for one in given_)
    assert len({parte.zip for parte in found.partes}) == len(found.partes)
    for parte in found.partes:
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w", zipfile.ZIP_STORED) as archive:  # what does not shrink at all
            for item in parte.files:
                archive.writestr(item.name, bytes(item.bytes))
        assert len(box.getvalue()) <= 5 * MB
        assert len(parte.files) <= most


def test_a_file_at_the_border_of_the_limit_goes_and_one_byte_more_is_changed() -> None:
    rules = Perfil("borde", "Al borde", bytes_archivo=20 * MB)
    for size, changes in ((20 * MB, 0), (20 * MB + 1, 1)):
        one = replace(source("SOPORTE", "EPI.pdf", "EPI"), bytes=size)
        assert len(plan("FE1", "900123456", [one], rules).cambios) == changes
    heavy = replace(source("RIPS", "r.json"), bytes=20 * MB + 1)  # what is no PDF is not cut
    assert len(plan("FE1", "900123456", [heavy], rules).rechazos) == 1


def test_accents_go_and_the_name_stays_readable_and_its_own() -> None:
    found = names(
        source("SOPORTE", "Epicrisis Núñez.pdf", "EPI", "a" * 64),
        source("SOPORTE", "Epicrisis Nu\u0301n\u0303ez.pdf", "EPI", "b" * 64),  # as a Mac writes it
        source("SOPORTE", "Epicrisis Nunez.PDF", "EPI", "c" * 64),
    )
    assert sorted(found) == ["Epicrisis-Nunez.pdf", "Epicrisis-Nunez_2.pdf", "Epicrisis-Nunez_3.pdf"]
