"""Findings of the checks before filing: what is wrong, where, and what to do.

Invariant: every code stands once in `CATALOGO` with its severity, its norm and its words for a biller; a finding never
quotes a patient. What blocks is what would make the filing void or surely returned; where the norm is not certain the
finding is a notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severidad(StrEnum):
    """Weight of a finding."""

    BLOQUEO = "bloqueo"
    AVISO = "aviso"
    INFO = "info"


_ORDER = {Severidad.BLOQUEO: 0, Severidad.AVISO: 1, Severidad.INFO: 2}


@dataclass(frozen=True)
class Hallazgo:
    """One finding. `lugar` says where in the documents, in words of the format."""

    codigo: str
    severidad: Severidad
    lugar: str
    mensaje: str
    que_hacer: str
    norma: str


@dataclass(frozen=True)
class Regla:
    """A kind of finding; `mensaje` and `que_hacer` are templates of `str.format`."""

    severidad: Severidad
    mensaje: str
    que_hacer: str
    norma: str


B, A, N = Severidad.BLOQUEO, Severidad.AVISO, Severidad.INFO
_R948, _A19 = "Res. 948 de 2026", "Anexo técnico DIAN 1.9"

CATALOGO: dict[str, Regla] = {
    "FEV-FALTA": Regla(
        B, "No se ha cargado la factura electrónica (XML).", "Cargue el AttachedDocument de la DIAN.", f"{_R948} art. 3"
    ),
    "FEV-SIN-CONTENEDOR": Regla(
        A,
        "La factura llegó sin su contenedor AttachedDocument.",
        "Pida al proveedor tecnológico el XML que une la factura y la respuesta de la DIAN: el pagador lo exige.",
        _A19,
    ),
    "FEV-SIN-VALIDAR": Regla(
        B,
        "No consta que la DIAN haya validado la factura (respuesta 02).",
        "Cargue el AttachedDocument con la respuesta de la DIAN, o la respuesta aparte.",
        f"{_R948} art. 15",
    ),
    "FEV-RECHAZADA": Regla(
        B,
        "La DIAN respondió {codigo}: la factura no está validada.",
        "Corrija y vuelva a emitir la factura.",
        f"{_R948} art. 15",
    ),
    "FEV-CLASE": Regla(
        B, "El documento principal es una nota, no una factura.", "Radique la nota con su factura.", f"{_R948} art. 3"
    ),
    "FEV-CONTENEDOR-OTRO": Regla(
        A,
        "El contenedor dice ser de {contenedor} y trae la factura {numero}.",
        "Pida al proveedor tecnológico el contenedor correcto.",
        _A19,
    ),
    "FEV-PRUEBAS": Regla(
        A,
        "La factura es del ambiente de pruebas de la DIAN.",
        "Compruebe que no sea un ensayo: una factura de pruebas no se cobra.",
        _A19,
    ),
    "FEV-PAGADOR-PERSONA": Regla(
        B,
        "La factura está a nombre de una persona o con un documento que no es NIT; no se radica ante un pagador.",
        "Compruebe el adquiriente de la factura.",
        f"{_R948}, documento técnico 2",
    ),
    "FEV-OPERACION": Regla(
        A,
        "El tipo de operación de la factura es {operacion}, que no es del sector salud (SS-…).",
        "Compruebe que sea una factura de servicios de salud.",
        f"{_R948}, documento técnico 2",
    ),
    "FEV-CAMPO": Regla(B, "La factura no dice {campo}.", "Pida el XML completo al proveedor tecnológico.", _A19),
    "NIT-DV-EMISOR": Regla(
        B,
        "El dígito de verificación del prestador es {dv} y al NIT {nit} le corresponde {correcto}.",
        "Revise el NIT del emisor y vuelva a emitir la factura.",
        "E.T. art. 555-1",
    ),
    "NIT-DV-PAGADOR": Regla(
        A,
        "El dígito de verificación del pagador es {dv} y al NIT {nit} le corresponde {correcto}.",
        "Compruebe que la factura sí sea para ese pagador.",
        "E.T. art. 555-1",
    ),
    "CUFE-FORMA": Regla(
        B,
        "El CUFE no tiene la forma debida (96 cifras hexadecimales).",
        "Pida el XML original al proveedor tecnológico: este fue alterado.",
        f"{_A19} num. 11",
    ),
    "CUFE-INCOHERENTE": Regla(
        B,
        "El CUFE no es el mismo en toda la factura (código QR, contenedor o respuesta de la DIAN).",
        "Pida el XML original al proveedor tecnológico: este mezcla documentos.",
        f"{_A19} num. 11",
    ),
    "CUFE-VALOR": Regla(
        B,
        "El CUFE no corresponde a los datos de la factura con la clave técnica de la resolución.",
        "Compruebe la clave técnica; si es la correcta, el XML fue alterado: pida el original.",
        f"{_A19} num. 11",
    ),
    "CUFE-SIN-CLAVE": Regla(
        N,
        "El CUFE tiene la forma debida; su valor no se pudo comprobar sin la clave técnica.",
        "Registre la clave técnica de la resolución de numeración para comprobarlo.",
        f"{_A19} num. 11",
    ),
    "SUMA-LINEAS": Regla(
        B,
        "Las líneas suman {suma} y la factura dice {total} (diferencia {diferencia}).",
        "Pida el XML original o vuelva a emitir la factura.",
        _A19,
    ),
    "RIPS-FALTA": Regla(B, "No se ha cargado el RIPS (JSON).", "Cargue el RIPS de esta factura.", f"{_R948} art. 3"),
    "RIPS-SIN-SERVICIOS": Regla(
        B, "El RIPS no trae ningún servicio.", "Genere de nuevo el RIPS.", f"{_R948}, regla RVG03"
    ),
    "RIPS-ILEGIBLE": Regla(
        B,
        "El RIPS trae valores que no son números, por ejemplo en {lugares}.",
        "Genere de nuevo el RIPS.",
        f"{_R948}, regla RVG04",
    ),
    "RIPS-TOTAL": Regla(
        B,
        "Los servicios del RIPS suman {rips} y la factura dice {fev} (diferencia {diferencia}).",
        "Iguale el valor bruto de la factura (antes de copagos) con la suma de los servicios.",
        f"{_R948}, regla RVG08",
    ),
    "RIPS-MODERADOR": Regla(
        B,
        "Los pagos del usuario suman {rips} en el RIPS y {fev} en la factura (diferencia {diferencia}).",
        "Iguale copagos y cuotas moderadoras en los dos documentos.",
        f"{_R948}, regla RVG09",
    ),
    "RIPS-NUMERO": Regla(
        B, "El RIPS es de la factura {rips} y esta es la {fev}.", "Cargue el RIPS de esta factura.", f"{_R948}, RVG02"
    ),
    "RIPS-NUMERO-SIN-PREFIJO": Regla(
        A,
        "El RIPS trae el número {rips} sin el prefijo de la factura {fev}.",
        "Genere el RIPS con el número completo: hay pagadores que lo devuelven.",
        f"{_R948}, RVG02",
    ),
    "RIPS-NIT": Regla(
        B,
        "El RIPS es del NIT {rips} y la factura del NIT {fev}.",
        "Cargue el RIPS del mismo prestador.",
        f"{_R948}, regla RVC001",
    ),
    "CUV-FALTA": Regla(
        B,
        "No se ha cargado el CUV: sin él, el pagador no puede recibir la factura.",
        "Valide el RIPS y la factura en el MUV y cargue el resultado.",
        f"{_R948} art. 3 num. 1",
    ),
    "CUV-RECHAZADO": Regla(
        B,
        "El MUV rechazó el paquete: {reglas}.",
        "Corrija lo que dice el resultado y valide de nuevo.",
        f"{_R948} art. 3 num. 1",
    ),
    "CUV-NUMERO": Regla(
        B, "El CUV es de {cuv} y la factura es la {fev}.", "Cargue el CUV de esta factura.", f"{_R948} art. 3 num. 1"
    ),
    "CUV-NUMERO-SIN-PREFIJO": Regla(
        A,
        "El CUV trae el número {cuv} sin el prefijo de la factura {fev}.",
        "Compruebe que el CUV sea de esta factura.",
        f"{_R948} art. 3 num. 1",
    ),
    "CUV-REPETIDO": Regla(
        B, "La factura {otra} ya tiene este mismo CUV.", "Cargue el CUV de esta factura.", f"{_R948} art. 3 num. 1"
    ),
    "CUV-OTROS-DOCUMENTOS": Regla(
        A,
        "El CUV se obtuvo con otro RIPS u otro XML: los documentos de la factura cambiaron después de validarla.",
        "Radique los que se validaron: el pagador compara lo que recibe con lo que tiene el Ministerio.",
        f"{_R948} art. 3 num. 1",
    ),
    "CUV-SIN-NUMERO": Regla(
        A,
        "El resultado del MUV no dice de qué factura es.",
        "Compruebe que el CUV sea de esta factura.",
        f"{_R948} art. 3 num. 1",
    ),
    "CUV-NIT": Regla(
        B, "El CUV es del NIT {cuv} y la factura del NIT {fev}.", "Cargue el CUV de esta factura.", f"{_R948} art. 3"
    ),
    "CUV-VALOR": Regla(
        A,
        "El MUV registró {cuv} y la factura dice {fev}.",
        "Compruebe que el CUV sea de esta versión de la factura.",
        f"{_R948} art. 3",
    ),
    "CUV-PRUEBAS": Regla(
        A,
        "El CUV es del ambiente de pruebas del MUV ({ambiente}).",
        "Valide en producción antes de radicar.",
        f"{_R948} art. 3",
    ),
    "CUV-NOTIFICACIONES": Regla(
        N,
        "El MUV aprobó con notificaciones: {reglas}.",
        "Corríjalas en las próximas facturas: algunas pasan a ser rechazo.",
        f"{_R948}, documento técnico 1",
    ),
    "SOPORTES-NINGUNO": Regla(
        B,
        "No se ha cargado ningún soporte y el RIPS trae servicios que lo exigen.",
        "Cargue los soportes en PDF, o registre en el contrato que no se pactaron.",
        "Res. 2284 de 2023 art. 3",
    ),
    "SOPORTE-FALTA": Regla(
        A,
        "{servicio}: falta {siglas}.",
        "Cargue el soporte si el acuerdo con el pagador lo exige.",
        "Res. 2284 de 2023, anexo 1 (sustituido por la Res. 1885 de 2024)",
    ),
    "SOPORTE-CONDICIONAL": Regla(
        N,
        "{servicio}: podría hacer falta {siglas}.",
        "Inclúyalo si hubo esa condición.",
        "Res. 2284 de 2023, anexo 1 (sustituido por la Res. 1885 de 2024)",
    ),
    "SOPORTE-OTRO": Regla(
        A,
        "El soporte {nombre} dice ser de otra factura o prestador.",
        "Compruebe que corresponda y corrija su nombre.",
        "Res. 2284 de 2023, anexo 2",
    ),
    "SOAT-SIN-FURIPS": Regla(
        A,
        "La reclamación va a {pagador} y no trae FURIPS.",
        "Cargue el FURIPS en PDF.",
        "Reclamaciones SOAT y ADRES",
    ),
    "RECHAZO-SIN-CORREGIR": Regla(
        B,
        "El pagador rechazó el envío anterior y no se ha cargado nada desde entonces.",
        "Corrija lo que dijo el pagador y cargue el documento, o decida radicarla igual con un motivo.",
        f"{_R948} art. 15",
    ),
    "RAD01-VENCIDO": Regla(
        B,
        "Venció el término de 22 días hábiles para radicar{cuando}.",
        "Anule la factura y vuelva a emitirla, o radique fuera de término con un motivo y el rol que lo permite.",
        f"{_R948} art. 15 par. 1",
    ),
    "RAD01-AUTORIZADO": Regla(
        A,
        "El término de 22 días hábiles venció{cuando}; una persona autorizó radicar así.",
        "Radique ya: el pagador puede devolverla por extemporánea.",
        f"{_R948} art. 15 par. 1",
    ),
    "RAD01-POR-VENCER": Regla(
        A, "El término para radicar vence pronto{cuando}.", "Radique ya.", f"{_R948} art. 15"
    ),
    "RAD01-SIN-TERMINO": Regla(
        A,
        "Para este tipo de pagador no hay en la tabla un término de radicación.",
        "Radique cuanto antes y compruebe el término de la reclamación con el pagador.",
        f"{_R948} art. 15",
    ),
    "RAD01-SIN-FECHA": Regla(
        A,
        "No se sabe cuándo validó la DIAN la factura; el término para radicar no se puede contar.",
        "Cargue la respuesta de la DIAN.",
        f"{_R948} art. 15",
    ),
}  # fmt: skip


def hallazgo(codigo: str, lugar: str, /, **datos: object) -> Hallazgo:
    """Make the finding `codigo` at `lugar`; `datos` fill the templates. Raises KeyError for an unknown code."""
    regla = CATALOGO[codigo]
    return Hallazgo(
        codigo=codigo,
        severidad=regla.severidad,
        lugar=lugar,
        mensaje=regla.mensaje.format(**datos),
        que_hacer=regla.que_hacer.format(**datos),
        norma=regla.norma,
    )


def sort_by_weight(found: Iterable[Hallazgo]) -> list[Hallazgo]:
    """Order findings: what blocks first, then notices; inside each, by code and place."""
    return sorted(found, key=lambda h: (_ORDER[h.severidad], h.codigo, h.lugar, h.mensaje))


def ready(found: Iterable[Hallazgo]) -> bool:
    """Say whether nothing blocks."""
    return all(h.severidad is not Severidad.BLOQUEO for h in found)
