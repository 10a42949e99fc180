"""A person at a simulated portal, without a browser: cookies, forms and the two ways through, in plain HTTP.

Invariant: speaks only what the pages themselves send, so that what it proves holds for a browser too.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

NIT = "900000001"
CUV = "0123456789abcdef" * 6
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
PDF = b"%PDF-1.4\n%%EOF\n"
Answer = tuple[int, dict[str, str], bytes]
Files = list[tuple[str, str, bytes]]


class Cut(Exception):
    """The portal closed the connection without an answer, or did not answer in time."""


def fev(number: str, nit: str = NIT, value: str = "573480.00") -> bytes:
    """An invoice with the few elements that the payer reads."""
    return (
        f'<Invoice xmlns="{UBL}Invoice-2" xmlns:cac="{UBL}CommonAggregateComponents-2"'
        f' xmlns:cbc="{UBL}CommonBasicComponents-2"><cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-11-01</cbc:IssueDate>'
        "<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:RegistrationName>IPS</cbc:RegistrationName>"
        f"<cbc:CompanyID>{nit}</cbc:CompanyID></cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty>"
        f"<cac:LegalMonetaryTotal><cbc:PayableAmount>{value}</cbc:PayableAmount></cac:LegalMonetaryTotal></Invoice>"
    ).encode()


def rips(number: str, nit: str = NIT, value: float | str = "573480") -> bytes:
    """A RIPS with one service of that value."""
    services = {"consultas": [{"vrServicio": value}]}
    document = {"numFactura": number, "numDocumentoIdObligado": nit, "usuarios": [{"servicios": services}]}
    return json.dumps(document).encode()


def cuv(number: str, code: str = CUV) -> bytes:
    """The answer of the national validator for that invoice."""
    return json.dumps({"NumFactura": number, "CodigoUnicoValidacion": code}).encode()


class Visitor:
    """One browser session; a new connection for each request, so that a cut harms only its own."""

    def __init__(self, url: str, timeout_s: float = 20) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._timeout = parts.hostname or "", parts.port or 80, timeout_s
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "", timeout_s: float = 0) -> Answer:
        """One request; redirects are not followed. Raises Cut when no answer came."""
        connection = HTTPConnection(self._host, self._port, timeout=timeout_s or self._timeout)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if kind:
            headers["Content-Type"] = kind
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (HTTPException, OSError) as error:
            raise Cut(type(error).__name__) from error
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, dict(response.headers), content

    def get(self, path: str) -> Answer:
        """GET."""
        return self.ask("GET", path)

    def get_json(self, path: str) -> Any:
        """GET that must answer JSON."""
        return json.loads(self.get(path)[2])

    def post_form(self, path: str, fields: dict[str, str]) -> Answer:
        """POST of an ordinary form."""
        return self.ask("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def post_json(self, path: str, value: Any) -> Answer:
        """POST of JSON (the controls)."""
        return self.ask("POST", path, json.dumps(value).encode(), "application/json")

    def post_files(self, path: str, fields: dict[str, str], files: Files, timeout_s: float = 0) -> Answer:
        """POST of a multipart form."""
        values: MultiDict[str, Any] = MultiDict(fields)
        stored = [FileStorage(stream=BytesIO(content), filename=name, name=field) for field, name, content in files]
        for item in stored:
            values.add(item.name or "", item)
        boundary, body = encode_multipart(values)
        answer = self.ask("POST", path, body, f"multipart/form-data; boundary={boundary}", timeout_s)
        for item in stored:
            item.close()
        return answer


class AtEps(Visitor):
    """A person at p2."""

    def log_in(self, user: str = NIT, key: str = "clave-p2-demo") -> Answer:
        """Send the login form."""
        return self.post_form("/app", {"usuarioIngreso": user, "contraseniaIngreso": key})

    def upload(self, *numbers: str, files: Files | None = None, period: str = "2026-11") -> str:
        """Send the draft form; the account it made. ``files`` replaces the right files of all invoices."""
        fields = {"periodo": period, "contrato": "EVENTO-2026"}
        right: Files = []
        for n, number in enumerate(numbers, 1):
            fields[f"cuvTexto_{n}"] = CUV
            right += [
                (f"fevXml_{n}", f"{number}.xml", fev(number)),
                (f"ripsJson_{n}", f"{number}.json", rips(number)),
                (f"cuvArchivo_{n}", f"CUV_{number}.json", cuv(number)),
                (f"soportes_{n}", f"HEV_{NIT}_{number}.pdf", PDF),
            ]
        status, _, body = self.post_files("/app/radicar/borrador", fields, right if files is None else files)
        assert status == 200, body
        return str(json.loads(body)["cuenta"])

    def state(self, account: str) -> Any:
        """What the page polls."""
        return self.get_json(f"/app/radicar/borrador/{account}")

    def file(self, account: str, timeout_s: float = 0) -> Answer:
        """Press the final button."""
        return self.ask("POST", f"/app/radicar/cuenta/{account}/radicar", b"", timeout_s=timeout_s)

    def search(self, number: str) -> list[dict[str, str]]:
        """The rows of the query page."""
        rows: list[dict[str, str]] = self.get_json(f"/app/radicaciones/buscar?numero={number}")["filas"]
        return rows


class AtInsurer(Visitor):
    """A person at p1."""

    def log_in(self, nit: str = NIT) -> Answer:
        """Send the login form."""
        return self.post_form("/", {"sl-tipo-reclamante": "IPS", "txt-nit": nit})

    def form_key(self) -> str:
        """Open the form; its hidden key, or an empty text."""
        _, _, body = self.get("/recepcion-reclamacion")
        _, found, rest = body.decode().partition('name="form_key" value="')
        return rest.partition('"')[0] if found else ""

    def knows(self, number: str) -> Any:
        """What the lookup on blur says."""
        return self.get_json(f"/recepcion-reclamacion/consulta-factura?numero={number}")

    def file(
        self, number: str, *, key: str | None = None, files: Files | None = None, changed: dict[str, str] | None = None
    ) -> Answer:
        """Send the claim form of a first filing; ``changed`` replaces typed fields."""
        fields = {
            "form_key": self.form_key() if key is None else key,
            "sl-ciudades": "11001",
            "txt-num-factura": number,
            "txt-email": "radicacion@ips.example",
            "txt-usuario-registra": "Facturación",
            "sl-ramo": "SOAT",
            "sl-tipo-amparo": "GMQ",
            "sl-tipo-cuenta": "1",
        }
        fields |= changed or {}
        right: Files = [
            ("str_bytes_archivo_furips", "furips.pdf", PDF),
            ("str_bytes_archivo_factura", "factura.pdf", PDF),
            ("f-archivo-historia-clinica", "hc.pdf", PDF),
        ]
        return self.post_files("/recepcion-reclamacion/guardar", fields, right if files is None else files)
