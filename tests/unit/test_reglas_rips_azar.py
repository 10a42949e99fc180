"""The rules of the RIPS over damaged records: no defect, no endless run, and the same verdict twice."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.cruces import cruces
from radica.facturas.validacion.lote import entre_paquetes
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion.reglas_rips import reglas_rips
from tests.rips_muestra import FECHA, contexto, fev, paquete, rips

RAROS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=True),
    st.text(max_size=20),
    st.sampled_from(["2026-02-29", "2026-02-30 10:00", "29/02/2026", "2026-07-10T08:00:00", "0000-00-00 00:00", "-1"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _lugares(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place of a document, as the keys that lead to it."""
    found = [here] if here else []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found += _lugares(member, (*here, key))
    return found


def _tiene(value: Any, key: Any) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)


LUGARES = _lugares(rips())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LUGARES), RAROS), min_size=1, max_size=6), st.sampled_from(list(Modulo)))
def test_damage_anywhere_is_no_defect_and_tells_the_same_twice(
    danos: list[tuple[tuple[Any, ...], Any]], modulo: Modulo
) -> None:
    document: Any = rips()
    for place, value in danos:
        target = document
        for key in place[:-1]:
            target = target[key] if _tiene(target, key) else None
        if isinstance(target, dict) or _tiene(target, place[-1]):
            target[place[-1]] = copy.deepcopy(value)
    package, eyes = paquete(document, fev()), contexto(modulo)
    first = list(reglas_rips(package, eyes))
    assert first == list(reglas_rips(package, eyes))
    assert len(list(contar([*first, *cruces(package, eyes)], FECHA))) >= len(first)
    list(entre_paquetes([package, paquete(rips(numFactura="FE9"), fev(number="FE9"))], b"k"))


def test_a_copied_user_has_the_findings_of_the_first() -> None:
    document = rips()
    document["usuarios"][0]["servicios"]["medicamentos"][0]["codTecnologiaSalud"] = "170184"
    document["usuarios"].append(copy.deepcopy(document["usuarios"][0]))
    found = [(one.codigo, one.ruta) for one in reglas_rips(paquete(document), contexto()) if one.ruta]
    first = [(code, place) for code, place in found if place.startswith("usuarios[0]")]
    assert first
    assert [(code, place.replace("usuarios[0]", "usuarios[1]")) for code, place in first] == [
        one for one in found if one[1].startswith("usuarios[1]")
    ]
