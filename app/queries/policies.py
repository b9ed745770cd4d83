"""Read policies: the one in force is the newest."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.policy import Policy, parse_policy
from app.domain.types import Document
from app.errors import NotFoundError
from app.models import Policy as PolicyRow


def current_policy_row(db: Session) -> PolicyRow:
    """Find the row of the policy in force.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    PolicyRow
        The newest one.

    Raises
    ------
    NotFoundError
        If the store has none, so was never initialised.
    """
    row = db.scalars(select(PolicyRow).order_by(PolicyRow.id.desc()).limit(1)).first()
    if row is None:
        raise NotFoundError("The store holds no policy; run `chancellor init`.")
    return row


def list_policy_rows(
    db: Session, *, before: int | None = None, limit: int
) -> tuple[PolicyRow, ...]:
    """List policies.

    Parameters
    ----------
    db : Session
        The store.
    before : int or None
        Only those with a smaller id.
    limit : int
        At most so many.

    Returns
    -------
    tuple of PolicyRow
        Newest first.
    """
    wanted = select(PolicyRow).order_by(PolicyRow.id.desc()).limit(limit)
    return tuple(db.scalars(wanted if before is None else wanted.where(PolicyRow.id < before)))


def next_policy_id(db: Session) -> int:
    """Give the id of the next policy, which its audit event names before the row is there.

    Parameters
    ----------
    db : Session
        The store, with the head of the audit chain locked.

    Returns
    -------
    int
        From 1.
    """
    return int(db.scalar(select(func.coalesce(func.max(PolicyRow.id), 0))) or 0) + 1


def current_policy(db: Session) -> tuple[PolicyRow, Policy]:
    """Find the policy in force, with its row.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of (PolicyRow, Policy)
        The newest row, and its content as a value.

    Raises
    ------
    NotFoundError
        If the store has none.
    """
    row = current_policy_row(db)
    return row, parse_policy(row.content)


def policy_by_hash(db: Session, policy_hash: str) -> tuple[PolicyRow, Policy]:
    """Find the policy that a decision was judged by.

    Parameters
    ----------
    db : Session
        The store.
    policy_hash : str
        Content hash that was stored with the decision.

    Returns
    -------
    tuple of (PolicyRow, Policy)
        The newest row with this content, and the content as a value.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = db.scalars(
        select(PolicyRow)
        .where(PolicyRow.content_hash == policy_hash)
        .order_by(PolicyRow.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFoundError(f"There is no policy with hash {policy_hash}.", policy_hash=policy_hash)
    return row, parse_policy(row.content)


def policy_document(row: PolicyRow) -> Document:
    """Describe a stored policy.

    Parameters
    ----------
    row : PolicyRow
        The row.

    Returns
    -------
    dict
        ``policy_id``, ``content_hash``, ``created_at``, ``created_by`` and ``content``, with
        every default written out.
    """
    return {
        "policy_id": row.id,
        "content_hash": row.content_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "content": parse_policy(row.content).to_document(),
    }
