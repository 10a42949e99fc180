"""Every figure of *Comprobaciones* opens the invoices that it counts: as many, of that payer, biller and code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from radica.app.paginas import consultas_comprobadas
from radica.entidades.models import Prestador
from radica.facturas.juicio import encargo_de, registrar
from radica.facturas.models import Factura
from radica.facturas.validacion.modelo import Clase, Hallazgo
from radica.facturas.validacion_models import Validacion
from radica.users.models import Rol
from tests import factories
from tests.functional.navigators import Browser
from tests.functional.test_hallazgos import finding, judged
from tests.plugins.web import House

REJECTED = [finding("RVC900", Clase.RECHAZO), finding("RVC900", Clase.RECHAZO, "usuarios[1]")]
NOTED = [finding("TAR-900", Clase.AVISO), finding("RVC90", Clase.NOTIFICACION)]


def some(house: House, found: Sequence[Sequence[Hallazgo]], facturador: str = "usuario:1") -> Browser:
    """Return a person and, for each list of findings, an invoice first checked with it: half without a payer."""
    ana = house.entered("ana@norte.example", Rol.FACTURACION, provider=(provider := house.provider()))
    with house.database.write() as session:
        owner = session.get_one(Prestador, provider)
        payer = factories.pagador(session)
        for number, ones in enumerate(found):
            row = factories.factura(session, owner, payer, numero=f"FE{number + 1}")
            row.pagador_id = payer.id if number % 2 == 0 else None
            session.add(_verdict(row, ones, facturador if number < 3 else "buzon", house.clock()))
    return ana


def _verdict(row: Factura, found: Sequence[Hallazgo], facturador: str, at: datetime) -> Validacion:
    weights = Counter(one.clase for one in found)
    return Validacion(
        prestador_id=row.prestador_id, factura_id=row.id, pagador_id=row.pagador_id, facturador=facturador, at=at,
        fecha_reglas=at.date(), huella="", completa=True, primera=True, rechazos=weights[Clase.RECHAZO],
        notificaciones=weights[Clase.NOTIFICACION], avisos=weights[Clase.AVISO], no_decidibles=0,
        codigos=dict(Counter(one.codigo for one in found)),
    )  # fmt: skip


def figures(browser: Browser) -> list[tuple[str, str, int]]:
    """Return where each figure of the page leads, of what it is, and how many it says."""
    links = browser.tree().xpath("//main//a[contains(@href, '/comprobaciones/facturas')]")
    found = []
    for a in links:
        number = "".join(a.xpath(".//*[@class='cifra-valor']//text()") or a.xpath(".//text()")).strip()
        if number.isdigit():
            found.append(
                (a.get("href"), "lugares" if "lugares" in a.get("aria-label", "") else "facturas", int(number))
            )
    return found


def test_every_figure_opens_as_many_invoices_as_it_says(any_house: House):
    ana = some(any_house, [REJECTED, NOTED, [*REJECTED, *NOTED], [], []])
    ana.open("/comprobaciones")
    found = figures(ana)
    assert {what for _, what, _ in found} == {"facturas", "lugares"}
    assert len(found) >= 12
    for href, what, count in found:
        ana.open(href)
        assert ana.status == 200
        places = ana.tree().xpath("//tfoot//td[@data-label='Lugares']//text()")
        told = len(ana.tree().xpath("//tbody/tr")) if what == "facturas" else sum(map(int, places))
        assert told == count, href


def test_a_code_opens_its_own_invoices_and_their_places(any_house: House):
    """RVC90 is the beginning of RVC900 and none of its invoices."""
    ana = some(any_house, [REJECTED, NOTED])
    ana.open("/comprobaciones/facturas?codigo=RVC90")
    assert ana.tree().xpath("//tbody/tr/td[1]//text()") == ["FE2"]
    ana.open("/comprobaciones/facturas?codigo=RVC900")
    assert ana.tree().xpath("//tbody/tr/td[1]//text()") == ["FE1"]
    assert ana.tree().xpath("//tfoot//td[@data-label='Lugares']//text()") == ["2"]


def test_a_long_list_comes_in_pages_without_repeating(any_house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consultas_comprobadas, "PAGE", 2)
    ana = some(any_house, [REJECTED, NOTED, REJECTED, NOTED, REJECTED])
    ana.open("/comprobaciones/facturas")
    seen = []
    while True:
        seen += ana.tree().xpath("//tbody/tr/td[1]//text()")
        assert "5 facturas · $ 453.000 en todo el filtro" in ana.text
        after = ana.tree().xpath("//a[@rel='next']/@href")
        if not after:
            break
        ana.open(after[0])
    assert seen == ["FE5", "FE4", "FE3", "FE2", "FE1"]
    ana.open(ana.tree().xpath("//a[@rel='prev']/@href")[0])
    assert ana.tree().xpath("//tbody/tr/td[1]//text()") == ["FE3", "FE2"]


def test_what_was_mended_says_so_and_still_counts(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    with house.database.write() as session:
        row = session.get_one(Factura, factura)
        row.por_juzgar = 1
        assert registrar(session, encargo_de(session, row), [], at=house.clock())
    ana.open("/comprobaciones/facturas?resultado=rechazada")
    (row_text,) = [" ".join(tr.text_content().split()) for tr in ana.tree().xpath("//tbody/tr")]
    assert "1 rechazo" in row_text
    assert "corregida" in row_text


def test_what_waits_is_counted_and_opens(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    ana.open("/comprobaciones/facturas?resultado=esperan")
    assert "Ninguna factura espera" in ana.text
    with house.database.write() as session:
        session.get_one(Factura, factura).por_juzgar = 1
    ana.open("/comprobaciones/facturas?resultado=esperan")
    assert len(ana.tree().xpath("//tbody/tr")) == 1


@pytest.mark.parametrize(
    "query",
    ["pagador=abc", "desde=ayer&hasta=9999-99-99", "despues=abc", "facturador=%25", "codigo=%22%7D", "resultado=x"],
)
def test_a_damaged_address_is_no_failure(house: House, query: str):
    ana = some(house, [REJECTED])
    ana.open(f"/comprobaciones/facturas?{query}")
    assert ana.status == 200


def test_of_another_provider_neither_rows_nor_names_come(house: House):
    some(house, [REJECTED])
    luz = house.entered("luz@sur.example", Rol.FACTURACION, provider=house.provider("IPS del Sur"))
    luz.open("/comprobaciones/facturas?facturador=usuario:1")
    assert not luz.tree().xpath("//tbody/tr")
    assert "Ana" not in luz.tree().xpath("string(//main)")
