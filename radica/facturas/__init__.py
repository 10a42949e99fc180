"""Invoices as they arrive: what each file is, which invoice it belongs to, and whether that invoice can be filed.

Files are recognised by content and never by name; what is not understood goes to a tray with its reason, and
nothing is guessed. Norms: Res. 948 de 2026 (FEV and RIPS), DIAN technical annex 1.9, Res. 2284 de 2023 (supports).
"""
