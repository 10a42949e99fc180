"""Approved answers of one filed invoice, ordered for a bot or for a person, in the hands of `tests.plugins.settling`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.demo.catalog import P2
from radica.app.house import House
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Glosa
from radica.glosas.respuesta.presenting import Ordenadas, order_answers
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account
from tests.plugins import filing
from tests.plugins import glosas as casos
from tests.plugins.settling import Desk


@dataclass
class Case:
    """An invoice with objections and their answers."""

    house: House
    factura_id: int
    respuestas: list[int]
    cuenta_id: int
    lane_id: int

    def order(self, *, canal: str | None = None) -> Ordenadas:
        """Order the answers, as a person does."""
        with self.house.db.write() as session:
            return order_answers(session, self.respuestas, actor="persona:1", at=self.house.clock(), canal=canal)

    def desk(self, *, canal: str | None = None) -> Desk:
        """Order them and return the envío on a worker's desk."""
        ordered = self.order(canal=canal)
        assert [len(ordered.envios), ordered.rechazos] == [1, ()]
        return Desk(self.house, [self.factura_id], ordered.envios[0].id, self.cuenta_id, self.lane_id)

    def answers(self) -> list[EstadoRespuesta]:
        with self.house.db.read() as session:
            query = select(Respuesta.estado).where(Respuesta.id.in_(self.respuestas)).order_by(Respuesta.id)
            return list(session.scalars(query))

    def lines(self) -> list[EstadoGlosa]:
        with self.house.db.read() as session:
            query = select(Glosa.estado).where(Glosa.factura_id == self.factura_id).order_by(Glosa.id)
            return list(session.scalars(query))


def open_case_of(house: House, lines: int = 2, *, estado: EstadoRespuesta = EstadoRespuesta.APROBADA) -> Case:
    """Add a filed invoice with glosas, each with an answer, and the P2 account of its payer."""
    with house.db.write() as session:
        factura = casos.filed(session)
        rows = [add_answer(session, casos.glosa(session, factura, 1_000_000 + n), estado) for n in range(lines)]
        assert factura.pagador_id is not None
        account: CuentaPortal = create_account(
            session,
            house.vault,
            prestador_id=factura.prestador_id,
            pagador_id=factura.pagador_id,
            arquetipo=P2,
            base_url="http://127.0.0.1:9",
            usuario="u",
            clave=filing.CLAVE,
            perfil={},
            asentamiento_s=1,
        )
        return Case(house, factura.id, [row.id for row in rows], account.id, account.lane_id)


def add_answer(
    session: Session, glosa: Glosa, estado: EstadoRespuesta = EstadoRespuesta.APROBADA, ronda: int | None = None
) -> Respuesta:
    """Add the answer to a glosa, approved unless said otherwise."""
    row = casos.answer(session, glosa, estado=estado, ronda=ronda)
    session.flush()
    return row
