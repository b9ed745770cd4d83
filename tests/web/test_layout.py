"""No page is wider than the window, on a desk and on a telephone."""

from __future__ import annotations

import pytest

from app.db import open_session
from tests.support.browser import Visitors, open_page
from tests.support.desk_pages import OPEN, page_addresses
from tests.support.service import Running

TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => {
        for (let at = element.parentElement; at; at = at.parentElement)
            if (getComputedStyle(at).overflowX !== "visible") return true;
        return false;
    };
    if (document.documentElement.scrollWidth <= width) return [];
    const found = [...document.body.querySelectorAll("*")]
        .filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element))
        .map((element) => element.outerHTML.slice(0, 120));
    return [`${document.documentElement.scrollWidth} px`, ...found.slice(0, 5)];
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_window(desk: Running, visitors: Visitors, width: int) -> None:
    wrong = {}
    window = {"viewport": {"width": width, "height": 900}}
    stranger, person = visitors.arrive(**window), visitors.arrive(desk.keys["admin"], **window)
    with open_session(desk.store.database_url) as db:
        pages = [(stranger, path) for path in OPEN] + [(person, p) for p in page_addresses(db)]
    for page, address in pages:
        open_page(page, address)
        if found := page.evaluate(TOO_WIDE):
            wrong[address] = found
    assert wrong == {}
