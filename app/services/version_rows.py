"""Write scorecard versions: a frozen row with its evidence and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.canonical import content_hash
from app.domain.gates import Verdict
from app.domain.lifecycle import Origin, version_name
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.models import Evidence, ModelRegistry, ScorecardVersion
from app.queries.policies import current_policy_row
from app.queries.versions import next_number
from app.services.audit_service import record
from app.services.verdict_rows import add_verdicts
from app.services.version_hashes import evidence_hash, review_hash


def add_version_row(
    db: Session,
    *,
    card: Scorecard,
    origin: Origin,
    base_version: str | None,
    model_id: str | None,
    requested_by: str,
    created_by: str,
    note: str | None,
    despite_advice: bool,
    evidence: Mapping[str, Document] | None,
    verdicts: Sequence[Verdict],
) -> ScorecardVersion:
    """Add a draft under the next running number.

    Writes: one row in ``scorecard_versions``, its ``evidence`` and ``verdicts``, and the event
    ``draft.created``.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    card : Scorecard
        The whole content.
    origin : {'person', 'model'}
        Who wrote the weights.
    base_version : str or None
        The version it is made against; None only for the first.
    model_id : str or None
        The model behind a model's draft.
    requested_by : str
        Who asked for the training; the author for a person's version.
    created_by : str
        Who asked for the draft; the author for a person's version.
    note : str or None
        Why.
    despite_advice : bool
        Whether the draft was asked for although the advice was keep.
    evidence : mapping of str to dict, or None
        What the reviewer sees, by kind.
    verdicts : sequence of Verdict
        Every verdict that bears on the draft.

    Returns
    -------
    ScorecardVersion
        The draft.
    """
    number = next_number(db)
    name = version_name(number, origin)
    now = utc_now()
    content = card.to_document()
    kept = {kind: content_hash(document) for kind, document in (evidence or {}).items()}
    row = ScorecardVersion(
        version=name,
        number=number,
        origin=origin,
        status="draft",
        name=card.name,
        features=feature_column(card),
        content=content,
        content_hash=card.content_hash,
        evidence_hash=evidence_hash(kept, [verdict.as_dict() for verdict in verdicts]),
        base_version=base_version,
        model_id=model_id,
        despite_advice=despite_advice,
        created_at=now,
        created_by=created_by,
        requested_by=requested_by,
        note=note or "",
    )
    for kind, document in (evidence or {}).items():
        db.add(
            Evidence(
                subject_kind="version",
                subject_id=name,
                kind=kind,
                content=document,
                content_hash=kept[kind],
                created_at=now,
            )
        )
    add_verdicts(db, "version", name, verdicts, _judged_by(db, model_id))
    db.add(row)  # last: what it was judged on is complete once it is there
    _record(db, row)
    return row


def feature_column(card: Scorecard) -> Document:
    """Give the features of a card as the ``features`` column holds them.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    dict
        By name in card order: ``weight``, ``transform``, ``missing`` and ``reason``.
    """
    documents = card.to_document()["features"]
    return {
        name: {
            "weight": feature.weight,
            "transform": documents[name]["transform"],
            "missing": feature.missing,
            "reason": feature.reason,
        }
        for name, feature in card.features.items()
    }


def _judged_by(db: Session, model_id: str | None) -> str:
    if model_id is None:
        return current_policy_row(db).content_hash
    return db.get_one(ModelRegistry, model_id).policy_hash


def _record(db: Session, row: ScorecardVersion) -> None:
    record(
        db,
        actor=row.created_by,
        action="draft.created",
        subject=f"version:{row.version}",
        payload={
            "origin": row.origin,
            "base_version": row.base_version,
            "model_id": row.model_id,
            "requested_by": row.requested_by,
            "despite_advice": row.despite_advice,
            "content_hash": row.content_hash,
            "evidence_hash": row.evidence_hash,
            "review_hash": review_hash(row.content_hash, row.evidence_hash),
            "note": row.note,
        },
    )
