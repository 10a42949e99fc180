"""The lines of an invoice against its contract's prices: what the documents say, compared, told as findings, frozen.

Invariant: a line is told by its place in the RIPS (or the FEV), its code, date and money, never by a patient; the
frozen tariff is only added, its hash stands in the invoice's own chain, and freezing the same again adds nothing.
Norms: Res. 2284 de 2023 Anexo Técnico 3 (TA, AU); Decreto 441 de 2022; Ley 527 de 1999 art. 9 (integrity).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Apunte, Reason
from radica.audit.services import lock_all, note_fact
from radica.entidades.contratos import acuerdos_con
from radica.entidades.contratos_models import TarifaAplicada
from radica.entidades.tarifarios import listas_de, precios_de
from radica.entidades.tarifas import (
    SIN_PRECIO,
    Cobrada,
    Comparacion,
    Comparada,
    Dicho,
    Fallo,
    codigo_normal,
    comparar,
)
from radica.facturas.fev import Fev
from radica.facturas.models import Factura
from radica.facturas.numbers import parse_amount
from radica.facturas.rips import SERVICIOS
from radica.facturas.texts import believable, clean
from radica.facturas.validacion.modelo import Fuente, Hallado
from radica.kernel.clock import civil_date
from radica.kernel.money import MAX_CENTS, format_cop, to_cents

_FECHAS = ("fechaInicioAtencion", "fechaDispensAdmon", "fechaSuministroTecnologia")
_CODIGOS = ("codConsulta", "codProcedimiento", "codTecnologiaSalud")
_CANTIDAD = {"medicamentos": "cantidadMedicamento", "otrosServicios": "cantidadOS"}
_URGENTE = "05"
"""Table GrupoServicios: atención inmediata."""
_MAX_CANTIDAD = Decimal(10_000_000)


def lineas_de_rips(rips: Mapping[str, Any]) -> list[Cobrada]:
    """Return the services of a decoded RIPS as billed lines. Pure; never raises on its contents."""
    found: list[Cobrada] = []
    for index, user in enumerate(_list(rips.get("usuarios"))):
        services = user.get("servicios") if isinstance(user, dict) else None
        if not isinstance(services, dict):
            continue
        number = _whole(user.get("consecutivo")) or index + 1
        for kind in SERVICIOS:
            for row, record in enumerate(_list(services.get(kind))):
                if isinstance(record, dict):
                    place = f"usuarios[{index}].servicios.{kind}[{row}]"
                    found.append(_servicio(place, kind, record, number, row + 1))
    return found


def _servicio(place: str, kind: str, record: Mapping[str, Any], user: int, row: int) -> Cobrada:
    return Cobrada(
        ruta=place,
        tipo=kind,
        codigo=next((text for name in _CODIGOS if (text := _text(record.get(name)))), ""),
        fecha=next((day for name in _FECHAS if (day := _day(record.get(name))) is not None), None),
        cantidad=_quantity(record.get(_CANTIDAD[kind])) if kind in _CANTIDAD else Decimal(1),
        valor=None if kind in SIN_PRECIO else _cents(record.get("vrServicio")),
        autorizada=bool(_text(record.get("numAutorizacion"))),
        urgente=_text(record.get("grupoServicios")) == _URGENTE,
        usuario=user,
        consecutivo=_whole(record.get("consecutivo")) or row,
    )


def lineas_de_fev(fev: Fev) -> list[Cobrada]:
    """Return the lines of an invoice without RIPS; nothing is known of their authorisation. Pure."""
    day = fev.period_end or fev.issue_date
    return [
        Cobrada(
            ruta=f"Invoice/InvoiceLine[{number}]",
            tipo="linea",
            codigo=line.code or "",
            fecha=day,
            cantidad=_quantity(line.quantity),
            valor=_cents(line.amount),
            consecutivo=number,
        )
        for number, line in enumerate(fev.lines, start=1)
    ]


def dicho_de(fev: Fev | None) -> Dicho:
    """Return what an invoice says of its contract."""
    if fev is None:
        return Dicho()
    return Dicho(fev.salud_values("NUMERO_CONTRATO"), fev.modalidad_pago)


def comparar_factura(session: Session, factura_id: int, rips: Mapping[str, Any] | None, fev: Fev | None) -> Comparacion:
    """Compare an invoice with the prices in force on the dates of its services; reads only."""
    row = session.get_one(Factura, factura_id)
    lines, source = (lineas_de_rips(rips), "rips") if rips is not None else ([], "rips")
    if not lines and fev is not None:
        lines, source = lineas_de_fev(fev), "fev"
    contracts = acuerdos_con(session, row.prestador_id, row.pagador_id)
    lists = listas_de(session, [one.id for one in contracts])
    codes = {codigo_normal(one.codigo) for one in lines} - {""}
    prices = precios_de(session, lists, codes) if lists else {}
    day = row.servicio_hasta or row.servicio_desde or civil_date(row.expedida_at or row.creada_at)
    return comparar(lines, contracts, lists, prices, dicho=dicho_de(fev), fecha=day, fuente=source)


def hallazgos_de_tarifa(comparacion: Comparacion) -> list[Hallado]:
    """Return what a comparison finds wrong, with its place and the money at risk."""
    return [one for line in comparacion.lineas for one in _hallazgos(line, comparacion.fuente)]


_CODIGO = {Fallo.DE_MAS: "TAR-DE-MAS", Fallo.DE_MENOS: "TAR-DE-MENOS", Fallo.NO_PACTADO: "TAR-NO-PACTADO"}
_CAMPO = {
    "consultas": "vrServicio", "procedimientos": "vrServicio", "medicamentos": "vrServicio",
    "otrosServicios": "vrServicio",
}  # fmt: skip


def _hallazgos(line: Comparada, source: str) -> Iterator[Hallado]:
    billed, contract = line.cobrada, line.acuerdo
    xml = source == "fev"
    values = {
        "codigo": billed.codigo or "sin código",
        "fecha": f"{billed.fecha:%d/%m/%Y}" if billed.fecha else "fecha desconocida",
        "contrato": contract.numero if contract else "",
        "cobrado": format_cop(billed.valor or 0),
        "pactado": format_cop(line.esperado or 0),
        "riesgo": format_cop(abs(line.diferencia)),
    }
    if line.pactado is not None:
        values["lista"] = f"{line.pactado.lista.nombre} v{line.pactado.lista.version}"
    if line.fallo in _CODIGO:
        field = _CAMPO.get(billed.tipo)
        place = f"{billed.ruta}.{field}" if field else billed.ruta
        at_risk = abs(line.diferencia)
        yield Hallado(_CODIGO[line.fallo], place, values, fuente=Fuente.FEV if xml else None, dinero=at_risk)
    if line.sin_autorizacion:
        yield Hallado("TAR-SIN-AUTORIZACION", f"{billed.ruta}.numAutorizacion", values)


def linea_congelada(line: Comparada) -> dict[str, Any]:
    """Return what is frozen of a line: integers, texts and dates; amounts in centavos."""
    billed, price, contract = line.cobrada, line.pactado, line.acuerdo
    return {
        "ruta": billed.ruta,
        "tipo": billed.tipo,
        "usuario": billed.usuario,
        "consecutivo": billed.consecutivo,
        "codigo": billed.codigo,
        "fecha": billed.fecha.isoformat() if billed.fecha else None,
        "cantidad": str(billed.cantidad),
        "cobrado": billed.valor,
        "autorizada": billed.autorizada,
        "fallo": line.fallo.value,
        "nota": line.nota,
        "esperado": line.esperado,
        "diferencia": line.diferencia,
        "sin_autorizacion": line.sin_autorizacion,
        "contrato": contract.id if contract else None,
        "contrato_numero": contract.numero if contract else None,
        # Only where there is one: what was frozen before keeps its hash.
        **({"otrosi": contract.otrosi} if contract and contract.otrosi else {}),
        "lista": price.lista.id if price else None,
        "lista_nombre": price.lista.nombre if price else None,
        "lista_version": price.lista.version if price else None,
        "lista_desde": price.lista.desde.isoformat() if price else None,
        "lista_sha256": price.lista.sha256 if price else None,
        "precio": price.valor if price else None,
        "precio_codigo": price.codigo if price else None,
    }


def huella_lineas(lineas: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of the canonical JSON of frozen lines, as 64 lowercase hex characters."""
    text = json.dumps(list(lineas), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def congelar_tarifa(
    session: Session, factura: Factura, comparacion: Comparacion, *, actor: str, at: datetime
) -> tuple[TarifaAplicada, bool]:
    """Freeze what was compared and write it in the invoice's chain; say whether it is new (the same adds nothing)."""
    lock_all(session, [factura])
    lines = [linea_congelada(one) for one in comparacion.lineas]
    digest = huella_lineas(lines)
    before = tarifa_vigente(session, factura.id)
    if before is not None and before.hash == digest:
        return before, False
    contracts = comparacion.acuerdos
    row = TarifaAplicada(
        prestador_id=factura.prestador_id,
        factura_id=factura.id,
        contrato_id=contracts[0].id if len(contracts) == 1 else None,
        at=at,
        por=actor,
        lineas=lines,
        de_mas=comparacion.de_mas,
        de_menos=comparacion.de_menos,
        sin_pactar=comparacion.sin_pactar,
        hash=digest,
    )
    session.add(row)
    session.flush()
    facts = {
        "tarifa": row.id,
        "hash": digest,
        "contrato": row.contrato_id,
        "lineas": len(lines),
        "de_mas": row.de_mas,
        "de_menos": row.de_menos,
        "sin_pactar": row.sin_pactar,
    }
    evidence = sorted({one.sha256 for one in comparacion.listas if one.sha256})
    note_fact(
        session, factura, Apunte.CONGELAR_TARIFA, actor=actor, at=at, reason=Reason.REVISION, facts=facts,
        evidence=evidence,
    )  # fmt: skip
    return row, True


def tarifa_vigente(session: Session, factura_id: int) -> TarifaAplicada | None:
    """Return the tariff frozen last with an invoice."""
    return session.scalars(
        select(TarifaAplicada)
        .where(TarifaAplicada.factura_id == factura_id)
        .order_by(TarifaAplicada.id.desc())
        .limit(1)
    ).first()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return clean(str(value)) or ""


def _whole(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _day(value: object) -> date | None:
    text = _text(value)[:10]
    try:
        day = date.fromisoformat(text) if len(text) == 10 and text[4] == "-" else None
    except ValueError:
        return None
    return day if day is not None and believable(day) else None


def _cents(value: object) -> int | None:
    amount = parse_amount(value)
    return to_cents(amount) if amount is not None and 0 <= amount * 100 <= MAX_CENTS else None


def _quantity(value: object) -> Decimal:
    """Return a quantity; what is missing, unreadable or absurd counts as one, which the difference then shows."""
    amount = parse_amount(value)
    return amount if amount is not None and 0 < amount <= _MAX_CANTIDAD else Decimal(1)
