"""Payments, rates and liquidations; dossiers and the documents that a person brings.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from radica.kernel.columns import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ADDED_ONLY = ("pagos_factura", "tasas_usura", "liquidaciones")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tasas_usura",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mes", sa.String(length=7), nullable=False),
        sa.Column("puntos", sa.Integer(), nullable=False),
        sa.Column("fuente", sa.Text(), nullable=False),
        sa.Column("verificacion", sa.String(length=40), nullable=False),
        sa.Column("cargada_at", Instant(), nullable=False),
        sa.Column("cargada_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint("puntos > 0 AND puntos < 20000", name=op.f("ck_tasas_usura_puntos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasas_usura")),
    )
    with op.batch_alter_table("tasas_usura", schema=None) as batch_op:
        batch_op.create_index("ix_tasas_usura_mes", ["mes", "id"], unique=False)

    op.create_table(
        "expedientes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("numero", sa.Integer(), nullable=False),
        sa.Column("via", sa.String(length=40), nullable=False),
        sa.Column("corte", sa.Date(), nullable=False),
        sa.Column("opciones", sa.Text(), nullable=False),
        sa.Column("avance", sa.Text(), nullable=False),
        sa.Column("problema", sa.Text(), nullable=False),
        sa.Column("resumen", sa.Text(), nullable=False),
        sa.Column("bolsa_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("manifiesto_sha256", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("radicado_judicial", sa.String(length=23), nullable=True),
        sa.Column("solicitado_at", Instant(), nullable=False),
        sa.Column("solicitado_por", sa.String(length=120), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "estado <> 'demandado' OR length(radicado_judicial) = 23",
            name=op.f("ck_expedientes_demandado_con_radicado"),
        ),
        sa.CheckConstraint(
            "estado IN ('solicitado', 'listo', 'fallido', 'entregado', 'demandado', 'descartado')",
            name=op.f("ck_expedientes_estado"),
        ),
        sa.CheckConstraint(
            "estado NOT IN ('listo', 'entregado', 'demandado') OR (bolsa_sha256 IS NOT NULL AND manifiesto_sha256 IS NOT NULL)",
            name=op.f("ck_expedientes_listo_con_bolsa"),
        ),
        sa.CheckConstraint("via IN ('ejecutivo', 'declarativo')", name=op.f("ck_expedientes_via")),
        sa.ForeignKeyConstraint(["bolsa_sha256"], ["blobs.sha256"], name=op.f("fk_expedientes_bolsa_sha256_blobs")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_expedientes_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(["pdf_sha256"], ["blobs.sha256"], name=op.f("fk_expedientes_pdf_sha256_blobs")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_expedientes_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expedientes")),
        sa.UniqueConstraint("prestador_id", "numero", name=op.f("uq_expedientes_prestador_id_numero")),
    )
    with op.batch_alter_table("expedientes", schema=None) as batch_op:
        batch_op.create_index("ix_expedientes_prestador_estado", ["prestador_id", "estado"], unique=False)

    op.create_table(
        "documentos_persona",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.Column("fecha", sa.Date(), nullable=False),
        sa.Column("nota", sa.String(length=300), nullable=False),
        sa.Column("pieza_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cargado_at", Instant(), nullable=False),
        sa.Column("cargado_por", sa.String(length=120), nullable=False),
        sa.Column("retirado_at", Instant(), nullable=True),
        sa.Column("retirado_por", sa.String(length=120), nullable=True),
        sa.Column("retiro_motivo", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "tipo IN ('poder', 'certificado_existencia', 'reps', 'contrato', 'autorizacion', 'evento_030', 'evento_031', 'evento_032', 'evento_033', 'evento_034', 'constancia_conciliacion', 'otro')",
            name=op.f("ck_documentos_persona_tipo"),
        ),
        sa.CheckConstraint("(retirado_at IS NULL) = (retirado_por IS NULL)", name=op.f("ck_documentos_persona_retiro")),
        sa.ForeignKeyConstraint(
            ["factura_id"], ["facturas.id"], name=op.f("fk_documentos_persona_factura_id_facturas")
        ),
        sa.ForeignKeyConstraint(
            ["pagador_id"], ["pagadores.id"], name=op.f("fk_documentos_persona_pagador_id_pagadores")
        ),
        sa.ForeignKeyConstraint(["pieza_id"], ["piezas.id"], name=op.f("fk_documentos_persona_pieza_id_piezas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_documentos_persona_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documentos_persona")),
    )
    with op.batch_alter_table("documentos_persona", schema=None) as batch_op:
        batch_op.create_index("ix_documentos_persona_factura", ["factura_id"], unique=False)
        batch_op.create_index("ix_documentos_persona_prestador", ["prestador_id", "tipo"], unique=False)

    op.create_table(
        "expediente_facturas",
        sa.Column("expediente_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orden", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["expediente_id"], ["expedientes.id"], name=op.f("fk_expediente_facturas_expediente_id_expedientes")
        ),
        sa.ForeignKeyConstraint(
            ["factura_id"], ["facturas.id"], name=op.f("fk_expediente_facturas_factura_id_facturas")
        ),
        sa.PrimaryKeyConstraint("expediente_id", "factura_id", name=op.f("pk_expediente_facturas")),
    )
    with op.batch_alter_table("expediente_facturas", schema=None) as batch_op:
        batch_op.create_index("ix_expediente_facturas_factura", ["factura_id"], unique=False)

    op.create_table(
        "liquidaciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("corte", sa.Date(), nullable=False),
        sa.Column("parametros", sa.Text(), nullable=False),
        sa.Column("resultado", sa.Text(), nullable=False),
        sa.Column("capital", sa.BigInteger(), nullable=False),
        sa.Column("intereses", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_liquidaciones_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_liquidaciones_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_liquidaciones")),
    )
    with op.batch_alter_table("liquidaciones", schema=None) as batch_op:
        batch_op.create_index("ix_liquidaciones_factura", ["factura_id", "id"], unique=False)

    op.create_table(
        "pagos_factura",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fecha", sa.Date(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("concepto", sa.String(length=40), nullable=False),
        sa.Column("referencia", sa.String(length=120), nullable=False),
        sa.Column("nota", sa.Text(), nullable=False),
        sa.Column("pieza_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("anula_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("registrado_at", Instant(), nullable=False),
        sa.Column("registrado_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "concepto IN ('pago', 'giro_directo', 'anticipo', 'retencion')", name=op.f("ck_pagos_factura_concepto")
        ),
        sa.CheckConstraint(
            "(anula_id IS NULL AND valor > 0) OR (anula_id IS NOT NULL AND valor < 0)",
            name=op.f("ck_pagos_factura_signo"),
        ),
        sa.ForeignKeyConstraint(
            ["anula_id"], ["pagos_factura.id"], name=op.f("fk_pagos_factura_anula_id_pagos_factura")
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_pagos_factura_factura_id_facturas")),
        sa.ForeignKeyConstraint(["pieza_id"], ["piezas.id"], name=op.f("fk_pagos_factura_pieza_id_piezas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_pagos_factura_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pagos_factura")),
        sa.UniqueConstraint("anula_id", name=op.f("uq_pagos_factura_anula_id")),
    )
    with op.batch_alter_table("pagos_factura", schema=None) as batch_op:
        batch_op.create_index("ix_pagos_factura_factura", ["factura_id", "fecha"], unique=False)

    protect_history(ADDED_ONLY)


def downgrade() -> None:
    """Undo."""
    unprotect_history(ADDED_ONLY)
    with op.batch_alter_table("pagos_factura", schema=None) as batch_op:
        batch_op.drop_index("ix_pagos_factura_factura")

    op.drop_table("pagos_factura")
    with op.batch_alter_table("liquidaciones", schema=None) as batch_op:
        batch_op.drop_index("ix_liquidaciones_factura")

    op.drop_table("liquidaciones")
    with op.batch_alter_table("expediente_facturas", schema=None) as batch_op:
        batch_op.drop_index("ix_expediente_facturas_factura")

    op.drop_table("expediente_facturas")
    with op.batch_alter_table("documentos_persona", schema=None) as batch_op:
        batch_op.drop_index("ix_documentos_persona_prestador")
        batch_op.drop_index("ix_documentos_persona_factura")

    op.drop_table("documentos_persona")
    with op.batch_alter_table("expedientes", schema=None) as batch_op:
        batch_op.drop_index("ix_expedientes_prestador_estado")

    op.drop_table("expedientes")
    with op.batch_alter_table("tasas_usura", schema=None) as batch_op:
        batch_op.drop_index("ix_tasas_usura_mes")

    op.drop_table("tasas_usura")
