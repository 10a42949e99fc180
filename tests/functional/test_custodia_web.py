"""Integridad and Sellos: what was found is shown to who may see it, asked for, and told in a report."""

from __future__ import annotations

import pytest
from pypdfium2 import PdfDocument

from radica.custodia.backends import open_store
from radica.custodia.check_models import Gravedad, HallazgoCustodia, TipoHallazgo
from radica.custodia.sellos import seal_heads
from radica.custodia.verificar import NOCTURNA, run, start
from radica.custodia.verificar_base import Alcance
from radica.jobs.models import Job
from radica.users.models import Rol
from tests import factories
from tests.factories import NOW
from tests.plugins.web import House


@pytest.fixture
def verified(house: House) -> int:
    """Verify a house with one invoice under a seal, and add what two providers and the whole house would be told."""
    house.clock.at = NOW
    with house.database.write() as session:
        factories.factura(session, factories.prestador(session), factories.pagador(session))
        seal_heads(session, at=NOW)
    number = start(house.database, Alcance(), origen=NOCTURNA, actor="reloj", at=NOW)
    ended = run(house.database, open_store(house.settings), number, clock=house.clock)
    assert ended.limpia
    return number


def found(house: House, number: int, provider: int | None, what: str) -> None:
    with house.database.write() as session:
        row = HallazgoCustodia(
            verificacion_id=number, prestador_id=provider, tipo=TipoHallazgo.ALTERADO, gravedad=Gravedad.GRAVE,
            objeto=what, esperado="a" * 64, hallado="b" * 64, detalle="Sus bytes no son los que se sellaron.", at=NOW,
        )  # fmt: skip
        session.add(row)


def words(data: bytes) -> str:
    with PdfDocument(data) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_a_clean_night_says_so_and_its_report_says_what_it_does_not_prove(house: House, verified: int) -> None:
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA)
    auditor.open("/custodia")
    assert "Nada que decir" in auditor.text
    assert f"Verificación {verified}" in auditor.text
    report = auditor.raw("GET", f"/custodia/informe/{verified}.pdf")
    assert report.mimetype == "application/pdf"
    text = words(report.data)
    assert "No se halló nada grave" in text
    assert "Qué no prueba" in text
    assert "Sin estampa de tiempo" in text
    assert report.data == auditor.raw("GET", f"/custodia/informe/{verified}.pdf").data


def test_each_provider_sees_its_own_findings_and_those_of_the_house(house: House, verified: int) -> None:
    mine, other = house.provider(), house.provider("IPS del Sur")
    found(house, verified, mine, "factura:901")
    found(house, verified, other, "factura:902")
    found(house, verified, None, "sello:1")
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA, provider=mine)
    auditor.open("/custodia")
    assert "factura:901" in auditor.text
    assert "sello:1" in auditor.text
    assert "factura:902" not in auditor.text
    text = words(auditor.raw("GET", f"/custodia/informe/{verified}.pdf").data)
    assert "Se hallaron 2 cosas graves" in text
    assert "factura:902" not in text


def test_the_verification_of_another_providers_invoice_is_not_listed(house: House, verified: int) -> None:
    other = house.provider("IPS del Sur")
    scope = Alcance(factura="SECRETA1", prestador_id=other, casos=("factura:1",))
    hidden = start(house.database, scope, origen=NOCTURNA, actor="reloj", at=NOW)
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA)
    auditor.open("/custodia")
    assert "SECRETA1" not in auditor.text
    assert f"Verificación {verified}" in auditor.text
    assert auditor.raw("GET", f"/custodia?verificacion={hidden}").status_code == 404
    assert auditor.raw("GET", f"/custodia/informe/{hidden}.pdf").status_code == 404


def test_asking_orders_one_and_shows_how_it_goes(house: House, verified: int) -> None:
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA)
    auditor.open("/custodia")
    auditor.fill("/custodia/verificar")
    assert f"verificacion={verified + 1}" in auditor.path or "En curso" in auditor.text
    auditor.open("/custodia")
    auditor.fill("/custodia/verificar")
    with house.database.read() as session:
        jobs = session.query(Job).where(Job.kind == "verificar_custodia_pedida").all()
        assert [one.payload for one in jobs] == [{"verificacion": verified + 1}]
    assert "de unas" in auditor.raw("GET", f"/custodia/avance/{verified + 1}").text


def test_who_bills_does_not_see_it_and_who_directs_does_not_ask(house: House, verified: int) -> None:
    biller = house.entered("fac@norte.example", Rol.FACTURACION)
    assert biller.raw("GET", "/custodia").status_code == 403
    director = house.entered("dir@norte.example", Rol.DIRECCION)
    director.open("/custodia")
    assert "Verificar ahora" not in director.text


def test_the_seals_say_root_and_that_no_authority_stamped_them(house: House, verified: int) -> None:
    auditor = house.entered("aud@norte.example", Rol.AUDITORIA)
    auditor.open("/custodia/sellos")
    assert "sin estampa" in auditor.text
    assert verified
