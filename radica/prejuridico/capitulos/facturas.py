"""Chapters *facturas*, *rips*, *soportes* and *notas*: the documents of each invoice, and what a title still lacks.

Invariant: an XML signed by the issuer is never touched; where it names other patients and one was chosen, it stays in
custody and its graphic representation goes in instead, said so. Norms: Res. 948/2026 art. 3; C.Co. art. 774.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lxml import etree

from radica.custodia.store import Store
from radica.facturas.facts import recall
from radica.facturas.fev import Clase, Fev, RespuestaDian
from radica.facturas.jsonsafe import load_json
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.recognise import recognise
from radica.facturas.rips import Rips, is_rips
from radica.facturas.soportes import NombreSoporte, catalogue, missing_supports
from radica.facturas.xmlsafe import Unreadable, parse_xml
from radica.kernel.clock import civil_date
from radica.kernel.errors import NotFound
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.capitulos.representacion import dibujar
from radica.prejuridico.libro import Avance, Libro
from radica.prejuridico.redaccion import cuv_de, documentos_ajenos, nombra, nombra_a_otros, rips_de

T = TipoDocumento
EVENTOS = ("030", "031", "032", "033", "034")
_LOOK = 2_000
"""Letters in which the root of an inner document must show."""
_SCANNED = frozenset({"image/png", "image/jpeg"})


def escribir(libro: Libro, acopio: Acopio, store: Store, progress: Avance) -> None:
    """Write the documents of every invoice."""
    for number, invoice in enumerate(acopio.facturas):
        progress("Leyendo las facturas", number, len(acopio.facturas))
        documents = acopio.documentos.get(invoice.id, [])
        others = _others(acopio, store, invoice, documents)
        sales = [one for one in documents if one.tipo in (T.FEV, T.INVOICE)]
        _invoice(libro, acopio, store, invoice, sales, others)
        _answers(libro, invoice, documents)
        _rips(libro, acopio, store, invoice, documents)
        _supports(libro, acopio, invoice, documents)
        _notes(libro, acopio, store, invoice, documents, others)


def _others(acopio: Acopio, store: Store, invoice: Factura, documents: Sequence[Documento]) -> frozenset[str]:
    """Return the document numbers of the patients that were not chosen; of nobody when all stay."""
    whose = acopio.pacientes(invoice.id)
    found: set[str] = set()
    for one in documents if whose is not None else ():
        inner = _rips_value(store, one) if one.tipo is T.RIPS and not one.sigla else None
        found |= documentos_ajenos(inner, whose or ()) if inner is not None else set()
    return frozenset(found)


def _rips_value(store: Store, document: Documento) -> dict[str, Any] | None:
    """Return the RIPS that a document holds, out of its envelope; None when nothing can read it."""
    try:
        value, _ = load_json(store.read(document.sha256))
    except (NotFound, Unreadable):
        return None
    inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
    return inner if isinstance(inner, dict) else None


def _tells(store: Store, document: Documento, others: frozenset[str]) -> bool:
    """Say whether the bytes of a document name a patient who was not chosen."""
    try:
        return bool(others) and nombra(store.read(document.sha256), others)
    except NotFound:
        return False


def _invoice(
    libro: Libro,
    acopio: Acopio,
    store: Store,
    invoice: Factura,
    documents: Sequence[Documento],
    others: frozenset[str],
) -> None:
    if not documents:
        libro.hueco(
            "sin_factura", "facturas", f"El XML de la factura {invoice.numero} no se cargó.",
            "Pida al proveedor tecnológico el AttachedDocument y cárguelo.", factura=invoice.numero,
        )  # fmt: skip
        return
    one = documents[-1]
    fev = read_fev(store, one)
    whose = acopio.pacientes(invoice.id)
    if whose is not None and ((fev is not None and nombra_a_otros(fev)) or _tells(store, one, others)):
        libro.hueco(
            "xml_con_otros_pacientes", "facturas",
            f"El XML de la factura {invoice.numero} nombra a otros pacientes y no se incluye: está firmado y no se "
            f"puede cortar. Va su representación gráfica; el original sigue en custodia, SHA-256 {one.sha256}.",
            "Si el juez lo pide, entréguelo en cuaderno reservado.", factura=invoice.numero,
        )  # fmt: skip
    else:
        container = one.tipo is T.FEV
        libro.guardado(
            "fev" if container else "factura_xml", f"Factura {invoice.numero}", one.sha256, one.bytes, one.media_type,
            creado=_day(fev, one), incorporado=civil_date(one.cargado_at), caso=invoice.case_key,
            factura=invoice.numero, salud=True, nota=f"CUFE {invoice.cufe}" if invoice.cufe else "",
        )  # fmt: skip
    if one.tipo is T.FEV:
        _inner_answer(libro, store, invoice, one)
    if fev is None:
        libro.hueco(
            "factura_ilegible", "facturas", f"El XML de la factura {invoice.numero} no se pudo leer para dibujarla.",
            "Revise el archivo en custodia.", factura=invoice.numero,
        )  # fmt: skip
        return
    libro.generado(
        "representacion", f"Representación gráfica de la factura {invoice.numero}",
        dibujar(fev, sha256=one.sha256, autor=acopio.autor, con_lineas=whose is None), "application/pdf",
        creado=_day(fev, one), factura=invoice.numero, salud=True, caso=invoice.case_key, redactado=whose is not None,
        nota=f"Dibujada por el prestador desde el XML de SHA-256 {one.sha256}.",
    )  # fmt: skip
    if fev.response is None or not fev.response.validated:
        libro.hueco(
            "sin_validacion_dian", "facturas",
            f"La factura {invoice.numero} no trae en su XML la validación de la DIAN (ApplicationResponse 02).",
            "Cargue el AttachedDocument completo o la respuesta de la DIAN.", factura=invoice.numero,
        )  # fmt: skip


def _inner_answer(libro: Libro, store: Store, invoice: Factura, document: Documento) -> None:
    """Add DIAN's answer that travels in the container, as a file of its own: its very text, nothing parsed and rewritten."""
    try:
        root = parse_xml(store.read(document.sha256))
    except (NotFound, Unreadable):
        return
    for place in root.iter("{*}Description"):
        text = (place.text or "").strip()
        if "<ApplicationResponse" in text[:_LOOK] or ":ApplicationResponse" in text[:_LOOK]:
            libro.generado(
                "respuesta_dian", f"Respuesta de la DIAN, factura {invoice.numero}", text.encode("utf-8"),
                "application/xml", creado=civil_date(invoice.validada_dian_at or document.cargado_at),
                factura=invoice.numero, caso=invoice.case_key,
                nota=f"Texto que viene en el AttachedDocument de SHA-256 {document.sha256}.",
            )  # fmt: skip
            return


