"""Rules of the RIPS over one user: their data, and their services read together.

Invariant: each rule reads one user; the paths are those that the Ministry prints, also where they are not a place of
the file (`procedimientos[*].codprocedimiento`). No message quotes a document or a date of birth. Norm: MUV technical
document 1 v002; coverage matrix of the same; Res. 948 de 2026 (registroSIRAS).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from radica.facturas.validacion.reglas_rips_base import (
    CODIGO_DE,
    DT1_V002,
    DT1_V003,
    FECHA_DE,
    Falta,
    Faltas,
    Registro,
    ReglaUsuario,
    Vista,
    dia,
    edad,
    instante,
    momento,
    texto,
)
from radica.facturas.validacion.tablas import cobertura

_EDADES = {"RC": (0, 7), "TI": (6, 18), "CC": (17, 200), "MS": (0, 18), "AS": (17, 200), "CN": (0, 4), "NV": (0, 4)}
"""Years that a document admits (guidelines 3.2, 3.2), with the year of tolerance that the rule gives on each side."""
_EDAD_MADRE = (9, 60)
_SOAT, _SIN_SOAT = "10", "14"
_IVE = "24"
_MUERTO, _DERIVADO = "02", "03"
_DERIVADO_DE_URGENCIAS = "03"
_HORAS_TRAS_MUERTE = 24
_URGENCIAS, _INMEDIATA = "8907", "05"
"""CUPS of emergency consultations, and the group of services of immediate attention."""
_ESTANCIA = "03"
_EGRESOS = ("urgencias", "hospitalizacion")


def rvc005(vista: Vista) -> Faltas:
    """RVC005: the kind of user is one of the coverage of the invoice. DT1 v002, U03 and coverage matrix."""
    if not vista.tipo or not vista.marco.coberturas:
        return ()
    rows = [row for code in vista.marco.coberturas if (row := cobertura(code)) is not None]
    if not rows or any(not row.tipos_usuario or vista.tipo in row.tipos_usuario for row in rows):
        return ()
    if vista.marco.fecha >= DT1_V002 and any(row.dudosa for row in rows):
        return ()
    said = {"tipo": vista.tipo, "cobertura": ", ".join(sorted(vista.marco.coberturas))}
    return (Falta("RVC005", "tipoUsuario", said),)


def rvc006(vista: Vista) -> Faltas:
    """RVC006: nobody is born in the future. DT1 v002, U04."""
    return (Falta("RVC006", "fechaNacimiento"),) if vista.nacimiento > vista.marco.ahora[:10] else ()


def rvc007(vista: Vista) -> Faltas:
    """RVC007: the document is one for that age, give or take a year. DT1 v002, U04.

    At which day is not said: it is wrong only when it is so on that of the validation and on that of each service.
    """
    kind = texto(vista.datos.get("tipoDocumentoIdentificacion"))
    limits = _EDADES.get(kind)
    if limits is None or not _impropio(limits, vista, vista.marco.fecha.isoformat()):
        return ()
    if any(not _impropio(limits, vista, when) for _, _, when in _fechados(vista)):
        return ()
    return (Falta("RVC007", "fechaNacimiento", {"tipo": kind}),)


def _impropio(limites: tuple[int, int], vista: Vista, en: str) -> bool:
    years = edad(vista.nacimiento, en)
    return years is not None and years >= 0 and not limites[0] <= years <= limites[1]


def rvc008(vista: Vista) -> Faltas:
    """RVC008: who has a newborn is 9 to 60 years old. DT1 v002, U04."""
    born = vista.servicios.get("recienNacidos")
    years = edad(vista.nacimiento, dia(born[0][1].get("fechaNacimiento"))) if born else None
    if years is None or _EDAD_MADRE[0] <= years <= _EDAD_MADRE[1]:
        return ()
    return (Falta("RVC008", "fechaNacimiento"),)


def rvc009(vista: Vista) -> Faltas:
    """RVC009: who has a newborn is a woman. DT1 v002, U05."""
    if not vista.servicios.get("recienNacidos") or vista.sexo in ("F", ""):
        return ()
    return (Falta("RVC009", "codSexo"),)


def rvc010(vista: Vista) -> Faltas:
    """RVC010: a voluntary interruption of pregnancy is of a woman. DT1 v002, U05."""
    if vista.sexo in ("F", ""):
        return ()
    kinds = ("consultas", "procedimientos")
    found = any(
        one.get("finalidadTecnologiaSalud") == _IVE for kind in kinds for _, one in vista.servicios.get(kind, ())
    )
    return (Falta("RVC010", "codSexo"),) if found else ()


def rvc095(vista: Vista) -> Faltas:
    """RVC095: a victim of a traffic accident has the SIRAS registration. DT1 v002, U12; without SOAT since v003."""
    due = vista.tipo == _SOAT or (vista.tipo == _SIN_SOAT and vista.marco.fecha >= DT1_V003)
    if not due or texto(vista.datos.get("registroSIRAS")):
        return ()
    return (Falta("RVC095", "registroSIRAS"),)


def rvc018(vista: Vista) -> Faltas:
    """RVC018: the same code not twice on a day. DT1 v002, C04 P05 S06; the place is printed as in real answers."""
    places = {
        "consultas": ("consultas[*].codConsulta", ""),
        "procedimientos": ("procedimientos[*].codprocedimiento", ""),
        "otrosServicios": ("procedimientos[*].codprocedimiento", "tecnologia"),
    }
    for kind, (place, words) in places.items():
        for (code, day), times in _veces(vista, kind, dia).items():
            if times > 1:
                yield Falta("RVC018", place, {"codigo": code, "fecha": day, "veces": str(times)}, words)


def rvg13(vista: Vista) -> Faltas:
    """RVG13: the same medicine not twice at the same minute; one finding per code, as in real answers. DT1 v002."""
    found = _veces(vista, "medicamentos", momento)
    for code in dict.fromkeys(code for (code, _), times in found.items() if times > 1):
        yield Falta("RVG13", "servicios.medicamentos[*].codTecnologiaSalud", {"codigo": code})


def _veces(vista: Vista, kind: str, cuando: Callable[[object], str]) -> Counter[tuple[str, str]]:
    """Count the records of a kind by code and day or minute."""
    code, at = CODIGO_DE[kind], FECHA_DE[kind]
    pairs = ((texto(one.get(code)), cuando(one.get(at))) for _, one in vista.servicios.get(kind, ()))
    return Counter(pair for pair in pairs if pair[0] and pair[1])


def rvg15(vista: Vista) -> Faltas:
    """RVG15: who was observed in emergency had an emergency consultation from their entry on. DT1 v002.

    A consultation of the group of immediate attention is taken for one, whatever its CUPS.
    """
    if not vista.marco.completo:
        return
    for at, stay in vista.servicios.get("urgencias", ()):
        entry = momento(stay.get("fechaInicioAtencion"))
        if entry and not any(
            momento(one.get("fechaInicioAtencion")) >= entry
            for _, one in vista.servicios.get("consultas", ())
            if _es_de_urgencias(one) or one.get("grupoServicios") == _INMEDIATA
        ):
            yield Falta("RVG15", f"servicios.urgencias[{at}].fechaInicioAtencion")


def rvg16(vista: Vista) -> Faltas:
    """RVG16: the emergency stay and its consultation have one cause. DT1 v002.

    With several consultations it is wrong only when none of them has the cause of the stay.
    """
    for at, stay in vista.servicios.get("urgencias", ()):
        cause = texto(stay.get("causaMotivoAtencion"))
        start, end = momento(stay.get("fechaInicioAtencion")), momento(stay.get("fechaEgreso"))
        causes = set(_consultas_de(vista, start, end or "9")) - {""}
        if cause and causes and cause not in causes:
            said = {"causa": cause, "otra": ", ".join(sorted(causes))}
            yield Falta("RVG16", f"servicios.urgencias[{at}].causaMotivoAtencion", said)


def _consultas_de(vista: Vista, ingreso: str, egreso: str = "9") -> Iterator[str]:
    """Yield the cause of each emergency consultation from an entry on, up to an exit; empty where it is unsaid."""
    for _, one in vista.servicios.get("consultas", ()):
        at = momento(one.get("fechaInicioAtencion"))
        if ingreso <= at <= egreso and _es_de_urgencias(one):
            yield texto(one.get("causaMotivoAtencion"))


def _es_de_urgencias(consulta: Registro) -> bool:
    return texto(consulta.get("codConsulta")).startswith(_URGENCIAS)


def rvc053(vista: Vista) -> Faltas:
    """RVC053: no services more than 24 hours after the user died. DT1 v002, R09 H12 (N10 is of the child)."""
    for kind in _EGRESOS:
        for at, stay in vista.servicios.get(kind, ()):
            died = instante(momento(stay.get("fechaEgreso")))
            if stay.get("condicionDestinoUsuarioEgreso") != _MUERTO or died is None:
                continue
            last = max((when for _, _, when in _fechados(vista)), default="")
            after = instante(last)
            if after is not None and (after - died).total_seconds() > _HORAS_TRAS_MUERTE * 3600:
                place = f"servicios.{kind}[{at}].condicionDestinoUsuarioEgreso"
                yield Falta("RVC053", place, {"fecha": last})


def _fechados(vista: Vista) -> Iterator[tuple[str, int, str]]:
    """Yield kind, index and time of the dated services of a user, newborns apart."""
    for kind, records in vista.servicios.items():
        if kind != "recienNacidos":
            for at, one in records:
                if when := momento(one.get(FECHA_DE[kind])):
                    yield kind, at, when


def rvc054(vista: Vista) -> Faltas:
    """RVC054: who came to the ward from emergency has records of it. DT1 v002, H02.

    Clear only where the invoice has no emergency, no consultation and no procedure of the user at all.
    """
    if not vista.marco.completo or vista.servicios.keys() & {"urgencias", "consultas", "procedimientos"}:
        return
    for at, stay in vista.servicios.get("hospitalizacion", ()):
        if stay.get("viaIngresoServicioSalud") == _DERIVADO_DE_URGENCIAS:
            yield Falta("RVC054", f"servicios.hospitalizacion[{at}].viaIngresoServicioSalud")


def rvc056(vista: Vista) -> Faltas:
    """RVC056: what is told as a stay is backed by an emergency or hospital record. DT1 v002, S05; guidelines 3.2."""
    if not vista.marco.completo or vista.servicios.keys() & {"urgencias", "hospitalizacion"}:
        return
    for at, one in vista.servicios.get("otrosServicios", ()):
        if one.get("tipoOS") == _ESTANCIA:
            yield Falta("RVC056", f"servicios.otrosServicios[{at}].tipoOS")


def rvc062(vista: Vista) -> Faltas:
    """RVC062: who was passed to another service has services of it. DT1 v002, R09 H12 (N10 is of the child).

    Clear only where the stay is the one record of the user.
    """
    if not vista.marco.completo or sum(map(len, vista.servicios.values())) != 1:
        return
    for kind in _EGRESOS:
        for at, stay in vista.servicios.get(kind, ()):
            if stay.get("condicionDestinoUsuarioEgreso") == _DERIVADO:
                yield Falta("RVC062", f"servicios.{kind}[{at}].condicionDestinoUsuarioEgreso")


DE_USUARIO: tuple[ReglaUsuario, ...] = (
    rvc005,
    rvc006,
    rvc007,
    rvc008,
    rvc009,
    rvc010,
    rvc095,
    rvc018,
    rvg13,
    rvg15,
    rvg16,
    rvc053,
    rvc054,
    rvc056,
    rvc062,
)
"""The rules of this file, in the order in which they are told."""
