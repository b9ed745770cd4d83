"""Emergency rollbacks: what they look like, and that an approver looked at them afterwards."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.rights import may_acknowledge_emergency
from app.domain.types import Document
from app.errors import NotFoundError, StaleContentError
from app.models import Activation, EmergencyAcknowledgement
from app.queries.audit import require_head
from app.queries.policies import current_policy
from app.queries.versions import list_open_emergencies, require_version
from app.services.audit_service import record
from app.services.version_cases import raise_unless_allowed, require_text


def acknowledge_emergencies(
    db: Session, *, actor: str, reason: str, newest: str | None = None
) -> Document:
    """Record that an approver looked at the emergency rollbacks that nobody acknowledged yet.

    Writes: for each one row in ``emergency_acknowledgements`` and the event
    ``version.emergency_acknowledged``.

    Parameters
    ----------
    db : Session
        The store.
    actor : str
        An approver who did none of them.
    reason : str
        What was found; not blank.
    newest : str or None
        ``at`` of the last one that the person saw; None where there was no page in between.

    Returns
    -------
    dict
        ``acknowledged``: what :func:`emergency_document` gives, oldest first; actor and reason.

    Raises
    ------
    NotFoundError
        If there is nothing to acknowledge.
    NotPermittedError, SelfReviewError
        If the person may not.
    StaleContentError
        If there was another one after `newest`.
    """
    said = require_text(reason, "reason")
    with transaction(db):
        require_head(db, lock=True)
        found = list_open_emergencies(db)
        if not found:
            raise NotFoundError("There is no emergency rollback to acknowledge.")
        if newest is not None and found[-1].at.isoformat() != newest:
            raise StaleContentError(
                f"{found[-1].actor} rolled back to {found[-1].version} in an emergency after you "
                "opened this page. Look at it, and acknowledge again."
            )
        policy = current_policy(db)[1]
        for activation in found:
            decision = may_acknowledge_emergency(policy, activation.actor, actor)
            raise_unless_allowed(db, require_version(db, activation.version), decision)
        for activation in found:
            facts = {"activation_id": activation.id, "done_by": activation.actor}
            seq = record(
                db,
                actor=actor,
                action="version.emergency_acknowledged",
                subject=f"version:{activation.version}",
                payload={"reason": said, **facts},
            )
            db.add(
                EmergencyAcknowledgement(
                    activation_id=activation.id,
                    actor=actor,
                    reason=said,
                    at=utc_now(),
                    audit_seq=seq,
                )
            )
            db.flush()
        return {
            "acknowledged": [emergency_document(activation) for activation in found],
            "actor": actor,
            "reason": said,
        }


def emergency_document(activation: Activation) -> Document:
    """Describe an emergency rollback.

    Parameters
    ----------
    activation : Activation
        Its row.

    Returns
    -------
    dict
        version, previous_version, actor, reason, at and sentence.
    """
    return {
        "version": activation.version,
        "previous_version": activation.previous_version,
        "actor": activation.actor,
        "reason": activation.reason,
        "at": activation.at.isoformat(),
        "sentence": (
            f"{activation.actor} rolled back to {activation.version} in an emergency on "
            f"{activation.at:%Y-%m-%d %H:%M} UTC: {activation.reason}. No approver has "
            "acknowledged it."
        ),
    }
