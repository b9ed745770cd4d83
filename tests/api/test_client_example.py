"""The client of docs/api.md, run as written against a real service."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import Running

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_the_client_in_the_documentation_runs(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setenv("CHANCELLOR_URL", running.url)
    monkeypatch.setenv("CHANCELLOR_KEY", running.keys["analyst"])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names: dict[str, object] = {}
    exec(compile(example, str(DOCS), "exec"), names)  # noqa: S102 - the point of the test
    client = names["api"]
    assert isinstance(client, httpx.Client)
    client.close()
    # by hand: 300 + 600 (15 + 10 * 0.4) / 120, design section 9
    assert "395 very_poor" in capsys.readouterr().out
    run = names["run"]
    assert isinstance(run, dict)
    assert run["code"] == "not_found"  # there is no BATCH_001 in this store
    with running.client("viewer") as viewer:
        n_events = viewer.get("/api/audit/verify").json()["n_events"]
        last = viewer.get("/api/audit", params={"limit": 1}).json()["items"][0]
    events = names["events"]
    assert isinstance(events, list)
    assert len(events) == n_events - 1
    assert (last["actor"], last["action"]) == ("analyst", "draft.created")
