"""A small dossier with every odd kind of document, for the tests of its PDF and its indices. No database."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pikepdf
from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

from radica.custodia.store import Store
from radica.prejuridico.contenido import (
    Capitulo,
    Contenido,
    DocumentoExpediente,
    FacturaExpediente,
    Hueco,
    Origen,
    Parte,
)

DAY = date(2026, 3, 9)


def pdf(*words: str, size: tuple[Any, Any] = (612, 792), turn: int = 0) -> bytes:
    """Return a PDF with one page a word, each with a frame at its edge and a scale of lines."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1)
    for word in words:
        canvas.rect(2, 2, size[0] - 4, size[1] - 4)
        canvas.setFont("Helvetica", min(24, size[0] / 12))
        canvas.drawString(size[0] / 8, size[1] / 2, word)
        canvas.setFont("Helvetica", 7)
        for line in range(8, int(size[1]) - 8, 40):
            canvas.drawString(8, line, f"y={line}")
        canvas.showPage()
    canvas.save()
    return changed(out.getvalue(), Rotate=turn) if turn else out.getvalue()


def changed(data: bytes, **keys: Any) -> bytes:
    """Return a PDF with keys of its first page given anew."""
    with pikepdf.open(io.BytesIO(data)) as one:
        for key, value in keys.items():
            one.pages[0].obj[f"/{key}"] = value
        out = io.BytesIO()
        one.save(out, deterministic_id=True)
    return out.getvalue()


def inherited(data: bytes) -> bytes:
    """Return a PDF whose only page takes box, turn and fonts from its tree."""
    with pikepdf.open(io.BytesIO(data)) as one:
        page, tree = one.pages[0].obj, one.Root["/Pages"]
        for key in ("/MediaBox", "/Resources", "/Rotate"):
            if key in page:
                tree[key] = page[key]
                del page[key]
        out = io.BytesIO()
        one.save(out, deterministic_id=True)
    return out.getvalue()


@cache
def locked(data: bytes) -> bytes:
    """Return a PDF that asks for a password; the same each time, although its key is drawn by lot."""
    with pikepdf.open(io.BytesIO(data)) as one:
        out = io.BytesIO()
        one.save(out, encryption=pikepdf.Encryption(user="clave", owner="otra"))
    return out.getvalue()


