"""Everything that a reviewer of a version looks at, computed in one go."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.judged_calibration import calibration_tables
from app.domain.judged_curves import roc_curves, score_distributions
from app.domain.judged_periods import auc_by_period
from app.domain.score_shift import band_shares_along, describe_shift
from app.domain.types import Document, Floats, Progress
from app.lake.store import Lake
from app.queries.policies import current_policy, policy_by_hash
from app.queries.versions import evidence_of
from app.services.compared_pair import ComparedSources, lack, read_pair, read_sources
from app.services.comparison import comparison_document
from app.services.comparison_rows import population_scores
from app.services.fairness_service import fairness_section
from app.services.lineage import version_lineage
from app.services.movers import read_movers
from app.services.review_key import reviewed_pair
from app.services.version_drafts import weight_shares

_STAGE, _STEPS = "Preparing the review", 5
_TWENTIETHS = 5

Ends = tuple[Floats, Floats]
"""Unrounded scores of all rows at the two ends of the path, each of shape (n,)."""


def review_evidence(
    db: Session,
    lake: Lake,
    version: str,
    *,
    against: str | None = None,
    progress: Progress | None = None,
) -> Document:
    """Compute everything that a reviewer of a version looks at.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    version : str
        The new version.
    against : str or None
        The old version; None is the one that it was made against.
    progress : callable or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        What :func:`app.services.comparison.compare` gives, each feature with ``old_points`` and
        ``new_points`` at stake and its ``guard_rail``; and on the same rows ``roc`` and
        ``distributions`` (:mod:`app.domain.judged_curves`), ``calibration``, ``periods``,
        ``shift`` of all scores, the ``movers``, ``fairness`` by group (None without groups), the
        refinement ``path`` (None where no model made the one version of the other), ``figures`` of
        the model's validation, and ``lineage``.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidInputError
        If there is nothing to compare it with.
    FileHashError
        If a file is not what was stored.
    """
    report = progress or _silent
    report(_STAGE, 0, _STEPS)
    old, new = reviewed_pair(db, version, against)
    pair = read_pair(db, old.version, new.version)
    sources = read_sources(db, lake, pair, lambda done: report(_STAGE, done, _STEPS))
    document = comparison_document(db, sources)
    _add_points_and_rails(db, sources, document)
    document |= _judged_figures(sources)
    report(_STAGE, 3, _STEPS)
    document |= _moved_figures(db, lake, sources, document["not_available"])
    document["fairness"] = fairness_section(
        db, lake, (old.version, new.version), document["not_available"]
    )
    report(_STAGE, 4, _STEPS)
    source = _source(sources)
    document["figures"] = _model_figures(sources)
    document["lineage"] = version_lineage(
        db, new, batch_ids=source["batch_ids"], label_set_ids=source["label_set_ids"]
    )
    report(_STAGE, _STEPS, _STEPS)
    return document


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""


def _source(sources: ComparedSources) -> Document:
    """Give the batches and label sets that the pair was judged on, or at least scored on."""
    if sources.judged is not None:
        return sources.judged.source
    if sources.population is not None:
        return {"batch_ids": sources.population.source["batch_ids"], "label_set_ids": []}
    return {"batch_ids": [], "label_set_ids": []}


def _add_points_and_rails(db: Session, sources: ComparedSources, document: Document) -> None:
    """Add the points that each feature decides about, and how far its weight may go."""
    pair = sources.pair
    shares = [weight_shares(card) for card in pair.cards]
    spans = [card.range.max - card.range.min for card in pair.cards]
    policy = None
    if pair.model is not None and not pair.is_reversed:
        policy = policy_by_hash(db, pair.model.policy_hash)[1]
    for name, feature in document["features"].items():
        for side, share, span in zip(("old", "new"), shares, spans, strict=True):
            feature[f"{side}_points"] = span * share[name] if name in share else None
        feature["guard_rail"] = None
        weight, expert = feature["old_weight"], feature["expert_weight"]
        if policy is not None and weight and expert:
            most = min(
                (1 + policy.weight_change_bound) * weight,
                (1 + policy.cumulative_change_bound) * expert,
            )
            feature["guard_rail"] = [
                (1 - policy.weight_change_bound) * weight,
                max(most, weight),
            ]
    document["least_gain"] = (policy or current_policy(db)[1]).min_gain


def _judged_figures(sources: ComparedSources) -> Document:
    judged, cards = sources.judged, sources.pair.cards
    if judged is None or not judged.rows.test_parts():
        return dict.fromkeys(("roc", "distributions", "calibration", "periods"))
    return {
        "roc": roc_curves(judged.rows),
        "distributions": score_distributions(judged.rows),
        "calibration": calibration_tables(judged.rows, cards[0].bands, cards[1].bands),
        "periods": auc_by_period(judged.rows),
    }


def _moved_figures(
    db: Session, lake: Lake, sources: ComparedSources, lacking: list[Document]
) -> Document:
    population, pair = sources.population, sources.pair
    if population is None:
        lacking.append(lack("moves of scores", "There are no scores of all parties."))
        return {"shift": None, "movers": None, "path": _path(db, sources, None)}
    batch_ids = population.source["batch_ids"]
    target = None
    weights = _target_weights(db, sources)
    if weights is not None:
        (target,) = population_scores(db, lake, [pair.cards[0].with_weights(weights)], batch_ids)
    return {
        "shift": {
            "source": population.source,
            **describe_shift(population.scores[0], population.scores[1]),
        },
        "movers": read_movers(
            db,
            lake,
            pair.cards,
            population.scores,
            batch_ids=batch_ids,
            label_set_ids=_source(sources)["label_set_ids"],
        ),
        "path": _path(db, sources, None if target is None else (population.scores[0], target)),
    }


def _refinement(db: Session, sources: ComparedSources) -> Document | None:
    """Find how the model made the new version of the old one."""
    if sources.pair.model is None or sources.pair.is_reversed:
        return None
    return evidence_of(db, sources.pair.rows[1].version).get("refinement")


def _target_weights(db: Session, sources: ComparedSources) -> dict[str, float] | None:
    refinement = _refinement(db, sources)
    if refinement is None or not refinement.get("path"):
        return None
    weights: dict[str, float] = max(refinement["path"], key=lambda step: step["t"])["weights"]
    return weights


def _path(db: Session, sources: ComparedSources, ends: Ends | None) -> Document | None:
    """Thin the stored path to twentieths and the chosen step, with band shares along it."""
    refinement = _refinement(db, sources)
    if refinement is None or not refinement.get("path"):
        return None
    chosen = refinement["t"]
    steps = sorted(
        (
            step
            for step in refinement["path"]
            if round(step["t"] * 100) % _TWENTIETHS == 0 or step["t"] == chosen
        ),
        key=lambda step: step["t"],
    )
    later = sorted(
        (step for step in refinement["path"] if step["t"] > chosen), key=lambda step: step["t"]
    )
    shares: tuple[dict[str, float] | None, ...] = (None,) * len(steps)
    if ends is not None:
        bands = sources.pair.cards[0].bands
        shares = band_shares_along(*ends, [step["t"] for step in steps], bands)
    return {
        "t": chosen,
        "stopped_by": list(later[0]["failed"]) if later else [],
        "steps": [
            {
                "t": step["t"],
                "weights": step["weights"],
                "auc_roc": step["auc_roc"],
                **{
                    name: step["gates"].get(name)
                    for name in (
                        "weight_change",
                        "cumulative_change",
                        "score_correlation",
                        "band_stability",
                    )
                },
                "failed": list(step["failed"]),
                "band_shares": share,
            }
            for step, share in zip(steps, shares, strict=True)
        ],
    }


def _model_figures(sources: ComparedSources) -> Document | None:
    """Give what the validation of the model says beside the two cards."""
    model = sources.pair.model
    if model is None or sources.pair.is_reversed:
        return None
    return {
        "model_id": model.id,
        "metrics": dict(model.metrics),
        "validation": {
            key: model.validation.get(key)
            for key in (
                "mode",
                "why_not_out_of_time",
                "n_labelled",
                "n_bad",
                "n_validated",
                "n_validated_bad",
                "cut",
                "train_from",
                "test_to",
                "limits",
            )
        },
        "warnings": list(model.warnings),
    }
