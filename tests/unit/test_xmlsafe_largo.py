"""A container of more than ten megabytes is lawful up to sixteen, and no way in for what smaller ones may not bring."""

from __future__ import annotations

import pytest

from radica.facturas.ubl import open_container
from radica.facturas.xmlsafe import Unreadable, parse_xml
from tests.xml_variantes import factura

NOTES = "<cbc:Note>" + "x" * 99_000 + "</cbc:Note>"


def largo(megas: int = 11) -> str:
    """The right invoice with that many megabytes of notes, inside its CDATA."""
    return factura().replace("<cac:InvoicePeriod>", NOTES * (megas * 10) + "<cac:InvoicePeriod>", 1)


def test_a_container_of_eleven_megabytes_is_read() -> None:
    data = largo().encode("utf-8")
    assert 10_500_000 < len(data) < 16 * 1024 * 1024
    (invoice,) = open_container(parse_xml(data)).documents
    assert invoice.findtext("{*}LineCountNumeric") == "5"


@pytest.mark.parametrize("encoding", ["UTF-7", "UTF-16"])
def test_an_encoding_that_may_hide_a_declaration_keeps_the_small_limit(encoding: str) -> None:
    text = largo().replace('encoding="UTF-8"', f'encoding="{encoding}"', 1)
    with pytest.raises(Unreadable):
        parse_xml(text.encode("utf-16" if encoding == "UTF-16" else "ascii", "xmlcharrefreplace"))


def test_entities_in_a_large_document_are_never_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "{}"><!ENTITY c "{}">]>'.format("y" * 1000, "&b;" * 1000)
    head, rest = largo().split("?>", 1)
    rest = rest.replace("<AttachedDocument", "<AttachedDocument z='&c;'", 1)
    with pytest.raises(Unreadable):
        parse_xml(f"{head}?>{bomb}{rest}".encode())


def test_a_large_document_nests_no_deeper_than_a_small_one() -> None:
    whole = largo().replace("</AttachedDocument>", "<a>" * 600 + "</a>" * 600 + "</AttachedDocument>")
    with pytest.raises(Unreadable, match=r"anida|legible"):
        parse_xml(whole.encode("utf-8"))


def test_a_text_too_long_is_not_called_cut() -> None:
    text = "<a>" + "<![CDATA[" + "x" * 10_100_000 + "]]></a>"
    assert parse_xml(text.encode()).text is not None
    with pytest.raises(Unreadable) as caught:
        parse_xml(f'<?xml version="1.0" encoding="UTF-7"?>{text}'.encode())
    assert caught.value.code == "xml_desmedido"
