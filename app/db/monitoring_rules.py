"""What the database holds of alerts and challengers, in the same form as ``app/db/rules.py``."""

from __future__ import annotations

from app.db.conditions import WAITS, event_has, is_model, version_has
from app.db.rule import Rule

MONITORING_RULES = (
    Rule(
        "alert_steps",
        "recorded",
        "INSERT",
        "what is done with an alert belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.subject = 'alert:' || NEW.alert_id AND e.action = 'alert.' || NEW.kind"
        ),
    ),
    Rule(
        "alert_steps",
        "by_a_person",
        "INSERT",
        "a person looks at an alert before it is closed, each time with a note",
        f"{is_model('NEW.actor')} OR trim(NEW.note) = '' OR (NEW.kind = 'closed' AND NOT EXISTS "
        "(SELECT 1 FROM alert_steps s WHERE s.alert_id = NEW.alert_id "
        "AND s.kind = 'acknowledged'))",
    ),
    Rule(
        "alert_attempts",
        "needed",
        "INSERT",
        "an alert that arrived is not delivered again",
        "EXISTS (SELECT 1 FROM alert_attempts d WHERE d.alert_id = NEW.alert_id "
        "AND d.receiver = NEW.receiver AND d.is_delivered)",
    ),
    Rule(
        "challengers",
        "recorded",
        "INSERT",
        "the start of a challenger belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.subject = 'version:' || NEW.version AND e.action = 'challenger.started'"
        ),
    ),
    Rule(
        "challengers",
        "waits",
        "INSERT",
        "a challenger is a version that was not decided about, and runs once at a time",
        f"trim(NEW.reason) = '' OR NOT {version_has('NEW.version', WAITS)} "
        "OR EXISTS (SELECT 1 FROM challengers c WHERE c.version = NEW.version AND NOT EXISTS "
        "(SELECT 1 FROM challenger_ends d WHERE d.challenger_id = c.id))",
    ),
    Rule(
        "challenger_ends",
        "recorded",
        "INSERT",
        "the end of a challenger belongs to the audit event that was just written",
        "trim(NEW.reason) = '' OR NOT EXISTS (SELECT 1 FROM challengers c "
        "WHERE c.id = NEW.challenger_id AND " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.subject = 'version:' || c.version AND e.action = 'challenger.stopped'"
        ) + ")",
    ),
)  # fmt: skip
