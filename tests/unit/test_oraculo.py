"""The checker against the Ministry: real packages with their real answer (docs/oraculo.md is written by this test).

Every RECHAZADO that can be decided without the Ministry's registers must be found at the very place, and an approved
package must get no `rechazo`. What cannot be decided stands in `INDECIDIBLES` with its reason, and what is listed there
and found all the same fails too. To write the table: RADICA_ESCRIBIR_ORACULO=1 pytest tests/unit/test_oraculo.py
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.jsonsafe import load_json
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.modelo import Clase, Contexto, Hallazgo, Modulo, Paquete
from radica.facturas.validacion.motor import juzgar
from radica.facturas.validacion.tablas import VACIOS, Catalogos, catalogos_de

REPOSITORIO = Path(__file__).resolve().parents[2]
TABLA = REPOSITORIO / "docs" / "oraculo.md"
AHORA = datetime(2026, 11, 22, 8, 0)  # noqa: DTZ001  Colombian civil time, as Contexto wants it

Lugar = tuple[str, str]
"""Code and PathFuente."""

INDECIDIBLES: dict[str, str] = {
    "CFR003": "lo dice el Ministerio de su propio proceso, sin lugar ni causa; no está en sus documentos técnicos",
    "RVC012": "qué sedes tiene un NIT está en el registro de habilitación (REPS)",
}
"""Rejections that no one can decide from the documents alone, and why."""
NO_VISTAS: dict[str, str] = {
    "RVC017": "la tabla de CUPS por cobertura no es pública",
    "RVC019": "la tabla de CUPS por diagnóstico no es pública",
    "RVC028": "la tabla de CIE-10 por sexo y edad no es pública",
    "RVC051": "el Ministerio objetó «Diagnóstico» (15) en hombres en abril y mayo de 2025, y no en 2024: "
    "parece un defecto de su tabla y no se imita",
    "RVC059": "la tabla de CUPS por grupo, servicio, finalidad y causa no es pública",
    "FED129": "habla del XML, que no está en las muestras de este caso",
    "FED131": "habla del XML, que no está en las muestras de este caso",
}
"""Notifications that are not found, and why."""


@dataclass(frozen=True)
class Caso:
    nombre: str
    que: str
    respuesta: str
    solicitud: str | None = None
    xml: str | None = None
    rips: str | None = None
    modulo: Modulo | None = None
    cambio: Callable[[dict[str, Any]], None] | None = None


def _once_digitos(rips: dict[str, Any]) -> None:
    """The answer 400 of caso16 was to the same RIPS with a provider's code of eleven digits."""
    rips["usuarios"][0]["servicios"]["consultas"][0]["codPrestador"] = "76001126940"


CASOS = (
    Caso(
        "caso01",
        "FEV por evento, 570 servicios",
        "caso01_muv_respuesta.json",
        solicitud="caso01_muv_request.json",
    ),
    Caso("caso03", "FEV por evento", "caso03_muv_respuesta.json", solicitud="caso03_muv_request.json"),
    Caso(
        "caso11",
        "FEV en habilitación",
        "caso11_muv_respuesta_rechazo.json",
        xml="caso11_fev_attached.xml",
        rips="caso11_rips_envuelto.json",
    ),
    Caso(
        "caso13",
        "cápita inicial, SS-Recaudo",
        "caso13_muv_respuesta_rechazo.json",
        xml="caso13_fev_attached_ssrecaudo.xml",
    ),
    Caso(
        "caso15",
        "cápita final, solo RIPS",
        "caso15_muv_respuesta_rechazo.json",
        rips="caso15_rips_capita_final.json",
        modulo=Modulo.CAPITA_FINAL,
    ),
    Caso("caso16", "RIPS sin factura", "caso16_muv_respuesta_aceptado.json", rips="caso16_rips_sin_factura_RS.json"),
    Caso(
        "caso16 (400)",
        "el mismo con un código de 11 cifras",
        "caso16_muv_respuesta_400_camelcase.json",
        rips="caso16_rips_sin_factura_RS.json",
        cambio=_once_digitos,
    ),
    Caso("caso70", "RIPS de una FEV", "caso70_muv_respuesta.json", rips="caso70_rips.json"),
)


