"""What the form of the card leaves on the table: shallow gradient-boosted models."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from app.domain.design_matrix import Sample, draw_rows
from app.domain.discrimination import auc_roc
from app.domain.types import Bools, Floats, Ints
from app.domain.validation import FoldResult

MAX_ROWS = 200_000
"""More rows of a split are drawn from by class: headroom is a hint and moves no weight."""
MAX_CATEGORIES = 200
_N_TREES = 60
_DEPTH = 3
_SPLITS_USED = 5
_NO_RANKING = 0.5


@dataclass(frozen=True, slots=True)
class Headroom:
    """Hold how much better a flexible model ranks than the refined card, and on how many rows.

    Attributes
    ----------
    goodness, raw : float or None
        Mean AUC of a shallow gradient-boosted model on the goodness columns and on the raw
        features, each less the refined card's; None where no split could be used.
    n_train, n_test : int
        Rows that the first split's models were fitted to and judged on; 0 where there is none.
    n_split : int
        Rows of that split; more than the two together where they were drawn.
    """

    goodness: float | None
    raw: float | None
    n_train: int
    n_test: int
    n_split: int

    @property
    def gains(self) -> dict[str, float | None]:
        """Give the two differences as the registry keeps them."""
        return {"goodness": self.goodness, "raw": self.raw}


@dataclass(frozen=True, slots=True)
class _Part:
    """Hold the rows of one split that are used, and the refined card's AUC on those that test."""

    train: Ints
    test: Ints
    refined_auc: float


def measure_headroom(sample: Sample, folds: Sequence[FoldResult], seed: int) -> Headroom:
    """Measure how much better a flexible model ranks than the refined card.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    folds : sequence of FoldResult
        The validation's; the first repeat is used. Of a split with more than 200,000 rows about
        so many are drawn by class, in proportion from its training and its test part; the
        refined card is judged on the same test rows as the flexible model.
    seed : int
        Seed of the draw and of the boosting.

    Returns
    -------
    Headroom
        What was gained, and the rows that it was measured on.
    """
    used = [fold for fold in folds if fold.split.repeat == 0 and fold.metrics][:_SPLITS_USED]
    parts = [_drawn(sample.bad, fold, seed) for fold in used]
    nothing = np.zeros(len(sample.categorical), dtype=bool)

    def gain(columns: Floats, categorical: Bools) -> float | None:
        gains = [
            _boosted_auc(sample.bad, part, columns, categorical, seed) - part.refined_auc
            for part in parts
        ]
        return float(np.mean(gains)) if gains else None

    # Side by side, each on one thread, so that no digit depends on the number of processors.
    with ThreadPoolExecutor(2) as side_by_side:
        goodness = side_by_side.submit(gain, sample.goodness, nothing)
        raw = side_by_side.submit(gain, sample.raw, sample.categorical)
        found = goodness.result(), raw.result()
    if not used:
        return Headroom(*found, 0, 0, 0)
    n_split = len(used[0].split.train) + len(used[0].split.test)
    return Headroom(*found, len(parts[0].train), len(parts[0].test), n_split)


def _drawn(bad: Ints, fold: FoldResult, seed: int) -> _Part:
    train, test = fold.split.train, fold.split.test
    share = min(1.0, MAX_ROWS / (len(train) + len(test)))
    of_train, of_test = (
        draw_rows(bad[rows], round(share * len(rows)), seed) for rows in (train, test)
    )
    risk = -fold.scores["refined"][of_test]
    return _Part(train[of_train], test[of_test], auc_roc(risk, bad[test[of_test]]))


def _boosted_auc(bad: Ints, part: _Part, columns: Floats, categorical: Bools, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - heavy import
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - goes with sklearn

    train = columns[part.train]
    varying = [j for j, column in enumerate(train.T) if _varies(column)]
    if not varying:
        return _NO_RANKING
    train, test, categorical = train[:, varying], columns[part.test], categorical[varying]
    test = test[:, varying]
    # More categories than the library takes share one code: they are the rarest.
    for rows in (train, test):
        rows[:, categorical] = np.minimum(rows[:, categorical], MAX_CATEGORIES)
    model = HistGradientBoostingClassifier(
        max_iter=_N_TREES,
        max_depth=_DEPTH,
        learning_rate=0.1,
        categorical_features=categorical,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1):
        model.fit(train, bad[part.train])
        risk = model.decision_function(test)
    return auc_roc(risk, bad[part.test])


def _varies(column: Floats) -> bool:
    """Say whether a column holds two different values; the library fails on fewer."""
    known = column[np.isfinite(column)]
    return bool(len(known) and known.min() < known.max())
