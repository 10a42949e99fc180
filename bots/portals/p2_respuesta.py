"""Archetype P2, the answer to glosas: open the account from the bag, answer every item, close the account.

Opening assigns the account to our user and each answer is a draft: both may be repeated, and what an item already holds
is read before anything is written again. Only closing gives the payer the answer, once per round; it gives no number
and no document, so what was closed is read back. Profile keys: `limite_texto`, `max_masiva`, `tipos_respuesta` (our
code to the portal's), `dias_bolsa`, `enable_limit_s`, `message_limit_s`, `readback_limit_s`.
"""

import time
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Request

from bots.answer import MAX_TEXT
from bots.browser import named
from bots.contract import AnswerMode, Category, Confidence, FoundFactura, Outcome
from bots.faults import point
from bots.portals import reading
from bots.portals.base import Ending, Halt, person, retry
from bots.portals.p2_items import Reply, Row, batches, replies, rows_of
from bots.portals.p2_login import enter
from bots.portals.p2_trays import BAG, CLOSED, DIALOGS, SUCCESS, Trays
from bots.portals.work import Work, unknown

# -- selectors: all that changes when the portal does
OPEN_BUTTON = "button[idcuenta='{id}']"
BLOCK, ITEMS = "#bloqueCuenta", "#tablaItemsGlosa"
ITEMS_READY = "#tablaItemsGlosa[data-cuenta='{id}'][data-estado='listo']"
REPLY_BUTTON, MODAL = "button[btnanswerglosamodal='{id}']", "#modalRespuesta[data-idglosa='{id}']"
MASS_BUTTON, MASS_MODAL, MASS_ITEMS = "#btnRespuestaMasiva", "#modalMasiva", "#glosaMasItems"
ONE, MASS = ("#glosaResp", "#btnAnswerGlosa"), ("#glosaMas", "#btnAnswerGlosaMasiva")
SHEETS = (("#descargarDetalle", "detalle.xlsx"), ("#descargarGlosas", "glosas.xlsx"))
FINISH, FINISH_ENABLED = "#btRespuestaFinish", "#btRespuestaFinish:not([disabled])"
CONFIRM, ACCEPT = ".swal2-popup:has(.swal2-question) .swal2-confirm", f"{SUCCESS} .swal2-confirm"
ASSIGNED, TAKEN, ALREADY, INCOMPLETE = "asignado la cuenta", "asignada", "ya fue respondida", "sin respuesta"
PAGE_LOAD_LIMIT = 200
"""Items of one mass answer: the portal's list breaks beyond."""
CLOCK_TOLERANCE = timedelta(minutes=2)
PASSES, SESSIONS = 3, 5
"""How often items that did not keep their answer are written again; how many lost sessions one attempt takes."""


