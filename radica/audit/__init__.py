"""History that nobody can rewrite: hash-chained transitions and reading log, and `advance()`, the only function
that changes a legal state (DESIGN section 4).
"""
