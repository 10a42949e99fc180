"""Chapter *glosas*: each devolución and glosa with its acts, its evidence, and the count of business days, day by day.

Invariant: a term is counted again here with the dated calendar, from the dates of the acts; a payer's file that also
speaks of invoices outside the dossier does not come in: an extract of its rows does, and the original is named by its
hash. Norms: Ley 1438/2011 art. 57; Res. 2284/2023 art. 6; Ley 4/1913 art. 62; Ley 1581/2012 art. 4.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from radica.conciliacion.acta_pdf import AUTORES, TIPOS
from radica.facturas.models import Factura
from radica.glosas.clocks import Conteo, count_proof
from radica.glosas.models import Acto, Devolucion, Glosa, LineaNotificada, Notificacion
from radica.kernel.clock import civil_date
from radica.kernel.money import format_cop, plain
from radica.kernel.web_format import fecha, fecha_hora
from radica.plazos.calendar import OutOfCalendar
from radica.plazos.terms import version_for
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Libro

_WEEKDAYS = ("lun", "mar", "mié", "jue", "vie", "sáb", "dom")
_HIDDEN = "(de otro paciente: se omite)"


@dataclass(frozen=True)
class Computo:
    """One count: the term, the act from which it runs and the act that ended it, and whether it was kept."""

    termino: str
    desde: date
    hasta: date
    vence: str
    oportuno: bool | None
    actos: tuple[str, ...]  # what it was counted for


def escribir(libro: Libro, acopio: Acopio) -> None:
    """Write the chapter."""
    for invoice in acopio.facturas:
        _invoice(libro, acopio, invoice)
    for notice in acopio.notificaciones:
        _notice(libro, acopio, notice)
    for mail in acopio.correos:
        notices = [one for one in acopio.notificaciones if one.correo_id == mail.id]
        if not any(one.id in acopio.notificaciones_ajenas for one in notices) and not _narrow(acopio):
            libro.guardado(
                "correo_pagador", f"Correo del pagador {mail.id}", mail.sha256, mail.bytes, "message/rfc822",
                creado=civil_date(mail.llegada_at), incorporado=civil_date(mail.leido_at), caso=f"correo:{mail.id}",
                nombre="correo.eml", salud=True, lugar=(2,),
                nota=f"Recibido el {fecha_hora(mail.llegada_at)} según el servidor.",
            )  # fmt: skip
        else:
            libro.hueco(
                "correo_reservado", "glosas",
                f"Un correo del pagador del {fecha(mail.llegada_at)} habla también de facturas o pacientes ajenos al "
                f"expediente y no se incluye; sigue en custodia, SHA-256 {mail.sha256}.",
                "Si el juez lo pide, entréguelo en cuaderno reservado.",
            )  # fmt: skip


def _narrow(acopio: Acopio) -> bool:
    return acopio.expediente.opciones.get("pacientes") is not None


def _invoice(libro: Libro, acopio: Acopio, invoice: Factura) -> None:
    objections: list[Devolucion | Glosa] = [
        *acopio.devoluciones.get(invoice.id, ()),
        *acopio.glosas.get(invoice.id, ()),
    ]
    if not objections:
        return
    acts = acopio.actos.get(invoice.id, [])
    libro.generado(
        "relacion_actos", f"Relación de actos de la factura {invoice.numero}",
        _relation(acopio, invoice, objections, acts), "application/pdf", factura=invoice.numero, salud=True,
        redactado=_narrow(acopio), caso=invoice.case_key,
    )  # fmt: skip
    counts = computos(acts)
    if counts:
        libro.generado(
            "computo", f"Cómputo de términos de la factura {invoice.numero}", _counts(acopio, invoice, counts),
            "application/pdf", factura=invoice.numero, caso=invoice.case_key,
        )  # fmt: skip
        libro.generado(
            "computo_csv", f"Cómputo de términos de la factura {invoice.numero} (datos)", _counts_csv(counts),
            "text/csv", factura=invoice.numero, caso=invoice.case_key,
        )  # fmt: skip
    _evidence(libro, acopio, invoice, acts)


def computos(acts: Iterable[Acto]) -> list[Computo]:
    """Return the counts that the acts rest on, each once, with the acts for which it was made; oldest first."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for act in acts:
        term = act.plazo
        if not {"termino", "desde", "hasta"} <= set(term):
            continue
        key = (str(term["termino"]), str(term["desde"]), str(term["hasta"]))
        row = found.setdefault(key, {**term, "actos": {}})
        row["actos"][f"{TIPOS.get(act.tipo, act.tipo)} {act.codigo or ''}".strip()] = None
    made = [
        Computo(
            key[0],
            date.fromisoformat(key[1]),
            date.fromisoformat(key[2]),
            str(row.get("vence_alterno") or row.get("vence") or ""),
            row.get("oportuno"),
            tuple(row["actos"]),
        )
        for key, row in found.items()
    ]
    return sorted((one for one in made if one.desde <= one.hasta), key=lambda one: (one.desde, one.hasta, one.termino))


