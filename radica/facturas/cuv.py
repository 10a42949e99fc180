"""What MinSalud's validator (MUV) answered: the CUV, or why there is none.

Invariant: accepted means that the answer says so *and* brings a CUV of 96 hexadecimal digits; notifications do not
reject. Keys are read without regard to case (a 400 answers in camelCase) and inside or outside the `{"success","data"}`
of a client that stored it. Norm: Res. 948 de 2026 art. 3; manual of the API FEV-RIPS, section 8.13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from radica.facturas.numbers import Nit, parse_amount, parse_nit
from radica.facturas.texts import believable, clean

COLOMBIA = timezone(timedelta(hours=-5))
_CUV = re.compile(r"^[0-9a-f]{96}$")
_ENVELOPES = 3


@dataclass(frozen=True)
class ResultadoMuv:
    """One line of the answer; `clase` RECHAZADO or NOTIFICACION. The remarks may quote clinical codes."""

    clase: str
    codigo: str
    descripcion: str | None = field(repr=False)
    observaciones: str | None = field(repr=False)
    lugar: str | None
    fuente: str | None


@dataclass(frozen=True)
class CuvResult:
    """An answer of the MUV, or of its query by CUV (`is_query`)."""

    accepted: bool
    cuv: str | None
    number: str | None
    process: str | None
    at: datetime | None
    is_query: bool
    issuer: Nit | None
    environment: str | None
    module: str | None
    modality: str | None
    total: Decimal | None
    results: tuple[ResultadoMuv, ...] = field(repr=False)
    denied: bool = False
    """It says in so many words that it did not approve, whatever else it brings."""

    @property
    def rejections(self) -> tuple[ResultadoMuv, ...]:
        """The lines that reject."""
        return tuple(line for line in self.results if line.clase == "RECHAZADO")


def find_answer(value: object) -> Mapping[str, Any] | None:
    """Return the members of a MUV answer with lower-case keys, or None when the value is none.

    Clients keep it inside envelopes of their own (`{"status": 200, "body": {"data": …}}`): it is taken out when there is
    a single one. What carries a RIPS is no envelope.
    """
    return _answer_in(_folded(value), _ENVELOPES)


def _answer_in(folded: Mapping[str, Any], depth: int) -> Mapping[str, Any] | None:
    if "codigounicovalidacion" in folded and ("resultstate" in folded or "esvalido" in folded):
        return folded
    if not depth or "rips" in folded or "usuarios" in folded:
        return None
    inner = (_answer_in(_folded(member), depth - 1) for member in folded.values() if isinstance(member, dict))
    found = [one for one in inner if one is not None]
    return found[0] if len(found) == 1 else None


def read_cuv(answer: Mapping[str, Any]) -> CuvResult:
    """Read the members that `find_answer` returned. Never raises on its contents."""
    is_query = "esvalido" in answer
    said = answer.get("esvalido") if is_query else answer.get("resultstate")
    written = (_text(answer.get("codigounicovalidacion")) or "").lower()
    cuv = written if _CUV.match(written) else None
    return CuvResult(
        accepted=(said is True or str(said).strip().lower() == "true") and cuv is not None,
        cuv=cuv,
        number=_text(answer.get("numfactura")) or _text(answer.get("numerodocumento")),
        process=_text(answer.get("procesoid")) or _text(answer.get("porcesoid")),
        at=_instant(answer.get("fecharadicacion")) or _instant(answer.get("fechavalidacion")),
        is_query=is_query,
        issuer=parse_nit(_text(answer.get("numdocumentoidobligado"))),
        environment=_text(answer.get("ambiente")),
        module=_text(answer.get("modulo")),
        modality=_text(answer.get("modalidadpago")),
        total=parse_amount(answer.get("totalfactura")),
        results=tuple(_result(line) for line in _lines(answer.get("resultadosvalidacion"))),
        denied=said is False or str(said).strip().lower() == "false",
    )


def _folded(value: object) -> dict[str, Any]:
    return {str(key).lower(): member for key, member in value.items()} if isinstance(value, dict) else {}


def _lines(value: object) -> list[dict[str, Any]]:
    return [_folded(line) for line in value if isinstance(line, dict)] if isinstance(value, list) else []


def _result(line: Mapping[str, Any]) -> ResultadoMuv:
    return ResultadoMuv(
        clase=(_text(line.get("clase")) or "").upper(),
        codigo=_text(line.get("codigo")) or "",
        descripcion=_text(line.get("descripcion")),
        observaciones=_text(line.get("observaciones")),
        lugar=_text(line.get("pathfuente")),
        fuente=_text(line.get("fuente")),
    )


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return clean(str(value))


def _instant(value: object) -> datetime | None:
    """Read an ISO instant with up to seven decimals; without zone it is Colombian (the query answers so)."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at = (at if at.tzinfo else at.replace(tzinfo=COLOMBIA)).astimezone(COLOMBIA)
    except (ValueError, OverflowError):
        return None
    return at if believable(at) else None
