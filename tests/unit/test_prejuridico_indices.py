"""Both indices of a dossier: the AGN's against its schema, the judiciary's as other programs read it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from radica.custodia.store import FolderStore
from radica.prejuridico.contenido import Contenido, Parte
from radica.prejuridico.indice_agn import ESQUEMA, agn_index
from radica.prejuridico.indice_judicial import COLUMNAS, judicial_index, size_words
from radica.prejuridico.nombres import nombres_de
from radica.prejuridico.papel.armar import whole_pdf
from radica.prejuridico.papel.valores import Forma, PdfResult
from tests.expediente_papel import documento, expediente, odd, pdf

ELEMENTOS = [
    "Id", "Nombre_Documento", "Tipologia_Documental", "Fecha_Creacion_Documento", "Fecha_Incorporacion_Expediente",
    "Valor_Huella", "Funcion_Resumen", "Orden_Documento_Expediente", "Pagina_Inicio", "Pagina_Fin", "Formato", "Tamano",
    "Origen",
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "custodia")


def _drawn(content: Contenido, store: FolderStore, folder: Path) -> PdfResult:
    return whole_pdf(content, store, folder / "entero.pdf", temporary=folder)


def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(ESQUEMA)))


def _texts(book: bytes, part: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(book)) as zipped:
        return zipped.read(part).decode()


def test_the_agn_index_has_its_thirteen_elements_and_holds_against_its_schema(
    tmp_path: Path, store: FolderStore
) -> None:
    content = odd(store)
    made = _drawn(content, store, tmp_path)
    tree = etree.fromstring(agn_index(content, made))
    _schema().assertValid(tree)
    documents = tree.findall("DocumentoIndizado")
    assert len(documents) == len(made.tramos) == 24
    assert all([child.tag for child in one] == ELEMENTOS for one in documents)
    for (_, one), place, found in zip(content.documentos(), made.tramos, documents, strict=True):
        assert found.findtext("Valor_Huella") == one.huella
        assert (found.findtext("Pagina_Inicio"), found.findtext("Pagina_Fin")) == (str(place.desde), str(place.hasta))
    first = documents[1]
    assert first.findtext("Nombre_Documento") == "02FacturaElectronicaFe99000120260309.xml"
    assert first.findtext("Fecha_Creacion_Documento") == "2026-03-09"
    assert first.findtext("Funcion_Resumen") == "SHA-256"
    assert first.findtext("Tamano") == "10 bytes"
    assert tree.findtext("Expediente/Total_Folios") == str(made.folios)


def test_the_agn_index_stands_texts_that_no_xml_holds(tmp_path: Path, store: FolderStore) -> None:
    bad = documento(store, "Nota\x00 rara", b"x", ".xml", tipologia="\x07<b>\n&amp; \ud800" + "á" * 400)
    content = expediente(("Uno", [bad]), demandante=Parte("\x01", "9"), radicado_judicial="1" * 23)
    tree = etree.fromstring(agn_index(content, _drawn(content, store, tmp_path)))
    _schema().assertValid(tree)
    assert tree.findtext("Expediente/Productor") == "—"
    assert str(tree.findtext("DocumentoIndizado/Tipologia_Documental")).startswith("<b> &amp; á")


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("Valor_Huella", "ABC"), ("Funcion_Resumen", "MD5"), ("Fecha_Creacion_Documento", "09/03/2026"),
        ("Pagina_Inicio", "0"), ("Origen", "Otro"), ("Nombre_Documento", "con espacio.pdf"), ("Tamano", "10 KB"),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_the_index_must_not_say(
    tmp_path: Path, store: FolderStore, element: str, value: str
) -> None:
    content = expediente(("Uno", [documento(store, "Poder", pdf("Uno"), ".pdf")]))
    tree = etree.fromstring(agn_index(content, _drawn(content, store, tmp_path)))
    found = tree.find(f"DocumentoIndizado/{element}")
    assert found is not None
    found.text = value
    assert not _schema().validate(tree)


def test_the_schema_refuses_a_missing_and_a_repeated_document(tmp_path: Path, store: FolderStore) -> None:
    content = expediente(("Uno", [documento(store, "Poder", pdf("Uno"), ".pdf")]))
    tree = etree.fromstring(agn_index(content, _drawn(content, store, tmp_path)))
    one = tree.find("DocumentoIndizado")
    assert one is not None
    tree.append(etree.fromstring(etree.tostring(one)))
    assert not _schema().validate(tree)
    one.remove(one[3])
    assert not _schema().validate(tree)


def test_the_judicial_index_reads_as_the_norm_lays_it_out(tmp_path: Path, store: FolderStore) -> None:
    content = replace(odd(store), radicado_judicial="11001310300120260012300", ciudad="Bogotá", despacho="Juzgado 1")
    made = _drawn(content, store, tmp_path)
    rows = _read(judicial_index(content, made))["C01CuadernoPrincipal"]
    heading = {row[0]: row[1] for row in rows[1:12]}
    assert heading["Ciudad"] == "Bogotá"
    assert heading["No. radicación del proceso"] == "11001310300120260012300"
    assert "NIT 800765432-1" in heading["Partes procesales (parte A, demandado)"]
    assert "NIT 900123456-7" in heading["Partes procesales (parte B, demandante)"]
    assert heading["Cuaderno"] == "C01CuadernoPrincipal"
    assert tuple(rows[13]) == COLUMNAS
    body = rows[14 : 14 + len(made.tramos)]
    for row, name, place, (_, one) in zip(body, nombres_de(content), made.tramos, content.documentos(), strict=True):
        assert row[0] == name.nombre
        assert row[1:3] == [one.fecha_creacion, one.fecha_incorporacion]
        assert row[3:7] == [name.orden, place.paginas, place.desde, place.hasta]
        assert row[9] == one.origen.value
    assert "Sin reproducir" in body[20][10]
    assert "contraseña" in body[20][10]
    foot = rows[14 + len(body) :]
    assert ["Fecha de cierre del expediente", date(2026, 11, 21)] in [row[:2] for row in foot]
    assert ["Número de cuadernos", 1] in [row[:2] for row in foot]


def _read(book: bytes) -> dict[str, list[list[Any]]]:
    opened = CalamineWorkbook.from_filelike(io.BytesIO(book))
    return {name: opened.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in opened.sheet_names}


def test_pages_are_formulas_that_give_the_folios_of_the_pdf(tmp_path: Path, store: FolderStore) -> None:
    content = odd(store)
    made = _drawn(content, store, tmp_path)
    formulas = re.findall(r'<c r="([FG])(\d+)"[^>]*><f>([^<]*)</f><v>(\d+)</v>', _texts(judicial_index(content, made)))
    pages = {15 + place: (one.desde, one.hasta, one.paginas) for place, one in enumerate(made.tramos)}
    assert len(formulas) == 2 * len(pages) - 1, "all but the first page of the first document"
    known = {15: pages[15][0]}
    ends: dict[int, int] = {}
    for column, row, formula, value in sorted(formulas, key=lambda found: (int(found[1]), found[0])):
        at = int(row)
        if column == "F":
            before, step = re.fullmatch(r"G(\d+)\+(\d+)", formula).groups()  # type: ignore[union-attr]
            known[at] = ends[int(before)] + int(step)
            assert known[at] == int(value)
        else:
            assert formula == f"F{at}+E{at}-1"
            ends[at] = known[at] + pages[at][2] - 1
            assert ends[at] == int(value)
    assert [(known[at], ends[at]) for at in pages] == [one[:2] for one in pages.values()]


def test_more_than_99_documents_make_more_cuadernos_each_with_its_sheet(tmp_path: Path, store: FolderStore) -> None:
    page = pdf("Hoja")
    content = expediente(
        ("Facturas", [documento(store, f"Factura {n}", page, ".pdf") for n in range(60)]),
        ("Soportes", [documento(store, f"Soporte {n}", page, ".pdf") for n in range(60)]),
    )
    made = _drawn(content, store, tmp_path)
    sheets = _read(judicial_index(content, made))
    assert list(sheets) == ["C01CuadernoPrincipal", "C02CuadernoSoportes"]
    second = sheets["C02CuadernoSoportes"]
    assert second[14][3:7] == [1, 1, made.tramos[60].desde, made.tramos[60].desde]
    assert ["Número de cuadernos", 2] in [row[:2] for row in second]


def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path: Path, store: FolderStore) -> None:
    content = expediente(
        ("Uno", [documento(store, "=1+1", pdf("a"), ".pdf", nota='=HYPERLINK("http://x")')]),
        demandante=Parte("@SUM(A1)", "1"),
        ciudad="=2+2",
    )
    book = judicial_index(content, _drawn(content, store, tmp_path))
    assert "HYPERLINK" not in _texts(book)
    rows = _read(book)["C01CuadernoPrincipal"]
    assert rows[1][1] == "=2+2"
    assert rows[14][10] == '=1+1. =HYPERLINK("http://x").'


def test_equal_facts_give_equal_bytes(tmp_path: Path, store: FolderStore) -> None:
    content = odd(store)
    made = _drawn(content, store, tmp_path)
    again = _drawn(odd(store), store, tmp_path)
    assert judicial_index(content, made) == judicial_index(odd(store), again)
    assert agn_index(content, made) == agn_index(odd(store), again)


def test_an_empty_dossier_still_has_both(tmp_path: Path, store: FolderStore) -> None:
    content = expediente(("Facturas", []))
    made = _drawn(content, store, tmp_path)
    _schema().assertValid(etree.fromstring(agn_index(content, made)))
    assert list(_read(judicial_index(content, made))) == ["C01CuadernoPrincipal"]


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1_500, "1 KB"), (1_048_576, "1,0 MB"), (1_468_006, "1,4 MB")],
)
def test_sizes_read_as_people_write_them(size: int, words: str) -> None:
    assert size_words(size) == words


def test_what_an_index_says_is_on_the_sheet(tmp_path: Path, store: FolderStore) -> None:
    made = _drawn(odd(store), store, tmp_path)
    assert [one.forma for one in made.anexos] == [Forma.ANEXO] * 3
    with pikepdf.open(made.ruta) as whole:
        assert len(whole.pages) == made.folios
