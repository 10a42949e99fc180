"""The evidence bag of one attempt: artefacts written into its folder, with no secret inside.

Kinds: manifest, form_values, screenshot_before, screenshot_after, acuse_shot, acuse_dom, submit_response, tls,
acuse_document, radicado, context, failure; of an answer also answers, items_before, items_after, payer_sheet. What a
bot writes is untrusted until custody seals it, but a password must never even reach the disk: every text is redacted before it is
written, every file is searched again at the end with all secrets learnt meanwhile (session cookies appear late), and a
binary file that holds one is thrown away. Invariant: `items` lists only files that passed that last search.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from bots.contract import EvidenceItem, Start

REDACTED = "[REDACTADO]"
SECRET_HEADERS = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization", "x-csrf-token"})
MIN_PASSWORD = 4
MIN_COOKIE = 8
"""Characters below which a cookie value is a preference ("es", "1"), not a session."""

_PASSWORD_INPUT = re.compile(r"<input\b[^>]*\btype\s*=\s*[\"']?password\b[^>]*>", re.IGNORECASE)
_TOKEN_INPUT = re.compile(r"<input\b[^>]*\bname\s*=\s*[\"']?[\w\-]*(?:csrf|token|viewstate)[^>]*>", re.IGNORECASE)
_VALUE = re.compile(r"(\bvalue\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_TEXT_ENDINGS = frozenset({".json", ".html", ".txt", ".eml", ".xml"})


def variants(secret: str) -> tuple[str, ...]:
    """The ways a secret is spelt in artefacts: raw, URL, form, HTML, JSON and base64; longest first."""
    spelt = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    }
    return tuple(sorted(spelt, key=len, reverse=True))


def clean_html(source: str) -> str:
    """Page source without the values of password and token fields (the payer's own words stay)."""
    for field in (_PASSWORD_INPUT, _TOKEN_INPUT):
        source = field.sub(lambda tag: _VALUE.sub(rf'\1"{REDACTED}"', tag.group(0)), source)
    return source


def clean_headers(headers: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Header pairs in their order; those that carry a session keep only their name."""
    return [[name, REDACTED if name.lower() in SECRET_HEADERS else value] for name, value in headers]


def account_secrets(start: Start) -> tuple[str, ...]:
    """The password of the account. One that repeats the user or the NIT is public already, and striking it out would
    strike out the provider from its own evidence; the same for one too short to be looked for.
    """
    clave = start.credentials.clave
    if len(clave) < MIN_PASSWORD or clave in (start.credentials.usuario, start.filing.provider_nit):
        return ()
    return (clave,)


class Bag:
    """Writes artefacts into `folder`, announces each with `announce(kind, name, note)`, and remembers the secrets."""

    def __init__(self, folder: Path, announce: Callable[[str, str, str | None], None]) -> None:
        self._folder = folder
        self._announce = announce
        self._secrets: set[str] = set()
        self._written: dict[str, str] = {}

    def learn(self, *secrets: str) -> None:
        """From now on nothing written may hold one of these (empty ones are none)."""
        self._secrets.update(s for s in secrets if s)

    def learn_cookies(self, values: Iterable[str]) -> None:
        """Cookie values long enough to be a session."""
        self.learn(*(v for v in values if len(v) >= MIN_COOKIE))

    def redact(self, text: str) -> str:
        """The text with every known secret, in every spelling, struck out."""
        for spelt in self._spellings():
            text = text.replace(spelt, REDACTED)
        return text

    def path(self, name: str) -> Path:
        """Where an artefact of this name lies."""
        return self._folder / name

    def text(self, kind: str, name: str, text: str, note: str | None = None) -> None:
        """A text artefact (HTML, plain): redacted, then written."""
        self._put(kind, name, self.redact(clean_html(text)).encode(), note)

    def json(self, kind: str, name: str, value: Any, note: str | None = None) -> None:
        """A JSON artefact, keys in the order given."""
        self._put(kind, name, self.redact(json.dumps(value, ensure_ascii=False, indent=1)).encode(), note)

    def data(self, kind: str, name: str, data: bytes, note: str | None = None) -> bool:
        """A binary artefact (image, document of the payer), byte for byte. False: refused, it holds a secret."""
        if self._holds_secret(data):
            return False
        self._put(kind, name, data, note)
        return True

    def sweep(self) -> tuple[EvidenceItem, ...]:
        """The last search: mend texts, throw away other files that hold a secret, hash what stays."""
        items = []
        for name, kind in list(self._written.items()):
            path = self._folder / name
            data = path.read_bytes()
            if self._holds_secret(data):
                if path.suffix not in _TEXT_ENDINGS:
                    path.unlink()
                    continue
                data = self.redact(data.decode("utf-8", "replace")).encode()
                path.write_bytes(data)
            items.append(EvidenceItem(kind, name, hashlib.sha256(data).hexdigest(), len(data)))
        return tuple(items)

    def _put(self, kind: str, name: str, data: bytes, note: str | None) -> None:
        # Whole or not there: a worker also seals what a killed bot leaves behind.
        half = self.path(f".{name}.tmp")
        half.write_bytes(data)
        half.replace(self.path(name))
        self._written[name] = kind
        self._announce(kind, name, note)

    def _spellings(self) -> list[str]:
        return sorted({v for s in self._secrets for v in variants(s)}, key=len, reverse=True)

    def _holds_secret(self, data: bytes) -> bool:
        return any(spelt.encode() in data for spelt in self._spellings())
