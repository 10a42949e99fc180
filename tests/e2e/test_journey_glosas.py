"""The whole way of a glosa, as people walk it: from the payer's mail to a signed acta, through pages, bot and portal.

The portal's ledger counts what the payer received, the database what became of the money; all clicks and typing are
the page's, and nothing is imitated.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from radica.conciliacion.models import Conciliacion
from radica.conciliacion.states import EstadoConciliacion
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.kernel.clock import bogota, civil_date
from tests.plugins.bots import pdf
from tests.plugins.web_chromium import entered, follow, leaving
from tests.plugins.whole_way import LINES, TOTAL, Journey

TA, SO, FA, CHEAP = (one.numero for one in LINES)
"""The four lines: the last one costs least, and the payer will lift it first."""


def mail_of(who: str) -> str:
    """Return how a person of the stage enters."""
    return f"{who}@ips.example"


def test_from_the_payers_mail_to_a_signed_acta(browser: Browser, journey: Journey, tmp_path: Path) -> None:
    with entered(browser, journey.url, mail_of("berta")) as head:
        two_people_from(head, "40.000")
    journey.mail_comes()
    journey.work()
    assert journey.money() == (0, 0, TOTAL)
    with entered(browser, journey.url, mail_of("ana")) as ana, entered(browser, journey.url, mail_of("berta")) as berta:
        finds_the_day(ana, journey)
        answers_the_first_round(ana)
        approves(berta, "La cantidad consta")
        presents(ana, journey, answers=4)
        assert journey.counts() == (0, 4, 1, 0)
        assert states(journey) == dict.fromkeys((TA, SO, FA, CHEAP), EstadoGlosa.RESPONDIDA)
        loads_the_decision(ana, journey, journey.decides(tmp_path, [CHEAP]))
        again = dict.fromkeys((TA, SO, FA), EstadoGlosa.EN_SUBSANACION)
        assert states(journey) == again | {CHEAP: EstadoGlosa.LEVANTADA_TOTAL}
        assert journey.money() == (0, LINES[3].valor, TOTAL - LINES[3].valor)
        answers_the_second_round(ana)
        approves(berta, "Se insiste")
        presents(ana, journey, answers=3)
        assert journey.counts() == (0, 7, 2, 0)
        assert states(journey) == dict.fromkeys((TA, SO, FA), EstadoGlosa.SUBSANADA) | {
            CHEAP: EstadoGlosa.LEVANTADA_TOTAL
        }
        said = journey.decides(tmp_path, [])
        records_the_decision(ana, journey, tmp_path)
        loads_the_decision(ana, journey, said)
        assert states(journey) == dict.fromkeys((TA, SO, FA), EstadoGlosa.DEFINITIVA) | {
            CHEAP: EstadoGlosa.LEVANTADA_TOTAL
        }
        assert journey.money() == (0, LINES[3].valor, TOTAL - LINES[3].valor)
        convenes(ana, journey)
        works_the_table(ana)
        paper = closes_the_table(ana, tmp_path)
        signs(ana, journey, paper)
        sees_what_is_left(ana, journey)


def states(journey: Journey) -> dict[str, EstadoGlosa]:
    """Return the state of each line."""
    return {number: row.estado for number, row in journey.glosas().items()}


def two_people_from(page: Page, amount: str) -> None:
    """The head says from which amount a second person looks."""
    follow(page, page.get_by_role("link", name="Glosas", exact=True).first)
    follow(page, page.get_by_role("link", name="Reglas"))
    page.get_by_label("Dos personas desde").fill(amount)
    follow(page, page.get_by_role("button", name="Guardar"))
    expect(page.get_by_label("Dos personas desde")).to_have_value(amount)


def finds_the_day(page: Page, journey: Journey) -> None:
    """She sees the lines on Hoy with the days left, what came under Notificaciones, and the tray."""
    follow(page, page.get_by_role("link", name="Hoy", exact=True))
    today = page.locator(".hoy-glosas")
    expect(today).to_contain_text("4 sin responsable")
    expect(today).to_contain_text(re.compile(r"15 días hábiles"))
    follow(page, page.get_by_role("link", name="Por responder al pagador"))
    follow(page, page.get_by_role("link", name="Notificaciones", exact=True).first)
    page.keyboard.press("j")
    with leaving(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/notificaciones/*")
    follow(page, page.get_by_role("link", name="Ver en la bandeja sus líneas por responder"))
    rows = page.locator("table[data-rows] tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("15 días")


def answers_the_first_round(page: Page) -> None:
    """She works down the tray with the keyboard: attach, write, done, next."""
    page.keyboard.press("j")
    with leaving(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/glosas/glosa/*")
    for code, words in (
        ("FA0801", "La cantidad consta en el registro de administración."),
        ("TA0801", ""),
        ("SO0801", "El resultado se entregó con la factura y se adjunta de nuevo."),
        ("TA0801", ""),
    ):
        expect(page.get_by_role("heading", level=1)).to_contain_text(code)
        page.keyboard.press("e")
        page.keyboard.press("Space")
        if words:
            page.keyboard.press("r")
            page.keyboard.type(words)
            with leaving(page):
                page.keyboard.press("Control+Enter")
        else:
            uses_the_template(page)
            follow(page, page.get_by_role("button", name="Aprobar y seguir"))
        expect(page.locator("#avisos")).to_contain_text(
            "espera la aprobación" if code == "FA0801" else "quedó aprobada"
        )


def uses_the_template(page: Page) -> None:
    """She takes the text of the house and fills what it leaves open; unfilled it is not taken."""
    page.locator(".apoyo-plantilla", has_text="Tarifa: es la del acuerdo").get_by_role("button", name="Usar").click()
    text = page.get_by_label("Respuesta", exact=True)
    offered = text.input_value()
    assert "{contrato}" in offered
    follow(page, page.get_by_role("button", name="Aprobar y seguir"))
    expect(page.get_by_text("variable sin llenar").first).to_be_visible()
    text.fill(offered.replace("{contrato}", "EVENTO-2026").replace("{clausula}", "cláusula quinta"))


def approves(page: Page, words: str) -> None:
    """The second person finds on Hoy what waits for her, reads it and approves."""
    follow(page, page.get_by_role("link", name="Hoy", exact=True))
    follow(page, page.locator(".hoy-tareas").get_by_role("link", name=re.compile("aprobar respuesta")))
    row = page.locator("table[data-rows] tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("FA0801")
    follow(page, row.get_by_role("link").first)
    expect(page.locator("#respuesta .glosa-texto")).to_contain_text(words)
    follow(page, page.get_by_role("button", name="Aprobar", exact=True))
    expect(page.locator("#avisos")).to_contain_text("quedó aprobada")


def presents(page: Page, journey: Journey, answers: int) -> None:
    """She hands the answers of the invoice to the bot, and sees what it did."""
    follow(page, page.get_by_role("link", name="Glosas", exact=True).first)
    follow(page, page.get_by_role("link", name="Por presentar"))
    page.keyboard.press("j")
    with leaving(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/presentar/*")
    page.get_by_role("button", name="Presentar por el bot").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{answers} respuestas")
    follow(page, page.get_by_role("button", name="Continuar"))
    page.wait_for_url("**/radicacion/**")
    journey.work()
    page.reload()
    expect(page.locator("#estado")).to_contain_text("recibió la respuesta")


def typed(journey: Journey) -> str:
    """Return this moment in Colombia as a field of date and time takes it."""
    return f"{bogota(journey.house.clock()):%Y-%m-%dT%H:%M:%S}"


def loads_the_decision(page: Page, journey: Journey, path: Path) -> None:
    """What the payer decided comes as a file and is loaded on its page."""
    follow(page, page.get_by_role("link", name="Glosas", exact=True).first)
    follow(page, page.get_by_role("link", name="Cargar notificación").first)
    page.get_by_label("Archivos").set_input_files(path)
    page.get_by_label("Recibida el").fill(typed(journey))
    follow(page, page.get_by_role("button", name="Cargar"))
    page.wait_for_url("**/notificaciones*")
    journey.work()
    page.reload()
    follow(page, page.locator("table[data-rows] tbody tr").first.get_by_role("link").first)
    expect(page.locator(".cifras")).to_contain_text("Decisión aplicada")


def answers_the_second_round(page: Page) -> None:
    """The line that our text won offers it for its equal; the others are written."""
    follow(page, page.get_by_role("link", name="Hoy", exact=True))
    follow(page, page.get_by_role("link", name="Por responder al pagador"))
    page.keyboard.press("j")
    with leaving(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/glosas/glosa/*")
    for code in ("FA0801", "TA0801", "SO0801"):
        expect(page.get_by_role("heading", level=1)).to_contain_text(code)
        expect(page.get_by_role("heading", level=1)).to_contain_text("ronda 2")
        expect(page.get_by_label("Respuesta", exact=True)).to_have_value("")
        page.keyboard.press("e")
        page.keyboard.press("Space")
        if code == "TA0801":
            expect(page.get_by_text("levantada en 1 de 1")).to_be_visible()
            page.keyboard.press("u")
            expect(page.get_by_label("Respuesta", exact=True)).to_have_value(re.compile("EVENTO-2026"))
            page.keyboard.press("End")
        else:
            page.keyboard.press("r")
        page.keyboard.type(" Se insiste: la prueba de la ronda anterior no fue controvertida.")
        with leaving(page):
            page.keyboard.press("Control+Enter")
        expect(page.locator("#avisos")).to_contain_text(
            "espera la aprobación" if code == "FA0801" else "quedó aprobada"
        )


def records_the_decision(page: Page, journey: Journey, folder: Path) -> None:
    """One line's decision comes by letter: she records it with its proof."""
    letter = folder / "carta.pdf"
    letter.write_bytes(pdf("Se ratifica la glosa"))
    follow(page, page.get_by_role("link", name="Glosas", exact=True).first)
    with leaving(page):
        page.get_by_label("Turno").select_option("pagador")
    follow(page, page.locator("table[data-rows] tbody tr", has_text="SO0801").get_by_role("link").first)
    page.get_by_text("El pagador decidió").click()
    page.get_by_label("La ratificó").check()
    page.locator("#decision-fecha").fill(typed(journey))
    page.locator("#decision-motivo").fill("Ratifica: no acepta el resultado aportado.")
    page.locator("#decision-pruebas").set_input_files(letter)
    follow(page, page.get_by_role("button", name="Registrar la decisión"))
    expect(page.locator("#avisos")).to_contain_text("Quedó registrada la decisión del pagador")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Definitiva")


