"""Maker and checker: who may approve, reject, activate and roll back, on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from app.db import open_session, transaction, utc_now
from app.domain.scorecard import Scorecard, default_card
from app.errors import (
    BaselineError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    QualityGateError,
    SelfReviewError,
    StaleContentError,
    TamperingError,
    TransitionError,
)
from app.models import Activation, Review, ScorecardVersion
from app.queries.versions import require_version
from app.services.audit_service import AuditService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.versions import model_draft, verdict

OWN_CARD = default_card().with_weights({"kyc_verified": 13.0, "has_tax_id": 12.0})


def versions(db: Session, actor: str = "grace") -> ScorecardVersionService:
    return ScorecardVersionService(db, actor=actor)


def status(db: Session, version: str) -> str:
    return require_version(db, version).status


def actions(db: Session, version: str) -> list[str]:
    events = AuditService(db).list_events(subject=f"version:{version}", limit=50)
    return sorted(event["action"] for event in events)


# ---- activation


def test_a_draft_is_approved_and_activated_and_the_one_before_retires(db):
    model_draft(db)
    approved = versions(db).approve("ml_v2", reason="holds out of time")
    assert (approved["status"], approved["approvals"]) == (
        "approved",
        {"required": 1, "given": 1, "by": ["grace"]},
    )
    active = versions(db, "joe").activate_version("ml_v2", reason="committee")
    assert (active["status"], active["previous_version"]) == ("active", "v1")
    assert (status(db, "v1"), status(db, "ml_v2")) == ("inactive", "active")
    assert actions(db, "ml_v2") == ["draft.created", "version.activated", "version.approved"]
    assert AuditService(db).verify()["verified"]


def test_activating_counts_as_approval_and_acknowledgement(db):
    model_draft(db, model_verdicts=(verdict("auc_roc", "insufficient evidence"),))
    active = versions(db).activate_version("ml_v2")
    assert active["counted_as_approval"]
    assert active["acknowledged"] == ["auc_roc"]
    [review] = versions(db).get_version("ml_v2")["reviews"]
    assert (review["kind"], review["reviewer"]) == ("approve", "grace")
    assert review["acknowledged"] == ["auc_roc"]


def test_the_requester_of_the_training_activates_with_a_notice(db):
    model_draft(db, trained_by="ada")
    assert "self-review" in versions(db, "ada").activate_version("ml_v2")["notice"]


def test_activating_twice_is_a_conflict(db):
    model_draft(db)
    versions(db).activate_version("ml_v2")
    with pytest.raises(TransitionError, match="active"):
        versions(db).activate_version("ml_v2")


def test_a_draft_whose_baseline_is_no_longer_active_is_a_conflict(db):
    model_draft(db)
    model_draft(db, model_id="m-20260331-bbbb", weights={"kyc_verified": 16.0, "has_tax_id": 9.0})
    versions(db).activate_version("ml_v2")
    with pytest.raises(BaselineError, match="v1, but ml_v2 is active"):
        versions(db).activate_version("ml_v3")
    assert status(db, "ml_v3") == "draft"


def test_a_failed_gate_blocks_a_models_draft(db):
    model_draft(db, verdicts=(verdict("band_stability", "fail"),))
    approved = versions(db).approve("ml_v2", reason="weights make sense")
    assert "cannot be activated unless an admin overrides" in approved["notice"]
    with pytest.raises(QualityGateError) as blocked:
        versions(db).activate_version("ml_v2", reason="anyway")
    assert blocked.value.verdicts[0]["gate"] == "band_stability"
    assert (status(db, "ml_v2"), status(db, "v1")) == ("approved", "active")


def test_a_failed_gate_of_the_model_blocks_too(db):
    model_draft(db, model_verdicts=(verdict("improves_on_baseline", "fail"),), despite_advice=True)
    with pytest.raises(QualityGateError, match="improves_on_baseline"):
        versions(db).activate_version("ml_v2")


def test_an_admin_overrides_a_failed_gate_with_a_written_reason(db):
    PolicyService(db, "tester").set_policy({"admins": ["joe", "tester"]})
    model_draft(db, verdicts=(verdict("band_stability", "fail"),))
    with pytest.raises(NotPermittedError, match="joe"):
        versions(db, "grace").activate_version("ml_v2", override_reason="the product changed")
    with pytest.raises(InvalidInputError):
        versions(db, "joe").activate_version("ml_v2", override_reason="  ")
    active = versions(db, "joe").activate_version("ml_v2", override_reason="the product changed")
    assert active["override_reason"] == "the product changed"
    row = db.scalars(select(Activation).where(Activation.version == "ml_v2")).one()
    assert row.override_reason == "the product changed"


def test_an_override_in_an_approval_holds_for_the_activation(db):
    PolicyService(db, "tester").set_policy({"admins": ["joe", "tester"]})
    model_draft(db, verdicts=(verdict("band_stability", "fail"),))
    versions(db, "joe").approve("ml_v2", reason="ok", override_reason="the product changed")
    assert versions(db, "grace").activate_version("ml_v2")["status"] == "active"


def test_there_is_nothing_to_override_where_every_gate_passed(db):
    model_draft(db)
    with pytest.raises(InvalidInputError, match="nothing to override"):
        versions(db).activate_version("ml_v2", override_reason="to be sure")


def test_a_policy_may_ask_for_two_people(db):
    PolicyService(db, "tester").set_policy({"approvals_required": 2})
    model_draft(db)
    first = versions(db, "grace").approve("ml_v2", reason="one")
    assert (first["status"], first["approvals"]["given"]) == ("draft", 1)
    with pytest.raises(ConflictError, match="1 of the 2 approvals"):
        versions(db, "grace").activate_version("ml_v2")
    assert status(db, "ml_v2") == "draft"
    assert versions(db, "joe").activate_version("ml_v2")["approvals"]["by"] == ["grace", "joe"]


def test_a_policy_may_ask_for_each_acknowledgement_by_name(db):
    PolicyService(db, "tester").set_policy({"require_named_acknowledgement": True})
    model_draft(db, model_verdicts=(verdict("auc_roc", "insufficient evidence"),))
    with pytest.raises(ConflictError, match="--acknowledge auc_roc"):
        versions(db).approve("ml_v2", reason="ok")
    with pytest.raises(InvalidInputError, match="band_stability"):
        versions(db).approve("ml_v2", reason="ok", acknowledge=("band_stability",))
    with pytest.raises(ConflictError, match="0 of the 1"):
        versions(db).activate_version("ml_v2", acknowledge=("auc_roc",))
    versions(db).approve("ml_v2", reason="ok", acknowledge=("auc_roc",))
    assert versions(db).activate_version("ml_v2")["status"] == "active"


def test_only_the_approvers_of_the_policy_approve_activate_and_roll_back(db):
    model_draft(db)
    versions(db).activate_version("ml_v2")
    PolicyService(db, "tester").set_policy({"approvers": ["joe"]})
    with pytest.raises(NotPermittedError, match="joe"):
        versions(db, "grace").rollback("v1", reason="bad rates rose")
    assert versions(db, "joe").rollback("v1", reason="bad rates rose")["previous_version"] == (
        "ml_v2"
    )
    model_draft(db, model_id="m-20260331-bbbb", weights={"kyc_verified": 16.0})
    for call in (versions(db).approve, versions(db).activate_version, versions(db).reject):
        with pytest.raises(NotPermittedError, match="joe"):
            call("ml_v3", reason="ok")


# ---- maker and checker


def test_nobody_approves_or_activates_a_draft_of_their_own(db):
    versions(db, "ada").add_version(OWN_CARD, note="tax id counts more")
    for name in ("ada", "Ada", " ada"):
        with pytest.raises(SelfReviewError):
            versions(db, name).approve("v2", reason="mine")
        with pytest.raises(SelfReviewError):
            versions(db, name).activate_version("v2")
    assert status(db, "v2") == "draft"
    assert versions(db, "grace").activate_version("v2")["notice"] is None


def test_whoever_asked_despite_the_advice_is_a_maker(db):
    model_draft(db, trained_by="ada", asked_by="ben", despite_advice=True)
    with pytest.raises(SelfReviewError, match="despite the advice"):
        versions(db, "ben").approve("ml_v2", reason="ok")
    assert versions(db, "ada").approve("ml_v2", reason="ok")["status"] == "approved"


def test_a_model_never_decides(db):
    model_draft(db)
    for name in ("model:m-20260331-aaaa", "model:other"):
        with pytest.raises(NotPermittedError):
            versions(db, name).activate_version("ml_v2")


def test_self_review_can_be_forbidden(db):
    PolicyService(db, "tester").set_policy({"allow_self_review": False})
    model_draft(db, trained_by="ada", asked_by="ben")
    for name in ("ada", "ben"):
        with pytest.raises(SelfReviewError):
            versions(db, name).approve("ml_v2", reason="ok")
    assert versions(db, "grace").approve("ml_v2", reason="ok")["notice"] is None


def test_an_approval_is_entered_once_per_person(db):
    model_draft(db)
    versions(db).approve("ml_v2", reason="ok")
    with pytest.raises(ConflictError, match="already"):
        versions(db).approve("ml_v2", reason="again")
    assert versions(db, "joe").approve("ml_v2", reason="me too")["approvals"]["given"] == 2


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_review_needs_a_reason(db, reason):
    model_draft(db)
    for call in (versions(db).approve, versions(db).reject):
        with pytest.raises(InvalidInputError, match="reason"):
            call("ml_v2", reason=reason)


def test_a_rejected_draft_stays_rejected(db):
    model_draft(db)
    assert versions(db).reject("ml_v2", reason="moves too many")["status"] == "rejected"
    for call in (versions(db).approve, versions(db).reject, versions(db).activate_version):
        with pytest.raises(TransitionError):
            call("ml_v2", reason="after all")
    assert actions(db, "ml_v2") == ["draft.created", "version.rejected"]


def test_an_approved_version_can_still_be_rejected_before_it_decides(db):
    model_draft(db)
    versions(db).approve("ml_v2", reason="ok")
    assert versions(db, "joe").reject("ml_v2", reason="seen something")["status"] == "rejected"


def test_a_maker_may_take_a_draft_back(db):
    versions(db, "ada").add_version(OWN_CARD)
    assert versions(db, "ada").reject("v2", reason="typing error")["status"] == "rejected"


# ---- bound to what was seen


def test_a_stale_hash_is_a_conflict_for_every_step(db):
    draft = model_draft(db)
    seen = versions(db).get_version(draft.version)["review_hash"]
    for call in (versions(db).approve, versions(db).reject, versions(db).activate_version):
        with pytest.raises(StaleContentError, match=seen):
            call("ml_v2", reason="ok", expected_hash=draft.content_hash)
    assert versions(db).approve("ml_v2", reason="ok", expected_hash=seen)["review_hash"] == seen


def test_content_and_evidence_change_the_hash_that_is_approved(db):
    hashes = {
        versions(db).get_version(draft.version)["review_hash"]
        for draft in (
            model_draft(db, model_id="m-1"),
            model_draft(db, model_id="m-2", weights={"kyc_verified": 14.5}),
            model_draft(db, model_id="m-3", evidence={"t": 0.9, "features": {}}),
            model_draft(db, model_id="m-4", verdicts=(verdict("weight_change", "fail"),)),
        )
    }
    assert len(hashes) == 4


@contextmanager
def plain_session(url: str) -> Iterator[Session]:
    """Open a session of somebody else's making."""
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def alter_behind_the_triggers(url: str, table: str, change: str, values: dict[str, str]) -> None:
    with plain_session(url) as outside:
        if url.startswith("sqlite"):
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
            for name in outside.scalars(text(names), {"table": table}).all():
                outside.execute(text(f"DROP TRIGGER {name}"))
        else:
            outside.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        key = "version" if table == "scorecard_versions" else "subject_id"
        outside.execute(text(f"UPDATE {table} SET {change} WHERE {key} = 'ml_v2'"), values)
        outside.commit()


