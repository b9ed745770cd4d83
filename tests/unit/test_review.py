from __future__ import annotations

from typing import get_args

import pytest

from app.domain.lifecycle import VersionFacts
from app.domain.policy import Policy
from app.domain.review import Approval, Case, VerdictFacts, counts_as_approval, may_activate
from app.domain.rights import Reason, is_admin, may_review
from app.errors import ChancellorError
from app.services.version_cases import ERRORS

MODEL = VersionFacts("ml_v2", "model", "model:m-1", ("ada", "ben"), None, "v1", "now")
WEAK = VerdictFacts("auc_roc", "insufficient evidence", "12 bad parties.")
FAILED = VerdictFacts("band_stability", "fail", "14 % move.")


def case(policy: Policy, *approvals: Approval, verdicts: tuple[VerdictFacts, ...] = ()) -> Case:
    return Case(policy, MODEL, verdicts, approvals)


def test_every_reason_has_its_error():
    assert set(ERRORS) == set(get_args(Reason))
    assert all(issubclass(error, ChancellorError) for error in ERRORS.values())


@pytest.mark.parametrize("asker", ["ada", "ben", " ADA", "Ａda"])
def test_whoever_asked_for_the_training_reviews_only_where_the_policy_allows_it(asker):
    allowed = may_review(Policy(), MODEL, asker)
    assert allowed.allowed
    assert "self-review" in allowed.notices[0]
    assert may_review(Policy(allow_self_review=False), MODEL, asker).reason == "self_review"


@pytest.mark.parametrize("name", ["model:m-1", "MODEL:m-9", "", "  "])
def test_only_people_review(name):
    assert not may_review(Policy(), MODEL, name).allowed


def test_an_approval_of_other_content_does_not_count():
    decision = may_activate(
        case(Policy(approvals_required=2), Approval("eve", "before")), Approval("joe", "now"), "v1"
    )
    assert decision.reason == "too_few_approvals"
    assert "1 earlier approval was of other content" in decision.sentence


def test_two_approvals_of_one_person_are_one():
    twice = (Approval("eve", "now"), Approval("Eve ", "now"))
    assert (
        may_activate(
            case(Policy(approvals_required=2), *twice), Approval("eve", "now"), "v1"
        ).reason
        == "too_few_approvals"
    )
    assert may_activate(
        case(Policy(approvals_required=2), *twice), Approval("joe", "now"), "v1"
    ).allowed


def test_an_approval_counts_only_while_its_reviewer_may_review():
    left = case(Policy(approvers=("joe",)), Approval("eve", "now"))
    assert left.counted_approvers == ()


def test_a_policy_that_asks_by_name_wants_a_review_of_its_own():
    policy = Policy(require_named_acknowledgement=True)
    named = Approval("eve", "now", acknowledged=("auc_roc",))
    alone = case(policy, verdicts=(WEAK,))
    assert not counts_as_approval(alone, named)
    assert may_activate(alone, Approval("eve", "now"), "v1").reason == "not_acknowledged"
    assert may_activate(alone, named, "v1").reason == "too_few_approvals"
    reviewed = case(policy, named, verdicts=(WEAK,))
    assert may_activate(reviewed, Approval("eve", "now"), "v1").allowed


def test_an_override_by_someone_who_may_not_review_does_not_count():
    policy = Policy(allow_self_review=False)
    over = Approval("ada", "now", override_reason="we know why")
    decision = may_activate(case(policy, over, verdicts=(FAILED,)), Approval("eve", "now"), "v1")
    assert decision.reason == "gate_failed"


def test_an_override_needs_an_admin_where_the_policy_names_them():
    policy = Policy(admins=("joe",))
    assert not is_admin(policy, "eve")
    over = Approval("eve", "now", override_reason="we know why")
    decision = may_activate(case(policy, verdicts=(FAILED,)), over, "v1")
    assert decision.reason == "not_an_admin"
    assert "joe" in decision.sentence
