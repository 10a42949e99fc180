"""Parts of the signature and of the CUFE: what they find in real documents and in documents changed by one place."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import re
from datetime import date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from radica.facturas.fev import Fev
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.confianza import NIT_DIAN
from radica.facturas.validacion.cufe_reglas import codigo_unico, cude_de_evento
from radica.facturas.validacion.firma_reglas import firma, validada_por_dian
from radica.facturas.validacion.modelo import Clase, ClaveDe, Contexto, Fuente, Hallado, Hallazgo, Paquete
from radica.facturas.validacion.tablas import VACIOS, catalogos_de
from radica.facturas.xmlsafe import parse_xml
from radica.kernel.clock import BOGOTA
from tests.firmador import Modo, certificate, ec_key, rsa_key, sign

PUBLIC_KEY = "fc8eac422eba16e22ffd8c6f94b3f40a6e38162c"  # DIAN's key of the test environment, printed in its annex
TODAY = datetime(2026, 11, 22, 9, 0, tzinfo=BOGOTA)


def eyes(key: ClaveDe | None = None) -> Contexto:
    return Contexto(date(2026, 11, 22), TODAY, VACIOS, key)


def known(_fev: Fev) -> str:
    return PUBLIC_KEY


def of_the_code(data: bytes, key: ClaveDe | None = None, apart: bytes | None = None) -> list[Hallado]:
    answer = abrir_xml("r", apart) if apart is not None else None
    return list(codigo_unico(Paquete(xml=abrir_xml("x", data), respuesta=answer), eyes(key)))


def codes(found: list[Hallado]) -> list[tuple[str, str]]:
    return [(one.codigo, one.variante) for one in found]


def told(found: list[Hallado]) -> list[Hallazgo]:
    return list(contar(found, date(2026, 11, 22)))


# -- CUFE -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "caso11_fev_attached.xml",
        "caso13_fev_attached_ssrecaudo.xml",
        "caso46_invoice_hab_cufe_verificado.xml",
        "caso51_invoice_iva_cufe.xml",
    ],
)
def test_with_its_key_the_value_is_recomputed(muestras: Path, name: str):
    data = (muestras / name).read_bytes()
    assert codes(of_the_code(data, known)) == []
    assert codes(of_the_code(data)) == [("CUFE-RECALCULO", "sin_clave")]
    assert codes(of_the_code(data, lambda _fev: "0" * 40)) == [("CUFE-RECALCULO", "")]


def test_the_note_takes_the_pin(muestras: Path):
    data = (muestras / "caso42_creditnote_signed.xml").read_bytes()
    # The published example changed the issuer after it was computed: with the original one the CUDE is right.
    original = data.replace(b">800197268<", b">900508908<")
    assert codes(of_the_code(original, lambda _fev: "20191")) == []
    (wrong,) = told(of_the_code(original, known))
    assert wrong.clase is Clase.AVISO
    assert "CUDE" in wrong.mensaje
    assert "PIN" in wrong.mensaje
    assert PUBLIC_KEY not in wrong.mensaje


def test_what_needs_the_key_is_not_decidable_and_names_no_secret(muestras: Path):
    (one,) = told(of_the_code((muestras / "caso07_fev_attached.xml").read_bytes()))
    assert (one.codigo, one.clase) == ("CUFE-RECALCULO", Clase.NO_DECIDIBLE)
    assert "clave técnica" in one.mensaje


def test_a_key_that_is_on_file_is_not_asked_for(muestras: Path):
    """A foreigner's passport stands where the chain has a number."""
    data = (muestras / "caso46_invoice_hab_cufe_verificado.xml").read_bytes()
    customer = data.index(b"AccountingCustomerParty")
    foreign = data[:customer] + re.sub(rb"(CompanyID[^>]*>)[^<]*", rb"\1AX-90K", data[customer:])
    (one,) = told(of_the_code(foreign, known))
    assert (one.clase, "clave" in one.mensaje, "pasaporte" in one.arreglo) == (Clase.NO_DECIDIBLE, False, True)
    assert codes(of_the_code(foreign)) == [("CUFE-RECALCULO", "sin_clave")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("caso40_invoice_signed.xml", ("VFE006", "VFE007")),
        ("caso42_creditnote_signed.xml", ("VCN005", "VCN006")),
        ("caso45_debitnote_unsigned.xml", ("VDN003", "VDN004")),
    ],
)
def test_the_form_of_the_code(muestras: Path, name: str, expected: tuple[str, str]):
    data = (muestras / name).read_bytes()

    def written(text: str) -> list[Hallado]:
        pattern = rb"(<cbc:UUID [^>/]*)(/>|>[^<]*</cbc:UUID>)"
        changed, times = re.subn(pattern, rb"\g<1>>" + text.encode() + b"</cbc:UUID>", data, count=1)
        assert times == 1
        return [one for one in of_the_code(changed) if one.codigo in expected]

    characters, shape = expected
    assert codes(written("")) == [(characters, "vacio"), (shape, "vacio")]
    assert codes(written("ab-" * 32)) == [(characters, ""), (shape, "")]
    assert codes(written("a" * 95)) == [(shape, "")]
    assert codes(written("g" * 96)) == [(shape, "")]
    assert codes(written("a" * 96)) == []
    (finding,) = told(written("a" * 95))
    assert (finding.clase, finding.ruta) == (Clase.RECHAZO, "")
    assert "95" in finding.mensaje
    assert finding.linea is not None


