"""What each file is, over the real documents and over hostile ones."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.facturas.recognise import MEDIA_TYPES, Tipo, recognise, recognise_path

# What the index of the real documents calls each file → what we must find in it.
EXPECTED = {
    "xml_fev": ("FEV",),
    "xml_appresponse": ("RESPUESTA_DIAN",),
    "xml_invoice": ("INVOICE",),
    "xml_creditnote": ("NOTA_CREDITO",),
    "xml_debitnote": ("NOTA_DEBITO",),
    "rips": ("RIPS",),
    "muv_request": ("RIPS", "FEV"),
    "cuv": ("CUV",),
}
OWNERS = {
    "caso01_fev_attached.xml": ("890399020", "CN309317"),
    "caso05_rips.json": ("891856372", "FECE214626"),
    "caso07_ResultadosMSPS_cuv_adaptado.json": (None, "A01E5687"),
    "caso10_fev_attached_oficial948.xml": ("530520110", "PDD19"),
    "caso16_rips_sin_factura_RS.json": ("901355357", None),
    "caso20_consultarcuv_respuesta.json": ("901355357", None),
    "caso28_rips.json": ("891200528", "3074044"),
    "caso33_rips_farmacia.json": ("900397985", "FEVC"),
    "caso46_invoice_hab_cufe_verificado.xml": ("900579212", "SETP990000001"),
    "caso48_fev_attached_insumos.xml": ("901503120", "1157"),
    "caso52_creditnote.xml": ("901269867", "NC214"),
    "caso70_rips.json": ("830507718", "CME443346"),
}
INVOICE = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>FE1</cbc:ID></Invoice>"""


def test_every_real_document_is_what_its_index_says(muestras: Path):
    with (muestras / "INDICE.csv").open(encoding="utf-8", newline="") as lines:
        index = {row["archivo"]: row["tipo"] for row in csv.DictReader(lines)}
    assert len(index) == 51
    found = {name: tuple(p.tipo.value for p in recognise_path(muestras / name, name).pieces) for name in index}
    assert found == {name: EXPECTED[kind] for name, kind in index.items()}


def test_every_file_of_the_folder_is_recognised_or_has_a_reason(muestras: Path):
    for path in muestras.iterdir():
        found = recognise_path(path, path.name)
        assert found.understood or (found.code and found.reason.endswith(".") and found.todo), path.name
    assert recognise_path(muestras / "LEEME.md", "LEEME.md").code == "desconocido"


@pytest.mark.parametrize(("name", "owner"), OWNERS.items())
def test_owner_of_real_documents(muestras: Path, name: str, owner: tuple[str | None, str | None]):
    for piece in recognise_path(muestras / name, name).pieces:
        assert (piece.issuer.number if piece.issuer else None, piece.number.key if piece.number else None) == owner


def test_the_name_does_not_decide(muestras: Path):
    data = (muestras / "caso03_fev_attached.xml").read_bytes()
    assert [p.tipo for p in recognise(data, "RIPS_de_prueba.json").pieces] == [Tipo.FEV]
    assert recognise(data, "HEV_890399020_CN311708.pdf").code == "pdf_falso"


def test_a_request_to_the_muv_keeps_the_inner_bytes(muestras: Path):
    raw = (muestras / "caso03_muv_request.json").read_bytes()
    rips, fev = recognise(raw, "x").pieces
    assert rips.inner is not None
    assert fev.inner is not None
    assert rips.inner in raw
    assert json.loads(rips.inner)["numFactura"] == "CN311708"
    assert fev.inner == base64.b64decode(json.loads(raw)["xmlFevFile"])
    assert fev.fev is not None
    assert fev.fev.number == "CN311708"
    assert {rips.media_type, fev.media_type} == {"application/json", "application/xml"}


