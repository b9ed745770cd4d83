"""Hold each row of the control plane against the event of the audit chain that recorded it.

Triggers keep history from being changed, and the chain shows a change of itself. Whoever owns the
schema can take the triggers away, change a row and put them back: only this comparison shows it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.counted import counted
from app.domain.types import Document
from app.errors import TamperingError
from app.models import (
    Activation,
    ApiKey,
    ApiKeyRevocation,
    ApprovalWithdrawal,
    Batch,
    DecisionSeal,
    EmergencyAcknowledgement,
    ExposureImport,
    LabelSet,
    ModelRegistry,
    OutcomeDefinition,
    OutcomeImport,
    Policy,
    Review,
    ScorecardVersion,
    ScoreSet,
    Verdict,
    Withdrawal,
)
from app.models.base import Base
from app.queries.audit import require_head, stream_events
from app.queries.evidence import list_verdicts, newest_per_gate
from app.queries.store_schema import count_dangling_rows
from app.services.label_rows import stored_labels_hash
from app.services.model_documents import stored_model_hash
from app.services.version_hashes import verified_review_hash

Problem = tuple[str, str]
"""A row, such as ``version:v1``, and what is wrong with it."""

_BEFORE_ANY: tuple[str, ...] = (
    "draft.created", "version.approved", "version.rejected", "version.approval_withdrawn",
)  # fmt: skip
_ACTIVATED = ("version.activated", "version.rolled_back", "version.emergency_rollback")


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, with its payload read."""

    seq: int
    actor: str
    action: str
    subject: str
    payload: Document


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the rows of one table are recorded.

    `name` gives the row's name, which the event gives too; the same name again is counted.
    """

    table: type[Base]
    person: str
    name: Callable[[Any], str]
    recorded_as: Callable[[_Event], str | None]
    order: str = "id"


def _of(action: str, *more: str) -> Callable[[_Event], str | None]:
    """Name the subject of an event of one action, and more of its payload."""

    def name(event: _Event) -> str | None:
        parts = (str(event.payload.get(key)) for key in more)
        return " ".join((event.subject, *parts)) if event.action == action else None

    return name


def _naming(action: str, words: str, key: str) -> Callable[[_Event], str | None]:
    """Name a row by what an event of one action says of it."""

    def name(event: _Event) -> str | None:
        return f"{words} {event.payload.get(key)}" if event.action == action else None

    return name


def _withdrawn(event: _Event) -> str | None:
    return f"withdrawal of {event.subject}" if event.action.endswith(".withdrawn") else None


def _activation(event: _Event) -> str | None:
    kind = event.payload.get("kind")
    return f"{kind} of {event.subject}" if event.action in _ACTIVATED else None


def _review(event: _Event) -> str | None:
    if event.action == "version.rejected":
        return f"reject of {event.subject} by {event.actor}"
    counts = event.action == "version.activated" and event.payload.get("counted_as_approval")
    if counts or event.action == "version.approved":
        return f"approve of {event.subject} by {event.actor}"
    return None


_KINDS: tuple[_Kind, ...] = (
    _Kind(Policy, "created_by", lambda row: f"policy:{row.id}", _of("policy.set")),
    _Kind(
        OutcomeDefinition,
        "created_by",
        lambda row: f"definition:{row.name} {row.version}",
        _of("definition.added", "version"),
    ),
    _Kind(
        ScorecardVersion, "created_by", lambda row: f"version:{row.version}", _of("draft.created")
    ),
    _Kind(
        Batch,
        "created_by",
        lambda row: f"batch:{row.batch_id}",
        _of("batch.imported"),
        order="batch_id",
    ),
    _Kind(
        OutcomeImport,
        "created_by",
        lambda row: f"outcome_import:{row.id}",
        _of("outcomes.imported"),
    ),
    _Kind(
        ExposureImport,
        "created_by",
        lambda row: f"exposure_import:{row.id}",
        _of("exposures.imported"),
    ),
    _Kind(
        ScoreSet,
        "created_by",
        lambda row: f"batch:{row.batch_id} {row.version}",
        _of("scores.written", "version"),
    ),
    _Kind(
        DecisionSeal, "sealed_by", lambda row: f"seal:{row.id}", _of("decisions.sealed")
    ),
    _Kind(LabelSet, "created_by", lambda row: f"label_set:{row.id}", _of("labels.generated")),
    _Kind(ModelRegistry, "created_by", lambda row: f"model:{row.id}", _of("model.registered")),
    _Kind(
        Withdrawal,
        "actor",
        lambda row: f"withdrawal of {row.subject_kind}:{row.subject_id}",
        _withdrawn,
    ),
    _Kind(
        Review,
        "reviewer",
        lambda row: f"{row.kind} of version:{row.version} by {row.reviewer}",
        _review,
    ),
    _Kind(
        ApprovalWithdrawal,
        "actor",
        lambda row: f"withdrawal of approval {row.review_id}",
        _naming("version.approval_withdrawn", "withdrawal of approval", "review_id"),
    ),
    _Kind(
        EmergencyAcknowledgement,
        "actor",
        lambda row: f"acknowledgement of activation {row.activation_id}",
        _naming("version.emergency_acknowledged", "acknowledgement of activation", "activation_id"),
    ),
    _Kind(
        Activation, "actor", lambda row: f"{row.kind} of version:{row.version}", _activation
    ),
    _Kind(ApiKey, "created_by", lambda row: f"key:{row.id}", _of("key.created")),
    _Kind(
        ApiKeyRevocation,
        "actor",
        lambda row: f"revocation of key:{row.key_id}",
        lambda event: f"revocation of {event.subject}" if event.action == "key.revoked" else None,
        order="key_id",
    ),
)  # fmt: skip
_MOVES = {"status"}
"""What a later event changes; `_check_statuses` holds it against the newest one."""

_OWN_WORDS = {Review: {"kind", "status", "reason"}, ScoreSet: {"version"}}
"""What an event says of something else than the row: an activation's kind, say."""


