"""Time-stamping authorities: ask them for a token over each sealed head, keep what holds, and ask again what waits.

Invariant: asking happens outside of any transaction and has a limit of time; what is no token over our hash leaves a
coded failure and nothing else; one authority's failure stops no other. A token whose hour is far from our clock is
kept and noted: the hour in it is the authority's, and it is our clock that is in doubt. Norms: RFC 3161; Decreto
2364/2012 and ONAC for what *estampado cronológico* means here: only what is configured as accredited.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select

from radica.custodia.arbol import sello_line
from radica.custodia.seal_models import FalloTsa, Sello, TokenTiempo
from radica.custodia.sellos import seal
from radica.custodia.tsa_token import (
    TokenInfo,
    TokenProblem,
    Verified,
    build_request,
    load_anchors,
    read_response,
    verify_token,
)
from radica.kernel.clock import Clock
from radica.kernel.config import Settings, TsaSettings
from radica.kernel.db import Database, insert_rows

__all__ = [
    "FAR", "Stamped", "TokenInfo", "TokenProblem", "Verified", "anchors_of", "any_waiting", "ensure_sealed", "request_token",
    "stamp_pending", "verify_token", "waiting_heads",
]  # fmt: skip

TIMEOUT_S = 15.0
MAX_ANSWER = 256 * 1024
"""Bytes of an answer; a token with its certificates has a few thousand."""
FAR = timedelta(minutes=5)
"""Distance between an authority's hour and our clock from which it is noted."""
AT_ONCE = 30
"""Heads that one run has stamped by one authority; what waits behind comes in the next minutes."""
LONGEST_PAUSE = timedelta(minutes=30)

log = logging.getLogger("radica.sellos")


@dataclass(frozen=True)
class Stamped:
    """What a run did: tokens kept, authorities that failed, heads that still wait for an authority."""

    tokens: int
    fallos: int
    esperan: int


def digest_of(sello: Sello) -> bytes:
    """Return what is stamped of a seal: the SHA-256 of its line."""
    return hashlib.sha256(sello_line(sello)).digest()


def anchors_of(tsa: TsaSettings) -> bytes | None:
    """Return the PEM of what is trusted of an authority; None when nothing is configured. Raises TokenProblem."""
    if tsa.anchors is None:
        return None
    try:
        pem = tsa.anchors.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise TokenProblem("anclas_ilegibles") from None
    load_anchors(pem)
    return pem


def request_token(tsa: TsaSettings, digest: bytes, *, timeout_s: float, nonce: int) -> Verified:
    """Ask an authority to stamp `digest` (SHA-256, 32 bytes) within `timeout_s` seconds. Raises TokenProblem."""
    anchors = anchors_of(tsa)
    answer = _post(tsa.url, build_request(digest, nonce), timeout_s)
    return read_response(answer, digest, nonce, anchors)


def _post(url: str, body: bytes, timeout_s: float) -> bytes:
    """Return the answer's body. Raises TokenProblem; no redirect is followed and no word of the answer repeated."""
    limit = time.monotonic() + timeout_s
    try:
        parts = urlsplit(url)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise TokenProblem(f"http_{response.status}")
            return _read(connection, response, limit)
        finally:
            connection.close()
    except TimeoutError:
        raise TokenProblem("tsa_demorada") from None
    except ssl.SSLError:
        raise TokenProblem("tls_invalido") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise TokenProblem("tsa_no_responde") from None


def _read(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, limit: float) -> bytes:
    """Read to the end, however slowly it drips, until `limit` (monotonic seconds) and MAX_ANSWER bytes."""
    found = b""
    while chunk := response.read1(65_536):
        found += chunk
        if len(found) > MAX_ANSWER:
            raise TokenProblem("respuesta_grande")
        left = limit - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
    return found


