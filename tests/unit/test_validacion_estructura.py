"""The structure of the RIPS: what the gate lets pass, the schema accepts, and each fault is told at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rips_sinteticos import documento, grande, registro, usuario
from radica.facturas.jsonsafe import load_json
from radica.facturas.rips import SERVICIOS
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.esquemas.campos import Motivo
from radica.facturas.validacion.esquemas.compuerta import compuertas, version_de
from radica.facturas.validacion.esquemas.servicios import Version
from radica.facturas.validacion.estructura import estructura
from radica.facturas.validacion.modelo import Clase, Contexto, Hallazgo, Modulo, Paquete
from radica.facturas.validacion.tablas import VACIOS, Catalogos
from radica.facturas.validacion.topes import CODIGO_MAS, MAX_LUGARES, MAX_RECHAZOS

BEFORE, AFTER = date(2026, 3, 31), date(2026, 8, 1)
NOW = datetime(2026, 11, 22, 8, 0)  # noqa: DTZ001  civil time of Colombia
CIE10 = Catalogos(cie10={"J189": "NEUMONIA", "P399": "INFECCION"})


def judge(rips: Any, *, day: date = BEFORE, tables: Catalogos = CIE10, module: Modulo = Modulo.FEV) -> list[Hallazgo]:
    context = Contexto(day, NOW, tables, modulo=module)
    return list(contar(estructura(Paquete(rips=rips), context), day))


def told(found: list[Hallazgo]) -> list[tuple[str, str, str]]:
    return [(one.codigo, one.clase.value, one.ruta) for one in found]


def one_user(**services: Any) -> dict[str, Any]:
    return documento([{**usuario(), "servicios": services}])


@pytest.mark.parametrize("version", list(Version))
def test_what_is_right_is_told_nothing_of(version: Version) -> None:
    whole = documento([usuario(1, dict.fromkeys(SERVICIOS, 2), version), usuario(2, None, version)])
    assert version_de(whole) is version
    assert told(judge(whole)) == []


def test_the_older_structure_is_accepted_and_noticed_only_from_july_2026() -> None:
    assert told(judge(grande(40), day=date(2026, 6, 30))) == []
    assert told(judge(grande(40), day=date(2026, 7, 1))) == [("RVG01", "aviso", "rips")]
    assert told(judge(grande(40, Version.RES_948), day=AFTER)) == []


CONSULTA = "usuarios[0].servicios.consultas[0]"
RECHAZO, AVISO = "rechazo", "aviso"


@pytest.mark.parametrize(
    ("name", "value", "code", "weight"),
    [
        ("codPrestador", "76001126940", "RVG01", RECHAZO),
        ("codPrestador", 110010000101, "RVG01", RECHAZO),
        ("codPrestador", "١١٠٠١٠٠٠٠١٠١", "RVG01", RECHAZO),  # digits of another script
        ("codConsulta", "890201 ", "RVG01", RECHAZO),
        ("codServicio", 478, "RVG06", RECHAZO),
        ("codServicio", "328", "RVG04", AVISO),  # in quotes, it is read as a number
        ("codServicio", "478", "RVG06", RECHAZO),
        ("codServicio", "uno", "RVG01", RECHAZO),
        ("codServicio", 10, "RVG01", RECHAZO),
        ("codServicio", True, "RVG01", RECHAZO),
        ("codServicio", None, "RVG04", AVISO),
        ("finalidadTecnologiaSalud", "10", "RVG06", RECHAZO),
        ("causaMotivoAtencion", "10", "RVG06", RECHAZO),
        ("causaMotivoAtencion", None, "RVG01", RECHAZO),
        ("codDiagnosticoPrincipal", "J18", "RVG01", RECHAZO),
        ("codDiagnosticoPrincipal", "J188", "RVG06", RECHAZO),  # not in the table given here
        ("codDiagnosticoRelacionado1", "Z999", "RVG06", RECHAZO),
        ("vrServicio", "44900", "RVG04", AVISO),
        ("vrServicio", "44900.5", "RVG04", AVISO),
        ("vrServicio", "44.900,5", "RVG01", RECHAZO),
        ("vrServicio", "-1", "RVG01", RECHAZO),
        ("vrServicio", "", "RVG01", RECHAZO),
        ("vrServicio", -1, "RVG01", RECHAZO),
        ("vrServicio", 10**15, "RVG01", RECHAZO),
        ("vrServicio", Decimal("1E+400"), "RVG01", RECHAZO),
        ("vrServicio", Decimal("1E+99999999"), "RVG01", RECHAZO),
        ("consecutivo", Decimal("1E-99999999"), "RVG01", RECHAZO),
        ("vrServicio", Decimal("NaN"), "RVG01", RECHAZO),
        ("vrServicio", Decimal("sNaN"), "RVG01", RECHAZO),
        ("consecutivo", Decimal("Infinity"), "RVG01", RECHAZO),
        ("vrServicio", 44900.5, "RVG01", RECHAZO),  # binary floating point never comes out of the reader
        ("consecutivo", "1", "RVG04", AVISO),
        ("consecutivo", "1.5", "RVG01", RECHAZO),
        ("consecutivo", 0, "RVG05", AVISO),
        ("consecutivo", -1, "RVG01", RECHAZO),
        ("consecutivo", Decimal("1E+99999999"), "RVG01", RECHAZO),
        ("codConsulta", "89020", "RVG05", AVISO),
        ("codConsulta", None, "RVG04", AVISO),
        ("conceptoRecaudo", "1", "RVG06", RECHAZO),
        ("numDocumentoIdentificacion", "123", "RVG05", AVISO),  # the published contract admits two or more
        ("numDocumentoIdentificacion", "1", "RVG01", RECHAZO),
        ("numDocumentoIdentificacion", "1.020.304", "RVG01", RECHAZO),
        ("consecutivo", Decimal("1.5"), "RVG01", RECHAZO),
        ("fechaInicioAtencion", "2026-02-29 08:00", "RVG01", RECHAZO),  # no leap year
        ("fechaInicioAtencion", "2026-03-01T08:00", "RVG01", RECHAZO),
        ("fechaInicioAtencion", "2026-03-01 08:00:00", "RVG01", RECHAZO),
        ("fechaInicioAtencion", "01/03/2026 08:00", "RVG01", RECHAZO),
        ("fechaInicioAtencion", "2026-03-01", "RVG01", RECHAZO),
        ("fechaInicioAtencion", "2026-03-01 24:00", "RVG01", RECHAZO),
        ("numDocumentoIdentificacion", "", "RVG05", AVISO),
        ("tipoDocumentoIdentificacion", "", "RVG05", AVISO),
        ("tipoDocumentoIdentificacion", "RC", "RVG06", RECHAZO),  # no professional has one
        ("tipoDocumentoIdentificacion", ["CC"], "RVG01", RECHAZO),
    ],
)
def test_each_fault_of_a_consultation(name: str, value: object, code: str, weight: str) -> None:
    found = judge(one_user(consultas=[{**registro("consultas"), name: value}]))
    place = f"{CONSULTA}.{name}"
    assert told(found) == [(code, weight, f"rips.{place}" if code == "RVG01" else place)]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("consultas", "numAutorizacion", ""),
        ("consultas", "vrServicio", Decimal("44900.50")),
        ("consultas", "fechaInicioAtencion", "2024-02-29 00:00"),
        ("medicamentos", "unidadMedida", "168"),  # text in a real answer that said nothing of it
        ("medicamentos", "idMIPRES", ""),
        ("medicamentos", "codPrestador", None),
        ("otrosServicios", "tipoDocumentoIdentificacion", None),
        ("urgencias", "codDiagnosticoCausaMuerte", "J189"),
    ],
)
def test_what_real_files_carry_passes(kind: str, name: str, value: object) -> None:
    assert told(judge(one_user(**{kind: [{**registro(kind), name: value}]}))) == []


@pytest.mark.parametrize(
    ("note", "number", "invoice", "expected"),
    [
        ("NC", "NC1", "FE1", []),
        ("ND", "ND1", "FE1", []),
        ("NA", "1", "FE1", []),
        ("RS", "1", None, []),
        ("", "", "FE1", []),  # as a real final cápita was sent and answered
        ("XX", "1", "FE1", [("RVG01", "rechazo", "rips.tipoNota")]),
        ("NC", 1, "FE1", [("RVG01", "rechazo", "rips.numNota")]),
        (None, None, 1, [("RVG01", "rechazo", "rips.numFactura")]),
    ],
)
def test_notes_and_rips_without_invoice(note: Any, number: Any, invoice: Any, expected: Any) -> None:
    rips = {**documento([usuario()]), "tipoNota": note, "numNota": number, "numFactura": invoice}
    assert told(judge(rips)) == expected


def test_missing_and_unknown_properties() -> None:
    record = registro("consultas")
    del record["vrServicio"], record["numAutorizacion"]
    record |= {"vr Servicio": 1, "otraCosa": 2, "1190007992": 3}
    found = judge(one_user(consultas=[record]))
    assert set(told(found)) == {
        ("RVG01", "rechazo", f"rips.{CONSULTA}.vrServicio"),
        ("RVG01", "aviso", f"rips.{CONSULTA}.numAutorizacion"),
        ("RVG01", "aviso", f"rips.{CONSULTA}.vr Servicio"),
        ("RVG01", "aviso", f"rips.{CONSULTA}.otraCosa"),
        ("RVG01", "aviso", f"rips.{CONSULTA}.(otra)"),
    }
    assert any("vrServicio mal escrita" in one.mensaje for one in found)
    assert not any("1190007992" in one.mensaje + one.arreglo + one.ruta for one in found)


@pytest.mark.parametrize(
    ("rips", "expected"),
    [
        (documento([]), [("RVG03", "rechazo", "")]),
        ({**documento([]), "usuarios": None}, [("RVG01", "rechazo", "rips.usuarios"), ("RVG03", "rechazo", "")]),
        (documento([7]), [("RVG01", "rechazo", "rips.usuarios[0]"), ("RVG03", "rechazo", "")]),  # type: ignore[list-item]
        (one_user(), [("RVG07", "rechazo", "usuarios[0].servicios"), ("RVG03", "rechazo", "")]),
        (one_user(consultas=None), [("RVG07", "rechazo", "usuarios[0].servicios"), ("RVG03", "rechazo", "")]),
        (
            one_user(consultas={"0": {}}),
            [
                ("RVG01", "rechazo", "rips.usuarios[0].servicios.consultas"),
                ("RVG07", "rechazo", "usuarios[0].servicios"),
                ("RVG03", "rechazo", ""),
            ],
        ),
        (one_user(consultas=[None]), [("RVG01", "rechazo", f"rips.{CONSULTA}")]),
        (
            one_user(consultas=[registro("consultas")], consulta=[]),
            [("RVG01", "aviso", "rips.usuarios[0].servicios.consulta")],
        ),
    ],
)
def test_groups_that_are_no_lists(rips: Any, expected: list[tuple[str, str, str]]) -> None:
    assert told(judge(rips)) == expected


def test_services_that_are_no_object() -> None:
    rips = documento([{**usuario(), "servicios": []}])
    assert told(judge(rips)) == [
        ("RVG01", "rechazo", "rips.usuarios[0].servicios"),
        ("RVG07", "rechazo", "usuarios[0].servicios"),
        ("RVG03", "rechazo", ""),
    ]


def test_a_person_twice_and_health_data_in_no_word() -> None:
    other = {**usuario(1), "consecutivo": 3, "fechaNacimiento": "29/02/1980"}
    found = judge(documento([usuario(1), usuario(2), other, {**usuario(1), "consecutivo": 4}]))
    assert told(found) == [
        ("RVG01", "rechazo", "rips.usuarios[2].fechaNacimiento"),
        ("RVG12", "aviso", "usuarios[2]"),
        ("RVG12", "rechazo", "usuarios[3]"),
    ]
    words = " ".join(one.mensaje + one.arreglo for one in found)
    assert "10000001" not in words
    assert "1980" not in words


def test_a_person_under_two_kinds_of_user_is_only_noticed() -> None:
    """Technical document 1 v002, page 23."""
    other = {**usuario(1), "consecutivo": 2, "tipoUsuario": "10"}
    assert told(judge(documento([usuario(1), other]))) == [("RVG12", "aviso", "usuarios[1]")]


@pytest.mark.parametrize(
    ("kind", "name", "absent", "null"),
    [
        ("", "codPaisOrigen", AVISO, AVISO),
        ("", "codPaisResidencia", AVISO, AVISO),
        ("", "tipoUsuario", AVISO, AVISO),
        ("", "incapacidad", RECHAZO, RECHAZO),
        ("consultas", "codConsulta", AVISO, AVISO),
        ("procedimientos", "codProcedimiento", AVISO, AVISO),
        ("medicamentos", "cantidadMedicamento", AVISO, RECHAZO),
        ("otrosServicios", "cantidadOS", AVISO, RECHAZO),
        ("recienNacidos", "peso", AVISO, RECHAZO),
        ("consultas", "codPrestador", RECHAZO, RECHAZO),
    ],
)
def test_what_the_published_contract_lets_be_absent(kind: str, name: str, absent: str, null: str) -> None:
    """Swagger of the Ministry's service, April and July of 2026: the norm asks for more than it."""
    for record, weight in (({}, absent), ({name: None}, null)):
        one = registro(kind) if kind else usuario()
        del one[name]
        rips = one_user(**{kind: [one | record]}) if kind else documento([one | record])
        assert [found.clase.value for found in judge(rips)] == [weight]


