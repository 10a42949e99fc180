"""The rules of the XML against real documents and the Ministry's list of rules."""

from __future__ import annotations

import csv
import json
import re
from copy import deepcopy
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from radica.facturas.cuv import find_answer, read_cuv
from radica.facturas.fev import Fev
from radica.facturas.ubl import read_fev
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar, reglas
from radica.facturas.validacion.modelo import Clase, Contexto, Hallazgo, Paquete
from radica.facturas.validacion.motor import modulo_de
from radica.facturas.validacion.reglas_xml import parte
from radica.facturas.validacion.reglas_xml_vista import Vista, mirar, texto
from radica.facturas.validacion.tablas import VACIOS
from tests.xml_variantes import AHORA, documento, factura, juzgar_bytes

REJECTED = {
    "caso10_fev_attached_oficial948.xml": {"FED023"},
    "caso40_invoice_signed.xml": {"VFE003"},
    "caso42_creditnote_signed.xml": {"CND060", "CND100", "CND101", "VCN019", "VCN020", "PNC001"},
    "caso45_debitnote_unsigned.xml": {"DND004", "DND060", "DND100", "DND101", "VDN017", "VDN018", "PDN001"},
    "caso46_invoice_hab_cufe_verificado.xml": {"FEV002", "VFE003"},
    "caso48_fev_attached_insumos.xml": {"VFE003"},
    "caso51_invoice_iva_cufe.xml": {"VFE003"},
    "caso52_creditnote.xml": {"CND060", "CND100", "CND101", "VCN019", "VCN020", "PNC001"},
    "caso13_fev_attached_ssrecaudo.xml": {"CIN001"},
}
"""What each real document would hear; every other one is accepted. caso10 is the Ministry's own example, incomplete;
40 to 52 are examples of DIAN, tests of makers and a supplier's invoice, none of health."""


def _day(path: Path) -> date:
    fev = abrir_xml(path.name, path.read_bytes()).fev
    return fev.issue_date if fev is not None and fev.issue_date is not None else date(2026, 8, 1)


def _found(path: Path, day: date | None = None) -> list[Hallazgo]:
    return juzgar_bytes(path.read_bytes(), nombre=path.name, fecha=day or _day(path))


def test_real_documents_are_refused_only_for_what_they_lack(muestras: Path) -> None:
    paths = sorted(muestras.glob("*.xml"))
    assert len(paths) == 19
    for path in paths:
        refused = {one.codigo for one in _found(path) if one.clase is Clase.RECHAZO}
        assert refused == REJECTED.get(path.name, set()), path.name


def test_what_adds_up_in_real_documents_is_not_told(muestras: Path) -> None:
    for name in ("caso01", "caso03", "caso05", "caso07"):
        (path,) = muestras.glob(f"{name}_fev*.xml")
        assert {one.codigo for one in _found(path)} == {"VFE022"} - (
            {"VFE022"} if _day(path) < date(2026, 7, 1) else set()
        )


def test_a_price_with_its_taxes_is_the_way_of_many_makers(muestras: Path) -> None:
    for name in ("caso11_fev", "caso13_fev", "caso51_", "caso52_"):
        (path,) = muestras.glob(f"{name}*.xml")
        assert not {one.codigo for one in _found(path)} & {"ARIT-LINEA"}, name


@pytest.mark.parametrize("case", ["caso01", "caso03", "caso11", "caso13"])
def test_what_the_ministry_said_of_the_invoice_is_found_and_nothing_more(muestras: Path, case: str) -> None:
    (answer_path,) = muestras.glob(f"{case}_muv_respuesta*.json")
    (path,) = muestras.glob(f"{case}_fev*.xml")
    members = find_answer(json.loads(answer_path.read_text(encoding="utf-8-sig")))
    assert members is not None
    answer = read_cuv(members)
    assert answer.at is not None
    ours = {code for code, _ in reglas()}
    said = {
        (line.codigo, line.lugar or "")
        for line in answer.rejections
        if line.codigo in ours and re.match("FE|VF|CI|GI|P|AA|RVG0", line.codigo) and line.fuente != "FevRips"
    }
    refused = {(one.codigo, one.ruta) for one in _found(path, answer.at.date()) if one.clase is Clase.RECHAZO}
    assert refused == said


