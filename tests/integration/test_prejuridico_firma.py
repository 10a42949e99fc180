"""The signature of the dossier: made with a certificate of the test's own authority, judged by pyHanko and poppler."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from bots.simulador.tsa import Handle
from radica.kernel.config import Settings, TsaSettings
from radica.prejuridico.firma import CAMPO, Firmante, Impedimento, announce, load_signer, sign_pdf
from tests.expediente_papel import pdf

NOW = datetime.now(UTC).replace(microsecond=0)
PIN = b"una clave con e\xcc\x81"


@pytest.fixture(scope="module")
def authority() -> tuple[Any, x509.Certificate]:
    """A root of the test: key and certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = _name("Raíz de la prueba")
    return key, _certificate(name, name, key.public_key(), key, ca=True)


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: Any,
    key: Any,
    *,
    ca: bool = False,
    days: tuple[int, int] = (-1, 300),
    signs: bool = True,
) -> x509.Certificate:
    usage = dict.fromkeys(
        ["key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"], False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(4242 if not ca else 1)
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs and not ca, content_commitment=signs and not ca, key_cert_sign=ca, crl_sign=ca,
                **{**usage, "key_agreement": not signs},
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


@pytest.fixture
def house(tmp_path: Path, authority: tuple[Any, x509.Certificate], stamped_house: Settings) -> Settings:
    """A house with a certificate that can sign, and an authority that stamps."""
    return _with_certificate(stamped_house, tmp_path, authority)


def _with_certificate(
    settings: Settings, folder: Path, authority: tuple[Any, x509.Certificate], **more: Any
) -> Settings:
    ca_key, ca = authority
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    mine = _certificate(_name("Representante de la Clínica"), ca.subject, key.public_key(), ca_key, **more)
    (folder / "firma.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(b"firma", key, mine, [ca], BestAvailableEncryption(PIN))
    )
    (folder / "clave.txt").write_bytes(PIN + b"\n")
    return replace(settings, signing_p12=folder / "firma.p12", signing_pin_file=folder / "clave.txt")


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A PDF to sign."""
    path = tmp_path / "entero.pdf"
    path.write_bytes(pdf("Uno", "Dos"))
    return path


def _judge(path: Path, authority: tuple[Any, x509.Certificate], tsa: Handle) -> Any:
    roots = [load_cert_from_pemder(str(tsa.anchors)), _root(authority, path.parent)]
    with path.open("rb") as source:
        found = PdfFileReader(source).embedded_signatures
        assert [one.field_name for one in found] == [CAMPO]
        context = ValidationContext(trust_roots=roots, allow_fetching=False)
        return validate_pdf_signature(found[0], context, ts_validation_context=context)


def _root(authority: tuple[Any, x509.Certificate], folder: Path) -> Any:
    target = folder / "raiz.der"
    target.write_bytes(authority[1].public_bytes(Encoding.DER))
    return load_cert_from_pemder(str(target))


def test_a_signature_with_its_time_stamp_holds(
    tmp_path: Path, house: Settings, paper: Path, authority: tuple[Any, x509.Certificate], tsa: Handle
) -> None:
    made = sign_pdf(paper, tmp_path / "firmado.pdf", house, at=NOW)
    assert (made.firmado, made.perfil, made.autoridad, made.impedimentos) == (True, "PAdES-B-T", "una", ())
    assert made.ruta.read_bytes().startswith(paper.read_bytes()), "what was signed stands before the signature"
    status = _judge(made.ruta, authority, tsa)
    assert status.bottom_line, status.pretty_print_details()
    assert status.timestamp_validity.intact
    assert status.timestamp_validity.trusted


def test_a_byte_changed_after_the_signature_shows(
    tmp_path: Path, house: Settings, paper: Path, authority: tuple[Any, x509.Certificate], tsa: Handle
) -> None:
    made = sign_pdf(paper, tmp_path / "firmado.pdf", house, at=NOW)
    data = bytearray(made.ruta.read_bytes())
    place = data.index(b"/Title") if b"/Title" in data else data.index(b"/MediaBox")
    data[place + 12] ^= 1
    made.ruta.write_bytes(data)
    status = _judge(made.ruta, authority, tsa)
    assert not status.intact
    assert not status.bottom_line


def test_poppler_says_the_same(tmp_path: Path, house: Settings, paper: Path) -> None:
    program = shutil.which("pdfsig")
    if program is None:
        pytest.skip("NO SE COMPROBÓ CON pdfsig: no está instalado (poppler-utils)")
    made = sign_pdf(paper, tmp_path / "firmado.pdf", house, at=NOW)
    said = subprocess.run(
        [program, "-nocert", made.ruta], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    assert "Signature is Valid." in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said


def test_the_next_authority_stamps_when_the_first_is_down(tmp_path: Path, house: Settings, paper: Path) -> None:
    dead = TsaSettings(name="caida", url="http://127.0.0.1:9/", anchors=None, accredited=True)
    made = sign_pdf(paper, tmp_path / "firmado.pdf", replace(house, tsa=(dead, *house.tsa)), at=NOW)
    assert (made.perfil, made.autoridad) == ("PAdES-B-T", "una")


@pytest.mark.parametrize("mode", ["down", "rubbish", "other_hash", "bad_signature"])
def test_without_a_good_stamp_it_is_signed_and_the_gap_said(
    tmp_path: Path, house: Settings, paper: Path, authority: tuple[Any, x509.Certificate], tsa: Handle, mode: str
) -> None:
    tsa.configure(mode=mode)
    made = sign_pdf(paper, tmp_path / "firmado.pdf", house, at=NOW)
    assert made.perfil == "PAdES-B-B"
    assert [one.codigo for one in made.impedimentos] == ["firma_sin_sello"]
    assert _judge(made.ruta, authority, tsa).bottom_line


def test_without_an_authority_it_is_signed_and_the_gap_said(tmp_path: Path, house: Settings, paper: Path) -> None:
    made = sign_pdf(paper, tmp_path / "firmado.pdf", replace(house, tsa=()), at=NOW)
    assert (made.perfil, [one.codigo for one in made.impedimentos]) == ("PAdES-B-B", ["firma_sin_sello"])


def test_without_a_certificate_nothing_is_signed(tmp_path: Path, stamped_house: Settings, paper: Path) -> None:
    before = paper.read_bytes()
    made = sign_pdf(paper, tmp_path / "firmado.pdf", stamped_house, at=NOW)
    assert (made.firmado, made.ruta, [one.codigo for one in made.impedimentos]) == (False, paper, ["sin_certificado"])
    assert paper.read_bytes() == before
    assert not (tmp_path / "firmado.pdf").exists()


@pytest.mark.parametrize(
    ("more", "code"),
    [({"days": (-300, -2)}, "certificado_vencido"), ({"days": (2, 30)}, "certificado_futuro"), ({"signs": False}, "certificado_otro_uso")],
)  # fmt: skip
def test_a_certificate_that_cannot_sign_is_named(
    tmp_path: Path,
    stamped_house: Settings,
    paper: Path,
    authority: tuple[Any, x509.Certificate],
    more: dict[str, Any],
    code: str,
) -> None:
    house = _with_certificate(stamped_house, tmp_path, authority, **more)
    made = sign_pdf(paper, tmp_path / "firmado.pdf", house, at=NOW)
    assert (made.ruta, [one.codigo for one in made.impedimentos]) == (paper, [code])


def test_a_wrong_pin_and_a_broken_file_say_so_without_the_pin(tmp_path: Path, house: Settings, paper: Path) -> None:
    assert house.signing_p12 is not None
    assert house.signing_pin_file is not None
    house.signing_pin_file.write_text("otra clave")
    wrong = load_signer(house, at=NOW)
    assert isinstance(wrong, Impedimento)
    assert wrong.codigo == "certificado_ilegible"
    assert "otra clave" not in wrong.texto + wrong.que_hacer
    house.signing_p12.write_bytes(b"no es un p12")
    assert sign_pdf(paper, tmp_path / "f.pdf", house, at=NOW).impedimentos == (wrong,)
    assert load_signer(replace(house, signing_p12=tmp_path / "no-esta.p12"), at=NOW) == wrong


def test_a_file_without_a_key_says_so(tmp_path: Path, house: Settings, authority: tuple[Any, x509.Certificate]) -> None:
    assert house.signing_p12 is not None
    house.signing_p12.write_bytes(pkcs12.serialize_key_and_certificates(None, None, authority[1], None, NoEncryption()))
    found = load_signer(replace(house, signing_pin_file=None), at=NOW)
    assert isinstance(found, Impedimento)
    assert found.codigo == "certificado_sin_llave"


def test_the_certificate_sheet_names_who_signs(house: Settings) -> None:
    found = load_signer(house, at=NOW)
    assert isinstance(found, Firmante)
    words = announce(found)
    assert "Representante de la Clínica" in words
    assert "Raíz de la prueba" in words
    assert "1092" in words  # 4242 in hex
