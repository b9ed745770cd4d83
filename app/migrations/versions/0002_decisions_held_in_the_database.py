"""Decisions held in the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.migrations.frozen_triggers import apply_triggers, revert_triggers, triggers_put_aside


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

KIND = "ck_activations_kind"
KINDS_BEFORE = "kind IN ('initial', 'activate', 'rollback')"
KINDS_AFTER = "kind IN ('initial', 'activate', 'rollback', 'emergency_rollback')"


def upgrade() -> None:
    with triggers_put_aside():
        _alter_activations(KINDS_BEFORE, KINDS_AFTER)
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    with triggers_put_aside():
        _alter_activations(KINDS_AFTER, KINDS_BEFORE)


def _alter_activations(before: str, after: str) -> None:
    """Change the kinds; SQLite needs to be told the table as it is, with its checks."""
    with op.batch_alter_table('activations', copy_from=_activations(before)) as table:
        table.drop_constraint(op.f(KIND), type_='check')
        table.create_check_constraint(op.f(KIND), after)


def _activations(kinds: str) -> sa.Table:
    return sa.Table(
        'activations', sa.MetaData(),
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('version', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('previous_version', sa.String(), nullable=True),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('override_reason', sa.String(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(kinds, name=op.f(KIND)),
        sa.ForeignKeyConstraint(['previous_version'], ['scorecard_versions.version'], name='fk_activations_previous_version_scorecard_versions'),
        sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name='fk_activations_version_scorecard_versions'),
        sa.PrimaryKeyConstraint('id', name='pk_activations'),
        sa.Index('ix_activations_at', 'at'),
    )
