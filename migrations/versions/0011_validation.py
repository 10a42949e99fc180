"""Validation: origin and weight of findings, verdicts, catalogues, the MUV, contracts and tariffs, lineage of files.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from migrations.restate import restate_values
from radica.kernel.columns import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ADDED_ONLY = ("validaciones", "catalogos_cargados", "otrosies", "precios", "tarifas_aplicadas", "linajes")

CLASES = (
    "confirmar_resultado",
    "conseguir_numero",
    "atender_portal",
    "anular_y_reexpedir",
    "corregir_rechazo",
    "radicada_por_fuera",
    "emitir_nota_credito",
    "aprobar_respuesta",
    "revisar_silencio",
    "decidir_glosa",
    "nota_ajuste_rips",
    "compromiso_incumplido",
    "revisar_custodia",
    "vigilar_prescripcion",
    "revisar_acceso",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "catalogos_cargados",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("nombre", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filas", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("vigente_desde", sa.Date(), nullable=True),
        sa.Column("cargado_at", Instant(), nullable=False),
        sa.Column("cargado_por", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogos_cargados")),
        sa.UniqueConstraint("nombre", "sha256", name=op.f("uq_catalogos_cargados_nombre_sha256")),
    )
    with op.batch_alter_table("catalogos_cargados", schema=None) as batch_op:
        batch_op.create_index("ix_catalogos_cargados_nombre", ["nombre", "id"], unique=False)

    op.create_table(
        "contratos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("numero", sa.String(length=80), nullable=False),
        sa.Column("cucon", sa.String(length=80), nullable=True),
        sa.Column("modalidad", sa.String(length=10), nullable=False),
        sa.Column("desde", sa.Date(), nullable=False),
        sa.Column("hasta", sa.Date(), nullable=True),
        sa.Column("dias_pago", sa.Integer(), nullable=True),
        sa.Column("autorizacion", sa.Text(), nullable=False),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.Column("creado_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint("dias_pago IS NULL OR dias_pago > 0", name=op.f("ck_contratos_dias_pago")),
        sa.CheckConstraint("hasta IS NULL OR desde <= hasta", name=op.f("ck_contratos_vigencia")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_contratos_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_contratos_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contratos")),
        sa.UniqueConstraint(
            "prestador_id",
            "pagador_id",
            "numero",
            "desde",
            name=op.f("uq_contratos_prestador_id_pagador_id_numero_desde"),
        ),
    )
    with op.batch_alter_table("contratos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contratos_pagador_id"), ["pagador_id"], unique=False)

    op.create_table(
        "otrosies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contrato_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("numero", sa.Integer(), nullable=False),
        sa.Column("desde", sa.Date(), nullable=False),
        sa.Column("hasta", sa.Date(), nullable=True),
        sa.Column("cucon", sa.String(length=80), nullable=True),
        sa.Column("dias_pago", sa.Integer(), nullable=True),
        sa.Column("autorizacion", sa.Text(), nullable=False),
        sa.Column("nota", sa.Text(), nullable=False),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.Column("creado_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint("dias_pago IS NULL OR dias_pago > 0", name=op.f("ck_otrosies_dias_pago")),
        sa.CheckConstraint("hasta IS NULL OR desde <= hasta", name=op.f("ck_otrosies_vigencia")),
        sa.ForeignKeyConstraint(["contrato_id"], ["contratos.id"], name=op.f("fk_otrosies_contrato_id_contratos")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_otrosies_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otrosies")),
        sa.UniqueConstraint("contrato_id", "numero", name=op.f("uq_otrosies_contrato_id_numero")),
    )

    op.create_table(
        "cuentas_muv",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activa", sa.Boolean(), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("tipo_usuario", sa.String(length=5), nullable=False),
        sa.Column("tipo_documento", sa.String(length=5), nullable=False),
        sa.Column("credencial_cifrada", sa.LargeBinary(), nullable=False),
        sa.Column("certificado_pem", sa.Text(), nullable=True),
        sa.Column("limites", sa.Text(), nullable=False),
        sa.Column("cambiada_at", Instant(), nullable=False),
        sa.Column("cambiada_por", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_cuentas_muv_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cuentas_muv")),
        sa.UniqueConstraint("prestador_id", name=op.f("uq_cuentas_muv_prestador_id")),
    )
    op.create_table(
        "envios_muv",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("modulo", sa.String(length=40), nullable=False),
        sa.Column("huella", sa.String(length=64), nullable=False),
        sa.Column("vivo", sa.Integer(), nullable=False),
        sa.Column("resultado", sa.String(length=20), nullable=False),
        sa.Column("pedido_at", Instant(), nullable=False),
        sa.Column("pedido_por", sa.String(length=120), nullable=False),
        sa.Column("enviado_at", Instant(), nullable=True),
        sa.Column("terminado_at", Instant(), nullable=True),
        sa.Column("proceso", sa.String(length=40), nullable=True),
        sa.Column("cuv", sa.String(length=96), nullable=True),
        sa.Column("http", sa.Integer(), nullable=True),
        sa.Column("codigo", sa.String(length=60), nullable=True),
        sa.Column("detalle", sa.Text(), nullable=False),
        sa.Column("evidencia_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_envios_muv_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_envios_muv_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envios_muv")),
    )
    with op.batch_alter_table("envios_muv", schema=None) as batch_op:
        batch_op.create_index("ix_envios_muv_factura", ["factura_id", "id"], unique=False)
        batch_op.create_index(
            "uq_envios_muv_vivo",
            ["prestador_id", "modulo", "huella"],
            unique=True,
            sqlite_where=sa.text("vivo = 1"),
            postgresql_where=sa.text("vivo = 1"),
        )

    op.create_table(
        "hallazgos_aceptados",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("codigo", sa.String(length=40), nullable=False),
        sa.Column("lugar", sa.String(length=300), nullable=False),
        sa.Column("huella", sa.String(length=64), nullable=False),
        sa.Column("dicho", sa.String(length=64), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=True),
        sa.Column("motivo", sa.Text(), nullable=False),
        sa.Column("aceptado_at", Instant(), nullable=False),
        sa.Column("aceptado_por", sa.String(length=120), nullable=False),
        sa.Column("retirado_at", Instant(), nullable=True),
        sa.Column("retirado_por", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["factura_id"], ["facturas.id"], name=op.f("fk_hallazgos_aceptados_factura_id_facturas")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_hallazgos_aceptados_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hallazgos_aceptados")),
    )
    with op.batch_alter_table("hallazgos_aceptados", schema=None) as batch_op:
        batch_op.create_index(
            "uq_hallazgos_aceptados_vivo",
            ["factura_id", "codigo", "lugar", "huella", "dicho"],
            unique=True,
            sqlite_where=sa.text("retirado_at IS NULL"),
            postgresql_where=sa.text("retirado_at IS NULL"),
        )

    op.create_table(
        "tarifarios",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contrato_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("origen_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("nombre", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base", sa.String(length=20), nullable=False),
        sa.Column("factor", sa.Integer(), nullable=False),
        sa.Column("redondeo", sa.String(length=10), server_default="peso", nullable=False),
        sa.Column("desde", sa.Date(), nullable=False),
        sa.Column("hasta", sa.Date(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filas", sa.Integer(), nullable=False),
        sa.Column("cargado_at", Instant(), nullable=False),
        sa.Column("cargado_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint("hasta IS NULL OR desde <= hasta", name=op.f("ck_tarifarios_vigencia")),
        sa.ForeignKeyConstraint(["contrato_id"], ["contratos.id"], name=op.f("fk_tarifarios_contrato_id_contratos")),
        sa.ForeignKeyConstraint(["origen_id"], ["tarifarios.id"], name=op.f("fk_tarifarios_origen_id_tarifarios")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_tarifarios_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tarifarios")),
        sa.UniqueConstraint("contrato_id", "nombre", "version", name=op.f("uq_tarifarios_contrato_id_nombre_version")),
    )
    with op.batch_alter_table("tarifarios", schema=None) as batch_op:
        batch_op.create_index(
            "uq_tarifarios_base",
            ["prestador_id", "nombre", "version"],
            unique=True,
            sqlite_where=sa.text("contrato_id IS NULL"),
            postgresql_where=sa.text("contrato_id IS NULL"),
        )

    op.create_table(
        "tarifas_aplicadas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contrato_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("por", sa.String(length=120), nullable=False),
        sa.Column("lineas", sa.Text(), nullable=False),
        sa.Column("de_mas", sa.BigInteger(), nullable=False),
        sa.Column("de_menos", sa.BigInteger(), nullable=False),
        sa.Column("sin_pactar", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["contrato_id"], ["contratos.id"], name=op.f("fk_tarifas_aplicadas_contrato_id_contratos")
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_tarifas_aplicadas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tarifas_aplicadas")),
    )
    with op.batch_alter_table("tarifas_aplicadas", schema=None) as batch_op:
        batch_op.create_index("ix_tarifas_aplicadas_factura", ["factura_id", "id"], unique=False)

    op.create_table(
        "validaciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("facturador", sa.String(length=120), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("fecha_reglas", sa.Date(), nullable=False),
        sa.Column("huella", sa.String(length=64), nullable=False),
        sa.Column("completa", sa.Boolean(), nullable=False),
        sa.Column("primera", sa.Boolean(), nullable=False),
        sa.Column("rechazos", sa.Integer(), nullable=False),
        sa.Column("notificaciones", sa.Integer(), nullable=False),
        sa.Column("avisos", sa.Integer(), nullable=False),
        sa.Column("no_decidibles", sa.Integer(), nullable=False),
        sa.Column("codigos", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_validaciones_factura_id_facturas")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_validaciones_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_validaciones_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validaciones")),
    )
    with op.batch_alter_table("validaciones", schema=None) as batch_op:
        batch_op.create_index("ix_validaciones_factura", ["factura_id", "id"], unique=False)
        batch_op.create_index("ix_validaciones_prestador", ["prestador_id", "at"], unique=False)

    op.create_table(
        "linajes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("envio_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sha256_original", sa.String(length=64), nullable=False),
        sa.Column("operacion", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("sha256_enviado", sa.String(length=64), nullable=False),
        sa.Column("orden", sa.Integer(), nullable=False),
        sa.Column("paginas_original", sa.Integer(), nullable=False),
        sa.Column("paginas_enviado", sa.Integer(), nullable=False),
        sa.Column("texto_igual", sa.Boolean(), nullable=False),
        sa.Column("prueba", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["envio_id"], ["envios.id"], name=op.f("fk_linajes_envio_id_envios")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_linajes_factura_id_facturas")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_linajes_prestador_id_prestadores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linajes")),
    )
    with op.batch_alter_table("linajes", schema=None) as batch_op:
        batch_op.create_index("ix_linajes_enviado", ["sha256_enviado"], unique=False)
        batch_op.create_index("ix_linajes_factura", ["factura_id"], unique=False)

    op.create_table(
        "precios",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tarifario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("codigo", sa.String(length=40), nullable=False),
        sa.Column("cups", sa.String(length=40), nullable=True),
        sa.Column("descripcion", sa.Text(), nullable=False),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("valor >= 0", name=op.f("ck_precios_valor")),
        sa.ForeignKeyConstraint(["tarifario_id"], ["tarifarios.id"], name=op.f("fk_precios_tarifario_id_tarifarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precios")),
        sa.UniqueConstraint("tarifario_id", "codigo", "cups", name=op.f("uq_precios_tarifario_id_codigo_cups")),
    )
    with op.batch_alter_table("precios", schema=None) as batch_op:
        batch_op.create_index(
            "ix_precios_cups",
            ["tarifario_id", "cups"],
            unique=False,
            sqlite_where=sa.text("cups IS NOT NULL"),
            postgresql_where=sa.text("cups IS NOT NULL"),
        )

    with op.batch_alter_table("hallazgos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origen", sa.String(length=40), server_default="revision", nullable=False))
        batch_op.add_column(sa.Column("clase", sa.String(length=20), server_default="", nullable=False))
        batch_op.add_column(sa.Column("quien", sa.String(length=30), server_default="facturacion", nullable=False))
        batch_op.add_column(sa.Column("fuente", sa.String(length=30), server_default="", nullable=False))
        batch_op.add_column(sa.Column("linea", sa.Integer(), nullable=True))

    op.create_table(
        "huellas_servicio",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clave", sa.String(length=64), nullable=False),
        sa.Column("ruta", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_huellas_servicio_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_huellas_servicio_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huellas_servicio")),
    )
    with op.batch_alter_table("huellas_servicio", schema=None) as batch_op:
        batch_op.create_index("ix_huellas_servicio_clave", ["prestador_id", "clave"], unique=False)
        batch_op.create_index("ix_huellas_servicio_factura", ["factura_id"], unique=False)

    # Plain additions: a rebuild of a table would lose the triggers of others that speak of it.
    op.add_column("facturas", sa.Column("huella_documentos", sa.String(length=64), nullable=True))
    op.add_column("prestadores", sa.Column("limite_aceptacion", sa.BigInteger(), nullable=True))
    op.add_column("hallazgos", sa.Column("valor", sa.BigInteger(), nullable=True))
    op.add_column("facturas", sa.Column("por_juzgar", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_facturas_por_juzgar",
        "facturas",
        ["id"],
        unique=False,
        sqlite_where=sa.text("por_juzgar = 1"),
        postgresql_where=sa.text("por_juzgar = 1"),
    )

    restate_values("tareas", "clase", (*CLASES, "comprobacion_fallida"))
    protect_history(ADDED_ONLY)


def downgrade() -> None:
    """Undo."""
    unprotect_history(ADDED_ONLY)
    restate_values("tareas", "clase", CLASES)
    op.drop_index("ix_facturas_por_juzgar", table_name="facturas")
    op.drop_column("facturas", "por_juzgar")
    op.drop_column("hallazgos", "valor")
    op.drop_column("prestadores", "limite_aceptacion")
    op.drop_column("facturas", "huella_documentos")
    op.drop_table("huellas_servicio")
    with op.batch_alter_table("hallazgos", schema=None) as batch_op:
        batch_op.drop_column("linea")
        batch_op.drop_column("fuente")
        batch_op.drop_column("quien")
        batch_op.drop_column("clase")
        batch_op.drop_column("origen")

    with op.batch_alter_table("precios", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_precios_cups", sqlite_where=sa.text("cups IS NOT NULL"), postgresql_where=sa.text("cups IS NOT NULL")
        )

    op.drop_table("precios")
    with op.batch_alter_table("linajes", schema=None) as batch_op:
        batch_op.drop_index("ix_linajes_factura")
        batch_op.drop_index("ix_linajes_enviado")

    op.drop_table("linajes")
    with op.batch_alter_table("validaciones", schema=None) as batch_op:
        batch_op.drop_index("ix_validaciones_prestador")
        batch_op.drop_index("ix_validaciones_factura")

    op.drop_table("validaciones")
    with op.batch_alter_table("tarifas_aplicadas", schema=None) as batch_op:
        batch_op.drop_index("ix_tarifas_aplicadas_factura")

    op.drop_table("tarifas_aplicadas")
    with op.batch_alter_table("tarifarios", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tarifarios_base",
            sqlite_where=sa.text("contrato_id IS NULL"),
            postgresql_where=sa.text("contrato_id IS NULL"),
        )

    op.drop_table("tarifarios")
    with op.batch_alter_table("hallazgos_aceptados", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_hallazgos_aceptados_vivo",
            sqlite_where=sa.text("retirado_at IS NULL"),
            postgresql_where=sa.text("retirado_at IS NULL"),
        )

    op.drop_table("hallazgos_aceptados")
    with op.batch_alter_table("envios_muv", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_envios_muv_vivo", sqlite_where=sa.text("vivo = 1"), postgresql_where=sa.text("vivo = 1")
        )
        batch_op.drop_index("ix_envios_muv_factura")

    op.drop_table("envios_muv")
    op.drop_table("cuentas_muv")
    op.drop_table("otrosies")
    with op.batch_alter_table("contratos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contratos_pagador_id"))

    op.drop_table("contratos")
    with op.batch_alter_table("catalogos_cargados", schema=None) as batch_op:
        batch_op.drop_index("ix_catalogos_cargados_nombre")

    op.drop_table("catalogos_cargados")
