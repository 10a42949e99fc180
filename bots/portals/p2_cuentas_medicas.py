"""Archetype P2: an EPS "cuentas médicas" portal (login, draft account, validation, final button, constancia, query).

Loading and validating only make a draft, which may be repeated. Profile keys: `contrato` (option of the list), `contratos` (our name of it to the option),
`patron_radicado`, `validation_limit_s`, `enable_limit_s`, `message_limit_s`; fields of the filing: `contrato`,
`periodo` (AAAA-MM; else the month of issue). One account carries 1..n facturas and gets one radicado.
"""

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Request

from bots.browser import named
from bots.contract import Confidence, Factura, FoundFactura, Outcome
from bots.page import quoted
from bots.portals import reading
from bots.portals.base import Ending, person, retry
from bots.portals.p2_login import enter
from bots.portals.work import Work, unknown

# -- addresses and selectors: all that changes when the portal does
FORM, QUERY = "/app/radicar", "/app/radicaciones"
PERIOD, CONTRACT, ADD = "#periodo", "#contrato", "#btnAgregarFactura"
FEV, RIPS, CUV_TEXT, CUV_FILE, SUPPORTS = (
    "#fevXml_{n}",
    "#ripsJson_{n}",
    "#cuvTexto_{n}",
    "#cuvArchivo_{n}",
    "#soportes_{n}",
)
FORM_ROOT, LOAD, PANEL = "#formRadicar", "#btnCargarCuenta", "#panelValidacion"
VALID = "#resultadoValidacion[data-estado='VALIDADA']"
INVALID = "#resultadoValidacion[data-estado='CON ERRORES']"
RESULT_ROWS = "#tablaValidacion tbody tr"
FINAL, FINAL_ENABLED = "#btnRadicarCuenta", "#btnRadicarCuenta:not([disabled])"
QUESTION = ".swal2-popup:has(.swal2-question)"
CONFIRM = QUESTION + " .swal2-confirm"
SUCCESS, ERROR, WARNING = (f".swal2-popup:has(.swal2-{icon})" for icon in ("success", "error", "warning"))
DIALOG_TITLE, DIALOG_BODY, LINK_TEXT = ".swal2-title", ".swal2-html-container", "Descargar constancia"
CONSTANCIA = "#descargarConstancia"
SEARCH, SEARCH_GO, TABLE = "#numeroFactura", "#btnConsultarRadicacion", "#tablaRadicaciones"
TABLE_READY = TABLE + "[data-estado='listo']"
NOT_FILED = "no se radicó"
ALREADY = "ya fue radicada"
RADICADO = r"RAD-\d+_\d{8}_\d{6}"

# One reading of the whole table, so that a late answer to another search cannot mix in.
_READ_TABLE = """
table => ({
  consulta: table.dataset.consulta, estado: table.dataset.estado, vacia: !!table.querySelector('.dataTables_empty'),
  columnas: [...table.querySelectorAll('thead th')].map(c => c.textContent.trim()),
  filas: [...table.querySelectorAll('tbody tr')].map(r => ({
    celdas: [...r.cells].map(c => c.textContent.trim()), enlace: r.querySelector('a') ? r.querySelector('a').href : null,
  })),
})
"""


