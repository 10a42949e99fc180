"""The schemas of user and transaction and of the seven kinds of service, as Res. 2275/2023 had them and as 948/2026.

Invariant: names and order of the properties are those of MUV technical document 1; the newer version of a record is the
older one and what Res. 948 added (CIE-11, codigoVIDA, registroSIRAS, vrDispensacion). Notes (NC, ND, NA), RIPS without
invoice (RS) and cápita have the same records: they differ in what the rules ask, not in structure.
"""
# ruff: noqa: N815  the properties are named by the norm

from __future__ import annotations

from enum import StrEnum

from radica.facturas.validacion.esquemas.campos import (
    Campo,
    Codigo,
    Dia,
    Diagnostico,
    Entero,
    EsquemaRips,
    Estructura,
    Momento,
    Motivo,
    Numero,
    Servicio,
    Texto,
    TextoONumero,
    UnidadMedida,
)


class Version(StrEnum):
    """Which norm a RIPS is written by."""

    RES_2275 = "Res. 2275 de 2023"
    RES_948 = "Res. 948 de 2026"


_PESOS, _PAGO = 15, 10
_CORTOS = range(2, 4)


def _sin_signos(text: str) -> bool:
    """Say whether a text is letters and digits of ASCII; several times faster than a pattern, and asked of every service."""
    return text.isascii() and (text.isalnum() or not text)


def _prestador(*, nulo: bool = False) -> Texto:
    return Texto(12, 12, patron="[0-9A-Za-z]+", nulo=nulo, espera="un código de habilitación de 12 caracteres")


def _cups() -> Texto:
    return Texto(6, 6, patron="[0-9A-Z]+", dudosos=range(5, 6), espera="un código CUPS de 6 caracteres").opcional(
        nulo=True
    )


def _consecutivo() -> Entero:
    """Return the place in a list: from 1 by norm and published contract; whether a 0 comes back was never seen."""
    return Entero(1, 9_999_999, dudosos=range(1))


def _documento(*, nulo: bool = False, vacio: Motivo = Motivo.TAMANO) -> Texto:
    """Return the number of a document: 4 to 20 by the norm, 2 to 20 letters and digits by the published contract."""
    kind = "un número de documento de 4 a 20 letras y cifras, sin puntos ni espacios"
    return Texto(4, 20, patron=_sin_signos, nulo=nulo, vacio=vacio, dudosos=_CORTOS, espera=kind)


def _recaudo() -> Codigo:
    """Return the concept of collection, of which the published contract asks no size: its table judges it."""
    return Codigo("conceptoRecaudo", tamano=Motivo.TABLA)


def _enumerado(tabla: str, *, nulo: bool = False) -> Codigo:
    """Return a code whose few values the published contract writes: any other is a fault of structure."""
    return Codigo(tabla, nulo=nulo, fuera=Motivo.FORMATO, tamano=Motivo.FORMATO)


def _pais() -> Texto:
    return Texto(3, 3, patron="[0-9]+", espera="un código de país ISO 3166 de 3 cifras").opcional(nulo=True)


def _mipres() -> Texto:
    return Texto(0, 25, nulo=True)


def _clinico(tabla: str) -> Codigo:
    return Codigo(tabla, fuera=Motivo.CLINICO)


class Consulta(EsquemaRips):
    """usuarios[].servicios.consultas[], C01–C21."""

    codPrestador = _prestador()
    fechaInicioAtencion = Momento()
    numAutorizacion = Texto(0, 30, nulo=True)
    codConsulta = _cups()
    modalidadGrupoServicioTecSal = Codigo("ModalidadAtencion")
    grupoServicios = Codigo("GrupoServicios")
    codServicio = Servicio()
    finalidadTecnologiaSalud = _clinico("RIPSFinalidadConsultaVersion2")
    causaMotivoAtencion = _clinico("RIPSCausaExternaVersion2")
    codDiagnosticoPrincipal = Diagnostico()
    codDiagnosticoRelacionado1 = Diagnostico(nulo=True)
    codDiagnosticoRelacionado2 = Diagnostico(nulo=True)
    codDiagnosticoRelacionado3 = Diagnostico(nulo=True)
    tipoDiagnosticoPrincipal = _clinico("RIPSTipoDiagnosticoPrincipalVersion2")
    tipoDocumentoIdentificacion = Codigo("TipoIdProfesional", vacio=Motivo.VACIO)
    numDocumentoIdentificacion = _documento(vacio=Motivo.VACIO)
    vrServicio = Numero(_PESOS)
    conceptoRecaudo = _recaudo()
    valorPagoModerador = Numero(_PAGO)
    numFEVPagoModerador = Texto(0, 30, nulo=True)
    consecutivo = _consecutivo()


