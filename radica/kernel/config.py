"""Settings, read once at the edge from the environment and `--datos`, then passed as a value.

Invariant: no module reads the environment but this one (and `bots`, which is another process). The embedded
default needs nothing: one folder holds database, store and keys (DESIGN section 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radica.kernel.errors import BadInput

CHROMIUM_PATHS = (
    "/usr/bin/chromium-headless-shell",
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)


VERIFY_MB = 20_000
"""Millions of bytes of blobs that the nightly verification reads; then it goes on the next night."""


@dataclass(frozen=True)
class S3Settings:
    """An S3 bucket with Object Lock. Keys may be None: then boto3 looks where it always looks."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str
    key_id: str | None
    secret: str | None = field(repr=False, default=None)


@dataclass(frozen=True)
class TsaSettings:
    """A time-stamping authority (RFC 3161): its name here, its address, PEM of what we trust, ONAC accreditation."""

    name: str
    url: str
    anchors: Path | None
    accredited: bool


@dataclass(frozen=True)
class Settings:
    """Where things are. `datos` is absolute; folders are made by `ensure_folders()`, not on reading."""

    datos: Path
    database_url: str
    chromium: str | None
    chromium_sandbox: bool
    secure_cookies: bool
    log_level: str
    s3: S3Settings | None = None
    encrypt_store: bool = True
    tsa: tuple[TsaSettings, ...] = ()
    seal_mail: str | None = None
    seal_file: Path | None = None
    signing_p12: Path | None = None
    signing_pin_file: Path | None = None
    verify_mb: int = VERIFY_MB

    @property
    def store(self) -> Path:
        """Folder of the custody store."""
        return self.datos / "custodia"

    @property
    def keys(self) -> Path:
        """Folder of the keys; never inside the database or the store."""
        return self.datos / "claves"

    @property
    def attempts(self) -> Path:
        """Folder in which workers keep one folder per attempt of a bot."""
        return self.datos / "intentos"

    @property
    def incoming(self) -> Path:
        """Folder for uploads under way."""
        return self.datos / "entrada"

    @property
    def watched(self) -> Path:
        """Default parent of the watched folders, one per provider NIT."""
        return self.datos / "buzones"

    def ensure_folders(self) -> None:
        """Make the folders of the embedded default, readable only by the owner."""
        for folder in (self.datos, self.store, self.keys, self.attempts, self.incoming, self.watched):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def find_chromium(environ: Mapping[str, str]) -> str | None:
    """Return the browser's path: environment variable, Debian's places, else Playwright's own download."""
    named = environ.get("RADICA_CHROMIUM")
    if named:
        return named
    for candidate in CHROMIUM_PATHS:
        if Path(candidate).exists():
            return candidate
    home = Path(environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path(environ.get("HOME", "/root")) / ".cache/ms-playwright")
    found = sorted(home.glob("chromium_headless_shell-*/**/*headless[-_]shell"))
    return str(found[-1]) if found else None


def load_settings(environ: Mapping[str, str], *, datos: str | None = None, running_as_root: bool = False) -> Settings:
    """Build settings from the environment; `datos` (the CLI's option) wins over RADICA_DATOS, default `./var`.

    Raises BadInput when RADICA_DATABASE_URL is neither sqlite nor postgresql.
    """
    folder = Path(datos or environ.get("RADICA_DATOS") or "var").expanduser().resolve()
    url = environ.get("RADICA_DATABASE_URL") or f"sqlite:///{folder / 'radica.sqlite'}"
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadInput("RADICA_DATABASE_URL no es de SQLite ni de PostgreSQL.", todo="Corríjala o quítela.")
    sandbox = environ.get("RADICA_CHROMIUM_SANDBOX")
    seals = environ.get("RADICA_SELLOS_ARCHIVO")
    signing, pin = environ.get("RADICA_FIRMA_P12"), environ.get("RADICA_FIRMA_CLAVE_ARCHIVO")
    return Settings(
        datos=folder,
        database_url=url,
        chromium=find_chromium(environ),
        # Chromium refuses its own sandbox as root; anywhere else it is on unless switched off.
        chromium_sandbox=(not running_as_root) if sandbox is None else sandbox == "1",
        secure_cookies=environ.get("RADICA_COOKIES_SEGURAS") == "1",
        log_level=environ.get("RADICA_LOG", "INFO"),
        s3=_s3(environ),
        encrypt_store=environ.get("RADICA_CIFRADO", "1") != "0",
        tsa=_tsas(environ),
        seal_mail=environ.get("RADICA_SELLOS_CORREO") or None,
        seal_file=Path(seals).expanduser().resolve() if seals else None,
        signing_p12=Path(signing).expanduser().resolve() if signing else None,
        signing_pin_file=Path(pin).expanduser().resolve() if pin else None,
        verify_mb=_verify_mb(environ),
    )


def _verify_mb(environ: Mapping[str, str]) -> int:
    """Read RADICA_VERIFICAR_MB. Raises BadInput when it is no whole number above zero."""
    said = environ.get("RADICA_VERIFICAR_MB") or str(VERIFY_MB)
    if not (said.isascii() and said.isdigit() and int(said[:12]) > 0):
        raise BadInput("RADICA_VERIFICAR_MB no es un número de millones de bytes.", todo="Corríjala o quítela.")
    return int(said[:12])


def _s3(environ: Mapping[str, str]) -> S3Settings | None:
    """Read RADICA_ALMACEN (`s3://bucket/prefix`) and what goes with it. Raises BadInput on anything else."""
    named = environ.get("RADICA_ALMACEN")
    if not named:
        return None
    bucket, _, prefix = named.removeprefix("s3://").partition("/")
    if not named.startswith("s3://") or not bucket:
        raise BadInput("RADICA_ALMACEN no es s3://CUBO o s3://CUBO/PREFIJO.", todo="Corríjala o quítela.")
    return S3Settings(
        bucket=bucket,
        prefix=prefix.strip("/"),
        endpoint=environ.get("RADICA_S3_ENDPOINT") or None,
        region=environ.get("RADICA_S3_REGION") or "us-east-1",
        key_id=environ.get("RADICA_S3_CLAVE_ID") or None,
        secret=environ.get("RADICA_S3_CLAVE_SECRETA") or None,
    )


def _tsas(environ: Mapping[str, str]) -> tuple[TsaSettings, ...]:
    """Read RADICA_TSA: `nombre=https://…` parted by spaces; trust and accreditation come in variables of their own.

    `RADICA_TSA_ANCLAS` is a folder with one `<nombre>.pem` each; `RADICA_TSA_ACREDITADAS` lists names. Raises BadInput.
    """
    anchors = environ.get("RADICA_TSA_ANCLAS")
    accredited = set((environ.get("RADICA_TSA_ACREDITADAS") or "").split())
    found = []
    for word in (environ.get("RADICA_TSA") or "").split():
        name, equals, url = word.partition("=")
        if not equals or not name.isidentifier() or not url.startswith(("http://", "https://")):
            raise BadInput("RADICA_TSA no es una lista de nombre=https://…", todo="Corríjala o quítela.")
        pem = Path(anchors).expanduser().resolve() / f"{name}.pem" if anchors else None
        found.append(TsaSettings(name=name, url=url, anchors=pem, accredited=name in accredited))
    return tuple(found)
