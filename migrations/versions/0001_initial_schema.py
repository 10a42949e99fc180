"""Initial schema.

Revision: 0001, after .
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
        "blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.CheckConstraint("bytes >= 0", name=op.f("ck_blobs_size")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_blobs_sha256")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blobs")),
    )
    op.create_table(
        "chain_heads",
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_key", name=op.f("pk_chain_heads")),
    )
    op.create_table(
        "lanes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("busy_job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("next_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("gap_ms", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_why", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("name", name=op.f("uq_lanes_name")),
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
        "schedule_slots",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "due_ms", name=op.f("pk_schedule_slots")),
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
        "worker_beats",
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("doing", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_worker_beats")),
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
        "cuentas_portal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("arquetipo", sa.String(length=40), nullable=False),
        sa.Column("base_url", sa.String(length=500), nullable=False),
        sa.Column("usuario", sa.String(length=200), nullable=False),
        sa.Column("clave_cifrada", sa.LargeBinary(), nullable=False),
        sa.Column("perfil", sa.Text(), nullable=False),
        sa.Column("perfil_version", sa.String(length=40), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activa", sa.Boolean(), nullable=False),
        sa.Column("limite_preparar_s", sa.Integer(), nullable=False),
        sa.Column("limite_enviar_s", sa.Integer(), nullable=False),
        sa.Column("asentamiento_s", sa.Integer(), nullable=False),
        sa.Column("max_facturas", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_cuentas_portal_lane_id_lanes")),
        sa.ForeignKeyConstraint(["pagador_id"], ["pagadores.id"], name=op.f("fk_cuentas_portal_pagador_id_pagadores")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_cuentas_portal_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cuentas_portal")),
        sa.UniqueConstraint("lane_id", name=op.f("uq_cuentas_portal_lane_id")),
        sa.UniqueConstraint(
            "prestador_id", "pagador_id", "usuario", name=op.f("uq_cuentas_portal_prestador_id_pagador_id_usuario")
        ),
    )
    op.create_table(
        "facturas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pagador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("numero", sa.String(length=40), nullable=False),
        sa.Column("numero_clave", sa.String(length=40), nullable=False),
        sa.Column("numero_digitos", sa.String(length=30), nullable=False),
        sa.Column("cufe", sa.String(length=96), nullable=True),
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
        batch_op.create_index("ix_facturas_prestador_estado", ["prestador_id", "estado"], unique=False)
        batch_op.create_index("ix_facturas_prestador_expedicion", ["prestador_id", "expedida_at", "id"], unique=False)
        batch_op.create_index("ix_facturas_radicado", ["radicado"], unique=False)

    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.String(length=60), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("run_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.String(length=120), nullable=True),
        sa.Column("host", sa.String(length=120), nullable=True),
        sa.Column("dedup", sa.String(length=120), nullable=True),
        sa.Column("progress", sa.String(length=200), nullable=True),
        sa.Column("progress_n", sa.Integer(), nullable=False),
        sa.Column("progress_of", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(phase = 'submitting') = (intent_id IS NOT NULL) OR phase IS NULL", name=op.f("ck_jobs_intent")
        ),
        sa.CheckConstraint("phase IS NULL OR phase IN ('preparing', 'submitting')", name=op.f("ck_jobs_phase")),
        sa.CheckConstraint(
            "state <> 'ready' OR (phase IS NULL AND intent_id IS NULL)", name=op.f("ck_jobs_ready_is_before_intent")
        ),
        sa.CheckConstraint(
            "state <> 'running' OR (owner IS NOT NULL AND lease_until_ms IS NOT NULL AND phase IS NOT NULL)",
            name=op.f("ck_jobs_running_has_lease"),
        ),
        sa.CheckConstraint(
            "state IN ('ready', 'running', 'outcome_unknown', 'done', 'dead', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_jobs_lane_id_lanes")),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_jobs_prestador_id_prestadores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_dead",
            ["kind"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_jobs_lease",
            ["lease_until_ms"],
            unique=False,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(
            "ix_jobs_ready",
            ["lane_id", "priority", "run_after_ms", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'ready'"),
            postgresql_where=sa.text("state = 'ready'"),
        )
        batch_op.create_index("ix_jobs_subject", ["subject"], unique=False)
        batch_op.create_index(
            "ix_jobs_unknown",
            ["kind"],
            unique=False,
            sqlite_where=sa.text("state = 'outcome_unknown'"),
            postgresql_where=sa.text("state = 'outcome_unknown'"),
        )
        batch_op.create_index(
            "uq_jobs_dedup",
            ["dedup"],
            unique=True,
            sqlite_where=sa.text("state IN ('ready', 'running', 'outcome_unknown')"),
            postgresql_where=sa.text("state IN ('ready', 'running', 'outcome_unknown')"),
        )
        batch_op.create_index(
            "uq_jobs_lane_guard",
            ["lane_id"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.create_table(
        "piezas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_key", sa.String(length=60), nullable=False),
        sa.Column("group_key", sa.String(length=60), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("nombre", sa.String(length=300), nullable=False),
        sa.Column("clase", sa.String(length=40), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("origen", sa.String(length=40), nullable=False),
        sa.Column("nota", sa.Text(), nullable=False),
        sa.Column("sellada_at", Instant(), nullable=False),
        sa.Column("sellada_por", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["prestador_id"], ["prestadores.id"], name=op.f("fk_piezas_prestador_id_prestadores")),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_piezas_sha256_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piezas")),
    )
    with op.batch_alter_table("piezas", schema=None) as batch_op:
        batch_op.create_index("ix_piezas_case", ["case_key"], unique=False)
        batch_op.create_index("ix_piezas_prestador_sha", ["prestador_id", "sha256"], unique=False)
        batch_op.create_index("uq_piezas_same", ["case_key", "group_key", "nombre", "sha256"], unique=True)

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
        "eventos_portal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cuenta_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clase", sa.String(length=60), nullable=False),
        sa.Column("detalle", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cuenta_id"], ["cuentas_portal.id"], name=op.f("fk_eventos_portal_cuenta_id_cuentas_portal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eventos_portal")),
    )
    with op.batch_alter_table("eventos_portal", schema=None) as batch_op:
        batch_op.create_index("ix_eventos_portal_cuenta_at", ["cuenta_id", "at"], unique=False)

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
    protect_history()


def downgrade() -> None:
    """Undo."""
    unprotect_history()
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
    with op.batch_alter_table("eventos_portal", schema=None) as batch_op:
        batch_op.drop_index("ix_eventos_portal_cuenta_at")

    op.drop_table("eventos_portal")
    with op.batch_alter_table("envios", schema=None) as batch_op:
        batch_op.drop_index("ix_envios_prestador_estado")

    op.drop_table("envios")
    with op.batch_alter_table("documentos", schema=None) as batch_op:
        batch_op.drop_index("ix_documentos_prestador_sha")
        batch_op.drop_index("ix_documentos_factura")
        batch_op.drop_index("ix_documentos_espera")

    op.drop_table("documentos")
    with op.batch_alter_table("carga_archivos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carga_archivos_carga_id"))

    op.drop_table("carga_archivos")
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
    with op.batch_alter_table("piezas", schema=None) as batch_op:
        batch_op.drop_index("uq_piezas_same")
        batch_op.drop_index("ix_piezas_prestador_sha")
        batch_op.drop_index("ix_piezas_case")

    op.drop_table("piezas")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_lane_guard",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.drop_index(
            "uq_jobs_dedup",
            sqlite_where=sa.text("state IN ('ready', 'running', 'outcome_unknown')"),
            postgresql_where=sa.text("state IN ('ready', 'running', 'outcome_unknown')"),
        )
        batch_op.drop_index(
            "ix_jobs_unknown",
            sqlite_where=sa.text("state = 'outcome_unknown'"),
            postgresql_where=sa.text("state = 'outcome_unknown'"),
        )
        batch_op.drop_index("ix_jobs_subject")
        batch_op.drop_index(
            "ix_jobs_ready", sqlite_where=sa.text("state = 'ready'"), postgresql_where=sa.text("state = 'ready'")
        )
        batch_op.drop_index(
            "ix_jobs_lease", sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'")
        )
        batch_op.drop_index(
            "ix_jobs_dead", sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'")
        )

    op.drop_table("jobs")
    with op.batch_alter_table("facturas", schema=None) as batch_op:
        batch_op.drop_index("ix_facturas_radicado")
        batch_op.drop_index("ix_facturas_prestador_expedicion")
        batch_op.drop_index("ix_facturas_prestador_estado")
        batch_op.drop_index(batch_op.f("ix_facturas_pagador_id"))
        batch_op.drop_index("ix_facturas_digitos")
        batch_op.drop_index("ix_facturas_cufe")

    op.drop_table("facturas")
    op.drop_table("cuentas_portal")
    with op.batch_alter_table("cargas", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cargas_prestador_id"))

    op.drop_table("cargas")
    op.drop_table("access_log")
    with op.batch_alter_table("accesos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accesos_prestador_id"))

    op.drop_table("accesos")
    op.drop_table("worker_beats")
    op.drop_table("usuarios")
    op.drop_table("schedule_slots")
    op.drop_table("prestadores")
    op.drop_table("pagadores")
    op.drop_table("lanes")
    op.drop_table("chain_heads")
    op.drop_table("blobs")