def convenes(page: Page, journey: Journey) -> None:
    """What stays in dispute goes to a meeting with the payer."""
    follow(page, page.get_by_role("link", name="Conciliación", exact=True).first)
    follow(page, page.get_by_role("link", name="Convocar", exact=True).last)
    page.get_by_role("button", name="Convocar con 3 líneas").click()
    follow(page, page.get_by_role("button", name="Continuar"))
    page.wait_for_url(re.compile(r"/conciliacion/\d+"))
    page.get_by_label("Fecha y hora de la reunión").fill(typed(journey))
    page.get_by_label("Lugar o enlace").fill("Sala de conciliaciones")
    for turn, (name, side) in enumerate((("Ana Prueba", "prestador"), ("Carlos Pagador", "pagador")), 1):
        page.get_by_label(f"Nombre del asistente {turn}").fill(name)
        page.get_by_label(f"Cargo del asistente {turn}").fill("Coordinación")
        page.get_by_label(f"Por quién viene el asistente {turn}").select_option(side)
    follow(page, page.get_by_role("button", name="Guardar", exact=True))


def works_the_table(page: Page) -> None:
    """One line is lifted, of one a part is accepted, one stays."""
    follow(page, page.get_by_role("link", name="Trabajar la mesa"))
    number = "CCP50104"
    page.get_by_label(f"Levanta, factura {number}, TA0801").fill("38.820")
    page.get_by_label(f"Acepta, factura {number}, SO0801").fill("10.000")
    expect(page.get_by_label(f"Sigue, factura {number}, SO0801")).to_have_value("27.430")
    with leaving(page):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#avisos")).to_contain_text("guard")


