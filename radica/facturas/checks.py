"""The minimum checks of an invoice before it is filed, over facts that were already read.

Invariant: every check runs and every finding is returned at once; nothing is corrected and nothing is guessed. Sums
are compared within one peso, as issuers round lines. Σ vrServicio of the RIPS equals the *gross* value of the invoice
(LineExtensionAmount, before copayments) and Σ valorPagoModerador the copayments, when payment is by event: so in the
real pairs, and rules RVG08 and RVG09 of MinSalud. Norms: Res. 948 de 2026 arts. 3 and 15; Res. 2284 de 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from radica.facturas import cufe
from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Clase, Fev, Parte, RespuestaDian
from radica.facturas.findings import Hallazgo, hallazgo, sort_by_weight
from radica.facturas.numbers import InvoiceNumber, Match, check_digit, parse_invoice_number, same_invoice
from radica.facturas.rips import Rips
from radica.facturas.soportes import NombreSoporte, missing_supports, service_kinds
from radica.kernel.money import format_cop, to_cents

TOLERANCE = Decimal(1)
"""Pesos; measured on 27 real documents."""
_EVENTO = ("04", "01", None)
"""Modalities whose services carry the price of the invoice; unsaid counts as such, 02 and 03 do not."""
_PAGOS_USUARIO = frozenset({"01", "02", "03"})
_CUV_DE_PRUEBA = ("test", "stage", "prueba")
_SHOWN_RULES = 5
_READABLE = Decimal(10) ** 13


class EstadoPlazo(StrEnum):
    """State of RAD-01 on the day of the check, as `plazos` computed it."""

    EN_TERMINO = "en_termino"
    POR_VENCER = "por_vencer"
    VENCIDO = "vencido"
    VENCIDO_AUTORIZADO = "vencido_autorizado"
    """Lapsed, and a person with the role decided to file anyway, with a reason."""
    SIN_TERMINO = "sin_termino"
    SIN_FECHA = "sin_fecha"


@dataclass(frozen=True)
class Hechos:
    """What is known of an invoice. `pagador_tipo` EPS, SOAT, ADRES, ARL…; `cufe_comprobado` is what its key told."""

    fev: Fev | None = None
    rips: Rips | None = None
    cuv: CuvResult | None = None
    respuesta: RespuestaDian | None = None
    """DIAN's answer when it came apart from the invoice."""
    soportes: tuple[NombreSoporte, ...] = ()
    pagador_tipo: str | None = None
    plazo: EstadoPlazo = EstadoPlazo.EN_TERMINO
    vence: date | None = None
    cufe_comprobado: cufe.Verificacion = cufe.Verificacion.NO_VERIFICABLE
    soportes_no_pactados: bool = False
    cuv_de: str | None = None
    """Number of another invoice of the provider that already has this CUV."""
    cuv_de_otros_documentos: bool = False
    """The house got the CUV with a RIPS or an XML that was replaced since."""
    rechazada_sin_corregir: bool = False
    """The payer refused the last filing and nothing was loaded nor decided since."""

    def __repr__(self) -> str:
        return f"Hechos({self.fev.number if self.fev else None})"


def check(hechos: Hechos) -> list[Hallazgo]:
    """Run all minimum checks and return every finding, what blocks first."""
    found: list[Hallazgo] = []
    for part in (_fev, _amounts, _cufe, _rips, _pair, _cuv, _supports, _term):
        found += part(hechos)
    return sort_by_weight(found)


