"""Schema migrations (alembic), shipped inside the wheel so that `radica bd migrar` needs no checkout."""
