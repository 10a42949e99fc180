"""Change the list of values that a CHECK admits, the same on both databases.

Invariant: nothing else of the table changes. SQLite has no ALTER for constraints and a rebuilt table would lose the
CHECKs that reflection does not see, so its schema text is changed in place, as SQLite documents for changes that do
not touch the stored rows (writable_schema, then a new schema_version).
"""

from __future__ import annotations

import re

from alembic import op
from sqlalchemy import text


def restate_values(table: str, column: str, values: tuple[str, ...]) -> None:
    """Let `column` of `table` hold `values` and nothing else. Raises LookupError when it has no such CHECK."""
    name = f"ck_{table}_{column}"
    condition = f"{column} IN ({', '.join(repr(value) for value in values)})"
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, condition)
        return
    before = bind.scalar(text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t"), {"t": table})
    after, changed = re.subn(
        rf"(CONSTRAINT {name} CHECK \(){column} IN \([^()]*\)\)", rf"\g<1>{condition})", before or ""
    )
    if changed != 1:
        raise LookupError(name)
    number = bind.scalar(text("PRAGMA schema_version"))
    bind.execute(text("PRAGMA writable_schema = ON"))
    bind.execute(text("UPDATE sqlite_master SET sql = :s WHERE type = 'table' AND name = :t"), {"s": after, "t": table})
    bind.execute(text(f"PRAGMA schema_version = {number + 1}"))
    bind.execute(text("PRAGMA writable_schema = OFF"))
