"""Composition root: the only package that knows all the others (web factory, CLI, worker, clock, demo)."""
