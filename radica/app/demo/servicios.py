"""What the invented providers do: price list and clinical scenarios of the demonstration set.

A scenario is one kind of bill (a consultation, a stay in intensive care, a traffic accident...): its lines with public
CUPS codes, its diagnosis, its encounter and the supports that Res. 2284/2023 (annex 1) asks for that service.
Invariant: pure data; unit prices are whole pesos before the payer's tariff.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LineKind = Literal["consulta", "procedimiento", "medicamento", "otro"]
Encounter = Literal["", "urgencias", "hospitalizacion"]


@dataclass(frozen=True)
class Item:
    """One billed technology. `unit` is its price in pesos, `grupo`/`servicio` the RIPS group and service codes.

    `detail` is tipoOS for "otro" (01 supplies, 02 transfer, 03 stay, 05 fees) and unused elsewhere.
    """

    kind: LineKind
    code: str
    name: str
    unit: int
    qty: int = 1
    grupo: str = "01"
    servicio: int = 328
    detail: str = ""


@dataclass(frozen=True)
class Scenario:
    """One kind of bill. `days` is the length of the stay; `recaudo` (concept, pesos) what the patient paid, if anything.

    `service` is the code of soportes_por_servicio (Res. 2284/2023), `supports` the initials of the PDF files sent.
    """

    key: str
    title: str
    service: str
    items: tuple[Item, ...]
    supports: tuple[str, ...]
    dx: str
    dx_name: str
    dx2: str | None = None
    encounter: Encounter = ""
    days: int = 0
    causa: str = "38"
    recaudo: tuple[str, int] | None = None
    patients: int = 1
    story: str = ""


def _consulta(code: str, name: str, unit: int, servicio: int, *, grupo: str = "01", qty: int = 1) -> Item:
    return Item("consulta", code, name, unit, qty, grupo, servicio)


def _proc(code: str, name: str, unit: int, servicio: int, *, grupo: str = "02", qty: int = 1) -> Item:
    return Item("procedimiento", code, name, unit, qty, grupo, servicio)


def _med(code: str, name: str, unit: int, qty: int) -> Item:
    return Item("medicamento", code, name, unit, qty)


def _otro(tipo: str, code: str, name: str, unit: int, qty: int) -> Item:
    return Item("otro", code, name, unit, qty, detail=tipo)


_URGENCIAS = _consulta("890701", "CONSULTA DE URGENCIAS POR MEDICINA GENERAL", 93_500, 1102, grupo="05")
_HEMOGRAMA = _proc("902210", "HEMOGRAMA IV AUTOMATIZADO", 39_400, 706)
_CREATININA = _proc("903895", "CREATININA EN SUERO U OTROS FLUIDOS", 14_800, 706)
_TORAX = _proc("871121", "RADIOGRAFIA DE TORAX", 71_300, 744)
_SUERO = _med("19990001-1", "SODIO CLORURO 0,9 % BOLSA 500 ML", 7_128, 6)
_DIPIRONA = _med("19990002-1", "DIPIRONA 1 G/2 ML AMPOLLA", 2_350, 9)
_JERINGA = _otro("01", "DEMO-INS-0010", "JERINGA DESECHABLE 10 ML", 840, 14)

CONSULTA = Scenario(
    key="consulta",
    title="Consulta de medicina general",
    service="EV21",
    items=(_consulta("890201", "CONSULTA DE PRIMERA VEZ POR MEDICINA GENERAL", 60_000, 328),),
    supports=("HEV", "OPF", "PDE"),
    dx="I10X",
    dx_name="hipertensión esencial",
    story="Acude a control de cifras de tensión. Sin síntomas de alarma. Se ajusta el manejo y se cita en un mes.",
)
CONSULTAS_GRUPO = Scenario(
    key="consultas_grupo",
    title="Consulta de medicina interna, varios usuarios",
    service="EV21",
    items=(_consulta("890266", "CONSULTA DE PRIMERA VEZ POR MEDICINA INTERNA", 98_000, 329),),
    supports=("HEV", "OPF"),
    dx="E119",
    dx_name="diabetes mellitus no insulinodependiente",
    patients=3,
    story="Valoración por medicina interna. Se revisan laboratorios, se ajusta tratamiento y se explica la dieta.",
)
APOYO = Scenario(
    key="apoyo",
    title="Apoyo diagnóstico ambulatorio",
    service="EV23",
    items=(
        _HEMOGRAMA,
        _CREATININA,
        _proc("903841", "GLUCOSA EN SUERO U OTRO FLUIDO", 13_900, 706),
        _proc("907106", "UROANALISIS", 18_200, 706),
        _TORAX,
    ),
    supports=("PDX", "OPF", "PDE"),
    dx="N390",
    dx_name="infección de vías urinarias",
    recaudo=("02", 18_300),
    story="Muestras tomadas en ayunas e imagen con técnica convencional. Resultados validados y entregados al usuario.",
)
TERAPIA = Scenario(
    key="terapia",
    title="Terapia física, diez sesiones",
    service="EV24",
    items=(_proc("931001", "TERAPIA FISICA INTEGRAL", 31_500, 739, qty=10),),
    supports=("HEV", "CRC", "OPF"),
    dx="M545",
    dx_name="lumbago",
    days=13,
    story="Diez sesiones cumplidas, con mejoría progresiva del dolor y de la movilidad de la columna lumbar.",
)
MEDICAMENTOS = Scenario(
    key="medicamentos",
    title="Entrega ambulatoria de medicamentos",
    service="EV25",
    items=(
        _med("19990011-1", "LOSARTAN 50 MG TABLETA", 310, 60),
        _med("19990012-1", "METFORMINA 850 MG TABLETA", 285, 90),
        _med("19990013-1", "INSULINA GLARGINA 100 UI/ML CARTUCHO", 41_900, 3),
    ),
    supports=("CRC", "OPF", "PDE"),
    dx="E119",
    dx_name="diabetes mellitus no insulinodependiente",
    recaudo=("02", 4_700),
    story="Dispensación para treinta días según la fórmula médica. El usuario recibe a satisfacción y firma.",
)
URGENCIAS = Scenario(
    key="urgencias",
    title="Atención de urgencias sin observación",
    service="EV27",
    items=(_URGENCIAS, _HEMOGRAMA, _CREATININA, _SUERO, _DIPIRONA, _JERINGA),
    supports=("HAU", "HAM", "PDE"),
    dx="A09X",
    dx_name="diarrea y gastroenteritis de presunto origen infeccioso",
    encounter="urgencias",
    story="Ingresa por deposiciones líquidas y vómito. Se hidrata por vía venosa, tolera la vía oral y egresa.",
)
HOSPITALIZACION = Scenario(
    key="hospitalizacion",
    title="Hospitalización por neumonía",
    service="EV28",
    items=(
        _URGENCIAS,
        _consulta("890602", "CUIDADO INTRAHOSPITALARIO POR MEDICINA ESPECIALIZADA", 186_000, 129, grupo="03", qty=9),
        _otro("03", "10A002", "INTERNACION COMPLEJIDAD MEDIANA HABITACION BIPERSONAL", 742_000, 9),
        _TORAX,
        _HEMOGRAMA,
        _proc("890612", "ASISTENCIA INTRAHOSPITALARIA POR TERAPIA RESPIRATORIA", 48_600, 729, qty=18),
        _med("19990021-1", "CEFTRIAXONA 1 G VIAL", 14_300, 18),
        _med("19990022-1", "PIPERACILINA TAZOBACTAM 4,5 G VIAL", 92_700, 24),
        _SUERO,
        _JERINGA,
    ),
    supports=("EPI", "HAM", "OPF"),
    dx="J189",
    dx_name="neumonía, no especificada",
    dx2="J459",
    encounter="hospitalizacion",
    days=9,
    recaudo=("01", 512_400),
    story="Ingresa por disnea y fiebre. Recibe antibiótico venoso y terapia respiratoria; evoluciona bien y egresa.",
)
ALTO_COSTO = Scenario(
    key="alto_costo",
    title="Revascularización cardiaca con estancia en cuidado intensivo",
    service="EV28",
    items=(
        _proc("361701", "ANASTOMOSIS CORONARIA PARA REVASCULARIZACION CARDIACA", 38_450_000, 202, grupo="04"),
        _otro("05", "361701", "HONORARIOS DE CIRUGIA CARDIOVASCULAR", 14_900_000, 1),
        _otro("05", "361701", "HONORARIOS DE ANESTESIOLOGIA CARDIOVASCULAR", 6_300_000, 1),
        _otro("03", "110A01", "INTERNACION EN UNIDAD DE CUIDADO INTENSIVO ADULTOS", 3_180_000, 14),
        _otro("03", "10A002", "INTERNACION COMPLEJIDAD MEDIANA HABITACION BIPERSONAL", 742_000, 7),
        _otro("01", "DEMO-INS-0741", "CIRCUITO DE CIRCULACION EXTRACORPOREA Y OXIGENADOR", 21_150_000, 1),
        _proc("881202", "ECOCARDIOGRAMA TRANSTORACICO", 412_000, 744, qty=3),
        _med("19990031-1", "NOREPINEFRINA 4 MG/4 ML AMPOLLA", 86_400, 96),
        _med("19990032-1", "MEROPENEM 1 G VIAL", 118_300, 42),
        _HEMOGRAMA,
        _CREATININA,
    ),
    supports=("EPI", "HAM", "DQX", "RAN", "OPF"),
    dx="I251",
    dx_name="enfermedad aterosclerótica del corazón",
    dx2="I10X",
    encounter="hospitalizacion",
    days=21,
    story="Revascularización de tres vasos. Catorce días en cuidado intensivo por choque vasopléjico, ya resuelto.",
)
SOAT_URGENCIAS = Scenario(
    key="soat_urgencias",
    title="Urgencias por accidente de tránsito",
    service="EV27",
    items=(
        _URGENCIAS,
        _proc("873313", "RADIOGRAFIA DE PIERNA AP Y LATERAL", 68_900, 744),
        _proc("879111", "TOMOGRAFIA AXIAL COMPUTADA DE CRANEO SIMPLE", 318_000, 744),
        _otro("02", "601T01", "TRASLADO ASISTENCIAL BASICO TERRESTRE PRIMARIO", 214_000, 1),
        _DIPIRONA,
        _SUERO,
        _JERINGA,
    ),
    supports=("FURIPS", "FAT", "EPI", "HAM", "TAP"),
    dx="S069",
    dx_name="traumatismo intracraneal, no especificado",
    encounter="urgencias",
    causa="23",
    story="Conductor de motocicleta que cae en la vía. Sin pérdida de conciencia, tomografía normal; queda en observación.",
)
SOAT_CIRUGIA = Scenario(
    key="soat_cirugia",
    title="Osteosíntesis de tibia por accidente de tránsito",
    service="EV28",
    items=(
        _URGENCIAS,
        _proc("793702", "REDUCCION ABIERTA DE FRACTURA EN TIBIA CON FIJACION INTERNA", 4_870_000, 207, grupo="04"),
        _otro("05", "793702", "HONORARIOS DE ORTOPEDIA", 1_640_000, 1),
        _otro("01", "DEMO-OST-0208", "PLACA BLOQUEADA DE TIBIA CON TORNILLOS", 5_380_000, 1),
        _otro("03", "10A002", "INTERNACION COMPLEJIDAD MEDIANA HABITACION BIPERSONAL", 742_000, 4),
        _proc("873313", "RADIOGRAFIA DE PIERNA AP Y LATERAL", 68_900, 744, qty=2),
        _DIPIRONA,
        _SUERO,
        _JERINGA,
    ),
    supports=("FURIPS", "FAT", "EPI", "HAM", "DQX", "RAN", "FMO"),
    dx="S822",
    dx_name="fractura de la diáfisis de la tibia",
    encounter="hospitalizacion",
    days=4,
    causa="23",
    story="Peatón arrollado por un automóvil. Fractura cerrada de tibia, fijación con placa sin complicaciones y egreso.",
)

SCENARIOS_EPS: tuple[Scenario, ...] = (
    CONSULTA,
    APOYO,
    URGENCIAS,
    MEDICAMENTOS,
    HOSPITALIZACION,
    TERAPIA,
    CONSULTAS_GRUPO,
    ALTO_COSTO,
)
SCENARIOS_ACCIDENT: tuple[Scenario, ...] = (SOAT_URGENCIAS, SOAT_CIRUGIA)
