"""The verification of custody as the house runs it: every night on a budget of bytes, and when a person asks.

Invariant: each night looks at the whole history and all seals, and at as many blobs as the budget lets, from where the
night before ended, round and round the store; what is grave becomes a task, one open per provider. Norm: Ley 527/1999
arts. 9 and 12 (that what is kept is complete and can be consulted later).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.audit.chain import instant_text
from radica.custodia.check_models import EstadoVerificacion, Gravedad, HallazgoCustodia, TipoHallazgo, Verificacion
from radica.custodia.verificar import NOCTURNA, Resumen, means_of, run, start, unfinished
from radica.custodia.verificar_base import Alcance
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.models import Factura
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_day
from radica.kernel.clock import BOGOTA
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from radica.prejuridico.casos import cases_of_invoice, hashes_of_invoice
from radica.users.models import ClaseTarea
from radica.users.tasks import open_task

KIND_VERIFY = "verificar_custodia"
KIND_ASKED = "verificar_custodia_pedida"
"""The same, of everything and without a budget, because a person asked for it."""
VERIFY_AT = time(2, 30)
"""Bogotá time of the nightly run: terms were reviewed, nobody imports yet."""
MB = 1_000_000

ETAPAS = {
    "cadenas": "Historia y lecturas",
    "asuntos": "Asuntos sin historia",
    "hechos": "Radicaciones y expedientes contra su historia",
    "filas": "Registros contra archivos",
    "arbol": "Árbol de sellos",
    "tokens": "Sellos de tiempo",
    "blobs": "Archivos",
    "huerfanos": "Archivos sueltos",
}
"""How the stages are said."""
TIPOS = {
    TipoHallazgo.ALTERADO: "Alterado",
    TipoHallazgo.FALTANTE: "Faltante",
    TipoHallazgo.HUERFANO: "Huérfano",
    TipoHallazgo.CADENA_ROTA: "Cadena rota",
    TipoHallazgo.SELLO_INVALIDO: "Sello inválido",
    TipoHallazgo.ILEGIBLE: "Ilegible",
}
GRAVEDADES = {Gravedad.GRAVE: "Grave", Gravedad.AVISO: "Aviso", Gravedad.NOTA: "Nota"}
CUENTAS = {
    "blobs": "archivos leídos y comparados con su SHA-256",
    "cadenas": "cadenas de historia recorridas",
    "eslabones": "eslabones comprobados",
    "asuntos": "asuntos comparados con su historia",
    "hechos": "radicaciones y expedientes comparados con su historia",
    "filas": "registros que nombran un archivo",
    "hojas": "hojas del árbol",
    "mosaicos": "mosaicos del árbol",
    "sellos": "raíces recalculadas",
    "publicados": "sellos publicados comparados",
    "tokens": "sellos de tiempo comprobados",
    "tokens_sin_ancla": "de ellos, de una autoridad cuyo certificado nadie configuró",
    "direcciones": "direcciones del almacén",
}
"""How what was looked at is said, in the order of telling."""

log = logging.getLogger("radica.fondo")


def scope_of_invoice(session: Session, factura: Factura) -> Alcance:
    """Return what is verified of one invoice: its cases with their history, its documents and sealed pieces."""
    cases = cases_of_invoice(session, factura.id)
    return Alcance(
        factura=factura.numero,
        prestador_id=factura.prestador_id,
        casos=tuple(sorted(cases)),
        hashes=tuple(hashes_of_invoice(session, factura.id, cases)),
    )


def since(day: date) -> datetime:
    """Return the instant at which a day begins in Bogotá."""
    return datetime.combine(day, time(), tzinfo=BOGOTA)


# --- Every night ----------------------------------------------------------------------------------------------------


def order_verification(database: Database, now: datetime) -> int:
    """Order the nightly verification, once for its day. Returns 1 when the job was added."""
    return order_day(database, KIND_VERIFY, now, VERIFY_AT, priority=200)


def verify_night(house: House, claimed: Claimed) -> None:
    """Verify on the night's budget; what was cut goes on. Raises Unavailable when the store is down: tried again."""
    _run(house, claimed, _tonight(house), budget=house.settings.verify_mb * MB)