def test_wrapped_rips_gives_the_inner_bytes(muestras: Path):
    (piece,) = recognise((muestras / "caso11_rips_envuelto.json").read_bytes(), "x").pieces
    assert piece.inner is not None
    assert json.loads(piece.inner)["numDocumentoIdObligado"] == "901355357"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_json_encodings(muestras: Path, encoding: str):
    text = '{"numDocumentoIdObligado":"900123456","numFactura":"FE1","tipoNota":"","usuarios":null,"x":"Peñón"}'
    found = recognise(text.encode(encoding), "x.json")
    assert [p.tipo for p in found.pieces] == [Tipo.RIPS]
    assert found.pieces[0].rips is not None
    assert found.pieces[0].rips.note_kind is None
    assert bool(found.notes) is (encoding == "cp1252")


def bomb(encoding: str) -> bytes:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE Invoice [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    return (text + "<Invoice>&b;</Invoice>").encode(encoding)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "vacio"),
        (b"\xef\xbb\xbf \n", "vacio"),
        (b"hola", "desconocido"),
        (bomb("utf-8"), "xml_doctype"),
        (bomb("utf-16"), "xml_doctype"),
        (b'<!DOCTYPE Invoice SYSTEM "file:///etc/passwd"><Invoice/>', "xml_doctype"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Invoice>&x;</Invoice>', "xml_doctype"),
        (INVOICE.encode()[:-5], "xml_cortado"),
        ((INVOICE * 2).encode(), "xml_varios"),
        (f"<lote>{INVOICE}{INVOICE}</lote>".encode(), "varios"),
        (b"<Invoice>\xff</Invoice>", "xml_codificacion"),
        (b"<a><b></a>", "xml_cortado"),
        (b"<AttachedDocument><Description><![CDATA[<Invoice", "xml_cortado"),
        (b"<otro/>", "xml_otro"),
        (b"<!DOCTYPE html><html><body><p>Error<br></body></html>", "pagina_web"),
        (b"<AttachedDocument/>", "contenedor_vacio"),
        (b"[" * 200_000, "json_profundo"),
        (b'{"a":' * 200_000, "json_profundo"),
        (b'{"a": [1, 2', "json_cortado"),
        (b'{"a": 1} {"b": 2}', "json_varios"),
        (b'{"a": NaN}', "json_numero"),
        (b'{"a": 1e9999999999999999999}', "json_numero"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json_numero"),
        (b'{"a" 1}', "json_danado"),
        (b'{"numFactura": "FE1"}', "json_otro"),
        (b'[{"numDocumentoIdObligado":"1","usuarios":[]},{"numDocumentoIdObligado":"1","usuarios":[]}]', "varios"),
        (b'{"rips": null, "xmlFevFile": ""}', "muv_vacio"),
        (b'{"rips": null, "xmlFevFile": "***"}', "base64_danado"),
        (b"Rar!\x1a\x07\x01\x00", "formato"),
        (b"\x89PNG\r\n\x1a\n", "formato"),
    ],
)
def test_what_is_not_understood_says_why(data: bytes, code: str):
    found = recognise(data, "archivo")
    assert (found.code, found.understood) == (code, False)
    assert found.reason
    assert "passwd" not in found.reason


def test_deep_and_unending_json_is_refused_in_linear_time():
    # A quadratic scan would need hours and run into the time-out of the suite.
    assert recognise(b"[" * 2_000_000, "x").code == "json_profundo"
    assert recognise(b'["' + b'\\"' * 1_000_000, "x").code == "json_cortado"


def test_brackets_inside_strings_are_no_depth():
    text = '{"numDocumentoIdObligado":"1","numFactura":"F1","usuarios":[],"x":"' + "[{" * 500 + '\\""}'
    assert recognise(text.encode(), "x").understood


def pdf(name: str, body: bytes = b"%PDF-1.4\n...\nstartxref\n0\n%%EOF\n") -> tuple[str, str]:
    found = recognise(body, name)
    return found.code, found.pieces[0].soporte.redacted if found.understood and found.pieces[0].soporte else ""


def test_supports_by_their_name():
    assert pdf("HEV_900123456_FE1234.pdf") == ("", "HEV_900123456_FE1234.pdf")
    assert pdf("hev_900123456_fe1234.PDF") == ("", "HEV_900123456_fe1234.pdf")
    assert pdf("carpeta\\EPI_900123456_1234 (2).pdf") == ("", "EPI_900123456_1234.pdf")
    assert pdf("FURIPS_900123456_FE1234.pdf") == ("", "FURIPS_900123456_FE1234.pdf")
    assert pdf("../../HEV_900123456_FE1234.pdf") == ("", "HEV_900123456_FE1234.pdf")


