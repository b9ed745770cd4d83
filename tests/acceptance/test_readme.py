"""The README's walk runs as written, and ends as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GATE_FAILED = 4

pytestmark = pytest.mark.slow


def _blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _run(home: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "CHANCELLOR_HOME": str(home),
        "TMPDIR": str(home.parent),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        [program, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def test_the_walk_through_a_real_file(shared_data: Path, home: Path) -> None:
    walk, by_dates = (block for block in _blocks("sh") if "pipeline run" in block)
    run = _run(home, "bash", "-euc", walk)
    assert run.returncode == 0, run.stderr
    assert "ml_v2 waits for review" in run.stdout
    assert "The audit chain holds" in run.stdout
    assert (home.parent / "scored.parquet").exists()

    dated = _run(home, "bash", "-uc", by_dates)
    assert dated.returncode == GATE_FAILED
    assert "A gate failed, so there is no draft" in dated.stdout


def test_the_lines_of_python_do_the_same(shared_data: Path, home: Path) -> None:
    walk = next(block for block in _blocks("sh") if "pipeline run" in block)
    imports = walk.split("# score, label, train")[0]
    assert _run(home, "bash", "-euc", imports).returncode == 0
    (lines,) = _blocks("python")
    run = _run(home, sys.executable, "-c", lines)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("draft Adopt")
