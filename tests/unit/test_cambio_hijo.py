"""The maker of changes and its proof: what goes, what stays, what is not taken."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from radica.facturas import pdf_hijo
from radica.radicacion.cambio_hijo import answer, pages_of


def pages(*texts: str) -> bytes:
    raw = io.BytesIO()
    paper = canvas.Canvas(raw)
    for text in texts:
        paper.drawString(72, 700, text)
        paper.rect(72, 300, 100 + len(text), 50, fill=1)
        paper.showPage()
    paper.save()
    return raw.getvalue()


def armed() -> bytes:
    """Return a PDF that runs things at opening, on a page, on a link, on a field and behind a chain of actions."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pages("uno", "dos"))) as pdf:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        pdf.Root.OpenAction = pdf.make_indirect(script)
        pdf.Root.Names = pikepdf.Dictionary(
            JavaScript=pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String("x"), script]))
        )
        pdf.pages[0].obj.AA = pikepdf.Dictionary(O=script)
        chain = pikepdf.Dictionary(
            S=pikepdf.Name.GoTo, D=pikepdf.Array([pdf.pages[1].obj, pikepdf.Name.Fit]), Next=pikepdf.Array([script])
        )
        pdf.pages[1].obj.Annots = pikepdf.Array(
            [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=chain)]
        )
        pdf.Root.AcroForm = pikepdf.Dictionary(
            Fields=pikepdf.Array(
                [pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Tx, AA=pikepdf.Dictionary(K=script)))]
            )
        )
        pdf.save(out)
    return out.getvalue()


def changed(
    folder: Path, operation: str, *inputs: bytes, tope: int | None = None
) -> tuple[dict[str, object], list[Path]]:
    paths = []
    for n, data in enumerate(inputs):
        path = folder / f"entrada{n}.pdf"
        path.write_bytes(data)
        paths.append(str(path))
    said = answer({"operacion": operation, "entradas": paths, "carpeta": str(folder), "tope": tope})
    return said, [folder / one["nombre"] for one in said.get("salidas", [])]


def test_nothing_is_left_that_runs_and_the_pages_say_the_same(tmp_path: Path) -> None:
    before = tmp_path / "antes.pdf"
    before.write_bytes(armed())
    assert {"javascript", "apertura"} <= set(pdf_hijo.answer({"ruta": str(before)})["rasgos"])
    said, (clean,) = changed(tmp_path, "limpiar", armed())
    assert said["original"] == said["enviado"]
    assert set(pdf_hijo.answer({"ruta": str(clean)})["rasgos"]) == {"formulario"}
    assert b"app.alert" not in clean.read_bytes()
    with pikepdf.open(clean) as pdf:
        assert str(pdf.pages[1].obj.Annots[0].A.S) == "/GoTo"  # a link to another page is no danger


def test_the_proof_sees_a_letter_a_line_and_a_page(tmp_path: Path) -> None:
    whole, other = tmp_path / "a.pdf", tmp_path / "b.pdf"
    whole.write_bytes(pages("Epicrisis", "Evolución"))
    for texts in (("Epicrisis", "Evolucion"), ("Epicrisis",), ("Evolución", "Epicrisis")):
        other.write_bytes(pages(*texts))
        assert pages_of(whole) != pages_of(other)
    with pikepdf.open(whole) as pdf:  # same words, but something was drawn over them
        pdf.pages[0].contents_add(pdf.make_stream(b"0 0 300 300 re f"))
        pdf.save(other)
    first, drawn = pages_of(whole)[0], pages_of(other)[0]
    assert (first[0], first[1] != drawn[1]) == (drawn[0], True)


def test_joined_in_order(tmp_path: Path) -> None:
    said, (whole,) = changed(tmp_path, "unir", pages("uno"), pages("dos", "tres"))
    assert (said["hojas"], said["original"] == said["enviado"]) == ([1, 2], True)
    assert len(pages_of(whole)) == 3


def test_one_page_that_is_too_heavy_cannot_be_split(tmp_path: Path) -> None:
    said, made = changed(tmp_path, "dividir", pages("uno", "dos"), tope=300)
    assert (said["estado"], made) == ("no_cabe", [])
    assert changed(tmp_path, "dividir", pages("uno"), tope=300)[0]["estado"] == "no_cabe"


