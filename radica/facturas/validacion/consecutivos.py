"""Field rules of the RIPS that need a neighbour and have no code of the Ministry: numbering, residence, number of a note.

Invariant: everything here is an `aviso`; one finding per list of records, at its first wrong place. A RIPS that holds
only what changes (notes) keeps the numbers of its invoice, so there only repetitions are told. Norm: Res. 948 de 2026,
MUV technical document 1 (T03, T04, U06 to U10 and the field `consecutivo` of each kind of service).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from radica.facturas.rips import SERVICIOS
from radica.facturas.validacion.modelo import Contexto, Hallado, Paquete
from radica.facturas.validacion.reglas_rips_base import marco_de, texto
from radica.facturas.validacion.topes import acotar

_COLOMBIA = "170"
_RESIDENCIA = ("codMunicipioResidencia", "codZonaTerritorialResidencia")


def consecutivos(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Yield what the neighbours of a field of the RIPS belie; nothing without RIPS."""
    if paquete.rips is not None:
        yield from acotar(_todos(paquete, contexto), contexto.fecha)


def _todos(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    rips: Mapping[str, Any] = paquete.rips or {}
    whole = marco_de(paquete, contexto).completo
    if texto(rips.get("tipoNota")) and not texto(rips.get("numNota")):
        yield Hallado("RIPS-NUM-NOTA", "numNota")
    users = _records(rips.get("usuarios"))
    yield from _numeros("usuarios", users, whole=whole)
    for at, user in users:
        if texto(user.get("codPaisResidencia")) == _COLOMBIA:
            for name in _RESIDENCIA:
                if name in user and not texto(user[name]):
                    yield Hallado("RIPS-RESIDENCIA", f"usuarios[{at}].{name}", {"campo": name})
        services = user.get("servicios")
        kinds: Mapping[str, Any] = services if isinstance(services, dict) else {}
        for kind in SERVICIOS:
            if records := _records(kinds.get(kind)):
                yield from _numeros(f"usuarios[{at}].servicios.{kind}", records, whole=whole)


def _records(value: object) -> list[tuple[int, dict[str, Any]]]:
    return [(at, one) for at, one in enumerate(value) if isinstance(one, dict)] if isinstance(value, list) else []


def _numeros(place: str, records: list[tuple[int, dict[str, Any]]], *, whole: bool) -> Iterator[Hallado]:
    """RIPS-CONSECUTIVO: from one, one by one; in a part of a RIPS, no number twice."""
    given = [one.get("consecutivo") for _, one in records]
    if any(type(number) is not int for number in given) or given == list(range(1, len(given) + 1)):
        return  # a number that is none is a fault of structure
    seen: set[object] = set()
    for (at, _), number, due in zip(records, given, range(1, len(given) + 1), strict=True):
        if number in seen:
            yield Hallado("RIPS-CONSECUTIVO", f"{place}[{at}].consecutivo", {"numero": str(number)}, "repetido")
            return
        if whole and number != due:
            values = {"numero": str(number), "debido": str(due)}
            yield Hallado("RIPS-CONSECUTIVO", f"{place}[{at}].consecutivo", values)
            return
        seen.add(number)
