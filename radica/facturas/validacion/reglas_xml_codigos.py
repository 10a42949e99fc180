"""The Ministry's codes for one check in the three kinds of document: invoice, credit note, debit note.

Invariant: one function per check; which code it tells is looked up here, and a check that the Ministry does not make for
a kind has an empty code there. The published list of CND123 to FED100 is displaced by one row; these are the codes of
the same number as the invoice's. Norm: technical document 2 v001 of Res. 948 de 2026, sections 11.1 to 11.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from radica.facturas.fev import Clase

_LUGAR = {Clase.FACTURA: 0, Clase.NOTA_CREDITO: 1, Clase.NOTA_DEBITO: 2}
_CAMPO = ("FED", "CND", "DND")

PARALELOS: Mapping[str, tuple[str, str, str]] = {
    "contenedor_malo": ("FEV001", "NCV001", "NDV001"),
    "documento_malo": ("FEV002", "NCV002", "NDV002"),
    "respuesta_mala": ("FEV003", "NCV003", "NDV003"),
    "otra_clase": ("FEV008", "NCV008", "NDV008"),
    "sin_contenedor": ("PFE001", "PNC001", "PDN001"),
    "sin_documento": ("PFE002", "PNC002", "PDN002"),
    "sin_respuesta": ("PFE003", "PNC003", "PDN003"),
    "sin_referencia": ("", "PNC012", "PDN012"),
    "otro_documento": ("GI011", "GI014", "GI017"),
    "tipo_invalido": ("VFE001", "VCN001", ""),
    "tipo_de_otro": ("VFE002", "VCN002", ""),
    "operacion": ("VFE003", "", ""),
    "numero": ("VFE005", "VCN004", "VDN002"),
    "emisor_nit": ("VFE011", "VCN010", "VDN008"),
    "emisor_dv": ("VFE012", "VCN011", "VDN009"),
    "periodo_inicio": ("VFE020", "VCN019", "VDN017"),
    "periodo_fin": ("VFE021", "VCN020", "VDN018"),
    "anticipo_repetido": ("FED061", "", ""),
    "sin_razon_de_contrato": ("FED136", "", ""),
}
"""Check → its code for invoice, credit note, debit note."""

SIN_REGISTRO: Mapping[Clase, tuple[str, ...]] = {
    Clase.FACTURA: ("VFE022",),
    Clase.NOTA_CREDITO: ("GI012", "GI013", "GI016"),
    Clase.NOTA_DEBITO: ("GI015", "GI016"),
}
"""Rules that only the Ministry's registers decide, by kind."""


def codigo(clase: Clase, comprobacion: str) -> str:
    """Return the code of a check for a kind of document ("" when the Ministry has none). KeyError when unknown."""
    return PARALELOS[comprobacion][_LUGAR[clase]]


def codigo_campo(clase: Clase, numero: str) -> str:
    """Return the code of a field's presence: `034` is FED034, CND034 or DND034."""
    return _CAMPO[_LUGAR[clase]] + numero
