"""Choose the label sets that a training reads, one per batch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.models import LabelSet
from app.queries.batches import require_batch


def choose_label_sets(
    db: Session, batch_ids: Sequence[str], label_set_id: int | Sequence[int] | None
) -> tuple[LabelSet, ...]:
    """Find the label set of each batch: the newest, unless one is named.

    Parameters
    ----------
    db : Session
        The store.
    batch_ids : sequence of str
        Batches that train together; withdrawn ones are refused.
    label_set_id : int, sequence of int or None
        Named label sets; each must be of one of the batches.

    Returns
    -------
    tuple of LabelSet
        One per batch, in the order of the batches.

    Raises
    ------
    NotFoundError
        If a batch or its label set does not exist.
    ConflictError
        If the label sets do not share outcome, definition and window.
    """
    named = (
        () if label_set_id is None
        else (label_set_id,) if isinstance(label_set_id, int) else tuple(label_set_id)
    )  # fmt: skip
    by_batch: dict[str, LabelSet] = {}
    for number in named:
        label_set = db.get(LabelSet, number)
        if label_set is None:
            raise NotFoundError(f"there is no label set {number}", label_set_id=number)
        if label_set.batch_id not in batch_ids:
            raise InvalidInputError(
                f"label set {number} is of batch {label_set.batch_id}, which is not trained on"
            )
        by_batch[label_set.batch_id] = label_set
    chosen = tuple(
        by_batch.get(batch_id) or _newest_label_set(db, batch_id) for batch_id in batch_ids
    )
    shared = {(ls.outcome_type, ls.definition_id, ls.observation_window_days) for ls in chosen}
    if len(shared) > 1:
        raise ConflictError(
            "the batches' label sets do not share outcome definition and window: "
            + "; ".join(
                f"{ls.batch_id} {ls.outcome_type} {ls.observation_window_days} days"
                for ls in chosen
            )
            + ". Generate labels with the same --outcome and --window for each."
        )
    return chosen


def _newest_label_set(db: Session, batch_id: str) -> LabelSet:
    require_batch(db, batch_id)
    found = db.scalars(
        select(LabelSet).where(LabelSet.batch_id == batch_id).order_by(LabelSet.id.desc()).limit(1)
    ).first()
    if found is None:
        raise NotFoundError(
            f"batch {batch_id} has no labels yet: run chancellor labels generate {batch_id}",
            batch_id=batch_id,
        )
    return found
