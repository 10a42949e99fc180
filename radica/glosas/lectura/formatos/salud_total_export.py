"""Salud Total EPS, export `NotificacionGLS_*`: six columns known, dates that mix m/d/Y and d/m/Y.

Invariant: this layout has no habit of dates: what its column does not settle goes to the tray.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Formato, campo

FORMATOS = (
    Formato(
        nombre="salud_total_export",
        etiqueta="Salud Total EPS (exportación NotificacionGLS)",
        pagador="Salud Total EPS",
        archivo=r"notificaciongls",
        habito=None,
        minimo=0.8,
        campos=(
            campo("factura", "NumeroFac_", clase=Clase.FACTURA, obligatorio=True),
            campo("descripcion_servicio", "NombreServicio"),
            campo("cantidad", "CantidadFac"),
            campo("valor", "ValorGlosaTotalxServ", clase=Clase.DINERO, obligatorio=True),
            campo("observacion", "Observaciones"),
            campo("codigo", "CodMotvGlosaEspc", clase=Clase.CODIGO, obligatorio=True),
            campo("prefijo", "PrefijoFac", "PrefijoFac_", firma=False),
            campo("radicado", "NumeroRad", "NumeroRad_", firma=False),
            campo("fecha_radicacion", "FechaRad", "FechaRad_", "FechaRadicacion", clase=Clase.FECHA, firma=False),
            campo(
                "fecha_notificacion",
                "FechaNotificacion",
                "FechaNotificacionGlosa",
                "FechaGlosa",
                "Fecha",
                clase=Clase.FECHA,
                firma=False,
            ),
            campo("fecha_factura", "FechaFactura", "FechaFac", clase=Clase.FECHA, firma=False),
            campo("paciente_documento", "NumeroDocAfl", firma=False),
        ),
    ),
)
