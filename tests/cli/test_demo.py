"""The demo runs the real job in a store of its own, and says the same twice."""

from __future__ import annotations

import re

import pytest

from tests.cli.command_line import CommandLine

CHANGING = re.compile(
    r"m-\d{8}-[0-9a-f-]+|/\S*chancellor\S*|[0-9a-f]{64}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
)


@pytest.mark.slow
def test_the_demo_shows_every_stage_and_says_the_same_twice(
    chancellor: CommandLine, tmp_path, home
):
    first, second = (chancellor("demo", "--home", tmp_path / f"chancellor-{n}").out for n in (1, 2))
    parts = (
        "Everything here is simulated", "Parties by status", "95 % interval", "Gates: ",
        "beside the truth", "waits for your review", "versions approve",
    )  # fmt: skip
    for part in parts:
        assert part in first
    assert CHANGING.sub("", first) == CHANGING.sub("", second)
    assert not home.exists()
    assert "exists" in chancellor("demo", "--home", tmp_path / "chancellor-1", code=6).err
