"""Each rule of the RIPS over an invented invoice: silent on the clean one, and at its place on the one that breaks it."""

from __future__ import annotations

import csv
import dataclasses
import inspect
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from radica.facturas.cuv import find_answer, read_cuv
from radica.facturas.fev import Anticipo, Clase, Referencia
from radica.facturas.validacion import (
    reglas_rips_atencion,
    reglas_rips_cups,
    reglas_rips_diagnosticos,
    reglas_rips_encabezado,
    reglas_rips_fechas,
    reglas_rips_usuario,
    reglas_rips_valores,
)
from radica.facturas.validacion.catalogo import contar, reglas
from radica.facturas.validacion.modelo import Clase as Peso
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion.reglas_rips import reglas_rips
from radica.facturas.validacion.tablas import VACIOS
from tests.rips_muestra import CATALOGOS, FECHA, MEDICAMENTO, contexto, fev, paquete, rips
from tests.rips_rotos import CON, F_INI, LIMPIOS, PAGO, ROTOS, M, Rompe


def test_the_clean_invoice_has_no_finding() -> None:
    found = list(contar(reglas_rips(paquete(rips(), fev()), contexto()), FECHA))
    assert {one.clase for one in found} == {Peso.NO_DECIDIBLE}


@pytest.mark.parametrize("roto", ROTOS, ids=lambda one: f"{one.codigo}-{one.ruta or 'cabecera'}")
def test_what_breaks_a_rule_is_found_at_its_place(roto: Rompe) -> None:
    found = roto.hallados()
    assert (roto.codigo, roto.ruta) in [(one.codigo, one.ruta) for one in found]
    told = [one for one in contar(found, FECHA) if one.codigo == roto.codigo and one.ruta == roto.ruta]
    assert told
    assert all(one.clase in (Peso.RECHAZO, Peso.NOTIFICACION) for one in told)
    assert all(one.mensaje and one.arreglo and "{" not in one.mensaje + one.arreglo for one in told)


@pytest.mark.parametrize(("codigo", "limpio"), LIMPIOS)
def test_what_only_looks_like_a_break_is_not_told(codigo: str, limpio: Rompe) -> None:
    assert codigo not in {one.codigo for one in limpio.hallados() if one.variante not in ("registro", "sin_catalogo")}


def test_copayments_are_compared_by_concept() -> None:
    copay = fev(prepaid_payments=(Anticipo("01", Decimal(4000), None), Anticipo("04", Decimal(9000), None)))
    same = Rompe("RVG09", "", "consultas", {CON: "01", PAGO: 4000}, fev=copay)
    other = Rompe("RVG09", "", "consultas", {CON: "02", PAGO: 4000}, fev=copay)
    less = Rompe("RVG09", "", "consultas", {CON: "02", PAGO: 3000}, fev=copay)
    assert "RVG09" not in {one.codigo for one in same.hallados()}
    assert {one.variante for one in other.hallados() if one.codigo == "RVG09"} == {"concepto"}
    assert {one.variante for one in less.hallados() if one.codigo == "RVG09"} == {""}


def test_an_advance_alone_is_no_payment_of_the_patient() -> None:
    advance = fev(prepaid_payments=(Anticipo("04", Decimal(9000), None),), prepaid=Decimal(9000))
    assert "RVG09" not in {one.codigo for one in Rompe("", "", "consultas", {}, fev=advance).hallados()}
    both = Rompe("", "", "consultas", {CON: "01", PAGO: 4000}, fev=dataclasses.replace(advance, prepaid=Decimal(13000)))
    assert "RVG09" not in {one.codigo for one in both.hallados()}


def test_a_refusal_of_the_ministry_dates_the_validation() -> None:
    """RVC013 compares with the day on which the Ministry looked; an answer that accepts is no limit."""
    late = rips()
    late["usuarios"][0]["servicios"]["consultas"][0][F_INI] = "2026-07-12 08:00"
    for accepted, codes in ((False, {"RVC013"}), (True, set())):
        answer = find_answer(
            {
                "ResultState": accepted,
                "CodigoUnicoValidacion": "a" * 96 if accepted else "-",
                "FechaRadicacion": "2026-07-11T15:00:00-05:00",
            }
        )
        assert answer is not None
        found = reglas_rips(dataclasses.replace(paquete(late, None), cuv=read_cuv(answer)), contexto(Modulo.FEV))
        assert {one.codigo for one in found} & {"RVC013"} == codes


def test_a_note_quotes_its_own_number_and_that_of_its_invoice() -> None:
    note = fev(kind=Clase.NOTA_CREDITO, number="NC7", prefix="NC", references=(Referencia("FE1001", None, None),))
    document = rips(tipoNota="NC", numNota="NC7", numFactura="FE1001")
    eyes = contexto(Modulo.NC)
    assert not [
        one for one in reglas_rips(paquete(document, note), eyes) if one.codigo in ("RVC004", "RVG08", "RVC014")
    ]
    document["numNota"] = "NC8"
    assert [one.ruta for one in reglas_rips(paquete(document, note), eyes) if one.codigo == "RVC004"] == ["numNota"]


