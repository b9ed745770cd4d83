from __future__ import annotations

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def chancellor(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Run commands in this process, on the home that the environment of the test names."""
    return CommandLine(capsys)
