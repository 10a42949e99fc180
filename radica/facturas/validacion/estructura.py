"""Part of the checker: is the RIPS written as the norm says (RVG01, 03, 04, 05, 06, 07 and 12).

Invariant: every record passes the gate or is explained by its marshmallow schema; types, sizes and forms are RVG01 at
the path with `rips.` in front, a code that its table does not have is RVG06 at the plain path, as real answers print
them. What real accepted files carry is never a rejection: properties that nobody knows and missing nullable ones (an
answer of 2024 passed over both) are told as `aviso`. Values are shown only where they are codes of a small table.
Norms: MUV technical document 1 (general rules); Res. 2275/2023 and 948/2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from radica.facturas.numbers import parse_amount
from radica.facturas.rips import SERVICIOS
from radica.facturas.validacion.esquemas.campos import Motivo
from radica.facturas.validacion.esquemas.compuerta import Compuerta, Compuertas, compuertas, version_de
from radica.facturas.validacion.esquemas.servicios import Version
from radica.facturas.validacion.modelo import Contexto, Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_rips_base import pesos
from radica.facturas.validacion.topes import CODIGO_MAS, acotar

CAPITA = frozenset({Modulo.CAPITA_PERIODO, Modulo.CAPITA_FINAL})
"""Calls in which no service has a price of its own."""

_CODES = {
    Motivo.NULO_DUDOSO: "RVG04",
    Motivo.TIPO_DUDOSO: "RVG04",
    Motivo.TAMANO_DUDOSO: "RVG05",
    Motivo.VACIO: "RVG05",
    Motivo.TABLA: "RVG06",
    Motivo.CLINICO: "RVG06",
    Motivo.DIAGNOSTICO: "RVG06",
}
_SHOWN = frozenset({Motivo.TABLA, Motivo.CLINICO})
_ABSENT = frozenset({Motivo.FALTA, Motivo.FALTA_OPCIONAL, Motivo.FALTA_DUDOSA})
_EXPLAINED = 500
"""Records that marshmallow explains; beyond, the gate names the same reasons, so that time stays linear and short."""
_DETAILED = 5_000
"""Wrong records of which each property is told; beyond, they are only counted: a million empty ones take seconds."""
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z ]{0,40}[0-9]{0,2} ?")
_ALIKE = 0.85
_DE_LA_PERSONA = ("tipoUsuario", "incapacidad", "registroSIRAS")
"""What may differ between two records of one person in one RIPS."""


@dataclass
class _Marcha:
    """What one run has counted."""

    puertas: Compuertas
    malos: int = 0
    servicios: int = 0
    personas: dict[tuple[str, str], dict[str, Any]] = field(repr=False, default_factory=dict)
    """First user with each document, by its kind and number."""


def estructura(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Yield what is wrong with the structure of the RIPS of a package; nothing when it has none."""
    if paquete.rips is not None:
        yield from acotar(_rips(paquete.rips, contexto), contexto.fecha)


def _rips(rips: Mapping[str, Any], contexto: Contexto) -> Iterator[Hallado]:
    version = version_de(rips)
    if version is Version.RES_2275:
        yield Hallado("RVG01", "rips", variante="estructura_anterior")
    run = _Marcha(compuertas(version, contexto.fecha, contexto.catalogos.cie10))
    yield from _registro(run, run.puertas.transaccion, "", rips)
    users = rips.get("usuarios")
    for index, user in enumerate(users if isinstance(users, list) else []):
        yield from _usuario(run, f"usuarios[{index}]", user)
    if run.malos > _DETAILED:
        yield Hallado(CODIGO_MAS, "", {"cuantos": str(run.malos - _DETAILED)}, variante="registros")
    if not run.servicios:
        yield Hallado("RVG03")
    elif contexto.catalogos.cie10 is None:
        yield Hallado("RVG06", variante="sin_cie10")
    if contexto.modulo in CAPITA:
        yield from capita_sin_valor(rips)


def capita_sin_valor(rips: Mapping[str, Any]) -> Iterator[Hallado]:
    """RVG06 of cápita: its services carry no price; the sum is shown (MUV technical document 1, answer of 2025)."""
    total = sum(_amounts(rips), Decimal(0))
    if total:
        yield Hallado("RVG06", "rips", {"valor": pesos(total)}, variante="capita")


