"""Describe versions as the faces show them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.lifecycle import steps_from
from app.domain.review import Approval, Case, may_activate, may_approve, may_withdraw
from app.domain.rights import Decision, may_reject, may_use_rights
from app.domain.types import Document
from app.models import Activation, ApprovalWithdrawal, Review, ScorecardVersion
from app.queries.evidence import list_evidence, version_verdicts
from app.queries.versions import (
    find_active,
    list_activations,
    list_approval_withdrawals,
    list_reviews,
)
from app.services.version_cases import read_case
from app.services.version_hashes import review_hash
from app.services.version_reviews import approvals_document


def version_summary(row: ScorecardVersion) -> Document:
    """Describe a version on one line.

    Parameters
    ----------
    row : ScorecardVersion
        The version.

    Returns
    -------
    dict
        Name, status, origin, baseline, model, hashes, dates and people.
    """
    return {
        "version": row.version,
        "number": row.number,
        "status": row.status,
        "origin": row.origin,
        "name": row.name,
        "base_version": row.base_version,
        "model_id": row.model_id,
        "despite_advice": row.despite_advice,
        "content_hash": row.content_hash,
        "evidence_hash": row.evidence_hash,
        "review_hash": review_hash(row.content_hash, row.evidence_hash),
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "requested_by": row.requested_by,
        "note": row.note,
        "activated_at": _iso(row.activated_at),
        "deactivated_at": _iso(row.deactivated_at),
    }


def version_document(db: Session, row: ScorecardVersion, actor: str) -> Document:
    """Describe everything about a version.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.
    actor : str
        Who looks; ``steps`` says what this person may do.

    Returns
    -------
    dict
        The summary, ``features``, ``content``, ``review_hash``, ``gates``, ``evidence`` (hash by
        kind), ``to_acknowledge``, ``approvals``, ``reviews``, ``activations`` and ``steps``.

    Raises
    ------
    TamperingError
        If content or evidence changed after the draft was made.
    """
    case = read_case(db, row)
    withdrawn = list_approval_withdrawals(db, row.version)
    return {
        **version_summary(row),
        "review_hash": case.facts.review_hash,
        "features": row.features,
        "content": row.content,
        "gates": list(version_verdicts(db, row)),
        "evidence": {
            piece.kind: piece.content_hash for piece in list_evidence(db, "version", row.version)
        },
        "to_acknowledge": list(case.to_acknowledge),
        "approvals": approvals_document(case),
        "reviews": [
            _review(review, withdrawn.get(review.id)) for review in list_reviews(db, row.version)
        ],
        "activations": [_activation(entry) for entry in list_activations(db, row.version)],
        "steps": _steps(db, row, case, actor),
    }


def time_line(db: Session, limit: int) -> tuple[Document, ...]:
    """Say which version decided when.

    Parameters
    ----------
    db : Session
        The store.
    limit : int
        At most so many spans, the newest ones.

    Returns
    -------
    tuple of dict
        Oldest first: version, kind, start, end (None while it decides), actor and reason.
    """
    newest = db.scalars(select(Activation).order_by(Activation.id.desc()).limit(limit)).all()
    spans, end = [], None
    for entry in newest:
        spans.append(
            {
                "version": entry.version,
                "kind": entry.kind,
                "start": entry.at.isoformat(),
                "end": end,
                "actor": entry.actor,
                "reason": entry.reason,
            }
        )
        end = entry.at.isoformat()
    return tuple(reversed(spans))


def _steps(db: Session, row: ScorecardVersion, case: Case, actor: str) -> list[Document]:
    active = find_active(db)
    own = Approval(actor, case.facts.review_hash)
    return steps_document(row.status, case, own, None if active is None else active.version)


def steps_document(
    status: str, case: Case, own: Approval, active_version: str | None
) -> list[Document]:
    """List what the table allows from a status, and whether a person may do it.

    Parameters
    ----------
    status : str
        Of the version.
    case : Case
        What decisions about it rest on.
    own : Approval
        By whom, of which content.
    active_version : str or None
        The version that is active now.

    Returns
    -------
    list of dict
        ``step``, ``allowed``, ``reason`` and ``sentence``.
    """
    actor = own.reviewer
    decisions: dict[str, Decision] = {
        "approve": may_approve(case, own),
        "reject": may_reject(case.policy, case.facts, actor),
        "activate": may_activate(case, own, active_version),
        "withdraw_approval": may_withdraw(case, actor),
        "rollback": may_use_rights(case.policy, actor),
    }
    return [
        {
            "step": step,
            "allowed": decisions[step].allowed,
            "reason": decisions[step].reason,
            "sentence": decisions[step].sentence,
        }
        for step in steps_from(status)
    ]


def _review(review: Review, withdrawal: ApprovalWithdrawal | None) -> Document:
    return {
        "kind": review.kind,
        "reviewer": review.reviewer,
        "reason": review.reason,
        "review_hash": review_hash(review.content_hash, review.evidence_hash),
        "acknowledged": list(review.acknowledged),
        "override_reason": review.override_reason,
        "at": review.at.isoformat(),
        "withdrawn": withdrawal
        and {"actor": withdrawal.actor, "reason": withdrawal.reason, "at": _iso(withdrawal.at)},
    }


def _activation(entry: Activation) -> Document:
    return {
        "kind": entry.kind,
        "previous_version": entry.previous_version,
        "actor": entry.actor,
        "reason": entry.reason,
        "override_reason": entry.override_reason,
        "at": entry.at.isoformat(),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
