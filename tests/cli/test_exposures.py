"""Exposure lists from the shell."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command_line import CommandLine


def test_a_list_is_imported_listed_and_withdrawn(chancellor: CommandLine, tmp_path: Path) -> None:
    granted = tmp_path / "granted.csv"
    granted.write_text("customer\nP1\nP2\n", encoding="utf-8")
    chancellor("init")
    assert "every party counts as granted" in chancellor("exposures", "list").out
    done = chancellor("exposures", "import", granted, "--party-id", "customer")
    assert "2 parties were granted credit." in done.out
    ran = chancellor("exposures", "withdraw", "1", "--reason", "another portfolio")
    assert "Exposure list 1 is withdrawn: another portfolio." in ran.out
    assert "every party counts as granted credit" in ran.out
    assert "withdrawn" in chancellor("exposures", "list").out
    (listed,) = chancellor.json("exposures", "list")
    assert listed["withdrawn"]["reason"] == "another portfolio"
    chancellor("exposures", "withdraw", "1", "--reason", "again", code=6)
    chancellor("exposures", "withdraw", "2", "--reason", "none", code=5)
