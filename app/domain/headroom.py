"""What the form of the card leaves on the table: shallow gradient-boosted models."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from app.domain.design_matrix import Sample, Split
from app.domain.discrimination import auc_roc
from app.domain.types import Bools, Floats

MAX_CATEGORIES = 200
_N_TREES = 60
_DEPTH = 3
_SPLITS_USED = 5
_NO_RANKING = 0.5


def measure_headroom(
    sample: Sample, splits: Sequence[Split], refined_auc: Sequence[float], seed: int
) -> dict[str, float | None]:
    """Measure how much better a flexible model ranks than the refined card.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    splits : sequence of Split
        The validation's splits; the first repeat is used.
    refined_auc : sequence of float
        AUC of the refined card on each split's test rows.
    seed : int
        Seed of the boosting.

    Returns
    -------
    dict
        ``goodness`` and ``raw``: mean AUC of a shallow gradient-boosted model on the goodness
        columns and on the raw features, each less the refined card's. None where no split
        could be used.
    """
    used = [
        (split, auc)
        for split, auc in zip(splits, refined_auc, strict=True)
        if split.repeat == 0 and np.isfinite(auc)
    ][:_SPLITS_USED]
    nothing = np.zeros(len(sample.categorical), dtype=bool)

    def gain(columns: Floats, categorical: Bools) -> float | None:
        gains = [
            _boosted_auc(sample, split, columns, categorical, seed) - auc for split, auc in used
        ]
        return float(np.mean(gains)) if gains else None

    # Side by side, each on one thread, so that no digit depends on the number of processors.
    with ThreadPoolExecutor(2) as side_by_side:
        found = {
            "goodness": side_by_side.submit(gain, sample.goodness, nothing),
            "raw": side_by_side.submit(gain, sample.raw, sample.categorical),
        }
        return {name: gained.result() for name, gained in found.items()}


def _boosted_auc(
    sample: Sample, split: Split, columns: Floats, categorical: Bools, seed: int
) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - heavy import
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - goes with sklearn

    varying = [j for j, column in enumerate(columns[split.train].T) if _varies(column)]
    if not varying:
        return _NO_RANKING
    usable, categorical = columns[:, varying], categorical[varying]
    model = HistGradientBoostingClassifier(
        max_iter=_N_TREES,
        max_depth=_DEPTH,
        learning_rate=0.1,
        categorical_features=categorical,
        early_stopping=False,
        random_state=seed,
    )
    # More categories than the library takes share one code: they are the rarest.
    usable[:, categorical] = np.minimum(usable[:, categorical], MAX_CATEGORIES)
    with threadpool_limits(1):
        model.fit(usable[split.train], sample.bad[split.train])
        risk = model.decision_function(usable[split.test])
    return auc_roc(risk, sample.bad[split.test])


def _varies(column: Floats) -> bool:
    """Say whether a column holds two different values; the library fails on fewer."""
    known = column[np.isfinite(column)]
    return bool(len(known) and known.min() < known.max())
