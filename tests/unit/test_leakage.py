"""The leakage check: planted leaks are named, honest features are left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.leakage import LeakageTable, LeakColumn, find_leaks, leak_warnings


def labels(n=1000, share=0.25, seed=0):
    return (np.random.default_rng(seed).random(n) < share).astype(np.int64)


def signs(column, bad, on_card=("x",)):
    table = LeakageTable({"x": column}, bad)
    return [(sign.kind, sign.is_on_card) for sign in find_leaks(table, on_card)]


@pytest.mark.parametrize("seed", range(20))
def test_honest_features_of_many_shapes_are_left_in_peace(seed):
    rng = np.random.default_rng(seed)
    bad = labels(600, 0.2, seed)
    shapes = {
        "strong": rng.normal(size=600) + 1.0 * bad,
        "amount": np.round(np.exp(rng.normal(8, 1, 600) - 0.5 * bad), -2),
        "count": rng.poisson(6 - 2 * bad).astype(float),
        "flag": (rng.random(600) < 0.3 + 0.2 * bad).astype(float),
        "term": 12.0 * rng.integers(1, 11, 600),
        "gaps": np.where(rng.random(600) < 0.2 + 0.1 * bad, np.nan, rng.normal(size=600)),
    }
    columns = {name: LeakColumn(values) for name, values in shapes.items()}
    columns["town"] = LeakColumn(rng.integers(0, 250, 600).astype(float), is_text=True)
    columns["id"] = LeakColumn(rng.permutation(600).astype(float), is_text=True)
    assert find_leaks(LeakageTable(columns, bad), list(columns)) == ()


def test_a_feature_recorded_after_the_outcome_ranks_too_well_in_either_direction():
    bad = labels()
    late = np.random.default_rng(1).normal(size=1000) + 3 * bad
    assert signs(LeakColumn(late), bad) == [("ranks_too_well", True)]
    assert signs(LeakColumn(-late), bad, on_card=()) == [("ranks_too_well", False)]


def test_a_text_that_names_the_outcome_ranks_too_well():
    bad = labels()
    status = np.where(np.random.default_rng(1).random(1000) < 0.05, 2.0, bad)
    assert signs(LeakColumn(status, is_text=True), bad) == [("ranks_too_well", True)]


def test_missingness_that_follows_the_label_is_named():
    bad = labels()
    rng = np.random.default_rng(2)
    gone = rng.random(1000) < np.where(bad == 1, 0.6, 0.1)
    column = LeakColumn(np.where(gone, np.nan, rng.normal(size=1000)))
    assert signs(column, bad) == [("missing_follows_label", True)]


def test_round_values_count_only_against_values_of_like_size():
    rng = np.random.default_rng(3)
    bad = labels(2000)
    small, large = rng.integers(1_000, 9_999, 2000), 1_000 * rng.integers(20, 300, 2000)
    # Large amounts are round and mostly good: no sign of a later change.
    amount = np.where(rng.random(2000) < 0.25 + 0.5 * bad, small, large)
    assert signs(LeakColumn(amount.astype(float)), bad) == []


def test_a_small_sample_alone_makes_no_sign():
    bad = np.repeat([1, 0], [9, 200])
    assert signs(LeakColumn(bad.astype(float)), bad) == []


def test_what_is_beside_the_card_shares_one_warning():
    bad = labels()
    leak = LeakColumn(bad.astype(float))
    table = LeakageTable({"a": leak, "b": leak, "c": leak}, bad)
    first, second = leak_warnings(find_leaks(table, ["b"]))
    assert first.startswith("b alone ranks bad and good with an AUC of 1.00")
    assert second.endswith("nothing was trained: a, c. Keep them off it.")


def test_a_sign_says_what_was_held_against_what():
    bad = labels()
    (sign,) = find_leaks(LeakageTable({"x": LeakColumn(bad.astype(float))}, bad), [])
    shown = sign.as_dict()
    assert (shown["feature"], shown["value"], shown["threshold"]) == ("x", 1.0, 0.85)
