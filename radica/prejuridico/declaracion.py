"""The technical statement: what made this dossier, who operates it, how evidence arises, and what is not proved.

Invariant: what is not sure is said as unsure, with its mark; nothing is claimed that the bag's own proof does not
show. It holds no present instant: the same facts give the same words. Norms: Ley 527/1999 arts. 8–11, 16–17, 20–24
and 30; CGP arts. 243–247; guideline of the Agencia Nacional de Defensa Jurídica (10 June 2022).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from radica import __version__
from radica.audit.chain import FORMAT_VERSION
from radica.kernel.web_format import fecha, plural
from radica.plazos.calendar import default_calendar
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.contenido import Seccion
from radica.prejuridico.niveles import NIVELES

INTERVALO_SELLO_MIN = 5
"""Minutes between two seals of the heads."""


def redactar(acopio: Acopio, omitidos: Mapping[str, int], *, operador: str) -> tuple[Seccion, ...]:
    """Return the statement. `omitidos`: documents that the track leaves out, by kind; `operador`: who runs the system."""
    return (
        _made(acopio, operador),
        _arises(),
        _levels(acopio),
        _integrity(),
        _unproved(),
        _scope(acopio, omitidos),
        _unsure(),
    )


def _made(acopio: Acopio, operador: str) -> Seccion:
    rows = (
        ("Dato", "Valor"),
        ("Programa", f"radica {__version__}"),
        ("Formato de la historia", f"versión {FORMAT_VERSION[0]}"),
        ("Calendario de días hábiles", default_calendar().version),
        ("Expediente", f"número {acopio.expediente.numero} del prestador, vía {acopio.expediente.via.value}"),
        ("Hechos hasta", fecha(acopio.corte)),
        ("Prestador", f"{acopio.prestador.nombre}, NIT {acopio.prestador.nit}"),
        ("Pagador", f"{acopio.pagador.nombre}, NIT {acopio.pagador.nit}"),
        ("Quién opera el sistema", operador),
        ("Quién ordenó el expediente", acopio.expediente.solicitado_por),
    )
    words = (
        (
            "Este expediente lo armó un programa con los documentos y registros del prestador. Los documentos de custodia "
            "van tal como entraron, byte por byte. Lo que el programa dibujó o transcribió lo dice en sus observaciones."
        ),
    )
    return Seccion("Qué lo hizo y quién lo opera", words, rows)


def _arises() -> Seccion:
    return Seccion(
        "Cómo nace la evidencia",
        (
            "Identificar: cada archivo que entra se reconoce por su contenido, no por su nombre.",
            (
                "Recolectar: un robot entra al portal del pagador con la cuenta del prestador, o una persona registra la "
                "constancia. El robot guarda lo que envió, lo que el portal le mostró y lo que respondió."
            ),
            (
                "Asegurar: los bytes reciben su huella SHA-256 al entrar y se guardan con esa huella por nombre. Lo que "
                "escribe un robot se trata como dato sin confianza hasta que custodia lo sella."
            ),
            (
                "Guardar: nada se reescribe ni se borra. Cada acto agrega un eslabón a la historia de su caso, con la "
                "huella del eslabón anterior y de sus pruebas."
            ),
            (
                "Entregar: este expediente se arma de nuevo igual con los mismos hechos. Cada documento que salió de "
                "custodia quedó anotado en el registro de lecturas, con su finalidad."
            ),
        ),
    )


def _levels(acopio: Acopio) -> Seccion:
    counted = Counter(one.nivel_prueba for one in acopio.facturas)
    rows = tuple((str(one.numero), str(counted[one.numero]), one.hay, one.no_prueba) for one in NIVELES)
    return Seccion(
        "Qué no prueba cada nivel de la radicación",
        ("La escala es del prestador, no de una norma. La fecha que cuenta es la del pagador si se puede leer.",),
        (("Nivel", "Facturas", "Qué hay", "Qué no prueba"), *rows),
    )


def _integrity() -> Seccion:
    return Seccion(
        "Qué prueba la integridad",
        (
            (
                "Las cabezas de las historias y la huella de las listas de este expediente son hojas de un árbol de Merkle "
                "(RFC 6962). Una autoridad de tiempo estampa la raíz (RFC 3161). Con la prueba que va adentro, cualquiera "
                "comprueba sin conexión y sin el prestador que nada cambió desde ese sello."
            ),
            "El programa verificar.py y el archivo LEEME.txt dicen cómo hacerlo, también con sha256sum y openssl.",
            (
                "Un verificador que viene dentro del mismo expediente no prueba nada contra quien hizo el expediente: "
                "use el publicado con el programa y compare la huella de la autoridad por otro medio."
            ),
        ),
    )


def _unproved() -> Seccion:
    return Seccion(
        "Qué no queda probado",
        (
            (
                f"Lo ocurrido entre dos sellos, hasta {INTERVALO_SELLO_MIN} minutos o más si el sistema estuvo detenido, no "
                "tiene prueba de tiempo: hasta el sello siguiente, quien administra la máquina pudo cambiarlo."
            ),
            "Lo que ocurrió antes de que el programa lo guardara: se prueba la huella desde que entró, no su origen.",
            "Que el reloj del prestador estuviera bien: la hora segura es la de la autoridad de tiempo.",
            "Que lo que mostró un portal fuera cierto: se prueba qué mostró, no que el pagador no se equivocara.",
            (
                "Una autoridad de tiempo sin acreditación del ONAC no da el estampado cronológico de la Ley 527 de 1999, "
                "art. 30 num. 5. Su sello vale por su técnica y el juez lo aprecia en conjunto."
            ),
            "Las personas firman con su cuenta del programa, que no es firma digital.",
        ),
    )


def _scope(acopio: Acopio, omitidos: Mapping[str, int]) -> Seccion:
    words = []
    if omitidos:
        told = "; ".join(f"{name.lower()} ({count})" for name, count in sorted(omitidos.items()))
        words.append(f"Por la vía {acopio.expediente.via.value} no se incluyen, y siguen en custodia: {told}.")
    if acopio.expediente.opciones.get("pacientes") is not None:
        words.append(
            "Se dejaron fuera los datos de otros pacientes de facturas con varios (Ley 1581 de 2012). Cada documento "
            "redactado nombra la huella de su original, que sigue en custodia."
        )
    words.append("Lo que falta está declarado en los vacíos: léalos antes de presentar la demanda.")
    return Seccion(f"Qué incluye ({plural(len(acopio.facturas), 'factura', 'facturas')})", tuple(words))


def _unsure() -> Seccion:
    return Seccion(
        "Qué no es seguro",
        (
            (
                "La jurisdicción competente no está unificada, y de ella dependen la vía y la prescripción: lo decide el "
                "abogado."
            ),
            (
                "Qué documentos exige cada despacho para el título complejo varía; la lista de control dice con qué "
                "certeza se conoce cada exigencia (V leída en la norma, V-sec en fuente secundaria, M de memoria)."
            ),
            "Que el sábado no sea hábil es la lectura del programa; ninguna norma de este régimen lo resuelve.",
            "El inicio de los siete días para subsanar tiene dos lecturas y el programa muestra ambas.",
            "El Anexo 1 de la Res. 2284 de 2023 fue sustituido por la Res. 1885 de 2024, que no se ha leído.",
        ),
    )
