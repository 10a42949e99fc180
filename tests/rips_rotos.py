"""What breaks each rule of the RIPS over the invented invoice of `rips_muestra`, and what only looks like it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from radica.facturas.fev import Clase, Fev
from radica.facturas.validacion.modelo import Contexto, Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_rips import reglas_rips
from tests.rips_muestra import (
    BRUTO,
    CONSULTA,
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

    def paquete(self) -> tuple[Paquete, Contexto]:
        """Return the package with the break in it, and the eyes to judge it with."""
        document = rips()
        user = document["usuarios"][0]
        target = user["servicios"][self.tipo][0] if self.tipo in user["servicios"] else user
        if self.tipo or not self.todo:
            target.update(self.cambio)
        if self.todo:
            self.todo(document)
        invoice = None if self.sin_fev else self.fev or fev()
        return paquete(document, invoice), contexto(self.modulo)

    def hallados(self) -> list[Hallado]:
        """Return what the rules find in it."""
        return list(reglas_rips(*self.paquete()))


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
    Rompe("RVC004", "numFactura", todo=lambda d: d.update(numFactura="FE-001001")),
    Rompe("RVC004", "numFactura", todo=lambda d: d.update(numFactura=None)),
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
    Rompe("RVC034", C + "vrServicio", fev=salud(fev(), MODALIDAD_PAGO=("Paquete", "01"))),
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
    Rompe("RVC056", O + "tipoOS", todo=solo(otrosServicios=[{**OTRO, "tipoOS": "03", "codTecnologiaSalud": "5DS801"}])),
    Rompe("RVC057", N + "edadGestacional", "recienNacidos", {"edadGestacional": 19}),
    Rompe("RVC058", N + "peso", "recienNacidos", {"peso": 6001}),
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
    Rompe("RVC095", "usuarios[0].registroSIRAS", "usuario", {"tipoUsuario": "14"}),
    Rompe("RVC096", C + "codConsulta", "consultas", {"codConsulta": "890000"}),
    Rompe("RVC097", N + "numConsultasCPrenatal", "recienNacidos", {"numConsultasCPrenatal": 16}),
    Rompe("RVG08", "", "consultas", {"vrServicio": 50002}),
    Rompe("RVG08", "", todo=solo(urgencias=[de("urgencias")])),
    Rompe("RVG08", "", fev=fev(line_extension=BRUTO, tax_inclusive=BRUTO + 238, payable=BRUTO + 238)),
    Rompe(
        "RVG08",
        "",
        modulo=Modulo.NC,
        fev=fev(kind=Clase.NOTA_CREDITO, line_extension=BRUTO - 1000, tax_inclusive=None, payable=BRUTO - 1000),
    ),
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
    Rompe("RVG15", U + F_INI, "consultas", {"codConsulta": "890201", "grupoServicios": "01"}),
    Rompe("RVG15", U + F_INI, "consultas", {F_INI: "2026-07-10 07:59"}),
    Rompe("RVG16", U + CAUSA, "urgencias", {CAUSA: "26"}),
)


LIMPIOS: tuple[tuple[str, Rompe], ...] = (
    ("RVC004", Rompe("", "", todo=lambda d: d.update(numFactura=" fe1001"))),
    ("RVC013", Rompe("", "", "consultas", {F_INI: "2026-08-03 09:00"})),
    ("RVC014", Rompe("", "", "procedimientos", {F_INI: "2026-07-31 23:59"})),
    ("RVC014", Rompe("", "", "procedimientos", {F_INI: "2026-06-01 00:00"}, fev=CAPITA, modulo=Modulo.CAPITA_PERIODO)),
    ("RVC007", Rompe("", "", "usuario", {"tipoDocumentoIdentificacion": "TI", "fechaNacimiento": "2007-07-11"})),
    ("RVC007", Rompe("", "", "usuario", {"tipoDocumentoIdentificacion": "CN", "fechaNacimiento": "2022-01-01"})),
    ("RVC023", Rompe("", "", modulo=Modulo.NC, todo=solo(procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "740001"}]))),
    ("RVC023", Rompe("", "", todo=servicios(recienNacidos=None, procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "740001", DX: "O364"}]))),
    ("RVC034", Rompe("", "", "consultas", {"vrServicio": 0}, sin_fev=True)),
    ("RVC034", Rompe("", "", "medicamentos", {"tipoMedicamento": "03", "vrUnitMedicamento": 0, "vrServicio": 0})),
    ("RVC035", Rompe("", "", "consultas", {CON: "02", PAGO: 4000})),
    ("RVC053", Rompe("", "", "urgencias", {"condicionDestinoUsuarioEgreso": "02", F_EGR: "2026-07-10 20:00"})),
    ("RVC060", Rompe("", "", todo=servicios(medicamentos=[{**MEDICAMENTO, CON: "02"}, {**MEDICAMENTO, CON: "02", PAGO: 4000}]))),
    ("RVC060", Rompe("", "", "consultas", {CON: "02"}, modulo=Modulo.NC)),
    ("RVC061", Rompe("", "", "consultas", {CON: None, "tipoPagoModerador": "01", PAGO: 4000})),
    ("RVC063", Rompe("", "", "medicamentos", {"codTecnologiaSalud": "1A1013411000100"})),
    ("RVC063", Rompe("", "", "medicamentos", {"tipoMedicamento": "02", "codTecnologiaSalud": "X"})),
    ("RVG08", Rompe("", "", fev=fev(line_extension=BRUTO / 2, tax_inclusive=BRUTO))),
    ("RVG08", Rompe("", "", fev=fev(line_extension=BRUTO + Decimal("1.99")))),
    ("RVG08", Rompe("", "", fev=fev(line_extension=BRUTO + 5000, tax_inclusive=BRUTO + 5000))),
    ("RVG08", Rompe("", "", "consultas", {"vrServicio": "cincuenta mil"})),
    ("RVG14", Rompe("", "", todo=servicios(recienNacidos=[RECIEN_NACIDO, {**RECIEN_NACIDO, "numDocumentoIdentificacion": "1"}], procedimientos=[{**PROCEDIMIENTO, "codProcedimiento": "735930"}]))),
    ("RVG16", Rompe("", "", todo=servicios(consultas=[{**CONSULTA, CAUSA: "26"}, CONSULTA]))),
    ("RVC056", Rompe("", "", todo=solo(otrosServicios=[{**OTRO, "tipoOS": "03", "codTecnologiaSalud": "10A001"}]), modulo=Modulo.NC)),
    ("RVC054", Rompe("", "", todo=servicios(urgencias=None, consultas=None))),
    ("RVG09", Rompe("", "", "consultas", {CON: "01", PAGO: 4000}, fev=fev(payable=BRUTO - 4000))),
    ("RVG08", Rompe("", "", "consultas", {"vrServicio": 1}, fev=dataclasses.replace(fev(), salud=(*fev().salud, *CAPITA.salud)))),
    ("RVG16", Rompe("", "", "consultas", {CAUSA: "26", F_INI: "2026-07-10 21:00"})),
)  # fmt: skip
