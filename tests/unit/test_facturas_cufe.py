"""CUFE and CUDE against the published vectors and the documents whose key is public."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from pathlib import Path

import pytest

from radica.facturas import cufe
from radica.facturas.cufe import Verificacion
from radica.facturas.fev import Fev
from radica.facturas.recognise import recognise

PUBLIC_KEY = "fc8eac422eba16e22ffd8c6f94b3f40a6e38162c"  # DIAN's key of the test environment, printed in its annex


def fev_of(path: Path) -> Fev:
    (piece,) = recognise(path.read_bytes(), path.name).pieces
    assert piece.fev is not None
    return piece.fev


def test_every_vector(referencia: Path):
    vectors = json.loads((referencia / "cufe_vectores.json").read_text(encoding="utf-8"))
    assert len(vectors) == 10
    assert {v["nombre"]: cufe.digest(v["cadena"]) for v in vectors} == {v["nombre"]: v["sha384"] for v in vectors}


def test_the_chain_is_built_in_the_order_of_the_norm():
    text = cufe.chain(
        number="323200000129",
        issue_date="2019-01-16",
        issue_time="10:53:10-05:00",
        value=Decimal(1500000),
        taxes={"01": Decimal("285000.009")},
        total=Decimal("1785000.00"),
        issuer_nit="700085371",
        acquirer_id="800199436",
        key="693ff6f2a553c3646a063436fd4dd9ded0311471",
        environment="1",
    )
    assert cufe.digest(text).startswith("8bb918b19ba22a69")


@pytest.mark.parametrize(
    "name",
    [
        "caso11_fev_attached.xml",
        "caso13_fev_attached_ssrecaudo.xml",
        "caso46_invoice_hab_cufe_verificado.xml",
        "caso51_invoice_iva_cufe.xml",
    ],
)
def test_documents_of_the_test_environment_verify(muestras: Path, name: str):
    fev = fev_of(muestras / name)
    assert cufe.verify(fev, PUBLIC_KEY) is Verificacion.COINCIDE
    assert cufe.verify(fev, "0" * 40) is Verificacion.DIFIERE
    assert cufe.verify(fev, None) is Verificacion.NO_VERIFICABLE
    changed = dataclasses.replace(fev, payable=(fev.payable or Decimal(0)) + 1)
    assert cufe.verify(changed, PUBLIC_KEY) is Verificacion.DIFIERE


def test_the_note_verifies_with_its_pin(muestras: Path):
    note = fev_of(muestras / "caso42_creditnote_signed.xml")
    issuer = note.supplier.nit
    assert issuer is not None
    # The published example changed the issuer after signing: with the original one the CUDE is right.
    original = dataclasses.replace(note.supplier, nit=dataclasses.replace(issuer, number="900508908"))
    assert cufe.verify(dataclasses.replace(note, supplier=original), "20191") is Verificacion.COINCIDE
    assert cufe.verify(note, "20191") is Verificacion.DIFIERE


def test_shape_and_coherence(muestras: Path):
    good, edited = fev_of(muestras / "caso07_fev_attached.xml"), fev_of(muestras / "caso10_fev_attached_oficial948.xml")
    assert cufe.has_shape(good.cufe)
    assert cufe.disagreeing(good) == ()
    assert not cufe.has_shape(edited.cufe)
    assert not cufe.has_shape(None)
    assert not cufe.has_shape("A" * 96)
    assert cufe.disagreeing(dataclasses.replace(good, cufe="0" * 96)) == (good.cufe,)


def test_a_missing_field_is_not_verifiable(muestras: Path):
    fev = dataclasses.replace(fev_of(muestras / "caso11_fev_attached.xml"), issue_time_text=None)
    assert cufe.compute(fev, PUBLIC_KEY) is None
    assert cufe.verify(fev, PUBLIC_KEY) is Verificacion.NO_VERIFICABLE
