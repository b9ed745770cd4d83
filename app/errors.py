"""Every error that Chancellor raises on purpose, in one tree.

::

    ChancellorError
    ├── InvalidInputError              what was given is not usable       (exit 3)
    │   ├── DocumentError              a card, policy or definition; names the place
    │   ├── IntakeError                a file; every fault with row and column
    │   ├── CircularLabelError         labels made from the card's own score
    │   ├── ImmatureOutcomesError      no date through which outcomes are complete
    │   └── ValidationInfeasibleError  a forced validation mode cannot be done
    ├── QualityGateError               a gate failed; carries the verdicts (exit 4)
    ├── NotFoundError                  no such batch, model, version, ...  (exit 5)
    │   └── StoreNotInitialisedError   there is no store yet
    ├── ConflictError                  the state does not allow it         (exit 6)
    │   ├── TransitionError            not a step of the transition table
    │   ├── StaleContentError          the hash is not the one that was reviewed
    │   ├── BaselineError              the baseline is not the one expected
    │   └── OpenTransactionError       long work was asked for inside a transaction
    ├── NotPermittedError              this person may not do this         (exit 6)
    │   ├── SelfReviewError            maker and checker must differ
    │   ├── TokenRefusedError          a token of a sign-in that does not hold
    │   └── KeyRefusedError            no, or an unknown, expired or revoked API key
    ├── TamperingError                 history is not what was written     (exit 7)
    │   ├── AuditChainError            names the first bad event
    │   ├── CheckpointError            a signed checkpoint does not hold
    │   ├── StoreDamagedError          the database itself cannot be read
    │   └── FileHashError              names the file that changed
    └── UnavailableError               the database, lake or Dagster does not answer (exit 1)

Each face keeps one table from class to exit code or status; a test fails on an unmapped leaf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ChancellorError(Exception):
    """Root of the tree: a message that says what to do, and the facts behind it.

    Parameters
    ----------
    message : str
        One or two sentences: what is wrong, where, and what to do.
    **facts : Any
        JSON-ready values that a face may show beside the message.
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, Any] = facts


class InvalidInputError(ChancellorError):
    """What was given cannot be used as it is."""


class DocumentError(InvalidInputError):
    """A scorecard, policy or definition document is wrong at a named place.

    Parameters
    ----------
    place : str
        Path in the document, for example ``features.age.transform.edges``.
    problem : str
        What is wrong there and what would be right.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem, place=place, problem=problem)
        self.place = place
        self.problem = problem


class IntakeError(InvalidInputError):
    """A file holds faults; nothing came of it.

    Parameters
    ----------
    file : str
        Name of the file as the user gave it.
    faults : sequence of mapping
        The first 20 faults: ``row`` (line number in the file, header is 1, or None),
        ``column`` (or None), ``value`` (or None) and ``problem``.
    n_faults : int
        How many faults there are in all.
    undone : str, default "stored"
        What therefore was done with nothing.
    """

    def __init__(
        self,
        file: str,
        faults: Sequence[Mapping[str, Any]],
        n_faults: int,
        undone: str = "stored",
    ) -> None:
        lines = "\n".join(f"  {_fault_line(fault)}" for fault in faults)
        more = f"\n  ... and {n_faults - len(faults):,} more" if n_faults > len(faults) else ""
        noun = "fault" if n_faults == 1 else "faults"
        super().__init__(
            f"{file}: {n_faults:,} {noun}, nothing was {undone}\n{lines}{more}",
            file=file,
            faults=[dict(fault) for fault in faults],
            n_faults=n_faults,
        )


def _fault_line(fault: Mapping[str, Any]) -> str:
    where = [f"{name} {fault[name]}" for name in ("row", "column") if fault.get(name) is not None]
    return f"{', '.join(where) or 'file'}: {fault['problem']}"


class CircularLabelError(InvalidInputError):
    """Labels made from the scorecard's own score would only teach it itself."""


class ImmatureOutcomesError(InvalidInputError):
    """No outcome import declared through which date it is complete."""


class ValidationInfeasibleError(InvalidInputError):
    """A validation mode was forced that this sample does not allow."""


class QualityGateError(ChancellorError):
    """A quality gate failed; its verdicts are stored.

    Parameters
    ----------
    message : str
        Which gate failed, with value and threshold, and the advice.
    verdicts : tuple of dict
        Every verdict of the evaluation, passed ones included.
    **facts : Any
        Such as ``model_id`` and ``advice``.
    """

    def __init__(
        self, message: str, verdicts: tuple[dict[str, Any], ...] = (), **facts: Any
    ) -> None:
        super().__init__(message, verdicts=[dict(verdict) for verdict in verdicts], **facts)
        self.verdicts = verdicts


class NotFoundError(ChancellorError):
    """There is no such thing; the message lists what there is."""


class StoreNotInitialisedError(NotFoundError):
    """There is no store here yet: run ``chancellor init``."""


class ConflictError(ChancellorError):
    """The present state does not allow this."""


class TransitionError(ConflictError):
    """The transition table has no such step from the present status."""


class StaleContentError(ConflictError):
    """What is stored is not what the person reviewed."""


class BaselineError(ConflictError):
    """The baseline is not the version that this model or draft was made against."""


class OpenTransactionError(ConflictError):
    """Training and refinement refuse to run inside an open transaction."""


class NotPermittedError(ChancellorError):
    """The person may not do what was asked."""


class SelfReviewError(NotPermittedError):
    """Maker and checker must be two people."""


class TokenRefusedError(NotPermittedError):
    """The identity provider does not vouch for this token."""


class KeyRefusedError(NotPermittedError):
    """Nobody is known by this API key."""


class TamperingError(ChancellorError):
    """Stored history is not what was written."""


class AuditChainError(TamperingError):
    """The audit chain breaks at a named event."""


class CheckpointError(TamperingError):
    """A checkpoint's signature does not hold, or it is another key's."""


class StoreDamagedError(TamperingError):
    """The database is damaged: something in it cannot be read, or contradicts itself."""


class FileHashError(TamperingError):
    """A stored file does not have the hash that was recorded for it."""


class UnavailableError(ChancellorError):
    """The database, the lake or Dagster does not answer."""
