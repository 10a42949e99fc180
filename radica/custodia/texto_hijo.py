"""The process that takes words out of documents: PDF, XML, JSON, HTML, mail and plain text; one after another.

Invariant: a file that crashes, hangs or swells its reader takes only this process, which has limits of memory and time
and holds neither keys nor the database's address; words travel back over the pipe and are written nowhere. Run as
`python -m radica.custodia.texto_hijo`; each order is a line `{"bytes": n}` and n bytes, each answer one JSON line.
"""

from __future__ import annotations

import email
import email.policy
import html
import re
import sys
from collections.abc import Iterator

import pypdfium2 as pdfium

from radica.custodia.texto import joined
from radica.kernel.reader import serve

MEMORY_BYTES = 2 * 1024**3
CPU_S = 30
"""Seconds of processor for one document."""
MAX_PAGES = 500
MAX_TEXT = 8_000_000
"""Characters of one document that are read."""
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r'="([^"]{3,200})"')
_DEPTH = 5


def texts_of(data: bytes, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a document by what its bytes are. Raises PdfiumError on a damaged PDF."""
    head = data[:1024].lstrip()
    if b"%PDF-" in data[:1024]:
        yield from _pdf(data)
    elif _looks_like_mail(head) and depth < _DEPTH:
        yield from _mail(data, depth)
    elif not _binary(data):
        yield from _plain(_decoded(data))


def _pdf(data: bytes) -> Iterator[str]:
    document = pdfium.PdfDocument(data)
    for index in range(min(len(document), MAX_PAGES)):
        page = document[index]
        yield page.get_textpage().get_text_bounded()
        page.close()


def _looks_like_mail(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    return bool(
        re.match(
            rb"(?i)(?:received|return-path|from|to|date|subject|mime-version|message-id|delivered-to|x-[a-z-]+):", first
        )
    )


def _mail(data: bytes, depth: int) -> Iterator[str]:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for name in ("from", "to", "cc", "subject"):
        yield str(message.get(name, ""))
    for part in message.walk():
        if part.is_multipart():
            continue
        yield part.get_filename() or ""
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            yield from texts_of(body, depth + 1)


def _binary(data: bytes) -> bool:
    sample = data[:4096]
    return b"\x00" in sample and not sample.startswith((b"\xff\xfe", b"\xfe\xff"))


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _plain(text: str) -> Iterator[str]:
    text = text[:MAX_TEXT]
    if text.lstrip().startswith("<"):
        yield " ".join(_ATTRIBUTE.findall(text))
        text = html.unescape(_TAG.sub(" ", text.replace("<![CDATA[", " ").replace("]]>", " ")))
    elif "\\u" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    yield text


def answer(data: bytes) -> dict[str, object]:
    """Return outcome and words of one document."""
    try:
        words = joined(texts_of(data))
    except (pdfium.PdfiumError, MemoryError, ValueError, LookupError, AttributeError, RecursionError):
        return {"resultado": "ilegible", "palabras": []}
    if words:
        return {"resultado": "indexado", "palabras": sorted(words)}
    readable = b"%PDF-" in data[:1024] or not _binary(data)
    return {"resultado": "sin_texto" if readable else "otro_formato", "palabras": []}


def main() -> int:
    """Answer orders until the pipe closes."""
    return serve(lambda _, data: answer(data), memory_bytes=MEMORY_BYTES, cpu_s=CPU_S)


if __name__ == "__main__":
    sys.exit(main())
