"""Hold recorded decisions against their own hashes and against the sealed roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.domain.decisions import decision_hash
from app.domain.merkle import merkle_root
from app.domain.types import Document, Progress
from app.errors import TamperingError
from app.queries import decisions as queries
from app.services.decision_seals import split_hashes

Problem = tuple[str, str]
"""A row, such as ``decision:d-0199...``, and what is wrong with it."""

_GONE_SHOWN = 100


def require_unaltered_decisions(db: Session, progress: Progress | None = None) -> Document:
    """Refuse a store in which a recorded decision was edited, deleted or slipped in.

    Parameters
    ----------
    db : Session
        The store, whose audit chain holds.
    progress : callable, optional
        Called as ``progress("decisions", done, total)``.

    Returns
    -------
    dict
        n_decisions and n_sealed.

    Raises
    ------
    TamperingError
        Names the first decision or seal that is not what was written.
    """
    counted = {"n_decisions": 0}
    last = queries.last_number(db)

    def count(seq: int) -> None:
        counted["n_decisions"] += 1
        if progress is not None and counted["n_decisions"] % 1000 == 0:
            progress("decisions", seq, max(last, seq))

    for subject, problem in find_altered_decisions(db, count):
        raise TamperingError(f"{subject}: {problem}", subject=subject)
    n_sealed = sum(payload["n_decisions"] for *_, payload in queries.list_seal_events(db))
    return {**counted, "n_sealed": n_sealed}


def find_altered_decisions(db: Session, on_row: Any = None) -> Iterator[Problem]:
    """Find decisions and seals that are not what was written; the audit chain is taken as sound.

    In constant memory but for the hashes of one seal. What was deleted before it was sealed left
    no trace: how often is sealed says how long that is possible.

    Parameters
    ----------
    db : Session
        The store.
    on_row : callable, optional
        Called with the number of each decision that was read.

    Yields
    ------
    tuple of str
        The decision or seal, and what is wrong with it.
    """
    done = 0
    for _, _, subject, payload in queries.list_seal_events(db):
        yield from _check_outside(db, done, payload["first_seq"] - 1, subject)
        yield from _check_sealed(db, subject, payload, on_row)
        done = payload["last_seq"]
    for row in queries.stream_decisions(db, after=done):
        if on_row is not None:
            on_row(row.seq)
        yield from _check_hash(row)


def _check_outside(db: Session, after: int, until: int, subject: str) -> Iterator[Problem]:
    """Find rows with numbers that were settled without them."""
    for row in queries.stream_decisions(db, after=after, until=until):
        yield f"decision:{row.id}", f"it was slipped in before {subject}, which does not know it"


def _check_sealed(db: Session, subject: str, payload: Document, on_row: Any) -> Iterator[Problem]:
    hashes = _trusted_hashes(db, subject, payload)
    if hashes is None:
        yield subject, "its row or its hashes are not what event and root say"
    expected = _numbers(payload["runs"])
    due = next(expected, None)
    place, found_bad, rows_hashed = 0, False, []
    span = {"after": payload["first_seq"] - 1, "until": payload["last_seq"]}
    for row in queries.stream_decisions(db, **span):
        if on_row is not None:
            on_row(row.seq)
        while due is not None and due < row.seq:
            found_bad = True
            yield f"decision number {due}", f"it is gone: {subject} was made with it"
            due, place = next(expected, None), place + 1
        if due != row.seq:
            found_bad = True
            yield f"decision:{row.id}", f"it was slipped in: {subject} was made without it"
            continue
        wrong = [*_check_hash(row)]
        if not wrong and hashes is not None and row.row_hash != hashes[place].hex():
            wrong = [(f"decision:{row.id}", f"it was edited: its hash is not the one in {subject}")]
        yield from wrong
        found_bad = found_bad or bool(wrong)
        rows_hashed.append(bytes.fromhex(row.row_hash) if not wrong else b"")
        due, place = next(expected, None), place + 1
    while due is not None:
        found_bad = True
        yield f"decision number {due}", f"it is gone: {subject} was made with it"
        due = next(expected, None)
    if hashes is None and not found_bad and merkle_root(rows_hashed).hex() != payload["root"]:
        yield subject, "one of its decisions was edited: they do not have the sealed root"


def _trusted_hashes(db: Session, subject: str, payload: Document) -> Sequence[bytes] | None:
    """Give the hashes that a seal keeps, if row and root are those of the event."""
    seal = queries.find_seal(db, int(subject.rpartition(":")[2]))
    if seal is None or any(
        getattr(seal, name) != payload[name]
        for name in ("first_seq", "last_seq", "n_decisions", "runs", "root")
    ):
        return None
    hashes = split_hashes(seal.row_hashes)
    db.expunge(seal)
    if len(hashes) != payload["n_decisions"] or merkle_root(hashes).hex() != payload["root"]:
        return None
    return hashes


def _numbers(runs: Sequence[Sequence[int]]) -> Iterator[int]:
    for first, last in runs:
        yield from range(first, last + 1)


def _check_hash(row: Any) -> Iterator[Problem]:
    try:
        found = decision_hash(queries.decision_record(row))
    except (TypeError, ValueError, AttributeError):  # a column of another type than was written
        found = ""
    if found != row.row_hash:
        yield f"decision:{row.id}", "it was edited: its columns are not what was hashed"
