"""The account with which a provider reaches the MUV: kept encrypted, off until a person switches it on.

Invariant: one per provider; the person's number and password stand only encrypted and never come out again; a new
address asks for the password again, so that nobody sends it to a server of theirs. Res. 948 de 2026 art. 4.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.entidades.models import Prestador
from radica.facturas.muv.cliente import Credencial, Limites
from radica.facturas.muv.transporte import Puerta, huella_de
from radica.facturas.validacion_models import CuentaMuv
from radica.kernel.errors import BadInput
from radica.portales.credentials import Vault
from radica.portales.services import safe_address

TIPOS_USUARIO = {
    "RE": "Representante de la entidad",
    "PIN": "Profesional independiente nacional",
    "PINx": "Profesional independiente de excepción",
    "PIE": "Profesional independiente extranjero",
}
TIPOS_DOCUMENTO = {
    "CC": "Cédula de ciudadanía",
    "CE": "Cédula de extranjería",
    "PA": "Pasaporte",
    "PT": "Permiso por protección temporal",
    "NI": "NIT",
}
LIMITES = ("entrar_s", "enviar_s", "consultar_s", "intentos")
"""What a person may set; the Ministry publishes no times, so they are measured and adjusted."""
INTENTOS = 5
"""Tries of one order; the queue's back-off stands between them."""


def cuenta_de(session: Session, prestador_id: int) -> CuentaMuv | None:
    """Return the account of a provider, on or off."""
    return session.scalar(select(CuentaMuv).where(CuentaMuv.prestador_id == prestador_id))


def guardar_cuenta(
    session: Session,
    vault: Vault,
    *,
    prestador_id: int,
    url: str,
    tipo_usuario: str,
    tipo_documento: str,
    numero: str,
    clave: str,
    certificado_pem: str,
    actor: str,
    at: datetime,
) -> CuentaMuv:
    """Add or change the account; empty `numero` and `clave` keep the ones there are. A new one is off.

    Raises BadInput when the address is not safe, a word is not of its list, the certificate is none, or an address
    changes without the password.
    """
    address = url.strip().rstrip("/")
    if not safe_address(address) or len(address) > 300:
        raise BadInput(
            "La dirección del MUV debe empezar por https://.",
            todo="Sin cifrado, la clave viajaría a la vista; http:// solo se admite en esta misma máquina.",
        )
    if tipo_usuario not in TIPOS_USUARIO or tipo_documento not in TIPOS_DOCUMENTO:
        raise BadInput("Ese tipo de usuario o de documento no existe.", todo="Elija uno de la lista.")
    pem = "\n".join(certificado_pem.split("\r\n")).strip() or None  # a browser sends its lines so
    pin = huella_de(pem) if pem is not None else None
    # Two who write the first account at once: the second waits here and changes it.
    session.execute(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update(key_share=True))
    row = cuenta_de(session, prestador_id)
    if row is not None and not clave and (row.url, _pin(row)) != (address, pin):
        raise BadInput(
            "Al cambiar la dirección o el certificado hay que escribir de nuevo la clave; no se guardó nada.",
            todo="Escriba la clave de SISPRO.",
        )
    if row is None and not (numero and clave):
        raise BadInput("Faltan el documento y la clave de SISPRO; no se guardó nada.")
    secret = _secret(row, vault, numero.strip(), clave)
    if row is None:
        row = CuentaMuv(prestador_id=prestador_id, activa=False, limites={})
        session.add(row)
    row.url, row.tipo_usuario, row.tipo_documento, row.certificado_pem = address, tipo_usuario, tipo_documento, pem
    row.credencial_cifrada = vault.encrypt(json.dumps(secret))
    _changed(session, row, "cambiar_cuenta_muv", actor=actor, at=at)
    return row


def fijar_certificado(session: Session, row: CuentaMuv, pem: str, *, actor: str, at: datetime) -> None:
    """Pin the certificate whose fingerprint a person confirmed. Raises MuvProblem when it is none."""
    huella_de(pem)
    row.certificado_pem = pem.strip()
    _changed(session, row, "fijar_certificado_muv", actor=actor, at=at)


def fijar_limites(session: Session, row: CuentaMuv, limites: dict[str, int], *, actor: str, at: datetime) -> None:
    """Set some limits of an account (`LIMITES`), in whole seconds or tries. Raises BadInput when one is not positive."""
    if any(name not in LIMITES or value < 1 for name, value in limites.items()):
        raise BadInput("Un límite de espera o de intentos debe ser mayor que cero.", code="muv_limites")
    row.limites = {**row.limites, **limites}
    _changed(session, row, "cambiar_limites_muv", actor=actor, at=at)


def prender(session: Session, row: CuentaMuv, *, activa: bool, actor: str, at: datetime) -> None:
    """Switch the sending of a provider on or off."""
    row.activa = activa
    _changed(session, row, "prender_muv" if activa else "apagar_muv", actor=actor, at=at)


def abrir_cuenta(session: Session, row: CuentaMuv, vault: Vault) -> tuple[Puerta, Credencial, Limites]:
    """Return what the client needs. Raises Unavailable when the vault does not open the password."""
    secret = json.loads(vault.decrypt(row.credencial_cifrada))
    nit = session.get_one(Prestador, row.prestador_id).nit
    credential = Credencial(
        nit=nit,
        tipo_documento=row.tipo_documento,
        numero=secret["numero"],
        clave=secret["clave"],
        tipo_usuario=row.tipo_usuario,
    )
    return Puerta(row.url, row.certificado_pem), credential, limites_de(row.limites)


def limites_de(kept: dict[str, Any]) -> Limites:
    """Return the limits of an account: what is kept (whole seconds and bytes) over the usual ones."""
    usual = Limites()
    return Limites(
        entrar_s=int(kept.get("entrar_s", usual.entrar_s)),
        enviar_s=int(kept.get("enviar_s", usual.enviar_s)),
        consultar_s=int(kept.get("consultar_s", usual.consultar_s)),
        gzip_desde=int(kept.get("gzip_desde", usual.gzip_desde)),
        max_respuesta=int(kept.get("max_respuesta", usual.max_respuesta)),
    )


def _changed(session: Session, row: CuentaMuv, action: str, *, actor: str, at: datetime) -> None:
    """Note who changed an account last, and write it where nobody rewrites it."""
    row.cambiada_at, row.cambiada_por = at, actor
    session.flush()
    record_reading(
        session, prestador_id=row.prestador_id, actor=actor, action=action, purpose="administracion",
        object_=f"cuenta_muv:{row.id}", at=at,
    )  # fmt: skip


def _pin(row: CuentaMuv) -> str | None:
    return huella_de(row.certificado_pem) if row.certificado_pem else None


def _secret(row: CuentaMuv | None, vault: Vault, numero: str, clave: str) -> dict[str, str]:
    kept = json.loads(vault.decrypt(row.credencial_cifrada)) if row is not None and not (numero and clave) else {}
    return {"numero": numero or kept["numero"], "clave": clave or kept["clave"]}
