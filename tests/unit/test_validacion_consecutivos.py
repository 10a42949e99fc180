"""Fields of a RIPS that a neighbour belies: numbering, residence, number of a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.consecutivos import consecutivos
from radica.facturas.validacion.modelo import Clase, Modulo
from tests.rips_muestra import FECHA, contexto, paquete, rips


def found(value: dict[str, Any], modulo: Modulo = Modulo.FEV) -> list[tuple[str, str]]:
    told = list(contar(consecutivos(paquete(value), contexto(modulo=modulo)), FECHA))
    assert all(one.clase is Clase.AVISO for one in told)
    return [(one.codigo, one.ruta) for one in told]


def test_a_right_rips_is_told_nothing() -> None:
    assert found(rips()) == []


def of_user(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["usuarios"][0].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (of_user("consecutivo", 0), "RIPS-CONSECUTIVO", "usuarios[0].consecutivo"),
        (of_user("consecutivo", 2), "RIPS-CONSECUTIVO", "usuarios[0].consecutivo"),
        (of_user("codMunicipioResidencia", None), "RIPS-RESIDENCIA", "usuarios[0].codMunicipioResidencia"),
        (of_user("codZonaTerritorialResidencia", ""), "RIPS-RESIDENCIA", "usuarios[0].codZonaTerritorialResidencia"),
        (lambda document: document.__setitem__("tipoNota", "NC"), "RIPS-NUM-NOTA", "numNota"),
    ],
)
def test_each_is_told_at_its_place(change: Callable[[dict[str, Any]], None], code: str, place: str) -> None:
    document = rips()
    change(document)
    assert found(document) == [(code, place)]


def test_abroad_there_is_no_municipality() -> None:
    document = rips()
    document["usuarios"][0] |= {"codPaisResidencia": "862", "codMunicipioResidencia": None}
    assert found(document) == []


def test_the_services_of_each_kind_are_numbered_and_a_note_keeps_the_numbers_of_its_invoice() -> None:
    document = rips()
    kind, records = next((kind, rows) for kind, rows in document["usuarios"][0]["servicios"].items() if rows)
    place = f"usuarios[0].servicios.{kind}"
    records[:] = [{**records[0], "consecutivo": number} for number in (1, 2, 4, 5)]
    assert found(document) == [("RIPS-CONSECUTIVO", f"{place}[2].consecutivo")]
    assert found(document, Modulo.NC) == []
    records[3]["consecutivo"] = 2
    assert found(document, Modulo.NC) == [("RIPS-CONSECUTIVO", f"{place}[3].consecutivo")]
    records[0]["consecutivo"] = "1"
    assert found(document) == [], "what is no number is a fault of structure"
