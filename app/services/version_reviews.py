"""Approve and reject drafts, and withdraw approvals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.lifecycle import is_among, next_status
from app.domain.review import Approval, Case, may_approve, may_withdraw
from app.domain.rights import may_reject
from app.domain.types import Document
from app.models import ApprovalWithdrawal, Review, ScorecardVersion
from app.queries.versions import list_approvals
from app.services.audit_service import record
from app.services.version_cases import (
    lock_version,
    raise_unless_allowed,
    read_case,
    require_hash,
    require_text,
)


def approve_version(
    db: Session,
    version: str,
    *,
    actor: str,
    reason: str,
    expected_hash: str | None = None,
    acknowledge: Sequence[str] = (),
    override_reason: str | None = None,
) -> Document:
    """Enter one person's approval; enough of them make the draft approved.

    Writes: one row in ``reviews``, the status, and the event ``version.approved``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        A draft or an approved version.
    actor : str
        The person.
    reason : str
        Why; not blank.
    expected_hash : str or None
        The ``review_hash`` that the person saw.
    acknowledge : sequence of str
        Gates with insufficient evidence that the person accepts.
    override_reason : str or None
        An admin's written reason to pass over a failed gate.

    Returns
    -------
    dict
        version, status, review_hash, the review, the ``approvals`` so far, and ``notice``.
    """
    said = require_text(reason, "reason")
    overriding = None if override_reason is None else require_text(override_reason, "reason")
    with transaction(db):
        row = lock_version(db, version)
        after = next_status(row.status, "approve", version)
        case = read_case(db, row)
        require_hash(case, expected_hash)
        approval = Approval(actor, case.facts.review_hash, tuple(acknowledge), overriding)
        decision = may_approve(case, approval)
        raise_unless_allowed(db, row, decision)
        counted = replace(case, approvals=(*case.approvals, approval))
        document = review_document(row, approval, said, decision.notices)
        document["status"] = after if counted.has_enough_approvals else row.status
        document["approvals"] = approvals_document(counted)
        seq = _record(db, row, "version.approved", actor, document)
        add_approval(db, row, approval, said, seq)
        row.status = document["status"]
        return document


def reject_version(
    db: Session, version: str, *, actor: str, reason: str, expected_hash: str | None = None
) -> Document:
    """Reject a draft, for good.

    Writes: one row in ``reviews``, the status, and the event ``version.rejected``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        A draft.
    actor : str
        The person.
    reason : str
        Why; not blank.
    expected_hash : str or None
        The ``review_hash`` that the person saw.

    Returns
    -------
    dict
        version, status, review_hash and the review.
    """
    said = require_text(reason, "reason")
    with transaction(db):
        row = lock_version(db, version)
        after = next_status(row.status, "reject", version)
        case = read_case(db, row)
        require_hash(case, expected_hash)
        decision = may_reject(case.policy, case.facts, actor)
        raise_unless_allowed(db, row, decision)
        review = Approval(actor, case.facts.review_hash)
        document = review_document(row, review, said, decision.notices) | {"status": after}
        seq = _record(db, row, "version.rejected", actor, document)
        _add_review(db, row, "reject", review, said, seq)
        row.status = after
        return document


def withdraw_approval(db: Session, version: str, *, actor: str, reason: str) -> Document:
    """Take one's own approval back before the version decides; nothing is deleted.

    Writes: one row in ``approval_withdrawals``, the status where too few approvals are left, and
    the event ``version.approval_withdrawn``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        A draft or an approved version.
    actor : str
        Who approved it.
    reason : str
        Why; not blank.

    Returns
    -------
    dict
        version, status, actor, reason, n_withdrawn, and the ``approvals`` that are left.
    """
    said = require_text(reason, "reason")
    with transaction(db):
        row = lock_version(db, version)
        after = next_status(row.status, "withdraw_approval", version)
        case = read_case(db, row)
        raise_unless_allowed(db, row, may_withdraw(case, actor))
        reviews = list_approvals(db, version)
        own = [review for review in reviews if is_among(actor, (review.reviewer,))]
        left = replace(
            case, approvals=tuple(a for a in case.approvals if not is_among(actor, (a.reviewer,)))
        )
        document: Document = {
            "version": version,
            "status": row.status if left.has_enough_approvals else after,
            "actor": actor,
            "reason": said,
            "approvals": approvals_document(left),
        }
        now = utc_now()
        for review in own:
            facts = {**document, "review_id": review.id, "review_hash": case.facts.review_hash}
            seq = _record(db, row, "version.approval_withdrawn", actor, facts)
            db.add(
                ApprovalWithdrawal(
                    review_id=review.id, actor=actor, reason=said, at=now, audit_seq=seq
                )
            )
            db.flush()
        row.status = document["status"]
        return document | {"n_withdrawn": len(own)}


def add_approval(
    db: Session, row: ScorecardVersion, approval: Approval, reason: str, audit_seq: int
) -> None:
    """Add the row of an approval, inside the caller's transaction.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.
    approval : Approval
        What is said, of the present content.
    reason : str
        Why.
    audit_seq : int
        The event that records it, just written.
    """
    _add_review(db, row, "approve", approval, reason, audit_seq)


def approvals_document(case: Case) -> Document:
    """Describe how many approvals count and how many the policy asks for.

    Parameters
    ----------
    case : Case
        The version with its approvals.

    Returns
    -------
    dict
        ``required``, ``given`` and ``by``; ``missing_roles`` where the policy asks for roles.
    """
    counted = case.counted_approvers
    document: Document = {
        "required": case.policy.approvals_required,
        "given": len(counted),
        "by": list(counted),
    }
    if case.policy.approvals_by_role:
        document["missing_roles"] = list(case.missing_roles)
    return document


def review_document(
    row: ScorecardVersion, review: Approval, reason: str, notices: Sequence[str]
) -> Document:
    """Describe one review as the faces show it and the audit chain keeps it.

    Parameters
    ----------
    row : ScorecardVersion
        The version, after the review.
    review : Approval
        What was said.
    reason : str
        Why.
    notices : sequence of str
        What the record must say beside it.

    Returns
    -------
    dict
        version, status, review_hash, reviewer, reason, acknowledged, override_reason, notice.
    """
    return {
        "version": row.version,
        "status": row.status,
        "review_hash": review.review_hash,
        "content_hash": row.content_hash,
        "evidence_hash": row.evidence_hash,
        "reviewer": review.reviewer,
        "reason": reason,
        "acknowledged": list(review.acknowledged),
        "override_reason": review.override_reason,
        "notice": " ".join(notices) or None,
    }


def _add_review(
    db: Session,
    row: ScorecardVersion,
    kind: str,
    review: Approval,
    reason: str,
    audit_seq: int,
) -> None:
    db.add(
        Review(
            version=row.version,
            kind=kind,
            reviewer=review.reviewer,
            reason=reason,
            content_hash=row.content_hash,
            evidence_hash=row.evidence_hash,
            acknowledged=list(review.acknowledged),
            override_reason=review.override_reason,
            at=utc_now(),
            audit_seq=audit_seq,
        )
    )
    db.flush()


def _record(db: Session, row: ScorecardVersion, action: str, actor: str, document: Document) -> int:
    payload = {key: value for key, value in document.items() if key != "version"}
    return record(db, actor=actor, action=action, subject=f"version:{row.version}", payload=payload)