@pytest.mark.parametrize("part", ["content", "features", "evidence", "verdicts"])
def test_what_was_altered_behind_the_triggers_is_not_approved(db, store, part):
    model_draft(db)
    row = require_version(db, "ml_v2")
    heavier = row.features | {"kyc_verified": row.features["kyc_verified"] | {"weight": 99.0}}
    table, change, values = {
        "content": (
            "scorecard_versions",
            "content = :new",
            {"new": json.dumps(row.content | {"name": "Another name"})},
        ),
        "features": ("scorecard_versions", "features = :new", {"new": json.dumps(heavier)}),
        "evidence": ("evidence", "content = :new", {"new": json.dumps({"t": 0.5})}),
        "verdicts": ("verdicts", "value = 0.99", {}),
    }[part]
    db.rollback()
    alter_behind_the_triggers(store.database_url, table, change, values)
    with open_session(store.database_url) as fresh:
        for call in (versions(fresh).approve, versions(fresh).activate_version):
            with pytest.raises(TamperingError, match="ml_v2"):
                call("ml_v2", reason="ok")


# ---- rollback and history


def test_rollback_is_a_new_activation_and_the_past_stays_known(db):
    model_draft(db)
    before = utc_now()
    versions(db).activate_version("ml_v2", reason="committee")
    during = utc_now()
    back = versions(db).rollback("v1", reason="bad rates rose in band good")
    assert (back["kind"], back["status"], back["previous_version"]) == (
        "rollback",
        "active",
        "ml_v2",
    )
    service = versions(db)
    assert service.active_at(before)["version"] == "v1"
    assert service.active_at(during)["version"] == "ml_v2"
    assert service.active_at(utc_now())["reason"] == "bad rates rose in band good"
    with pytest.raises(NotFoundError, match="began later"):
        service.active_at(before - timedelta(days=365))
    with pytest.raises(InvalidInputError, match="future"):
        service.active_at(before + timedelta(days=2))
    assert "version.rolled_back" in actions(db, "v1")
    assert service.rollback("ml_v2", reason="it was the weather")["status"] == "active"


