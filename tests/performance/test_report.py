"""docs/performance.md is written from results, whole or in part."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.performance import fits, labels, scoring
from benchmarks.performance.aims import growth, judge, millions, shown
from benchmarks.performance.report import NOT_RUN, write_report

MACHINE = {
    "at": "2026-11-25 04:00 UTC", "commit": "abc1234", "processor": "P", "cores": 2,
    "memory_gib": 24.0, "system": "Linux 6", "python": "3.11", "libraries": {"numpy": "2.4"},
    "peers": {"toad": "0.1.7"},
}  # fmt: skip
MILLION = 1_000_000


def _part(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"machine": MACHINE, "rows": list(rows)}


def _row(n: int, seconds: dict[str, list[float]], **more: Any) -> dict[str, Any]:
    return {"what": "work", "n": n, "ours": next(iter(seconds)), "seconds": seconds, **more}


@pytest.fixture
def results() -> dict[str, Any]:
    plain, with_reasons, *_ = scoring.FORMS
    scored = {
        plain: [2.0, 2.0, 4.0], with_reasons: [4.0, 4.0, 4.0], scoring.BARE: [1.0, 1.2, 1.3],
        "optbinning": [40.0, 41.0, 42.0], "toad": [24.0, 24.0, 24.0],
        "toad, with reasons": [50.0, 60.0, 70.0],
    }  # fmt: skip
    fitted = {fits.WHOLE: [11.0], fits.GLUM: [1.0]}
    job = [
        {"what": "pipeline", "n": n, "wall": wall, "peak_gib": gib, "seconds": {"score": 0.1}}
        for n, wall, gib in ((100_000, 10.0, 0.5), (MILLION, 31.0, 1.5), (10_000_000, 300.0, 7.0))
    ]
    return {
        "score": _part(_row(MILLION, scored)),
        "decision": _part(_row(1, {"one decision": [0.00005], "toad": [0.01]})),
        "labels": _part(_row(MILLION, {labels.OURS: [3.0, 2.0], labels.BARE: [2.0, 2.0]})),
        "fits": _part(_row(30_000, fitted), _row(MILLION, fitted)),
        "pipeline": _part(*job),
        "budgets": _part(_row(1, {"help": [0.2, 0.4, 0.5]}, budget=0.3)),
    }


def test_aims_are_judged_by_the_median_of_ratios_round_by_round(results: dict[str, Any]) -> None:
    found = [(aim.work, round(aim.found["median"], 3), aim.is_met) for aim in judge(results)]
    assert found == [
        ("score 1 M, score and band: speed of the bare copy", 50.0, False),
        ("score 1 M, with reasons: speed of the bare copy", 30.0, False),
        ("score 1 M, score and band: against toad", 12.0, True),
        ("score 1 M, with reasons: against toad, with reasons", 15.0, True),
        ("one decision, with reasons", 0.05, True),
        ("label 1 M parties, 1 M events: against the bare join", 1.25, True),
        ("fit with validation, 30 k rows", 11.0, False),
        ("fit with validation, 1 M rows: single fits of glum", 11.0, True),
        ("pipeline, 1 M parties: time", 31.0, False),
        ("pipeline, 1 M parties: peak memory", 1.5, True),
        ("pipeline, 10 M parties: peak memory", 7.0, True),
        ("pipeline, 10 k to 10 M: log time on log parties", 0.739, True),
        ("pipeline, 1 M to 10 M: log time on log parties", 0.986, True),
        ("work", 0.4, False),
    ]


@pytest.mark.slow
def test_the_page_holds_every_part_and_says_what_was_not_run(tmp_path, results) -> None:
    text = write_report(results, tmp_path).read_text(encoding="utf-8")
    assert NOT_RUN not in text
    assert "{{" not in text
    assert "| score 1 M, with reasons: speed of the bare copy | at least 40 % | 30 % |" in text
    drawn = sorted(path.name for path in (tmp_path / "performance").iterdir())
    assert drawn == ["fits.svg", "labels.svg", "pipeline.svg", "score.svg"]
    part = {"decision": results["decision"]}
    text = write_report(part, tmp_path).read_text(encoding="utf-8")
    assert text.count(NOT_RUN) == 5  # score, its floor, labels, fits, pipeline
    assert "| 1 | toad | 10 | 10 to 10 | 200 | 200 to 200 | 1 |" in text


def test_growth_in_proportion_has_slope_one() -> None:
    rows = [{"n": n, "wall": 3e-5 * n} for n in (10_000, 100_000, MILLION)]
    assert growth(rows, "wall") == pytest.approx(1.0)
    assert growth([{"n": 10, "wall": 2.0}, {"n": 1000, "wall": 2.0}], "wall") == pytest.approx(0)


def test_figures_are_written_with_three_digits() -> None:
    values = (0.0, 0.01234, 1.5, 99.96, 1234.5)
    assert [shown(value) for value in values] == ["0", "0.0123", "1.5", "100", "1,234"]
    assert [millions(n) for n in (1, 30_000, MILLION)] == ["1", "30 k", "1 M"]
