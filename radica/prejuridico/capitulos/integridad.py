"""Chapter *integridad*: every link of the history of these cases, and the hash of every document of the dossier.

Invariant: a link is written with exactly what its hash covers, so that anybody computes it again; a chain that no
sealed tree covers yet, a seal without a time stamp, and an authority without accreditation are declared.
Norms: Ley 527/1999 arts. 8, 9 and 30 num. 5; RFC 6962 and RFC 3161.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.chain import plain
from radica.audit.models import ChainHead, Transition
from radica.audit.services import link_content
from radica.custodia.seal_models import Hoja, Sello, TipoHoja, TokenTiempo
from radica.kernel.db import parts_of
from radica.prejuridico.libro import Libro

FORMATO_HISTORIA = "radica-historia/1"
CAPITULO = "integridad"


def escribir(libro: Libro, session: Session, casos: Sequence[str], *, redactado: bool) -> dict[str, int]:
    """Write the chapter, after every other that holds documents; return how many links each chain has in it."""
    chains = links_of(session, casos)
    text = json.dumps({"formato": FORMATO_HISTORIA, "cadenas": chains}, ensure_ascii=False, sort_keys=True, indent=1)
    libro.generado(
        "historia", "Historia de los casos", text.encode("utf-8"), "application/json",
        nota="En la bolsa: data/11_integridad/historia.json. Todos los eslabones; los comprueba verificar.py.",
    )  # fmt: skip
    if redactado:
        libro.hueco(
            "historia_sin_redactar", CAPITULO,
            "La historia de los casos va entera, con las notas que escribieron las personas: sin una de ellas su "
            "huella no se comprueba. Una nota podría nombrar a otro paciente.",
            "Léala antes de entregar el expediente; si nombra a alguien, entréguela en cuaderno reservado.",
        )  # fmt: skip
    libro.generado("huellas", "Lista de huellas", _hashes(libro), "text/csv")
    _seals(libro, session, casos)
    return {case: len(links) for case, links in chains.items()}


def links_of(session: Session, casos: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return every link of some chains: what is hashed, and the hash; by chain, in order."""
    found: dict[str, list[dict[str, Any]]] = {case: [] for case in casos}
    for part in parts_of(set(casos)):
        rows = session.scalars(
            select(Transition).where(Transition.case_key.in_(part)).order_by(Transition.case_key, Transition.seq)
        )
        for row in rows:
            found[row.case_key].append({**plain(link_content(row)), "hash": row.hash})
    return found


def _hashes(libro: Libro) -> bytes:
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["capitulo", "documento", "factura", "bytes", "sha256", "origen", "redactado"])
    for chapter in libro.capitulos():
        for one in chapter.documentos:
            if chapter.clave != CAPITULO:
                where = "custodia" if one.sha256 else "generado"
                rows.writerow(
                    [
                        chapter.carpeta,
                        one.titulo,
                        one.factura or "",
                        one.tamano,
                        one.huella,
                        where,
                        "si" if one.redactado else "no",
                    ]
                )
    return out.getvalue().encode("utf-8-sig")


def _seals(libro: Libro, session: Session, casos: Sequence[str]) -> None:
    """Declare what is not sealed, not stamped, or stamped by an authority without accreditation."""
    leaves: dict[tuple[str, int], int] = {}
    heads: dict[str, int] = {}
    for part in parts_of(set(casos)):
        heads |= {
            row.case_key: row.seq for row in session.scalars(select(ChainHead).where(ChainHead.case_key.in_(part)))
        }
        leaves |= {
            (row.nombre, row.seq): row.indice
            for row in session.scalars(select(Hoja).where(Hoja.tipo == TipoHoja.CADENA, Hoja.nombre.in_(part)))
        }
    sealed = session.scalar(select(func.max(Sello.hojas))) or 0
    stamped = session.scalar(select(func.max(Sello.hojas)).join(TokenTiempo, TokenTiempo.sello_id == Sello.id)) or 0
    places = {case: leaves.get((case, seq)) for case, seq in heads.items()}
    loose = sorted(case for case, place in places.items() if place is None or place >= sealed)
    if loose:
        libro.hueco(
            "cadena_sin_sello", CAPITULO,
            f"{len(loose)} de {len(heads)} cadenas de historia no están todavía bajo un sello: {', '.join(loose[:10])}.",
            "Prepare de nuevo el expediente cuando se haya sellado.",
        )  # fmt: skip
    elif any(place is not None and place >= stamped for place in places.values()):
        libro.hueco(
            "sello_sin_tiempo", CAPITULO,
            "El sello de las cadenas de historia no tiene todavía estampa de una autoridad de tiempo: su fecha es la "
            "que dice el sistema del prestador.",
            "Configure una autoridad de tiempo, o espere a que responda, y prepare de nuevo el expediente.",
        )  # fmt: skip
    if not session.scalar(select(TokenTiempo.id).where(TokenTiempo.acreditada.is_(True)).limit(1)):
        libro.hueco(
            "tsa_no_acreditada", CAPITULO,
            "Ninguna autoridad de tiempo usada está acreditada ante el ONAC: su sello prueba la hora con técnica, pero "
            "no es el estampado cronológico de la Ley 527 de 1999.",
            "Si el proceso lo exige, contrate estampado cronológico con una entidad de certificación acreditada.",
        )  # fmt: skip
