"""Every layout of a payer, with its exact columns and its own habits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from radica.glosas.lectura.formatos import FORMATOS
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura, TipoLinea
from tests.glosas_libros import MOLDES, SEGUNDA, cambiada, escribir, libro, zip_de

HOY = date(2026, 11, 21)


def leer(path: Path, **mas: str) -> Lectura:
    readings = leer_archivo(path, hoy=HOY, **mas)
    assert len(readings) == 1, [one.archivo for one in readings]
    return readings[0]


def lineas(reading: Lectura) -> list[tuple[str, str, str | None, int]]:
    return [(line.factura, line.tipo.value, line.codigo, line.valor) for line in reading.lineas]


ESPERADO = {
    "dispensario": [("HUS487523", "glosa", "TA0801", 957_669_300), ("HUS487524", "glosa", "SO3401", 125_000)],
    "famisanar": [("FE1001", "devolucion", "DE5601", 57_348_000), ("FE1002", "glosa", "TA0201", 1_850_000)],
    "sura": [("FE2001", "glosa", None, 125_000_000)],
    "sanitas": [("FE3001", "glosa", "TA0801", 4_520_000), ("FE3001", "glosa", "SO3401", 1_200_050)],
    "nueva_eps": [("FE4001", "glosa", "FA0202", 1_500_000), ("FE4002", "devolucion", "DE1601", 73_000_000)],
    "savia": [("FE5001", "glosa", "TA08", 600_000)],
    "coosalud_correo": [("FC6001", "glosa", "TA0301", 8_400_000), ("FC6001", "glosa", "CL0801", 1_600_000)],
    "coosalud_detalle": [],
    "coosalud_portal": [("174713", "glosa", "TA0301", 3_000_000), ("174713", "decision", "SO3401", 0)],
    "mutual_ser": [("FC7001", "glosa", "TA0201", 500_000), ("FC7001", "glosa", "SO3401", 2_100_000)],
    "salud_total": [("FE8001", "glosa", "TA0201", 500_000), ("FE8001", "glosa", "SO3401", 2_100_000)],
    "salud_total_export": [("FE8002", "glosa", "TA0201", 700_000)],
    "grupo_sis": [("FE9001", "glosa", None, 400_000), ("FE9001", "glosa", None, 500_000)],
    "grupo_sis_reconsideracion": [("FE9001", "decision", None, 0), ("FE9002", "ratificacion", None, 500_000)],
    "policia": [("487523", "glosa", None, 12_500_000)],
    "adres": [("FE1100", "glosa", "3202", 6_000_000), ("FE1100", "glosa", "3106", 940_000)],
    "generico": [("FE1200", "glosa", "FA0202", 3_300_000)],
}


def test_every_layout_has_its_file_here():
    assert {one.nombre for one in FORMATOS} == set(MOLDES) == set(ESPERADO)


@pytest.mark.parametrize("formato", sorted(ESPERADO))
def test_a_layout_is_known_by_its_columns_and_read_whole(tmp_path, formato):
    reading = leer(escribir(tmp_path, formato))
    assert reading.formato == formato
    assert lineas(reading) == ESPERADO[formato]
    assert reading.no_leidas == ()
    assert reading.total_leido == sum(line.valor for line in reading.lineas)
    assert reading.confianza == (70 if formato == "generico" else 100)


@pytest.mark.parametrize("formato", sorted(ESPERADO))
def test_a_layout_is_known_under_any_name(tmp_path, formato):
    suffix = ".txt" if MOLDES[formato].separador else ".xlsx"
    reading = leer(escribir(tmp_path, formato, nombre=f"archivo{suffix}"))
    assert reading.formato == formato
    assert lineas(reading) == ESPERADO[formato]


@pytest.mark.parametrize("formato", sorted(one for one in ESPERADO if MOLDES[one].separador))
def test_a_text_layout_saved_as_a_workbook_is_the_same(tmp_path, formato):
    reading = leer(escribir(tmp_path, formato, nombre="guardado.xlsx"))
    assert lineas(reading) == ESPERADO[formato]


DATES = {
    "dispensario": ("2026-03-13", "2026-02-20", "2026-02-05", "R-100"),
    "famisanar": ("2026-03-13", "", "", "880001"),
    "sura": ("2026-03-13", "2026-02-20", "2026-02-05", "S-9"),
    "sanitas": ("", "2026-02-20", "2026-02-05", "SN-1"),
    "nueva_eps": ("2026-03-13", "2026-02-20", "", "NR-1"),
    "savia": ("", "2026-02-20", "2026-02-05", "SV-1"),
    "coosalud_correo": ("2026-03-13", "", "", ""),
    "coosalud_portal": ("2026-03-13", "", "", ""),
    "mutual_ser": ("2026-03-13", "", "", ""),
    "salud_total": ("", "2026-02-20", "", "ST-1"),
    "policia": ("2026-03-13", "", "2026-02-05", "55501"),
    "adres": ("", "", "", "AD-1"),
    "generico": ("2026-03-13", "", "", ""),
}


@pytest.mark.parametrize("formato", sorted(DATES))
def test_dates_and_radicado_come_from_their_columns(tmp_path, formato):
    line = leer(escribir(tmp_path, formato)).lineas[0]
    found = [line.fecha_notificacion, line.fecha_radicacion, line.fecha_factura]
    assert (*(day.isoformat() if day else "" for day in found), line.radicado or "") == DATES[formato]


def test_dispensario_a_ratified_amount_is_a_ratification(tmp_path):
    titles = ("PREFIJO", "FACTURA", "RADICADO FACTURA", "VALOR GLOSA INICIAL", "VALOR GLOSA RATIFICADA", "CODIGO GLOSA")
    titles += ("NOTIFICACION AL PRESTADOR", "FEC. PRESENTACION FACTURA", "FECHA EMISION")
    days = ("13/03/2026", "20/02/2026", "05/02/2026")
    rows = [
        titles,
        ("HUS", "1", "R", "$100.000,00", "$40.000,00", "TA0801", *days),
        ("HUS", "2", "R", "$70.000,00", "", "TA0801", *days),
    ]
    reading = leer(escribir(tmp_path, "dispensario", tabla=rows))
    assert lineas(reading) == [
        ("HUS1", "ratificacion", "TA0801", 4_000_000),
        ("HUS2", "glosa", "TA0801", 7_000_000),
    ]
    assert reading.lineas[0].levantado is None


def test_famisanar_takes_a_service_from_the_text_only_when_there_is_one(tmp_path):
    texts = {
        "Mayor valor en 890201 según contrato": "890201",
        "Código 902210 no pactado": "902210",
        "Se objetan 890201 y 902210": None,
        "Radicado 880001 sin soporte": None,
        "Valor de 125000.00 sin soporte": None,
        "Sin soporte": None,
    }
    rows = [cambiada("famisanar", 1, OBSERVACION=text, NRO_RADICACION="880001") for text in texts]
    reading = leer(escribir(tmp_path, "famisanar", rows))
    assert [line.servicio for line in reading.lineas] == list(texts.values())


def test_sanitas_one_service_of_several_objections_stays_several_lines(tmp_path):
    reading = leer(escribir(tmp_path, "sanitas"))
    assert {(line.factura, line.servicio) for line in reading.lineas} == {("FE3001", "890201")}
    assert [line.numero_glosa for line in reading.lineas] == ["7001", "7002"]


def test_sanitas_is_not_taken_when_its_second_column_holds_no_codes(tmp_path):
    rows = [cambiada("sanitas", **{"NUMERO DE FACTURA" + SEGUNDA: f"FE{number}"}) for number in range(3001, 3009)]
    reading = leer(escribir(tmp_path, "sanitas", rows))
    assert (reading.formato, reading.lineas) == ("", ())
    assert "no trae códigos de glosa" in reading.avisos[0]
    assert "Sanitas" in reading.avisos[0]


@pytest.mark.parametrize("titulo", ["VALOR REAL GLOSA", "VALOR GLOSADO PRESTADOR", "VALOR GLOSADO GLOSA"])
def test_sanitas_calls_its_amount_in_three_ways(tmp_path, titulo):
    table = [list(row) for row in MOLDES["sanitas"].tabla()]
    table[0][2] = titulo
    assert leer(escribir(tmp_path, "sanitas", tabla=table)).total_leido == 5_720_050


def test_savia_values_a_service_by_its_quantity(tmp_path):
    line = leer(escribir(tmp_path, "savia")).lineas[0]
    assert (line.servicio, line.descripcion_servicio, line.valor_servicio) == ("902210", "Hemograma", 4_200_000)


def test_savia_reads_the_code_before_its_text(tmp_path):
    row = cambiada("savia", MOTIVO_ESP_GLOSA_VALOR_A="TA08 - Apoyo diagnóstico")
    line = leer(escribir(tmp_path, "savia", [row])).lineas[0]
    assert (line.codigo, line.codigo_original) == ("TA08", "TA08")
    assert line.motivo == "Apoyo diagnóstico. Tarifa mayor a la pactada"


def test_coosalud_joins_glosas_with_their_detail_through_nested_zips(tmp_path):
    inner = zip_de(
        tmp_path / "FC6001.zip",
        {
            "GLOSAS FC6001.xlsx": escribir(tmp_path, "coosalud_correo"),
            "DETALLE FC6001.xlsx": escribir(tmp_path, "coosalud_detalle"),
        },
    )
    outer = zip_de(tmp_path / "notificacion.zip", {"FC6001.zip": inner})
    detail, glosas = leer_archivo(outer, hoy=HOY)
    assert (detail.formato, glosas.formato) == ("coosalud_detalle", "coosalud_correo")
    assert glosas.archivo == "notificacion.zip/FC6001.zip/GLOSAS FC6001.xlsx"
    assert glosas.pagador_nit == "900226715"
    assert [(line.servicio, line.descripcion_servicio, line.valor_servicio) for line in glosas.lineas] == [
        ("890201", "Consulta de primera vez", 9_000_000),
        ("902210", "Hemograma", 4_200_000),
    ]


def test_coosalud_does_not_join_glosas_with_the_detail_of_another_invoice(tmp_path):
    glosas = escribir(tmp_path, "coosalud_correo", nombre="GLOSAS FC7777.xlsx")
    other = escribir(tmp_path, "coosalud_detalle")
    bundle = zip_de(tmp_path / "dos.zip", {one.name: one for one in (glosas, other)})
    reading = next(one for one in leer_archivo(bundle, hoy=HOY) if one.formato == "coosalud_correo")
    assert [line.servicio for line in reading.lineas] == [None, None]
    assert any("Falta el archivo DETALLE" in note for note in reading.avisos)


def test_coosalud_an_objection_without_its_item_stays_and_says_so(tmp_path):
    rows = [cambiada("coosalud_correo", id_detalle=999)]
    bundle = zip_de(
        tmp_path / "x.zip",
        {
            "GLOSAS FC6001.xlsx": escribir(tmp_path, "coosalud_correo", rows),
            "DETALLE FC6001.xlsx": escribir(tmp_path, "coosalud_detalle"),
        },
    )
    reading = next(one for one in leer_archivo(bundle, hoy=HOY) if one.formato == "coosalud_correo")
    assert reading.lineas[0].valor == 8_400_000
    assert any("id_detalle" in note for note in reading.lineas[0].avisos)


def test_coosalud_portal_says_that_it_names_the_account(tmp_path):
    reading = leer(escribir(tmp_path, "coosalud_portal"))
    assert any("cuenta 174713" in note for note in reading.avisos)
    assert reading.lineas[1].levantado == 1_200_000


def test_mutual_ser_total_rows_are_no_lines_and_are_compared(tmp_path):
    reading = leer(escribir(tmp_path, "mutual_ser"))
    assert reading.total_declarado == reading.total_leido == 2_600_000


def test_mutual_ser_validation_brings_decisions(tmp_path):
    base = MOLDES["mutual_ser"]
    titles = (*base.titulos, "Valor levantado", "Valor ratificado")
    first, second = base.filas
    rows = [
        ["Validación de subsanación"],
        titles,
        [*first.values(), "$ 5.000,00", "$ 0,00"],
        [*second.values(), "$ 1.000,00", "$ 20.000,00"],
        [*first.values(), "$ 0,00", "$ 5.000,00"],
        [*first.values(), "", ""],
    ]
    reading = leer(libro(tmp_path / "Validacion.xlsx", {"Hoja1": rows}))
    assert [(line.tipo, line.valor, line.levantado) for line in reading.lineas] == [
        (TipoLinea.DECISION, 0, 500_000),
        (TipoLinea.DECISION, 2_000_000, 100_000),
        (TipoLinea.RATIFICACION, 500_000, 0),
    ]
    assert [(row.fila, "no dice qué se levantó" in row.motivo) for row in reading.no_leidas] == [(6, True)]


def test_salud_total_takes_the_service_amount_and_never_the_invoice_s(tmp_path):
    reading = leer(escribir(tmp_path, "salud_total"))
    assert reading.total_leido == 2_600_000
    assert [line.valor_factura for line in reading.lineas] == [98_000_000, 98_000_000]


def test_salud_total_keeps_no_names(tmp_path):
    reading = leer(escribir(tmp_path, "salud_total"))
    assert reading.lineas[0].paciente_documento == "10203040"
    assert "INVENTADO" not in repr(reading)


def test_salud_total_a_cause_of_return_is_a_return_of_the_invoice(tmp_path):
    row = cambiada(
        "salud_total", ValorGlosaTotalxServ="0", CodMotvGlosaEspc="", CodMotvGlosaGeneral="", CausalDevolucion="DE5601"
    )
    reading = leer(escribir(tmp_path, "salud_total", [row]))
    assert lineas(reading) == [("FE8001", "devolucion", "DE5601", 98_000_000)]


@pytest.mark.parametrize("separador", ["|", "\t"])
def test_salud_total_is_known_without_its_titles(tmp_path, separador):
    rows = MOLDES["salud_total"].tabla()[1:]
    path = tmp_path / "sin titulos.txt"
    path.write_bytes("\r\n".join(separador.join(map(str, row)) for row in rows).encode("latin-1"))
    reading = leer(path)
    assert (reading.formato, lineas(reading)) == ("salud_total", ESPERADO["salud_total"])
    assert [line.fila for line in reading.lineas] == [1, 2]


def test_salud_total_export_mixes_dates_and_refuses_those_of_two_readings(tmp_path):
    base = MOLDES["salud_total_export"]
    titles = [*base.titulos, "FechaRad"]
    row = list(base.filas[0].values())
    days = ["13/02/2026", "02/25/2026", "05/03/2026", "04/04/2026"]
    reading = leer(escribir(tmp_path, "salud_total_export", tabla=[titles, *([*row, day] for day in days)]))
    assert [line.fecha_radicacion for line in reading.lineas] == [
        date(2026, 2, 13),
        date(2026, 2, 25),
        date(2026, 4, 4),
    ]
    assert [row.fila for row in reading.no_leidas] == [4]
    assert "marzo o de mayo" in reading.no_leidas[0].motivo


def test_grupo_sis_reconsideration_needs_one_or_zero(tmp_path):
    rows = [cambiada("grupo_sis_reconsideracion", **{"Aceptado(1:Si/0:No)": value}) for value in (1, 0, "", 2)]
    reading = leer(escribir(tmp_path, "grupo_sis_reconsideracion", rows))
    assert [line.levantado for line in reading.lineas] == [400_000, None]
    assert [row.fila for row in reading.no_leidas] == [4, 5]


@pytest.mark.parametrize(
    ("impreso", "nombre", "radicado"),
    [
        (["RADICADO No.", "55501"], "GLOSA A RAD 55501.xlsx", "55501"),
        (["Radicado: 77-A"], "glosas.xlsx", "77-A"),
        (["INFORME"], "GLOSA A RAD 888.xlsx", "888"),
        (["RAD 9001"], "GLOSA A RAD 888.xlsx", "9001"),
    ],
)
def test_policia_prints_its_radicado_above_the_header(tmp_path, impreso, nombre, radicado):
    base = MOLDES["policia"]
    rows = [["SANIDAD"], impreso, [], base.titulos, list(base.filas[0].values())]
    reading = leer(escribir(tmp_path, "policia", tabla=rows, nombre=nombre))
    assert reading.lineas[0].radicado == radicado
    assert any("se tomó este" in note for note in reading.avisos) is (radicado == "9001")


def _adres(**mas: object) -> dict[str, object]:
    cells = {"Tipo Elemento": "Procedimientos", "Cod Elemento": "39145", "Valor Glosado": 1000} | mas
    return cambiada("adres", **cells)


def test_adres_a_claim_wide_objection_repeats_its_items_and_is_counted_once(tmp_path):
    whole = {"Tipo Elemento": "Reclamacion", "Cod Elemento": "", "Descripción Elemento": ""}
    whole["Descripción Glosa"] = "2102- La reclamación presenta formulario incompleto"
    rows = [
        _adres(),
        _adres(**{"Valor Glosado": 500}),
        _adres(**whole, **{"Valor Glosado": 1500}),
        _adres(**whole, **{"Número Factura": "FE2", "Valor Glosado": 800}),
        _adres(**{"Número Factura": "FE3"}),
        _adres(**whole, **{"Número Factura": "FE3", "Valor Glosado": 999}),
    ]
    reading = leer(escribir(tmp_path, "adres", rows))
    assert [(line.factura, line.codigo, line.valor) for line in reading.lineas] == [
        ("FE1100", "3202", 100_000),
        ("FE1100", "3202", 50_000),
        ("FE1100", "2102", 0),
        ("FE2", "2102", 80_000),
        ("FE3", "3202", 100_000),
    ]
    assert "ya está contado" in reading.lineas[2].avisos[-1]
    assert [(row.fila, "decida cuál vale" in row.motivo) for row in reading.no_leidas] == [(13, True)]


def test_adres_approved_items_object_nothing(tmp_path):
    rows = [_adres(), _adres(**{"Valor Glosado": 0, "Descripción Glosa": ""})]
    reading = leer(escribir(tmp_path, "adres", rows))
    assert len(reading.lineas) == 1
    assert any("no objetan nada" in note for note in reading.avisos)


def test_adres_reads_the_team_s_own_columns(tmp_path):
    titles = ("Número Factura", "FECHA DE RADICACION", "Valor Glosado", "Cod Elemento", "Descripción Glosa")
    titles += ("CODIGO NUMERICO", "CLASIFICACION DE LA GLOSA", "CANTIDAD ACEPTADA", "VALOR ACEPTADO")
    row = ("FE1", date(2025, 12, 3), 31800, "29117", "texto largo de la causal", "3106", "SOPORTES", 1, 31800)
    line = leer(escribir(tmp_path, "adres", tabla=[titles, row])).lineas[0]
    assert (line.codigo, line.valor, line.tipo, line.aceptado) == ("3106", 3_180_000, TipoLinea.GLOSA, None)
    assert line.motivo == "texto largo de la causal"


def test_a_generic_sheet_with_decisions_gives_decisions(tmp_path):
    titles = ["N° Factura", "Código glosa", "Valor glosado", "Valor levantado", "Valor ratificado", "Valor aceptado"]
    rows = [
        titles,
        ["FE1", "TA0801", 1000, 1000, 0, 0],
        ["FE2", "TA0801", 1000, 0, 1000, 0],
        ["FE3", "TA0801", 1000, 300, 500, 200],
        ["FE4", "TA0801", 1000, 300, 500, 100],
        ["FE5", "TA0801", 1000],
    ]
    reading = leer(libro(tmp_path / "respuesta.xlsx", {"Hoja1": rows}))
    assert [(line.tipo.value, line.valor, line.levantado, line.aceptado) for line in reading.lineas] == [
        ("decision", 0, 100_000, 0),
        ("ratificacion", 100_000, 0, 0),
        ("decision", 50_000, 30_000, 20_000),
        ("decision", 50_000, 30_000, 10_000),
        ("glosa", 100_000, None, None),
    ]
    assert [bool(line.avisos) for line in reading.lineas] == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("estado", "tipo", "valor"),
    [
        ("LEVANTADA", "decision", 0),
        ("Glosa levantada", "decision", 0),
        ("Subsanada", "decision", 0),
        ("RATIFICADA", "ratificacion", 100_000),
        ("No levantada", "ratificacion", 100_000),
        ("Pendiente", "glosa", 100_000),
        ("", "glosa", 100_000),
        ("Aceptada", None, None),
        ("Levantada parcial", None, None),
    ],
)
def test_a_state_is_a_decision_only_when_its_word_says_whose(tmp_path, estado, tipo, valor):
    rows = [["Factura", "Código de glosa", "Valor glosado", "Estado"], ["FE1", "TA0801", 1000, estado]]
    reading = leer(libro(tmp_path / "estados.xlsx", {"Hoja1": rows}))
    if tipo is None:
        assert (reading.lineas, len(reading.no_leidas)) == ((), 1)
    else:
        assert [(line.tipo.value, line.valor) for line in reading.lineas] == [(tipo, valor)]
