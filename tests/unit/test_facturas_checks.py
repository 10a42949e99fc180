"""The checks before filing, over real packages and over edited ones."""

from __future__ import annotations

import dataclasses
import string
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from radica.app.demo.data import generate
from radica.facturas import cufe
from radica.facturas.checks import EstadoPlazo, Hechos, check, user_payments
from radica.facturas.fev import Anticipo
from radica.facturas.findings import CATALOGO, Hallazgo, Severidad, ready
from radica.facturas.numbers import parse_nit
from radica.facturas.recognise import recognise, recognise_path
from radica.facturas.soportes import (
    NombreSoporte,
    catalogue,
    missing_supports,
    parse_support_name,
    requirements,
    service_kinds,
)

PUBLIC_KEY = "fc8eac422eba16e22ffd8c6f94b3f40a6e38162c"  # DIAN's key of the test environment, printed in its annex


def package(muestras: Path, case: str, **more: object) -> Hechos:
    facts: dict[str, object] = {}
    for path in sorted(muestras.glob(f"{case}_*")):
        for piece in recognise_path(path, path.name).pieces:
            for name in ("fev", "rips", "cuv"):
                if getattr(piece, name) is not None:
                    facts[name] = getattr(piece, name)
    return Hechos(**{**facts, **more})  # type: ignore[arg-type]


def support(name: str) -> NombreSoporte:
    found = parse_support_name(name)
    assert found is not None
    return found


def codes(found: list[Hallazgo], *weights: Severidad) -> set[str]:
    return {h.codigo for h in found if not weights or h.severidad in weights}


def blocks(hechos: Hechos) -> set[str]:
    return codes(check(hechos), Severidad.BLOQUEO)


@pytest.fixture
def good(muestras: Path) -> Hechos:
    """A real invoice with copayment that the ministry approved, with a support that fits."""
    return package(muestras, "caso07", soportes=(support("PDX_901019681_A01E5687.pdf"),))


def test_a_right_package_is_ready(good: Hechos):
    found = check(good)
    assert ready(found)
    assert codes(found) == {"CUFE-SIN-CLAVE", "CUV-NOTIFICACIONES"}


def test_the_pair_that_the_ministry_refused_is_refused_for_the_same_reason(muestras: Path):
    found = check(package(muestras, "caso01"))
    total = next(h for h in found if h.codigo == "RIPS-TOTAL")
    assert "$ 39.925.701" in total.mensaje
    assert "$ 38.647.051" in total.mensaje
    assert "$ 1.278.650" in total.mensaje
    assert "RVG08" in next(h for h in found if h.codigo == "CUV-RECHAZADO").mensaje


def test_everything_that_is_wrong_is_said_at_once_and_by_weight(muestras: Path):
    found = check(package(muestras, "caso10"))
    assert codes(found, Severidad.BLOQUEO) == {
        "CUFE-FORMA", "CUV-FALTA", "FEV-CAMPO", "NIT-DV-EMISOR", "SOPORTES-NINGUNO",
    }  # fmt: skip
    assert [h.severidad for h in found] == sorted((h.severidad for h in found), key=list(Severidad).index)
    assert "FEV-CONTENEDOR-OTRO" in codes(found, Severidad.AVISO)


def test_nothing_loaded():
    assert blocks(Hechos()) == {"FEV-FALTA", "RIPS-FALTA", "CUV-FALTA"}


def test_documents_of_another_invoice(good: Hechos, muestras: Path):
    other = package(muestras, "caso03")
    assert {"RIPS-NUMERO", "RIPS-NIT", "RIPS-TOTAL", "RIPS-MODERADOR"} <= blocks(
        dataclasses.replace(good, rips=other.rips)
    )
    assert "CUV-NUMERO" in blocks(dataclasses.replace(good, cuv=other.cuv))
    found = check(dataclasses.replace(good, soportes=(support("PDX_901019681_A01E9999.pdf"),)))
    assert "SOPORTE-OTRO" in codes(found, Severidad.AVISO)


def test_a_number_without_prefix_is_a_notice(good: Hechos):
    assert good.rips is not None
    found = check(dataclasses.replace(good, rips=dataclasses.replace(good.rips, number="0005687")))
    assert ready(found)
    assert "RIPS-NUMERO-SIN-PREFIJO" in codes(found, Severidad.AVISO)


def test_the_cuv_must_be_accepted(good: Hechos, muestras: Path):
    refused = package(muestras, "caso16").cuv
    assert refused is not None
    assert good.cuv is not None
    assert "CUV-RECHAZADO" in blocks(dataclasses.replace(good, cuv=dataclasses.replace(good.cuv, accepted=False)))
    silent = check(dataclasses.replace(good, cuv=dataclasses.replace(good.cuv, number=None)))
    assert "CUV-SIN-NUMERO" in codes(silent, Severidad.AVISO)
    strange = dataclasses.replace(good.cuv, issuer=parse_nit("900123456"), total=Decimal(5), environment="DockerTest")
    found = check(dataclasses.replace(good, cuv=strange))
    assert "CUV-NIT" in codes(found, Severidad.BLOQUEO)
    assert {"CUV-VALOR", "CUV-PRUEBAS"} <= codes(found, Severidad.AVISO)


