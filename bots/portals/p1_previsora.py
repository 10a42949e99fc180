"""Archetype P1: the SOAT claimant form of an insurer, Previsora style (claimant type + NIT, no password, one popup).

The portal issues no document: the code of the popup is the only acuse, and the popup does not name the invoice, so it
counts only when the answer to this very submit carries the same code. Its query (on leaving the invoice field) knows
an invoice but not its number. Profile keys: `ramo`, `amparo`, `ciudad_dane`, `email`, `usuario_registra`,
`message_limit_s`; the filing's fields go before them. Exactly one factura.
"""

from pathlib import Path

from playwright.sync_api import Request

from bots.contract import Confidence, Outcome
from bots.portals import reading
from bots.portals.base import Ending, permanent, person, retry
from bots.portals.work import Work, unknown

# -- addresses and selectors: all that changes when the portal does
LOGIN = "/"
NOTICE, NOTICE_OK = "#modal-informativo", "#btn-entendido"
CLAIMANT, NIT, ENTER = "#sl-tipo-reclamante", "#txt-nit", "#btn-ingresar"
LOGIN_ERROR, FORM = "#mensaje-error", "#form-reclamacion"
FORM_KEY = FORM + " input[name=form_key]"
CITY_SEARCH, CITY_ITEM, CITY = "#buscar-ciudad", "#dd-ciudades .item[data-value='{code}']", "#sl-ciudades"
ACCOUNT, INVOICE, INVOICE_FREE = "#sl-tipo-cuenta", "#txt-num-factura", "#campo-factura:not(.loading)"
EMAIL, USER, BRANCH, COVER = "#txt-email", "#txt-usuario-registra", "#sl-ramo", "#sl-tipo-amparo"
SLOTS = {
    "FURIPS": "#str_bytes_archivo_furips",
    "Factura": "#str_bytes_archivo_factura",
    "Historia clínica": "#f-archivo-historia-clinica",
    "Soportes de la historia clínica": "#str_bytes_soporte_historia_clinica",
}
SEND = "#btn_enviar_datos1"
BOX, BOX_TITLE, BOX_TEXT = ".jconfirm-box", ".jconfirm-title", ".jconfirm-content"
KNOWN, SURE, AGAIN, DONE, REFUSED, INCOMPLETE, FAILED, SESSION = (
    f"{BOX}:has({BOX_TITLE}:text-is('{title}'))"
    for title in (
        "Factura registrada",
        "Confirmación",
        "Verifique la información",
        "Registro Generado",
        "No se registró la reclamación",
        "Datos incompletos",
        "Error",
        "Sesión",
    )
)
YES = SURE + " button:text-is('Sí, continuar')"
YES_AGAIN = AGAIN + " button:text-is('Continuar y Guardar')"
QUERY_URL, SAVE_URL = "/consulta-factura", "/recepcion-reclamacion/guardar"
FIRST_TIME = "1"
ALREADY = "ya se encuentra registrada"
CODE = r"codigo es:\s*'(\d+)'"

# Which supports (Res. 2284/2023) go into which slot; the last slot takes whatever the others do not.
SIGLAS = {"FURIPS": ("FURIPS",), "Factura": ("FAT", "FVS"), "Historia clínica": ("HEV", "EPI", "HAU", "HAO")}
REST = "Soportes de la historia clínica"


