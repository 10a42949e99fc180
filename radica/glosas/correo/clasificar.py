"""What a mail is, by its subject, the names of its attachments and the codes inside them; never by its sender.

Invariant: each answer carries its reasons for a person; what decides a devolución is its code (DE*); a mail with
codes of glosas is never taken for an acuse, because a notice that nobody sees lapses. Lessons: portal notes, C.6.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from radica.facturas.texts import fold
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.codes import buscar, sin_tildes
from radica.glosas.correo.mail_models import ClaseCorreo
from radica.glosas.lectura import planos
from radica.glosas.lectura.pdf_proceso import paginas

LOOK_BYTES = 2 * 1024 * 1024
"""How much of each file is looked through for codes: the first rows tell what a file is."""

MAX_SHEETS = 10
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError, RuntimeError)

_CODE = re.compile(r"(?<![A-Z0-9])(?:DE|FA|TA|SO|AU|CO|CL|SA)\d{2}(?:\d{2})?(?![A-Z0-9])")
_TITLE = re.compile(
    r"(?<![A-Z])(?:VALOR|VR|VLR|COD|CODIGO|NUMERO|NO|NRO|FECHA|ID)[ ._]{0,2}(?:REAL|TOTAL)?[ ._]{0,2}(?:DE)?[ ._]?(?:LA)?[ ._]?"
    r"(?:GLOSA|OBJECION|OBJETADO|DEVOLUCION)"
)
TABLA = "tabla de glosas"
"""Stands among the codes of a file whose columns speak of glosas, also where its codes are old numbers or none."""
_WORDBOOKS: tuple[tuple[ClaseCorreo, re.Pattern[str]], ...] = (
    (
        ClaseCorreo.DECISION,
        re.compile(
            r"ratific|levanta(?:miento|d)|validacion de subsanacion|decision|reconsideracion"
            r"|respuesta (?:a|de)(?: la| las)?(?: respuesta)?.{0,30}(?:glosa|objecion|devolucion)"
        ),
    ),
    (ClaseCorreo.DEVOLUCION, re.compile(r"devoluci|devuelt|dev_?y_?glosa")),
    (ClaseCorreo.GLOSA, re.compile(r"glos|objeci|objetad|liquidacion de reclam")),
    (
        ClaseCorreo.ACUSE,
        re.compile(r"acuse|recibid[oa]|recepcion|radicacion exitosa|confirmacion de|leido:|entregado:"),
    ),
)
_MIME_TEXT = {".csv", ".txt", ".tsv", ".html", ".htm", ".xml"}


@dataclass(frozen=True, slots=True)
class Clasificacion:
    """What a mail is and why."""

    clase: ClaseCorreo
    razones: tuple[str, ...]


def clasificar(asunto: str, nombres: Sequence[str], codigos: Iterable[str]) -> Clasificacion:
    """Return the kind of a mail: `nombres` are its attachments' inner names, `codigos` those found in body and files."""
    codigos = set(codigos)
    table = TABLA in codigos
    found = sorted(codigos - {TABLA})
    returns = [code for code in found if code.startswith("DE")]
    glosas = [code for code in found if not code.startswith("DE")]
    by_subject = _by_words(asunto)
    by_name = next((kind for name in nombres if (kind := _by_words(name.rsplit("/", 1)[-1]))), None)
    reasons = []
    if by_subject:
        reasons.append(f"El asunto habla de {_WORDS[by_subject]}.")
    if by_name:
        reasons.append(f"El nombre de un anexo habla de {_WORDS[by_name]}.")
    if found:
        reasons.append(f"Trae códigos {', '.join(found[:8])}{'…' if len(found) > 8 else ''}.")
    if table:
        reasons.append("Un anexo trae una tabla con columnas de glosas o devoluciones.")
    kind = _decide(by_subject, by_name, returns, glosas or [TABLA] * (table and not returns))
    if kind is ClaseCorreo.OTRO:
        reasons.append("Ni el asunto, ni los anexos, ni su contenido hablan de glosas o devoluciones.")
    elif returns and glosas:
        reasons.append("Trae devoluciones y glosas: cada línea se carga como lo que es.")
    return Clasificacion(kind, tuple(reasons))


_WORDS = {
    ClaseCorreo.GLOSA: "glosas",
    ClaseCorreo.DEVOLUCION: "devoluciones",
    ClaseCorreo.DECISION: "una decisión del pagador",
    ClaseCorreo.ACUSE: "un acuse de recibo",
}


def _decide(
    by_subject: ClaseCorreo | None, by_name: ClaseCorreo | None, returns: Sequence[str], glosas: Sequence[str]
) -> ClaseCorreo:
    named = by_subject or by_name
    if named is ClaseCorreo.DECISION:
        return ClaseCorreo.DECISION
    if returns and not glosas:
        return ClaseCorreo.DEVOLUCION
    if named is ClaseCorreo.ACUSE:
        # «Recibido: glosas…» with a file of glosas inside is the file that counts.
        strong = by_name if by_name in {ClaseCorreo.GLOSA, ClaseCorreo.DEVOLUCION, ClaseCorreo.DECISION} else None
        return ClaseCorreo.GLOSA if glosas else strong or ClaseCorreo.ACUSE
    if named is ClaseCorreo.DEVOLUCION and glosas and not returns:
        return ClaseCorreo.GLOSA
    return named or (ClaseCorreo.GLOSA if glosas else ClaseCorreo.OTRO)


def _by_words(text: str) -> ClaseCorreo | None:
    plain = fold(text)
    return next((kind for kind, words in _WORDBOOKS if words.search(plain)), None)


def codigos_en(text: str) -> set[str]:
    """Return the codes of the Manual Único that stand in a text; the old numeric ones are numbers like any other."""
    return {code for code in _CODE.findall(text.upper()) if buscar(code) is not None}


def codigos_dentro(path: Path, nombre: str) -> set[str]:
    """Return the codes that stand in a file, and TABLA, from its beginning; a file that cannot be read gives none."""
    with path.open("rb") as stream:
        data = stream.read(LOOK_BYTES)
    if data.startswith(b"PK"):
        return _in_workbook(path)
    if b"%PDF-" in data[:1024]:
        with suppress(Unreadable):
            return _in_text("\n".join(page.texto for page in paginas(path)))
        return set()
    if data.startswith(b"\xd0\xcf\x11\xe0"):  # .xls keeps its strings as Latin-1 or as UTF-16
        return _in_text(data.decode("latin-1")) | _in_text(data.decode("utf-16-le", "ignore"))
    if Path(nombre).suffix.lower() in _MIME_TEXT or b"\x00" not in data[:4096]:
        return _in_text(planos.decodificar(data))
    return set()


def _in_text(text: str) -> set[str]:
    """Return the codes of a file's text, and TABLA when its columns speak of glosas."""
    return codigos_en(text) | ({TABLA} if _TITLE.search(sin_tildes(text).upper()) else set())


def _in_workbook(path: Path) -> set[str]:
    """Look through the shared strings of a workbook, and its first sheets where strings may stand inline."""
    found: set[str] = set()
    with suppress(*_BROKEN_ZIP), zipfile.ZipFile(path) as book:
        names = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        for name in ["xl/sharedStrings.xml", *names[:MAX_SHEETS]]:
            with suppress(KeyError), book.open(name) as part:
                found |= _in_text(part.read(LOOK_BYTES).decode("utf-8", "replace"))
    return found
