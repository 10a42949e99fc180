"""Conciliación: what stays in dispute goes to a meeting with the payer and comes back as a signed acta."""
