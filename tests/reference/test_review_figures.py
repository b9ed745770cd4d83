"""The figures of the review page against scikit-learn, SciPy and arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp
from sklearn.metrics import roc_auc_score, roc_curve

from app.domain.judged_calibration import calibration_tables
from app.domain.judged_cards import JudgedRows, compare_discrimination
from app.domain.judged_curves import MOST_POINTS, roc_curves, score_distributions
from app.domain.judged_periods import auc_by_period
from app.domain.proportions import wilson_interval
from app.domain.score_shift import band_shares_along, describe_shift, largest_moves
from app.errors import InvalidInputError

BANDS = {"poor": 300, "fair": 550, "good": 700}


def judged(n: int, *, n_folds: int = 1, seed: int = 3, decimals: int = 9) -> JudgedRows:
    rng = np.random.default_rng(seed)
    bad = (rng.random(n) < 0.2).astype(np.int64)
    old = np.round(600 - 60 * bad + 90 * rng.standard_normal(n), decimals)
    new = np.round(600 - 90 * bad + 90 * rng.standard_normal(n), decimals)
    first = np.datetime64("2024-01-15", "us").astype(np.int64)
    month = 30 * 86_400_000_000
    return JudgedRows(
        row=np.arange(n),
        party=np.arange(n),
        scored_at=first + month * np.sort(rng.integers(0, 5, n)),
        bad=bad,
        repeat=np.zeros(n, np.int64),
        fold=rng.integers(0, n_folds, n),
        scores=np.stack([old, new]),
        probabilities=1 / (1 + np.exp((np.stack([old, new]) - 450) / 100)),
    )


@pytest.mark.parametrize("decimals", [9, -1], ids=["no ties", "many ties"])
@pytest.mark.parametrize("n", [60, 30_000])
def test_the_roc_curve_is_that_of_scikit_learn_and_so_is_its_area(n: int, decimals: int) -> None:
    rows = judged(n, decimals=decimals)
    found = roc_curves(rows)
    for card, name in enumerate(("old", "new")):
        risk = -rows.scores[card]
        goods, bads, _ = roc_curve(rows.bad, risk, drop_intermediate=False)
        knots = set(zip(goods.round(12).tolist(), bads.round(12).tolist(), strict=True))
        points = np.array(found[name]["points"])
        assert {tuple(point) for point in points.round(12).tolist()} <= knots
        assert len(points) <= MOST_POINTS
        assert points[0].tolist() == [0, 0]
        assert points[-1].tolist() == [1, 1]
        area = roc_auc_score(rows.bad, risk)
        assert found[name]["auc_roc"] == pytest.approx(area, abs=1e-12)
        assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(area, abs=5e-4)


def test_over_several_test_parts_the_area_is_the_mean_of_scikit_learns_areas() -> None:
    rows = judged(2_000, n_folds=5)
    found, stored = roc_curves(rows), compare_discrimination(rows)
    for card, name in enumerate(("old", "new")):
        areas = [
            roc_auc_score(rows.bad[rows.fold == fold], -rows.scores[card][rows.fold == fold])
            for fold in range(5)
        ]
        assert found[name]["auc_roc"] == pytest.approx(np.mean(areas), abs=1e-12)
        assert found[name]["auc_roc"] == pytest.approx(stored[name]["auc_roc"], abs=1e-12)
        points = np.array(found[name]["points"])
        assert (np.diff(points, axis=0) >= 0).all()
        assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(np.mean(areas), abs=5e-4)


@pytest.mark.parametrize("decimals", [9, -1], ids=["no ties", "many ties"])
def test_the_widest_gap_of_the_distributions_is_scipys_statistic(decimals: int) -> None:
    rows = judged(4_000, decimals=decimals)
    found = score_distributions(rows)
    for card, name in enumerate(("old", "new")):
        bads, goods = (rows.scores[card][rows.bad == label] for label in (1, 0))
        expected = ks_2samp(bads, goods)
        assert found[name]["gap"] == pytest.approx(expected.statistic, abs=1e-12)
        assert found[name]["gap_at"] == pytest.approx(expected.statistic_location, abs=1e-6)
        assert len(found[name]["points"]) <= MOST_POINTS
        drawn = max(abs(bad - good) for _, bad, good in found[name]["points"])
        assert drawn == pytest.approx(expected.statistic, abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (7, 200), (1, 1), (500, 4_210)])
def test_wilsons_interval_is_scipys(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson_interval(k, n) == pytest.approx([expected.low, expected.high], abs=1e-12)


def test_a_rate_of_more_than_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="3 of 2"):
        wilson_interval(3, 2)


def test_calibration_counts_each_party_once_in_its_band() -> None:
    rows = judged(3_000)
    found = calibration_tables(rows, BANDS, BANDS)
    for card, name in enumerate(("old", "new")):
        score, probability = np.floor(rows.scores[card] + 0.5), rows.probabilities[card]
        edges = [-np.inf, 550, 700, np.inf]
        for line, low, high in zip(found[name]["bands"], edges[:-1], edges[1:], strict=True):
            here = (score >= low) & (score < high)
            assert line["n"] == here.sum()
            assert line["bad_rate"] == pytest.approx(rows.bad[here].mean())
            assert line["predicted"] == pytest.approx(probability[here].mean())
            low_end, high_end = line["bad_rate_interval"]
            assert line["is_within"] == (low_end <= probability[here].mean() <= high_end)
        assert [line["n"] for line in found[name]["bins"]] == [300] * 10
        assert sum(line["n_bad"] for line in found[name]["bins"]) == rows.bad.sum()
        predicted = [line["predicted"] for line in found[name]["bins"]]
        assert predicted == sorted(predicted)
    assert found["n_bad"] == rows.bad.sum()


def test_each_month_has_the_auc_of_its_own_rows() -> None:
    rows = judged(2_000)
    found = auc_by_period(rows)
    assert found["period"] == "month"
    months = rows.scored_at.astype("datetime64[us]").astype("datetime64[M]").astype(str)
    assert [one["name"] for one in found["periods"]] == sorted(set(months.tolist()))
    for one in found["periods"]:
        here = months == one["name"]
        assert one["n"] == here.sum()
        areas = [roc_auc_score(rows.bad[here], -scores[here]) for scores in rows.scores]
        assert [one[name]["auc_roc"] for name in ("old", "new")] == pytest.approx(areas)
        assert one["difference"]["value"] == pytest.approx(areas[1] - areas[0])
        low, high = one["difference"]["interval"]
        assert low < one["difference"]["value"] < high


def test_under_cross_validation_the_interval_of_a_period_knows_of_shared_training_rows() -> None:
    """Nadeau and Bengio 2003 with all rows of one repeat in one period: 1 + k / (k - 1)."""
    alone = judged(2_000)
    together = replace(alone, scored_at=np.zeros_like(alone.scored_at))
    folds = replace(together, fold=np.arange(2_000) % 5)
    widths = []
    for rows in (together, folds):
        (only,) = auc_by_period(rows)["periods"]
        low, high = only["difference"]["interval"]
        widths.append(high - low)
    assert (widths[1] / widths[0]) ** 2 == pytest.approx(1 + 5 / 4)


def test_the_distribution_of_moves_counts_every_row_once() -> None:
    rng = np.random.default_rng(1)
    old = rng.uniform(300, 900, 5_000)
    new = np.clip(old + rng.normal(4, 40, 5_000), 300, 900)
    found = describe_shift(old, new)
    moves = np.floor(new + 0.5) - np.floor(old + 0.5)
    assert (found["n_up"], found["n_down"]) == ((moves > 0).sum(), (moves < 0).sum())
    assert found["mean"] == pytest.approx(moves.mean())
    assert found["median"] == np.sort(moves)[2_499]
    assert (found["lowest"], found["highest"]) == (moves.min(), moves.max())
    assert sum(one["n"] for one in found["bins"]) == 5_000
    for one in found["bins"]:
        assert one["n"] == ((moves >= one["from"]) & (moves <= one["to"])).sum()
    middle = next(one for one in found["bins"] if one["from"] <= 0 <= one["to"])
    assert middle["from"] == -middle["to"]


def test_the_parties_that_move_most_are_found_up_and_down() -> None:
    old = np.full(6, 500.0)
    new = old + np.array([0, 3, -9, 9, 1, 0])
    assert largest_moves(old, new, 3).tolist() == [2, 3, 1]
    assert largest_moves(old, new, 9).tolist() == [2, 3, 1, 4]


def test_shares_along_the_path_are_those_of_the_mixed_card() -> None:
    old, target = np.array([540.0, 560, 690, 710]), np.array([560.0, 540, 710, 710])
    halfway = (old + target) / 2
    found = band_shares_along(old, target, (0.5,), BANDS)[0]
    assert found == {
        "poor": (halfway < 549.5).mean(),
        "fair": ((halfway >= 549.5) & (halfway < 699.5)).mean(),
        "good": (halfway >= 699.5).mean(),
    }
