"""Compare two versions: weights, who ranks better, who is affected, and every gate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.card_movement import describe_movement
from app.domain.counted import counted
from app.domain.judged_cards import (
    JudgedRows,
    compare_discrimination,
    judge_cut_off,
    rounded_scores,
    swap_sets,
)
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Floats, Progress
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.lake.store import Lake
from app.models import LabelSet, ModelRegistry, ScorecardVersion
from app.queries.batches import list_withdrawals
from app.queries.evidence import version_verdicts
from app.queries.models import other_opinions
from app.queries.versions import evidence_of, require_version
from app.services.comparison_rows import labelled_rows, population_scores, validated_rows
from app.services.version_cases import version_facts
from app.services.version_drafts import newest_batch, weight_shares

_UNUSABLE = (ConflictError, InvalidInputError, NotFoundError)
_STAGE, _STEPS = "Comparing the versions", 4
_FINAL_CARDS = "the final cards {old} and {new}"


@dataclass(frozen=True, slots=True)
class _Pair:
    """Hold the two versions, and the model that made one against the other, if one did."""

    rows: tuple[ScorecardVersion, ScorecardVersion]
    cards: tuple[Scorecard, Scorecard]
    model: ModelRegistry | None
    is_reversed: bool

    @property
    def names(self) -> dict[str, str]:
        return {"old": self.rows[0].version, "new": self.rows[1].version}


@dataclass(frozen=True, slots=True)
class _Judged:
    """Hold rows with outcome, and where they and the cards come from."""

    rows: JudgedRows
    source: Document
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Population:
    """Hold all parties' scores under the final cards, and where they come from."""

    scores: Floats
    source: Document


def compare(
    db: Session,
    lake: Lake,
    a: str,
    b: str,
    *,
    cut_off: int | None = None,
    progress: Progress | None = None,
) -> Document:
    """Compare an old version with a new one.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    a, b : str
        Names of the old and of the new version.
    cut_off : int or None
        A score in points at which approval rate and bad rate are wanted too.
    progress : callable or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        ``old``, ``new``; ``features`` with weights, change, data-only weight and interval, and
        binding constraint; ``discrimination``, ``swap_sets`` and ``cut_off`` on rows with
        outcome; ``movement`` of all parties between bands; ``gates``, ``advice``, ``limits``,
        and ``not_available`` with reasons. Each table has a ``source`` that says which cards and
        which rows it comes from.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidInputError
        If both are the same, or the cut-off lies outside the range of a card.
    FileHashError
        If a file is not what was stored.

    Notes
    -----
    Where a model made one of the two against the other, rows with outcome are the model's
    validation rows, judged by cards that never saw them. Otherwise they are the newest label
    set's, and the table says that nothing was kept unseen.
    """
    report = progress or _silent
    report(_STAGE, 0, _STEPS)
    pair = _read_pair(db, a, b)
    _require_in_range(pair, cut_off)
    lacking: list[Document] = []
    judged = _read_judged(db, lake, pair, lacking)
    report(_STAGE, 1, _STEPS)
    population = _read_population(db, lake, pair, lacking)
    report(_STAGE, 2, _STEPS)
    document: Document = {
        "old": _version_line(db, pair.rows[0]),
        "new": _version_line(db, pair.rows[1]),
        **_weights(db, pair, lacking),
        "discrimination": None,
        "swap_sets": None,
        "cut_off": None,
        "movement": None,
        "advice": _advice(pair),
        "gates": list(version_verdicts(db, pair.rows[1])),
        "gates_against": pair.rows[1].base_version,
    }
    if judged is not None:
        document["discrimination"] = {
            "source": judged.source,
            **compare_discrimination(judged.rows),
        }
        document["swap_sets"] = _swap_sets(pair, judged, lacking)
    report(_STAGE, 3, _STEPS)
    if population is not None:
        old, new = population.scores
        document["movement"] = {
            "source": population.source,
            **describe_movement(old, new, pair.cards[0].bands, pair.cards[1].bands),
        }
    if cut_off is not None:
        document["cut_off"] = _cut_off(cut_off, judged, population)
    document["limits"] = [] if judged is None else list(judged.limits)
    if pair.model is not None:
        document["limits"] += other_opinions(db, pair.model)
    document["not_available"] = lacking
    report(_STAGE, _STEPS, _STEPS)
    return document


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""


