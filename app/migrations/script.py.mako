"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from app.migrations.frozen_triggers import apply_triggers, revert_triggers, triggers_put_aside


revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else ""}
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    ${downgrades if downgrades else ""}