def test_a_note_of_several_invoices_quotes_one_of_them() -> None:
    both = (Referencia("FE1001", None, None), Referencia("FE1002", None, None))
    note = fev(kind=Clase.NOTA_CREDITO, number="NC7", prefix="NC", references=both)
    for own, places in (("FE1002", []), ("FE1003", ["numFactura"])):
        document = rips(tipoNota="NC", numNota="NC7", numFactura=own)
        found = reglas_rips(paquete(document, note), contexto(Modulo.NC))
        assert [one.ruta for one in found if one.codigo == "RVC004"] == places


@pytest.mark.parametrize(
    ("version", "codigo", "clase"),
    [
        ("cupsrips_sispro_2025-05.csv", "10A009", Peso.AVISO),
        ("cupsrips_sispro_2025-05.csv", "CAMA1", Peso.RECHAZO),
        ("2026-01-31", "10A009", Peso.RECHAZO),
        ("2027-01-31", "10A009", Peso.AVISO),
        ("", "10A009", Peso.RECHAZO),
    ],
)
def test_a_table_of_cups_of_another_year_does_not_know_all_codes(version: str, codigo: str, clase: Peso) -> None:
    document = rips()
    document["usuarios"][0]["servicios"]["otrosServicios"][0].update(tipoOS="03", codTecnologiaSalud=codigo)
    eyes = contexto(catalogos=dataclasses.replace(CATALOGOS, versiones={"cups": version}))
    found = contar(reglas_rips(paquete(document, fev()), eyes), FECHA)
    assert [one.clase for one in found if one.codigo == "RVC024"] == [clase]


def test_zero_described_a_medicine_before_the_new_norm_and_not_after() -> None:
    def places(fecha: date) -> list[str]:
        return [one.ruta for one in reglas_rips(paquete(rips()), contexto(fecha=fecha)) if one.codigo == "RVC065"]

    assert places(date(2026, 6, 30)) == [M + "concentracionMedicamento", M + "unidadMedida"]
    assert places(date(2026, 7, 1)) == []


def test_without_a_catalogue_its_rules_are_undecidable_once_each() -> None:
    eyes = dataclasses.replace(contexto(), catalogos=VACIOS)
    found = list(contar(reglas_rips(paquete(rips(), fev()), eyes), FECHA))
    told = [one.codigo for one in found if one.codigo in reglas_rips_cups.CON_CUPS]
    assert sorted(told) == sorted(reglas_rips_cups.CON_CUPS)
    assert {one.clase for one in found} == {Peso.NO_DECIDIBLE}


def test_registers_are_asked_for_what_the_package_has() -> None:
    document = rips()
    document["usuarios"][0]["servicios"] = {
        "medicamentos": [{**MEDICAMENTO, "tipoMedicamento": "04", "idMIPRES": "1" * 24}]
    }
    found = {one.codigo for one in reglas_rips(paquete(document), contexto()) if one.variante == "registro"}
    assert found == {"RVC049", "RVC055", "RVC063"}


@pytest.mark.parametrize(
    "raro", [None, [], {}, [{}], "x", 7, True, Decimal("1.5"), "", "2026-13-45 99:99", "\ud7ff" * 20]
)
def test_no_value_of_any_field_stops_the_rules(raro: object) -> None:
    kinds = list(rips()["usuarios"][0]["servicios"])
    document = rips()
    user = document["usuarios"][0]
    for kind in kinds:
        user["servicios"][kind] = [dict.fromkeys(user["servicios"][kind][0], raro), raro]
    list(reglas_rips(paquete(document, fev()), contexto()))
    for name in list(user):
        list(reglas_rips(paquete(rips(usuarios=[{**user, name: raro}, raro]), fev()), contexto()))
    for name in rips():
        list(reglas_rips(paquete(rips(**{name: raro}), fev()), contexto()))


def _reglas_escritas() -> set[str]:
    """Return the codes that the functions of the rules say in their names."""
    modules = (
        reglas_rips_atencion, reglas_rips_cups, reglas_rips_diagnosticos, reglas_rips_encabezado, reglas_rips_fechas,
        reglas_rips_usuario, reglas_rips_valores,
    )  # fmt: skip
    names = {name for module in modules for name, _ in inspect.getmembers(module, inspect.isfunction)}
    return {name[:3].upper() + name[3:] for name in names if name[:3] in ("rvc", "rvg")}


def test_every_rule_of_this_part_has_a_test_that_breaks_it() -> None:
    assert _reglas_escritas() == {one.codigo for one in ROTOS}


def test_every_rule_of_the_ministry_is_a_rule_undecidable_or_explained(referencia: Path) -> None:
    with (referencia / "muv_reglas.csv").open(encoding="utf-8") as stream:
        theirs = {row["codigo"] for row in csv.DictReader(stream) if row["codigo"].startswith(("RVG", "RVC"))}
    text = files("radica.facturas.validacion").joinpath("data", "no_aplican_rips.csv").read_text(encoding="utf-8")
    explained = {row["codigo"]: row["razon"] for row in csv.DictReader(text.splitlines())}
    told = {code for code, _ in reglas()}
    assert theirs - told - set(explained) == set()
    assert set(explained) & told == set()
    assert all(explained.values())
