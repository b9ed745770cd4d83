"""The one table from error class to exit code, the last word on every failure."""

from __future__ import annotations

from app.edge.errors import error_code
from app.errors import (
    AuditChainError,
    BaselineError,
    ChancellorError,
    CheckpointError,
    CircularLabelError,
    ConflictError,
    DocumentError,
    FileHashError,
    ImmatureOutcomesError,
    IntakeError,
    InvalidInputError,
    KeyRefusedError,
    NotFoundError,
    NotPermittedError,
    OpenTransactionError,
    QualityGateError,
    SelfReviewError,
    StaleContentError,
    StoreDamagedError,
    StoreNotInitialisedError,
    TamperingError,
    TokenRefusedError,
    TransitionError,
    UnavailableError,
    ValidationInfeasibleError,
)

DONE, UNEXPECTED, USAGE = 0, 1, 2
BAD_INPUT, GATE_FAILED, NOT_FOUND, CONFLICT, TAMPERING = 3, 4, 5, 6, 7
INTERRUPTED = 130

EXIT_CODES: dict[type[ChancellorError], int] = {
    ChancellorError: UNEXPECTED,
    UnavailableError: UNEXPECTED,
    InvalidInputError: BAD_INPUT,
    DocumentError: BAD_INPUT,
    IntakeError: BAD_INPUT,
    CircularLabelError: BAD_INPUT,
    ImmatureOutcomesError: BAD_INPUT,
    ValidationInfeasibleError: BAD_INPUT,
    QualityGateError: GATE_FAILED,
    NotFoundError: NOT_FOUND,
    StoreNotInitialisedError: NOT_FOUND,
    ConflictError: CONFLICT,
    TransitionError: CONFLICT,
    StaleContentError: CONFLICT,
    BaselineError: CONFLICT,
    OpenTransactionError: CONFLICT,
    NotPermittedError: CONFLICT,
    SelfReviewError: CONFLICT,
    TokenRefusedError: CONFLICT,
    KeyRefusedError: CONFLICT,
    TamperingError: TAMPERING,
    AuditChainError: TAMPERING,
    CheckpointError: TAMPERING,
    StoreDamagedError: TAMPERING,
    FileHashError: TAMPERING,
}


def exit_code_of(error: type[ChancellorError]) -> int:
    """Give the exit code of an error class: its own, or that of its nearest ancestor.

    Parameters
    ----------
    error : type of ChancellorError
        The class that was raised.

    Returns
    -------
    int
        The process's exit code.

    Examples
    --------
    >>> exit_code_of(SelfReviewError)
    6
    """
    return next(EXIT_CODES[kind] for kind in error.__mro__ if kind in EXIT_CODES)


def exit_code_of_name(code: str) -> int:
    """Give the exit code of an error that is known by its code only.

    Parameters
    ----------
    code : str
        As ``error_code`` names an error class.

    Returns
    -------
    int
        The exit code of that class; 1 for a code that names none.

    Examples
    --------
    >>> exit_code_of_name("audit_chain"), exit_code_of_name("value")
    (7, 1)
    """
    return next(
        (exits for kind, exits in EXIT_CODES.items() if error_code(kind) == code), UNEXPECTED
    )
