"""Verdicts and advice at their thresholds, as the design words them."""

from __future__ import annotations

import pytest

from app.domain.advice import advise
from app.domain.canonical import canonical_json
from app.domain.discrimination import Estimate
from app.domain.gates import auc_gate, data_gates, expert_ranks_gate, improvement_gate, weight_gates
from app.domain.policy import Policy, parse_policy
from app.errors import DocumentError

POLICY = Policy()


def verdict_of(verdicts, gate):
    return next(v.verdict for v in verdicts if v.gate == gate)


@pytest.mark.parametrize(("n", "expected"), [(99, "fail"), (100, "pass")])
def test_sample_size_is_at_least_100(n, expected):
    verdicts = data_gates(POLICY, n_labelled=n, n_bad=10, default_rate=0.1)
    assert verdict_of(verdicts, "sample_size") == expected


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(0.049, "fail"), (0.05, "pass"), (0.5, "pass"), (0.501, "fail"), (None, "fail")],
)
def test_default_rate_bounds_are_inclusive(rate, expected):
    verdicts = data_gates(POLICY, n_labelled=1000, n_bad=1, default_rate=rate)
    assert verdict_of(verdicts, "default_rate") == expected


@pytest.mark.parametrize(("slope", "expected"), [(1e-9, "pass"), (0.0, "fail"), (-1.0, "fail")])
def test_expert_must_rank_risk(slope, expected):
    assert expert_ranks_gate(slope, n=100).verdict == expected


@pytest.mark.parametrize(
    ("auc", "low", "n_bad", "expected"),
    [
        (0.60, 0.55, 100, "insufficient evidence"),
        (0.599, 0.55, 100, "fail"),
        (0.70, 0.65, 30, "pass"),
        (0.70, 0.65, 29, "insufficient evidence"),
        (0.70, 0.60, 100, "insufficient evidence"),
    ],
)
def test_auc_gate_needs_the_estimate_and_asks_for_the_interval(auc, low, n_bad, expected):
    found = auc_gate(POLICY, auc=auc, interval=(low, 0.9), n=1000, n_bad=n_bad)
    assert found.verdict == expected


@pytest.mark.parametrize(
    ("model", "refined", "low", "expected"),
    [
        (0.02, 0.01, 0.001, "pass"),
        (0.0009, 0.01, 0.001, "fail"),
        (0.02, 0.0009, 0.0001, "fail"),
        (0.001, 0.001, -0.001, "insufficient evidence"),
    ],
)
def test_model_and_refined_card_must_each_gain(model, refined, low, expected):
    found = improvement_gate(
        POLICY, model_gain=model, model_interval=(low, 0.05), refined_gain=refined,
        refined_interval=(low, 0.05), n=1000, n_bad=200,
    )  # fmt: skip
    assert found.verdict == expected


def test_the_smaller_gain_is_shown_with_its_own_interval_and_both_must_be_clear():
    found = improvement_gate(
        POLICY, model_gain=0.002, model_interval=(-0.004, 0.008), refined_gain=0.02,
        refined_interval=(0.01, 0.03), n=1000, n_bad=200,
    )  # fmt: skip
    assert (found.value, found.interval) == (0.002, (-0.004, 0.008))
    assert found.verdict == "insufficient evidence"


def test_after_earlier_looks_more_parties_are_needed_for_the_same_power():
    late = Estimate(0.01, 0.0049)
    first = advise(Estimate(0.01, 0.006), policy=POLICY, n_labelled=1000)
    sixth = advise(late, policy=POLICY, n_labelled=1000, n_looks=5)
    assert first.n_more == pytest.approx(1000 * ((2.80 * 0.6) ** 2 - 1), abs=1)
    # level 1 - 0.05 / 6^1.5: z = 2.929 (normal table), plus 0.84 for 80 % power
    assert sixth.n_more == pytest.approx(1000 * ((3.769 * 0.49) ** 2 - 1), abs=3)


def test_an_interval_that_is_not_a_number_is_left_out_and_can_be_hashed():
    nothing = (float("nan"), float("nan"))
    found = (
        auc_gate(POLICY, auc=0.7, interval=nothing, n=30, n_bad=1),
        improvement_gate(
            POLICY,
            model_gain=0.02,
            model_interval=nothing,
            refined_gain=0.02,
            refined_interval=nothing,
            n=30,
            n_bad=1,
        ),
    )
    for verdict in found:
        assert verdict.verdict == "insufficient evidence"
        assert "nan" not in canonical_json(verdict.as_dict())
        assert "too few parties of a class" in verdict.sentence


