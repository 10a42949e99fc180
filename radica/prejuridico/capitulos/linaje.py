"""Page of an envío whose files had to be changed: original hash → operation and program → sent hash, and its proof.

Invariant: there is a page only when something was changed; every change of the dossier's invoices is told, in the
order in which it was made; a change whose text is not proved equal is declared as a gap. Files are named as they are in
custody. Norm: Ley 527 de 1999 arts. 8 and 9 (the original, and integrity but for what transmission adds).
"""

from __future__ import annotations

from collections.abc import Sequence

from radica.kernel.clock import civil_date
from radica.kernel.web_format import fecha_hora
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Libro
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio
from radica.radicacion.package import Operacion

OPERACIONES = {
    Operacion.LIMPIAR.value: "se le quitaron JavaScript y acciones",
    Operacion.COMPRIMIR.value: "se comprimió sin pérdida",
    Operacion.DIVIDIR.value: "se dividió",
    Operacion.UNIR.value: "se unió con otros",
}


def escribir(
    libro: Libro, acopio: Acopio, envio: Envio, *, capitulo: str, lugar: tuple[int, ...], factura: str | None
) -> None:
    """Write the page of an envío, when it has changes, and declare those that are not proved."""
    rows = acopio.linajes.get(envio.id, [])
    if not rows:
        return
    title = f"Cambios de los archivos entregados en el envío {envio.id}"
    libro.generado(
        "linaje", title, _hoja(acopio, title, rows), "application/pdf", creado=civil_date(rows[-1].at), factura=factura,
        capitulo=capitulo, lugar=lugar, caso=envio.case_key, nota="Original, operación y archivo enviado, por su SHA-256.",
    )  # fmt: skip
    numbers = {one.id: one.numero for one in acopio.facturas}
    for one in rows:
        if not one.texto_igual:
            libro.hueco(
                "cambio_sin_prueba",
                capitulo,
                f"El archivo enviado con SHA-256 {one.sha256_enviado} no conserva el texto de su original, "
                f"{one.sha256_original}.",
                "Aporte también el original, que sigue en custodia.",
                factura=numbers[one.factura_id],
            )


def _hoja(acopio: Acopio, title: str, rows: Sequence[Linaje]) -> bytes:
    sheet = Hoja(title, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    sheet.parrafo(
        "Para que el pagador los recibiera hubo que cambiar estos archivos. El original y lo enviado están en custodia: "
        "quien los tenga puede calcular sus huellas y compararlas con estas."
    )
    for invoice in acopio.facturas:
        mine = [one for one in rows if one.factura_id == invoice.id]
        if not mine:
            continue
        names = {doc.sha256: doc.nombre for doc in acopio.documentos.get(invoice.id, ())}
        sheet.seccion(f"Factura {invoice.numero}")
        for one in mine:
            done = OPERACIONES.get(one.operacion, one.operacion)
            part = f", parte {one.orden}" if one.operacion == Operacion.DIVIDIR else ""
            sheet.tabla(
                ("Archivo", "SHA-256", "Páginas"),
                [
                    (
                        f"Original: {names.get(one.sha256_original, 'archivo de un cambio anterior')}",
                        one.sha256_original,
                        str(one.paginas_original),
                    ),
                    (f"Enviado: {done}{part}", one.sha256_enviado, str(one.paginas_enviado)),
                ],
                (4, 6.4, 1.3),
                derecha=(2,),
            )
            same = "El texto es igual, página por página." if one.texto_igual else "El texto NO es igual."
            sheet.parrafo(f"{fecha_hora(one.at)}, con {one.version}. {same}", menor=True, fuerte=not one.texto_igual)
    return sheet.pdf()
