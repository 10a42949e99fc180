"""Invoices, documents, findings and the tray.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from radica.kernel.columns import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cargas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("origen", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("iniciada_at", Instant(), nullable=False),
        sa.Column("terminada_at", Instant(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("hechos", sa.Integer(), nullable=False),
        sa.Column("facturas_nuevas", sa.Integer(), nullable=False),
        sa.Column("facturas_completadas", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_cargas_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_cargas_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cargas")),
    )
    with op.batch_alter_table("cargas", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cargas_prestador_id"), ["prestador_id"], unique=False)
    op.create_table(
        "facturas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("numero", sa.String(length=40), nullable=False),
        sa.Column("numero_clave", sa.String(length=40), nullable=False),
        sa.Column("numero_digitos", sa.String(length=30), nullable=False),
        sa.Column("cufe", sa.String(length=96), nullable=True),
        sa.Column("cufe_comprobado", sa.String(length=40), nullable=True),
        sa.Column("cuv", sa.String(length=96), nullable=True),
        sa.Column("tipo_operacion", sa.String(length=30), nullable=True),
        sa.Column("expedida_at", Instant(), nullable=True),
        sa.Column("validada_dian_at", Instant(), nullable=True),
        sa.Column("servicio_desde", sa.Date(), nullable=True),
        sa.Column("servicio_hasta", sa.Date(), nullable=True),
        sa.Column("valor", sa.BigInteger(), nullable=True),
        sa.Column("valor_bruto", sa.BigInteger(), nullable=True),
        sa.Column("pago_moderador", sa.BigInteger(), nullable=True),
        sa.Column("usuarios", sa.Integer(), nullable=True),
        sa.Column("vence_radicar", sa.Date(), nullable=True),
        sa.Column("nivel_prueba", sa.Integer(), nullable=False),
        sa.Column("radicado", sa.String(length=120), nullable=True),
        sa.Column("fecha_radicacion", Instant(), nullable=True),
        sa.Column("extemporanea_por", sa.String(length=120), nullable=True),
        sa.Column("extemporanea_motivo", sa.Text(), nullable=True),
        sa.Column("creada_at", Instant(), nullable=False),
        sa.Column("revisada_at", Instant(), nullable=True),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cufe_comprobado IN ('coincide', 'difiere', 'no_verificable')", name=op.f("ck_facturas_cufe_comprobado")
        ),
        sa.CheckConstraint(
            "estado <> 'radicada' OR (radicado IS NOT NULL AND fecha_radicacion IS NOT NULL AND nivel_prueba >= 2)",
            name=op.f("ck_facturas_radicada_con_prueba"),
        ),
        sa.CheckConstraint(
            "estado <> 'recibida_sin_numero' OR nivel_prueba >= 1", name=op.f("ck_facturas_recibida_con_prueba")
        ),
        sa.CheckConstraint(
            "estado IN ('incompleta', 'no_lista', 'lista', 'en_radicacion', 'recibida_sin_numero', 'radicada', 'por_anular', 'anulada')",
            name=op.f("ck_facturas_estado"),
        ),
        sa.CheckConstraint("nivel_prueba BETWEEN 0 AND 4", name=op.f("ck_facturas_nivel")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_facturas_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_facturas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facturas")),
        sa.UniqueConstraint("prestador_id", "numero_clave", name=op.f("uq_facturas_prestador_id_numero_clave")),
    )
    with op.batch_alter_table("facturas", schema=None) as batch_op:
        batch_op.create_index("ix_facturas_cufe", ["cufe"], unique=False)
        batch_op.create_index("ix_facturas_digitos", ["prestador_id", "numero_digitos"], unique=False)
        batch_op.create_index(batch_op.f("ix_facturas_pagador_id"), ["pagador_id"], unique=False)
        batch_op.create_index("ix_facturas_prestador_cuv", ["prestador_id", "cuv"], unique=False)
        batch_op.create_index("ix_facturas_prestador_estado", ["prestador_id", "estado"], unique=False)
        batch_op.create_index("ix_facturas_prestador_expedicion", ["prestador_id", "expedida_at", "id"], unique=False)
        batch_op.create_index("ix_facturas_radicado", ["radicado"], unique=False)
    op.create_table(
        "carga_archivos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("carga_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ruta", sa.String(length=500), nullable=False),
        sa.Column("resultado", sa.String(length=40), nullable=False),
        sa.Column("tipo", sa.String(length=40), nullable=True),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("motivo", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "resultado IN ('cargado', 'duplicado', 'no_reconocido')", name=op.f("ck_carga_archivos_resultado")
        ),
        sa.ForeignKeyConstraint(["carga_id"], ["cargas.id"], name=op.f("fk_carga_archivos_carga_id_cargas")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_carga_archivos_factura_id_facturas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carga_archivos")),
    )
    with op.batch_alter_table("carga_archivos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carga_archivos_carga_id"), ["carga_id"], unique=False)
    op.create_table(
        "documentos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("clave_espera", sa.String(length=120), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.Column("sigla", sa.String(length=20), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("datos", sa.Text(), nullable=False),
        sa.Column("vigente", sa.Boolean(), nullable=False),
        sa.Column("cargado_at", Instant(), nullable=False),
        sa.Column("cargado_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "tipo IN ('FEV', 'INVOICE', 'NOTA_CREDITO', 'NOTA_DEBITO', 'RESPUESTA_DIAN', 'RIPS', 'CUV', 'SOPORTE')",
            name=op.f("ck_documentos_tipo"),
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_documentos_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_documentos_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_documentos_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documentos")),
        sa.UniqueConstraint(
            "prestador_id",
            "factura_id",
            "sha256",
            "tipo",
            "sigla",
            name=op.f("uq_documentos_prestador_id_factura_id_sha256_tipo_sigla"),
        ),
    )
    with op.batch_alter_table("documentos", schema=None) as batch_op:
        batch_op.create_index("ix_documentos_espera", ["prestador_id", "clave_espera"], unique=False)
        batch_op.create_index("ix_documentos_factura", ["factura_id"], unique=False)
        batch_op.create_index("ix_documentos_prestador_sha", ["prestador_id", "sha256"], unique=False)
    op.create_table(
        "hallazgos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("codigo", sa.String(length=40), nullable=False),
        sa.Column("severidad", sa.String(length=40), nullable=False),
        sa.Column("lugar", sa.String(length=300), nullable=False),
        sa.Column("mensaje", sa.Text(), nullable=False),
        sa.Column("que_hacer", sa.Text(), nullable=False),
        sa.Column("norma", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("severidad IN ('bloqueo', 'aviso', 'info')", name=op.f("ck_hallazgos_severidad")),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_hallazgos_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_hallazgos_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hallazgos")),
    )
    with op.batch_alter_table("hallazgos", schema=None) as batch_op:
        batch_op.create_index("ix_hallazgos_factura", ["factura_id"], unique=False)
    op.create_table(
        "no_reconocidos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("duenio", sa.String(length=40), nullable=False),
        sa.Column("carga_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("codigo", sa.String(length=40), nullable=False),
        sa.Column("motivo", sa.Text(), nullable=False),
        sa.Column("recibido_at", Instant(), nullable=False),
        sa.Column("resuelto_at", Instant(), nullable=True),
        sa.Column("resuelto_por", sa.String(length=120), nullable=True),
        sa.Column("resolucion", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["carga_id"], ["cargas.id"], name=op.f("fk_no_reconocidos_carga_id_cargas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_no_reconocidos_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuarios.id"], name=op.f("fk_no_reconocidos_usuario_id_usuarios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_no_reconocidos")),
    )
    with op.batch_alter_table("no_reconocidos", schema=None) as batch_op:
        batch_op.create_index("ix_no_reconocidos_prestador", ["prestador_id", "resuelto_at"], unique=False)
        batch_op.create_index("ix_no_reconocidos_usuario", ["usuario_id", "resuelto_at"], unique=False)
        batch_op.create_index(
            "uq_no_reconocidos_abierto",
            ["duenio", "sha256", "nombre"],
            unique=True,
            sqlite_where=sa.text("resuelto_at IS NULL"),
            postgresql_where=sa.text("resuelto_at IS NULL"),
        )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("no_reconocidos", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_no_reconocidos_abierto",
            sqlite_where=sa.text("resuelto_at IS NULL"),
            postgresql_where=sa.text("resuelto_at IS NULL"),
        )
        batch_op.drop_index("ix_no_reconocidos_usuario")
        batch_op.drop_index("ix_no_reconocidos_prestador")
    op.drop_table("no_reconocidos")
    with op.batch_alter_table("hallazgos", schema=None) as batch_op:
        batch_op.drop_index("ix_hallazgos_factura")
    op.drop_table("hallazgos")
    with op.batch_alter_table("documentos", schema=None) as batch_op:
        batch_op.drop_index("ix_documentos_prestador_sha")
        batch_op.drop_index("ix_documentos_factura")
        batch_op.drop_index("ix_documentos_espera")
    op.drop_table("documentos")
    with op.batch_alter_table("carga_archivos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carga_archivos_carga_id"))
    op.drop_table("carga_archivos")
    with op.batch_alter_table("facturas", schema=None) as batch_op:
        batch_op.drop_index("ix_facturas_radicado")
        batch_op.drop_index("ix_facturas_prestador_expedicion")
        batch_op.drop_index("ix_facturas_prestador_estado")
        batch_op.drop_index("ix_facturas_prestador_cuv")
        batch_op.drop_index(batch_op.f("ix_facturas_pagador_id"))
        batch_op.drop_index("ix_facturas_digitos")
        batch_op.drop_index("ix_facturas_cufe")
    op.drop_table("facturas")
    with op.batch_alter_table("cargas", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cargas_prestador_id"))
    op.drop_table("cargas")