def closes_the_table(page: Page, folder: Path) -> Path:
    """The table closes, and the acta to sign is downloaded."""
    follow(page, page.get_by_role("link", name=re.compile(r"^N\.º")))
    page.get_by_role("button", name="Cerrar la mesa y hacer el acta").click()
    follow(page, page.get_by_role("button", name="Continuar"))
    expect(page.locator("#avisos")).to_contain_text("Quedó lista el acta")
    with page.expect_download() as started:
        page.get_by_role("link", name="Acta para firmar").click()
    paper = folder / "acta.pdf"
    started.value.save_as(paper)
    assert paper.read_bytes().startswith(b"%PDF-")
    return paper


def signs(page: Page, journey: Journey, paper: Path) -> None:
    """The acta comes back with its signatures."""
    signed = paper.with_name("acta firmada.pdf")
    signed.write_bytes(paper.read_bytes() + b"\n% firmada por las dos partes\n")
    page.get_by_label("Fecha de la firma").fill(civil_date(journey.house.clock()).isoformat())
    page.get_by_label("Acta firmada").set_input_files(signed)
    page.get_by_role("button", name="Registrar la firma").click()
    follow(page, page.get_by_role("button", name="Continuar"))
    expect(page.locator("#avisos")).to_contain_text("Quedó firmada")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Con acuerdo parcial")
    with journey.house.db.read() as session:
        assert session.scalars(select(Conciliacion.estado)).all() == [EstadoConciliacion.CON_ACUERDO_PARCIAL]
    assert states(journey) == {
        TA: EstadoGlosa.CONCILIADA,
        SO: EstadoGlosa.DEFINITIVA,
        FA: EstadoGlosa.DEFINITIVA,
        CHEAP: EstadoGlosa.LEVANTADA_TOTAL,
    }
    assert journey.money() == (10_000, 38_820 + 14_060, 27_430 + 40_620)


