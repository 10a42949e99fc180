"""The part of the supports over real PDFs, made here: good, scanned, empty, locked, cut, hostile, misnamed, of others."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from radica.facturas.pdf_lector import EstadoPdf, LectorPdf, entendido
from radica.facturas.validacion.catalogo import contar, reglas
from radica.facturas.validacion.modelo import Clase, Contexto, Fuente, Hallado, Paquete, SoporteArchivo
from radica.facturas.validacion.soportes import parte
from radica.facturas.validacion.tablas import VACIOS
from radica.kernel.clock import BOGOTA
from tests import rips_muestra as muestra

PATIENT, OTHER = "1098765432", "52123456"
CONTEXT = Contexto(date(2026, 7, 15), datetime(2026, 7, 15, 8, tzinfo=BOGOTA), VACIOS)
TEXT = f"HOSPITAL DE PRUEBA NIT 900123456-7 Paciente CC {PATIENT} Factura FE-1234"
A4 = (595, 842)


def text_pdf(*pages: str, edit: Callable[[pikepdf.Pdf], None] | None = None, **save: Any) -> bytes:
    raw = io.BytesIO()
    paper = canvas.Canvas(raw, pagesize=A4)
    for page in pages or (TEXT,):
        if page:
            paper.drawString(40, 700, page)
        paper.showPage()
    paper.save()
    if edit is None and not save:
        return raw.getvalue()
    out = io.BytesIO()
    with pikepdf.open(raw) as pdf:
        if edit:
            edit(pdf)
        pdf.save(out, **save)
    return out.getvalue()


def scan(dpi: int, *, blank: bool = False, strips: int = 1) -> bytes:
    picture = Image.new("L", (round(A4[0] / 72 * dpi), round(A4[1] / 72 * dpi)), 255)
    if not blank:
        ImageDraw.Draw(picture).rectangle((80, 80, 300, 400), fill=0)
    raw = io.BytesIO()
    paper = canvas.Canvas(raw, pagesize=A4)
    high, tall = picture.height // strips, A4[1] / strips
    for n in range(strips):
        strip = picture.crop((0, n * high, picture.width, (n + 1) * high))
        paper.drawImage(ImageReader(strip), 0, A4[1] - (n + 1) * tall, A4[0], tall)
    paper.showPage()
    paper.save()
    return raw.getvalue()


def with_script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pdf.make_indirect(
        pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    )
    pdf.attachments["nota.txt"] = b"x"
    pdf.Root.AcroForm = pikepdf.Dictionary(
        Fields=pikepdf.Array([pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Tx))])
    )


def rips(*patients: str, kind: str = "consultas", numero: str = "FE1234", authorised: bool = False) -> dict[str, Any]:
    service = {"vrServicio": 1000, "numAutorizacion": "A1" if authorised else None}
    return {
        "numDocumentoIdObligado": "900123456",
        "numFactura": numero,
        "usuarios": [
            {
                "tipoDocumentoIdentificacion": "CC",
                "numDocumentoIdentificacion": one,
                "servicios": {kind: [service]},
            }
            for one in patients or (PATIENT,)
        ],
    }


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Callable[..., list[Hallado]]]:
    def judge(
        files: dict[str, bytes], record: dict[str, Any] | None = None, context: Contexto = CONTEXT
    ) -> list[Hallado]:
        given = []
        for n, (name, data) in enumerate(files.items()):
            path = tmp_path / f"{n}.bin"
            path.write_bytes(data)
            given.append(SoporteArchivo(name, path, len(data)))
        package = Paquete(rips=rips() if record is None else record, soportes=tuple(given))
        found = list(parte(package, context))
        told = list(contar(found, context.fecha))
        assert len(told) == len(found)  # each has its words
        assert all(one.clase is Clase.AVISO and one.fuente is Fuente.SOPORTE for one in told)
        words = " ".join(f"{one.ruta} {one.mensaje} {one.arreglo}" for one in told)
        assert PATIENT not in words
        assert OTHER not in words
        return found

    return judge


def codes(found: list[Hallado]) -> set[str]:
    return {f"{one.codigo}/{one.variante}".rstrip("/") for one in found}


HEV = "HEV_900123456_FE1234.pdf"


def test_a_good_support_of_an_authorised_visit_says_nothing(judged: Callable[..., list[Hallado]]) -> None:
    assert judged({HEV: text_pdf()}, rips(authorised=True)) == []


def test_no_support_given_is_not_a_missing_one(judged: Callable[..., list[Hallado]]) -> None:
    assert judged({}) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "SOP-VACIO"),
        (b"hola, no soy PDF", "SOP-NO-PDF"),
        (text_pdf("a" * 40, "b" * 40)[:700], "SOP-ILEGIBLE"),
        (text_pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "SOP-CIFRADO"),
        (
            text_pdf(
                encryption=pikepdf.Encryption(owner="o", user="", allow=pikepdf.Permissions(extract=False))
            ),
            "SOP-CIFRADO/restricciones",
        ),
        (text_pdf(edit=with_script), "SOP-CONTENIDO"),
        (text_pdf(TEXT, ""), "SOP-PAGINA-VACIA"),
        (scan(150), "SOP-RESOLUCION"),
        (scan(150, strips=6), "SOP-RESOLUCION"),
        (scan(200, blank=True), "SOP-PAGINA-VACIA"),
        (scan(300), "SOP-SIN-TEXTO"),
        (text_pdf("Epicrisis de otra persona"), "SOP-AJENO"),
        (text_pdf("Clínica 900.123.456 y otra persona"), "SOP-AJENO/nit"),
        (text_pdf("Factura FE 0001234 y otra persona"), "SOP-AJENO/factura"),
    ],
)  # fmt: skip
def test_what_is_wrong_inside_a_support(data: bytes, expected: str, judged: Callable[..., list[Hallado]]) -> None:
    assert expected in codes(judged({HEV: data}, rips(authorised=True)))


def test_a_pdf_without_pages_is_empty(judged: Callable[..., list[Hallado]]) -> None:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.save(out)
    assert "SOP-VACIO/paginas" in codes(judged({HEV: out.getvalue()}))


def test_a_scan_of_300_dots_is_fine_whole_or_in_strips(judged: Callable[..., list[Hallado]]) -> None:
    for strips in (1, 5):
        found = judged({HEV: scan(300, strips=strips)}, rips(authorised=True))
        assert codes(found) == {"SOP-SIN-TEXTO"}


def test_what_a_pdf_may_do_is_named(judged: Callable[..., list[Hallado]]) -> None:
    (one,) = (one for one in judged({HEV: text_pdf(edit=with_script)}) if one.codigo == "SOP-CONTENIDO")
    assert {"JavaScript", "archivos incrustados", "campos de formulario"} <= set(one.valores["que"].split(", "))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("foto del paciente.pdf", "SOP-NOMBRE"),
        ("HEV paciente.pdf", "SOP-NOMBRE/sigla"),
        ("hev_900123456_FE1234.PDF", "SOP-NOMBRE/forma"),
        ("HEV_900123456_FE1234 (1).pdf", "SOP-NOMBRE/forma"),
        ("HEV_900999999_FE1234.pdf", "SOP-NOMBRE-OTRO/nit"),
        ("HEV_900123456_FE9.pdf", "SOP-NOMBRE-OTRO/factura"),
        (f"HEV_900123456_FE1234_CC{OTHER}.pdf", "SOP-NOMBRE-OTRO/usuario"),
    ],
)
def test_what_is_wrong_with_a_name(name: str, expected: str, judged: Callable[..., list[Hallado]]) -> None:
    found = judged({name: text_pdf()}, rips(authorised=True))
    assert codes(found) - {"SOP-FALTA"} == {expected}


def test_a_name_of_one_user_is_right_and_the_path_hides_it(judged: Callable[..., list[Hallado]]) -> None:
    name = f"HEV_900123456_FE1234_CC{PATIENT}.pdf"
    assert judged({name: text_pdf()}, rips(PATIENT, OTHER, authorised=True)) == []
    (one,) = judged({name: text_pdf(f"Paciente {OTHER}")}, rips(PATIENT, OTHER, authorised=True))
    assert (one.codigo, one.variante, one.ruta) == ("SOP-OTRO-PACIENTE", "nombre", "HEV_900123456_FE1234_(usuario).pdf")


def test_with_several_users_each_name_says_whose_it_is(judged: Callable[..., list[Hallado]]) -> None:
    assert codes(judged({HEV: text_pdf()}, rips(PATIENT, OTHER, authorised=True))) == {"SOP-NOMBRE/multiusuario"}


def test_a_support_of_another_invoice_of_the_batch_is_told(judged: Callable[..., list[Hallado]]) -> None:
    context = replace(CONTEXT, otros_pacientes=frozenset({OTHER}))
    data = text_pdf("Epicrisis CC 52.123.456 NIT 900123456")
    assert codes(judged({HEV: data}, rips(authorised=True), context)) == {"SOP-OTRO-PACIENTE"}
    # Who is a patient of both invoices is no stranger here.
    both = replace(CONTEXT, otros_pacientes=frozenset({OTHER, PATIENT}))
    assert judged({HEV: text_pdf()}, rips(authorised=True), both) == []


def test_missing_surplus_and_repeated(judged: Callable[..., list[Hallado]]) -> None:
    same = text_pdf()
    found = judged({"TAP_900123456_FE1234.pdf": same, "OPF_900123456_FE1234.pdf": same})
    assert codes(found) == {"SOP-FALTA", "SOP-SOBRA", "SOP-REPETIDO"}
    (again,) = (one for one in found if one.codigo == "SOP-REPETIDO")
    assert again.valores["otro"] == "TAP_900123456_FE1234.pdf"
    assert codes(judged({HEV: text_pdf()})) == {"SOP-CONDICIONAL"}
    authorised = judged({HEV: text_pdf(), "OPF_900123456_FE1234.pdf": text_pdf(TEXT + " orden")}, rips(authorised=True))
    assert codes(authorised) == {"SOP-SOBRA/autorizada"}


def test_a_stay_admits_what_happened_in_it(judged: Callable[..., list[Hallado]]) -> None:
    names = ("EPI", "HEV", "DQX", "RAN", "LDP", "PDX", "OPF", "PDE")
    files = {f"{one}_900123456_FE1234.pdf": text_pdf(f"{TEXT} {one}") for one in names}
    assert judged(files, rips(kind="hospitalizacion")) == []


def test_a_reader_that_dies_or_hangs_costs_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf())
    with LectorPdf() as reader:
        assert reader.leer(path).estado is EstadoPdf.LEIDO
        assert reader._process is not None
        reader._process.kill()
        assert reader.leer(path).estado is EstadoPdf.ILEGIBLE
        assert reader.leer(path).paginas == 1
    with LectorPdf(read_s=0.3, command=["sleep", "60"]) as reader:
        assert reader.leer(path).estado is EstadoPdf.ILEGIBLE


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]\n",
        b'{"estado": "otro"}\n',
        b'{"estado": "leido", "paginas": -1}\n',
        b'{"estado": "leido", "imagenes": [[1]]}\n',
        b'{"estado": "leido", "palabras": 5}\n',
        b'{"estado": "leido"}',
    ],
)
def test_an_answer_that_is_none_is_not_believed(line: bytes) -> None:
    assert entendido(line) is None


def test_the_words_of_a_support_are_in_no_repr(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf())
    with LectorPdf() as reader:
        found = reader.leer(path)
    assert PATIENT in found.palabras
    assert PATIENT not in repr(found)


def test_every_row_of_the_supports_is_a_notice() -> None:
    rows = [row for (code, _), found in reglas().items() if code.startswith("SOP-") for row in found]
    assert len(rows) >= 25
    assert {row.clase for row in rows} == {Clase.AVISO}


def typed(pdf: pikepdf.Pdf) -> None:
    """Put a patient's document into a field of the page, as the FURIPS of insurers has it."""
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    box = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T=pikepdf.String("documento"),
            V=pikepdf.String(PATIENT), Rect=[50, 50, 250, 80], DA=pikepdf.String("/Helv 12 Tf 0 g"), F=4,
        )
    )  # fmt: skip
    pdf.pages[0].obj.Annots = pikepdf.Array([box])
    fonts = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[box], NeedAppearances=True, DR=fonts)


