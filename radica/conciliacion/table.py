"""The working table: what people write on its lines, by line or by code, and its totals.

Invariant: a line is saved only when what the page showed is still what stands (two people never overwrite each other),
and only when its parts sum to what it disputes; behind it stands a CHECK. Totals are sums of the lines, never kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import RAZONES, Candidata, ids_of, in_flight, key_of, still_there
from radica.conciliacion.services import lines_of, lock_open_table
from radica.conciliacion.simulate import Partida, Porcentaje, Reparto, check, spread, third
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.errors import BadInput, StalePage

MAX_NOTA = 500


@dataclass(frozen=True)
class Cambio:
    """What a person typed on a line; None is a field left empty. `vio` and `vio_nota`: what the page had shown."""

    vio: Reparto
    levantado: int | None
    aceptado: int | None
    sigue: int | None
    vio_nota: str = ""
    nota: str = ""


@dataclass(frozen=True)
class Guardado:
    """What became of a page of the table: ids saved, unchanged lines left out, and refusals with their words.

    `queridos`: what was wanted of the lines that somebody else changed, completed to sum.
    """

    guardadas: Sequence[int] = ()
    rechazadas: Mapping[int, str] = field(default_factory=dict)
    vencidas: Mapping[int, str] = field(default_factory=dict)
    queridos: Mapping[int, Reparto] = field(default_factory=dict)


@dataclass(frozen=True)
class Grupo:
    """The lines of one code on a table."""

    codigo: str
    lineas: int
    reparto: Reparto
    entera: bool = False


@dataclass(frozen=True)
class Desajuste:
    """A line that is not any more as the table holds it: how it stands now, and why it cannot be signed."""

    linea: ConciliacionLinea
    ahora: Candidata
    motivo: str


def save_lines(session: Session, row: Conciliacion, changes: Mapping[int, Cambio]) -> Guardado:
    """Save what was typed. Each line stands by itself: what is stale or does not sum is refused and named."""
    lock_open_table(session, row)
    present = {one.id: one for one in lines_of(session, row)}
    saved: list[int] = []
    refused: dict[int, str] = {}
    stale: dict[int, str] = {}
    meant: dict[int, Reparto] = {}
    for line_id, change in changes.items():
        line = present.get(line_id)
        if line is None:
            stale[line_id] = "Otra persona quitó esta línea de la mesa."
            continue
        wanted = third(line.en_disputa, change.vio, change.levantado, change.aceptado, change.sigue)
        nota = change.nota.strip()
        if wanted == change.vio and nota == change.vio_nota:
            continue
        now = split_of(line)
        if (now, line.nota) == (wanted, nota):
            continue  # the other person wrote the same, or this page was sent twice
        if now != change.vio or line.nota != change.vio_nota:
            stale[line_id] = "Otra persona cambió esta línea después de abrir la página; lo suyo no se guardó."
            meant[line_id] = wanted
            continue
        if len(nota) > MAX_NOTA:
            refused[line_id] = f"La nota pasa de {MAX_NOTA} caracteres."
            continue
        try:
            check(line.en_disputa, wanted, entera=line.devolucion_id is not None)
        except BadInput as refusal:
            refused[line_id] = refusal.message
            continue
        line.levantado, line.aceptado, line.sigue, line.nota = (
            wanted.levantado, wanted.aceptado, wanted.sigue, nota,
        )  # fmt: skip
        saved.append(line_id)
    session.flush()
    return Guardado(saved, refused, stale, meant)


def apply_percent(
    session: Session,
    row: Conciliacion,
    codigo: str,
    percent: Porcentaje,
    *,
    only_untouched: bool = True,
    expected: Reparto | None = None,
) -> tuple[int, int]:
    """Accept x %, lift y % of the lines of a code ("" all). Returns how many lines changed and how many could not.

    `only_untouched` leaves lines alone on which something was lifted or accepted already. `expected`: the split of
    the code that the page showed; another one raises StalePage. A devolución is only moved whole.
    """
    lock_open_table(session, row)
    codes = codes_of(session, row)
    lines = [one for one in lines_of(session, row) if not codigo or codes[one.id] == codigo]
    if not lines:
        raise BadInput("Ninguna línea de la mesa tiene ese código.", code="sin_lineas")
    if expected is not None and expected != sum((split_of(one) for one in lines), Reparto()):
        raise StalePage("Otra persona cambió líneas de este código; no se hizo nada.")
    free = [one for one in lines if not only_untouched or (one.levantado == 0 and one.aceptado == 0)]
    parts = spread([part_of(one, codes[one.id]) for one in free], percent)
    changed = 0
    for line in free:
        part = parts.get(line.id)
        if part is not None and part != split_of(line):
            line.levantado, line.aceptado, line.sigue = part.levantado, part.aceptado, part.sigue
            changed += 1
    session.flush()
    return changed, len(free) - len(parts)


def differences(session: Session, row: Conciliacion) -> list[Desajuste]:
    """Return the lines that changed since they were put on the table: a decision arrived, an answer left."""
    lines = lines_of(session, row)
    glosas, devoluciones = ids_of(lines)
    now = still_there(session, glosas, devoluciones)
    flying = in_flight(session, glosas, devoluciones)
    found = []
    for line in lines:
        key = key_of(line)
        present = now[key]
        if present.razon:
            found.append(Desajuste(line, present, RAZONES[present.razon]))
        elif present.en_disputa != line.en_disputa:
            found.append(Desajuste(line, present, "su valor en disputa cambió"))
        elif key in flying:
            found.append(Desajuste(line, present, RAZONES["en_camino"]))
    return found


def refresh(session: Session, row: Conciliacion) -> tuple[int, int]:
    """Bring the table up to what stands now; returns how many lines were valued anew and how many left it.

    A line valued anew begins untouched: what was agreed on another amount is agreed again. Raises BadInput when
    nothing would stay.
    """
    lock_open_table(session, row)
    changed = differences(session, row)
    gone = [one for one in changed if one.ahora.razon]
    valued = [one for one in changed if not one.ahora.razon and one.ahora.en_disputa != one.linea.en_disputa]
    if gone and len(gone) == len(lines_of(session, row)):
        raise BadInput(
            "Ninguna línea de esta mesa sigue en disputa; no se cambió nada.",
            todo="Ciérrela como fracasada con ese motivo.",
            code="mesa_vacia",
        )
    for one in gone:
        session.delete(one.linea)
    for one in valued:
        line = one.linea
        line.en_disputa = line.sigue = one.ahora.en_disputa
        line.levantado = line.aceptado = 0
    session.flush()
    return len(valued), len(gone)


def totals(session: Session, row: Conciliacion) -> Reparto:
    """Return the sum of the lines."""
    sums = session.execute(
        select(
            func.coalesce(func.sum(ConciliacionLinea.levantado), 0),
            func.coalesce(func.sum(ConciliacionLinea.aceptado), 0),
            func.coalesce(func.sum(ConciliacionLinea.sigue), 0),
        ).where(ConciliacionLinea.conciliacion_id == row.id)
    ).one()
    return Reparto(*(int(one) for one in sums))


def groups(session: Session, row: Conciliacion) -> list[Grupo]:
    """Return the table by code, the dearest first."""
    codes = codes_of(session, row)
    found: dict[str, Grupo] = {}
    for line in lines_of(session, row):
        before = found.get(codes[line.id], Grupo(codes[line.id], 0, Reparto()))
        found[codes[line.id]] = Grupo(
            before.codigo,
            before.lineas + 1,
            before.reparto + split_of(line),
            entera=before.entera or line.devolucion_id is not None,
        )
    return sorted(found.values(), key=lambda one: (-one.reparto.en_disputa, one.codigo))


def codes_of(session: Session, row: Conciliacion) -> dict[int, str]:
    """Return the code of each line of a table, by the line's id."""
    rows = session.execute(
        select(ConciliacionLinea.id, func.coalesce(Glosa.codigo, Devolucion.codigo))
        .outerjoin(Glosa, Glosa.id == ConciliacionLinea.glosa_id)
        .outerjoin(Devolucion, Devolucion.id == ConciliacionLinea.devolucion_id)
        .where(ConciliacionLinea.conciliacion_id == row.id)
    )
    return {int(line_id): str(code) for line_id, code in rows}


def parts_of(session: Session, row: Conciliacion) -> list[Partida]:
    """Return the lines of a table for the arithmetic."""
    codes = codes_of(session, row)
    return [part_of(one, codes[one.id]) for one in lines_of(session, row)]


def part_of(line: ConciliacionLinea, codigo: str) -> Partida:
    """Return a line for the arithmetic."""
    return Partida(line.id, codigo, line.en_disputa, entera=line.devolucion_id is not None)


def split_of(line: ConciliacionLinea) -> Reparto:
    """Return how a line stands."""
    return Reparto(line.levantado, line.aceptado, line.sigue)