def find_altered_rows(db: Session) -> Iterator[Problem]:
    """Find rows that are not what the audit chain recorded; the chain itself is taken as sound.

    Parameters
    ----------
    db : Session
        The store.

    Yields
    ------
    tuple of str
        The row, and what is wrong: it was changed, no event recorded it, or it is gone. A row
        that somebody commits meanwhile is no finding.
    """
    known_before = require_head(db).seq
    rows = {kind.table: _read(db, kind) for kind in _KINDS}
    events = [
        _Event(row.seq, row.actor, row.action, row.subject, json.loads(row.payload))
        for row in stream_events(db)
    ]
    for kind in _KINDS:
        yield from _check_rows(kind, rows[kind.table], events, known_before)
    yield from _check_statuses(rows[ScorecardVersion], events, known_before)
    for table, n_rows in count_dangling_rows(db).items():
        yield table, f"{counted(n_rows, 'row names', 'rows name')} what is not there"
    for version in rows[ScorecardVersion]:
        try:
            verified_review_hash(db, version)
        except TamperingError as error:
            yield f"version:{version.version}", error.message
    for label_set in rows[LabelSet]:
        if stored_labels_hash(db, label_set.id) != label_set.content_hash:
            yield f"label_set:{label_set.id}", "its labels are not those that were generated"
    for subject in _judged_label_sets(db):
        yield from _check_verdicts(db, subject, events, known_before)
    for model in rows[ModelRegistry]:
        if stored_model_hash(db, model) != model.content_hash:
            yield f"model:{model.id}", "its content or its verdicts are not what was registered"


def _read(db: Session, kind: _Kind) -> Sequence[Any]:
    order = getattr(kind.table, kind.order)
    return db.scalars(
        select(kind.table).order_by(order).execution_options(populate_existing=True)
    ).all()