@dataclass(frozen=True)
class Juicio:
    """What the Ministry said of a package and what we say, by code and place (with how many times)."""

    caso: Caso
    aprobado: bool
    suyos: Counter[Lugar]
    suyas: Counter[Lugar]
    nuestros: Counter[Lugar]
    nuestras: Counter[Lugar]

    @property
    def decidibles(self) -> Counter[Lugar]:
        return Counter({place: n for place, n in self.suyos.items() if place[0] not in INDECIDIBLES})

    @property
    def indecidibles(self) -> Counter[Lugar]:
        return Counter({place: n for place, n in self.suyos.items() if place[0] in INDECIDIBLES})


def _json(path: Path) -> Any:
    return load_json(path.read_bytes())[0]


def respuesta(muestras: Path, caso: Caso) -> CuvResult:
    answer = find_answer(_json(muestras / caso.respuesta))
    assert answer is not None
    return read_cuv(answer)


def paquete(muestras: Path, caso: Caso) -> Paquete:
    rips: Any = None
    xml: tuple[str, bytes] | None = None
    if caso.solicitud:
        request = _json(muestras / caso.solicitud)
        rips, xml = request["rips"], (caso.solicitud, base64.b64decode(request["xmlFevFile"]))
    if caso.xml:
        xml = caso.xml, (muestras / caso.xml).read_bytes()
    if caso.rips:
        rips = _json(muestras / caso.rips)
        rips = rips.get("rips", rips)
    if caso.cambio:
        caso.cambio(rips)
    return Paquete(xml=abrir_xml(*xml) if xml else None, rips=rips, modulo=caso.modulo)


def hallazgos(muestras: Path, caso: Caso, catalogos: Catalogos) -> list[Hallazgo]:
    at = respuesta(muestras, caso).at
    assert at is not None
    return juzgar(paquete(muestras, caso), Contexto(fecha=at.date(), ahora=AHORA, catalogos=catalogos))


def juicio(muestras: Path, caso: Caso, catalogos: Catalogos) -> Juicio:
    answer = respuesta(muestras, caso)
    told = hallazgos(muestras, caso, catalogos)

    def theirs(kind: str) -> Counter[Lugar]:
        return Counter((line.codigo, line.lugar or "") for line in answer.results if line.clase == kind)

    def ours(kind: Clase) -> Counter[Lugar]:
        return Counter((one.codigo, one.ruta) for one in told if one.clase is kind)

    return Juicio(
        caso,
        answer.accepted,
        theirs("RECHAZADO"),
        theirs("NOTIFICACION"),
        ours(Clase.RECHAZO),
        ours(Clase.NOTIFICACION),
    )


@pytest.fixture(scope="module")
def catalogos(referencia: Path) -> Catalogos:
    return catalogos_de(referencia)


@pytest.fixture(scope="module")
def juicios(muestras: Path, catalogos: Catalogos) -> list[Juicio]:
    return [juicio(muestras, caso, catalogos) for caso in CASOS]


@pytest.mark.parametrize("caso", CASOS, ids=lambda caso: caso.nombre)
def test_every_decidable_rejection_is_found_at_the_same_place(muestras: Path, catalogos: Catalogos, caso: Caso) -> None:
    one = juicio(muestras, caso, catalogos)
    assert one.decidibles - one.nuestros == Counter()


@pytest.mark.parametrize("caso", CASOS, ids=lambda caso: caso.nombre)
def test_nothing_is_rejected_that_the_ministry_did_not_reject(muestras: Path, catalogos: Catalogos, caso: Caso) -> None:
    one = juicio(muestras, caso, catalogos)
    assert set(one.nuestros) - set(one.suyos) == set()


def test_what_cannot_be_decided_is_really_in_an_answer_and_really_not_found(juicios: list[Juicio]) -> None:
    told = {code for one in juicios for code, _ in one.suyos}
    found = {code for one in juicios for code, _ in one.nuestros}
    assert told >= set(INDECIDIBLES)
    assert not found & set(INDECIDIBLES)


def test_a_notification_is_missed_only_for_a_known_reason(juicios: list[Juicio]) -> None:
    missed = {place[0] for one in juicios for place in one.suyas - one.nuestras}
    assert missed == set(NO_VISTAS)


@pytest.mark.parametrize("nombre", ["caso03", "caso16", "caso70"])
def test_an_approved_package_stays_clean_without_catalogues(muestras: Path, nombre: str) -> None:
    caso = next(one for one in CASOS if one.nombre == nombre)
    one = juicio(muestras, caso, VACIOS)
    assert one.aprobado
    assert one.nuestros == Counter()


