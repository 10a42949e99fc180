"""A sober picture of an invoice or note, drawn from its XML: the XML carries none, and a judge reads paper.

Invariant: it says of itself that the provider drew it, from which bytes, and that the XML alone is the invoice;
nothing stands here that the XML does not say. Norm: technical annex 1.9 of DIAN (contents of the representation).
"""

from __future__ import annotations

from decimal import Decimal

from radica.facturas.fev import Clase, Fev, Parte
from radica.kernel.money import format_cop, to_cents
from radica.kernel.web_format import fecha, fecha_hora
from radica.prejuridico.hoja import Hoja

_NAMES = {
    Clase.FACTURA: "Factura electrónica de venta",
    Clase.NOTA_CREDITO: "Nota crédito electrónica",
    Clase.NOTA_DEBITO: "Nota débito electrónica",
}
_CONCEPTS = {"01": "Copago", "02": "Cuota moderadora", "03": "Pagos compartidos", "04": "Anticipo"}


def dibujar(fev: Fev, *, sha256: str, autor: str, con_lineas: bool = True) -> bytes:
    """Return the PDF of a sale document whose XML has this hash; without lines where they may name other patients."""
    name = f"{_NAMES[fev.kind]} {fev.number or 'sin número'}"
    sheet = Hoja(name, encabezado=f"Representación gráfica · {name}", autor=autor)
    sheet.parrafo(
        "Representación dibujada por el prestador a partir del XML, que es la factura. No la emitió la DIAN ni el "
        "proveedor tecnológico. Se comprueba contra el XML, cuya huella SHA-256 es:",
        menor=True,
    )
    sheet.huella(sha256)
    sheet.tabla(
        ("Parte", "Nombre", "NIT"), [_party("Emisor", fev.supplier), _party("Adquirente", fev.customer)], (2, 7, 3)
    )
    sheet.tabla(("Dato", "Valor"), _facts(fev), (3, 9))
    if fev.references:
        rows = [(one.number or "—", one.cufe or "—", fecha(one.issue_date)) for one in fev.references]
        sheet.seccion("Factura que afecta")
        sheet.tabla(("Número", "CUFE", "Fecha"), rows, (3, 7, 2))
    if con_lineas and fev.lines:
        sheet.seccion("Renglones")
        lines = [
            (
                one.id or "",
                one.code or "",
                one.description or "",
                _quantity(one.quantity),
                _cop(one.unit_price),
                _cop(one.amount),
            )
            for one in fev.lines
        ]
        sheet.tabla(
            ("N.º", "Código", "Descripción", "Cant.", "Valor unitario", "Valor"),
            lines,
            (1, 2.2, 6, 1.2, 2.2, 2.2),
            derecha=(3, 4, 5),
        )
    elif fev.lines:
        sheet.parrafo(f"Los {len(fev.lines)} renglones no se dibujan: pueden nombrar a otros pacientes.")
    sheet.seccion("Totales")
    sheet.tabla(("Concepto", "Valor"), _totals(fev), (8, 4), derecha=(1,), total=True)
    return sheet.pdf()


def _party(role: str, party: Parte) -> tuple[str, str, str]:
    return role, party.name or "—", party.nit.number if party.nit else "—"


def _facts(fev: Fev) -> list[tuple[str, str]]:
    rows = [
        ("CUFE" if fev.kind is Clase.FACTURA else "CUDE", fev.cufe or "—"),
        ("Fecha de expedición", f"{fecha(fev.issue_date)} {fev.issue_time_text or ''}".strip()),
        ("Vencimiento", fecha(fev.due_date)),
        ("Periodo de facturación", f"{fecha(fev.period_start)} a {fecha(fev.period_end)}"),
        ("Tipo de operación", fev.operation or "—"),
        ("Moneda", fev.currency or "—"),
    ]
    if fev.numbering is not None:
        numbers = fev.numbering
        rows.append(
            (
                "Numeración autorizada",
                f"Resolución {numbers.resolution or '—'}, {numbers.first or ''} a {numbers.last or ''}",
            )
        )
    answer = fev.response
    if answer is not None:
        said = "validada" if answer.validated else f"código {answer.code or '—'}"
        rows.append(("Respuesta de la DIAN", f"{said}, {fecha_hora(answer.at)}"))
    else:
        rows.append(("Respuesta de la DIAN", "el XML no la trae"))
    return rows


def _totals(fev: Fev) -> list[tuple[str, str]]:
    rows = [
        ("Valor bruto", _cop(fev.line_extension)),
        ("Descuentos", _cop(fev.allowance_total)),
        ("Cargos", _cop(fev.charge_total)),
    ]
    rows += [(f"Impuesto {one.scheme or ''}".strip(), _cop(one.amount)) for one in fev.taxes if one.amount]
    rows += [(_CONCEPTS.get(one.concept or "", "Pago del usuario"), _cop(one.amount)) for one in fev.prepaid_payments]
    rows += [("Anticipos y pagos de usuarios", _cop(fev.prepaid)), ("Valor a pagar", _cop(fev.payable))]
    return rows


def _cop(pesos: Decimal | None) -> str:
    return "—" if pesos is None else format_cop(to_cents(pesos))


def _quantity(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}".replace(".", ",")