def noted(pdf: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FreeText, Rect=[9, 9, 200, 40],
        Contents=pikepdf.String(f"Paciente CC {PATIENT}"), DA=pikepdf.String("/Helv 9 Tf"),
    )  # fmt: skip
    pdf.pages[0].obj.Annots = pikepdf.Array([note])


@pytest.mark.parametrize(
    "data",
    [
        text_pdf("Reclamación por accidente", edit=typed),
        text_pdf("", edit=typed),
        text_pdf("Historia clínica de la consulta", edit=noted),
        text_pdf(f"Cedula{PATIENT}Edad"),
        text_pdf("Documento 1O98765432 de la persona"),
        text_pdf("Identificación: CC1.098.765.432-1"),
        text_pdf("Identificación 01098765432"),
    ],
)
def test_whose_it_is_however_the_document_is_written(data: bytes, judged: Callable[..., list[Hallado]]) -> None:
    assert codes(judged({HEV: data}, rips(authorised=True))) <= {"SOP-CONTENIDO"}


@pytest.mark.parametrize("said", ["AV 123456", "AV-123456", "AV123456", "pasaporteAV123456"])
def test_a_passport_is_found_in_its_ways_of_being_written(said: str, judged: Callable[..., list[Hallado]]) -> None:
    assert judged({HEV: text_pdf(f"Paciente {said}")}, rips("AV123456", authorised=True)) == []


