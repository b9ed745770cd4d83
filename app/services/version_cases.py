"""Read what a decision about a version rests on, and turn a no into its error."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.domain.lifecycle import VersionFacts
from app.domain.review import Approval, Case, VerdictFacts
from app.domain.rights import Decision, Reason
from app.errors import (
    BaselineError,
    ChancellorError,
    ConflictError,
    InvalidInputError,
    NotPermittedError,
    QualityGateError,
    SelfReviewError,
    StaleContentError,
)
from app.models import ModelRegistry, Review, ScorecardVersion
from app.queries.audit import require_head
from app.queries.evidence import version_verdicts
from app.queries.policies import current_policy
from app.queries.versions import list_approvals, require_version
from app.queries.withdrawn_sources import withdrawn_sources
from app.services.version_hashes import review_hash, verified_review_hash

ERRORS: dict[Reason, type[ChancellorError]] = {
    "not_a_person": NotPermittedError,
    "self_review": SelfReviewError,
    "not_an_approver": NotPermittedError,
    "not_an_admin": NotPermittedError,
    "baseline_not_active": BaselineError,
    "gate_failed": QualityGateError,
    "not_acknowledged": ConflictError,
    "nothing_to_acknowledge": InvalidInputError,
    "nothing_to_override": InvalidInputError,
    "already_approved": ConflictError,
    "nothing_to_withdraw": ConflictError,
    "too_few_approvals": ConflictError,
}
"""The one table from a named reason to its error; a test holds it complete."""


def lock_version(db: Session, version: str) -> ScorecardVersion:
    """Find a version and keep others from deciding about any until this transaction ends.

    Decisions take their turn at the head of the audit chain, which each of them moves on: what
    is read from here on, the active version too, is still so when the decision is written.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    version : str
        Its name.

    Returns
    -------
    ScorecardVersion
        The row as it is now.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    require_head(db, lock=True)
    return require_version(db, version)


def version_facts(db: Session, row: ScorecardVersion) -> VersionFacts:
    """Collect the facts of a version that decisions need.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.

    Returns
    -------
    VersionFacts
        For a model's version the author is ``model:<model_id>``, and those who asked for it are
        whoever started the training and whoever asked for the draft.

    Raises
    ------
    TamperingError
        If content or evidence changed after the draft was made.
    """
    trained_by = None
    if row.model_id is not None:
        trained_by = db.get_one(ModelRegistry, row.model_id).created_by
    return facts_of(row, verified_review_hash(db, row), trained_by)


def facts_of(row: ScorecardVersion, bound: str, trained_by: str | None) -> VersionFacts:
    """Build the facts of a version from what was read.

    Parameters
    ----------
    row : ScorecardVersion
        The version.
    bound : str
        Its review hash.
    trained_by : str or None
        Who started the training of the model behind it; None for a person's version.

    Returns
    -------
    VersionFacts
        As :func:`version_facts`.
    """
    if row.model_id is None or trained_by is None:
        return VersionFacts(
            version=row.version,
            origin="person",
            created_by=row.created_by,
            requested_by=(),
            asked_despite_advice_by=None,
            base_version=row.base_version,
            review_hash=bound,
        )
    return VersionFacts(
        version=row.version,
        origin="model",
        created_by=f"model:{row.model_id}",
        requested_by=tuple(dict.fromkeys((trained_by, row.requested_by, row.created_by))),
        asked_despite_advice_by=row.created_by if row.despite_advice else None,
        base_version=row.base_version,
        review_hash=bound,
    )


def read_case(db: Session, row: ScorecardVersion) -> Case:
    """Read everything that a decision about a version rests on.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.

    Returns
    -------
    Case
        Under the policy in force.

    Raises
    ------
    TamperingError
        If content or evidence changed after the draft was made.
    """
    return Case(
        policy=current_policy(db)[1],
        facts=version_facts(db, row),
        verdicts=tuple(
            VerdictFacts(v["gate"], v["verdict"], v["sentence"]) for v in version_verdicts(db, row)
        ),
        approvals=tuple(stored_approval(review) for review in list_approvals(db, row.version)),
        withdrawn=_withdrawn_since(db, row),
    )


def _withdrawn_since(db: Session, row: ScorecardVersion) -> tuple[str, ...]:
    model_ids = () if row.model_id is None else (row.model_id,)
    return withdrawn_sources(db, model_ids).get(row.model_id or "", ())


def stored_approval(review: Review) -> Approval:
    """Read an approval as far as a decision needs it.

    Parameters
    ----------
    review : Review
        The row.

    Returns
    -------
    Approval
        By whom, of which content, what was acknowledged and overridden.
    """
    return Approval(
        reviewer=review.reviewer,
        review_hash=review_hash(review.content_hash, review.evidence_hash),
        acknowledged=tuple(review.acknowledged),
        override_reason=review.override_reason,
    )


def require_hash(case: Case, expected_hash: str | None) -> None:
    """Refuse when what is stored is not what the person looked at.

    Parameters
    ----------
    case : Case
        The version.
    expected_hash : str or None
        The ``review_hash`` that the person saw; None where there was no page in between.

    Raises
    ------
    StaleContentError
        If it is another one.
    """
    if expected_hash is not None and expected_hash != case.facts.review_hash:
        raise StaleContentError(
            f"{case.facts.version} is not what was reviewed: expected {expected_hash}, it is "
            f"{case.facts.review_hash}. Look at it again (`chancellor versions show "
            f"{case.facts.version}`).",
            version=case.facts.version,
            expected_hash=expected_hash,
            review_hash=case.facts.review_hash,
        )


def raise_unless_allowed(db: Session, row: ScorecardVersion, decision: Decision) -> None:
    """Raise the error that a named reason stands for.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.
    decision : Decision
        The answer.

    Raises
    ------
    ChancellorError
        The class in :data:`ERRORS`, with the version and the reason as facts.
    """
    if decision.allowed or decision.reason is None:
        return
    facts: dict[str, Any] = {"version": row.version, "reason": decision.reason}
    if decision.reason == "gate_failed":
        raise QualityGateError(decision.sentence, version_verdicts(db, row), **facts)
    raise ERRORS[decision.reason](decision.sentence, **facts)


def require_text(text: str | None, what: str) -> str:
    """Refuse a blank reason.

    Parameters
    ----------
    text : str or None
        What the person wrote.
    what : str
        Name of it in the message.

    Returns
    -------
    str
        Without outer blanks.

    Raises
    ------
    InvalidInputError
        If nothing is left.

    Examples
    --------
    >>> require_text(" it holds out of time ", "reason")
    'it holds out of time'
    """
    said = (text or "").strip()
    if not said:
        raise InvalidInputError(f"Write a {what}: it stays on the record.", missing=what)
    return said
