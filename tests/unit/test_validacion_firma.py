"""Signatures of real documents against the index of the samples, and every way to make a false one."""

from __future__ import annotations

import base64
import csv
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.confianza import DE_LA_CASA, anclas_de, con_certificados
from radica.facturas.validacion.firma import Estado, Firma, firma_de_capa, firmas
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.errors import BadInput
from tests import firmador
from tests.firmador import ENVELOPED, EXCLUSIVE, INVOICE, Modo, sign

LAYER = re.compile(r"(AttachedDocument|Invoice|CreditNote|DebitNote|ApplicationResponse):(.+?)(?= [A-Z]\w+:|$)")
SAID = {
    "VALIDA": Estado.VALIDA,
    "digest roto": Estado.ALTERADA,
    "incompleta": Estado.AUSENTE,
    "sin firma": Estado.AUSENTE,
}


def verdict(data: bytes) -> tuple[Estado, str]:
    one = firma_de_capa(data)
    return one.estado, one.motivo


def layers(path: Path) -> dict[str, Firma]:
    return firmas(abrir_xml(path.name, path.read_bytes()))


# -- real documents ---------------------------------------------------------------------------------------------------


def test_every_sample_is_what_the_index_says(muestras: Path):
    with (muestras / "INDICE.csv").open(encoding="utf-8") as table:
        rows = {row["archivo"]: row["firma"] for row in csv.DictReader(table) if row["archivo"].endswith(".xml")}
    said = {name: {layer: SAID[word] for layer, word in LAYER.findall(text)} for name, text in rows.items()}
    assert len(said) == 19
    assert sum(len(one) for one in said.values()) == 35
    seen = {name: {layer: one.estado for layer, one in layers(muestras / name).items()} for name in said}
    assert seen == said


def test_who_signed_and_when(muestras: Path):
    found = layers(muestras / "caso11_fev_attached.xml")
    answer, invoice = found["ApplicationResponse"], found["Invoice"]
    assert (answer.de_la_dian, answer.conocido, answer.vigente) == (True, True, True)
    assert (invoice.de_la_dian, invoice.conocido, invoice.vigente) == (False, False, True)
    assert invoice.fecha is not None
    assert invoice.fecha.isoformat() == "2025-05-19T14:29:47.694000-05:00"
    assert invoice.huella is not None
    assert len(invoice.huella) == 64
    assert "DIGITAL" not in repr(invoice)


@pytest.mark.parametrize("name", ["caso11_fev_attached.xml", "caso40_invoice_signed.xml"])
def test_one_changed_digit_of_a_real_document_is_seen(muestras: Path, name: str):
    data = (muestras / name).read_bytes()
    changed = data.replace(b"<cbc:IssueDate>2", b"<cbc:IssueDate>1", 1)
    assert changed != data
    layer = "AttachedDocument" if b"AttachedDocument" in data else "Invoice"
    assert firmas(abrir_xml("x", changed))[layer].estado is Estado.ALTERADA


UNSIGNED = re.compile(rb'<ds:Signature Id="[^"]*"|<ds:SignatureValue Id="[^"]*"|Target="[^"]*"')
"""What no digest of XAdES covers: names by which nobody finds anything that is read."""


@pytest.mark.parametrize("first", range(5))
def test_one_flipped_letter_anywhere_is_altered(muestras: Path, first: int):
    data = (muestras / "caso42_creditnote_signed.xml").read_bytes()
    free = {at for found in UNSIGNED.finditer(data) for at in range(*found.span())}
    told = set()
    for at in range(first * 7, len(data), 37):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            told.add(firmas(abrir_xml("x", flipped))["CreditNote"].estado if at not in free else Estado.ALTERADA)
        except (Unreadable, KeyError):
            continue
    assert told == {Estado.ALTERADA}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', b'xmlns:ds="http://www.w3.org/2000/09/xmldsih#"'),
        (b'xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"', b'xmlns:xades="http://uri.etsi.org/01903/v1.3.3#"'),
        (b"REC-xml-c14n-20010315", b"REC-xml-c14n-20010316"),
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha259"),
        (b"xmlenc#sha256", b"xmlenc#sha259"),
        (b"enveloped-signature", b"enveloped-signaturf"),
        (b'URI=""', b'UR1=""'),
    ],
)
def test_a_letter_of_the_method_is_signed_too(muestras: Path, old: bytes, new: bytes):
    for name in ("caso11_appresponse_dian02.xml", "caso42_creditnote_signed.xml"):
        data = (muestras / name).read_bytes()
        assert old in data
        (found,) = firmas(abrir_xml("x", data.replace(old, new, 1))).values()
        assert found.estado is Estado.ALTERADA, name


def test_a_real_document_saved_again_with_other_blanks_is_altered(muestras: Path):
    data = (muestras / "caso40_invoice_signed.xml").read_bytes()
    assert verdict(data.replace(b"</cbc:ID>", b" </cbc:ID>", 1))[0] is Estado.ALTERADA
    assert verdict(data.replace(b"\n", b"\r\n"))[0] is Estado.VALIDA, "XML reads both ends of line alike"


