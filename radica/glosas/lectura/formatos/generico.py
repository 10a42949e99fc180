"""Any sheet with readable Spanish titles for invoice, code and value: asked last, and never fully trusted.

Invariant: it has no habit of dates and its confidence stays under that of a payer's own layout.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Campo, Clase, Formato, campo

_NUM = "(?:N|NO|NRO|NUM|NUMERO|NUMEROS)?(?:DE)?(?:LA)?"
_MONEY = "(?:VALOR|VR|VLR|MONTO|TOTAL)(?:TOTAL)?(?:DE)?(?:LA|L)?"
_OBJECTED = "(?:GLOSA|GLOSAS|GLOSADO|GLOSADA|OBJECION|OBJETADO|DEVOLUCION|DEVUELTO|GLOSAODEVOLUCION|GLOSADEVOLUCION)"
_CODE_OF_GLOSA = (
    "(?:COD|CODIGO)(?:DE)?(?:LA|L)?(?:GLOSA|GLOSAS|OBJECION|DEVOLUCION|CAUSAL|MOTIVO|CONCEPTO)"
    "(?:(?:DE|O|Y)?(?:LA)?(?:GLOSA|DEVOLUCION|DEV))?"
)
_CAUSE = "CAUSAL(?:DE)?(?:LA)?(?:GLOSA|DEVOLUCION|OBJECION)?(?:ODEVOLUCION)?"
_DAY = "FECHA(?:DE)?(?:LA|L)?"


def _money(name: str, pattern: str, *, signature: bool = False) -> Campo:
    return campo(name, clase=Clase.DINERO, firma=signature, patrones=(pattern,))


def _day(name: str, pattern: str) -> Campo:
    return campo(name, clase=Clase.FECHA, firma=False, patrones=(f"{_DAY}(?:{pattern})",))


def _text(name: str, pattern: str) -> Campo:
    return campo(name, firma=False, patrones=(pattern,))


FORMATOS = (
    Formato(
        nombre="generico",
        etiqueta="tabla con títulos reconocibles",
        habito=None,
        minimo=0.6,
        tope=70,
        campos=(
            campo(
                "factura",
                "FACTURA",
                clase=Clase.FACTURA,
                obligatorio=True,
                patrones=(
                    f"{_NUM}(?:FACTURA|FACTURAS|FACT|FEV)(?:DEVENTA|ELECTRONICA|ELECTRONICADEVENTA|NO|NRO|NUMERO)?",
                ),
            ),
            campo(
                "codigo",
                "CODIGO DE GLOSA",
                "CODIGO GLOSA",
                "CODIGO ESPECIFICO",
                clase=Clase.CODIGO,
                obligatorio=True,
                # «Código» alone may be the service's, when another column is the cause's.
                patrones=(_CODE_OF_GLOSA, _CAUSE, "COD|CODIGO"),
            ),
            _money("valor", f"(?:{_MONEY})?{_OBJECTED}(?:INICIAL|TOTAL|IPS)?(?:PESOS|COP)?", signature=True),
            _text("prefijo", "PREFIJO(?:DE)?(?:LA)?(?:FACTURA)?"),
            _money("levantado", "(?:VALOR|VR|VLR)?(?:GLOSA)?(?:LEVANTADO|LEVANTADA)(?:EPS|ERP|PAGADOR)?"),
            _money("ratificado", "(?:VALOR|VR|VLR)?(?:GLOSA)?(?:RATIFICADO|RATIFICADA)(?:EPS|ERP|PAGADOR)?"),
            _money("aceptado", "(?:VALOR|VR|VLR)?(?:GLOSA)?(?:ACEPTADO|ACEPTADA)(?:POR)?(?:LA)?(?:IPS|PRESTADOR)?"),
            _text("situacion", "ESTADO(?:DE)?(?:LA)?(?:GLOSA)?|DECISION(?:DELPAGADOR|EPS|ERP)?"),
            _day("fecha_notificacion", "NOTIFICACION|NOTIFICACIONGLOSA|GLOSA|OBJECION|DEVOLUCION|ENVIO"),
            _day("fecha_radicacion", "RADICACION|RADICADO|RADICACIONFACTURA|PRESENTACION"),
            _day("fecha_factura", "FACTURA|EMISION|EXPEDICION"),
            _text("radicado", f"{_NUM}(?:RADICADO|RADICACION)"),
            _text("numero_glosa", f"(?:{_NUM}|ID|CONSECUTIVO(?:DE)?)GLOSA|CONSECUTIVO"),
            _text("servicio", "(?:COD|CODIGO)(?:DE)?L?(?:SERVICIO|PROCEDIMIENTO|TECNOLOGIA|CUPS|ITEM)|CUPS"),
            _text(
                "descripcion_servicio",
                "(?:DESCRIPCION|NOMBRE)?(?:DE)?L?A?(?:SERVICIO|PROCEDIMIENTO|TECNOLOGIA|ITEM)",
            ),
            _money("valor_servicio", "(?:VALOR|VR|VLR)(?:TOTAL)?(?:DE)?L?(?:SERVICIO|FACTURADO|ITEM|PROCEDIMIENTO)"),
            _money("valor_factura", f"{_MONEY}FACTURA"),
            _text(
                "motivo",
                "(?:MOTIVO|CONCEPTO)(?:DE)?(?:LA)?(?:GLOSA|DEVOLUCION|OBJECION)?|DESCRIPCION(?:DE)?(?:LA)?(?:GLOSA)?",
            ),
            _text("observacion", "OBSERVACION|OBSERVACIONES|JUSTIFICACION|DETALLE"),
            _text(
                "paciente_documento",
                "(?:NUMERO|NO|NRO)?(?:DE)?(?:DOCUMENTO|IDENTIFICACION|CEDULA)(?:DE)?L?(?:PACIENTE|USUARIO|AFILIADO)?",
            ),
        ),
    ),
)
