"""Makes what a payer's profile needs of the files of an envío, proves that it says the same, and writes the lineage.

Invariant: the original stays in custody and what was made of it is put there too; a change whose pages, text or looks
differ is refused and a person decides. No transaction holds file work, and PDFs are opened by other processes. What was
made once, by this version, is not made again. Norms: Ley 527/1999 arts. 8, 9 and 11; DESIGN section 7.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica import __version__
from radica.custodia.models import Blob
from radica.custodia.services import Kept, record_blobs, seal
from radica.custodia.staging import DISK_FULL, leased_folder
from radica.custodia.store import Store, Stored, lend
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.facturas.pdf_lector import EstadoPdf, leer_pdf
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from radica.kernel.reader import ReaderProcess
from radica.radicacion.entrega import GROUP, Paso, applied, perfil_de, plan_with, sources_of, steps, steps_of
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio
from radica.radicacion.package import Cambio, Hecho, Operacion, Plan, Rechazo, Source
from radica.radicacion.perfil_paquete import Perfil, perfil_para
from radica.radicacion.services import facturas_of
from radica.radicacion.states import Acto

COMMAND = (sys.executable, "-m", "radica.radicacion.cambio_hijo")
CHANGE_S = 600.0
MAX_LINE = 64 * 1024 * 1024
MAX_ROUNDS = 8
"""Clean, compress and split, join, and the same over what was joined, with one to spare."""
BEAT_S = 5.0
VERSION = f"radica {__version__}; pikepdf {pikepdf.__version__}; qpdf {pikepdf.__libqpdf_version__}; pdfium {pdfium.version.PDFIUM_INFO.build}"
"""What makes and proves a change, at most 80 characters."""
_UNEQUAL = "El archivo cambiado no dice lo mismo que el original (páginas, texto o apariencia): no se usó."


@dataclass(frozen=True)
class Preparado:
    """What came of preparing an envío: the plan of each invoice by its id."""

    perfil: Perfil
    planes: dict[int, Plan]

    @property
    def rechazos(self) -> list[Rechazo]:
        """Everything that cannot be met, in order."""
        return [one for plan in self.planes.values() for one in plan.rechazos]

    @property
    def refused_by_bot(self) -> list[Rechazo]:
        """What a bot cannot meet: also more files than one load of the portal takes, which a person sends in several."""
        return self.rechazos + [
            Rechazo("", "", f"Son {len(plan.files)} archivos y el portal recibe {most} por carga: radíquela a mano.")
            for plan in self.planes.values()
            if (most := self.perfil.archivos) is not None and len(plan.files) > most
        ]


@dataclass(frozen=True)
class _Obra:
    """With what an invoice of an envío is prepared."""

    db: Database
    store: Store
    envio: Envio
    factura: Factura
    nit: str
    perfil: Perfil
    actor: str
    clock: Callable[[], datetime]


def preparar(
    db: Database, store: Store, envio_id: int, *, actor: str, clock: Callable[[], datetime], beat: Callable[[], None]
) -> Preparado:
    """Prepare the files of an envío for its payer; `beat` is called between changes, for a lease to be kept.

    What `beat` raises ends it; each change that was made by then stays, and the next time goes on from there.

    Call it outside any transaction. Raises NotFound and Unavailable when a file is missing or the disk is full.
    """
    with db.read() as session:
        envio = session.get_one(Envio, envio_id)
        if envio.acto is not Acto.RADICACION:
            return Preparado(perfil_para(), {})  # an answer carries its own papers
        nit = session.get_one(Prestador, envio.prestador_id).nit
        perfil = perfil_de(session, envio)
        facturas = facturas_of(session, envio)
    planes = {}
    for factura in facturas:
        obra = _Obra(db, store, envio, factura, nit, perfil, actor, clock)
        planes[factura.id] = _prepare(obra, beat)
    return Preparado(perfil, planes)


def _prepare(obra: _Obra, beat: Callable[[], None]) -> Plan:
    with obra.db.read() as session:
        sources = sources_of(session, obra.factura)
        for paso in steps_of(session, obra.envio.id, obra.factura.id):
            sources = applied(sources, paso)
    for _ in range(MAX_ROUNDS):
        sources = [_looked(obra, one, beat) for one in sources]
        found = plan_with(obra.envio, obra.factura, obra.nit, sources, obra.perfil)
        if not found.cambios:
            return found
        for cambio in found.cambios:
            beat()
            done = _known(obra, cambio) or _done(obra, cambio, beat)
            if isinstance(done, str):
                names = [one.nombre for one in sources if one.sha256 in cambio.sha256s]
                refused = Rechazo(", ".join(names[:3]), cambio.sha256s[0], done)
                return replace(found, cambios=(), rechazos=(*found.rechazos, refused))
            sources = applied(sources, done)
    raise AssertionError("a change that was done is not asked for again")  # each round does one operation more


def _looked(obra: _Obra, one: Source, beat: Callable[[], None]) -> Source:
    """Look into a PDF where the payer's rules depend on what is in it."""
    perfil, tope = obra.perfil, obra.perfil.bytes_pdf
    heavy = tope is not None and one.bytes > tope
    if one.tipo != "SOPORTE" or one.rasgos is not None or not (perfil.sin_script or perfil.pdf_unico or heavy):
        return one
    beat()
    with obra.store.local(one.sha256) as path:
        seen = leer_pdf(path)
    traits = set(seen.rasgos)
    if seen.protegido:
        traits.add("protegido")
    if seen.estado is not EstadoPdf.LEIDO:
        traits.add("cifrado" if seen.estado is EstadoPdf.CIFRADO else "ilegible")
    return replace(one, paginas=seen.paginas, rasgos=frozenset(traits))


