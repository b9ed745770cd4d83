"""The review in a real browser: it waits by itself, its slider moves, a refusal keeps the text."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import Visitors
from tests.support.service import Running

pytestmark = pytest.mark.slow


def test_a_reviewer_waits_reads_moves_the_slider_and_is_refused_without_a_name(
    desk: Running, visitors: Visitors
) -> None:
    page = visitors.arrive(desk.keys["approver"], viewport={"width": 1440, "height": 900})
    page.goto("/versions")
    page.get_by_role("link", name=re.compile(r"Review ml_v\d+$")).first.click()
    expect(page.get_by_role("heading", name="1 What changes")).to_be_visible(timeout=90_000)
    page.wait_for_load_state("networkidle")

    slider = page.get_by_label("Step along the path")
    said = page.locator(".path output")
    expect(said).to_contain_text("(the draft)")
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_have_text("t = 0.00")
    assert page.locator(".path-grid .moved").count() == 0
    page.keyboard.press("End")
    expect(said).to_contain_text("t = 1.00")
    assert page.locator(".path-grid .moved").count() > 5

    page.get_by_text("Table behind this figure").first.click()
    expect(page.get_by_role("link", name="Download as CSV").first).to_be_visible()

    name = page.locator("h1").inner_text().split()[0]
    form = page.locator("form[action$='/activate']")
    form.get_by_label("Reason").fill("Committee of 31 March")
    form.get_by_label(re.compile("to confirm")).fill("another")
    form.get_by_role("button", name=f"Activate {name}").click()
    expect(page.get_by_role("alert")).to_contain_text(f"Type {name} to confirm")
    expect(page.locator("#activate-reason")).to_have_value("Committee of 31 March")


def test_without_scripts_the_steps_of_the_path_are_a_table(
    desk: Running, visitors: Visitors
) -> None:
    page = visitors.arrive(desk.keys["viewer"], java_script_enabled=False)
    page.goto("/versions/ml_v2/review")
    expect(page.get_by_role("heading", name="5 How far to go")).to_be_visible(timeout=90_000)
    page.get_by_text("All steps of the path").click()
    expect(page.locator("table.path-steps tbody tr").first).to_contain_text("0.00")
    assert page.locator("table.path-steps tbody tr").count() >= 21
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
