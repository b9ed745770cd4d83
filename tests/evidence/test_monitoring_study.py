"""A small form of the study behind docs/monitoring.md."""

from __future__ import annotations

import pytest

from benchmarks.monitoring import CHANGES, STEADY, Setting, share

pytestmark = pytest.mark.slow


def test_without_a_change_few_reports_alert():
    runs = Setting("none", 500, 500).run(60)
    # 5 % of 60 are 3; 9 or more of 60 happen once in 500 studies where 5 % is true.
    assert share(runs, "data") <= 8 / 60
    assert share(runs, "all") <= 8 / 60


@pytest.mark.parametrize("change", ["feature", "missing", "mix", "bad_rate", "no_ranking"])
def test_a_planted_change_is_found_in_its_month(change):
    runs = Setting(change, 500, 500).run(15)
    assert share(runs, "all", CHANGES[change][2]) >= 0.8


def test_the_study_covers_three_sizes_and_refined_weights():
    assert {100, 500, 5_000} <= {setting.n for setting in STEADY}
    assert any(setting.refined for setting in STEADY)