@pytest.mark.parametrize("total", ["1055600", "1120000"])
def test_the_total_of_the_query_may_be_net_or_gross(good: Hechos, total: str):
    assert good.cuv is not None
    told = dataclasses.replace(good.cuv, total=Decimal(total))
    assert "CUV-VALOR" not in codes(check(dataclasses.replace(good, cuv=told)))


@pytest.mark.parametrize(("off", "wrong"), [("0", False), ("1", False), ("1.01", True), ("-1", False), ("-1.01", True)])
def test_sums_are_compared_within_one_peso(good: Hechos, off: str, wrong: bool):
    assert good.fev is not None
    assert good.rips is not None
    lines = (good.fev.lines_total or Decimal(0)) + Decimal(off)
    assert (
        "SUMA-LINEAS" in blocks(dataclasses.replace(good, fev=dataclasses.replace(good.fev, lines_total=lines)))
    ) is wrong
    rips = dataclasses.replace(good.rips, total=good.rips.total + Decimal(off))
    assert ("RIPS-TOTAL" in blocks(dataclasses.replace(good, rips=rips))) is wrong
    rips = dataclasses.replace(good.rips, copayment=good.rips.copayment + Decimal(off))
    assert ("RIPS-MODERADOR" in blocks(dataclasses.replace(good, rips=rips))) is wrong


def test_an_advance_is_no_copayment(good: Hechos):
    assert good.fev is not None
    paid = (*good.fev.prepaid_payments, Anticipo("04", Decimal(500_000), None))
    assert user_payments(dataclasses.replace(good.fev, prepaid_payments=paid)) == Decimal("64400.00")
    assert user_payments(dataclasses.replace(good.fev, prepaid_payments=())) == Decimal("64400.00")
    assert user_payments(dataclasses.replace(good.fev, prepaid_payments=(Anticipo("04", Decimal(9), None),))) == 0


def test_prospective_payment_does_not_compare_totals(good: Hechos):
    assert good.fev is not None
    assert good.rips is not None
    field = dataclasses.replace(next(c for c in good.fev.salud[0] if c.name == "MODALIDAD_PAGO"), code="03")
    capita = dataclasses.replace(good.fev, salud=((field,),))
    assert blocks(dataclasses.replace(good, fev=capita, rips=dataclasses.replace(good.rips, total=Decimal(0)))) == set()


def test_the_cufe_with_its_key(muestras: Path):
    facts = package(muestras, "caso11")
    assert facts.fev is not None
    assert "CUFE-SIN-CLAVE" in codes(check(facts))
    right = dataclasses.replace(facts, cufe_comprobado=cufe.verify(facts.fev, PUBLIC_KEY))
    assert not {"CUFE-VALOR", "CUFE-SIN-CLAVE"} & codes(check(right))
    wrong = dataclasses.replace(facts, cufe_comprobado=cufe.verify(facts.fev, "0" * 40))
    assert "CUFE-VALOR" in blocks(wrong)


def test_a_cufe_that_differs_inside_the_document(good: Hechos):
    assert good.fev is not None
    assert "CUFE-INCOHERENTE" in blocks(
        dataclasses.replace(good, fev=dataclasses.replace(good.fev, cufe="a" * 64 + "0" * 32))
    )


def test_the_answer_of_dian_may_come_apart(muestras: Path):
    (bare,) = recognise((muestras / "caso40_invoice_signed.xml").read_bytes(), "x").pieces
    (answer,) = recognise((muestras / "caso07_appresponse_dian02.xml").read_bytes(), "x").pieces
    assert answer.response is not None
    assert "FEV-SIN-VALIDAR" in blocks(Hechos(fev=bare.fev))
    assert "CUFE-INCOHERENTE" in blocks(Hechos(fev=bare.fev, respuesta=answer.response))
    assert "FEV-RECHAZADA" in blocks(Hechos(fev=bare.fev, respuesta=dataclasses.replace(answer.response, code="04")))


def test_check_digits(good: Hechos):
    assert good.fev is not None
    fev = good.fev
    wrong = dataclasses.replace(fev.supplier, nit=parse_nit("901019681", "7"))
    assert "NIT-DV-EMISOR" in blocks(dataclasses.replace(good, fev=dataclasses.replace(fev, supplier=wrong)))
    payer = dataclasses.replace(fev.customer, nit=parse_nit("900226715", "9"))
    found = check(dataclasses.replace(good, fev=dataclasses.replace(fev, customer=payer)))
    assert "NIT-DV-PAGADOR" in codes(found, Severidad.AVISO)