@pytest.mark.parametrize(("name", "value"), [("incapacidad", "02"), ("codSexo", "X"), ("codSexo", "MASCULINO")])
def test_what_the_published_contract_enumerates_is_a_fault_of_structure(name: str, value: str) -> None:
    found = judge(documento([{**usuario(), name: value}]))
    assert told(found) == [("RVG01", "rechazo", f"rips.usuarios[0].{name}")]


def test_the_fourteenth_kind_of_user_exists_since_july_of_2026() -> None:
    injured = documento([{**usuario(), "tipoUsuario": "14"}])
    assert told(judge(injured, day=date(2026, 6, 30))) == [("RVG06", "rechazo", "usuarios[0].tipoUsuario")]
    assert "RVG06" not in {one.codigo for one in judge(injured, day=date(2026, 7, 15))}


def test_what_the_norm_lets_pass_is_not_refused() -> None:
    """M10 and M11 of what is no magistral preparation may be null (RVC065); N03 is declared a number."""
    for fields in ({"concentracionMedicamento": None}, {"unidadMedida": None}, {"unidadMedida": "168"}):
        assert told(judge(one_user(medicamentos=[{**registro("medicamentos"), **fields}]))) == []
    for number in (1020304050, "1020304050"):
        child = {**registro("recienNacidos"), "numDocumentoIdentificacion": number}
        assert told(judge(one_user(recienNacidos=[child]))) == []
    child = {**registro("recienNacidos"), "numDocumentoIdentificacion": 1}
    assert [one.codigo for one in judge(one_user(recienNacidos=[child]))] == ["RVG01"]
    main = registro("consultas")["codDiagnosticoPrincipal"]
    small = {**registro("consultas"), "codDiagnosticoPrincipal": main.lower()}
    assert told(judge(one_user(consultas=[small]))) == []


