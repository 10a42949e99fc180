"""Rules of the block of sector salud: provider, modality, coverage, contract, policy, and what a coverage admits.

Invariant: a field counts wherever the block writes it (once for all, or repeated per user as before Res. 948), the code
of a table is judged and never its text, and a row of the coverage matrix that is in doubt refuses nothing. Fillers that
real and accepted invoices carry (NA, 0) count as empty. Norms: technical document 2 v001 of Res. 948 de 2026, sections
4 and 11.2; technical document 1 v002, sections 1.8 and 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from radica.facturas.fev import Clase
from radica.facturas.rips import SERVICIOS
from radica.facturas.validacion.modelo import Hallado, Paquete
from radica.facturas.validacion.reglas_xml_codigos import codigo, codigo_campo
from radica.facturas.validacion.reglas_xml_vista import CAMPOS, Campo, Vista, hallar
from radica.facturas.validacion.tablas import cobertura, codigos, tabla

RES_948 = date(2026, 7, 1)
"""From here: coverage 01 is closed, and an invoice without contract says why."""
_GRUPOS = (
    ("CODIGO_PRESTADOR", "124"),
    ("MODALIDAD_PAGO", "126"),
    ("COBERTURA_PLAN_BENEFICIOS", "128"),
    ("NUMERO_CONTRATO", "130"),
    ("NUMERO_POLIZA", "132"),
)
_TABLAS = (
    ("MODALIDAD_PAGO", "modalidadPago", "125", "133"),
    ("COBERTURA_PLAN_BENEFICIOS", "coberturaPlan", "127", "134"),
)


def extension(vista: Vista) -> Iterator[Hallado]:
    """FED060 and twins: a health document carries the block; an SS-Recaudo does not (SALUD-SOBRA when it does)."""
    if vista.es_recaudo:
        if vista.campos and vista.fev.modalidad_pago != "03":
            yield hallar("SALUD-SOBRA", vista.extension, _path(vista))
    elif vista.es_salud and vista.extension is None:
        yield hallar(codigo_campo(vista.fev.kind, "060"), vista.raiz)


def grupos(vista: Vista) -> Iterator[Hallado]:
    """124, 126, 128, 130, 132: each field stands in the block. SALUD-MAYUSCULAS: and is written in capitals."""
    if vista.extension is None or vista.es_recaudo:
        return
    for name, number in _GRUPOS:
        if name not in vista.campos:
            yield hallar(codigo_campo(vista.fev.kind, number), vista.extension)
    for key, field in vista.campos.items():
        if key in CAMPOS and field.nombre != key:
            yield hallar("SALUD-MAYUSCULAS", field.elemento, _path(vista, key), campo=key)


def prestador(vista: Vista) -> Iterator[Hallado]:
    """123: the provider's code is not empty."""
    field = vista.campos.get("CODIGO_PRESTADOR")
    if field is not None and field.valor is None and not vista.es_recaudo:
        yield hallar(codigo_campo(vista.fev.kind, "123"), field.elemento)


def de_tabla(vista: Vista) -> Iterator[Hallado]:
    """125, 127 (no code of table), 133, 134 (a code that the table does not have, or no longer has)."""
    if vista.es_recaudo:
        return
    kind, issued = vista.fev.kind, vista.fev.issue_date
    for name, table, missing, wrong in _TABLAS:
        field = vista.campos.get(name)
        if field is None:
            continue
        if field.codigo is None:
            yield hallar(codigo_campo(kind, missing), field.elemento)
        elif _dos(field.codigo) not in tabla(table):
            yield hallar(codigo_campo(kind, wrong), field.elemento, valor=field.codigo)
        elif kind is Clase.FACTURA and issued is not None and _dos(field.codigo) not in codigos(table, issued):
            yield hallar(codigo_campo(kind, wrong), field.elemento, variante="inactivo", valor=field.codigo)


def contrato(vista: Vista) -> Iterator[Hallado]:
    """129 and 131: neither contract nor policy, or both at once; FED136: without contract, why.

    Where there is a policy, real answers miss the contract all the same (129 alone); that they miss the policy where
    there is a contract was never seen, and the norm wants it empty there.
    """
    contract, policy = vista.campos.get("NUMERO_CONTRATO"), vista.campos.get("NUMERO_POLIZA")
    if contract is None or policy is None or vista.es_recaudo:
        return
    kind, issued = vista.fev.kind, vista.fev.issue_date
    reason = vista.campos.get("FACTURA_SIN_CONTRATO")
    explained = reason is not None and _dos(reason.codigo or "") in tabla("facturaSinContrato")
    if contract.dice_algo and policy.dice_algo:
        yield hallar(codigo_campo(kind, "129"), contract.elemento, variante="ambos")
        yield hallar(codigo_campo(kind, "131"), policy.elemento, variante="ambos")
    elif not contract.dice_algo and not explained:
        yield hallar(codigo_campo(kind, "129"), contract.elemento, variante="poliza" if policy.dice_algo else "")
        if not policy.dice_algo:
            yield hallar(codigo_campo(kind, "131"), policy.elemento)
    unexplained = codigo(kind, "sin_razon_de_contrato")
    if unexplained and issued is not None and issued >= RES_948 and not contract.dice_algo and not explained:
        yield hallar(unexplained, (reason or contract).elemento)