class Procedimiento(EsquemaRips):
    """usuarios[].servicios.procedimientos[], P01–P20."""

    codPrestador = _prestador()
    fechaInicioAtencion = Momento()
    idMIPRES = _mipres()
    numAutorizacion = Texto(0, 30, nulo=True)
    codProcedimiento = _cups()
    viaIngresoServicioSalud = _clinico("ViaIngresoUsuario")
    modalidadGrupoServicioTecSal = Codigo("ModalidadAtencion")
    grupoServicios = Codigo("GrupoServicios")
    codServicio = Servicio()
    finalidadTecnologiaSalud = _clinico("RIPSFinalidadConsultaVersion2")
    tipoDocumentoIdentificacion = Codigo("TipoIdProfesional", vacio=Motivo.VACIO)
    numDocumentoIdentificacion = _documento(vacio=Motivo.VACIO)
    codDiagnosticoPrincipal = Diagnostico()
    codDiagnosticoRelacionado = Diagnostico(nulo=True)
    codComplicacion = Diagnostico(nulo=True)
    vrServicio = Numero(_PESOS)
    conceptoRecaudo = _recaudo()
    valorPagoModerador = Numero(_PAGO)
    numFEVPagoModerador = Texto(0, 30, nulo=True)
    consecutivo = _consecutivo()


class Urgencia(EsquemaRips):
    """usuarios[].servicios.urgencias[] (with observation), R01–R12."""

    codPrestador = _prestador()
    fechaInicioAtencion = Momento()
    causaMotivoAtencion = _clinico("RIPSCausaExternaVersion2")
    codDiagnosticoPrincipal = Diagnostico()
    codDiagnosticoPrincipalE = Diagnostico()
    codDiagnosticoRelacionadoE1 = Diagnostico(nulo=True)
    codDiagnosticoRelacionadoE2 = Diagnostico(nulo=True)
    codDiagnosticoRelacionadoE3 = Diagnostico(nulo=True)
    condicionDestinoUsuarioEgreso = _clinico("CondicionyDestinoUsuarioEgreso")
    codDiagnosticoCausaMuerte = Diagnostico(nulo=True)
    fechaEgreso = Momento()
    consecutivo = _consecutivo()


class Hospitalizacion(EsquemaRips):
    """usuarios[].servicios.hospitalizacion[], H01–H15."""

    codPrestador = _prestador()
    viaIngresoServicioSalud = _clinico("ViaIngresoUsuario")
    fechaInicioAtencion = Momento()
    numAutorizacion = Texto(0, 30, nulo=True)
    causaMotivoAtencion = _clinico("RIPSCausaExternaVersion2")
    codDiagnosticoPrincipal = Diagnostico()
    codDiagnosticoPrincipalE = Diagnostico()
    codDiagnosticoRelacionadoE1 = Diagnostico(nulo=True)
    codDiagnosticoRelacionadoE2 = Diagnostico(nulo=True)
    codDiagnosticoRelacionadoE3 = Diagnostico(nulo=True)
    codComplicacion = Diagnostico(nulo=True)
    condicionDestinoUsuarioEgreso = _clinico("CondicionyDestinoUsuarioEgreso")
    codDiagnosticoCausaMuerte = Diagnostico(nulo=True)
    fechaEgreso = Momento()
    consecutivo = _consecutivo()