def test_every_rule_of_the_ministry_about_the_xml_is_decided_or_excused(referencia: Path) -> None:
    with (referencia / "muv_reglas.csv").open(encoding="utf-8-sig", newline="") as stream:
        codes = [row["codigo"] for row in csv.DictReader(stream)]
    about_xml = {code for code in codes if not re.fullmatch(r"RVC\d{3}|RVG\d{2}", code)}
    known = {code for code, _ in reglas()}
    with files("radica.facturas.validacion").joinpath("data/no_aplican.csv").open(encoding="utf-8") as stream:
        excused = {row["codigo"]: row["razon"] for row in csv.DictReader(stream)}
    assert len(about_xml) > 200
    assert about_xml - known - set(excused) == set()
    assert known & set(excused) == set()
    assert all(len(reason) > 20 for reason in excused.values())


def test_severities_agree_with_the_published_ones(referencia: Path) -> None:
    with (referencia / "muv_reglas.csv").open(encoding="utf-8-sig", newline="") as stream:
        weight = {
            row["codigo"]: row["clase"].lower() for row in csv.DictReader(stream) if "OJO" not in row["observacion"]
        }
    today = date(2026, 8, 1)
    for (code, wording), rows in reglas().items():
        for row in rows:
            of_ours = code in weight and re.match("FE|CND|DND|VF|VC|VD|P|GI|AA", code) and not wording
            if of_ours and row.desde <= today <= row.hasta and row.clase is not Clase.NO_DECIDIBLE:
                assert row.clase.value.startswith(weight[code][:5]), code


# --- whatever is cut, emptied or doubled ---


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), which=st.integers(0, 30))
def test_a_mutilated_document_is_judged_all_the_same(muestras: Path, seed: int, which: int) -> None:
    names = sorted(path for path in muestras.glob("*.xml") if path.stat().st_size < 60_000)
    data = names[which].read_bytes() if which < len(names) else documento("DebitNote").encode("utf-8")
    xml = abrir_xml("x.xml", data)
    root, chance = xml.principal if xml.principal is not None else xml.raiz, Random(seed)
    for _ in range(chance.randint(1, 12)):
        elements = [one for one in root.iter("*") if one is not root]
        if elements:
            _mutilate(chance.choice(elements), chance)
    broken = replace(xml, fev=read_fev(root) if xml.fev is not None else None)
    package = Paquete(xml=broken, rips={"numFactura": 7, "usuarios": [None, {"servicios": 3}]})
    context = Contexto(date(2026, 8, 1), AHORA, VACIOS, modulo=modulo_de(package))
    told = list(contar(parte(package, context), context.fecha))
    assert all(one.linea is None or one.linea > 0 for one in told)


def _mutilate(element: etree._Element, chance: Random) -> None:
    parent = element.getparent()
    act = chance.choice(["cut", "empty", "double", "write", "attributes", "comment", "rename"])
    if act == "cut" and parent is not None:
        parent.remove(element)
    elif act == "double" and parent is not None:
        parent.append(deepcopy(element))
    elif act == "empty":
        element.text = None
    elif act == "write":
        element.text = chance.choice(["-1", "9" * 30, "29/02/2027", "é\u202e", "1,5", "NaN", "1e9", " ", "0"])
    elif act == "attributes":
        for name in element.attrib:
            element.attrib[name] = chance.choice(["", "31", "99", "ñ"])
    elif act == "comment":
        element.append(etree.Comment("12,5"))
    else:
        element.tag = "{urn:otra}" + chance.choice(["ID", "Party", "Otra"])


# --- every field of the health sector can be read ---


def _view(data: bytes) -> Vista:
    package = Paquete(xml=abrir_xml("x.xml", data))
    view = mirar(package, Contexto(date(2026, 8, 1), AHORA, VACIOS, modulo=modulo_de(package)))
    assert view is not None
    return view


HISTORICAL = [
    "TIPO_DOCUMENTO_IDENTIFICACION",
    "NUMERO_DOCUMENTO_IDENTIFICACION",
    "PRIMER_APELLIDO",
    "SEGUNDO_APELLIDO",
    "PRIMER_NOMBRE",
    "SEGUNDO_NOMBRE",
    "TIPO_USUARIO",
    "MODALIDAD_CONTRATACION",
    "NUMERO_AUTORIZACION",
    "NUMERO_MIPRES",
    "NUMERO_SUMINISTRO_MIPRES",
    "NUMERO_ENTREGA_MIPRES",
    "FECHA_INICIO",
    "FECHA_FINAL",
    "CUOTA_RECUPERACION",
    "COPAGO",
    "CUOTA_MODERADORA",
    "PAGOS_COMPARTIDOS",
    "ANTICIPO",
]
OF_NOW = [
    "CODIGO_PRESTADOR",
    "MODALIDAD_PAGO",
    "COBERTURA_PLAN_BENEFICIOS",
    "NUMERO_CONTRATO",
    "NUMERO_POLIZA",
    "FACTURA_SIN_CONTRATO",
]


