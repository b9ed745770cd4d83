"""The review of a version: propose, read, discuss, decide, and each way of being refused."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from sqlalchemy import Engine, event

from app.db import open_session
from app.domain.scorecard import default_card
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.web.review_forms import WEIGHT_FIELD
from tests.support.desk_client import DeskClient, signed_in
from tests.support.service import Running
from tests.support.versions import model_draft, verdict

MARKUP = "<script>alert('x')</script>"


def _weights(**changes: str) -> dict[str, str]:
    card = default_card()
    known = {name: str(part.weight) for name, part in card.features.items()} | changes
    return {WEIGHT_FIELD + name: weight for name, weight in known.items()}


def _hidden(page: httpx.Response) -> dict[str, str]:
    """Read what the decision forms of a page carry."""
    return {
        name: re.findall(rf'name="{name}" value="([^"]*)"', page.text)[0]
        for name in ("review_hash", "seen")
    }


def _propose(analyst: DeskClient, note: str = "identity counts less", **changes: str) -> str:
    page = analyst.get("/versions/new")
    content_hash = re.findall(r'name="content_hash" value="(\w+)"', page.text)[0]
    changes = changes or {"kyc_verified": "14", "has_tax_id": "11"}
    answer = analyst.send("/versions", content_hash=content_hash, note=note, **_weights(**changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_draft_is_proposed_discussed_approved_activated_and_rolled_back(
    empty_desk: Running,
) -> None:
    with signed_in(empty_desk, "analyst") as analyst, signed_in(empty_desk, "approver") as approver:
        review = _propose(analyst, note=f"audit {MARKUP}")
        place = review.removesuffix("/review")
        said = approver.send(f"{place}/comment", text=f"why? {MARKUP}")
        assert said.headers["location"] == f"{review}#conversation"
        page = approver.get(review)
        assert page.status_code == 200
        assert MARKUP not in page.text
        assert page.text.count("&lt;script&gt;") >= 2
        approved = approver.send(f"{place}/approve", reason="read it", **_hidden(page))
        assert approved.headers["location"] == f"{review}#decide"
        seen = _hidden(approver.get(review))
        mistyped = approver.send(f"{place}/activate", reason="committee", confirm="v1", **seen)
        assert mistyped.status_code == 422
        assert "Type v2 to confirm" in mistyped.text
        assert "committee</textarea>" in mistyped.text
        done = approver.send(f"{place}/activate", reason="committee", confirm="v2", **seen)
        assert done.status_code == 303
        first = approver.get("/versions/v1/review")
        back = approver.send(
            "/versions/v1/rollback", reason="as before", confirm="v1", **_hidden(first)
        )
        assert back.status_code == 303
        listed = approver.get("/versions").text
        assert "rolled back to by approver: as before" in listed
        told = re.sub(r"<[^>]+>|\s+", " ", approver.get(review).text)
        for part in ("proposed v2", "commented on v2", "approved v2", "activated v2"):
            assert part in told


def test_a_stale_page_is_refused_with_who_was_faster_and_keeps_what_was_typed(
    empty_desk: Running,
) -> None:
    with signed_in(empty_desk, "analyst") as analyst:
        place = _propose(analyst).removesuffix("/review")
    with signed_in(empty_desk, "approver") as slow, signed_in(empty_desk, "admin") as fast:
        before = _hidden(slow.get(f"{place}/review"))
        fast.send(f"{place}/comment", text="a comment overtakes nobody")
        assert fast.send(f"{place}/approve", reason="fine", **before).status_code == 303
        late = slow.send(f"{place}/reject", reason="I would wait", **before)
        assert late.status_code == 412
        assert "admin approved v2 at 20" in late.text
        assert "I would wait</textarea>" in late.text
        again = slow.send(f"{place}/reject", reason="I would wait", **_hidden(late))
        assert again.status_code == 303
        other = slow.send(f"{place}/approve", reason="x", review_hash="0" * 64, seen="999999")
        assert other.status_code == 409  # rejected for good; the hash is not even looked at


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_a_person_may_not_do_is_disabled_with_the_reason_beside_it(
    empty_desk: Running,
) -> None:
    with signed_in(empty_desk, "analyst") as analyst, signed_in(empty_desk, "viewer") as viewer:
        review = _propose(analyst)
        mine = analyst.get(review).text
        assert re.search(r"<button[^>]* disabled[^>]*>Approve v2</button>", mine)
        assert "The role analyst proposes and comments; it does not decide." in mine
        looked = viewer.get(review).text
        assert "The role viewer reads; it does not decide." in looked
        assert "it does not comment" in looked
        assert viewer.get("/versions/new").status_code == 403
    with signed_in(empty_desk, "admin") as admin:
        own = admin.get(_propose(admin, kyc_verified="13")).text
        assert re.search(r"<button[^>]* disabled[^>]*>Approve v3</button>", own)
        assert "admin wrote v3; another person must review and activate it." in own


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_in_an_emergency_an_admin_rolls_back_alone_and_it_stays_listed(
    empty_desk: Running,
) -> None:
    with signed_in(empty_desk, "analyst") as analyst, signed_in(empty_desk, "approver") as approver:
        place = _propose(analyst).removesuffix("/review")
        seen = _hidden(approver.get(f"{place}/review"))
        approver.send(f"{place}/activate", reason="committee", confirm="v2", **seen)
    with open_session(empty_desk.store.database_url) as db:
        PolicyService(db, "admin").set_policy({"approvers": ["approver"], "admins": ["admin"]})
    back = {"reason": "scores are wrong", "confirm": "v1"}
    with signed_in(empty_desk, "approver") as approver, signed_in(empty_desk, "admin") as admin:
        seen = _hidden(approver.get("/versions/v1/review"))
        refused = approver.send("/versions/v1/rollback", emergency="yes", **back, **seen)
        assert refused.status_code == 403
        alone = admin.send("/versions/v1/rollback", **back, **seen)
        assert alone.status_code == 403
        assert "scores are wrong</textarea>" in alone.text
        done = admin.send("/versions/v1/rollback", emergency="yes", **back, **seen)
        assert done.status_code == 303, done.text
        listed = approver.get("/versions").text
        assert "rolled back to in an emergency by admin: scores are wrong" in listed
        assert "No approver has" in listed


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_cannot_be_used_is_refused_in_place(empty_desk: Running) -> None:
    with signed_in(empty_desk, "analyst") as analyst:
        wrong = analyst.send("/versions", note="n", document="name: x\nbands: {a: 300}\n")
        assert wrong.status_code == 422
        assert "features: is missing" in wrong.text
        assert "name: x\nbands: {a: 300}" in wrong.text
        page = analyst.get("/versions/new").text
        content_hash = re.findall(r'name="content_hash" value="(\w+)"', page)[0]
        odd = _weights(kyc_verified="plenty")
        answer = analyst.send("/versions", content_hash=content_hash, note="n", **odd)
        assert answer.status_code == 422
        assert "The weight of kyc_verified is no number" in answer.text
        assert 'value="plenty"' in answer.text
        stale = analyst.send("/versions", content_hash="0" * 64, note="n", **_weights())
        assert stale.status_code == 412
        assert analyst.get("/versions/v9/review").status_code == 404
        assert "nothing that it would change" in analyst.get("/versions/v1/review").text


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_insufficient_evidence_is_acknowledged_by_name_and_a_failure_is_shown(
    empty_desk: Running,
) -> None:
    with open_session(empty_desk.store.database_url) as db:
        PolicyService(db, "tester").set_policy({"require_named_acknowledgement": True})
        version = model_draft(
            db, verdicts=(verdict("auc_roc", "insufficient evidence"),), batch_ids=["B1"]
        ).version
    place = f"/versions/{version}"
    with signed_in(empty_desk, "approver") as approver:
        page = _when_ready(approver, f"{place}/review")
        assert "The evidence could not be prepared." in page.text  # the model was made by hand
        assert 'name="acknowledge" value="auc_roc"' in page.text
        seen = _hidden(page)
        unnamed = approver.send(f"{place}/approve", reason="fine", **seen)
        assert unnamed.status_code == 409
        assert "acknowledged by name" in unnamed.text
        named = approver.send(f"{place}/approve", reason="fine", acknowledge="auc_roc", **seen)
        assert named.status_code == 303, named.text


def _when_ready(client: DeskClient, path: str) -> httpx.Response:
    """Open a page until what it shows is computed, as its header tells a browser to."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        page = client.get(path)
        if "Refresh" not in page.headers:
            return page
        assert "Preparing the review" in page.text
        time.sleep(0.2)
    raise AssertionError(f"{path} is not ready")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/versions", "/versions/v2", "/versions/v2/review"])