def test_capita_has_no_price_of_its_own() -> None:
    rips = one_user(consultas=[{**registro("consultas"), "vrServicio": 40000}])
    assert told(judge(rips)) == []
    rips["usuarios"][0]["servicios"]["consultas"].append(
        {**registro("consultas"), "vrServicio": Decimal("1E+99999999")}
    )
    found = [one for one in judge(rips, module=Modulo.CAPITA_FINAL) if one.codigo == "RVG06"]
    assert told(found) == [("RVG06", "rechazo", "rips")]
    assert "$ 40.000" in found[0].mensaje


def test_without_cie10_it_says_so_once_and_refuses_nothing() -> None:
    rips = one_user(consultas=[{**registro("consultas"), "codDiagnosticoPrincipal": "Q000"}] * 3)
    assert told(judge(rips, tables=VACIOS)) == [("RVG06", "no_decidible", "")]


def test_many_faults_are_bounded_and_counted() -> None:
    rips = grande(8_000)
    for user in rips["usuarios"]:
        for records in user["servicios"].values():
            for record in records:
                record["consecutivo"] = "x"
    count = sum(len(records) for user in rips["usuarios"] for records in user["servicios"].values())
    found = judge(rips)
    assert [one.codigo for one in found] == ["RVG01"] * 5_000 + [CODIGO_MAS]
    assert str(count - 5_000) in found[-1].mensaje
    assert found[-1].clase is Clase.AVISO