@pytest.mark.parametrize("namespace", ["", ' xmlns=""', ' xmlns="urn:otra"'])
def test_every_field_of_the_block_is_read_in_any_namespace_and_for_each_user(namespace: str) -> None:
    def user(number: int) -> str:
        fields = "".join(
            f"<AdditionalInformation><Name>{name}</Name><Value schemeID='{number:02d}'>{name}-{number}</Value>"
            "</AdditionalInformation>"
            for name in (*HISTORICAL, *OF_NOW)
        )
        return f'<Collection schemeName="Usuario">{fields}</Collection>'

    block = f"<CustomTagGeneral{namespace}><Interoperabilidad><Group>{user(1)}{user(2)}</Group></Interoperabilidad></CustomTagGeneral>"
    text = re.sub("<CustomTagGeneral>.*?</CustomTagGeneral>", block, factura(), flags=re.DOTALL)
    view = _view(text.encode("utf-8"))
    assert len(view.fev.salud) == 2
    for name in (*HISTORICAL, *OF_NOW):
        assert view.fev.salud_values(name) == (f"{name}-1", f"{name}-2")
        assert view.campos[name].codigo == "01"


def _header(fev: Fev) -> dict[str, object]:
    payment = fev.prepaid_payments[0]
    return {
        "CustomizationID": fev.operation,
        "InvoicePeriod/StartDate": fev.period_start,
        "InvoicePeriod/EndDate": fev.period_end,
        "PrepaidPayment": payment,
        "PrepaidPayment/ID/@schemeID": payment.concept,
        "PrepaidPayment/PaidAmount": payment.amount,
        "PrepaidPayment/ReceivedDate": payment.received,
        "LegalMonetaryTotal/PrepaidAmount": fev.prepaid,
        "LegalMonetaryTotal/PayableAmount": fev.payable,
        "AccountingSupplierParty NIT": fev.supplier.nit,
        "AccountingCustomerParty NIT": fev.customer.nit,
        "StandardItemIdentification": fev.lines[0].code,
        "ApplicationResponse/ResponseCode": fev.response.code if fev.response else None,
        "AttachedDocument": fev.in_container,
    }


BY_PATH = {
    "CustomTagGeneral": "{*}UBLExtensions//{*}CustomTagGeneral",
    "Name[1]/Value[1]": "{*}UBLExtensions//{*}CustomTagGeneral/{*}Value[1]",
    "Name[2]/Value[2]": "{*}UBLExtensions//{*}CustomTagGeneral/{*}Value[2]",
    "Group/@schemeName": "{*}UBLExtensions//{*}Group",
    "Collection/@schemeName": "{*}UBLExtensions//{*}Collection",
    "Note CUCON": "{*}Note",
    "AccountingCustomerParty/Party/Person": "{*}AccountingCustomerParty/{*}Party/{*}Person",
    "BillingReference": "{*}BillingReference",
    "DiscrepancyResponse/ResponseCode": "{*}DiscrepancyResponse/{*}ResponseCode",
}


def test_every_field_of_the_reference_is_reachable(referencia: Path) -> None:
    person = "<cac:Person><cbc:FirstName>Nadie</cbc:FirstName></cac:Person></cac:Party></cac:AccountingCustomerParty>"
    text = re.sub(r"</cac:Party>\s*</cac:AccountingCustomerParty>", person, factura())
    about = (
        "</cac:InvoicePeriod><cac:DiscrepancyResponse><cbc:ResponseCode>1</cbc:ResponseCode></cac:DiscrepancyResponse>"
        "<cac:BillingReference><cac:InvoiceDocumentReference/></cac:BillingReference>"
    )
    view = _view(text.replace("</cac:InvoicePeriod>", about).encode("utf-8"))
    header = _header(view.fev)
    with (referencia / "fev_salud_campos.csv").open(encoding="utf-8-sig", newline="") as stream:
        names = [row["campo"] for row in csv.DictReader(stream)]
    assert len(names) > 40
    for name in names:
        if name in header:
            assert header[name] is not None, name
        elif name in BY_PATH:
            assert view.raiz.find(BY_PATH[name]) is not None, name
        else:
            assert name.partition(" / ")[0] in (*HISTORICAL, *OF_NOW), name
    assert texto(view.extension.find("{*}Value") if view.extension is not None else None)
