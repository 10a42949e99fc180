"""A small chaos drill on each database: nothing twice, nothing lost, nothing unknown at the end."""

from __future__ import annotations

import pytest

from radica.app.chaos.drill import run_drill
from radica.kernel.clock import system_clock


@pytest.mark.timeout(600)
@pytest.mark.parametrize("base", ["sqlite", "postgresql"])
def test_a_small_drill_ends_in_zeros(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures = run_drill(trabajos=4, semilla=11, base=base, clock=system_clock, say=print, limit_s=480)
    assert {name: figures[name] for name in ("dobles", "perdidos", "desconocidos_al_final")} == {
        "dobles": 0,
        "perdidos": 0,
        "desconocidos_al_final": 0,
    }, capsys.readouterr().out
    assert figures["radicados_en_portal"] + figures["espera_persona"] >= 4
    assert figures["muertes"] + figures["pausas"] > 0
