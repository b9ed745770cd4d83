"""The record at the desk: filters, particulars, whether the chain holds, export."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from app.db import open_session
from app.domain.types import Document, Progress
from app.services.audit_service import AuditService
from app.services.checkpoint_service import verify_exported
from app.services.policy_service import PolicyService
from tests.support.desk_client import DeskClient, signed_in
from tests.support.service import Running


def _rows(page: httpx.Response) -> list[int]:
    assert page.status_code == 200, page.text
    return [
        int(number) for number in re.findall(r'<th scope="row" class="num">(\d+)</th>', page.text)
    ]


def _verified(client: DeskClient) -> httpx.Response:
    answer = client.send("/audit/verify")
    assert answer.status_code == 303
    for _ in range(100):
        page = client.get(answer.headers["location"])
        if "Verifying the chain" not in page.text:
            return page
        assert '<meta http-equiv="refresh" content="1">' in page.text
        time.sleep(0.05)
    raise AssertionError("it does not end")


def test_filters_are_addresses_and_pages_follow_each_other(empty_desk: Running) -> None:
    with open_session(empty_desk.store.database_url) as db:
        for place in range(60):
            PolicyService(db, actor="zoë <b>").set_policy({"min_labelled": 200 + place})
        events = AuditService(db).list_events(limit=500)
    theirs = [event["seq"] for event in events if event["actor"] == "zoë <b>"]
    with signed_in(empty_desk, "viewer") as client:
        page = client.get("/audit?actor=zo%C3%AB+%3Cb%3E&action=policy.set")
        assert _rows(page) == theirs[:50]
        assert "zoë <b>" not in page.text
        following = re.search(r'href="(/audit\?[^"]*cursor=[^"]+)"', page.text)
        assert following
        assert _rows(client.get(html.unescape(following.group(1)))) == theirs[50:]
        exact = client.get("/audit?subject=policy:7")
        assert len(_rows(exact)) == 1
        assert "<dt>min labelled</dt><dd>205</dd>" in exact.text
        since = events[9]["at"].replace("+", "%2B")
        assert _rows(client.get(f"/audit?since={since}")) == [e["seq"] for e in events[:10]]
        assert _rows(client.get("/audit?until=2001-01-01")) == []
        wrong = client.get("/audit?since=yesterday")
        assert wrong.status_code == 422
        assert "is no day or time" in wrong.text
        assert 'value="yesterday"' in wrong.text


def test_a_chain_that_holds_and_one_that_was_altered(empty_desk: Running) -> None:
    with signed_in(empty_desk, "viewer") as client:
        page = _verified(client)
        assert "The chain holds: " in page.text
        with open_session(empty_desk.store.database_url) as db:
            head = AuditService(db).verify()["head"]
        assert head in page.text
        _alter(empty_desk.store.database_url)
        page = _verified(client)
        assert "The chain does not hold" in page.text
        assert "event 3" in page.text
        refused = client.get("/audit/events.jsonl")
        assert refused.status_code == 409
        assert "event 3" in refused.text
        assert client.get("/audit?verification=nonsense").status_code == 422


def _alter(url: str) -> None:
    """Edit an event as whoever owns the database can, past its triggers."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            triggers = "FROM sqlite_master WHERE type='trigger' AND tbl_name='audit_events'"
            found = connection.execute(text(f"SELECT name {triggers}"))
            for (name,) in found.all():
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE audit_events SET actor = 'mallory' WHERE seq = 3"))
    engine.dispose()


def test_the_export_is_the_one_that_anybody_can_check(empty_desk: Running, tmp_path: Path) -> None:
    with open_session(empty_desk.store.database_url) as db:
        PolicyService(db, actor="zoë").set_policy({"min_labelled": 200})
        n_events = len(AuditService(db).list_events(limit=500))
    with signed_in(empty_desk, "viewer") as client:
        whole = client.get("/audit/events.jsonl")
        some = client.get("/audit/events.jsonl?actor=zo%C3%AB")
    assert 'filename="audit-events.jsonl"' in whole.headers["content-disposition"]
    file = tmp_path / "events.jsonl"
    file.write_bytes(whole.content)
    assert verify_exported(file)["n_events"] == n_events
    lines = [json.loads(line) for line in some.text.splitlines()]
    assert [json.loads(line["hashed_text"])["actor"] for line in lines] == ["zoë"]
    assert some.text.splitlines()[0] in whole.text.splitlines()


def test_a_long_verification_says_how_far_it_is(
    empty_desk: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one, held up in the middle."""
    may_end = threading.Event()
    real = AuditService.verify

    def slow(self: AuditService, progress: Progress) -> Document:
        progress("verify", 350_000, 1_000_000)
        may_end.wait(30)
        return real(self)

    monkeypatch.setattr(AuditService, "verify", slow)
    monkeypatch.setattr("app.web.audit._SOON", 0.05)
    with signed_in(empty_desk, "viewer") as client:
        place = client.send("/audit/verify").headers["location"]
        page = client.get(place).text
        assert "Verifying the chain: 350,000 of 1,000,000" in page
        assert '<progress max="1000000" value="350000">' in page
        assert '<meta http-equiv="refresh" content="1">' in page
        may_end.set()
        monkeypatch.setattr("app.web.audit._SOON", 20)
        assert "The chain holds" in client.get(place).text
