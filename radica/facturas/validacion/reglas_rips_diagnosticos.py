"""Rules of the RIPS over diagnoses: chapters of the CIE-10 that do not fit a field, and codes said twice.

Invariant: chapters are told by ranges of the code and need no catalogue; that a code exists is said by `estructura`
with the CIE-10 loaded; relations of diagnosis with sex, age and CUPS are in tables that are not public and are not guessed. No
message quotes a diagnosis. Norm: MUV technical document 1 v002.
"""

from __future__ import annotations

from radica.facturas.validacion.reglas_rips_base import (
    DT1_V002,
    Falta,
    Faltas,
    Registro,
    ReglaServicio,
    Vista,
    texto,
)

_MUERTO = "02"
_PREFERIBLE = {
    "consultas": ("codDiagnosticoPrincipal",),
    "procedimientos": ("codDiagnosticoPrincipal", "codComplicacion"),
    "urgencias": ("codDiagnosticoPrincipal", "codDiagnosticoPrincipalE", "codDiagnosticoCausaMuerte"),
    "hospitalizacion": (
        "codDiagnosticoPrincipal",
        "codDiagnosticoPrincipalE",
        "codComplicacion",
        "codDiagnosticoCausaMuerte",
    ),
    "recienNacidos": ("codDiagnosticoPrincipal", "codDiagnosticoCausaMuerte"),
    "medicamentos": ("codDiagnosticoPrincipal",),
}
"""Fields of RVC031 (C10 P13 P15 R04 R05 R10 H06 H07 H11 H13 N09 N11 M05)."""
_ESTRICTO = {
    "procedimientos": ("codDiagnosticoPrincipal", "codComplicacion"),
    "urgencias": ("codDiagnosticoPrincipal", "codDiagnosticoCausaMuerte"),
    "hospitalizacion": ("codDiagnosticoCausaMuerte",),
    "recienNacidos": ("codDiagnosticoCausaMuerte",),
}
"""Fields of RVC032 and RVC033 (P13 P15 R04 R10 H13 N11)."""
_RELACIONADOS = ("codDiagnosticoRelacionado1", "codDiagnosticoRelacionado2", "codDiagnosticoRelacionado3")
_RELACIONADOS_E = ("codDiagnosticoRelacionadoE1", "codDiagnosticoRelacionadoE2", "codDiagnosticoRelacionadoE3")
_MORBILIDAD = frozenset("ABCDEFGHIJKLMNOPQST")
"""Chapters A00–Q99, S00–T98, and only these are of disease and death; R, U, V–Y and Z are others."""
_EXTERNAS = frozenset("VWXYvwxy")
"""Chapter V01–Y98: before v002 the rule was only of them, and not in the basic cause of death."""
_DE_MUERTE = "codDiagnosticoCausaMuerte"
_LETRAS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def capitulo(code: object) -> str:
    """Return the letter of a CIE-10 code; empty when it is none."""
    letter = code[:1].upper() if isinstance(code, str) else ""
    return letter if letter in _LETRAS else ""


def rvc031(tipo: str) -> ReglaServicio:
    """RVC031: diagnoses should rather be of disease and death (A00–Q99, S00–T98); before v002, not V01–Y98."""
    fields, strict = _PREFERIBLE[tipo], frozenset(_ESTRICTO.get(tipo, ()))
    early = tuple(name for name in fields if name != _DE_MUERTE)

    def regla(registro: Registro, vista: Vista) -> Faltas:
        if vista.marco.fecha < DT1_V002:
            return _externas(registro, early)
        return [
            Falta("RVC031", name)
            for name in fields
            if (letter := capitulo(registro.get(name)))
            and letter not in _MORBILIDAD
            and not (name in strict and letter in "RZ")
        ]

    return regla


def _externas(registro: Registro, fields: tuple[str, ...]) -> Faltas:
    for name in fields:
        code = registro.get(name)
        if type(code) is str and code[:1] in _EXTERNAS:
            return [Falta("RVC031", one, {}, "externa") for one in fields if capitulo(registro.get(one)) in _EXTERNAS]
    return ()


def rvc032(tipo: str) -> ReglaServicio:
    """RVC032: no symptoms or abnormal results (R00–R99) in fields that want a disease. DT1 v002."""
    return _prohibido(tipo, "RVC032", "R")


