"""Words of documents, what is stored of them, and the process that reads a stranger's file."""

from __future__ import annotations

import hmac
import io
import json
import resource
import subprocess
import sys
from email.message import EmailMessage

import pytest
from reportlab.pdfgen.canvas import Canvas

from radica.custodia import texto_hijo, texto_proceso
from radica.custodia.texto import MAX_WORDS_PER_BLOB, blind, joined, provider_key, query_words, words_of
from radica.custodia.texto_proceso import Reader

MASTER = bytes(range(32))


def pdf(text: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(72, 720, text)
    canvas.save()
    return out.getvalue()


def test_words_have_neither_accents_nor_case_and_grouped_numbers_are_one() -> None:
    assert words_of("Señora ÁGATA Núñez, c.c. 1.098.765.432 de la") >= {"senora", "agata", "nunez", "1098765432"}
    assert "de" not in words_of("de la")
    assert query_words("NUÑEZ 1.098.765.432") == ["nunez", "1098765432"]
    assert query_words("de la un") == []


def test_what_is_stored_is_the_providers_own_and_stays_the_same() -> None:
    one, other = provider_key(MASTER, 1), provider_key(MASTER, 2)
    assert blind(one, "nunez") == blind(provider_key(MASTER, 1), "nunez")
    assert blind(one, "nunez") != blind(other, "nunez")
    assert blind(one, "nunez") != blind(provider_key(bytes(32), 1), "nunez")
    assert -(2**63) <= blind(one, "nunez") < 2**63
    # RFC 5869 by hand: extract without salt, expand one block.
    extracted = hmac.digest(bytes(32), MASTER, "sha256")
    derived = hmac.digest(extracted, b"radica/indice-de-texto/1/prestador:1\x01", "sha256")
    first = hmac.digest(derived, b"nunez", "sha256")[:8]
    assert blind(one, "nunez") == int.from_bytes(first, "big", signed=True)


def test_a_blob_gives_at_most_so_many_words_and_the_same_each_time() -> None:
    text = " ".join(f"palabra{n}" for n in range(MAX_WORDS_PER_BLOB + 500))
    found = joined([text])
    assert len(found) == MAX_WORDS_PER_BLOB
    assert found == joined([text])


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "glosas@eps.example", "ips@norte.example", "Glosa de la factura FE991"
    mail.set_content("La atención de Ágata no tiene soporte.")
    mail.add_attachment(pdf("Historia clinica 445566"), maintype="application", subtype="pdf", filename="hc.pdf")
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (pdf("Epicrisis de Agata Nunez"), "epicrisis"),
        (b'{"numDocumentoIdentificacion": "1098765432"}', "1098765432"),
        (b'{"nombre": "\\u00c1gata"}', "agata"),
        ("<a:Nota xmlns:a='x' id=\"CC-998877\"><![CDATA[Núñez]]></a:Nota>".encode(), "nunez"),
        (b'<a id="CC-998877"/>', "998877"),
        (b"<html><style>secreto{}</style><p>&Aacute;gata</p></html>", "agata"),
        ("Ágata Núñez".encode("cp1252"), "nunez"),
        ("Ágata Núñez".encode("utf-16"), "nunez"),
        (_mail(), "445566"),
        (_mail(), "fe991"),
        (_mail(), "agata"),
    ],
)
def test_words_come_out_of_what_documents_are(data: bytes, word: str) -> None:
    found = texto_hijo.answer(data)
    assert found["resultado"] == "indexado"
    words = found["palabras"]
    assert isinstance(words, list)
    assert word in words
    assert "secreto" not in words


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", "sin_texto"),
        (pdf(""), "sin_texto"),
        (b"%PDF-1.7 nada", "ilegible"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "otro_formato"),
    ],
)
def test_what_has_no_words_says_why(data: bytes, outcome: str) -> None:
    assert texto_hijo.answer(data) == {"resultado": outcome, "palabras": []}


def test_the_reader_is_another_process_that_may_die(monkeypatch: pytest.MonkeyPatch) -> None:
    with Reader() as reader:
        assert "epicrisis" in reader.words(pdf("Epicrisis")).palabras
        process = reader._process
        assert process is not None
        process.kill()
        process.wait()
        assert reader.words(pdf("Epicrisis")).resultado == "ilegible"
        assert "epicrisis" in reader.words(pdf("Epicrisis")).palabras
        monkeypatch.setattr(texto_proceso, "MAX_BYTES", 5)
        assert reader.words(b"demasiado largo").resultado == "ilegible"


def test_a_reader_that_hangs_is_left() -> None:
    with Reader(read_s=0.3, command=[sys.executable, "-c", "import time; time.sleep(60)"]) as reader:
        assert reader.words(b"x" * 1_000_000).resultado == "ilegible"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]\n",
        b'{"resultado": "indexado"}\n',
        b'{"resultado": "otra", "palabras": []}\n',
        json.dumps({"resultado": "indexado", "palabras": ["x"] * (MAX_WORDS_PER_BLOB + 1)}).encode() + b"\n",
    ],
)
def test_an_answer_that_is_none_is_not_believed(line: bytes) -> None:
    assert texto_proceso._understood(line) is None


def test_the_processor_time_of_a_reader_is_counted_per_document() -> None:
    """One limit for all of them ended honest readers, and let a hostile document outlive its house by ten minutes."""
    allowed = []
    with subprocess.Popen(texto_proceso.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(b'{"bytes": 6}\nagata ')
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["palabras"] == ["agata"]
            allowed.append(resource.prlimit(process.pid, resource.RLIMIT_CPU))
        process.stdin.close()
    assert all(0 < soft <= 2 * texto_hijo.CPU_S for soft, _ in allowed)
