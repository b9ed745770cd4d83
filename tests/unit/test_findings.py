"""The title of a figure says what it shows, also where nothing moves, or the wrong way."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.findings import movement, ranking, review, weights


def _ranked(gain: float, limits: list[float] | None, *, in_sample: bool = False) -> dict[str, Any]:
    return {
        "old": {"auc_roc": 0.7},
        "new": {"auc_roc": 0.7 + gain},
        "n_parties": 1204,
        "auc_roc_difference": gain,
        "auc_roc_difference_interval": limits,
        "source": {"in_sample": in_sample},
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            _ranked(-0.02, [-0.03, -0.01]),
            (
                "Ranks defaults worse on 1,204 parties it never saw: AUC 0.680 against 0.700, "
                "loss 0.020, 95 % interval 0.010 to 0.030"
            ),
        ),
        (
            _ranked(0.004, [-0.002, 0.01], in_sample=True),
            (
                "Ranks defaults about as well on 1,204 parties that may have shaped it: AUC 0.704 "
                "against 0.700, gain 0.004, 95 % interval -0.002 to 0.010"
            ),
        ),
        (
            _ranked(0.0, None),
            (
                "Ranks defaults about as well on 1,204 parties it never saw: AUC 0.700 against "
                "0.700, gain 0.000, 95 % interval –"
            ),
        ),
    ],
)
def test_a_card_that_ranks_no_better_is_said_to(found: dict[str, Any], said: str) -> None:
    assert ranking.of_ranking(found) == said


def test_where_nothing_moves_it_says_so() -> None:
    still = {"old_weight": 1.0, "new_weight": 1.0, "change": 0.0}
    assert weights.of_weights({"a": still}).startswith("No weight moves")
    assert movement.of_shift({"n_rows": 5, "n_same": 5}) == "No score moves"
    assert movement.of_movers([]) == "No score moves"
    same = {"old": {"a": 0.5, "b": 0.5}, "new": {"a": 0.5, "b": 0.5}}
    assert movement.of_bands(same) == "Every band keeps its share of parties"
    assert movement.of_migration({"n_rows": 5, "n_changed_band": 0}) == (
        "None of 5 parties changes band"
    )
    nobody = {"n": 0, "bad_rate": None}
    swaps = [{"at": "a", "newly_approved": nobody, "newly_declined": nobody}]
    assert movement.of_swaps(swaps) == "At every band boundary both cards decide alike"


def test_a_feature_that_comes_in_and_cards_with_other_bands_have_their_own_words() -> None:
    fresh = {"old_weight": None, "new_weight": 2.0, "change": None}
    gone = {"old_weight": 1.0, "new_weight": None, "change": -1.0}
    assert weights.of_weights({"old": gone, "fresh": fresh}) == (
        "2 of 2 weights move: fresh comes in and old -100.0 %"
    )
    other = movement.of_migration({"n_rows": 5, "n_changed_band": None})
    assert other == "The cards have different bands: where each of 5 parties goes"


def test_months_with_too_few_parties_say_nothing() -> None:
    none = {"period": "month", "periods": [{"difference": None}, {"difference": None}]}
    assert ranking.of_periods(none) == (
        "By scoring month nothing can be said: 2 months have too few bads or goods to say"
    )


def test_a_path_that_went_all_the_way_or_stopped_at_two_gates() -> None:
    steps = [{"auc_roc": None}, {"auc_roc": None}]
    assert weights.of_path({"t": 1.0, "stopped_by": [], "steps": steps}) == (
        "Goes the whole way that the guard-rails allow"
    )
    two = {"t": 0.5, "stopped_by": ["band_stability", "score_correlation"], "steps": steps}
    assert weights.of_path(two) == (
        'Goes 50 % of the way, where the gates "Few parties change band" and "Scores keep their '
        'order" stop it'
    )


def test_gates_that_fail_and_gates_that_lack_evidence_are_named() -> None:
    gates = [
        {"gate": "auc_roc", "verdict": "fail"},
        {"gate": "sample_size", "verdict": "insufficient evidence"},
        {"gate": "weight_change", "verdict": "pass"},
    ]
    assert review.of_gates(gates) == (
        "1 of 3 gates fails: The model ranks parties it never saw; 1 of 3 gates lacks evidence: "
        "Enough labelled parties"
    )
    assert review.of_gates([]) == "No gate was judged"
