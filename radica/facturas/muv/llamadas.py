"""The calls of the API FEV-RIPS: which path each has, what it wants inside, and the bytes of its body.

Invariant: pure. The RIPS travels with the very text with which it was written (no amount is parsed and printed again),
and a call that wants no RIPS or no XML carries none. Norm: manual of the API FEV-RIPS 4.3, sections 8.2 to 8.15.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from radica.facturas.jsonsafe import decode_text, load_json, member_texts
from radica.facturas.rips import is_rips
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.xmlsafe import Unreadable

PAQUETES = "/api/PaquetesFevRips"
CONSULTAS = "/api/ConsultasFevRips"
ENTRAR = "/api/Auth/LoginSISPRO"
CONSULTAR = f"{CONSULTAS}/ConsultarCUV"
RECUPERAR = (f"{PAQUETES}/RecuperarCUV", f"{CONSULTAS}/RecuperarCUV")
"""The manual and the published collection name different paths: the second is asked when the first is not there."""
DESCARGAR = f"{CONSULTAS}/DescargarArchivosFevRipsCUV"
SALUD = ("/BasicHealth", "/health", "/api/BasicHealth")

MAX_XML = 16 * 1024 * 1024
"""Bytes; what is larger comes back as GI008."""


@dataclass(frozen=True)
class Pide:
    """What a call wants."""

    rips: bool
    xml: bool


PIDE: Mapping[Modulo, Pide] = {
    Modulo.FEV: Pide(rips=True, xml=True),
    Modulo.NC: Pide(rips=True, xml=True),
    Modulo.NC_TOTAL: Pide(rips=False, xml=True),
    Modulo.ND: Pide(rips=True, xml=True),
    Modulo.NOTA_AJUSTE: Pide(rips=True, xml=False),
    Modulo.SIN_FACTURA: Pide(rips=True, xml=False),
    Modulo.NC_ACUERDO: Pide(rips=False, xml=True),
    Modulo.CAPITA_INICIAL: Pide(rips=False, xml=True),
    Modulo.CAPITA_PERIODO: Pide(rips=True, xml=True),
    Modulo.CAPITA_FINAL: Pide(rips=True, xml=False),
    Modulo.NC_CAPITA: Pide(rips=False, xml=True),
}


def ruta(modulo: Modulo) -> str:
    """Return the path of a call."""
    return f"{PAQUETES}/{modulo.value}"


def cuerpo(modulo: Modulo, rips: bytes | None, xml: bytes | None) -> bytes:
    """Return the body of a call. `rips` and `xml` are the files as they are kept; what the call does not want stays out.

    Raises ValueError when something that the call wants is missing, Unreadable when the RIPS is none.
    """
    pide = PIDE[modulo]
    if (pide.rips and rips is None) or (pide.xml and xml is None):
        raise ValueError(f"{modulo} wants more than was given")
    inner = rips_text(rips).encode() if pide.rips and rips is not None else b"null"
    packed = base64.b64encode(xml) if pide.xml and xml is not None else b""
    return b'{"rips":' + inner + b',"xmlFevFile":"' + packed + b'"}'


def rips_text(data: bytes) -> str:
    """Return the exact text of a RIPS, without the wrapper that some systems put around it. Raises Unreadable."""
    value, _ = load_json(data)
    text, _ = decode_text(data)
    if is_rips(value):
        return text
    inner = value.get("rips") if isinstance(value, dict) else None
    if not is_rips(inner):
        raise Unreadable("El archivo no es un RIPS.", todo="Cargue el RIPS de la factura.", code="json_otro")
    return member_texts(text)["rips"]


def cuerpo_cuv(cuv: str) -> bytes:
    """Return the body of a question about a CUV."""
    return json.dumps({"codigoUnicoValidacion": cuv}).encode()


def cuerpo_entrada(*, tipo_documento: str, numero: str, clave: str, nit: str, tipo_usuario: str) -> bytes:
    """Return the body of the login; `tipo_usuario` RE, PIN, PINx or PIE."""
    who = {"identificacion": {"tipo": tipo_documento, "numero": numero}}
    return json.dumps({"persona": who, "clave": clave, "nit": nit, "tipoUsuario": tipo_usuario}).encode()
