"""Archetype name, as the worker says it, to the class that drives it."""

from collections.abc import Callable

from bots.portals.base import PortalBot
from bots.portals.p1_previsora import Previsora
from bots.portals.p2_cuentas_medicas import CuentasMedicas
from bots.portals.work import Work

ARCHETYPES: dict[str, Callable[[Work], PortalBot]] = {bot.name: bot for bot in (CuentasMedicas, Previsora)}