@pytest.mark.parametrize("version", ["v1", "ml_v2"])
def test_only_a_version_that_was_active_before_can_be_rolled_back_to(db, version):
    model_draft(db)
    with pytest.raises(TransitionError):
        versions(db).rollback(version, reason="ok")


def test_a_clock_that_was_set_back_does_not_change_the_order(db, monkeypatch):
    model_draft(db)
    early = utc_now() - timedelta(hours=1)
    with monkeypatch.context() as clock:
        clock.setattr("app.services.version_activations.utc_now", lambda: early)
        versions(db).activate_version("ml_v2")
    assert versions(db).active_at(utc_now())["version"] == "ml_v2"


# ---- two people at once


def _at_once(store, calls):
    barrier, outcomes = threading.Barrier(len(calls)), []

    def run(version, actor):
        with open_session(store.database_url) as session:
            service = versions(session, actor)
            barrier.wait()
            try:
                outcomes.append(service.activate_version(version)["version"])
            except ConflictError as refused:
                outcomes.append(refused)

    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.mark.parametrize(
    "targets", [("ml_v2", "ml_v2"), ("ml_v2", "ml_v3")], ids=["one draft", "two drafts"]
)
def test_two_people_activating_at_once_leave_one_active_and_one_conflict(db, store, targets):
    model_draft(db)
    model_draft(db, model_id="m-20260331-bbbb", weights={"kyc_verified": 16.0})
    db.rollback()
    outcomes = _at_once(store, list(zip(targets, ("grace", "joe"), strict=True)))
    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    conflicts = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
    assert (len(winners), len(conflicts)) == (1, 1)
    with open_session(store.database_url) as fresh:
        query = select(func.count()).where(ScorecardVersion.status == "active")
        assert fresh.scalar(query) == 1
        assert status(fresh, winners[0]) == "active"
        assert AuditService(fresh).verify()["verified"]


