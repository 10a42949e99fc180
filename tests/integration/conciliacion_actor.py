"""What people do with a meeting in the tests of its services: call it, hold it, sign its acta."""

from __future__ import annotations

from radica.conciliacion import signing
from radica.conciliacion.models import Conciliacion
from tests.conciliacion_seed import (
    NOW,
    SIGNED,
    Mesa,
    agree,
)


def convened(mesa: Mesa) -> int:
    with mesa.database.write() as session:
        row = mesa.convene(session)
        mesa.meet(session, row)
        return row.id


def held(mesa: Mesa, *, levanta: int = 60, acepta: int = 40) -> int:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        agree(session, row, levanta=levanta, acepta=acepta)
        mesa.hold(session, row)
    return row_id


def sign(mesa: Mesa, row_id: int, text_: str = "firmada", version: int | None = None) -> None:
    kept = mesa.signed(text_)
    with mesa.database.write(durable=True) as session:
        row = session.get_one(Conciliacion, row_id)
        signing.sign(session, row, kept=kept, firmada_at=SIGNED, actor="prueba", at=NOW, version=version)
