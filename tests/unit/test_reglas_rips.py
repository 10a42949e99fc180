"""Each rule of the RIPS over an invented invoice: silent on the clean one, and at its place on the one that breaks it."""

from __future__ import annotations

import csv
import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from radica.facturas.cuv import find_answer, read_cuv
from radica.facturas.fev import Anticipo, Clase, Fev, Referencia
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
from radica.facturas.validacion.modelo import Hallado, Modulo
from radica.facturas.validacion.reglas_rips import reglas_rips
from radica.facturas.validacion.tablas import VACIOS
from tests.rips_muestra import (
    BRUTO,
    CONSULTA,
    FECHA,
    MEDICAMENTO,
    OTRO,
    PROCEDIMIENTO,
    RECIEN_NACIDO,
    contexto,
    fev,
    paquete,
    rips,
    salud,
)

S = "usuarios[0].servicios."
C, P, U, H, N, M, O = (  # noqa: E741  the letters of the technical document
    f"{S}{kind}[0]."
    for kind in (
        "consultas",
        "procedimientos",
        "urgencias",
        "hospitalizacion",
        "recienNacidos",
        "medicamentos",
        "otrosServicios",
    )
)


@dataclass(frozen=True)
class Rompe:
    """What breaks a rule: a change of the first record of a kind (or of the user), or of everything."""

    codigo: str
    ruta: str
    tipo: str = ""
    cambio: dict[str, Any] = dataclasses.field(default_factory=dict)
    todo: Callable[[dict[str, Any]], Any] | None = None
    fev: Fev | None = None
    modulo: Modulo = Modulo.FEV
    sin_fev: bool = False

    def hallados(self) -> list[Hallado]:
        document = rips()
        user = document["usuarios"][0]
        target = user["servicios"][self.tipo][0] if self.tipo in user["servicios"] else user
        if self.tipo or not self.todo:
            target.update(self.cambio)
        if self.todo:
            self.todo(document)
        invoice = None if self.sin_fev else self.fev or fev()
        return list(reglas_rips(paquete(document, invoice), contexto(self.modulo)))


def servicios(**listas: Any) -> Callable[[dict[str, Any]], None]:
    """Replace lists of services; None takes the kind away."""

    def cambiar(document: dict[str, Any]) -> None:
        have = document["usuarios"][0]["servicios"]
        for kind, records in listas.items():
            if records is None:
                have.pop(kind)
            else:
                have[kind] = records

    return cambiar


def solo(**listas: Any) -> Callable[[dict[str, Any]], None]:
    def cambiar(document: dict[str, Any]) -> None:
        document["usuarios"][0]["servicios"] = listas

    return cambiar


def de(kind: str) -> dict[str, Any]:
    return rips()["usuarios"][0]["servicios"][kind][0]


F_INI, F_EGR = "fechaInicioAtencion", "fechaEgreso"
DX, DXE = "codDiagnosticoPrincipal", "codDiagnosticoPrincipalE"
FIN, CAUSA, CON, PAGO = "finalidadTecnologiaSalud", "causaMotivoAtencion", "conceptoRecaudo", "valorPagoModerador"
CAPITA = salud(fev(), MODALIDAD_PAGO=("Pago por capitación", "03"))
MAXIMO = salud(fev(), COBERTURA_PLAN_BENEFICIOS=("Presupuesto máximo", "02"))

