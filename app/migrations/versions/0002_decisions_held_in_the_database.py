"""Decisions held in the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from app.errors import ConflictError
from app.migrations.frozen_triggers import apply_triggers, revert_triggers, triggers_put_aside


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
KIND = "ck_activations_kind"
KINDS_BEFORE = "kind IN ('initial', 'activate', 'rollback')"
KINDS_AFTER = "kind IN ('initial', 'activate', 'rollback', 'emergency_rollback')"
UNKNOWN_BEFORE = {
    'an approval that was withdrawn': "SELECT count(*) FROM approval_withdrawals",
    'an emergency rollback': "SELECT count(*) FROM activations WHERE kind = 'emergency_rollback'",
}


def upgrade() -> None:
    op.create_table(
        'approval_withdrawals',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('review_id', sa.Integer(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('audit_seq', BIG, nullable=False),
        sa.ForeignKeyConstraint(['review_id'], ['reviews.id'], name=op.f('fk_approval_withdrawals_review_id_reviews')),
        sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f('fk_approval_withdrawals_audit_seq_audit_events')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_approval_withdrawals')),
        sa.UniqueConstraint('review_id', name=op.f('uq_approval_withdrawals_review_id')),
        sa.UniqueConstraint('audit_seq', name=op.f('uq_approval_withdrawals_audit_seq')),
    )
    op.create_table(
        'emergency_acknowledgements',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('activation_id', sa.Integer(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('audit_seq', BIG, nullable=False),
        sa.ForeignKeyConstraint(['activation_id'], ['activations.id'], name=op.f('fk_emergency_acknowledgements_activation_id_activations')),
        sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f('fk_emergency_acknowledgements_audit_seq_audit_events')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_emergency_acknowledgements')),
        sa.UniqueConstraint('activation_id', name=op.f('uq_emergency_acknowledgements_activation_id')),
        sa.UniqueConstraint('audit_seq', name=op.f('uq_emergency_acknowledgements_audit_seq')),
    )
    with triggers_put_aside():
        with op.batch_alter_table('activations', copy_from=_activations(before=True)) as table:
            table.drop_constraint(op.f(KIND), type_='check')
            table.create_check_constraint(op.f(KIND), KINDS_AFTER)
            _add_event(table, 'activations')
        with op.batch_alter_table('reviews', copy_from=_reviews(before=True)) as table:
            _add_event(table, 'reviews')
    op.create_index('one_activation_per_event', 'activations', ['audit_seq'], unique=True)
    op.create_index('one_review_per_event', 'reviews', ['audit_seq'], unique=True)
    apply_triggers(revision)


def downgrade() -> None:
    goes_to_base = not context.get_revision_argument()  # where everything goes
    if not goes_to_base:
        _refuse_to_lose()
    revert_triggers(revision)
    op.drop_table('emergency_acknowledgements')
    op.drop_table('approval_withdrawals')
    op.drop_index('one_activation_per_event', table_name='activations')
    op.drop_index('one_review_per_event', table_name='reviews')
    with triggers_put_aside():
        with op.batch_alter_table('activations', copy_from=_activations(before=False)) as table:
            _drop_event(table, 'activations')
            table.drop_constraint(op.f(KIND), type_='check')
            if not goes_to_base:
                table.create_check_constraint(op.f(KIND), KINDS_BEFORE)
        with op.batch_alter_table('reviews', copy_from=_reviews(before=False)) as table:
            _drop_event(table, 'reviews')


def _refuse_to_lose() -> None:
    """An approval that was withdrawn would count again."""
    for what, count in UNKNOWN_BEFORE.items():
        if op.get_bind().execute(sa.text(count)).scalar_one():
            raise ConflictError(f"this store holds {what}, which the schema before cannot tell: keep it, or bring back a backup")


def _add_event(table, name: str) -> None:
    table.add_column(sa.Column('audit_seq', BIG, nullable=True))
    table.create_foreign_key(op.f(f'fk_{name}_audit_seq_audit_events'), 'audit_events', ['audit_seq'], ['seq'])


def _drop_event(table, name: str) -> None:
    table.drop_constraint(op.f(f'fk_{name}_audit_seq_audit_events'), type_='foreignkey')
    table.drop_column('audit_seq')


def _event(name: str, before: bool) -> tuple:
    if before:
        return ()
    return (
        sa.Column('audit_seq', BIG, nullable=True),
        sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f(f'fk_{name}_audit_seq_audit_events')),
    )


def _activations(before: bool) -> sa.Table:
    """The table as it is, with the checks that Alembic does not read."""
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
        *_event('activations', before),
        sa.CheckConstraint(KINDS_BEFORE if before else KINDS_AFTER, name=op.f(KIND)),
        sa.ForeignKeyConstraint(['previous_version'], ['scorecard_versions.version'], name=op.f('fk_activations_previous_version_scorecard_versions')),
        sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_activations_version_scorecard_versions')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_activations')),
        sa.Index(op.f('ix_activations_at'), 'at'),
    )


def _reviews(before: bool) -> sa.Table:
    return sa.Table(
        'reviews', sa.MetaData(),
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('version', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('reviewer', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('content_hash', sa.String(), nullable=False),
        sa.Column('evidence_hash', sa.String(), nullable=True),
        sa.Column('acknowledged', sa.JSON(), nullable=False),
        sa.Column('override_reason', sa.String(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        *_event('reviews', before),
        sa.CheckConstraint("kind IN ('approve', 'reject')", name=op.f('ck_reviews_kind')),
        sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_reviews_version_scorecard_versions')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_reviews')),
        sa.Index(op.f('ix_reviews_version'), 'version'),
    )