def _usuario(run: _Marcha, place: str, user: object) -> Iterator[Hallado]:
    yield from _registro(run, run.puertas.usuario, place, user)
    if not isinstance(user, dict):
        return
    yield from _repetido(run, place, user)
    services = user.get("servicios")
    if not isinstance(services, dict):
        yield Hallado("RVG07", f"{place}.servicios")
        return
    before = run.servicios
    for kind, records in services.items():
        gate = run.puertas.servicio.get(kind)
        if gate is None:
            yield _sobra(f"{place}.servicios", str(kind), SERVICIOS)
        elif records is None:
            continue
        elif not isinstance(records, list):
            yield Hallado("RVG01", f"rips.{place}.servicios.{kind}", {"campo": kind}, variante="lista")
        else:
            yield from _registros(run, gate, f"{place}.servicios.{kind}", records)
    if run.servicios == before:
        yield Hallado("RVG07", f"{place}.servicios")


def _registros(run: _Marcha, gate: Compuerta, place: str, records: list[object]) -> Iterator[Hallado]:
    run.servicios += len(records)
    lets = gate.deja
    for index, record in enumerate(records):
        if not lets(record):
            yield from _quejas(run, gate, f"{place}[{index}]", record)


def _registro(run: _Marcha, gate: Compuerta, place: str, record: object) -> Iterator[Hallado]:
    if not gate.deja(record):
        yield from _quejas(run, gate, place, record)


def _quejas(run: _Marcha, gate: Compuerta, place: str, record: object) -> Iterator[Hallado]:
    """Turn the reasons of one record into findings."""
    run.malos += 1
    if run.malos > _DETAILED:
        return
    reasons = list(gate.explica(record) if run.malos <= _EXPLAINED else gate.quejas(record))
    # The schemas tell what nobody knows as a set, whose order changes from run to run.
    order = {name: at for at, name in enumerate(record)} if isinstance(record, dict) else {}
    reasons.sort(key=lambda one: order.get(one[0], 0) if one[1] is Motivo.SOBRA else -1)
    missing = [name for name, motive in reasons if motive in _ABSENT]
    for name, motive in reasons:
        if motive is Motivo.OBJETO:
            yield Hallado("RVG01", f"rips.{place}", variante=motive)
        elif motive is Motivo.SOBRA:
            yield _sobra(place, name, missing)
        else:
            yield _hallado(gate, place, name, motive, record)


def _hallado(gate: Compuerta, place: str, name: str, motive: Motivo, record: object) -> Hallado:
    code = _CODES.get(motive, "RVG01")
    path = f"{place}.{name}" if place else name
    values = {"campo": name, "espera": gate.campos[name].espera}
    if motive in _SHOWN and isinstance(record, dict):
        values["valor"] = str(record.get(name))
    return Hallado(code, f"rips.{path}" if code == "RVG01" else path, values, variante=motive)


def _sobra(place: str, name: str, others: list[str] | tuple[str, ...]) -> Hallado:
    """Tell a property that nobody knows, and which one it seems to be; a name that could hold data is not shown."""
    shown = name if _PLAIN_NAME.fullmatch(name) else "(otra)"
    alike = get_close_matches(shown.replace(" ", ""), others, 1, _ALIKE) if shown == name else []
    path = f"rips.{place}.{shown}" if place else f"rips.{shown}"
    if alike:
        return Hallado("RVG01", path, {"campo": shown, "parecido": alike[0]}, variante="sobra_parecida")
    return Hallado("RVG01", path, {"campo": shown}, variante=Motivo.SOBRA)


def _repetido(run: _Marcha, place: str, user: dict[str, Any]) -> Iterator[Hallado]:
    """RVG12: a person stands once in a RIPS, with all their services.

    The rule is of users *with the same data*: one born on another day (a child under the document of the mother) is not
    certainly refused; and the norm's own example (document 1 v002, p. 23) has one person twice, under two kinds of user.
    """
    kind, number = user.get("tipoDocumentoIdentificacion"), user.get("numDocumentoIdentificacion")
    if not (isinstance(kind, str) and isinstance(number, str) and number.strip()):
        return
    first = run.personas.setdefault((kind, number.strip()), user)
    if first is not user:
        yield Hallado("RVG12", place, variante=_en_que_difieren(first, user))


def _en_que_difieren(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if one.get("fechaNacimiento") != other.get("fechaNacimiento"):
        return "otro_nacimiento"
    return "otros_datos" if any(one.get(name) != other.get(name) for name in _DE_LA_PERSONA) else ""


def _amounts(rips: Mapping[str, Any]) -> Iterator[Decimal]:
    users = rips.get("usuarios")
    for user in users if isinstance(users, list) else []:
        services = user.get("servicios") if isinstance(user, dict) else None
        for records in services.values() if isinstance(services, dict) else ():
            for record in records if isinstance(records, list) else []:
                amount = parse_amount(record.get("vrServicio")) if isinstance(record, dict) else None
                if amount is not None:
                    yield amount
