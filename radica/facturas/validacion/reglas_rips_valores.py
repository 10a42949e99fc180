"""Rules of the RIPS over money: what a service costs, and what the patient paid of it.

Invariant: each rule reads one service and never raises; sums over the package are in `reglas_rips_encabezado`. Which
modality carries prices: by event each service has one, by case or package, global prospective payment and capitation
none (RVC034); notes are not judged. Norms: MUV technical document 1 v002; FEV-RIPS guidelines 3.2, 4.1.1.4.
"""

from __future__ import annotations

from decimal import Decimal

from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion.reglas_rips_base import (
    ANTICIPO,
    COMPARTIDO,
    COPAGO,
    CUOTA,
    NINGUNO,
    Falta,
    Faltas,
    Registro,
    ReglaServicio,
    Vista,
    campo_concepto,
    concepto,
    monto,
    pesos,
)

_EVENTO = "04"
_NO_APLICA = "05"
_SIN_PRECIO = frozenset({"01", "02", "03"})
_MAGISTRAL = "03"
_CONTRIBUTIVO = frozenset({"01", "02", "03"})
_ESPECIAL = frozenset({"06", "07", "13"})
"""Special regimes: their plan admits a moderating fee too (coverage matrix, row 13)."""
_SUBSIDIADO = "04"
_EXENTAS = frozenset({"11", "12", "14", "19", "20", "21", "22", "23", "24", "25", "27"})
"""Purposes of promotion and prevention: the patient pays nothing for them."""
_REDONDEO = 1
"""Pesos that rounding a unit price may move a total."""
_CON_PRECIO = frozenset({Modulo.FEV, Modulo.CAPITA_PERIODO, Modulo.CAPITA_FINAL})
_VALORES: tuple[str, ...] = ("vrServicio", "vrUnitMedicamento", "vrUnitOS")


def rvc034(registro: Registro, vista: Vista) -> Faltas:
    """RVC034: by event a price above zero; by case, global payment or capitation, zero. DT1 v002, C17 P16 M18 M19 S11 S12."""
    marco = vista.marco
    event = marco.modalidad == _EVENTO
    if not event and marco.modalidad not in _SIN_PRECIO:
        return ()
    found = []
    for name in _VALORES:
        value = registro.get(name)
        # By event a positive integer is right, which is almost every value.
        if value is None or (event and type(value) is int and value > 0):
            continue
        amount = monto(value)
        if amount is not None and (amount <= 0 if event else amount != 0):
            found.append(name)
    if not found or marco.modulo not in _CON_PRECIO or (event and registro.get("tipoMedicamento") == _MAGISTRAL):
        return ()
    wrong = "evento" if event else "sin_precio"
    said = {name: pesos(monto(registro.get(name)) or 0) for name in found}
    return [Falta("RVC034", name, {"valor": said[name], "modalidad": marco.modalidad or ""}, wrong) for name in found]


def rvc035(registro: Registro, vista: Vista) -> Faltas:
    """RVC035: the moderating fee is for affiliates of the contributory regime. DT1 v002, C18 P17 M20 S13."""
    if concepto(registro) != CUOTA or not vista.tipo or vista.tipo in _CONTRIBUTIVO or vista.tipo in _ESPECIAL:
        return ()
    return (Falta("RVC035", campo_concepto(registro), {"tipo": vista.tipo}),)


def rvc037(registro: Registro, vista: Vista) -> Faltas:
    """RVC037: no payments of voluntary plans for the subsidised regime. DT1 v002, C18 P17 M20 S13."""
    if vista.tipo == _SUBSIDIADO and concepto(registro) == COMPARTIDO:
        return (Falta("RVC037", campo_concepto(registro)),)
    return ()


def rvc060(registro: Registro, vista: Vista) -> Faltas:
    """RVC060: a moderating fee or a voucher has a value of one peso at least. DT1 v002, C19 P18 M21.

    Where one order has several items the fee stands in one of them and the others say zero: it is wrong only when the
    user has that payment nowhere, except in a consultation, which is an order of its own. Notes carry no such payment.
    """
    kind = concepto(registro)
    if kind not in (CUOTA, COMPARTIDO) or not vista.marco.completo:
        return ()
    value = monto(registro.get("valorPagoModerador"))
    if value is None or value >= 1 or ("codConsulta" not in registro and _paga_en_otro(vista, kind)):
        return ()
    return (Falta("RVC060", "valorPagoModerador", {"concepto": kind, "valor": pesos(value)}),)