def test_the_multiuser_name_does_not_show_the_patient():
    found = recognise(b"%PDF-1.4\nstartxref\n0\n%%EOF", "HEV_900123456_FE1234_CC52100200.pdf")
    assert found.pieces[0].soporte is not None
    assert found.pieces[0].soporte.user == "CC52100200"
    assert "52100200" not in repr(found)
    assert found.pieces[0].soporte.redacted == "HEV_900123456_FE1234_(usuario).pdf"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("escaneo 12.pdf", "pdf_sin_nombre_de_soporte"),
        ("HEV.pdf", "pdf_sin_nombre_de_soporte"),
        ("ZZZ_900123456_FE1.pdf", "pdf_sin_nombre_de_soporte"),
        ("HEV_900123456_SINNUMERO.pdf", "pdf_sin_nombre_de_soporte"),
    ],
)
def test_pdf_without_a_support_name_goes_to_the_tray(name: str, code: str):
    assert pdf(name)[0] == code


def test_pdf_that_is_cut_or_none():
    assert pdf("HEV_900123456_FE1.pdf", b"%PDF-1.4\n1 0 obj")[0] == "pdf_cortado"
    assert pdf("HEV_900123456_FE1.pdf", b"not a pdf at all")[0] == "pdf_falso"


def test_zip_and_office():
    plain, office = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(plain, "w") as z:
        z.writestr("a.xml", INVOICE)
    with zipfile.ZipFile(office, "w") as z:
        z.writestr("[Content_Types].xml", "<Types/>")
    assert recognise(plain.getvalue(), "x.pdf").is_zip
    assert recognise(office.getvalue(), "x.docx").code == "formato"


def test_bytes_and_path_agree(muestras: Path, tmp_path: Path):
    for name in ("caso07_fev_attached.xml", "caso33_rips_farmacia.json", "LEEME.md"):
        assert recognise((muestras / name).read_bytes(), name) == recognise_path(muestras / name, name)
    big = tmp_path / "HEV_900123456_FE1.pdf"
    big.write_bytes(b"%PDF-1.7\n" + b"\x00" * 3_000_000 + b"\nstartxref\n0\n%%EOF\n")
    assert recognise_path(big, big.name).pieces[0].tipo is Tipo.SOPORTE


@given(st.binary(max_size=300), st.text(max_size=30))
def test_nothing_that_comes_in_stops_us(data: bytes, name: str):
    for start in (b"", b"<", b"{", b"%PDF-", b"<?xml version='1.0' encoding='", b'{"rips":', b'{"xmlFevFile":'):
        found = recognise(start + data, name)
        assert found.understood or found.is_zip or found.reason


LETTERS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
"""What a database keeps; the rest is refused by name."""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(LETTERS, max_size=5),
        lambda c: st.lists(c) | st.dictionaries(st.text(LETTERS, max_size=4), c),
    )
)
def test_a_rips_of_any_content_is_read(content: object):
    users = [{"servicios": {"consultas": [content, {"vrServicio": content, "fechaInicioAtencion": content}]}}, content]
    value = {"numDocumentoIdObligado": content, "numFactura": content, "usuarios": users, "tipoNota": content}
    found = recognise(json.dumps(value).encode(), "x.json")
    assert [p.tipo for p in found.pieces] == [Tipo.RIPS]


@pytest.mark.parametrize(
    ("text", "code"), [("a\ud800", "json_codificacion"), ("a\x00", "json_codificacion"), ("a\U0001f600\\u0000", "")]
)
def test_letters_that_no_database_keeps_are_refused_and_no_others(text: str, code: str):
    value = {"numDocumentoIdObligado": "900123456", "numFactura": "FE1", "usuarios": [{text: [text]}], "tipoNota": None}
    assert recognise(json.dumps(value).encode(), "x.json").code == code


def test_media_types_are_of_known_kinds():
    assert set(MEDIA_TYPES) <= set(Tipo)