def sees_what_is_left(page: Page, journey: Journey) -> None:
    """The credit note waits on Tareas; the history of its line tells each act, newest first, with its evidence."""
    follow(page, page.get_by_role("link", name="Hoy", exact=True))
    follow(page, page.locator(".hoy-tareas").get_by_role("link", name=re.compile("nota crédito")))
    task = page.locator("table[data-rows] tbody tr")
    expect(task).to_have_count(1)
    expect(task).to_contain_text("$ 10.000")
    follow(page, task.get_by_role("link").first)
    expect(page.locator(".glosa-hechos")).to_contain_text("$ 27.430 en juego de $ 37.430 glosados")
    story = page.locator("#historia li")
    told = [" ".join(one.split()) for one in story.all_inner_texts()]
    acts = [one for one in told if "evidencia" in one]
    wanted = (
        "Conciliada en acta", "Decisión del pagador la ratifica", "Segunda respuesta presentada código RE9602",
        "Decisión del pagador la ratifica", "Respuesta presentada código RE9602", "Notificada por el pagador",
    )  # fmt: skip
    assert len(acts) == len(wanted), told
    for one, words in zip(acts, wanted, strict=True):
        assert words in one, told
    with journey.house.db.read() as session:
        kinds = session.scalars(select(Acto.tipo).join(Glosa).where(Glosa.numero_glosa == SO).order_by(Acto.id)).all()
        assert all(session.scalars(select(Acto.evidencia)))
        assert set(session.scalars(select(Respuesta.estado))) == {EstadoRespuesta.PRESENTADA}
    assert kinds == [
        TipoActo.NOTIFICACION, TipoActo.RESPUESTA, TipoActo.DECISION, TipoActo.SUBSANACION, TipoActo.DECISION,
        TipoActo.CONCILIACION,
    ]  # fmt: skip
    follow(page, page.locator("#historia").get_by_role("link", name="Conciliada en acta"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Con acuerdo parcial")
