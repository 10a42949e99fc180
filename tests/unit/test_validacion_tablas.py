"""Reference tables by date, the coverage matrix, and the readers of the two large catalogues."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from radica.facturas.validacion.modelo import Hallado
from radica.facturas.validacion.tablas import (
    catalogos_de,
    cobertura,
    codigos,
    edicion,
    en_tabla,
    leer_cie10,
    leer_cups,
    tabla,
)
from radica.facturas.validacion.topes import CODIGO_MAS, acotar
from radica.kernel.errors import BadInput

DAY = date(2026, 8, 1)
CUPS = (
    "Codigo,Nombre,Descripcion,Habilitado,Extra_I:UsoCodigoCUP,Extra_II:Qx,Extra_III:NroMinimo,Extra_IV:NroMaximo,"
    "Extra_V:DxRequerido,Extra_VI:Sexo,Extra_VII:Ambito,Extra_VIII:Estancia,Extra_IX:Cobertura,Extra_X:Duplicado\n"
    "890201,CONSULTA DE PRIMERA VEZ POR MEDICINA GENERAL,AÑO,SI,AC,N,1,2,S,Z,A,E,01,D\n"
    "010101,PUNCION CISTERNAL,,NO,AP,S,1,1,S,F,Z,Z,07,Z\n"
)
CIE = "Código,Nombre,Descripcion\na000,CÓLERA,\nA001,CÓLERA EL TOR,\n"


@pytest.mark.parametrize(
    ("name", "code", "day", "stands"),
    [
        ("RIPSCausaExternaVersion2", "38", DAY, True),
        ("RIPSCausaExternaVersion2", "10", DAY, False),
        ("Servicios", "328", DAY, True),
        ("Servicios", "478", DAY, False),
        ("coberturaPlan", "01", date(2026, 6, 30), True),
        ("coberturaPlan", "01", date(2026, 7, 1), False),
        ("ModalidadAtencion", "05", DAY, False),
        ("TipoIdProfesional", "RC", DAY, False),
        ("Sexo", "H", DAY, False),
    ],
)
def test_a_code_stands_in_its_table_on_its_days(name: str, code: str, day: date, *, stands: bool) -> None:
    assert en_tabla(name, code, day) is stands


def test_a_use_narrows_a_table() -> None:
    assert en_tabla("RIPSFinalidadConsultaVersion2", "14", DAY, "P")
    assert not en_tabla("RIPSFinalidadConsultaVersion2", "14", DAY, "C")
    assert en_tabla("conceptoRecaudo", "04", DAY, "FEV")
    assert not en_tabla("conceptoRecaudo", "04", DAY, "RIPS")
    assert tabla("coberturaPlan")["01"]  # a code that ended keeps its name
    with pytest.raises(KeyError):
        codigos("Inventada", DAY)


def test_what_is_made_for_an_edition_holds_until_the_next() -> None:
    change = date(2026, 7, 1)
    assert edicion(change) == change
    assert edicion(change + timedelta(days=30)) == change
    assert edicion(change - timedelta(days=1)) < change
    assert codigos("coberturaPlan", edicion(change)) == codigos("coberturaPlan", DAY)


def test_the_coverage_matrix() -> None:
    soat = cobertura("04")
    assert soat is not None
    assert [sorted(one) for one in (soat.modalidades, soat.tipos_usuario, soat.conceptos)] == [
        ["01", "04"],
        ["10"],
        ["05"],
    ]
    old, empty, subsidised = cobertura("01"), cobertura("03"), cobertura("17")
    assert old is not None
    assert old.hasta == date(2026, 6, 30)
    assert old.dudosa
    assert empty is not None
    assert empty.dudosa
    assert not empty.modalidades
    assert subsidised is not None
    assert "02" not in subsidised.conceptos
    assert not subsidised.dudosa
    adres = cobertura("06")
    assert adres is not None
    assert "14" in adres.tipos_usuario
    assert cobertura("99") is None
    assert {f"{n:02d}" for n in range(1, 18)} == set(tabla("coberturaPlan"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_catalogues_are_read_as_they_are_downloaded(delimiter: str, encoding: str) -> None:
    read = leer_cups(CUPS.replace(",", delimiter).encode(encoding))
    one = read["890201"]
    assert (one.habilitado, one.uso, one.quirurgico, one.sexo, one.ambito) == (True, "AC", "N", "Z", "A")
    assert (one.estancia, one.cobertura, one.duplicado, one.dx_requerido) == ("E", "01", "D", "S")
    assert (one.minimo, one.maximo) == ("1", "2")
    assert not read["010101"].habilitado  # the zero on its left is kept
    assert leer_cie10(io.BytesIO(CIE.replace(",", delimiter).encode(encoding))) == {
        "A000": "CÓLERA",
        "A001": "CÓLERA EL TOR",
    }


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "columnas"),
        (b"\x00\x01\x02\xff", "no es texto"),
        (b"\xff\xfe\x00", "no es texto"),
        (CIE.encode(), "extra_i"),
        (CUPS.replace("890201", "algo").encode(), "1 de 2"),
        (CUPS.partition("\n")[0].encode(), "0 de 0"),
        (b"Codigo,Nombre,Extra_I,Extra_IX\n" + b"a" * 200_000 + b",x,y,z\n", "tabla CUPS"),
    ],
)
def test_another_file_is_refused_with_its_reason(data: bytes, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        leer_cups(data)


def test_a_folder_of_catalogues(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no tiene catálogos"):
        catalogos_de(tmp_path)
    with pytest.raises(BadInput, match="No existe"):
        catalogos_de(tmp_path / "otra")
    (tmp_path / "CUPS_2024.csv").write_text(CUPS.replace("890201", "890999"), encoding="utf-8")
    (tmp_path / "CUPS_2025.csv").write_text(CUPS, encoding="utf-8")
    found = catalogos_de(tmp_path)
    assert found.cups is not None
    assert set(found.cups) == {"890201", "010101"}
    assert found.cie10 is None
    assert found.versiones == {"cups": "CUPS_2025.csv"}


@pytest.mark.parametrize("name", ["TablaReferencia_CUPSRips__1.csv", "TablaReferencia_CUPSRips.TXT", "cups.csv"])
def test_a_catalogue_under_the_name_of_its_download(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CUPS, encoding="utf-8")
    (tmp_path / "notas sobre los cups.md").write_text("x")
    assert catalogos_de(tmp_path).versiones == {"cups": name}


def test_the_official_tables(referencia: Path) -> None:
    found = catalogos_de(referencia)
    assert found.cups is not None
    assert found.cie10 is not None
    assert (len(found.cups), len(found.cie10)) == (13_622, 12_634)
    assert found.cups["890201"].uso == "AC"
    with pytest.raises(BadInput, match="extra_i"):
        leer_cups(referencia / found.versiones["cie10"])


def test_places_beyond_the_bound_are_counted_and_rules_not_in_force_say_nothing() -> None:
    places = [Hallado("RVG07", f"usuarios[{n}]") for n in range(5)] + [Hallado("RVG03")]
    found = list(acotar(places, DAY, maximo=2, rechazos=0))
    assert Counter(one.codigo for one in found) == {"RVG07": 2, "RVG03": 1, CODIGO_MAS: 1}
    assert found[-1].valores == {"codigo": "RVG07", "cuantos": "3"}
    later = Hallado("RVG01", "rips", variante="estructura_anterior")
    assert list(acotar([later] * 3, date(2026, 1, 1), maximo=1)) == []


def test_of_what_rejects_more_places_are_told_than_of_the_rest() -> None:
    places = [Hallado(code, f"usuarios[{n}]") for code in ("RVG07", "RVC009") for n in range(5)]
    found = list(acotar(places, DAY, maximo=2, rechazos=2))
    assert Counter(one.codigo for one in found) == {"RVG07": 4, "RVC009": 2, CODIGO_MAS: 2}
    assert [one.valores for one in found if one.codigo == CODIGO_MAS] == [
        {"codigo": "RVG07", "cuantos": "1"},
        {"codigo": "RVC009", "cuantos": "3"},
    ]
