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


SIGNED = ("conciliacion_lineas", "compromisos")


def protect_signed() -> None:
    """Refuse any change to the lines and commitments of an acta that was signed, and to the signed acta itself."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION radica_acta_firmada() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE acta bigint; BEGIN "
            "IF TG_OP = 'INSERT' THEN acta := NEW.conciliacion_id; ELSE acta := OLD.conciliacion_id; END IF; "
            "IF (SELECT estado FROM conciliaciones WHERE id = acta) LIKE 'con_acuerdo%' "
            "THEN RAISE EXCEPTION 'radica: el acta firmada no cambia'; END IF; "
            "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
        )
        for table in SIGNED:
            op.execute(
                f"CREATE TRIGGER {table}_firmada BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION radica_acta_firmada()"
            )
        op.execute(
            "CREATE FUNCTION radica_acta_fija() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'radica: el acta firmada no cambia'; END $$"
        )
        op.execute(
            "CREATE TRIGGER conciliaciones_firmada BEFORE UPDATE OR DELETE ON conciliaciones "
            "FOR EACH ROW WHEN (OLD.estado LIKE 'con_acuerdo%') EXECUTE FUNCTION radica_acta_fija()"
        )
        return
    for table in SIGNED:
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER {table}_firmada_{verb.lower()} BEFORE {verb} ON {table} "
                f"WHEN (SELECT estado FROM conciliaciones WHERE id = {row}.conciliacion_id) LIKE 'con_acuerdo%' "
                "BEGIN SELECT RAISE(ABORT, 'radica: el acta firmada no cambia'); END"
            )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER conciliaciones_firmada_{verb.lower()} BEFORE {verb} ON conciliaciones "
            "WHEN OLD.estado LIKE 'con_acuerdo%' "
            "BEGIN SELECT RAISE(ABORT, 'radica: el acta firmada no cambia'); END"
        )


def unprotect_signed() -> None:
    """Drop them again (downgrade only)."""
    if op.get_bind().dialect.name == "postgresql":
        for table in (*SIGNED, "conciliaciones"):
            op.execute(f"DROP TRIGGER {table}_firmada ON {table}")
        op.execute("DROP FUNCTION radica_acta_firmada()")
        op.execute("DROP FUNCTION radica_acta_fija()")
        return
    for table in SIGNED:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER {table}_firmada_{verb}")
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER conciliaciones_firmada_{verb}")
