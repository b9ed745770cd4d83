"""A command that a page names is one that the command line knows, with its options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from app.cli.main import app
from tests.conftest import ROOT

TEMPLATES = sorted((ROOT / "app" / "web" / "templates").glob("*.html"))
_COMMAND = re.compile(r"<code>chancellor ([^<]+)</code>")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_command_on_a_page_is_there(template: Path) -> None:
    for text in _COMMAND.findall(template.read_text(encoding="utf-8")):
        command = typer.main.get_command(app)
        words = text.split()
        while hasattr(command, "commands"):
            assert words[0] in command.commands, text
            command = command.commands[words.pop(0)]
        known = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known, text