class RecienNacido(EsquemaRips):
    """usuarios[].servicios.recienNacidos[], N01–N13. The document stands as a number in the norm, as text in files."""

    codPrestador = _prestador()
    tipoDocumentoIdentificacion = Codigo("TipoIdPISIS")
    numDocumentoIdentificacion = TextoONumero(4, 20, patron=_sin_signos, dudosos=_CORTOS)
    fechaNacimiento = Momento()
    edadGestacional = Entero(0, 99).opcional()
    numConsultasCPrenatal = Entero(0, 99).opcional()
    codSexoBiologico = Codigo("SexoRecienNacido")
    peso = Numero(4).opcional()
    codDiagnosticoPrincipal = Diagnostico(maximo=25)
    condicionDestinoUsuarioEgreso = _clinico("CondicionyDestinoUsuarioEgreso")
    codDiagnosticoCausaMuerte = Diagnostico(nulo=True, maximo=25)
    fechaEgreso = Momento()
    consecutivo = _consecutivo()


class Medicamento(EsquemaRips):
    """usuarios[].servicios.medicamentos[], M01–M23. Real files carry names of over 30 characters: only noticed.

    M09 to M12 describe magistral preparations; of other medicines RVC065 admits null in them.
    """

    codPrestador = _prestador(nulo=True)
    numAutorizacion = Texto(0, 30, nulo=True)
    idMIPRES = _mipres()
    fechaDispensAdmon = Momento()
    codDiagnosticoPrincipal = Diagnostico()
    codDiagnosticoRelacionado = Diagnostico(nulo=True)
    tipoMedicamento = Codigo("TipoMedicamentoPOSVersion2")
    codTecnologiaSalud = Texto(0, 20, nulo=True)
    nomTecnologiaSalud = Texto(0, 30, nulo=True, tamano=Motivo.TAMANO_DUDOSO)
    concentracionMedicamento = Numero(10, nulo=True)
    unidadMedida = UnidadMedida()
    formaFarmaceutica = Texto(6, 8, nulo=True)
    unidadMinDispensa = Entero(0, 999).opcional()
    cantidadMedicamento = Numero(10).opcional()
    diasTratamiento = Entero(0, 999).opcional()
    tipoDocumentoIdentificacion = Codigo("TipoIdProfesional", nulo=True)
    numDocumentoIdentificacion = _documento(nulo=True)
    vrUnitMedicamento = Numero(_PESOS)
    vrServicio = Numero(_PESOS)
    conceptoRecaudo = _recaudo()
    valorPagoModerador = Numero(_PAGO)
    numFEVPagoModerador = Texto(0, 30, nulo=True)
    consecutivo = _consecutivo()


class OtroServicio(EsquemaRips):
    """usuarios[].servicios.otrosServicios[], S01–S16."""

    codPrestador = _prestador(nulo=True)
    numAutorizacion = Texto(0, 30, nulo=True)
    idMIPRES = _mipres()
    fechaSuministroTecnologia = Momento()
    tipoOS = Codigo("TipoOtrosServicios")
    codTecnologiaSalud = Texto(1, 20)
    nomTecnologiaSalud = Texto(0, 200, nulo=True, tamano=Motivo.TAMANO_DUDOSO)
    cantidadOS = Numero(5).opcional()
    tipoDocumentoIdentificacion = Codigo("TipoIdProfesional", nulo=True)
    numDocumentoIdentificacion = _documento(nulo=True)
    vrUnitOS = Numero(_PESOS)
    vrServicio = Numero(_PESOS)
    conceptoRecaudo = _recaudo()
    valorPagoModerador = Numero(_PESOS)
    numFEVPagoModerador = Texto(0, 30, nulo=True)
    consecutivo = _consecutivo()