def test_four_places_must_agree(muestras: Path):
    data = (muestras / "caso11_fev_attached.xml").read_bytes()
    own = b"8b7af7242ac24d50abb3ae9ccd34cf0c8e2265965d2ca295252aef1779a74f207d63848ce8d514ce61760a9e7a767136"
    other = b"0" + own[1:]
    places = [match.start() for match in re.finditer(own, data)]
    assert len(places) == 5  # the first is only the number of the container
    for start, code in zip(places[1:], ("CUFE-QR", "CUFE-RECALCULO", "CUFE-CONTENEDOR", "CUFE-DIAN"), strict=True):
        changed = data[:start] + other + data[start + 96 :]
        assert code in [one.codigo for one in of_the_code(changed, known)]
        (finding,) = [one for one in told(of_the_code(changed, known)) if one.codigo == code]
        assert finding.clase is Clase.AVISO
        assert finding.linea == data[:start].count(b"\n") + 1


def test_an_answer_that_came_apart_must_name_this_invoice(muestras: Path):
    data, apart = ((muestras / f"caso07_{name}.xml").read_bytes() for name in ("fev_attached", "appresponse_dian02"))
    foreign = (muestras / "caso11_appresponse_dian02.xml").read_bytes()
    assert "CUFE-DIAN" not in [one.codigo for one in of_the_code(data, apart=apart)]
    (one,) = [one for one in told(of_the_code(data, apart=foreign)) if one.codigo == "CUFE-DIAN"]
    assert one.fuente is Fuente.RESPUESTA
    nobody = re.sub(rb"<cbc:UUID schemeName=.CUFE-SHA384.>[^<]*</cbc:UUID>", b"", apart)
    assert ("CUFE-DIAN", "sin_cufe") in codes(of_the_code(data, apart=nobody))


def test_scheme_and_environment_of_the_code(muestras: Path):
    data = (muestras / "caso46_invoice_hab_cufe_verificado.xml").read_bytes()
    assert codes(of_the_code(data.replace(b"CUFE-SHA384", b"CUFE-SHA1"), known)) == [("CUFE-ESQUEMA", "")]
    changed = data.replace(b'schemeID="2" schemeName="CUFE', b'schemeID="1" schemeName="CUFE')
    changed = changed.replace(b'schemeName="CUFE-SHA384" schemeID="2"', b'schemeName="CUFE-SHA384" schemeID="1"')
    assert codes(of_the_code(changed, known)) == [("CUFE-AMBIENTE", "")]


def test_an_invoice_of_contingency_takes_the_pin(muestras: Path):
    data = (muestras / "caso46_invoice_hab_cufe_verificado.xml").read_bytes()
    changed = re.sub(rb"(<cbc:InvoiceTypeCode[^>]*>)01", rb"\g<1>03", data).replace(b"CUFE-SHA384", b"CUDE-SHA384")
    assert changed.count(b"CUDE-SHA384") == 1
    (one,) = told(of_the_code(changed))
    assert "PIN" in one.mensaje


def test_the_code_of_an_event():
    event = parse_xml(
        b"<A><ID>E1</ID><IssueDate>2026-01-02</IssueDate><IssueTime>10:00:00-05:00</IssueTime>"
        b"<SenderParty><PartyTaxScheme><CompanyID>900</CompanyID></PartyTaxScheme></SenderParty>"
        b"<ReceiverParty><PartyTaxScheme><CompanyID>800</CompanyID></PartyTaxScheme></ReceiverParty>"
        b"<DocumentResponse><Response><ResponseCode>030</ResponseCode></Response><DocumentReference><ID>FE1</ID>"
        b"<DocumentTypeCode>01</DocumentTypeCode></DocumentReference></DocumentResponse></A>"
    )
    expected = hashlib.sha384(b"E12026-01-0210:00:00-05:00900800030FE10112345").hexdigest()
    assert cude_de_evento(event, "12345") == expected
    assert cude_de_evento(parse_xml(b"<A><ID>E1</ID></A>"), "12345") is None


# -- signature --------------------------------------------------------------------------------------------------------


def of_the_signature(data: bytes, apart: bytes | None = None) -> list[Hallado]:
    answer = abrir_xml("r", apart) if apart is not None else None
    return list(firma(Paquete(xml=abrir_xml("x", data), respuesta=answer), eyes()))