def _counted(one: Computo) -> Conteo | None:
    try:
        return count_proof(one.desde, one.hasta)
    except OutOfCalendar:
        return None


def _norm(one: Computo) -> str:
    term = version_for(one.termino, one.desde)
    return f"{term.norma}, art. {term.articulo}" if term is not None else "sin norma vigente en la tabla"


def _counts(acopio: Acopio, invoice: Factura, counts: list[Computo]) -> bytes:
    name = f"Cómputo de términos de la factura {invoice.numero}"
    sheet = Hoja(name, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    sheet.parrafo(
        "Cada término se cuenta en días hábiles desde el día siguiente al acto (Ley 4/1913 art. 62). El sábado no se "
        "cuenta: ninguna norma de este régimen lo resuelve y así se advierte.",
        menor=True,
    )
    for one in counts:
        verdict = {True: "dentro del término", False: "FUERA DEL TÉRMINO", None: "la norma no da término"}[one.oportuno]
        sheet.seccion(f"{one.termino}: del {fecha(one.desde)} al {fecha(one.hasta)}, {verdict}")
        limit = f" Último día: {fecha(date.fromisoformat(one.vence))}." if one.vence else ""
        sheet.parrafo(f"{_norm(one)}.{limit} Para: {', '.join(one.actos)}.")
        counted = _counted(one)
        if counted is None:
            sheet.parrafo("El calendario no cubre estas fechas: no se contó día por día.")
            continue
        rows = [
            (f"{_WEEKDAYS[each.day.weekday()]} {fecha(each.day)}", str(each.number or "—"), each.reason)
            for each in counted.dias
        ]
        sheet.tabla(("Día", "Cuenta", "Por qué no cuenta"), rows, (3, 1.2, 7), derecha=(1,))
        sheet.parrafo(f"{counted.habiles} días hábiles, con el calendario {counted.calendario}.", menor=True)
    return sheet.pdf()


def _counts_csv(counts: list[Computo]) -> bytes:
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["termino", "desde", "hasta", "vence", "oportuno", "dia", "numero", "motivo", "calendario"])
    words = {True: "si", False: "no", None: ""}
    for one in counts:
        counted = _counted(one)
        base = [one.termino, one.desde.isoformat(), one.hasta.isoformat(), one.vence, words[one.oportuno]]
        for each in counted.dias if counted else ():
            rows.writerow(
                [*base, each.day.isoformat(), each.number or "", each.reason, counted.calendario if counted else ""]
            )
    return out.getvalue().encode("utf-8-sig")


