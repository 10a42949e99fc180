"""Signatures of real documents against the index of the samples, and every way to make a false one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.firma import Estado, firmas

SAID = {
    "VALIDA": Estado.VALIDA,
    "digest roto": Estado.ALTERADA,
    "incompleta": Estado.AUSENTE,
    "sin firma": Estado.AUSENTE,
}


def of_the_index(folder: Path) -> dict[str, dict[str, Estado]]:
    """Read what INDICE.csv says: `Layer:verdict Layer:verdict…`, where a verdict may hold a blank."""
    found: dict[str, dict[str, Estado]] = {}
    for row in csv.DictReader((folder / "INDICE.csv").open(encoding="utf-8")):
        if not row["archivo"].endswith(".xml"):
            continue
        layers: dict[str, Estado] = {}
        for piece in row["firma"].replace("AttachedDocument:", "|AttachedDocument:").split("|"):
            for word in ("Invoice:", "CreditNote:", "DebitNote:", "ApplicationResponse:"):
                piece = piece.replace(word, "|" + word)
            for one in filter(None, (part.strip() for part in piece.split("|"))):
                name, _, verdict = one.partition(":")
                layers[name] = SAID[verdict]
        found[row["archivo"]] = layers
    return found


def test_every_sample_is_what_the_index_says(muestras: Path):
    said = of_the_index(muestras)
    assert len(said) == 19
    seen = {name: firmas(abrir_xml(name, (muestras / name).read_bytes())) for name in said}
    assert {name: {layer: one.estado for layer, one in found.items()} for name, found in seen.items()} == said


def test_who_signed_and_when(muestras: Path):
    found = firmas(abrir_xml("x", (muestras / "caso11_fev_attached.xml").read_bytes()))
    answer, invoice = found["ApplicationResponse"], found["Invoice"]
    assert (answer.de_la_dian, answer.conocido, answer.vigente) == (True, True, True)
    assert (invoice.de_la_dian, invoice.conocido, invoice.vigente) == (False, False, True)
    assert invoice.fecha is not None
    assert invoice.fecha.isoformat() == "2025-05-19T14:29:47.694000-05:00"
    assert invoice.huella is not None
    assert len(invoice.huella) == 64
    assert "DIGITAL" not in repr(invoice)


@pytest.mark.parametrize("name", ["caso11_fev_attached.xml", "caso40_invoice_signed.xml"])
def test_one_changed_digit_is_seen(muestras: Path, name: str):
    data = (muestras / name).read_bytes()
    changed = data.replace(b"<cbc:IssueDate>2", b"<cbc:IssueDate>1", 1)
    assert changed != data
    layer = "AttachedDocument" if b"AttachedDocument" in data else "Invoice"
    assert firmas(abrir_xml("x", changed))[layer].estado is Estado.ALTERADA
