"""Mutations of RIPS: what the norm allows is never refused, and what it forbids is refused in each field it names.

The lawful ones run over real RIPS that the Ministry approved (samples) and over the invented one, in each of the three
times of the norm; the unlawful ones over the invented one, whose clean form has no rejection.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from radica.facturas.fev import Clase as Documentos
from radica.facturas.fev import Fev, Referencia
from radica.facturas.jsonsafe import load_json
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.cruces import cruces
from radica.facturas.validacion.estructura import estructura
from radica.facturas.validacion.modelo import Clase, Contexto, Modulo, Paquete
from radica.facturas.validacion.motor import juzgar
from radica.facturas.validacion.reglas_rips import reglas_rips
from radica.facturas.validacion.tablas import VACIOS
from tests.rips_muestra import FECHA, contexto, fev, paquete, rips, salud
from tests.rips_rotos import ROTOS

Documento = dict[str, Any]
Cambio = Callable[[Documento], Any]
REALES = {"caso70_rips.json": date(2025, 2, 16), "caso16_rips_sin_factura_RS.json": date(2025, 4, 10)}
"""Approved, and the day of the answer."""
S = "usuarios[0].servicios."


def usuario(document: Documento) -> Documento:
    found: Documento = document["usuarios"][0]
    return found


def registros(document: Documento) -> list[Documento]:
    return [one for records in usuario(document)["servicios"].values() for one in records or ()]


def de(kind: str, **valores: Any) -> Cambio:
    """Return the change of the first record of a kind; nothing where the document has none."""

    def cambiar(document: Documento) -> None:
        for one in usuario(document)["servicios"].get(kind, ())[:1]:
            one.update(valores)

    return cambiar


def de_usuario(**valores: Any) -> Cambio:
    return lambda document: usuario(document).update(valores)


def _al_reves(document: Documento) -> None:
    for one in [usuario(document), *registros(document)]:
        turned = dict(reversed(one.items()))
        one.clear()
        one.update(turned)


ANULABLES = frozenset({
    "numAutorizacion", "idMIPRES", "numFEVPagoModerador", "codDiagnosticoRelacionado", "codDiagnosticoRelacionado1",
    "codDiagnosticoRelacionado2", "codDiagnosticoRelacionado3", "codComplicacion", "formaFarmaceutica",
    "codDiagnosticoRelacionadoE1", "codDiagnosticoRelacionadoE2", "codDiagnosticoRelacionadoE3",
    "codDiagnosticoCausaMuerte",
})  # fmt: skip


def _anulables(valor: object) -> Cambio:
    def cambiar(document: Documento) -> None:
        for one in registros(document):
            one.update(dict.fromkeys(ANULABLES & one.keys(), valor))

    return cambiar


def _sin_anulables(document: Documento) -> None:
    for one in registros(document):
        for name in ANULABLES & one.keys():
            del one[name]


def _grupos(valor: object) -> Cambio:
    def cambiar(document: Documento) -> None:
        for kind in ("procedimientos", "hospitalizacion", "recienNacidos"):
            usuario(document)["servicios"].setdefault(kind, valor)

    return cambiar


def _exactos(document: Documento) -> None:
    for one in registros(document):
        one.update({name: Decimal(f"{one[name]}.00") for name in ("vrServicio", "vrUnitOS") if name in one})


LEGALES: dict[str, Cambio] = {
    "properties in another order": _al_reves,
    "null where there is no data": _anulables(None),
    "empty text where there is no data": _anulables(""),
    "nullable properties not written": _sin_anulables,
    "groups with an empty list": _grupos([]),
    "groups in null": _grupos(None),
    "no kind of note, as empty text": lambda document: document.update(tipoNota=document["tipoNota"] or ""),
    "a property that nobody knows": de_usuario(observacion="X"),
    "amounts with decimals": _exactos,
    "a passport": de_usuario(tipoDocumentoIdentificacion="PA", codPaisOrigen="862"),
    "residence abroad": de_usuario(codPaisResidencia="862", codMunicipioResidencia=None, codZonaTerritorialResidencia=None),
    "residence abroad, empty texts": de_usuario(codPaisResidencia="862", codMunicipioResidencia="", codZonaTerritorialResidencia=""),
    "a permit of protection": de_usuario(tipoDocumentoIdentificacion="PT", numDocumentoIdentificacion="5123456"),
    "an adult without document": de_usuario(tipoDocumentoIdentificacion="AS", numDocumentoIdentificacion="11001A0001"),
    "a document of another country": de_usuario(tipoDocumentoIdentificacion="DE", numDocumentoIdentificacion="V123456789"),
    "intersex": de_usuario(codSexo="I"),
    "incapacity": de_usuario(incapacidad="SI"),
    "of age, and no card of an adult yet": de_usuario(tipoDocumentoIdentificacion="TI", fechaNacimiento="2007-01-31"),
    "another kind of user": de_usuario(tipoUsuario="02"),
    "fees, without who ordered them": de("otrosServicios", tipoOS="05", tipoDocumentoIdentificacion=None, numDocumentoIdentificacion=None),
    "a transport, without description": de("otrosServicios", tipoOS="02", codTecnologiaSalud="10A001", nomTecnologiaSalud=None),
    "a vital medicine without registration": de("medicamentos", tipoMedicamento="02", codTecnologiaSalud="MVND-7"),
    "a medicine by its IUM": de("medicamentos", codTecnologiaSalud="1A1013411000100"),
    "a magistral preparation": de("medicamentos", tipoMedicamento="03", nomTecnologiaSalud="UREA", concentracionMedicamento=5, unidadMedida=168),
    "a medicine without prescriber": de("medicamentos", tipoDocumentoIdentificacion=None, numDocumentoIdentificacion=None),
    "a diagnosis in small letters": de("consultas", codDiagnosticoPrincipal="m773"),
    "referred to another institution": de("urgencias", condicionDestinoUsuarioEgreso="04"),
    "passed to another service that is billed": de("urgencias", condicionDestinoUsuarioEgreso="03"),
    "dead, with the cause": de("hospitalizacion", condicionDestinoUsuarioEgreso="02", codDiagnosticoCausaMuerte="I219"),
}  # fmt: skip
"""What the norm admits. A record that a document has not is not changed."""
PROPIAS: dict[str, Cambio] = {
    "a stay that goes on": de("hospitalizacion", condicionDestinoUsuarioEgreso="08", fechaEgreso="2026-07-31 23:59"),
    "a stay from before the period": de("hospitalizacion", fechaInicioAtencion="2026-06-28 10:00", fechaEgreso="2026-07-12 00:00"),
    "a newborn of 500 grams": de("recienNacidos", peso=500),
    "a newborn of 46 weeks": de("recienNacidos", edadGestacional=46),
    "a newborn under its mother's document": de("recienNacidos", tipoDocumentoIdentificacion="CC", numDocumentoIdentificacion="20000002"),
    "a newborn whose document is a number": de("recienNacidos", numDocumentoIdentificacion=100200300),
    "a newborn without identity": de("recienNacidos", tipoDocumentoIdentificacion="MS", numDocumentoIdentificacion="11001D000001"),
    "who was born on the day of the service": lambda document: (
        usuario(document).update(fechaNacimiento="2026-07-10", tipoDocumentoIdentificacion="CN"),
        usuario(document)["servicios"].pop("recienNacidos"),
    ),
    "first and last minute of the period": lambda document: (
        de("procedimientos", fechaInicioAtencion="2026-07-01 00:00")(document),
        de("otrosServicios", fechaSuministroTecnologia="2026-07-31 23:59")(document),
    ),
}  # fmt: skip
"""What only the invented RIPS has records for."""


def real(muestras: Path, name: str) -> Documento:
    found: Any = load_json((muestras / name).read_bytes())[0]
    inner: Documento = found.get("rips", found)
    return inner


@pytest.mark.parametrize("caso", REALES)
@pytest.mark.parametrize("nombre", LEGALES)
def test_what_the_norm_admits_is_not_refused_in_an_approved_rips(nombre: str, caso: str, muestras: Path) -> None:
    document, day = real(muestras, caso), REALES[caso]
    LEGALES[nombre](document)
    eyes = Contexto(fecha=day, ahora=datetime(2026, 11, 22), catalogos=VACIOS)  # noqa: DTZ001  civil time
    assert [(one.codigo, one.ruta) for one in juzgar(Paquete(rips=document), eyes) if one.clase is Clase.RECHAZO] == []


def rechazos(package: Paquete, eyes: Contexto) -> Counter[tuple[str, str]]:
    parts = (estructura, reglas_rips, cruces)
    found = contar([one for part in parts for one in part(package, eyes)], eyes.fecha)
    return Counter((one.codigo, one.ruta) for one in found if one.clase is Clase.RECHAZO)


@pytest.mark.parametrize("fecha", [date(2025, 6, 1), date(2026, 6, 15), FECHA])
@pytest.mark.parametrize("nombre", [*LEGALES, *PROPIAS])
def test_what_the_norm_admits_is_not_refused_in_any_of_its_times(nombre: str, fecha: date) -> None:
    document = rips()
    (LEGALES | PROPIAS)[nombre](document)
    assert rechazos(paquete(document, fev()), contexto(fecha=fecha)) == Counter()


def _sin_precio(document: Documento) -> None:
    for one in registros(document):
        one.update({name: 0 for name in ("vrServicio", "vrUnitMedicamento", "vrUnitOS") if name in one})


def _solo(kind: str, **valores: Any) -> Cambio:
    """Return the change that leaves one record of a kind, as a note has it."""

    def cambiar(document: Documento) -> None:
        one = usuario(document)["servicios"][kind][0]
        usuario(document)["servicios"] = {kind: [{**one, **valores}]}

    return cambiar


NOTA = fev(
    kind=Documentos.NOTA_CREDITO, number="NC7", prefix="NC", references=(Referencia("FE1001", None, None),),
    period_start=None, period_end=None, line_extension=Decimal(1400), tax_inclusive=Decimal(1400), payable=Decimal(1400),
)  # fmt: skip
"""A credit note of the one supply of the invented invoice."""
POR_MODALIDAD = {code: salud(fev(), MODALIDAD_PAGO=("otra", code)) for code in ("01", "02", "03")}
LLAMADAS: dict[str, tuple[Modulo, Fev | None, dict[str, Any], Cambio]] = {
    "by case, without prices": (Modulo.FEV, POR_MODALIDAD["01"], {}, _sin_precio),
    "global payment, without prices": (Modulo.FEV, POR_MODALIDAD["02"], {}, _sin_precio),
    "capitation of the month before": (
        Modulo.CAPITA_PERIODO, fev(salud=POR_MODALIDAD["03"].salud, period_start=date(2026, 8, 1), period_end=date(2026, 8, 31), number="FE9"), {}, _sin_precio,
    ),
    "last of a capitation": (Modulo.CAPITA_FINAL, None, {}, _sin_precio),
    "without invoice": (Modulo.SIN_FACTURA, None, {"numFactura": None, "tipoNota": "RS", "numNota": "1"}, _sin_precio),
    "a note of a supply": (Modulo.NC, NOTA, {"tipoNota": "NC", "numNota": "NC7"}, _solo("otrosServicios")),
    "a note of a stay": (Modulo.NC, NOTA, {"tipoNota": "NC", "numNota": "NC7"}, _solo("otrosServicios", tipoOS="03", codTecnologiaSalud="10A001")),
    "a note of fees": (Modulo.NC, NOTA, {"tipoNota": "NC", "numNota": "NC7"}, _solo("consultas", vrServicio=1400, conceptoRecaudo="02")),
    "a note of a birth": (Modulo.NC, NOTA, {"tipoNota": "NC", "numNota": "NC7"}, _solo("procedimientos", vrServicio=1400, codProcedimiento="735301")),
    "a debit note": (Modulo.ND, fev(kind=Documentos.NOTA_DEBITO, number="ND7", prefix="ND", references=NOTA.references), {"tipoNota": "ND", "numNota": "ND7"}, _solo("procedimientos")),
    "an adjustment of what was told": (Modulo.NOTA_AJUSTE, None, {"tipoNota": "NA", "numNota": "NA7"}, _solo("urgencias")),
    "an adjustment of one who passed on": (Modulo.NOTA_AJUSTE, None, {"tipoNota": "NA", "numNota": "NA7"}, _solo("urgencias", condicionDestinoUsuarioEgreso="03")),
    "an adjustment of one who came from emergency": (Modulo.NOTA_AJUSTE, None, {"tipoNota": "NA", "numNota": "NA7"}, _solo("hospitalizacion")),
}  # fmt: skip
"""By the call of the MUV: its module, its document, the head of the RIPS and what the RIPS holds."""


@pytest.mark.parametrize("fecha", [date(2025, 6, 1), date(2026, 6, 15), FECHA])
@pytest.mark.parametrize("nombre", LLAMADAS)
def test_each_call_of_the_ministry_has_its_own_lawful_rips(nombre: str, fecha: date) -> None:
    module, document, head, change = LLAMADAS[nombre]
    record = rips(**head)
    change(record)
    assert rechazos(paquete(record, document), contexto(module, fecha)) == Counter()


FUTURO, ANTES, FUERA = "2026-08-05 10:00", "1990-01-01 00:00", "2026-06-30 23:59"
MUERE = {"condicionDestinoUsuarioEgreso": "02"}
CUOTA = {"conceptoRecaudo": "02", "valorPagoModerador": 0}
EN_CADA_CAMPO: dict[str, tuple[object, dict[str, object]]] = {
    "RVC013": (FUTURO, {}),
    "RVC014": (FUERA, {}),
    "RVC034": (0, {}),
    "RVC038": (FUTURO, {}),
    "RVC039": ("2026-07-20 00:00", {}),
    "RVC042": (None, MUERE),
    "RVC043": (FUTURO, {}),
    "RVC044": ("2026-08-01 00:00", {}),
    "RVC050": (None, {}),
    "RVC060": (0, CUOTA),
    "RVC061": (5, {}),
    "RVC079": (ANTES, {}),
    "RVC080": (ANTES, {}),
    "RVC081": (ANTES, {}),
    "RVC086": ("J189", {}),
    "RVC087": ("K469", {f"codDiagnosticoRelacionado{n}": "K469" for n in (1, 2, 3)}),
    "RVC088": ("J189", {}),
    "RVC089": ("K469", {f"codDiagnosticoRelacionadoE{n}": "K469" for n in (1, 2, 3)}),
    "RVC092": ("04", {}),
    "RVC033": ("Z012", MUERE),
    "RVC032": ("R509", MUERE),
    "RVC031": ("V010", MUERE),
}
"""Value that breaks the rule in any of its fields, and what else the record must say."""
NO_EN = {
    ("RVC087", "codDiagnosticoRelacionado1"): "of two equal ones the second is told",
    ("RVC089", "codDiagnosticoRelacionadoE1"): "of two equal ones the second is told",
}


def campos(referencia: Path) -> dict[str, tuple[str, str]]:
    """Return group of services and property of each field of the norm (C01…S18)."""
    with (referencia / "rips_campos.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["objeto"].startswith("usuarios[].servicios.")]
    return {row["id_campo"]: (row["objeto"].split(".")[-1].rstrip("[]"), row["nombre_json"]) for row in rows}


def test_a_rule_is_found_in_each_field_that_the_norm_names_for_it(referencia: Path) -> None:
    where = campos(referencia)
    with (referencia / "muv_reglas.csv").open(encoding="utf-8") as stream:
        rules = {row["codigo"]: row["campos_DT1"].split() for row in csv.DictReader(stream)}
    missed = []
    for code, (value, more) in EN_CADA_CAMPO.items():
        for field in rules[code]:
            kind, name = where[field]
            document = rips()
            usuario(document)["servicios"][kind][0].update({**more, name: value})
            told = {(one.codigo, one.ruta) for one in reglas_rips(paquete(document, fev()), contexto())}
            known = (code, name) in NO_EN
            if ((code, f"{S}{kind}[0].{name}") in told) is known:
                missed.append((code, field, name))
    assert missed == []


CONSECUENCIAS = {
    "RVC006": {"RVC079", "RVC080", "RVC081"},
    "RVC013": {"RVC014"},
    "RVC034": {"RVG06", "RVG08", "RVC034"},
    "RVC035": {"RVC005", "RVG09"},
    "RVC037": {"RVC005", "RVG09"},
    "RVC038": {"RVC039"},
    "RVC043": {"RVC044"},
    "RVC045": {"RVC046"},
    "RVC051": {"RVG06"},
    "RVC053": {"RVC042"},
    "RVC056": {"RVC024"},
    "RVC079": {"RVC079", "RVC080", "RVC081"},
    "RVC080": {"RVC079", "RVC081"},
    "RVC081": {"RVC079", "RVC080", "RVC081"},
    "RVC084": {"RVG09", "RVG16"},
    "RVC085": {"RVG16"},
    "RVC095": {"RVC005"},
}
"""Rejections that a break brings with it, besides the sum (RVG08) where it takes services away or adds them."""


@pytest.mark.parametrize("roto", ROTOS, ids=lambda one: f"{one.codigo}-{one.ruta or 'cabecera'}")
def test_what_breaks_one_rule_is_refused_for_that_one(roto: Any) -> None:
    package, eyes = roto.paquete()
    changes_the_sum = roto.todo is not None or "vrServicio" in roto.cambio
    allowed = {roto.codigo} | CONSECUENCIAS.get(roto.codigo, set()) | ({"RVG08"} if changes_the_sum else set())
    found = rechazos(package, eyes)
    assert {code for code, _ in found} <= allowed
    assert max(found.values(), default=1) == 1
