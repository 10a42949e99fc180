"""Gather a dossier: from the facts of its invoices to chapters, gaps, checklist and statement, in their order.

Invariant: only reads, in one transaction; the same facts and the same `corte` give the same values and the same
bytes. A document of custody is named by its hash and not read here, except to draw an invoice, to leave patients out,
and to see whether a PDF opens. Norms: CGP arts. 82–84 and 422; PCSJA20-11567.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pikepdf
from sqlalchemy.orm import Session

from radica.cartera.liquidacion import Resultado
from radica.cartera.liquidar import liquidar_factura
from radica.cartera.parametros import elegir
from radica.cartera.tasas import rates
from radica.custodia.store import Store
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date
from radica.kernel.errors import NotFound
from radica.prejuridico.acopio import Acopio, acopiar
from radica.prejuridico.capitulos import actas, facturas, glosas, integridad, pagos, partes, radicacion, vacios
from radica.prejuridico.contenido import Capitulo, Contenido, DocumentoExpediente, FacturaExpediente, Hueco, Parte
from radica.prejuridico.control import lista
from radica.prejuridico.declaracion import redactar
from radica.prejuridico.libro import Avance, Libro
from radica.prejuridico.models import Expediente

PDF = "application/pdf"


def sin_avance(_texto: str, _hechos: int, _de: int) -> None:
    """Tell nobody."""


def gather(
    session: Session,
    expediente: Expediente,
    *,
    corte: date,
    store: Store,
    resultados: Mapping[int, Resultado] | None = None,
    operador: str = "",
    facturas_: Sequence[Factura] | None = None,
    avisos: Sequence[Hueco] = (),
    progress: Avance = sin_avance,
) -> Contenido:
    """Return what the dossier says of its invoices up to `corte`.

    `resultados` are the liquidations by invoice id, computed here when they are not given; `operador` names who runs
    the system (the provider itself, or a BPO for it); `facturas_` stand for those of a dossier not ordered yet;
    `avisos` are gaps that only the caller knows (no certificate to sign with).
    """
    facts = acopiar(session, expediente, corte=corte, facturas=facturas_)
    orden = {one.numero: place for place, one in enumerate(facts.facturas, 1)}
    book = Libro(expediente.via.value, corte, orden)
    done = liquidaciones(session, expediente, facts.facturas, corte=corte) if resultados is None else resultados
    partes.escribir(book, facts)
    facturas.escribir(book, facts, store, progress)
    radicacion.escribir(book, facts)
    glosas.escribir(book, facts)
    actas.escribir(book, facts)
    pagos.escribir(book, facts, done, progress)
    closed = _openable(book, store, progress)
    casos = facts.casos()
    links = integridad.escribir(book, session, casos, redactado=expediente.opciones.get("pacientes") is not None)
    book.huecos += avisos
    checklist = lista(book, facts)
    who = (
        operador
        or str(expediente.opciones.get("operador", ""))
        or f"{facts.prestador.nombre}, NIT {facts.prestador.nit}"
    )
    statement = redactar(facts, book.omitidos, operador=who)
    vacios.escribir(book, facts, checklist, statement)
    options = expediente.opciones
    return Contenido(
        expediente=expediente.id,
        numero=expediente.numero,
        via=expediente.via.value,
        corte=corte,
        demandante=Parte(facts.prestador.nombre, facts.prestador.nit, facts.prestador.codigo_habilitacion),
        demandado=Parte(facts.pagador.nombre, facts.pagador.nit),
        facturas=tuple(_summary(facts, one, done.get(one.id)) for one in facts.facturas),
        capitulos=tuple(_marked(one, closed) for one in book.capitulos()),
        huecos=tuple(book.huecos),
        lista_de_control=checklist,
        declaracion=statement,
        casos=casos,
        eslabones=tuple(links.items()),
        radicado_judicial=expediente.radicado_judicial,
        ciudad=str(options.get("ciudad", "")),
        despacho=str(options.get("despacho", "")),
    )


def liquidaciones(
    session: Session, expediente: Expediente, facturas_: Sequence[Factura], *, corte: date
) -> dict[int, Resultado]:
    """Liquidate the invoices up to `corte` under the dossier's readings; those without filing date or value are left out."""
    chosen = elegir(expediente.opciones.get("parametros"))
    table = rates(session)
    return {
        one.id: liquidar_factura(session, one, corte=corte, parametros=chosen, tabla=table)
        for one in facturas_
        if one.valor is not None and one.fecha_radicacion is not None
    }