def test_a_page_asks_the_database_as_often_with_many_versions_as_with_few(
    empty_desk: Running, path: str
) -> None:
    card = default_card()
    with open_session(empty_desk.store.database_url) as db:
        service = ScorecardVersionService(db, "ada")
        service.add_version(card.with_weights({"kyc_verified": 16.0}))
        with signed_in(empty_desk, "viewer") as viewer:
            _when_ready(viewer, path)
            few = _count_queries(viewer, path)
            for number in range(20):
                service.add_version(card.with_weights({"kyc_verified": 17.0 + number}))
                service.comment("v2", f"comment {number}")
            many = _count_queries(viewer, path)
    assert few == many < 40


def _count_queries(client: DeskClient, path: str) -> int:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len([one for one in asked if one.lstrip().upper().startswith("SELECT")])


@pytest.mark.slow
def test_the_review_of_a_models_draft_shows_its_evidence(desk: Running) -> None:
    with signed_in(desk, "approver") as approver:
        page = _when_ready(approver, "/versions/ml_v2/review")
        text = re.sub(r"<[^>]+>|\s+", " ", page.text)
        for heading in (
            "1 What changes", "2 Does it rank better", "3 Are its probabilities right",
            "4 Who is affected", "5 How far to go", "6 Gates", "7 Lineage", "8 Conversation",
        ):  # fmt: skip
            assert heading in text
        assert re.search(r"ADOPT: +the refined card ranks defaults better", text)
        assert "What this does not tell." in text
        assert re.search(
            r"Ranks defaults better on [\d,]+ parties it never saw: AUC 0\.\d{3}", text
        )
        pictures = re.findall(r'<img src="(/figures/[^"]+)"', page.text)
        assert len(pictures) == 11
        for address in pictures[:2]:
            drawn = approver.get(address.replace("&amp;", "&"))
            assert drawn.headers["content-type"] == "image/svg+xml"
        assert page.text.count("<tr") > 150
        assert "—" not in text
