"""Colombian business-day calendar and legal terms: pure computation over dated data.

Invariant: a computed date never travels without its norm, its article and the version of the calendar that
produced it. Norms: Ley 51/1983, Ley 2578/2026, Ley 4/1913 art. 62, and those named row by row in `data/terms.csv`.
"""
