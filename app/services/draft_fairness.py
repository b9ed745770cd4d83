"""What a draft keeps of fairness: the comparison by group, and the verdict of its gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.domain.policy import Policy
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError
from app.lake.store import Lake
from app.models import Batch, ModelRegistry
from app.queries.batches import require_batch

if TYPE_CHECKING:
    from app.domain.gates import Verdict

Cards = tuple[Scorecard, Scorecard]
"""The old and the new one."""


def draft_fairness(
    db: Session,
    lake: Lake,
    model: ModelRegistry,
    cards: Cards,
    policy: Policy,
    *,
    batch_of: Callable[[Session, str], Batch] = require_batch,
) -> Document | None:
    """Compare how groups fare under a model's draft and its baseline.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    model : ModelRegistry
        The model behind the draft.
    cards : tuple of Scorecard
        Baseline and draft.
    policy : Policy
        The one that the model was judged by.
    batch_of : callable
        Finds a batch by its id; by default it refuses one that was withdrawn.

    Returns
    -------
    dict or None
        As :func:`app.services.fairness_rows.compare_groups`; None where no batch of the model
        declares groups.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    batches = [batch_of(db, batch_id) for batch_id in model.batch_ids]
    if not any(batch.group_columns for batch in batches):
        return None
    from app.services.fairness_rows import (  # noqa: PLC0415 - loads SciPy
        compare_groups,
        model_outcomes,
    )

    outcomes = model_outcomes(lake, model)
    return compare_groups(db, lake, cards, batches, outcomes, policy, batch_of=batch_of)


def person_fairness(
    db: Session, lake: Lake, cards: Cards, batch: Batch | None, policy: Policy
) -> Document | None:
    """Compare how groups fare under a person's draft, where the policy makes that a gate.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    cards : tuple of Scorecard
        Baseline and draft.
    batch : Batch or None
        The newest one.
    policy : Policy
        The one in force.

    Returns
    -------
    dict or None
        None where the policy does not ask, or the batch declares no groups or lacks a feature.
    """
    if not policy.fairness_gate or batch is None or not batch.group_columns:
        return None
    from app.services.fairness_rows import batch_outcomes, compare_groups  # noqa: PLC0415 - SciPy

    try:
        outcomes = batch_outcomes(db, lake, cards, batch)
        return compare_groups(db, lake, cards, (batch,), outcomes, policy)
    except InvalidInputError:
        return None


def fairness_verdicts(policy: Policy, fairness: Document | None) -> tuple[Verdict, ...]:
    """Judge a draft by the gate on adverse impact.

    Parameters
    ----------
    policy : Policy
        Whether there is such a gate.
    fairness : dict or None
        What was compared.

    Returns
    -------
    tuple of Verdict
        One, or none where the policy does not ask.

    Examples
    --------
    >>> fairness_verdicts(Policy(), None)
    ()
    """
    if not policy.fairness_gate:
        return ()
    from app.domain.fairness_gate import adverse_impact_gate  # noqa: PLC0415 - loads numpy

    verdict = adverse_impact_gate(policy, None if fairness is None else fairness["columns"])
    return () if verdict is None else (verdict,)


def kept_fairness(fairness: Document | None) -> dict[str, Document]:
    """Give the evidence by kind: nothing where there is none, so that hashes stay as they were.

    Parameters
    ----------
    fairness : dict or None
        What was compared.

    Returns
    -------
    dict
        ``fairness``, or empty.

    Examples
    --------
    >>> kept_fairness(None)
    {}
    """
    return {} if fairness is None else {"fairness": fairness}
