from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from app.domain.card_movement import describe_movement, score_psi
from app.domain.discrimination import auc_estimate, paired_auc_difference
from app.domain.judged_cards import JudgedRows, compare_discrimination, judge_cut_off, swap_sets
from app.errors import InvalidInputError

RNG = np.random.default_rng(7)
N = 400
BAD = (RNG.random(N) < 0.25).astype(np.int64)
OLD = 600 - 80 * BAD + 100 * RNG.standard_normal(N)
NEW = 0.5 * OLD + 300 - 60 * BAD + 60 * RNG.standard_normal(N)


def one_part(**changes: np.ndarray) -> JudgedRows:
    zeros = np.zeros(N, dtype=np.int64)
    columns = {
        "row": np.arange(N),
        "party": np.arange(N),
        "scored_at": zeros,
        "bad": BAD,
        "repeat": zeros,
        "fold": zeros,
        "scores": np.stack([OLD, NEW]),
        "probabilities": np.stack([np.full(N, 0.25), np.clip((900 - NEW) / 1200, 0, 1)]),
    }
    return JudgedRows(**(columns | changes))


def test_figures_on_one_test_part_are_the_plain_ones():
    found = compare_discrimination(one_part())
    for name, scores in (("old", OLD), ("new", NEW)):
        plain = auc_estimate(-scores, BAD)
        assert found[name]["auc_roc"] == pytest.approx(plain.value, abs=1e-12)
        assert found[name]["auc_roc_interval"] == pytest.approx(plain.interval(), abs=1e-9)
        # SciPy's two-sample test computes the same statistic
        assert found[name]["ks"] == pytest.approx(
            ks_2samp(scores[BAD == 1], scores[BAD == 0]).statistic
        )
        assert found[name]["ks_interval"][0] < found[name]["ks"] < found[name]["ks_interval"][1]
    difference = paired_auc_difference(-NEW, -OLD, BAD)
    assert found["auc_roc_difference"] == pytest.approx(difference.value)
    assert found["auc_roc_difference_interval"] == pytest.approx(difference.interval())


def test_the_interval_of_the_brier_score_is_that_of_a_mean():
    found = compare_discrimination(one_part())["new"]
    errors = (np.clip((900 - NEW) / 1200, 0, 1) - BAD) ** 2
    half = 1.959964 * errors.std(ddof=1) / np.sqrt(N)
    assert found["brier"] == pytest.approx(errors.mean())
    assert found["brier_interval"] == pytest.approx([errors.mean() - half, errors.mean() + half])


def test_repeating_the_same_validation_changes_no_figure():
    once = one_part()
    twice = JudgedRows(
        **{
            name: np.concatenate([getattr(once, name)] * 2, axis=-1)
            for name in JudgedRows.__dataclass_fields__
            if name != "repeat"
        },
        repeat=np.repeat([0, 1], N),
    )
    first, second = compare_discrimination(once), compare_discrimination(twice)
    assert first.keys() == second.keys()
    for name in ("old", "new"):
        for key, value in first[name].items():
            assert second[name][key] == pytest.approx(value), key
    assert swap_sets(once, {"fair": (600, 600)}) == swap_sets(twice, {"fair": (600, 600)})
    assert judge_cut_off(once, 600) == judge_cut_off(twice, 600)


def test_the_order_of_rows_changes_nothing():
    rows = one_part(fold=np.arange(N) % 2)
    shuffled = RNG.permutation(N)
    moved = JudgedRows(
        **{name: getattr(rows, name)[..., shuffled] for name in JudgedRows.__dataclass_fields__}
    )
    first, second = compare_discrimination(rows), compare_discrimination(moved)
    for key, value in first["new"].items():
        assert second["new"][key] == pytest.approx(value), key
    assert swap_sets(rows, {"fair": (600, 600)}) == swap_sets(moved, {"fair": (600, 600)})


def test_a_party_of_several_batches_counts_once_with_its_latest_score():
    party = np.array([1, 1, 2])
    rows = JudgedRows(
        row=np.arange(3), party=party, scored_at=np.array([5, 9, 1]), bad=np.array([0, 1, 0]),
        repeat=np.zeros(3, dtype=np.int64), fold=np.zeros(3, dtype=np.int64),
        scores=np.array([[500.0, 700, 500], [700, 500, 500]]), probabilities=np.full((2, 3), 0.5),
    )  # fmt: skip
    table = swap_sets(rows, {"good": (600, 600)})[0]
    declined = table["newly_declined"]
    assert (declined["n"], declined["n_bad"], declined["bad_rate"]) == (1, 1, 1.0)
    assert table["newly_approved"]["n"] == 0
    assert table["declined_by_both"]["n"] == 1


def test_every_party_falls_into_one_group_at_every_bound():
    for table in swap_sets(one_part(), {"a": (450, 450), "b": (600, 620), "c": (900, 300)}):
        groups = ("newly_approved", "newly_declined", "approved_by_both", "declined_by_both")
        assert sum(table[group]["n"] for group in groups) == N
        assert sum(table[group]["n_bad"] for group in groups) == BAD.sum()


def test_one_class_has_no_discrimination():
    with pytest.raises(InvalidInputError):
        compare_discrimination(one_part(bad=np.zeros(N, dtype=np.int64)))


def test_moving_nobody_is_no_movement():
    bands = {"low": 300, "mid": 500, "high": 700}
    still = describe_movement(OLD, OLD, bands, bands)
    assert (still["n_changed_band"], still["band_shift"], still["psi"]) == (0, 0.0, 0.0)
    assert still["score_correlation"] == pytest.approx(1.0)


def test_migration_counts_every_row_once_also_between_other_bands():
    moved = describe_movement(OLD, NEW, {"low": 300, "high": 600}, {"a": 300, "b": 500, "c": 650})
    assert np.sum(moved["migration"]["counts"]) == N
    assert moved["n_changed_band"] is None
    assert moved["band_shift"] == pytest.approx(1.0)  # no band of the one is a band of the other


@pytest.mark.parametrize("seed", [94, 123, 126])
def test_the_same_card_on_another_scale_of_weights_moves_nobody(seed):
    generator = np.random.default_rng(seed)
    d = int(generator.integers(2, 8))
    goodness = generator.choice(np.arange(11) / 10, size=(1000, d))
    weights = generator.choice([5.0, 10, 15, 20, 7, 3], size=d)
    for scale in (1.1, 3.3, 100 / weights.sum()):
        old, new = (300 + 600 * (goodness @ w) / w.sum() for w in (weights, weights * scale))
        assert score_psi(old, new) == 0.0


def test_psi_grows_with_the_shift():
    shifts = [score_psi(OLD, OLD - points) for points in (0, 20, 60, 200)]
    assert shifts == sorted(shifts)
    assert shifts[-1] > 0.25  # the usual line for a major shift (Siddiqi, Credit Risk Scorecards)
