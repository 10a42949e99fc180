"""Chapter *radicación*: each envío with its evidence, its proof level, what that proves, and what it does not prove.

Invariant: the level is the one that the sealed evidence gave when the payer's answer was settled; below 2 the dossier
says that the filing is not proved. The evidence of our answers to glosas goes to the chapter of glosas, in the same
form. Norms: Res. 948/2026 art. 15; Ley 527/1999 arts. 12–13 and 20–24.
"""

from __future__ import annotations

from collections.abc import Iterable

from radica.custodia.models import Pieza
from radica.kernel.clock import civil_date
from radica.kernel.web_format import fecha_hora
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.capitulos import linaje
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Libro
from radica.prejuridico.niveles import nivel
from radica.prejuridico.tabla import clase_de_pieza, clases
from radica.radicacion.models import Envio
from radica.radicacion.states import MACHINE, Acto, EstadoEnvio

NOMBRES = {
    Acto.RADICACION: "Radicación",
    Acto.RESPUESTA_GLOSA: "Respuesta a glosas",
    Acto.RESPUESTA_DEVOLUCION: "Respuesta a devolución",
}
_DRAWN_LEVEL = 2
_NAMELESS = frozenset({"acuse", "radicado"})
"""What stays when only one patient may be named: it is of the invoice; what was sent names files and people."""
_SCANNED = frozenset({"image/png", "image/jpeg"})
_DEAD = frozenset({EstadoEnvio.CANCELADO})


def escribir(libro: Libro, acopio: Acopio) -> None:
    """Write the evidence of every envío, and declare the invoices whose filing it does not prove."""
    numbers = {one.id: one.numero for one in acopio.facturas}
    for envio in acopio.envios:
        if envio.estado in _DEAD:
            continue
        mine = [numbers[one.factura_id] for one in acopio.lineas_envio.get(envio.id, ()) if one.factura_id in numbers]
        if mine:
            _envio(libro, acopio, envio, mine)
    for invoice in acopio.facturas:
        if invoice.nivel_prueba < _DRAWN_LEVEL:
            step = nivel(invoice.nivel_prueba)
            libro.hueco(
                "prueba_debil",
                "radicacion",
                f"La radicación de la factura {invoice.numero} tiene prueba de nivel {step.numero}: {step.hay} No "
                f"prueba: {step.no_prueba}",
                "Consiga del pagador el número o la constancia de radicación y regístrela.",
                factura=invoice.numero,
            )


def _envio(libro: Libro, acopio: Acopio, envio: Envio, numbers: list[str]) -> None:
    chapter = "radicacion" if envio.acto is Acto.RADICACION else "glosas"
    # An envío of several invoices is told once, before them.
    invoice = numbers[0] if len(numbers) == 1 else None
    pieces = sorted(acopio.piezas.get(envio.case_key, []), key=lambda one: (one.sellada_at, one.id))
    day = civil_date(envio.fecha_radicacion or envio.creado_at)
    base: tuple[int, ...] = (3, envio.ronda, envio.id) if chapter == "glosas" else (0, envio.id)
    narrow = acopio.expediente.opciones.get("pacientes") is not None
    libro.generado(
        "constancia_envio", f"{NOMBRES[envio.acto]}: constancia del envío {envio.id}",
        _sheet(acopio, envio, pieces), "application/pdf", creado=day, factura=invoice, capitulo=chapter,
        lugar=base, caso=envio.case_key, nota=f"Nivel de prueba {envio.nivel_prueba} de 4.",
    )  # fmt: skip
    linaje.escribir(libro, acopio, envio, capitulo=chapter, lugar=base, factura=invoice)
    for piece in _once(pieces):
        kind = clase_de_pieza(piece.clase)
        if narrow and kind not in _NAMELESS:
            libro.hueco(
                "evidencia_reservada", chapter,
                f"«{clases()[kind].tipologia}» del envío {envio.id} puede nombrar a otros pacientes y no se incluye; sigue "
                f"en custodia, SHA-256 {piece.sha256}.",
                "Si el juez lo pide, entréguelo en cuaderno reservado.", factura=invoice,
            )  # fmt: skip
            continue
        name = f"{clases()[kind].tipologia}, envío {envio.id}"
        if piece.group_key.startswith("lectura:"):
            name = f"Consulta posterior en el portal, envío {envio.id}"
        libro.pieza(
            kind, name, piece, factura=invoice, capitulo=chapter, lugar=base,
            nota=f"{piece.nota}".strip()[:200], salud=kind in ("formulario", "manifiesto"),
            digitalizado=piece.media_type in _SCANNED and piece.origen == "persona",
        )  # fmt: skip
    if not pieces and envio.estado is not EstadoEnvio.PREPARADO:
        libro.hueco(
            "envio_sin_evidencia", chapter, f"El envío {envio.id} ({NOMBRES[envio.acto].lower()}) no tiene evidencia "
            "sellada.", "Registre la constancia del pagador en el envío.", factura=invoice,
        )  # fmt: skip


