"""What the simulated payer reads in the files it is sent, and what it refuses to read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bots.simulador.constancia import Line, constancia
from bots.simulador.documents import Unreadable, Upload, pdf_problem, read_cuv, read_fev, read_rips
from radica.app.demo.data import generate
from tests.simulador_client import CUV, PDF, UBL, cuv, fev, rips

if TYPE_CHECKING:
    from pathlib import Path

ATTACHED = (
    f'<AttachedDocument xmlns="{UBL}AttachedDocument-2" xmlns:cac="{UBL}CommonAggregateComponents-2"'
    f' xmlns:cbc="{UBL}CommonBasicComponents-2"><cac:Attachment><cac:ExternalReference><cbc:Description>'
    "<![CDATA[%s]]></cbc:Description></cac:ExternalReference></cac:Attachment></AttachedDocument>"
)


def test_an_invoice_is_read_bare_and_inside_its_container() -> None:
    bare = read_fev(fev("FE9"))
    assert (bare.number, bare.nit, bare.payable) == ("FE9", "900000001", Decimal("573480.00"))
    assert read_fev((ATTACHED % fev("FE9").decode()).encode()) == bare


@pytest.mark.parametrize(
    "content",
    [
        b"",
        fev("FE9")[:-30],
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY e "x">]><a/>'.encode("utf-16"),
        f'<CreditNote xmlns="{UBL}CreditNote-2"/>'.encode(),
        fev("FE9", value="mucho"),
        fev(""),
    ],
)
def test_a_broken_or_foreign_xml_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_fev(content)


@pytest.mark.parametrize(
    "content", [b"", b"[" * 200_000, b"\xff\xfe\x00", b'{"numFactura":"1"}', rips("FE9", value="x")]
)
def test_a_broken_rips_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_rips(content)


def test_a_rips_is_summed_whether_wrapped_or_not() -> None:
    expected = read_rips(rips("FE9"))
    assert (expected.number, expected.total) == ("FE9", Decimal(573480))
    assert read_rips(b'\xef\xbb\xbf{"rips": ' + rips("FE9") + b', "xmlFevFile": ""}') == expected


def test_the_cuv_has_96_hexadecimal_digits() -> None:
    assert read_cuv(cuv("FE9")) == (CUV, "FE9")
    for wrong in (CUV[:-1], CUV[:-1] + "z", ""):
        with pytest.raises(Unreadable):
            read_cuv(cuv("FE9", wrong))


@pytest.mark.parametrize(
    ("name", "content", "refused"),
    [
        ("a.pdf", PDF, False),
        ("a.PDF", PDF, True),
        ("a.png", PDF, True),
        ("a.pdf", b"GIF89a", True),
        ("a.pdf", PDF * 99, True),
    ],
)
def test_rules_for_supports(name: str, content: bytes, refused: bool) -> None:
    assert bool(pdf_problem(Upload(name, content, "SOPORTE"), 1000)) is refused


def test_every_right_package_of_the_demonstration_passes_the_payers_own_reading() -> None:
    for built in generate(seed=5, packages=8, hoy=date(2026, 11, 20), defects=False):
        package = built.package
        contents = {path.name: content for path, content in built.contents.items()}
        invoice = next(read_fev(content) for name, content in contents.items() if name.endswith(".xml"))
        service = next(
            read_rips(content)
            for name, content in contents.items()
            if name.endswith(".json") and b"CodigoUnicoValidacion" not in content
        )
        assert (invoice.number, invoice.nit, invoice.payable) == (package.number, package.provider_nit, package.value)
        assert (service.number, service.nit) == (package.number, package.provider_nit)
        assert service.total in invoice.amounts


def test_real_documents_are_read(muestras: Path) -> None:
    assert read_fev((muestras / "caso05_fev_attached.xml").read_bytes()).number == "FECE214626"
    assert read_rips((muestras / "caso05_rips.json").read_bytes()).total == Decimal(228630)
    assert read_cuv((muestras / "caso07_ResultadosMSPS_cuv_adaptado.json").read_bytes())[1] == "A01E5687"


def test_a_constancia_is_the_same_document_on_every_download() -> None:
    def made(value: str) -> bytes:
        return constancia(
            payer="EPS",
            radicado="RAD-1_20261121_080000",
            filed_at="21/11/2026 08:00:00",
            code="900000001",
            nit="900000001",
            provider="IPS CLÍNICA",
            lines=[Line("FE9", value, 4)],
            total=value,
        )

    assert made("$ 1,00").startswith(b"%PDF-")
    assert made("$ 1,00") == made("$ 1,00") != made("$ 2,00")
