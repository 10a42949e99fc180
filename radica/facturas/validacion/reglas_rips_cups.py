"""Rules of the RIPS over CUPS codes: that they exist, fit the record, the sex and the stay.

Invariant: what needs the table CUPSRips says nothing without it (`reglas_rips.sin_catalogo` tells that once); births
are known by their chapters of the CUPS (721, 7322, 735, 740) and need no table. Relations of CUPS with coverage, diagnosis, group
of services and purpose are in tables that are not public. Norm: MUV technical document 1 v002.
"""

from __future__ import annotations

import re

from radica.facturas.validacion.reglas_rips_base import (
    DT1_V002,
    Falta,
    Faltas,
    Registro,
    ReglaServicio,
    ReglaUsuario,
    Vista,
    momento,
    texto,
)
from radica.facturas.validacion.tablas import Cups

_USO = {"consultas": ("codConsulta", "AC"), "procedimientos": ("codProcedimiento", "AP")}
_CON_CUPS = frozenset({"02", "03"})
"""Kinds of other services whose code is a CUPS: transport and stays."""
_FORMA_CUPS = re.compile(r"[0-9A-Z]{6}")
_INTERNACION, _QUIRURGICO = "03", "04"
_AMBULATORIAS = ("8902", "8903")
"""First and follow-up consultations."""
_COLECTIVA = "42"
_PARTOS, _CESAREA, _PARTO_MULTIPLE = ("721", "7322", "735"), "740", frozenset({"735930", "735931"})
_ULTIMO_CAPITULO_QX = "86"
_OBITO = frozenset({"Z371", "Z373", "Z374", "Z376", "Z377", "P95X", "O364"})
"""Diagnoses of a birth without a living child."""


def es_parto(code: str) -> bool:
    """Say whether a CUPS is the attendance of a birth or a caesarean."""
    return code.startswith((*_PARTOS, _CESAREA))


def _cups(registro: Registro, vista: Vista, campo: str) -> Cups | None:
    table = vista.marco.catalogos.cups
    code = registro.get(campo)
    return table.get(code) if table is not None and type(code) is str else None


def _uso(codigo: str, campo: str, uso: str) -> ReglaServicio:
    def regla(registro: Registro, vista: Vista) -> Faltas:
        row = _cups(registro, vista, campo)
        return () if row is None or row.uso in ("", uso) else (Falta(codigo, campo, {"codigo": row.codigo}),)

    return regla


def rvc015() -> ReglaServicio:
    """RVC015: the CUPS of a consultation is one of consultations. DT1 v002, C04."""
    return _uso("RVC015", *_USO["consultas"])


def rvc020() -> ReglaServicio:
    """RVC020: the CUPS of a procedure is one of procedures. DT1 v002, P05."""
    return _uso("RVC020", *_USO["procedimientos"])


def rvc026(registro: Registro, vista: Vista) -> Faltas:
    """RVC026: the CUPS of a transport or stay is one of other services. DT1 v002, S06."""
    if registro.get("tipoOS") not in _CON_CUPS:
        return ()
    return _uso("RVC026", "codTecnologiaSalud", "AT")(registro, vista)


def rvc016(campo: str) -> ReglaServicio:
    """RVC016: the CUPS is for the sex of the user. DT1 v002, C04 P05 S06."""

    def regla(registro: Registro, vista: Vista) -> Faltas:
        row = _cups(registro, vista, campo)
        if row is None or row.sexo not in ("M", "F") or vista.sexo not in ("M", "F") or row.sexo == vista.sexo:
            return ()
        return (Falta("RVC016", campo, {"codigo": row.codigo}),)

    return regla


def rvc024(registro: Registro, vista: Vista) -> Faltas:
    """RVC024: a transport or a stay has a CUPS. DT1 v002, S06.

    Each January brings codes and takes others: what has the form of one is not surely wrong by the table of another
    year.
    """
    table = vista.marco.catalogos.cups
    if table is None or registro.get("tipoOS") not in _CON_CUPS:
        return ()
    code = texto(registro.get("codTecnologiaSalud"))
    if not code or code in table:
        return ()
    other = vista.marco.anio_cups not in (0, vista.marco.fecha.year) and _FORMA_CUPS.fullmatch(code)
    return (Falta("RVC024", "codTecnologiaSalud", {"codigo": code}, "otro_anio" if other else ""),)


def rvc096(campo: str) -> ReglaServicio:
    """RVC096: the code stands in table CUPSRips and is in force. DT1 v002, C04 P05."""

    def regla(registro: Registro, vista: Vista) -> Faltas:
        table = vista.marco.catalogos.cups
        code = texto(registro.get(campo))
        if table is None or not code:
            return ()
        row = table.get(code)
        return () if row is not None and row.habilitado else (Falta("RVC096", campo, {"codigo": code}),)

    return regla


def rvc021(registro: Registro, vista: Vista) -> Faltas:
    """RVC021: a CUPS that demands a stay has one. DT1 v002, P05."""
    row = _cups(registro, vista, "codProcedimiento") if vista.marco.completo else None
    if row is None or row.estancia != "E" or vista.servicios.keys() & {"urgencias", "hospitalizacion"}:
        return ()
    return (Falta("RVC021", "codProcedimiento", {"codigo": row.codigo}),)