def _fev(hechos: Hechos) -> Iterator[Hallazgo]:
    """Presence, kind, validation by DIAN, container and check digits."""
    fev = hechos.fev
    if fev is None:
        yield hallazgo("FEV-FALTA", "factura")
        return
    if fev.kind is not Clase.FACTURA:
        yield hallazgo("FEV-CLASE", "factura")
    if not fev.in_container:
        yield hallazgo("FEV-SIN-CONTENEDOR", "AttachedDocument")
    answer = fev.response or hechos.respuesta
    if answer is None or answer.code is None:
        yield hallazgo("FEV-SIN-VALIDAR", "ApplicationResponse")
    elif not answer.validated:
        yield hallazgo("FEV-RECHAZADA", "ApplicationResponse/ResponseCode", codigo=answer.code)
    if not (fev.operation or "").upper().startswith("SS-") and fev.kind is Clase.FACTURA:
        yield hallazgo("FEV-OPERACION", "CustomizationID", operacion=fev.operation or "ninguno")
    if fev.customer.nit is not None and fev.customer.id_scheme not in (None, "31"):
        yield hallazgo("FEV-PAGADOR-PERSONA", "AccountingCustomerParty/CompanyID")
    own, outer = parse_invoice_number(fev.number, prefix=fev.prefix), parse_invoice_number(fev.container_number)
    if outer is not None and same_invoice(own, outer) is Match.DIFFERENT:
        yield hallazgo(
            "FEV-CONTENEDOR-OTRO",
            "ParentDocumentID",
            contenedor=fev.container_number,
            numero=fev.number or "sin número",
        )
    if fev.environment == "2":
        yield hallazgo("FEV-PRUEBAS", "ProfileExecutionID")
    for absent, name, place in (
        (fev.number is None, "su número", "ID"),
        (fev.supplier.nit is None, "el NIT del prestador", "AccountingSupplierParty"),
        (fev.customer.nit is None, "el NIT del pagador", "AccountingCustomerParty"),
        (fev.issue_date is None, "su fecha de expedición", "IssueDate"),
        (fev.line_extension is None, "su valor bruto", "LegalMonetaryTotal/LineExtensionAmount"),
        (fev.payable is None, "el valor por pagar", "LegalMonetaryTotal/PayableAmount"),
    ):
        if absent:
            yield hallazgo("FEV-CAMPO", place, campo=name)
    yield from _check_digit("NIT-DV-EMISOR", "AccountingSupplierParty/CompanyID", fev.supplier)
    yield from _check_digit("NIT-DV-PAGADOR", "AccountingCustomerParty/CompanyID", fev.customer)


def _check_digit(code: str, place: str, party: Parte) -> Iterator[Hallazgo]:
    nit = party.nit
    if nit is not None and nit.dv_is_right is False:
        yield hallazgo(code, place, nit=nit.number, dv=nit.dv, correcto=check_digit(nit.number))


def _amounts(hechos: Hechos) -> Iterator[Hallazgo]:
    """Σ lines = LineExtensionAmount."""
    fev = hechos.fev
    total = fev.lines_total if fev is not None else None
    if fev is None or fev.line_extension is None or total is None:
        return
    if abs(total - fev.line_extension) > TOLERANCE:
        yield hallazgo(
            "SUMA-LINEAS",
            "LegalMonetaryTotal/LineExtensionAmount",
            suma=_cop(total),
            total=_cop(fev.line_extension),
            diferencia=_cop(abs(total - fev.line_extension)),
        )


def _cufe(hechos: Hechos) -> Iterator[Hallazgo]:
    """Form, coherence wherever it is repeated, and value when the key is known."""
    fev = hechos.fev
    if fev is None or fev.kind is not Clase.FACTURA:
        return
    if not cufe.has_shape(fev.cufe):
        yield hallazgo("CUFE-FORMA", "UUID")
        return
    answered = hechos.respuesta.cufe if hechos.respuesta else None
    if cufe.disagreeing(fev) or (answered is not None and answered != fev.cufe):
        yield hallazgo("CUFE-INCOHERENTE", "UUID")
    if hechos.cufe_comprobado is cufe.Verificacion.DIFIERE:
        yield hallazgo("CUFE-VALOR", "UUID")
    elif hechos.cufe_comprobado is cufe.Verificacion.NO_VERIFICABLE:
        yield hallazgo("CUFE-SIN-CLAVE", "UUID")


def _rips(hechos: Hechos) -> Iterator[Hallazgo]:
    """Presence and readability."""
    rips = hechos.rips
    if rips is None:
        if not _without_rips(hechos):
            yield hallazgo("RIPS-FALTA", "RIPS")
        return
    if rips.services == 0:
        yield hallazgo("RIPS-SIN-SERVICIOS", "usuarios")
    if rips.unread:
        yield hallazgo("RIPS-ILEGIBLE", "usuarios", lugares=", ".join(rips.unread[:3]))