def _relation(acopio: Acopio, invoice: Factura, objections: list[Devolucion | Glosa], acts: list[Acto]) -> bytes:
    name = f"Relación de actos de la factura {invoice.numero}"
    sheet = Hoja(name, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    filed = f"Radicada el {fecha_hora(invoice.fecha_radicacion)}, número {invoice.radicado or 'sin número'}."
    sheet.parrafo(f"Valor de la factura {format_cop(invoice.valor or 0)}. {filed}")
    narrow = acopio.pacientes(invoice.id) is not None
    for thing in objections:
        is_glosa = isinstance(thing, Glosa)
        label = thing.MACHINE.labels[thing.estado]
        sheet.seccion(f"{'Glosa' if is_glosa else 'Devolución'} {thing.codigo} por {format_cop(thing.valor)}: {label}")
        if isinstance(thing, Glosa):
            sheet.parrafo(
                f"Aceptado {format_cop(thing.aceptado)}, levantado {format_cop(thing.levantado)}, en disputa "
                f"{format_cop(thing.en_disputa)}. Código del pagador: {thing.codigo_original}."
            )
        if thing.motivo:
            sheet.parrafo(f"Motivo del pagador: {_HIDDEN if narrow else thing.motivo}")
        mine = [one for one in acts if (one.glosa_id if is_glosa else one.devolucion_id) == thing.id]
        rows = [_act_row(one) for one in sorted(mine, key=lambda one: (one.ocurrido_at, one.id))]
        if rows:
            sheet.tabla(
                ("Fecha", "Acto", "Quién", "Días", "Término", "Prueba (SHA-256)"),
                rows,
                (2.4, 2.6, 1.5, 0.8, 2.6, 5),
                derecha=(3,),
            )
        answers = [
            one for one in acopio.respuestas.get(invoice.id, ())
            if (one.glosa_id if is_glosa else one.devolucion_id) == thing.id and one.presentada_at is not None
        ]  # fmt: skip
        for answer in answers:
            words = _HIDDEN if narrow else (answer.texto or "(sin texto)")
            sheet.parrafo(f"Respuesta {answer.codigo}, {fecha(answer.presentada_at)}: {words}")
    return sheet.pdf()


def _act_row(act: Acto) -> tuple[str, ...]:
    term = act.plazo
    kept = {True: "oportuno", False: "fuera de término", None: "sin término legal"}
    said = f"{term['termino']}, {kept[term.get('oportuno')]}" if term.get("termino") else "—"
    money = "".join(
        f"; {word} {format_cop(value)}"
        for word, value in (("acepta", act.aceptado), ("levanta", act.levantado))
        if value
    )
    what = f"{TIPOS.get(act.tipo, act.tipo)} {act.codigo or ''}{money}".strip()
    days = str(term.get("dias")) if term.get("dias") is not None else ""
    return (
        fecha_hora(act.ocurrido_at),
        what,
        AUTORES.get(act.autor, act.autor),
        days,
        said,
        " ".join(act.evidencia) or "sin archivo",
    )


def _evidence(libro: Libro, acopio: Acopio, invoice: Factura, acts: list[Acto]) -> None:
    """Add the pieces that the acts name and that no envío of ours already brought, and say which name none."""
    narrow = acopio.pacientes(invoice.id) is not None
    notices = {one.sha256 for one in acopio.notificaciones} | {one.sha256 for one in acopio.correos}
    bare = []
    for act in sorted(acts, key=lambda one: (one.ocurrido_at, one.id)):
        if not act.evidencia and act.autor != "reloj":
            bare.append(act)
        for sha in act.evidencia:
            if sha in notices or libro.tiene("glosas", sha) or libro.tiene("radicacion", sha):
                continue
            piece = acopio.por_huella.get(sha)
            if piece is None:
                libro.hueco(
                    "prueba_sin_archivo", "glosas",
                    f"Un acto de la factura {invoice.numero} del {fecha(act.ocurrido_at)} nombra una prueba de SHA-256 "
                    f"{sha} que no está entre las piezas del prestador.", "Búsquela y regístrela.",
                    factura=invoice.numero,
                )  # fmt: skip
                continue
            if narrow:
                libro.hueco(
                    "prueba_reservada", "glosas",
                    f"La prueba de un acto de la factura {invoice.numero} (SHA-256 {sha}) puede nombrar a otros "
                    "pacientes y no se incluye; sigue en custodia.",
                    "Si el juez la pide, entréguela en cuaderno reservado.", factura=invoice.numero,
                )  # fmt: skip
                continue
            libro.pieza(
                "prueba_acto", f"{TIPOS.get(act.tipo, act.tipo)} {act.codigo or ''}: prueba".strip(), piece,
                creado=civil_date(act.ocurrido_at), factura=invoice.numero, salud=True, lugar=(4,),
                digitalizado=piece.media_type in ("image/png", "image/jpeg"),
            )  # fmt: skip
    if bare:
        libro.hueco(
            "acto_sin_prueba", "glosas",
            f"De la factura {invoice.numero}, {len(bare)} actos no tienen un archivo que los pruebe.",
            "Agregue la constancia de cada acto.", factura=invoice.numero,
        )  # fmt: skip


def _notice(libro: Libro, acopio: Acopio, notice: Notificacion) -> None:
    """Add the payer's notice, or an extract of its rows when it speaks of others."""
    numbers = {one.id: one.numero for one in acopio.facturas}
    lines = acopio.lineas_notificadas.get(notice.id, [])
    invoices = sorted({numbers[one.factura_id] for one in lines if one.factura_id in numbers})
    one_invoice = invoices[0] if len(invoices) == 1 else None
    arrived = f"Recibida el {fecha_hora(notice.recibida_at)}, según {notice.recibida_segun}."
    if notice.id not in acopio.notificaciones_ajenas and not _narrow(acopio):
        libro.guardado(
            "notificacion", f"Notificación del pagador {notice.id}", notice.sha256,
            acopio.tamanos.get(notice.sha256, 0), _media(notice), creado=civil_date(notice.recibida_at),
            incorporado=civil_date(notice.cargada_at), caso=f"notificacion:{notice.id}", nombre=notice.nombre,
            factura=one_invoice, salud=True, nota=arrived, lugar=(1,),
        )  # fmt: skip
        return
    libro.generado(
        "extracto", f"Extracto de la notificación {notice.id}", _extract(acopio, notice, lines), "application/pdf",
        creado=civil_date(notice.recibida_at), factura=one_invoice, salud=True, redactado=True, lugar=(1,),
        caso=f"notificacion:{notice.id}",
        nota=f"{arrived} El original habla de otras facturas o pacientes y sigue en custodia, SHA-256 {notice.sha256}.",
    )  # fmt: skip
    libro.hueco(
        "notificacion_en_extracto", "glosas",
        f"La notificación {notice.id} del pagador va en extracto: el archivo habla de facturas o pacientes ajenos al "
        f"expediente. El original sigue en custodia, SHA-256 {notice.sha256}.",
        "Si el juez lo pide, entréguelo en cuaderno reservado.", factura=one_invoice,
    )  # fmt: skip


def _media(notice: Notificacion) -> str:
    name = (notice.parte or notice.nombre).lower()
    known = {
        ".pdf": "application/pdf",
        ".csv": "text/csv",
        ".txt": "text/plain",
        ".json": "application/json",
        ".xml": "application/xml",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".html": "text/html",
    }
    return next((kind for suffix, kind in known.items() if name.endswith(suffix)), "application/octet-stream")


def _extract(acopio: Acopio, notice: Notificacion, lines: list[LineaNotificada]) -> bytes:
    sheet = Hoja(
        f"Extracto de la notificación {notice.id}",
        encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}",
        autor=acopio.autor,
    )
    sheet.parrafo(
        "Filas de un archivo del pagador que hablan de las facturas de este expediente, transcritas por el prestador. "
        "Lo demás del archivo trata de otras facturas o pacientes. Huella SHA-256 del original, en custodia:"
    )
    sheet.huella(notice.sha256)
    sheet.parrafo(f"Recibido el {fecha_hora(notice.recibida_at)}, según {notice.recibida_segun}.")
    narrow = _narrow(acopio)
    rows = [
        (
            f"{one.hoja} {one.fila}".strip(),
            str(one.contenido.get("factura", "")),
            str(one.contenido.get("codigo_original", "")),
            str(one.contenido.get("servicio") or ""),
            plain(one.valor),
            _HIDDEN if narrow else str(one.contenido.get("motivo") or ""),
        )
        for one in sorted(lines, key=lambda row: (row.hoja, row.fila, row.id))
    ]
    sheet.tabla(
        ("Fila", "Factura", "Código", "Servicio", "Valor", "Motivo"), rows, (1.3, 2, 1.4, 2, 1.8, 5), derecha=(4,)
    )
    return sheet.pdf()
