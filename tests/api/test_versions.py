"""Proposing, reviewing, activating and rolling back over HTTP, on each database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.db import open_session
from app.domain.scorecard import default_card
from tests.api.conftest import Running
from tests.support.versions import model_draft, verdict

Asked = Callable[[str], httpx.Client]
VERSIONS = "/api/scoring/versions"
EMERGENCIES = "/api/scoring/emergencies"


def _card(**weights: float) -> dict[str, Any]:
    document = default_card().to_document()
    for name, weight in weights.items():
        document["features"][name]["weight"] = weight
    return document


def _draft(client: httpx.Client) -> httpx.Response:
    answer = client.post(
        VERSIONS, json={"card": _card(kyc_verified=14, has_tax_id=11), "note": "audit of May"}
    )
    assert answer.status_code == 201, answer.text
    return answer


def test_a_draft_goes_from_proposal_to_activation_and_back(asked: Asked) -> None:
    draft = _draft(asked("analyst"))
    version, etag = draft.json()["version"], draft.headers["ETag"]
    assert etag == f'"{draft.json()["review_hash"]}"'
    seen = asked("approver").get(f"{VERSIONS}/{version}")
    assert seen.headers["ETag"] == etag
    approved = asked("approver").post(
        f"{VERSIONS}/{version}/approve", json={"reason": "read it"}, headers={"If-Match": etag}
    )
    assert approved.status_code == 200, approved.text
    assert approved.json()["status"] == "approved"
    activated = asked("approver").post(
        f"{VERSIONS}/{version}/activate", json={"reason": "committee"}, headers={"If-Match": etag}
    )
    assert activated.json()["status"] == "active", activated.text
    back = asked("approver").post(f"{VERSIONS}/v1/rollback", json={"reason": "as before"})
    assert back.json()["status"] == "active", back.text
    listed = asked("viewer").get(VERSIONS).json()["items"]
    assert [(one["version"], one["status"]) for one in listed] == [
        (version, "inactive"),
        ("v1", "active"),
    ]
    events = asked("viewer").get("/api/audit", params={"subject": f"version:{version}"}).json()
    assert [(one["actor"], one["action"]) for one in reversed(events["items"])] == [
        ("analyst", "draft.created"),
        ("approver", "version.approved"),
        ("approver", "version.activated"),
    ]
    assert asked("viewer").get("/api/audit/verify").json()["verified"] is True


def test_an_emergency_rollback_is_an_admins_and_waits_for_an_approver(asked: Asked) -> None:
    draft = _draft(asked("analyst"))
    version, seen = draft.json()["version"], {"If-Match": draft.headers["ETag"]}
    place = f"{VERSIONS}/{version}"
    asked("approver").post(f"{place}/approve", json={"reason": "read it"}, headers=seen)
    asked("approver").post(f"{place}/activate", json={}, headers=seen)
    order = {"reason": "it refuses everybody", "emergency": True}
    for role, status in (("analyst", 403), ("approver", 403), ("admin", 200)):
        answer = asked(role).post(f"{VERSIONS}/v1/rollback", json=order)
        assert answer.status_code == status, answer.text
    assert answer.json()["kind"] == "emergency_rollback"
    waiting = asked("viewer").get(EMERGENCIES).json()["items"]
    assert [(one["version"], one["previous_version"], one["actor"]) for one in waiting] == [
        ("v1", version, "admin")
    ]
    found = {"reason": "the rollback was right"}
    own = asked("admin").post(f"{EMERGENCIES}/acknowledge", json=found)
    assert (own.status_code, own.json()["code"]) == (403, "self_review")
    done = asked("approver").post(f"{EMERGENCIES}/acknowledge", json=found)
    assert (done.status_code, done.json()["acknowledged"]) == (200, waiting), done.text
    assert asked("viewer").get(EMERGENCIES).json()["items"] == []
    again = asked("approver").post(f"{EMERGENCIES}/acknowledge", json=found)
    assert again.status_code == 404


@pytest.mark.parametrize("step", ["approve", "reject"])
def test_nobody_decides_about_what_they_did_not_see(asked: Asked, step: str) -> None:
    draft = _draft(asked("analyst"))
    place = f"{VERSIONS}/{draft.json()['version']}"
    cases = {None: 428, "*": 428, '"' + "0" * 64 + '"': 412, "W/" + draft.headers["ETag"]: 400}
    for if_match, status in cases.items():
        headers = {} if if_match is None else {"If-Match": if_match}
        answer = asked("approver").post(
            f"{place}/{step}", json={"reason": "read it"}, headers=headers
        )
        assert answer.status_code == status, (if_match, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert asked("viewer").get(place).json()["status"] == "draft"
    right = {"If-Match": draft.headers["ETag"]}
    answer = asked("approver").post(f"{place}/{step}", json={"reason": "read it"}, headers=right)
    assert answer.status_code == 200


def test_an_activation_heeds_the_hash_where_one_is_named(asked: Asked) -> None:
    draft = _draft(asked("analyst"))
    place = f"{VERSIONS}/{draft.json()['version']}/activate"
    stale = asked("approver").post(place, json={}, headers={"If-Match": '"stale"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_content")
    assert asked("approver").post(place).status_code == 200  # a body is not required


def test_who_wrote_a_draft_does_not_approve_it_whatever_the_role(asked: Asked) -> None:
    draft = _draft(asked("admin"))
    answer = asked("admin").post(
        f"{VERSIONS}/{draft.json()['version']}/approve",
        json={"reason": "mine"},
        headers={"If-Match": draft.headers["ETag"]},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "self_review")


def test_only_an_admin_passes_over_a_failed_gate(running: Running, asked: Asked) -> None:
    with open_session(running.store.database_url) as db:
        name = model_draft(db, verdicts=(verdict("weight_change", "fail"),)).version
    place = f"{VERSIONS}/{name}"
    etag = {"If-Match": asked("viewer").get(place).headers["ETag"]}
    blocked = asked("admin").post(f"{place}/activate", json={}, headers=etag)
    assert (blocked.status_code, blocked.json()["code"]) == (409, "quality_gate")
    assert blocked.json()["facts"]["verdicts"]
    order = {"reason": "known", "override_reason": "the sector left the market"}
    refused = asked("approver").post(f"{place}/activate", json=order, headers=etag)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    passed = asked("admin").post(f"{place}/activate", json=order, headers=etag)
    assert passed.status_code == 200, passed.text


def test_versions_are_compared_and_found_by_time(asked: Asked) -> None:
    name = _draft(asked("analyst")).json()["version"]
    viewer = asked("viewer")
    compared = viewer.get(f"{VERSIONS}/compare", params={"a": "v1", "b": name, "cut_off": 600})
    assert compared.status_code == 200
    assert compared.json()["new"]["version"] == name
    then = viewer.get(f"{VERSIONS}/at", params={"time": datetime.now(UTC).isoformat()})
    assert then.status_code == 200, then.text
    assert then.json()["version"] == "v1"
    before = viewer.get(f"{VERSIONS}/at", params={"time": "1999-01-01"})
    assert (before.status_code, before.json()["code"]) == (404, "not_found")
    assert viewer.get(f"{VERSIONS}/at", params={"time": "0001-01-01"}).status_code == 422


def test_a_card_that_cannot_be_used_names_every_place(asked: Asked) -> None:
    card = _card(kyc_verified=-1)
    del card["bands"]
    answer = asked("analyst").post(VERSIONS, json={"card": card})
    assert (answer.status_code, answer.json()["code"]) == (422, "document")
    assert "bands" in answer.json()["detail"]
    assert "features.kyc_verified.weight" in answer.json()["detail"]


def test_a_comment_is_on_record_with_what_it_was_written_against(asked: Asked) -> None:
    draft = _draft(asked("analyst")).json()
    place = f"{VERSIONS}/{draft['version']}/comments"
    answer = asked("approver").post(place, json={"text": "  why does <b>tax</b> count less? "})
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "version": draft["version"],
        "actor": "approver",
        "text": "why does <b>tax</b> count less?",
        "review_hash": draft["review_hash"],
    }
    assert asked("approver").post(place, json={"text": "x" * 4_001}).status_code == 422
    nothing = asked("approver").post(f"{VERSIONS}/v9/comments", json={"text": "which?"})
    assert nothing.status_code == 404
    newest = asked("viewer").get("/api/audit", params={"limit": 1}).json()["items"][0]
    assert (newest["actor"], newest["action"]) == ("approver", "version.commented")


def test_a_version_is_exported_as_the_shell_does(asked: Asked) -> None:
    client = asked("viewer")
    answer = client.get(f"{VERSIONS}/v1/export", params={"to": "json"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="v1.json"'
    assert answer.json()["content_hash"] == default_card().content_hash
    program = client.get(f"{VERSIONS}/v1/export", params={"to": "python"})
    assert program.headers["content-type"] == "text/x-python; charset=utf-8"
    sql = {"to": "sql", "dialect": "sqlite", "table": "risk.loans", "id": "no"}
    made_by = "chancellor export v1 --to sql --dialect sqlite --table risk.loans --id no"
    assert made_by in client.get(f"{VERSIONS}/v1/export", params=sql).text
    for wrong in ({"to": "cobol"}, {"to": "json", "dialect": "sqlite"}, {**sql, "table": 'x"'}):
        assert client.get(f"{VERSIONS}/v1/export", params=wrong).status_code == 422
    assert client.get(f"{VERSIONS}/v9/export", params={"to": "json"}).status_code == 404