def _run(house: House, claimed: Claimed, number: int, *, budget: int | None) -> None:

    if _ended(house, number):
        finish(house.db, claimed, outcome=Done())  # killed between the end and this line
        return

    def keep(done: int, of: int, stage: str) -> None:
        keep_turn(house, claimed, f"Verificando la custodia: {ETAPAS[stage].lower()}", done, of)

    ended = run(
        house.db,
        house.store,
        number,
        clock=house.clock,
        medios=means_of(house.settings),
        budget_bytes=budget,
        partial=True,
        progress=keep,
    )
    tell_grave(house.db, number, at=house.clock())
    log.info(
        "verificación %s: %s, %s cosas, hallazgos %s", number, ended.estado, ended.revisados, dict(ended.gravedades)
    )
    if ended.estado is EstadoVerificacion.PAUSADA:
        raise Unavailable(
            "El almacén no respondió durante la verificación; sigue donde iba.",
            todo="Revise la conexión con el almacén.",
            code="almacen_caido",
        )
    finish(house.db, claimed, outcome=Done())


def verify_asked(house: House, claimed: Claimed) -> None:
    """Run the verification that a person asked for. Raises Unavailable when the store is down: tried again."""
    _run(house, claimed, int(claimed.payload["verificacion"]), budget=None)


def _ended(house: House, number: int) -> bool:
    with house.db.read() as session:
        return session.get_one(Verificacion, number).estado is EstadoVerificacion.TERMINADA


def _tonight(house: House) -> int:
    """Return the verification to run: the one that was cut, or a new one that begins where the last one ended."""
    with house.db.read() as session:
        scope = Alcance(tras_blob=next_blob(session))
        cut = unfinished(session, scope, origen=NOCTURNA)
    return cut or start(house.db, scope, origen=NOCTURNA, actor="reloj", at=house.clock())


def next_blob(session: Session) -> str:
    """Return the address after which the next night begins; empty: from the first blob on."""
    last = session.scalars(
        select(Verificacion)
        .where(Verificacion.origen == NOCTURNA, Verificacion.estado == EstadoVerificacion.TERMINADA)
        .order_by(Verificacion.id.desc())
        .limit(1)
    ).first()
    return str(last.cuentas.get("hasta", "")) if last is not None else ""


def tell_grave(db: Database, verificacion_id: int, *, at: datetime) -> int:
    """Open a task per provider with something grave; what is of the whole house is told to each. Returns how many."""
    with db.write() as session:
        rows = session.execute(
            select(HallazgoCustodia.prestador_id, func.count())
            .where(HallazgoCustodia.verificacion_id == verificacion_id, HallazgoCustodia.gravedad == Gravedad.GRAVE)
            .group_by(HallazgoCustodia.prestador_id)
        ).all()
        grave: Counter[int | None] = Counter({row[0]: row[1] for row in rows})
        if not grave:
            return 0
        owners = {one for one in grave if one is not None}
        if grave[None]:
            active = select(Prestador.id).where(Prestador.estado == EstadoPrestador.ACTIVO)
            owners |= set(session.scalars(active))
        for owner in sorted(owners):
            open_task(
                session,
                ClaseTarea.REVISAR_CUSTODIA,
                prestador_id=owner,
                case_key=f"custodia:{owner}",
                titulo=f"La verificación {verificacion_id} halló algo grave en la custodia",
                detalle="Abra Custodia, vea qué objeto es y qué se esperaba, y recupérelo del respaldo. No borre nada.",
                at=at,
            )
        return len(owners)


# --- What is told of it ---------------------------------------------------------------------------------------------


def result_document(ended: Resumen, found: list[HallazgoCustodia], alcance: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verification as JSON; the README documents its fields."""
    return {
        "verificacion": ended.id,
        "estado": ended.estado.value,
        "alcance": {"factura": alcance.get("factura"), "desde": alcance.get("desde")},
        "limpia": ended.limpia,
        "bytes": ended.bytes,
        "revisado": dict(ended.cuentas),
        "hallazgos_por_gravedad": {one.value: ended.gravedades.get(one.value, 0) for one in Gravedad},
        "hallazgos": [finding_document(one) for one in found],
        "pausa": ended.pausa or None,
    }


def finding_document(one: HallazgoCustodia) -> dict[str, Any]:
    """Return a finding as JSON."""
    return {
        "tipo": one.tipo.value,
        "gravedad": one.gravedad.value,
        "objeto": one.objeto,
        "esperado": one.esperado,
        "hallado": one.hallado,
        "detalle": one.detalle,
        "prestador": one.prestador_id,
        "hallado_at": instant_text(one.at),
    }


HANDLERS: Mapping[str, Handler] = {KIND_VERIFY: verify_night, KIND_ASKED: verify_asked}


def order_tick(database: Database, _settings: Settings, now: datetime) -> int:
    """Order the nightly verification, as the clock asks."""
    return order_verification(database, now)
