from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.support.small_portfolio import THROUGH, SmallPortfolio, write_portfolio


@pytest.fixture
def chancellor(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Run commands in this process, on the home that the environment of the test names."""
    return CommandLine(capsys)


@pytest.fixture
def with_portfolio(chancellor: CommandLine, tmp_path: Path) -> Callable[..., SmallPortfolio]:
    """Initialise a store from the shell, with a batch B1 and its write-offs."""

    def import_all(truth: str = "adopts", **settings: int) -> SmallPortfolio:
        files = write_portfolio(tmp_path / "files", truth, **settings)
        chancellor("init", "--card", files.card)
        chancellor(*import_batch(files))
        chancellor(*import_outcomes(files))
        return files

    return import_all


def import_batch(files: SmallPortfolio, batch: str = "B1") -> tuple[object, ...]:
    """Give the words that import the batch file."""
    return (
        "batch", "import", files.batch, "--batch", batch, "--party-id", "party",
        "--scored-at", "scored",
    )  # fmt: skip


def import_outcomes(files: SmallPortfolio) -> tuple[object, ...]:
    """Give the words that import the outcome file."""
    return (
        "outcomes", "import", files.outcomes, "--party-id", "party", "--event-date", "written_off",
        "--event-type", "write_off", "--through", THROUGH,
    )  # fmt: skip
