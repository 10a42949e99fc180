"""A page of a portal: helpers that wait on state, and the one click that cannot be undone.

Invariants: every wait has a limit taken from the attempt's deadline; a field is read back after it was filled;
`press_once` clicks once, and a guard inside the page refuses a late or a second click even when driver or browser were
stopped and continued.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Request, Response
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bots.browser import named
from bots.portals.base import person, retry

STEP_LIMIT_S = 20.0
"""Seconds a page element may take to appear, unless the profile says otherwise."""
SLICE_S = 0.5
"""Seconds of one wait before a lost connection is looked for again."""
CAPTCHA = "iframe[src*='captcha' i], [class*='captcha' i], [id*='captcha' i], [name*='captcha' i]"

_GUARD = """
(el, limit) => {
  const guard = window.__radicaGuard = {limit: limit, fired: 0};
  window.addEventListener('click', event => {
    if (!event.composedPath().includes(el)) return;
    if (guard.fired || Date.now() > guard.limit) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      guard.fired += 1;
    }
  }, true);
}
"""
# Closes the guard for good and says whether the click never went through; false when the document is another one.
_CLOSE_GUARD = "() => { const g = window.__radicaGuard; if (!g) return false; g.limit = 0; return g.fired === 0; }"
_FORM = """
root => [...root.querySelectorAll('input, select, textarea')].map(f => ({
  name: f.name || null, id: f.id || null, type: f.type,
  value: ['password', 'hidden', 'file'].includes(f.type) ? null : f.value,
  shown: f.tagName === 'SELECT' ? [...f.selectedOptions].map(o => o.textContent.trim()) : null,
  checked: ['checkbox', 'radio'].includes(f.type) ? f.checked : null,
  files: f.type === 'file' ? [...f.files].map(x => ({name: x.name, bytes: x.size})) : null,
}))
"""


class Pilot(Protocol):
    """What a portal may ask of the child that drives it."""

    def progress(self, step: str, n: int, of: int) -> None:
        """Tell where the work stands; leaves with an exception when the worker said stop."""

    def remaining(self) -> float:
        """Seconds left for the work, margin for evidence taken off."""

    def click_limit(self) -> float:
        """Unix time (seconds) after which the page itself must refuse the click."""

    def cross(self) -> None:
        """Directly before the click: last check of age; from here on nothing is repeatable."""

    def cross_back(self) -> None:
        """The page refused the click and will go on refusing it: certainly nothing was sent."""

    def clicked(self) -> None:
        """Directly after the click."""


@dataclass
class Watch:
    """What became of the requests that could file: seen, answered, failed."""

    sent: int = 0
    response: Response | None = None
    finished: bool = False
    failed: bool = False


class Tab:
    """One page of the portal, with waits that end and failures that have a name."""

    def __init__(self, page: Page, base_url: str, pilot: Pilot, step_limit_s: float = STEP_LIMIT_S) -> None:
        self.page = page
        self.pilot = pilot
        self.dialogs: list[str] = []
        self.first_response: Response | None = None
        self.inside = False
        self.reused = False
        self._base = base_url.rstrip("/")
        self.step_limit_s = step_limit_s
        page.on("dialog", self._on_dialog)
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._on_received)
        session.send("Network.enable")

    def limit_ms(self, seconds: float | None = None) -> float:
        """Milliseconds a step may take now: its own limit or what is left of the attempt."""
        return max(1.0, 1000 * min(seconds or self.step_limit_s, self.pilot.remaining()))

    def open(self, path: str) -> None:
        """Go to a path of the portal; Halt when it is down, in maintenance, or its certificate does not verify."""
        try:
            response = self.page.goto(self._base + path, wait_until="domcontentloaded", timeout=self.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        if self.first_response is None:
            self.first_response = response
        self.check_status(response)

    def check_status(self, response: Response | None) -> None:
        """Halt when the page that came is not the portal's own."""
        status = response.status if response is not None else 200
        if status == 503:
            raise retry("mantenimiento", "El portal avisa que está en mantenimiento; se intentará más tarde.")
        if status >= 500 or status == 429:
            raise retry("portal_caido", f"El portal respondió con el error {status}; se intentará más tarde.")
        if status in (401, 403):
            raise person("portal_niega", f"El portal negó el acceso (error {status}). Revise la cuenta en el pagador.")
        if status >= 400:
            raise person("cambio_de_pagina", f"La página esperada ya no existe en el portal (error {status}).")

    def need(self, selector: str, what: str, *, within_s: float | None = None) -> Locator:
        """The visible element, waited for; Halt with the most likely reason when it does not come."""
        found = self.page.locator(f"{selector} >> visible=true").first
        try:
            found.wait_for(timeout=self.limit_ms(within_s))
        except PlaywrightTimeout:
            self._missing(what)
        except PlaywrightError as error:
            raise named(error) from None
        return found

    def wait_any(
        self, choices: Mapping[str, str], *, limit_s: float, give_up: Callable[[], bool] = lambda: False
    ) -> str | None:
        """The name of the first choice (name to selector, in order of preference) that shows; None at the limit."""
        union = self.page.locator(" , ".join(f"{s}:visible" for s in choices.values())).first
        end = time.monotonic() + min(limit_s, self.pilot.remaining())
        while True:
            try:
                union.wait_for(timeout=1000 * max(0.001, min(SLICE_S, end - time.monotonic())))
                for name, selector in choices.items():
                    if self.page.locator(f"{selector}:visible").count():
                        return name
            except PlaywrightTimeout:
                pass
            except PlaywrightError as error:
                raise named(error) from None
            if give_up() or time.monotonic() >= end:
                return None

    def wait_answer(self, choices: Mapping[str, str], watch: Watch, *, message_limit_s: float) -> str | None:
        """After the click: the choice that shows, or None when the limit passes, or when the answer has come in (or
        the connection was lost) and still nothing showed for `message_limit_s` seconds.
        """
        quiet_since: list[float] = []

        def give_up() -> bool:
            if (watch.finished or watch.failed) and not quiet_since:
                quiet_since.append(time.monotonic())
            return bool(quiet_since) and time.monotonic() - quiet_since[0] > message_limit_s

        return self.wait_any(choices, limit_s=self.pilot.remaining(), give_up=give_up)

    def no_captcha(self) -> None:
        """Halt when the page asks to prove that one is human: a person does that, never a service."""
        if self.page.locator(f":is({CAPTCHA}):visible").count():
            raise person("captcha", "El portal pide resolver un captcha: una persona debe entrar.")

    def reload(self) -> None:
        """Load the page again (before anything was sent)."""
        try:
            self.check_status(self.page.reload(wait_until="domcontentloaded", timeout=self.limit_ms()))
        except PlaywrightError as error:
            raise named(error) from None

    def leave(self, selector: str, url_part: str) -> Response:
        """Leave a field and wait for the answer to the question that the page asks its server then."""
        try:
            with self.page.expect_response(lambda r: url_part in r.url, timeout=self.limit_ms()) as waiting:
                self.page.locator(selector).first.blur(timeout=self.limit_ms())
            return waiting.value
        except PlaywrightError as error:
            raise named(error) from None

    def same(self, selector: str, value: str, what: str) -> None:
        """Halt when a field does not hold the value any more: pages erase what was just filled."""
        try:
            kept = self.page.locator(selector).first.input_value(timeout=self.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        if kept != value:
            raise person("campo_no_conserva", f"El portal no conservó el valor del campo «{what}».")

    def fill(self, selector: str, value: str, what: str) -> None:
        """Type into a field and read it back."""
        field = self.need(selector, what)
        try:
            field.fill(value, timeout=self.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        self.same(selector, value, what)

    def choose(self, selector: str, value: str, what: str) -> None:
        """Select an option by its value and read it back; Halt when the list does not have it."""
        field = self.need(selector, what)
        try:
            field.select_option(value, timeout=self.limit_ms())
            kept = field.input_value(timeout=self.limit_ms())
        except PlaywrightTimeout:
            raise person("opcion_no_existe", f"La lista «{what}» del portal no tiene la opción necesaria.") from None
        except PlaywrightError as error:
            raise named(error) from None
        if kept != value:
            raise person("campo_no_conserva", f"El portal no conservó la opción de la lista «{what}».")

    def attach(self, selector: str, paths: Sequence[Path], what: str) -> None:
        """Put files into a file field and read back their names and sizes."""
        field = self.page.locator(selector).first
        try:
            field.wait_for(state="attached", timeout=self.limit_ms())
            field.set_input_files([str(p) for p in paths], timeout=self.limit_ms(300))
            kept = field.evaluate("f => [...f.files].map(x => [x.name, x.size])", timeout=self.limit_ms())
        except PlaywrightTimeout:
            self._missing(what)
        except PlaywrightError as error:
            raise named(error) from None
        if [tuple(k) for k in kept] != [(p.name, p.stat().st_size) for p in paths]:
            raise person("archivo_no_conserva", f"El portal no conservó los archivos de «{what}».")

    def press(self, selector: str, what: str) -> None:
        """An ordinary click, before the point of no return."""
        try:
            self.need(selector, what).click(timeout=self.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None

    def text_of(self, selector: str) -> str:
        """Visible text of the first match, white space folded; "" when there is none."""
        try:
            found = self.page.locator(f"{selector}:visible").first
            return " ".join(found.inner_text(timeout=1000).split())
        except PlaywrightError:
            return ""

    def form_values(self, selector: str) -> list[dict[str, Any]]:
        """What the form holds now, as the page says it: no passwords, no hidden tokens."""
        values: list[dict[str, Any]] = self.page.locator(selector).first.evaluate(_FORM, timeout=self.limit_ms())
        return values

    def press_once(self, selector: str, what: str, submits: Callable[[Request], bool]) -> Watch:
        """The one click. Everything that can wait is waited for before `cross`; after it there is no retry.

        `submits` tells the requests that could file. A Halt before `cross` means that nothing was sent; whatever
        leaves after it is for the child to call unknown, unless the guard in the page vouches that no click happened.
        """
        if self.reused:
            raise person(
                "conexion_reutilizada",
                "El portal no cierra sus conexiones y el navegador podría repetir el envío solo: hágalo por fuera.",
            )
        button = self.need(selector, what)
        watch = self._watch(submits)
        try:
            button.click(trial=True, timeout=self.limit_ms())
            button.evaluate(_GUARD, self.pilot.click_limit() * 1000, timeout=self.limit_ms())
        except PlaywrightError as error:
            raise named(error) from None
        self.pilot.cross()
        try:
            button.click(timeout=2000, no_wait_after=True)
        except PlaywrightError as error:
            self.check_clicked(watch)
            raise named(error) from None
        self.pilot.clicked()
        return watch

    def press_again(self, selector: str, what: str) -> None:
        """The portal's second question about the same submit; past the point of no return already, and pressed once."""
        button = self.need(selector, what)
        try:
            button.evaluate(_GUARD, (time.time() + self.pilot.remaining()) * 1000, timeout=self.limit_ms())
            button.click(timeout=2000, no_wait_after=True)
        except PlaywrightError as error:
            raise named(error) from None

    def check_clicked(self, watch: Watch) -> None:
        """Halt (repeatable) when no request left and the guard vouches that the click never went through."""
        if watch.sent:
            return
        try:
            refused = bool(self.page.evaluate(_CLOSE_GUARD))
        except PlaywrightError:
            return
        if refused:
            self.pilot.cross_back()
            raise retry("go_tardio", "El permiso para enviar llegó tarde; no se oprimió el botón.")

    def _watch(self, submits: Callable[[Request], bool]) -> Watch:
        watch = Watch()

        def on_request(request: Request) -> None:
            watch.sent += submits(request)

        def on_response(response: Response) -> None:
            if submits(response.request):
                watch.response = response

        def on_finished(request: Request) -> None:
            watch.finished = watch.finished or submits(request)

        def on_failed(request: Request) -> None:
            watch.failed = watch.failed or submits(request)

        self.page.on("request", on_request)
        self.page.on("response", on_response)
        self.page.on("requestfinished", on_finished)
        self.page.on("requestfailed", on_failed)
        return watch

    def _missing(self, what: str) -> NoReturn:
        """Say why an element did not come: captcha, session gone, error page, or another layout."""
        try:
            captcha = self.page.locator(f":is({CAPTCHA}):visible").count() > 0
            login = self.page.locator("input[type=password]:visible").count() > 0
            title = self.page.title()
        except PlaywrightError as error:
            raise named(error) from None
        if captcha:
            raise person("captcha", "El portal pide resolver un captcha: una persona debe entrar.")
        if login and self.inside:
            raise retry("sesion_perdida", "El portal cerró la sesión; se intentará de nuevo.")
        if any(word in title.lower() for word in ("502", "503", "500", "error", "mantenimiento")):
            raise retry("portal_caido", "El portal mostró una página de error; se intentará más tarde.")
        raise person("cambio_de_pagina", f"No se encontró «{what}» en la página: el portal parece haber cambiado.")

    def _on_received(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        if answer.get("connectionReused") and answer["url"].startswith(self._base):
            self.reused = True

    def _on_dialog(self, dialog: Any) -> None:
        self.dialogs.append(str(dialog.message))
        dialog.dismiss()


def quoted(text: str) -> str:
    """A text as the value of an attribute in a selector."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
