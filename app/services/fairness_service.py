"""How groups fare under a version and the one it was made against."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.domain.policy import Policy
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.errors import ConflictError, InvalidInputError
from app.lake.store import Lake, open_lake
from app.models import Batch
from app.queries.batches import known_batch, require_batch
from app.queries.policies import current_policy, policy_by_hash
from app.queries.versions import evidence_of
from app.services.compared_pair import ComparedPair, lack, read_pair
from app.services.fairness_rows import (
    Outcomes,
    batch_outcomes,
    compare_groups,
    group_columns,
    model_outcomes,
)
from app.services.review_key import reviewed_pair
from app.services.version_drafts import newest_batch
from app.settings import default_actor

_STAGE, _STEPS = "Comparing the groups", 2
NO_GROUPS = (
    "The batches behind this version declare no groups. Declare them when a batch is imported: "
    "chancellor batch import FILE --batch ID --group COLUMN"
)


class FairnessService:
    """Compare approval, ranking and calibration by group; writes nothing.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        Of no account here; every service takes it.
    lake : Lake or None
        Where the files are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def compare_groups(
        self,
        version: str,
        against: str | None = None,
        *,
        cut_off: int | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Compare how groups fare under a version and the one it was made against.

        Parameters
        ----------
        version : str
            The new version.
        against : str or None
            The old version; None is the one that it was made against.
        cut_off : int or None
            A score to compare at; None takes the policy's and the bands'.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``old`` and ``new`` (names), ``is_stored`` (whether it is the evidence of the draft),
            ``why_not`` (None, or why there is no group), and what
            :func:`app.services.fairness_rows.compare_groups` gives. For a model's draft over the
            batches of its model and the rows that its validation judged; else over the newest
            batch and its newest labels.

        Raises
        ------
        NotFoundError
            If there is no such version.
        InvalidInputError
            If there is nothing to compare it with, or a batch lacks a feature of a card.
        ConflictError
            If a batch that declares groups, or one beside it, was withdrawn.
        FileHashError
            If a file is not what was stored.
        """
        report = progress or _silent
        old, new = reviewed_pair(self.db, version, against)
        named = {"old": old.version, "new": new.version}
        kept = evidence_of(self.db, version).get("fairness")
        if kept is not None and cut_off is None and old.version == new.base_version:
            return {**named, "is_stored": True, "why_not": None, **kept}
        report(_STAGE, 0, _STEPS)
        pair = read_pair(self.db, old.version, new.version)
        batches = self._batches(pair)
        policy = self._policy(pair)
        if not group_columns(batches):
            return {**named, "is_stored": False, "why_not": NO_GROUPS, **_nothing(policy)}
        for batch in batches:
            require_batch(self.db, batch.batch_id)
        outcomes = self._outcomes(pair, batches)
        report(_STAGE, 1, _STEPS)
        found = compare_groups(
            self.db, self.lake, pair.cards, batches, outcomes, policy, cut_off=cut_off
        )
        report(_STAGE, _STEPS, _STEPS)
        return {**named, "is_stored": False, "why_not": None, **found}

    def _batches(self, pair: ComparedPair) -> tuple[Batch, ...]:
        if pair.model is not None:
            return tuple(known_batch(self.db, name) for name in pair.model.batch_ids)
        batch = newest_batch(self.db)
        return () if batch is None else (batch,)

    def _policy(self, pair: ComparedPair) -> Policy:
        if pair.model is not None:
            return policy_by_hash(self.db, pair.model.policy_hash)[1]
        return current_policy(self.db)[1]

    def _outcomes(self, pair: ComparedPair, batches: tuple[Batch, ...]) -> Outcomes | None:
        if pair.model is None:
            cards: tuple[Scorecard, Scorecard] = pair.cards
            return batch_outcomes(self.db, self.lake, cards, batches[0])
        found = model_outcomes(self.lake, pair.model)
        if not pair.is_reversed:
            return found
        rows = found.rows
        turned = replace(rows, scores=rows.scores[::-1], probabilities=rows.probabilities[::-1])
        return replace(found, rows=turned)


def fairness_section(
    db: Session,
    lake: Lake,
    pair: tuple[str, str],
    lacking: list[Document],
    *,
    cut_off: int | None = None,
) -> Document | None:
    """Compare groups as a section of a comparison.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    pair : tuple of str
        Names of the old and of the new version.
    lacking : list of dict
        Gets what is not available and why.
    cut_off : int or None
        A score to compare at.

    Returns
    -------
    dict or None
        As :meth:`FairnessService.compare_groups`; None where no group was declared, or the
        batches cannot be used.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    old, new = pair
    service = FairnessService(db, lake=lake)
    try:
        found = service.compare_groups(new, old, cut_off=cut_off)
    except (ConflictError, InvalidInputError) as error:
        lacking.append(lack("approval by group", error.message))
        return None
    return found if found["why_not"] is None else None


def _nothing(policy: Policy) -> Document:
    return {
        "min_impact_ratio": policy.min_impact_ratio,
        "reference_group": policy.reference_group,
        "n_parties": 0,
        "source": None,
        "columns": [],
        "limits": [],
    }


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""
