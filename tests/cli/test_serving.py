"""``chancellor keys`` and ``chancellor serve`` as people use them."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.command_line import CommandLine
from tests.support.service_process import service_process


def test_a_key_is_made_listed_and_revoked_from_the_shell(chancellor: CommandLine) -> None:
    chancellor("init")
    made = chancellor("keys", "create", "ada", "--role", "analyst", "--days", 30, "--actor", "root")
    key = next(line for line in made.out.splitlines() if line.startswith("chancellor_"))
    (listed,) = chancellor.json("keys", "list")
    assert (listed["owner"], listed["role"], listed["state"]) == ("ada", "analyst", "valid")
    assert listed["created_by"] == "root"
    assert key.split("_")[1] == listed["key_id"]
    assert "ada" in chancellor("keys", "list").out
    chancellor("keys", "revoke", listed["key_id"], "--reason", "lost")
    assert chancellor.json("keys", "list")[0]["state"] == "revoked"
    chancellor("keys", "revoke", listed["key_id"], "--reason", "lost", code=6)
    chancellor("keys", "create", "ada", "--role", "root", code=3)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "192.0.2.1", "example.org", "::"],  # noqa: S104 - refused, as the test shows
)
def test_without_keys_only_this_machine_is_served(chancellor: CommandLine, host: str) -> None:
    chancellor("init")
    ran = chancellor("serve", "--no-auth", "--host", host, "--json", code=2)
    assert "No such option" in ran.out
    refused = chancellor("serve", "--no-auth", "--host", host, code=3)
    assert "serves this machine only" in refused.err


@pytest.mark.slow
def test_the_service_logs_json_and_ends_well_when_asked_to(
    chancellor: CommandLine, tmp_path: Path
) -> None:
    chancellor("init")
    with service_process(tmp_path) as running:
        assert httpx.get(f"{running.url}/readyz", trust_env=False).status_code == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) in {0, -signal.SIGTERM}
    lines = [json.loads(line) for line in running.log.read_text(encoding="utf-8").splitlines()]
    (ready,) = [line for line in lines if line.get("route") == "/readyz"]
    assert (ready["status"], ready["level"]) == (200, "info")
    assert len(ready["request_id"]) == 32
