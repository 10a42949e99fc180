"""Rules of the RIPS over what was done: purpose and cause, medicines, supplies, newborns.

Invariant: each rule reads one service of one user; where the norm leaves a doubt (which purposes fit which age) only
what no reading admits is told. Norm: MUV technical document 1 v002; tables of SISPRO.
"""

from __future__ import annotations

import re

from radica.facturas.validacion.reglas_rips_base import (
    DT1_V002,
    DT1_V003,
    Falta,
    Faltas,
    Registro,
    ReglaServicio,
    Vista,
    dia,
    edad,
    monto,
    texto,
)

_SOLO_MUJER = frozenset({"23", "24", "25"})
_EDAD_FERTIL = (9, 60)
_PROMOCION, _PRECONCEPCIONAL, _PRENATAL, _IVE, _PARTO, _RECIEN_NACIDO = "11", "22", "23", "24", "25", "27"
_CAUSA_PROMOCION, _CAUSA_MATERNA = "40", "42"
_CAUSAS_IVE = frozenset({"34", "35", "36", "49", _CAUSA_MATERNA})
_CUM = re.compile(r"[1-9][0-9]{2,8}-[1-9][0-9]{0,2}")
_IUM = re.compile(r"[0-9A-Za-z]{13,20}")
_CON_CODIGO = "01"
"""Medicine with sanitary registration: its code is an IUM or a CUM."""
_SIN_DATOS = frozenset({"01", "02", "04"})
_DATOS = ("nomTecnologiaSalud", "concentracionMedicamento", "unidadMedida", "formaFarmaceutica")
_CEROS = (0, "0", "")
_INSUMO, _COMPLEMENTARIO = "01", "04"
_PESO, _PESO_V003, _SEMANAS, _MAX_PRENATAL = (500, 5000), (400, 6000), (20, 46), 15
_PROPIOS_DEL_NACIDO = frozenset({"CN", "NV", "RC", "MS", ""})
PRESUPUESTO_MAXIMO = frozenset({"02"})
_PRESCRIPCION = re.compile(r"[0-9]{20}")


def rvc051(registro: Registro, vista: Vista) -> Faltas:
    """RVC051: the purpose fits sex and age. DT1 v002, C08 P10. A purpose that is in no table fits neither."""
    aim = texto(registro.get("finalidadTecnologiaSalud"))
    if not aim:
        return ()
    if aim not in vista.marco.finalidades:
        return [Falta("RVC051", "finalidadTecnologiaSalud", {"finalidad": aim}, kind) for kind in ("sexo", "edad")]
    if aim not in _SOLO_MUJER:
        return ()
    found = []
    if vista.sexo == "M":
        found.append(Falta("RVC051", "finalidadTecnologiaSalud", {"finalidad": aim}, "sexo"))
    years = edad(vista.nacimiento, dia(registro.get("fechaInicioAtencion")))
    if years is not None and not _EDAD_FERTIL[0] <= years <= _EDAD_FERTIL[1]:
        found.append(Falta("RVC051", "finalidadTecnologiaSalud", {"finalidad": aim}, "edad"))
    return found


def rvc052(registro: Registro, _: Vista) -> Faltas:
    """RVC052: an interruption of pregnancy has one of its causes. DT1 v002, C08."""
    return _causa("RVC052", registro, _IVE, _CAUSAS_IVE)


def rvc067(registro: Registro, _: Vista) -> Faltas:
    """RVC067: an integral assessment of promotion has cause 40. DT1 v002, C08."""
    return _causa("RVC067", registro, _PROMOCION, frozenset({_CAUSA_PROMOCION}))


def rvc068(registro: Registro, _: Vista) -> Faltas:
    """RVC068: preconception care has cause 42. DT1 v002, C08; RVC075 says the same."""
    return _causa("RVC068", registro, _PRECONCEPCIONAL, frozenset({_CAUSA_MATERNA}))


def rvc069(registro: Registro, _: Vista) -> Faltas:
    """RVC069: birth and puerperium have cause 42. DT1 v002, C08; RVC072 and RVC076 say the same."""
    return _causa("RVC069", registro, _PARTO, frozenset({_CAUSA_MATERNA}))


def rvc070(registro: Registro, _: Vista) -> Faltas:
    """RVC070: prenatal care has cause 42. DT1 v002, C08; RVC073 and RVC077 say the same."""
    return _causa("RVC070", registro, _PRENATAL, frozenset({_CAUSA_MATERNA}))


def rvc071(registro: Registro, _: Vista) -> Faltas:
    """RVC071: follow-up of a newborn has cause 42. DT1 v002, C08; RVC074 and RVC078 say the same."""
    return _causa("RVC071", registro, _RECIEN_NACIDO, frozenset({_CAUSA_MATERNA}))


def _causa(codigo: str, registro: Registro, finalidad: str, causas: frozenset[str]) -> Faltas:
    if registro.get("finalidadTecnologiaSalud") != finalidad:
        return ()
    cause = texto(registro.get("causaMotivoAtencion"))
    if not cause or cause in causas:
        return ()
    said = {"finalidad": finalidad, "causa": cause, "causas": ", ".join(sorted(causas))}
    return (Falta(codigo, "finalidadTecnologiaSalud", said),)


