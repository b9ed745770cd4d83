"""The whole job in a real browser, on real loans: from files to a version in force, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.db import open_session, utc_now
from app.domain.scorecard import load_scorecard
from app.services.audit_service import AuditService
from app.services.key_service import KeyService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.conftest import Store
from tests.support.browser import Visitors, await_evidence, open_page, sign_in
from tests.support.furnished import ANALYST, APPROVER, OWNERS
from tests.support.service import Running, running_service

pytestmark = pytest.mark.slow

MINUTES = 60_000
WINDOW_DAYS = "1825"
"""Five years, as in the README."""
POLICY = {
    "allow_self_review": False,
    "require_named_acknowledgement": True,
    "min_bad_parties": 600,  # the loans have 550: what a model passed is insufficient evidence
}
SECOND_APPROVER = "Cleo Brandt"


@pytest.fixture
def desk(home: Path, shared_cards: Path) -> Iterator[Running]:
    """Serve an empty store with the experts' card for the loans; runs are executed."""
    initialise_store(card=load_scorecard(shared_cards / "sba_case.yaml"), actor="tester")
    store = Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))
    with open_session(store.database_url) as db:
        PolicyService(db, actor="tester").set_policy(POLICY)
    with running_service(store, OWNERS, execute_runs=True) as service:
        yield service


def _import_files(page: Page, file: Path) -> None:
    page.goto("/batches/new")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Id of the new batch").fill("LOANS")
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_label("Party", exact=True).select_option("LoanNr_ChkDgt")
    page.get_by_label("Date of scoring").select_option("ApprovalDate")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2,102 parties")
    page.get_by_role("button", name=re.compile("Store 2,102 parties as LOANS")).click()
    expect(page).to_have_url(re.compile("/batches/LOANS$"))

    page.goto("/outcomes/new")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Complete through").fill("2014-08-31")
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_label("Party", exact=True).select_option("LoanNr_ChkDgt")
    page.get_by_label("Date of the event").select_option("ChgOffDate")
    page.get_by_label("Type of event").select_option("write_off")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("button", name=re.compile(r"Store \d+ events")).click()
    expect(page).to_have_url(re.compile("/outcomes$"))


def _run(page: Page, judged_on: str) -> None:
    """Start a training run, watch it come further without a reload, and see it end."""
    page.goto("/batches/LOANS")
    page.get_by_text("Start a training run").click()
    page.get_by_label("Observation window, days").fill(WINDOW_DAYS)
    page.get_by_label("Judged", exact=True).select_option(judged_on)
    page.get_by_role("button", name="Start training on LOANS").click()
    expect(page).to_have_url(re.compile("/runs/"))
    page.evaluate("window.here = true")
    labelled = page.locator('[data-step="generate_scorecard_labels"]:not([data-check])')
    expect(labelled.locator('[data-part="status"]')).to_have_text("done", timeout=2 * MINUTES)
    assert page.evaluate("window.here"), "the page was loaded again instead of told"
    page.wait_for_function("() => !window.here", timeout=4 * MINUTES)  # it ended


