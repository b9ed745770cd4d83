"""A new store, its policy and its definitions, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.db import close_engine, migrate, open_session
from app.domain.policy import Policy
from app.domain.scorecard import load_scorecard
from app.errors import (
    ConflictError,
    DocumentError,
    NotFoundError,
    NotPermittedError,
    StoreNotInitialisedError,
)
from app.queries.policies import current_policy, policy_by_hash
from app.queries.versions import expert_ancestor, require_active
from app.services.audit_service import AuditService
from app.services.definition_service import DefinitionService
from app.services.doctor import DoctorService
from app.services.policy_service import PolicyService
from app.services.store import initialise_store, upgrade_store
from tests.support.versions import model_draft

LOSS = {"name": "loss", "bad": [{"event_type": "write_off"}]}


def test_a_new_store_has_the_card_as_its_active_version(db):
    active = require_active(db)
    assert (active.version, active.origin, active.number) == ("v1", "person", 1)
    assert active.activated_at is not None
    assert len(active.features) == 16
    events = [event["action"] for event in AuditService(db).list_events(limit=20)]
    assert sorted(events) == [
        "definition.added",
        "draft.created",
        "policy.set",
        "store.initialised",
        "version.activated",
    ]
    assert AuditService(db).verify()["n_events"] == 5


def test_a_store_is_initialised_once(store, db):
    before = AuditService(db).verify()["head"]
    with pytest.raises(ConflictError, match="already"):
        initialise_store(actor="eve")
    assert AuditService(db).verify()["head"] == before


def test_a_store_begins_with_the_card_and_policy_it_is_given(store_url, home):
    card = load_scorecard(
        "{name: Two, bands: {low: 300, high: 600}, features: {age: {weight: 1, transform: "
        "{kind: linear, worst: 20, best: 60}}}}"
    )
    made = initialise_store(card=card, policy=Policy(min_auc_roc=0.65), actor="ada")
    assert (made["card"], made["n_features"], made["version"]) == ("Two", 1, "v1")
    assert made["content_hash"] == card.content_hash
    assert (home / "lake").is_dir()
    assert "secret" not in made["database_url"]


def test_upgrading_a_store_of_this_release_changes_nothing(store, db):
    before = AuditService(db).verify()["head"]
    done = upgrade_store(actor="ada")
    assert (done["changed"], done["revision_before"]) == (False, done["revision"])
    assert AuditService(db).verify()["head"] == before


def test_an_earlier_schema_is_upgraded_on_the_record(store, db):
    db.close()
    close_engine(store.database_url)
    migrate.downgrade(store.database_url, "0001")
    with pytest.raises(ConflictError, match="init --upgrade"):
        open_session(store.database_url)
    done = upgrade_store(actor="ada")
    newest = migrate.head_revision()
    assert (done["changed"], done["revision_before"], done["revision"]) == (True, "0001", newest)
    with open_session(store.database_url) as fresh:
        event = AuditService(fresh).list_events(limit=1)[0]
        assert (event["actor"], event["action"]) == ("ada", "store.upgraded")
        assert DoctorService(fresh).examine()["findings"] == []


def test_what_this_release_does_not_know_is_not_upgraded(store, db):
    db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.commit()
    with pytest.raises(ConflictError, match="another release made it"):
        upgrade_store()


def test_there_is_nothing_to_upgrade_without_a_store(home):
    with pytest.raises(StoreNotInitialisedError, match="chancellor init"):
        upgrade_store()


def test_every_fault_of_a_policy_is_named_with_what_it_may_have_meant(store, db):
    typed = {"alow_self_review": False, "approvals_required": 0, "min_auc_roc": 60}
    with pytest.raises(DocumentError) as caught:
        PolicyService(db, actor="ada").set_policy(typed)
    assert caught.value.message.splitlines() == [
        "min_auc_roc: must be at most 1, is 60",
        "approvals_required: must be at least 1, is 0",
        "alow_self_review: is not known here; did you mean 'allow_self_review'?",
    ]


def test_a_policy_that_could_never_approve_is_refused(store_url):
    with pytest.raises(DocumentError, match="approvals_required"):
        initialise_store(policy=Policy(approvers=("ada",), approvals_required=2))


def test_the_newest_policy_is_in_force_and_the_earlier_stays(db):
    service = PolicyService(db, "ada")
    first = service.get_policy()
    second = service.set_policy({"min_auc_roc": 0.65})
    assert (second["changed"], second["policy_id"]) == (True, first["policy_id"] + 1)
    assert service.get_policy()["content"]["min_auc_roc"] == 0.65
    assert policy_by_hash(db, first["content_hash"])[1] == Policy()
    assert current_policy(db)[1].min_auc_roc == 0.65


def test_setting_the_same_policy_changes_nothing(db):
    head = AuditService(db).verify()["head"]
    assert not PolicyService(db, "ada").set_policy({})["changed"]
    assert AuditService(db).verify()["head"] == head


def test_only_an_admin_changes_a_policy_that_names_admins(db):
    PolicyService(db, "ada").set_policy({"admins": ["ada"], "approvers": ["joe", "grace"]})
    with pytest.raises(NotPermittedError, match="ada"):
        PolicyService(db, "joe").set_policy({})
    assert PolicyService(db, "ada").set_policy({})["changed"]


def test_no_policy_locks_everybody_out_and_admins_hand_over_in_two_steps(db):
    ada, joe = PolicyService(db, "ada"), PolicyService(db, "joe")
    for name in ("admins", "approvers"):
        for people in ([], [" "]):
            with pytest.raises(DocumentError, match=name):
                ada.set_policy({name: people})
    with pytest.raises(DocumentError, match="ada, who sets it: an admin stays"):
        ada.set_policy({"admins": ["joe"]})
    assert ada.get_policy()["content"]["admins"] is None
    assert ada.set_policy({"admins": ["ada", "joe"]})["changed"]
    assert joe.set_policy({"admins": ["joe"]})["changed"]
    with pytest.raises(NotPermittedError):
        ada.set_policy({})


def test_an_unknown_policy_is_not_found(db):
    with pytest.raises(NotFoundError):
        policy_by_hash(db, "0" * 64)


@pytest.mark.parametrize("document", [{"min_auc": 0.6}, {"min_auc_roc": 2}])
def test_a_wrong_policy_names_the_place(db, document):
    with pytest.raises(DocumentError, match="min_auc"):
        PolicyService(db, "ada").set_policy(document)


def test_definitions_are_named_and_versioned(db):
    service = DefinitionService(db, "ada")
    assert [d["name"] for d in service.list_definitions()] == ["default"]
    first = service.add_definition(LOSS)
    again = service.add_definition("{name: loss, bad: [{event_type: write_off}]}")
    wider = service.add_definition(LOSS | {"indeterminate": [{"event_type": "collection"}]})
    assert [d["changed"] for d in (first, again, wider)] == [True, False, True]
    assert [d["version"] for d in (first, again, wider)] == [1, 1, 2]
    assert service.get_definition("loss")["content_hash"] == wider["content_hash"]
    assert service.add_definition(LOSS)["version"] == 3  # going back is a change too
    assert len(service.list_definitions()) == 4


def test_an_unknown_definition_lists_the_known_ones(db):
    with pytest.raises(NotFoundError, match="default"):
        DefinitionService(db).get_definition("fraud")


def test_a_wrong_definition_names_the_place(db):
    with pytest.raises(DocumentError, match="event_type"):
        DefinitionService(db).add_definition({"name": "theft", "bad": [{"event_type": "theft"}]})


def test_the_expert_ancestor_is_read_from_the_store(db):
    draft = model_draft(db)
    assert expert_ancestor(db, draft.version).version == "v1"
