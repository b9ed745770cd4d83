"""No page asks the database more often because the store is larger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from app.db import open_session
from app.services.definition_service import DefinitionService
from app.services.key_service import KeyService
from app.services.policy_service import PolicyService
from tests.conftest import Store
from tests.support.desk_client import DeskClient, signed_in
from tests.support.service import Running

PAGES = ("/score", "/people", "/policy", "/definitions", "/audit", "/audit?actor=Ana+Ruiz")
MOST = 15


@contextmanager
def _counting() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _queries(client: DeskClient, path: str) -> int:
    """Count the queries of a page; the service seals beside it, so the least of three counts."""
    counts = []
    for _ in range(3):
        with _counting() as asked:
            assert client.get(path).status_code == 200
        counts.append(len(asked))
    return min(counts)


@pytest.mark.slow
def test_a_page_asks_the_same_number_of_times_of_a_larger_store(
    furnished: Store, desk: Running
) -> None:
    with signed_in(desk, "admin") as client:
        before = {path: _queries(client, path) for path in PAGES}
        with open_session(furnished.database_url) as db:
            for place in range(12):
                KeyService(db, actor="x").create(owner=f"p{place}", role="viewer")
                PolicyService(db, actor="x").set_policy({"min_labelled": 300 + place})
                rule = {"event_type": "days_past_due", "more_than": 60 + place}
                DefinitionService(db, actor="x").add_definition(
                    {"name": f"d{place % 4}", "bad": [rule]}
                )
        after = {path: _queries(client, path) for path in PAGES}
    assert after == before
    assert max(after.values()) <= MOST
