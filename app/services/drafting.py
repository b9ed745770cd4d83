"""Turn a registered model into a draft scorecard version, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction
from app.domain.card_movement import score_psi
from app.domain.gates import Verdict
from app.domain.guard_rails import GuardRails
from app.domain.refinement import Refinement, refine
from app.domain.scorecard import Scorecard
from app.domain.stability import migration_matrix
from app.domain.training import fit_from_parameters
from app.domain.types import Document, Floats, Progress
from app.errors import BaselineError, ConflictError, QualityGateError
from app.lake.store import Lake
from app.models import ModelRegistry, ScorecardVersion
from app.queries import models as model_queries
from app.queries import policies as policy_queries
from app.queries import versions as version_queries
from app.services.conflicts import conflicts_named
from app.services.draft_fairness import draft_fairness, fairness_verdicts, kept_fairness
from app.services.model_documents import require_unaltered_model
from app.services.scoring_service import card_of
from app.services.training_sample import population_goodness, training_card, training_features
from app.services.version_rows import add_version_row

_KEEP_ONLY = frozenset({"improves_on_baseline"})
_SECOND = (
    "somebody else added a version at the same moment: look at chancellor versions list, and "
    "refine again"
)
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class _Proposal:
    model: ModelRegistry
    baseline: Scorecard
    names: tuple[str, ...]
    rails: GuardRails
    refinement: Refinement
    verdicts: tuple[Verdict, ...]
    fairness: Document | None


def propose_draft(
    db: Session,
    *,
    model_id: str,
    base_version: str | None,
    despite_advice: bool,
    actor: str,
    lake: Lake,
    progress: Progress | None = None,
) -> Document:
    """Refine the baseline by a registered model, and file the draft where the advice allows it.

    Writes: a ``scorecard_versions`` row with evidence and verdicts, and the event
    ``draft.created``; nothing where the advice is keep.

    Parameters
    ----------
    db : Session
        The store, outside any transaction.
    model_id : str
        The model.
    base_version : str or None
        Must be the version that the model was trained against; None takes that.
    despite_advice : bool
        Ask for the draft although the advice is keep; the record says who did.
    actor : str
        Who asks.
    lake : Lake
        The data plane.
    progress : callable, optional
        Called as ``progress("refine", done, total)``.

    Returns
    -------
    dict
        status ``draft`` or ``no_draft``, version, advice, gates, and the weights per feature.

    Raises
    ------
    QualityGateError
        If a gate of the model failed (``improves_on_baseline`` alone is the advice keep).
    BaselineError
        If ``base_version`` is not the model's baseline.
    ConflictError
        If this model's draft was already rejected.
    TamperingError
        If the model, its verdicts or the cards are not what was stored.
    """
    require_no_transaction(db)
    model = model_queries.require_model(db, model_id)
    _require_usable(db, model, base_version)
    existing = _find_draft(db, model)
    if existing is not None:
        return _describe_existing(db, model, existing)
    if model.advice == "keep" and not despite_advice:
        return _no_draft(db, model, model.validation["advice"]["sentence"])
    require_unaltered_model(db, model)
    proposal = _refine(db, lake, model, progress)
    if not proposal.refinement.has_moved:
        why = ", ".join(proposal.refinement.baseline_failures) or "no step of the path passes"
        return _no_draft(db, model, f"Nothing moves: {why}.")
    return _file(db, proposal, actor=actor, despite_advice=despite_advice)


def _require_usable(db: Session, model: ModelRegistry, base_version: str | None) -> None:
    if base_version is not None and base_version != model.base_version:
        raise BaselineError(
            f"{model.id} was trained against {model.base_version}, not {base_version}: train a "
            f"model with --base {base_version}, or leave the base out",
            model_id=model.id,
            base_version=model.base_version,
        )
    gates = model_queries.stored_verdicts(db, "model", model.id)
    blocking = [
        gate for gate in gates if gate["verdict"] == "fail" and gate["gate"] not in _KEEP_ONLY
    ]
    if blocking:
        advice = model.validation["advice"]["sentence"]
        raise QualityGateError(
            f"{model.id} makes no draft"
            + "".join(f"\n  {gate['gate']} failed: {gate['sentence']}" for gate in blocking)
            + f"\nThe advice is {model.advice}. {advice}",
            tuple(gates),
            model_id=model.id,
            advice=model.advice,
            advice_sentence=advice,
        )


def _find_draft(db: Session, model: ModelRegistry) -> ScorecardVersion | None:
    row = db.scalars(
        select(ScorecardVersion)
        .where(ScorecardVersion.model_id == model.id)
        .order_by(ScorecardVersion.number.desc())
        .limit(1)
    ).first()
    if row is not None and row.status == "rejected":
        raise ConflictError(
            f"{row.version}, the draft of {model.id}, was rejected. Train again on new outcomes "
            "before proposing once more.",
            version=row.version,
            model_id=model.id,
        )
    return row


def _no_draft(db: Session, model: ModelRegistry, sentence: str) -> Document:
    return {
        "status": "no_draft",
        "version": None,
        "model_id": model.id,
        "base_version": model.base_version,
        "advice": model.advice,
        "advice_sentence": sentence,
        "gates": model_queries.stored_verdicts(db, "model", model.id),
    }


def _describe_existing(db: Session, model: ModelRegistry, row: ScorecardVersion) -> Document:
    evidence = version_queries.evidence_of(db, row.version)["refinement"]
    return _draft_document(db, model, row, evidence) | {"existing": True}


def _draft_document(
    db: Session, model: ModelRegistry, row: ScorecardVersion, evidence: Document
) -> Document:
    return {
        "status": row.status,
        "version": row.version,
        "model_id": model.id,
        "base_version": model.base_version,
        "advice": model.advice,
        "advice_sentence": model.validation["advice"]["sentence"],
        "gates": model_queries.stored_verdicts(db, "version", row.version),
        "t": evidence["t"],
        "features": evidence["features"],
        "content_hash": row.content_hash,
        "evidence_hash": row.evidence_hash,
        "existing": False,
    }


def _refine(db: Session, lake: Lake, model: ModelRegistry, progress: Progress | None) -> _Proposal:
    baseline = card_of(version_queries.require_version(db, model.base_version))
    expert = card_of(version_queries.expert_ancestor(db, model.base_version))
    _, policy = policy_queries.policy_by_hash(db, model.policy_hash)
    names = training_features(baseline)
    goodness = population_goodness(db, lake, baseline, model.batch_ids)
    db.rollback()  # no transaction stays open through the program
    _report(progress, 1)
    rails = training_card(baseline, expert).rails(goodness, policy)
    refinement = refine(fit_from_parameters(model.parameters), rails)
    _report(progress, 2)
    refined = refined_card(baseline, names, refinement)
    fairness = draft_fairness(db, lake, model, (baseline, refined), policy)
    gate = fairness_verdicts(policy, fairness)
    verdicts = (*refinement.verdicts, *gate)
    return _Proposal(model, baseline, names, rails, refinement, verdicts, fairness)


def refined_card(baseline: Scorecard, names: tuple[str, ...], refinement: Refinement) -> Scorecard:
    """Give the baseline with the refined weights.

    Parameters
    ----------
    baseline : Scorecard
        The card that was refined.
    names : tuple of str
        The d refined features.
    refinement : Refinement
        Their weights.

    Returns
    -------
    Scorecard
        Features of weight 0 stay at 0.
    """
    weights = {name: feature.weight for name, feature in baseline.features.items()}
    weights.update(zip(names, refinement.weights.tolist(), strict=True))
    return baseline.with_weights(weights)


def _report(progress: Progress | None, done: int) -> None:
    if progress is not None:
        progress("refine", done, 2)


def _file(db: Session, proposal: _Proposal, *, actor: str, despite_advice: bool) -> Document:
    model = db.get_one(ModelRegistry, proposal.model.id)
    evidence = refinement_evidence(model, proposal.names, proposal.rails, proposal.refinement)
    against_advice = despite_advice and model.advice == "keep"
    with conflicts_named(_SECOND), transaction(db):
        existing = _find_draft(db, model)  # somebody may have been faster
        if existing is not None:
            return _describe_existing(db, model, existing)
        row = add_version_row(
            db,
            card=refined_card(proposal.baseline, proposal.names, proposal.refinement),
            origin="model",
            base_version=model.base_version,
            model_id=model.id,
            requested_by=model.created_by,
            created_by=actor,
            note=model.validation["advice"]["sentence"],
            despite_advice=against_advice,
            evidence={"refinement": evidence, **kept_fairness(proposal.fairness)},
            verdicts=(*model_queries.model_verdicts(db, model.id), *proposal.verdicts),
        )
        return _draft_document(db, model, row, evidence)


def refinement_evidence(
    model: ModelRegistry, names: tuple[str, ...], rails: GuardRails, found: Refinement
) -> Document:
    """Collect the evidence that a reviewer of the draft needs, as stored and hashed.

    Parameters
    ----------
    model : ModelRegistry
        The model behind the draft.
    names : tuple of str
        The d refined features.
    rails : GuardRails
        What the draft was measured against.
    found : Refinement
        The refined weights and their path.

    Returns
    -------
    dict
        t, the path with mean validated AUC where it was measured, weights per feature with the
        data-only weight and the binding constraint, and the final card's bands, migration,
        correlation and PSI.
    """
    path_auc = dict(model.validation["path_auc"])
    path = [step.as_dict(names) | {"auc_roc": path_auc.get(step.t)} for step in found.path]
    old, new = rails.unrounded_scores(rails.weights), rails.unrounded_scores(found.weights)
    return {
        "model_id": model.id,
        "model_content_hash": model.content_hash,
        "t": found.t,
        "path": path,
        "features": _feature_evidence(model, names, rails, found),
        "final": {
            "n_parties": len(old),
            "score_correlation": _value(found.verdicts, "score_correlation"),
            "band_shift": _value(found.verdicts, "band_stability"),
            "band_counts_old": _counts(rails, old),
            "band_counts_new": _counts(rails, new),
            "migration": migration_matrix(
                rails.bands(old), rails.bands(new), len(rails.band_edges) + 1
            ).tolist(),
            "psi": score_psi(old, new),
        },
        "limits": model.validation["limits"],
    }


def _feature_evidence(
    model: ModelRegistry, names: tuple[str, ...], rails: GuardRails, found: Refinement
) -> Document:
    parameters = model.parameters
    scale = sum(parameters["coefficients"]) / float(rails.weights.sum())
    alone = parameters["data_only"]
    features: Document = {}
    for j, name in enumerate(names):
        estimate, error = alone["coefficients"][j], alone["standard_errors"][j]
        known = estimate is not None and error is not None
        features[name] = {
            "old_weight": float(rails.weights[j]),
            "new_weight": float(found.weights[j]),
            "change": float(found.weights[j] / rails.weights[j] - 1),
            "expert_weight": float(rails.expert_weights[j]),
            "model_weight": parameters["coefficients"][j] / scale,
            "data_only_weight": estimate / scale if known else None,
            "data_only_interval": (
                [(estimate - _Z95 * error) / scale, (estimate + _Z95 * error) / scale]
                if known
                else None
            ),
            "binding": found.binding[j],
        }
    return features


def _value(verdicts: tuple[Verdict, ...], gate: str) -> float | None:
    return next(verdict.value for verdict in verdicts if verdict.gate == gate)


def _counts(rails: GuardRails, scores: Floats) -> list[int]:
    n_bands = len(rails.band_edges) + 1
    return [int(count) for count in np.bincount(rails.bands(scores), minlength=n_bands)]
