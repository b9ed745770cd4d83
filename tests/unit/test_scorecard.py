"""A scorecard validates itself, names every fault by its place, and knows its hash."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.canonical import canonical_json, content_hash
from app.domain.document import parse_document
from app.domain.scorecard import Scorecard, default_card, load_scorecard, score_party
from app.domain.transforms import Linear, Log
from app.errors import DocumentError, InvalidInputError, NotFoundError
from tests.support.cards import PLAIN, cards, documents

CARD = """
name: Two features
range: {min: 300, max: 900}
bands: {low: 300, high: 600}
features:
  age: {weight: 1, transform: {kind: linear, worst: 20, best: 60}, reason: Young}
  late: {weight: 2, transform: {kind: bins, edges: [1, 2, 4], values: [1, 0.5, 0.2, 0]}}
  job: {weight: 2, transform: {kind: categories, values: {own: 1, 1: 0.5}, other: 0}, missing: 0}
"""


def changed(**changes: Any) -> dict[str, Any]:
    """Change values at dotted places of the card; None takes the key away."""
    document: dict[str, Any] = yaml.safe_load(CARD)
    for place, value in changes.items():
        *way, last = place.split("__")
        part = document
        for key in way:
            part = part[key]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return document


def problems_of(document: Any) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        Scorecard.from_document(document)
    lines = caught.value.message.splitlines()
    assert lines[0].startswith(f"{caught.value.place}: " if caught.value.place else "")
    return lines


# what is wrong, and where


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, "name: is missing"),
        ({"name": "  "}, "name: must not be blank"),
        ({"features": {}}, "features: needs at least 1"),
        ({"bands": {}}, "bands: needs at least 1"),
        ({"features": ["age"]}, "features: must be a mapping, not ['age']"),
        ({"range__max": 300}, "range.max: must exceed min (300), is 300"),
        ({"range__max": 899.5}, "range.max: must be a whole number, not 899.5"),
        (
            {"bands__low": 310},
            ("bands.low: the lowest band must start at range.min (300), starts at 310"),
        ),
        ({"bands__high": 300}, "bands.high: must start above low (300), starts at 300"),
        ({"bands__high": 900}, "bands.high: must start below range.max (900), starts at 900"),
        ({"features__age__weight": -1}, "features.age.weight: must be at least 0, is -1"),
        ({"features__age__weight": True}, "features.age.weight: must be a number, not True"),
        ({"features__age__weight": "1"}, "features.age.weight: must be a number, not '1'"),
        (
            {"features__age__weight": float("inf")},
            "features.age.weight: must be a finite number, not inf",
        ),
        (
            {"features__age__weight": float("nan")},
            "features.age.weight: must be a finite number, not nan",
        ),
        (
            {"features__age__wieght": 2},
            "features.age.wieght: is not known here; did you mean 'weight'?",
        ),
        ({"features__age__missing": 1.1}, "features.age.missing: must be at most 1, is 1.1"),
        (
            {"features__age__transform__best": 20},
            "features.age.transform.best: must differ from worst (20) by a finite amount",
        ),
        (
            {"features__age__transform__kind": "linaer"},
            (
                "features.age.transform.kind: 'linaer' is not a kind of transform "
                "(linear, log, bins, categories); did you mean 'linear'?"
            ),
        ),
        (
            {"features__age__transform__kind": None},
            "features.age.transform.kind: is missing; the kinds are linear, log, bins, categories",
        ),
        (
            {"features__age__transform__other": 1},
            "features.age.transform.other: is not known here; known are worst, best, kind",
        ),
        (
            {"features__late__transform__edges": [1, 2, 2]},
            "features.late.transform.edges[2]: edges must increase: 2 does not exceed 2",
        ),
        (
            {"features__late__transform__values": [1, 0.5, 7, 0]},
            "features.late.transform.values[2]: must be at most 1, is 7",
        ),
        (
            {"features__late__transform__values": [1, 0]},
            "features.late.transform.values: 3 edges make 4 bins, but 2 values are given",
        ),
        ({"features__job__transform__other": None}, "features.job.transform.other: is missing"),
        (
            {"features__job__transform__values": {"a b": 2}},
            'features.job.transform.values["a b"]: must be at most 1, is 2',
        ),
        (
            {"features__job__transform__values": {1: 1, "1.0": 0}},
            "features.job.transform.values[\"1.0\"]: the category '1' is given twice",
        ),
        (
            {"features__job__transform__values": {" ": 1}},
            'features.job.transform.values[" "]: a blank is not a category: use missing for it',
        ),
        (
            {"features__AGE": {"weight": 1, "transform": {"kind": "log", "worst": 0, "best": 1}}},
            "features.AGE: differs from 'age' only in case, which databases do not see",
        ),
        (
            {"features__age__transform": {"kind": "log", "worst": -1, "best": 5}},
            "features.age.transform.worst: must be at least 0, is -1",
        ),
        ({"scale": 1}, "scale: is not known here; known are name, range, bands, features"),
    ],
)
def test_each_fault_is_named_by_its_place(changes: dict[str, Any], problem: str) -> None:
    assert problems_of(changed(**changes)) == [problem]


def test_all_faults_are_reported_at_once() -> None:
    document = changed(
        name=None,
        bands__low=310,
        features__age__weight=-1,
        features__late__transform__edges=[2, 1, 4],
        features__job__missing=3,
        rnage={},
    )
    assert [line.split(":")[0] for line in problems_of(document)] == [
        "name",
        "bands.low",
        "features.age.weight",
        "features.late.transform.edges[1]",
        "features.job.missing",
        "rnage",
    ]


def test_weights_must_sum_to_something() -> None:
    zero = changed(features__age__weight=0, features__late__weight=0, features__job__weight=0)
    assert problems_of(zero) == ["features: at least one weight must be positive"]
    huge = changed(features__age__weight=1e300)
    assert "more than 1e+15" in problems_of(huge)[0]


def test_a_document_that_is_no_mapping_is_refused() -> None:
    for document in (None, [], "card", 3):
        assert "a scorecard is a mapping" in problems_of(document)[0]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "range", "bands", "features", "weight", "kind", "x"]),
                part,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_breaks_the_validation(document: Any) -> None:
    with pytest.raises(DocumentError):
        Scorecard.from_document(document)


@given(documents(), st.data())
def test_no_damage_to_a_document_breaks_the_validation(
    document: dict[str, Any], data: st.DataObject
) -> None:
    part: Any = document
    while isinstance(part, dict | list) and part:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(part[key], dict | list) or data.draw(st.booleans()):
            part[key] = data.draw(
                st.sampled_from([None, "x", -1, 2, 1e308, float("nan"), [], {}, [1], True])
            )
            break
        part = part[key]
    with contextlib.suppress(DocumentError):
        Scorecard.from_document(document)


# documents


def test_a_key_given_twice_is_named_in_yaml_and_json() -> None:
    with pytest.raises(DocumentError, match=r"^features\.age: is given twice \(line 3\)$"):
        load_scorecard("features:\n  age: {}\n  age: {}\n")
    with pytest.raises(DocumentError, match=r"^age: is given twice$"):
        load_scorecard('{"features": {"age": {}, "age": {}}}')


@pytest.mark.parametrize(
    "text", ["name: [", "a: b: c\n", "\tx: 1\n", "{a: 1\n", "x: !!python/none\n"]
)
def test_an_unreadable_document_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="is not readable YAML"):
        load_scorecard(text + "\n")


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        load_scorecard(tmp_path / "card.yaml")
    (tmp_path / "card.yaml").write_bytes("name: Zürich".encode("latin-1"))
    with pytest.raises(DocumentError, match="not UTF-8"):
        load_scorecard(tmp_path / "card.yaml")


def test_yaml_words_stay_words() -> None:
    parsed = parse_document("[no, Yes, on, 12:30, 010, 0x1f, 2020-01-01, 1_000, true, ~, 1e3, 1.]")
    assert parsed == [
        *("no", "Yes", "on", "12:30", "010", "0x1f", "2020-01-01", "1_000"),
        *(True, None, 1000.0, 1.0),
    ]


def test_few_lines_that_stand_for_millions_of_values_are_refused() -> None:
    merges = "".join(f"m{i}: &m{i}\n  <<: [*m{i - 1}, *m{i - 1}]\n" for i in range(1, 40))
    lists = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    for text in (f"m0: &m0 {{x: 1}}\n{merges}", f"a0: &a0 [x]\n{lists}", "a: &a [*a]"):
        with pytest.raises(DocumentError, match="aliases"):
            parse_document(text)


@pytest.mark.parametrize("start", ["[", '{"a":', "- "])
def test_a_document_that_is_nested_too_deeply_is_refused(start: str) -> None:
    with pytest.raises(DocumentError):
        parse_document(start * 20_000)


def test_anchors_may_be_used() -> None:
    bins = "{kind: bins, edges: [1], values: [1, 0]}"
    card = load_scorecard(
        f"name: x\nbands: {{all: 300}}\nfeatures:\n"
        f"  a: {{weight: 1, transform: &late {bins}}}\n  b: {{weight: 1, transform: *late}}\n"
    )
    assert card.features["a"].transform == card.features["b"].transform


# hash and identity


def test_the_hash_is_the_same_for_the_same_content() -> None:
    card = load_scorecard(CARD)
    document = card.to_document()
    assert load_scorecard(json.dumps(document)).content_hash == card.content_hash
    assert load_scorecard(yaml.safe_dump(document, sort_keys=False)) == card
    assert load_scorecard(CARD.replace("weight: 1,", "weight: 1.0,")) == card
    assert load_scorecard(CARD.replace("best: 60", "best: 6e1")) == card
    assert load_scorecard(CARD.replace("{own: 1, 1: 0.5}", '{"1": 0.5, own: 1.0}')) == card
    assert load_scorecard(CARD.replace("min: 300", "min: 300.0")) == card


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Two features", "2 features"),
        ("weight: 1,", "weight: 1.0000001,"),
        ("reason: Young", "reason: Old"),
        (", missing: 0}", "}"),
        ("range: {min: 300, max: 900}\n", ""),
        ("high: 600", "high: 601"),
    ],
)
def test_the_hash_differs_for_other_content(old: str, new: str) -> None:
    assert old in CARD
    assert load_scorecard(CARD.replace(old, new)) != load_scorecard(CARD)


def test_the_hash_knows_the_order_of_features() -> None:
    document = load_scorecard(CARD).to_document()
    turned = {**document, "features": dict(reversed(document["features"].items()))}
    assert Scorecard.from_document(turned) != Scorecard.from_document(document)


def test_the_hash_of_the_default_card_never_changes() -> None:
    """A new hash here means that every stored version would look edited: see SCHEMA_NUMBER."""
    assert default_card().content_hash == DEFAULT_CARD_HASH


DEFAULT_CARD_HASH = "1ff36f938215fe77b0bd88ca605527ed56df91f1e9d3bf3d6bfa8531359c1568"


@given(cards())
def test_a_card_survives_every_round_trip(card: Scorecard) -> None:
    for again in (
        Scorecard.from_document(json.loads(json.dumps(card.to_document()))),
        load_scorecard(yaml.safe_dump(card.to_document(), sort_keys=False, allow_unicode=True)),
        pickle.loads(pickle.dumps(card)),  # noqa: S301 - our own bytes
        copy.deepcopy(card),
        card.with_weights(card.weights),
        card.model_copy(),
    ):
        assert again == card
        assert again.feature_names == card.feature_names
        assert hash(again) == hash(card)


def test_a_card_cannot_be_changed_in_place() -> None:
    card = default_card()
    with pytest.raises(TypeError):
        card.features["kyc_verified"] = card.features["has_tax_id"]
    with pytest.raises(ValueError, match="frozen"):
        card.name = "other"
    card.to_document()["features"]["kyc_verified"]["weight"] = 99
    assert card.features["kyc_verified"].weight == 15


def test_other_weights_make_another_card() -> None:
    card = load_scorecard(CARD)
    other = card.with_weights([3, 2, 1])
    assert (other.weights == [3, 2, 1]).all()
    assert card.with_weights({"age": 3.0}).weights.tolist() == [3, 2, 2]
    assert other.features["job"].transform == card.features["job"].transform
    assert other.model_copy(update={"name": "renamed"}).content_hash != other.content_hash
    with pytest.raises(InvalidInputError, match="3 features, 2 weights"):
        card.with_weights([1, 2])
    with pytest.raises(InvalidInputError, match="no feature agee"):
        card.with_weights({"agee": 1})
    with pytest.raises(DocumentError, match=r"features\.age\.weight"):
        card.with_weights([-1, 2, 3])


def test_the_default_card_is_that_of_the_design() -> None:
    card = default_card()
    assert card.total_weight == 120
    assert dict(card.bands) == {
        "very_poor": 300, "poor": 450, "fair": 600, "good": 700, "excellent": 800
    }  # fmt: skip
    assert all(feature.reason for feature in card.features.values())
    assert not any(feature.gives_missing for feature in card.features.values())
    transforms = {name: feature.transform for name, feature in card.features.items()}
    assert transforms["avg_transaction_amount"] == Log(kind="log", worst=0, best=50000)
    assert transforms["network_depth_downstream"] == Linear(kind="linear", worst=0, best=5)


def test_a_yaml_file_of_another_person_loads(shared_cards: Path) -> None:
    cards_by_name = {file.stem: load_scorecard(file) for file in shared_cards.glob("*.yaml")}
    assert {name: len(card.features) for name, card in cards_by_name.items()} == {
        "german": 11, "hmeq": 9, "sba_case": 10, "taiwan": 8
    }  # fmt: skip
    assert set(cards_by_name["taiwan"].features["EDUCATION"].transform.values) == {"1", "2", "3"}


# scores


def test_bands_start_at_their_lower_bound() -> None:
    card = default_card()
    bands = [card.band_of(score) for score in (300, 449, 450, 599, 600, 800, 900)]
    assert bands == ["very_poor", "very_poor", "poor", "poor", "fair", "excellent", "excellent"]
    for outside in (299, 901):
        with pytest.raises(InvalidInputError, match="lies outside"):
            card.band_of(outside)


def test_the_ends_of_the_range_are_reached() -> None:
    card = default_card()
    worst = score_party(card, {})
    assert (worst.score, len(worst.missing_features), len(worst.reason_codes)) == (300, 16, 4)
    best = score_party(card, dict.fromkeys(card.features, 1e9))
    assert (best.score, best.band, best.reason_codes) == (900, "excellent", ())


@given(cards(), st.data())
def test_goodness_never_falls_towards_the_safe_side(card: Scorecard, data: st.DataObject) -> None:
    for feature in card.features.values():
        transform = feature.transform
        if not isinstance(transform, Linear | Log):
            continue
        low, high = sorted((data.draw(PLAIN), data.draw(PLAIN)))
        if transform.best > transform.worst:
            assert transform.goodness(low) <= transform.goodness(high)
        else:
            assert transform.goodness(low) >= transform.goodness(high)
        assert transform.goodness(transform.worst) == 0
        assert transform.goodness(transform.best) == pytest.approx(1)


@given(cards(), st.floats(0.001, 1000))
def test_only_the_relation_of_weights_matters(card: Scorecard, factor: float) -> None:
    scaled = card.with_weights(card.weights * factor)
    party = dict.fromkeys(card.features, 1)
    expected = score_party(card, party).unrounded_score
    assert score_party(scaled, party).unrounded_score == pytest.approx(expected, rel=1e-9)


@given(cards(), st.data())
def test_reason_codes_are_the_largest_losses(card: Scorecard, data: st.DataObject) -> None:
    party = {name: data.draw(st.none() | st.integers(-5, 5)) for name in card.features}
    result = score_party(card, party)
    codes = result.reason_codes
    lost = [code.points_lost for code in codes]
    assert len(codes) <= 4
    assert all(points > 0 for points in lost)
    assert all(lost[k] >= lost[k + 1] - 1e-6 for k in range(len(lost) - 1))
    span = card.range.max - card.range.min
    shown = {code.feature for code in codes}
    for name, feature in card.features.items():
        maximum = span * feature.weight * feature.attainable / card.total_weight
        if name not in shown and len(codes) == 4:
            assert maximum - result.contributions[name] <= lost[-1] + 1e-5


def test_one_decision_does_not_load_ibis() -> None:
    code = (
        "import sys\nfrom app.domain.scorecard import default_card, score_party\n"
        "score_party(default_card(), {})\n"
        "assert not {'ibis', 'duckdb', 'sklearn', 'sqlalchemy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


# canonical JSON


def test_canonical_json_is_one_text_for_one_content() -> None:
    assert canonical_json({"b": [1, 1.0, True, None], "a": "ü\n"}) == (
        '{"a":"ü\\n","b":[1,1.0,true,null]}'
    )
    assert content_hash({"x": 1, "y": 2}) == content_hash({"y": 2, "x": 1})
    assert content_hash([1, 2]) != content_hash([2, 1])


@pytest.mark.parametrize(
    "content", [float("inf"), {"a": float("nan")}, {1: 2}, {"a": {2, 3}}, ["\ud800"], {"\ud800": 1}]
)
def test_content_without_one_text_is_refused(content: Any) -> None:
    with pytest.raises(InvalidInputError):
        content_hash(content)
