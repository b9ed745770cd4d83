from __future__ import annotations

import itertools
from typing import get_args

import pytest

from app.db.conditions import STATUS_STEPS
from app.domain.ancestry import Link, find_expert, repeats_weights
from app.domain.lifecycle import (
    STATUSES,
    TRANSITIONS,
    Action,
    Status,
    next_status,
    steps_from,
    version_name,
)
from app.errors import InvalidInputError, NotFoundError, TransitionError


def test_the_table_knows_every_status_and_action():
    statuses = {status for status, _ in TRANSITIONS} | set(TRANSITIONS.values())
    assert statuses == set(STATUSES) == set(get_args(Status))
    assert {action for _, action in TRANSITIONS} == set(get_args(Action))


def test_the_database_refuses_what_the_table_does_not_hold():
    moves = {(before, after) for (before, _), after in TRANSITIONS.items() if before != after}
    assert moves == set(STATUS_STEPS)


@pytest.mark.parametrize(
    ("status", "action"),
    [step for step in itertools.product(STATUSES, get_args(Action)) if step not in TRANSITIONS],
)
def test_a_step_outside_the_table_is_refused(status, action):
    with pytest.raises(TransitionError) as refused:
        next_status(status, action)
    assert refused.value.facts["possible"] == list(steps_from(status))


def test_a_version_number_starts_at_one():
    with pytest.raises(InvalidInputError):
        version_name(0, "person")


EXPERT = {"age": 60.0, "debt": 30.0, "region": 10.0}
LEARNT = {"age": 51.37, "debt": 36.21, "region": 12.42}


def chain(*links: tuple[str, str, str | None, dict[str, float]]) -> tuple[Link, ...]:
    return tuple(
        Link(name, number, origin, base, weights)
        for number, (name, origin, base, weights) in enumerate(links, start=1)
    )


def test_the_expert_of_a_chain_of_models_is_the_person_at_its_root():
    links = chain(
        ("v1", "person", None, EXPERT),
        ("ml_v2", "model", "v1", LEARNT),
        ("ml_v3", "model", "ml_v2", {"age": 45.0, "debt": 40.0, "region": 15.0}),
    )
    assert find_expert("ml_v3", links) == "v1"


def test_a_new_judgement_of_a_person_is_the_expert_from_then_on():
    links = chain(
        ("v1", "person", None, EXPERT),
        ("ml_v2", "model", "v1", LEARNT),
        ("v3", "person", "ml_v2", {"age": 40.0, "debt": 40.0, "region": 20.0}),
        ("ml_v4", "model", "v3", {"age": 41.0, "debt": 39.0, "region": 20.0}),
    )
    assert find_expert("ml_v4", links) == "v3"


@pytest.mark.parametrize(
    "typed",
    [
        LEARNT,
        {"age": 51.4, "debt": 36.2, "region": 12.4},
        {"age": 51.0, "debt": 36.0, "region": 12.0},
        {name: weight / 100 for name, weight in LEARNT.items()},
        {name: 3 * weight for name, weight in LEARNT.items()},
        LEARNT | {"unused": 0.0},
    ],
    ids=["as is", "one decimal", "whole numbers", "shares", "three times", "with an unused one"],
)
def test_retyping_a_models_weights_does_not_make_a_person_the_expert(typed):
    links = chain(
        ("v1", "person", None, EXPERT),
        ("ml_v2", "model", "v1", LEARNT),
        ("v3", "person", "v1", typed),  # the draft was never activated, only copied
    )
    assert find_expert("v3", links) == "v1"


def test_retyped_weights_lead_to_the_person_behind_the_model_not_to_the_card_in_force():
    links = chain(
        ("v1", "person", None, EXPERT),
        ("ml_v2", "model", "v1", LEARNT),
        ("v3", "person", "v1", {"turnover": 70.0, "debt": 30.0}),  # another card, now active
        ("v4", "person", "v3", LEARNT),
    )
    assert find_expert("v4", links) == "v1"


@pytest.mark.parametrize(
    "written",
    [
        {"age": 55.0, "debt": 34.0, "region": 11.0},
        {"age": 51.37, "debt": 36.21},
        LEARNT | {"new": 5.0},
    ],
)
def test_other_weights_are_a_persons_own(written):
    assert not repeats_weights(written, LEARNT)


def test_a_model_that_repeats_an_earlier_person_does_not_unmake_the_person():
    links = chain(("v1", "person", None, EXPERT), ("ml_v2", "model", "v1", EXPERT))
    assert find_expert("v1", links) == "v1"


def test_an_unknown_version_has_no_expert():
    with pytest.raises(NotFoundError):
        find_expert("v9", chain(("v1", "person", None, EXPERT)))
