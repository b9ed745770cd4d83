"""What the services decide, held a second time where every client has to pass.

Each rule is written once, in SQL that both databases take; ``app/db/words.py`` has the few words
that differ, ``app/db/triggers.py`` makes the triggers. ``docs/invariants.md`` is the table of what
is held and how.
"""

from __future__ import annotations

from app.db.conditions import (
    ACTION_OF_ACTIVATION,
    BLOCKED,
    ENOUGH,
    NEWLY_ACTIVE,
    NEWLY_RETIRED,
    STANDS,
    TIMES_DIFFER,
    WAITS,
    WITHDRAWAL,
    activation_has,
    allowed_steps,
    chosen,
    content_changed,
    event_has,
    is_model,
    made,
    may_not_review,
    may_use,
    overridden,
    person,
    version_has,
)
from app.db.monitoring_rules import MONITORING_RULES
from app.db.rule import Effect, Rule

ONLY_THE_ACTIVE = "only the active version decides"
"""What the database answers where a decision names another version."""

_VERSION_RULES = (
    Rule(
        "scorecard_versions",
        "starts_as_draft",
        "INSERT",
        "a version starts as a draft",
        "NEW.status <> 'draft'",
    ),
    Rule(
        "scorecard_versions",
        "content",
        "UPDATE",
        "the content of a version is frozen",
        content_changed(),
    ),
    Rule(
        "scorecard_versions",
        "status",
        "UPDATE",
        "this is not a step of the transition table",
        f"NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES {allowed_steps()})",
    ),
    Rule(
        "scorecard_versions",
        "one_active",
        "UPDATE",
        "one version is active: retire it first",
        "NEW.status = 'active' AND OLD.status <> 'active' "
        "AND EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.status = 'active')",
    ),
    Rule(
        "scorecard_versions",
        "decided",
        "UPDATE",
        "a version becomes active or inactive only by an activation",
        "((NEW.status = 'active') <> (OLD.status = 'active') OR " + TIMES_DIFFER + ") "
        f"AND NOT {activation_has(f'(({NEWLY_ACTIVE}) OR ({NEWLY_RETIRED}))')}",
    ),
    Rule(
        "scorecard_versions",
        "reviewed",
        "UPDATE",
        "a draft needs the approvals of its content that the policy asks for",
        "OLD.status = 'draft' AND NEW.status = 'approved' "
        f"AND NOT {version_has('NEW.version', ENOUGH)}",
    ),
    Rule(
        "scorecard_versions",
        "still_approved",
        "UPDATE",
        "a version stays approved while its approvals are enough",
        "OLD.status = 'approved' AND NEW.status = 'draft' AND "
        + version_has("NEW.version", ENOUGH),
    ),
    Rule(
        "scorecard_versions",
        "rejected",
        "UPDATE",
        "a rejection needs its review",
        "OLD.status <> 'rejected' AND NEW.status = 'rejected' AND NOT EXISTS (SELECT 1 "
        "FROM reviews r WHERE r.version = NEW.version AND r.kind = 'reject')",
    ),
)

_REVIEW_RULES = (
    Rule(
        "reviews",
        "own_draft",
        "INSERT",
        "maker and checker must be two people",
        f"NEW.kind = 'approve' AND ({is_model('NEW.reviewer')} "
        f"OR {version_has('NEW.version', made('NEW.reviewer'))})",
    ),
    Rule(
        "reviews",
        "recorded",
        "INSERT",
        "a review belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.reviewer "
            "AND e.subject = 'version:' || NEW.version AND ((NEW.kind = 'approve' "
            "AND e.action IN ('version.approved', 'version.activated')) "
            "OR (NEW.kind = 'reject' AND e.action = 'version.rejected')) "
            "AND COALESCE({event_content_hash}, NEW.content_hash) = NEW.content_hash"
        ),
    ),
    Rule(
        "reviews",
        "in_time",
        "INSERT",
        "a version is reviewed before it decides",
        f"NOT {version_has('NEW.version', WAITS)}",
    ),
    Rule(
        "approval_withdrawals",
        "recorded",
        "INSERT",
        "a withdrawal belongs to the audit event that was just written",
        "NOT EXISTS (SELECT 1 FROM reviews r WHERE r.id = NEW.review_id AND " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.action = 'version.approval_withdrawn' "
            "AND e.subject = 'version:' || r.version"
        ) + ")",
    ),
    Rule(
        "approval_withdrawals",
        "own",
        "INSERT",
        "people withdraw approvals of their own, before the activation, with a reason",
        "trim(NEW.reason) = '' OR NOT EXISTS (SELECT 1 FROM reviews r WHERE r.id = NEW.review_id "
        f"AND r.kind = 'approve' AND {person('r.reviewer')} = {person('NEW.actor')} "
        f"AND {version_has('r.version', WAITS)})",
    ),
)  # fmt: skip