def read_fev(store: Store, document: Documento) -> Fev | None:
    """Read the invoice or note of a document; None when its bytes are missing or nothing can read them."""
    try:
        found = recognise(store.read(document.sha256), document.nombre)
    except (NotFound, Unreadable, etree.LxmlError):
        return None
    return next((piece.fev for piece in found.pieces if piece.fev is not None), None)


def _day(fev: Fev | None, document: Documento) -> date:
    if fev is not None and fev.issue_date is not None:
        return fev.issue_date
    return civil_date(document.cargado_at)


def _answers(libro: Libro, invoice: Factura, documents: Sequence[Documento]) -> None:
    """Add what DIAN and the parties said of the invoice: validation and events 030 to 034."""
    for one in (row for row in documents if row.tipo is T.RESPUESTA_DIAN):
        code = one.sigla.strip()
        kind = f"evento_{code}" if code in EVENTOS else "respuesta_dian"
        at = recall(RespuestaDian, one.datos).at if one.datos else None
        libro.guardado(
            kind, f"{'Evento ' + code if code in EVENTOS else 'Respuesta de la DIAN'}, factura {invoice.numero}",
            one.sha256, one.bytes, one.media_type, creado=civil_date(at or one.cargado_at),
            incorporado=civil_date(one.cargado_at), caso=invoice.case_key, factura=invoice.numero,
        )  # fmt: skip


