"""What a payer takes in an answer, for one provider: the provider's own profile, else what is known of the payer.

Invariant: a profile that a person set for a provider is never mixed with another's; what it does not hold (size of a
file, lines of a mass answer) comes from the data.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.glosas.splitting import Limites, limites_de
from radica.glosas.work_models import PerfilRespuesta


def limites_para(session: Session, *, prestador_id: int, pagador: Pagador) -> Limites:
    """Return the limits that count when this provider answers this payer."""
    known = limites_de(pagador.nit, pagador.nombre)
    own = session.scalars(
        select(PerfilRespuesta).where(
            PerfilRespuesta.prestador_id == prestador_id, PerfilRespuesta.pagador_id == pagador.id
        )
    ).one_or_none()
    if own is None:
        return known
    return replace(
        known,
        max_caracteres=own.max_caracteres,
        mayusculas=own.mayusculas,
        un_solo_pdf=own.un_solo_pdf,
        nota="Perfil puesto por el prestador.",
    )
