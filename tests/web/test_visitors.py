"""The tests' ear hears: what goes wrong in a browser is a problem of its visitor."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.conftest import Store
from tests.support.browser import Visitors
from tests.support.service import running_service


@pytest.mark.slow
def test_whatever_goes_wrong_on_a_page_is_heard(sqlite_store: Store, browser: Browser) -> None:
    with running_service(sqlite_store) as service:
        visitors = Visitors(browser, service.url)
        page = visitors.arrive(service.keys["viewer"])
        page.goto("/nowhere")  # a page that refuses is the test's business
        page.goto("/")
        assert visitors.problems == []
        for script, heard in {
            "() => alert('hello')": "dialog: hello",
            "() => setTimeout(() => { throw new Error('oh') })": "script failed: oh",
            "() => document.body.setAttribute('onclick', '1')": "Content Security Policy",
            "() => document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')": (
                "Content Security Policy"
            ),
            "() => fetch('/static/none.js')": "404",
            "() => fetch('http://127.0.0.1:9/').catch(() => 0)": "Content Security Policy",
        }.items():
            visitors.problems.clear()
            page.evaluate(script)
            page.wait_for_timeout(100)
            assert any(heard in problem for problem in visitors.problems), (script, heard)
        visitors.leave()