class RespuestaGlosas:
    """The P2 bot for answers."""

    name = "p2_respuesta"
    version = "1.0"
    POINT_OF_NO_RETURN = "POST /app/glosas/cuenta/<id>/cerrar, sent by «Sí, Terminar!»"

    def __init__(self, work: Work) -> None:
        assert work.filing.answer is not None
        self.work = work
        self.tab = work.tab
        self.answer = work.filing.answer
        self.factura = work.filing.facturas[0]
        self.trays = Trays(work, self.answer, self.factura)
        self._mass_used = False
        self._before = 0
        self._pdfs: dict[tuple[str, ...], Path] = {}

    def log_in(self) -> None:
        """Enter with code and password."""
        self.work.pilot.progress("Ingresando al portal", 1, 6)
        enter(self.work)

    def prepare(self) -> Ending | None:
        """Open the account and answer its items; an Ending when the payer has this round's answer already."""
        self.work.keep_manifest()
        self._keep_answers()
        self.work.pilot.progress("Buscando la cuenta en la bolsa", 2, 6)
        self.tab.open(CLOSED)
        earlier = self.trays.closings("antes_cerradas")
        tray = self.trays.find()
        if tray is None:
            return self._not_in_bag(earlier)
        self._before = len(self._of_account(earlier))
        self._open(tray)
        self._keep_items("items_before", "items_antes.json", self._rows())
        for link, name in SHEETS:
            self._keep_sheet(link, name)
        self._answer_all()
        self.tab.need(
            FINISH_ENABLED, "Terminar respuesta", within_s=float(self.work.profile.get("enable_limit_s", 120))
        )
        rows = self._rows()
        if any(not reply.written for reply in self._plan(rows)):
            raise retry("respuesta_no_conserva", "El portal cambió una respuesta mientras se habilitaba el cierre.")
        self._keep_items("items_after", "items_despues.json", rows)
        self.work.keep_before(BLOCK, ITEMS)
        return None

    def submit(self) -> Ending:
        """Press «Terminar respuesta», confirm once, read the message, and read back that the account is closed."""
        self.work.pilot.progress("Cerrando la cuenta", 4, 6)
        self.tab.press(FINISH, "Terminar respuesta")
        watch = self.tab.press_once(CONFIRM, "Sí, Terminar!", _closes)
        limit = float(self.work.profile.get("message_limit_s", 20))
        seen = self.tab.wait_answer(DIALOGS, watch, message_limit_s=limit)
        self.work.pilot.progress("Guardando la evidencia", 5, 6)
        element = DIALOGS.get(seen or "")
        text = self.trays.words(element) if element else ""
        self.work.keep_after(element, watch)
        if seen == "success":
            return self._read_back(text)
        if seen == "error" and watch.sent == 1 and watch.response is not None and watch.response.status == 409:
            return self._refused(text)
        self.tab.check_clicked(watch)
        return unknown(watch, text, session_lost=seen == "warning")

    def look_up(self) -> Ending:
        """Ask whether this answer was closed: closed and when, still open with us or in the bag, or it cannot say."""
        self.work.pilot.progress("Consultando en el portal", 2, 3)
        self.tab.open(CLOSED)
        self.work.keep_tls()
        closings = self.trays.closings("consulta")
        self.work.keep_context()
        if any(self._is_later(row) for row in closings):
            return self._known(closings)
        tray = self.trays.find()
        self.trays.picture("consulta_bandeja")
        if tray is not None:
            return Ending(Outcome.ABSENT)
        if closings:
            return self._known(closings)  # its date says that it was not this attempt
        message = "La cuenta no está en la bolsa, ni en pausa, ni respondida: el portal no dice qué pasó con ella."
        return Ending(Outcome.CANNOT_SAY, code="cuenta_no_esta", message=message)

    def _of_account(self, closings: list[dict[str, str]]) -> list[dict[str, str]]:
        return [row for row in closings if row.get("Cuenta") == self.trays.account]

    def _is_later(self, row: dict[str, str]) -> bool:
        """Whether a closing can be the one of this attempt: not before its intent, but for the payer's slow clock."""
        said, intent = reading.moment(row.get("Fecha de cierre", "")), self.work.filing.intent_not_before
        if not said or not intent:
            return True
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=reading.BOGOTA)
        return moment >= datetime.fromisoformat(intent) - CLOCK_TOLERANCE

    # -- finding and opening the account

    def _not_in_bag(self, closings: list[dict[str, str]]) -> Ending:
        if len(closings) >= self.work.filing.round:
            known = self._known(closings)
            return Ending(Outcome.DUPLICATE, text=known.text, fecha=known.fecha)
        raise person(
            "cuenta_no_esta", "La cuenta no está en la bolsa ni en pausa: quizá la tiene un colega o no la han puesto."
        )

    def _open(self, tray: str) -> None:
        """Assign the account to our user and wait for its items; the list of `tray` is on the page."""
        self._mass_used = False
        self.tab.press(OPEN_BUTTON.format(id=self.trays.account), "Abrir")
        self.tab.press(CONFIRM, "Sí, tomar")
        seen, text = self.trays.dialog("asignación de la cuenta")
        if seen == "error" and TAKEN in text.lower():
            raise person("cuenta_tomada", "Otro usuario del prestador tiene abierta la cuenta en el portal.")
        if seen != "success" or ASSIGNED not in text.lower():
            raise retry("cuenta_no_abre", "El portal no abrió la cuenta; se intentará de nuevo.")
        self.tab.press(ACCEPT, "Aceptar")
        ready = ITEMS_READY.format(id=self.trays.account)
        self.trays.ready(ready, "glosas de la cuenta", limit_s=self.tab.step_limit_s)
        self.work.pilot.progress("Cuenta abierta" if tray == BAG else "Cuenta retomada", 2, 6)

    def _reopen(self) -> None:
        """A fresh page with the account open, wherever it stands by now."""
        tray = self.trays.find()
        if tray is None:
            raise retry("cuenta_no_abre", "La cuenta dejó de estar en la bolsa y en pausa mientras se respondía.")
        self._open(tray)

    # -- answering

    def _plan(self, rows: list[Row]) -> list[Reply]:
        return replies(
            self.answer.items,
            rows,
            limit=int(self.work.profile.get("limite_texto", MAX_TEXT)),
            types=self.work.profile.get("tipos_respuesta", {}),
        )

    def _answer_all(self) -> None:
        """Write what is not there yet until every item holds its answer; a lost session is entered again."""
        refusal, passes, sessions = "", 0, 0
        while passes < PASSES:
            try:
                refusal = self._pass() or refusal
                passes += 1
                pending = [reply for reply in self._plan(self._rows()) if not reply.written]
            except Halt as halt:
                sessions += 1
                if halt.code != "sesion_perdida" or sessions > SESSIONS:
                    raise
                enter(self.work)
                self._reopen()
                continue
            if not pending:
                return
        if refusal:
            raise person("respuesta_rechazada", f"El portal no aceptó una respuesta: {refusal[:300]}")
        raise retry("respuesta_no_conserva", "El portal dijo guardar una respuesta y no la conservó.")

    def _pass(self) -> str:
        """Write every answer that is missing. Returns what the portal said of the last one that it refused."""
        pending = [reply for reply in self._plan(self._rows()) if not reply.written]
        mass = self.answer.mode is AnswerMode.MASS
        limit = min(PAGE_LOAD_LIMIT, int(self.work.profile.get("max_masiva", PAGE_LOAD_LIMIT)))
        total, refusal = len(self.answer.items), ""
        done = total - len(pending)
        for batch in batches(pending, limit=limit, mass=mass):
            self.work.pilot.progress("Respondiendo las glosas", done, total)
            said = self._write(batch)
            point("child.drafted")
            if said:
                refusal = said
                self._reopen()  # what the page shows after an error is not trusted
                if not self._still(batch):
                    continue
            done += len(batch)
        return refusal

    def _still(self, batch: list[Reply]) -> bool:
        """Whether the items of a batch hold their answer after all: an answer may be kept and its word lost."""
        ids = {reply.row.id for reply in batch}
        return all(reply.written for reply in self._plan(self._rows()) if reply.row.id in ids)

    def _write(self, batch: list[Reply]) -> str:
        """Answer one item, or several alike. Returns "" when the portal says it saved, else what it said."""
        if len(batch) > 1:
            self._open_mass([reply.row.id for reply in batch])
            prefix, save = MASS
        else:
            self.tab.press(REPLY_BUTTON.format(id=batch[0].row.id), "Responder")
            self.tab.need(MODAL.format(id=batch[0].row.id), "respuesta de la glosa")
            prefix, save = ONE
        reply = batch[0]
        self.tab.choose(prefix + "Tipo", reply.tipo, "tipo de respuesta")
        self.tab.fill(prefix + "Obs", reply.texto, "observación")
        if reply.files:
            self.tab.attach(prefix + "File", [self._pdf(reply.files)], "soporte de la respuesta")
        self.tab.press(save, "Guardar")
        seen, text = self.trays.dialog("respuesta guardada")
        if seen == "success":
            self.tab.press(ACCEPT, "Aceptar")
            return ""
        return text or "sin mensaje"

    def _pdf(self, names: tuple[str, ...]) -> Path:
        """The one PDF of an answer, under the name of its first file; joined once for all items that have it."""
        if names not in self._pdfs:
            by_name = {file.name: file for file in self.factura.files}
            self._pdfs[names] = self.work.single_pdf(self.factura, [by_name[name] for name in names])
        return self._pdfs[names]

    def _open_mass(self, ids: list[str]) -> None:
        if self._mass_used:
            self._reopen()
        self._mass_used = True
        self.tab.press(MASS_BUTTON, "Respuesta masiva")
        self.tab.need(MASS_MODAL, "respuesta masiva")
        try:
            field = self.tab.page.locator(MASS_ITEMS)
            kept = field.select_option(ids, timeout=self.tab.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        if set(kept) != set(ids):
            raise person("campo_no_conserva", "El portal no conservó la lista de ítems de la respuesta masiva.")

    # -- reading the answer of the closing

    def _read_back(self, text: str) -> Ending:
        """The message names no account, so it counts only with the closing that the portal lists."""
        self.tab.open(CLOSED)
        end = time.monotonic() + min(float(self.work.profile.get("readback_limit_s", 6)), self.tab.pilot.remaining())
        closings = self._of_account(self.trays.closings("cierre"))
        while len(closings) <= self._before and time.monotonic() < end:
            self.tab.page.wait_for_timeout(1000)
            closings = self._of_account(self.trays.closings("cierre"))
        if len(closings) <= self._before:
            message = "El portal dijo que cerró la cuenta y no la muestra cerrada. Se consultará."
            return Ending(Outcome.UNKNOWN, code="cierre_sin_confirmar", message=message, text=text)
        known = self._known(closings)
        self.work.keep_radicado(
            radicado=None, cuenta=self.trays.account, fecha=known.fecha, texto=text, cierre=known.text
        )
        return Ending(
            Outcome.ACCEPTED, fecha=known.fecha, text=f"{text} {known.text}".strip(), confidence=Confidence.ALTA
        )

    def _refused(self, text: str) -> Ending:
        """The portal said for certain that it did not close the account."""
        if ALREADY in text.lower():
            return Ending(Outcome.DUPLICATE, text=text)
        if INCOMPLETE in text.lower():
            message = "El portal no cerró la cuenta: dice que le falta una respuesta. Se intentará de nuevo."
            return Ending(
                Outcome.NOT_SUBMITTED, category=Category.RETRY, code="cierre_incompleto", message=message, text=text
            )
        if TAKEN in text.lower():
            message = "El portal no cerró la cuenta: ya no está asignada a este usuario."
            return Ending(
                Outcome.NOT_SUBMITTED, category=Category.PERSON, code="cuenta_tomada", message=message, text=text
            )
        return Ending(Outcome.REJECTED, reason=text)

    def _known(self, closings: list[dict[str, str]]) -> Ending:
        row = closings[-1]
        fecha, number = reading.moment(row.get("Fecha de cierre", "")), self.factura.numero
        text = f"Cuenta {row.get('Cuenta', '')} de la factura {number} respondida y cerrada: {row.get('Fecha de cierre', '')}."
        facturas = (FoundFactura(number, None, fecha, reading.amount(row.get("Valor glosado", ""))),)
        return Ending(Outcome.KNOWN_WITHOUT_NUMBER, text=text, fecha=fecha, facturas=facturas)

    # -- reading pages

    def _rows(self) -> list[Row]:
        read = self.trays.table(ITEMS)
        if read["estado"] != "listo" or read["cuenta"] != self.trays.account:
            raise retry("cuenta_no_abre", "La tabla de glosas de la cuenta cambió mientras se leía.")
        return rows_of(read["filas"])

    def _keep_sheet(self, link: str, name: str) -> None:
        """The payer's own download, where it offers one."""
        try:
            found = self.tab.page.locator(link)
            href = found.first.get_attribute("href", timeout=self.tab.limit_ms()) if found.count() else None
        except PlaywrightError as error:
            raise named(error) from None
        if href:
            self.work.keep_download("payer_sheet", href, name, b"PK")

    def _keep_answers(self) -> None:
        items = [{"id": i.id, "codigo": i.codigo, "tipo": i.tipo, "valor": i.valor, "texto": i.texto, "archivos": list(i.files)}
                 for i in self.answer.items]  # fmt: skip
        body = {"cuenta": self.answer.cuenta, "factura": self.factura.numero, "modo": self.answer.mode, "items": items}
        self.work.bag.json("answers", "respuestas.json", body)

    def _keep_items(self, kind: str, name: str, rows: list[Row]) -> None:
        self.work.bag.json(kind, name, {"cuenta": self.trays.account, "items": [asdict(row) for row in rows]})


def _closes(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/cerrar")
