"""The desk of one portal bot: its filing, its page, and the artefacts it keeps while it works.

Every artefact of a filing is made here, the same for all portals: manifest and lineage, form as the page holds it,
pictures before and after, the payer's answer, TLS chain and address, context, failure. Invariant: the bytes put into
the browser are the very bytes whose hash is in the manifest (they are hashed while they are copied beside it).
"""

import base64
import hashlib
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Response

from bots import tls
from bots.contract import Bot, Factura, FilingFile, Outcome, Start
from bots.evidence import Bag, clean_headers
from bots.page import Pilot, Tab, Watch
from bots.portals.base import Ending, Halt, permanent, person
from bots.portals.reading import http_date

STAGE = "envio"
_CHUNK = 1 << 20
_SHOT_MS = 2000
"""A picture may use the margin that the child keeps back from its deadline, but not much of it."""
_NO_NTP = "el equipo no midió su desfase contra un servidor NTP durante el intento"
_NO_TLS = "el portal se sirve por http, sin certificado"
# Bytes of a file of the same site, as the browser itself gets them (its session, its certificate rules).
_FETCH = """
async href => {
  const answer = await fetch(href, {credentials: 'same-origin'});
  const bytes = new Uint8Array(await answer.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return {status: answer.status, body: btoa(text), headers: [...answer.headers]};
}
"""


