"""Keep the policy: every state of it stays, the newest is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.counted import counted
from app.domain.policy import Policy, parse_policy
from app.domain.rights import is_admin
from app.domain.types import Document
from app.errors import DocumentError, NotPermittedError, StaleContentError
from app.models import Policy as PolicyRow
from app.queries import policies as policy_queries
from app.queries.audit import require_head
from app.services.audit_service import record
from app.settings import default_actor

_STAY = (
    "leaves out {actor}, who sets it: an admin stays among the admins. To hand over, name the "
    "other person as well; they then take you out."
)


class PolicyService:
    """Show the policy in force and put another in force.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str, optional
        The person on the record; by default the OS user.
    """

    def __init__(self, db: Session, actor: str | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()

    def get_policy(self) -> Document:
        """Give the policy in force, every default written out."""
        return policy_queries.policy_document(policy_queries.current_policy_row(self.db))

    def list_policies(self, *, before: int | None = None, limit: int = 20) -> tuple[Document, ...]:
        """Give the policies that were in force, newest first.

        Parameters
        ----------
        before : int, optional
            Only those with a smaller ``policy_id``.
        limit : int
            At most so many.

        Returns
        -------
        tuple of dict
            As :meth:`get_policy`, and ``changes``: for each field that the one before said
            differently, ``field``, ``old`` and ``new``; None for the very first.
        """
        rows = policy_queries.list_policy_rows(self.db, before=before, limit=limit + 1)
        documents = [policy_queries.policy_document(row) for row in rows]
        earlier = [*documents[1:], None]
        return tuple(
            {**one, "changes": None if other is None else _changes(other, one)}
            for one, other in zip(documents[:limit], earlier, strict=False)
        )

    def set_policy(
        self, document: Mapping[str, Any] | Policy, *, expected_hash: str | None = None
    ) -> Document:
        """Put a policy in force; earlier decisions keep the one they were judged by.

        Writes: one row in ``policies`` and the event ``policy.set``; nothing where the policy in
        force says the same.

        Parameters
        ----------
        document : mapping or Policy
            Fields left out take their defaults.
        expected_hash : str, optional
            Content hash of the policy that the person looked at; another one is a conflict.

        Returns
        -------
        dict
            As :meth:`get_policy`, and ``changed``.

        Raises
        ------
        DocumentError
            If a field is unknown or out of range, nobody could ever approve or change the policy,
            or the person would be no admin any more: whoever hands over names the other one as
            well, who then takes the first one out.
        NotPermittedError
            If the policy in force names admins and the person is none of them.
        StaleContentError
            If somebody else changed it meanwhile.
        """
        policy = document if isinstance(document, Policy) else parse_policy(document)
        require_usable(policy)
        with transaction(self.db):
            require_head(self.db, lock=True)
            row, in_force = policy_queries.current_policy(self.db)
            if not is_admin(in_force, self.actor):
                raise NotPermittedError(
                    f"{self.actor} may not change the policy: it names the admins "
                    f"{', '.join(in_force.admins or ()) or '(nobody)'}.",
                    actor=self.actor,
                )
            if not is_admin(policy, self.actor):
                raise DocumentError("admins", _STAY.format(actor=self.actor))
            if expected_hash is not None and expected_hash != row.content_hash:
                raise StaleContentError(
                    f"{row.created_by} changed the policy at {row.created_at:%H:%M} UTC, after "
                    "this page was opened. Look at the new one first.",
                    expected_hash=expected_hash,
                    content_hash=row.content_hash,
                )
            if row.content_hash == policy.content_hash:
                return {**policy_queries.policy_document(row), "changed": False}
            row = add_policy_row(self.db, policy, actor=self.actor)
            return {**policy_queries.policy_document(row), "changed": True}


def _changes(old: Document, new: Document) -> list[Document]:
    return [
        {"field": name, "old": old["content"][name], "new": value}
        for name, value in new["content"].items()
        if old["content"][name] != value
    ]


def add_policy_row(db: Session, policy: Policy, *, actor: str) -> PolicyRow:
    """Add the row of a policy, inside the caller's transaction.

    Writes: one row in ``policies`` and the event ``policy.set``.

    Parameters
    ----------
    db : Session
        The store.
    policy : Policy
        The value.
    actor : str
        Who puts it in force.

    Returns
    -------
    PolicyRow
        The row.
    """
    require_head(db, lock=True)
    row = PolicyRow(
        id=policy_queries.next_policy_id(db),
        content=policy.to_document(),
        content_hash=policy.content_hash,
        created_at=utc_now(),
        created_by=actor,
    )
    record(
        db,
        actor=actor,
        action="policy.set",
        subject=f"policy:{row.id}",
        payload={"content": row.content, "content_hash": row.content_hash},
    )
    db.add(row)
    db.flush()
    return row


def require_usable(policy: Policy) -> None:
    """Refuse a policy under which nobody could ever activate a version, or change the policy.

    Parameters
    ----------
    policy : Policy
        The value.

    Raises
    ------
    DocumentError
        If it names nobody as an admin or approver, or asks for more approvals than it names
        approvers.

    Examples
    --------
    >>> require_usable(Policy(approvers=("ada",), approvals_required=2))
    Traceback (most recent call last):
    app.errors.DocumentError: approvals_required: asks for 2 approvals, but approvers names only \
1 (ada)
    """
    for name, people in (("admins", policy.admins), ("approvers", policy.approvers)):
        if people is not None and not any(person.strip() for person in people):
            raise DocumentError(name, "names nobody: leave it out, or null, for everybody")
    if policy.approvers is None:
        return
    approvers = dict.fromkeys(policy.approvers)
    if len(approvers) < policy.approvals_required:
        raise DocumentError(
            "approvals_required",
            f"asks for {counted(policy.approvals_required, 'approval')}, but approvers names only "
            f"{len(approvers)} ({', '.join(approvers)})",
        )