def test_no_finding_shows_a_patient(muestras: Path, catalogos: Catalogos) -> None:
    for caso in CASOS:
        rips = paquete(muestras, caso).rips or {}
        secret = {
            str(user[name])
            for user in rips.get("usuarios", [])
            for name in ("numDocumentoIdentificacion", "fechaNacimiento")
        }
        for one in hallazgos(muestras, caso, catalogos):
            assert not [word for word in secret if word in one.mensaje + one.arreglo + one.ruta]


def test_the_table_in_the_docs_is_what_the_checker_does(juicios: list[Juicio]) -> None:
    text = tabla(juicios)
    if os.environ.get("RADICA_ESCRIBIR_ORACULO"):
        TABLA.write_text(text, encoding="utf-8")
    assert TABLA.read_text(encoding="utf-8") == text, "write it again with RADICA_ESCRIBIR_ORACULO=1"


_COLUMNAS = (
    "paquete",
    "qué es",
    "Ministerio",
    "RECHAZADO suyos",
    "decidibles sin conexión",
    "hallados en su lugar",
    "de más",
    "NOTIFICACION suyas",
    "halladas",
    "de más",
)


def tabla(juicios: list[Juicio]) -> str:
    """Return the table of the docs, in Spanish: it is read by who decides whether to trust the checker."""
    lines = [
        "# El comprobador contra el Ministerio",
        "",
        "Esta página la escribe `tests/unit/test_oraculo.py` con las respuestas reales del MUV que acompañan a las",
        "muestras; la prueba falla si dice otra cosa. Se juzga cada paquete con las reglas del día de su respuesta y con",
        "las tablas CUPS y CIE-10 de la carpeta de referencia. Un rechazo cuenta como hallado si está el mismo código en",
        "el mismo `PathFuente`. Los avisos (firma, aritmética, plazos) quedan fuera del veredicto del Ministerio.",
        "",
        f"| {' | '.join(_COLUMNAS)} |",
        f"|---|---|---|{'--:|' * (len(_COLUMNAS) - 3)}",
    ]
    totals = [0] * 7
    for one in juicios:
        found = one.decidibles & one.nuestros
        figures = [
            one.suyos.total(),
            one.decidibles.total(),
            found.total(),
            len(set(one.nuestros) - set(one.suyos)),
            one.suyas.total(),
            (one.suyas & one.nuestras).total(),
            (one.nuestras - one.suyas).total(),
        ]
        totals = [a + b for a, b in zip(totals, figures, strict=True)]
        verdict = "aprobado" if one.aprobado else "rechazado"
        lines.append(f"| {one.caso.nombre} | {one.caso.que} | {verdict} | {' | '.join(map(str, figures))} |")
    lines.append(f"| **total** | | | {' | '.join(f'**{n}**' for n in totals)} |")
    recall, right = _percent(totals[2], totals[1]), _percent(totals[2], totals[2] + totals[3])
    lines += ["", f"Rechazos hallados: {recall}. Rechazos propios que el Ministerio también dio: {right}.", ""]
    lines += ["## Rechazos que no se pueden decidir con los documentos", ""]
    for one in juicios:
        for (code, place), times in sorted(one.indecidibles.items()):
            lines.append(f"- {one.caso.nombre}: {code} ({times}) en `{place or 'cabecera'}`: {INDECIDIBLES[code]}.")
    lines += ["", "## Notificaciones que no se hallan", ""]
    missed: Counter[str] = Counter()
    for one in juicios:
        for (code, _), times in (one.suyas - one.nuestras).items():
            missed[code] += times
    lines += [f"- {code} ({missed[code]}): {NO_VISTAS[code]}." for code in sorted(missed)]
    lines += ["", "## Rechazos, uno por uno", "", "| paquete | código | lugar | hallado |", "|---|---|---|---|"]
    for one in juicios:
        for (code, place), times in sorted(one.suyos.items()):
            how = "sí" if one.nuestros[code, place] >= times else "no decidible" if code in INDECIDIBLES else "NO"
            lines.append(f"| {one.caso.nombre} | {code} | `{place or '(cabecera)'}` | {how} |")
    return "\n".join(lines) + "\n"


def _percent(part: int, whole: int) -> str:
    return f"{part} de {whole} ({100 * part // whole if whole else 100} %)"