def _pair(hechos: Hechos) -> Iterator[Hallazgo]:
    """FEV and RIPS of the same provider, invoice and money."""
    fev, rips = hechos.fev, hechos.rips
    if fev is None or rips is None:
        return
    issuer = fev.supplier.nit
    if issuer is not None and rips.issuer is not None and issuer.number != rips.issuer.number:
        yield hallazgo("RIPS-NIT", "numDocumentoIdObligado", rips=rips.issuer.number, fev=issuer.number)
    said = parse_invoice_number(rips.number)
    match = same_invoice(_number(fev), said)
    if match is Match.POSSIBLE:
        yield hallazgo("RIPS-NUMERO-SIN-PREFIJO", "numFactura", rips=rips.number, fev=fev.number)
    elif match is Match.DIFFERENT:
        yield hallazgo("RIPS-NUMERO", "numFactura", rips=rips.number or "ninguna", fev=fev.number)
    if fev.modalidad_pago not in _EVENTO or fev.line_extension is None or rips.services == 0:
        return
    yield from _differs("RIPS-TOTAL", "vrServicio", rips.total, fev.line_extension)
    yield from _differs("RIPS-MODERADOR", "valorPagoModerador", rips.copayment, user_payments(fev))


def user_payments(fev: Fev) -> Decimal:
    """Return what the patient paid by the invoice, in pesos: copayments by concept, without advances (concept 04).

    Without a breakdown by concept it is the header's PrepaidAmount, and zero when the invoice tells none.
    """
    told = [p.amount or Decimal(0) for p in fev.prepaid_payments if p.concept in _PAGOS_USUARIO]
    if told or any(p.concept for p in fev.prepaid_payments):
        return sum(told, Decimal(0))
    return fev.prepaid or Decimal(0)


def _differs(code: str, place: str, rips: Decimal, fev: Decimal) -> Iterator[Hallazgo]:
    if abs(rips - fev) > TOLERANCE:
        yield hallazgo(code, place, rips=_cop(rips), fev=_cop(fev), diferencia=_cop(abs(rips - fev)))


def _cuv(hechos: Hechos) -> Iterator[Hallazgo]:
    """Present, accepted and of this invoice."""
    cuv, fev = hechos.cuv, hechos.fev
    if cuv is None:
        yield hallazgo("CUV-FALTA", "CUV")
        return
    if not cuv.accepted:
        rules = _rules(r.codigo for r in cuv.rejections) or "sin CUV"
        yield hallazgo("CUV-RECHAZADO", "ResultadosValidacion", reglas=rules)
    elif cuv.results:
        rules = _rules(r.codigo for r in cuv.results)
        yield hallazgo("CUV-NOTIFICACIONES", "ResultadosValidacion", reglas=rules)
    if hechos.cuv_de is not None:
        yield hallazgo("CUV-REPETIDO", "CodigoUnicoValidacion", otra=hechos.cuv_de)
    if hechos.cuv_de_otros_documentos:
        yield hallazgo("CUV-OTROS-DOCUMENTOS", "CodigoUnicoValidacion")
    if any(word in (cuv.environment or "").lower() for word in _CUV_DE_PRUEBA):
        yield hallazgo("CUV-PRUEBAS", "Ambiente", ambiente=cuv.environment)
    if fev is None:
        return
    if cuv.number is None:
        yield hallazgo("CUV-SIN-NUMERO", "NumFactura")
    elif (match := same_invoice(_number(fev), parse_invoice_number(cuv.number))) is not Match.SAME:
        code = "CUV-NUMERO" if match is Match.DIFFERENT else "CUV-NUMERO-SIN-PREFIJO"
        yield hallazgo(code, "NumFactura", cuv=cuv.number, fev=fev.number or "sin número")
    issuer = fev.supplier.nit
    if cuv.issuer is not None and issuer is not None and cuv.issuer.number != issuer.number:
        yield hallazgo("CUV-NIT", "NumDocumentoIdObligado", cuv=cuv.issuer.number, fev=issuer.number)
    # The query's manual does not say which of the two totals it reports.
    totals = [total for total in (fev.payable, fev.line_extension) if total is not None]
    if cuv.total and totals and min(abs(cuv.total - total) for total in totals) > TOLERANCE:
        yield hallazgo("CUV-VALOR", "TotalFactura", cuv=_cop(cuv.total), fev=_cop(totals[0]))