def rvc033(tipo: str) -> ReglaServicio:
    """RVC033: no factors that influence health (Z00–Z99) in fields that want a disease. DT1 v002."""
    return _prohibido(tipo, "RVC033", "Z")


def _prohibido(tipo: str, codigo: str, letra: str) -> ReglaServicio:
    fields = _ESTRICTO[tipo]

    def regla(registro: Registro, _: Vista) -> Faltas:
        for name in fields:
            code = registro.get(name)
            if type(code) is str and code[:1] == letra:
                return [Falta(codigo, one) for one in fields if capitulo(registro.get(one)) == letra]
        return ()

    return regla


def rvc042(registro: Registro, _: Vista) -> Faltas:
    """RVC042: who leaves dead has a basic cause of death. DT1 v002, R10 H13 N11."""
    if registro.get("condicionDestinoUsuarioEgreso") != _MUERTO or texto(registro.get("codDiagnosticoCausaMuerte")):
        return ()
    return (Falta("RVC042", "codDiagnosticoCausaMuerte"),)


def rvc085(registro: Registro, _: Vista) -> Faltas:
    """RVC085: an integral assessment of promotion (purpose 11) has a main diagnosis Z00–Z99. DT1 v002, C08."""
    if registro.get("finalidadTecnologiaSalud") != "11":
        return ()
    letter = capitulo(registro.get("codDiagnosticoPrincipal"))
    return (Falta("RVC085", "finalidadTecnologiaSalud"),) if letter and letter != "Z" else ()


def rvc086(registro: Registro, _: Vista) -> Faltas:
    """RVC086: a related diagnosis is not the main one. DT1 v002, C11 C12 C13 P14 M06."""
    main = texto(registro.get("codDiagnosticoPrincipal"))
    if not main:
        return ()
    names = ("codDiagnosticoRelacionado",) if "codConsulta" not in registro else _RELACIONADOS
    return _iguales("RVC086", registro, names, main)


def rvc087(registro: Registro, _: Vista) -> Faltas:
    """RVC087: no related diagnosis stands twice. DT1 v002, C11 C12 C13."""
    return _repetidos("RVC087", registro, _RELACIONADOS)


def rvc088(registro: Registro, _: Vista) -> Faltas:
    """RVC088: a related diagnosis at exit is not the main one at exit. DT1 v002, R06–R08 H08–H10."""
    main = texto(registro.get("codDiagnosticoPrincipalE"))
    return _iguales("RVC088", registro, _RELACIONADOS_E, main) if main else ()


def rvc089(registro: Registro, _: Vista) -> Faltas:
    """RVC089: no related diagnosis at exit stands twice. DT1 v002, R06–R08 H08–H10."""
    return _repetidos("RVC089", registro, _RELACIONADOS_E)


def _iguales(codigo: str, registro: Registro, names: tuple[str, ...], main: str) -> Faltas:
    return [Falta(codigo, name) for name in names if texto(registro.get(name)) == main]


def _repetidos(codigo: str, registro: Registro, names: tuple[str, ...]) -> Faltas:
    found, seen = [], set()
    for name in names:
        code = texto(registro.get(name))
        if code and code in seen:
            found.append(Falta(codigo, name))
        seen.add(code)
    return found


_MORBIDO = {tipo: rvc031(tipo) for tipo in _PREFERIBLE}
_CAPITULOS = {tipo: (rvc032(tipo), rvc033(tipo)) for tipo in _ESTRICTO}
_EGRESO = (rvc042, rvc088, rvc089)
POR_TIPO: dict[str, tuple[ReglaServicio, ...]] = {
    "consultas": (rvc085, rvc086, rvc087, _MORBIDO["consultas"]),
    "procedimientos": (rvc086, *_CAPITULOS["procedimientos"], _MORBIDO["procedimientos"]),
    "urgencias": (*_EGRESO, *_CAPITULOS["urgencias"], _MORBIDO["urgencias"]),
    "hospitalizacion": (*_EGRESO, *_CAPITULOS["hospitalizacion"], _MORBIDO["hospitalizacion"]),
    "recienNacidos": (rvc042, *_CAPITULOS["recienNacidos"], _MORBIDO["recienNacidos"]),
    "medicamentos": (rvc086, _MORBIDO["medicamentos"]),
}
"""The rules of this file by kind of service."""