class CuentasMedicas:
    """The P2 bot."""

    name = "p2_cuentas_medicas"
    version = "1.0"
    POINT_OF_NO_RETURN = "POST /app/radicar/cuenta/<id>/radicar, sent by «Sí, radicar»"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tab = work.tab
        self.numbers = [f.numero for f in work.filing.facturas]
        self._document: str | None = None

    def log_in(self) -> None:
        """Enter with code and password; Halt when they are refused or a captcha stands before the door."""
        self.work.pilot.progress("Ingresando al portal", 1, 6)
        enter(self.work)

    def prepare(self) -> Ending | None:
        """Load and validate the draft account; an Ending when the payer already has it or refuses it."""
        self.work.keep_manifest()
        self.work.pilot.progress("Llenando el formulario", 2, 6)
        self.tab.open(FORM)
        self.tab.choose(PERIOD, self._period(), "período")
        self.tab.choose(CONTRACT, self._contract(), "contrato")
        for n, factura in enumerate(self.work.filing.facturas, 1):
            self._fill(n, factura)
        self.work.pilot.progress("Cargando y validando la cuenta", 3, 6)
        self.tab.press(LOAD, "Cargar y validar")
        decided = self._validated()
        if decided is not None:
            return decided
        self.tab.need(FINAL_ENABLED, "Radicar cuenta", within_s=float(self.work.profile.get("enable_limit_s", 120)))
        self.work.keep_before(FORM_ROOT, PANEL)
        return None

    def submit(self) -> Ending:
        """Press «Radicar cuenta», confirm once, and read the closing message."""
        self.work.pilot.progress("Radicando", 4, 6)
        self.tab.press(FINAL, "Radicar cuenta")
        watch = self.tab.press_once(CONFIRM, "Sí, radicar", _files)
        seen = self.tab.wait_answer(
            {"success": SUCCESS, "error": ERROR, "warning": WARNING},
            watch,
            message_limit_s=float(self.work.profile.get("message_limit_s", 20)),
        )
        self.work.pilot.progress("Guardando la evidencia", 5, 6)
        element = {"success": SUCCESS, "error": ERROR, "warning": WARNING}.get(seen or "")
        text = self._words(element) if element else ""
        body = self.work.keep_after(element, watch)
        if seen == "success":
            return self._accepted(text, body)
        if seen == "error" and watch.sent == 1 and watch.response is not None and watch.response.status < 500:
            refusal = self._refused(text)
            if refusal is not None:
                return refusal
        self.tab.check_clicked(watch)
        return unknown(watch, text, session_lost=seen == "warning")

    def look_up(self) -> Ending:
        """Ask the query page for each factura; they count only together, because they share one radicado."""
        self.work.pilot.progress("Consultando en el portal", 2, 3)
        self.tab.open(QUERY)
        self.work.keep_tls()
        found = [self._search(n, number) for n, number in enumerate(self.numbers, 1)]
        self.work.keep_context()
        rows = [row for row in found if row is not None]
        if not rows:
            return Ending(Outcome.ABSENT)
        if len(rows) < len(found):
            message = "El portal muestra solo algunas de las facturas del envío."
            return Ending(Outcome.CANNOT_SAY, code="respuesta_incompleta", message=message, facturas=tuple(rows))
        if len({row.radicado for row in rows}) > 1:
            message = "El portal muestra las facturas del envío bajo varios radicados: decida una persona."
            return Ending(Outcome.CANNOT_SAY, code="consulta_ambigua", message=message, facturas=tuple(rows))
        valor = reading.total([row.valor for row in rows])
        if rows[0].radicado is None or valor is None:
            return Ending(Outcome.KNOWN_WITHOUT_NUMBER, text="El portal muestra la factura sin radicado o sin valor.")
        first = rows[0]
        return Ending(
            Outcome.FOUND,
            radicado=first.radicado,
            fecha=first.fecha,
            valor=valor,
            facturas=tuple(rows),
            document=self._document,
        )

    # -- preparing

    def _period(self) -> str:
        issued = self.work.filing.facturas[0].fecha_expedicion or ""
        return str(self.work.filing.fields.get("periodo") or issued[:7])

    def _contract(self) -> str:
        contract = self.work.filing.fields.get("contrato") or self.work.profile.get("contrato")
        if not contract:
            raise person("falta_contrato", "Falta indicar el contrato con el que se radica en este portal.")
        return str(self.work.profile.get("contratos", {}).get(contract, contract))

    def _fill(self, n: int, factura: Factura) -> None:
        if n > 1:
            self.tab.press(ADD, "Agregar otra factura")
        self.tab.attach(FEV.format(n=n), [self.work.one(factura, "FEV")], "factura electrónica")
        self.tab.attach(RIPS.format(n=n), [self.work.one(factura, "RIPS")], "RIPS")
        self.tab.fill(CUV_TEXT.format(n=n), factura.cuv or "", "CUV")
        self.tab.attach(CUV_FILE.format(n=n), [self.work.one(factura, "CUV")], "resultado de la validación")
        supports = self.work.files(factura, "SOPORTE")
        if supports:
            self.tab.attach(SUPPORTS.format(n=n), supports, "soportes")

    def _validated(self) -> Ending | None:
        seen = self.tab.wait_any(
            {"valid": VALID, "invalid": INVALID, "error": ERROR, "warning": WARNING},
            limit_s=float(self.work.profile.get("validation_limit_s", 180)),
        )
        if seen is None:
            self.tab.need(VALID, "resultado de la validación", within_s=0.1)
        if seen == "warning":
            raise retry("sesion_perdida", "El portal cerró la sesión antes de radicar; se intentará de nuevo.")
        if seen == "error":
            raise retry("carga_fallida", "El portal no pudo cargar los archivos; se intentará de nuevo.")
        rows = self._rows()
        if seen == "invalid":
            return self._refused_draft(rows)
        if {row[0] for row in rows} != set(self.numbers):
            raise person("factura_distinta", "El portal leyó en los archivos otra factura que la ordenada.")
        return None

    def _rows(self) -> list[list[str]]:
        try:
            rows: list[list[str]] = self.tab.page.locator(RESULT_ROWS).evaluate_all(
                "rows => rows.map(r => [...r.cells].map(c => c.textContent.trim()))"
            )
        except PlaywrightError as error:
            raise named(error) from None
        return rows

    def _refused_draft(self, rows: list[list[str]]) -> Ending:
        self.work.keep_after(PANEL)
        wrong = [row for row in rows if len(row) > 5 and row[5]]
        held = [row[5] for row in wrong if ALREADY in row[5].lower()]
        if held:
            return self._duplicate(" ".join(held))
        said = "; ".join(f"{row[1]} {row[2]}: {row[5]}" for row in wrong) or self.tab.text_of(INVALID)
        return Ending(Outcome.REJECTED, reason=said or "El portal no validó la cuenta y no dijo por qué.")

    # -- reading the answer

    def _accepted(self, text: str, body: str) -> Ending:
        if not reading.names_all(text, self.numbers):
            # A message that does not name this filing may be left over from another one.
            return Ending(Outcome.UNKNOWN, code="mensaje_de_otra_factura", message=_FOREIGN, text=text)
        pattern = str(self.work.profile.get("patron_radicado", RADICADO))
        radicado, fecha = reading.find(pattern, text), reading.moment(text)
        document = None
        if radicado is None:
            confidence = Confidence.BAJA
        else:
            confidence = Confidence.ALTA if radicado in body else Confidence.MEDIA
            document = self._constancia()
        self.work.keep_radicado(radicado=radicado, fecha=fecha, texto=text, confianza=confidence, documento=document)
        return Ending(
            Outcome.ACCEPTED, radicado=radicado, fecha=fecha, text=text, confidence=confidence, document=document
        )

    def _constancia(self) -> str | None:
        link = self.tab.page.locator(f"{SUCCESS} {CONSTANCIA}")
        try:
            href = link.first.get_attribute("href", timeout=1000) if link.count() else None
        except PlaywrightError:
            href = None
        return self.work.keep_document(href, "constancia.pdf") if href else None

    def _words(self, dialog: str) -> str:
        """Title and body of a dialog, without its icon, links and buttons."""
        parts = (self.tab.text_of(f"{dialog} {part}") for part in (DIALOG_TITLE, DIALOG_BODY))
        return ". ".join(part.removesuffix(LINK_TEXT).strip() for part in parts if part)

    def _refused(self, text: str) -> Ending | None:
        if ALREADY in text.lower() and any(reading.names(text, n) for n in self.numbers):
            return self._duplicate(text)
        if NOT_FILED in text.lower():
            return Ending(Outcome.REJECTED, reason=text)
        return None

    def _duplicate(self, text: str) -> Ending:
        pattern = str(self.work.profile.get("patron_radicado", RADICADO))
        return Ending(Outcome.DUPLICATE, text=text, radicado=reading.find(pattern, text), fecha=reading.moment(text))

    # -- looking up

    def _search(self, n: int, number: str) -> FoundFactura | None:
        self.tab.need(TABLE_READY, "tabla de radicaciones")
        self.tab.fill(SEARCH, number, "número de factura")
        self.tab.press(SEARCH_GO, "Consultar")
        asked = f"{TABLE_READY}[data-consulta={quoted(number)}]"
        self.tab.need(asked, "resultado de la consulta")
        try:
            read = self.tab.page.locator(TABLE).evaluate(_READ_TABLE, timeout=self.tab.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        self.work.shoot("acuse_shot", f"consulta_{n}.png")
        self.work.keep_dom("acuse_dom", f"consulta_{n}.html")
        if read["consulta"] != number or read["estado"] != "listo":
            raise retry("consulta_incierta", "La consulta del portal cambió mientras se leía.")
        rows = [dict(zip(read["columnas"], row["celdas"], strict=False), enlace=row["enlace"]) for row in read["filas"]]
        ours = [row for row in rows if row.get("Factura") == number]
        if not ours and not read["vacia"]:
            raise person("cambio_de_pagina", "La tabla de radicaciones del portal no se pudo leer.")
        return self._row(n, number, ours) if ours else None

    def _row(self, n: int, number: str, rows: list[dict[str, str]]) -> FoundFactura:
        pattern = str(self.work.profile.get("patron_radicado", RADICADO))
        read = [(reading.moment(row.get("Fecha de radicación", "")) or "", row) for row in rows]
        not_before = (self.work.filing.intent_not_before or "")[:10]
        later = [item for item in read if item[0][:10] >= not_before]
        fecha, row = min(later or read, key=lambda item: item[0])
        if row.get("enlace") and self._document is None:
            self._document = self.work.keep_document(row["enlace"], "constancia.pdf")
        return FoundFactura(
            number, reading.find(pattern, row.get("Radicado", "")), fecha or None, reading.amount(row.get("Valor", ""))
        )


_FOREIGN = "El mensaje del portal no nombra esta factura: puede ser de una radicación anterior. Se consultará."


def _files(request: Request) -> bool:
    return request.method == "POST" and "/radicar/cuenta/" in request.url