def _rips(libro: Libro, acopio: Acopio, store: Store, invoice: Factura, documents: Sequence[Documento]) -> None:
    whose = acopio.pacientes(invoice.id)
    rows = [one for one in documents if one.tipo is T.RIPS and not one.sigla]
    for one in rows:
        if whose is None:
            libro.guardado(
                "rips", f"RIPS de la factura {invoice.numero}", one.sha256, one.bytes, one.media_type,
                creado=civil_date(one.cargado_at), incorporado=civil_date(one.cargado_at), caso=invoice.case_key,
                factura=invoice.numero, salud=True,
            )  # fmt: skip
            continue
        _redacted_rips(libro, store, invoice, one, whose)
    if not rows:
        libro.hueco(
            "sin_rips", "rips", f"El RIPS de la factura {invoice.numero} no se cargó.",
            "Cárguelo con la factura.", factura=invoice.numero,
        )  # fmt: skip
    answers = [one for one in documents if one.tipo is T.CUV]
    for one in answers:
        if whose is not None and _bare_result(libro, store, invoice, one):
            continue
        libro.guardado(
            "cuv", f"Resultado con CUV, factura {invoice.numero}", one.sha256, one.bytes, one.media_type,
            creado=civil_date(one.cargado_at), incorporado=civil_date(one.cargado_at), caso=invoice.case_key,
            factura=invoice.numero, nota=f"CUV {invoice.cuv}" if invoice.cuv else "",
        )  # fmt: skip
    if not any(one.datos.get("accepted") for one in answers):
        libro.hueco(
            "sin_cuv", "rips", f"No hay un resultado del MUV que acepte la factura {invoice.numero} con su CUV.",
            "Cargue el archivo de resultados del validador.", factura=invoice.numero,
        )  # fmt: skip


def _bare_result(libro: Libro, store: Store, invoice: Factura, document: Documento) -> bool:
    """Add a result of the MUV without what it observed, patient by patient; False when it observed nothing."""
    try:
        value, _ = load_json(store.read(document.sha256))
    except (NotFound, Unreadable):
        value = None
    bare = cuv_de(value, original=document.sha256)
    if bare is None:
        return False
    libro.generado(
        "cuv", f"Resultado con CUV, factura {invoice.numero} (sin observaciones)", bare, "application/json",
        creado=civil_date(document.cargado_at), factura=invoice.numero, redactado=True, caso=invoice.case_key,
        nota="Redactado: sin las observaciones del MUV, que citan datos de los pacientes. Original en custodia, "
        f"SHA-256 {document.sha256}.",
    )  # fmt: skip
    return True


def _redacted_rips(libro: Libro, store: Store, invoice: Factura, document: Documento, whose: frozenset[int]) -> None:
    """Add the RIPS with the chosen patients alone; the original is named by its hash."""
    inner = _rips_value(store, document)
    cut = rips_de(inner, whose, original=document.sha256) if inner is not None else None
    if cut is None:
        libro.hueco(
            "rips_sin_redactar", "rips",
            f"El RIPS de la factura {invoice.numero} no se pudo leer para dejar un solo paciente, y no se incluye; "
            f"el original sigue en custodia, SHA-256 {document.sha256}.",
            "Revise el archivo.", factura=invoice.numero,
        )  # fmt: skip
        return
    libro.generado(
        "rips", f"RIPS de la factura {invoice.numero} (sin otros pacientes)", cut.datos, "application/json",
        creado=civil_date(document.cargado_at), factura=invoice.numero, salud=True, redactado=True,
        caso=invoice.case_key,
        nota=f"Redactado: quedan {cut.quedan} de {cut.total} pacientes. Original en custodia, SHA-256 "
        f"{document.sha256}.",
    )  # fmt: skip
    if cut.quedan < cut.total:
        libro.hueco(
            "rips_redactado", "rips",
            f"Del RIPS de la factura {invoice.numero} se dejaron fuera {cut.total - cut.quedan} pacientes ajenos al "
            "caso: su huella no es la que el pagador recibió; la del original se indica en el índice.",
            "Si el juez pide el original, entréguelo en cuaderno reservado.", factura=invoice.numero,
        )  # fmt: skip