def rvc022(registro: Registro, vista: Vista) -> Faltas:
    """RVC022: a birth in the internment group has data of hospitalisation. DT1 v002, P05."""
    code = texto(registro.get("codProcedimiento"))
    if (
        not vista.marco.completo
        or not es_parto(code)
        or registro.get("grupoServicios") != _INTERNACION
        or "hospitalizacion" in vista.servicios
    ):
        return ()
    return (Falta("RVC022", "codProcedimiento", {"codigo": code}),)


def rvc023(registro: Registro, vista: Vista) -> Faltas:
    """RVC023: a birth has data of the newborn. DT1 v002, P05.

    Each invoice of a birth carries them (guidelines 3.2, 3.3.5), with or without the stay. Where a diagnosis says that
    the child did not live it is not clear, and not told.
    """
    code = texto(registro.get("codProcedimiento"))
    if not vista.marco.completo or not es_parto(code) or "recienNacidos" in vista.servicios:
        return ()
    if any(_OBITO & set(map(str, one.values())) for records in vista.servicios.values() for _, one in records):
        return ()
    return (Falta("RVC023", "codProcedimiento", {"codigo": code}),)


def rvc027(registro: Registro, vista: Vista) -> Faltas:
    """RVC027: inside a stay, consultations are of the ward or of another speciality. DT1 v002, C04."""
    if not vista.estancias:
        return ()
    code, at = texto(registro.get("codConsulta")), momento(registro.get("fechaInicioAtencion"))
    if not code.startswith(_AMBULATORIAS) or not any(start < at < end for start, end in vista.estancias):
        return ()
    return (Falta("RVC027", "codConsulta", {"codigo": code}),)


def rvc083(registro: Registro, _: Vista) -> Faltas:
    """RVC083: a collective intervention has a code of annex 5 of the CUPS (they begin with I). DT1 v002, P10."""
    code = texto(registro.get("codProcedimiento"))
    if registro.get("finalidadTecnologiaSalud") != _COLECTIVA or not code or code.startswith("I"):
        return ()
    return (Falta("RVC083", "finalidadTecnologiaSalud", {"codigo": code}),)


def rvc090(registro: Registro, vista: Vista) -> Faltas:
    """RVC090: surgery in the surgical group has data of the room. DT1 v002, P05. Seen in no answer before v002.

    Which codes are of rooms is not published: it is told only where the user has no other service at all.
    """
    if (
        vista.marco.fecha < DT1_V002
        or registro.get("grupoServicios") != _QUIRURGICO
        or "otrosServicios" in vista.servicios
    ):
        return ()
    row = _cups(registro, vista, "codProcedimiento") if vista.marco.completo else None
    if row is None or row.quirurgico != "S" or not row.codigo[:2].isdigit() or row.codigo[:2] > _ULTIMO_CAPITULO_QX:
        return ()
    return (Falta("RVC090", "codProcedimiento", {"codigo": row.codigo}),)


def rvg14(vista: Vista) -> Faltas:
    """RVG14: several newborns come of a multiple birth. DT1 v002.

    A caesarean has no code of its own for several; and a birth that another invoice bills is not looked for.
    """
    born = vista.servicios.get("recienNacidos", ()) if vista.marco.completo else ()
    documents = {texto(one.get("numDocumentoIdentificacion")) for _, one in born} - {""}
    codes = {texto(one.get("codProcedimiento")) for _, one in vista.servicios.get("procedimientos", ())}
    births = {code for code in codes if es_parto(code)}
    if len(documents) < 2 or not births or births & _PARTO_MULTIPLE or any(one.startswith(_CESAREA) for one in births):
        return ()
    return (Falta("RVG14", "servicios.recienNacidos", {"codigo": min(births), "nacidos": str(len(documents))}),)


POR_TIPO: dict[str, tuple[ReglaServicio, ...]] = {
    "consultas": (rvc015(), rvc016("codConsulta"), rvc027, rvc096("codConsulta")),
    "procedimientos": (
        rvc016("codProcedimiento"),
        rvc020(),
        rvc021,
        rvc022,
        rvc023,
        rvc083,
        rvc090,
        rvc096("codProcedimiento"),
    ),
    "otrosServicios": (rvc016("codTecnologiaSalud"), rvc024, rvc026),
}
"""The rules of this file by kind of service."""
DE_USUARIO: tuple[ReglaUsuario, ...] = (rvg14,)
_SIN_TABLA: frozenset[ReglaServicio] = frozenset({rvc022, rvc023, rvc027, rvc083})
DE_TABLA: frozenset[ReglaServicio] = frozenset(rule for rules in POR_TIPO.values() for rule in rules) - _SIN_TABLA
"""The rules that say nothing without table CUPSRips."""
CON_CUPS = ("RVC015", "RVC016", "RVC020", "RVC021", "RVC024", "RVC026", "RVC090", "RVC096")
"""Their codes."""
