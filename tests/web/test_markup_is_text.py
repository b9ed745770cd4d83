"""Markup in every text that a user controls stays text on every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from app.db import open_session
from tests.conftest import Store
from tests.support.browser import Visitors, open_page
from tests.support.desk_pages import page_addresses
from tests.support.hostile import OWNERS, hostile_store, markup
from tests.support.service import Running, running_service

pytestmark = pytest.mark.slow

SHOWN = (
    "card name", "band low", "feature a", "why a", "word", "party", "note b", "comment",
    "rejection", "approval", "withdrawal of approval", "activation", "rollback", "maker", "checker",
    "key owner", "key name", "revocation", "cancellation", "withdrawal of batch", "role",
    "validator",
)  # fmt: skip
"""What some page must show, as it was written."""

TAKEN_FOR_MARKUP = """() => [...document.querySelectorAll(
    'img[src="x"], script:not([src]), [onerror], [href^="javascript:" i], [src^="javascript:" i],'
    + ' [action^="javascript:" i], [formaction^="javascript:" i]'
)].map((element) => element.outerHTML.slice(0, 100))"""


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> Iterator[Running]:
    hostile_store(tmp_path, home)
    store = Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))
    with running_service(store, OWNERS) as service:
        yield service


def _read(page: Page) -> str:
    """Give the text of a page on which no text was taken for markup."""
    assert (page.url, page.evaluate(TAKEN_FOR_MARKUP)) == (page.url, [])
    return str(page.evaluate("document.documentElement.textContent"))


def _point_at_figures(page: Page) -> int:
    """Make each figure interactive, have it say something of places in it; count the figures."""
    for figure in page.locator("figure[data-specification]:visible").all():
        figure.locator("picture").dispatch_event("pointerenter")
    figures = page.locator('figure[data-state="live"]')
    page.wait_for_function("() => !document.querySelector('figure[data-state=loading]')")
    for figure in figures.all():
        box = figure.locator(".live").bounding_box()
        assert box is not None
        for share in (0.3, 0.5, 0.7):
            page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
    return figures.count()


def test_markup_is_shown_as_text_on_every_page(desk: Running, visitors: Visitors) -> None:
    """A dialog, a script, and whatever the policy of the page stops is heard by the visitors."""
    seen, figures, n_live = set(), set(), 0
    with open_session(desk.store.database_url) as db:
        addresses = page_addresses(db)
    page = visitors.arrive(desk.keys["admin"])
    for address in addresses:
        open_page(page, address)
        text = _read(page)
        seen |= {what for what in SHOWN if markup(what) in text}
        figures |= set(page.eval_on_selector_all("figure img", "all => all.map(one => one.src)"))
        n_live += _point_at_figures(page)
        _read(page)
    assert seen == set(SHOWN)
    assert n_live > len(figures) / 2 > 0
    for figure in sorted(figures):  # as a document of its own, not as a picture
        page.goto(figure)
        page.wait_for_timeout(50)


def test_markup_that_is_asked_for_is_shown_as_text(desk: Running, visitors: Visitors) -> None:
    page = visitors.arrive(desk.keys["admin"])
    page.goto("/audit")
    for name in ("actor", "action", "subject", "since", "until"):
        page.locator(f"[name={name}]").fill(markup(name))
    page.get_by_role("button", name="Show what matches").click()
    assert "2026-03-31" in _read(page)  # it says how a date is written
    page.goto("/score")
    page.locator("#against").select_option("ml_v2")
    page.locator("fieldset input").first.fill(markup("value"))
    page.get_by_role("button", name="Score this party").click()
    assert page.locator("fieldset input").first.input_value() == markup("value")
    _read(page)
    page.locator("fieldset input").first.fill("0.5")
    page.get_by_role("button", name="Score this party").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("gives")
    assert markup("feature a") in _read(page)
    for path in ("/versions/", "/models/", "/batches/", "/runs/", "/"):
        page.goto(path + quote(markup("nothing"), safe=""))
        _read(page)
