"""What a dossier is made of, without a database: tracks as data, sheets, levels, redaction, counts of days."""

from __future__ import annotations

import io
import json
from datetime import date

import pikepdf
import pypdfium2 as pdfium
import pytest

from radica.glosas.models import Acto, TipoActo
from radica.prejuridico.capitulos.glosas import computos
from radica.prejuridico.contenido import DocumentoExpediente
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.models import TipoDocumentoPersona, Via
from radica.prejuridico.niveles import NIVELES, nivel
from radica.prejuridico.redaccion import number_of, rips_de
from radica.prejuridico.tabla import capitulos, clase_de_pieza, clases, control

MARKS = {"V", "V-sec", "M alta", "M media", "D"}


@pytest.mark.parametrize("via", [one.value for one in Via])
def test_a_track_has_every_chapter_once_and_proof_at_the_end(via: str) -> None:
    keys = [key for key, _ in capitulos(via)]
    assert len(keys) == len(set(keys)) == 12
    assert keys[0] == "demanda"
    assert keys[10:] == ["integridad", "vacios"]
    assert {one.capitulo for one in clases().values()} <= set(keys)


def test_every_kind_says_its_norm_how_sure_and_its_place() -> None:
    for kind in clases().values():
        assert kind.certeza in MARKS
        assert kind.norma or kind.certeza in ("D", "M media")
        assert kind.orden, f"{kind.clave} is in no track"
    assert {one.value for one in TipoDocumentoPersona} <= set(clases())
    assert clase_de_pieza("acuse_shot") == "acuse"
    assert clase_de_pieza("whatever") == "evidencia"


def test_the_checklist_is_whole() -> None:
    rows = control()
    assert [int(row["numero"]) for row in rows] == list(range(1, 17))
    assert {row[via.value] for row in rows for via in Via} == {"exigido", "conveniente"}
    assert {row["certeza"] for row in rows} <= MARKS


def test_each_level_says_what_it_does_not_prove() -> None:
    assert [one.numero for one in NIVELES] == [0, 1, 2, 3, 4]
    assert all(one.no_prueba and one.prueba and one.hay for one in NIVELES)
    assert nivel(9) is nivel(0)


def test_equal_sheets_have_equal_bytes_and_long_words_stay_inside() -> None:
    def draw() -> bytes:
        sheet = Hoja("Título ñ → ✓", encabezado="A ante B", autor="A")
        sheet.seccion("Sección")
        sheet.tabla(("Uno", "Dos"), [("x" * 300, "y z " * 400)] * 40, (1, 3), derecha=(1,), total=True)
        sheet.huella("a" * 64)
        return sheet.pdf()

    assert draw() == draw()
    with pikepdf.open(io.BytesIO(draw())) as paper:
        assert len(paper.pages) > 5


def test_a_row_taller_than_a_page_goes_on_and_loses_no_word() -> None:
    sheet = Hoja("Largo", encabezado="", autor="A")
    sheet.tabla(("Uno", "Dos"), [("palabra " * 6000, "sola")], (1, 1))
    paper = pdfium.PdfDocument(sheet.pdf())
    text = "".join(page.get_textpage().get_text_range() for page in paper)
    assert len(paper) > 5
    assert (text.count("palabra"), text.count("sola")) == (6000, 1)


def test_a_document_is_in_custody_or_generated() -> None:
    facts = {
        "titulo": "t", "nombre_base": "T", "extension": ".pdf", "tipologia": "T", "media_type": "application/pdf",
        "fecha_creacion": date(2026, 1, 1), "fecha_incorporacion": date(2026, 1, 1),
    }  # fmt: skip
    with pytest.raises(ValueError, match="one of both"):
        DocumentoExpediente(**facts)  # type: ignore[arg-type]
    made = DocumentoExpediente(**facts, datos=b"abc")  # type: ignore[arg-type]
    assert made.tamano == 3
    assert made.huella.startswith("ba7816bf")


def test_patients_are_told_by_their_number_or_their_place() -> None:
    people = [{"consecutivo": 7, "n": "a"}, {"n": "b"}, {"consecutivo": "x", "n": "c"}, {"consecutivo": "12", "n": "d"}]
    assert [number_of(one, place) for place, one in enumerate(people, 1)] == [7, 2, 3, 12]
    cut = rips_de({"numFactura": "F1", "usuarios": people}, {7, 12}, original="f" * 64)
    assert cut is not None
    value = json.loads(cut.datos)
    assert ([one["n"] for one in value["usuarios"]], value["numFactura"], cut.quedan, cut.total) == (
        ["a", "d"],
        "F1",
        2,
        4,
    )
    assert "f" * 64 in value["_redaccion"]
    assert rips_de({"usuarios": None}, {1}, original="f" * 64) is None


def test_equal_counts_are_shown_once_and_backward_ones_not_at_all() -> None:
    term = {"termino": "GLO-01", "desde": "2026-06-01", "hasta": "2026-06-16", "vence": "2026-07-01", "oportuno": True}
    back = {**term, "desde": "2026-06-20"}
    acts = [
        Acto(tipo=TipoActo.NOTIFICACION, codigo=code, plazo=plazo)
        for code, plazo in (("FA0201", term), ("TA0801", term), ("SO0801", back), ("CL0101", {}))
    ]
    (only,) = computos(acts)
    assert (only.desde, only.hasta, only.oportuno) == (date(2026, 6, 1), date(2026, 6, 16), True)
    assert [words.split()[-1] for words in only.actos] == ["FA0201", "TA0801"]
