"""Steps of a person through the pages of a meeting."""

from __future__ import annotations

import io
from typing import Any

from sqlalchemy import select

from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from tests.conciliacion_seed import MEETING, moment, pdf
from tests.functional.navigators import Browser
from tests.plugins.web import House


def send(browser: Browser, form_id: str, **values: Any) -> None:
    """Fill the form with that id and send it to where it goes; a name that it does not have is an error."""
    (form,) = browser.tree().xpath(f"//form[@id='{form_id}']")
    data = dict(form.form_values()) | values
    assert not values.keys() - {one.get("name") for one in form.xpath(".//input|.//select|.//textarea")}
    browser.raw("POST", form.get("action"), data=data, follow_redirects=True)


def convene(browser: Browser) -> int:
    """Convene with everything of the only payer."""
    browser.open("/conciliacion")
    (link,) = browser.tree().xpath("//a[text()='Convocar' and contains(@href, 'pagador')]/@href")
    browser.open(link)
    assert "Convocar con 3 líneas" in browser.text
    send(browser, "convocar")
    assert browser.status == 200, browser.text
    return int(browser.path.rsplit("/", 1)[1])


def attend(browser: Browser, number: int) -> None:
    """Say when the meeting is and who comes."""
    browser.open(f"/conciliacion/{number}")
    browser.fill(
        f"/conciliacion/{number}/reunion",
        **{"reunion-citada": moment(MEETING), "reunion-lugar": "Bogotá"},
        nombre=["Ana Prueba", "Luis Pagador"],
        cargo=["Glosas", "Auditor"],
        por=["prestador", "pagador"],
    )
    assert browser.status == 200, browser.text


def lines(house: House, number: int) -> list[ConciliacionLinea]:
    with house.database.read() as session:
        rows = session.scalars(
            select(ConciliacionLinea).where(ConciliacionLinea.conciliacion_id == number).order_by(ConciliacionLinea.id)
        )
        return list(rows)


def agree_all(house: House, browser: Browser, number: int) -> None:
    """Lift half and accept the rest of every line, by hand."""
    browser.open(f"/conciliacion/{number}/mesa")
    typed: dict[str, str] = {}
    for line in lines(house, number):
        half = line.en_disputa // 200  # whole pesos
        typed |= {f"lev-{line.id}": str(half), f"ace-{line.id}": "", f"sig-{line.id}": "0"}
    send(browser, "mesa", **typed)
    assert "Se guardaron 3 líneas" in browser.text


def state_of(house: House, number: int) -> Conciliacion:
    with house.database.read() as session:
        return session.get_one(Conciliacion, number)


def signed_file(text: str = "firmada") -> tuple[io.BytesIO, str]:
    return io.BytesIO(pdf(text)), "acta firmada.pdf"
