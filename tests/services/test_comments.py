"""What people say about a version, and its whole conversation."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.domain.scorecard import default_card
from app.errors import InvalidInputError, NotFoundError
from app.services.audit_service import AuditService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService


def _draft(db: Session) -> str:
    card = default_card().with_weights({"kyc_verified": 16.0})
    version: str = ScorecardVersionService(db, "ada").add_version(card, note="audit")["version"]
    return version


def test_a_conversation_tells_everything_in_the_order_it_happened(db: Session) -> None:
    version = _draft(db)
    PolicyService(db, "ada").set_policy({"approvals_required": 2})
    grace, alan = (ScorecardVersionService(db, name) for name in ("grace", "alan"))
    said = grace.comment(version, " why so high? ")
    alan.comment(version, "because of the audit")
    grace.approve(version, reason="read it")
    grace.withdraw_approval(version, reason="too early")
    alan.reject(version, reason="wait")
    grace.comment(version, "agreed")

    assert said["review_hash"] == grace.get_version(version)["review_hash"]
    told = grace.conversation(version)
    assert [(one["actor"], one["action"], one["text"]) for one in told] == [
        ("ada", "draft.created", "audit"),
        ("grace", "version.commented", "why so high?"),
        ("alan", "version.commented", "because of the audit"),
        ("grace", "version.approved", "read it"),
        ("grace", "version.approval_withdrawn", "too early"),
        ("alan", "version.rejected", "wait"),
        ("grace", "version.commented", "agreed"),
    ]
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    comments = grace.list_comments(version)
    assert [one["text"] for one in comments] == ["why so high?", "because of the audit", "agreed"]
    assert AuditService(db).verify()["verified"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4_001])
def test_what_says_nothing_or_too_much_is_no_comment(db: Session, text: str) -> None:
    service = ScorecardVersionService(db, "ada")
    with pytest.raises(InvalidInputError, match="comment"):
        service.comment("v1", text)
    with pytest.raises(NotFoundError):
        service.comment("v9", "which?")
    assert service.list_comments("v1") == ()
