"""Rules of the RIPS over dates: against now, the period of the invoice, the birth of the user, and inside a stay.

Invariant: dates are compared as the ISO text they are written in; one of another form says nothing here (the structure
rules tell it). The period of the invoice counts only when the RIPS is of that same invoice: by capitation it is of the
period before. Norm: MUV technical document 1 v002.
"""

from __future__ import annotations

from radica.facturas.validacion.reglas_rips_base import (
    FECHA_DE,
    Falta,
    Faltas,
    Registro,
    ReglaServicio,
    Vista,
    dia,
    instante,
    momento,
)

_URGENCIAS_MAX_HORAS, _HOSPITAL_MIN_HORAS = 48, 6
_INICIO, _EGRESO = "fechaInicioAtencion", "fechaEgreso"


def rvc013(campo: str) -> ReglaServicio:
    """RVC013: the service is not in the future. DT1 v002, C02 P02 M04 S04."""

    def regla(registro: Registro, vista: Vista) -> Faltas:
        written = registro.get(campo)
        if type(written) is str and written <= vista.marco.ahora:
            return ()
        at = momento(written)
        return (Falta("RVC013", campo, {"fecha": at}),) if at > vista.marco.ahora else ()

    return regla


def rvc014(campo: str) -> ReglaServicio:
    """RVC014: the service is inside the period of the invoice. DT1 v002, C02 P02 M04 S04."""

    def regla(registro: Registro, vista: Vista) -> Faltas:
        if not vista.marco.inicio:
            return ()
        day = dia(registro.get(campo))
        if not day or not _fuera(day, vista):
            return ()
        return (Falta("RVC014", campo, {"fecha": day, "inicio": vista.marco.inicio, "fin": vista.marco.fin}),)

    return regla


def rvc079(campo: str) -> ReglaServicio:
    """RVC079: the service is not before the birth of the user. DT1 v002, C02 P02 M04 S04."""

    def regla(registro: Registro, vista: Vista) -> Faltas:
        day = dia(registro.get(campo))
        return (Falta("RVC079", campo, {"fecha": day}),) if day and day < vista.nacimiento else ()

    return regla


def _fuera(day: str, vista: Vista) -> bool:
    """Say whether a day is outside the period of the invoice that this RIPS supports."""
    marco = vista.marco
    return bool(marco.inicio) and not marco.inicio <= day <= marco.fin


def rvc038(registro: Registro, vista: Vista) -> Faltas:
    """RVC038: entry is not in the future. DT1 v002, R02 H03."""
    at = momento(registro.get(_INICIO))
    return (Falta("RVC038", _INICIO, {"fecha": at}),) if at > vista.marco.ahora else ()


def rvc039(registro: Registro, _: Vista) -> Faltas:
    """RVC039: entry is not after exit. DT1 v002, R02 H03."""
    start, end = momento(registro.get(_INICIO)), momento(registro.get(_EGRESO))
    return (Falta("RVC039", _INICIO, {"ingreso": start, "egreso": end}),) if end and start > end else ()


def rvc040(registro: Registro, _: Vista) -> Faltas:
    """RVC040: a stay in emergency lasts 48 hours at most. DT1 v002, R11."""
    minutes = _minutos(registro)
    if minutes is None or minutes <= _URGENCIAS_MAX_HORAS * 60:
        return ()
    return (Falta("RVC040", _EGRESO, {"horas": str(minutes // 60)}),)


def rvc041(registro: Registro, _: Vista) -> Faltas:
    """RVC041: a hospital stay of less than 6 hours. DT1 v002, H14."""
    minutes = _minutos(registro)
    if minutes is None or not 0 <= minutes < _HOSPITAL_MIN_HORAS * 60:
        return ()
    return (Falta("RVC041", _EGRESO, {"horas": str(minutes // 60)}),)


def _minutos(registro: Registro) -> int | None:
    """Return the minutes of a stay."""
    start, end = instante(momento(registro.get(_INICIO))), instante(momento(registro.get(_EGRESO)))
    return None if start is None or end is None else int((end - start).total_seconds()) // 60


def rvc043(registro: Registro, vista: Vista) -> Faltas:
    """RVC043: exit is not in the future. DT1 v002, R11 H14 N12."""
    at = momento(registro.get(_EGRESO))
    return (Falta("RVC043", _EGRESO, {"fecha": at}),) if at > vista.marco.ahora else ()


def rvc044(registro: Registro, vista: Vista) -> Faltas:
    """RVC044: exit is inside the period of the invoice. DT1 v002, R11 H14 N12."""
    day = dia(registro.get(_EGRESO))
    if not day or not _fuera(day, vista):
        return ()
    return (Falta("RVC044", _EGRESO, {"fecha": day, "inicio": vista.marco.inicio, "fin": vista.marco.fin}),)


def rvc045(registro: Registro, vista: Vista) -> Faltas:
    """RVC045: the newborn was not born in the future. DT1 v002, N04."""
    at = momento(registro.get("fechaNacimiento"))
    return (Falta("RVC045", "fechaNacimiento", {}),) if at > vista.marco.ahora else ()


def rvc046(registro: Registro, _: Vista) -> Faltas:
    """RVC046: the newborn leaves after being born. DT1 v002, N12."""
    born, end = momento(registro.get("fechaNacimiento")), momento(registro.get(_EGRESO))
    return (Falta("RVC046", _EGRESO, {"fecha": end}),) if end and end < born else ()


def rvc080(registro: Registro, vista: Vista) -> Faltas:
    """RVC080: exit is not before the birth of the user. DT1 v002, R11 H14 N12."""
    day = dia(registro.get(_EGRESO))
    return (Falta("RVC080", _EGRESO, {"fecha": day}),) if day and day < vista.nacimiento else ()


def rvc081(registro: Registro, vista: Vista) -> Faltas:
    """RVC081: entry is not before the birth of the user. DT1 v002, R02 H03."""
    day = dia(registro.get(_INICIO))
    return (Falta("RVC081", _INICIO, {"fecha": day}),) if day and day < vista.nacimiento else ()


_ESTANCIA: tuple[ReglaServicio, ...] = (rvc038, rvc039, rvc043, rvc044, rvc080, rvc081)
POR_TIPO: dict[str, tuple[ReglaServicio, ...]] = {
    **{
        kind: (rvc013(FECHA_DE[kind]), rvc014(FECHA_DE[kind]), rvc079(FECHA_DE[kind]))
        for kind in ("consultas", "procedimientos", "medicamentos", "otrosServicios")
    },
    "urgencias": (*_ESTANCIA, rvc040),
    "hospitalizacion": (*_ESTANCIA, rvc041),
    "recienNacidos": (rvc043, rvc044, rvc045, rvc046, rvc080),
}
"""The rules of this file by kind of service."""
