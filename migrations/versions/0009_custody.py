"""Custody: seals and their time stamps, verifications, retention, blind index, exceptional access, case of a reading.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from migrations.restate import restate_values
from radica.kernel.columns import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PACIENTES = ("glosas", "items_factura")
"""Tables that auditors search by the patient's document."""
ADDED_ONLY = (
    "hojas",
    "mosaicos",
    "sellos",
    "tokens_tiempo",
    "fallos_tsa",
    "publicaciones_sello",
    "hallazgos_custodia",
    "accesos_excepcionales",
)
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
)
CLASES_NUEVAS = ("revisar_custodia", "vigilar_prescripcion", "revisar_acceso")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hojas",
        sa.Column("indice", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.Column("nombre", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("hoja", sa.String(length=64), nullable=False),
        sa.CheckConstraint("tipo IN ('cadena', 'manifiesto')", name=op.f("ck_hojas_tipo")),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_hojas_hash")),
        sa.CheckConstraint("length(hoja) = 64", name=op.f("ck_hojas_hoja")),
        sa.PrimaryKeyConstraint("indice", name=op.f("pk_hojas")),
        sa.UniqueConstraint("tipo", "nombre", "seq", name=op.f("uq_hojas_tipo_nombre_seq")),
    )
    op.create_table(
        "mosaicos",
        sa.Column("nivel", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("indice", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("nivel", "indice", name=op.f("pk_mosaicos")),
    )
    op.create_table(
        "sellos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hojas", sa.BigInteger(), nullable=False),
        sa.Column("raiz", sa.String(length=64), nullable=False),
        sa.Column("creado_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.CheckConstraint("hojas >= 1", name=op.f("ck_sellos_hojas")),
        sa.CheckConstraint("length(raiz) = 64", name=op.f("ck_sellos_raiz")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sellos")),
        sa.UniqueConstraint("hojas", name=op.f("uq_sellos_hojas")),
    )
    op.create_table(
        "verificaciones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("origen", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("alcance", sa.Text(), nullable=False),
        sa.Column("estado", sa.String(length=40), nullable=False),
        sa.Column("etapa", sa.String(length=20), nullable=False),
        sa.Column("cursor", sa.String(length=200), nullable=False),
        sa.Column("revisados", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("cuentas", sa.Text(), nullable=False),
        sa.Column("iniciada_at", Instant(), nullable=False),
        sa.Column("terminada_at", Instant(), nullable=True),
        sa.CheckConstraint("estado IN ('en_curso', 'terminada', 'pausada')", name=op.f("ck_verificaciones_estado")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verificaciones")),
    )
    op.create_table(
        "accesos_excepcionales",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("usuario_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("motivo", sa.Text(), nullable=False),
        sa.Column("desde", Instant(), nullable=False),
        sa.Column("hasta", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_accesos_excepcionales_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(
            ["usuario_id"], ["usuarios.id"], name=op.f("fk_accesos_excepcionales_usuario_id_usuarios")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accesos_excepcionales")),
    )
    with op.batch_alter_table("accesos_excepcionales", schema=None) as batch_op:
        batch_op.create_index("ix_accesos_excepcionales_usuario", ["usuario_id", "case_key", "hasta"], unique=False)

    op.create_table(
        "fallos_tsa",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sello_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tsa", sa.String(length=80), nullable=False),
        sa.Column("motivo", sa.String(length=60), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["sello_id"], ["sellos.id"], name=op.f("fk_fallos_tsa_sello_id_sellos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fallos_tsa")),
    )
    with op.batch_alter_table("fallos_tsa", schema=None) as batch_op:
        batch_op.create_index("ix_fallos_tsa_sello", ["sello_id", "tsa"], unique=False)

    op.create_table(
        "hallazgos_custodia",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("verificacion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tipo", sa.String(length=40), nullable=False),
        sa.Column("gravedad", sa.String(length=40), nullable=False),
        sa.Column("objeto", sa.String(length=160), nullable=False),
        sa.Column("esperado", sa.String(length=200), nullable=False),
        sa.Column("hallado", sa.String(length=200), nullable=False),
        sa.Column("detalle", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("gravedad IN ('grave', 'aviso', 'nota')", name=op.f("ck_hallazgos_custodia_gravedad")),
        sa.CheckConstraint(
            "tipo IN ('alterado', 'faltante', 'huerfano', 'cadena_rota', 'sello_invalido', 'ilegible')",
            name=op.f("ck_hallazgos_custodia_tipo"),
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_hallazgos_custodia_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(
            ["verificacion_id"],
            ["verificaciones.id"],
            name=op.f("fk_hallazgos_custodia_verificacion_id_verificaciones"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hallazgos_custodia")),
    )
    with op.batch_alter_table("hallazgos_custodia", schema=None) as batch_op:
        batch_op.create_index("ix_hallazgos_custodia_verificacion", ["verificacion_id"], unique=False)

    op.create_table(
        "publicaciones_sello",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sello_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destino", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["sello_id"], ["sellos.id"], name=op.f("fk_publicaciones_sello_sello_id_sellos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publicaciones_sello")),
        sa.UniqueConstraint("sello_id", "destino", name=op.f("uq_publicaciones_sello_sello_id_destino")),
    )
    op.create_table(
        "retencion_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("hasta", sa.Date(), nullable=False),
        sa.Column("regla", sa.String(length=60), nullable=False),
        sa.Column("aplicada_at", Instant(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_retencion_blobs_sha256")),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_retencion_blobs_sha256_blobs")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_retencion_blobs")),
    )
    op.create_table(
        "textos_indexados",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("palabras", sa.Integer(), nullable=False),
        sa.Column("resultado", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_textos_indexados_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_textos_indexados_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_textos_indexados")),
        sa.UniqueConstraint("prestador_id", "sha256", name=op.f("uq_textos_indexados_prestador_id_sha256")),
    )
    op.create_table(
        "tokens_tiempo",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sello_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tsa", sa.String(length=80), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("cadena", sa.Text(), nullable=False),
        sa.Column("hora", Instant(), nullable=False),
        sa.Column("serie", sa.String(length=80), nullable=False),
        sa.Column("acreditada", sa.Boolean(), nullable=False),
        sa.Column("recibido_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["sello_id"], ["sellos.id"], name=op.f("fk_tokens_tiempo_sello_id_sellos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens_tiempo")),
        sa.UniqueConstraint("sello_id", "tsa", name=op.f("uq_tokens_tiempo_sello_id_tsa")),
    )
    op.create_table(
        "palabras_texto",
        sa.Column(
            "prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("palabra", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "texto_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_palabras_texto_prestador_id_prestadores")
        ),
        sa.ForeignKeyConstraint(
            ["texto_id"], ["textos_indexados.id"], name=op.f("fk_palabras_texto_texto_id_textos_indexados")
        ),
        sa.PrimaryKeyConstraint("prestador_id", "palabra", "texto_id", name=op.f("pk_palabras_texto")),
    )
    # Not in batch: a rebuilt table would lose the triggers that protect it.
    op.add_column("access_log", sa.Column("case_key", sa.String(length=60), nullable=True))
    op.create_index("ix_access_log_case", "access_log", ["case_key"], unique=False)
    op.add_column("chain_heads", sa.Column("pendiente", sa.Boolean(), server_default=sa.true(), nullable=False))
    waiting = sa.text("pendiente")
    op.create_index(
        "ix_chain_heads_pendiente", "chain_heads", ["case_key"], sqlite_where=waiting, postgresql_where=waiting
    )
    told = sa.text("paciente_documento IS NOT NULL")
    for table in PACIENTES:
        op.create_index(
            f"ix_{table}_paciente",
            table,
            ["prestador_id", "paciente_documento"],
            sqlite_where=told,
            postgresql_where=told,
        )
    restate_values("tareas", "clase", (*CLASES, *CLASES_NUEVAS))
    protect_history(ADDED_ONLY)


def downgrade() -> None:
    """Undo."""
    unprotect_history(ADDED_ONLY)
    for table in PACIENTES:
        op.drop_index(f"ix_{table}_paciente", table_name=table)
    restate_values("tareas", "clase", CLASES)
    op.drop_index("ix_chain_heads_pendiente", "chain_heads")
    op.drop_column("chain_heads", "pendiente")
    op.drop_index("ix_access_log_case", "access_log")
    op.drop_column("access_log", "case_key")
    op.drop_table("palabras_texto")
    op.drop_table("tokens_tiempo")
    op.drop_table("textos_indexados")
    op.drop_table("retencion_blobs")
    op.drop_table("publicaciones_sello")
    with op.batch_alter_table("hallazgos_custodia", schema=None) as batch_op:
        batch_op.drop_index("ix_hallazgos_custodia_verificacion")

    op.drop_table("hallazgos_custodia")
    with op.batch_alter_table("fallos_tsa", schema=None) as batch_op:
        batch_op.drop_index("ix_fallos_tsa_sello")

    op.drop_table("fallos_tsa")
    with op.batch_alter_table("accesos_excepcionales", schema=None) as batch_op:
        batch_op.drop_index("ix_accesos_excepcionales_usuario")

    op.drop_table("accesos_excepcionales")
    op.drop_table("verificaciones")
    op.drop_table("sellos")
    op.drop_table("mosaicos")
    op.drop_table("hojas")