def over(picture: bytes, *lines: str, invisible: bool = False) -> bytes:
    """Return a page that is a picture, with lines on it."""
    raw, out = io.BytesIO(), io.BytesIO()
    paper = canvas.Canvas(raw, pagesize=A4)
    for n, line in enumerate(lines):
        text = paper.beginText(40, 700 - 14 * n)
        text.setTextRenderMode(3 if invisible else 0)
        text.textOut(line)
        paper.drawText(text)
    paper.showPage()
    paper.save()
    with pikepdf.open(io.BytesIO(picture)) as pdf, pikepdf.open(raw) as words:
        pdf.pages[0].add_overlay(words.pages[0])
        pdf.save(out)
    return out.getvalue()


def test_the_name_of_a_scanner_is_no_text_of_the_support(judged: Callable[..., list[Hallado]]) -> None:
    stamped = over(scan(300), "Escaneado con LectorDePrueba, hoja 1")
    assert codes(judged({HEV: stamped}, rips(authorised=True))) == {"SOP-SIN-TEXTO"}


def test_a_letterhead_behind_the_text_is_no_coarse_scan(judged: Callable[..., list[Hallado]]) -> None:
    lines = [f"{TEXT}, renglón {n} de la evolución de la consulta" for n in range(20)]
    assert judged({HEV: over(scan(96), *lines)}, rips(authorised=True)) == []
    read = over(scan(96), *lines, invisible=True)  # the words of a scan that was read
    assert codes(judged({HEV: read}, rips(authorised=True))) == {"SOP-RESOLUCION"}
    assert codes(judged({HEV: over(scan(96), TEXT)}, rips(authorised=True))) == {"SOP-RESOLUCION"}  # a stamped scan