def _summary(facts: Acopio, one: Factura, found: Resultado | None) -> FacturaExpediente:
    glosas_ = facts.glosas.get(one.id, [])
    return FacturaExpediente(
        id=one.id,
        numero=one.numero,
        cufe=one.cufe,
        cuv=one.cuv,
        expedida=civil_date(one.expedida_at) if one.expedida_at else None,
        valor=one.valor,
        radicado=one.radicado,
        fecha_radicacion=one.fecha_radicacion,
        nivel_prueba=one.nivel_prueba,
        pagado=sum(row.valor for row in pagos.en_pie(facts.pagos.get(one.id, [])) if row.fecha <= facts.corte),
        glosado=sum(row.valor for row in glosas_),
        aceptado=sum(row.aceptado for row in glosas_),
        en_disputa=sum(row.en_disputa for row in glosas_),
        capital=found.capital + found.sin_intereses if found else None,
        intereses=found.pendientes if found else None,
    )


def _openable(book: Libro, store: Store, progress: Avance) -> frozenset[str]:
    """Return the hashes of PDFs that nothing can open; what is not in custody is taken out. Each is declared a gap."""
    verdicts: dict[str, str] = {}
    rows = [(chapter, one) for chapter in book.capitulos() for one in chapter.documentos if one.sha256]
    for number, (chapter, one) in enumerate(rows, 1):
        assert one.sha256 is not None
        if one.sha256 not in verdicts:
            verdicts[one.sha256] = _why(store, one.sha256, one.media_type)
        why = verdicts[one.sha256]
        if why:
            book.hueco(
                "falta_en_custodia" if why == "falta" else "pdf_no_abre",
                chapter.clave,
                f"«{one.titulo}» {_WHY[why]} SHA-256 {one.sha256}.",
                "Consiga una copia que abra y cárguela como anexo.",
                factura=one.factura,
            )
        if number % 20 == 0:
            progress("Abriendo los documentos", number, len(rows))
    book.quitar({sha for sha, why in verdicts.items() if why == "falta"})
    return frozenset(sha for sha, why in verdicts.items() if why)


def _why(store: Store, sha256: str, media_type: str) -> str:
    if media_type == PDF:
        return why_closed(store, sha256)
    return "" if store.exists(sha256) else "falta"


_WHY = {
    "cerrado": "es un PDF que no se puede abrir (dañado): va como archivo adjunto, sin páginas.",
    "clave": "es un PDF con contraseña: va como archivo adjunto, sin páginas.",
    "falta": "no está en custodia: sus bytes no se encontraron y no se incluye.",
}


def why_closed(store: Store, sha256: str) -> str:
    """Say why a PDF of custody cannot be drawn: `cerrado`, `clave`, `falta`, or an empty text when it opens."""
    try:
        with store.local(sha256) as path, pikepdf.open(path) as pdf:
            return "" if len(pdf.pages) else "cerrado"
    except NotFound:
        return "falta"
    except pikepdf.PasswordError:
        return "clave"
    except (pikepdf.PdfError, ValueError):
        return "cerrado"


def _marked(chapter: Capitulo, closed: frozenset[str]) -> Capitulo:
    """Mark what goes in as a file without pages."""
    return replace(chapter, documentos=tuple(_mark(one, closed) for one in chapter.documentos))


def _mark(one: DocumentoExpediente, closed: frozenset[str]) -> DocumentoExpediente:
    if one.sha256 is None or one.sha256 not in closed:
        return one
    note = f"{one.nota} Va como adjunto: no se pudo abrir.".strip()
    return replace(one, adjunto=True, nota=note)
