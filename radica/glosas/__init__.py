"""Glosas y devoluciones: what a payer objects, read, matched, answered inside its term and followed to its end."""