def _read_pair(db: Session, a: str, b: str) -> _Pair:
    if a == b:
        raise InvalidInputError(f"{a} cannot be compared with itself; name two versions.")
    rows = (require_version(db, a), require_version(db, b))
    cards = (Scorecard.from_document(rows[0].content), Scorecard.from_document(rows[1].content))
    for is_reversed, (base, made) in enumerate((rows, rows[::-1])):
        if made.model_id is not None and made.base_version == base.version:
            model = db.get_one(ModelRegistry, made.model_id)
            return _Pair(rows, cards, model, bool(is_reversed))
    return _Pair(rows, cards, None, is_reversed=False)


def _require_in_range(pair: _Pair, cut_off: int | None) -> None:
    if cut_off is None:
        return
    low = max(card.range.min for card in pair.cards)
    high = min(card.range.max for card in pair.cards)
    if not low <= cut_off <= high:
        raise InvalidInputError(
            f"The cut-off {cut_off} lies outside the scores of the cards, {low} to {high}.",
            cut_off=cut_off,
        )


def _version_line(db: Session, row: ScorecardVersion) -> Document:
    return {
        "version": row.version,
        "status": row.status,
        "origin": row.origin,
        "name": row.name,
        "base_version": row.base_version,
        "model_id": row.model_id,
        "content_hash": row.content_hash,
        "review_hash": version_facts(db, row).review_hash,
    }


def _weights(db: Session, pair: _Pair, lacking: list[Document]) -> Document:
    old, new = pair.cards
    shares = (weight_shares(old), weight_shares(new))
    known, source = _weight_evidence(db, pair, lacking)
    features: Document = {}
    for name in {**old.features, **new.features}:
        before, after = shares[0].get(name, 0.0), shares[1].get(name, 0.0)
        evidence = known.get(name, {})
        features[name] = {
            "old_weight": old.features[name].weight if name in old.features else None,
            "new_weight": new.features[name].weight if name in new.features else None,
            "change": after / before - 1 if before > 0 else None,
            "data_only_weight": evidence.get("data_only_weight"),
            "data_only_interval": evidence.get("data_only_interval"),
            "expert_weight": evidence.get("expert_weight"),
            "binding": evidence.get("binding") if pair.model is not None else None,
        }
    return {"features": features, "weights_source": source}


def _weight_evidence(
    db: Session, pair: _Pair, lacking: list[Document]
) -> tuple[Document, Document]:
    """Find data-only weights and binding constraints in the evidence of a model's version."""
    candidates = pair.rows if pair.is_reversed else pair.rows[::-1]
    change = "shares of the sum of weights, final cards"
    for row in candidates:
        evidence = evidence_of(db, row.version).get("refinement")
        if evidence is None:
            continue
        if pair.model is None:
            lacking.append(
                _lack("binding constraints", f"{row.version} was made against {row.base_version}.")
            )
        return evidence["features"], {
            "change": change,
            "data_only": f"unanchored fit of {row.model_id} on all labelled rows, 95 % interval, "
            f"scaled to the weights of {row.version}",
            "binding": f"the refinement that made {row.version} of {row.base_version}",
        }
    lacking.append(
        _lack("data-only weights, binding constraints", "Neither version was made by a model.")
    )
    return {}, {"change": change, "data_only": None, "binding": None}


def _lack(what: str, why: str) -> Document:
    return {"what": what, "why": why}


def _read_judged(db: Session, lake: Lake, pair: _Pair, lacking: list[Document]) -> _Judged | None:
    if pair.model is not None:
        return _validated(lake, pair, pair.model)
    label_set = _newest_label_set(db)
    what = "AUC, Gini, KS, Brier, swap sets and bad rates"
    if label_set is None:
        lacking.append(_lack(what, "There is no label set with good and bad parties yet."))
        return None
    try:
        rows = labelled_rows(db, lake, pair.cards, label_set)
    except _UNUSABLE as error:
        lacking.append(_lack(what, error.message))
        return None
    lacking.append(
        _lack(
            "figures on rows that neither card saw",
            f"No model made {pair.names['new']} against {pair.names['old']}, so there is no "
            "validation of this pair.",
        )
    )
    source = {
        "cards": _FINAL_CARDS.format(**pair.names) + ", each calibrated on the same rows",
        "rows": f"the labelled rows of batch {label_set.batch_id} (label set {label_set.id}, "
        f"{label_set.outcome_type}), each party once in swap sets",
        "in_sample": True,
        "batch_ids": [label_set.batch_id],
    }
    limit = "In-sample: the rows may have shaped either card, so the figures may flatter it."
    return _Judged(rows, source, (limit,))


