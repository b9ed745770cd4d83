"""Approvals by role, approvals taken back, and rollbacks when approvers are away."""

from __future__ import annotations

import pytest
import structlog
from sqlalchemy.orm import Session

from app.domain.policy import Policy, parse_policy
from app.domain.scorecard import default_card
from app.errors import (
    ConflictError,
    DocumentError,
    NotFoundError,
    NotPermittedError,
    SelfReviewError,
    StaleContentError,
    TransitionError,
)
from app.queries.versions import require_version
from app.services.audit_service import AuditService
from app.services.doctor import DoctorService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.versions import model_draft

FIRST_HASH = "2b59771121675fbcb44d161a7ba87125756ab4c4007a272da7ad385222f1a28b"
ROLES = {
    "roles": {"risk_manager": ["grace", "joe"], "validator": ["vera"]},
    "approvals_by_role": {"risk_manager": 1, "validator": 1},
}


OWN_CARD = default_card().with_weights({"kyc_verified": 13.0, "has_tax_id": 12.0})


def versions(db: Session, actor: str = "grace") -> ScorecardVersionService:
    return ScorecardVersionService(db, actor=actor)


def test_a_policy_asks_for_an_approval_of_each_role(db):
    PolicyService(db, "tester").set_policy(ROLES)
    model_draft(db)
    assert versions(db, "grace").approve("ml_v2", reason="ok")["status"] == "draft"
    second = versions(db, "joe").approve("ml_v2", reason="ok")
    assert second["approvals"]["missing_roles"] == ["validator (0 of 1)"]
    with pytest.raises(ConflictError, match=r"by role: validator \(0 of 1\)"):
        versions(db, "joe").activate_version("ml_v2")
    assert versions(db, "vera").approve("ml_v2", reason="ok")["status"] == "approved"
    assert versions(db, "joe").activate_version("ml_v2")["status"] == "active"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"roles": {"a": ["ada"], "b": ["Ada "]}}, "roles"),
        ({"approvals_by_role": {"validator": 1}}, "approvals_by_role.validator"),
        ({"roles": {"a": ["ada"]}, "approvals_by_role": {"a": 2}}, "approvals_by_role.a"),
        (
            {"roles": {"a": ["ada"]}, "approvals_by_role": {"a": 1}, "approvers": ["joe"]},
            "approvals_by_role.a",
        ),
    ],
    ids=["two roles", "no such role", "too few", "none may approve"],
)
def test_roles_that_nobody_can_fill_are_refused(document, place):
    with pytest.raises(DocumentError) as refused:
        parse_policy(document)
    assert refused.value.place == place


def test_a_policy_without_roles_keeps_its_hash():
    """Of the default policy, as stores of the first schema recorded it."""
    assert Policy().content_hash == Policy(roles={}).content_hash == FIRST_HASH
    assert Policy(**ROLES).content_hash != FIRST_HASH


def test_an_approval_is_taken_back_and_the_version_is_a_draft_again(db):
    versions(db, "ada").add_version(OWN_CARD)
    versions(db).approve("v2", reason="ok")
    back = versions(db).withdraw_approval("v2", reason="the batch was incomplete")
    assert (back["status"], back["approvals"]["given"], back["n_withdrawn"]) == ("draft", 0, 1)
    shown = versions(db).get_version("v2")
    assert [review["withdrawn"]["reason"] for review in shown["reviews"]] == [
        "the batch was incomplete"
    ]
    event = AuditService(db).list_events(action="version.approval_withdrawn")[0]
    assert (event["actor"], event["payload"]["status"]) == ("grace", "draft")
    assert versions(db).approve("v2", reason="looked again")["status"] == "approved"
    assert versions(db, "joe").activate_version("v2")["status"] == "active"
    assert DoctorService(db).examine()["findings"] == []


def test_a_version_stays_approved_while_others_are_enough(db):
    model_draft(db)
    versions(db, "grace").approve("ml_v2", reason="ok")
    versions(db, "joe").approve("ml_v2", reason="ok")
    assert versions(db, "grace").withdraw_approval("ml_v2", reason="no")["status"] == "approved"
    assert require_version(db, "ml_v2").status == "approved"


def test_only_ones_own_approval_is_taken_back_and_only_before_the_activation(db):
    model_draft(db)
    versions(db).approve("ml_v2", reason="ok")
    with pytest.raises(ConflictError, match="joe has no approval"):
        versions(db, "joe").withdraw_approval("ml_v2", reason="no")
    versions(db).activate_version("ml_v2")
    with pytest.raises(TransitionError):
        versions(db).withdraw_approval("ml_v2", reason="too late")


def test_an_emergency_rollback_stands_out_until_an_approver_acknowledges_it(db):
    versions(db, "ada").add_version(OWN_CARD)
    versions(db).activate_version("v2")
    policy = {"approvers": ["grace"], "admins": ["ops", "tester"]}
    PolicyService(db, "tester").set_policy(policy)
    with pytest.raises(NotPermittedError, match="grace"):
        versions(db, "ops").rollback("v1", reason="at night")
    with pytest.raises(NotPermittedError, match="ops"):
        versions(db, "grace").rollback("v1", reason="at night", emergency=True)
    with structlog.testing.capture_logs() as logs:
        done = versions(db, "ops").rollback("v1", reason="at night", emergency=True)
    assert (done["kind"], done["status"]) == ("emergency_rollback", "active")
    assert [(line["log_level"], line["actor"]) for line in logs] == [("warning", "ops")]
    assert AuditService(db).list_events(limit=1)[0]["action"] == "version.emergency_rollback"
    [finding] = DoctorService(db).examine()["findings"]
    assert (finding["kind"], finding["subject"]) == ("emergency", "version:v1")
    assert "at night" in versions(db).list_emergencies()[0]["sentence"]
    with pytest.raises(SelfReviewError):
        versions(db, "ops").acknowledge_emergency(reason="mine")
    with pytest.raises(NotPermittedError):
        versions(db, "joe").acknowledge_emergency(reason="not mine")
    with pytest.raises(StaleContentError, match="ops rolled back to v1"):
        versions(db, "grace").acknowledge_emergency(reason="seen", newest="2026-03-31T00:00:00")
    newest = versions(db).list_emergencies()[-1]["at"]
    seen = versions(db, "grace").acknowledge_emergency(reason="it was right", newest=newest)
    assert [entry["actor"] for entry in seen["acknowledged"]] == ["ops"]
    assert DoctorService(db).examine()["findings"] == []
    with pytest.raises(NotFoundError):
        versions(db, "grace").acknowledge_emergency(reason="again")