def _once(pieces: Iterable[Pieza]) -> list[Pieza]:
    """Return the pieces whose bytes did not come before."""
    return list({piece.sha256: piece for piece in reversed(list(pieces))}.values())[::-1]


def _sheet(acopio: Acopio, envio: Envio, pieces: list[Pieza]) -> bytes:
    """Draw what the filing was, what its level proves and what it does not prove, and its evidence with hashes."""
    name = f"{NOMBRES[envio.acto]}: constancia del envío {envio.id}"
    sheet = Hoja(name, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    step = nivel(envio.nivel_prueba)
    names = {one.id: one.numero for one in acopio.facturas}
    lines = acopio.lineas_envio.get(envio.id, [])
    others = sum(one.factura_id not in names for one in lines)
    invoices = ", ".join(names[one.factura_id] for one in lines if one.factura_id in names)
    if others:
        invoices += f" y {others} que no son de este expediente"
    facts = [
        ("Estado", MACHINE.labels[envio.estado]),
        ("Facturas", invoices),
        ("Ronda", str(envio.ronda)),
        ("Canal", "robot en el portal del pagador" if envio.canal == "bot" else "una persona"),
        ("Número de radicación", envio.radicado or "no lo hay"),
        ("Fecha de radicación", fecha_hora(envio.fecha_radicacion)),
    ]
    if envio.motivo_rechazo:
        facts.append(("Motivo del rechazo", envio.motivo_rechazo))
    sheet.tabla(("Dato", "Valor"), facts, (3, 9))
    sheet.seccion(f"Nivel de prueba {step.numero} de 4")
    sheet.parrafo(f"Qué hay: {step.hay}")
    sheet.parrafo(f"Qué prueba: {step.prueba}")
    sheet.parrafo(f"Qué no prueba: {step.no_prueba}", fuerte=True)
    sheet.parrafo("La escala de 0 a 4 es del prestador, no de una norma.", menor=True)
    _attempts(sheet, acopio, envio)
    if pieces:
        sheet.seccion("Evidencia sellada")
        rows = [(piece.nombre, fecha_hora(piece.sellada_at), piece.sha256) for piece in pieces]
        sheet.tabla(("Archivo", "Sellado", "SHA-256"), rows, (3, 2.2, 6))
    return sheet.pdf()


def _attempts(sheet: Hoja, acopio: Acopio, envio: Envio) -> None:
    rows = []
    for one in acopio.intentos.get(envio.id, ()):
        rows.append((f"Intento {one.numero}", fecha_hora(one.iniciado_at), str(one.estado), one.resultado or "—"))
        rows += [
            ("Consulta posterior", fecha_hora(read.at), read.resultado, read.radicado or "—")
            for read in acopio.lecturas.get(one.id, ())
        ]
    if rows:
        sheet.seccion("Intentos y consultas")
        sheet.tabla(("Qué", "Cuándo", "Estado", "Resultado"), rows, (3, 3, 3, 3))
