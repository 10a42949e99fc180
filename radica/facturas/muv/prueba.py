"""Tries an account without sending anything of an invoice: does the API answer, is it the pinned one, does it let in?

Invariant: pure of database and web; the password is used only after the certificate held. Manual of the API 4.3, 8.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from radica.facturas.muv.cliente import Credencial, Limites, Muv
from radica.facturas.muv.transporte import MuvProblem, Puerta, huella_de, leer_certificado

CORTOS = Limites(entrar_s=20, enviar_s=20, consultar_s=10)
"""Limits of a try, while a person waits."""


@dataclass(frozen=True)
class Prueba:
    """What a try came to. `servidor` is what the API says of itself; `huella` of a certificate that is not pinned yet."""

    bien: bool
    codigo: str
    mensaje: str
    servidor: str = ""
    huella: str = ""


def probar(puerta: Puerta, credencial: Credencial) -> Prueba:
    """Ask for health, then log in. Never raises MuvProblem: it is the result."""
    muv = Muv(puerta, credencial, CORTOS)
    said = ""
    try:
        said = muv.salud()
        muv.entrar()
    except MuvProblem as problem:
        shown = _shown(puerta) if problem.code == "certificado" else ""
        return Prueba(bien=False, codigo=problem.code, mensaje=str(problem), servidor=said, huella=shown)
    return Prueba(bien=True, codigo="", mensaje="El MUV responde y aceptó el usuario.", servidor=said)


def _shown(puerta: Puerta) -> str:
    """Return the fingerprint of the certificate that the server shows, empty when it cannot be read."""
    try:
        return huella_de(leer_certificado(puerta.url, timeout_s=CORTOS.consultar_s))
    except MuvProblem:
        return ""
