"""Queue, custody and portals.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protect import protect_history, unprotect_history
from radica.kernel.columns import Instant

revision = "0002"
down_revision = "0001"
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
        "schedule_slots",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "due_ms", name=op.f("pk_schedule_slots")),
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
        "claves_tecnicas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prestador_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resolucion", sa.String(length=30), nullable=False),
        sa.Column("prefijo", sa.String(length=10), nullable=False),
        sa.Column("desde", sa.BigInteger(), nullable=False),
        sa.Column("hasta", sa.BigInteger(), nullable=False),
        sa.Column("clave_cifrada", sa.LargeBinary(), nullable=False),
        sa.Column("registrada_at", Instant(), nullable=False),
        sa.Column("registrada_por", sa.String(length=120), nullable=False),
        sa.CheckConstraint("desde >= 0 AND desde <= hasta", name=op.f("ck_claves_tecnicas_rango")),
        sa.ForeignKeyConstraint(
            ["prestador_id"], ["prestadores.id"], name=op.f("fk_claves_tecnicas_prestador_id_prestadores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claves_tecnicas")),
        sa.UniqueConstraint(
            "prestador_id", "resolucion", "prefijo", name=op.f("uq_claves_tecnicas_prestador_id_resolucion_prefijo")
        ),
    )
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
    protect_history(("blobs", "piezas"))


def downgrade() -> None:
    """Undo."""
    unprotect_history(("blobs", "piezas"))
    with op.batch_alter_table("eventos_portal", schema=None) as batch_op:
        batch_op.drop_index("ix_eventos_portal_cuenta_at")
    op.drop_table("eventos_portal")
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
    op.drop_table("cuentas_portal")
    op.drop_table("claves_tecnicas")
    op.drop_table("worker_beats")
    op.drop_table("schedule_slots")
    op.drop_table("lanes")
    op.drop_table("blobs")
