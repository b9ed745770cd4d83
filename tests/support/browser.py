"""A real browser for tests: Chromium, a window per person, and an ear for what goes wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    sync_playwright,
)

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What lets Chromium work on a machine without a network, and as root."""


def find_chromium() -> str | None:
    """Say where the browser is, as ``scripts/setup-browser`` finds it; None where there is none."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running_browser(chromium: str) -> Iterator[Browser]:
    """Start the browser; it has ended when the block has.

    Parameters
    ----------
    chromium : str
        The program.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Visitors:
    """People with a browser each, and what went wrong on any page that one of them saw.

    Console errors (violations of the Content-Security-Policy are among them), exceptions of
    scripts, requests that failed and dialogs are collected in ``problems``. The status of a page
    is the test's business: a page that refuses is no problem here.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.problems: list[str] = []
        self._documents: set[str] = set()
        self._contexts: list[BrowserContext] = []

    def arrive(self, key: str | None = None, **options: Any) -> Page:
        """Open a browser window of somebody who was never here, signed in if a key is given.

        Parameters
        ----------
        key : str, optional
            An API key.
        **options : Any
            As ``Browser.new_context`` takes them: ``viewport``, ``color_scheme``, ...
        """
        context = self.browser.new_context(base_url=self.url, **options)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(page, f"script failed: {error}"))
        page.on("requestfailed", self._miss)
        page.on("dialog", self._dismiss)
        page.on("request", self._remember)
        if key is not None:
            sign_in(page, key)
        return page

    def leave(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _note(self, page: Page | None, problem: str) -> None:
        self.problems.append(f"{page.url if page else '?'}: {problem}")

    def _hear(self, message: ConsoleMessage) -> None:
        refused_page = "Failed to load resource" in message.text and (
            message.location["url"] in self._documents
        )
        if message.type in {"error", "warning"} and not refused_page:
            self._note(message.page, f"console {message.type}: {message.text}")

    def _miss(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # that is the browser: it left, or chose another
            self.problems.append(f"{request.method} {request.url} failed: {request.failure}")

    def _dismiss(self, dialog: Dialog) -> None:
        self._note(dialog.page, f"dialog: {dialog.message}")
        dialog.dismiss()

    def _remember(self, request: Request) -> None:
        if request.resource_type == "document":
            self._documents.add(request.url)


def sign_in(page: Page, key: str) -> None:
    """Exchange an API key for a session by the form, and land on the overview."""
    page.goto("/sign-in")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def open_page(page: Page, address: str) -> None:
    """Open a page that must be served, and stay until what it computes is there.

    Parameters
    ----------
    page : Page
        Of somebody who may see it.
    address : str
        Path on the desk.
    """
    answer = page.goto(address)
    assert answer is not None
    assert (address, answer.status) == (address, 200)
    await_evidence(page)


def await_evidence(page: Page) -> None:
    """Stay until the page, which comes again by itself, no longer says that it computes."""
    page.locator(".loading").wait_for(state="detached", timeout=120_000)
    page.wait_for_load_state()
