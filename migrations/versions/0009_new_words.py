"""Acts of answers and the tasks that glosas open: the CHECKs of `envios` and `tareas` learn the new words.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACTS = ("radicacion",)
NEW_ACTS = (*ACTS, "respuesta_glosa", "respuesta_devolucion")
TASKS = (
    "confirmar_resultado",
    "conseguir_numero",
    "atender_portal",
    "anular_y_reexpedir",
    "corregir_rechazo",
    "radicada_por_fuera",
)
NEW_TASKS = (
    *TASKS,
    "emitir_nota_credito",
    "aprobar_respuesta",
    "revisar_silencio",
    "decidir_glosa",
    "nota_ajuste_rips",
    "compromiso_incumplido",
)


def upgrade() -> None:
    """Apply."""
    _check("envios", "acto", NEW_ACTS)
    _check("tareas", "clase", NEW_TASKS)


def downgrade() -> None:
    """Undo; rows that use the new words would break the old CHECKs and are refused by the database."""
    _check("envios", "acto", ACTS)
    _check("tareas", "clase", TASKS)


def _check(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    listed = ", ".join(f"'{word}'" for word in words)
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"{column} IN ({listed})"))
