"""Where an objected account stands at a P2 portal: in the bag, paused with our user, or answered and closed.

Invariant: everything here only reads; a list is read whole, at once, and only when the page says that it is complete.
"""

from datetime import date, datetime, timedelta
from typing import Any

from playwright.sync_api import Error as PlaywrightError

from bots.browser import named
from bots.contract import Answer, Factura
from bots.page import quoted
from bots.portals import reading
from bots.portals.base import person, retry
from bots.portals.work import Work

# -- addresses and selectors: all that changes when the portal does
BAG, PAUSED, CLOSED = "/app/glosas/bolsa", "/app/glosas/pausa", "/app/glosas/respondidas"
FILTER, FILTER_VALUE, FROM, TO = "#filterBy", "radicacion.fecha_radicacion", "#fechaIni", "#fechaFin"
SEARCH, PAGE_SIZE, NEXT = "#btBolsaSearchRespuesta", "#tablaRespuestaGlosa_length", "#tablaRespuestaGlosa_next"
LIST, LIST_READY = "#tablaRespuestaGlosa", "#tablaRespuestaGlosa[data-estado='listo']"
LOADING = "#tablaRespuestaGlosa_processing"
CLOSED_NUMBER, CLOSED_SEARCH, CLOSED_TABLE = "#facturaRespondida", "#btnBuscarRespondida", "#tablaRespondidas"
CLOSED_READY = "#tablaRespondidas[data-estado='listo']"
SUCCESS, ERROR, WARNING = (f".swal2-popup:has(.swal2-{icon})" for icon in ("success", "error", "warning"))
DIALOGS = {"success": SUCCESS, "error": ERROR, "warning": WARNING}

_READ = """
table => {
  const columns = [...table.querySelectorAll('thead th')].map(c => c.textContent.trim());
  return {
    estado: table.dataset.estado || '', consulta: table.dataset.consulta || '', cuenta: table.dataset.cuenta || '',
    vacia: !!table.querySelector('.dataTables_empty'),
    filas: [...table.querySelectorAll('tbody tr')].map(
      r => Object.fromEntries([...r.cells].map((c, n) => [columns[n] || n, c.textContent.trim()]))),
  };
}
"""