def test_two_layers_of_one_name_tell_the_worse(muestras: Path):
    data = (muestras / "caso11_fev_attached.xml").read_bytes()
    first = data.index(b"<cac:ParentDocumentLineReference>")
    end = data.index(b"</cac:ParentDocumentLineReference>") + len(b"</cac:ParentDocumentLineReference>")
    twice = data[:end] + data[first:end].replace(b"<cbc:IssueDate>2025", b"<cbc:IssueDate>2024") + data[end:]
    assert firmas(abrir_xml("x", twice))["ApplicationResponse"].estado is Estado.ALTERADA


def test_an_invoice_in_base64_is_a_layer_too(muestras: Path):
    data = (muestras / "caso11_fev_attached.xml").read_bytes()
    (_, invoice) = abrir_xml("x", data).capas[1]
    start = data.index(b"<cac:ExternalReference>")
    end = data.index(b"</cac:ExternalReference>") + len(b"</cac:ExternalReference>")
    packed = b'<cbc:EmbeddedDocumentBinaryObject mimeCode="text/xml">%b</cbc:EmbeddedDocumentBinaryObject>'
    changed = data[:start] + packed % base64.b64encode(invoice) + data[end:]
    found = firmas(abrir_xml("x", changed))
    assert {name: one.estado for name, one in found.items()} == {
        "AttachedDocument": Estado.ALTERADA,
        "Invoice": Estado.VALIDA,
        "ApplicationResponse": Estado.VALIDA,
    }


# -- what is valid ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("canon", [firmador.INCLUSIVE, EXCLUSIVE, "http://www.w3.org/2006/12/xml-c14n11"])
def test_algorithms_in_use(canon: str, digest: str):
    assert verdict(sign(Modo(canon=canon, resumen=digest))) == (Estado.VALIDA, "")


def test_an_elliptic_key():
    assert verdict(sign(key=firmador.ec_key())) == (Estado.VALIDA, "")
    assert verdict(sign(key=firmador.ec_key()).replace(b">FE1<", b">FE2<")) == (Estado.ALTERADA, "documento")


def test_a_comment_between_elements_harms_nobody():
    assert verdict(sign().replace(b"<cbc:Note>", b"<!-- x --><cbc:Note>", 1)) == (Estado.VALIDA, "")


def test_outside_its_term_the_certificate_is_told():
    assert firma_de_capa(sign()).vigente is True
    assert firma_de_capa(sign(Modo(fecha="2027-02-01T00:00:00-05:00"))).vigente is False
    assert firma_de_capa(sign(Modo(fecha="ayer"))).vigente is None


# -- what is not ------------------------------------------------------------------------------------------------------

EXTRA = '<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><Collection xmlns="">mentira</Collection></ds:Object>'
QUIET = EXTRA.replace("Collection", "ds:Collection")


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (Modo(resumen="sha1"), "resumen"),
        (Modo(canon="http://www.w3.org/2008/07/xml-c14n2"), "canonicalizacion"),
        (Modo(transformaciones=(ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116")), "canonicalizacion"),
        (Modo(transformaciones=("http://www.w3.org/TR/1999/REC-xslt-19991116",)), "transformacion"),
        (Modo(transformaciones=()), "transformacion"),
        (Modo(transformaciones=(ENVELOPED, EXCLUSIVE, EXCLUSIVE)), "transformacion"),
    ],
)
def test_what_is_not_checked_is_not_called_valid(mode: Modo, reason: str):
    assert verdict(sign(mode)) == (Estado.NO_COMPROBADA, reason)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (Modo(sin_documento=True), "no_cubre"),
        (Modo(sin_propiedades=True), "propiedades_sin_firmar"),
        (Modo(fuera=EXTRA), "contenido_sin_firmar"),
        (Modo(fuera=QUIET), "contenido_sin_firmar"),
        (Modo(huella_ajena=True), "certificado_cambiado"),
    ],
)
def test_a_signature_that_does_not_cover_what_is_read(mode: Modo, reason: str):
    assert verdict(sign(mode)) == (Estado.ALTERADA, reason)


