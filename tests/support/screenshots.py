"""Pictures of every page of the desk: ``python -m tests.support.screenshots [part of an address]``.

Each page of the table, over the furnished store, at two widths, light and dark, full length, into
``screenshots/``, which Git ignores. ``--store HOME`` takes a store that a run before printed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.db import open_session
from tests.conftest import ROOT, Store
from tests.support.browser import Visitors, find_chromium, open_page, running_browser
from tests.support.desk_pages import OPEN, page_addresses
from tests.support.furnished import OWNERS, furnish
from tests.support.service import running_service

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
OUT = ROOT / "screenshots"


def main() -> int:
    """Take them; 1 where something went wrong on a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="part of an address")
    parser.add_argument("--store", type=Path, help="home of a store; by default one is furnished")
    chosen = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        return _say("no Chromium here: run scripts/setup-browser", failed=True)
    home = chosen.store or furnish(Path(tempfile.mkdtemp(prefix="chancellor-desk-")) / "demo")
    _say(f"store: {home}")
    if not chosen.only:
        shutil.rmtree(OUT, ignore_errors=True)
    store = Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHANCELLOR_HOME", str(home))
        with running_service(store, OWNERS) as service, running_browser(chromium) as browser:
            visitors = Visitors(browser, service.url)
            with open_session(store.database_url) as db:
                addresses = [one for one in page_addresses(db) if chosen.only in one]
            for width in WIDTHS:
                for scheme in SCHEMES:
                    look = {
                        "viewport": {"width": width, "height": 900},
                        "color_scheme": scheme,
                        "device_scale_factor": 1,
                    }
                    _take(visitors.arrive(**look), OPEN, f"{width}-{scheme}")
                    person = visitors.arrive(service.keys["admin"], **look)
                    _take(person, addresses, f"{width}-{scheme}")
                    visitors.leave()
    said = [f"{len(list(OUT.rglob('*.png')))} pictures in {OUT}", *visitors.problems]
    return _say("\n".join(said), failed=bool(visitors.problems))


def _say(text: str, *, failed: bool = False) -> int:
    (sys.stderr if failed else sys.stdout).write(text + "\n")
    return int(failed)


def _take(page: Page, addresses: tuple[str, ...] | list[str], look: str) -> None:
    for address in addresses:
        open_page(page, address)
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", address.strip("/")) or "overview"
        page.screenshot(path=OUT / look / f"{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