def _newest_label_set(db: Session) -> LabelSet | None:
    withdrawn = list_withdrawals(db, "batch")
    newest_first = db.scalars(
        select(LabelSet).where(LabelSet.n_bad > 0, LabelSet.n_good > 0).order_by(LabelSet.id.desc())
    )
    return next((row for row in newest_first if row.batch_id not in withdrawn), None)


def _validated(lake: Lake, pair: _Pair, model: ModelRegistry) -> _Judged:
    rows = validated_rows(lake, model)
    if pair.is_reversed:
        rows = replace(rows, scores=rows.scores[::-1], probabilities=rows.probabilities[::-1])
    names = [row.version for row in pair.rows]
    base, made = reversed(names) if pair.is_reversed else names
    mode, n_folds = model.validation["mode"], len(model.validation["folds"])
    if mode == "cross_validation":
        cards = (
            f"{base}, and for {made} out-of-fold cards: each row is judged by a card that the "
            f"same procedure refined without it ({n_folds} test parts)"
        )
        once = "each party once in swap sets, from the first repeat"
    else:
        cards = (
            f"{base}, and for {made} the card that the same procedure refined on the training part"
        )
        once = "each party once in swap sets"
    unseen = "scored after " + model.validation["cut"] if mode == "out_of_time" else "held out"
    source = {
        "cards": cards,
        "rows": f"{counted(model.validation['n_validated'], 'labelled party')} of "
        f"{', '.join(model.batch_ids)}, {unseen} ({mode.replace('_', ' ')} of {model.id}); {once}",
        "in_sample": False,
        "batch_ids": list(model.batch_ids),
    }
    return _Judged(rows, source, tuple(model.validation["limits"]))


def _read_population(
    db: Session, lake: Lake, pair: _Pair, lacking: list[Document]
) -> _Population | None:
    what = "score correlation, band shares, migration, PSI"
    batch_ids: tuple[str, ...]
    if pair.model is not None:
        batch_ids = tuple(pair.model.batch_ids)
    else:
        newest = newest_batch(db)
        if newest is None:
            lacking.append(_lack(what, "There is no batch yet."))
            return None
        batch_ids = (newest.batch_id,)
    try:
        scores = population_scores(db, lake, pair.cards, batch_ids)
    except _UNUSABLE as error:
        lacking.append(_lack(what, error.message))
        return None
    return _Population(
        scores,
        {
            "cards": _FINAL_CARDS.format(**pair.names),
            "rows": f"all {counted(scores.shape[1], 'row')} of {', '.join(batch_ids)}, "
            "labelled or not",
            "batch_ids": list(batch_ids),
        },
    )


def _swap_sets(pair: _Pair, judged: _Judged, lacking: list[Document]) -> Document | None:
    old, new = pair.cards
    bounds = {
        name: (old.bands[name], new.bands[name])
        for name in old.band_names[1:]
        if name in new.band_names[1:]
    }
    if not bounds:
        lacking.append(_lack("swap sets", "The two cards share no band above the lowest."))
        return None
    return {"source": judged.source, "tables": list(swap_sets(judged.rows, bounds))}


def _cut_off(cut_off: int, judged: _Judged | None, population: _Population | None) -> Document:
    document: Document = {"cut_off": cut_off, "judged": None, "all_rows": None}
    if judged is not None:
        document["judged"] = {"source": judged.source, **judge_cut_off(judged.rows, cut_off)}
    if population is not None:
        old, new = (rounded_scores(scores) >= cut_off for scores in population.scores)
        document["all_rows"] = {
            "source": population.source,
            "approval_rate": {"old": float(old.mean()), "new": float(new.mean())},
            "n_newly_approved": int((new & ~old).sum()),
            "n_newly_declined": int((old & ~new).sum()),
        }
    return document


def _advice(pair: _Pair) -> Document | None:
    if pair.model is None or pair.is_reversed:  # it advises to adopt or keep the new card
        return None
    stored: Document = pair.model.validation["advice"]
    return {"model_id": pair.model.id, **stored}
