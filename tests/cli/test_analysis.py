"""Outcomes over time and groups from the shell."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.support.small_portfolio import CARD


@pytest.mark.slow
def test_outcomes_over_time_and_groups_are_shown_and_written(
    chancellor: CommandLine, with_portfolio, tmp_path: Path
) -> None:
    files = with_portfolio(n=300)
    table = tmp_path / "v.csv"
    ran = chancellor("analysis", "vintages", "--by", "quarter", "--csv", table)
    assert "months after scoring" in ran.out
    assert "2024 Q1" in ran.out
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    found = chancellor.json("analysis", "vintages", "--by", "quarter")
    assert len(rows) == sum(len(curve["points"]) for curve in found["curves"])
    assert "days_past_due" in chancellor("analysis", "roll-rates", "--months", "3").out
    ran = chancellor("analysis", "windows", "--window", "30", "--window", "90")
    assert "0.0 % are bad within 30 days" in ran.out
    assert chancellor("analysis", "windows", "--version", "v9", code=5).err
    assert "AUC of v1" in ran.out

    rows = list(csv.DictReader(files.batch.read_text(encoding="utf-8").splitlines()))
    grouped = tmp_path / "grouped.csv"
    with grouped.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "region"])
        writer.writeheader()
        writer.writerows(
            {**row, "region": "low" if float(row["a"]) < 0.5 else "high"} for row in rows
        )
    words = ("--party-id", "party", "--scored-at", "scored", "--group", "region")
    ran = chancellor("batch", "import", grouped, "--batch", "B2", *words)
    assert "Kept as groups, never scored or trained on: region." in ran.out
    card = tmp_path / "own.yaml"
    card.write_text(CARD.replace("weight: 50", "weight: 55"), encoding="utf-8")
    chancellor("versions", "add", card)
    ran = chancellor("fairness", "v2", "--cutoff", "600")
    assert "of region low are approved" in ran.out
    asked = chancellor.json("fairness", "v2", "--cutoff", "600")
    (column,) = asked["columns"]
    assert [one["group"] for one in column["groups"]] in (["low", "high"], ["high", "low"])
    assert "Approval by region" in chancellor("versions", "compare", "v1", "v2").out
    chancellor("fairness", "v1", code=3)
