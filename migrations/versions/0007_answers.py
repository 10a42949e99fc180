"""Answers, templates, limits, assignment, comments.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.restate import restate_values
from radica.kernel.columns import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ACTOS = ("radicacion",)
CLASES = (
    "confirmar_resultado",
    "conseguir_numero",
    "atender_portal",
    "anular_y_reexpedir",
    "corregir_rechazo",
    "radicada_por_fuera",
)
CLASES_NUEVAS = (
    "emitir_nota_credito",
    "aprobar_respuesta",
    "revisar_silencio",
    "decidir_glosa",
    "nota_ajuste_rips",
    "compromiso_incumplido",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ajustes_glosas",
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cuatro_ojos_desde", sa.BigInteger(), nullable=True),
        sa.Column("grupo_manual", sa.String(length=2), nullable=False),
        sa.Column("siifa", sa.Boolean(), nullable=False),
        sa.Column("escalar_a_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("escalar_dias", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalar_a_id"], ["usuarios.id"], name=op.f("fk_ajustes_glosas_escalar_a_id_usuarios")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_ajustes_glosas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("prestador_id", name=op.f("pk_ajustes_glosas")),
    )
    op.create_table(
        "comentarios",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("texto", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_comentarios_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_comentarios_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comentarios")),
    )
    with op.batch_alter_table("comentarios", schema=None) as batch_op:
        batch_op.create_index("ix_comentarios_case", ["case_key", "id"], unique=False)
    op.create_table(
        "perfiles_respuesta",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("max_caracteres", sa.Integer(), nullable=True),
        sa.Column("mayusculas", sa.Boolean(), nullable=False),
        sa.Column("un_solo_pdf", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pagador_id"], ["pagadores.id"], name=op.f("fk_perfiles_respuesta_pagador_id_pagadores")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_perfiles_respuesta_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_perfiles_respuesta")),
        sa.UniqueConstraint("prestador_id", "pagador_id", name=op.f("uq_perfiles_respuesta_prestador_id_pagador_id")),
    )
    op.create_table(
        "plantillas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clave", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("nombre", sa.String(length=120), nullable=False),
        sa.Column("codigo", sa.String(length=12), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("respuesta", sa.String(length=6), nullable=False),
        sa.Column("texto", sa.Text(), nullable=False),
        sa.Column("vigente", sa.Boolean(), nullable=False),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("creada_por", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_plantillas_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_plantillas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plantillas")),
        sa.UniqueConstraint("prestador_id", "clave", "version", name=op.f("uq_plantillas_prestador_id_clave_version")),
    )
    op.create_table(
        "reglas_asignacion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orden", sa.Integer(), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("familia", sa.String(length=2), nullable=False),
        sa.Column("desde", sa.BigInteger(), nullable=True),
        sa.Column("hasta", sa.BigInteger(), nullable=True),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activa", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pagador_id"], ["pagadores.id"], name=op.f("fk_reglas_asignacion_pagador_id_pagadores")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_reglas_asignacion_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_reglas_asignacion_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reglas_asignacion")),
    )
    with op.batch_alter_table("reglas_asignacion", schema=None) as batch_op:
        batch_op.create_index("ix_reglas_asignacion", ["prestador_id", "orden"], unique=False)
    op.create_table(
        "menciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comentario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vista_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comentario_id"], ["comentarios.id"], name=op.f("fk_menciones_comentario_id_comentarios")
        ),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_menciones_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menciones")),
        sa.UniqueConstraint("comentario_id", "usuario_id", name=op.f("uq_menciones_comentario_id_usuario_id")),
    )
    with op.batch_alter_table("menciones", schema=None) as batch_op:
        batch_op.create_index(
            "ix_menciones_nuevas",
            ["usuario_id"],
            unique=False,
            sqlite_where=sa.text("vista_at IS NULL"),
            postgresql_where=sa.text("vista_at IS NULL"),
        )
    op.create_table(
        "respuestas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("glosa_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("devolucion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ronda", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("codigo", sa.String(length=6), nullable=False),
        sa.Column("valor_aceptado", sa.BigInteger(), nullable=False),
        sa.Column("texto", sa.Text(), nullable=False),
        sa.Column("motivo", sa.String(length=300), nullable=False),
        sa.Column("plantilla_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("soportes", sa.Text(), nullable=False),
        sa.Column("preparada_at", Instant(), nullable=False),
        sa.Column("preparada_por", sa.String(length=120), nullable=False),
        sa.Column("aprobada_at", Instant(), nullable=True),
        sa.Column("aprobada_por", sa.String(length=120), nullable=True),
        sa.Column("envio_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("presentada_at", Instant(), nullable=True),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('defender', 'subsanar', 'aceptar_parte', 'aceptar', 'extemporanea')",
            name=op.f("ck_respuestas_decision"),
        ),
        sa.CheckConstraint(
            "estado IN ('borrador', 'por_aprobar', 'aprobada', 'en_envio', 'presentada', 'descartada')",
            name=op.f("ck_respuestas_estado"),
        ),
        sa.CheckConstraint(
            "estado NOT IN ('en_envio', 'presentada') OR envio_id IS NOT NULL", name=op.f("ck_respuestas_envio")
        ),
        sa.CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name=op.f("ck_respuestas_uno")),
        sa.CheckConstraint("valor_aceptado >= 0", name=op.f("ck_respuestas_aceptado")),
        sa.ForeignKeyConstraint(
            ["devolucion_id"], ["devoluciones.id"], name=op.f("fk_respuestas_devolucion_id_devoluciones")
        ),
        sa.ForeignKeyConstraint(["envio_id"], ["envios.id"], name=op.f("fk_respuestas_envio_id_envios")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_respuestas_factura_id_facturas")),
        sa.ForeignKeyConstraint(["glosa_id"], ["glosas.id"], name=op.f("fk_respuestas_glosa_id_glosas")),
        sa.ForeignKeyConstraint(
            ["plantilla_id"], ["plantillas.id"], name=op.f("fk_respuestas_plantilla_id_plantillas")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_respuestas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_respuestas")),
    )
    with op.batch_alter_table("respuestas", schema=None) as batch_op:
        batch_op.create_index("ix_respuestas_envio", ["envio_id"], unique=False)
        batch_op.create_index("ix_respuestas_prestador_estado", ["prestador_id", "estado", "factura_id"], unique=False)
        batch_op.create_index(
            "uq_respuestas_devolucion",
            ["devolucion_id", "ronda"],
            unique=True,
            sqlite_where=sa.text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=sa.text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
        )
        batch_op.create_index(
            "uq_respuestas_glosa",
            ["glosa_id", "ronda"],
            unique=True,
            sqlite_where=sa.text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=sa.text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
        )
    # Answers travel as envíos of their own act; people get new kinds of tasks.
    restate_values("envios", "acto", (*ACTOS, "respuesta_glosa", "respuesta_devolucion"))
    restate_values("tareas", "clase", (*CLASES, *CLASES_NUEVAS))


def downgrade() -> None:
    """Undo."""
    restate_values("tareas", "clase", CLASES)
    restate_values("envios", "acto", ACTOS)
    with op.batch_alter_table("respuestas", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_respuestas_glosa",
            sqlite_where=sa.text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=sa.text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
        )
        batch_op.drop_index(
            "uq_respuestas_devolucion",
            sqlite_where=sa.text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=sa.text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
        )
        batch_op.drop_index("ix_respuestas_prestador_estado")
        batch_op.drop_index("ix_respuestas_envio")
    op.drop_table("respuestas")
    with op.batch_alter_table("menciones", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_menciones_nuevas",
            sqlite_where=sa.text("vista_at IS NULL"),
            postgresql_where=sa.text("vista_at IS NULL"),
        )
    op.drop_table("menciones")
    with op.batch_alter_table("reglas_asignacion", schema=None) as batch_op:
        batch_op.drop_index("ix_reglas_asignacion")
    op.drop_table("reglas_asignacion")
    op.drop_table("plantillas")
    op.drop_table("perfiles_respuesta")
    with op.batch_alter_table("comentarios", schema=None) as batch_op:
        batch_op.drop_index("ix_comentarios_case")
    op.drop_table("comentarios")
    op.drop_table("ajustes_glosas")