def rvc048(registro: Registro, vista: Vista) -> Faltas:
    """RVC048: what the maximum budget pays is authorised by a MIPRES prescription of 20 digits. DT1 v002, P04 M02 S02."""
    if vista.marco.coberturas != PRESUPUESTO_MAXIMO:
        return ()
    if _PRESCRIPCION.fullmatch(texto(registro.get("numAutorizacion"))):
        return ()
    return (Falta("RVC048", "numAutorizacion"),)


def rvc050(registro: Registro, _: Vista) -> Faltas:
    """RVC050: supplies and complementary services name who ordered them. DT1 v002, S09 S10."""
    if registro.get("tipoOS") not in (_INSUMO, _COMPLEMENTARIO):
        return ()
    names = ("tipoDocumentoIdentificacion", "numDocumentoIdentificacion")
    return [Falta("RVC050", name) for name in names if registro.get(name) in (None, "")]


def rvc057(registro: Registro, _: Vista) -> Faltas:
    """RVC057: gestational age of 20 to 46 weeks. DT1 v002, N05."""
    return _rango("RVC057", registro, "edadGestacional", *_SEMANAS)


def rvc058(registro: Registro, vista: Vista) -> Faltas:
    """RVC058: weight at birth of 500 to 5000 grams, since v003 of 400 to 6000. DT1 v002, N08."""
    return _rango("RVC058", registro, "peso", *(_PESO_V003 if vista.marco.fecha >= DT1_V003 else _PESO))


def rvc097(registro: Registro, _: Vista) -> Faltas:
    """RVC097: at most 15 prenatal consultations. DT1 v002, N06."""
    return _rango("RVC097", registro, "numConsultasCPrenatal", 0, _MAX_PRENATAL)


def _rango(codigo: str, registro: Registro, campo: str, minimo: int, maximo: int) -> Faltas:
    value = monto(registro.get(campo))
    if value is None or minimo <= value <= maximo:
        return ()
    return (Falta(codigo, campo, {"valor": str(value), "minimo": str(minimo), "maximo": str(maximo)}),)


def rvc047(registro: Registro, vista: Vista) -> Faltas:
    """RVC047: a newborn without document of its own goes with that of its mother, the user. DT1 v002, N02 N03."""
    if texto(registro.get("tipoDocumentoIdentificacion")) in _PROPIOS_DEL_NACIDO:
        return ()
    name = "numDocumentoIdentificacion"
    own, mother = texto(registro.get(name)), texto(vista.datos.get(name))
    return (Falta("RVC047", name),) if own and mother and own != mother else ()


def rvc063(registro: Registro, _: Vista) -> Faltas:
    """RVC063: a code that has the form of neither IUM nor CUM is in none of the two. DT1 v002, M08.

    Real answers refused `170184` (no consecutive), `19992190-03` (zero before it) and a code of the house.
    """
    if registro.get("tipoMedicamento") != _CON_CODIGO:
        return ()
    code = registro.get("codTecnologiaSalud")
    if type(code) is not str or not code or _CUM.fullmatch(code) or _IUM.fullmatch(code):
        return ()
    return (Falta("RVC063", "codTecnologiaSalud", {"codigo": code}),)


def rvc065(registro: Registro, vista: Vista) -> Faltas:
    """RVC065: only magistral preparations describe the medicine. DT1 v002, M09–M12; zero counted before it."""
    if registro.get("tipoMedicamento") not in _SIN_DATOS:
        return ()
    new = vista.marco.fecha >= DT1_V002
    return [
        Falta("RVC065", name)
        for name in _DATOS
        if (value := registro.get(name)) is not None and not (new and value in _CEROS)
    ]


def rvc066(registro: Registro, _: Vista) -> Faltas:
    """RVC066: a supply has its description. DT1 v002, S07."""
    if registro.get("tipoOS") != _INSUMO or texto(registro.get("nomTecnologiaSalud")):
        return ()
    return (Falta("RVC066", "nomTecnologiaSalud"),)


_CAUSAS: dict[str, ReglaServicio] = {
    _IVE: rvc052,
    _PROMOCION: rvc067,
    _PRECONCEPCIONAL: rvc068,
    _PARTO: rvc069,
    _PRENATAL: rvc070,
    _RECIEN_NACIDO: rvc071,
}


def _causa_de_su_finalidad(registro: Registro, vista: Vista) -> Faltas:
    """Run the one rule of causes that speaks of the purpose of a consultation: most purposes have none."""
    rule = _CAUSAS.get(texto(registro.get("finalidadTecnologiaSalud")))
    return rule(registro, vista) if rule is not None else ()


POR_TIPO: dict[str, tuple[ReglaServicio, ...]] = {
    "consultas": (rvc051, _causa_de_su_finalidad),
    "procedimientos": (rvc048, rvc051),
    "recienNacidos": (rvc047, rvc057, rvc058, rvc097),
    "medicamentos": (rvc048, rvc063, rvc065),
    "otrosServicios": (rvc048, rvc050, rvc066),
}
"""The rules of this file by kind of service."""
