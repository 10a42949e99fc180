"""Archetype name, as the worker says it, to the class that drives it: one for filing, one for answering glosas."""

from collections.abc import Callable

from bots.contract import Filing
from bots.portals.base import PortalBot
from bots.portals.p1_previsora import Previsora
from bots.portals.p2_cuentas_medicas import CuentasMedicas
from bots.portals.p2_respuesta import RespuestaGlosas
from bots.portals.work import Work

Maker = Callable[[Work], PortalBot]

ARCHETYPES: dict[str, Maker] = {bot.name: bot for bot in (CuentasMedicas, Previsora)}
ANSWERERS: dict[str, Maker] = {CuentasMedicas.name: RespuestaGlosas}


def maker_of(archetype: str, filing: Filing) -> Maker | None:
    """The class for what is ordered at this portal; None when no bot does that there."""
    return (ARCHETYPES if filing.answer is None else ANSWERERS).get(archetype)