def _supports(libro: Libro, acopio: Acopio, invoice: Factura, documents: Sequence[Documento]) -> None:
    whose = acopio.pacientes(invoice.id)
    supports = [one for one in documents if one.tipo is T.SOPORTE]
    left_out = 0
    for one in sorted(supports, key=lambda row: (row.sigla, row.id)):
        # A support with a patient's document in its name is of that patient; which one, the database does not keep.
        of_one = bool(one.datos and recall(NombreSoporte, one.datos).user)
        if whose is not None and (of_one or (invoice.usuarios or 1) > 1):
            left_out += 1
            continue
        kind = catalogue().get(one.sigla)
        libro.guardado(
            "soporte", f"{kind.nombre if kind else 'Soporte'} ({one.sigla}), factura {invoice.numero}", one.sha256,
            one.bytes, one.media_type, creado=civil_date(one.cargado_at), incorporado=civil_date(one.cargado_at),
            caso=invoice.case_key, nombre=one.nombre, base=f"Soporte{one.sigla.title()}", factura=invoice.numero, salud=True,
            digitalizado=one.media_type in _SCANNED,
        )  # fmt: skip
    if left_out:
        libro.hueco(
            "soportes_redactados", "soportes",
            f"Se dejaron fuera {left_out} soportes de la factura {invoice.numero}, que tiene varios pacientes: pueden "
            "ser de otros. Los originales siguen en custodia.",
            "Aporte los del paciente del caso en Prejurídico, Documentos aportados, como anexo.",
            factura=invoice.numero,
        )  # fmt: skip
    _missing_supports(libro, invoice, documents, [one.sigla for one in supports])


def _missing_supports(libro: Libro, invoice: Factura, documents: Sequence[Documento], siglas: Sequence[str]) -> None:
    told = next((one for one in documents if one.tipo is T.RIPS and not one.sigla and one.datos), None)
    fev = next((one for one in documents if one.tipo in (T.FEV, T.INVOICE) and one.datos), None)
    modality = recall(Fev, fev.datos).modalidad_pago if fev else None
    lacking = missing_supports(recall(Rips, told.datos), siglas, modalidad=modality) if told else ()
    for need in lacking:
        if need.condicional:
            continue
        libro.hueco(
            "falta_soporte", "soportes",
            f"La factura {invoice.numero} no tiene {' o '.join(need.siglas)}, que pide «{need.nombre}» en la "
            "Res. 2284/2023 (la Res. 1885/2024 cambió ese anexo y no se ha leído: confírmelo).",
            "Cargue el soporte o explique por qué no aplica.", factura=invoice.numero,
        )  # fmt: skip
    if not siglas:
        libro.hueco(
            "sin_soportes", "soportes", f"La factura {invoice.numero} no tiene soportes cargados.",
            "Cárguelos con la factura.", factura=invoice.numero,
        )  # fmt: skip


def _notes(
    libro: Libro,
    acopio: Acopio,
    store: Store,
    invoice: Factura,
    documents: Sequence[Documento],
    others: frozenset[str],
) -> None:
    whose = acopio.pacientes(invoice.id)
    for one in (row for row in documents if row.tipo in (T.NOTA_CREDITO, T.NOTA_DEBITO)):
        credit = one.tipo is T.NOTA_CREDITO
        name = f"Nota {'crédito' if credit else 'débito'} de la factura {invoice.numero}"
        fev = read_fev(store, one)
        named = (fev is not None and nombra_a_otros(fev)) or _tells(store, one, others)
        if whose is None or not named:
            libro.guardado(
                "nota_credito" if credit else "nota_debito", name, one.sha256, one.bytes, one.media_type,
                creado=_day(fev, one), incorporado=civil_date(one.cargado_at), caso=invoice.case_key,
                factura=invoice.numero, salud=True,
            )  # fmt: skip
        if fev is not None and fev.kind is not Clase.FACTURA:
            libro.generado(
                "nota_credito" if credit else "nota_debito", f"Representación gráfica: {name[0].lower()}{name[1:]}",
                dibujar(fev, sha256=one.sha256, autor=acopio.autor, con_lineas=whose is None), "application/pdf",
                creado=_day(fev, one), factura=invoice.numero, salud=True, caso=invoice.case_key,
                nota=f"Dibujada por el prestador desde el XML de SHA-256 {one.sha256}.",
            )  # fmt: skip
    accepted = sum(one.aceptado for one in acopio.glosas.get(invoice.id, ()))
    if accepted and not any(one.tipo is T.NOTA_CREDITO for one in documents):
        libro.hueco(
            "sin_nota_credito", "notas",
            f"La factura {invoice.numero} tiene valor aceptado y ninguna nota crédito cargada.",
            "Cargue la nota crédito por lo aceptado, o descuéntelo de lo pedido.", factura=invoice.numero,
        )  # fmt: skip
