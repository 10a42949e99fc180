"""Which answer belongs to which item of a P2 account: exactly one, or nothing is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.contract import AnswerItem
from bots.portals.base import Halt
from bots.portals.p2_items import Reply, Row, batches, portal_type, replies, rows_of

ROW = Row("901", "890201", "TA0201", "10.00", "SIN RESPUESTA", "", "", "")
ITEM = AnswerItem("RE9901", "No procede", "10.00", codigo="TA0201", servicio="890201")


def _code(items: list[AnswerItem], rows: list[Row], limit: int = 500) -> str:
    with pytest.raises(Halt) as caught:
        replies(items, rows, limit=limit, types={})
    return caught.value.code


def test_equal_items_take_equal_answers_in_their_order() -> None:
    rows = [ROW, replace(ROW, id="902")]
    found = replies([ITEM, replace(ITEM, texto="Otra")], rows, limit=500, types={})
    assert [(one.row.id, one.texto) for one in found] == [("901", "NO PROCEDE"), ("902", "OTRA")]


def test_a_lifted_item_needs_no_answer() -> None:
    assert len(replies([ITEM], [ROW, replace(ROW, id="902", estado="LEVANTADA")], limit=500, types={})) == 1


@pytest.mark.parametrize(
    ("items", "rows", "code"),
    [
        ([ITEM], [ROW, replace(ROW, id="902")], "item_ambiguo"),
        ([ITEM], [replace(ROW, servicio="903841")], "item_ambiguo"),
        ([replace(ITEM, id="7", codigo=None)], [ROW], "item_no_existe"),
        ([replace(ITEM, id="901", valor="11.00")], [ROW], "valor_distinto"),
        ([replace(ITEM, id="7", valor="11.00")], [ROW], "item_ambiguo"),
        ([ITEM], [ROW, replace(ROW, id="902", codigo="FA0802")], "falta_respuesta"),
        ([ITEM], [ROW, ROW], "item_ambiguo"),
        ([ITEM], [replace(ROW, estado="RESPONDIDA", tipo="999", texto="OTRA")], "respondida_distinta"),
        ([replace(ITEM, texto="x" * 501)], [ROW], "texto_largo"),
        ([replace(ITEM, tipo="RE1")], [ROW], "tipo_sin_equivalencia"),
    ],
)
def test_what_is_not_certain_is_not_written(items: list[AnswerItem], rows: list[Row], code: str) -> None:
    assert _code(items, rows) == code


def test_a_draft_is_ours_only_with_code_text_and_file() -> None:
    written = replace(ROW, estado="RESPONDIDA", tipo="999", texto="NO\r\nPROCEDE", archivo="a.pdf")
    assert Reply(written, "999", "NO PROCEDE", "a.pdf").written
    assert not Reply(written, "999", "NO PROCEDE", "").written
    assert not Reply(written, "996", "NO PROCEDE", "a.pdf").written
    assert not Reply(replace(written, estado="SIN RESPUESTA"), "999", "NO PROCEDE", "a.pdf").written


def test_mass_answers_go_in_batches_of_equals() -> None:
    pending = [Reply(replace(ROW, id=str(n)), "999", "A" if n < 5 else "B", "") for n in range(6)]
    assert [len(batch) for batch in batches(pending, limit=2, mass=True)] == [2, 2, 1, 1]
    assert [len(batch) for batch in batches(pending, limit=2, mass=False)] == [1] * 6


def test_the_payers_code_comes_from_the_profile_then_from_the_norm() -> None:
    assert portal_type("RE9702", {}) == "997"
    assert portal_type("RE9702", {"RE9702": "12"}) == "12"
    assert portal_type("999", {}) == "999"


def test_a_table_without_a_column_is_another_page() -> None:
    with pytest.raises(Halt):
        rows_of([{"Id Glosa": "1"}])
