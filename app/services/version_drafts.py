"""File a draft that a person wrote, with the weight gates judged for information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.gates import Verdict, weight_gates
from app.domain.groups import refuse_group_features
from app.domain.lifecycle import person_key
from app.domain.policy import Policy
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.errors import BaselineError, ConflictError, InvalidInputError, NotPermittedError
from app.models import Batch, ScorecardVersion
from app.queries.batches import list_batches, list_withdrawals
from app.queries.policies import current_policy
from app.queries.versions import expert_ancestor, find_pending_copy, require_active
from app.services.conflicts import conflicts_named
from app.services.draft_fairness import fairness_verdicts, kept_fairness, person_fairness
from app.services.version_rows import add_version_row

if TYPE_CHECKING:
    from app.lake.store import Lake

_ON_WEIGHTS = ("weight_change", "cumulative_change")
_STAGE, _STEPS = "Scoring the newest batch", 3
_SECOND = "Somebody else added a version at the same moment. Try again."


def add_person_draft(
    db: Session,
    card: Scorecard,
    *,
    actor: str,
    note: str | None,
    lake: Lake,
    progress: Progress | None = None,
) -> ScorecardVersion:
    """File a person's card as a draft against the active version.

    Writes: the row of the draft, its evidence and verdicts, and the event ``draft.created``.

    Parameters
    ----------
    db : Session
        The store.
    card : Scorecard
        The whole content.
    actor : str
        The author, who may never approve or activate it.
    note : str or None
        What changed and why.
    lake : Lake
        The data plane, for the gates that are judged on a batch.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    ScorecardVersion
        The draft.

    Raises
    ------
    ConflictError
        If the active version or a waiting draft has the same content, or the active version
        changed while the gates were judged.
    InvalidInputError
        If a feature of the card is declared as a group by a batch.
    NotPermittedError
        If the author is not a person.
    """
    if not actor.strip() or person_key(actor).startswith("model:"):
        raise NotPermittedError(f"{actor!r} is not a person and cannot write a version.")
    for batch in usable_batches(db):
        refuse_group_features(batch.group_columns, card.features, batch.batch_id)
    active = require_active(db)
    base_version, base_hash = active.version, active.content_hash
    _refuse_copy(db, card, base_version)
    baseline = Scorecard.from_document(active.content)
    expert = Scorecard.from_document(expert_ancestor(db, base_version).content)
    evidence = _movement_evidence(db, lake, baseline, card, progress or _silent)
    _, policy = current_policy(db)
    verdicts = judge_person_card(policy, baseline, expert, card, evidence["movement"])
    evidence |= {"base_version": base_version, "base_content_hash": base_hash}
    fairness = person_fairness(db, lake, (baseline, card), newest_batch(db), policy)
    verdicts = (*verdicts, *fairness_verdicts(policy, fairness))
    with conflicts_named(_SECOND), transaction(db):
        now_active = require_active(db).version
        if now_active != base_version:
            raise BaselineError(f"{now_active} became active in between; add the card again.")
        _refuse_copy(db, card, base_version)
        return add_version_row(
            db,
            card=card,
            origin="person",
            base_version=base_version,
            model_id=None,
            requested_by=actor,
            created_by=actor,
            note=note,
            despite_advice=False,
            evidence={"person_draft": evidence, **kept_fairness(fairness)},
            verdicts=verdicts,
        )


def judge_person_card(
    policy: Policy,
    baseline: Scorecard,
    expert: Scorecard,
    card: Scorecard,
    movement: Document | None,
) -> tuple[Verdict, ...]:
    """Judge a person's card by the weight gates.

    Parameters
    ----------
    policy : Policy
        Thresholds.
    baseline, expert : Scorecard
        The active card, and the nearest card before it that a person wrote.
    card : Scorecard
        The new card.
    movement : dict or None
        From :func:`app.domain.card_movement.describe_movement`; None without a batch.

    Returns
    -------
    tuple of Verdict
        The gates on weights, and where there is a batch those on scores and bands.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> card = default_card()
    >>> moved = card.with_weights({"kyc_verified": 30.0})
    >>> [v.verdict for v in judge_person_card(Policy(), card, card, moved, None)]
    ['fail', 'pass']
    """
    correlation = None if movement is None else movement["score_correlation"]
    verdicts = weight_gates(
        policy,
        weight_change=largest_change(card, baseline),
        score_correlation=float("nan") if correlation is None else correlation,
        band_shift=float("nan") if movement is None else movement["band_shift"],
        cumulative_change=largest_change(card, expert),
    )
    if movement is not None:
        return verdicts
    return tuple(verdict for verdict in verdicts if verdict.gate in _ON_WEIGHTS)


def largest_change(card: Scorecard, reference: Scorecard) -> float:
    """Measure the largest relative change of a weight between cards of any scale.

    Parameters
    ----------
    card, reference : Scorecard
        Weights are compared as shares of their sum.

    Returns
    -------
    float
        max abs(w_new / w - 1) >= 0; infinite where a feature comes in from weight 0.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> card = default_card()
    >>> largest_change(card.with_weights(2 * card.weights), card)
    0.0
    """
    new, old = weight_shares(card), weight_shares(reference)
    changes = [0.0]
    for name in {**old, **new}:
        before, after = old.get(name, 0.0), new.get(name, 0.0)
        if before > 0:
            changes.append(abs(after / before - 1))
        elif after > 0:
            changes.append(float("inf"))
    return max(changes)


def weight_shares(card: Scorecard) -> dict[str, float]:
    """Give each feature's share of the sum of weights.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    dict
        Fractions by feature, in card order, that sum to 1.
    """
    return {name: part.weight / card.total_weight for name, part in card.features.items()}


def usable_batches(db: Session) -> tuple[Batch, ...]:
    """List the batches that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of Batch
        Oldest import first.
    """
    withdrawn = list_withdrawals(db, "batch")
    return tuple(row for row in list_batches(db) if row.batch_id not in withdrawn)


def newest_batch(db: Session) -> Batch | None:
    """Find the newest batch that was not withdrawn.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    Batch or None
        By time of import; None where there is none.
    """
    usable = usable_batches(db)
    return usable[-1] if usable else None


def _refuse_copy(db: Session, card: Scorecard, base_version: str) -> None:
    same = find_pending_copy(db, card.content_hash, base_version)
    if same is not None:
        raise ConflictError(f"{same} has the same content already.", version=same)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""


def _movement_evidence(
    db: Session, lake: Lake, baseline: Scorecard, card: Scorecard, report: Progress
) -> Document:
    from app.domain.card_movement import describe_movement  # noqa: PLC0415 - loads SciPy
    from app.services.comparison_rows import population_scores  # noqa: PLC0415 - the same

    batch = newest_batch(db)
    if batch is None:
        return {"batch_id": None, "movement": None, "why_not": "There is no batch yet."}
    report(_STAGE, 0, _STEPS)
    try:
        (old,) = population_scores(db, lake, (baseline,), (batch.batch_id,))
        report(_STAGE, 1, _STEPS)
        (new,) = population_scores(db, lake, (card,), (batch.batch_id,))
        report(_STAGE, 2, _STEPS)
    except InvalidInputError as error:
        return {"batch_id": batch.batch_id, "movement": None, "why_not": error.message}
    movement = describe_movement(old, new, baseline.bands, card.bands)
    report(_STAGE, _STEPS, _STEPS)
    return {
        "batch_id": batch.batch_id,
        "batch_hash": batch.file_hash,
        "movement": movement,
        "why_not": None,
    }
