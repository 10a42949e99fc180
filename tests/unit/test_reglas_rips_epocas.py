"""How heavy a rule is changes by day: Res. 2275 de 2023, then Res. 948 de 2026 from June 1 and from July 1.

Res. 948 (art. 22, transitory): from 2026-06-01 the rules that pass from notification to rejection are in force, from
2026-07-01 its changes of structure. The older weights are those of the FEV-RIPS guidelines 3.2 of May 2025.
"""

from __future__ import annotations

from datetime import date

import pytest

from radica.facturas.validacion.catalogo import contar, regla_de
from radica.facturas.validacion.modelo import Clase
from radica.facturas.validacion.reglas_rips import reglas_rips
from tests.rips_muestra import RECIEN_NACIDO, contexto, fev, paquete, rips
from tests.rips_rotos import ROTOS

VISPERA, JUNIO, ULTIMO, JULIO = date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30), date(2026, 7, 1)
R, N, A = Clase.RECHAZO, Clase.NOTIFICACION, Clase.AVISO

SUBEN = (
    "RVG14", "RVC023", "RVC053", "RVC054", "RVC057", "RVC058", "RVC062", "RVC063", "RVC084", "RVC086", "RVC087",
    "RVC088", "RVC089",
)  # fmt: skip
SIEMPRE = (
    "RVC001", "RVC004", "RVC006", "RVC011", "RVC013", "RVC014", "RVC024", "RVC038", "RVC039", "RVC042", "RVC043",
    "RVC044", "RVC045", "RVC046", "RVC050", "RVC056", "RVC060", "RVC061", "RVC079", "RVC080", "RVC081", "RVG08", "RVG09",
    "RVG16",
)  # fmt: skip
PESOS: tuple[tuple[str, date, Clase], ...] = (
    *((code, day, weight) for code in SUBEN for day, weight in ((VISPERA, N), (JUNIO, R), (JULIO, R))),
    *((code, day, R) for code in SIEMPRE for day in (date(2024, 10, 1), VISPERA, JUNIO, JULIO)),
    *((code, day, weight) for code in ("RVG15", "RVC007", "RVC091") for day, weight in ((VISPERA, R), (JUNIO, N))),
    *(("RVC092", day, weight) for day, weight in ((date(2025, 4, 30), A), (VISPERA, R), (ULTIMO, R), (JULIO, N))),
    *((code, day, weight) for code in ("RVC047", "RVC066") for day, weight in ((VISPERA, A), (JUNIO, R))),
    ("RVC005", ULTIMO, A),
    ("RVC005", JULIO, R),
)


@pytest.mark.parametrize(("codigo", "dia", "clase"), PESOS)
def test_the_weight_of_a_rule_is_that_of_its_day(codigo: str, dia: date, clase: Clase) -> None:
    rule = regla_de(codigo, "", dia)
    assert rule is not None
    assert rule.clase is clase


@pytest.mark.parametrize("codigo", [*SUBEN, "RVC007", "RVG15", "RVC091", "RVC066", "RVC047"])
def test_what_breaks_it_weighs_what_the_day_says(codigo: str) -> None:
    roto = next(one for one in ROTOS if one.codigo == codigo)
    for day in (VISPERA, JUNIO):
        rule = regla_de(codigo, "", day)
        told = [one for one in contar(roto.hallados(), day) if one.codigo == codigo and one.ruta == roto.ruta]
        assert rule is not None
        assert [one.clase for one in told] == [rule.clase] * len(told)
        assert told


def test_the_weight_at_birth_widens_with_the_third_version() -> None:
    def places(gramos: int, day: date) -> list[str]:
        document = rips()
        document["usuarios"][0]["servicios"]["recienNacidos"] = [{**RECIEN_NACIDO, "peso": gramos}]
        return [
            one.codigo for one in reglas_rips(paquete(document, fev()), contexto(fecha=day)) if one.ruta[-4:] == "peso"
        ]

    assert [places(grams, date(2026, 7, 14)) for grams in (499, 500, 5000, 5001)] == [["RVC058"], [], [], ["RVC058"]]
    assert [places(grams, date(2026, 7, 15)) for grams in (399, 400, 6000, 6001)] == [["RVC058"], [], [], ["RVC058"]]


def test_before_the_second_version_only_external_causes_are_objected() -> None:
    def objected(dx: str, day: date) -> list[str]:
        document = rips()
        document["usuarios"][0]["servicios"]["consultas"][0]["codDiagnosticoPrincipal"] = dx
        found = contar(reglas_rips(paquete(document, fev()), contexto(fecha=day)), day)
        return [one.ruta.rpartition(".")[2] for one in found if one.codigo == "RVC031"]

    assert [objected(dx, ULTIMO) for dx in ("R509", "W190", "J189")] == [[], ["codDiagnosticoPrincipal"], []]
    assert [objected(dx, JULIO) for dx in ("R509", "W190", "J189")] == [["codDiagnosticoPrincipal"]] * 2 + [[]]
