"""What only a person has: load a document with its type, date and scope, and withdraw it with a reason.

Invariant: the bytes are in custody before the row that names them; a PDF opens or is refused with words; the same
bytes of the same type for the same scope are loaded once; nothing is edited or deleted. Norms: CGP arts. 82–85.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pikepdf
from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.models import Pieza
from radica.custodia.services import MAX_EVIDENCE_BYTES, Candidate, Kept, keep_files, seal
from radica.custodia.store import Store
from radica.entidades.models import Pagador, Prestador
from radica.facturas.fev import RespuestaDian
from radica.facturas.models import Factura
from radica.facturas.recognise import Tipo, recognise
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition
from radica.prejuridico.capitulos.partes import NOMBRES
from radica.prejuridico.models import DocumentoPersona, TipoDocumentoPersona
from radica.radicacion.package import safe

T = TipoDocumentoPersona
EVENTOS = {T.EVENTO_030: "030", T.EVENTO_031: "031", T.EVENTO_032: "032", T.EVENTO_033: "033", T.EVENTO_034: "034"}
DE_FACTURA = frozenset({T.AUTORIZACION, *EVENTOS})
"""Types that are of one invoice and need it."""
OLDEST = date(1990, 1, 1)
_HEAD = 1024


@dataclass(frozen=True)
class Alcance:
    """What a document is for: one invoice, one payer, or (both None) everything of the provider."""

    prestador_id: int
    pagador_id: int | None = None
    factura_id: int | None = None


def guardar_archivo(store: Store, path: Path, tipo: TipoDocumentoPersona) -> Kept:
    """Bring a person's file into custody; call it outside any transaction.

    Takes PDF, PNG, JPEG, and for the events of an invoice also DIAN's XML of that very event. Raises BadInput when it
    is missing, empty, too large, another kind, or a PDF that does not open.
    """
    if not path.is_file():
        raise BadInput(
            f"No existe el archivo {path.name[:120]}; no se cargó nada.", todo="Revise la ruta.", code="sin_archivo"
        )
    suffix = _kind(path, tipo)
    name = f"{tipo.value}_{safe(path.stem)[:80]}{suffix}"
    candidate = Candidate(path.resolve(), name, f"persona_{tipo.value}")
    kept, refused = keep_files(store, [candidate], folder=path.resolve().parent)
    if refused:
        raise BadInput(
            f"El archivo pasa de {MAX_EVIDENCE_BYTES // (1024 * 1024)} MB; no se cargó nada.",
            todo="Divídalo o redúzcalo.", code="demasiado_grande",
        )  # fmt: skip
    return replace(kept[0], nota=path.name[:120])


def agregar(
    session: Session,
    kept: Kept,
    *,
    tipo: TipoDocumentoPersona,
    alcance: Alcance,
    fecha: date,
    actor: str,
    at: datetime,
    nota: str = "",
) -> tuple[DocumentoPersona, bool]:
    """Load a document whose bytes are in custody; return it, and whether it is new (the same again is not).

    Raises BadInput when the date is in the future or too old, the type needs an invoice, or the scope does not agree.
    """
    _check(session, tipo, alcance, fecha, at)
    case = _case(alcance)
    present = session.scalars(
        select(DocumentoPersona)
        .join(Pieza, Pieza.id == DocumentoPersona.pieza_id)
        .where(
            DocumentoPersona.prestador_id == alcance.prestador_id,
            DocumentoPersona.tipo == tipo,
            DocumentoPersona.retirado_at.is_(None),
            Pieza.sha256 == kept.stored.sha256,
            Pieza.case_key == case,
        )
    ).first()
    if present is not None:
        return present, False
    (piece,) = seal(
        session, [kept], prestador_id=alcance.prestador_id, case_key=case, group_key=tipo.value, origen="persona",
        actor=actor, at=at,
    )  # fmt: skip
    row = DocumentoPersona(
        prestador_id=alcance.prestador_id,
        pagador_id=alcance.pagador_id,
        factura_id=alcance.factura_id,
        tipo=tipo,
        fecha=fecha,
        nota=nota.strip()[:300],
        pieza_id=piece.id,
        cargado_at=at,
        cargado_por=actor,
    )
    session.add(row)
    session.flush()
    return row, True


def retirar(session: Session, row: DocumentoPersona, motivo: str, *, actor: str, at: datetime) -> None:
    """Withdraw a document with a reason; its bytes stay in custody. Raises BadInput without one, InvalidTransition twice."""
    if not motivo.strip():
        raise BadInput("Falta el motivo; no se retiró.", todo="Escríbalo.", code="falta_motivo")
    if len(motivo.strip()) > 300:
        raise BadInput("El motivo tiene más de 300 letras; no se retiró.", todo="Resúmalo.", code="motivo_largo")
    if row.retirado_at is not None:
        raise InvalidTransition("Ese documento ya se había retirado.", code="ya_retirado")
    row.retirado_at, row.retirado_por, row.retiro_motivo = at, actor, motivo.strip()
    session.flush()


def listar(
    session: Session, prestador_ids: Sequence[int], *, con_retirados: bool = False
) -> list[tuple[DocumentoPersona, Pieza]]:
    """Return the documents that people brought, newest first, with their pieces."""
    query = (
        select(DocumentoPersona, Pieza)
        .join(Pieza, Pieza.id == DocumentoPersona.pieza_id)
        .where(DocumentoPersona.prestador_id.in_(prestador_ids))
        .order_by(DocumentoPersona.id.desc())
    )
    if not con_retirados:
        query = query.where(DocumentoPersona.retirado_at.is_(None))
    return [(row, piece) for row, piece in session.execute(query)]


def _case(alcance: Alcance) -> str:
    """Name the case under which the piece is sealed: the invoice, the payer of the provider, or the provider."""
    if alcance.factura_id is not None:
        return f"factura:{alcance.factura_id}"
    if alcance.pagador_id is not None:
        return f"demanda:{alcance.prestador_id}:{alcance.pagador_id}"
    return f"demanda:{alcance.prestador_id}"


def _check(session: Session, tipo: TipoDocumentoPersona, alcance: Alcance, fecha: date, at: datetime) -> None:
    name = NOMBRES[tipo]
    if fecha > civil_date(at):
        raise BadInput("La fecha del documento está en el futuro; no se cargó.", todo="Corríjala.", code="fecha_futura")
    if fecha < OLDEST:
        raise BadInput("La fecha del documento es anterior a 1990; no se cargó.", todo="Corríjala.", code="fecha_vieja")
    if tipo in DE_FACTURA and alcance.factura_id is None:
        raise BadInput(f"«{name}» es de una factura; no se cargó.", todo="Diga cuál.", code="falta_factura")
    if session.get(Prestador, alcance.prestador_id) is None:
        raise BadInput("El prestador no existe; no se cargó.", code="prestador_desconocido")
    if alcance.pagador_id is not None and session.get(Pagador, alcance.pagador_id) is None:
        raise BadInput("El pagador no existe; no se cargó.", code="pagador_desconocido")
    if alcance.factura_id is not None:
        invoice = session.get(Factura, alcance.factura_id)
        if invoice is None or invoice.prestador_id != alcance.prestador_id:
            raise BadInput("La factura no es de ese prestador; no se cargó.", code="factura_ajena")
        if alcance.pagador_id is not None and invoice.pagador_id != alcance.pagador_id:
            raise BadInput("La factura no es de ese pagador; no se cargó.", code="factura_de_otro_pagador")


def _kind(path: Path, tipo: TipoDocumentoPersona) -> str:
    """Return the extension that the content asks for. Raises BadInput."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head.strip():
        raise BadInput("El archivo está vacío; no se cargó.", todo="Vuelva a generarlo.", code="vacio")
    if b"%PDF-" in head and not head.startswith(b"PK"):
        _check_pdf(path)
        return ".pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if tipo in EVENTOS and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        _check_event(path, EVENTOS[tipo])
        return ".xml"
    wanted = "PDF, PNG o JPEG, o el XML del evento" if tipo in EVENTOS else "PDF, PNG o JPEG"
    raise BadInput(f"El archivo no es {wanted}; no se cargó.", todo="Conviértalo a PDF.", code="formato")


def _check_pdf(path: Path) -> None:
    try:
        with pikepdf.open(path) as pdf:
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise BadInput(
            "El PDF tiene contraseña; no se cargó.", todo="Quítesela y cárguelo.", code="pdf_con_clave"
        ) from None
    except (pikepdf.PdfError, ValueError):
        raise BadInput(
            "El PDF está dañado y no abre; no se cargó.", todo="Consiga otra copia.", code="pdf_danado"
        ) from None
    if not pages:
        raise BadInput("El PDF no tiene páginas; no se cargó.", todo="Consiga otra copia.", code="pdf_sin_paginas")


def _check_event(path: Path, code: str) -> None:
    try:
        found = recognise(path.read_bytes(), path.name).pieces
    except (Unreadable, etree.LxmlError):
        found = ()
    answers: list[RespuestaDian] = [one.response for one in found if one.tipo is Tipo.RESPUESTA_DIAN and one.response]
    if not any(one.code == code for one in answers):
        said = f"; dice {answers[0].code}" if answers and answers[0].code else ""
        raise BadInput(
            f"El XML no es un evento {code} de la DIAN{said}; no se cargó.", todo="Revise el tipo.", code="otro_evento"
        )
