"""An invented invoice by event with one service of each kind, on which no rule of the RIPS finds anything."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from radica.facturas.fev import CampoSalud, Clase, Fev, Parte
from radica.facturas.numbers import parse_nit
from radica.facturas.validacion.modelo import Contexto, DocumentoXml, Modulo, Paquete
from radica.facturas.validacion.tablas import Catalogos, Cups

FECHA = date(2026, 8, 3)
AHORA = datetime(2026, 8, 3, 9, 0)  # noqa: DTZ001  Colombian civil time
NIT, PAGADOR, NUMERO, PRESTADOR = "900123456", "900987654", "FE1001", "110010123401"
_PAGO = {"conceptoRecaudo": "05", "valorPagoModerador": 0, "numFEVPagoModerador": None}
_QUIEN = {"tipoDocumentoIdentificacion": "CC", "numDocumentoIdentificacion": "10000001"}

CONSULTA: dict[str, Any] = {
    "codPrestador": PRESTADOR, "fechaInicioAtencion": "2026-07-10 08:30", "numAutorizacion": None,
    "codConsulta": "890701", "modalidadGrupoServicioTecSal": "01", "grupoServicios": "05", "codServicio": 1102,
    "finalidadTecnologiaSalud": "15", "causaMotivoAtencion": "38", "codDiagnosticoPrincipal": "J189",
    "codDiagnosticoRelacionado1": "I10X", "codDiagnosticoRelacionado2": None, "codDiagnosticoRelacionado3": None,
    "tipoDiagnosticoPrincipal": "01", **_QUIEN, "vrServicio": 50000, **_PAGO, "consecutivo": 1,
}  # fmt: skip
PROCEDIMIENTO: dict[str, Any] = {
    "codPrestador": PRESTADOR, "fechaInicioAtencion": "2026-07-10 10:00", "idMIPRES": None, "numAutorizacion": None,
    "codProcedimiento": "871121", "viaIngresoServicioSalud": "03", "modalidadGrupoServicioTecSal": "01",
    "grupoServicios": "02", "codServicio": 744, "finalidadTecnologiaSalud": "15", **_QUIEN,
    "codDiagnosticoPrincipal": "J189", "codDiagnosticoRelacionado": None, "codComplicacion": None,
    "vrServicio": 30000, **_PAGO, "consecutivo": 1,
}  # fmt: skip
_ESTANCIA: dict[str, Any] = {
    "codPrestador": PRESTADOR, "causaMotivoAtencion": "38", "codDiagnosticoPrincipal": "J189",
    "codDiagnosticoPrincipalE": "J189", "codDiagnosticoRelacionadoE1": "I10X", "codDiagnosticoRelacionadoE2": None,
    "codDiagnosticoRelacionadoE3": None, "condicionDestinoUsuarioEgreso": "01", "codDiagnosticoCausaMuerte": None,
    "consecutivo": 1,
}  # fmt: skip
URGENCIAS = {**_ESTANCIA, "fechaInicioAtencion": "2026-07-10 08:00", "fechaEgreso": "2026-07-10 20:00"}
HOSPITALIZACION = {
    **_ESTANCIA, "viaIngresoServicioSalud": "03", "numAutorizacion": None, "codComplicacion": None,
    "fechaInicioAtencion": "2026-07-10 20:00", "fechaEgreso": "2026-07-13 11:00",
}  # fmt: skip
RECIEN_NACIDO: dict[str, Any] = {
    "codPrestador": PRESTADOR, "tipoDocumentoIdentificacion": "CN", "numDocumentoIdentificacion": "100200300",
    "fechaNacimiento": "2026-07-11 03:00", "edadGestacional": 39, "numConsultasCPrenatal": 8, "codSexoBiologico": "02",
    "peso": 3200, "codDiagnosticoPrincipal": "P599", "condicionDestinoUsuarioEgreso": "01",
    "codDiagnosticoCausaMuerte": None, "fechaEgreso": "2026-07-13 11:00", "consecutivo": 1,
}  # fmt: skip
MEDICAMENTO: dict[str, Any] = {
    "codPrestador": PRESTADOR, "numAutorizacion": None, "idMIPRES": None, "fechaDispensAdmon": "2026-07-10 12:00",
    "codDiagnosticoPrincipal": "J189", "codDiagnosticoRelacionado": None, "tipoMedicamento": "01",
    "codTecnologiaSalud": "19974622-1", "nomTecnologiaSalud": None, "concentracionMedicamento": 0, "unidadMedida": 0,
    "formaFarmaceutica": None, "unidadMinDispensa": 66, "cantidadMedicamento": 2, "diasTratamiento": 1, **_QUIEN,
    "vrUnitMedicamento": 300, "vrServicio": 600, **_PAGO, "consecutivo": 1,
}  # fmt: skip
OTRO: dict[str, Any] = {
    "codPrestador": PRESTADOR, "numAutorizacion": None, "idMIPRES": None,
    "fechaSuministroTecnologia": "2026-07-11 09:00", "tipoOS": "01", "codTecnologiaSalud": "JER010",
    "nomTecnologiaSalud": "JERINGA 10 ML", "cantidadOS": 1, **_QUIEN, "vrUnitOS": 1400, "vrServicio": 1400, **_PAGO,
    "consecutivo": 1,
}  # fmt: skip
USUARIA: dict[str, Any] = {
    "tipoDocumentoIdentificacion": "CC", "numDocumentoIdentificacion": "20000002", "tipoUsuario": "01",
    "fechaNacimiento": "1995-05-20", "codSexo": "F", "codPaisResidencia": "170", "codMunicipioResidencia": "11001",
    "codZonaTerritorialResidencia": "02", "incapacidad": "NO", "codPaisOrigen": "170", "registroSIRAS": None,
    "consecutivo": 1,
}  # fmt: skip
BRUTO = Decimal(82000)


def rips(**cambios: Any) -> dict[str, Any]:
    """Return a fresh RIPS with one user and one record of each kind."""
    services = {
        "consultas": [CONSULTA], "procedimientos": [PROCEDIMIENTO], "urgencias": [URGENCIAS],
        "hospitalizacion": [HOSPITALIZACION], "recienNacidos": [RECIEN_NACIDO], "medicamentos": [MEDICAMENTO],
        "otrosServicios": [OTRO],
    }  # fmt: skip
    head = {"numDocumentoIdObligado": NIT, "numFactura": NUMERO, "tipoNota": None, "numNota": None}
    return copy.deepcopy({**head, "usuarios": [{**USUARIA, "servicios": services}], **cambios})


def fev(**cambios: Any) -> Fev:
    """Return the invoice of `rips()`: by event, coverage 16, period of July, nothing paid by the patient."""
    empty: dict[str, Any] = {field.name: None for field in dataclasses.fields(Fev)}
    empty |= dict.fromkeys(("cufes_seen", "prepaid_payments", "taxes", "lines", "references"), ())
    says = (
        CampoSalud("CODIGO_PRESTADOR", PRESTADOR[:10], None),
        CampoSalud("MODALIDAD_PAGO", "Pago por evento", "04"),
        CampoSalud("COBERTURA_PLAN_BENEFICIOS", "Plan de beneficios financiado con UPC Contributivo", "16"),
    )
    empty |= {
        "kind": Clase.FACTURA, "number": NUMERO, "prefix": "FE", "operation": "SS-SinAporte", "cufe": "ab" * 48,
        "issue_date": date(2026, 8, 1), "period_start": date(2026, 7, 1), "period_end": date(2026, 7, 31),
        "supplier": Parte(parse_nit(NIT), "IPS INVENTADA", "31"), "customer": Parte(parse_nit(PAGADOR), "EPS", "31"),
        "line_extension": BRUTO, "tax_inclusive": BRUTO, "payable": BRUTO, "salud": (says,), "in_container": True,
    }  # fmt: skip
    return Fev(**{**empty, **cambios})


def salud(fev_: Fev, **valores: tuple[str, str | None]) -> Fev:
    """Return the invoice with other values (value, code) of the block of salud."""
    block = tuple(CampoSalud(one.name, *valores.get(one.name, (one.value, one.code))) for one in fev_.salud[0])
    return dataclasses.replace(fev_, salud=(block,))


def paquete(rips_: Mapping[str, Any] | None, fev_: Fev | None = None, **mas: Any) -> Paquete:
    """Return a package of these two; the XML behind the invoice is an empty root."""
    root = etree.Element("Invoice")
    xml = DocumentoXml("f.xml", root, root, fev_, None) if fev_ is not None else None
    return Paquete(xml=xml, rips=rips_, **mas)


def contexto(modulo: Modulo = Modulo.FEV, fecha: date = FECHA, catalogos: Catalogos | None = None) -> Contexto:
    """Return the eyes of August 2026, with a small CUPS."""
    return Contexto(fecha=fecha, ahora=AHORA, catalogos=catalogos or CATALOGOS, modulo=modulo)


def _cups(codigo: str, uso: str, **mas: str) -> Cups:
    plain = dict.fromkeys(("quirurgico", "sexo", "ambito", "estancia", "cobertura", "duplicado"), "Z")
    plain |= dict.fromkeys(("dx_requerido", "minimo", "maximo"), "")
    return Cups(codigo=codigo, nombre=codigo, habilitado=True, uso=uso, **{**plain, **mas})


CATALOGOS = Catalogos(
    cups={
        one.codigo: one
        for one in (
            _cups("890701", "AC"),
            _cups("890201", "AC"),
            _cups("871121", "AP"),
            _cups("735301", "AP", sexo="F"),
            _cups("735930", "AP", sexo="F"),
            _cups("740001", "AP", sexo="F"),
            _cups("601200", "AP", sexo="M"),
            _cups("317402", "AP", quirurgico="S"),
            _cups("010201", "AP", estancia="E"),
            _cups("I10603", "AP"),
            _cups("10A001", "AT"),
        )
    },
    versiones={"cups": "inventada"},
)
