"""Custody: content-addressed evidence store, seals, and who may open a piece (DESIGN section 7)."""
