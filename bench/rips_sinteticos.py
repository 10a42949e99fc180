"""Invented RIPS of any size that no rule decided here would refuse: what benches measure and tests start from.

Invariant: no person exists; the same arguments give the same document. What real files are only notified of stays in
(a concentration of zero beside each medicine). Norm: MUV technical document 1.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from radica.facturas.validacion.esquemas.compuerta import compuertas
from radica.facturas.validacion.esquemas.servicios import Version

_ANY_DAY = date(2026, 1, 1)
NIT = "900123456"
PRESTADOR = "110010000101"
POR_USUARIO = {"consultas": 3, "procedimientos": 4, "urgencias": 1, "medicamentos": 8, "otrosServicios": 4}
"""Services of one user of a large document: 20, in the proportions of a hospital."""

_PROFESIONAL = {"tipoDocumentoIdentificacion": "CC", "numDocumentoIdentificacion": "79000001"}
_PAGO = {"conceptoRecaudo": "05", "valorPagoModerador": 0, "numFEVPagoModerador": None}
_SERVICIO = {"modalidadGrupoServicioTecSal": "01", "grupoServicios": "01", "codServicio": 328}
_EGRESO = {
    "codDiagnosticoPrincipal": "J189",
    "codDiagnosticoPrincipalE": "J189",
    "codDiagnosticoRelacionadoE1": None,
    "codDiagnosticoRelacionadoE2": None,
    "codDiagnosticoRelacionadoE3": None,
    "condicionDestinoUsuarioEgreso": "01",
    "codDiagnosticoCausaMuerte": None,
}
_RECORDS: dict[str, dict[str, Any]] = {
    "consultas": {
        "codConsulta": "890701",
        **_SERVICIO,
        "grupoServicios": "05",
        "codServicio": 1102,
        "finalidadTecnologiaSalud": "16",
        "causaMotivoAtencion": "38",
        "codDiagnosticoPrincipal": "J189",
        "codDiagnosticoRelacionado1": None,
        "codDiagnosticoRelacionado2": None,
        "codDiagnosticoRelacionado3": None,
        "tipoDiagnosticoPrincipal": "01",
        **_PROFESIONAL,
        "vrServicio": 44900,
        **_PAGO,
        "numAutorizacion": None,
    },
    "procedimientos": {
        "idMIPRES": None,
        "numAutorizacion": None,
        "codProcedimiento": "902210",
        "viaIngresoServicioSalud": "03",
        **_SERVICIO,
        "finalidadTecnologiaSalud": "15",
        **_PROFESIONAL,
        "codDiagnosticoPrincipal": "J189",
        "codDiagnosticoRelacionado": None,
        "codComplicacion": None,
        "vrServicio": 28000,
        **_PAGO,
    },
    "urgencias": {"causaMotivoAtencion": "38", **_EGRESO},
    "hospitalizacion": {
        "viaIngresoServicioSalud": "01",
        "numAutorizacion": None,
        "causaMotivoAtencion": "38",
        **_EGRESO,
        "codComplicacion": None,
    },
    "recienNacidos": {
        "tipoDocumentoIdentificacion": "CC",
        "numDocumentoIdentificacion": "52000001",
        "edadGestacional": 39,
        "numConsultasCPrenatal": 7,
        "codSexoBiologico": "01",
        "peso": 3200,
        "codDiagnosticoPrincipal": "P399",
        "condicionDestinoUsuarioEgreso": "01",
        "codDiagnosticoCausaMuerte": None,
    },
    "medicamentos": {
        "numAutorizacion": None,
        "idMIPRES": None,
        "codDiagnosticoPrincipal": "J189",
        "codDiagnosticoRelacionado": None,
        "tipoMedicamento": "01",
        "codTecnologiaSalud": "19974622-1",
        "nomTecnologiaSalud": None,
        "concentracionMedicamento": 0,
        "unidadMedida": 0,
        "formaFarmaceutica": None,
        "unidadMinDispensa": 1,
        "cantidadMedicamento": 2,
        "diasTratamiento": 1,
        **_PROFESIONAL,
        "vrUnitMedicamento": 300,
        "vrServicio": 600,
        **_PAGO,
    },
    "otrosServicios": {
        "numAutorizacion": None,
        "idMIPRES": None,
        "tipoOS": "01",
        "codTecnologiaSalud": "JER010",
        "nomTecnologiaSalud": "JERINGA 10 ML",
        "cantidadOS": 1,
        **_PROFESIONAL,
        "vrUnitOS": 2014,
        "vrServicio": 2014,
        **_PAGO,
    },
}
_DATES = {
    "medicamentos": ("fechaDispensAdmon",),
    "otrosServicios": ("fechaSuministroTecnologia",),
    "urgencias": ("fechaInicioAtencion", "fechaEgreso"),
    "hospitalizacion": ("fechaInicioAtencion", "fechaEgreso"),
    "recienNacidos": ("fechaNacimiento", "fechaEgreso"),
}


def registro(kind: str, number: int = 1, version: Version = Version.RES_2275) -> dict[str, Any]:
    """Return one right service record of a kind; `number` is its consecutivo and chooses the hour."""
    first, *rest = _DATES.get(kind, ("fechaInicioAtencion",))
    made = {
        "codPrestador": PRESTADOR,
        first: f"2026-03-{1 + number % 20:02d} {number % 24:02d}:15",
        **dict.fromkeys(rest, f"2026-03-{2 + number % 20:02d} {number % 24:02d}:15"),
        **_RECORDS[kind],
        "consecutivo": number,
    }
    return made | dict.fromkeys(set(compuertas(version, _ANY_DAY).servicio[kind].campos) - set(made))


def usuario(
    number: int = 1, counts: dict[str, int] | None = None, version: Version = Version.RES_2275
) -> dict[str, Any]:
    """Return one user with as many services of each kind as `counts` says (default: one consultation)."""
    made: dict[str, Any] = {
        "tipoDocumentoIdentificacion": "CC",
        "numDocumentoIdentificacion": str(10_000_000 + number),
        "tipoUsuario": "01",
        "fechaNacimiento": "1980-02-29",
        "codSexo": "F",
        "codPaisResidencia": "170",
        "codMunicipioResidencia": "11001",
        "codZonaTerritorialResidencia": "02",
        "incapacidad": "NO",
        "codPaisOrigen": "170",
        "consecutivo": number,
        "servicios": {
            kind: [registro(kind, at + 1, version) for at in range(count)]
            for kind, count in (counts or {"consultas": 1}).items()
        },
    }
    return made | dict.fromkeys(set(compuertas(version, _ANY_DAY).usuario.campos) - set(made))


def documento(users: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the RIPS of invoice FE1 with these users."""
    return {
        "numDocumentoIdObligado": NIT,
        "numFactura": "FE1",
        "tipoNota": None,
        "numNota": None,
        "usuarios": users,
    }


def grande(services: int, version: Version = Version.RES_2275) -> dict[str, Any]:
    """Return a RIPS of about so many services, twenty a user."""
    return documento([usuario(number, POR_USUARIO, version) for number in _numbers(services)])


def escrito(services: int) -> bytes:
    """Return the bytes of `grande`, made user by user: a bench of memory must not count how its input was made."""
    head, tail = json.dumps(documento([])).encode().rsplit(b"]", 1)
    users = (json.dumps(usuario(number, POR_USUARIO)).encode() for number in _numbers(services))
    return b"".join((head, b", ".join(users), b"]", tail))


def _numbers(services: int) -> range:
    return range(1, max(1, services // sum(POR_USUARIO.values())) + 1)
