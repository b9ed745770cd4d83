"""Figures from the address to the browser: every process answers, and the policy of pages holds."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route

from app.charts.catalogue import Drawing
from app.db import open_session
from app.edge.browser import SESSION_COOKIE
from app.services.browser_session_service import BrowserSessionService
from app.web import figures
from app.web.rendering import environment
from app.web.routing import PAGE_HEADERS
from tests.conftest import Store
from tests.support.browser import Visitors
from tests.support.chart_documents import MARKUP, chart_documents
from tests.support.service import Running, running_service

PAGE = """<!doctype html><html lang="en"><head><title>Figures</title>
<link rel="stylesheet" href="{{ static('desk.css') }}"></head><body><main>
{% from "figure.html" import figure, figure_scripts, inline_figure with context %}
{% for name, one in figures.items() %}{{ figure(one, "Finding of " ~ name, "made up") }}{% endfor %}
{{ inline_figure(inline, "Kept nowhere") }}</main>{{ figure_scripts() }}</body></html>"""

ACCENT_OF_INLINE = """(size) => {
    const drawn = [...document.querySelectorAll(`.${size} path`)];
    const accent = drawn.filter((path) => path.getAttribute("fill") === "var(--accent)");
    return accent.length && accent[0].checkVisibility() ? getComputedStyle(accent[0]).fill : null;
}"""


@pytest.fixture
def desk(sqlite_store: Store) -> Iterator[Running]:
    with running_service(sqlite_store) as service:
        yield service


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Drawing]:
    """Register a source of all kinds of charts, whose features are called like markup."""
    found = {kind: Drawing(kind, one) for kind, one in chart_documents(MARKUP).items()}
    monkeypatch.setitem(figures.SOURCES, "sample", lambda _desk, facts: found if facts else {})
    return found


@pytest.fixture
def reader(desk: Running) -> Iterator[httpx.Client]:
    """Look at figures as a viewer who has signed in."""
    with open_session(desk.store.database_url) as db:
        begun = BrowserSessionService(db).begin(
            actor="vera", roles=["viewer"], key_id=None, minutes=60
        )
    with httpx.Client(base_url=desk.url, timeout=60, trust_env=False) as client:
        client.cookies.set(SESSION_COOKIE, begun["token"], domain=client.base_url.host)
        yield client


def test_a_process_that_never_drew_a_figure_answers_for_it(
    reader: httpx.Client, drawings: dict[str, Drawing]
) -> None:
    address = figures.figures("sample", {"version": "ml_v2"}, drawings)["roc"]
    seen = {ending: reader.get(address.address(ending)) for ending in ("svg", "json", "csv")}
    figures._kept.clear()
    for ending, first in seen.items():
        again = reader.get(address.address(ending))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.content == first.content
    assert seen["svg"].headers["content-type"] == "image/svg+xml"
    assert "immutable" in seen["svg"].headers["cache-control"]
    assert "attachment" in seen["csv"].headers["content-disposition"]


def test_a_figure_that_has_changed_since_is_not_shown_under_the_old_address(
    reader: httpx.Client, drawings: dict[str, Drawing]
) -> None:
    address = figures.figures("sample", {"version": "ml_v2"}, drawings)["path"].address("svg")
    figures._kept.clear()
    drawings["path"] = Drawing("path", {**drawings["path"].document, "t": 0.5})
    answer = reader.get(address)
    assert answer.status_code == 404
    assert "reload the page" in answer.text
    for wrong in ("/figures/nothing/a/b.svg", "/figures/nothing.js"):
        assert reader.get(wrong).status_code == 404
    assert reader.get(address.replace("theme=light", "theme=pink")).status_code == 422


def test_without_a_session_no_figure_is_served(desk: Running, drawings: dict[str, Drawing]) -> None:
    address = figures.figures("sample", {"version": "ml_v2"}, drawings)["roc"].address("csv")
    answer = httpx.get(desk.url + address, trust_env=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def _show(page: Page, drawings: dict[str, Drawing]) -> None:
    """Open a page of figures under the policy of pages; all that it loads the service answers."""
    made = figures.figures("sample", {"version": "ml_v2"}, drawings)
    inline = figures.InlineFigure(Drawing("waterfall", chart_documents(MARKUP)["waterfall"]))
    text = environment().from_string(PAGE).render(figures=made, inline=inline)

    def answer(route: Route) -> None:
        route.fulfill(status=200, headers={**PAGE_HEADERS, "Content-Type": "text/html"}, body=text)

    page.route("**/sample-page", answer)
    page.goto("/sample-page")


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_figures_become_interactive_under_the_policy_of_pages(
    desk: Running, browser: Browser, drawings: dict[str, Drawing], scheme: str, width: int
) -> None:
    here = Visitors(browser, desk.url)
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = here.arrive(desk.keys["viewer"], **options)
    _show(page, drawings)
    for place in range(len(drawings)):
        figure = page.locator("figure").nth(place)
        figure.locator("picture").dispatch_event("pointerenter")
        page.locator(f"figure >> nth={place} >> .live svg").wait_for()
        assert figure.get_attribute("data-state") == "live"
        assert figure.locator("picture").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    bars = page.locator('figure[data-specification*="/score_shift/"] .live .mark-rect path')
    bars.nth(0).hover()
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "60 parties move by -31 to -11 points" in tooltip.inner_text()
    assert page.locator("img[src='x'], main script").count() == 0
    colour = page.evaluate(ACCENT_OF_INLINE, "for-narrow" if width < 640 else "for-wide")
    assert colour == ("rgb(29, 79, 145)" if scheme == "light" else "rgb(141, 184, 240)")
    here.leave()
    assert here.problems == []


@pytest.mark.slow
def test_the_picture_stays_where_the_library_cannot_be_had(
    desk: Running, browser: Browser, drawings: dict[str, Drawing]
) -> None:
    here = Visitors(browser, desk.url)
    page = here.arrive(desk.keys["viewer"])
    page.route("**/figures/vega*", lambda route: route.fulfill(status=500, body=""))
    _show(page, {"roc": drawings["roc"]})
    page.locator("figure picture").hover()
    page.locator('figure[data-state="picture"]').wait_for()
    assert page.locator("figure picture img").is_visible()
    here.leave()