class Trays:
    """The lists of one portal, asked for one invoice's account."""

    def __init__(self, work: Work, answer: Answer, factura: Factura) -> None:
        self.work = work
        self.tab = work.tab
        self.answer = answer
        self.factura = factura
        self.account = answer.cuenta or ""

    def find(self) -> str | None:
        """The tray where the account stands (BAG, PAUSED), which is then on the page; None when it is in neither."""
        spans = [_about(self.answer.fecha_radicacion)] if self.answer.fecha_radicacion else []
        spans.append(_lately(int(self.work.profile.get("dias_bolsa", 730))))
        for span in spans:
            self.tab.open(BAG)
            self._filter(*span)
            if self._has_it():
                return BAG
        self.tab.open(PAUSED)
        return PAUSED if self._has_it() else None

    def _has_it(self) -> bool:
        self.ready(LIST_READY, "tabla de cuentas", limit_s=float(self.work.profile.get("list_limit_s", 180)))
        found = self._listed()
        self.account = found or self.account
        return found is not None

    def closings(self, name: str) -> list[dict[str, str]]:
        """The closed rounds of the invoice, oldest first, from the query page that is open; kept as evidence `name`."""
        number = self.factura.numero
        self.tab.need(CLOSED_READY, "tabla de cuentas respondidas")
        self.tab.fill(CLOSED_NUMBER, number, "número de factura")
        self.tab.press(CLOSED_SEARCH, "Consultar")
        self.tab.need(f"{CLOSED_READY}[data-consulta={quoted(number)}]", "resultado de la consulta")
        read = self.table(CLOSED_TABLE)
        self.picture(name)
        if read["consulta"] != number or read["estado"] != "listo":
            raise retry("consulta_incierta", "La consulta del portal cambió mientras se leía.")
        rows = [row for row in read["filas"] if row.get("Factura") == number]
        if not rows and not read["vacia"]:
            raise person("cambio_de_pagina", "La tabla de cuentas respondidas del portal no se pudo leer.")
        if self.answer.cuenta:
            rows = [row for row in rows if row.get("Cuenta") == self.answer.cuenta]
        return sorted(rows, key=lambda row: reading.moment(row.get("Fecha de cierre", "")) or "")

    def ready(self, selector: str, what: str, *, limit_s: float) -> None:
        """Wait for a list; Halt when the session is gone, the portal says an error, or it does not come."""
        seen = self.tab.wait_any({"ready": selector, "warning": WARNING, "error": ERROR}, limit_s=limit_s)
        if seen == "warning":
            raise retry("sesion_perdida", "El portal cerró la sesión; se intentará de nuevo.")
        if seen == "error":
            raise retry("portal_caido", f"El portal no pudo mostrar «{what}»; se intentará más tarde.")
        if seen is None:
            self.tab.need(selector, what, within_s=0.1)

    def dialog(self, what: str) -> tuple[str, str]:
        """Which dialog answered and its words; Halt when the session is gone or nothing came."""
        seen = self.tab.wait_any(DIALOGS, limit_s=float(self.work.profile.get("save_limit_s", 90)))
        if seen == "warning":
            raise retry("sesion_perdida", "El portal cerró la sesión; se intentará de nuevo.")
        if seen is None:
            self.tab.need(SUCCESS, what, within_s=0.1)
        return seen or "", self.words(DIALOGS[seen or "success"])

    def words(self, dialog: str) -> str:
        """Title and body of a dialog."""
        parts = (self.tab.text_of(f"{dialog} {part}") for part in (".swal2-title", ".swal2-html-container"))
        return ". ".join(part for part in parts if part)

    def table(self, selector: str) -> dict[str, Any]:
        """One reading of a whole table, so that a late answer to another search cannot mix in."""
        try:
            read: dict[str, Any] = self.tab.page.locator(selector).evaluate(_READ, timeout=self.tab.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        return read

    def picture(self, name: str) -> None:
        """The page as evidence of what the portal shows."""
        self.work.shoot("acuse_shot", f"{name}.png")
        self.work.keep_dom("acuse_dom", f"{name}.html")

    def _filter(self, first: date, last: date) -> None:
        self.tab.choose(FILTER, FILTER_VALUE, "filtro")
        self.tab.fill(FROM, first.isoformat(), "fecha inicial")
        self.tab.fill(TO, last.isoformat(), "fecha final")
        self.tab.press(SEARCH, "Buscar")

    def _listed(self) -> str | None:
        """The account's id in the list, page by page; Halt when there are several or it is of another invoice."""
        self.tab.choose(PAGE_SIZE, "500", "registros por página")
        found: list[dict[str, str]] = []
        while True:
            found += [row for row in self.table(LIST)["filas"] if self._is_ours(row)]
            if not self.tab.page.locator(f"{NEXT}:not([disabled])").count():
                break
            self.tab.press(NEXT, "Siguiente")
        if len(found) > 1 and self.answer.radicado:  # a new notice makes another account of the same invoice
            found = [row for row in found if row.get("Radicación") == self.answer.radicado]
        if len(found) > 1:
            raise person("consulta_ambigua", "El portal muestra varias cuentas de la factura: decida una persona.")
        return found[0]["Cuenta"] if found else None

    def _is_ours(self, row: dict[str, str]) -> bool:
        if self.answer.cuenta is None:
            return row.get("Factura") == self.factura.numero
        if row.get("Cuenta") != self.answer.cuenta:
            return False
        if row.get("Factura") != self.factura.numero:
            raise person("factura_distinta", "La cuenta del portal es de otra factura que la respondida.")
        return True


def _about(filed: str) -> tuple[date, date]:
    """The day of filing and its neighbours: the payer's clock may be in another day."""
    day = date.fromisoformat(filed[:10])
    return day - timedelta(days=1), day + timedelta(days=1)


def _lately(days: int) -> tuple[date, date]:
    today = datetime.now(reading.BOGOTA).date()
    return today - timedelta(days=days), today + timedelta(days=1)
