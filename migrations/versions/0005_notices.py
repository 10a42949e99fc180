"""Mailboxes, mails, notices and the services they object to.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from radica.kernel.columns import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "buzones_correo",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("servidor", sa.String(length=200), nullable=False),
        sa.Column("puerto", sa.Integer(), nullable=False),
        sa.Column("seguridad", sa.String(length=10), nullable=False),
        sa.Column("usuario", sa.String(length=200), nullable=False),
        sa.Column("clave_cifrada", sa.LargeBinary(), nullable=False),
        sa.Column("carpeta", sa.String(length=200), nullable=False),
        sa.Column("marcar_leido", sa.Boolean(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("ultimo_uid", sa.BigInteger(), nullable=False),
        sa.Column("activo", sa.Boolean(), nullable=False),
        sa.Column("leido_at", Instant(), nullable=True),
        sa.Column("fallo", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_buzones_correo_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buzones_correo")),
        sa.UniqueConstraint(
            "prestador_id",
            "servidor",
            "usuario",
            "carpeta",
            name=op.f("uq_buzones_correo_prestador_id_servidor_usuario_carpeta"),
        ),
    )
    op.create_table(
        "correos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buzon_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("remitente", sa.String(length=320), nullable=False),
        sa.Column("asunto", sa.String(length=500), nullable=False),
        sa.Column("enviado_at", Instant(), nullable=True),
        sa.Column("llegada_at", Instant(), nullable=False),
        sa.Column("leido_at", Instant(), nullable=False),
        sa.Column("clase", sa.String(length=40), nullable=False),
        sa.Column("razones", sa.Text(), nullable=False),
        sa.Column("problema", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "clase IN ('glosa', 'devolucion', 'decision', 'acuse', 'otro')", name=op.f("ck_correos_clase")
        ),
        sa.ForeignKeyConstraint(["buzon_id"], ["buzones_correo.id"], name=op.f("fk_correos_buzon_id_buzones_correo")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_correos_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_correos_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correos")),
        sa.UniqueConstraint("prestador_id", "sha256", name=op.f("uq_correos_prestador_id_sha256")),
    )
    with op.batch_alter_table("correos", schema=None) as batch_op:
        batch_op.create_index("ix_correos_llegada", ["prestador_id", "llegada_at"], unique=False)
        batch_op.create_index("ix_correos_message", ["prestador_id", "message_id"], unique=False)
    op.create_table(
        "items_factura",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factura_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("documento_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tipo", sa.String(length=30), nullable=False),
        sa.Column("usuario", sa.Integer(), nullable=False),
        sa.Column("consecutivo", sa.Integer(), nullable=False),
        sa.Column("codigo", sa.String(length=40), nullable=False),
        sa.Column("descripcion", sa.String(length=300), nullable=False),
        sa.Column("paciente_documento", sa.String(length=40), nullable=True),
        sa.Column("valor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["documento_id"], ["documentos.id"], name=op.f("fk_items_factura_documento_id_documentos")
        ),
        sa.ForeignKeyConstraint(["factura_id"], ["facturas.id"], name=op.f("fk_items_factura_factura_id_facturas")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_items_factura_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items_factura")),
        sa.UniqueConstraint(
            "factura_id",
            "documento_id",
            "usuario",
            "tipo",
            "consecutivo",
            name=op.f("uq_items_factura_factura_id_documento_id_usuario_tipo_consecutivo"),
        ),
    )
    with op.batch_alter_table("items_factura", schema=None) as batch_op:
        batch_op.create_index("ix_items_factura_codigo", ["factura_id", "codigo"], unique=False)
    op.create_table(
        "notificaciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("origen", sa.String(length=10), nullable=False),
        sa.Column("formato", sa.String(length=40), nullable=False),
        sa.Column("confianza", sa.Integer(), nullable=False),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("parte", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("correo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recibida_at", Instant(), nullable=False),
        sa.Column("recibida_segun", sa.String(length=20), nullable=False),
        sa.Column("cargada_at", Instant(), nullable=False),
        sa.Column("cargada_por", sa.String(length=120), nullable=False),
        sa.Column("total_leido", sa.BigInteger(), nullable=False),
        sa.Column("total_declarado", sa.BigInteger(), nullable=True),
        sa.Column("lineas", sa.Integer(), nullable=False),
        sa.Column("nuevas", sa.Integer(), nullable=False),
        sa.Column("repetidas", sa.Integer(), nullable=False),
        sa.Column("sin_cruzar", sa.Integer(), nullable=False),
        sa.Column("no_leidas", sa.Integer(), nullable=False),
        sa.Column("avisos", sa.Text(), nullable=False),
        sa.Column("terminada_at", Instant(), nullable=True),
        sa.CheckConstraint("origen IN ('archivo', 'correo', 'portal', 'mano')", name=op.f("ck_notificaciones_origen")),
        sa.ForeignKeyConstraint(["correo_id"], ["correos.id"], name=op.f("fk_notificaciones_correo_id_correos")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_notificaciones_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_notificaciones_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_notificaciones_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notificaciones")),
        sa.UniqueConstraint(
            "prestador_id", "sha256", "parte", name=op.f("uq_notificaciones_prestador_id_sha256_parte")
        ),
    )
    with op.batch_alter_table("notificaciones", schema=None) as batch_op:
        batch_op.create_index("ix_notificaciones_prestador_recibida", ["prestador_id", "recibida_at"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("notificaciones", schema=None) as batch_op:
        batch_op.drop_index("ix_notificaciones_prestador_recibida")
    op.drop_table("notificaciones")
    with op.batch_alter_table("items_factura", schema=None) as batch_op:
        batch_op.drop_index("ix_items_factura_codigo")
    op.drop_table("items_factura")
    with op.batch_alter_table("correos", schema=None) as batch_op:
        batch_op.drop_index("ix_correos_message")
        batch_op.drop_index("ix_correos_llegada")
    op.drop_table("correos")
    op.drop_table("buzones_correo")
