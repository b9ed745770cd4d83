"""Seal recorded decisions: one event of the audit chain carries the Merkle root of many rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction, utc_now
from app.domain.canonical import canonical_json
from app.domain.decisions import decision_hash
from app.domain.merkle import inclusion_proof, merkle_root
from app.domain.types import Document
from app.errors import ConflictError, TamperingError
from app.models import Decision, DecisionSeal
from app.queries import decisions as queries
from app.queries.audit import require_head
from app.services.audit_service import record

MOST_PER_SEAL = 250_000
"""Decisions under one root; each costs 32 bytes in the seal."""

HASH_BYTES = 32


def seal_decisions(db: Session, *, actor: str) -> tuple[Document, ...]:
    """Seal every decision that was recorded before this call.

    What is read is final: see :func:`app.queries.decisions.settled_until`. Two who seal at once
    wait for each other at the head of the audit chain; the second begins where the first ended.

    Writes: rows of ``decision_seals`` and their events ``decisions.sealed``.

    Parameters
    ----------
    db : Session
        The store, outside any transaction.
    actor : str
        Who is on the record.

    Returns
    -------
    tuple of dict
        One per seal, oldest first; see ``DecisionService.seal``.

    Raises
    ------
    OpenTransactionError
        If a transaction is open.
    """
    require_no_transaction(db)
    until = queries.settled_until(db)
    db.rollback()  # gives the lock back: who records waits for it
    seals: list[Document] = []
    while True:
        after = queries.sealed_until(db)
        found = queries.list_row_hashes(db, after=after, until=until, limit=MOST_PER_SEAL)
        db.rollback()  # no transaction stays open through the hashing
        if not found:
            return tuple(seals)
        row = _seal_of(found, actor)
        with transaction(db):
            require_head(db, lock=True)
            if queries.sealed_until(db) == after:
                seals.append(_add(db, row, actor))


def _seal_of(found: Sequence[tuple[int, str]], actor: str) -> DecisionSeal:
    hashes = [bytes.fromhex(row_hash) for _, row_hash in found]
    return DecisionSeal(
        first_seq=found[0][0],
        last_seq=found[-1][0],
        n_decisions=len(found),
        runs=runs_of([seq for seq, _ in found]),
        root=merkle_root(hashes).hex(),
        row_hashes=b"".join(hashes),
        sealed_at=utc_now(),
        sealed_by=actor,
    )


def runs_of(numbers: Sequence[int]) -> list[list[int]]:
    """Write increasing numbers as runs; a number that a failed request took is in none.

    Parameters
    ----------
    numbers : sequence of int
        Increasing.

    Returns
    -------
    list of [int, int]
        First and last of each run.

    Examples
    --------
    >>> runs_of([1, 2, 3, 7, 9, 10])
    [[1, 3], [7, 7], [9, 10]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _add(db: Session, row: DecisionSeal, actor: str) -> Document:
    db.add(row)
    db.flush()
    payload = {
        "first_seq": row.first_seq,
        "last_seq": row.last_seq,
        "first_id": queries.find_end(db, row.first_seq),
        "last_id": queries.find_end(db, row.last_seq),
        "n_decisions": row.n_decisions,
        "root": row.root,
        "runs": row.runs,
    }
    event_seq = record(
        db, actor=actor, action=queries.SEALED, subject=f"seal:{row.id}", payload=payload
    )
    shown = {name: value for name, value in payload.items() if name != "runs"}
    return {"seal_id": row.id, "event_seq": event_seq, **shown}


def require_unaltered_decision(row: Decision) -> None:
    """Refuse a decision whose columns are not what was hashed.

    Parameters
    ----------
    row : Decision
        The row, as it is stored now.

    Raises
    ------
    TamperingError
        If somebody changed it.
    """
    found = decision_hash(queries.decision_record(row))
    if found != row.row_hash:
        raise TamperingError(
            f"decision {row.id} was edited: the hash of its columns is {found}, recorded is "
            f"{row.row_hash}. Run `chancellor audit verify`.",
            decision_id=row.id,
            recorded=row.row_hash,
            found=found,
        )


def find_place(runs: Sequence[Sequence[int]], seq: int) -> int | None:
    """Find the position of a number in runs.

    Parameters
    ----------
    runs : sequence of [int, int]
        From `runs_of`.
    seq : int
        The number.

    Returns
    -------
    int or None
        From 0; None where no run holds it.

    Examples
    --------
    >>> [find_place([[1, 3], [7, 9]], seq) for seq in (1, 5, 8)]
    [0, None, 4]
    """
    before = 0
    for first, last in runs:
        if first <= seq <= last:
            return before + seq - first
        before += last - first + 1
    return None


def split_hashes(joined: bytes) -> list[bytes]:
    """Cut joined hashes apart.

    Parameters
    ----------
    joined : bytes
        32 bytes each.

    Returns
    -------
    list of bytes
        In their order.

    Examples
    --------
    >>> [len(part) for part in split_hashes(bytes(64))]
    [32, 32]
    """
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def prove_decision(db: Session, row: Decision) -> Document:
    """Prove that a decision is under the root of its seal.

    Parameters
    ----------
    db : Session
        The store.
    row : Decision
        The decision.

    Returns
    -------
    dict
        See ``DecisionService.prove``.

    Raises
    ------
    ConflictError
        If the decision is not sealed yet.
    TamperingError
        If decision, seal or event are not what was recorded.
    """
    require_unaltered_decision(row)
    seal = queries.find_seal_of(db, row.seq)
    if seal is None:
        raise ConflictError(
            f"decision {row.id} is not sealed yet: chancellor audit seal", decision_id=row.id
        )
    event_seq, event_hash, runs, root = _event_of(db, seal)
    hashes, place = split_hashes(seal.row_hashes), find_place(runs, row.seq)
    if place is None or place >= len(hashes) or hashes[place].hex() != row.row_hash:
        raise _broken(row, seal, "its hash is not the one that was sealed")
    if merkle_root(hashes).hex() != root:
        raise _broken(row, seal, "the hashes of the seal do not have the root of the event")
    return {
        "decision": queries.decision_document(row),
        "text": canonical_json(queries.decision_record(row)._asdict()),
        "row_hash": row.row_hash,
        "seal_id": seal.id,
        "event_seq": event_seq,
        "event_hash": event_hash,
        "index": place,
        "n_decisions": len(hashes),
        "path": [part.hex() for part in inclusion_proof(hashes, place)],
        "root": root,
    }


def _event_of(db: Session, seal: DecisionSeal) -> tuple[int, str, list[list[int]], str]:
    """Find what the audit chain says of a seal: number, hash, runs and root."""
    for seq, event_hash, subject, payload in queries.list_seal_events(db):
        if subject == f"seal:{seal.id}":
            return seq, event_hash, payload["runs"], payload["root"]
    raise TamperingError(f"no event recorded seal {seal.id}", seal_id=seal.id)


def _broken(row: Decision, seal: DecisionSeal, why: str) -> TamperingError:
    return TamperingError(
        f"decision {row.id} is not proven by seal {seal.id}: {why}. Run `chancellor audit verify`.",
        decision_id=row.id,
        seal_id=seal.id,
    )
