"""Judges a RIPS by the rules RVG and RVC of the Ministry: one pass over the services, rules indexed by kind.

Invariant: every rule is a pure function of its own in the `reglas_rips_*` files; this file only runs them, makes the
paths that the Ministry prints, and tells once what nobody can decide here (registers, tables that are not public,
catalogues that were not loaded). A path is only written when something was found. Norm: MUV technical document 1 v002.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from radica.facturas.validacion import (
    reglas_rips_atencion,
    reglas_rips_cups,
    reglas_rips_diagnosticos,
    reglas_rips_fechas,
    reglas_rips_usuario,
    reglas_rips_valores,
)
from radica.facturas.validacion.modelo import Contexto, Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_rips_base import (
    Falta,
    Faltas,
    Marco,
    ReglaServicio,
    ReglaUsuario,
    Vista,
    marco_de,
    texto,
    vistas,
)
from radica.facturas.validacion.reglas_rips_encabezado import DE_PAQUETE, Sumas
from radica.facturas.validacion.topes import acotar

_FAMILIAS = (
    reglas_rips_fechas.POR_TIPO,
    reglas_rips_valores.POR_TIPO,
    reglas_rips_atencion.POR_TIPO,
    reglas_rips_diagnosticos.POR_TIPO,
    reglas_rips_cups.POR_TIPO,
)
DE_SERVICIO: dict[str, tuple[ReglaServicio, ...]] = {
    kind: tuple(rule for family in _FAMILIAS for rule in family.get(kind, ()))
    for kind in dict.fromkeys(kind for family in _FAMILIAS for kind in family)
}
DE_USUARIO: tuple[ReglaUsuario, ...] = (*reglas_rips_usuario.DE_USUARIO, *reglas_rips_cups.DE_USUARIO)

SIN_CATALOGO = "sin_catalogo"
REGISTRO = "registro"
_CON_CUPS = frozenset({"consultas", "procedimientos", "otrosServicios"})
_REGISTROS = {
    "RVC017": _CON_CUPS,
    "RVC019": _CON_CUPS,
    "RVC029": frozenset({"consultas"}),
    "RVC030": frozenset({"procedimientos"}),
    "RVC059": frozenset({"consultas", "procedimientos"}),
    "RVC063": frozenset({"medicamentos"}),
    "RVC082": frozenset({"otrosServicios"}),
    "RVG17": frozenset({"recienNacidos"}),
}
"""What only the Ministry's registers and tables decide, by the kinds of service that make it a question."""
_SI_DICE = {"RVC025": ("tipoOS", "04"), "RVC055": ("tipoMedicamento", "04")}
"""The same, by what a service says."""


def reglas_de(marco: Marco) -> dict[str, tuple[ReglaServicio, ...]]:
    """Return the rules by kind without those that cannot speak of this package at all, which saves most calls."""
    quiet: set[ReglaServicio] = set()
    if marco.modulo is not Modulo.SIN_FACTURA:
        quiet.add(reglas_rips_valores.rvc091)
    if marco.coberturas != reglas_rips_atencion.PRESUPUESTO_MAXIMO:
        quiet.add(reglas_rips_atencion.rvc048)
    if marco.catalogos.cups is None:
        quiet |= reglas_rips_cups.DE_TABLA
    return {kind: tuple(rule for rule in rules if rule not in quiet) for kind, rules in DE_SERVICIO.items()}


def reglas_rips(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Yield what the rules of the RIPS find, in the order of the document; nothing without RIPS."""
    if paquete.rips is not None:
        yield from acotar(_todas(paquete, contexto), contexto.fecha)


def _todas(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    marco, sumas = marco_de(paquete, contexto), Sumas()
    asked: set[str] = set()
    rules = reglas_de(marco)
    for index, vista in vistas(marco):
        sumas.sumar(vista)
        yield from _usuario(index, vista, rules)
        asked |= _preguntas(vista)
    for rule in DE_PAQUETE:
        yield from (_hallado("", one) for one in rule(marco, sumas))
    for code in sorted(asked):
        yield Hallado(code, variante=REGISTRO)
    if marco.catalogos.cups is None and asked & {"RVC017", "RVC019"}:
        for code in reglas_rips_cups.CON_CUPS:
            yield Hallado(code, variante=SIN_CATALOGO)


def _usuario(index: int, vista: Vista, reglas: Mapping[str, tuple[ReglaServicio, ...]]) -> Iterator[Hallado]:
    for rule in DE_USUARIO:
        found = rule(vista)
        if found:
            yield from _con(f"usuarios[{index}].", found)
    for kind, records in vista.servicios.items():
        rules = reglas.get(kind, ())
        for at, record in records:
            for check in rules:
                found = check(record, vista)
                if found:
                    yield from _con(f"usuarios[{index}].servicios.{kind}[{at}].", found)


def _con(place: str, found: Faltas) -> Iterator[Hallado]:
    for one in found:
        yield _hallado(place, one)


def _hallado(place: str, one: Falta) -> Hallado:
    return Hallado(one.codigo, place + one.campo, one.valores, one.variante)


def _preguntas(vista: Vista) -> set[str]:
    """Return the codes that this user makes a question for the Ministry's registers."""
    asked = {code for code, kinds in _REGISTROS.items() if not kinds.isdisjoint(vista.servicios)}
    for code, (name, value) in _SI_DICE.items():
        if any(
            one.get(name) == value
            for kind in ("otrosServicios", "medicamentos")
            for _, one in vista.servicios.get(kind, ())
        ):
            asked.add(code)
    kinds = ("procedimientos", "medicamentos", "otrosServicios")
    if any(texto(one.get("idMIPRES")) for kind in kinds for _, one in vista.servicios.get(kind, ())):
        asked.add("RVC049")
    return asked