def _key(cambio: Cambio) -> str:
    """Return the name of a change: same files, same operation, same limit and same version give the same."""
    said = json.dumps([cambio.operacion, cambio.sha256s, cambio.tope, VERSION])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _known(obra: _Obra, cambio: Cambio) -> Paso | None:
    """Return a change that was made before, for whatever envío of the provider, and write it for this one."""
    made = _rows_of(obra, cambio)
    if not made and cambio.operacion is Operacion.COMPRIMIR:
        # What was split before had been packed first, in vain: nothing else of that try is kept.
        split = _rows_of(obra, replace(cambio, operacion=Operacion.DIVIDIR))
        return Paso(_key(cambio), cambio.operacion, cambio.sha256s, ()) if split else None
    if not made:
        return None
    (paso,) = steps(made)
    if any(not obra.store.exists(one.sha256) for one in paso.hechos):
        return None
    with obra.db.write() as session:
        _write(session, obra, paso, [row for row, _ in made])
        _seal(session, obra, paso, [Stored(one.sha256, one.bytes, new=False) for one in paso.hechos])
    return paso


def _rows_of(obra: _Obra, cambio: Cambio) -> list[tuple[Linaje, int]]:
    """Return the rows that a change left the first time it was made, with the bytes of what came out; none if never."""
    query = (
        select(Linaje, Blob.bytes)
        .join(Blob, Blob.sha256 == Linaje.sha256_enviado)
        .where(
            Linaje.prestador_id == obra.envio.prestador_id,
            Linaje.sha256_original.in_(cambio.sha256s),
            Linaje.operacion == cambio.operacion.value,
            Linaje.version == VERSION,
        )
        .order_by(Linaje.id)
    )
    key = _key(cambio)
    with obra.db.read() as session:
        rows = [(row, size) for row, size in session.execute(query) if row.prueba.get("paso") == key]
    return [one for one in rows if (one[0].envio_id, one[0].factura_id) == (rows[0][0].envio_id, rows[0][0].factura_id)]


def _waited(maker: ReaderProcess, order: dict[str, Any], beat: Callable[[], None]) -> bytes:
    """Return the maker's answer; while it works the lease is kept. What `beat` raises ends the maker at once."""
    with ThreadPoolExecutor(1) as pool:
        line = pool.submit(maker.line, order)
        try:
            while not wait([line], timeout=BEAT_S).done:
                beat()
        except BaseException:
            maker.close()
            raise
        return line.result()