class Work:
    """What a portal class is given."""

    def __init__(self, start: Start, tab: Tab, bag: Bag, pilot: Pilot) -> None:
        self.start = start
        self.filing = start.filing
        self.profile = start.portal.profile
        self.tab = tab
        self.bag = bag
        self.pilot = pilot
        self.bot = Bot(start.portal.archetype, "?", start.portal.profile_version)
        self._folder = Path(start.folder)
        self._staged: dict[tuple[int, int], Path] = {}
        self.answered_at: str | None = None
        self._joined: dict[tuple[int, int], tuple[str, str, str]] = {}

    # -- the package

    def files(self, factura: Factura, role: str) -> list[Path]:
        """The files of a factura with this role, copied under the name the payer shall see.

        Halt: a file is missing, its content is not what was ordered, or its name is not a file name.
        """
        n = self.filing.facturas.index(factura)
        return [self._stage(n, k, file) for k, file in enumerate(factura.files) if file.role == role]

    def single_pdf(self, factura: Factura, files: list[FilingFile]) -> Path:
        """One PDF out of several, in their order, for a portal with one slot; its lineage goes into the manifest."""
        n = self.filing.facturas.index(factura)
        staged = [(factura.files.index(file), file) for file in files]
        paths = [self._stage(n, k, file) for k, file in staged]
        if len(paths) == 1:
            return paths[0]
        target = self._folder / STAGE / str(n) / f"unido_{staged[0][0]}" / files[0].name
        target.parent.mkdir(parents=True)
        try:
            with pypdfium2.PdfDocument.new() as joined:
                for path in paths:
                    with pypdfium2.PdfDocument(path) as part:
                        joined.import_pages(part)
                joined.save(target)
        except pypdfium2.PdfiumError:
            raise permanent("pdf_danado", "Un soporte PDF no se puede leer y no se pudo unir con los demás.") from None
        sent = hashlib.sha256(target.read_bytes()).hexdigest()
        for k, _file in staged:
            self._joined[n, k] = (
                f"unir {len(paths)} PDF en uno (pypdfium2 {pypdfium2.PYPDFIUM_INFO})",
                sent,
                target.name,
            )
        return target

    def one(self, factura: Factura, role: str) -> Path:
        """The only file with this role; Halt when there is none or more than one."""
        found = self.files(factura, role)
        if len(found) != 1:
            raise permanent("falta_archivo", f"Se espera exactamente un archivo {role} y hay {len(found)}.")
        return found[0]

    def _stage(self, n: int, k: int, file: FilingFile) -> Path:
        if (n, k) in self._staged:
            return self._staged[n, k]
        if Path(file.name).name != file.name or file.name in ("", ".", ".."):
            raise permanent("nombre_invalido", "El nombre de un archivo del paquete no se puede usar.")
        target = self._folder / STAGE / str(n) / str(k) / file.name
        target.parent.mkdir(parents=True)
        digest, size = hashlib.sha256(), 0
        try:
            with Path(file.path).open("rb") as source, target.open("xb") as out:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
        except OSError:
            raise person("archivo_no_disponible", "No se pudo leer un archivo del paquete en este equipo.") from None
        if digest.hexdigest() != file.sha256 or size != file.bytes:
            raise permanent("archivo_alterado", "Un archivo del paquete no es el que se ordenó enviar.")
        self._staged[n, k] = target
        return target

    def drop_stage(self) -> None:
        """The copies for the browser are not evidence."""
        shutil.rmtree(self._folder / STAGE, ignore_errors=True)

    # -- artefacts

    def keep_manifest(self) -> None:
        """E.3 (1) and (2): each file with hash, size and pages, and what was done to it before it was sent."""
        rows = []
        for n, factura in enumerate(self.filing.facturas):
            for k, file in enumerate(factura.files):
                path = self._stage(n, k, file)
                operation, sent, name = self._joined.get((n, k), (None, file.sha256, file.name))
                rows.append(
                    {
                        "factura": factura.numero,
                        "rol": file.role,
                        "sigla": file.sigla,
                        "nombre": file.name,
                        "sha256": file.sha256,
                        "bytes": file.bytes,
                        "paginas": _pages(path),
                        "linaje": {
                            "sha256_original": file.sha256,
                            "operaciones": [operation] if operation else [],
                            "sha256_enviado": sent,
                            "nombre_enviado": name,
                        },
                    }
                )
        facturas = [
            {"numero": f.numero, "valor": f.valor, "cufe": f.cufe, "cuv": f.cuv, "expedida": f.fecha_expedicion}
            for f in self.filing.facturas
        ]
        body = {"acto": self.filing.act, "ronda": self.filing.round, "nit": self.filing.provider_nit}
        self.bag.json("manifest", "manifiesto.json", {**body, "facturas": facturas, "archivos": rows})

    def keep_before(self, form: str, panel: str | None = None) -> None:
        """E.3 (3), (4), (7): the form as the page holds it, the page before the click, who is answering."""
        values = {
            "leido": _now(),
            "pagina": self.where(),
            "campos": self.tab.form_values(form),
            "validacion": self.tab.text_of(panel) if panel else None,
        }
        self._learn_cookies()
        self.bag.json("form_values", "formulario.json", values)
        self.shoot("screenshot_before", "antes.png")
        self.keep_tls()

    def keep_after(self, element: str | None, watch: Watch | None = None) -> str:
        """E.3 (4), (5), (6): page, acuse and answer after the click. Returns the body of the answer, "" if none."""
        self._learn_cookies()
        self.shoot("screenshot_after", "despues.png")
        if element is not None:
            self.shoot("acuse_shot", "acuse.png", element)
        self.keep_dom("acuse_dom", "acuse.html")
        return self.keep_answer(watch.response if watch.finished else None) if watch is not None else ""

    def shoot(self, kind: str, name: str, element: str | None = None) -> None:
        """A picture of the page, or of one visible element; a browser that cannot is only noted by its absence."""
        try:
            if element is None:
                data = self.tab.page.screenshot(full_page=True, timeout=_SHOT_MS)
            else:
                data = self.tab.page.locator(f"{element}:visible").first.screenshot(timeout=_SHOT_MS)
        except PlaywrightError:
            return
        self.bag.data(kind, name, data)

    def keep_dom(self, kind: str, name: str) -> None:
        """Source of the page as it stands, cleaned."""
        self._learn_cookies()
        try:
            self.bag.text(kind, name, self.tab.page.content())
        except PlaywrightError:
            return

    def keep_answer(self, response: Response | None, name: str = "respuesta.json") -> str:
        """Status, headers (with the payer's Date) and body of the payer's answer. Returns the body as text."""
        self._learn_cookies()
        if response is None:
            body = {"respuesta": None, "motivo": "el portal no terminó de responder"}
            self.bag.json("submit_response", name, {"leido": _now(), **body})
            return ""
        try:
            headers = [(h["name"], h["value"]) for h in response.headers_array()]
            data = b"" if 300 <= response.status < 400 else response.body()
        except PlaywrightError:
            headers, data = [], b""
        text = data.decode("utf-8", "replace")
        date = next((v for k, v in headers if k.lower() == "date"), None)
        self.answered_at = http_date(date)
        self.bag.json(
            "submit_response",
            name,
            {
                "leido": _now(),
                "metodo": response.request.method,
                "ruta": urlsplit(response.url).path,
                "estado": response.status,
                "encabezados": clean_headers(headers),
                "fecha_del_servidor": date,
                "cuerpo": text,
                "cuerpo_sha256": hashlib.sha256(data).hexdigest(),
            },
        )
        return text

    def keep_document(self, href: str, name: str) -> str | None:
        """E.3 (10): a PDF the payer issues, fetched by the browser. Its evidence name, or None when it did not come."""
        return name if self.keep_download("acuse_document", href, name, b"%PDF-") else None

    def keep_download(self, kind: str, href: str, name: str, magic: bytes) -> bool:
        """A file of the portal that begins with `magic`, fetched by the browser. False: it did not come as it should."""
        try:
            got = self.tab.page.evaluate(_FETCH, href)
        except PlaywrightError:
            return False
        data = base64.b64decode(got["body"])
        return got["status"] == 200 and data.startswith(magic) and self.bag.data(kind, name, data)

    def keep_radicado(self, **parsed: Any) -> None:
        """E.3 (11): what was read, from which words, how sure."""
        self.bag.json("radicado", "radicado.json", {"leido": _now(), **parsed})

    def keep_tls(self) -> None:
        """E.3 (7): certificate chain and resolved address of who answered."""
        response = self.tab.first_response
        body: dict[str, Any] = {"leido": _now(), "direccion": None, "cadena_pem": None, "detalle": None}
        parts = urlsplit(self.start.portal.base_url)
        try:
            where = response.server_addr() if response is not None else None
            body["direccion"] = where
            body["detalle"] = (response.security_details() if response is not None else None) or None
            if parts.scheme != "https":
                body["motivo"] = _NO_TLS
            elif where is not None:
                body["cadena_pem"] = tls.chain(where["ipAddress"], where["port"], parts.hostname or "")
        except (PlaywrightError, OSError):
            body["motivo"] = "no se pudo leer el certificado en la dirección que resolvió el navegador"
        self.bag.json("tls", "tls.json", body)

    def keep_context(self) -> None:
        """E.3 (13): operator, versions, host, clocks. What cannot be had is null with its reason."""
        attempt, portal = self.start.attempt, self.start.portal
        operator = self.filing.fields.get("usuario_registra") or self.start.credentials.usuario
        context = {
            "operador": operator,
            "bot": {"nombre": self.bot.name, "version": self.bot.version},
            "perfil": {"arquetipo": portal.archetype, "version": portal.profile_version},
            "portal": portal.base_url,
            "equipo": platform.node(),
            "sistema": platform.platform(),
            "navegador": self._browser_version(),
            "intento": {"id": attempt.id, "numero": attempt.number, "marca": attempt.marker},
            "hora_del_equipo": _now(),
            "desfase_ntp_s": None,
            "desfase_ntp_motivo": _NO_NTP,
            "avisos_del_navegador": self.tab.dialogs,
        }
        self.bag.json("context", "contexto.json", context)

    def keep_failure(self, halt: Halt) -> None:
        """E.3 (15): what the page showed when the work stopped. A page that asks for a password is not pictured."""
        body: dict[str, Any] = {"momento": _now(), "codigo": halt.code, "mensaje": halt.message, "pagina": None}
        try:
            self._learn_cookies()
            body["pagina"] = self.where()
            body["titulo"] = self.tab.page.title()
            asks_password = self.tab.page.locator("input[type=password]").count() > 0
            body["avisos"] = self.tab.text_of("[role=alert]") or None
        except PlaywrightError:
            asks_password = True
        self.bag.json("failure", "falla.json", body)
        if not asks_password:
            self.shoot("failure", "falla.png")
            self.keep_dom("failure", "falla.html")

    def where(self) -> str:
        """Path of the page now shown, without query (it may name a session or a person)."""
        return urlsplit(self.tab.page.url).path

    def _browser_version(self) -> str | None:
        engine = self.tab.page.context.browser
        return engine.version if engine is not None else None

    def _learn_cookies(self) -> None:
        try:
            self.bag.learn_cookies(str(c.get("value", "")) for c in self.tab.page.context.cookies())
        except PlaywrightError:
            return


def unknown(watch: Watch, text: str, *, session_lost: bool = False) -> Ending:
    """The button was pressed and no certain answer came."""
    if session_lost:
        code, message = "sesion_perdida", "El portal cerró la sesión en el momento de enviar."
    elif watch.failed:
        code, message = "conexion_perdida", "La conexión se perdió mientras se enviaba."
    elif watch.response is not None and watch.response.status >= 500:
        code, message = "error_del_portal", f"El portal respondió {watch.response.status} mientras se enviaba."
    elif watch.finished:
        code, message = "sin_mensaje", "El portal respondió y no mostró el mensaje de cierre."
    else:
        code, message = "sin_respuesta", "El portal no respondió a tiempo después de enviar."
    return Ending(
        Outcome.UNKNOWN, code=code, message=message + " Se consultará antes de enviar de nuevo.", text=text or None
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _pages(path: Path) -> int | None:
    if path.suffix.lower() != ".pdf":
        return None
    try:
        with pypdfium2.PdfDocument(path) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return None
