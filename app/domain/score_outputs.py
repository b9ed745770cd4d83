"""The columns that scoring adds to a table."""

from __future__ import annotations

from app.domain.reasons import MOST_REASONS
from app.domain.scorecard import Scorecard

MISSING_SEPARATOR = ";"
"""Between the names in the column ``missing_features``."""

REASON_COLUMNS = tuple(f"reason_{place}" for place in range(1, MOST_REASONS + 1))
"""Names of the columns with the features that cost the most points."""


def score_outputs(
    card: Scorecard, *, reasons: bool = True, contributions: bool = True
) -> tuple[str, ...]:
    """Name the columns that scoring adds.

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    reasons, contributions : bool, default True
        Whether the reason columns and the points of each feature are among them.

    Returns
    -------
    tuple of str
        ``score`` (int64), ``unrounded_score``, ``band``, ``missing_features`` (names joined by
        ``;``, empty if none), ``reason_1`` to ``reason_4`` (names or null), and
        ``points_<feature>`` for each feature.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> score_outputs(default_card(), reasons=False, contributions=False)
    ('score', 'unrounded_score', 'band', 'missing_features')
    """
    return (
        *("score", "unrounded_score", "band", "missing_features"),
        *(REASON_COLUMNS if reasons else ()),
        *(f"points_{name}" for name in card.feature_names if contributions),
    )
