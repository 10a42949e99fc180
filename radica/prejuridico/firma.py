"""Signs the PDF of the dossier: PAdES-B-T with the house's certificate and an RFC 3161 time stamp.

Invariant: a dossier never waits for its signature: without a certificate, or with one that cannot sign, it goes out
unsigned and says so; without an authority that answers, it is signed without a time stamp and says so. The PIN is read
from its file when it is needed, and stands in no message. Norms: Ley 527/1999 arts. 28 and 30, Decreto 2364/2012.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from radica.conciliacion.acta import day_words
from radica.custodia.tsa import request_token
from radica.custodia.tsa_token import TokenProblem
from radica.kernel.clock import bogota
from radica.kernel.config import Settings, TsaSettings

CAMPO = "FirmaExpediente"
TSA_TIMEOUT_S = 15.0
_PIN_MAX = 4096


@dataclass(frozen=True)
class Impedimento:
    """Why a dossier is not signed, or not as it should be: code, what happened, and what to do."""

    codigo: str
    texto: str
    que_hacer: str


@dataclass(frozen=True)
class Firmante:
    """A certificate that can sign: whose it is, who gave it, its number in hex, and until when."""

    nombre: str
    emisor: str
    serie: str
    hasta: datetime
    signer: SimpleSigner


@dataclass(frozen=True)
class Firma:
    """What became of a signature: the file that holds, its profile (empty: unsigned), and what the dossier declares."""

    ruta: Path
    perfil: str
    autoridad: str
    impedimentos: tuple[Impedimento, ...]

    @property
    def firmado(self) -> bool:
        """Tell whether there is a signature."""
        return bool(self.perfil)


SIN_CERTIFICADO = Impedimento(
    "sin_certificado",
    "El PDF del expediente no está firmado: no hay un certificado digital configurado.",
    "Configure RADICA_FIRMA_P12 y RADICA_FIRMA_CLAVE_ARCHIVO si quiere que se firme.",
)
_ILEGIBLE = Impedimento(
    "certificado_ilegible",
    "El PDF del expediente no está firmado: el archivo del certificado no se puede leer, o su clave no es esa.",
    "Revise RADICA_FIRMA_P12 y RADICA_FIRMA_CLAVE_ARCHIVO.",
)
_SIN_LLAVE = Impedimento(
    "certificado_sin_llave",
    "El PDF del expediente no está firmado: el archivo no trae a la vez un certificado y su llave.",
    "Pida a su entidad de certificación el archivo PKCS#12 completo.",
)
_OTRO_USO = Impedimento(
    "certificado_otro_uso",
    "El PDF del expediente no está firmado: el certificado no permite firmar documentos.",
    "Use un certificado de firma digital.",
)
_SIN_TSA = Impedimento(
    "firma_sin_sello",
    "La firma del PDF no lleva sello de tiempo: no hay una autoridad de estampado configurada.",
    "Configure RADICA_TSA y exporte de nuevo.",
)
_TSA_CAIDA = Impedimento(
    "firma_sin_sello",
    "La firma del PDF no lleva sello de tiempo: ninguna autoridad de estampado dio uno válido.",
    "Exporte de nuevo cuando la autoridad responda.",
)
_NO_FIRMO = Impedimento(
    "firma_fallida",
    "El PDF del expediente no está firmado: el certificado se leyó, pero no se pudo firmar con él.",
    "Avise al administrador; el expediente está completo sin la firma.",
)


def load_signer(settings: Settings, *, at: datetime) -> Firmante | Impedimento:
    """Return the certificate that is configured, or why it cannot sign at the instant `at`."""
    if settings.signing_p12 is None:
        return SIN_CERTIFICADO
    try:
        pin = settings.signing_pin_file.read_bytes()[:_PIN_MAX].strip(b"\r\n") if settings.signing_pin_file else None
        key, certificate, chain = pkcs12.load_key_and_certificates(settings.signing_p12.read_bytes(), pin or None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return _ILEGIBLE
    if key is None or certificate is None:
        return _SIN_LLAVE
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return _expired(certificate, at)
    if not _may_sign(certificate):
        return _OTRO_USO
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call] # the library's own, not in its types
    store.register_multiple([_asn1(one) for one in [certificate, *chain]])
    return Firmante(
        nombre=_name(certificate.subject),
        emisor=_name(certificate.issuer),
        serie=f"{certificate.serial_number:x}",
        hasta=certificate.not_valid_after_utc,
        signer=SimpleSigner(_asn1(certificate), keys.PrivateKeyInfo.load(der), store),
    )


def announce(firmante: Firmante) -> str:
    """Return what the certificate sheet says of the signature that will follow; true also if it then cannot be made."""
    return (
        f"Este PDF se preparó para firmarse con el certificado de {firmante.nombre}, expedido por {firmante.emisor}, serie"
        f" {firmante.serie}, vigente hasta el {day_words(bogota(firmante.hasta).date())}. La firma, su sello de tiempo y"
        " que nada cambió después se comprueban en un lector de PDF; si el lector no muestra una firma, este ejemplar no"
        " está firmado."
    )


def sign_pdf(path_in: Path, path_out: Path, settings: Settings, *, at: datetime) -> Firma:
    """Sign a PDF into `path_out` (PAdES-B-T; PAdES-B-B when no authority stamps); `at` judges the certificate.

    Never raises for certificate or authority: `Firma.ruta` is then `path_in`, and `impedimentos` says why. Raises
    OSError when the disk fails.
    """
    firmante = load_signer(settings, at=at)
    if isinstance(firmante, Impedimento):
        return Firma(path_in, "", "", (firmante,))
    stamper = _Casa(settings.tsa)
    if settings.tsa and _signed(path_in, path_out, firmante, stamper):
        return Firma(path_out, "PAdES-B-T", stamper.usada, ())
    if not _signed(path_in, path_out, firmante, None):
        path_out.unlink(missing_ok=True)
        return Firma(path_in, "", "", (_NO_FIRMO,))
    return Firma(path_out, "PAdES-B-B", "", (_TSA_CAIDA if settings.tsa else _SIN_TSA,))


class _Casa(TimeStamper):
    """The house's authorities as the library wants one: the first that gives a valid token serves the whole signature."""

    def __init__(self, tsas: Sequence[TsaSettings]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # same
        self._tsas = list(tsas)

    @property
    def usada(self) -> str:
        """Return the name of the authority whose token stands in the signature."""
        return self._tsas[0].name if self._tsas else ""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Return a token over a SHA-256 digest. Raises TokenProblem when no authority gives one."""
        if md_algorithm != "sha256":
            raise TokenProblem("hash_no_pedido")
        while self._tsas:
            try:
                nonce = secrets.randbits(63)
                found = request_token(self._tsas[0], message_digest, timeout_s=TSA_TIMEOUT_S, nonce=nonce)
                return cms.ContentInfo.load(found.token)
            except TokenProblem:
                self._tsas.pop(0)
        raise TokenProblem("ninguna_autoridad")


def _signed(path_in: Path, path_out: Path, firmante: Firmante, stamper: TimeStamper | None) -> bool:
    """Sign; False when certificate or authority failed."""
    about = PdfSignatureMetadata(
        field_name=CAMPO, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason="Expediente de cobro"
    )
    try:
        with path_in.open("rb") as source, path_out.open("w+b") as out:
            PdfSigner(about, firmante.signer, timestamper=stamper).sign_pdf(
                IncrementalPdfFileWriter(source), output=out
            )
    except (TokenProblem, SigningError, PdfError, ValueError, TypeError):
        return False
    return True


def _expired(certificate: x509.Certificate, at: datetime) -> Impedimento:
    over = at > certificate.not_valid_after_utc
    day = bogota(certificate.not_valid_after_utc if over else certificate.not_valid_before_utc).date()
    words = "venció" if over else "no rige todavía; rige desde"
    return Impedimento(
        "certificado_vencido" if over else "certificado_futuro",
        f"El PDF del expediente no está firmado: el certificado de {_name(certificate.subject)} {words} el {day_words(day)}.",
        "Renueve el certificado y exporte de nuevo." if over else "Espere a que rija o use otro certificado.",
    )


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _name(name: x509.Name) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found: Any = name.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return name.rfc4514_string()


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
