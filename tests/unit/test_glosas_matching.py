"""Matching of lines to invoices and services, and what makes two lines the same objection."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from radica.glosas.fingerprint import Existente, Rasgos, alike, huella, next_ordinal, pair, rasgos
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.glosas.matching import FacturaRef, ItemRef, match_invoice, match_item
from radica.glosas.models import Confianza


def line(factura: str = "FE1001", **more: Any) -> LineaLeida:
    return LineaLeida(
        **{"fila": 2, "tipo": TipoLinea.GLOSA, "codigo": "TA0801", "codigo_original": "TA0801", "valor": 5_000, **more},
        factura=factura,
    )


def invoice(clave: str, id_: int = 1, **more: Any) -> FacturaRef:
    digits = clave.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    facts = {
        "pagador_id": 7, "valor": 100_000, "valor_bruto": 110_000, "expedida": date(2026, 9, 1),
        "radicada": date(2026, 9, 10), "radicado": "R-9", "estado": "radicada", **more,
    }  # fmt: skip
    return FacturaRef(id=id_, numero=clave, clave=clave, digitos=digits, **facts)  # type: ignore[arg-type]


def item(id_: int, codigo: str, **more: Any) -> ItemRef:
    return ItemRef(**{"id": id_, "codigo": codigo, "descripcion": "", "paciente": "1098", "valor": 4_000, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["HUS487523", "HUS0000487523", "hus-487523", "HUS 0487523"])
def test_padding_case_and_separators_do_not_tell_invoices_apart(written: str) -> None:
    found = match_invoice(line(written), [invoice("HUS487523")], 7)
    assert (found.factura and found.factura.numero, found.confianza) == ("HUS487523", Confianza.EXACTA)


def test_a_number_without_prefix_is_the_single_invoice_and_says_so() -> None:
    found = match_invoice(line("487523"), [invoice("HUS487523")], None)
    assert found.factura is not None
    assert found.confianza is Confianza.MEDIA
    assert "sin prefijo" in found.avisos[0]


def test_a_confirmed_number_without_prefix_is_surer() -> None:
    found = match_invoice(line("487523", valor_factura=110_000), [invoice("HUS487523")], 7)
    assert found.confianza is Confianza.ALTA
    assert "por su valor" in found.avisos[0]


def test_a_number_without_prefix_that_the_file_contradicts_is_no_match() -> None:
    found = match_invoice(line("487523", valor_factura=3_000_000), [invoice("HUS487523")], 7)
    assert (found.factura, found.razon) == (None, "factura_dudosa")
    assert [one.numero for one in found.candidatos] == ["HUS487523"]


def test_two_that_fit_equally_are_none() -> None:
    found = match_invoice(line("1001"), [invoice("FE1001", 1), invoice("FV1001", 2)], 7)
    assert (found.factura, found.razon) == (None, "factura_ambigua")
    assert [one.id for one in found.candidatos] == [1, 2]
    assert "FE1001, FV1001" in found.motivo


@pytest.mark.parametrize(
    "said",
    [{"valor_factura": 222}, {"radicado": "r 22"}, {"fecha_factura": date(2026, 9, 2)}],
    ids=lambda one: next(iter(one)),
)
def test_what_the_file_confirms_settles_among_several(said: dict[str, Any]) -> None:
    other = invoice("FV1001", 2, valor=222, valor_bruto=222, radicado="R22", expedida=date(2026, 9, 2))
    found = match_invoice(line("1001", **said), [invoice("FE1001", 1), other], 7)
    assert found.factura is not None
    assert found.factura.id == 2
    assert found.confianza is Confianza.MEDIA


def test_the_payer_settles_among_several() -> None:
    found = match_invoice(line("1001"), [invoice("FE1001", 1, pagador_id=8), invoice("FV1001", 2)], 7)
    assert found.factura is not None
    assert found.factura.id == 2


def test_another_prefix_is_another_invoice() -> None:
    found = match_invoice(line("FX1001"), [invoice("FE1001")], 7)
    assert (found.factura, found.razon) == (None, "factura_desconocida")


def test_the_whole_number_of_another_payers_invoice_is_no_proof_against_a_prefixed_one() -> None:
    rows = [invoice("1001", 1, pagador_id=8), invoice("FE1001", 2, pagador_id=7)]
    assert match_invoice(line("1001"), rows, 7).razon == "factura_ambigua"
    assert match_invoice(line("1001"), rows, 8).factura == rows[0]


@pytest.mark.parametrize("written", ["", "  ", "SIN NUMERO", "F" * 60 + "1"])
def test_what_is_no_number_is_said(written: str) -> None:
    assert match_invoice(line(written), [invoice("FE1001")], 7).razon == "sin_numero"


def test_what_the_file_says_otherwise_lowers_confidence_and_is_said() -> None:
    wrong = line(valor_factura=5, fecha_factura=date(2026, 1, 1), fecha_radicacion=date(2026, 1, 2))
    found = match_invoice(wrong, [invoice("FE1001")], 7)
    assert found.factura is not None
    assert found.confianza is Confianza.ALTA
    assert len(found.avisos) == 3
    assert all("2026" in text or "$" in text for text in found.avisos)


def test_service_by_code_patient_and_value() -> None:
    items = [item(1, "890201"), item(2, "890201", paciente="2000"), item(3, "903841", valor=9)]
    said = {"servicio": "890201", "paciente_documento": "CC 1.098", "valor_servicio": 4_000}
    assert match_item(line(**said), items).confianza is Confianza.EXACTA
    assert match_item(line(servicio="903841"), items).confianza is Confianza.MEDIA
    assert match_item(line(servicio="903841", valor_servicio=9), items).confianza is Confianza.ALTA
    assert match_item(line(servicio="903841", valor_servicio=8), items).confianza is Confianza.MEDIA
    assert match_item(line(servicio="890201", paciente_documento="2000"), items).item == items[1]


def test_two_equal_services_are_none_and_a_value_may_tell_them_apart() -> None:
    items = [item(1, "890201"), item(2, "890201"), item(3, "890201", valor=7)]
    found = match_item(line(servicio="890201"), items)
    assert (found.item, found.confianza) == (None, Confianza.NINGUNA)
    assert "3 servicios iguales" in found.motivo
    assert match_item(line(servicio="890201", valor_servicio=4_000), items).item is None
    assert match_item(line(servicio="890201", valor_servicio=7), items).item == items[2]


def test_service_of_another_patient_is_none() -> None:
    found = match_item(line(servicio="890201", paciente_documento="55"), [item(1, "890201")])
    assert found.item is None
    assert "otro paciente" in found.motivo
    assert "55" not in found.motivo


def test_service_without_code_by_name_or_by_patient_and_value() -> None:
    items = [item(1, "X1", descripcion="Catéter venoso"), item(2, "X2", descripcion="Jeringa", valor=100)]
    assert match_item(line(descripcion_servicio="CATETER  VENOSO"), items).confianza is Confianza.MEDIA
    by_value = match_item(line(paciente_documento="1098", valor_servicio=100), items)
    assert (by_value.item, by_value.confianza) == (items[1], Confianza.BAJA)
    assert match_item(line(), items).motivo == "La línea no dice qué servicio objeta."
    assert "no tiene RIPS" in match_item(line(servicio="1"), []).motivo


# --- The same objection -------------------------------------------------------------------------------------------


def traits(**more: str | None) -> Rasgos:
    given: dict[str, str | None] = {
        "codigo": "TA0801", "numero_glosa": "77", "servicio": "890201", "descripcion": None, "paciente_documento": None,
    }  # fmt: skip
    return rasgos(**{**given, **more})


def test_spelling_does_not_make_another_objection() -> None:
    one, other = traits(), traits(codigo="ta-0801", numero_glosa=" 77 ", servicio="89.02.01")
    assert huella(1, 2, 3, one, 1) == huella(1, 2, 3, other, 1)


def test_the_name_counts_only_without_a_code() -> None:
    assert traits(descripcion="Consulta").clave == traits(descripcion="Otra").clave
    assert traits(servicio=None, descripcion="Consulta").clave != traits(servicio=None, descripcion="Otra").clave


@pytest.mark.parametrize(
    "other", [{"codigo": "TA0802"}, {"numero_glosa": "78"}, {"servicio": "2"}, {"paciente_documento": "5"}],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_each_trait_makes_another_objection(other: dict[str, str]) -> None:
    assert huella(1, 2, 3, traits(), 1) != huella(1, 2, 3, traits(**other), 1)


def test_provider_payer_invoice_and_place_make_another_objection() -> None:
    marks = {huella(*who, traits(), place) for who in [(1, 2, 3), (9, 2, 3), (1, 9, 3), (1, 2, 9)] for place in (1, 2)}
    assert len(marks) == 8


def standing(*values: int) -> list[Existente]:
    return [Existente(index, value, traits()) for index, value in enumerate(values, start=1)]


def kinds(values: list[int], rows: list[Existente]) -> list[str]:
    return [kind.value for kind, _ in pair(values, rows)]


def test_equal_objections_of_one_file_stay_several() -> None:
    assert kinds([100, 100, 100], []) == ["nueva"] * 3
    assert kinds([100, 100, 100], standing(100, 100)) == ["igual", "igual", "nueva"]


def test_another_order_changes_nothing() -> None:
    assert kinds([200, 100], standing(100, 200)) == ["igual", "igual"]


def test_a_value_that_changed_is_seen() -> None:
    assert kinds([150], standing(100)) == ["mayor_valor"]
    assert kinds([60], standing(100)) == ["menor_valor"]
    assert kinds([100, 250], standing(200, 100)) == ["igual", "mayor_valor"]
    assert pair([100, 250], standing(200, 100))[1][1] == standing(200)[0]


def test_an_increase_that_was_loaded_apart_is_no_new_increase() -> None:
    assert kinds([150], standing(100, 50)) == ["igual"]
    assert kinds([151], standing(100, 50)) == ["mayor_valor"]


def test_less_detail_is_not_taken_for_another_objection_in_silence() -> None:
    rows = [Existente(1, 100, traits())]
    assert alike(traits(numero_glosa=None), 100, rows) == rows[0]
    assert alike(traits(numero_glosa=None, servicio=None, descripcion="Consulta"), 100, rows) == rows[0]
    assert alike(traits(numero_glosa=None), 101, rows) is None
    assert alike(traits(numero_glosa="78"), 100, rows) is None
    assert alike(traits(), 100, rows) is None  # equal in all: that is what `pair` is for


def test_the_next_place_is_the_first_free_one() -> None:
    taken = {huella(1, 2, 3, traits(), 1), huella(1, 2, 3, traits(), 3)}
    assert next_ordinal(taken, 1, 2, 3, traits())[0] == 2
