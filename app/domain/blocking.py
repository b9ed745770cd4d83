"""Which verdicts stop the way, and which only advise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.types import Document


NEVER_BLOCKING = frozenset({"improves_on_baseline"})
"""Its failure alone is no error but the advice keep."""


def blocking_failures(gates: Iterable[Document]) -> tuple[Document, ...]:
    """List the failed verdicts that block.

    Parameters
    ----------
    gates : iterable of dict
        Verdicts as stored.

    Returns
    -------
    tuple of dict
        Those with verdict ``fail``, except of a gate whose failure is only advice.

    Examples
    --------
    >>> verdicts = [{"gate": "auc_roc", "verdict": "fail"},
    ...             {"gate": "improves_on_baseline", "verdict": "fail"}]
    >>> [verdict["gate"] for verdict in blocking_failures(verdicts)]
    ['auc_roc']
    """
    return tuple(
        gate for gate in gates if gate["verdict"] == "fail" and gate["gate"] not in NEVER_BLOCKING
    )
