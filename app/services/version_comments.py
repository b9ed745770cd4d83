"""What people say about a version, and everything that happened to it, from the audit chain."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.types import Document
from app.errors import InvalidInputError
from app.queries.audit import list_events
from app.queries.versions import require_version
from app.services.audit_service import record
from app.services.version_cases import require_text
from app.services.version_hashes import verified_review_hash

LONGEST = 4_000
"""Characters of a comment."""

MOST_EVENTS = 1_000
"""A conversation shows the newest ones."""

_COMMENTED = "version.commented"
_SAID = ("text", "reason", "note")


def add_comment(db: Session, version: str, *, actor: str, text: str) -> Document:
    """Put a comment on a version on record.

    Writes: the event ``version.commented``.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Its name; any status.
    actor : str
        Who says it.
    text : str
        What; not blank, at most 4,000 characters.

    Returns
    -------
    dict
        version, actor, text, and the ``review_hash`` it was written against.

    Raises
    ------
    InvalidInputError
        If the text is blank or too long.
    NotFoundError
        If there is no such version.
    """
    said = require_text(text, "comment")
    if len(said) > LONGEST:
        raise InvalidInputError(
            f"A comment has at most {LONGEST:,} characters, this one has {len(said):,}.",
            n_characters=len(said),
        )
    with transaction(db):
        row = require_version(db, version)
        facts = {"text": said, "review_hash": verified_review_hash(db, row)}
        record(db, actor=actor, action=_COMMENTED, subject=f"version:{version}", payload=facts)
    return {"version": version, "actor": actor, **facts}


def list_comments(db: Session, version: str) -> tuple[Document, ...]:
    """List the comments on a version.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Its name.

    Returns
    -------
    tuple of dict
        Oldest first, the newest 1,000: version, actor, at, text and review_hash.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    require_version(db, version)
    events = list_events(db, action=_COMMENTED, subject=f"version:{version}", limit=MOST_EVENTS)
    return tuple(
        {
            "version": version,
            "actor": event["actor"],
            "at": event["at"],
            "text": event["payload"]["text"],
            "review_hash": event["payload"]["review_hash"],
        }
        for event in reversed(events)
    )


def read_conversation(db: Session, version: str) -> tuple[Document, ...]:
    """Tell what happened to a version: proposal, comments, reviews, withdrawals, activations.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Its name.

    Returns
    -------
    tuple of dict
        In time order, the newest 1,000: ``seq``, ``at``, ``actor``, ``action`` (as
        ``version.approved``), ``text`` (comment, reason or note; None where there was none),
        ``review_hash`` (what it was said of), ``acknowledged``, ``override_reason``,
        ``previous_version``, ``notice`` and the event's ``hash``.
    """
    events = list_events(db, subject=f"version:{version}", limit=MOST_EVENTS)
    return tuple(_entry(event) for event in reversed(events))


def _entry(event: Document) -> Document:
    facts = event["payload"]
    return {
        "seq": event["seq"],
        "at": event["at"],
        "actor": event["actor"],
        "action": event["action"],
        "text": next((facts[key] for key in _SAID if facts.get(key)), None),
        "review_hash": facts.get("review_hash"),
        "acknowledged": facts.get("acknowledged") or [],
        "override_reason": facts.get("override_reason"),
        "previous_version": facts.get("previous_version"),
        "notice": facts.get("notice"),
        "hash": event["hash"],
    }