_ACTIVATION_RULES = (
    Rule(
        "activations",
        "recorded",
        "INSERT",
        "an activation belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.subject = 'version:' || NEW.version AND e.action = "
            + chosen("NEW.kind", {k: f"'{action}'" for k, action in ACTION_OF_ACTIVATION.items()})
        ),
    ),
    Rule(
        "activations",
        "follows",
        "INSERT",
        "an activation follows the one before it",
        "NEW.previous_version {differs} "
        "(SELECT v.version FROM scorecard_versions v WHERE v.status = 'active') "
        "OR EXISTS (SELECT 1 FROM activations a WHERE a.at > NEW.at)",
    ),
    Rule(
        "activations",
        "step",
        "INSERT",
        "the version cannot take this step now",
        "NOT " + version_has(
            "NEW.version",
            "((NEW.kind = 'initial' AND v.number = 1 AND v.status = 'draft' "
            "AND NOT EXISTS (SELECT 1 FROM activations a)) "
            f"OR (NEW.kind = 'activate' AND {WAITS} "
            "AND NOT (v.base_version {differs} NEW.previous_version)) "
            "OR (NEW.kind IN ('rollback', 'emergency_rollback') AND v.status = 'inactive'))",
        ),
    ),
    Rule(
        "activations",
        "right",
        "INSERT",
        "the policy does not give this person the right",
        f"NEW.kind <> 'initial' AND ({is_model('NEW.actor')} OR NOT "
        + chosen(
            "NEW.kind",
            {
                "activate": may_use("NEW.actor", "approver"),
                "rollback": may_use("NEW.actor", "approver"),
                "emergency_rollback": may_use("NEW.actor", "admin"),
            },
        )
        + ")",
    ),
    Rule(
        "activations",
        "own_draft",
        "INSERT",
        "maker and checker must be two people",
        f"NEW.kind = 'activate' AND {version_has('NEW.version', may_not_review('NEW.actor'))}",
    ),
    Rule(
        "activations",
        "reasoned",
        "INSERT",
        "a rollback needs a reason",
        "NEW.kind IN ('rollback', 'emergency_rollback') AND trim(NEW.reason) = ''",
    ),
    Rule(
        "activations",
        "approved",
        "INSERT",
        "an activation needs the approvals of this content that the policy asks for",
        f"NEW.kind = 'activate' AND NOT {version_has('NEW.version', ENOUGH)}",
    ),
    Rule(
        "activations",
        "gates",
        "INSERT",
        "a failed gate blocks unless an admin overrides it with a written reason",
        f"NEW.kind = 'activate' AND {version_has('NEW.version', BLOCKED)} "
        f"AND NOT {overridden('NEW.actor', 'NEW.override_reason')} AND NOT "
        + version_has(
            "NEW.version",
            f"EXISTS (SELECT 1 FROM reviews r WHERE {STANDS} "
            f"AND {overridden('r.reviewer', 'r.override_reason')})",
        ),
    ),
    Rule(
        "emergency_acknowledgements",
        "recorded",
        "INSERT",
        "an acknowledgement belongs to the audit event that was just written",
        "NOT EXISTS (SELECT 1 FROM activations a WHERE a.id = NEW.activation_id AND " + event_has(
            "e.seq = NEW.audit_seq AND e.actor = NEW.actor "
            "AND e.action = 'version.emergency_acknowledged' "
            "AND e.subject = 'version:' || a.version"
        ) + ")",
    ),
    Rule(
        "emergency_acknowledgements",
        "by_another",
        "INSERT",
        "an emergency rollback is acknowledged by an approver who did not do it",
        f"{is_model('NEW.actor')} OR NOT {may_use('NEW.actor', 'approver')} "
        "OR NOT EXISTS (SELECT 1 FROM activations a WHERE a.id = NEW.activation_id "
        f"AND a.kind = 'emergency_rollback' AND {person('a.actor')} <> {person('NEW.actor')})",
    ),
)  # fmt: skip

