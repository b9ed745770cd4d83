"""The pictures of ``docs/desk.md``: ``python -m tests.support.walk`` goes the walk and takes them.

Over the demo portfolio, as the analyst who made the draft and the approver who decides about it;
the last step, a rollback, is left to the reader.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.pipeline.execution import run_pipeline
from app.services.demo import run_demo
from tests.conftest import ROOT, Store
from tests.support.browser import Visitors, find_chromium, open_page, running_browser
from tests.support.furnished import ANALYST, OWNERS
from tests.support.service import running_service

OUT = ROOT / "docs" / "desk"
LOOK = {"viewport": {"width": 1120, "height": 760}, "color_scheme": "light"}


def main() -> int:
    """Go the walk; 1 where something went wrong on a page."""
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("no Chromium here: run scripts/setup-browser\n")
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="chancellor-walk-")) / "demo"
    home = Path(run_demo(run_pipeline, home=folder, actor=ANALYST)["home"])
    store = Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHANCELLOR_HOME", str(home))
        with running_service(store, OWNERS) as service, running_browser(chromium) as browser:
            visitors = Visitors(browser, service.url)
            _look_around(visitors.arrive(service.keys["analyst"], **LOOK))
            _decide(visitors.arrive(service.keys["approver"], **LOOK))
            _afterwards(visitors.arrive(service.keys["analyst"], **LOOK))
            visitors.leave()
    sys.stdout.write("\n".join([f"pictures in {OUT}", *visitors.problems]) + "\n")
    return int(bool(visitors.problems))


def _look_around(page: Page) -> None:
    open_page(page, "/batches/DEMO_001")
    _take(page, "batch")
    open_page(page, "/runs")
    page.locator("main a[href^='/runs/']").first.click()
    _take(page, "run")
    open_page(page, "/models")
    page.locator("main a[href^='/models/']").first.click()
    _take(page, "model")


def _decide(page: Page) -> None:
    open_page(page, "/")
    _take(page, "overview")
    open_page(page, "/versions/ml_v2/review")
    page.wait_for_load_state("networkidle")
    _take(page, "review")
    page.locator("#affected").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#affected').scrollIntoView()")
    _take(page, "affected")
    reason = page.locator("form[action$='/approve'] textarea[name=reason]")
    reason.fill("Ranks better on the months it never saw; no weight moves past its limit.")
    for box in page.locator("form[action$='/approve'] input[name=acknowledge]").all():
        box.check()
    page.evaluate("document.querySelector('#decide').scrollIntoView()")
    _take(page, "decide")
    page.get_by_role("button", name="Approve ml_v2").click()
    for box in page.locator("form[action$='/activate'] input[name=acknowledge]").all():
        box.check()
    page.locator("form[action$='/activate'] textarea[name=reason]").fill(
        "Committee of 24 November."
    )
    page.locator("form[action$='/activate'] input[name=confirm]").fill("ml_v2")
    page.get_by_role("button", name="Activate ml_v2").click()
    page.get_by_text("ml_v2 is active").first.wait_for()
    open_page(page, "/versions")
    _take(page, "versions")


def _afterwards(page: Page) -> None:
    open_page(page, "/score?version=ml_v2&against=v1")
    values = (1, 7, 6, 80, 1, 64, 9000, 200000, 70, 1, 8, 2, 20, 4, 5, 0.7)
    for place, value in enumerate(values, start=1):
        page.locator(f"#f{place}").fill(str(value))
    page.get_by_role("button", name="Score this party").click()
    _take(page, "score")
    open_page(page, "/audit")
    page.get_by_role("button", name="Verify the chain now").click()
    page.get_by_text("The chain holds").wait_for(timeout=60_000)
    _take(page, "audit")


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