class Usuario(EsquemaRips):
    """usuarios[], U01–U11."""

    tipoDocumentoIdentificacion = Codigo("TipoIdPISIS")
    numDocumentoIdentificacion = _documento()
    tipoUsuario = Codigo("RIPSTipoUsuarioVersion2").opcional(nulo=True)
    fechaNacimiento = Dia()
    codSexo = _enumerado("Sexo")
    codPaisResidencia = _pais()
    codMunicipioResidencia = Texto(5, 5, patron="[0-9]+", nulo=True, espera="un código de municipio DANE de 5 cifras")
    codZonaTerritorialResidencia = Codigo("ZonaVersion2", nulo=True)
    incapacidad = _enumerado("LstSiNo")
    consecutivo = _consecutivo()
    codPaisOrigen = _pais()
    servicios = Estructura(dict)


class Transaccion(EsquemaRips):
    """The root object, T01–T04. Real files carry an empty text where the note is null."""

    numDocumentoIdObligado = Texto(
        4, 12, patron=_sin_signos, dudosos=range(3, 4), espera="el NIT sin dígito de verificación"
    )
    numFactura = Texto(1, 40, nulo=True)
    tipoNota = _enumerado("TipoNota", nulo=True)
    numNota = Texto(0, 20, nulo=True)
    usuarios = Estructura(list)


def _with_948(base: type[EsquemaRips], *diagnoses: str, vida: bool = True, **more: Campo) -> type[EsquemaRips]:
    """Return the schema with what Res. 948 added: code and name in CIE-11 of each diagnosis, and `more`."""
    added: dict[str, Campo] = {}
    for name in diagnoses:
        added[f"{name}CIE11"] = Texto(0, 256, nulo=True)
        added[f"nom{name[0].upper()}{name[1:]}CIE11"] = Texto(0, 1000, nulo=True)
    if vida:
        added["codigoVIDA"] = Texto(0, 256, nulo=True)
    return type(f"{base.__name__}948", (base,), {**added, **more, "__doc__": f"{base.__doc__} With Res. 948/2026."})


_PRINCIPAL, _MUERTE = "codDiagnosticoPrincipal", "codDiagnosticoCausaMuerte"
_EGRESO = ("codDiagnosticoPrincipalE", *(f"codDiagnosticoRelacionadoE{n}" for n in (1, 2, 3)))

USUARIO: dict[Version, type[EsquemaRips]] = {
    Version.RES_2275: Usuario,
    Version.RES_948: _with_948(Usuario, vida=False, registroSIRAS=Texto(0, 60, nulo=True)),
}
SERVICIO: dict[Version, dict[str, type[EsquemaRips]]] = {
    Version.RES_2275: {
        "consultas": Consulta,
        "procedimientos": Procedimiento,
        "urgencias": Urgencia,
        "hospitalizacion": Hospitalizacion,
        "recienNacidos": RecienNacido,
        "medicamentos": Medicamento,
        "otrosServicios": OtroServicio,
    },
    Version.RES_948: {
        "consultas": _with_948(Consulta, _PRINCIPAL, *(f"codDiagnosticoRelacionado{n}" for n in (1, 2, 3))),
        "procedimientos": _with_948(Procedimiento, _PRINCIPAL, "codDiagnosticoRelacionado", "codComplicacion"),
        "urgencias": _with_948(Urgencia, _PRINCIPAL, *_EGRESO, _MUERTE),
        "hospitalizacion": _with_948(Hospitalizacion, _PRINCIPAL, *_EGRESO, "codComplicacion", _MUERTE),
        "recienNacidos": _with_948(RecienNacido, _PRINCIPAL, _MUERTE),
        "medicamentos": _with_948(
            Medicamento, _PRINCIPAL, "codDiagnosticoRelacionado", vrDispensacion=Numero(_PESOS, nulo=True)
        ),
        "otrosServicios": _with_948(OtroServicio, vrDispensacion=Numero(_PESOS, nulo=True)),
    },
}
"""Schema of each kind of service, by version."""
PROPIAS_948 = frozenset({"registroSIRAS", "codigoVIDA", "vrDispensacion", "codDiagnosticoPrincipalCIE11"})
"""Properties whose presence says that a file is written by Res. 948."""