def test_findings_of_the_signature_are_told_with_their_line(muestras: Path):
    assert of_the_signature((muestras / "caso11_fev_attached.xml").read_bytes()) == []
    (absent,) = told(of_the_signature((muestras / "caso07_fev_attached.xml").read_bytes()))
    assert (absent.codigo, absent.clase) == ("FIRMA-AUSENTE", Clase.AVISO)
    data = (muestras / "caso03_fev_attached.xml").read_bytes()
    container, invoice = told(of_the_signature(data))
    assert (container.codigo, invoice.codigo) == ("FIRMA-ALTERADA", "FIRMA-ALTERADA")
    assert "firma del contenedor" in container.mensaje
    lines = data.split(b"\n")
    for one in (container, invoice):
        assert one.linea is not None
        assert b"Signature" in lines[one.linea - 1]


def test_the_frame_of_the_ministry_is_incomplete(muestras: Path):
    found = of_the_signature((muestras / "caso10_fev_attached_oficial948.xml").read_bytes())
    assert codes(found) == [("FIRMA-AUSENTE", "incompleta"), ("FIRMA-AUSENTE", "incompleta"), ("FIRMA-ALTERADA", "")]
    assert found[2].ruta.startswith("ApplicationResponse/")


def test_an_answer_is_judged_once_when_it_came_twice(muestras: Path):
    data = (muestras / "caso05_fev_attached.xml").read_bytes()
    (_, inner) = next(one for one in abrir_xml("x", data).capas[1:] if one[0] == "ApplicationResponse")
    assert len(of_the_signature(data, apart=inner)) == len(of_the_signature(data))


def test_signers_and_terms_that_do_not_hold():
    late = sign(Modo(fecha="2028-01-01T00:00:00-05:00"))
    weak = sign(Modo(resumen="sha1"))
    moved = sign(Modo(sin_documento=True))
    assert codes(of_the_signature(late)) == [("FIRMA-VIGENCIA", "")]
    assert codes(of_the_signature(weak)) == [("FIRMA-NO-COMPROBADA", "")]
    assert codes(of_the_signature(moved)) == [("FIRMA-ALTERADA", "amparo")]
    assert "SHA-1" in told(of_the_signature(weak))[0].mensaje


def answer_to_sign(muestras: Path) -> str:
    """Return an answer that says to be DIAN's, with the place of a signature."""
    text = (muestras / "caso80_evento_030_sintetico.xml").read_text(encoding="utf-8").split("?>", 1)[1].strip()
    frame = "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent>{firma}</ext:ExtensionContent>"
    frame += "</ext:UBLExtension></ext:UBLExtensions>"
    first = text.index(">") + 1
    return text[: first - 1] + ' xmlns:ext="urn:ext">' + frame + text[first:]


def test_an_answer_signed_by_somebody_else_proves_nothing(muestras: Path):
    whole = answer_to_sign(muestras)
    (one,) = told(of_the_signature(sign(text=whole)))
    assert (one.codigo, one.fuente) == ("FIRMA-DESCONOCIDA", Fuente.RESPUESTA)
    assert not validada_por_dian(abrir_xml("x", sign(text=whole)), "ffff0d032c292b88")


def test_a_new_certificate_of_dian_is_known_by_the_folder_of_catalogues(muestras: Path, tmp_path: Path):
    ca = certificate(rsa_key(), ca=True)
    leaf = certificate(ec_key(), issuer=ca, by=rsa_key(), nit=NIT_DIAN)
    data = sign(key=ec_key(), cert=leaf, text=answer_to_sign(muestras))
    assert codes(of_the_signature(data)) == [("FIRMA-DESCONOCIDA", "por_confirmar")]
    assert "renueva" in told(of_the_signature(data))[0].mensaje
    (tmp_path / "certificados").mkdir()
    (tmp_path / "certificados" / "autoridad.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    trusting = Contexto(date(2026, 11, 22), TODAY, catalogos_de(tmp_path))
    assert pickle.loads(pickle.dumps(trusting.catalogos.anclas)) == trusting.catalogos.anclas
    assert list(firma(Paquete(xml=abrir_xml("x", data)), trusting)) == []


def test_dian_proves_offline_that_it_validated(muestras: Path):
    proved = [path.name for path in sorted(muestras.glob("*fev_attached*.xml")) if proves(path)]
    assert [name[:6] for name in proved] == ["caso01", "caso03", "caso07", "caso11", "caso13", "caso48"]
    xml = abrir_xml("x", (muestras / "caso07_fev_attached.xml").read_bytes())
    assert not validada_por_dian(xml, "0" * 96)
    assert not validada_por_dian(dataclasses.replace(xml, respuesta=None), xml.fev.cufe if xml.fev else None)


def proves(path: Path) -> bool:
    xml = abrir_xml(path.name, path.read_bytes())
    return validada_por_dian(xml, xml.fev.cufe if xml.fev else None)
