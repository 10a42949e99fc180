"""radica follows each medical invoice of a Colombian health provider from filing to payment or lawsuit.

Packages are rooms by capability; each imports only those to its right in
app → prejuridico → cartera → conciliacion → glosas → radicacion → facturas → portales | plazos →
custodia | jobs → users → entidades → audit → kernel (checked by import-linter).
"""

__version__ = "0.1.0"