def test_the_database_holds_a_second_active_version_off(db, monkeypatch):
    model_draft(db)
    monkeypatch.setattr("app.services.version_activations.find_active", lambda _db: None)
    monkeypatch.setattr(
        "app.services.version_activations.may_activate",
        lambda *_: type("Yes", (), {"allowed": True, "reason": None, "notices": ()})(),
    )
    with pytest.raises(ConflictError, match="same moment"):
        versions(db).activate_version("ml_v2")
    assert (status(db, "v1"), status(db, "ml_v2")) == ("active", "draft")


# ---- drafts of a person


def test_a_persons_draft_is_judged_for_information_only(db):
    far = default_card().with_weights({"kyc_verified": 40.0})
    draft = versions(db, "ada").add_version(far, note="identity first")
    assert (draft["version"], draft["status"], draft["base_version"]) == ("v2", "draft", "v1")
    assert {gate["gate"]: gate["verdict"] for gate in draft["gates"]} == {
        "weight_change": "fail",
        "cumulative_change": "fail",
    }
    assert versions(db).activate_version("v2")["status"] == "active"


def test_the_same_card_is_not_filed_twice(db):
    with pytest.raises(ConflictError, match="v1"):
        versions(db).add_version(default_card())
    versions(db, "ada").add_version(OWN_CARD)
    with pytest.raises(ConflictError, match="v2"):
        versions(db, "ben").add_version(OWN_CARD)
    versions(db, "ada").reject("v2", reason="not now")
    assert versions(db, "ada").add_version(OWN_CARD)["version"] == "v3"