@pytest.mark.parametrize("operation", ["limpiar", "comprimir", "dividir", "unir"])
def test_what_is_no_whole_pdf_is_not_changed(operation: str, tmp_path: Path) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(pages("uno"))) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    for data in (b"", b"hola", pages("uno", "dos")[:600], locked.getvalue()):
        assert changed(tmp_path, operation, data, tope=100)[0]["estado"] in ("ilegible", "no_cabe")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, 1500), flip=st.integers(1, 255), operation=st.sampled_from(["limpiar", "comprimir", "dividir"])
)
def test_a_damaged_pdf_is_changed_with_proof_or_not_at_all(tmp_path: Path, at: int, flip: int, operation: str) -> None:
    data = bytearray(armed())
    data[at % len(data)] ^= flip
    said, made = changed(tmp_path, operation, bytes(data), tope=1200)
    assert said["estado"] in ("hecho", "ilegible", "no_cabe")
    looked = pdf_hijo.answer({"ruta": str(tmp_path / "entrada0.pdf")})
    assert looked["estado"] in ("leido", "no_pdf", "ilegible", "cifrado")
    for path in made:
        assert len(pages_of(path)) >= 1


def filled(*values: str) -> bytes:
    """Return a PDF of one page per value, each typed into a field that has no appearance of its own."""
    out = io.BytesIO()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    with pikepdf.open(io.BytesIO(pages(*(f"hoja {n}" for n in range(len(values)))))) as pdf:
        boxes = [
            pdf.make_indirect(
                pikepdf.Dictionary(
                    Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, Rect=[50, 50, 250, 80],
                    T=pikepdf.String(f"campo{n}"), V=pikepdf.String(value), DA=pikepdf.String("/Helv 12 Tf 0 g"), F=4,
                )
            )
            for n, value in enumerate(values)
        ]  # fmt: skip
        for page, box in zip(pdf.pages, boxes, strict=True):
            page.obj.Annots = pikepdf.Array([box])
        fonts = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=boxes, NeedAppearances=True, DR=fonts)
        pdf.save(out)
    return out.getvalue()


def test_what_was_typed_into_fields_is_part_of_the_proof(tmp_path: Path) -> None:
    one, other = tmp_path / "a.pdf", tmp_path / "b.pdf"
    one.write_bytes(filled("1098765432"))
    other.write_bytes(filled("5212345678"))
    assert pages_of(one) != pages_of(other)
    other.write_bytes(pages("hoja 0"))
    assert pages_of(one) != pages_of(other)


@pytest.mark.parametrize(("operation", "tope"), [("dividir", 2_500), ("unir", None), ("limpiar", None)])
def test_fields_keep_what_was_typed_into_them(operation: str, tope: int | None, tmp_path: Path) -> None:
    said, made = changed(tmp_path, operation, filled("primero", "segundo"), *[filled("otro")] * (operation == "unir"),
                         tope=tope)  # fmt: skip
    assert (said["estado"], said["original"] == said["enviado"]) == ("hecho", True)
    looked = [pdf_hijo.answer({"ruta": str(path)}) for path in made]
    assert {"primero", "segundo"} <= {word for one in looked for word in one["palabras"]}
    assert all("formulario" in one["rasgos"] for one in looked)


def test_a_heavy_page_among_light_ones_does_not_cut_the_light_ones_apart(tmp_path: Path) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pages(*(f"hoja {n}" for n in range(40))))) as pdf:
        pdf.pages[29].obj.Oculto = pdf.make_stream(random.Random(3).randbytes(90_000))
        pdf.save(out)
    said, made = changed(tmp_path, "dividir", out.getvalue(), tope=95_000)
    assert said["original"] == said["enviado"]
    assert 2 <= len(made) <= 6
    assert [path.name for path in made] == [f"parte_{n}.pdf" for n in range(1, len(made) + 1)]


def test_a_disk_without_room_is_no_fault_of_the_file(tmp_path: Path) -> None:
    code = (
        "import json, resource, sys; from radica.radicacion.cambio_hijo import answer;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); print(json.dumps(answer(json.loads(sys.argv[1]))))"
    )
    path = tmp_path / "a.pdf"
    path.write_bytes(armed())
    order = {"operacion": "limpiar", "entradas": [str(path)], "carpeta": str(tmp_path), "tope": None}
    told = subprocess.run([sys.executable, "-c", code, json.dumps(order)], capture_output=True, check=True, timeout=60)
    assert json.loads(told.stdout) == {"estado": "sin_espacio"}


def test_a_page_that_says_it_is_a_kilometre_long_is_read_and_changed(tmp_path: Path) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(armed())) as pdf:
        pdf.pages[1].obj.MediaBox = [0, 0, 2_880_000, 2_880_000]
        pdf.pages[1].obj.Contents = pdf.make_stream(b"0 0 9 9 re f")
        pdf.save(out)
    said, (clean,) = changed(tmp_path, "limpiar", out.getvalue())
    assert said["original"] == said["enviado"]
    looked = pdf_hijo.answer({"ruta": str(clean)})
    assert (looked["estado"], looked["paginas"]) == ("leido", 2)
