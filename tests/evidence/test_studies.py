"""A small form of each study, that fails where the claim it stands for is no longer true."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.evidence import drift, leaks, newton, recovery
from benchmarks.evidence.__main__ import STUDIES
from benchmarks.evidence.harm import OFF_80, RIGHT_STRONG, RIGHT_WEAK
from benchmarks.evidence.report import write_report
from benchmarks.evidence.runner import Cell, run_chunk, run_study


@pytest.fixture(autouse=True)
def _small_solver():
    newton.install()
    yield
    newton.uninstall()


def runs(study, scenario, repeats, **options):
    return run_chunk(Cell(study, scenario, options), 0, repeats)


@pytest.mark.parametrize("scenario", [RIGHT_WEAK, RIGHT_STRONG])
def test_a_right_expert_is_kept_and_loses_nothing(scenario):
    found = runs("harm", scenario, 8, n=1_000, mode="auto")
    assert sum(run["is_adopted"] for run in found) <= 1
    lost = [run["auc_expert"] - run["auc_followed"] for run in found]
    assert np.mean(lost) < 0.001
    worse = [run["auc_expert"] - run["auc_regression"] for run in found]
    assert np.mean(worse) > 0.002


@pytest.mark.slow
def test_an_expert_off_by_80_percent_is_corrected():
    found = runs("harm", OFF_80, 6, n=5_000, mode="auto")
    assert sum(run["is_adopted"] for run in found) >= 4
    assert np.mean([run["auc_followed"] - run["auc_expert"] for run in found]) > 0.01


@pytest.mark.parametrize("mode", ["auto", pytest.param("cross_validation", marks=pytest.mark.slow)])
def test_intervals_hold_the_exact_values_of_the_cards_that_were_judged(mode):
    found = runs("harm", OFF_80, 8, n=800, mode=mode, advice_only=1)
    for name in ("model", "refined", "baseline"):
        off = [
            abs(run[f"judged_{name}"] - run[f"exact_{name}"]) / run[f"se_{name}"] for run in found
        ]
        assert np.median(off) < 1.5
        assert np.mean(np.array(off) < 2.6) >= 0.75


def test_a_look_a_month_does_not_adopt_noise_in_these_years():
    found = runs("looks", RIGHT_WEAK, 2, per_month=150, n_looks=5)
    assert [run["adopted_at"] for run in found] == [0, 0]
    assert all(run["n_trained"] == 5 for run in found)


@pytest.mark.slow
def test_pooled_batches_of_the_same_parties_keep_a_right_expert():
    found = runs("pooled", RIGHT_STRONG, 3, n_parties=150, n_batches=6)
    assert not any(run["is_adopted"] for run in found)
    assert {run["mode_used"] for run in found} == {"cross_validation"}


@pytest.mark.slow
def test_weights_come_closer_to_a_truth_within_reach_as_n_grows():
    few = runs("recovery", recovery.INSIDE, 4, n=500)
    many = runs("recovery", recovery.INSIDE, 4, n=10_000)
    assert np.median([run["error_refined"] for run in many]) < 0.75 * np.median(
        [run["error_refined"] for run in few]
    )


@pytest.mark.slow
def test_rounds_bring_a_card_closer_to_a_truth_out_of_reach():
    found = runs("recovery", recovery.OUTSIDE, 1, n=10_000, n_rounds=2)
    assert [run["round"] for run in found] == [1, 2]
    assert found[0]["is_adopted"]
    assert found[-1]["misplaced"] < found[0]["misplaced_expert"]
    assert found[0]["auc_model"] >= found[0]["auc_refined"] - 0.002


@pytest.mark.parametrize("planted", list(leaks.PLANTED))
def test_planted_leaks_are_found(planted):
    found = runs("leaks", planted, 5, n=500)
    assert all(run["is_found"] for run in found)
    assert not any(run["n_false"] for run in found)


@pytest.mark.slow
def test_drift_is_said_where_it_is():
    assert all(run["is_said"] for run in runs("drift", drift.FADES, 2, n=3_000))
    assert not any(run["is_said"] for run in runs("drift", drift.STEADY, 3, n=1_500))


def test_the_learning_curve_on_real_data_does_no_harm(shared_data):
    found = runs("real", "german", 3, n=200)
    assert all(run["auc_followed"] >= run["auc_expert"] - 0.005 for run in found)
    assert np.mean([run["auc_expert"] - run["auc_regression"] for run in found]) > 0.005


@pytest.mark.slow
def test_the_whole_report_is_written_from_the_small_form(tmp_path):
    for study in STUDIES:
        run_study(study, tmp_path / "runs", quick=True, workers=1)
    path = write_report(tmp_path / "runs", tmp_path / "docs")
    text = path.read_text()
    assert "{{" not in text
    assert (tmp_path / "docs" / "evidence" / "harm.svg").read_text().startswith("<svg")
    once = {file.name: file.read_bytes() for file in (tmp_path / "docs" / "evidence").iterdir()}
    write_report(tmp_path / "runs", tmp_path / "docs")
    again = {file.name: file.read_bytes() for file in (tmp_path / "docs" / "evidence").iterdir()}
    assert again == once