def test_a_short_key_is_not_checked():
    assert verdict(sign(key=firmador.rsa_key(1024))) == (Estado.NO_COMPROBADA, "clave_corta")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b">FE1<", b">FE2<", "documento"),
        (b'currencyID="COP"', b'currencyID="USD"', "documento"),
        (b"<cbc:Note>", b"<?ojo 1?><cbc:Note>", "documento"),
        (b"10:00:00", b"11:00:00", "propiedades"),
        (b"<cbc:ID>", b'<cbc:ID Id="props">', "id_repetido"),
        (b"<cbc:ID>", b'<cbc:ID xml:id="llave">', "id_repetido"),
        (b' Id="props"', b' Id="otro"', "referencia"),
        (b' Id="props"', b' ID="props"', "id_repetido"),
        (b"</cbc:ID>", b'</cbc:ID><cbc:X Id="nuevo"/>', "documento"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA", "valor"),
        (b"<ds:DigestValue>", b"<ds:DigestValue>*", "base64"),
        (b"</ds:SignedInfo>", b"</ds:SignedInfo><ds:SignedInfo/>", "bloque"),
    ],
)
def test_a_change_after_signing(old: bytes, new: bytes, reason: str):
    data = sign()
    changed = data.replace(old, new, 1)
    assert changed != data
    assert verdict(changed) == (Estado.ALTERADA, reason)


def test_a_comment_inside_a_text_hides_the_rest_of_it():
    """Canonicalisation drops comments: the digest holds, and a reader sees FE instead of FE1."""
    assert verdict(sign().replace(b">FE1<", b">FE<!-- -->1<", 1)) == (Estado.NO_COMPROBADA, "comentario")


def test_a_second_signature_is_never_valid():
    data = sign()
    block = data[data.index(b"<ds:Signature ") : data.index(b"</ds:Signature>") + len(b"</ds:Signature>")]
    assert verdict(data.replace(block, block + block)) == (Estado.NO_COMPROBADA, "varias_firmas")


def test_a_signature_moved_elsewhere_is_never_valid():
    data = sign()
    start, end = data.index(b"<ds:Signature "), data.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    moved = (data[:start] + data[end:]).replace(b"</Invoice>", data[start:end] + b"</Invoice>")
    assert verdict(moved) == (Estado.NO_COMPROBADA, "lugar")


def test_the_signed_document_wrapped_into_another_is_never_valid():
    """The classic wrapping: the signed tree goes below, a false one stands at the root."""
    inner = sign().split(b"?>", 1)[1].strip()
    false = INVOICE.replace("{firma}", "").replace("FE1", "FE9").encode()
    for place in (b"</ext:ExtensionContent>", b"</Invoice>"):
        assert verdict(false.replace(place, inner + place, 1))[0] is not Estado.VALIDA


def test_a_document_type_is_never_valid():
    doctype = b'<!DOCTYPE Invoice [<!ENTITY uno "1">]>\n<Invoice '
    assert verdict(sign().replace(b"<Invoice ", doctype, 1)) == (Estado.ALTERADA, "doctype")


def test_an_external_reference_is_never_followed():
    data = sign().replace(b'URI="#llave"', b'URI="http://127.0.0.1:9/x"')
    assert verdict(data) == (Estado.ALTERADA, "bloque"), "the value covers the address"


def test_another_key_than_that_of_the_properties():
    data = sign()
    other = firmador.certificate(firmador.ec_key()).public_bytes(serialization.Encoding.DER)
    changed = re.sub(rb"(<ds:X509Certificate>)[^<]+", rb"\1" + firmador._b64(other).encode(), data)
    assert verdict(changed)[0] is Estado.ALTERADA


def test_no_signature_and_an_empty_frame():
    bare = INVOICE.replace("{firma}", "").encode()
    frame = INVOICE.replace("{firma}", '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>').encode()
    assert verdict(bare) == (Estado.AUSENTE, "sin_firma")
    assert verdict(frame) == (Estado.AUSENTE, "incompleta")


# -- who is known -----------------------------------------------------------------------------------------------------


def test_an_authority_in_hand_vouches_for_what_it_signed(tmp_path: Path):
    ca = firmador.certificate(firmador.rsa_key(), ca=True)
    leaf = firmador.certificate(firmador.ec_key(), issuer=ca, by=firmador.rsa_key(), nit="800197268")
    data = sign(key=firmador.ec_key(), cert=leaf)
    assert firma_de_capa(data).conocido is False
    (tmp_path / "autoridad.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    known = firma_de_capa(data, anclas_de(tmp_path))
    assert (known.estado, known.conocido, known.de_la_dian) == (Estado.VALIDA, True, True)


def test_a_leaf_that_signs_another_vouches_for_nothing():
    leaf = firmador.certificate(firmador.rsa_key())
    false = firmador.certificate(firmador.ec_key(), issuer=leaf, by=firmador.rsa_key(), nit="800197268")
    trust = con_certificados(DE_LA_CASA, [leaf])
    assert firma_de_capa(sign(key=firmador.ec_key(), cert=false), trust).conocido is False
    assert firma_de_capa(sign(cert=leaf), trust).conocido is True


def test_who_only_calls_himself_dian_is_not():
    false = firmador.certificate(firmador.rsa_key(), nit="800197268")
    assert firma_de_capa(sign(cert=false)).de_la_dian is False


def test_a_folder_with_what_is_no_certificate(tmp_path: Path):
    (tmp_path / "x.pem").write_text("nada")
    with pytest.raises(BadInput, match=r"x\.pem"):
        anclas_de(tmp_path)
