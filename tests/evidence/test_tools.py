"""The tools of the evidence: exact AUC, the small solver, seeds and aims."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain import fitting
from app.domain.policy import Policy
from app.domain.scorecard import default_card
from app.domain.simulated_features import simulate_features
from app.domain.training import judge_data, train
from benchmarks.evidence import newton
from benchmarks.evidence.aims import judge
from benchmarks.evidence.harm import OFF_80, RIGHT_STRONG, RIGHT_WEAK, scenario_world
from benchmarks.evidence.procedure import follow, refine_all
from benchmarks.evidence.report import SOURCES, markdown
from benchmarks.evidence.runner import Cell, collect, run_cells, run_chunk
from benchmarks.evidence.world import expected_auc, expert, goodness_columns


@pytest.fixture(autouse=True)
def _glum_again():
    """Leave the product's own solver behind, whatever a test installed."""
    yield
    newton.uninstall()


def test_the_exact_auc_is_the_mean_over_all_pairs_with_their_probabilities():
    rng = np.random.default_rng(1)
    risk, p_bad = np.round(rng.normal(size=60), 1), rng.random(60)
    weight = p_bad[:, None] * (1 - p_bad)[None, :]
    np.fill_diagonal(weight, 0.0)
    wins = (risk[:, None] > risk[None, :]) + 0.5 * (risk[:, None] == risk[None, :])
    assert expected_auc(risk, p_bad) == pytest.approx((weight * wins).sum() / weight.sum())


def test_goodness_of_the_population_is_the_cards():
    card = default_card()
    raw = simulate_features(np.random.default_rng(2), 50)
    found = goodness_columns(card, raw)
    for j, (name, feature) in enumerate(card.features.items()):
        for value, goodness in zip(raw[name], found[:, j], strict=True):
            expected = feature.missing if np.isnan(value) else feature.transform.goodness(value)
            assert goodness == pytest.approx(expected or 0.0, abs=1e-12)


@pytest.mark.parametrize("tau", [0.05, 0.35, 1.0])
@pytest.mark.parametrize("n", [100, 800])
def test_the_small_solver_finds_what_glum_finds(tau, n):
    world = scenario_world(OFF_80, np.random.default_rng(n))
    sample = world.draw(n, np.random.default_rng(3))
    base = fitting.calibrate(sample.goodness @ expert().weights, sample.bad)
    rows = (sample.goodness, sample.bad, expert().weights, tau, base)
    by_glum = fitting.fit_anchored(*rows)
    newton.install()
    by_newton = fitting.fit_anchored(*rows)
    assert by_newton.coefficients == pytest.approx(by_glum.coefficients, rel=1e-4, abs=1e-7)
    assert by_newton.intercept == pytest.approx(by_glum.intercept, abs=1e-5)


@pytest.mark.parametrize("scenario", [RIGHT_WEAK, OFF_80])
def test_following_the_procedure_is_what_training_does(scenario):
    world = scenario_world(scenario, np.random.default_rng(4))
    sample = world.draw(700, np.random.default_rng(5))
    names = list(default_card().features)
    trained = train(
        sample, sample.goodness, expert(), names, Policy(),
        data_verdicts=judge_data(sample, expert(), Policy()),
    )  # fmt: skip
    newton.install()
    found = follow(sample, expert())
    fit, _ = refine_all(sample, expert())
    assert found.advice == trained.advice.name
    assert found.judged.gain.value == pytest.approx(trained.validation.gain.value, abs=1e-6)
    assert fit.tau == trained.fit.tau
    assert fit.coefficients == pytest.approx(trained.fit.coefficients, rel=1e-4)
    blocked = trained.advice.name == "keep" or not trained.passed
    assert found.is_drafted is not blocked


def test_a_repeat_draws_from_a_seed_of_its_own():
    cell = Cell("leaks", "honest features", {"n": 200}, 3)
    whole = run_chunk(cell, 0, 3)
    assert run_chunk(cell, 2, 3) == whole[2:]
    assert Cell("leaks", "honest features", {"n": 200}, 400).code == cell.code


def test_an_interrupted_study_goes_on_from_what_it_kept(tmp_path):
    kept = tmp_path / "chunks" / "leaks"
    kept.mkdir(parents=True)
    cell = Cell("leaks", "honest features", {"n": 500}, 5)
    first = list(run_cells([cell], 1, kept))
    (path,) = kept.glob("*.json")
    written = path.stat().st_mtime_ns
    assert list(run_cells([cell], 1, kept)) == first
    assert path.stat().st_mtime_ns == written
    collect("leaks", tmp_path, quick=True)
    assert (tmp_path / "leaks_runs.csv").read_text().count("honest features") == 5


def aims(**tables):
    return {aim.aim: aim.is_met for aim in judge({**{name: [] for name in SOURCES}, **tables})}


def harm_row(mean, worst):
    return {"expert": RIGHT_STRONG, "n": 200, "followed: mean": mean, "followed: worst": worst}


def advice_row(adopted, upper, repeats=400):
    return {"expert": RIGHT_STRONG, "n": 200, "repeats": repeats, "adopted": adopted,
            "upper limit": upper}  # fmt: skip


def test_an_aim_is_missed_where_one_setting_misses_it():
    found = aims(harm=[harm_row(0.0, 0.0), harm_row(-0.001, -0.004)])
    assert found["following adopt only, the mean loss of AUC is 0 in every setting"] is False
    assert found["and the worst loss is under 0.003"] is False


@pytest.mark.parametrize(
    ("adopted", "upper", "repeats", "is_met"),
    [(6, 0.033, 400, True), (12, 0.052, 400, False), (6, 0.06, 400, False), (0, 0.2, 20, None)],
)
def test_adopting_under_no_gain_is_held_against_share_and_limit(adopted, upper, repeats, is_met):
    found = aims(advice=[advice_row(adopted, upper, repeats)])
    (aim,) = [name for name in found if name.startswith("expert right: adopt")]
    assert found[aim] is is_met


def test_a_table_shows_changes_with_their_sign_and_shares_in_percent():
    shown = markdown(
        [{"n": 1000, "followed: mean": -0.00012, "adopt": 0.0125, "AUC of the truth": 0.75}]
    )
    assert shown.splitlines()[-1] == "| 1,000 | -0.0001 | 1.2 % | 0.750 |"
