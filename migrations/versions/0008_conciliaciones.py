"""Conciliaciones, their tables, commitments and the payer's ledger.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, protect_signed, unprotect_history, unprotect_signed
from radica.kernel.columns import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "conciliaciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("numero", sa.Integer(), nullable=False),
        sa.Column("fecha_corte", sa.Date(), nullable=False),
        sa.Column("alcance", sa.Text(), nullable=False),
        sa.Column("citada_at", Instant(), nullable=True),
        sa.Column("lugar", sa.String(length=200), nullable=False),
        sa.Column("asistentes", sa.Text(), nullable=False),
        sa.Column("notas", sa.Text(), nullable=False),
        sa.Column("anterior_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("acta_sha256", sa.String(length=64), nullable=True),
        sa.Column("acta_firmada_sha256", sa.String(length=64), nullable=True),
        sa.Column("firmada_at", Instant(), nullable=True),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("creada_por", sa.String(length=120), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "estado IN ('convocada', 'celebrada', 'con_acuerdo_total', 'con_acuerdo_parcial', 'fracasada')",
            name=op.f("ck_conciliaciones_estado"),
        ),
        sa.CheckConstraint(
            "estado NOT IN ('con_acuerdo_total', 'con_acuerdo_parcial') OR (firmada_at IS NOT NULL AND acta_firmada_sha256 IS NOT NULL)",
            name=op.f("ck_conciliaciones_acuerdo_firmado"),
        ),
        sa.ForeignKeyConstraint(
            ["acta_firmada_sha256"], ["blobs.sha256"], name=op.f("fk_conciliaciones_acta_firmada_sha256_blobs")
        ),
        sa.ForeignKeyConstraint(["acta_sha256"], ["blobs.sha256"], name=op.f("fk_conciliaciones_acta_sha256_blobs")),
        sa.ForeignKeyConstraint(
            ["anterior_id"], ["conciliaciones.id"], name=op.f("fk_conciliaciones_anterior_id_conciliaciones")
        ),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_conciliaciones_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_conciliaciones_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conciliaciones")),
        sa.UniqueConstraint("prestador_id", "numero", name=op.f("uq_conciliaciones_prestador_id_numero")),
    )
    with op.batch_alter_table("conciliaciones", schema=None) as batch_op:
        batch_op.create_index("ix_conciliaciones_prestador_estado", ["prestador_id", "estado"], unique=False)
    op.create_table(
        "compromisos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conciliacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fecha", sa.Date(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("nota", sa.String(length=300), nullable=False),
        sa.CheckConstraint("valor > 0", name=op.f("ck_compromisos_valor")),
        sa.ForeignKeyConstraint(
            ["conciliacion_id"], ["conciliaciones.id"], name=op.f("fk_compromisos_conciliacion_id_conciliaciones")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_compromisos_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compromisos")),
    )
    with op.batch_alter_table("compromisos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_compromisos_conciliacion_id"), ["conciliacion_id"], unique=False)
        batch_op.create_index("ix_compromisos_fecha", ["prestador_id", "fecha"], unique=False)
    op.create_table(
        "libros_pagador",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conciliacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("fila", sa.Integer(), nullable=False),
        sa.Column("factura_texto", sa.String(length=60), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valor_factura", sa.BigInteger(), nullable=True),
        sa.Column("valor_glosa", sa.BigInteger(), nullable=True),
        sa.Column("estado_glosa", sa.String(length=60), nullable=False),
        sa.Column("diferencia", sa.String(length=40), nullable=False),
        sa.Column("detalle", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["conciliacion_id"], ["conciliaciones.id"], name=op.f("fk_libros_pagador_conciliacion_id_conciliaciones")
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_libros_pagador_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_libros_pagador_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_libros_pagador_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_libros_pagador")),
    )
    with op.batch_alter_table("libros_pagador", schema=None) as batch_op:
        batch_op.create_index("ix_libros_pagador_conciliacion", ["conciliacion_id", "diferencia"], unique=False)
    op.create_table(
        "compromisos_hechos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("compromiso_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resultado", sa.String(length=40), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("fecha", sa.Date(), nullable=False),
        sa.Column("nota", sa.String(length=300), nullable=False),
        sa.Column("evidencia", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "resultado IN ('pendiente', 'cumplido', 'desistido')", name=op.f("ck_compromisos_hechos_resultado")
        ),
        sa.ForeignKeyConstraint(
            ["compromiso_id"], ["compromisos.id"], name=op.f("fk_compromisos_hechos_compromiso_id_compromisos")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_compromisos_hechos_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compromisos_hechos")),
        sa.UniqueConstraint("compromiso_id", name=op.f("uq_compromisos_hechos_compromiso_id")),
    )
    op.create_table(
        "conciliacion_lineas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conciliacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("glosa_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("devolucion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("en_disputa", sa.BigInteger(), nullable=False),
        sa.Column("levantado", sa.BigInteger(), nullable=False),
        sa.Column("aceptado", sa.BigInteger(), nullable=False),
        sa.Column("sigue", sa.BigInteger(), nullable=False),
        sa.Column("nota", sa.String(length=500), nullable=False),
        sa.Column("vivo", sa.Integer(), nullable=False),
        sa.CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name=op.f("ck_conciliacion_lineas_uno")),
        sa.CheckConstraint("en_disputa = levantado + aceptado + sigue", name=op.f("ck_conciliacion_lineas_identidad")),
        sa.CheckConstraint(
            "en_disputa > 0 AND levantado >= 0 AND aceptado >= 0 AND sigue >= 0",
            name=op.f("ck_conciliacion_lineas_importes"),
        ),
        sa.ForeignKeyConstraint(
            ["conciliacion_id"],
            ["conciliaciones.id"],
            name=op.f("fk_conciliacion_lineas_conciliacion_id_conciliaciones"),
        ),
        sa.ForeignKeyConstraint(
            ["devolucion_id"], ["devoluciones.id"], name=op.f("fk_conciliacion_lineas_devolucion_id_devoluciones")
        ),
        sa.ForeignKeyConstraint(
            ["factura_id"], ["facturas.id"], name=op.f("fk_conciliacion_lineas_factura_id_facturas")
        ),
        sa.ForeignKeyConstraint(["glosa_id"], ["glosas.id"], name=op.f("fk_conciliacion_lineas_glosa_id_glosas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_conciliacion_lineas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conciliacion_lineas")),
        sa.UniqueConstraint(
            "conciliacion_id", "devolucion_id", name=op.f("uq_conciliacion_lineas_conciliacion_id_devolucion_id")
        ),
        sa.UniqueConstraint(
            "conciliacion_id", "glosa_id", name=op.f("uq_conciliacion_lineas_conciliacion_id_glosa_id")
        ),
    )
    with op.batch_alter_table("conciliacion_lineas", schema=None) as batch_op:
        batch_op.create_index("ix_conciliacion_lineas_conciliacion", ["conciliacion_id", "id"], unique=False)
        batch_op.create_index(
            "uq_conciliacion_lineas_devolucion",
            ["devolucion_id"],
            unique=True,
            sqlite_where=sa.text("vivo = 1 AND devolucion_id IS NOT NULL"),
            postgresql_where=sa.text("vivo = 1 AND devolucion_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_conciliacion_lineas_glosa",
            ["glosa_id"],
            unique=True,
            sqlite_where=sa.text("vivo = 1 AND glosa_id IS NOT NULL"),
            postgresql_where=sa.text("vivo = 1 AND glosa_id IS NOT NULL"),
        )
    protect_history(("compromisos_hechos",))
    protect_signed()


def downgrade() -> None:
    """Undo."""
    unprotect_signed()
    unprotect_history(("compromisos_hechos",))
    with op.batch_alter_table("conciliacion_lineas", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_conciliacion_lineas_glosa",
            sqlite_where=sa.text("vivo = 1 AND glosa_id IS NOT NULL"),
            postgresql_where=sa.text("vivo = 1 AND glosa_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_conciliacion_lineas_devolucion",
            sqlite_where=sa.text("vivo = 1 AND devolucion_id IS NOT NULL"),
            postgresql_where=sa.text("vivo = 1 AND devolucion_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_conciliacion_lineas_conciliacion")
    op.drop_table("conciliacion_lineas")
    op.drop_table("compromisos_hechos")
    with op.batch_alter_table("libros_pagador", schema=None) as batch_op:
        batch_op.drop_index("ix_libros_pagador_conciliacion")
    op.drop_table("libros_pagador")
    with op.batch_alter_table("compromisos", schema=None) as batch_op:
        batch_op.drop_index("ix_compromisos_fecha")
        batch_op.drop_index(batch_op.f("ix_compromisos_conciliacion_id"))
    op.drop_table("compromisos")
    with op.batch_alter_table("conciliaciones", schema=None) as batch_op:
        batch_op.drop_index("ix_conciliaciones_prestador_estado")
    op.drop_table("conciliaciones")
