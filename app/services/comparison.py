"""Compare two versions: weights, who ranks better, who is affected, and every gate."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.card_movement import describe_movement
from app.domain.judged_cards import (
    compare_discrimination,
    judge_cut_off,
    rounded_scores,
    swap_sets,
)
from app.domain.types import Document, Progress
from app.errors import InvalidInputError
from app.lake.store import Lake
from app.models import ScorecardVersion
from app.queries.evidence import version_verdicts
from app.queries.models import other_opinions
from app.queries.versions import evidence_of
from app.services.compared_pair import (
    ComparedPair,
    ComparedSources,
    JudgedPair,
    ScoredPopulation,
    lack,
    read_pair,
    read_sources,
)
from app.services.fairness_service import fairness_section
from app.services.version_cases import version_facts
from app.services.version_drafts import weight_shares

_STAGE, _STEPS = "Comparing the versions", 3


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
        outcome; ``movement`` of all parties between bands; ``fairness`` by group, None where no
        batch declares groups; ``gates``, ``advice``, ``limits``,
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
    pair = read_pair(db, a, b)
    _require_in_range(pair, cut_off)
    sources = read_sources(db, lake, pair, lambda done: report(_STAGE, done, _STEPS))
    document = comparison_document(db, sources, cut_off=cut_off)
    document["fairness"] = fairness_section(
        db, lake, (a, b), document["not_available"], cut_off=cut_off
    )
    report(_STAGE, _STEPS, _STEPS)
    return document


def comparison_document(
    db: Session, sources: ComparedSources, *, cut_off: int | None = None
) -> Document:
    """Compare two versions on what was read of them.

    Parameters
    ----------
    db : Session
        The store.
    sources : ComparedSources
        Versions, rows with outcome, and all parties' scores.
    cut_off : int or None
        A score in points at which approval rate and bad rate are wanted too.

    Returns
    -------
    dict
        What `compare` gives.
    """
    pair, judged, population = sources.pair, sources.judged, sources.population
    lacking = list(sources.lacking)
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
    return document


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""


def _require_in_range(pair: ComparedPair, cut_off: int | None) -> None:
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


def _weights(db: Session, pair: ComparedPair, lacking: list[Document]) -> Document:
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
    db: Session, pair: ComparedPair, lacking: list[Document]
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
                lack("binding constraints", f"{row.version} was made against {row.base_version}.")
            )
        return evidence["features"], {
            "change": change,
            "data_only": f"unanchored fit of {row.model_id} on all labelled rows, 95 % interval, "
            f"scaled to the weights of {row.version}",
            "binding": f"the refinement that made {row.version} of {row.base_version}",
        }
    lacking.append(
        lack("data-only weights, binding constraints", "Neither version was made by a model.")
    )
    return {}, {"change": change, "data_only": None, "binding": None}


def _swap_sets(pair: ComparedPair, judged: JudgedPair, lacking: list[Document]) -> Document | None:
    old, new = pair.cards
    bounds = {
        name: (old.bands[name], new.bands[name])
        for name in old.band_names[1:]
        if name in new.band_names[1:]
    }
    if not bounds:
        lacking.append(lack("swap sets", "The two cards share no band above the lowest."))
        return None
    return {"source": judged.source, "tables": list(swap_sets(judged.rows, bounds))}


def _cut_off(
    cut_off: int, judged: JudgedPair | None, population: ScoredPopulation | None
) -> Document:
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


def _advice(pair: ComparedPair) -> Document | None:
    if pair.model is None or pair.is_reversed:  # it advises to adopt or keep the new card
        return None
    stored: Document = pair.model.validation["advice"]
    return {"model_id": pair.model.id, **stored}
