"""The letter as a reader opens it: its words with accents, its totals, its folios, and the supports joined behind it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest

from radica.app.demo.pdf import Line, write_pdf
from radica.glosas.respuesta.letter import Carta, LineaCarta, Parte, SoporteCarta, anexo, draw
from radica.glosas.respuesta.paper import letters
from radica.kernel.errors import BadInput

LINEA = LineaCarta(
    "FE10234",
    "TA0801",
    "Hemograma",
    120_000_00,
    0,
    "RE9602",
    "La glosa es injustificada del todo.",
    "No se acepta: niñez.",
    "GL-1",
)
CARTA = Carta(
    Parte("IPS Clínica Ñandú & Hijos", "900000001"),
    Parte("EPS Sabana Verde", "800000001"),
    date(2026, 11, 20),
    "R-15",
    "glosa",
    1,
    (LINEA, replace(LINEA, factura="FE10299", aceptado=30_000_50, respuesta="RE9801", sentido="Se acepta una parte.")),
    ciudad="Medellín",
    firma=("Ana Gómez", "Coordinadora"),
)


def pages(data: bytes) -> list[str]:
    document = pdfium.PdfDocument(data)
    try:
        return [" ".join(document[n].get_textpage().get_text_range().split()) for n in range(len(document))]
    finally:
        document.close()


def support(folder: Path, name: str, *, turn: int = 0, sheets: int = 1) -> Path:
    path = folder / f"{name}.pdf"
    lines = [Line(f"Epicrisis {name}", "title")] + [Line("renglón")] * (60 * (sheets - 1))
    path.write_bytes(write_pdf(lines, title=name, when=datetime(2026, 1, 1, tzinfo=UTC)))
    with pikepdf.open(path, allow_overwriting_input=True) as one:
        one.Root.Pages.Rotate = turn  # the sheets inherit it
        one.save(path)
    return path


def listed(count: int) -> tuple[SoporteCarta, ...]:
    return tuple(SoporteCarta("EPI", f"EPI_900000001_FE{n}.pdf", f"{n}" * 64, "FE10234") for n in range(count))


def test_the_letter_says_who_what_and_how_much() -> None:
    (text,) = pages(draw(CARTA))
    for words in (
        "IPS Clínica Ñandú & Hijos",
        "Medellín, 20 de noviembre de 2026",
        "EPS Sabana Verde NIT 800000001",
        "Respuesta a glosas N.º R-15",
        "responde 2 objeciones sobre 2 facturas, por $ 240.000. Acepta $ 30.000,50 y no acepta $ 209.999,50",
        "Por lo aceptado expide nota crédito.",
        "Total $ 240.000 $ 30.000,50",
        "Línea 1 · RE9602 La glosa es injustificada del todo. No se acepta: niñez.",
        "Ana Gómez Coordinadora",
        f"Contenido SHA-256 {CARTA.sha256}",
        "Folio 1 de 1",
    ):
        assert words in text, words


def test_equal_contents_equal_bytes_and_any_change_shows_in_the_hash() -> None:
    assert draw(CARTA) == draw(CARTA)
    for other in (
        replace(CARTA, lineas=(replace(LINEA, aceptado=1), CARTA.lineas[1])),
        replace(CARTA, fecha=date(2026, 11, 21)),
        replace(CARTA, soportes=listed(1)),
    ):
        assert other.sha256 != CARTA.sha256


def test_equal_answers_are_said_once_and_many_lines_go_on_over_the_sheets() -> None:
    lines = tuple(replace(LINEA, factura=f"FE{n:05}", texto="Igual." if n != 40 else "Otra.") for n in range(200))
    texts = pages(draw(replace(CARTA, lineas=lines)))
    whole = " ".join(texts)
    assert "Líneas 1 a 40, 42 a 200 · RE9602" in whole
    assert whole.count("Igual.") == 1
    assert all(f"Folio {n} de {len(texts)}" in text for n, text in enumerate(texts, 1))
    assert all("N.º Factura Glosa" in text for text in texts[:3])


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_supports_follow_the_letter_foliated_as_they_are_seen(tmp_path: Path, turn: int) -> None:
    carta = replace(CARTA, soportes=listed(2))
    files = [support(tmp_path, "uno", turn=turn, sheets=2), support(tmp_path, "dos", turn=turn)]
    data = draw(carta, files)
    texts = pages(data)
    assert len(texts) == 4
    assert "Siguen a esta carta" in texts[0]
    assert "EPI_900000001_FE1.pdf" in texts[0]
    assert "Epicrisis uno" in texts[1]
    assert "Epicrisis dos" in texts[3]
    assert all(f"Folio {n} de 4" in text for n, text in enumerate(texts, 1))
    assert draw(carta, files) == data
    document = pdfium.PdfDocument(data)
    picture = document[3].render(scale=1).to_pil().convert("L")
    width, height = picture.size
    corner = picture.crop((width - 130, height - 40, width, height))
    assert corner.getextrema()[0] < 160, "the folio stands at the lower right of the sheet as it is read"
    document.close()


def test_a_support_that_cannot_be_joined_is_named_without_its_file_name(tmp_path: Path) -> None:
    carta = replace(CARTA, soportes=(SoporteCarta("EPI", "EPI_900_FE1_CC1023456789.pdf", "a" * 64),))
    broken = tmp_path / "x.pdf"
    broken.write_bytes(b"%PDF-1.4 nada")
    with pytest.raises(BadInput) as refused:
        draw(carta, [broken])
    assert refused.value.code == "pdf_danado"
    assert "1023456789" not in str(refused.value)
    locked = support(tmp_path, "clave")
    with pikepdf.open(locked, allow_overwriting_input=True) as one:
        one.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(BadInput, match="contraseña"):
        draw(carta, [locked])


def test_what_a_support_would_do_when_opened_stays_behind(tmp_path: Path) -> None:
    path = support(tmp_path, "vivo")
    with pikepdf.open(path, allow_overwriting_input=True) as one:
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        one.Root.OpenAction = action
        one.pages[0].obj["/AA"] = pikepdf.Dictionary(O=action)
        seal = one.make_stream(b"BT /F1 12 Tf 5 5 Td (Firmado) Tj ET")
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        seal.Type, seal.Subtype, seal.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([0, 0, 90, 30])
        seal.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        stamp = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[100, 100, 190, 130], A=action,
            AP=pikepdf.Dictionary(N=seal), F=4,
        )  # fmt: skip
        one.pages[0].obj.Annots = pikepdf.Array([one.make_indirect(stamp)])
        one.save(path)
    assert b"app.alert" in path.read_bytes()
    data = draw(replace(CARTA, soportes=listed(1)), [path])
    with pikepdf.open(io.BytesIO(data)) as whole:
        assert "/OpenAction" not in whole.Root
        assert not any("/AA" in page.obj or "/Annots" in page.obj for page in whole.pages)
    assert "Firmado" in pages(data)[1], "what the sheet shows stays"


def test_a_letter_without_lines_or_with_other_attachments_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lines"):
        draw(replace(CARTA, lineas=()))
    with pytest.raises(ValueError, match="attachments"):
        draw(CARTA, [support(tmp_path, "suelto")])


def test_signs_that_the_type_lacks_have_a_plain_form() -> None:
    assert letters("SpO₂ ≥ 90 → ok, ñandú «€» 😀\u200b fin\x00") == "SpO2 >= 90 -> ok, ñandú «€» ? fin?"
    assert letters("nin\u0303o\tx\ny") == "niño x\ny"


def test_the_annex_of_one_answer_holds_the_whole_text_foliated_and_is_the_same_every_time() -> None:
    text = "\n".join(f"Párrafo {n}: la tarifa es la pactada con niñez & corazón." for n in range(120))
    data = anexo(CARTA.prestador, "Respuesta a la glosa TA0801", text)
    said = pages(data)
    whole = " ".join(said)
    assert all(f"Párrafo {n}: la tarifa" in whole for n in range(120))
    assert all(f"Folio {n} de {len(said)}" in one for n, one in enumerate(said, 1))
    assert "IPS Clínica Ñandú & Hijos" in said[-1]
    assert anexo(CARTA.prestador, "Respuesta a la glosa TA0801", text) == data
    assert anexo(CARTA.prestador, "Respuesta a la glosa TA0801", text + ".") != data
