"""Whether a batch was imported with the features that a card reads."""

from __future__ import annotations

from app.domain.scorecard import Scorecard
from app.errors import ConflictError
from app.models import Batch


def lacks_features(batch: Batch, card: Scorecard) -> list[str]:
    """Name the features of a card that a batch was imported without.

    Parameters
    ----------
    batch : Batch
        The batch.
    card : Scorecard
        The card.

    Returns
    -------
    list of str
        In card order.
    """
    known = {str(column["name"]) for column in batch.columns}
    return [name for name in card.features if name not in known]


def require_features(batch: Batch, card: Scorecard) -> None:
    """Refuse a batch that was imported without a feature of a card.

    Parameters
    ----------
    batch : Batch
        The batch.
    card : Scorecard
        The card.

    Raises
    ------
    ConflictError
        It names the features.
    """
    if lacking := lacks_features(batch, card):
        raise ConflictError(
            f"batch {batch.batch_id} was imported without {', '.join(lacking)}, so it cannot be "
            "compared: import the file again under a new id",
            batch_id=batch.batch_id,
            missing_features=lacking,
        )
