"""Files that others load, read back: exact fields, limits, and nothing that breaks a line or becomes a formula."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from radica.glosas.exports import (
    DGH_COLUMNS,
    FilaRespuesta,
    PerfilDgh,
    dinamica_gerencial,
    excel,
    salud_total,
)
from radica.glosas.respuesta.splitting import contar
from radica.kernel.errors import BadInput

FILA = FilaRespuesta(
    factura="FE0010234",
    radicado="RAD-77",
    numero_glosa="G-1",
    registro="4455",
    codigo="TA0801",
    servicio="Hemograma | automatizado",
    codigo_servicio="902210",
    valor=120_000_50,
    aceptado=0,
    respuesta="RE9602",
    texto="No se acepta.\nLa tarifa es la pactada; niñez – fin.",
    pagador="Salud Total EPS",
    notificada=date(2026, 11, 3),
    vence=date(2026, 11, 26),
    estado="Formulada",
    rips="3",
)
HOY = date(2026, 11, 20)


def test_salud_total_twelve_fields_in_order() -> None:
    made = salud_total(
        [FILA, replace(FILA, codigo="208", aceptado=20_000_00, respuesta="RE9801")],
        nit="900000001",
        fecha=HOY,
        numero=2,
    )
    assert made.nombre == "RTAGLOSA_900000001_20112026_2.txt"
    lines = made.contenido.decode("latin-1").split("\r\n")
    assert lines[0].split("|") == [
        "RAD-77", "FE", "0010234", "4455", "Hemograma automatizado", "120000.50", "TA", "TA0801", "0", "RE9602",
        "La glosa es injustificada del todo.", "No se acepta. La tarifa es la pactada; niñez - fin.",
    ]  # fmt: skip
    assert lines[1].split("|")[6:10] == ["2", "208", "20000", "RE9801"]
    assert lines[2:] == [""]
    assert made.filas == 2


def test_a_long_observation_is_five_hundred_signs_and_sends_to_the_annex() -> None:
    made = salud_total([replace(FILA, texto="palabra " * 200)], nit="900000001", fecha=HOY, numero=1, separador="\t")
    observation = made.contenido.decode("latin-1").rstrip("\r\n").split("\t")[11]
    assert contar(observation) <= 500
    assert observation.endswith("palabra Continúa en el anexo.")


def test_a_head_only_when_asked_for() -> None:
    made = salud_total([FILA], nit="900000001", fecha=HOY, numero=1, encabezado=True)
    assert made.contenido.startswith(b"NumeroRad|PrefijoFac|NumeroFac|NUMREG|")


def test_every_wrong_line_is_said_and_no_file_is_made() -> None:
    rows = [
        FILA,
        replace(FILA, radicado=" ", codigo="PE01"),
        replace(FILA, aceptado=999_999_99, respuesta="RE2202"),
        replace(FILA, texto="\n"),
    ]
    with pytest.raises(BadInput) as refused:
        salud_total(rows, nit="900000001", fecha=HOY, numero=1)
    said = str(refused.value)
    for words in ("línea 2", "«PE01»", "número de radicación", "línea 3", "más de lo objetado", "«RE2202»", "línea 4"):
        assert words in said
    assert "línea 1" not in said
    for nothing in (lambda: salud_total([], nit="9", fecha=HOY, numero=1), lambda: excel([], nombre="x")):
        with pytest.raises(BadInput, match="no hay respuestas"):
            nothing()


@pytest.mark.parametrize("changes", [{"nit": "900-1"}, {"numero": 0}, {"separador": ";"}])
def test_a_file_name_is_never_made_of_odd_parts(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="separator"):
        salud_total([FILA], **{"nit": "900000001", "fecha": HOY, "numero": 1, **changes})


def _sheet(data: bytes) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0).to_python()


def test_dinamica_sixteen_columns_and_three_hundred_invoices_a_file() -> None:
    rows = [replace(FILA, factura=f"FE{n:07}") for n in range(1, 651)]
    rows += [replace(FILA, factura="FE0000001", codigo="CL0801", texto="=1+1")]
    files = dinamica_gerencial(
        rows, nombre="objeciones", perfil=PerfilDgh(consecutivo=500, usuario="glosas", clase="02")
    )
    assert [one.nombre for one in files] == [f"objeciones_{n}_de_3.xlsx" for n in (1, 2, 3)]
    assert [one.filas for one in files] == [301, 300, 50]
    head, first, second, *rest = _sheet(files[0].contenido)
    assert tuple(head) == DGH_COLUMNS
    assert len(head) == 16
    row = dict(zip(head, first, strict=True))
    assert row["CRNCXC"] == "FE0000000001"
    assert (row["CDCONSEC"], row["CROCLAOBJ"], row["CRNCONOBJ"], row["CROVALOBJ"]) == (500, 0, "TA0801", 120000.5)
    assert (row["CROFECOBJ"], row["SLNSERPRO"], row["IDRIPS"], row["GENUSUARIO4"]) == (
        date(2026, 11, 3),
        "902210",
        "3",
        "glosas",
    )
    assert row["CROTIPOBJ"] == 2, "an invoice with administrative and medical objections is mixed"
    assert dict(zip(head, second, strict=True))["CRDOBSERV"] == "=1+1"
    assert {dict(zip(head, one, strict=True))["CROTIPOBJ"] for one in rest} == {0}
    assert _sheet(files[2].contenido)[-1][0] == 500 + 649
    assert dinamica_gerencial(rows[:2], nombre="x", perfil=PerfilDgh())[0].contenido == (
        dinamica_gerencial(rows[:2], nombre="x", perfil=PerfilDgh())[0].contenido
    )


def test_dinamica_refuses_what_its_columns_cannot_hold() -> None:
    with pytest.raises(BadInput, match="10 cifras"):
        dinamica_gerencial([replace(FILA, factura="FE12345678901")], nombre="x", perfil=PerfilDgh())
    with pytest.raises(BadInput, match="fecha de la objeción"):
        dinamica_gerencial([replace(FILA, notificada=None)], nombre="x", perfil=PerfilDgh())


def test_the_plain_workbook_adds_up() -> None:
    made = excel([FILA, replace(FILA, aceptado=100_50, texto="=HYPERLINK(1)")], nombre="respuestas")
    head, first, second, total = _sheet(made.contenido)
    assert made.nombre == "respuestas.xlsx"
    assert first[head.index("Respuesta")] == FILA.texto
    assert second[head.index("Respuesta")] == "=HYPERLINK(1)"
    assert total[0] == "TOTAL"
    assert [total[head.index(name)] for name in ("Valor objetado", "Valor aceptado", "Valor no aceptado")] == [
        240001.0,
        100.5,
        239900.5,
    ]
