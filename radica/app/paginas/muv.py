"""What the page of an invoice shows of the validator of MinSalud: whether it can be asked, and what it answered.

Invariant: reading changes nothing; the button is there only for who may send and while the account is on. The partial is
`facturas/_muv.html`. Norm: Res. 948 de 2026 art. 3 (no filing without CUV).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from radica.facturas.models import Factura
from radica.facturas.muv.cuentas import cuenta_de
from radica.facturas.muv.envios import ABIERTOS, Resultado, envios_de, rechazos
from radica.facturas.states import REVISABLES
from radica.facturas.validacion_models import EnvioMuv
from radica.kernel.web_identity import Person
from radica.users.models import Rol

SENDERS = (Rol.FACTURACION, Rol.ADMINISTRACION)
NOMBRES: Mapping[str, tuple[str, str]] = {
    Resultado.PEDIDO: ("En cola", "curso"),
    Resultado.ENVIANDO: ("Enviándose", "curso"),
    Resultado.APROBADO: ("Aprobado", "bien"),
    Resultado.RECHAZADO: ("Rechazado", "mal"),
    Resultado.NO_ENVIADO: ("No se envió", "aviso"),
    Resultado.FALLIDO: ("Falló", "mal"),
    Resultado.AJENO: ("Respondió otra cosa", "mal"),
}
"""Result → words and tone of its chip."""


@dataclass(frozen=True)
class MuvVisto:
    """What the partial needs. `impide` says why it cannot be asked now; empty: it can."""

    prendido: bool
    puede: bool
    impide: str
    envios: tuple[EnvioMuv, ...]

    @property
    def se_muestra(self) -> bool:
        """Say whether there is anything to show."""
        return self.prendido or bool(self.envios)

    @property
    def en_curso(self) -> bool:
        """Say whether an order is under way."""
        return any(one.resultado in ABIERTOS for one in self.envios)


def muv_de(session: Session, factura: Factura, who: Person) -> MuvVisto:
    """Return what the page of an invoice shows of the MUV; the caller loaded the invoice for the person."""
    account = cuenta_de(session, factura.prestador_id)
    orders = tuple(envios_de(session, factura.id, limit=5))
    return MuvVisto(
        prendido=account is not None and account.activa,
        puede=factura.prestador_id in who.granted(*SENDERS),
        impide=_obstacle(session, factura, orders),
        envios=orders,
    )


def _obstacle(session: Session, factura: Factura, orders: tuple[EnvioMuv, ...]) -> str:
    if factura.estado not in REVISABLES:
        return "Ya está en radicación o radicada."
    if any(one.resultado in ABIERTOS for one in orders):
        return "Ya se pidió; se está validando."
    if factura.cuv is not None:
        return "Ya tiene su CUV."
    codes = rechazos(session, factura.id)
    return f"El comprobador halla lo que el MUV rechazaría: {', '.join(codes[:8])}." if codes else ""
