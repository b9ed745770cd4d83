"""Run commands in this process, and as a person's shell does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from app.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Read the one JSON document on stdout; anything beside it is an error."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Run commands in this process."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: object, code: int | None = 0) -> Ran:
        """Run one command and check its exit code (None: any)."""
        self.capture.readouterr()
        exit_code = main([str(word) for word in words])
        out, err = self.capture.readouterr()
        ran = Ran(exit_code, out, err)
        assert code is None or ran.code == code, ran
        return ran

    def json(self, *words: object, code: int | None = 0) -> Any:
        """Run one command with ``--json`` and give its document."""
        return self(*words, "--json", code=code).document


def in_a_process(*words: object, **environment: str) -> Ran:
    """Run one command in a process of its own, as the shell does."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.main", *(str(word) for word in words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return Ran(done.returncode, done.stdout, done.stderr)