@pytest.mark.parametrize(
    ("gate", "value", "expected"),
    [
        ("weight_change", 0.5, "fail"),
        ("weight_change", 0.4999, "pass"),
        ("score_correlation", 0.8, "fail"),
        ("score_correlation", float("nan"), "fail"),
        ("band_shift", 0.1, "fail"),
        ("cumulative_change", 1.0, "fail"),
    ],
)
def test_weight_gates_are_strict(gate, value, expected):
    values = {
        "weight_change": 0.1, "score_correlation": 0.9, "band_shift": 0.01,
        "cumulative_change": 0.1,
    } | {gate: value}  # fmt: skip
    name = "band_stability" if gate == "band_shift" else gate
    assert verdict_of(weight_gates(POLICY, **values), name) == expected


def test_a_sentence_tells_a_value_from_its_limit_and_gives_both_in_one_unit():
    values = {"weight_change": 0.2, "score_correlation": 0.79996, "band_shift": 0.10004,
              "cumulative_change": 1.2}  # fmt: skip
    sentences = {v.gate: v.sentence for v in weight_gates(POLICY, **values)}
    assert sentences["band_stability"] == (
        "The net share of parties that would move between bands is 10.004%; it must stay below 10%."
    )
    assert sentences["weight_change"] == (
        "The largest change of a weight is 20.0%; it must stay below 50%."
    )
    assert sentences["score_correlation"] == (
        "Old and new score correlate at 0.79996; it must stay above 0.80."
    )
    _, rate = data_gates(POLICY, n_labelled=2001, n_bad=100, default_rate=100 / 2001)
    assert rate.sentence == "The default rate is 4.998% (100 bad); it must lie between 5% and 50%."


def test_a_rule_gives_its_limit_with_all_its_digits():
    policy = parse_policy({"max_band_shift": 0.125, "min_auc_roc": 0.605})
    rules = {v.gate: v.rule for v in weight_gates(policy, weight_change=0.2, score_correlation=0.9,
             band_shift=0.12, cumulative_change=1.2)}  # fmt: skip
    assert rules["band_stability"].endswith("< 0.125")
    assert rules["weight_change"].endswith("< 0.50")
    auc = auc_gate(policy, auc=0.7, interval=(0.65, 0.75), n=1000, n_bad=100)
    assert auc.rule == "model AUC >= 0.605"


def test_keep_wins_over_significance_where_the_gain_is_too_small():
    assert advise(Estimate(0.0009, 0.0001), policy=POLICY, n_labelled=10**6).name == "keep"


def test_a_gain_without_standard_error_is_not_estimable():
    for error in (0.0, float("nan")):
        found = advise(Estimate(0.01, error), policy=POLICY, n_labelled=100)
        assert found.name == "keep"
        assert "not estimable" in found.sentence


def test_a_baseline_past_a_gate_is_kept_and_named():
    found = advise(
        Estimate(0.05, 0.001), policy=POLICY, n_labelled=100,
        baseline_failures=("cumulative_change",),
    )  # fmt: skip
    assert found.name == "keep"
    assert "cumulative_change" in found.sentence


def test_wait_says_how_many_more_as_the_power_formula_does():
    gain, error, n = 0.01, 0.008, 2000
    found = advise(Estimate(gain, error), policy=POLICY, n_labelled=n)
    assert found.name == "wait"
    assert found.n_more == pytest.approx(n * ((2.80 * error / gain) ** 2 - 1), abs=1)


def test_a_model_that_does_not_gain_is_no_reason_to_adopt_its_card():
    found = advise(Estimate(0.01, 0.001), policy=POLICY, n_labelled=1000, model_gain=0.0)
    assert found.name == "keep"


def test_a_policy_names_the_field_that_is_wrong():
    with pytest.raises(DocumentError, match="max_band_shift"):
        parse_policy({"max_band_shift": 2})
    with pytest.raises(DocumentError, match="min_default_rate"):
        parse_policy({"min_default_rate": 0.6})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("watched_window_days", 100_000_000),  # past the last day that a date can be
        ("fairness_cutoff", 10**30),
        ("watched_outcome", "x" * 201),
        ("watched_outcome", "default\n"),
        ("reference_group", "\x00"),
    ],
)
def test_a_policy_holds_nothing_that_monitoring_could_not_compute_with(field, value):
    with pytest.raises(DocumentError, match=field):
        parse_policy({field: value})


def test_the_policy_hash_changes_with_any_field():
    assert Policy().content_hash == parse_policy({}).content_hash
    assert Policy(min_gain=0.002).content_hash != Policy().content_hash


@pytest.mark.parametrize(("n_bad", "advice"), [(99, "wait"), (100, "adopt")])
def test_a_clear_gain_on_few_bad_parties_is_a_reason_to_wait(n_bad, advice):
    found = advise(Estimate(0.02, 0.005), policy=POLICY, n_labelled=500, n_bad=n_bad)
    assert found.name == advice
    if advice == "wait":
        assert found.n_more == 6
        assert "99 bad parties among them are too few to act on, 100 are needed" in found.sentence


def test_few_bad_parties_do_not_turn_a_keep_into_a_wait():
    assert advise(Estimate(0.0, 0.005), policy=POLICY, n_labelled=500, n_bad=40).name == "keep"