class Previsora:
    """The P1 bot, Previsora style."""

    name = "p1_previsora"
    version = "1.0"
    POINT_OF_NO_RETURN = "POST /recepcion-reclamacion/guardar, sent by «Sí, continuar» or «Continuar y Guardar»"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tab = work.tab
        self.factura = work.filing.facturas[0]

    def log_in(self) -> None:
        """Acknowledge the notice that covers the page, then enter as an IPS with its NIT."""
        self.work.pilot.progress("Ingresando al portal", 1, 6)
        if len(self.work.filing.facturas) != 1:
            raise permanent("una_factura", "Este portal recibe una sola factura por radicación.")
        self.tab.open(LOGIN)
        if self.tab.wait_any({"notice": NOTICE}, limit_s=1):
            self.tab.press(NOTICE_OK, "Entendido")
        self.tab.no_captcha()
        self.tab.choose(CLAIMANT, "IPS", "tipo de reclamante")
        self.tab.fill(NIT, self.work.start.credentials.usuario, "NIT")
        self.tab.press(ENTER, "Ingresar")
        seen = self.tab.wait_any({"in": FORM, "refused": LOGIN_ERROR}, limit_s=self.tab.step_limit_s)
        if seen == "refused":
            self.tab.no_captcha()
            raise person("credenciales", "El portal no tiene habilitado este NIT para radicar. Revise la cuenta.")
        if seen is None:
            self.tab.need(FORM, "formulario de reclamación", within_s=0.1)
        self.tab.inside = True

    def prepare(self) -> Ending | None:
        """Fill the form and read it back; an Ending when the portal says it already knows the invoice."""
        slots = self._slots()
        self.work.keep_manifest()
        self.work.pilot.progress("Llenando el formulario", 2, 6)
        self._whole_form()
        self.tab.choose(ACCOUNT, FIRST_TIME, "tipo de cuenta")
        known = self._ask_invoice()
        if known is not None:
            self.work.keep_after(KNOWN)
            return Ending(Outcome.DUPLICATE, text=known)
        self._city(self._field("ciudad_dane"))
        self.tab.fill(EMAIL, self._field("email"), "correo electrónico")
        self.tab.fill(USER, self._field("usuario_registra"), "usuario que registra")
        self.tab.choose(BRANCH, self._field("ramo"), "ramo")
        self.tab.choose(COVER, self._field("amparo"), "tipo de amparo")
        self.work.pilot.progress("Adjuntando los archivos", 3, 6)
        for what, paths in slots.items():
            self.tab.attach(SLOTS[what], paths, what)
        self.tab.same(INVOICE, self.factura.numero, "número de factura")
        self.tab.need(SEND, "Enviar")
        self.work.keep_before(FORM)
        return None

    def submit(self) -> Ending:
        """Press «Enviar», confirm once, confirm again where the portal asks twice, and read the code."""
        self.work.pilot.progress("Radicando", 4, 6)
        self.tab.press(SEND, "Enviar")
        watch = self.tab.press_once(YES, "Sí, continuar", _files)
        limit = float(self.work.profile.get("message_limit_s", 200))
        ends = {"done": DONE, "refused": REFUSED, "incomplete": INCOMPLETE, "failed": FAILED, "session": SESSION}
        seen = self.tab.wait_answer({"again": AGAIN, **ends}, watch, message_limit_s=limit)
        if seen == "again":
            self.tab.press_again(YES_AGAIN, "Continuar y Guardar")
            seen = self.tab.wait_answer(ends, watch, message_limit_s=limit)
        self.work.pilot.progress("Guardando la evidencia", 5, 6)
        box = ends.get(seen or "")
        text = self._words(box) if box else ""
        if seen in ("incomplete", "failed", "session") and not watch.sent:
            self._never_sent(seen, text)
        body = self.work.keep_after(box, watch)
        if seen == "done":
            return self._accepted(text, body)
        if seen == "refused" and watch.sent == 1 and watch.response is not None and watch.response.status < 500:
            if ALREADY in text and reading.names(text, self.factura.numero):
                return Ending(Outcome.DUPLICATE, text=text)
            return Ending(Outcome.REJECTED, reason=text)
        self.tab.check_clicked(watch)
        return unknown(watch, text, session_lost=seen == "session")

    def look_up(self) -> Ending:
        """Type the number and leave the field: the portal says that it knows it, or says nothing."""
        self.work.pilot.progress("Consultando en el portal", 2, 3)
        self.work.keep_tls()
        self.tab.choose(ACCOUNT, FIRST_TIME, "tipo de cuenta")
        known = self._ask_invoice(keep=True)
        self.work.shoot("acuse_shot", "consulta.png")
        self.work.keep_dom("acuse_dom", "consulta.html")
        self.work.keep_context()
        if known is not None:
            return Ending(Outcome.KNOWN_WITHOUT_NUMBER, text=known)
        return Ending(Outcome.ABSENT)

    # -- preparing

    def _field(self, name: str) -> str:
        value = self.work.filing.fields.get(name) or self.work.profile.get(name) or _DEFAULTS.get(name)
        if not value:
            raise person("falta_dato", f"Falta el dato «{name}» que pide este portal. Complételo en el perfil.")
        return str(value)

    def _whole_form(self) -> None:
        # The form sometimes comes without its hidden key; a reload mends it, and nothing was sent yet.
        for _ in range(3):
            if self.tab.page.locator(FORM_KEY).count():
                return
            self.tab.reload()
            self.tab.need(FORM, "formulario de reclamación")
        raise retry("formulario_incompleto", "El portal entregó el formulario incompleto; se intentará más tarde.")

    def _slots(self) -> dict[str, list[Path]]:
        files = [f for f in self.factura.files if f.role == "SOPORTE"]
        slots: dict[str, list[Path]] = {}
        for what in SLOTS:
            wanted = [f for f in files if self._slot_of(f.sigla or "") == what]
            if not wanted and what != REST:
                raise permanent("falta_archivo", f"Falta el soporte «{what}» que pide este portal.")
            if wanted:
                slots[what] = [self.work.single_pdf(self.factura, wanted)]
        return slots

    def _slot_of(self, sigla: str) -> str:
        return next((what for what, siglas in SIGLAS.items() if sigla in siglas), REST)

    def _city(self, code: str) -> None:
        self.tab.press(CITY_SEARCH, "ciudad")
        self.tab.press(CITY_ITEM.format(code=code), "ciudad de la lista")
        self.tab.same(CITY, code, "ciudad")

    def _ask_invoice(self, *, keep: bool = False) -> str | None:
        """Type the number, leave the field, and wait for the portal's own query. Its words when it knows the invoice."""
        self.tab.need(INVOICE, "número de factura")
        self.tab.fill(INVOICE, self.factura.numero, "número de factura")
        response = self.tab.leave(INVOICE, QUERY_URL)
        if response.status != 200:
            raise retry("consulta_incierta", f"La consulta del portal respondió con el error {response.status}.")
        seen = self.tab.wait_any(
            {"known": KNOWN, "session": SESSION, "failed": FAILED, "free": INVOICE_FREE}, limit_s=self.tab.step_limit_s
        )
        if keep:
            self.work.keep_answer(response, "consulta.json")
        if seen == "known":
            text = self._words(KNOWN)
            if not reading.names(text, self.factura.numero):
                raise retry("consulta_incierta", "El portal habló de otra factura al consultar.")
            return text
        if seen == "session":
            raise retry("sesion_perdida", "El portal cerró la sesión; se intentará de nuevo.")
        if seen != "free":
            raise retry("consulta_incierta", "El portal no respondió la consulta de la factura.")
        self.tab.same(INVOICE, self.factura.numero, "número de factura")
        return None

    # -- reading the answer

    def _words(self, box: str) -> str:
        parts = (self.tab.text_of(f"{box} {part}") for part in (BOX_TITLE, BOX_TEXT))
        return ". ".join(part for part in parts if part)

    def _accepted(self, text: str, body: str) -> Ending:
        codigo, fecha = reading.find(CODE, text), self.work.answered_at  # the popup has no date; its server does
        ours = reading.names(body, self.factura.numero)
        if codigo is None and ours:
            self.work.keep_radicado(radicado=None, fecha=fecha, texto=text, confianza=Confidence.BAJA, documento=None)
            return Ending(Outcome.ACCEPTED, fecha=fecha, text=text, confidence=Confidence.BAJA)
        if codigo is None or not reading.names(body, codigo):
            # The box does not name the invoice: a code that this submit's answer does not carry is of another one.
            return Ending(Outcome.UNKNOWN, code="mensaje_de_otra_factura", message=_FOREIGN, text=text)
        confidence = Confidence.ALTA if ours else Confidence.MEDIA
        self.work.keep_radicado(radicado=codigo, fecha=fecha, texto=text, confianza=confidence, documento=None)
        return Ending(Outcome.ACCEPTED, radicado=codigo, fecha=fecha, text=text, confidence=confidence)

    def _never_sent(self, seen: str, text: str) -> None:
        """The page answered before its own last request, and none has left: nothing was filed, and it says why."""
        self.work.pilot.cross_back()
        if seen == "incomplete":
            raise person("datos_incompletos", f"El portal no aceptó los datos: {text}")
        if seen == "session":
            raise retry("sesion_perdida", "El portal cerró la sesión antes de radicar; se intentará de nuevo.")
        raise retry("portal_caido", "El portal falló antes de guardar la reclamación; se intentará de nuevo.")


_DEFAULTS = {"ramo": "SOAT", "amparo": "GMQ"}
_FOREIGN = "El código que mostró el portal no es de esta radicación: puede ser de una anterior. Se consultará."


def _files(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith(SAVE_URL)