_RECORD_RULES = (
    Rule(
        "audit_events",
        "follows",
        "INSERT",
        "an event follows the head of the audit chain",
        "NOT EXISTS (SELECT 1 FROM audit_head h "
        "WHERE h.seq = NEW.seq - 1 AND h.hash = NEW.previous_hash)",
    ),
    Rule(
        "audit_events",
        "hashed",
        "INSERT",
        "the hash of an event is that of its text",
        "NEW.hash <> encode(sha256(convert_to(NEW.hashed_text, 'UTF8')), 'hex')",
        only="postgresql",
    ),
    Rule(
        "audit_head",
        "moves_on",
        "UPDATE",
        "the head of the audit chain only moves on to the event that was added",
        "NEW.id <> OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS "
        "(SELECT 1 FROM audit_events e WHERE e.seq = NEW.seq AND e.hash = NEW.hash)",
    ),
    Rule(
        "policies",
        "recorded",
        "INSERT",
        "a policy belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.actor = NEW.created_by AND e.action = 'policy.set' "
            "AND e.subject = 'policy:' || NEW.id AND {event_content_hash} = NEW.content_hash"
        ),
    ),
    Rule(
        "policies",
        "by_admin",
        "INSERT",
        "the policy in force names the admins who may change it",
        f"NOT {may_use('NEW.created_by', 'admin')}",
    ),
    Rule(
        "withdrawals",
        "recorded",
        "INSERT",
        "a withdrawal belongs to the audit event that was just written",
        "NOT " + event_has(
            "e.actor = NEW.actor AND e.subject = NEW.subject_kind || ':' || NEW.subject_id "
            "AND e.action = "
            + chosen("NEW.subject_kind", {k: f"'{how[0]}'" for k, how in WITHDRAWAL.items()})
        ),
    ),
    Rule(
        "withdrawals",
        "subject",
        "INSERT",
        "what is not there cannot be withdrawn",
        "NOT " + chosen(
            "NEW.subject_kind",
            {
                kind: f"EXISTS (SELECT 1 FROM {table} b WHERE {name} = NEW.subject_id)"
                for kind, (_, table, name) in WITHDRAWAL.items()
            },
        ),
    ),
    *(
        Rule(
            table,
            "closed",
            "INSERT",
            f"the {table} of a model or version are complete once it is there",
            "(NEW.subject_kind = 'version' AND EXISTS (SELECT 1 FROM scorecard_versions v "
            "WHERE v.version = NEW.subject_id)) OR (NEW.subject_kind = 'model' "
            "AND EXISTS (SELECT 1 FROM model_registry m WHERE m.id = NEW.subject_id))",
        )
        for table in ("evidence", "verdicts")
    ),
)  # fmt: skip

_SCORING_RULES = (
    Rule(
        "decisions",
        "by_the_active",
        "INSERT",
        ONLY_THE_ACTIVE,
        "NOT EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.status = 'active' "
        "AND v.version = NEW.version AND v.content_hash = NEW.content_hash)",
    ),
    Rule(
        "decisions",
        "unsealed",
        "INSERT",
        "this part of the decisions is sealed",
        # SQLite gives -1 as long as it has not numbered the row
        "NEW.seq > 0 AND EXISTS (SELECT 1 FROM decision_seals s WHERE s.last_seq >= NEW.seq)",
    ),
    Rule(
        "decision_seals",
        "follows",
        "INSERT",
        "a seal begins after the last one",
        "EXISTS (SELECT 1 FROM decision_seals s WHERE s.last_seq >= NEW.first_seq)",
    ),
)

RULES = (
    *_VERSION_RULES, *_REVIEW_RULES, *_ACTIVATION_RULES, *_RECORD_RULES, *_SCORING_RULES,
    *MONITORING_RULES,
)  # fmt: skip
"""What is refused."""

EFFECTS = (
    Effect(
        "activations",
        "moves",
        "INSERT",
        "UPDATE scorecard_versions SET status = 'inactive', deactivated_at = NEW.at "
        "WHERE version = NEW.previous_version AND status = 'active'; "
        "UPDATE scorecard_versions SET status = 'active', activated_at = NEW.at, "
        "deactivated_at = NULL WHERE version = NEW.version;",
    ),
)
"""An activation retires the version before and puts its own in force, in one statement: there is
no moment without an active version, nor one with two."""
