"""The table in docs/invariants.md, the rules in the database and the attempts are one list."""

from __future__ import annotations

import re
from pathlib import Path

from app.db.rules import EFFECTS, RULES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ATTEMPTS = (
    "test_invariants.py",
    "test_decisions.py",
    "test_monitoring.py",
    "test_service_role.py",
)


def test_every_attempt_is_in_the_document_and_every_named_one_is_there() -> None:
    written = {
        name
        for file in ATTEMPTS
        for name in re.findall(
            r"^def (test_\w+)", (ROOT / "tests/db" / file).read_text(), re.MULTILINE
        )
    }
    assert set(re.findall(r"`(test_\w+)`", DOCUMENT)) == written


def test_every_rule_is_in_the_document_and_every_named_one_is_there() -> None:
    rules = {f"{rule.table}_{rule.name}" for rule in (*RULES, *EFFECTS)}
    tables = "|".join(sorted({rule.table for rule in RULES}, key=len, reverse=True))
    named = set(re.findall(rf"`((?:{tables})_\w+)`", DOCUMENT))
    assert named == rules


def test_every_line_of_the_table_names_an_attempt() -> None:
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 15
    for line in lines:
        assert len(line.split(" | ")) == 4, line
        assert re.search(r"`(test_\w+|tests/\S+)`", line.split(" | ")[3]), line
