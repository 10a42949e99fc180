"""RIPS and CUV of the demonstration set: the structure of Res. 948/2026 and the answer of the validation mechanism.

Σ vrServicio is the gross total of the FEV and Σ valorPagoModerador its PrepaidAmount (rules RVG08 and RVG09 of the MUV).
The CIE-11 fields travel as null: in transition they are optional.
Invariant: same bill, same bytes; amounts are whole pesos, never floats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

from radica.app.demo.bill import Bill, Charge
from radica.app.demo.catalog import Person
from radica.app.demo.fev import recaudo_number

Record = dict[str, object]
_GROUPS = {
    "consulta": "consultas",
    "procedimiento": "procedimientos",
    "medicamento": "medicamentos",
    "otro": "otrosServicios",
}


def _when(bill: Bill, step: int) -> str:
    """Date and time of the step-th record, inside the period of the invoice (AAAA-MM-DD HH:MM)."""
    days = (bill.end - bill.start).days
    day = bill.start + timedelta(days=step % (days + 1))
    return f"{day} {7 + step % 11:02d}:{(step * 7) % 60:02d}"


def _nulls(*names: str) -> Record:
    return dict.fromkeys(names)


def _cie11_fields(*diagnoses: str) -> Record:
    """For each diagnosis field its CIE-11 code and name, both null."""
    record: Record = {}
    for name in diagnoses:
        record[f"{name}CIE11"] = None
        record[f"nom{name[0].upper()}{name[1:]}CIE11"] = None
    return record


def _consulta(bill: Bill, charge: Charge, step: int) -> Record:
    return {
        "codPrestador": bill.provider.codigo_sede,
        "fechaInicioAtencion": _when(bill, step),
        "numAutorizacion": None,
        "codConsulta": charge.item.code,
        "modalidadGrupoServicioTecSal": "01",
        "grupoServicios": charge.item.grupo,
        "codServicio": charge.item.servicio,
        "finalidadTecnologiaSalud": "16",
        "causaMotivoAtencion": bill.scenario.causa,
        "codDiagnosticoPrincipal": bill.scenario.dx,
        "codDiagnosticoRelacionado1": bill.scenario.dx2,
        **_nulls("codDiagnosticoRelacionado2", "codDiagnosticoRelacionado3"),
        **_cie11_fields(
            "codDiagnosticoPrincipal",
            "codDiagnosticoRelacionado1",
            "codDiagnosticoRelacionado2",
            "codDiagnosticoRelacionado3",
        ),
        "codigoVIDA": None,
        "tipoDiagnosticoPrincipal": "02",
        "tipoDocumentoIdentificacion": "CC",
        "numDocumentoIdentificacion": bill.doctor[1],
        "vrServicio": charge.unit,
    }


def _procedimiento(bill: Bill, charge: Charge, step: int) -> Record:
    via = {"": "02", "urgencias": "01", "hospitalizacion": "03"}[bill.scenario.encounter]
    return {
        "codPrestador": bill.provider.codigo_sede,
        "fechaInicioAtencion": _when(bill, step),
        **_nulls("idMIPRES", "numAutorizacion"),
        "codProcedimiento": charge.item.code,
        "viaIngresoServicioSalud": via,
        "modalidadGrupoServicioTecSal": "01",
        "grupoServicios": charge.item.grupo,
        "codServicio": charge.item.servicio,
        "finalidadTecnologiaSalud": "17" if charge.item.code == "931001" else "15",
        "tipoDocumentoIdentificacion": "CC",
        "numDocumentoIdentificacion": bill.doctor[1],
        "codDiagnosticoPrincipal": bill.scenario.dx,
        "codDiagnosticoRelacionado": bill.scenario.dx2,
        "codComplicacion": None,
        **_cie11_fields("codDiagnosticoPrincipal", "codDiagnosticoRelacionado", "codComplicacion"),
        "codigoVIDA": None,
        "vrServicio": charge.unit,
    }


def _medicamento(bill: Bill, charge: Charge, step: int) -> Record:
    return {
        "codPrestador": bill.provider.codigo_sede,
        **_nulls("numAutorizacion", "idMIPRES"),
        "fechaDispensAdmon": _when(bill, step),
        "codDiagnosticoPrincipal": bill.scenario.dx,
        "codDiagnosticoRelacionado": bill.scenario.dx2,
        **_cie11_fields("codDiagnosticoPrincipal", "codDiagnosticoRelacionado"),
        "tipoMedicamento": "01",
        "codTecnologiaSalud": charge.item.code,
        "nomTecnologiaSalud": None,
        "concentracionMedicamento": 0,
        "unidadMedida": 0,
        "formaFarmaceutica": None,
        "unidadMinDispensa": 3,
        "cantidadMedicamento": charge.qty,
        "diasTratamiento": max(1, bill.scenario.days or 30) if bill.scenario.encounter != "urgencias" else 1,
        "tipoDocumentoIdentificacion": "CC",
        "numDocumentoIdentificacion": bill.doctor[1],
        "vrUnitMedicamento": charge.unit,
        "vrDispensacion": 0,
        "codigoVIDA": None,
        "vrServicio": charge.total,
    }


def _otro(bill: Bill, charge: Charge, step: int) -> Record:
    named = charge.item.detail == "01"
    person = charge.item.detail in ("01", "04", "05")
    return {
        "codPrestador": bill.provider.codigo_sede,
        **_nulls("numAutorizacion", "idMIPRES"),
        "fechaSuministroTecnologia": _when(bill, step),
        "tipoOS": charge.item.detail,
        "codTecnologiaSalud": charge.item.code,
        "nomTecnologiaSalud": charge.item.name if named else None,
        "cantidadOS": charge.qty,
        "tipoDocumentoIdentificacion": "CC" if person else None,
        "numDocumentoIdentificacion": bill.doctor[1] if person else None,
        "vrUnitOS": charge.unit,
        "vrDispensacion": 0,
        "vrServicio": charge.total,
        "codigoVIDA": None,
    }


_BUILDERS: Mapping[str, Callable[[Bill, Charge, int], Record]] = {
    "consulta": _consulta,
    "procedimiento": _procedimiento,
    "medicamento": _medicamento,
    "otro": _otro,
}


def _encounter(bill: Bill) -> Record:
    """The record of urgencias or hospitalización: it says that the stay happened and carries no amount."""
    scenario = bill.scenario
    exit_fields = ("codDiagnosticoRelacionadoE2", "codDiagnosticoRelacionadoE3")
    record: Record = {
        "codPrestador": bill.provider.codigo_sede,
        "fechaInicioAtencion": f"{bill.start} 06:40",
        "causaMotivoAtencion": scenario.causa,
        "codDiagnosticoPrincipal": scenario.dx,
        "codDiagnosticoPrincipalE": scenario.dx,
        "codDiagnosticoRelacionadoE1": scenario.dx2,
        **_nulls(*exit_fields),
        **_cie11_fields(
            "codDiagnosticoPrincipal", "codDiagnosticoPrincipalE", "codDiagnosticoRelacionadoE1", *exit_fields
        ),
        "condicionDestinoUsuarioEgreso": "01",
        "codDiagnosticoCausaMuerte": None,
        **_cie11_fields("codDiagnosticoCausaMuerte"),
        "fechaEgreso": f"{bill.end} 19:20",
        "codigoVIDA": None,
        "consecutivo": 1,
    }
    if scenario.encounter == "hospitalizacion":
        record |= {
            "viaIngresoServicioSalud": "03",
            **_nulls("numAutorizacion", "codComplicacion", *_cie11_fields("codComplicacion")),
        }
    return record


def _share(bill: Bill) -> Charge | None:
    """The charge on which the patient's payment is reported: the dearest one, stays and supplies aside."""
    if bill.recaudo is None:
        return None
    return max((c for c in bill.charges if c.item.kind != "otro"), key=_record_value)


