"""The floor of `bench.bot`: the same filing with nothing but Playwright, in a process of its own.

No evidence, no reading back, no guard: log in, menu, form, files, validation, last button, number, constancia. One
JSON object on standard input says what to file; one on standard output says the number and the seconds of the browser.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from playwright.sync_api import Page, sync_playwright


def main() -> None:
    """File what standard input says."""
    what = json.load(sys.stdin)
    begun = time.monotonic()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=what["chromium"],
            args=[] if what["sandbox"] else ["--no-sandbox"],
            chromium_sandbox=what["sandbox"],
        )
        page = browser.new_context(locale="es-CO", timezone_id="America/Bogota").new_page()
        text, size = _file(page, what)
        browser.close()
    print(json.dumps({"texto": text, "bytes": size, "segundos": time.monotonic() - begun}))


def _file(page: Page, what: dict[str, Any]) -> tuple[str, int]:
    page.goto(what["url"] + "/app")
    page.fill("#usuarioIngreso", what["usuario"])
    page.fill("#contraseniaIngreso", what["clave"])
    page.click("#validarSesion")
    page.click("#menuRadicaciones")
    page.click("#radicar")
    page.select_option("#periodo", what["periodo"])
    page.select_option("#contrato", what["contrato"])
    page.set_input_files("#fevXml_1", what["fev"])
    page.set_input_files("#ripsJson_1", what["rips"])
    page.fill("#cuvTexto_1", what["cuv"])
    page.set_input_files("#cuvArchivo_1", what["cuv_archivo"])
    page.set_input_files("#soportes_1", what["soportes"])
    page.click("#btnCargarCuenta")
    page.click("#btnRadicarCuenta:not([disabled])")
    page.click(".swal2-confirm")
    text = page.inner_text(".swal2-popup:has(.swal2-success) .swal2-html-container")
    with page.expect_download() as waiting:
        page.click("#descargarConstancia")
    return text, waiting.value.path().stat().st_size


if __name__ == "__main__":
    main()
