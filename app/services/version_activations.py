"""Activate a version, roll back to an earlier one, and say what was active when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.lifecycle import next_status
from app.domain.review import Approval, counts_as_approval, may_activate
from app.domain.rights import may_use_emergency, may_use_rights
from app.domain.types import Document
from app.errors import InvalidInputError, NotFoundError
from app.models import Activation, ScorecardVersion
from app.queries.decisions import settled_until
from app.queries.policies import current_policy
from app.queries.versions import (
    find_activation_at,
    find_active,
    list_open_emergencies,
    require_version,
)
from app.services.audit_service import record
from app.services.conflicts import conflicts_named
from app.services.version_cases import (
    lock_version,
    raise_unless_allowed,
    read_case,
    require_hash,
    require_text,
)
from app.services.version_emergencies import emergency_document
from app.services.version_hashes import verified_review_hash
from app.services.version_reviews import add_approval, approvals_document

_log = structlog.get_logger(__name__)
_SECOND = (
    "Somebody else activated a version at the same moment. Look at `chancellor versions list`."
)


def activate_draft(
    db: Session,
    version: str,
    *,
    actor: str,
    reason: str | None = None,
    expected_hash: str | None = None,
    acknowledge: Sequence[str] = (),
    override_reason: str | None = None,
) -> Document:
    """Make a draft or an approved version the one that decides.

    Writes: the status of two versions, one row in ``activations``, one in ``reviews`` where the
    activation counts as approval, and the event ``version.activated``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        A draft or an approved version.
    actor : str
        A person with the right to approve it.
    reason : str or None
        Why.
    expected_hash : str or None
        The ``review_hash`` that the person saw.
    acknowledge : sequence of str
        Gates with insufficient evidence that the person accepts.
    override_reason : str or None
        An admin's written reason to pass over a failed gate.

    Returns
    -------
    dict
        See :func:`_activation`, with ``counted_as_approval``, ``approvals``, ``acknowledged``.
    """
    said = (reason or "").strip()
    overriding = None if override_reason is None else require_text(override_reason, "reason")
    with conflicts_named(_SECOND), transaction(db):
        row = lock_version(db, version)
        next_status(row.status, "activate", version)
        case = read_case(db, row)
        require_hash(case, expected_hash)
        own = Approval(actor, case.facts.review_hash, tuple(acknowledge), overriding)
        active = find_active(db)
        decision = may_activate(case, own, None if active is None else active.version)
        raise_unless_allowed(db, row, decision)
        approves = counts_as_approval(case, own)
        if approves:
            own = replace(own, acknowledged=case.to_acknowledge)
            case = replace(case, approvals=(*case.approvals, own))
        document = _activation(db, row, active, "activate", actor, said, overriding)
        document |= {
            "review_hash": case.facts.review_hash,
            "counted_as_approval": approves,
            "approvals": approvals_document(case),
            "acknowledged": list(own.acknowledged),
            "notice": " ".join(decision.notices) or None,
        }
        seq = _record(db, "version.activated", document)
        if approves:
            add_approval(db, row, own, said or "activated", seq)
        _promote(db, document, seq, row, active)
        return document


def roll_back(
    db: Session, version: str, *, actor: str, reason: str, emergency: bool = False
) -> Document:
    """Make an earlier version active again.

    Writes: the status of two versions, one row in ``activations``, and the event
    ``version.rolled_back`` or ``version.emergency_rollback``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        A version that was active before.
    actor : str
        A person with the right to approve; in an emergency an admin.
    reason : str
        Why; not blank.
    emergency : bool
        Whether approvers are away: it stands out until one of them acknowledges it.

    Returns
    -------
    dict
        See :func:`_activation`.
    """
    said = require_text(reason, "reason")
    kind = "emergency_rollback" if emergency else "rollback"
    right = may_use_emergency if emergency else may_use_rights
    with conflicts_named(_SECOND), transaction(db):
        row = lock_version(db, version)
        next_status(row.status, "rollback", version)
        decision = right(current_policy(db)[1], actor)
        raise_unless_allowed(db, row, decision)
        bound = verified_review_hash(db, row)
        active = find_active(db)
        document = _activation(db, row, active, kind, actor, said, None)
        document |= {"review_hash": bound, "notice": " ".join(decision.notices) or None}
        seq = _record(
            db, "version.emergency_rollback" if emergency else "version.rolled_back", document
        )
        _promote(db, document, seq, row, active)
    if emergency:
        _log.warning(
            "emergency rollback",
            version=version,
            previous_version=document["previous_version"],
            actor=actor,
            reason=said,
        )
    return document


def add_first_activation(db: Session, row: ScorecardVersion, *, actor: str, reason: str) -> None:
    """Activate the first version of a new store, inside the caller's transaction.

    Writes: its status, one row in ``activations``, and the event ``version.activated``.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The first version.
    actor : str
        Who initialises the store.
    reason : str
        Why.
    """
    document = _activation(db, row, None, "initial", actor, reason, None)
    _promote(db, document, _record(db, "version.activated", document), row, None)


def active_version_at(db: Session, time: datetime) -> Document:
    """Say which version decided at a time.

    Parameters
    ----------
    db : Session
        The store.
    time : datetime
        A moment; without a zone it is UTC.

    Returns
    -------
    dict
        ``at``, ``version``, its status now, since when, by whom and why it was active, and
        ``emergencies`` that no approver has acknowledged.

    Raises
    ------
    InvalidInputError
        If the moment lies after today.
    NotFoundError
        If the moment lies before the store began.
    """
    moment = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    found = find_activation_at(db, moment)
    today = utc_now().date()
    if moment.date() > today:
        raise InvalidInputError(
            f"{moment.date()} lies in the future (today is {today} UTC): nobody knows which "
            "version will be active then.",
            at=moment.isoformat(),
        )
    if found is None:
        raise NotFoundError(
            f"No version was active at {moment.isoformat()}: the store began later.",
            at=moment.isoformat(),
        )
    return {
        "at": moment.isoformat(),
        "version": found.version,
        "status": require_version(db, found.version).status,
        "since": found.at.isoformat(),
        "kind": found.kind,
        "previous_version": found.previous_version,
        "actor": found.actor,
        "reason": found.reason,
        "emergencies": [emergency_document(entry) for entry in list_open_emergencies(db)],
    }


def _activation(
    db: Session,
    row: ScorecardVersion,
    previous: ScorecardVersion | None,
    kind: str,
    actor: str,
    reason: str,
    override_reason: str | None,
) -> Document:
    """Describe an activation that is about to be made."""
    if previous is not None:
        next_status(previous.status, "retire", previous.version)
    settled_until(db)  # decisions under way come first: none lies after the time of this step
    return {
        "version": row.version,
        "status": "active",
        "kind": kind,
        "previous_version": None if previous is None else previous.version,
        "activated_at": _not_before_the_last(db).isoformat(),
        "actor": actor,
        "reason": reason,
        "override_reason": override_reason,
    }


def _promote(
    db: Session,
    document: Document,
    audit_seq: int,
    row: ScorecardVersion,
    previous: ScorecardVersion | None,
) -> None:
    """Add the row; the database retires the version before and activates this one with it."""
    columns = ("version", "kind", "previous_version", "actor", "reason", "override_reason")
    db.add(
        Activation(
            **{name: document[name] for name in columns},
            at=datetime.fromisoformat(document["activated_at"]),
            audit_seq=audit_seq,
        )
    )
    db.flush()
    db.expire(row)
    if previous is not None:
        db.expire(previous)


def _not_before_the_last(db: Session) -> datetime:
    """Keep the order of activations when a clock was set back."""
    now = utc_now()
    later = find_activation_at(db, datetime.max.replace(tzinfo=UTC))
    return now if later is None else max(now, later.at)


def _record(db: Session, action: str, document: Document) -> int:
    payload = {key: value for key, value in document.items() if key not in ("version", "actor")}
    return record(
        db,
        actor=document["actor"],
        action=action,
        subject=f"version:{document['version']}",
        payload=payload,
    )
