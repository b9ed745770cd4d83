"""The hashes of a version: of its evidence, and of all that an approval binds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import TamperingError
from app.models import ScorecardVersion
from app.queries.evidence import list_evidence, list_verdicts

_NUMBERS = ("value", "threshold")


def evidence_hash(kinds: Mapping[str, str], verdicts: Sequence[Document]) -> str | None:
    """Hash what a reviewer sees beside the content.

    Parameters
    ----------
    kinds : mapping of str to str
        Content hash by kind of evidence.
    verdicts : sequence of dict
        As :meth:`app.domain.gates.Verdict.as_dict` gives them, in order.

    Returns
    -------
    str or None
        64 hexadecimal digits; None where there is neither evidence nor verdict.

    Examples
    --------
    >>> evidence_hash({}, []) is None
    True
    """
    if not kinds and not verdicts:
        return None
    return content_hash({"evidence": dict(kinds), "verdicts": [_plain(v) for v in verdicts]})


def _plain(verdict: Document) -> Document:
    """Write numbers as the database gives them back, so that both sides hash the same."""
    floats = {key: None if verdict[key] is None else float(verdict[key]) for key in _NUMBERS}
    interval = verdict["interval"]
    return {
        **verdict,
        **floats,
        "interval": None if interval is None else [float(end) for end in interval],
    }


def review_hash(content: str, evidence: str | None) -> str:
    """Hash content and evidence together: what an approval binds.

    Parameters
    ----------
    content : str
        Hash of the card.
    evidence : str or None
        Hash of the evidence.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return content_hash({"content": content, "evidence": evidence})


def verified_review_hash(db: Session, row: ScorecardVersion) -> str:
    """Compute the review hash anew from what is stored now.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TamperingError
        If the stored content, features, evidence or verdicts no longer have the hash that was
        recorded when the draft was made.
    """
    card = Scorecard.from_document(row.content)
    weights = {name: part["weight"] for name, part in row.features.items()}
    changed = []
    if card.content_hash != row.content_hash:
        changed.append("content")
    if weights != {name: feature.weight for name, feature in card.features.items()}:
        changed.append("features")
    if _stored_evidence_hash(db, row) != row.evidence_hash:
        changed.append("evidence")
    if changed:
        raise TamperingError(
            f"The stored {' and '.join(changed)} of {row.version} changed after the draft was "
            "made. Run `chancellor audit verify` and `chancellor doctor`.",
            version=row.version,
            changed=changed,
        )
    return review_hash(row.content_hash, row.evidence_hash)


def _stored_evidence_hash(db: Session, row: ScorecardVersion) -> str | None:
    kinds = {
        piece.kind: content_hash(piece.content)
        for piece in list_evidence(db, "version", row.version)
    }
    return evidence_hash(kinds, list_verdicts(db, "version", row.version))
