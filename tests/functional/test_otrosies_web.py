"""Amendments through the page of their contract: written, refused at the field, seen in order, and who may not."""

from __future__ import annotations

from datetime import date

import pytest

from radica.entidades.contratos_models import Contrato, Otrosi
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.functional.test_contratos_web import Deal, deal, dora, load_all, sheet
from tests.plugins.web import House

__all__ = ["deal", "dora"]


def amend(browser: Browser, deal: Deal, **terms: str) -> None:
    """Write an amendment through the form as the page has it."""
    browser.open(deal.page)
    browser.fill(f"{deal.page}/otrosi", **{f"otrosi-{name}": value for name, value in terms.items()})


def history(browser: Browser) -> list[str]:
    """Return the rows of the history, the newest first."""
    return [" ".join(tr.text_content().split()) for tr in browser.tree().xpath("//section[@id='otrosies']//tbody/tr")]


def test_an_amendment_rules_from_its_day_and_the_old_terms_stay_in_sight(deal: Deal, dora: Browser):
    amend(dora, deal, desde="2026-08-01", dias_pago="45", prefijos="8832", nota="Plazo nuevo")
    assert "Quedó registrado el otrosí 1" in dora.text
    assert "45 días calendario" in dora.text
    assert "hoy, por el otrosí 1" in dora.text
    newest, first = history(dora)
    assert newest.startswith(
        "Otrosí 1 rige hoy 1 ago 2026 a sin cierre 45 días pago a 45 días (antes, el término de ley)"
    )
    assert "Plazo nuevo" in newest
    assert first.startswith("Contrato 1 ene 2026 a 31 jul 2026 el de ley")
    assert not dora.tree().xpath(f"//form[@action='{deal.page}/cerrar']")
    dora.open("/contratos")
    assert "otrosí 1" in dora.text


def test_the_form_comes_with_the_terms_that_it_would_change(deal: Deal, dora: Browser):
    amend(dora, deal, desde="2026-08-01", hasta="2027-03-31", dias_pago="45", prefijos="8832")
    form = dora.form(f"{deal.page}/otrosi")
    told = {name: value.strip() for name, value in form.form_values() if name != "csrf_token"}
    assert told == {
        "otrosi-visto": "1", "otrosi-desde": "", "otrosi-hasta": "2027-03-31", "otrosi-dias_pago": "45",
        "otrosi-cucon": "", "otrosi-prefijos": "8832", "otrosi-nota": "",
    }  # fmt: skip
    assert dora.form(f"{deal.page}/tarifario").xpath(".//input[@name='lista-desde']/@value") == ["2026-08-01"]


@pytest.mark.parametrize(
    ("terms", "field", "words"),
    [
        ({"desde": "", "dias_pago": "45"}, "desde", "Escriba desde cuándo rige"),
        ({"desde": "2026-01-01", "dias_pago": "45"}, "desde", "empieza después que su contrato"),
        ({"desde": "2026-08-01", "hasta": "2026-07-01"}, "hasta", "termina antes de empezar"),
        ({"desde": "2026-08-01", "cucon": "abc"}, "cucon", "El CUCON son 64 caracteres"),
        ({"desde": "2026-08-01"}, "nota", "No cambia ningún término"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, deal: Deal, dora: Browser, terms: dict[str, str], field: str, words: str
):
    amend(dora, deal, **terms)
    assert dora.status == 422
    assert words in dora.tree().xpath(f"string(//*[@id='otrosi-{field}-nota'])")
    assert dora.tree().xpath("//section[@id='otrosies']/details/@open")
    for name, value in terms.items():
        assert dora.tree().xpath(f"//input[@name='otrosi-{name}']/@value") == ([value] if value else [""])
    with house.database.read() as session:
        assert session.query(Otrosi).count() == 0


def test_two_persons_at_once_the_second_looks_first(house: House, deal: Deal, dora: Browser):
    luis = house.entered("luis@norte.example", Rol.ADMINISTRACION, provider=deal.provider)
    luis.open(deal.page)
    amend(dora, deal, desde="2026-08-01", dias_pago="45")
    luis.fill(f"{deal.page}/otrosi", **{"otrosi-desde": "2026-08-01", "otrosi-dias_pago": "60"})
    assert luis.status == 409
    with house.database.read() as session:
        assert [row.dias_pago for row in session.query(Otrosi)] == [45]


def test_a_list_of_the_same_day_stands_beside_its_amendment(deal: Deal, dora: Browser):
    amend(dora, deal, desde="2026-08-01", nota="Tarifas de agosto")
    load_all(dora, deal, sheet(("C1", 890201, "Consulta", 99_000)), desde="2026-08-01")
    assert "lista General v1 desde ese día" in history(dora)[0]


def test_unfiled_invoices_are_judged_by_the_new_terms(house: House, deal: Deal, dora: Browser):
    with house.database.write() as session:
        invoice = session.get_one(Factura, deal.invoice)
        invoice.por_juzgar, invoice.estado = 0, EstadoFactura.LISTA
    amend(dora, deal, desde="2026-08-01", autoriza_todos="y")
    with house.database.read() as session:
        assert session.get_one(Factura, deal.invoice).por_juzgar == 1


@pytest.mark.parametrize("role", [Rol.FACTURACION, Rol.GLOSAS, Rol.CARTERA, Rol.AUDITORIA])
def test_who_only_reads_sees_the_history_and_cannot_write(house: House, deal: Deal, dora: Browser, role: Rol):
    amend(dora, deal, desde="2026-08-01", dias_pago="45")
    eva = house.entered("eva@norte.example", role, provider=deal.provider)
    eva.open(deal.page)
    assert len(history(eva)) == 2
    assert not eva.tree().xpath("//section[@id='otrosies']//form")
    token = eva.tree().xpath("//input[@name='csrf_token']/@value")[0]
    assert eva.raw("POST", f"{deal.page}/otrosi", headers={"X-CSRFToken": token}).status_code == 403


def test_a_contract_that_ended_says_so_by_its_amendment(house: House, deal: Deal, dora: Browser):
    with house.database.write() as session:
        session.get_one(Contrato, deal.contract).hasta = date(2026, 12, 31)
    amend(dora, deal, desde="2026-02-01", hasta="2026-03-31")
    assert "terminado" in dora.text
    assert "1 ene 2026 a 31 mar 2026" in dora.text