def _done(obra: _Obra, cambio: Cambio, beat: Callable[[], None]) -> Paso | str:
    """Make a change in another process and take it with its proof. Returns the reason when it cannot be taken."""
    with (
        lend(obra.store, cambio.sha256s) as paths,
        leased_folder(obra.store.temporary, "cambio-") as folder,
        ReaderProcess(COMMAND, read_s=CHANGE_S, max_line=MAX_LINE) as maker,
    ):
        order = {
            "operacion": cambio.operacion.value,
            "entradas": [str(path.absolute()) for path in paths],
            "carpeta": str(folder),
            "tope": cambio.tope,
        }
        answer = _understood(_waited(maker, order, beat))
        if answer is not None and answer["estado"] == "sin_espacio":
            raise Unavailable(DISK_FULL, todo="Libere espacio y vuelva a intentarlo.", code="disco_lleno")
        if answer is None or answer["estado"] == "ilegible":
            return "El PDF no se pudo abrir para cambiarlo; se entrega otro o decide una persona."
        if answer["estado"] == "no_cabe":
            return "Una sola página pesa más de lo que recibe el pagador: digitalícela de nuevo."
        if answer["original"] != answer["enviado"] or not answer["enviado"]:
            return _UNEQUAL
        made = [folder / Path(one["nombre"]).name for one in answer["salidas"]]
        if cambio.operacion is Operacion.COMPRIMIR and made[0].stat().st_size > (cambio.tope or 0):
            return Paso(_key(cambio), cambio.operacion, cambio.sha256s, ())  # it gained too little: the original stays
        stored = []
        for path in made:
            beat()  # a store far away may take as long as the change
            stored.append(obra.store.put_file(path))
    pages = [int(one["paginas"]) for one in answer["salidas"]]
    hechos = tuple(Hecho(one.sha256, one.bytes, n) for one, n in zip(stored, pages, strict=True))
    if len({one.sha256 for one in hechos}) < len(hechos):
        return "Dos partes quedaron iguales byte a byte: decide una persona."
    paso = Paso(_key(cambio), cambio.operacion, cambio.sha256s, hechos)
    with obra.db.write() as session:
        record_blobs(session, stored, at=obra.clock())
        _write(session, obra, paso, _rows(cambio, paso, answer["enviado"], answer["hojas"]))
        _seal(session, obra, paso, stored)
    return paso


def _rows(cambio: Cambio, paso: Paso, pages: Sequence[Sequence[str]], of: Sequence[int]) -> list[Linaje]:
    """Return the rows of a change: one per file that came out, or per file that went in when they were joined."""
    joined = cambio.operacion is Operacion.UNIR
    found: list[Linaje] = []
    start = 0
    for n in range(max(len(paso.hechos), len(cambio.sha256s))):
        made = paso.hechos[0 if joined else n]
        count = of[n] if joined else made.paginas
        mine = pages[start : start + count]
        start += count
        found.append(
            Linaje(
                sha256_original=cambio.sha256s[n if joined else 0],
                operacion=cambio.operacion.value,
                version=VERSION,
                sha256_enviado=made.sha256,
                orden=n + 1,
                paginas_original=of[n] if joined else of[0],
                paginas_enviado=made.paginas,
                texto_igual=True,
                prueba={
                    "paso": paso.clave,
                    "motivo": cambio.motivo,
                    "tope": cambio.tope,
                    "texto": [text for text, _ in mine],
                    "apariencia": hashlib.sha256("".join(looks for _, looks in mine).encode()).hexdigest(),
                },
            )
        )
    return found


def _write(session: Session, obra: _Obra, paso: Paso, rows: Sequence[Linaje]) -> None:
    """Add rows of lineage to this envío, unless they are there; who prepares it at the same time waits here."""
    session.execute(select(Envio.id).where(Envio.id == obra.envio.id).with_for_update(key_share=True))
    if any(one.clave == paso.clave for one in steps_of(session, obra.envio.id, obra.factura.id)):
        return
    for row in rows:
        session.add(
            Linaje(
                prestador_id=obra.envio.prestador_id,
                factura_id=obra.factura.id,
                envio_id=obra.envio.id,
                at=obra.clock(),
                **{name: getattr(row, name) for name in _COPIED},
            )
        )
    session.flush()


_COPIED = (
    "sha256_original",
    "operacion",
    "version",
    "sha256_enviado",
    "orden",
    "paginas_original",
    "paginas_enviado",
    "texto_igual",
    "prueba",
)


def _seal(session: Session, obra: _Obra, paso: Paso, stored: Sequence[Stored]) -> None:
    """Seal what was made to the case of the envío, so that it stands in the dossier beside its original."""
    original = ", ".join(one[:12] for one in paso.originales)
    seal(
        session,
        [
            Kept(f"{paso.operacion.value}_{one.sha256[:12]}.pdf", "entregado", f"Hecho del original {original}", one)
            for one in stored
        ],
        prestador_id=obra.envio.prestador_id,
        case_key=obra.envio.case_key,
        group_key=GROUP,
        origen="radica",
        actor=obra.actor,
        at=obra.clock(),
    )


def _understood(line: bytes) -> dict[str, Any] | None:
    """Read an answer as what it is: words from a process that opened a stranger's file."""
    try:
        value = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("estado") not in ("hecho", "no_cabe", "sin_espacio", "ilegible"):
        return None
    lists = all(isinstance(value.get(name), list) for name in ("salidas", "original", "enviado", "hojas"))
    return value if value["estado"] != "hecho" or lists else None
