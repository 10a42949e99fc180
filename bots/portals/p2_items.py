"""The objected items of a P2 account as its table shows them, and which answer belongs to which. Pure.

Invariant: an answer goes to exactly one item and every open item has one, before anything is written into the portal; a
draft counts as ours only if code, text and file are ours; a draft of somebody else is never written over.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bots.contract import AnswerItem
from bots.portals import reading
from bots.portals.base import permanent, person

OPEN, LIFTED = "SIN RESPUESTA", "LEVANTADA"
COLUMNS = (
    "Id Glosa",
    "Descripcion Item",
    "Descripcion",
    "Valor Glosado",
    "Estado",
    "Respuesta",
    "Observación",
    "Soporte",
)
TYPES = {"RE95": "995", "RE96": "996", "RE97": "997", "RE98": "998", "RE99": "999"}
"""Answer codes of Res. 2284/2023 by their first four signs, to the portal's list (the older codes it still uses)."""


@dataclass(frozen=True)
class Row:
    """One item of the table; `valor` decimal text or None when unreadable; `tipo`, `texto`, `archivo` of its draft."""

    id: str
    servicio: str
    codigo: str
    valor: str | None
    estado: str
    tipo: str
    texto: str
    archivo: str


@dataclass(frozen=True)
class Reply:
    """What is written into one item: the portal's own code, the text, the file's name there; `files` go into it."""

    row: Row
    tipo: str
    texto: str
    archivo: str
    files: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Whether the item holds exactly this draft."""
        mine = (self.tipo, fold(self.texto), self.archivo)
        return self.row.estado != OPEN and (self.row.tipo, fold(self.row.texto), self.row.archivo) == mine


def rows_of(cells: Sequence[Mapping[str, str]]) -> list[Row]:
    """The rows of the table by their column titles; Halt when a column is missing."""
    if any(name not in row for row in cells for name in COLUMNS):
        raise person(
            "cambio_de_pagina", "La tabla de glosas de la cuenta no se pudo leer: el portal parece haber cambiado."
        )
    return [
        Row(
            row["Id Glosa"],
            _first(row["Descripcion Item"]),
            _first(row["Descripcion"]),
            reading.amount(row["Valor Glosado"]),
            row["Estado"].upper(),
            row["Respuesta"],
            row["Observación"],
            row["Soporte"],
        )
        for row in cells
    ]


def replies(items: Sequence[AnswerItem], rows: Sequence[Row], *, limit: int, types: Mapping[str, str]) -> list[Reply]:
    """Pair every answer with its item.

    Halt: an answer without item, an open item without answer, a text longer than `limit`, a draft that is not ours.
    """
    open_rows = [row for row in rows if row.estado != LIFTED]
    pairs = _pairs(items, open_rows)
    if len(pairs) < len(open_rows):
        missing = len(open_rows) - len(pairs)
        raise person("falta_respuesta", f"La cuenta tiene {missing} ítem(s) sin respuesta preparada; no se cerró.")
    found = []
    for item, row in pairs:
        text = item.texto.upper().strip()
        if len(text) > limit:
            raise permanent("texto_largo", f"Una respuesta tiene más de {limit} caracteres: pásela a un anexo.")
        reply = Reply(row, portal_type(item.tipo, types), text, item.files[0] if item.files else "", item.files)
        if row.estado != OPEN and not reply.written:
            raise person("respondida_distinta", "Un ítem ya tiene en el portal otra respuesta: revísela con su equipo.")
        found.append(reply)
    return found


def portal_type(code: str, types: Mapping[str, str]) -> str:
    """The portal's own code of an answer; Halt when none is known."""
    found = types.get(code) or TYPES.get(code[:4].upper()) or (code if code.isdigit() else None)
    if found is None:
        raise person("tipo_sin_equivalencia", f"No se sabe qué tipo de respuesta del portal corresponde a {code}.")
    return found


def batches(pending: Sequence[Reply], *, limit: int, mass: bool) -> list[list[Reply]]:
    """What is written at once: equal answers together (at most `limit`) if `mass`, else one by one."""
    if not mass:
        return [[one] for one in pending]
    groups: dict[tuple[str, str, tuple[str, ...]], list[Reply]] = defaultdict(list)
    for one in pending:
        groups[one.tipo, one.texto, one.files].append(one)
    return [group[n : n + limit] for group in groups.values() for n in range(0, len(group), limit)]


def fold(text: str) -> str:
    """A text as two of them are compared: capitals, white space folded."""
    return " ".join(text.upper().split())


def _first(text: str) -> str:
    return text.split(maxsplit=1)[0].upper() if text.strip() else ""


def _pairs(items: Sequence[AnswerItem], rows: Sequence[Row]) -> list[tuple[AnswerItem, Row]]:
    free = {row.id: row for row in rows}
    if len(free) != len(rows):
        raise person("item_ambiguo", "El portal muestra dos ítems con el mismo número: decida una persona.")
    pairs, loose = [], defaultdict[tuple[str | None, ...], list[AnswerItem]](list)
    for item in items:
        row = free.pop(item.id, None) if item.id is not None else None
        if row is not None:
            if row.valor not in (item.valor, *item.otros_valores):
                raise person(
                    "valor_distinto", "El portal muestra otro valor glosado que el respondido: revise la glosa."
                )
            pairs.append((item, row))
        elif item.codigo is None:
            raise person("item_no_existe", "Un ítem por responder no está en la cuenta del portal: revise la glosa.")
        else:
            loose[item.codigo.upper(), item.servicio, item.valor, *item.otros_valores].append(item)
    for (code, service, *values), same in loose.items():
        alike = [r for r in free.values() if r.codigo == code and r.valor in values and service in (None, r.servicio)]
        if len(alike) != len(same):
            raise person("item_ambiguo", "No se sabe con certeza qué ítem del portal corresponde a una respuesta.")
        pairs += list(zip(same, alike, strict=True))
        for row in alike:
            del free[row.id]
    return pairs
