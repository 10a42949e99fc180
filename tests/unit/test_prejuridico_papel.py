"""The PDF of a dossier: every sheet has its folio, upright and legible, and nothing of a document is covered or lost."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest

from radica.custodia.store import FolderStore
from radica.prejuridico.contenido import Contenido, DocumentoExpediente
from radica.prejuridico.papel.armar import whole_pdf
from radica.prejuridico.papel.fuentes import Fuentes
from radica.prejuridico.papel.tinta import BOLD, PLAIN, shorten, split, width
from radica.prejuridico.papel.valores import Forma, PdfResult
from tests.expediente_papel import DAY, changed, documento, expediente, odd, pdf


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "custodia")


@pytest.fixture
def drawn(tmp_path: Path, store: FolderStore) -> PdfResult:
    return whole_pdf(odd(store), store, tmp_path / "entero.pdf", temporary=tmp_path)


def _texts(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as whole:
        return [_text(page) for page in whole]


def _text(page: Any) -> str:
    found = page.get_textpage()
    try:
        return str(found.get_text_range())
    finally:
        found.close()
        page.close()


def _whole(content: Contenido, store: FolderStore, folder: Path, **more: Any) -> PdfResult:
    return whole_pdf(content, store, folder / "entero.pdf", temporary=folder, **more)


def test_every_sheet_says_its_folio_once(drawn: PdfResult) -> None:
    texts = _texts(drawn.ruta)
    assert len(texts) == drawn.folios == 35
    for number, text in enumerate(texts, 1):
        assert re.findall(r"Folio (\d+) de (\d+)", text) == [(str(number), str(drawn.folios))]


def test_every_document_stands_where_the_result_says(drawn: PdfResult, store: FolderStore) -> None:
    texts = _texts(drawn.ruta)
    before = drawn.preliminares
    for (chapter, one), place in zip(odd(store).documentos(), drawn.tramos, strict=True):
        assert place.capitulo == chapter.numero
        assert place.desde > before
        before = place.hasta
        assert one.titulo in texts[place.desde - 1].replace("\r\n", " ")
    words = {"Vertical uno": 7, "Vertical dos": 8, "Horizontal": 9, "Girada 270": 12}
    assert all(word in texts[folio - 1] for word, folio in words.items())
    for number, folio in drawn.divisores.items():
        assert f"CAPÍTULO {number}" in texts[folio - 1]


def test_the_folio_is_upright_at_the_foot_of_what_a_reader_sees(drawn: PdfResult) -> None:
    with pypdfium2.PdfDocument(drawn.ruta) as whole:
        for number, page in enumerate(whole, 1):
            wide, tall = page.get_size()
            picture = page.render(scale=1).to_pil().convert("L")
            # In the lower strip, where the folio stands, there is dark ink on white at the right.
            low = max(30, round(min(wide, tall) / 612 * 34))
            strip = picture.crop((round(wide * 0.6), round(tall) - low, round(wide), round(tall)))
            assert strip.getextrema()[0] < 120, f"no folio seen on sheet {number}"
            found = page.get_textpage()
            search = found.search(f"Folio {number} de")
            index, count = search.get_next()
            left, bottom, right, top = found.get_charbox(index)
            last = found.get_charbox(index + count - 1)
            size = page.get_mediabox()
            turned = page.get_rotation()
            run = {0: last[0] - left, 90: last[1] - bottom, 180: left - last[0], 270: bottom - last[1]}[turned]
            assert run > 10, f"the folio does not read from left to right on sheet {number}"
            assert size[0] <= left < right <= size[2]
            assert size[1] <= bottom < top <= size[3]
            search.close()
            found.close()
            page.close()


def test_nothing_of_a_page_is_covered(tmp_path: Path, store: FolderStore) -> None:
    data = pdf("Entera", size=(500, 700))
    made = _whole(expediente(("Uno", [documento(store, "Entera", data, ".pdf")])), store, tmp_path)
    with pypdfium2.PdfDocument(made.ruta) as whole, pypdfium2.PdfDocument(data) as alone:
        before = alone[0].render(scale=2).to_pil().convert("L")
        after = whole[made.tramos[0].desde - 1].render(scale=2).to_pil().convert("L")
    assert after.width == before.width
    assert after.height > before.height
    assert after.crop((0, 0, before.width, before.height)).tobytes() == before.tobytes()


def test_what_lies_beyond_the_edge_of_a_page_stays_hidden(tmp_path: Path, store: FolderStore) -> None:
    data = changed(pdf("Oculto"), CropBox=[0, 420, 612, 792])  # the word stands at 396
    made = _whole(expediente(("Uno", [documento(store, "Cortada", data, ".pdf")])), store, tmp_path)
    with pypdfium2.PdfDocument(made.ruta) as whole:
        picture = whole[made.tramos[0].desde - 1].render(scale=1).to_pil().convert("L")
    assert picture.size == (612, 372 + 17)
    # The frame at the sheet's sides goes on below the cut in the file, and must not be seen in the strip.
    assert picture.crop((0, 374, 5, 389)).getextrema()[0] > 200


def test_files_that_are_no_pages_are_named_with_their_hash(drawn: PdfResult, store: FolderStore) -> None:
    texts = _texts(drawn.ruta)
    for (_, one), place in zip(odd(store).documentos(), drawn.tramos, strict=True):
        if place.forma in (Forma.HOJA, Forma.ANEXO):
            assert one.huella in texts[place.desde - 1]
        assert any(one.huella in text for text in texts[drawn.tramos[-1].hasta :]), "the certificate lists every hash"


def test_what_cannot_be_drawn_goes_in_declared(drawn: PdfResult) -> None:
    texts = _texts(drawn.ruta)
    reasons = {one.orden: one.motivo for one in drawn.anexos}
    assert list(reasons) == [21, 22, 23]
    assert "contraseña" in reasons[21]
    assert "dañado" in reasons[22]
    assert "imagen" in reasons[23]
    for one in drawn.anexos:
        assert "ARCHIVO ANEXO SIN REPRODUCIR" in texts[one.desde - 1]
        assert one.motivo.split(":")[0] in texts[one.desde - 1]


def test_a_document_that_custody_lost_is_declared(tmp_path: Path, store: FolderStore) -> None:
    lost = [
        DocumentoExpediente("Perdido", "Perdido", extension, "Soporte", DAY, DAY, media, sha256="0" * 64, bytes=5)
        for extension, media in ((".pdf", "application/pdf"), (".xml", "application/xml"))
    ]
    made = _whole(expediente(("Uno", lost)), store, tmp_path)
    assert [one.forma for one in made.tramos] == [Forma.ANEXO] * 2
    assert all("custodia" in one.motivo for one in made.tramos)


def test_what_a_page_does_is_left_out_and_what_it_shows_is_kept(tmp_path: Path, store: FolderStore) -> None:
    with pikepdf.open(io.BytesIO(pdf("Con sello"))) as one:
        look = one.make_stream(
            b"BT /F1 20 Tf 5 5 Td (SELLO) Tj ET",
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 100, 30],
            Resources=one.pages[0].obj["/Resources"],
        )  # fmt: skip
        stamp = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[100, 100, 200, 130], F=4,
            AP=pikepdf.Dictionary(N=look),
            A=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")),
        )  # fmt: skip
        one.pages[0].obj["/Annots"] = pikepdf.Array([one.make_indirect(stamp)])
        one.Root["/OpenAction"] = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(2)"))
        out = io.BytesIO()
        one.save(out)
    content = expediente(("Uno", [documento(store, "Sellada", out.getvalue(), ".pdf")]))
    made = _whole(content, store, tmp_path)
    assert "SELLO" in _texts(made.ruta)[made.tramos[0].desde - 1]
    with pikepdf.open(made.ruta) as whole:
        assert "/OpenAction" not in whole.Root
        assert "/Annots" not in whole.pages[made.tramos[0].desde - 1].obj
        assert not any(b"app.alert" in bytes(one) for one in whole.objects if isinstance(one, pikepdf.String))


def test_bookmarks_and_index_lead_to_their_folios(drawn: PdfResult, store: FolderStore) -> None:
    with pikepdf.open(drawn.ruta) as whole:
        places = {page.obj.objgen: number for number, page in enumerate(whole.pages, 1)}
        with whole.open_outline() as outline:
            tops = list(outline.root)
            assert [str(one.title) for one in tops[:3]] == [
                "Portada",
                "Índice",
                "1. Demanda, poder y anexos de las partes",
            ]
            found = [(str(one.title), places[one.destination[0].objgen]) for top in tops[2:-1] for one in top.children]
        want = [
            (f"{place.orden}. {one.titulo}", place.desde)
            for (_, one), place in zip(odd(store).documentos(), drawn.tramos, strict=True)
        ]
        assert [(title.split(" · ")[0], folio) for title, folio in found] == want
        links = [note for page in whole.pages[1 : drawn.preliminares] for note in page.obj["/Annots"]]
        assert len(links) == len(want) + len(drawn.divisores) + 1
        led = {places[note["/Dest"][0].objgen] for note in links}
        assert {folio for _, folio in want} <= led
        assert whole.check_pdf_syntax() == []


def test_equal_facts_give_equal_bytes_however_few_files_are_open(
    tmp_path: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _whole(odd(store), store, tmp_path).ruta.read_bytes()
    assert _whole(odd(store), store, tmp_path).ruta.read_bytes() == first
    monkeypatch.setattr("radica.prejuridico.papel.fuentes.files_allowed", lambda: 3)
    assert _whole(odd(store), store, tmp_path).ruta.read_bytes() == first
    assert b"2026" not in re.sub(rb"D:20261121000000-05'00'", b"", first.rpartition(b"/Info")[2])
    assert [one.name for one in tmp_path.iterdir()] in (["custodia", "entero.pdf"], ["entero.pdf", "custodia"])


def test_few_files_stay_open(tmp_path: Path, store: FolderStore) -> None:
    content = expediente(("Uno", [documento(store, f"Hoja {n}", pdf(f"Hoja {n}"), ".pdf") for n in range(20)]))
    with Fuentes(store, tmp_path, max_open=4) as sources:
        found = [sources.pages_of(one) for _, one in content.documentos()]
        assert sum(path.name.startswith("tanda-") for path in tmp_path.iterdir()) == 4
        assert [len(one.pages) for one in found] == [1] * 20


def test_the_index_of_a_long_dossier_counts_its_own_sheets(tmp_path: Path, store: FolderStore) -> None:
    page = pdf("x")
    long = (
        "Historia clínica de la atención con un título que no cabe en un renglón del índice por más que se quiera leer"
    )
    content = expediente(("Facturas", [documento(store, f"{long} {n}", page, ".pdf") for n in range(150)]))
    made = _whole(content, store, tmp_path)
    texts = _texts(made.ruta)
    assert made.preliminares == 1 + sum("Índice" in text for text in texts[1 : made.preliminares]) > 4
    assert made.tramos[0].desde == made.preliminares + 2
    assert str(made.tramos[-1].desde) in texts[made.preliminares - 1]


def test_the_cover_adds_up_and_says_what_is_missing(tmp_path: Path, store: FolderStore) -> None:
    cover = _texts(_whole(odd(store), store, tmp_path).ruta)[0]
    assert "Clínica Señora de la Ñusta S.A.S." in cover
    assert "$ 2.500.000" in cover
    assert "lo tienen 1 de 2 facturas" in cover
    assert "$ 1.025.312,99" in cover
    assert "Sin radicación judicial" in cover


def test_signs_that_the_fonts_lack_do_not_stop_a_dossier(tmp_path: Path, store: FolderStore) -> None:
    title = "Orden → médica ≥ 3 漢字 \u200b(ñ) \\ fin"
    content = expediente(("Uno", [documento(store, title, b"x", ".xml"), documento(store, title, pdf("x"), ".pdf")]))
    made = _whole(content, store, tmp_path)
    texts = _texts(made.ruta)
    assert "Orden -> médica >= 3 ?? (ñ) \\ fin" in texts[made.tramos[0].desde - 1]
    assert "Orden -> médica >= 3 ?? (ñ) \\ fin" in texts[made.tramos[1].desde - 1]


def test_what_is_said_of_the_signature_stands_in_the_certificate(tmp_path: Path, store: FolderStore) -> None:
    content = expediente(("Uno", []))
    assert "no lleva firma electrónica" in _texts(_whole(content, store, tmp_path).ruta)[-2].replace("\r\n", " ")
    said = _texts(_whole(content, store, tmp_path, firma="Se firmará con la llave de X.").ruta)[-2]
    assert "Se firmará con la llave de X." in said
    assert "no lleva firma" not in said


def test_progress_tells_each_document(tmp_path: Path, store: FolderStore) -> None:
    told: list[tuple[int, int]] = []
    content = expediente(("Uno", [documento(store, "a", pdf("a"), ".pdf"), documento(store, "b", b"b", ".xml")]))
    _whole(content, store, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2)]


@pytest.mark.parametrize("font", [PLAIN, BOLD])
@pytest.mark.parametrize("text", ["", "a", "palabra " * 60, "sinespacios" * 30, "ñ→漢 á"])
def test_lines_fit_and_lose_nothing_unless_told_by_dots(font: str, text: str) -> None:
    lines = split(text, font, 9, 120, 1000)
    assert all(width(line, font, 9) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(text.replace("→", "->").replace("漢", "?").split())
    cut = split(text, font, 9, 120, 2)
    assert len(cut) <= 2
    assert (len(lines) > 2) == cut[-1].endswith("…")
    assert width(shorten(text, font, 9, 60), font, 9) <= 60


@pytest.fixture(autouse=True)
def _no_leak(tmp_path: Path) -> Iterator[None]:
    """No test leaves a temporary folder of ours behind."""
    yield
    assert not list(tmp_path.glob("papel-*"))
