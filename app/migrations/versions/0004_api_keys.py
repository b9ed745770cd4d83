"""API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.migrations.frozen_triggers import apply_triggers, revert_triggers


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'api_keys',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('owner', sa.String(), nullable=False),
        sa.Column('role', sa.String(), nullable=False),
        sa.Column('secret_hash', sa.String(), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by', sa.String(), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'analyst', 'approver', 'admin', 'service')",
            name=op.f('ck_api_keys_role'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    )
    op.create_table(
        'api_key_revocations',
        sa.Column('key_id', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ['key_id'], ['api_keys.id'], name=op.f('fk_api_key_revocations_key_id_api_keys')
        ),
        sa.PrimaryKeyConstraint('key_id', name=op.f('pk_api_key_revocations')),
    )
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    op.drop_table('api_key_revocations')
    op.drop_table('api_keys')
