"""What the repository promises beside the code: lock, dependencies, decisions, one command."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
LOCKS = ["requirements.lock", "requirements-spark.lock", "requirements-peers.lock"]
PARTS_OF_A_DECISION = ("Context", "Decision", "Consequences", "Kept by")


def _names(requirements: list[str]) -> set[str]:
    return {
        re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        for requirement in requirements
    }


def _required() -> set[str]:
    return _names(PROJECT["project"]["dependencies"])


def _for_development() -> set[str]:
    return _names(PROJECT["dependency-groups"]["dev"])


def _for_spark() -> set[str]:
    return _names(PROJECT["project"]["optional-dependencies"]["spark"])


def _for_benchmarks() -> set[str]:
    return _names(PROJECT["dependency-groups"]["peers"])


def _locked(file: str = "requirements.lock") -> set[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.MULTILINE)}


def test_the_lock_covers_everything_the_project_asks_for() -> None:
    assert (_required() | _for_development()) - _locked() == set()
    assert _for_spark() - _locked("requirements-spark.lock") == set()
    assert _for_benchmarks() - _locked("requirements-peers.lock") == set()
    assert "pyspark" not in _locked()  # half a gigabyte that `make setup` does not fetch
    assert _required() - _locked("requirements-spark.lock") == set()


@pytest.mark.parametrize("file", LOCKS)
def test_the_lock_names_no_host(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"https?://|file://|--index|--extra|--find-links", text) == []


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_version_has_a_hash(file: str) -> None:
    entries = (ROOT / file).read_text(encoding="utf-8").split("\n")
    versions = [line for line in entries if re.match(r"^[A-Za-z0-9._-]+==", line)]
    assert versions
    assert [line for line in versions if not line.endswith("\\")] == []


def test_the_documentation_lists_exactly_the_dependencies() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z0-9-]+)`", text, flags=re.MULTILINE))
    assert listed == _required() | _for_development() | _for_spark() | _for_benchmarks()


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_all_its_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"# \d{4}: \S", text)
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert tuple(headings) == PARTS_OF_A_DECISION


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_what_keeps_a_decision_exists(path: Path) -> None:
    kept_by = path.read_text(encoding="utf-8").split("## Kept by")[1]
    named = re.findall(r"`((?:tests|app|scripts|docs)/[^`:]+)`?", kept_by)
    assert named or "pyproject.toml" in kept_by
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_no_number_of_a_decision_is_used_twice() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers)) > 0


def test_the_changelog_starts_with_what_changes_numbers() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^### (.+)$", text, flags=re.MULTILINE)
    assert first is not None
    assert first.group(1) == "Changed numbers"


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    broken = [
        f"{path.name}: {target}"
        for path in documents
        for target in _targets(path)
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def _targets(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)


def test_continuous_integration_runs_the_same_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8")


def test_the_real_data_is_not_in_the_project() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    data = [name for name in tracked if re.search(r"\.(csv|gz|parquet|db|pkl|pickle)$", name)]
    tables = r"docs/evidence/[a-z_]+\.csv"  # what the studies found, not what they read
    assert [name for name in data if not re.fullmatch(tables, name)] == []


def test_set_up_is_left_out_while_the_lock_is_unchanged() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert ".venv/.installed: requirements.lock" in makefile
    assert "unexport PYTHONDONTWRITEBYTECODE" in makefile
