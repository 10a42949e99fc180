"""Triggers that refuse UPDATE and DELETE on history and evidence, the same on both databases.

Invariant: rows of these tables are only added. A database owner can still drop a trigger; the hash chains and the
published seals show it afterwards (DESIGN section 7). Norm: Ley 527/1999 art. 9 (integrity of the data message).
"""

from __future__ import annotations

from alembic import op

APPEND_ONLY = ("transitions", "access_log", "blobs", "piezas", "lecturas")


def protect_history(tables: tuple[str, ...] = APPEND_ONLY) -> None:
    """Create the refusing triggers on `tables`."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION radica_solo_agregar() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'radica: la tabla % solo admite filas nuevas', TG_TABLE_NAME; END $$"
        )
        for table in tables:
            op.execute(
                f"CREATE TRIGGER {table}_solo_agregar BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION radica_solo_agregar()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_vaciar BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION radica_solo_agregar()"
            )
        return
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'radica: la tabla {table} solo admite filas nuevas'); END"
            )


def unprotect_history(tables: tuple[str, ...] = APPEND_ONLY) -> None:
    """Drop them again (downgrade only)."""
    if op.get_bind().dialect.name == "postgresql":
        for table in tables:
            op.execute(f"DROP TRIGGER {table}_solo_agregar ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_vaciar ON {table}")
        if "transitions" in tables:  # the first protected, the last undone
            op.execute("DROP FUNCTION radica_solo_agregar()")
        return
    for table in tables:
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
