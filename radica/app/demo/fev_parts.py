"""Pieces of UBL 2.1 that the layers of a demo FEV share: namespaces, money, parties and the two extensions.

Text templates rather than an element tree: the set is made of hundreds of documents and their shape never changes.
Invariant: every value that comes from data passes `esc`. Shapes follow the DIAN annex 1.9 and the health extension of
Res. 948/2026 (technical document 2).
"""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

from radica.app.demo.bill import Bill
from radica.app.demo.catalog import SOFTWARE_ID_DEMO, SOFTWARE_PIN_DEMO, Payer, Place, Provider

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = (
    f'xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2" '
    f'xmlns:ext="{UBL}CommonExtensionComponents-2" xmlns:sts="dian:gov:co:facturaelectronica:Structures-2-1"'
)
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
DIAN_NIT, DIAN_DV = "800197268", "4"
DIAN_NAME = "Unidad Administrativa Especial Dirección de Impuestos y Aduanas Nacionales"
AGENCY = 'schemeAgencyID="195" schemeAgencyName="CO, DIAN (Dirección de Impuestos y Aduanas Nacionales)"'
# Production, because a filing in the test environment would rightly be refused; the note of the invoice says what it is.
AMBIENTE = "1"


def esc(text: str) -> str:
    """Escape text for element content and for attributes in double quotes."""
    return escape(text, {'"': "&quot;"})


def money(pesos: int) -> str:
    """Pesos as UBL writes them: `1234.00`."""
    return f"{pesos}.00"


def tax_id(tag: str, nit: str, dv: str) -> str:
    """An identification element (`cbc:ID`, `cbc:CompanyID`, `sts:ProviderID`) of a company: schemeName 31 is NIT."""
    return f'<{tag} {AGENCY} schemeID="{esc(dv)}" schemeName="31">{esc(nit)}</{tag}>'


def simple_party(name: str, nit: str, dv: str) -> str:
    """Party of the container and of the DIAN answer: tax scheme only."""
    return (
        f"<cac:PartyTaxScheme><cbc:RegistrationName>{esc(name)}</cbc:RegistrationName>{tax_id('cbc:CompanyID', nit, dv)}"
        '<cbc:TaxLevelCode listName="48">R-99-PN</cbc:TaxLevelCode>'
        "<cac:TaxScheme><cbc:ID>ZZ</cbc:ID><cbc:Name>No aplica</cbc:Name></cac:TaxScheme></cac:PartyTaxScheme>"
    )


def _address(tag: str, place: Place, line: str) -> str:
    return (
        f"<{tag}><cbc:ID>{place.dane}</cbc:ID><cbc:CityName>{esc(place.city)}</cbc:CityName>"
        f"<cbc:CountrySubentity>{esc(place.department)}</cbc:CountrySubentity>"
        f"<cbc:CountrySubentityCode>{place.dane[:2]}</cbc:CountrySubentityCode>"
        f"<cac:AddressLine><cbc:Line>{esc(line)}</cbc:Line></cac:AddressLine>"
        '<cac:Country><cbc:IdentificationCode>CO</cbc:IdentificationCode><cbc:Name languageID="es">Colombia</cbc:Name>'
        f"</cac:Country></{tag}>"
    )


def full_party(who: Provider | Payer, *, dv: str, prefix: str = "") -> str:
    """Issuer or customer of the invoice. `dv` is given apart so that a wrong one can be written on purpose."""
    scheme = (
        f"<cac:CorporateRegistrationScheme><cbc:ID>{esc(prefix)}</cbc:ID></cac:CorporateRegistrationScheme>"
        if prefix
        else ""
    )
    company = tax_id("cbc:CompanyID", who.nit, dv)
    return (
        "<cbc:AdditionalAccountID>1</cbc:AdditionalAccountID><cac:Party>"
        f"<cac:PartyIdentification>{tax_id('cbc:ID', who.nit, dv)}</cac:PartyIdentification>"
        f"<cac:PartyName><cbc:Name>{esc(who.name)}</cbc:Name></cac:PartyName>"
        f"<cac:PhysicalLocation>{_address('cac:Address', who.place, who.address)}</cac:PhysicalLocation>"
        f"<cac:PartyTaxScheme><cbc:RegistrationName>{esc(who.name)}</cbc:RegistrationName>{company}"
        '<cbc:TaxLevelCode listName="48">R-99-PN</cbc:TaxLevelCode>'
        f"{_address('cac:RegistrationAddress', who.place, who.address)}"
        "<cac:TaxScheme><cbc:ID>ZZ</cbc:ID><cbc:Name>No aplica</cbc:Name></cac:TaxScheme></cac:PartyTaxScheme>"
        f"<cac:PartyLegalEntity><cbc:RegistrationName>{esc(who.name)}</cbc:RegistrationName>{company}{scheme}"
        "</cac:PartyLegalEntity>"
        "<cac:Contact><cbc:ElectronicMail>facturacion@demo.invalid</cbc:ElectronicMail></cac:Contact></cac:Party>"
    )