def _record_value(charge: Charge) -> int:
    return charge.unit if charge.item.kind in ("consulta", "procedimiento") else charge.total


def _services(bill: Bill, *, first: bool) -> dict[str, list[Record]]:
    """Services of one patient; only the first one of the bill carries the patient's payment."""
    services: dict[str, list[Record]] = {}
    share = _share(bill) if first else None
    step = 0
    for charge in bill.charges:
        one = Charge(charge.item, charge.unit, charge.qty // len(bill.patients))
        repeats = one.qty if charge.item.kind in ("consulta", "procedimiento") else 1
        group = services.setdefault(_GROUPS[charge.item.kind], [])
        for _ in range(repeats):
            record = _BUILDERS[charge.item.kind](bill, one, step)
            paid = share is charge and bill.recaudo is not None
            record["conceptoRecaudo"] = bill.recaudo[0] if paid and bill.recaudo else "05"
            record["valorPagoModerador"] = bill.prepaid if paid else 0
            record["numFEVPagoModerador"] = recaudo_number(bill) if paid else None
            record["consecutivo"] = len(group) + 1
            group.append(record)
            share = None if paid else share
            step += 1
    if bill.scenario.encounter:
        services[bill.scenario.encounter] = [_encounter(bill)]
    return services


def _user(bill: Bill, person: Person, number: int) -> Record:
    return {
        "tipoDocumentoIdentificacion": person.doc_type,
        "numDocumentoIdentificacion": person.doc,
        "tipoUsuario": person.user_type,
        "fechaNacimiento": person.birth.isoformat(),
        "codSexo": person.sex,
        "codPaisResidencia": "170",
        "codMunicipioResidencia": bill.provider.place.dane,
        "codZonaTerritorialResidencia": "02",
        "incapacidad": "NO",
        "consecutivo": number,
        "codPaisOrigen": "170",
        "registroSIRAS": person.siras,
        "servicios": _services(bill, first=number == 1),
    }


def build_rips(bill: Bill) -> bytes:
    """The RIPS of the bill as UTF-8 JSON."""
    rips = {
        "numDocumentoIdObligado": bill.provider.nit,
        "numFactura": bill.number,
        "tipoNota": None,
        "numNota": None,
        "usuarios": [_user(bill, person, number) for number, person in enumerate(bill.patients, 1)],
    }
    return json.dumps(rips, ensure_ascii=False, indent=1).encode("utf-8")


def build_cuv(bill: Bill) -> bytes:
    """ResultadosMSPS of an approved validation: its CUV has 96 hex digits, a notification does not block."""
    answer = {
        "ResultState": True,
        "ProcesoId": bill.process_id,
        "NumFactura": bill.number,
        "CodigoUnicoValidacion": bill.cuv,
        "FechaRadicacion": f"{bill.validated + timedelta(minutes=42):%Y-%m-%dT%H:%M:%S}.0990000-05:00",
        "RutaArchivos": None,
        "Ambiente": "Produccion",
        "Modulo": "FevRips",
        "ModalidadPago": "Pago por evento",
        "PeriodoAtencion": {"FechaInicio": f"{bill.start}T00:00:00", "FechaFin": f"{bill.end}T00:00:00"},
        "ResultadosValidacion": [
            {
                "Clase": "NOTIFICACION",
                "Codigo": "FED131" if bill.contract else "FED129",
                "Descripcion": "Aviso de demostración: el dato es opcional y no viene en la factura.",
                "Observaciones": "",
                "PathFuente": "",
                "Fuente": "FacturaElectronica",
            }
        ],
    }
    return json.dumps(answer, ensure_ascii=False, indent=2).encode("utf-8")


def cuv_file_name(bill: Bill) -> str:
    """Name that the client of the ministry gives to an approved result."""
    return f"ResultadosMSPS_{bill.number}_ID{bill.process_id}_A_CUV.json"