def test_a_flood_of_empty_records_is_counted_to_its_end() -> None:
    found = judge(one_user(consultas=[{}] * 200_000))
    # What must be written, what may be null, and what only the norm asks for.
    assert Counter(one.codigo for one in found)["RVG01"] == 3 * MAX_LUGARES + MAX_RECHAZOS
    assert [one.mensaje for one in found if "195000 registros" in one.mensaje]


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**16), max_value=10**16),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.text(max_size=30),
    st.sampled_from(
        ["", "01", "05", "CC", "890201", "J189", "2026-03-01 08:00", "2026-03-01", "110010000101", "SI", "M"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(st.data())
def test_the_gate_and_the_schema_agree_about_everything(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(Version))
    gates = compuertas(version, BEFORE, CIE10.cie10)
    kind = data.draw(st.sampled_from([*SERVICIOS, "usuario"]))
    gate = gates.usuario if kind == "usuario" else gates.servicio[kind]
    right = usuario(1, None, version) if kind == "usuario" else registro(kind, 1, version)
    names = st.sampled_from(sorted(right))
    record: object = {
        **right,
        **data.draw(st.dictionaries(st.one_of(names, names, st.text(max_size=5)), STRANGE, max_size=3)),
    }
    if isinstance(record, dict):
        for name in data.draw(st.lists(names, max_size=2)):
            record.pop(name, None)
    record = data.draw(st.sampled_from([record, record, record, [record], None, 3, "x"]))
    reasons = sorted(gate.explica(record))
    assert gate.deja(record) is (not reasons)
    assert sorted(gate.quejas(record)) == reasons
    assert all(isinstance(motive, Motivo) for _, motive in reasons)


JSON_LIKE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_LIKE, st.sampled_from(["usuarios", "servicios", "consultas", "numFactura"]))
def test_no_shape_of_json_stops_the_part(value: object, where: str) -> None:
    rips: Any = documento([usuario()])
    target: Callable[[], Any] = lambda: rips["usuarios"][0]  # noqa: E731
    {"usuarios": rips, "numFactura": rips, "servicios": target(), "consultas": target()["servicios"]}[where][where] = (
        value
    )
    judge(rips)


ACCEPTED = ("caso03_muv_request.json", "caso16_rips_sin_factura_RS.json", "caso70_rips.json")


def _inner(path: Path) -> Any:
    value, _ = load_json(path.read_bytes())
    return value.get("rips", value)


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("day", [date(2025, 2, 16), AFTER])
def test_accepted_packages_get_no_rejection(muestras: Path, name: str, day: date) -> None:
    assert not [one for one in judge(_inner(muestras / name), day=day, tables=VACIOS) if one.clase is Clase.RECHAZO]


def test_what_the_ministry_refused_is_found_at_its_place(muestras: Path) -> None:
    rips = _inner(muestras / "caso15_rips_capita_final.json")
    found = set(told(judge(rips, tables=VACIOS, module=Modulo.CAPITA_FINAL)))
    names = ("codServicio", "finalidadTecnologiaSalud", "causaMotivoAtencion")
    expected = {
        ("RVG06", "rechazo", f"usuarios[{user}].servicios.consultas[0].{name}") for user in range(3) for name in names
    }
    assert found == {*expected, ("RVG06", "rechazo", "rips"), ("RVG06", "no_decidible", "")}


def test_the_code_of_provider_that_came_back_with_http_400(muestras: Path) -> None:
    rips = _inner(muestras / "caso16_rips_sin_factura_RS.json")
    rips["usuarios"][0]["servicios"]["consultas"][0]["codPrestador"] = "76001126940"
    assert ("RVG01", "rechazo", f"rips.{CONSULTA}.codPrestador") in told(judge(rips, tables=VACIOS))


def test_the_official_examples_of_948_have_only_their_own_faults(muestras: Path) -> None:
    faults = {
        "caso22_rips_consultas_948.json": set(),
        "caso24_rips_medicamentos_948.json": {
            ("RVG01", "aviso", "rips.usuarios[0].servicios.medicamentos[0].numAutorizacion")
        },
        "caso26_rips_urgencias_948.json": {
            ("RVG01", "rechazo", "rips.usuarios[0].servicios.urgencias[0].fechaInicioAtencion")
        },
    }
    real = replace(VACIOS, cie10=_Everything())
    for name, expected in faults.items():
        assert set(told(judge(_inner(muestras / name), day=AFTER, tables=real))) == expected, name


class _Everything(dict[str, str]):
    def __contains__(self, key: object) -> bool:
        return True


def test_properties_that_nobody_knows_are_told_in_the_order_of_the_file() -> None:
    """The same file gives the same answer, byte by byte, in each run."""
    strange = [f"inventada{(at * 7) % 12}" for at in range(12)]
    rips = one_user(consultas=[registro("consultas")])
    rips["usuarios"][0] |= dict.fromkeys(strange, 1)
    said = [one.ruta.rpartition(".")[2] for one in judge(rips) if "inventada" in one.ruta]
    assert said == strange
