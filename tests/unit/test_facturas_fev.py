"""Invoices, notes and DIAN answers as read from real and edited documents."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from radica.facturas.fev import Clase, Fev
from radica.facturas.recognise import recognise
from radica.facturas.ubl import read_fev

BOGOTA = timezone(timedelta(hours=-5))


def fev_of(path: Path) -> Fev:
    (piece,) = recognise(path.read_bytes(), path.name).pieces
    assert piece.fev is not None
    return piece.fev


def test_an_invoice_with_copayment(muestras: Path):
    fev = fev_of(muestras / "caso07_fev_attached.xml")
    assert (fev.kind, fev.number, fev.prefix, fev.operation) == (Clase.FACTURA, "A01E5687", "A01E", "SS-CUFE")
    assert fev.cufe is not None
    assert fev.cufe.startswith("e6a0b73d78a9e185")
    assert (fev.cufe_scheme, fev.cufes_seen) == ("CUFE-SHA384", (fev.cufe,))
    assert (fev.supplier.nit and fev.supplier.nit.number, fev.supplier.nit and fev.supplier.nit.dv) == (
        "901019681",
        "8",
    )
    assert fev.supplier.name == "MEDICAL ENERGY SAS"
    assert fev.supplier.is_nit
    amounts = (fev.line_extension, fev.tax_exclusive, fev.tax_inclusive, fev.prepaid, fev.payable)
    assert amounts == tuple(map(Decimal, ("1120000.00", "0.00", "1120000.00", "64400.00", "1055600.00")))
    assert [(p.concept, p.amount, p.received) for p in fev.prepaid_payments] == [
        ("01", Decimal("64400.00"), date(2025, 7, 1))
    ]
    assert fev.issued_at == datetime(2025, 7, 9, 11, 47, 14, tzinfo=BOGOTA)
    assert fev.issued_at.utcoffset() == timedelta(hours=-5)
    assert fev.due_date == date(2025, 9, 7)
    assert (fev.period_start, fev.period_end) == (date(2025, 7, 1), date(2025, 7, 9))
    assert fev.response is not None
    assert (fev.response.validated, fev.response.cufe) == (True, fev.cufe)
    assert fev.validated_at == datetime(2025, 7, 9, 11, 47, 16, tzinfo=BOGOTA)
    assert fev.numbering is not None
    assert (fev.numbering.resolution, fev.numbering.first, fev.numbering.last) == ("18764089728730", "5501", "6000")
    assert (fev.numbering.valid_from, fev.numbering.valid_to) == (date(2025, 2, 28), date(2027, 2, 28))
    assert fev.software_provider is not None
    assert fev.software_provider.number == "901223648"
    assert (fev.modalidad_pago, fev.salud_values("CODIGO_PRESTADOR")) == ("04", ("1100131205",))
    assert fev.salud_values("NUMERO_POLIZA") == ()
    assert (fev.line_count, len(fev.lines), fev.currency, fev.environment) == (1, 1, "COP", "1")


def test_lines_of_a_long_invoice(muestras: Path):
    fev = fev_of(muestras / "caso01_fev_attached.xml")
    assert (len(fev.lines), fev.line_count) == (111, 111)
    first = fev.lines[0]
    assert (first.id, first.code, first.quantity, first.unit, first.amount) == (
        "1", "890783", Decimal(1), "94", Decimal(56700),
    )  # fmt: skip
    assert sum(line.amount or 0 for line in fev.lines) == fev.line_extension == Decimal(38647051)
    assert fev.prepaid is None


def test_mojibake_is_repaired_for_reading_only(muestras: Path):
    fev = fev_of(muestras / "caso05_fev_attached.xml")
    assert fev.profile == "DIAN 2.1: Factura Electrónica de Venta"
    assert (fev.number, fev.modalidad_pago) == ("FECE214626", "04")


def test_notes_name_the_invoice_they_affect(muestras: Path):
    credit, debit = (
        fev_of(muestras / "caso42_creditnote_signed.xml"),
        fev_of(muestras / "caso45_debitnote_unsigned.xml"),
    )
    assert (credit.kind, credit.number, credit.payable) == (Clase.NOTA_CREDITO, "NC3", Decimal("14994.07"))
    assert (debit.kind, debit.number, debit.payable) == (Clase.NOTA_DEBITO, "ND1", Decimal("14994.07"))
    assert debit.cufe is None
    assert [r.number for r in credit.references] == [r.number for r in debit.references] == ["SETP990000015"]
    assert credit.references[0].issue_date == date(2019, 6, 21)
    assert debit.lines[0].quantity is not None
    assert credit.lines[0].quantity is not None


def test_an_invoice_in_a_foreign_namespace_is_read(muestras: Path):
    fev = fev_of(muestras / "caso46_invoice_hab_cufe_verificado.xml")
    assert (fev.number, fev.payable, fev.in_container) == ("SETP990000001", Decimal("119.00"), False)
    assert fev.supplier.nit is not None
    assert str(fev.supplier.nit) == "900579212-5"


def test_what_is_not_said_is_none(muestras: Path):
    fev = fev_of(muestras / "caso10_fev_attached_oficial948.xml")
    assert (fev.customer.nit, fev.container_number, fev.number) == (None, "CONS649", "PDD0019")
    bare = read_fev(etree.fromstring("<Invoice/>"))
    assert (bare.number, bare.cufe, bare.payable, bare.issued_at, bare.lines, bare.salud) == (
        None,
        None,
        None,
        None,
        (),
        (),
    )
    assert (bare.supplier.nit, bare.modalidad_pago, bare.validated_at, bare.cufes_seen) == (None, None, None, ())


def test_the_block_of_sector_salud_never_shows_in_a_repr(muestras: Path):
    fev = fev_of(muestras / "caso11_fev_attached.xml")
    names = {campo.name for bloque in fev.salud for campo in bloque}
    assert "CODIGO_PRESTADOR" in names
    assert "AF-0000500-85-XX-002" not in repr(fev)
    assert "Arepa" not in repr(fev)


def test_two_invoices_in_a_container_are_refused(muestras: Path):
    text = (muestras / "caso03_fev_attached.xml").read_text(encoding="utf-8")
    start = text.index("<cac:Attachment>")
    end = text.index("</cac:Attachment>") + len("</cac:Attachment>")
    doubled = text[:end] + text[start:end] + text[end:]
    found = recognise(doubled.encode(), "x.xml")
    assert (found.code, found.pieces) == ("varios", ())
    assert "2 documentos" in found.reason


def test_a_doctype_inside_the_container_is_refused(muestras: Path):
    text = (muestras / "caso03_fev_attached.xml").read_text(encoding="utf-8")
    broken = text.replace("<Invoice ", '<!DOCTYPE Invoice [<!ENTITY x "y">]><Invoice ', 1)
    assert recognise(broken.encode(), "x.xml").code == "xml_doctype"


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        ("10:00:00-05:00", datetime(2026, 1, 2, 10, tzinfo=BOGOTA)),
        ("10:00:00", datetime(2026, 1, 2, 10, tzinfo=BOGOTA)),
        ("15:00:00Z", datetime(2026, 1, 2, 10, tzinfo=BOGOTA)),
        ("25:00:00", None),
        ("", None),
    ],
)
def test_times_are_colombian(hour: str, expected: datetime | None):
    fev = read_fev(
        etree.fromstring(f"<Invoice><IssueDate>2026-01-02</IssueDate><IssueTime>{hour}</IssueTime></Invoice>")
    )
    assert (fev.issue_date, fev.issued_at) == (date(2026, 1, 2), expected)


def test_events_and_dian_answers(muestras: Path):
    (piece,) = recognise((muestras / "caso01_appresponse_dian02.xml").read_bytes(), "x").pieces
    assert piece.response is not None
    assert (piece.response.code, piece.response.number) == ("02", "CN309317")
    assert piece.response.sender is not None
    assert piece.response.sender.number == "800197268"
    assert piece.response.at == datetime(2024, 9, 26, 11, 26, 12, tzinfo=BOGOTA)