ROTOS = (
    Rompe("RVC001", "numDocumentoIdObligado", todo=lambda d: d.update(numDocumentoIdObligado="900555444")),
    Rompe("RVC004", "numFactura", todo=lambda d: d.update(numFactura="FE1002")),
    Rompe("RVC004", "numFactura", todo=lambda d: d.update(numFactura="1001")),
    Rompe("RVC005", "usuarios[0].tipoUsuario", "usuario", {"tipoUsuario": "04"}),
    Rompe("RVC006", "usuarios[0].fechaNacimiento", "usuario", {"fechaNacimiento": "2026-08-04"}),
    Rompe("RVC007", "usuarios[0].fechaNacimiento", "usuario", {"tipoDocumentoIdentificacion": "RC"}),
    Rompe("RVC008", "usuarios[0].fechaNacimiento", "usuario", {"fechaNacimiento": "1960-01-01"}),
    Rompe("RVC009", "usuarios[0].codSexo", "usuario", {"codSexo": "M"}),
    Rompe(
        "RVC010",
        "usuarios[0].codSexo",
        todo=lambda d: (
            d["usuarios"][0].update(codSexo="M"),
            d["usuarios"][0]["servicios"]["consultas"][0].update({FIN: "24"}),
        ),
    ),
    Rompe("RVC011", "rips", fev=salud(fev(), CODIGO_PRESTADOR=("AF-0000500-85-XX-001", None))),
    Rompe("RVC013", C + F_INI, "consultas", {F_INI: "2026-08-03 09:01"}),
    Rompe("RVC013", M + "fechaDispensAdmon", "medicamentos", {"fechaDispensAdmon": "2026-08-04 00:00"}),
    Rompe("RVC014", P + F_INI, "procedimientos", {F_INI: "2026-08-01 00:00"}),
    Rompe(
        "RVC014", O + "fechaSuministroTecnologia", "otrosServicios", {"fechaSuministroTecnologia": "2026-06-30 23:59"}
    ),
    Rompe("RVC015", C + "codConsulta", "consultas", {"codConsulta": "871121"}),
    Rompe("RVC016", P + "codProcedimiento", "procedimientos", {"codProcedimiento": "601200"}),
    Rompe("RVC018", "usuarios[0].consultas[*].codConsulta", todo=servicios(consultas=[CONSULTA, CONSULTA])),
    Rompe("RVC018", "usuarios[0].procedimientos[*].codprocedimiento", todo=servicios(otrosServicios=[OTRO, OTRO])),
    Rompe("RVC020", P + "codProcedimiento", "procedimientos", {"codProcedimiento": "890201"}),
    Rompe(
        "RVC021",
        P + "codProcedimiento",
        todo=solo(procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "010201"}]),
    ),
    Rompe(
        "RVC022",
        P + "codProcedimiento",
        todo=servicios(
            hospitalizacion=None,
            procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "735301", "grupoServicios": "03"}],
        ),
    ),
    Rompe(
        "RVC023",
        P + "codProcedimiento",
        todo=servicios(recienNacidos=None, procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "740001"}]),
    ),
    Rompe("RVC024", O + "codTecnologiaSalud", "otrosServicios", {"tipoOS": "03", "codTecnologiaSalud": "ZZZZ01"}),
    Rompe("RVC026", O + "codTecnologiaSalud", "otrosServicios", {"tipoOS": "02", "codTecnologiaSalud": "871121"}),
    Rompe("RVC027", C + "codConsulta", "consultas", {"codConsulta": "890201"}),
    Rompe("RVC031", C + DX, "consultas", {DX: "R509"}),
    Rompe("RVC032", P + DX, "procedimientos", {DX: "R509"}),
    Rompe("RVC033", P + DX, "procedimientos", {DX: "Z012"}),
    Rompe("RVC034", C + "vrServicio", "consultas", {"vrServicio": 0}),
    Rompe("RVC034", M + "vrUnitMedicamento", "medicamentos", {"vrUnitMedicamento": 0}),
    Rompe("RVC034", C + "vrServicio", fev=CAPITA, modulo=Modulo.CAPITA_PERIODO),
    Rompe("RVC034", C + "vrServicio", sin_fev=True, modulo=Modulo.CAPITA_FINAL),
    Rompe(
        "RVC035",
        C + CON,
        todo=lambda d: (
            d["usuarios"][0].update(tipoUsuario="12"),
            d["usuarios"][0]["servicios"]["consultas"][0].update({CON: "02", PAGO: 4000}),
        ),
    ),
    Rompe(
        "RVC037",
        C + CON,
        todo=lambda d: (
            d["usuarios"][0].update(tipoUsuario="04"),
            d["usuarios"][0]["servicios"]["consultas"][0].update({CON: "03", PAGO: 4000}),
        ),
    ),
    Rompe("RVC038", H + F_INI, "hospitalizacion", {F_INI: "2026-08-05 00:00"}),
    Rompe("RVC039", H + F_INI, "hospitalizacion", {F_INI: "2026-07-14 00:00"}),
    Rompe("RVC040", U + F_EGR, "urgencias", {F_EGR: "2026-07-12 08:01"}),
    Rompe("RVC041", H + F_EGR, "hospitalizacion", {F_EGR: "2026-07-11 01:59"}),
    Rompe("RVC042", U + "codDiagnosticoCausaMuerte", "urgencias", {"condicionDestinoUsuarioEgreso": "02"}),
    Rompe("RVC043", H + F_EGR, "hospitalizacion", {F_EGR: "2026-08-05 00:00"}),
    Rompe("RVC044", H + F_EGR, "hospitalizacion", {F_EGR: "2026-08-01 00:00"}),
    Rompe("RVC045", N + "fechaNacimiento", "recienNacidos", {"fechaNacimiento": "2026-08-05 00:00"}),
    Rompe("RVC046", N + F_EGR, "recienNacidos", {F_EGR: "2026-07-10 00:00"}),
    Rompe("RVC047", N + "numDocumentoIdentificacion", "recienNacidos", {"tipoDocumentoIdentificacion": "CC"}),
    Rompe("RVC048", P + "numAutorizacion", fev=MAXIMO),
    Rompe("RVC050", O + "numDocumentoIdentificacion", "otrosServicios", {"numDocumentoIdentificacion": ""}),
    Rompe("RVC051", C + FIN, "consultas", {FIN: "10"}),
    Rompe("RVC052", C + FIN, "consultas", {FIN: "24"}),
    Rompe(
        "RVC053",
        U + "condicionDestinoUsuarioEgreso",
        "urgencias",
        {"condicionDestinoUsuarioEgreso": "02", F_EGR: "2026-07-10 08:40"},
    ),
    Rompe("RVC054", H + "viaIngresoServicioSalud", todo=servicios(urgencias=None, consultas=None, procedimientos=None)),
    Rompe("RVC056", O + "tipoOS", todo=solo(otrosServicios=[{**OTRO, "tipoOS": "03", "codTecnologiaSalud": "10A001"}])),
    Rompe("RVC057", N + "edadGestacional", "recienNacidos", {"edadGestacional": 19}),
    Rompe("RVC058", N + "peso", "recienNacidos", {"peso": 5001}),
    Rompe("RVC060", C + PAGO, "consultas", {CON: "02"}),
    Rompe("RVC061", P + PAGO, "procedimientos", {PAGO: 15000}),
    Rompe(
        "RVC062",
        U + "condicionDestinoUsuarioEgreso",
        todo=solo(urgencias=[{**de("urgencias"), "condicionDestinoUsuarioEgreso": "03"}]),
    ),
    Rompe("RVC063", M + "codTecnologiaSalud", "medicamentos", {"codTecnologiaSalud": "19974622-01"}),
    Rompe("RVC063", M + "codTecnologiaSalud", "medicamentos", {"codTecnologiaSalud": "170184"}),
    Rompe("RVC065", M + "unidadMedida", "medicamentos", {"unidadMedida": 168}),
    Rompe("RVC066", O + "nomTecnologiaSalud", "otrosServicios", {"nomTecnologiaSalud": " "}),
    Rompe("RVC067", C + FIN, "consultas", {FIN: "11"}),
    Rompe("RVC068", C + FIN, "consultas", {FIN: "22"}),
    Rompe("RVC069", C + FIN, "consultas", {FIN: "25"}),
    Rompe("RVC070", C + FIN, "consultas", {FIN: "23"}),
    Rompe("RVC071", C + FIN, "consultas", {FIN: "27"}),
    Rompe("RVC079", C + F_INI, "usuario", {"fechaNacimiento": "2026-07-11"}),
    Rompe("RVC080", U + F_EGR, "usuario", {"fechaNacimiento": "2026-07-11"}),
    Rompe("RVC081", U + F_INI, "usuario", {"fechaNacimiento": "2026-07-11"}),
    Rompe("RVC083", P + FIN, "procedimientos", {FIN: "42"}),
    Rompe("RVC084", C + FIN, "consultas", {FIN: "23", CAUSA: "42", CON: "02", PAGO: 4000}),
    Rompe("RVC085", C + FIN, "consultas", {FIN: "11", CAUSA: "40"}),
    Rompe("RVC086", C + "codDiagnosticoRelacionado1", "consultas", {"codDiagnosticoRelacionado1": "J189"}),
    Rompe("RVC086", M + "codDiagnosticoRelacionado", "medicamentos", {"codDiagnosticoRelacionado": "J189"}),
    Rompe("RVC087", C + "codDiagnosticoRelacionado3", "consultas", {"codDiagnosticoRelacionado3": "I10X"}),
    Rompe("RVC088", H + "codDiagnosticoRelacionadoE1", "hospitalizacion", {"codDiagnosticoRelacionadoE1": "J189"}),
    Rompe("RVC089", H + "codDiagnosticoRelacionadoE2", "hospitalizacion", {"codDiagnosticoRelacionadoE2": "I10X"}),
    Rompe(
        "RVC090",
        P + "codProcedimiento",
        todo=servicios(
            otrosServicios=None,
            procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "317402", "grupoServicios": "04"}],
        ),
    ),
    Rompe("RVC091", C + "vrServicio", sin_fev=True, modulo=Modulo.SIN_FACTURA),
    Rompe("RVC092", C + CON, "consultas", {CON: "04"}),
    Rompe("RVC094", M + "vrServicio", "medicamentos", {"vrServicio": 700}),
    Rompe("RVC095", "usuarios[0].registroSIRAS", "usuario", {"tipoUsuario": "10"}),
    Rompe("RVC096", C + "codConsulta", "consultas", {"codConsulta": "890000"}),
    Rompe("RVC097", N + "numConsultasCPrenatal", "recienNacidos", {"numConsultasCPrenatal": 16}),
    Rompe("RVG08", "", "consultas", {"vrServicio": 50002}),
    Rompe("RVG09", "", "consultas", {CON: "01", PAGO: 4000}),
    Rompe("RVG13", S + "medicamentos[*].codTecnologiaSalud", todo=servicios(medicamentos=[MEDICAMENTO, MEDICAMENTO])),
    Rompe(
        "RVG14",
        S + "recienNacidos",
        todo=servicios(
            recienNacidos=[RECIEN_NACIDO, {**RECIEN_NACIDO, "numDocumentoIdentificacion": "100200301"}],
            procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "735301"}],
        ),
    ),
    Rompe("RVG15", U + F_INI, "consultas", {"codConsulta": "890201"}),
    Rompe("RVG16", U + CAUSA, "urgencias", {CAUSA: "26"}),
)


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


