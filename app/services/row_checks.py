"""Hold each row of the control plane against the event of the audit chain that recorded it.

Triggers keep history from being changed, and the chain shows a change of itself. Whoever owns the
schema can take the triggers away, change a row and put them back: only this comparison shows it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.counted import counted
from app.domain.types import Document
from app.errors import TamperingError
from app.models import (
    AlertStep,
    Batch,
    LabelSet,
    ModelRegistry,
    MonitoringReference,
    MonitoringReport,
    Review,
    ScoreCalibration,
    ScorecardVersion,
    ScoreSet,
    Verdict,
)
from app.models.base import Base
from app.queries.audit import require_head, stream_events
from app.queries.evidence import list_verdicts, newest_per_gate
from app.queries.store_schema import count_dangling_rows
from app.services.label_rows import stored_labels_hash
from app.services.model_documents import stored_model_hash
from app.services.recorded_rows import (
    ACTIVATED,
    RECORDED_KINDS,
    RecordedEvent,
    RecordedKind,
)
from app.services.version_hashes import verified_review_hash

Problem = tuple[str, str]
"""A row, such as ``version:v1``, and what is wrong with it."""

_BEFORE_ANY: tuple[str, ...] = (
    "draft.created", "version.approved", "version.rejected", "version.approval_withdrawn",
)  # fmt: skip


_MOVES = {"status"}
"""What a later event changes; `_check_statuses` holds it against the newest one."""

_HASHED = (MonitoringReference, ScoreCalibration, MonitoringReport)
_OWN_WORDS = {Review: {"kind", "status", "reason"}, ScoreSet: {"version"}, AlertStep: {"kind"}}
"""What an event says of something else than the row: an activation's kind, say."""

_UNSAID: Mapping[type[Base], Document] = {Batch: {"group_columns": None}}
"""What a row holds where its event says nothing of it."""


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
    rows = {kind.table: _read(db, kind) for kind in RECORDED_KINDS}
    events = [
        RecordedEvent(row.seq, row.actor, row.action, row.subject, json.loads(row.payload))
        for row in stream_events(db)
    ]
    for kind in RECORDED_KINDS:
        yield from _check_rows(kind, rows[kind.table], events, known_before)
    yield from _check_statuses(rows[ScorecardVersion], events, known_before)
    for table, n_rows in count_dangling_rows(db).items():
        yield table, f"{counted(n_rows, 'row names', 'rows name')} what is not there"
    yield from _check_contents(rows)
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


def _check_contents(rows: Mapping[type[Base], Sequence[Any]]) -> Iterator[Problem]:
    for kind in RECORDED_KINDS:
        for row in rows[kind.table] if kind.table in _HASHED else ():
            if content_hash(row.content) != row.content_hash:
                yield kind.name(row), "its content does not have the hash that was stored with it"


def _read(db: Session, kind: RecordedKind) -> Sequence[Any]:
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
    kind: RecordedKind, rows: Sequence[Any], events: Sequence[RecordedEvent], known_before: int
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


def _differences(kind: RecordedKind, row: Any, event: RecordedEvent) -> list[str]:
    skipped = _OWN_WORDS.get(kind.table, set())
    if kind.table is ScorecardVersion:
        skipped = _MOVES
    columns = set(kind.table.__table__.columns.keys())
    changed = [
        name
        for name, value in {**_UNSAID.get(kind.table, {}), **event.payload}.items()
        if name in columns - skipped and _plain(getattr(row, name)) != _plain(value)
    ]
    if getattr(row, "audit_seq", None) not in {None, event.seq}:
        changed.append("audit_seq")
    if kind.person is not None and getattr(row, kind.person) != event.actor:
        return [kind.person, *changed]
    return changed


def _plain(value: Any) -> Any:
    """Give a value as JSON gives it back, so that both sides compare."""
    return json.loads(json.dumps(value, default=str))


def _check_statuses(
    versions: Sequence[ScorecardVersion], events: Sequence[RecordedEvent], known_before: int
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


def _statuses(events: Iterable[RecordedEvent]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in events:
        if event.action in ACTIVATED:
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
    db: Session, label_sets: str, events: Sequence[RecordedEvent], known_before: int
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
