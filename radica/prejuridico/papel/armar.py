"""Makes the PDF of the whole: cover, index, chapters with their documents, certificate; foliated and bookmarked.

Invariant: same contents, same bytes: nothing but the facts and their `corte` is written. Every document of the dossier
has at least one folio; what cannot be drawn is named on a sheet and declared. Pages stream from their files to the
disk: memory holds their structure, not their bytes. Norms: PCSJA20-11567, Protocolo v2 (foliation, order, index).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf

from radica.custodia.staging import leased_folder
from radica.custodia.store import Store
from radica.kernel.errors import NO_ROOM, Unavailable
from radica.prejuridico.contenido import Capitulo, Contenido, DocumentoExpediente
from radica.prejuridico.nombres import nombres_de
from radica.prejuridico.papel.certificado import draw_certificate
from radica.prejuridico.papel.folio import Foliador
from radica.prejuridico.papel.fuentes import DISK_FULL, Fuentes, Paginas, plant
from radica.prejuridico.papel.lienzo import Enlace, Lienzo, Renglon, index_sheets
from radica.prejuridico.papel.portada import Cuenta, draw_cover
from radica.prejuridico.papel.valores import Forma, PdfResult, Progress, Tramo


@dataclass(frozen=True)
class Hito:
    """A bookmark: its words, the folio it leads to, and whether it is of a chapter (the others hang below it)."""

    texto: str
    folio: int
    capitulo: bool


@dataclass
class _Plan:
    """Where everything will stand, before anything is written."""

    tramos: list[Tramo]
    divisores: dict[int, int]
    renglones: list[Renglon]
    preliminares: int
    certificado: int  # folio of its first sheet
    folios: int = 0

    def close(self, sheets: int) -> None:
        """Count the sheets of the certificate, which end the whole."""
        self.folios = self.certificado - 1 + sheets
        self.renglones[-1] = replace(self.renglones[-1], hasta=self.folios)


def whole_pdf(
    contenido: Contenido,
    store: Store,
    out: Path,
    *,
    temporary: Path,
    rutas: Sequence[str] | None = None,
    firma: str = "",
    progress: Progress | None = None,
) -> PdfResult:
    """Write the PDF of a dossier to `out`; return where each document stands in it.

    `temporary` is a folder with room for what is under way; `rutas` says where each document lies in the bag (without
    it: by chapter and judicial name); `firma` is what the certificate says of the signature that will follow, empty
    when there will be none. Raises Unavailable when the disk is full or the store does not answer.
    """
    documents = list(contenido.documentos())
    paths = list(rutas) if rutas is not None else default_paths(contenido)
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(leased_folder(temporary, "papel-"))
            sources = stack.enter_context(Fuentes(store, folder))
            found = []
            for number, (_, one) in enumerate(documents):
                if progress is not None:
                    progress(number, len(documents))
                found.append(sources.pages_of(one))
            plan = _plan(contenido, found)
            canvas = Lienzo(contenido)
            draw_certificate(canvas, plan.tramos, firma=firma)
            plan.close(len(canvas.hojas))
            end, canvas.hojas = canvas.hojas, []
            links, sheets = _ours(canvas, plan, documents, found, paths)
            sheets.update(enumerate(end, plan.certificado))
            whole = stack.enter_context(pikepdf.new())
            _assemble(whole, contenido, plan, found, sheets)
            _link(whole, links)
            _bookmark(whole, _marks(plan))
            _describe(whole, contenido)
            whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise Unavailable(DISK_FULL, todo="Libere espacio y vuelva a intentarlo.", code="disco_lleno") from exc
        raise
    return PdfResult(out, plan.folios, plan.preliminares, plan.divisores, tuple(plan.tramos))


def default_paths(contenido: Contenido) -> list[str]:
    """Return where each document lies in the bag: folder of its chapter, and its judicial name."""
    chapters = [chapter for chapter, _ in contenido.documentos()]
    return [
        f"data/{chapter.carpeta}/{name.nombre}" for chapter, name in zip(chapters, nombres_de(contenido), strict=True)
    ]


def _label(one: DocumentoExpediente) -> str:
    return one.titulo if one.factura is None or one.factura in one.titulo else f"{one.titulo} · {one.factura}"


def _plan(contenido: Contenido, found: Sequence[Paginas]) -> _Plan:
    """Count. The index comes before what it tells, so its sheets are counted first, with folios of no value."""
    return _walk(contenido, found, 1 + index_sheets(_walk(contenido, found, 0).renglones))


def _walk(contenido: Contenido, found: Sequence[Paginas], front: int) -> _Plan:
    folio, order = front + 1, 0
    places: list[Tramo] = []
    dividers: dict[int, int] = {}
    lines: list[Renglon] = []
    for chapter in contenido.capitulos:
        dividers[chapter.numero] = folio
        opened, head = folio, len(lines)
        folio += 1
        for one in chapter.documentos:
            sheets = found[order]
            order += 1
            size = len(sheets.pages) or 1
            place = Tramo(order, chapter.numero, folio, folio + size - 1, sheets.forma, sheets.motivo, sheets.aviso)
            note = "sin reproducir" if sheets.forma is Forma.ANEXO else ""
            lines.append(Renglon(order, _label(one), place.desde, place.hasta, note))
            places.append(place)
            folio += size
        lines.insert(head, Renglon(None, f"{chapter.numero}. {chapter.titulo}", opened, folio - 1))
    lines.append(Renglon(None, "Certificado del expediente", folio, folio))
    return _Plan(places, dividers, lines, front, folio)


def _ours(
    canvas: Lienzo,
    plan: _Plan,
    documents: Sequence[tuple[Capitulo, DocumentoExpediente]],
    found: Sequence[Paginas],
    paths: Sequence[str],
) -> tuple[list[Enlace], dict[int, bytes]]:
    """Draw all sheets of ours but the certificate; return what may be clicked, and the sheets by folio."""
    content = canvas.contenido
    forms = [one.forma for one in found]
    gaps = len(content.huecos)
    draw_cover(canvas, Cuenta(plan.folios, len(found), forms.count(Forma.HOJA), forms.count(Forma.ANEXO), gaps))
    links = canvas.index(plan.renglones, canvas.sheets)
    folios = list(range(1, canvas.sheets + 1))
    lines = {one.orden: one for one in plan.renglones if one.orden is not None}
    places: dict[int, list[Tramo]] = {}
    for one in plan.tramos:
        places.setdefault(one.capitulo, []).append(one)
    for chapter in content.capitulos:
        here = places.get(chapter.numero, [])
        folios.append(plan.divisores[chapter.numero])
        canvas.divider(chapter, [lines[one.orden] for one in here])
        for place in here:
            index = place.orden - 1
            if not found[index].pages:
                folios.append(place.desde)
                canvas.declared(place.orden, chapter, documents[index][1], found[index], paths[index])
    return links, dict(zip(folios, canvas.hojas, strict=True))


def _assemble(
    whole: pikepdf.Pdf, contenido: Contenido, plan: _Plan, found: Sequence[Paginas], sheets: dict[int, bytes]
) -> None:
    """Put all sheets in order and write their folios."""
    foreign: dict[int, tuple[Any, str]] = {}
    for (_, one), place, source in zip(contenido.documentos(), plan.tramos, found, strict=True):
        name = f"{place.orden}. {_label(one)}"
        foreign.update((folio, (page, name)) for folio, page in enumerate(source.pages, place.desde))
    folios = Foliador(whole, plan.folios)
    common = f"{contenido.demandante.nombre} · Expediente N.º {contenido.numero}"

    def page_of(folio: int) -> Any:
        if folio in sheets:
            return folios.own(sheets[folio], folio, common)
        page, name = foreign[folio]
        return folios.foreign(whole.copy_foreign(page), folio, name)

    plant(whole, (page_of(folio) for folio in range(1, plan.folios + 1)))


def _link(whole: pikepdf.Pdf, links: Sequence[Enlace]) -> None:
    """Let a reader click on the lines of the index."""
    kids = whole.Root["/Pages"]["/Kids"]
    by_sheet: dict[int, list[Any]] = {}
    for one in links:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=pikepdf.Array([round(edge, 2) for edge in one.rect]),
            Border=pikepdf.Array([0, 0, 0]),
            Dest=pikepdf.Array([kids[one.folio - 1], pikepdf.Name.Fit]),
        )
        by_sheet.setdefault(one.sheet, []).append(whole.make_indirect(note))
    for sheet, notes in by_sheet.items():
        kids[sheet]["/Annots"] = pikepdf.Array(notes)


def _marks(plan: _Plan) -> list[Hito]:
    marks = [Hito("Portada", 1, capitulo=True), Hito("Índice", 2, capitulo=True)]
    for line in plan.renglones:
        words = line.texto if line.orden is None else f"{line.orden}. {line.texto}"
        marks.append(Hito(words, line.desde, capitulo=line.orden is None))
    return marks


def _bookmark(whole: pikepdf.Pdf, marks: Sequence[Hito]) -> None:
    """Write the outline: chapters closed, documents below them. By hand: the library's takes the square of its size."""
    kids = whole.Root["/Pages"]["/Kids"]
    root = whole.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Outlines))
    tops: list[tuple[Any, list[Any]]] = []
    for one in marks:
        item = whole.make_indirect(
            pikepdf.Dictionary(
                Title=pikepdf.String(one.texto), Dest=pikepdf.Array([kids[one.folio - 1], pikepdf.Name.Fit])
            )
        )
        if one.capitulo:
            tops.append((item, []))
        else:
            tops[-1][1].append(item)
    for item, below in tops:
        _family(item, below)
        if below:
            item["/Count"] = -len(below)
    _family(root, [item for item, _ in tops])
    root["/Count"] = len(tops)
    whole.Root["/Outlines"] = root
    whole.Root["/PageMode"] = pikepdf.Name.UseOutlines


def _family(parent: Any, items: Sequence[Any]) -> None:
    for before, after in pairwise(items):
        before["/Next"] = after
        after["/Prev"] = before
    for one in items:
        one["/Parent"] = parent
    if items:
        parent["/First"], parent["/Last"] = items[0], items[-1]


def _describe(whole: pikepdf.Pdf, contenido: Contenido) -> None:
    day = f"D:{contenido.corte:%Y%m%d}000000-05'00'"
    whole.docinfo["/Title"] = f"Expediente de cobro N.º {contenido.numero}, corte {contenido.corte.isoformat()}"
    whole.docinfo["/Author"] = f"{contenido.demandante.nombre}, NIT {contenido.demandante.nit}"
    whole.docinfo["/Subject"] = f"Cobro a {contenido.demandado.nombre}, NIT {contenido.demandado.nit}"
    whole.docinfo["/Creator"] = whole.docinfo["/Producer"] = "radica"
    # The only day that the bytes may know: they are the same whenever they are made.
    whole.docinfo["/CreationDate"] = whole.docinfo["/ModDate"] = day
    whole.Root["/Lang"] = pikepdf.String("es-CO")
    whole.Root["/ViewerPreferences"] = pikepdf.Dictionary(DisplayDocTitle=True)