@pytest.mark.parametrize(
    ("state", "code", "weight"),
    [
        (EstadoPlazo.EN_TERMINO, None, None),
        (EstadoPlazo.POR_VENCER, "RAD01-POR-VENCER", Severidad.AVISO),
        (EstadoPlazo.VENCIDO, "RAD01-VENCIDO", Severidad.BLOQUEO),
        (EstadoPlazo.VENCIDO_AUTORIZADO, "RAD01-AUTORIZADO", Severidad.AVISO),
        (EstadoPlazo.SIN_TERMINO, "RAD01-SIN-TERMINO", Severidad.AVISO),
        (EstadoPlazo.SIN_FECHA, "RAD01-SIN-FECHA", Severidad.AVISO),
    ],
)
def test_state_of_the_term(good: Hechos, state: EstadoPlazo, code: str | None, weight: Severidad | None):
    found = [h for h in check(dataclasses.replace(good, plazo=state, vence=date(2026, 11, 30))) if "RAD01" in h.codigo]
    assert [(h.codigo, h.severidad) for h in found] == ([(code, weight)] if code else [])
    if state in (EstadoPlazo.POR_VENCER, EstadoPlazo.VENCIDO):
        assert "30/11/2026" in found[0].mensaje


def test_supports_by_kind_of_service(good: Hechos, muestras: Path):
    assert "SOPORTES-NINGUNO" in blocks(dataclasses.replace(good, soportes=()))
    agreed = dataclasses.replace(good, soportes=(), soportes_no_pactados=True)
    assert ready(check(agreed))
    stay = package(muestras, "caso28", soportes=(support("EPI_891200528_3074044.pdf"),))
    assert stay.rips is not None
    assert service_kinds(stay.rips, modalidad="04") == (("EV28",),)
    lacking = missing_supports(stay.rips, {"EPI"}, modalidad="04")
    assert [need.siglas for need in lacking] == [("HAM",)]
    assert "SOPORTE-FALTA" in codes(check(stay), Severidad.AVISO)
    assert "SOAT-SIN-FURIPS" in codes(check(dataclasses.replace(stay, pagador_tipo="SOAT")), Severidad.AVISO)
    assert [n.siglas for n in missing_supports(stay.rips, {"EPI", "HAM"}, modalidad="04", accident=True)] == [("FAT",)]


def test_a_collection_invoice_goes_without_rips(muestras: Path):
    assert "RIPS-FALTA" not in codes(check(package(muestras, "caso13")))


def test_the_tables_of_supports_agree():
    asked = {sigla for need in requirements() for sigla in need.siglas}
    assert asked <= set(catalogue())
    assert {"FURIPS", "PDE"} <= set(catalogue())


def test_every_code_has_words_for_a_biller():
    for code, rule in CATALOGO.items():
        assert rule.mensaje.endswith("."), code
        assert rule.que_hacer.endswith("."), code
        assert rule.norma, code
        fields = {
            name for text in (rule.mensaje, rule.que_hacer) for _, name, _, _ in string.Formatter().parse(text) if name
        }
        assert fields <= {"codigo", "contenedor", "numero", "campo", "nit", "dv", "correcto", "suma", "total", "diferencia",
                          "lugares", "rips", "fev", "reglas", "cuv", "ambiente", "servicio", "siglas", "nombre", "pagador",
                          "cuando", "operacion", "otra"}, code  # fmt: skip


# What each defect of the demonstration set must be found as; None: only the payer, or only the date, is special.
DEFECTS = {
    None: None,
    "rechazo_del_portal": None,
    "sin_numero_del_portal": None,
    "rad01_vencido": None,
    "total_fev_rips": "RIPS-TOTAL",
    "cuv_ausente": "CUV-FALTA",
    "soporte_ausente": "SOPORTES-NINGUNO",
    "nit_dv": "NIT-DV-EMISOR",
    "cuv_ajeno": "CUV-NUMERO",
    "cufe_forma": "CUFE-FORMA",
    "suma_lineas": "SUMA-LINEAS",
    "xml_truncado": "FEV-FALTA",
    "pdf_falso": "SOPORTES-NINGUNO",
}


def test_the_demonstration_set_is_judged_as_it_was_meant():
    seen = set()
    for built in generate(seed=5, packages=60, hoy=date(2026, 11, 20)):
        facts: dict[str, object] = {}
        supports = []
        for path, content in built.contents.items():
            for piece in recognise(content, path.name).pieces:
                for name in ("fev", "rips", "cuv"):
                    if getattr(piece, name) is not None:
                        facts[name] = getattr(piece, name)
                if piece.soporte is not None:
                    supports.append(piece.soporte)
        found = check(Hechos(soportes=tuple(supports), **facts))  # type: ignore[arg-type]
        defect = built.package.defect
        seen.add(defect)
        expected = DEFECTS[defect]
        assert codes(found, Severidad.BLOQUEO) == ({expected} if expected else set()), (defect, found)
    assert seen == set(DEFECTS)
