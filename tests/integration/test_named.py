"""Which invoices a written number may mean."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.kernel.db import Database
from tests.plugins.glosas import filed

STANDING = (("FE1234", "1234"), ("HC1234", "1234"), ("1299", "99"), ("99", "99"), ("FE2", "2"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("FE1234", {"FE1234"}),
        ("fe-0001234", {"FE1234"}),
        ("1234", {"FE1234", "HC1234"}),
        ("0001234", {"FE1234", "HC1234"}),
        ("1299", {"1299"}),
        ("99", {"1299", "99"}),
        ("FE", set()),
        ("  ", set()),
        ("FE12345", set()),
    ],
)
def test_a_prefix_decides_and_without_one_every_prefix_is_meant(db: Database, written: str, meant: set[str]) -> None:
    with db.write() as session:
        for key, digits in STANDING:
            row = filed(session)
            row.numero, row.numero_clave, row.numero_digitos = key, key, digits
    with db.read() as session:
        found = session.scalars(select(Factura.numero_clave).where(named(parse_invoice_number(written))))
        assert set(found) == meant