def _title(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def _key(desk: Running, owner: str, role: str) -> str:
    with open_session(desk.store.database_url) as db:
        return str(KeyService(db, actor="tester").create(owner=owner, role=role)["key"])


def _approve(page: Page, reason: str) -> None:
    page.locator("#approve-reason").fill(reason)
    for box in page.get_by_role("checkbox", name=re.compile("ranks parties|baseline")).all():
        box.check()
    page.get_by_role("button", name="Approve ml_v2").click()


def _refused(page: Page, words: str) -> None:
    """See that nothing was done, and why."""
    expect(page.get_by_role("alert")).to_contain_text(re.compile(words))


def test_from_two_files_to_a_version_in_force_and_back(
    desk: Running, visitors: Visitors, shared_data: Path
) -> None:
    ana = visitors.arrive(desk.keys["analyst"])
    _import_files(ana, shared_data / "sba_case" / "sba_case.csv")

    _run(ana, "out_of_time")  # a gate fails: no draft, nothing to approve
    expect(_title(ana)).to_contain_text("A gate failed, so there is no draft")
    expect(ana.locator('[data-check="auc_roc"]')).to_contain_text("0.593")
    ana.goto("/versions/ml_v2/review")
    expect(_title(ana)).to_contain_text("Not Found")

    _run(ana, "cross_validation")
    expect(_title(ana)).to_contain_text("ml_v2 was drafted")
    ana.get_by_role("link", name="Review ml_v2").click()
    expect(ana).to_have_url(re.compile("/versions/ml_v2/review$"))
    await_evidence(ana)
    expect(ana.get_by_role("region", name="Recommendation")).to_contain_text("ADOPT")
    expect(ana.get_by_role("button", name="Approve ml_v2")).to_be_disabled()
    expect(ana.locator("#why-approve")).to_contain_text("it does not decide")
    ana.get_by_label("Comment on ml_v2").fill("Shuffled across years; see the run by dates.")
    ana.get_by_role("button", name="Comment", exact=True).click()

    _own_draft(desk, visitors)
    ben = visitors.arrive(desk.keys["approver"])
    _stale_page(desk, ben)
    _expired_session(desk, ben)
    _missing_token(ben)

    open_page(ben, "/versions/ml_v2/review")
    expect(ben.locator("main")).to_contain_text("Shuffled across years")
    ben.locator("#approve-reason").fill("Read the comparison.")
    ben.get_by_role("button", name="Approve ml_v2").click()
    _refused(ben, "cknowledge")
    expect(ben.locator("#approve-reason")).to_have_value("Read the comparison.")
    _approve(ben, "Read the comparison.")
    expect(ben.get_by_role("button", name="Activate ml_v2")).to_be_enabled()

    ben.locator("#activate-reason").fill("Committee of 31 March.")
    for box in ben.locator("#activate ~ form [name=acknowledge]").all():
        box.check()
    ben.locator("#activate-confirm").fill("ml_v1")
    ben.get_by_role("button", name="Activate ml_v2").click()
    _refused(ben, "Type ml_v2 to confirm")
    ben.locator("#activate-confirm").fill("ml_v2")
    ben.get_by_role("button", name="Activate ml_v2").click()
    ben.goto("/")
    expect(_title(ben)).to_contain_text("ml_v2 decides since")

    open_page(ben, "/versions/v1/review")
    ben.locator("#rollback-reason").fill("As before.")
    ben.locator("#rollback-confirm").fill("v1")
    ben.get_by_role("button", name="Roll back to v1").click()
    ben.goto("/")
    expect(_title(ben)).to_contain_text("v1 decides since")

    with open_session(desk.store.database_url) as db:
        events = AuditService(db).list_events(subject="version:ml_v2")
        assert AuditService(db).verify()["n_events"] > len(events)
    done = [(one["action"], one["actor"]) for one in reversed(events)]
    assert done == [
        ("draft.created", ANALYST),
        ("version.commented", ANALYST),
        ("version.approved", SECOND_APPROVER),
        ("version.approval_withdrawn", SECOND_APPROVER),
        ("version.approved", APPROVER),
        ("version.activated", APPROVER),
    ]


def _own_draft(desk: Running, visitors: Visitors) -> None:
    """Be refused as the maker of the draft, who may approve drafts of others."""
    page = visitors.arrive(_key(desk, ANALYST, "approver"))
    open_page(page, "/versions/ml_v2/review")
    expect(page.get_by_role("button", name="Approve ml_v2")).to_be_disabled()
    expect(page.locator("#why-approve")).to_contain_text(ANALYST)
    page.locator("#approve-reason").fill("Mine is best.")
    page.get_by_role("button", name="Approve ml_v2").evaluate("button => button.disabled = false")
    _approve(page, "Mine is best.")
    _refused(page, ANALYST)


def _stale_page(desk: Running, page: Page) -> None:
    """Be refused where somebody else acted after the page was opened."""
    open_page(page, "/versions/ml_v2/review")
    with open_session(desk.store.database_url) as db:
        other = ScorecardVersionService(db, actor=SECOND_APPROVER)
        other.approve(
            "ml_v2", reason="Fine.", acknowledge=other.get_version("ml_v2")["to_acknowledge"]
        )
        other.withdraw_approval("ml_v2", reason="I read the wrong page.")
    _approve(page, "I did not see what Cleo did.")
    _refused(page, f"{SECOND_APPROVER} withdrew an approval of ml_v2 at .* after you opened")
    expect(page.locator("#approve-reason")).to_have_value("I did not see what Cleo did.")


def _expired_session(desk: Running, page: Page) -> None:
    """Be asked to sign in again, with nothing stored, and go on after it."""
    open_page(page, "/versions/ml_v2/review")
    with pytest.MonkeyPatch.context() as later:
        tomorrow = utc_now() + timedelta(days=1)
        later.setattr("app.services.browser_session_service.utc_now", lambda: tomorrow)
        _approve(page, "Too late.")
        expect(page.get_by_role("alert")).to_contain_text("Your session is over")
    sign_in(page, desk.keys["approver"])


def _missing_token(page: Page) -> None:
    """Be refused with a form that does not carry the token of the session."""
    open_page(page, "/versions/ml_v2/review")
    page.locator("input[name=csrf_token]").evaluate_all("all => all.forEach(one => one.remove())")
    _approve(page, "Who sent this?")
    expect(page.get_by_role("alert")).to_contain_text("not of your session")
