"""Prejurídico: the dossier that a lawyer files unchanged, with its proof and its gaps declared."""
