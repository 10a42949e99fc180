"""Filings, attempts and readings.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from radica.kernel.columns import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "envios",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cuenta_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("acto", sa.String(length=40), nullable=False),
        sa.Column("ronda", sa.Integer(), nullable=False),
        sa.Column("canal", sa.String(length=10), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("radicado", sa.String(length=120), nullable=True),
        sa.Column("fecha_radicacion", Instant(), nullable=True),
        sa.Column("nivel_prueba", sa.Integer(), nullable=False),
        sa.Column("motivo_rechazo", sa.Text(), nullable=True),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.Column("creado_por", sa.String(length=120), nullable=False),
        sa.Column("cerrado_at", Instant(), nullable=True),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(canal = 'bot') = (cuenta_id IS NOT NULL)", name=op.f("ck_envios_cuenta")),
        sa.CheckConstraint("acto IN ('radicacion')", name=op.f("ck_envios_acto")),
        sa.CheckConstraint("canal IN ('bot', 'mano')", name=op.f("ck_envios_canal")),
        sa.CheckConstraint(
            "estado <> 'radicado' OR (radicado IS NOT NULL AND fecha_radicacion IS NOT NULL AND nivel_prueba >= 2)",
            name=op.f("ck_envios_radicado_con_prueba"),
        ),
        sa.CheckConstraint(
            "estado <> 'rechazado' OR motivo_rechazo IS NOT NULL", name=op.f("ck_envios_rechazo_con_motivo")
        ),
        sa.CheckConstraint(
            "estado <> 'recibido_sin_numero' OR nivel_prueba >= 1", name=op.f("ck_envios_recibido_con_prueba")
        ),
        sa.CheckConstraint(
            "estado IN ('preparado', 'en_curso', 'radicado', 'recibido_sin_numero', 'rechazado', 'cancelado')",
            name=op.f("ck_envios_estado"),
        ),
        sa.CheckConstraint("nivel_prueba BETWEEN 0 AND 4", name=op.f("ck_envios_nivel")),
        sa.ForeignKeyConstraint(["cuenta_id"], ["cuentas_portal.id"], name=op.f("fk_envios_cuenta_id_cuentas_portal")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_envios_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_envios_prestador_id_prestadores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envios")),
    )
    with op.batch_alter_table("envios", schema=None) as batch_op:
        batch_op.create_index("ix_envios_prestador_estado", ["prestador_id", "estado"], unique=False)
    op.create_table(
        "envio_facturas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("envio_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("acto", sa.String(length=40), nullable=False),
        sa.Column("ronda", sa.Integer(), nullable=False),
        sa.Column("vivo", sa.Integer(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["envio_id"], ["envios.id"], name=op.f("fk_envio_facturas_envio_id_envios")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_envio_facturas_factura_id_facturas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envio_facturas")),
        sa.UniqueConstraint("envio_id", "factura_id", name=op.f("uq_envio_facturas_envio_id_factura_id")),
    )
    with op.batch_alter_table("envio_facturas", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_envio_facturas_factura_id"), ["factura_id"], unique=False)
        batch_op.create_index(
            "uq_envio_facturas_intencion",
            ["factura_id", "acto", "ronda"],
            unique=True,
            sqlite_where=sa.text("vivo = 1"),
            postgresql_where=sa.text("vivo = 1"),
        )
    op.create_table(
        "intentos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("envio_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("numero", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("marker", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("carpeta", sa.String(length=500), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=True),
        sa.Column("iniciado_at", Instant(), nullable=False),
        sa.Column("intent_at", Instant(), nullable=True),
        sa.Column("terminado_at", Instant(), nullable=True),
        sa.Column("cercado_at", Instant(), nullable=True),
        sa.Column("cercado_ms", sa.BigInteger(), nullable=True),
        sa.Column("resultado", sa.String(length=40), nullable=True),
        sa.Column("codigo", sa.String(length=60), nullable=True),
        sa.Column("detalle", sa.Text(), nullable=True),
        sa.Column("sellado_at", Instant(), nullable=True),
        sa.Column("datos", sa.Text(), nullable=False),
        sa.CheckConstraint("estado <> 'ausente' OR cercado_at IS NOT NULL", name=op.f("ck_intentos_ausente_cercado")),
        sa.CheckConstraint(
            "estado <> 'enviando' OR intent_id IS NOT NULL", name=op.f("ck_intentos_enviando_con_intent")
        ),
        sa.CheckConstraint(
            "estado IN ('preparando', 'enviando', 'terminado', 'desconocido', 'hallado', 'ausente', 'espera_persona')",
            name=op.f("ck_intentos_estado"),
        ),
        sa.ForeignKeyConstraint(["envio_id"], ["envios.id"], name=op.f("fk_intentos_envio_id_envios")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_intentos_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_intentos_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intentos")),
        sa.UniqueConstraint("envio_id", "numero", name=op.f("uq_intentos_envio_id_numero")),
        sa.UniqueConstraint("marker", name=op.f("uq_intentos_marker")),
    )
    with op.batch_alter_table("intentos", schema=None) as batch_op:
        batch_op.create_index("ix_intentos_estado", ["estado"], unique=False)
        batch_op.create_index(
            "uq_intentos_vivo",
            ["envio_id"],
            unique=True,
            sqlite_where=sa.text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
            postgresql_where=sa.text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
        )
    op.create_table(
        "lecturas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("intento_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("resultado", sa.String(length=30), nullable=False),
        sa.Column("radicado", sa.String(length=120), nullable=True),
        sa.Column("fecha", Instant(), nullable=True),
        sa.Column("valor", sa.BigInteger(), nullable=True),
        sa.Column("detalle", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "resultado IN ('found', 'known_without_number', 'absent', 'cannot_say')", name=op.f("ck_lecturas_resultado")
        ),
        sa.ForeignKeyConstraint(["intento_id"], ["intentos.id"], name=op.f("fk_lecturas_intento_id_intentos")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_lecturas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lecturas")),
    )
    with op.batch_alter_table("lecturas", schema=None) as batch_op:
        batch_op.create_index("ix_lecturas_intento", ["intento_id", "at"], unique=False)
    protect_history(("lecturas",))


def downgrade() -> None:
    """Undo."""
    unprotect_history(("lecturas",))
    with op.batch_alter_table("lecturas", schema=None) as batch_op:
        batch_op.drop_index("ix_lecturas_intento")
    op.drop_table("lecturas")
    with op.batch_alter_table("intentos", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_intentos_vivo",
            sqlite_where=sa.text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
            postgresql_where=sa.text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
        )
        batch_op.drop_index("ix_intentos_estado")
    op.drop_table("intentos")
    with op.batch_alter_table("envio_facturas", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_envio_facturas_intencion", sqlite_where=sa.text("vivo = 1"), postgresql_where=sa.text("vivo = 1")
        )
        batch_op.drop_index(batch_op.f("ix_envio_facturas_factura_id"))
    op.drop_table("envio_facturas")
    with op.batch_alter_table("envios", schema=None) as batch_op:
        batch_op.drop_index("ix_envios_prestador_estado")
    op.drop_table("envios")
