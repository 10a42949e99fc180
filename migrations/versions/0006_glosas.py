"""Devoluciones, glosas, their acts, and the lines from which they came.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from radica.kernel.columns import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "devoluciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notificacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("codigo", sa.String(length=12), nullable=False),
        sa.Column("causales", sa.Text(), nullable=False),
        sa.Column("numero", sa.String(length=60), nullable=True),
        sa.Column("motivo", sa.Text(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("notificada_at", Instant(), nullable=False),
        sa.Column("notificada_segun", sa.String(length=20), nullable=False),
        sa.Column("extemporanea", sa.Boolean(), nullable=False),
        sa.Column("dias_pagador", sa.Integer(), nullable=True),
        sa.Column("turno", sa.String(length=10), nullable=False),
        sa.Column("vence", sa.Date(), nullable=True),
        sa.Column("vence_alterno", sa.Date(), nullable=True),
        sa.Column("vence_termino", sa.String(length=12), nullable=True),
        sa.Column("responsable_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pendiente_hasta", sa.Date(), nullable=True),
        sa.Column("pendiente_motivo", sa.String(length=300), nullable=True),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "estado IN ('formulada', 'respondida', 'aceptada', 'aceptada_tacita', 'levantada', 'reiterada', 'conciliada', 'anulada')",
            name=op.f("ck_devoluciones_estado"),
        ),
        sa.CheckConstraint("valor >= 0", name=op.f("ck_devoluciones_valor")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_devoluciones_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["notificacion_id"], ["notificaciones.id"], name=op.f("fk_devoluciones_notificacion_id_notificaciones")
        ),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_devoluciones_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_devoluciones_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(
            ["responsable_id"], ["usuarios.id"], name=op.f("fk_devoluciones_responsable_id_usuarios")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devoluciones")),
    )
    with op.batch_alter_table("devoluciones", schema=None) as batch_op:
        batch_op.create_index("ix_devoluciones_bandeja", ["prestador_id", "turno", "vence", "id"], unique=False)
        batch_op.create_index(
            "uq_devoluciones_factura",
            ["factura_id"],
            unique=True,
            sqlite_where=sa.text("estado <> 'anulada'"),
            postgresql_where=sa.text("estado <> 'anulada'"),
        )
    op.create_table(
        "glosas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notificacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("huella", sa.String(length=64), nullable=False),
        sa.Column("codigo", sa.String(length=12), nullable=False),
        sa.Column("codigo_original", sa.String(length=40), nullable=False),
        sa.Column("familia", sa.String(length=2), nullable=False),
        sa.Column("manual", sa.String(length=40), nullable=False),
        sa.Column("numero_glosa", sa.String(length=60), nullable=True),
        sa.Column("servicio", sa.String(length=60), nullable=True),
        sa.Column("descripcion_servicio", sa.String(length=300), nullable=True),
        sa.Column("motivo", sa.Text(), nullable=False),
        sa.Column("paciente_documento", sa.String(length=40), nullable=True),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("item_confianza", sa.String(length=40), nullable=False),
        sa.Column("valor_objetado", sa.BigInteger(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("exceso", sa.Integer(), nullable=False),
        sa.Column("aceptado", sa.BigInteger(), nullable=False),
        sa.Column("levantado", sa.BigInteger(), nullable=False),
        sa.Column("en_disputa", sa.BigInteger(), nullable=False),
        sa.Column("ronda", sa.Integer(), nullable=False),
        sa.Column("notificada_at", Instant(), nullable=False),
        sa.Column("notificada_segun", sa.String(length=20), nullable=False),
        sa.Column("fecha_segun_pagador", sa.Date(), nullable=True),
        sa.Column("extemporanea", sa.Boolean(), nullable=False),
        sa.Column("dias_pagador", sa.Integer(), nullable=True),
        sa.Column("respondida_at", Instant(), nullable=True),
        sa.Column("decidida_at", Instant(), nullable=True),
        sa.Column("turno", sa.String(length=10), nullable=False),
        sa.Column("vence", sa.Date(), nullable=True),
        sa.Column("vence_alterno", sa.Date(), nullable=True),
        sa.Column("vence_termino", sa.String(length=12), nullable=True),
        sa.Column("responsable_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pendiente_hasta", sa.Date(), nullable=True),
        sa.Column("pendiente_motivo", sa.String(length=300), nullable=True),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "estado IN ('formulada', 'respondida', 'aceptada_parcial', 'aceptada_total', 'aceptada_tacita', 'sin_decision', 'en_subsanacion', 'levantada_parcial', 'subsanada', 'levantada_total', 'definitiva', 'conciliada', 'anulada')",
            name=op.f("ck_glosas_estado"),
        ),
        sa.CheckConstraint(
            "estado NOT IN ('aceptada_total', 'aceptada_tacita', 'levantada_total', 'conciliada', 'anulada') OR en_disputa = 0",
            name=op.f("ck_glosas_final_sin_disputa"),
        ),
        sa.CheckConstraint(
            "item_confianza IN ('exacta', 'alta', 'media', 'baja', 'ninguna')", name=op.f("ck_glosas_item_confianza")
        ),
        sa.CheckConstraint("manual IN ('2284', '3047', 'otro')", name=op.f("ck_glosas_manual")),
        sa.CheckConstraint("turno IN ('ips', 'pagador', '')", name=op.f("ck_glosas_turno")),
        sa.CheckConstraint(
            "exceso = (CASE WHEN valor_objetado > valor THEN 1 ELSE 0 END)", name=op.f("ck_glosas_exceso")
        ),
        sa.CheckConstraint("valor = aceptado + levantado + en_disputa", name=op.f("ck_glosas_identidad")),
        sa.CheckConstraint(
            "valor >= 0 AND aceptado >= 0 AND levantado >= 0 AND en_disputa >= 0 AND valor_objetado >= valor",
            name=op.f("ck_glosas_importes"),
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_glosas_factura_id_facturas")),
        sa.ForeignKeyConstraint(["item_id"], ["items_factura.id"], name=op.f("fk_glosas_item_id_items_factura")),
        sa.ForeignKeyConstraint(
            ["notificacion_id"], ["notificaciones.id"], name=op.f("fk_glosas_notificacion_id_notificaciones")
        ),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_glosas_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_glosas_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["responsable_id"], ["usuarios.id"], name=op.f("fk_glosas_responsable_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glosas")),
        sa.UniqueConstraint("prestador_id", "huella", name=op.f("uq_glosas_prestador_id_huella")),
    )
    with op.batch_alter_table("glosas", schema=None) as batch_op:
        batch_op.create_index(
            "ix_glosas_bandeja",
            [
                "prestador_id",
                "turno",
                "vence",
                "en_disputa",
                "id",
                "pendiente_hasta",
                "responsable_id",
                "pagador_id",
                "codigo",
                "familia",
            ],
            unique=False,
        )
        batch_op.create_index("ix_glosas_dinero", ["prestador_id", "turno", "en_disputa", "id"], unique=False)
        batch_op.create_index("ix_glosas_factura", ["factura_id"], unique=False)
        batch_op.create_index("ix_glosas_numero", ["prestador_id", "numero_glosa"], unique=False)
        batch_op.create_index("ix_glosas_pagador", ["prestador_id", "pagador_id", "codigo"], unique=False)
        batch_op.create_index("ix_glosas_prestador_estado", ["prestador_id", "estado"], unique=False)
        batch_op.create_index("ix_glosas_responsable", ["responsable_id", "turno", "vence"], unique=False)
    op.create_table(
        "actos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("glosa_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("devolucion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.Column("ronda", sa.Integer(), nullable=False),
        sa.Column("autor", sa.String(length=10), nullable=False),
        sa.Column("codigo", sa.String(length=12), nullable=True),
        sa.Column("aceptado", sa.BigInteger(), nullable=False),
        sa.Column("levantado", sa.BigInteger(), nullable=False),
        sa.Column("texto", sa.Text(), nullable=False),
        sa.Column("ocurrido_at", Instant(), nullable=False),
        sa.Column("registrado_at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("nivel_prueba", sa.Integer(), nullable=False),
        sa.Column("evidencia", sa.Text(), nullable=False),
        sa.Column("plazo", sa.Text(), nullable=False),
        sa.Column("siifa_vence", Instant(), nullable=True),
        sa.CheckConstraint(
            "tipo IN ('notificacion', 'respuesta', 'decision', 'subsanacion', 'silencio', 'conciliacion', 'correccion')",
            name=op.f("ck_actos_tipo"),
        ),
        sa.CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name=op.f("ck_actos_uno")),
        sa.CheckConstraint("aceptado >= 0 AND levantado >= 0", name=op.f("ck_actos_importes")),
        sa.ForeignKeyConstraint(
            ["devolucion_id"], ["devoluciones.id"], name=op.f("fk_actos_devolucion_id_devoluciones")
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_actos_factura_id_facturas")),
        sa.ForeignKeyConstraint(["glosa_id"], ["glosas.id"], name=op.f("fk_actos_glosa_id_glosas")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_actos_prestador_id_prestadores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actos")),
    )
    with op.batch_alter_table("actos", schema=None) as batch_op:
        batch_op.create_index("ix_actos_devolucion", ["devolucion_id"], unique=False)
        batch_op.create_index("ix_actos_factura", ["factura_id", "ocurrido_at"], unique=False)
        batch_op.create_index("ix_actos_glosa", ["glosa_id"], unique=False)
        batch_op.create_index("ix_actos_siifa", ["prestador_id", "siifa_vence"], unique=False)
    op.create_table(
        "lineas_notificadas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notificacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hoja", sa.String(length=80), nullable=False),
        sa.Column("fila", sa.Integer(), nullable=False),
        sa.Column("destino", sa.String(length=40), nullable=False),
        sa.Column("razon", sa.String(length=60), nullable=True),
        sa.Column("motivo", sa.Text(), nullable=True),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("contenido", sa.Text(), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("glosa_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("devolucion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resuelta_at", Instant(), nullable=True),
        sa.Column("resuelta_por", sa.String(length=120), nullable=True),
        sa.Column("marca_descarte", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "destino IN ('cargada', 'repetida', 'aplicada', 'sin_cruzar', 'por_decidir', 'no_leida', 'descartada')",
            name=op.f("ck_lineas_notificadas_destino"),
        ),
        sa.ForeignKeyConstraint(
            ["devolucion_id"], ["devoluciones.id"], name=op.f("fk_lineas_notificadas_devolucion_id_devoluciones")
        ),
        sa.ForeignKeyConstraint(
            ["factura_id"], ["facturas.id"], name=op.f("fk_lineas_notificadas_factura_id_facturas")
        ),
        sa.ForeignKeyConstraint(["glosa_id"], ["glosas.id"], name=op.f("fk_lineas_notificadas_glosa_id_glosas")),
        sa.ForeignKeyConstraint(
            ["notificacion_id"],
            ["notificaciones.id"],
            name=op.f("fk_lineas_notificadas_notificacion_id_notificaciones"),
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_lineas_notificadas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineas_notificadas")),
    )
    with op.batch_alter_table("lineas_notificadas", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lineas_notificadas_bandeja",
            ["prestador_id", "id"],
            unique=False,
            sqlite_where=sa.text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
            postgresql_where=sa.text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
        )
        batch_op.create_index(
            "ix_lineas_notificadas_descartadas",
            ["prestador_id", "marca_descarte"],
            unique=False,
            sqlite_where=sa.text("marca_descarte IS NOT NULL"),
            postgresql_where=sa.text("marca_descarte IS NOT NULL"),
        )
        batch_op.create_index("ix_lineas_notificadas_notificacion", ["notificacion_id", "id"], unique=False)
    op.create_table(
        "registros_siifa",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("acto_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registrado_at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("referencia", sa.String(length=120), nullable=False),
        sa.Column("evidencia", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["acto_id"], ["actos.id"], name=op.f("fk_registros_siifa_acto_id_actos")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_registros_siifa_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registros_siifa")),
        sa.UniqueConstraint("acto_id", name=op.f("uq_registros_siifa_acto_id")),
    )
    protect_history(("actos", "registros_siifa"))


def downgrade() -> None:
    """Undo."""
    unprotect_history(("actos", "registros_siifa"))
    op.drop_table("registros_siifa")
    with op.batch_alter_table("lineas_notificadas", schema=None) as batch_op:
        batch_op.drop_index("ix_lineas_notificadas_notificacion")
        batch_op.drop_index(
            "ix_lineas_notificadas_descartadas",
            sqlite_where=sa.text("marca_descarte IS NOT NULL"),
            postgresql_where=sa.text("marca_descarte IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_lineas_notificadas_bandeja",
            sqlite_where=sa.text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
            postgresql_where=sa.text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
        )
    op.drop_table("lineas_notificadas")
    with op.batch_alter_table("actos", schema=None) as batch_op:
        batch_op.drop_index("ix_actos_siifa")
        batch_op.drop_index("ix_actos_glosa")
        batch_op.drop_index("ix_actos_factura")
        batch_op.drop_index("ix_actos_devolucion")
    op.drop_table("actos")
    with op.batch_alter_table("glosas", schema=None) as batch_op:
        batch_op.drop_index("ix_glosas_responsable")
        batch_op.drop_index("ix_glosas_prestador_estado")
        batch_op.drop_index("ix_glosas_pagador")
        batch_op.drop_index("ix_glosas_numero")
        batch_op.drop_index("ix_glosas_factura")
        batch_op.drop_index("ix_glosas_dinero")
        batch_op.drop_index("ix_glosas_bandeja")
    op.drop_table("glosas")
    with op.batch_alter_table("devoluciones", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_devoluciones_factura",
            sqlite_where=sa.text("estado <> 'anulada'"),
            postgresql_where=sa.text("estado <> 'anulada'"),
        )
        batch_op.drop_index("ix_devoluciones_bandeja")
    op.drop_table("devoluciones")
