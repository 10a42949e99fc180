"""Supports of the demonstration set: what each PDF of a package says.

One text per type of support of Res. 2284/2023 (annex 1), drawn from the bill, in the words a Colombian clinic would use;
FURIPS, which SOAT insurers and the ADRES ask for, is a support of its own type. Names follow `SIGLA_NIT_FACTURA.pdf`,
with the patient's document added when the invoice covers several people.
Invariant: same bill, same bytes; no real person, institution or form is copied.
"""

from __future__ import annotations

from radica.app.demo.bill import Bill, Charge
from radica.app.demo.catalog import Person
from radica.app.demo.pdf import Line, write_pdf

TITLES = {
    "HEV": "Hoja de evolución y resumen de atención",
    "EPI": "Epicrisis",
    "PDX": "Resultados de apoyo diagnóstico",
    "DQX": "Descripción quirúrgica",
    "RAN": "Registro de anestesia",
    "CRC": "Comprobante de recibido del usuario",
    "FAT": "Detalle de cargos por accidente de tránsito",
    "FMO": "Factura del material de osteosíntesis",
    "OPF": "Orden o prescripción facultativa",
    "HAU": "Hoja de atención de urgencias",
    "HAM": "Hoja de administración de medicamentos",
    "TAP": "Traslado asistencial de pacientes",
    "PDE": "Evidencia del envío del trámite",
    "FURIPS": "Formulario único de reclamación de las IPS (FURIPS)",
}
# One per person when the invoice covers several; the others speak of the whole invoice.
_PER_PERSON = frozenset({"HEV", "EPI", "PDX", "DQX", "RAN", "CRC", "HAU", "HAM", "TAP"})


def pesos(amount: int) -> str:
    """Whole pesos as a Colombian reads them: `$ 1.234.567`."""
    return f"$\u00a0{amount:,}".replace(",", ".")


def _charges(charges: list[Charge]) -> list[Line]:
    return [
        Line(f"{c.item.code}   {c.item.name}   cantidad {c.qty}   {pesos(c.unit)}   total {pesos(c.total)}")
        for c in charges
    ]


def _head(bill: Bill, person: Person, sigla: str) -> list[Line]:
    return [
        Line(bill.provider.name, "heading"),
        Line(
            f"NIT {bill.provider.nit}-{bill.provider.dv}   Código de habilitación {bill.provider.habilitacion}", "small"
        ),
        Line(f"{bill.provider.address}, {bill.provider.place.city}", "small"),
        Line(""),
        Line(TITLES[sigla], "title"),
        Line(""),
        Line(f"Factura: {bill.number}   Fecha de expedición: {bill.issued:%d/%m/%Y}"),
        Line(f"Pagador: {bill.payer.name}, NIT {bill.payer.nit}-{bill.payer.dv}"),
        Line(f"Paciente: {person.name}   Documento: {person.doc_type} {person.doc}   Sexo: {person.sex}"),
        Line(f"Fecha de nacimiento: {person.birth:%d/%m/%Y}   Tipo de usuario: {person.user_type}"),
        Line(f"Atención: del {bill.start:%d/%m/%Y} al {bill.end:%d/%m/%Y}   Servicio: {bill.scenario.title}"),
        Line(""),
    ]


def _clinical(bill: Bill) -> list[Line]:
    scenario = bill.scenario
    return [
        Line("Diagnóstico", "heading"),
        Line(f"{scenario.dx}   {scenario.dx_name.capitalize()}"),
        Line("Resumen", "heading"),
        Line(scenario.story),
        Line(
            "Conducta: se explica el plan al paciente, que lo entiende y lo acepta. Se dan signos de alarma por escrito."
        ),
    ]


def _surgical(bill: Bill) -> list[Line]:
    surgery = [c for c in bill.charges if c.item.grupo == "04" and c.item.kind == "procedimiento"]
    return [
        Line("Procedimiento realizado", "heading"),
        *(Line(f"{c.item.code}   {c.item.name}") for c in surgery),
        Line("Hallazgos y técnica", "heading"),
        Line(
            "Lista de verificación completa. Asepsia y antisepsia. Abordaje según técnica descrita para el procedimiento, "
            "hemostasia cuidadosa, recuento de material completo, cierre por planos. Sin complicaciones."
        ),
        Line(f"Hora de inicio 08:10. Hora de terminación 11:35. Sangrado estimado 180 ml. Día {bill.start:%d/%m/%Y}."),
    ]


def _anesthesia(bill: Bill) -> list[Line]:
    return [
        Line("Registro", "heading"),
        Line(
            f"Día {bill.start:%d/%m/%Y}. Clasificación ASA II. Técnica: general balanceada. Vía aérea sin dificultad."
        ),
        Line("08:00  TA 128/76  FC 74  SpO2 98 %      09:00  TA 118/70  FC 68  SpO2 99 %"),
        Line("10:00  TA 115/69  FC 66  SpO2 99 %      11:00  TA 121/73  FC 71  SpO2 98 %"),
        Line("Entrega en recuperación: consciente, sin dolor, sin náusea. Aldrete 10."),
    ]


def _medication(bill: Bill) -> list[Line]:
    given = [c for c in bill.charges if c.item.kind == "medicamento"]
    return [
        Line("Administración", "heading"),
        *(
            Line(f"{c.item.code}   {c.item.name}   {c.qty} unidades, administradas por enfermería según orden médica")
            for c in given
        ),
    ]


