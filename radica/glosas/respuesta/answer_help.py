"""What helps to write an answer: templates filled for this case, our own texts that worked, what the payer's form takes.

Invariant: every offered text says where it comes from; none is put in an answer without a person. A provider's own
profile of a payer wins over the known limits. Norm: Res. 2284/2023 Anexo Técnico 3 (answer codes).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.glosas.bandeja.tray_filter import Objecion
from radica.glosas.bandeja.work_models import PerfilRespuesta, Plantilla
from radica.glosas.models import Glosa
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.answer_draft import options_for
from radica.glosas.respuesta.splitting import Limites, limites_de
from radica.glosas.respuesta.suggestions import Sugerencia, sugerir
from radica.glosas.respuesta.tarifa import TarifaDeLinea, tarifa_de, texto_de_prueba, valores_de_tarifa
from radica.glosas.respuesta.template_text import Texto
from radica.glosas.respuesta.templates_store import elegir, escribir


@dataclass(frozen=True)
class Ofrecida:
    """A template written for this case; `decision` is the one that its code answers."""

    plantilla: Plantilla
    texto: Texto
    decision: str


@dataclass(frozen=True)
class Apoyo:
    """What is offered beside the form."""

    limites: Limites
    plantillas: tuple[Ofrecida, ...]
    sugerencias: tuple[Sugerencia, ...]
    tarifa: TarifaDeLinea | None = None
    prueba_tarifa: str = ""
    """A sentence that proves the agreed price, where the frozen tariff speaks for us (`t0`)."""

    def texto(self, clave: str) -> tuple[str, str, int | None] | None:
        """Return text, decision and template of an offer by its key (`p12` a template, `s0` a suggestion, `t0`)."""
        for one in self.plantillas:
            if clave == f"p{one.plantilla.id}":
                return one.texto.texto, one.decision, one.plantilla.id
        for index, two in enumerate(self.sugerencias):
            if clave == f"s{index}":
                return two.texto, two.decision.value, two.plantilla_id
        if clave == "t0" and self.prueba_tarifa:
            return self.prueba_tarifa, "defender", None
        return None


def own_limits(session: Session, prestador_id: int, pagador_id: int) -> PerfilRespuesta | None:
    """Return what the provider itself set for a payer."""
    return session.scalar(
        select(PerfilRespuesta).where(
            PerfilRespuesta.prestador_id == prestador_id, PerfilRespuesta.pagador_id == pagador_id
        )
    )


def limits_for(session: Session, prestador_id: int, pagador: Pagador) -> Limites:
    """Return what a payer's form takes from a provider."""
    known = limites_de(pagador.nit, pagador.nombre)
    own = own_limits(session, prestador_id, pagador.id)
    if own is None:
        return known
    return replace(known, max_caracteres=own.max_caracteres, mayusculas=own.mayusculas, un_solo_pdf=own.un_solo_pdf)


def help_for(session: Session, objecion: Objecion, pagador: Pagador, prestadores: Collection[int]) -> Apoyo:
    """Return what is offered for an objection; `prestadores` are those whose answered lines may be shown."""
    rules = catalogo()
    fits = {one.codigo.codigo for one in options_for(objecion)}
    tariff = tarifa_de(session, objecion)
    agreed = valores_de_tarifa(tariff)
    templates = tuple(
        Ofrecida(row, escribir(session, row, objecion, de_la_persona=agreed), rules[row.respuesta].decision)
        for row in elegir(session, objecion, limite=8)
        if row.respuesta in fits
    )
    told = sugerir(session, objecion, prestadores=prestadores) if isinstance(objecion, Glosa) else []
    proof = texto_de_prueba(tariff) if any(one.codigo.decision == "defender" for one in options_for(objecion)) else ""
    return Apoyo(limits_for(session, objecion.prestador_id, pagador), templates, tuple(told), tariff, proof)
