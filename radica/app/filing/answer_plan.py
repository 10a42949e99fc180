"""The answer of an envío as a bot writes it into a portal: items, texts that fit, files, and the annexes of long texts.

Invariant: no word of an answer is lost: what a portal's field does not take whole goes whole into an annex; the same
answer gives the same bytes in every attempt, so that a later one knows the drafts of an earlier one as its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bots import contract
from radica.app.filing.attempt_files import ANNEX
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Glosa
from radica.glosas.respuesta.answer_help import own_limits
from radica.glosas.respuesta.letter import Parte, anexo
from radica.glosas.respuesta.presenting import ROLE, answer_files, answers_of_envio, thing_of
from radica.glosas.respuesta.splitting import Limites, limites_de, partir
from radica.kernel.clock import civil_date
from radica.kernel.money import plain
from radica.radicacion.models import Envio
from radica.radicacion.package import safe

DEFAULT_LIMIT = 500
ACCEPTED = "Se acepta la glosa."
"""What is written where the person decided to accept and wrote nothing."""


@dataclass(frozen=True)
class Annex:
    """A PDF that holds the whole text of one answer."""

    name: str
    data: bytes

    def file(self, folder: Path) -> contract.FilingFile:
        """Return it as a file of the package, once it lies in the attempt's folder."""
        digest = hashlib.sha256(self.data).hexdigest()
        return contract.FilingFile(ROLE, "", self.name, str(folder / self.name), digest, len(self.data))


@dataclass(frozen=True)
class AnswerPlan:
    """What is written, and the annexes that go with it."""

    answer: contract.Answer
    annexes: tuple[Annex, ...]


def plan_answer(session: Session, envio: Envio, perfil: Mapping[str, Any]) -> AnswerPlan:
    """Read the answer that an envío carries. `perfil`: the account's. Raises NotFound, BadInput."""
    factura = session.get_one(Factura, envio.lineas[0].factura_id)
    issuer = session.get_one(Prestador, envio.prestador_id)
    provider = Parte(issuer.nombre, issuer.nit)
    names = {sha256: item.name for sha256, item in answer_files(session, envio).items()}
    limits = _limits(session, envio, perfil)
    pairs = [(row, _glosa(session, row)) for row in answers_of_envio(session, envio)]
    numbers = Counter(glosa.numero_glosa for _, glosa in pairs)
    items, annexes = [], []
    for row, glosa in pairs:
        item, annex = _item(row, glosa, factura, provider, names, limits)
        # A number that several lines share is the payer's number of the notice, not of the item.
        items.append(item if numbers[glosa.numero_glosa] == 1 else replace(item, id=None))
        annexes += [annex] if annex else []
    filed = factura.fecha_radicacion
    answer = contract.Answer(
        items=tuple(items),
        mode=contract.AnswerMode(perfil.get("modo_respuesta", contract.AnswerMode.MASS)),
        radicado=factura.radicado,
        fecha_radicacion=civil_date(filed).isoformat() if filed else None,
    )
    return AnswerPlan(answer, tuple(annexes))


def _glosa(session: Session, row: Respuesta) -> Glosa:
    thing = thing_of(session, row)
    assert isinstance(thing, Glosa), "devoluciones are answered by hand"
    return thing


def _limits(session: Session, envio: Envio, perfil: Mapping[str, Any]) -> Limites:
    """What the payer's form takes: the provider's own setting, else the account's, else the known one, else 500."""
    payer = session.get_one(Pagador, envio.pagador_id)
    own = own_limits(session, envio.prestador_id, envio.pagador_id)
    known = limites_de(payer.nit, payer.nombre)
    said = (own.max_caracteres if own else None, perfil.get("limite_texto"), known.max_caracteres, DEFAULT_LIMIT)
    return replace(known, mayusculas=True, max_caracteres=int(next(one for one in said if one)))


def _item(
    row: Respuesta, glosa: Glosa, factura: Factura, provider: Parte, names: Mapping[str, str], limits: Limites
) -> tuple[contract.AnswerItem, Annex | None]:
    text = row.texto.strip() or (ACCEPTED if row.decision is Decision.ACEPTAR else "")
    parts = partir(text, limits)
    annex = None
    if parts.anexo is not None:
        name = f"{ANNEX}{safe(factura.numero)}-{glosa.id}.pdf"
        annex = Annex(
            name,
            anexo(provider, f"Respuesta a la glosa {glosa.codigo} de la factura {factura.numero}", parts.anexo),
        )
    supports = [names[sha256] for sha256 in row.soportes]
    values = [plain(glosa.valor_objetado), plain(glosa.valor), plain(glosa.en_disputa)]
    item = contract.AnswerItem(
        tipo=row.codigo,
        texto=parts.corto,
        valor=values[0],
        id=glosa.numero_glosa or None,
        codigo=(glosa.codigo_original.split() or [glosa.codigo])[0].upper(),
        servicio=glosa.servicio.split()[0].upper() if glosa.servicio and glosa.servicio.strip() else None,
        files=(*([annex.name] if annex else []), *supports),
        otros_valores=tuple(dict.fromkeys(one for one in values[1:] if one != values[0])),
    )
    return item, annex