LIMPIOS: tuple[tuple[str, Rompe], ...] = (
    ("RVC004", Rompe("", "", todo=lambda d: d.update(numFactura="fe-001001"))),
    ("RVC013", Rompe("", "", "consultas", {F_INI: "2026-08-03 09:00"})),
    ("RVC014", Rompe("", "", "procedimientos", {F_INI: "2026-07-31 23:59"})),
    ("RVC014", Rompe("", "", "procedimientos", {F_INI: "2026-06-01 00:00"}, fev=CAPITA, modulo=Modulo.CAPITA_PERIODO)),
    ("RVC023", Rompe("", "", todo=servicios(hospitalizacion=None, recienNacidos=None, procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "740001"}]))),
    ("RVC023", Rompe("", "", todo=servicios(recienNacidos=None, procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "740001", DX: "O364"}]))),
    ("RVC034", Rompe("", "", "consultas", {"vrServicio": 0}, sin_fev=True)),
    ("RVC034", Rompe("", "", "medicamentos", {"tipoMedicamento": "03", "vrUnitMedicamento": 0, "vrServicio": 0})),
    ("RVC035", Rompe("", "", "consultas", {CON: "02", PAGO: 4000})),
    ("RVC053", Rompe("", "", "urgencias", {"condicionDestinoUsuarioEgreso": "02", F_EGR: "2026-07-10 20:00"})),
    ("RVC060", Rompe("", "", todo=servicios(medicamentos=[{**MEDICAMENTO, CON: "02"}, {**MEDICAMENTO, CON: "02", PAGO: 4000}]))),
    ("RVC061", Rompe("", "", "consultas", {CON: None, "tipoPagoModerador": "01", PAGO: 4000})),
    ("RVC063", Rompe("", "", "medicamentos", {"codTecnologiaSalud": "1A1013411000100"})),
    ("RVC063", Rompe("", "", "medicamentos", {"tipoMedicamento": "02", "codTecnologiaSalud": "X"})),
    ("RVG08", Rompe("", "", fev=fev(line_extension=BRUTO / 2, tax_inclusive=BRUTO))),
    ("RVG08", Rompe("", "", fev=fev(line_extension=BRUTO + Decimal("1.99")))),
    ("RVG08", Rompe("", "", "consultas", {"vrServicio": "cincuenta mil"})),
    ("RVG14", Rompe("", "", todo=servicios(recienNacidos=[RECIEN_NACIDO, {**RECIEN_NACIDO, "numDocumentoIdentificacion": "1"}], procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "735930"}]))),
    ("RVG16", Rompe("", "", todo=servicios(consultas=[{**CONSULTA, CAUSA: "26"}, CONSULTA]))),
    ("RVC056", Rompe("", "", todo=solo(otrosServicios=[{**OTRO, "tipoOS": "03", "codTecnologiaSalud": "5DS801"}]))),
    ("RVC056", Rompe("", "", todo=solo(otrosServicios=[{**OTRO, "tipoOS": "03", "codTecnologiaSalud": "10A001"}]), modulo=Modulo.NC)),
    ("RVC054", Rompe("", "", todo=servicios(urgencias=None, consultas=None))),
    ("RVG09", Rompe("", "", "consultas", {CON: "01", PAGO: 4000}, fev=fev(payable=BRUTO - 4000))),
    ("RVG08", Rompe("", "", "consultas", {"vrServicio": 1}, fev=dataclasses.replace(fev(), salud=(*fev().salud, *CAPITA.salud)))),
    ("RVG16", Rompe("", "", "consultas", {CAUSA: "26", F_INI: "2026-07-10 21:00"})),
)  # fmt: skip


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


@pytest.mark.parametrize(("fecha", "clase"), [(date(2026, 6, 30), Peso.NOTIFICACION), (date(2026, 7, 1), Peso.RECHAZO)])
def test_a_repeated_diagnosis_rejects_from_the_day_of_the_new_norm(fecha: date, clase: Peso) -> None:
    document = rips()
    document["usuarios"][0]["servicios"]["medicamentos"][0]["codDiagnosticoRelacionado"] = "J189"
    found = contar(reglas_rips(paquete(document), contexto(fecha=fecha)), fecha)
    assert [one.clase for one in found if one.codigo == "RVC086"] == [clase]


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
