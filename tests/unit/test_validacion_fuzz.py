"""Damaged real documents: no traceback, no hang, and never a *valido* that is not true.

A document is flipped, cut, doubled and shuffled at random; the oracles are independent readers: canonical XML of the
signed layer, and the plain JSON.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.validar_bolsa import juzgar_uno

STATES = {"valido", "con_hallazgos", "ilegible"}
QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
READ = (
    "caso03_fev_attached.xml",
    "caso07_fev_attached.xml",
    "caso11_appresponse_dian02.xml",
    "caso42_creditnote_signed.xml",
    "caso45_debitnote_unsigned.xml",
    "caso03_muv_request.json",
    "caso03_muv_respuesta.json",
    "caso11_rips_envuelto.json",
    "caso20_consultarcuv_respuesta.json",
    "caso70_rips.json",
)


@st.composite
def damage(draw: st.DrawFn, size: int) -> list[tuple[str, int, int, int]]:
    """Draw a few blows: kind, place, length, and a byte."""
    blow = st.tuples(
        st.sampled_from(("flip", "cut", "double", "line", "end")),
        st.integers(0, max(size - 1, 0)),
        st.integers(1, 400),
        st.integers(1, 255),
    )
    return draw(st.lists(blow, min_size=1, max_size=4))


def struck(data: bytes, blows: list[tuple[str, int, int, int]]) -> bytes:
    raw = bytearray(data)
    for kind, at, length, byte in blows:
        place = min(at, len(raw))
        if kind == "flip" and place < len(raw):
            raw[place] ^= byte
        elif kind == "cut":
            del raw[place : place + length]
        elif kind == "double":
            raw[place:place] = raw[place : place + length]
        elif kind == "line":
            lines = bytes(raw).split(b"\n")
            lines.insert(place % len(lines), lines[(place + length) % len(lines)])
            raw = bytearray(b"\n".join(lines))
        elif kind == "end":
            del raw[place:]
    return bytes(raw)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", READ)
def test_no_damage_stops_the_readers(tmp_path: Path, muestras: Path, name: str) -> None:
    data = (muestras / name).read_bytes()

    @QUICK
    @given(damage(len(data)))
    def one(blows: list[tuple[str, int, int, int]]) -> None:
        result = juzgar_uno(tmp_path, name, struck(data, blows))
        assert result["estado"] in STATES
        assert (result["estado"] == "ilegible") == any(
            each["codigo"] in ("LEC-ILEGIBLE", "LEC-DESCONOCIDO") for each in result["hallazgos"]
        )

    one()


@pytest.mark.timeout(60)
def test_no_flipped_byte_leaves_a_signature_valid(tmp_path: Path, muestras: Path) -> None:
    data = (muestras / "caso40_invoice_signed.xml").read_bytes()
    whole = canonical(data)

    @settings(QUICK, max_examples=150)
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def one(at: int, byte: int) -> None:
        raw = bytearray(data)
        raw[at] ^= byte
        result = juzgar_uno(tmp_path, "f.xml", bytes(raw))
        if result["firma"].get("Invoice") == "valida":
            assert canonical(bytes(raw)) == whole, at
        elif result["estado"] != "ilegible":
            assert result["estado"] == "con_hallazgos"

    one()


def canonical(data: bytes) -> bytes:
    """What a reader reads: the document in its canonical form, without the signature itself and comments."""
    root = etree.fromstring(data)
    for signature in root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Signature"):
        holder = signature.getparent()
        assert holder is not None
        holder.remove(signature)
    return etree.tostring(root, method="c14n", with_comments=False)


@pytest.mark.timeout(60)
def test_a_rips_that_is_valido_says_what_an_independent_reader_reads(tmp_path: Path, muestras: Path) -> None:
    data = (muestras / "caso07_rips.json").read_bytes()
    assert juzgar_uno(tmp_path, "r.json", data)["estado"] == "valido"

    @settings(QUICK, max_examples=200)
    @given(damage(len(data)))
    def one(blows: list[tuple[str, int, int, int]]) -> None:
        raw = struck(data, blows)
        if juzgar_uno(tmp_path, "r.json", raw)["estado"] != "valido":
            return
        value = json.loads(raw.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=once)
        records = [record for user in value["usuarios"] for records in user["servicios"].values() for record in records]
        assert records
        assert all(type(record["vrServicio"]) in (int, Decimal) and record["vrServicio"] >= 0 for record in records)

    one()


def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    assert len(made) == len(members), "a key stands twice and nobody said so"
    return made
