"""Crosses between the documents of one invoice that are the house's own: they warn, and the Ministry says nothing.

Invariant: everything here is an `aviso`; two documents are compared only where both say the thing. What the Ministry
itself compares (NIT, number, sums, period) are rules RVC and RVG. Norms: Res. 948 de 2026 art. 3 (the CUV is of one
invoice), Res. 3100 de 2019 (one code of provider by department and NIT), DIAN annex 1.9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from radica.facturas.cuv import COLOMBIA, CuvResult
from radica.facturas.fev import Clase, Fev
from radica.facturas.numbers import InvoiceNumber, Match, parse_invoice_number, parse_nit, same_invoice
from radica.facturas.validacion.modelo import Contexto, Fuente, Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_rips_base import FECHA_DE, dia, marco_de, pesos, texto, vistas
from radica.facturas.validacion.reglas_rips_encabezado import TOLERANCIA, numero_de_factura

_PRUEBA = ("test", "stage", "prueba")
_CODIGO, _SEDE = 10, 12
"""Digits of a provider's code in the invoice, and of the same with its branch in the RIPS."""


def cruces(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Yield the house's crosses over what the package has."""
    if paquete.rips is not None and paquete.fev is not None:
        yield from _numero_escrito(paquete.rips, paquete.fev, contexto)
        yield from _recaudo(paquete.fev)
    if paquete.rips is not None:
        yield from _por_servicios(paquete, contexto)
    if paquete.cuv is not None:
        yield from _cuv(paquete, paquete.cuv)


def _numero_escrito(rips: Any, fev: Fev, contexto: Contexto) -> Iterator[Hallado]:
    """The number is the same and not written the same, and not so far that it is refused (RVC004): case, blanks."""
    written = texto(rips.get("numFactura"))
    own, other = parse_invoice_number(written, prefix=fev.prefix), parse_invoice_number(fev.number, prefix=fev.prefix)
    if contexto.modulo is not Modulo.FEV or own is None or other is None or numero_de_factura(written, fev):
        return
    if same_invoice(own, other) is Match.SAME and rips.get("numFactura") != fev.number:
        yield Hallado("CRUCE-NUMERO", "numFactura", {"rips": written, "fev": fev.number or ""})


def _recaudo(fev: Fev) -> Iterator[Hallado]:
    """A receipt of what a patient paid supports no RIPS (MUV technical document 2, SS-Recaudo)."""
    if fev.es_recaudo:
        yield Hallado("CRUCE-RECAUDO", "")


def _por_servicios(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Codes of provider of the services, and services after the invoice was issued."""
    fev, marco = paquete.fev, marco_de(paquete, contexto)
    issued = fev.issue_date if fev is not None and contexto.modulo is Modulo.FEV else None
    codes: dict[str, str] = {}
    late: list[tuple[str, str]] = []
    for index, vista in vistas(marco):
        for kind, records in vista.servicios.items():
            for at, one in records:
                code = one.get("codPrestador")
                if type(code) is str and len(code) == _SEDE and code[:_CODIGO] not in codes:
                    codes[code[:_CODIGO]] = f"usuarios[{index}].servicios.{kind}[{at}].codPrestador"
                day = dia(one.get(FECHA_DE[kind])) if issued is not None else ""
                if issued is not None and day > issued.isoformat():
                    late.append((f"usuarios[{index}].servicios.{kind}[{at}].{FECHA_DE[kind]}", day))
    yield from _prestadores(codes, fev)
    if late and issued is not None:
        said = {"cuantos": str(len(late)), "fecha": max(day for _, day in late), "expedida": issued.isoformat()}
        yield Hallado("CRUCE-FECHA", late[0][0], said)


def _prestadores(codes: dict[str, str], fev: Fev | None) -> Iterator[Hallado]:
    told = [code.strip()[:_CODIGO] for code in fev.salud_values("CODIGO_PRESTADOR")] if fev is not None else []
    # A code of another form is RVC011; there is nothing to compare with.
    told = [code for code in told if len(code) == _CODIGO and code.isdigit()]
    for code, place in codes.items():
        if told and code not in told:
            yield Hallado("CRUCE-PRESTADOR", place, {"rips": code, "fev": ", ".join(dict.fromkeys(told))})
    if len(codes) > 1:
        yield Hallado("CRUCE-PRESTADORES", "", {"codigos": ", ".join(sorted(codes)), "cuantos": str(len(codes))})


def _cuv(paquete: Paquete, cuv: CuvResult) -> Iterator[Hallado]:
    """The answer of the MUV is of this invoice, of now, of production, and what it rejected."""
    fev, rips = paquete.fev, paquete.rips or {}
    yield from _cuv_numero(fev, rips, cuv)
    nit = fev.supplier.nit if fev is not None else parse_nit(texto(rips.get("numDocumentoIdObligado")) or None)
    if nit is not None and cuv.issuer is not None and nit.number != cuv.issuer.number:
        yield Hallado("CRUCE-CUV-NIT", "NumDocumentoIdObligado", {"cuv": cuv.issuer.number, "propio": nit.number})
    if fev is not None:
        # The query's manual does not say which of the two totals it reports.
        totals = [total for total in (fev.payable, fev.line_extension) if total is not None]
        if cuv.total and totals and min(abs(cuv.total - total) for total in totals) > TOLERANCIA:
            said = {"cuv": _pesos(cuv.total), "fev": _pesos(totals[0])}
            yield Hallado("CRUCE-CUV-TOTAL", "TotalFactura", said)
    yield from _cuv_fecha(fev, rips, cuv)
    if any(word in (cuv.environment or "").lower() for word in _PRUEBA):
        yield Hallado("CRUCE-CUV-PRUEBAS", "Ambiente", {"ambiente": cuv.environment or ""})
    places: dict[str, str] = {}
    times: Counter[str] = Counter()
    for line in cuv.rejections:
        places.setdefault(line.codigo, line.lugar or "")
        times[line.codigo] += 1
    for code, place in places.items():
        yield Hallado("CRUCE-CUV-RECHAZO", place, {"codigo": code, "veces": str(times[code])}, fuente=Fuente.CUV)


def _cuv_numero(fev: Fev | None, rips: Any, cuv: CuvResult) -> Iterator[Hallado]:
    own = [parse_invoice_number(fev.number, prefix=fev.prefix)] if fev is not None else []
    if fev is None or fev.kind is not Clase.FACTURA:
        own += [parse_invoice_number(texto(rips.get(name)) or None) for name in ("numFactura", "numNota")]
        own += [parse_invoice_number(one.number) for one in fev.references] if fev is not None else []
    numbers = [number for number in own if number is not None]
    said = parse_invoice_number(cuv.number)
    if said is None or not numbers:
        return
    match = _mejor(said, numbers)
    if match is not Match.SAME:
        words = {"cuv": said.text, "propio": numbers[0].text}
        yield Hallado("CRUCE-CUV-NUMERO", "NumFactura", words, "sin_prefijo" if match is Match.POSSIBLE else "")


def _mejor(said: InvoiceNumber, numbers: list[InvoiceNumber]) -> Match:
    found = {same_invoice(said, number) for number in numbers}
    return next(match for match in (Match.SAME, Match.POSSIBLE, Match.DIFFERENT) if match in found)


def _cuv_fecha(fev: Fev | None, rips: Any, cuv: CuvResult) -> Iterator[Hallado]:
    """An answer from before the invoice was issued, or the services were given, is of another document."""
    if cuv.at is None or not cuv.accepted:
        return
    at = cuv.at.astimezone(COLOMBIA).date()
    issued = fev.issue_date if fev is not None else None
    if issued is not None and at < issued - timedelta(days=1):
        yield Hallado("CRUCE-CUV-FECHA", "FechaRadicacion", {"cuv": f"{at:%d/%m/%Y}", "otra": f"{issued:%d/%m/%Y}"})
        return
    last = _ultimo(rips)
    if last is not None and at < last:
        words = {"cuv": f"{at:%d/%m/%Y}", "otra": f"{last:%d/%m/%Y}"}
        yield Hallado("CRUCE-CUV-FECHA", "FechaRadicacion", words, "servicios")


def _ultimo(rips: Any) -> date | None:
    """Return the day of the last service of a RIPS that can be read."""
    users = rips.get("usuarios")
    last = ""
    for user in users if isinstance(users, list) else ():
        groups = user.get("servicios") if isinstance(user, dict) else None
        for kind, field in FECHA_DE.items():
            records = groups.get(kind) if isinstance(groups, dict) else None
            for one in records if isinstance(records, list) else ():
                last = max(last, dia(one.get(field)) if isinstance(one, dict) else "")
    try:
        return datetime.strptime(last, "%Y-%m-%d").date() if last else None  # noqa: DTZ007  a day has no zone
    except ValueError:
        return None


def _pesos(amount: Decimal) -> str:
    return pesos(amount)