def _delivery(bill: Bill) -> list[Line]:
    return [
        Line("Recibido", "heading"),
        *_charges(list(bill.charges)),
        Line("Declaro que recibí los servicios o tecnologías que aquí se relacionan."),
        Line("Firma del usuario: registrada en medio electrónico."),
    ]


def _results(bill: Bill) -> list[Line]:
    exams = [c for c in bill.charges if c.item.kind == "procedimiento"]
    return [
        Line("Resultados", "heading"),
        *(Line(f"{c.item.code}   {c.item.name}: dentro de los valores de referencia.") for c in exams),
        Line("Interpretación: sin hallazgos que cambien la conducta. Validado por el servicio."),
    ]


def _order(bill: Bill) -> list[Line]:
    return [
        Line("Se ordena", "heading"),
        *(Line(f"{c.item.code}   {c.item.name}   cantidad {c.qty}") for c in bill.charges),
        Line(
            f"Justificación: {bill.scenario.dx_name}. El acuerdo con el pagador no exige autorización para este servicio."
        ),
    ]


def _transfer(bill: Bill) -> list[Line]:
    moves = [c for c in bill.charges if c.item.detail == "02"]
    return [
        Line("Traslado", "heading"),
        *(Line(f"{c.item.code}   {c.item.name}   cantidad {c.qty}") for c in moves),
        Line(
            f"Día {bill.start:%d/%m/%Y}. Salida del sitio del evento 06:12, llegada a urgencias 06:31. Móvil DEMO-04."
        ),
        Line("Durante el traslado: consciente, vía venosa permeable, inmovilización completa. Sin novedades."),
    ]


def _procedure_notice(bill: Bill) -> list[Line]:
    return [
        Line("Trámite", "heading"),
        Line(f"El {bill.end:%d/%m/%Y} se envió al pagador el informe de la atención por el canal que este dispuso."),
        Line(f"Número de envío DEMO-{bill.process_id}. Resultado: recibido, sin observaciones."),
    ]


def _charges_sheet(bill: Bill) -> list[Line]:
    return [
        Line("Detalle de cargos", "heading"),
        *_charges(list(bill.charges)),
        Line(f"Total de la factura {bill.number}: {pesos(bill.gross)}", "heading"),
    ]


def _implants(bill: Bill) -> list[Line]:
    material = [c for c in bill.charges if c.item.detail == "01" and "PLACA" in c.item.name]
    return [
        Line("Material de osteosíntesis", "heading"),
        *_charges(material),
        Line(
            "Proveedor: SUMINISTROS LA ROSCA INVENTADA S.A.S. Factura de compra SRI-0451. Lote DEMO-77, vence 12/2031."
        ),
    ]


def _furips(bill: Bill) -> list[Line]:
    accident = bill.start
    insurer = (
        f"Póliza SOAT {bill.policy}" if bill.policy else "Vehículo no identificado: reclamación con cargo a la ADRES"
    )
    return [
        Line("1. Datos de la reclamación", "heading"),
        Line(f"Factura {bill.number}   Valor reclamado {pesos(bill.gross)}   Tipo: cuenta inicial"),
        Line("2. Datos del evento", "heading"),
        Line(f"Naturaleza: accidente de tránsito. Fecha: {accident:%d/%m/%Y}. Hora: 06:05. Zona: urbana."),
        Line(f"Municipio: {bill.provider.place.city}, {bill.provider.place.department}; relato: {bill.scenario.story}"),
        Line("3. Datos del vehículo y del seguro", "heading"),
        Line(f"{insurer}. Placa: DMO99X. Tipo de servicio: particular."),
        Line("4. Amparo que se reclama", "heading"),
        Line(f"Gastos médicos quirúrgicos: facturado {pesos(bill.gross)}, reclamado {pesos(bill.gross)}."),
        Line("5. Declaración de la institución", "heading"),
        Line(
            "La institución declara que prestó los servicios que reclama y que los soportes son copia fiel de su archivo."
        ),
    ]


_BODIES = {
    "HEV": _clinical,
    "EPI": _clinical,
    "HAU": _clinical,
    "PDX": _results,
    "DQX": _surgical,
    "RAN": _anesthesia,
    "CRC": _delivery,
    "FAT": _charges_sheet,
    "FMO": _implants,
    "OPF": _order,
    "HAM": _medication,
    "TAP": _transfer,
    "PDE": _procedure_notice,
    "FURIPS": _furips,
}


def build_support(bill: Bill, sigla: str, person: Person, *, kb: int | None = None) -> bytes:
    """One support as PDF bytes. `kb` pads it to about that many KiB."""
    lines = [
        *_head(bill, person, sigla),
        *_BODIES[sigla](bill),
        Line(""),
        Line(f"Profesional: {bill.doctor[0]}, CC {bill.doctor[1]}. Firmado electrónicamente."),
    ]
    return write_pdf(lines, title=f"{sigla} {bill.number}", when=bill.issued, kb=kb)


def support_files(bill: Bill, *, kb: int | None = None) -> dict[str, bytes]:
    """All supports of the bill: file name → PDF bytes, in the order of the scenario."""
    files = {}
    several = len(bill.patients) > 1
    for sigla in bill.scenario.supports:
        for person in bill.patients if sigla in _PER_PERSON else bill.patients[:1]:
            suffix = f"_{person.doc_type}{person.doc}" if several and sigla in _PER_PERSON else ""
            name = f"{sigla}_{bill.provider.nit}_{bill.number}{suffix}.pdf"
            files[name] = build_support(bill, sigla, person, kb=kb)
    return files