def cobertura_y_modalidad(vista: Vista) -> Iterator[Hallado]:
    """COBERTURA-MODALIDAD: the matrix of the Ministry does not admit this modality for this coverage."""
    covered, issued = vista.campos.get("COBERTURA_PLAN_BENEFICIOS"), vista.fev.issue_date
    row = cobertura(_dos(covered.codigo)) if covered is not None and covered.codigo else None
    modality = vista.fev.modalidad_pago
    if covered is None or row is None or row.dudosa or modality is None or issued is None or issued < RES_948:
        return
    if modality not in row.modalidades:
        values = {"cobertura": row.codigo, "modalidad": modality, "validas": ", ".join(sorted(row.modalidades))}
        yield hallar("COBERTURA-MODALIDAD", covered.elemento, _path(vista, "COBERTURA_PLAN_BENEFICIOS"), **values)


def conceptos(vista: Vista, paquete: Paquete) -> Iterator[Hallado]:
    """CIN006: the coverage admits each kind of collection that the invoice and the RIPS tell.

    In the invoice only a payment of more than zero counts: programs write the four kinds with zeros. One with several
    coverages says of no service whose it is: what one of them admits is no fault.
    """
    codes = sorted({_dos(code) for code in _codigos(vista, "COBERTURA_PLAN_BENEFICIOS")})
    rows = [cobertura(code) for code in codes]
    if not rows or vista.es_recaudo or any(row is None or row.dudosa for row in rows):
        return
    admitted = {concept for row in rows if row is not None for concept in row.conceptos}
    known, told = tabla("conceptoRecaudo"), ", ".join(codes)
    for payment, element in zip(vista.fev.prepaid_payments, vista.hijos.get("PrepaidPayment", ()), strict=False):
        concept = payment.concept or ""
        if payment.amount and payment.amount > 0 and concept in known and concept not in admitted:
            yield hallar("CIN006", element, concepto=concept, cobertura=told)
    for path, concept in _conceptos_rips(paquete.rips or {}):
        if concept in known and concept not in admitted:
            yield Hallado("CIN006", path, {"concepto": concept, "cobertura": told}, "rips")


def _conceptos_rips(rips: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and the concept of collection of each service that tells one."""
    users = rips.get("usuarios")
    for number, user in enumerate(users if isinstance(users, list) else ()):
        found = user.get("servicios") if isinstance(user, dict) else None
        services = found if isinstance(found, dict) else {}
        for kind in SERVICIOS:
            items = services.get(kind)
            for place, item in enumerate(items if isinstance(items, list) else ()):
                concept = item.get("conceptoRecaudo") if isinstance(item, dict) else None
                if isinstance(concept, str):
                    yield f"usuarios[{number}].servicios.{kind}[{place}].conceptoRecaudo", concept


def varios_usuarios(vista: Vista) -> Iterator[Hallado]:
    """SALUD-DISTINTOS: an invoice of several users has one modality and one coverage for all of them."""
    if vista.extension is None:
        return
    for name in ("MODALIDAD_PAGO", "COBERTURA_PLAN_BENEFICIOS"):
        codes = _codigos(vista, name)
        if len(codes) > 1:
            told = ", ".join(sorted(codes))
            yield hallar("SALUD-DISTINTOS", vista.campos[name].elemento, _path(vista, name), campo=name, valores=told)


def texto_de_tabla(vista: Vista) -> Iterator[Hallado]:
    """SALUD-NOMBRE: the code of a table comes without its name."""
    for name, *_ in _TABLAS:
        field: Campo | None = vista.campos.get(name)
        if field is not None and field.codigo is not None and field.valor is None and not vista.es_recaudo:
            yield hallar("SALUD-NOMBRE", field.elemento, _path(vista, name), campo=name)


def _codigos(vista: Vista, name: str) -> set[str]:
    """Return the codes of a field over all users of the invoice."""
    return {field.code for block in vista.fev.salud for field in block if field.name == name and field.code}


def _dos(code: str) -> str:
    """Some programs drop the zero on the left; that the Ministry refuses it was never seen."""
    return code.zfill(2)


def _path(vista: Vista, name: str = "") -> str:
    path = f"{vista.raiz_local}/UBLExtensions/CustomTagGeneral"
    return f"{path}/Interoperabilidad/Group/Collection/{name}" if name else path
