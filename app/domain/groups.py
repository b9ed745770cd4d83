"""Columns of a batch declared as groups: kept for fairness, never scored or trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.errors import InvalidInputError

MOST_VALUES = 50
"""A column with more different values is an id or a number, and no group."""


def refuse_group_features(
    groups: Sequence[str] | None, features: Collection[str], batch_id: str
) -> None:
    """Refuse a card that would read a column declared as a group.

    Parameters
    ----------
    groups : sequence of str or None
        Columns that the batch declares as groups.
    features : collection of str
        Features of the card.
    batch_id : str
        For the message.

    Raises
    ------
    InvalidInputError
        If a feature is a group; names all of them.

    Examples
    --------
    >>> refuse_group_features(["region"], ["age"], "B1")
    >>> refuse_group_features(["region"], ["age", "region"], "B1")
    Traceback (most recent call last):
    ...
    app.errors.InvalidInputError: region is declared as a group by batch B1, and a group is never \
scored or trained on: take it out of the card
    """
    both = [name for name in groups or () if name in features]
    if both:
        are = "is declared as a group" if len(both) == 1 else "are declared as groups"
        raise InvalidInputError(
            f"{', '.join(both)} {are} by batch {batch_id}, and a group is never scored or trained "
            f"on: take {'it' if len(both) == 1 else 'them'} out of the card",
            batch_id=batch_id,
            features=both,
        )
