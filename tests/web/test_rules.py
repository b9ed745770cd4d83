"""People and keys, policy, outcome definitions: shown, changed, refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from app.db import open_session
from app.domain.api_keys import PREFIX
from app.domain.outcomes import default_definition
from app.services.definition_service import DefinitionService
from app.services.key_service import KeyService
from app.services.policy_service import PolicyService
from app.web.policy import as_typed
from tests.support.desk_client import DeskClient, signed_in
from tests.support.service import Running


@pytest.fixture
def admin(empty_desk: Running) -> Iterator[DeskClient]:
    with signed_in(empty_desk, "admin") as client:
        yield client


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(
    admin: DeskClient, empty_desk: Running
) -> None:
    made = admin.send("/keys", owner="zoë <b>", role="analyst", name="", days="9")
    assert made.headers["cache-control"] == "no-store"
    key = re.search(rf'value="({PREFIX}[^"]+)"', made.text)
    assert key
    page = admin.get("/people").text
    assert key.group(1) not in page
    assert "zoë &lt;b&gt;" in page
    key_id = key.group(1).split("_")[1]
    assert f"<code>{key_id}</code>" in page
    with httpx.Client(base_url=empty_desk.url, trust_env=False) as other:
        other.post("/sign-in", data={"key": key.group(1)})
        assert other.get("/").status_code == 200
        assert admin.send(f"/keys/{key_id}/revoke", reason=" ").status_code == 422
        assert admin.send(f"/keys/{key_id}/revoke", reason="lost").status_code == 303
        assert other.get("/").status_code == 303
    assert "revoked by admin: lost" in admin.get("/people").text
    assert admin.send(f"/keys/{key_id}/revoke", reason="again").status_code == 409
    assert admin.send("/keys/nothing/revoke", reason="x").status_code == 404


def test_what_was_typed_stays_where_a_key_is_refused(admin: DeskClient) -> None:
    for days in ("0", "many", "99999", "9" * 30):
        page = admin.send("/keys", owner="zoë", role="analyst", name="laptop", days=days)
        assert page.status_code == 422
        assert 'value="zoë"' in page.text
        assert f'value="{days}"' in page.text
    assert admin.send("/keys", owner="model:x", role="admin", days="3").status_code == 422


def test_the_policy_form_says_what_is_in_force_and_changes_only_what_was_typed(
    admin: DeskClient, empty_desk: Running
) -> None:
    with open_session(empty_desk.store.database_url) as db:
        before = PolicyService(db, actor="admin").get_policy()
        same = as_typed(before["content"])
        assert admin.send("/policy", **same).status_code == 303
        assert PolicyService(db).get_policy() == before  # the form gives back what it showed
        changed = {
            **same, "min_auc_roc": "0.65", "expected": before["content_hash"],
            "only_approvers": "yes", "approvers": "grace\n\n vera <x>\n",
            "roles": "validator: vera <x>, joe", "approvals_by_role": "validator: 1",
        }  # fmt: skip
        assert admin.send("/policy", **changed).status_code == 303
        db.rollback()
        now = PolicyService(db).get_policy()
    assert now["created_by"] == "admin"
    differing = {name for name in now["content"] if now["content"][name] != before["content"][name]}
    assert differing == {"min_auc_roc", "approvers", "roles", "approvals_by_role"}
    assert now["content"]["approvers"] == ["grace", "vera <x>"]
    page = admin.get("/policy").text
    assert "4 rules changed" in page
    assert "grace, vera &lt;x&gt;" in page
    assert "0.650" in page
    stale = admin.send("/policy", **changed | {"min_gain": "0.002"})
    assert stale.status_code == 412
    assert "after this page was opened" in stale.text.replace("\n", " ")


def test_what_is_wrong_with_a_policy_stands_beside_each_field(
    admin: DeskClient, empty_desk: Running
) -> None:
    with open_session(empty_desk.store.database_url) as db:
        same = as_typed(PolicyService(db).get_policy()["content"])
        wrong = {**same, "min_auc_roc": "1.5", "max_band_shift": "<i>"}
        page = admin.send("/policy", **wrong)
        assert page.status_code == 422
        assert page.text.count('<strong class="wrong">') == 2
        assert 'value="1.5"' in page.text
        assert 'value="&lt;i&gt;"' in page.text
        roles = admin.send("/policy", **same | {"roles": "validator"})
        assert "is not written as role: names" in roles.text
        assert len(PolicyService(db).list_policies()) == 1


def test_the_history_pages_and_names_each_difference(
    admin: DeskClient, empty_desk: Running
) -> None:
    with open_session(empty_desk.store.database_url) as db:
        for place in range(22):
            PolicyService(db, actor="admin").set_policy({"min_labelled": 200 + place})
        first, *_, last = PolicyService(db).list_policies(limit=50)
    assert first["changes"] == [{"field": "min_labelled", "old": 220, "new": 221}]
    assert last["changes"] is None
    page = admin.get("/policy").text
    assert "Policy 4," in page
    assert "Policy 3," not in page
    assert 'href="/policy?before=4"' in page
    older = admin.get("/policy?before=4").text
    assert "Policy 1," in older
    assert "Policy 23 is in force" in older


def test_a_definition_gets_its_next_version_from_the_form_or_from_yaml(
    admin: DeskClient, empty_desk: Running
) -> None:
    form = {"bad_days": "90", "from_days": "30", "to_days": "90", "write_off": "bad",
            "collection": "bad", "bankruptcy": "bad"}  # fmt: skip
    assert admin.send("/definitions", name="default", **form).status_code == 303
    with open_session(empty_desk.store.database_url) as db:
        newest = DefinitionService(db).get_definition()
        assert newest["version"] == 1  # the form says what the store began with
        assert newest["content_hash"] == default_definition().content_hash
    form["bad_days"], form["collection"] = "60", "indeterminate"
    assert admin.send("/definitions", name="default", **form).status_code == 303
    yaml = "{name: loss, bad: [{event_type: write_off}]}"
    assert admin.send("/definitions", name="", document=yaml).status_code == 303
    page = admin.get("/definitions").text
    assert "default, version 2" in page
    assert "more than 60 days past due; write-off; bankruptcy" in page
    assert "30 to 90 days past due; collection" in page
    assert "loss, version 1" in page
    wrong = admin.send("/definitions", name="<Loss>", bad_days="x")
    assert wrong.status_code == 422
    assert 'value="&lt;Loss&gt;"' in wrong.text
    assert wrong.text.count('class="wrong"') == 2


def test_people_says_who_may_what_and_nobody_else_gets_the_forms(empty_desk: Running) -> None:
    with open_session(empty_desk.store.database_url) as db:
        KeyService(db, actor="admin").create(owner="grace", role="approver")
        PolicyService(db, actor="admin").set_policy({"approvers": ["grace"]})
    with signed_in(empty_desk, "viewer") as client:
        people, policy = client.get("/people").text, client.get("/policy").text
        definitions = client.get("/definitions").text
    assert "only grace may approve" in people
    assert re.search(r">grace</th><td>approver</td>.*<td>approver</td>", people)
    for page in (people, policy, definitions):
        assert page.count("<form") == 1  # signing out
        assert "Only an admin" in page