def _paga_en_otro(vista: Vista, kind: str) -> bool:
    return any(
        concepto(one) == kind and (monto(one.get("valorPagoModerador")) or 0) >= 1
        for records in vista.servicios.values()
        for _, one in records
    )


def rvc061(registro: Registro, _: Vista) -> Faltas:
    """RVC061: where no moderating payment applies its value is zero. DT1 v002, C19 P18 M21."""
    written = registro.get("valorPagoModerador")
    value = monto(written) if written else 0
    if not value or concepto(registro) != NINGUNO:
        return ()
    return (Falta("RVC061", "valorPagoModerador", {"valor": pesos(value)}),)


def rvc084(registro: Registro, _: Vista) -> Faltas:
    """RVC084: consultations of promotion and prevention carry no moderating payment. DT1 v002, C08."""
    kind = concepto(registro)
    if kind not in (COPAGO, CUOTA, COMPARTIDO):
        return ()
    aim = registro.get("finalidadTecnologiaSalud")
    return (
        (Falta("RVC084", "finalidadTecnologiaSalud", {"finalidad": aim, "concepto": kind}),) if aim in _EXENTAS else ()
    )


def rvc091(registro: Registro, vista: Vista) -> Faltas:
    """RVC091: without invoice a service carries no price. DT1 v002, C17 P16 M18 M19 S11 S12."""
    if vista.marco.modulo is not Modulo.SIN_FACTURA:
        return ()
    found = [(name, value) for name in _VALORES if (value := monto(registro.get(name)))]
    return [Falta("RVC091", name, {"valor": pesos(value)}) for name, value in found]


def rvc092(registro: Registro, _: Vista) -> Faltas:
    """RVC092: an advance is told in the invoice, never in the RIPS. DT1 v002, C18 P17 M20 S13."""
    if concepto(registro) != ANTICIPO:
        return ()
    return (Falta("RVC092", campo_concepto(registro)),)


def rvc094(registro: Registro, vista: Vista) -> Faltas:
    """RVC094: by event, quantity times unit value is the value of the medicine. DT1 v002, M19."""
    if vista.marco.modalidad != _EVENTO or registro.get("tipoMedicamento") == _MAGISTRAL:
        return ()
    quantity, unit = monto(registro.get("cantidadMedicamento")), monto(registro.get("vrUnitMedicamento"))
    total = monto(registro.get("vrServicio"))
    if quantity is None or unit is None or total is None or abs(Decimal(quantity) * unit - total) <= _REDONDEO:
        return ()
    said = {"cantidad": f"{quantity:f}" if isinstance(quantity, Decimal) else str(quantity), "unitario": pesos(unit)}
    return (
        Falta("RVC094", "vrServicio", {**said, "valor": pesos(total), "esperado": pesos(Decimal(quantity) * unit)}),
    )


def _si_paga(*reglas: ReglaServicio) -> ReglaServicio:
    """Run rules that only speak of services with a payment: most services say that none applies."""

    def todas(registro: Registro, vista: Vista) -> Faltas:
        if registro.get("conceptoRecaudo") == _NO_APLICA:
            return ()
        return [one for regla in reglas for one in regla(registro, vista)]

    return todas


POR_TIPO: dict[str, tuple[ReglaServicio, ...]] = {
    "consultas": (rvc034, rvc061, rvc091, _si_paga(rvc035, rvc037, rvc060, rvc084, rvc092)),
    "procedimientos": (rvc034, rvc061, rvc091, _si_paga(rvc035, rvc037, rvc060, rvc092)),
    "medicamentos": (rvc034, rvc061, rvc091, rvc094, _si_paga(rvc035, rvc037, rvc060, rvc092)),
    "otrosServicios": (rvc034, rvc091, _si_paga(rvc035, rvc037, rvc092)),
}
"""The rules of this file by kind of service."""