def dian_extension(bill: Bill, cufe: str) -> str:
    """DianExtensions: numbering resolution, software, its security code (SHA-384 of id + PIN + number) and the QR."""
    provider = bill.provider
    security = hashlib.sha384((SOFTWARE_ID_DEMO + SOFTWARE_PIN_DEMO + bill.number).encode()).hexdigest()
    year = bill.issued.year
    return (
        "<sts:DianExtensions><sts:InvoiceControl>"
        f"<sts:InvoiceAuthorization>{provider.resolution}</sts:InvoiceAuthorization>"
        f"<sts:AuthorizationPeriod><cbc:StartDate>{year - 1}-01-15</cbc:StartDate>"
        f"<cbc:EndDate>{year + 1}-01-14</cbc:EndDate></sts:AuthorizationPeriod>"
        f"<sts:AuthorizedInvoices><sts:Prefix>{esc(provider.prefix)}</sts:Prefix><sts:From>1</sts:From>"
        "<sts:To>999999</sts:To></sts:AuthorizedInvoices></sts:InvoiceControl>"
        '<sts:InvoiceSource><cbc:IdentificationCode listAgencyID="6" listAgencyName="United Nations Economic Commission '
        f'for Europe" listSchemeURI="{UBL.replace("schema:xsd:", "codelist:gc:")}CountryIdentificationCode-2.1">CO'
        "</cbc:IdentificationCode></sts:InvoiceSource>"
        f"<sts:SoftwareProvider>{tax_id('sts:ProviderID', provider.nit, provider.dv)}"
        f"<sts:SoftwareID {AGENCY}>{SOFTWARE_ID_DEMO}</sts:SoftwareID></sts:SoftwareProvider>"
        f"<sts:SoftwareSecurityCode {AGENCY}>{security}</sts:SoftwareSecurityCode>"
        f"<sts:AuthorizationProvider>{tax_id('sts:AuthorizationProviderID', DIAN_NIT, DIAN_DV)}"
        "</sts:AuthorizationProvider>"
        f"<sts:QRCode>https://catalogo-vpfe.dian.gov.co/document/searchqr?documentkey={cufe}</sts:QRCode>"
        "</sts:DianExtensions>"
    )


def _additional(name: str, value: str, attributes: str = "") -> str:
    return f"<AdditionalInformation><Name>{name}</Name><Value{attributes}>{esc(value)}</Value></AdditionalInformation>"


def health_extension(bill: Bill) -> str:
    """CustomTagGeneral of Res. 948/2026, in the default namespace of the invoice.

    A contract or, without one, a policy and the reason for billing without contract (code 02: ADRES or SOAT).
    """
    code, text = bill.payer.coverage
    fields = [
        _additional("CODIGO_PRESTADOR", bill.provider.habilitacion),
        _additional("MODALIDAD_PAGO", "Pago por evento", ' schemeName="salud_modalidad_pago.gc" schemeID="04"'),
        _additional("COBERTURA_PLAN_BENEFICIOS", text, f' schemeName="salud_cobertura.gc" schemeID="{code}"'),
        _additional("NUMERO_CONTRATO", bill.contract),
        _additional("NUMERO_POLIZA", bill.policy),
    ]
    if not bill.contract:
        reason = "Atención a cargo de ADRES o de aseguradora SOAT, planes voluntarios de salud"
        fields.append(_additional("FACTURA_SIN_CONTRATO", reason, ' schemeName="factura_sin_contrato" schemeID="02"'))
    return (
        "<CustomTagGeneral><Name>Responsable</Name><Value>url www.minsalud.gov.co</Value>"
        "<Name>Tipo, identificador:año del acto administrativo</Name><Value>Resolución 948:2026</Value>"
        '<Interoperabilidad><Group schemeName="Sector Salud"><Collection schemeName="Usuario">'
        f"{''.join(fields)}</Collection></Group></Interoperabilidad></CustomTagGeneral>"
    )


def extensions(*contents: str) -> str:
    """Wrap each content in its own UBLExtension."""
    body = "".join(
        f"<ext:UBLExtension><ext:ExtensionContent>{content}</ext:ExtensionContent></ext:UBLExtension>"
        for content in contents
    )
    return f"<ext:UBLExtensions>{body}</ext:UBLExtensions>"
