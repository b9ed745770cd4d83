"""Read groups, scores and outcomes behind a version, and compare two cards on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from app.domain.fairness import (
    NAMED,
    CutOff,
    GroupColumn,
    describe_column,
    headline_cut_off,
    lowest_impact,
)
from app.domain.judged_cards import JudgedRows
from app.domain.policy import Policy
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Floats, Ints
from app.lake.store import Lake
from app.models import Batch, LabelSet, ModelRegistry
from app.queries.batches import require_batch
from app.queries.labels import find_newest_label_set
from app.services.comparison_rows import labelled_rows, population_scores, validated_rows
from app.services.training_sample import read_training_data

Key = tuple[str, str]
"""Batch and party."""

Cards = tuple[Scorecard, Scorecard]
"""The old and the new one."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Hold rows with outcome and who they are.

    Attributes
    ----------
    rows : JudgedRows
        The rows, old card first.
    keys : sequence of (str, str)
        Batch and party of each.
    source : str
        Where they come from, for the line under a table.
    """

    rows: JudgedRows
    keys: Sequence[Key]
    source: str


def group_columns(batches: Sequence[Batch]) -> tuple[str, ...]:
    """Name every column that one of the batches declares as a group.

    Parameters
    ----------
    batches : sequence of Batch
        Any number.

    Returns
    -------
    tuple of str
        In alphabetical order.
    """
    return tuple(sorted({name for batch in batches for name in batch.group_columns or ()}))


def compare_groups(
    db: Session,
    lake: Lake,
    cards: Cards,
    batches: Sequence[Batch],
    outcomes: Outcomes | None,
    policy: Policy,
    *,
    cut_off: int | None = None,
    batch_of: Callable[[Session, str], Batch] = require_batch,
) -> Document:
    """Compare how groups fare under two cards.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    cards : tuple of Scorecard
        The old and the new one.
    batches : sequence of Batch
        At least one that declares groups.
    outcomes : Outcomes or None
        Rows with outcome, where there are any.
    policy : Policy
        Reference group, least ratio and cut-off.
    cut_off : int or None
        A score to compare at; None takes that of the policy and the lower bounds of the bands
        that both cards have.
    batch_of : callable
        Finds a batch by its id; by default it refuses one that was withdrawn.

    Returns
    -------
    dict
        ``min_impact_ratio``, ``reference_group``, ``n_parties``, ``source`` (rows and outcomes),
        ``columns`` (:func:`app.domain.fairness.describe_column`, each with its ``headline``, the
        cut-off that its ``sentence`` is about) and
        ``limits``.

    Raises
    ------
    InvalidInputError
        If a batch lacks a feature of a card.
    FileHashError
        If a file is not what was stored.
    """
    ids = [batch.batch_id for batch in batches]
    scores = population_scores(db, lake, cards, ids, batch_of=batch_of)
    columns = group_columns(batches)
    table = _read_groups(lake, batches, columns)
    once = _each_party_once(table.party, table.scored_at)
    cut_offs = _cut_offs(cards, policy, cut_off)
    described = [
        _described(table, name, scores, once, cut_offs, outcomes, policy) for name in columns
    ]
    return {
        "min_impact_ratio": policy.min_impact_ratio,
        "reference_group": policy.reference_group,
        "n_parties": len(once),
        "source": {
            "rows": f"all parties of {', '.join(ids)}, labelled or not, each by its latest row",
            "outcomes": None if outcomes is None else outcomes.source,
            "batch_ids": ids,
        },
        "columns": described,
        "limits": _limits(batches, columns),
    }


@dataclass(frozen=True, slots=True)
class _Groups:
    """Group columns of all rows, in the order of batches and snapshots."""

    party: Ints
    scored_at: Ints
    place: Mapping[Key, int]
    values: Mapping[str, np.ndarray]


def _read_groups(lake: Lake, batches: Sequence[Batch], columns: Sequence[str]) -> _Groups:
    parties: list[str] = []
    keys: list[Key] = []
    moments = []
    values: dict[str, list[str | None]] = {name: [] for name in columns}
    for batch in batches:
        own = [name for name in columns if name in (batch.group_columns or ())]
        table = lake.read_table(
            batch.file_path, batch.file_hash, columns=["party_id", "scored_at", *own]
        )
        here = table["party_id"].to_pylist()
        parties += here
        keys += [(batch.batch_id, party) for party in here]
        moments.append(table["scored_at"].to_numpy().astype("datetime64[us]").astype(np.int64))
        for name in columns:
            values[name] += table[name].to_pylist() if name in own else [None] * len(here)
    return _Groups(
        party=np.asarray(pa.array(parties).dictionary_encode().indices).astype(np.int64),
        scored_at=np.concatenate(moments),
        place={key: at for at, key in enumerate(keys)},
        values={name: np.array(found, dtype=object) for name, found in values.items()},
    )


def _each_party_once(party: Ints, scored_at: Ints) -> Ints:
    """Give one position per party, its latest row, ascending."""
    newest_last = np.lexsort((np.arange(len(party)), scored_at))
    _, from_end = np.unique(party[newest_last][::-1], return_index=True)
    return np.sort(newest_last[len(newest_last) - 1 - from_end])


def _cut_offs(cards: Cards, policy: Policy, wanted: int | None) -> tuple[CutOff, ...]:
    if wanted is not None:
        return (CutOff(NAMED, wanted, wanted),)
    old, new = cards
    shared = [name for name in new.bands if name in old.bands]
    bands = [
        CutOff(name, old.bands[name], new.bands[name])
        for name in sorted(shared, key=lambda name: new.bands[name])[1:]
    ]
    if policy.fairness_cutoff is None:
        return tuple(bands)
    return (CutOff(NAMED, policy.fairness_cutoff, policy.fairness_cutoff), *bands)


def _described(
    table: _Groups,
    name: str,
    scores: Floats,
    once: Ints,
    cut_offs: Sequence[CutOff],
    outcomes: Outcomes | None,
    policy: Policy,
) -> Document:
    values = table.values[name]
    judged = [] if outcomes is None else [table.place[key] for key in outcomes.keys]
    found = describe_column(
        GroupColumn(name, values[once], values[judged]),
        scores[:, once],
        cut_offs,
        None if outcomes is None else outcomes.rows,
        policy.reference_group,
    )
    chosen = headline_cut_off(found)
    return {
        **found,
        "headline": None if chosen is None else chosen["at"],
        "sentence": _sentence(found, chosen, policy),
    }


def _sentence(column: Document, first: Document | None, policy: Policy) -> str:
    """Say which group the new card approves least often."""
    lowest = None if first is None else lowest_impact(first)
    if first is None or lowest is None:
        return f"No group of {column['column']} can be compared: fewer than two have 30 parties."
    new, old = lowest["new"], lowest["old"]
    before = "" if old["impact_ratio"] is None else f" (before: {old['impact_ratio']:.2f})"
    below = "below" if new["impact_ratio"] < policy.min_impact_ratio else "not below"
    return (
        f"From {first['new']['score']} points on, {100 * new['approval_rate']:.1f} % of "
        f"{column['column']} {new['group']} are approved, {new['impact_ratio']:.2f} of the rate of "
        f"{first['new']['reference']}{before}: {below} {policy.min_impact_ratio:.2f}"
    )


def _limits(batches: Sequence[Batch], columns: Sequence[str]) -> list[str]:
    limits = [
        "Approval means a score at or above the cut-off; other rules of the lender are not seen.",
        "Groups of fewer than 30 parties are shown and not judged; missing is shown as a group.",
    ]
    lacking = [
        f"{batch.batch_id} ({name})"
        for batch in batches
        for name in columns
        if name not in (batch.group_columns or ())
    ]
    if lacking:
        limits.append(f"Not declared as a group, so missing there: {', '.join(lacking)}.")
    return limits


def model_outcomes(lake: Lake, model: ModelRegistry) -> Outcomes:
    """Read the rows that a model's validation judged, with who they are.

    Parameters
    ----------
    lake : Lake
        Where they are; the hash of the file is verified.
    model : ModelRegistry
        The model.

    Returns
    -------
    Outcomes
        Baseline first.
    """
    table = lake.read_table(
        model.validation_path, model.validation_hash, columns=["batch_id", "party_id"]
    )
    keys = zip(table["batch_id"].to_pylist(), table["party_id"].to_pylist(), strict=True)
    mode = str(model.validation["mode"]).replace("_", " ")
    source = f"labelled parties that neither card saw ({mode} of {model.id})"
    return Outcomes(validated_rows(lake, model), list(keys), source)


def label_outcomes(db: Session, lake: Lake, cards: Cards, label_set: LabelSet) -> Outcomes:
    """Read the labelled rows of a label set, with who they are.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshot is.
    cards : tuple of Scorecard
        The old and the new one, each calibrated on these rows.
    label_set : LabelSet
        With bads and goods.

    Returns
    -------
    Outcomes
        In-sample: the rows may have shaped either card.
    """
    rows = labelled_rows(db, lake, cards, label_set)
    data = read_training_data(db, lake, cards[0], (label_set,))
    keys = list(zip(data.batch_id.tolist(), data.party_id.tolist(), strict=True))
    source = f"the labelled parties of {label_set.batch_id}, on which either card may rest"
    return Outcomes(rows, keys, source)


def batch_outcomes(db: Session, lake: Lake, cards: Cards, batch: Batch) -> Outcomes | None:
    """Read the labelled rows of a batch's newest label set, where it has bads and goods.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshot is.
    cards : tuple of Scorecard
        The old and the new one.
    batch : Batch
        The batch.

    Returns
    -------
    Outcomes or None
        None where there is no such label set.
    """
    label_set = find_newest_label_set(db, batch.batch_id)
    if label_set is None or not (label_set.n_bad and label_set.n_good):
        return None
    return label_outcomes(db, lake, cards, label_set)
