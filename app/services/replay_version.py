"""Compute a model's version again: the model, the refined weights, gates, evidence and hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.refinement import refine
from app.domain.replay import Part
from app.domain.types import Progress
from app.lake.store import Lake
from app.models import ModelRegistry, ScorecardVersion
from app.queries.batches import known_batch
from app.queries.evidence import list_verdicts
from app.queries.models import require_model
from app.queries.versions import evidence_of
from app.services.draft_fairness import draft_fairness, fairness_verdicts, kept_fairness
from app.services.drafting import refined_card, refinement_evidence
from app.services.replay_model import ReplayedModel, replay_model
from app.services.training_sample import training_card, training_features
from app.services.version_hashes import evidence_hash


@dataclass(frozen=True, slots=True)
class ReplayedVersion:
    """Hold a version that was computed again.

    Attributes
    ----------
    model_id : str
        The model behind it.
    parts : tuple of Part
        Everything that was compared, in the order in which it was computed.
    recorded_weights, computed_weights : dict of str to float
        By feature, in card order.
    """

    model_id: str
    parts: tuple[Part, ...]
    recorded_weights: dict[str, float]
    computed_weights: dict[str, float]


def replay_version(
    db: Session, lake: Lake, row: ScorecardVersion, progress: Progress | None = None
) -> ReplayedVersion:
    """Compute a model's version again, from files to hashes.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the files are.
    row : ScorecardVersion
        A version that a model proposed, whose own hashes hold.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    ReplayedVersion
        Both sides of everything.

    Raises
    ------
    TamperingError
        If something that it was made of is not what was recorded.
    """
    model = require_model(db, str(row.model_id))
    kept: dict[str, Any] = {
        "weights": {name: float(part["weight"]) for name, part in row.features.items()},
        "gates": list(list_verdicts(db, "version", row.version)),
        "evidence": evidence_of(db, row.version)["refinement"],
        "content hash": row.content_hash,
        "evidence hash": row.evidence_hash,
        **kept_fairness(evidence_of(db, row.version).get("fairness")),
    }
    subject, model_id = f"version:{row.version}", model.id
    found = replay_model(db, lake, model, progress)
    computed = _refine_again(db, lake, model, found)
    names = dict.fromkeys((*kept, *computed))
    parts = [Part(name, subject, kept.get(name), computed.get(name)) for name in names]
    return ReplayedVersion(model_id, (*found.parts, *parts), kept["weights"], computed["weights"])


def _refine_again(
    db: Session, lake: Lake, model: ModelRegistry, found: ReplayedModel
) -> dict[str, Any]:
    """Refine the baseline by the model as computed now, as ``propose_draft`` does."""
    names = training_features(found.baseline)
    rails = training_card(found.baseline, found.expert).rails(found.data.population, found.policy)
    refinement = refine(found.trained.fit, rails)
    card = refined_card(found.baseline, names, refinement)
    fairness = draft_fairness(
        db, lake, model, (found.baseline, card), found.policy, batch_of=known_batch
    )
    again = ModelRegistry(id=model.id, **found.columns)  # never added to a session
    evidence = refinement_evidence(again, names, rails, refinement)
    gate = fairness_verdicts(found.policy, fairness)
    judged = (*found.trained.verdicts, *refinement.verdicts, *gate)
    verdicts = [verdict.as_dict() for verdict in judged]
    kinds = {"refinement": evidence, **kept_fairness(fairness)}
    return {
        "weights": {name: feature.weight for name, feature in card.features.items()},
        "gates": verdicts,
        "evidence": evidence,
        "content hash": card.content_hash,
        "evidence hash": evidence_hash(
            {kind: content_hash(document) for kind, document in kinds.items()}, verdicts
        ),
        **kept_fairness(fairness),
    }