def _supports(hechos: Hechos) -> Iterator[Hallazgo]:
    """Presence by kind of service. Only having none blocks: the text of the new annex was not read."""
    rips, kind = hechos.rips, (hechos.pagador_tipo or "").upper()
    yield from _foreign_supports(hechos)
    present = {support.sigla for support in hechos.soportes}
    accident = kind in ("SOAT", "ADRES")
    if accident and "FURIPS" not in present:
        yield hallazgo("SOAT-SIN-FURIPS", "soportes", pagador="SOAT" if kind == "SOAT" else "la ADRES")
    if rips is None or hechos.soportes_no_pactados:
        return
    modalidad = hechos.fev.modalidad_pago if hechos.fev else None
    if not present and any(kinds != ("PROSP",) for kinds in service_kinds(rips, modalidad=modalidad)):
        yield hallazgo("SOPORTES-NINGUNO", "soportes")
    for need in missing_supports(rips, present, modalidad=modalidad, accident=accident):
        code = "SOPORTE-CONDICIONAL" if need.condicional else "SOPORTE-FALTA"
        yield hallazgo(code, "soportes", servicio=need.nombre, siglas=" o ".join(need.siglas))


def _foreign_supports(hechos: Hechos) -> Iterator[Hallazgo]:
    """Supports whose name claims another invoice or provider (a person may have assigned them)."""
    fev = hechos.fev
    if fev is None or fev.supplier.nit is None:
        return
    for support in hechos.soportes:
        other = support.issuer.number != fev.supplier.nit.number
        if other or same_invoice(_number(fev), support.number) is Match.DIFFERENT:
            yield hallazgo("SOPORTE-OTRO", "soportes", nombre=support.redacted)


def _term(hechos: Hechos) -> Iterator[Hallazgo]:
    """State of RAD-01, the 22 business days, and of an earlier filing that the payer refused."""
    if hechos.rechazada_sin_corregir:
        yield hallazgo("RECHAZO-SIN-CORREGIR", "radicación")
    when = f" el {hechos.vence:%d/%m/%Y}" if hechos.vence else ""
    if hechos.plazo is EstadoPlazo.VENCIDO:
        yield hallazgo("RAD01-VENCIDO", "RAD-01", cuando=when)
    elif hechos.plazo is EstadoPlazo.VENCIDO_AUTORIZADO:
        yield hallazgo("RAD01-AUTORIZADO", "RAD-01", cuando=when)
    elif hechos.plazo is EstadoPlazo.POR_VENCER:
        yield hallazgo("RAD01-POR-VENCER", "RAD-01", cuando=when)
    elif hechos.plazo is EstadoPlazo.SIN_TERMINO:
        yield hallazgo("RAD01-SIN-TERMINO", "RAD-01")
    elif hechos.plazo is EstadoPlazo.SIN_FECHA:
        yield hallazgo("RAD01-SIN-FECHA", "RAD-01")


def _without_rips(hechos: Hechos) -> bool:
    """Say whether this kind of invoice goes without RIPS: SS-Recaudo, and the start of a capitation (MUV manual)."""
    fev, cuv = hechos.fev, hechos.cuv
    if fev is None:
        return False
    start = cuv is not None and (cuv.module or "").lower() == "capitainicial"
    return fev.es_recaudo or (fev.modalidad_pago == "03" and start)


def _number(fev: Fev) -> InvoiceNumber | None:
    return parse_invoice_number(fev.number, prefix=fev.prefix)


def _rules(codes: Iterator[str]) -> str:
    distinct = list(dict.fromkeys(codes))
    more = f" y {len(distinct) - _SHOWN_RULES} más" if len(distinct) > _SHOWN_RULES else ""
    return ", ".join(distinct[:_SHOWN_RULES]) + more


def _cop(pesos: Decimal) -> str:
    return format_cop(to_cents(pesos)) if abs(pesos) < _READABLE else "un valor imposible"
