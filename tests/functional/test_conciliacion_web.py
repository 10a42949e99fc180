"""A meeting through its pages: convened, worked on, compared, closed, signed, and who may not."""

from __future__ import annotations

import io

import pytest
import xlsxwriter
from pypdfium2 import PdfDocument
from sqlalchemy import select

from radica.app.handlers.compromisos import check_promises
from radica.conciliacion.models import Compromiso
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.states import EstadoConciliacion
from radica.conciliacion.table import split_of
from radica.custodia.models import Pieza
from radica.facturas.models import Factura
from radica.glosas.acts import decide
from radica.glosas.models import Glosa
from radica.glosas.states import EstadoGlosa
from radica.users.models import Rol
from tests.conciliacion_seed import NOW, Mesa, make_mesa
from tests.functional.conciliacion_pasos import agree_all, attend, convene, lines, send, signed_file, state_of
from tests.functional.navigators import Browser
from tests.plugins.glosas import EVIDENCE, day
from tests.plugins.web import House


@pytest.fixture
def mesa(house: House) -> Mesa:
    house.clock.at = NOW
    return make_mesa(house.database, house.settings.store.parent)


@pytest.fixture
def ana(house: House, mesa: Mesa) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=mesa.prestador_id)


def test_from_the_list_to_the_signed_acta(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    assert "La fecha y hora de la reunión." in ana.text
    attend(ana, number)
    agree_all(house, ana, number)
    ana.open(f"/conciliacion/{number}")
    assert "La mesa está completa" in ana.text
    ana.fill(
        f"/conciliacion/{number}/compromisos",
        **{"compromiso-fecha": "2026-11-30", "compromiso-valor": "10.000", "compromiso-nota": "Primer giro"},
    )
    assert "$ 10.000" in ana.text
    ana.fill(f"/conciliacion/{number}/celebrar")
    assert "Celebrada, por firmar" in ana.text
    document = PdfDocument(ana.raw("GET", f"/conciliacion/{number}/acta.pdf").get_data())
    text = " ".join(document[index].get_textpage().get_text_range() for index in range(len(document)))
    document.close()
    assert "BORRADOR" not in text
    with house.database.read() as session:
        total = sum((split_of(one) for one in lines(house, number)), Reparto())
        assert f"{total.levantado // 100:,}".replace(",", ".") in text
        for glosa_id in mesa.glosas:
            assert session.get_one(Factura, session.get_one(Glosa, glosa_id).factura_id).numero in text
    ana.open(f"/conciliacion/{number}")
    ana.fill(f"/conciliacion/{number}/firmar", **{"firmar-fecha": "2026-11-19", "firmar-pruebas": signed_file()})
    assert "Con acuerdo total" in ana.text, ana.text
    row = state_of(house, number)
    assert row.estado is EstadoConciliacion.CON_ACUERDO_TOTAL
    with house.database.read() as session:
        assert {session.get_one(Glosa, one).estado for one in mesa.glosas} == {EstadoGlosa.CONCILIADA}
        piece = session.scalars(select(Pieza).where(Pieza.clase == "acta_firmada")).one()
        assert piece.sha256 == row.acta_firmada_sha256
    house.clock.at = day(12, 2)
    ana = _again(house)
    ana.open("/conciliacion?compromisos=incumplidos")
    assert "1 incumplido" in ana.text
    assert check_promises(house.database, house.clock()) == 1
    ana.open("/tareas")
    (link,) = ana.tree().xpath("//a[contains(@href, '/compromisos/')]/@href")
    ana.open(link)
    assert ana.path == f"/conciliacion/{number}"
    assert "no llegó" in ana.text
    with house.database.read() as session:
        promise = session.scalars(select(Compromiso.id)).one()
    send(
        ana,
        f"llego-{promise}",
        **{"llego-valor": "9.999", "llego-fecha": "2026-12-01", "llego-pruebas": signed_file("pago")},
    )
    assert ana.status == 422
    assert "no está cumplido" in ana.text
    send(
        ana,
        f"llego-{promise}",
        **{"llego-valor": "10.000", "llego-fecha": "2026-12-01", "llego-pruebas": signed_file("pago")},
    )
    assert "cumplido" in ana.text
    assert ana.status == 200
    assert not ana.open("/tareas").get_data(as_text=True).count("/compromisos/")


def _again(house: House) -> Browser:
    """Enter anew: the session of two weeks ago is over."""
    browser = house.browser()
    browser.log_in("ana@norte.example", "cuatro palabras que nadie junta")
    return browser


def test_two_people_on_the_table(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    house.person("luis@norte.example", {mesa.prestador_id: (Rol.CARTERA,)}, nombre="Luis")
    luis = house.browser()
    luis.log_in("luis@norte.example", "cuatro palabras que nadie junta")
    first, second, third = lines(house, number)
    address = f"/conciliacion/{number}/mesa"
    ana.open(address)
    luis.open(address)
    send(ana, "mesa", **{f"lev-{first.id}": "1.000", f"nota-{first.id}": "se acordó"})
    send(
        luis,
        "mesa",
        **{
            f"lev-{first.id}": "2.000", f"nota-{first.id}": "lo mío",
            f"ace-{second.id}": "3.000,50",
            f"lev-{third.id}": "mil",
        },
    )  # fmt: skip
    assert luis.status == 422
    assert "2 líneas no se guardaron" in luis.text
    assert "Otra persona cambió esta línea" in luis.text
    assert "No se entiende el valor" in luis.text
    tree = luis.tree()
    # What was typed is still there, and beside it what stands now.
    assert tree.xpath(f"//input[@name='lev-{first.id}']/@value") == ["2.000"]
    assert tree.xpath(f"//input[@name='nota-{first.id}']/@value") == ["lo mío"]
    assert tree.xpath(f"//input[@name='lev-{third.id}']/@value") == ["mil"]
    assert "Ahora dice: levantado $ 1.000" in luis.text
    now = lines(house, number)
    assert split_of(now[0]) == Reparto(100_000, 0, first.en_disputa - 100_000)
    assert now[0].nota == "se acordó"
    assert split_of(now[1]) == Reparto(0, 300_050, second.en_disputa - 300_050)
    send(luis, "mesa", **{f"lev-{third.id}": ""})  # he looked at both and insists on the first
    assert luis.status == 200
    assert split_of(lines(house, number)[0]).levantado == 200_000


def test_percentages_from_the_table_and_from_the_simulator(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    ana.open(f"/conciliacion/{number}/mesa?codigo=TA0801")
    ana.fill(f"/conciliacion/{number}/mesa/codigo", levanta="33,5", acepta="50 %")
    assert "Cambió una línea" in ana.text
    (line,) = [one for one in lines(house, number) if one.levantado]
    assert split_of(line) == Reparto(837_500, 1_250_001, 412_500)
    ana.open(f"/conciliacion/{number}/simulador?a-FA0201=100&l-SO3401=10")
    assert "$ 10.000" in ana.text  # all of FA0201
    before = [split_of(one) for one in lines(house, number)]
    ana.open(f"/conciliacion/{number}/simulador?a-FA0201=100&l-SO3401=101")
    assert "Un porcentaje va de 0 a 100" in ana.text
    assert [split_of(one) for one in lines(house, number)] == before
    ana.open(f"/conciliacion/{number}/simulador?a-FA0201=100&l-SO3401=10")
    assert not ana.tree().xpath("//form[@id='simular']//input[@name='csrf_token']")  # it would stand in the address
    send(ana, "llevar")
    assert "Cambiaron 2 líneas de la mesa" in ana.text


def book(rows: list[list[object]]) -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return io.BytesIO(out.getvalue()), "Cartera EPS.xlsx"


def test_both_ledgers(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    with house.database.read() as session:
        first, second = (session.get_one(Factura, one).numero for one in mesa.facturas[:2])
    address = f"/conciliacion/{number}/libro"
    ana.open(address)
    send(ana, "libro", archivo=book([["Nombre", "Ciudad"], ["x", "y"]]))
    assert ana.status == 422
    assert "«Nombre», «Ciudad»" in ana.text
    send(
        ana,
        "libro",
        archivo=book(
            [
                ["No. Factura", "Valor factura", "Valor glosa", "Estado"],
                [first, 100_000, 10_000, "Ratificada"],
                [second, 100_000, 5, "Levantada"],
                ["OTRA-77", 5_000, 500, "Ratificada"],
            ]
        ),
    )
    assert "Se leyeron 3 filas. De 4 facturas, 1 son iguales" in ana.text, ana.text
    ana.open(address + "?diferencia=glosa%2Bestado")
    assert second in ana.text
    assert "ellos levantada, nosotros en disputa" in ana.text
    ana.open(address + "?diferencia=no_es_nuestra")
    assert "OTRA-77" in ana.text
    ana.open(address + "?diferencia=iguales")
    assert first in ana.text
    rows = ana.tree().xpath("//table[1]/tfoot//td")
    assert rows[1].text_content().strip() == "4"
    ana.raw("GET", address + "?diferencia=glosa&desde=-5")
    assert ana.status == 200


def test_a_decision_that_arrives_meanwhile_is_named_and_mended(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    attend(ana, number)
    agree_all(house, ana, number)
    ana.open(f"/conciliacion/{number}")
    ana.fill(f"/conciliacion/{number}/celebrar")
    with house.database.write() as session:
        row = session.get_one(Glosa, mesa.glosas[0])
        decide(
            session, row, levantado=row.en_disputa, ratificado=False, ocurrido_at=day(11, 17), evidence=[EVIDENCE],
            actor="prueba", at=NOW, motivo="registro_manual",
        )  # fmt: skip
        invoice = session.get_one(Factura, row.factura_id).numero
    ana.open(f"/conciliacion/{number}")
    assert "así no se puede firmar" in ana.text
    ana.fill(f"/conciliacion/{number}/firmar", **{"firmar-fecha": "2026-11-19", "firmar-pruebas": signed_file()})
    assert ana.status == 422
    assert f"FA0201 de la factura {invoice}: ya no está en disputa" in ana.text
    assert state_of(house, number).estado is EstadoConciliacion.CELEBRADA
    ana.fill(f"/conciliacion/{number}/reabrir", **{"reabrir-motivo": "Llegó una decisión"})
    ana.fill(f"/conciliacion/{number}/mesa/actualizar")
    assert "y 1 que salieron" in ana.text
    assert len(lines(house, number)) == 2


def test_the_page_of_yesterday_signs_nothing(house: House, mesa: Mesa, ana: Browser) -> None:
    number = convene(ana)
    attend(ana, number)
    agree_all(house, ana, number)
    ana.open(f"/conciliacion/{number}")
    ana.fill(f"/conciliacion/{number}/celebrar")
    stale = ana.form(f"/conciliacion/{number}/firmar")
    values = dict(stale.form_values())
    ana.fill(f"/conciliacion/{number}/reabrir", **{"reabrir-motivo": "Falta una línea"})
    ana.fill(f"/conciliacion/{number}/celebrar")
    data = {**values, "firmar-fecha": "2026-11-19", "firmar-pruebas": signed_file()}
    ana.raw("POST", f"/conciliacion/{number}/firmar", data=data)
    assert ana.status == 409
    assert state_of(house, number).estado is EstadoConciliacion.CELEBRADA
    ana.open(f"/conciliacion/{number}")
    ana.fill(f"/conciliacion/{number}/firmar", **{"firmar-fecha": "2026-11-19", "firmar-pruebas": signed_file()})
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    again = {"csrf_token": token, "firmar-version": "9", "firmar-fecha": "2026-11-19", "firmar-pruebas": signed_file()}
    ana.raw("POST", f"/conciliacion/{number}/firmar", data=again, follow_redirects=True)
    assert "ya estaba registrada" in ana.text  # a second click is no error
