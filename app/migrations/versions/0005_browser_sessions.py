"""Browser sessions of the review desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.migrations.frozen_triggers import apply_triggers, revert_triggers


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'browser_sessions',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('secret_hash', sa.String(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('key_id', sa.String(), nullable=True),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['key_id'], ['api_keys.id'], name=op.f('fk_browser_sessions_key_id_api_keys')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_browser_sessions')),
    )
    op.create_table(
        'browser_session_ends',
        sa.Column('session_id', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['session_id'],
            ['browser_sessions.id'],
            name=op.f('fk_browser_session_ends_session_id_browser_sessions'),
        ),
        sa.PrimaryKeyConstraint('session_id', name=op.f('pk_browser_session_ends')),
    )
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    op.drop_table('browser_session_ends')
    op.drop_table('browser_sessions')
