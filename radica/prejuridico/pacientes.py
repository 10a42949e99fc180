"""Which patient of a many-patient invoice stays in a dossier: from a document to numbers of the RIPS.

Invariant: the document of a person is compared and forgotten; what is kept is the number that the RIPS itself gives
to each patient, which names nobody. Norms: Ley 1581/2012 arts. 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.store import Store
from radica.facturas.jsonsafe import load_json
from radica.facturas.models import Documento, TipoDocumento
from radica.facturas.rips import is_rips
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.errors import BadInput, NotFound
from radica.prejuridico.redaccion import number_of


def numeros_de(session: Session, store: Store, factura_ids: Sequence[int], documento: str) -> dict[str, list[int]]:
    """Return, by invoice id as text, the numbers under which each RIPS has the person of this document.

    Raises BadInput when the text is empty or an invoice does not have the person: then nothing may be ordered.
    """
    wanted = _fold(documento)
    if not wanted:
        raise BadInput("Falta el documento del paciente; no se preparó nada.", code="falta_paciente")
    found: dict[str, list[int]] = {}
    for factura_id in factura_ids:
        numbers = _numbers(session, store, factura_id, wanted)
        if not numbers:
            raise BadInput(
                "El RIPS de una de las facturas no tiene a ese paciente, o no se pudo leer; no se preparó nada.",
                todo="Elija sólo las facturas del paciente.", code="paciente_ausente",
            )  # fmt: skip
        found[str(factura_id)] = numbers
    return found


def _numbers(session: Session, store: Store, factura_id: int, wanted: str) -> list[int]:
    rows = session.scalars(
        select(Documento).where(
            Documento.factura_id == factura_id,
            Documento.tipo == TipoDocumento.RIPS,
            Documento.sigla == "",
            Documento.vigente.is_(True),
        )
    )
    numbers: set[int] = set()
    for row in rows:
        try:
            value, _ = load_json(store.read(row.sha256))
        except (NotFound, Unreadable):
            continue
        inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
        people = inner.get("usuarios") if isinstance(inner, dict) else None
        for place, one in enumerate(people if isinstance(people, list) else [], 1):
            if isinstance(one, dict) and _fold(str(one.get("numDocumentoIdentificacion") or "")) == wanted:
                numbers.add(number_of(one, place))
    return sorted(numbers)


def _fold(text: str) -> str:
    return "".join(one for one in text.upper() if one.isalnum())
