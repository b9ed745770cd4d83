"""The title of a figure says what it shows, also where nothing moves, or the wrong way."""

from __future__ import annotations

from typing import Any

import pytest

from app.findings import movement, ranking, review, weights


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
                "Ranks defaults neither clearly better nor clearly worse on 1,204 parties that "
                "may have shaped it: AUC 0.704 against 0.700, gain 0.004, 95 % "
                "interval -0.002 to 0.010"
            ),
        ),
        (
            _ranked(0.0, None),
            (
                "Ranks defaults neither clearly better nor clearly worse on 1,204 parties it "
                "never saw: AUC 0.700 against 0.700, gain 0.000, 95 % interval –"
            ),
        ),
    ],
)
def test_a_card_that_ranks_no_better_is_said_to(found: dict[str, Any], said: str) -> None:
    assert ranking.of_ranking(found) == said


def test_where_nothing_moves_it_says_so() -> None:
    still = {"old_weight": 1.0, "new_weight": 1.0, "change": 0.0}
    assert weights.of_weights({"a": still}).startswith("No weight moves")
    unused = {"old_weight": 0.0, "new_weight": 0.0, "change": None}
    assert weights.of_weights({"a": still, "unused": unused}).startswith("No weight moves")
    assert movement.of_shift({"n_rows": 5, "n_same": 5}) == "No score moves"
    assert movement.of_movers([]) == "No score moves"
    same = {"old": {"a": 0.5, "b": 0.5}, "new": {"a": 0.5, "b": 0.5}}
    assert movement.of_bands(same) == "Every band keeps its share of scores"
    assert movement.of_migration({"n_rows": 5, "n_changed_band": 0}) == (
        "None of 5 scores changes band"
    )
    nobody = {"n": 0, "bad_rate": None}
    swaps = [{"at": "a", "newly_approved": nobody, "newly_declined": nobody}]
    assert movement.of_swaps(swaps) == "At every band boundary both cards decide alike"


def test_a_feature_that_comes_in_and_cards_with_other_bands_have_their_own_words() -> None:
    fresh = {"old_weight": None, "new_weight": 2.0, "change": None}
    gone = {"old_weight": 1.0, "new_weight": None, "change": -1.0}
    assert weights.of_weights({"old": gone, "fresh": fresh}) == (
        "2 of 2 weights, as shares of their sum, move: fresh comes in and old -100.0 %"
    )
    other = movement.of_migration({"n_rows": 5, "n_changed_band": None})
    assert other == "The cards have different bands: where each of 5 scores goes"


def test_months_with_too_few_parties_say_nothing() -> None:
    none = {"period": "month", "periods": [{"difference": None}, {"difference": None}]}
    assert ranking.of_periods(none) == (
        "By scoring month nothing can be said: 2 months have too few bads or goods to say"
    )


def test_a_path_that_went_all_the_way_or_stopped_at_two_gates() -> None:
    steps = [{"t": 0.0, "auc_roc": None}, {"t": 1.0, "auc_roc": None}]
    assert weights.of_path({"t": 1.0, "stopped_by": [], "steps": steps}) == (
        "Goes the whole way that the guard-rails allow"
    )
    two = {"t": 0.5, "stopped_by": ["band_stability", "score_correlation"], "steps": steps}
    assert weights.of_path(two) == (
        'Goes 50 % of the way, where the gates "Bands keep their shares" and "Old and new scores '
        'go together" stop it'
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


def test_a_gain_that_earlier_looks_make_unsure_is_not_called_better() -> None:
    found = _ranked(0.01, [0.001, 0.019])
    unsure = {"n_looks": 2, "interval": [-0.002, 0.022]}
    assert ranking.of_ranking(found, unsure).startswith(
        "May rank defaults better, but after 2 earlier looks not clearly, on 1,204 parties"
    )
    sure = {"n_looks": 2, "interval": [0.0005, 0.0195]}
    assert ranking.of_ranking(found, sure).startswith("Ranks defaults better on")


def test_two_cards_that_rank_alike_are_said_to() -> None:
    assert ranking.of_ranking(_ranked(0.0, [0.0, 0.0])).startswith("Ranks defaults exactly alike")
    certain = ranking.of_ranking(_ranked(0.1, [0.1, 0.1]))
    assert certain.startswith("Ranks defaults neither clearly better nor clearly worse")
    assert certain.endswith("interval –")


def test_probabilities_fitted_to_the_same_rows_are_not_passed_off_as_a_forecast() -> None:
    found = {
        "bad_rate": 0.2,
        "bad_rate_interval": [0.1, 0.35],
        "new": {"predicted": 0.2, "bands": [{"is_within": True}]},
    }
    said = ranking.of_calibration(found, "v3", in_sample=True)
    assert said.startswith("Fitted to these very parties, v3 predicts 20.0 % bad")


def test_a_moved_cut_off_names_both_scores() -> None:
    group = {"n": 4, "bad_rate": 0.25}
    swap = {"at": "good", "old_bound": 700, "new_bound": 650}
    said = movement.of_swaps([{**swap, "newly_approved": group, "newly_declined": group}])
    assert said.startswith("Approving from good (650, was 700): 4 more let in")


def test_ten_movers_are_not_said_to_be_all() -> None:
    def moves(change: int) -> dict[str, Any]:
        return {"party_id": "P", "change": change, "old": {"score": 600}, "new": {"score": 521}}

    assert movement.of_movers([moves(-79), moves(-75)]) == (
        "P moves most, from 600 to 521; each of these 2 moves by 75 points or more"
    )


def test_label_sets_of_several_batches_count_rows_and_give_both_dates() -> None:
    def labels(through: str) -> dict[str, Any]:
        return {
            "n_labelled": 100,
            "n_bad": 10,
            "data_through": through,
            "observation_window_days": 180,
        }

    lineage = {"files": [{}], "label_sets": [labels("2025-11-28"), labels("2025-03-31")]}
    assert review.of_lineage(lineage) == (
        "Rests on 1 file and 200 labelled rows (20 bad), 180 days observed, data through "
        "2025-03-31 to 2025-11-28"
    )


def test_a_recommendation_that_rests_on_a_withdrawn_batch_says_so_first() -> None:
    files = [{"what": "batch B1", "is_withdrawn": True}, {"what": "B2", "is_withdrawn": False}]
    document = {
        "limits": ["In-sample."],
        "advice": None,
        "figures": None,
        "lineage": {"files": files, "label_sets": []},
    }
    assert review.untold(document) == (
        "Withdrawn since: batch B1. What rests on it may be wrong.",
        "In-sample.",
    )
