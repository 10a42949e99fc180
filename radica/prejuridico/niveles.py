"""What each proof level of a filing proves, and what it does not prove; in words for a judge. Pure.

Invariant: the scale is the house's own (0 to 4), and says so; nothing here claims more than the sealed evidence shows.
Norms: Ley 527/1999 arts. 16–17 (attribution) and 20–24 (acknowledgement of receipt); Res. 948/2026 art. 15.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Nivel:
    """One level: what there is, what it proves, what it does not prove."""

    numero: int
    hay: str
    prueba: str
    no_prueba: str


NIVELES = (
    Nivel(
        0,
        "Sólo el registro propio de lo que se envió.",
        "Qué archivos preparó el prestador y cuándo dice haberlos enviado.",
        "Que el pagador los recibió, ni que les dio número.",
    ),
    Nivel(
        1,
        "Un texto en el portal del pagador, sin número estable.",
        "Que el portal del pagador mostró que conoce la factura.",
        "La fecha exacta de recibo, el número único de radicación ni el contenido recibido.",
    ),
    Nivel(
        2,
        "Un número en pantalla, capturado con la página y la respuesta del portal.",
        "Que el portal del pagador mostró ese número para esa factura en el momento de la captura.",
        "Un documento emitido por el pagador: la captura la hizo el prestador con su programa.",
    ),
    Nivel(
        3,
        "Un documento o correo emitido por el pagador, atado al número y a la factura.",
        "Que el pagador emitió constancia de recibo con ese número.",
        "Que el pagador abrió o revisó cada archivo; si el documento no tiene firma verificable, su autoría es discutible.",
    ),
    Nivel(
        4,
        "El número confirmado por una segunda lectura, posterior e independiente.",
        "Que el número seguía registrado en el sistema del pagador en una consulta posterior.",
        "Que el sistema del pagador no cambie después; la lectura la hizo el prestador.",
    ),
)


def nivel(numero: int) -> Nivel:
    """Return a level of the scale; what lies outside reads as level 0."""
    return NIVELES[numero] if 0 <= numero < len(NIVELES) else NIVELES[0]
