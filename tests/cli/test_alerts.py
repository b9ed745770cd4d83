"""Alerts and challengers from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.db import open_session
from tests.cli.command_line import CommandLine
from tests.support.alerts import SECRET, open_degradation
from tests.support.portfolio import party, write_batch
from tests.support.receiver import receiver


def test_an_alert_is_listed_delivered_acknowledged_and_closed(
    chancellor: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancellor("init")
    assert "There is no such alert" in chancellor("alerts", "list").out
    file = write_batch(tmp_path / "batch.csv", [party("P1"), party("P2")])
    chancellor("batch", "import", file, "--batch", "B1", "--party-id", "id", "--scored-at", "on")
    with open_session() as db:
        first, second = open_degradation(db, "B1", "v1", ("all", "band poor"))
    page = chancellor.json("alerts", "list", "--limit", 1)
    rest = chancellor.json("alerts", "list", "--limit", 1, "--cursor", page["next_cursor"])
    assert [one["alert_id"] for one in page["items"] + rest["items"]] == [second, first]

    chancellor("alerts", "close", first, "--note", "done", code=6)
    chancellor("alerts", "show", 99, code=5)
    with receiver() as received:
        monkeypatch.setenv("CHANCELLOR_WEBHOOK_URL", received.url)
        assert "CHANCELLOR_WEBHOOK_SECRET has 0" in chancellor("alerts", "deliver", code=3).err
        monkeypatch.setenv("CHANCELLOR_WEBHOOK_SECRET", SECRET)
        assert "2 alerts delivered to http://127.0.0.1:" in chancellor("alerts", "deliver").out
        assert "0 alerts delivered" in chancellor("alerts", "deliver").out
    assert len(received.requests) == 2
    chancellor("alerts", "acknowledge", first, "--note", "a new branch")
    said = chancellor("alerts", "close", first, "--note", "refined").out
    for words in ("a new branch", "refined", "delivered", "http://127.0.0.1:"):
        assert words in said
    listed = chancellor("alerts", "list", "--status", "open").out
    assert "band poor ranks worse." in listed
    assert "all ranks worse." not in listed


def test_a_draft_runs_as_a_challenger_until_it_is_stopped(
    chancellor: CommandLine, tmp_path: Path
) -> None:
    chancellor("init")
    card = chancellor.json("versions", "show", "v1")["content"]
    card["features"]["network_size"]["weight"] = 8
    file = tmp_path / "card.json"
    file.write_text(json.dumps(card), encoding="utf-8")
    chancellor("versions", "add", file)
    assert "No version ever ran" in chancellor("challengers", "list").out
    chancellor("challengers", "start", "v1", "--reason", "watch it", code=6)
    assert "decides nothing" in chancellor("challengers", "start", "v2", "--reason", "see").out
    assert "running" in chancellor("challengers", "list").out
    assert "no more: enough" in chancellor("challengers", "stop", "v2", "--reason", "enough").out
    (listed,) = chancellor.json("challengers", "list")
    assert listed["ended_by"] == "stopped"
