"""Stage of the time stamps: each token is checked again over the line of its own seal, by the authority we trust.

Invariant: a token counts only over the seal that its row names, at the time that the row says; two tokens that
changed places are both found. Norm: RFC 3161; Ley 527/1999 art. 12.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from radica.custodia.arbol import sello_line
from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.seal_models import Sello, TokenTiempo
from radica.custodia.tsa_token import TokenProblem, verify_token
from radica.custodia.verificar_arbol import rows_of
from radica.custodia.verificar_base import Hallado, Paso, Taller, frozen

PROBLEMAS = {
    "otra_huella": "es sobre otra cosa",
    "token_ilegible": "no se puede leer",
    "firma_invalida": "su firma no vale",
}
"""How the commonest problems are said; the others by their code."""
STAMPS = 200
"""Tokens of one step."""


@dataclass(frozen=True)
class _Stamp:
    """What is needed of a token's row, free of its session."""

    id: int
    sello_id: int
    tsa: str
    token: bytes
    hora: datetime
    serie: str


def tokens(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Check each time stamp again: over the line of its own seal, by its authority, at the time that the row says."""
    last = int(cursor or 0)
    while True:
        with frozen(taller.db) as session:
            seals = {int(row["id"]): row for row in rows_of(session, "sellos", Sello, "id")}
            query = select(TokenTiempo).where(TokenTiempo.id > last).order_by(TokenTiempo.id).limit(STAMPS)
            stamps = [_stamp(row) for row in session.scalars(query)]
        if not stamps:
            break
        checked = [_check_stamp(taller, stamp, seals.get(stamp.sello_id)) for stamp in stamps]
        last = stamps[-1].id
        # Without a certificate to trust, a token shows what it covers but not whose it is: that is counted apart.
        counted = {"tokens": len(stamps), "tokens_sin_ancla": sum(one.tsa not in taller.anclas for one in stamps)}
        yield Paso(str(last), len(stamps), 0, counted, [one for one in checked if one is not None])


def _stamp(row: TokenTiempo) -> _Stamp:
    return _Stamp(row.id, row.sello_id, row.tsa, row.token, row.hora, row.serie)


def _check_stamp(taller: Taller, stamp: _Stamp, seal: Mapping[str, Any] | None) -> Hallado | None:
    what = f"token:{stamp.id}"
    if seal is None:
        return _invalid(what, f"sello:{stamp.sello_id}", "", "Su sello ya no está.")
    line = sello_line(Sello(hojas=int(seal["hojas"]), raiz=str(seal["raiz"])))
    digest = hashlib.sha256(line).digest()
    try:
        info = verify_token(stamp.token, digest, taller.anclas.get(stamp.tsa))
    except TokenProblem as problem:
        words = f"La estampa de {stamp.tsa} no vale para su sello: {PROBLEMAS.get(problem.code, problem.code)}."
        return _invalid(what, f"sello:{seal['id']}", problem.code, words)
    if info.hora != stamp.hora or info.serie != stamp.serie:
        said, is_ = f"{stamp.hora.isoformat()} {stamp.serie}", f"{info.hora.isoformat()} {info.serie}"
        return _invalid(what, is_, said, "La fila dice otra hora u otra serie que la estampa.")
    return None


def _invalid(what: str, expected: str, found: str, words: str) -> Hallado:
    return Hallado(TipoHallazgo.SELLO_INVALIDO, Gravedad.GRAVE, what, expected, found, words)