def test_a_model_cannot_pass_as_a_person(db):
    with pytest.raises(NotPermittedError):
        versions(db, "model:m-1").add_version(OWN_CARD)


def test_the_document_says_who_may_take_which_step(db):
    versions(db, "ada").add_version(OWN_CARD)
    mine = {step["step"]: step for step in versions(db, "ada").get_version("v2")["steps"]}
    assert {name: step["allowed"] for name, step in mine.items()} == {
        "approve": False,
        "reject": True,
        "withdraw_approval": False,
        "activate": False,
    }
    assert mine["approve"]["reason"] == "self_review"
    theirs = versions(db, "grace").get_version("v2")["steps"]
    assert all(step["allowed"] for step in theirs if step["step"] != "withdraw_approval")


def test_features_are_read_as_the_design_says(db):
    feature = versions(db).get_version("v1")["features"]["avg_transaction_amount"]
    assert feature["weight"] == 5
    assert feature["transform"]["kind"] == "log"
    assert list(versions(db).get_version("v1")["features"]) == list(default_card().features)


def test_a_stored_card_is_the_card(db):
    row = require_version(db, "v1")
    assert Scorecard.from_document(row.content).content_hash == row.content_hash


def test_an_unknown_version_lists_the_known_ones(db):
    with pytest.raises(NotFoundError, match="There is: v1"):
        versions(db).get_version("v7")


def test_a_plain_engine_persists_without_the_caller_committing(db, store):
    model_draft(db)
    db.rollback()
    with plain_session(store.database_url) as plain:
        versions(plain).activate_version("ml_v2")
    with open_session(store.database_url) as fresh:
        assert status(fresh, "ml_v2") == "active"


def test_calls_inside_one_transaction_stand_or_fall_together(db):
    model_draft(db)

    def both() -> None:
        with transaction(db):
            versions(db).approve("ml_v2", reason="ok")
            versions(db, "joe").activate_version("ml_v2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        both()
    assert status(db, "ml_v2") == "draft"
    assert db.scalar(select(func.count()).select_from(Review)) == 0