def test_the_page_shown_first_is_no_action(judged: Callable[..., list[Hallado]]) -> None:
    def first_page(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.XYZ, None, None, 0])

    assert judged({HEV: text_pdf(edit=first_page)}, rips(authorised=True)) == []


@pytest.mark.parametrize(
    ("form", "trait"),
    [
        (pikepdf.Dictionary(Fields=[], SigFlags=pikepdf.Name.X), None),
        (pikepdf.Dictionary(Fields=[], SigFlags=3), "firmado"),
    ],
)
def test_a_form_is_read_however_it_is_written(form: pikepdf.Dictionary, trait: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf(edit=lambda pdf: setattr(pdf.Root, "AcroForm", form)))
    with LectorPdf() as reader:
        found = reader.leer(path)
    assert (found.estado, found.rasgos) == (EstadoPdf.LEIDO, frozenset({trait} if trait else ()))


def test_a_signature_and_a_script_are_found_where_nothing_announces_them(tmp_path: Path) -> None:
    def signed(pdf: pikepdf.Pdf) -> None:
        value = pikepdf.Dictionary(Type=pikepdf.Name.Sig, ByteRange=[0, 1, 2, 3], Contents=pikepdf.String("x"))
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String("firma"), V=pdf.make_indirect(value))
        script = pdf.make_stream(b"<xdp><script contentType='application/x-javascript'>x()</script></xdp>")
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pdf.make_indirect(field)], XFA=["datos", script])

    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf(edit=signed))
    with LectorPdf() as reader:
        assert reader.leer(path).rasgos == {"firmado", "formulario", "xfa", "guion_xfa"}


def test_a_visit_of_urgencias_without_observation_calls_for_its_own_sheet(judged: Callable[..., list[Hallado]]) -> None:
    record = rips(authorised=True)
    record["usuarios"][0]["servicios"]["consultas"][0]["grupoServicios"] = "05"
    assert judged({"HAU_900123456_FE1234.pdf": text_pdf()}, record) == []
    assert codes(judged({"PDX_900123456_FE1234.pdf": text_pdf()}, record)) >= {"SOP-FALTA"}
    record["usuarios"][0]["servicios"]["consultas"][0]["grupoServicios"] = "03"  # seen in a stay that is billed apart
    assert judged({"EPI_900123456_FE1234.pdf": text_pdf()}, record) == []


@pytest.mark.parametrize(
    ("cobertura", "pagador", "expected"),
    [
        ("04", None, {("SOP-FALTA", "FURIPS"), ("SOP-CONDICIONAL", "FAT")}),
        ("06", None, {("SOP-CONDICIONAL", "FAT")}),
        ("16", None, set()),
        ("16", "SOAT", {("SOP-CONDICIONAL", "FAT")}),  # the house asks for the FURIPS itself where it knows the payer
    ],
)
def test_the_policy_of_an_accident_calls_for_its_own_papers(
    cobertura: str, pagador: str | None, expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "hau.pdf"
    path.write_bytes(text_pdf())
    paper = SoporteArchivo(HEV.replace("HEV", "HAU"), path, path.stat().st_size)
    invoice = muestra.salud(muestra.fev(), COBERTURA_PLAN_BENEFICIOS=("Cobertura", cobertura))
    package = muestra.paquete(rips(kind="urgencias"), invoice, soportes=(paper,))
    found = parte(package, replace(CONTEXT, pagador_tipo=pagador))
    assert {(one.codigo, one.valores["siglas"]) for one in found if "siglas" in one.valores} == expected
