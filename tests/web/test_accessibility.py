"""No serious fault on any page, by axe-core; and everything on it works from the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from app.db import open_session
from tests.support.browser import Visitors, open_page
from tests.support.desk_pages import OPEN, page_addresses
from tests.support.service import Running

pytestmark = pytest.mark.slow

SERIOUS = {"serious", "critical"}
MARK_WHAT_CAN_BE_USED = """() => {
    const uses = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const names = [];
    const groups = new Set();
    for (const element of document.querySelectorAll(uses)) {
        if (element.disabled || element.type === "hidden" || !element.checkVisibility()) continue;
        if (element.type === "radio") {
            if (groups.has(element.name)) continue;
            groups.add(element.name);
            const inGroup = [...document.getElementsByName(element.name)];
            inGroup.forEach((one) => { one.dataset.stop = names.length; });
        }
        element.dataset.stop = names.length;
        names.push(element.outerHTML.slice(0, 100));
    }
    document.activeElement.blur();
    return names;
}"""
WHERE_AM_I = """() => {
    const at = document.activeElement;
    if (at === document.body) return null;
    const style = getComputedStyle(at);
    const place = at.getBoundingClientRect();
    return {
        stop: at.dataset.stop ?? null,
        what: at.outerHTML.slice(0, 100),
        isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
            && place.width > 0 && place.bottom > 0 && place.top < innerHeight,
    };
}"""


def _pages(desk: Running, visitors: Visitors, **look: Any) -> Iterator[tuple[Page, str]]:
    """Open each page of the desk, as nobody and as one who may do everything."""
    stranger, person = visitors.arrive(**look), visitors.arrive(desk.keys["admin"], **look)
    with open_session(desk.store.database_url) as db:
        all_pages = [(stranger, one) for one in OPEN] + [(person, p) for p in page_addresses(db)]
    for page, address in all_pages:
        open_page(page, address)
        yield page, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Running, visitors: Visitors, scheme: str) -> None:
    found = [
        (address, one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]])
        for page, address in _pages(desk, visitors, color_scheme=scheme)
        for one in Axe().run(page).response["violations"]
        if one["impact"] in SERIOUS
    ]
    assert found == []


def test_every_page_works_by_keyboard(desk: Running, visitors: Visitors) -> None:
    wrong: list[tuple[str, str, str]] = []
    for page, address in _pages(desk, visitors, viewport={"width": 1440, "height": 900}):
        names = page.evaluate(MARK_WHAT_CAN_BE_USED)
        reached: list[str] = []
        for _ in range(10 * len(names)):
            page.keyboard.press("Tab")
            at = page.evaluate(WHERE_AM_I)
            if at is not None and reached and at["stop"] == reached[-1]:
                continue  # the next part of a field, such as the month of a date
            if at is None or at["stop"] in reached:
                break  # once around
            reached.append(at["stop"] or f"no stop {len(reached)}")
            if not at["isSeen"]:
                wrong.append((address, "has the focus and does not show it", at["what"]))
            if len(reached) == 1 and 'class="skip"' not in at["what"]:
                wrong.append((address, "comes before the skip link", at["what"]))
        else:
            wrong.append((address, "keeps the focus to itself", reached[-1]))
        missed = set(map(str, range(len(names)))) - set(reached)
        wrong += [(address, "is not reached", names[int(one)]) for one in sorted(missed)]
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        if page.evaluate("document.activeElement.id") != "content":
            wrong.append((address, "does not skip", "a.skip"))
    assert wrong == []
