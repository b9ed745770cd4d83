"""What direct SQL cannot decide about versions: each rule is broken alone, on either database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import models
from app.db import transaction, utc_now
from app.db.conditions import ACTION_OF_ACTIVATION, STATUS_STEPS, WEIGHT_GATES_ON_A_CARD
from app.domain.gates import WEIGHT_GATES
from app.domain.lifecycle import STATUSES, TRANSITIONS
from app.domain.policy import Policy
from app.models import Review, ScorecardVersion
from app.services.audit_service import record
from tests.support.filled import Filled, on_sqlite
from tests.support.refusals import add, refused
from tests.support.rows import (
    HASH,
    activation_row,
    add_recorded,
    model_row,
    review_row,
    version_row,
)


def move(db: Session, version: str, status: str) -> None:
    db.execute(
        text("UPDATE scorecard_versions SET status = :status WHERE version = :version"),
        {"status": status, "version": version},
    )


def status_of(db: Session, version: str) -> str:
    query = select(ScorecardVersion.status).where(ScorecardVersion.version == version)
    return db.execute(query).scalar_one()


def policy_row(db: Session, **fields: Any) -> models.Policy:
    """Build the next policy, put in force by ``tester``."""
    policy = Policy(**fields)
    last = db.scalar(select(func.max(models.Policy.id))) or 0
    return models.Policy(
        id=last + 1, content=policy.to_document(), content_hash=policy.content_hash,
        created_at=utc_now(), created_by="tester",
    )  # fmt: skip


def verdict_row(kind: str, subject: str, gate: str, name: str) -> models.Verdict:
    return models.Verdict(
        subject_kind=kind, subject_id=subject, gate=gate, verdict=name, value=0.5, threshold=0.6,
        rule=">=", judged_on="rows", sentence="handmade", policy_hash=HASH, created_at=utc_now(),
    )  # fmt: skip


def model_draft(db: Session, *verdicts: tuple[str, str], number: int = 5) -> str:
    """Add a model with verdicts, and its draft, both asked for by ``ada``."""
    model = model_row()
    model.id = f"m-{number}"
    rows = [verdict_row("model", model.id, gate, name) for gate, name in verdicts]
    version = f"ml_v{number}"
    draft = version_row(version, number, origin="model", model_id=model.id)
    add(db, *rows, model, draft)
    return version


# ---- the transition table


def test_the_database_knows_the_steps_of_the_transition_table() -> None:
    steps = {(before, after) for (before, _), after in TRANSITIONS.items() if before != after}
    assert set(STATUS_STEPS) == steps


OTHER_STEPS = [
    (before, after)
    for before in STATUSES
    for after in STATUSES
    if before != after and (before, after) not in STATUS_STEPS
]
EXAMPLES = {"draft": "v2", "approved": "v5", "rejected": "v6", "active": "v1", "inactive": "v4"}


@pytest.mark.parametrize(("before", "after"), OTHER_STEPS)
def test_a_step_outside_the_transition_table_is_refused(
    changes: Session, before: str, after: str
) -> None:
    add(changes, version_row("v5", 5), version_row("v6", 6))
    add(changes, review_row("v5", "grace"), review_row("v6", "grace", kind="reject"))
    move(changes, "v5", "approved")
    move(changes, "v6", "rejected")
    assert status_of(changes, EXAMPLES[before]) == before
    with pytest.raises(DBAPIError, match="chancellor: "):
        move(changes, EXAMPLES[before], after)


def test_an_unknown_status_is_refused(filled: Filled) -> None:
    filled.attempt("UPDATE scorecard_versions SET status = 'best' WHERE version = 'v2'")


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "draft"])
def test_a_version_starts_as_a_draft(changes: Session, status: str) -> None:
    refused(changes, "starts as a draft", version_row("v5", 5, status=status))


@pytest.mark.parametrize(("origin", "model_id"), [("model", None), ("person", "m-1")])
def test_a_model_version_names_its_model_and_no_other_does(
    changes: Session, origin: str, model_id: str | None
) -> None:
    draft = version_row("v5", 5, origin=origin, model_id=model_id)
    refused(changes, "ck_scorecard_versions_model_id", draft)


# ---- one active version, and only by an activation


def test_there_is_never_a_second_active_version(filled: Filled) -> None:
    answer = filled.attempt("UPDATE scorecard_versions SET status = 'active' WHERE version = 'v4'")
    assert "chancellor: " in answer


@on_sqlite
def test_a_second_active_version_does_not_replace_the_first(filled: Filled) -> None:
    """Without the trigger the first one would vanish, and no delete trigger would see it."""
    filled.attempt("UPDATE OR REPLACE scorecard_versions SET status = 'active' WHERE number = 4")


def test_the_partial_unique_index_stands_behind_the_triggers(filled: Filled) -> None:
    """It holds where two sessions see only their own snapshot."""
    with filled.engine.connect() as connection:
        dialect = {
            "sqlite": "SELECT sql FROM sqlite_master WHERE name = 'one_active_version'",
            "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = 'one_active_version'",
        }[filled.engine.dialect.name]
        definition = connection.exec_driver_sql(dialect).scalar_one()
    assert "UNIQUE" in definition
    assert "'active'" in definition


def test_there_is_never_no_active_version(filled: Filled) -> None:
    for extra in ("", ", deactivated_at = activated_at"):
        answer = filled.attempt(
            f"UPDATE scorecard_versions SET status = 'inactive'{extra} WHERE version = 'v1'"
        )
        assert "only by an activation" in answer


@pytest.mark.parametrize("column", ["activated_at", "deactivated_at"])
def test_when_a_version_decided_is_not_rewritten(filled: Filled, column: str) -> None:
    answer = filled.attempt(
        f"UPDATE scorecard_versions SET {column} = created_at WHERE version = 'v4'"
    )
    assert "only by an activation" in answer


def test_an_activation_moves_both_versions_at_once(changes: Session) -> None:
    add(changes, version_row("v5", 5), review_row("v5", "grace"))
    add(changes, activation_row("v5", "activate"))
    assert (status_of(changes, "v1"), status_of(changes, "v5")) == ("inactive", "active")
    now = changes.execute(
        text("SELECT count(*) FROM scorecard_versions v JOIN activations a ON a.at = "
             "CASE v.version WHEN 'v5' THEN v.activated_at ELSE v.deactivated_at END "
             "WHERE a.version = 'v5' AND v.version IN ('v1', 'v5')")
    )  # fmt: skip
    assert now.scalar_one() == 2


# ---- approvals


@pytest.mark.parametrize("status", ["approved", "active"])
def test_a_draft_without_a_review_goes_nowhere(filled: Filled, status: str) -> None:
    move_it = f"UPDATE scorecard_versions SET status = '{status}' WHERE version = 'v2'"
    assert "chancellor: " in filled.attempt(move_it)


@pytest.mark.parametrize(
    "review",
    [{"content_hash": "b" * 64}, {"evidence_hash": "b" * 64}, {"kind": "reject"}],
    ids=["other content", "other evidence", "a rejection"],
)
def test_a_review_of_something_else_does_not_count(
    changes: Session, review: dict[str, str]
) -> None:
    add(changes, review_row("v2", "grace", **review))
    with pytest.raises(DBAPIError, match="needs the approvals of its content"):
        move(changes, "v2", "approved")
    changes.rollback()
    add(changes, review_row("v2", "grace", **review))
    refused(changes, "needs the approvals of this content", activation_row("v2", "activate"))


def test_a_review_of_the_content_counts(changes: Session) -> None:
    add(changes, review_row("v2", "grace"))
    move(changes, "v2", "approved")
    with pytest.raises(DBAPIError, match="stays approved while"):
        move(changes, "v2", "draft")


def test_an_approval_that_was_withdrawn_does_not_count(changes: Session) -> None:
    review = review_row("v2", "grace")
    add(changes, review)
    move(changes, "v2", "approved")
    add(changes, withdrawal_of(review))
    refused(changes, "needs the approvals of this content", activation_row("v2", "activate"))
    move(changes, "v2", "draft")


def withdrawal_of(review: Review, actor: str = "grace", reason: str = "too early") -> Any:
    return models.ApprovalWithdrawal(review_id=review.id, actor=actor, reason=reason, at=utc_now())


def test_people_withdraw_approvals_of_their_own_in_time(changes: Session) -> None:
    theirs, no = review_row("v2", "grace"), review_row("v2", "hal", kind="reject")
    add(changes, theirs, no)
    refused(changes, "approvals of their own", withdrawal_of(theirs, "eve"))
    refused(changes, "approvals of their own", withdrawal_of(theirs, reason=" "))
    refused(changes, "approvals of their own", withdrawal_of(no, "hal"))
    late = changes.get_one(Review, 2)  # v4 was active since
    refused(changes, "approvals of their own", withdrawal_of(late))


@pytest.mark.parametrize(
    ("version", "reviewer"),
    [("v2", "ada"), ("v2", " ADA "), ("ml_v3", "model:m-1"), ("ml_v3", "grace"), ("v2", " ")],
    ids=["the author", "spelt otherwise", "the model", "despite the advice", "nobody"],
)
def test_a_maker_does_not_approve(changes: Session, version: str, reviewer: str) -> None:
    refused(changes, "maker and checker must be two", review_row(version, reviewer))


@pytest.mark.parametrize("actor", ["ada", " ADA ", "model:m-1"])
def test_a_maker_does_not_activate(changes: Session, actor: str) -> None:
    add(changes, review_row("v2", "grace"))
    refused(changes, "maker and checker|give this person the right",
            activation_row("v2", "activate", actor=actor))  # fmt: skip


def test_another_person_approves_and_a_maker_rejects(changes: Session) -> None:
    add(changes, review_row("ml_v3", "ada"), review_row("v2", "ada", kind="reject"))
    assert changes.scalar(select(Review.id).where(Review.version == "ml_v3")) is not None


def test_a_rejection_needs_its_review(changes: Session) -> None:
    with pytest.raises(DBAPIError, match="a rejection needs its review"):
        move(changes, "v2", "rejected")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_what_decides_or_decided_is_not_reviewed(changes: Session, version: str) -> None:
    refused(changes, "reviewed before it decides", review_row(version, "grace"))


def test_the_policy_in_force_says_how_many_approve(changes: Session) -> None:
    add(changes, policy_row(changes, approvals_required=2), review_row("v2", "grace"))
    add(changes, review_row("v2", " GRACE "))  # the same person
    refused(changes, "needs the approvals of this content", activation_row("v2", "activate"))
    add(changes, review_row("v2", "hal"), activation_row("v2", "activate"))
    assert status_of(changes, "v2") == "active"


def test_the_policy_in_force_says_who_approves(changes: Session) -> None:
    add(changes, review_row("v2", "hal"), policy_row(changes, approvers=("grace", "joe")))
    refused(changes, "needs the approvals of this content", activation_row("v2", "activate"))
    add(changes, review_row("v2", "joe"))
    refused(changes, "give this person the right", activation_row("v2", "activate", actor="hal"))
    add(changes, activation_row("v2", "activate"))


def test_the_policy_in_force_asks_for_roles(changes: Session) -> None:
    roles = {"risk_manager": ("grace", "joe"), "validator": ("vera",)}
    asked = {"risk_manager": 1, "validator": 1}
    add(changes, policy_row(changes, roles=roles, approvals_by_role=asked))
    add(changes, review_row("v2", "grace"), review_row("v2", "joe"), review_row("v2", "hal"))
    refused(changes, "needs the approvals of this content", activation_row("v2", "activate"))
    add(changes, review_row("v2", "vera"), activation_row("v2", "activate"))


def test_the_policy_in_force_forbids_self_review(changes: Session) -> None:
    version = model_draft(changes)
    add(changes, policy_row(changes, allow_self_review=False), review_row(version, "ada"))
    refused(changes, "needs the approvals of this content", activation_row(version, "activate"))
    add(changes, review_row(version, "hal"))
    refused(changes, "maker and checker", activation_row(version, "activate", actor="ada"))
    add(changes, activation_row(version, "activate"))


def test_the_policy_in_force_asks_for_acknowledgements(changes: Session) -> None:
    version = model_draft(changes, ("auc_roc", "insufficient evidence"))
    add(changes, policy_row(changes, require_named_acknowledgement=True))
    add(changes, review_row(version, "hal"))
    refused(changes, "needs the approvals of this content", activation_row(version, "activate"))
    add(changes, review_row(version, "joe", acknowledged=["auc_roc"]))
    add(changes, activation_row(version, "activate"))


# ---- gates


def test_a_failed_gate_blocks_an_activation(changes: Session) -> None:
    version = model_draft(changes, ("auc_roc", "fail"))
    add(changes, policy_row(changes, admins=("tester", "ops")), review_row(version, "hal"))
    refused(changes, "a failed gate blocks", activation_row(version, "activate"))
    for actor, reason in (("grace", "the product changed"), ("ops", " ")):
        activation = activation_row(version, "activate", actor=actor, override_reason=reason)
        refused(changes, "a failed gate blocks", activation)
    add(changes, activation_row(version, "activate", actor="ops", override_reason="new product"))


def test_an_admins_override_in_an_approval_holds(changes: Session) -> None:
    version = model_draft(changes, ("auc_roc", "fail"))
    add(changes, review_row(version, "hal", override_reason="new product"))
    add(changes, activation_row(version, "activate"))


def test_gates_on_weights_inform_on_a_persons_card(changes: Session) -> None:
    gates = [verdict_row("version", "v5", gate, "fail") for gate in WEIGHT_GATES]
    add(changes, *gates, version_row("v5", 5), review_row("v5", "hal"))
    add(changes, activation_row("v5", "activate"))
    assert set(WEIGHT_GATES_ON_A_CARD) == set(WEIGHT_GATES)


def test_the_newest_verdict_of_a_gate_is_its_verdict(changes: Session) -> None:
    version = model_draft(changes, ("auc_roc", "fail"), ("auc_roc", "pass"))
    add(changes, review_row(version, "hal"), activation_row(version, "activate"))


@pytest.mark.parametrize(("kind", "subject"), [("version", "v2"), ("model", "m-1")])
def test_a_failed_gate_is_not_judged_anew(changes: Session, kind: str, subject: str) -> None:
    refused(changes, "complete once", verdict_row(kind, subject, "auc_roc", "pass"))
    evidence = models.Evidence(
        subject_kind=kind, subject_id=subject, kind="other", content={}, content_hash=HASH,
        created_at=utc_now(),
    )  # fmt: skip
    refused(changes, "complete once", evidence)


# ---- every decision has its event


def forged(db: Session, row: Any, **event: Any) -> None:
    """Add a row under another event than its own."""
    db.info["chancellor_transaction"] = "open"
    said = {"actor": "grace", "subject": "version:v2", "payload": {}} | event
    row.audit_seq = record(db, **said)
    db.add(row)
    db.flush()


ANOTHER_EVENT = [
    {"action": "version.approved", "actor": "eve"},
    {"action": "version.approved", "subject": "version:v4"},
    {"action": "run.done"},
    {"action": "version.approved", "payload": {"content_hash": "b" * 64}},
]


@pytest.mark.parametrize("event", ANOTHER_EVENT, ids=["actor", "subject", "action", "content"])
def test_a_review_has_an_event_of_its_own(changes: Session, event: dict[str, Any]) -> None:
    with pytest.raises(DBAPIError, match="a review belongs to the audit event"):
        forged(changes, review_row("v2", "grace"), **event)


@pytest.mark.parametrize("seq", [None, 1])
def test_a_row_does_not_borrow_an_event(changes: Session, seq: int | None) -> None:
    """Neither none, nor one that was written for something else, nor one that was used."""
    for row in (
        review_row("v2", "grace", audit_seq=seq),
        activation_row("v4", "rollback", audit_seq=seq),
    ):
        savepoint = changes.begin_nested()
        changes.add(row)
        with pytest.raises(DBAPIError, match="belongs to the audit event"):
            changes.flush()
        savepoint.rollback()
    review = review_row("v2", "grace")
    add(changes, review)
    changes.add(review_row("v2", "grace", audit_seq=review.audit_seq))
    with pytest.raises(DBAPIError, match=r"(?i)unique|append-only"):
        changes.flush()


@pytest.mark.parametrize("kind", sorted(ACTION_OF_ACTIVATION))
def test_an_activation_has_an_event_of_its_own(changes: Session, kind: str) -> None:
    with pytest.raises(DBAPIError, match="chancellor: "):
        forged(changes, activation_row("v4", kind), action="version.approved", subject="version:v4")


def test_a_rollback_has_the_event_of_a_rollback(changes: Session) -> None:
    with pytest.raises(DBAPIError, match="an activation belongs to the audit event"):
        forged(changes, activation_row("v4", "rollback"), action="version.activated",
               subject="version:v4")  # fmt: skip


def test_a_withdrawn_approval_has_an_event_of_its_own(changes: Session) -> None:
    review = review_row("v2", "grace")
    add(changes, review)
    with pytest.raises(DBAPIError, match="a withdrawal belongs to the audit event"):
        forged(changes, withdrawal_of(review), action="version.approved")


def test_a_policy_has_an_event_of_its_own(changes: Session) -> None:
    policy = policy_row(changes, approvals_required=1)
    changes.add(policy)
    with pytest.raises(DBAPIError, match="a policy belongs to the audit event"):
        changes.flush()


def test_only_an_admin_puts_another_policy_in_force(changes: Session) -> None:
    add(changes, policy_row(changes, admins=("tester",)))
    other = policy_row(changes)
    other.created_by = "eve"
    refused(changes, "names the admins who may change it", other)


WITHDRAWN = [("batch", "B1"), ("outcome_import", "1"), ("exposure_import", "1")]


@pytest.mark.parametrize(("kind", "subject"), WITHDRAWN)
def test_a_withdrawal_has_an_event_and_a_subject(changes: Session, kind: str, subject: str) -> None:
    row = {"subject_kind": kind, "reason": "wrong", "at": utc_now(), "actor": "ada"}
    refused(changes, "what is not there", models.Withdrawal(subject_id="99", **row))
    changes.add(models.Withdrawal(subject_id=subject, **row))
    with pytest.raises(DBAPIError, match=r"a withdrawal belongs to the audit event|never replaced"):
        changes.flush()


# ---- activations and rollbacks


def test_an_activation_follows_the_one_before(changes: Session) -> None:
    for changed in (
        {"previous_version": None},
        {"previous_version": "v2"},
        {"at": utc_now().replace(year=2001)},
    ):
        refused(changes, "follows the one before", activation_row("v4", "rollback", **changed))


def test_a_draft_of_another_baseline_is_not_activated(changes: Session) -> None:
    add(changes, version_row("v5", 5, base_version="v4"), review_row("v5", "grace"))
    refused(changes, "cannot take this step", activation_row("v5", "activate"))


@pytest.mark.parametrize("kind", ["initial", "rollback", "emergency_rollback"])
def test_a_draft_is_not_rolled_back_to(changes: Session, kind: str) -> None:
    refused(changes, "cannot take this step", activation_row("v2", kind))


def test_a_version_that_decided_is_not_activated_anew(changes: Session) -> None:
    refused(changes, "cannot take this step|needs the approvals|follows",
            activation_row("v4", "activate"))  # fmt: skip


def test_rolling_back_needs_the_right_and_a_reason(changes: Session) -> None:
    policy = policy_row(changes, approvers=("grace",), admins=("ops",))
    add(changes, policy)
    right = "give this person the right"
    refused(changes, right, activation_row("v4", "rollback", actor="ops"))
    refused(changes, right, activation_row("v4", "emergency_rollback"))
    refused(changes, "needs a reason", activation_row("v4", "rollback", reason=" "))
    add(changes, activation_row("v4", "emergency_rollback", actor="ops"))
    assert status_of(changes, "v4") == "active"


def acknowledgement(activation_id: int, actor: str) -> Any:
    return models.EmergencyAcknowledgement(
        activation_id=activation_id, actor=actor, reason="seen", at=utc_now()
    )


def test_an_emergency_is_acknowledged_by_another_approver(changes: Session) -> None:
    add(changes, activation_row("v4", "emergency_rollback", id=9, actor="ops"))
    for activation_id, actor in ((9, "OPS"), (9, "model:m-1"), (2, "grace")):
        refused(changes, "by an approver who did not do it", acknowledgement(activation_id, actor))
    with pytest.raises(DBAPIError, match="an acknowledgement belongs to the audit event"):
        forged(changes, acknowledgement(9, "grace"), action="version.approved")


def test_the_way_in_is_open_for_what_is_allowed(changes: Session) -> None:
    """The refusals above are not those of a broken connection."""
    with transaction(changes):
        add_recorded(changes, version_row("v5", 5))
        found = changes.scalars(select(ScorecardVersion).where(ScorecardVersion.number == 5)).one()
        assert json.loads(json.dumps(found.features)) == {"b": 1, "a": 2}
        changes.rollback()
