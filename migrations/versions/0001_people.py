"""Providers, payers, people, history.

Revision: 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from radica.kernel.columns import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "chain_heads",
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_key", name=op.f("pk_chain_heads")),
    )
    op.create_table(
        "pagadores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("nit", sa.String(length=20), nullable=False),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "tipo IN ('EPS', 'SOAT', 'ADRES', 'ARL', 'OTRO', 'DESCONOCIDO')", name=op.f("ck_pagadores_tipo")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pagadores")),
        sa.UniqueConstraint("nit", name=op.f("uq_pagadores_nit")),
    )
    op.create_table(
        "prestadores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("nit", sa.String(length=20), nullable=False),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("codigo_habilitacion", sa.String(length=20), nullable=True),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("buzon", sa.String(length=500), nullable=True),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.CheckConstraint("estado IN ('por_confirmar', 'activo')", name=op.f("ck_prestadores_estado")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prestadores")),
        sa.UniqueConstraint("nit", name=op.f("uq_prestadores_nit")),
    )
    op.create_table(
        "usuarios",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("correo", sa.String(length=254), nullable=False),
        sa.Column("nombre", sa.String(length=200), nullable=False),
        sa.Column("clave_hash", sa.String(length=300), nullable=False),
        sa.Column("activo", sa.Boolean(), nullable=False),
        sa.Column("fallos", sa.Integer(), nullable=False),
        sa.Column("bloqueado_hasta", Instant(), nullable=True),
        sa.Column("segundo_factor", sa.String(length=300), nullable=True),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.Column("preferencias", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usuarios")),
        sa.UniqueConstraint("correo", name=op.f("uq_usuarios_correo")),
    )
    op.create_table(
        "accesos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rol", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "rol IN ('facturacion', 'glosas', 'cartera', 'auditoria', 'juridica', 'direccion', 'administracion')",
            name=op.f("ck_accesos_rol"),
        ),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_accesos_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_accesos_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accesos")),
        sa.UniqueConstraint("usuario_id", "prestador_id", "rol", name=op.f("uq_accesos_usuario_id_prestador_id_rol")),
    )
    with op.batch_alter_table("accesos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accesos_prestador_id"), ["prestador_id"], unique=False)
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("purpose", sa.String(length=120), nullable=False),
        sa.Column("object", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_access_log_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_log_hash")),
        sa.UniqueConstraint("prestador_id", "seq", name=op.f("uq_access_log_prestador_id_seq")),
    )
    op.create_table(
        "sesiones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("vista_at", Instant(), nullable=False),
        sa.Column("vence_at", Instant(), nullable=False),
        sa.Column("revocada_at", Instant(), nullable=True),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_sesiones_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_sesiones_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sesiones")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sesiones_token_hash")),
    )
    with op.batch_alter_table("sesiones", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sesiones_usuario_id"), ["usuario_id"], unique=False)
    op.create_table(
        "tareas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clase", sa.String(length=40), nullable=False),
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("titulo", sa.String(length=300), nullable=False),
        sa.Column("detalle", sa.Text(), nullable=False),
        sa.Column("responsable_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("cerrada_at", Instant(), nullable=True),
        sa.Column("cerrada_por", sa.String(length=120), nullable=True),
        sa.Column("resultado", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "clase IN ('confirmar_resultado', 'conseguir_numero', 'atender_portal', 'anular_y_reexpedir', 'corregir_rechazo', 'radicada_por_fuera')",
            name=op.f("ck_tareas_clase"),
        ),
        sa.CheckConstraint("(cerrada_at IS NULL) = (cerrada_por IS NULL)", name=op.f("ck_tareas_cierre")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_tareas_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["responsable_id"], ["usuarios.id"], name=op.f("fk_tareas_responsable_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tareas")),
    )
    with op.batch_alter_table("tareas", schema=None) as batch_op:
        batch_op.create_index("ix_tareas_prestador_abierta", ["prestador_id", "cerrada_at"], unique=False)
        batch_op.create_index(
            "uq_tareas_abierta",
            ["clase", "case_key"],
            unique=True,
            sqlite_where=sa.text("cerrada_at IS NULL"),
            postgresql_where=sa.text("cerrada_at IS NULL"),
        )
    op.create_table(
        "transitions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("thing", sa.String(length=30), nullable=False),
        sa.Column("thing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_transitions_seq_positive")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_transitions_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transitions")),
        sa.UniqueConstraint("case_key", "seq", name=op.f("uq_transitions_case_key_seq")),
        sa.UniqueConstraint("hash", name=op.f("uq_transitions_hash")),
    )
    with op.batch_alter_table("transitions", schema=None) as batch_op:
        batch_op.create_index("ix_transitions_prestador_recorded", ["prestador_id", "recorded_at"], unique=False)
    protect_history(("transitions", "access_log"))


def downgrade() -> None:
    """Undo."""
    unprotect_history(("transitions", "access_log"))
    with op.batch_alter_table("transitions", schema=None) as batch_op:
        batch_op.drop_index("ix_transitions_prestador_recorded")
    op.drop_table("transitions")
    with op.batch_alter_table("tareas", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tareas_abierta",
            sqlite_where=sa.text("cerrada_at IS NULL"),
            postgresql_where=sa.text("cerrada_at IS NULL"),
        )
        batch_op.drop_index("ix_tareas_prestador_abierta")
    op.drop_table("tareas")
    with op.batch_alter_table("sesiones", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sesiones_usuario_id"))
    op.drop_table("sesiones")
    op.drop_table("access_log")
    with op.batch_alter_table("accesos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accesos_prestador_id"))
    op.drop_table("accesos")
    op.drop_table("usuarios")
    op.drop_table("prestadores")
    op.drop_table("pagadores")
    op.drop_table("chain_heads")