def picture(kind: str, *, wide: int = 900, tall: int = 1200, orientation: int = 1, mode: str = "RGB") -> bytes:
    """Return a picture with a mark in its upper left corner."""
    image = Image.new(mode, (wide, tall), "white")
    ImageDraw.Draw(image).rectangle((20, 20, wide // 3, tall // 6), fill="black")
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def _with_content(extra: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf("Abierta"))) as one:
        one.pages[0].contents_add(extra, prepend=True)
        out = io.BytesIO()
        one.save(out, deterministic_id=True)
    return out.getvalue()


def documento(store: Store | None, titulo: str, data: bytes, extension: str, **more: Any) -> DocumentoExpediente:
    """Return a document; with a store its bytes go there, without one it is generated."""
    types = {".pdf": "application/pdf", ".xml": "application/xml", ".json": "application/json", ".png": "image/png"}
    known: dict[str, Any] = {
        "titulo": titulo,
        "nombre_base": "".join(word.capitalize() for word in titulo.split() if word.isalnum()),
        "extension": extension,
        "tipologia": "Soporte",
        "fecha_creacion": DAY,
        "fecha_incorporacion": date(2026, 3, 10),
        "media_type": types.get(extension, "application/octet-stream"),
        **more,
    }
    if store is None:
        return DocumentoExpediente(datos=data, **known)
    return DocumentoExpediente(sha256=store.put(io.BytesIO(data)).sha256, bytes=len(data), **known)


def factura(number: int, **more: Any) -> FacturaExpediente:
    """Return an invoice of 1,250,000 pesos."""
    cents = 125_000_000
    known: dict[str, Any] = {
        "id": number,
        "numero": f"FE{990000 + number}",
        "cufe": hashlib.sha384(str(number).encode()).hexdigest(),
        "cuv": None,
        "expedida": date(2026, 1, 5),
        "valor": cents,
        "radicado": f"RAD{number}",
        "fecha_radicacion": datetime(2026, 1, 20, 15, tzinfo=UTC),
        "nivel_prueba": 3,
        "pagado": 25_000_000,
        "glosado": 40_000_000,
        "aceptado": 5_000_000,
        "en_disputa": 35_000_000,
        "capital": 95_000_000,
        "intereses": 7_531_299,
        **more,
    }
    return FacturaExpediente(**known)


def expediente(*capitulos: tuple[str, list[DocumentoExpediente]], **more: Any) -> Contenido:
    """Return a dossier of these chapters: (title, documents)."""
    known: dict[str, Any] = {
        "expediente": 7,
        "numero": 7,
        "via": "ejecutivo",
        "corte": date(2026, 11, 21),
        "demandante": Parte("Clínica Señora de la Ñusta S.A.S.", "900123456-7", "110010000001"),
        "demandado": Parte("Entidad Promotora de Salud del Trópico S.A.", "800765432-1"),
        "facturas": (factura(1), factura(2, capital=None, intereses=None)),
        "capitulos": tuple(
            Capitulo(number, title.split()[0].lower(), title, tuple(documents))
            for number, (title, documents) in enumerate(capitulos, 1)
        ),
        "huecos": (Hueco("sin_poder", "demanda", None, "No hay poder.", "Cárguelo."),),
        "lista_de_control": (),
        "declaracion": (),
        "casos": (),
        **more,
    }
    return Contenido(**known)


def odd(store: Store) -> Contenido:
    """Return a dossier with every kind of page and file that was thought of."""
    letter_pdf = pdf("Vertical uno", "Vertical dos")
    return expediente(
        ("Demanda, poder y anexos de las partes", [documento(None, "Poder especial", pdf("Poder"), ".pdf")]),
        (
            "Facturas, respuesta de la DIAN y eventos",
            [
                documento(
                    store, "Factura electrónica", b"<Invoice/>", ".xml", factura="FE990001", nota="Validada por la DIAN"
                ),
                documento(store, "Representación gráfica", letter_pdf, ".pdf", factura="FE990001"),
                documento(store, "Horizontal", pdf("Horizontal", size=(792, 612)), ".pdf"),
                *(
                    documento(store, f"Girada {turn}", pdf(f"Girada {turn}", turn=turn), ".pdf")
                    for turn in (90, 180, 270)
                ),
                documento(store, "Heredada", inherited(pdf("Heredada", turn=90)), ".pdf"),
            ],
        ),
        (
            "Soportes de la atención",
            [
                documento(store, "Recortada", changed(pdf("Recortada"), CropBox=[100, 200, 500, 700]), ".pdf"),
                documento(store, "Origen corrido", changed(pdf("Corrida"), MediaBox=[-50, -80, 562, 712]), ".pdf"),
                documento(store, "Caja al revés", changed(pdf("Al revés"), MediaBox=[612, 792, 0, 0]), ".pdf"),
                documento(store, "Diminuta", pdf("Mini", size=(90, 60)), ".pdf"),
                documento(store, "Diminuta girada", pdf("Mini", size=(60, 200), turn=90), ".pdf"),
                documento(store, "Plano grande", pdf("Plano", size=(2400, 3200)), ".pdf"),
                documento(store, "Unidad de usuario", changed(pdf("Unidad"), UserUnit=2), ".pdf"),
                documento(store, "Dibujo abierto", _with_content(b"q 0.2 0 0 0.2 300 300 cm 1 0 0 rg"), ".pdf"),
                documento(store, "Foto", picture("JPEG"), ".jpg", media_type="image/jpeg", origen=Origen.DIGITALIZADO),
                documento(store, "Foto acostada", picture("JPEG", orientation=6), ".jpg", media_type="image/jpeg"),
                documento(store, "Captura ancha", picture("PNG", wide=1600, tall=700), ".png"),
                documento(store, "Fax", picture("TIFF", mode="1"), ".tif", media_type="image/tiff"),
            ],
        ),
        (
            "Prueba de la radicación",
            [
                documento(store, "Con contraseña", locked(pdf("Secreta")), ".pdf"),
                documento(store, "Dañado", b"%PDF-1.7 esto no es un PDF", ".pdf"),
                documento(store, "Imagen cortada", picture("PNG")[:200], ".png"),
                documento(store, "Correo (del pagador) \\ acuse", b"From: a\n\nhola", ".eml", factura="FE990002"),
            ],
        ),
        ("Actas de conciliación", []),
    )
