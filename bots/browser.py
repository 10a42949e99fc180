"""Chromium for one attempt: how it is started, and what its errors mean.

Invariants: a certificate error is never passed over; no request travels on a used connection, because Chromium by itself
sends a POST again when a used connection closes without an answer (seen: two filings of one click). No text of
Playwright's own errors leaves this module, because they quote what was typed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bots.contract import Browser
from bots.portals.base import Halt, person, retry

ARGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-http2",  # one request, one connection: see ONE_REQUEST
    "--disable-auto-reload",
)
ONE_REQUEST = {"Connection": "close"}
"""Sent with every request, so that the last one never finds a used connection, on which Chromium repeats a POST."""


@contextmanager
def browser(wanted: Browser, pins: Sequence[str] = ()) -> Iterator[BrowserContext]:
    """A fresh browser with one context; closed whatever happens.

    `pins` are base64 SHA-256 hashes of public keys that the operator confirmed for a portal with a private certificate;
    everything else must verify. Raises Halt when the browser does not start.
    """
    args = [*ARGS, *([] if wanted.sandbox else ["--no-sandbox"])]
    if pins:
        args.append("--ignore-certificate-errors-spki-list=" + ",".join(pins))
    with sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(
                executable_path=wanted.executable, args=args, chromium_sandbox=wanted.sandbox, timeout=30_000
            )
        except PlaywrightError:
            raise retry("navegador_no_arranca", "El navegador no arrancó en este equipo; nada se envió.") from None
        try:
            context = chromium.new_context(
                locale="es-CO",
                timezone_id="America/Bogota",
                viewport={"width": 1280, "height": 900},
                service_workers="block",
                extra_http_headers=ONE_REQUEST,
            )
            yield context
        finally:
            close_quietly(chromium.close)


def close_quietly(close: Callable[[], None]) -> None:
    """Close what may be dead already."""
    try:
        close()
    except PlaywrightError:
        return


def named(error: PlaywrightError) -> Halt:
    """Playwright's error as one of ours. Its text is only searched, never kept."""
    text = str(error)
    if "ERR_CERT" in text or "ERR_SSL" in text:
        return person(
            "certificado_invalido",
            "El certificado del portal no es válido: no se entregó nada. Verifique la dirección con el pagador.",
        )
    if "net::ERR_" in text or "NS_ERROR" in text:
        return retry("portal_caido", "No hubo conexión con el portal; se intentará más tarde.")
    if isinstance(error, PlaywrightTimeout):
        return retry("portal_lento", "El portal no respondió a tiempo; se intentará más tarde.")
    return retry("navegador_caido", "El navegador se cerró de improviso.")
