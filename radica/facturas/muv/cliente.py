"""The client of the API FEV-RIPS: log in, send a package, ask for a CUV; answers come with their very bytes.

Invariant: pure of database and web; a 401 (or an expired token) logs in again once, nothing else is repeated here; what
is larger than the Ministry takes never leaves; a 400 that carries a verdict is a verdict. Manual of the API 4.3.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.jsonsafe import load_json
from radica.facturas.muv.llamadas import (
    CONSULTAR,
    DESCARGAR,
    ENTRAR,
    MAX_XML,
    RECUPERAR,
    SALUD,
    cuerpo,
    cuerpo_cuv,
    cuerpo_entrada,
    ruta,
)
from radica.facturas.muv.transporte import MAX_ANSWER, Llegada, MuvProblem, Puerta, preguntar
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.xmlsafe import Unreadable

YA_APROBADO = "RVG18"
"""The document has its CUV already: it is recovered, it is no error of data."""
_EXPIRED = "TOT002"
_CUV = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{96}(?![0-9a-fA-F])")
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True)
class Limites:
    """Seconds and bytes. The manual gives no times; `gzip_desde` is from where a body travels compressed."""

    entrar_s: float = 60.0
    enviar_s: float = 180.0
    consultar_s: float = 60.0
    gzip_desde: int = 1024 * 1024
    max_respuesta: int = MAX_ANSWER


@dataclass(frozen=True)
class Credencial:
    """With what one enters. `tipo_usuario` RE, PIN, PINx or PIE."""

    nit: str
    tipo_documento: str
    numero: str = field(repr=False)
    clave: str = field(repr=False)
    tipo_usuario: str = "RE"


@dataclass(frozen=True)
class Respuesta:
    """A verdict of the MUV (or its answer about a CUV): how it came, its bytes, and what it says."""

    status: int
    data: bytes = field(repr=False)
    dice: CuvResult

    @property
    def ya_aprobado(self) -> bool:
        """Say whether it only tells that the document has its CUV already."""
        return not self.dice.accepted and any(one.codigo == YA_APROBADO for one in self.dice.rejections)

    @property
    def cuv_citado(self) -> str | None:
        """Return the CUV that an answer quotes anywhere, lower case."""
        texts = [self.dice.cuv or ""]
        texts += [text for one in self.dice.results for text in (one.observaciones, one.descripcion) if text]
        found = next((match[0] for text in texts if (match := _CUV.search(text))), None)
        return found.lower() if found else None


class Muv:
    """One conversation: it keeps the token between questions and logs in when it has none."""

    def __init__(self, puerta: Puerta, credencial: Credencial | None, limites: Limites | None = None) -> None:
        self._puerta, self._credencial, self._limites = puerta, credencial, limites or Limites()
        self._token: str | None = None

    def salud(self) -> str:
        """Return what the API says of itself: name, version, environment. Raises MuvProblem."""
        for path in SALUD:
            got = self._ask("GET", path, timeout_s=self._limites.consultar_s)
            if got.status == HTTPStatus.OK:
                return got.data[:2000].decode("utf-8", "replace").strip()
        raise MuvProblem("sin_muv", "En esa dirección responde algo, pero no es el MUV.", todo="Revise la dirección.")

    def entrar(self) -> None:
        """Log in. Raises MuvProblem (`credenciales` when the Ministry says no)."""
        if self._credencial is None:
            raise MuvProblem("sin_credenciales", "Falta el usuario del MUV.")
        who = self._credencial
        body = cuerpo_entrada(
            tipo_documento=who.tipo_documento, numero=who.numero, clave=who.clave, nit=who.nit,
            tipo_usuario=who.tipo_usuario,
        )  # fmt: skip
        got = self._ask("POST", ENTRAR, body, timeout_s=self._limites.entrar_s)
        said = _members(got)
        token = said.get("token")
        if said.get("login") is True and isinstance(token, str) and token.isascii() and token.isprintable() and token:
            self._token = token
            return
        if got.status >= HTTPStatus.INTERNAL_SERVER_ERROR or "login" not in said:
            raise MuvProblem("entrada_fallida", "El MUV no atendió la entrada.", again=True, status=got.status)
        raise MuvProblem(
            "credenciales", "El MUV no aceptó el usuario o la clave.",
            todo="Compruebe en SISPRO el documento, la clave y el NIT, y corríjalos en la cuenta.", status=got.status,
        )  # fmt: skip

    def cargar(self, modulo: Modulo, rips: bytes | None, xml: bytes | None) -> Respuesta:
        """Send a package and return the verdict. Raises MuvProblem, ValueError when something is missing."""
        if xml is not None and len(xml) > MAX_XML:
            raise MuvProblem(
                "GI008", "El XML pesa más de 16 MB: el MUV no lo recibe. No se envió nada.",
                todo="Pida al proveedor tecnológico el AttachedDocument sin representación gráfica dentro.",
            )  # fmt: skip
        body = cuerpo(modulo, rips, xml)
        got = self._with_token(lambda: self._post(ruta(modulo), body, self._limites.enviar_s))
        return read_answer(got)

    def recuperar(self, cuv: str) -> Respuesta:
        """Ask again for the answer that gave a CUV. Raises MuvProblem."""
        got = Llegada(HTTPStatus.NOT_FOUND, b"")
        for path in RECUPERAR:
            got = self._with_token(lambda path=path: self._post(path, cuerpo_cuv(cuv), self._limites.consultar_s))  # type: ignore[misc]
            if got.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                break
        return read_answer(got)

    def consultar(self, cuv: str) -> Respuesta:
        """Ask what the Ministry holds under a CUV; needs no login. Raises MuvProblem."""
        return read_answer(self._post(CONSULTAR, cuerpo_cuv(cuv), self._limites.consultar_s, bearer=False))

    def descargar(self, cuv: str) -> Llegada:
        """Ask for the files behind a CUV, as they come. Raises MuvProblem."""
        got = self._with_token(lambda: self._post(DESCARGAR, cuerpo_cuv(cuv), self._limites.consultar_s))
        if got.status != HTTPStatus.OK:
            raise _no_answer(got)
        return got

    def _with_token(self, ask: Callable[[], Llegada]) -> Llegada:
        if self._token is None:
            self.entrar()
        got = ask()
        if got.status == HTTPStatus.UNAUTHORIZED or _says_expired(got):
            self.entrar()
            got = ask()
        if got.status == HTTPStatus.UNAUTHORIZED:
            raise MuvProblem("sin_permiso", "El MUV no deja a este usuario hacer eso.", status=got.status)
        return got

    def _post(self, path: str, body: bytes, timeout_s: float, *, bearer: bool = True) -> Llegada:
        headers = {"Authorization": f"Bearer {self._token}"} if bearer else {}
        if len(body) >= self._limites.gzip_desde:
            body = gzip.compress(body, compresslevel=6, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return self._ask("POST", path, body, timeout_s=timeout_s, headers=headers)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, *, timeout_s: float, headers: dict[str, str] | None = None
    ) -> Llegada:  # fmt: skip
        return preguntar(
            self._puerta,
            method,
            path,
            body,
            headers={**_JSON, **(headers or {})},
            timeout_s=timeout_s,
            max_answer=self._limites.max_respuesta,
        )


def read_answer(got: Llegada) -> Respuesta:
    """Read a verdict, whatever its HTTP status. Raises MuvProblem when there is none in it."""
    try:
        value, _ = load_json(got.data)
        answer = find_answer(value)
    except Unreadable:
        answer = None
    if answer is None:
        raise _no_answer(got)
    said = read_cuv(answer)
    if said.accepted and got.status != HTTPStatus.OK:
        said = replace(said, accepted=False)  # an approval never comes as an error
    return Respuesta(got.status, got.data, said)


def _no_answer(got: Llegada) -> MuvProblem:
    again = got.status >= HTTPStatus.INTERNAL_SERVER_ERROR or got.status == HTTPStatus.OK
    code = "respuesta_ilegible" if got.status == HTTPStatus.OK else f"http_{got.status}"
    return MuvProblem(
        code, "El MUV respondió algo que no es un resultado.", again=again, data=got.data or None, status=got.status,
        todo="" if again else "Revise la versión del MUV y la dirección de la cuenta.",
    )  # fmt: skip


def _members(got: Llegada) -> dict[str, Any]:
    """Return the members of an answer by lower-case name; empty when it is no object."""
    try:
        value, _ = load_json(got.data)
    except Unreadable:
        return {}
    return {str(name).lower(): member for name, member in value.items()} if isinstance(value, dict) else {}


def _says_expired(got: Llegada) -> bool:
    lines = _members(got).get("resultadosvalidacion") if _EXPIRED.encode() in got.data else None
    return isinstance(lines, list) and any(isinstance(one, dict) and _EXPIRED in one.values() for one in lines)
