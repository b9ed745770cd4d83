"""Markup in every text that a user controls stays text on every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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


def test_markup_is_shown_as_text_on_every_page(desk: Running, visitors: Visitors) -> None:
    """A dialog, a script, and whatever the policy of the page stops is heard by the visitors."""
    wrong, seen = [], set()
    with open_session(desk.store.database_url) as db:
        addresses = page_addresses(db)
    page = visitors.arrive(desk.keys["admin"])
    for address in addresses:
        open_page(page, address)
        if found := page.evaluate(TAKEN_FOR_MARKUP):
            wrong.append((address, found))
        text = page.evaluate("document.documentElement.textContent")
        seen |= {what for what in SHOWN if markup(what) in text}
    assert wrong == []
    assert seen == set(SHOWN)