def _numbered(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name, seen[name]


def _check_rows(
    kind: _Kind, rows: Sequence[Any], events: Sequence[_Event], known_before: int
) -> Iterator[Problem]:
    named = [(name, event) for event in events if (name := kind.recorded_as(event)) is not None]
    keys = _numbered(name for name, _ in named)
    recorded = {key: event for key, (_, event) in zip(keys, named, strict=True)}
    for key, row in zip(_numbered(kind.name(row) for row in rows), rows, strict=True):
        event = recorded.pop(key, None)
        if event is None:
            yield key[0], f"no event recorded this row of {kind.table.__tablename__}"
            continue
        changed = _differences(kind, row, event)
        if changed:
            said = ", ".join(changed)
            yield key[0], f"{said} differ{'s' if len(changed) == 1 else ''} from event {event.seq}"
    for (name, _), event in recorded.items():
        if event.seq <= known_before:
            yield name, f"event {event.seq} recorded a row that {kind.table.__tablename__} lacks"


def _differences(kind: _Kind, row: Any, event: _Event) -> list[str]:
    skipped = _OWN_WORDS.get(kind.table, set())
    if kind.table is ScorecardVersion:
        skipped = _MOVES
    columns = set(kind.table.__table__.columns.keys())
    changed = [
        name
        for name, value in event.payload.items()
        if name in columns - skipped and _plain(getattr(row, name)) != _plain(value)
    ]
    if getattr(row, "audit_seq", None) not in {None, event.seq}:
        changed.append("audit_seq")
    return changed if getattr(row, kind.person) == event.actor else [kind.person, *changed]


def _plain(value: Any) -> Any:
    """Give a value as JSON gives it back, so that both sides compare."""
    return json.loads(json.dumps(value, default=str))


def _check_statuses(
    versions: Sequence[ScorecardVersion], events: Sequence[_Event], known_before: int
) -> Iterator[Problem]:
    before = _statuses(event for event in events if event.seq <= known_before)
    now = _statuses(events)
    for row in versions:
        subject = f"version:{row.version}"
        if row.status not in {before.get(subject), now.get(subject)} and subject in now:
            yield (
                subject,
                f"it is {row.status}, the events say {now[subject]}: nobody decided that",
            )


def _statuses(events: Iterable[_Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in events:
        if event.action in _ACTIVATED:
            previous = event.payload.get("previous_version")
            if previous is not None:
                found[f"version:{previous}"] = "inactive"
            found[event.subject] = "active"
        elif event.action in _BEFORE_ANY:
            found[event.subject] = str(event.payload.get("status", "draft"))
    return found


def _judged_label_sets(db: Session) -> Sequence[str]:
    """Give the label sets that have verdicts, ``1`` or ``1,2`` where they trained together."""
    judged = select(Verdict.subject_id).where(Verdict.subject_kind == "label_set")
    return db.scalars(judged.distinct().order_by(Verdict.subject_id)).all()


def _check_verdicts(
    db: Session, label_sets: str, events: Sequence[_Event], known_before: int
) -> Iterator[Problem]:
    subject = f"label_set:{label_sets}"
    said: dict[str, set[str]] = {}
    for event in events:
        if event.subject == subject and "gates" in event.payload:
            for gate, verdict in _gates(event.payload["gates"]):
                older = said.get(gate, set()) if event.seq > known_before else set()
                said[gate] = older | {verdict}
    stored = newest_per_gate(list_verdicts(db, "label_set", label_sets))
    changed = [
        verdict["gate"]
        for verdict in stored
        if not said.get(verdict["gate"], set()) & {verdict["verdict"], _text(verdict)}
    ]
    if changed:
        yield subject, f"the verdicts on {', '.join(changed)} are not what was stored"


def _gates(gates: Document | Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Give each gate with its verdict: its whole text where the event has it."""
    if isinstance(gates, dict):
        yield from gates.items()
    else:
        yield from ((verdict["gate"], _text(verdict)) for verdict in gates)


def _text(verdict: Document) -> str:
    return json.dumps(_plain(verdict), sort_keys=True)
