"""The plan of a package under a payer's profile: names, deliveries, changes and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.radicacion.cajas import cajas
from radica.radicacion.package import (
    ORDER,
    SCRIPTS,
    Cambio,
    Hecho,
    Operacion,
    Plan,
    Source,
    build_package,
    plan,
    replaced,
    safe,
)
from radica.radicacion.perfil_paquete import COMUN, MARKS, MB, Perfil, perfil_para, perfiles

NIT, NUMERO = "900123456", "FE0010"
DAY = date(2026, 7, 15)


def support(name: str = "HEV_900123456_FE10.pdf", size: int = 1000, mark: str = "a", **more: object) -> Source:
    return replace(Source("SOPORTE", name[:3], name, mark * 64, size, paginas=4, rasgos=frozenset()), **more)


def planned(perfil: str | Perfil, *sources: Source) -> Plan:
    rules = perfiles()[perfil] if isinstance(perfil, str) else perfil
    return plan(NUMERO, NIT, sources, rules, fecha=DAY, valor="1234")


FILES = (
    Source("FEV", "", "ad.xml", "1" * 64, 100),
    Source("RIPS", "", "r.json", "2" * 64, 100),
    Source("CUV", "", "c.json", "3" * 64, 100),
)


def test_every_profile_is_read_and_says_from_where_it_is_known() -> None:
    known = perfiles()
    assert len(known) >= 12
    assert {one.marca for one in known.values()} <= MARKS
    for one in known.values():
        found = planned(one, *FILES, support())
        assert found.files
        assert all(item.name == safe(item.name) for item in found.files)


def test_a_payer_without_rules_gets_what_was_always_handed_in() -> None:
    found = planned(perfil_para(nit="800000000", arquetipo="p9"), *FILES, support())
    assert found.perfil == COMUN
    assert found.files == build_package(NUMERO, NIT, [*FILES, support()])
    assert [one.zip for one in found.partes] == [f"{NIT}_{NUMERO}.zip"]
    assert (found.cambios, found.rechazos) == ((), ())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"elegido": "sanitas", "nit": "900226715"}, "sanitas"),
        ({"elegido": "no existe", "nit": "900226715"}, "vco"),
        ({"arquetipo": "p1_previsora"}, "previsora"),
        ({}, COMUN),
    ],
)
def test_the_account_chooses_then_the_payer_then_the_portal(said: dict[str, str], code: str) -> None:
    assert perfil_para(**said).codigo == code


def test_each_payer_has_its_names() -> None:
    multi = support("HEV_900123456_FE10_CC123456.pdf")
    assert [one.name for one in planned("sanitas", *FILES, multi).files] == [
        "FEV_FE0010.xml", "RIPS_FE0010.json", "CUV_FE0010.json", "HEV_FE0010_CC123456.pdf",
    ]  # fmt: skip
    assert planned("simed", FILES[0]).files[0].name == "FEV_900123456_FE10.xml"
    assert planned("mutual_ser", support()).files[0].name == "FE0010_1234.pdf"
    assert planned("nueva_eps", support()).partes[0].zip == "0900123456_FE0010.zip"
    assert planned("zip_30", support()).partes[0].zip == "900123456_20260715_1.zip"
    assert planned("axa", support()).partes[0].zip is None


def test_a_zip_that_would_be_too_heavy_is_several_in_order() -> None:
    sources = [support(f"PDX_900123456_FE{n}.pdf", 12 * MB, mark) for n, mark in enumerate("abcde")]
    found = planned("zip_30", *sources)
    assert [len(one.files) for one in found.partes] == [2, 2, 1]
    assert [one.zip for one in found.partes] == [f"{NIT}_20260715_{n}.zip" for n in (1, 2, 3)]
    assert not found.cambios


def test_too_many_files_are_several_loads() -> None:
    sources = [support(f"PDX_900123456_FE{n}.pdf", 10, "a") for n in range(301)]
    found = planned("vco", *sources)
    assert [len(one.files) for one in found.partes] == [300, 1]
    assert [one.zip for one in found.partes] == [f"{NIT}_{NUMERO}_1.zip", f"{NIT}_{NUMERO}_2.zip"]


def test_a_script_is_cleaned_once_and_a_signed_one_is_refused() -> None:
    scripted = support(rasgos=frozenset({"javascript"}))
    (change,) = planned("arl_sura", scripted).cambios
    assert (change.operacion, change.sha256s) == (Operacion.LIMPIAR, (scripted.sha256,))
    assert planned(COMUN, scripted).cambios == ()  # who says nothing of scripts gets the file as it is
    signed = planned("arl_sura", support(rasgos=frozenset({"apertura", "firmado"})))
    assert (signed.cambios, len(signed.rechazos)) == ((), 1)
    again = planned("arl_sura", replace(scripted, hechas=(Operacion.LIMPIAR,)))
    assert "sigue trayendo" in again.rechazos[0].motivo


def test_a_heavy_file_is_compressed_then_split_then_refused() -> None:
    heavy = support(size=30 * MB)
    first = planned("previsora", heavy)
    assert [(one.operacion, one.tope) for one in first.cambios] == [(Operacion.COMPRIMIR, 20 * MB)]
    tried = replaced([heavy], Operacion.COMPRIMIR, [heavy.sha256], [])
    second = planned("previsora", *tried)
    assert [one.operacion for one in second.cambios] == [Operacion.DIVIDIR]
    parts = replaced(tried, Operacion.DIVIDIR, [heavy.sha256], [Hecho("b" * 64, MB, 2), Hecho("c" * 64, MB, 2)])
    done = planned("previsora", *parts)
    assert [one.name for one in done.files] == ["HEV_900123456_FE10_1.pdf", "HEV_900123456_FE10_2.pdf"]
    assert (done.cambios, done.rechazos) == ((), ())
    one_page = planned("previsora", replace(heavy, paginas=1, hechas=(Operacion.COMPRIMIR,)))
    assert (one_page.cambios, len(one_page.rechazos)) == ((), 1)
    assert "20,0" in one_page.rechazos[0].motivo


def test_what_is_no_pdf_and_too_heavy_is_refused() -> None:
    found = planned("previsora", replace(FILES[1], bytes=30 * MB))
    assert (found.cambios, len(found.rechazos)) == ((), 1)


def test_one_pdf_joins_all_and_a_payer_that_asks_for_a_list_is_told() -> None:
    two = [support("EPI_900123456_FE10.pdf", mark="a"), support("HEV_900123456_FE10.pdf", mark="b")]
    (change,) = planned("mutual_ser", *FILES, *two).cambios
    assert change == Cambio(Operacion.UNIR, ("a" * 64, "b" * 64), change.motivo)
    joined = replaced([*FILES, *two], Operacion.UNIR, change.sha256s, [Hecho("c" * 64, 10, 8)])
    assert [one.name for one in planned("mutual_ser", *joined).files][-1] == "FE0010_1234.pdf"
    assert planned("mutual_ser", *joined).cambios == ()
    assert [one.motivo for one in planned("fomag", *FILES).rechazos] == [
        "Falta el soporte LDP: este pagador lo pide siempre."
    ]


def test_a_file_under_two_names_is_changed_once_and_stays_under_both() -> None:
    twins = [support("EPI_900123456_FE10.pdf", 30 * MB), support("HEV_900123456_FE10.pdf", 30 * MB)]
    (change,) = planned("previsora", *twins).cambios
    done = replaced(twins, change.operacion, change.sha256s, [Hecho("b" * 64, MB, 4)])
    assert [one.name for one in planned("previsora", *done).files] == [
        "EPI_900123456_FE10.pdf",
        "HEV_900123456_FE10.pdf",
    ]


def test_what_is_no_part_of_a_package_is_named() -> None:
    answer = Source("RESPUESTA_DIAN", "", "r.xml", "4" * 64, 10)
    assert planned("vco", *FILES, answer).omitidos == (answer,)


rules = st.builds(
    Perfil,
    codigo=st.just("x"),
    nombre=st.just("x"),
    orden=st.permutations(ORDER).map(tuple),
    nombre_soporte=st.sampled_from(["", "{sigla}_{nit}_{numero}{usuario}.pdf", "{numero}_{valor}.pdf"]),
    zip=st.sampled_from(["", "{nit}_{numero}.zip", "{nit}_{fecha}_{parte}.zip"]),
    bytes_zip=st.none() | st.integers(10_000, 60_000),
    archivos=st.none() | st.integers(1, 4),
    bytes_archivo=st.none() | st.integers(1_000, 30_000),
    sin_script=st.booleans(),
    pdf_unico=st.booleans(),
)
files = st.lists(
    st.builds(
        Source,
        st.sampled_from([*ORDER, "INVOICE", "RESPUESTA_DIAN"]),
        st.sampled_from(["", "HEV", "EPI"]),
        st.text(max_size=20) | st.just("HEV_900123456_FE10_CC1.pdf"),
        st.sampled_from([letter * 64 for letter in "abcdef"]),
        st.integers(0, 50_000),
        st.none() | st.integers(1, 5),
        st.none() | st.sets(st.sampled_from(["javascript", "firmado", "apertura"])).map(frozenset),
        st.lists(st.sampled_from(Operacion), max_size=3).map(tuple),
    ),
    max_size=12,
)


@given(perfil=rules, sources=files, numero=st.text(max_size=10))
def test_no_name_twice_nothing_lost_in_silence_and_limits_kept(
    perfil: Perfil, sources: list[Source], numero: str
) -> None:
    found = plan(numero, NIT, sources, perfil, fecha=DAY, valor="1")
    names = [item.name.lower() for item in found.files]
    assert len(set(names)) == len(names)
    assert all(item.name == safe(item.name) for item in found.files)
    assert sorted(item.sha256 for item in found.files) == sorted(
        one.sha256 for one in sources if one not in found.omitidos
    )
    assert found == plan(numero, NIT, sources[::-1], perfil, fecha=DAY, valor="1") or _twins(sources)
    ranks = [perfil.orden.index(item.role) for item in found.files]
    assert ranks == sorted(ranks)
    zips = [one.zip for one in found.partes if one.zip]
    assert len(set(zips)) == len(zips)
    named = {one.sha256 for one in found.rechazos} | {sha for one in found.cambios for sha in one.sha256s}
    for parte in found.partes:
        assert perfil.archivos is None or len(parte.files) <= perfil.archivos
        fit = [item for item in parte.files if item.sha256 not in named or perfil.pdf_unico]
        if perfil.bytes_archivo and not perfil.pdf_unico:
            assert all(item.bytes <= perfil.bytes_archivo for item in fit)
        if perfil.zip and perfil.bytes_zip and not named:
            assert sum(item.bytes for item in parte.files) <= perfil.bytes_zip
    for one in sources:
        if perfil.sin_script and one.tipo == "SOPORTE" and (one.rasgos or frozenset()) & SCRIPTS:
            assert one.sha256 in named


def _twins(sources: list[Source]) -> bool:
    """Sources that differ in nothing that orders them may stand in either order."""
    keys = [(one.tipo, one.sigla, one.nombre, one.trozo, one.sha256) for one in sources]
    invoices = [one for one in sources if one.tipo in ("FEV", "INVOICE")]
    return (
        len(set(keys)) < len(keys) or len(invoices) > 1 or len([o for o in sources if o.tipo == "RESPUESTA_DIAN"]) > 1
    )


def boxed(*planes: tuple[int, str, Plan]) -> dict[str, list[str]]:
    return {one.nombre: [item.ruta for item in one.archivos] for one in cajas(planes, nit=NIT, envio_id=7)}


def test_without_rules_one_zip_and_a_folder_per_invoice_when_there_are_several() -> None:
    alone = planned(COMUN, FILES[0])
    assert boxed((1, NUMERO, alone)) == {"900123456_FE0010.zip": ["FEV_900123456_FE0010.xml"]}
    assert boxed((1, "A1", alone), (2, "A2", alone)) == {
        "900123456_envio-7.zip": ["A1/FEV_900123456_FE0010.xml", "A2/FEV_900123456_FE0010.xml"]
    }


def test_with_rules_each_invoice_has_its_own_zips_without_folders_and_no_name_twice() -> None:
    heavy = [support(f"PDX_900123456_FE{n}.pdf", 20 * MB, mark) for n, mark in enumerate("ab")]
    found = planned("zip_30", *heavy)
    boxes = boxed((1, "A1", found), (2, "A2", found))
    assert list(boxes) == [
        "900123456_20260715_1.zip", "900123456_20260715_2.zip",
        "900123456_20260715_1_2.zip", "900123456_20260715_2_2.zip",
    ]  # fmt: skip
    assert not any("/" in name for names in boxes.values() for name in names)
    loads = planned("axa", *FILES)
    assert list(boxed((1, NUMERO, loads))) == ["900123456_FE0010.zip"]
    assert boxed((1, NUMERO, planned("axa"))) == {}
