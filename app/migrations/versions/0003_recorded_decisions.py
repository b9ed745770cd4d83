"""Recorded decisions and their seals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.migrations.frozen_triggers import apply_triggers, revert_triggers


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

Sequence = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('decision_seals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_seq', Sequence, nullable=False),
    sa.Column('last_seq', Sequence, nullable=False),
    sa.Column('n_decisions', sa.Integer(), nullable=False),
    sa.Column('runs', sa.JSON(), nullable=False),
    sa.Column('root', sa.String(), nullable=False),
    sa.Column('row_hashes', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sealed_by', sa.String(), nullable=False),
    sa.CheckConstraint('first_seq <= last_seq', name=op.f('ck_decision_seals_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decision_seals')),
    sa.UniqueConstraint('last_seq', name=op.f('uq_decision_seals_last_seq'))
    )
    op.create_table('decisions',
    sa.Column('seq', Sequence, nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('party_id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('content_hash', sa.String(), nullable=False),
    sa.Column('features', sa.Text(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('unrounded_score', sa.Double(), nullable=False),
    sa.Column('band', sa.String(), nullable=False),
    sa.Column('contributions', sa.Text(), nullable=False),
    sa.Column('missing_features', sa.Text(), nullable=False),
    sa.Column('reason_codes', sa.Text(), nullable=False),
    sa.Column('row_hash', sa.String(), nullable=False),
    sa.CheckConstraint('seq > 0', name=op.f('ck_decisions_seq')),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_decisions_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_decisions')),
    sa.UniqueConstraint('id', name=op.f('uq_decisions_id'))
    )
    op.create_index(op.f('ix_decisions_at'), 'decisions', ['at'], unique=False)
    op.create_index(op.f('ix_decisions_party_id'), 'decisions', ['party_id'], unique=False)
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    op.drop_index(op.f('ix_decisions_party_id'), table_name='decisions')
    op.drop_index(op.f('ix_decisions_at'), table_name='decisions')
    op.drop_table('decisions')
    op.drop_table('decision_seals')