def waiting_heads(db: Database, tsa: str, *, limit: int = AT_ONCE) -> list[Sello]:
    """Return the seals without a token of this authority, newest first: the newest proves most."""
    stamped = select(TokenTiempo.id).where(TokenTiempo.sello_id == Sello.id, TokenTiempo.tsa == tsa).exists()
    with db.read() as session:
        return list(session.scalars(select(Sello).where(~stamped).order_by(Sello.hojas.desc()).limit(limit)))


def stamp_pending(
    db: Database,
    settings: Settings,
    clock: Clock,
    *,
    now: bool = False,
    timeout_s: float = TIMEOUT_S,
    nonces: Callable[[], int] = lambda: secrets.randbits(63),
    progress: Callable[[], None] = lambda: None,
) -> Stamped:
    """Have each authority stamp the heads that wait for it; `now` does not respect the pause after a failure.

    `progress` is called after each request.
    """
    tokens = failures = 0
    for tsa in settings.tsa:
        if not now and not _pause_is_over(db, tsa.name, clock()):
            continue
        for sello in waiting_heads(db, tsa.name):
            try:
                got = request_token(tsa, digest_of(sello), timeout_s=timeout_s, nonce=nonces())
            except TokenProblem as problem:
                _note_failure(db, sello, tsa.name, problem.code, clock())
                failures += 1
                break
            finally:
                progress()
            _keep(db, sello, tsa, got, clock())
            tokens += 1
    return Stamped(tokens, failures, _waiting(db, settings))


def any_waiting(db: Database, settings: Settings, now: datetime) -> bool:
    """Tell whether a head waits for an authority that may be asked again at `now` (aware)."""
    return any(waiting_heads(db, one.name, limit=1) and _pause_is_over(db, one.name, now) for one in settings.tsa)


def ensure_sealed(db: Database, settings: Settings, *, clock: Clock) -> None:
    """Seal what is unsealed and try for its tokens now; what an authority does not give waits for it."""
    seal(db, clock=clock)
    stamp_pending(db, settings, clock, now=True)


def _pause_is_over(db: Database, tsa: str, now: datetime) -> bool:
    """Tell whether an authority may be asked again: after n failures in a row, 2ⁿ⁻¹ minutes, at most half an hour."""
    with db.read() as session:
        good = session.scalar(select(func.max(TokenTiempo.recibido_at)).where(TokenTiempo.tsa == tsa))
        query = select(func.count(), func.max(FalloTsa.at)).where(FalloTsa.tsa == tsa)
        count, last = session.execute(query if good is None else query.where(FalloTsa.at > good)).one()
    if not count or last > now:  # the clock was set back: nobody waits for it to come round
        return True
    pause = min(timedelta(minutes=2 ** min(count - 1, 10)), LONGEST_PAUSE)
    return bool(now >= last + pause)


def _note_failure(db: Database, sello: Sello, tsa: str, code: str, at: datetime) -> None:
    log.warning("sello %s: la autoridad %s no dio su estampa (%s); queda esperando", sello.id, tsa, code)
    with db.write() as session:
        session.add(FalloTsa(sello_id=sello.id, tsa=tsa, motivo=code, at=at))


def _keep(db: Database, sello: Sello, tsa: TsaSettings, got: Verified, at: datetime) -> None:
    if abs(got.info.hora - at) > FAR:
        log.warning("sello %s: la hora de %s está a más de %s de este reloj; consta", sello.id, tsa.name, FAR)
    row = {
        "sello_id": sello.id,
        "tsa": tsa.name,
        "token": got.token,
        "cadena": got.info.cadena,
        "hora": got.info.hora,
        "serie": got.info.serie[:80],
        "acreditada": tsa.accredited,
        "recibido_at": at,
    }
    with db.write(durable=True) as session:
        insert_rows(session, TokenTiempo, [row], again=True)  # another worker may have been quicker


def _waiting(db: Database, settings: Settings) -> int:
    with db.read() as session:
        seals = session.scalar(select(func.count()).select_from(Sello)) or 0
        done = select(func.count()).select_from(TokenTiempo)
        return sum(seals - (session.scalar(done.where(TokenTiempo.tsa == tsa.name)) or 0) for tsa in settings.tsa)
