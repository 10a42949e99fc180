"""What the stages of a verification share: what they are asked, what they look at, what they hand back.

Invariant: a stage only reads; it hands back steps, each with the cursor from which a later run goes on, so that what
was counted and found is kept together with how far it came. Findings name objects by key or hash, never by content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, column, select, table, text
from sqlalchemy.orm import Session

from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.store import Store
from radica.kernel.db import Base, Database
from radica.kernel.errors import RadicaError


@dataclass(frozen=True)
class Alcance:
    """What is verified. Without cases and without a date: the whole house.

    `casos` and `hashes` are the chains and blobs of one invoice (`factura`: its number as people write it); `desde`
    (aware) leaves out what was stored and written before; `tras_blob` is the address after which blobs begin.
    """

    factura: str = ""
    prestador_id: int | None = None
    casos: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    desde: datetime | None = None
    tras_blob: str = ""

    @property
    def entero(self) -> bool:
        """Whether nothing is left out but, perhaps, blobs that another night looks at."""
        return not self.casos and self.desde is None

    def as_json(self) -> dict[str, Any]:
        """Return it as the verification's row keeps it."""
        kept: dict[str, Any] = {"factura": self.factura, "tras_blob": self.tras_blob}
        kept["prestador"] = self.prestador_id
        kept["casos"], kept["hashes"] = list(self.casos), list(self.hashes)
        kept["desde"] = self.desde.isoformat() if self.desde else None
        return {name: value for name, value in kept.items() if value}


def read_alcance(kept: Mapping[str, Any]) -> Alcance:
    """Return the scope that a verification's row keeps."""
    return Alcance(
        factura=str(kept.get("factura", "")),
        prestador_id=kept.get("prestador"),
        casos=tuple(kept.get("casos", ())),
        hashes=tuple(kept.get("hashes", ())),
        desde=datetime.fromisoformat(kept["desde"]) if kept.get("desde") else None,
        tras_blob=str(kept.get("tras_blob", "")),
    )


@dataclass(frozen=True)
class Hallado:
    """One thing that is not as it must be; `prestador_id` None when it is of the whole house."""

    tipo: TipoHallazgo
    gravedad: Gravedad
    objeto: str
    esperado: str = ""
    hallado: str = ""
    detalle: str = ""
    prestador_id: int | None = None


@dataclass(frozen=True)
class Paso:
    """A piece of work that is done: where to go on, how much was looked at, and what was found."""

    cursor: str
    revisados: int
    bytes: int = 0
    cuentas: Mapping[str, int] = field(default_factory=dict)
    hallados: Sequence[Hallado] = ()


@dataclass(frozen=True)
class Taller:
    """What a stage works with. `anclas`: PEM of the trusted certificates by authority; `publicados`: file of seals."""

    db: Database
    store: Store
    alcance: Alcance
    hilos: int = 2
    anclas: Mapping[str, bytes] = field(default_factory=dict)
    publicados: Path | None = None
    queda: Callable[[], int | None] = lambda: None
    """Bytes that may still be read in this run; None: as many as there are."""


Etapa = Callable[[Taller, str], Iterator[Paso]]
"""A stage: from a cursor (empty: the beginning), the steps that it makes."""


class AlmacenCaido(RadicaError):
    """The store does not answer now (`code`: how): the run stops there; nothing is known of what was not read."""


@contextmanager
def frozen(db: Database) -> Iterator[Session]:
    """Open a reading transaction in which all statements see one moment: a chain that grows meanwhile is not broken."""
    with db.read() as session:
        if not db.is_sqlite:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield session


def raw_rows(
    session: Session, name: str, columns: Sequence[str], where: ColumnElement[bool], *order: str
) -> Iterator[dict[str, Any]]:
    """Return rows as the database holds them, without the types of the models.

    A row that was changed by hand may hold what no model can read; a verification must name it, not die of it.
    """
    plain = table(name, *(column(one) for one in columns))
    query = select(plain).where(where).order_by(*(column(one) for one in order))
    for row in session.execute(query.execution_options(yield_per=2000)).mappings():
        yield dict(row)


NOT_EVIDENCE = frozenset({"retencion_blobs", "textos_indexados"})
"""Tables that speak about blobs without presenting them."""


def tables_with_blobs() -> list[tuple[Table, str]]:
    """Return every table and column that presents a blob as something, by name."""
    found = [
        (one, str(key.parent.name))
        for one in Base.metadata.sorted_tables
        for key in one.foreign_keys
        if key.target_fullname == "blobs.sha256" and one.name not in NOT_EVIDENCE
    ]
    return sorted(found, key=lambda pair: (pair[0].name, pair[1]))
