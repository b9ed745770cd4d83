"""Monitoring: references, calibrations, reports, alerts, challengers; groups of a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.migrations.frozen_triggers import apply_triggers, revert_triggers


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

Sequence = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('challengers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('audit_seq', Sequence, nullable=False),
    sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f('fk_challengers_audit_seq_audit_events')),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_challengers_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_challengers')),
    sa.UniqueConstraint('audit_seq', name=op.f('uq_challengers_audit_seq'))
    )
    op.create_table('monitoring_references',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_monitoring_references_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_monitoring_references')),
    sa.UniqueConstraint('version', name=op.f('uq_monitoring_references_version'))
    )
    op.create_table('score_calibrations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_score_calibrations_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_score_calibrations')),
    sa.UniqueConstraint('version', name=op.f('uq_score_calibrations_version'))
    )
    op.create_table('challenger_ends',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('challenger_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('audit_seq', Sequence, nullable=False),
    sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f('fk_challenger_ends_audit_seq_audit_events')),
    sa.ForeignKeyConstraint(['challenger_id'], ['challengers.id'], name=op.f('fk_challenger_ends_challenger_id_challengers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_challenger_ends')),
    sa.UniqueConstraint('audit_seq', name=op.f('uq_challenger_ends_audit_seq')),
    sa.UniqueConstraint('challenger_id', name=op.f('uq_challenger_ends_challenger_id'))
    )
    op.create_table('monitoring_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('reference_id', sa.Integer(), nullable=False),
    sa.Column('calibration_id', sa.Integer(), nullable=True),
    sa.Column('label_set_id', sa.Integer(), nullable=True),
    sa.Column('input_hash', sa.String(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(), nullable=False),
    sa.Column('policy_hash', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(), nullable=False),
    sa.CheckConstraint("cause IN ('scored', 'activated', 'matured', 'asked')", name=op.f('ck_monitoring_reports_cause')),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.batch_id'], name=op.f('fk_monitoring_reports_batch_id_batches')),
    sa.ForeignKeyConstraint(['calibration_id'], ['score_calibrations.id'], name=op.f('fk_monitoring_reports_calibration_id_score_calibrations')),
    sa.ForeignKeyConstraint(['label_set_id'], ['label_sets.id'], name=op.f('fk_monitoring_reports_label_set_id_label_sets')),
    sa.ForeignKeyConstraint(['reference_id'], ['monitoring_references.id'], name=op.f('fk_monitoring_reports_reference_id_monitoring_references')),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_monitoring_reports_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_monitoring_reports')),
    sa.UniqueConstraint('batch_id', 'version', 'input_hash', name=op.f('uq_monitoring_reports_batch_id_version_input_hash'))
    )
    op.create_table('alerts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('report_id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('value', sa.Double(), nullable=False),
    sa.Column('threshold', sa.Double(), nullable=False),
    sa.Column('p_value', sa.Double(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.batch_id'], name=op.f('fk_alerts_batch_id_batches')),
    sa.ForeignKeyConstraint(['report_id'], ['monitoring_reports.id'], name=op.f('fk_alerts_report_id_monitoring_reports')),
    sa.ForeignKeyConstraint(['version'], ['scorecard_versions.version'], name=op.f('fk_alerts_version_scorecard_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts')),
    sa.UniqueConstraint('batch_id', 'version', 'kind', 'subject', name=op.f('uq_alerts_batch_id_version_kind_subject'))
    )
    op.create_table('alert_attempts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('alert_id', sa.Integer(), nullable=False),
    sa.Column('receiver', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status_code', sa.Integer(), nullable=True),
    sa.Column('fault', sa.String(), nullable=True),
    sa.Column('is_delivered', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_attempts_alert_id_alerts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_attempts'))
    )
    op.create_index('one_delivery_per_receiver', 'alert_attempts', ['alert_id', 'receiver'], unique=True, sqlite_where=sa.text('is_delivered'), postgresql_where=sa.text('is_delivered'))
    op.create_table('alert_steps',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('alert_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('audit_seq', Sequence, nullable=False),
    sa.CheckConstraint("kind IN ('acknowledged', 'closed')", name=op.f('ck_alert_steps_kind')),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_steps_alert_id_alerts')),
    sa.ForeignKeyConstraint(['audit_seq'], ['audit_events.seq'], name=op.f('fk_alert_steps_audit_seq_audit_events')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_steps')),
    sa.UniqueConstraint('alert_id', 'kind', name=op.f('uq_alert_steps_alert_id_kind')),
    sa.UniqueConstraint('audit_seq', name=op.f('uq_alert_steps_audit_seq'))
    )
    op.add_column('batches', sa.Column('group_columns', sa.JSON(none_as_null=True), nullable=True))
    apply_triggers(revision)


def downgrade() -> None:
    revert_triggers(revision)
    op.drop_column('batches', 'group_columns')
    op.drop_table('alert_steps')
    op.drop_index('one_delivery_per_receiver', table_name='alert_attempts', sqlite_where=sa.text('is_delivered'), postgresql_where=sa.text('is_delivered'))
    op.drop_table('alert_attempts')
    op.drop_table('alerts')
    op.drop_table('monitoring_reports')
    op.drop_table('challenger_ends')
    op.drop_table('score_calibrations')
    op.drop_table('monitoring_references')
    op.drop_table('challengers')
