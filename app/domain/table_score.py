"""Goodness and scores of whole tables, a column at a time.

The operations of `app.domain.party_score`, in its order: on every finite number and every text
both give the same score, band, contributions, missing features and reason codes, to the last bit.
`app.domain.scorecard_table` is the same once more, as an expression for databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.feature_columns import sound_columns
from app.domain.party_score import TIE
from app.domain.reasons import MOST_REASONS, RESOLUTION
from app.domain.score_outputs import MISSING_SEPARATOR, score_outputs
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear
from app.domain.types import Floats, Ints
from app.errors import InvalidInputError

_ROWS = 8_192
"""Rows at a time: their columns stay in the cache of a core."""


def goodness_matrix(
    card: Scorecard, table: pa.Table, features: Sequence[str] | None = None
) -> Floats:
    """Map the raw values of a table to goodness.

    Parameters
    ----------
    card : Scorecard
        Whose transforms apply.
    table : pyarrow.Table of n rows
        As for `TableScorer.run`.
    features : sequence of str or None
        Which features, in the order of the columns of the result; None for all, in card order.

    Returns
    -------
    ndarray of shape (n, d)
        Goodness in [0, 1], in the row order of the table; never NaN.

    Raises
    ------
    InvalidInputError
        If the card has no such feature.
    IntakeError
        Names rows and columns whose values are infinite or no numbers.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> table = pa.table({"company_age_years": [5.0, None, 20.0]})
    >>> goodness_matrix(default_card(), table, ["company_age_years", "network_size"]).tolist()
    [[0.5, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    names = card.feature_names if features is None else tuple(features)
    chosen = [(name, _feature(card, name)) for name in names]
    goodness = np.empty((table.num_rows, len(chosen)), dtype=np.float64)
    for place, values in enumerate(sound_columns(chosen, table, "table")):
        column = _Column(chosen[place][1], values)
        for rows in _slices(table.num_rows):
            goodness[rows, place] = column.goodness(rows)
    return goodness


class TableScorer:
    """Score tables with one card.

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    reasons, contributions : bool, default True
        Whether to add the reason columns and the points of each feature.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> scorer = TableScorer(default_card(), contributions=False)
    >>> scorer.run(pa.table({"kyc_verified": ["1"], "has_tax_id": [True]})).to_pylist()[0]["score"]
    425
    """

    def __init__(
        self, card: Scorecard, *, reasons: bool = True, contributions: bool = True
    ) -> None:
        self.card = card
        self.features = list(card.features.items())
        self.outputs = score_outputs(card, reasons=reasons, contributions=contributions)
        self._reasons = reasons
        self._contributions = contributions

    def run(self, table: pa.Table, source: str = "table") -> pa.Table:
        """Score a table.

        Parameters
        ----------
        table : pyarrow.Table of n rows
            Raw values, one column per feature; a column that is not there is null throughout.
            Numbers may be of any type or text; NaN is null.
        source : str, default "table"
            What an error calls the table.

        Returns
        -------
        pyarrow.Table of n rows
            The columns `app.domain.score_outputs.score_outputs`, in the row order of the table.

        Raises
        ------
        IntakeError
            Names rows and columns whose values are infinite or no numbers.
        """
        return self.run_columns(sound_columns(self.features, table, source), table.num_rows)

    def run_columns(self, values: Sequence[pa.Array], n_rows: int) -> pa.Table:
        """Score columns that intake has read already.

        Parameters
        ----------
        values : sequence of pyarrow.Array, each of shape (n_rows,)
            In card order, as `app.domain.feature_columns.feature_column` gives them.
        n_rows : int
            Number of rows.

        Returns
        -------
        pyarrow.Table of n_rows rows
            The same columns, in the same order.
        """
        features = self.card.features.values()
        columns = [_Column(*pair) for pair in zip(features, values, strict=True)]
        found = _Found(self.card, n_rows, reasons=self._reasons, points=self._contributions)
        with np.errstate(over="ignore"):  # far outside a narrow range: clipped like any other
            for rows in _slices(n_rows):
                found.score(rows, [column.goodness(rows) for column in columns])
        outputs = found.columns(_missing(self.card.feature_names, values, n_rows))
        return pa.table(outputs, names=list(self.outputs))


class _Column:
    """The values of one feature, ready to become goodness."""

    def __init__(self, feature: Feature, values: pa.Array) -> None:
        self._feature = feature
        self._has_nulls = values.null_count > 0
        transform = feature.transform
        self._steps = np.array([], dtype=np.float64)
        if isinstance(transform, Categories):
            self._steps = np.array([*transform.values.values(), transform.other, feature.missing])
            self._values: Any = _codes(transform, values)
            return
        if isinstance(transform, Bins):
            self._steps = np.array(transform.values)
        self._values = values.to_numpy(zero_copy_only=False)  # null is NaN

    def goodness(self, rows: slice) -> Floats:
        """Give the goodness of some rows, in [0, 1]."""
        transform = self._feature.transform
        values: Any = self._values[rows]
        given: Floats
        if isinstance(transform, Categories):
            given = self._steps[values]
            return given
        if isinstance(transform, Bins):
            given = self._steps[np.searchsorted(transform.edges, values, side="right")]
        elif isinstance(transform, Linear):
            given = _clipped((values - transform.worst) / transform.span)
        else:
            logarithm = _log(1.0 + np.maximum(values, 0.0))
            given = _clipped((logarithm - transform.origin) / transform.span)
        if self._has_nulls:
            given[np.isnan(values)] = self._feature.missing
        return given


def _codes(transform: Categories, values: pa.Array) -> Ints:
    """Give each text its place in the card; other texts come next, then nulls."""
    known = pa.array(list(transform.values), pa.string())
    codes = pc.index_in(values, value_set=known).fill_null(len(known))
    codes = pc.if_else(pc.is_null(values), pa.scalar(len(known) + 1, pa.int32()), codes)
    return np.asarray(codes)


def _log(values: Floats) -> Floats:
    """Take the logarithm of the C library, as Python does: that of numpy differs in last bits."""
    return np.asarray(pc.ln(pa.array(values)))


def _clipped(share: Floats) -> Floats:
    np.clip(share, 0.0, 1.0, out=share)
    share += 0.0  # -0.0 is 0.0
    return share


class _Found:
    """What is known of the rows scored so far."""

    def __init__(self, card: Scorecard, n_rows: int, *, reasons: bool, points: bool) -> None:
        self._card = card
        self._unrounded = np.empty(n_rows)
        self._score = np.empty(n_rows, dtype=np.int64)
        self._band = np.empty(n_rows, dtype=np.int32)
        n_features = len(card.features)
        self._reasons = np.empty((MOST_REASONS if reasons else 0, n_rows), dtype=np.int32)
        self._points = np.empty((n_features if points else 0, n_rows))
        self._bounds = [card.bands[name] for name in card.band_names[1:]]

    def score(self, rows: slice, goodness: Sequence[Floats]) -> None:
        """Fill in some rows."""
        card = self._card
        features = list(card.features.values())
        low, span, weight = card.range.min, card.range.max - card.range.min, card.total_weight
        total = np.zeros(len(goodness[0]))
        for feature, share in zip(features, goodness, strict=True):
            total += feature.weight * share
        unrounded = low + span * total / weight
        score = np.floor(unrounded + 0.5 + TIE).astype(np.int64)
        self._unrounded[rows], self._score[rows] = unrounded, score
        self._band[rows] = np.searchsorted(self._bounds, score, side="right")
        for place in range(len(self._points)):
            points = span * features[place].weight * goodness[place]
            np.divide(points, weight, out=self._points[place, rows])
        if len(self._reasons):
            lost = [
                span * feature.weight * (feature.attainable - share) / weight
                for feature, share in zip(features, goodness, strict=True)
            ]
            self._reasons[:, rows] = _largest(lost)

    def columns(self, missing: pa.Array) -> list[pa.Array]:
        """Give the outputs in their order."""
        names = pa.array([*self._card.feature_names, None], pa.string())
        return [
            pa.array(self._score),
            pa.array(self._unrounded),
            pa.array(self._card.band_names, pa.string()).take(pa.array(self._band)),
            missing,
            *(names.take(pa.array(places)) for places in self._reasons),
            *(pa.array(points) for points in self._points),
        ]


def _largest(lost: Sequence[Floats]) -> Ints:
    """Choose the reasons of `app.domain.reasons.rank_losses`, one row of places for each.

    Loss and place become one whole number that orders as they do: a loss is below 2e12
    millionths, which leaves 22 bits for the place. The place after the last one is no reason.
    """
    bits = len(lost).bit_length()
    last = (1 << bits) - 1
    top = [np.zeros(len(lost[0]), dtype=np.int64) for _ in range(MOST_REASONS)]
    spare = np.empty_like(top[0])
    for place, points in enumerate(lost):
        key = np.floor(points * RESOLUTION + 0.5).astype(np.int64)
        key <<= bits
        key |= last - place
        for rank, held in enumerate(top):
            np.maximum(held, key, out=spare)
            np.minimum(held, key, out=key)
            top[rank], spare = spare, held
    return np.array([np.where(key > last, last - (key & last), len(lost)) for key in top])


def _missing(names: Sequence[str], values: Sequence[pa.Array], n_rows: int) -> pa.Array:
    """Join the names of the features that are null, writing each combination once."""
    nulls = [
        (name, column) for name, column in zip(names, values, strict=True) if column.null_count
    ]
    if not nulls or not n_rows:
        return pa.repeat(pa.scalar("", pa.string()), n_rows)
    masks = [np.asarray(column.is_null()) for _, column in nulls]
    packed = np.packbits(np.column_stack(masks), axis=1)
    kind = pa.binary(packed.shape[1])
    rows = pa.Array.from_buffers(kind, n_rows, [None, pa.py_buffer(packed)])
    coded = rows.dictionary_encode()
    texts = [_joined([name for name, _ in nulls], bits) for bits in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _joined(names: Sequence[str], bits: bytes) -> str:
    is_null = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=len(names))
    return MISSING_SEPARATOR.join(name for name, null in zip(names, is_null, strict=True) if null)


def _slices(n_rows: int) -> list[slice]:
    return [slice(start, min(start + _ROWS, n_rows)) for start in range(0, n_rows, _ROWS)]


def _feature(card: Scorecard, name: str) -> Feature:
    if name not in card.features:
        known = ", ".join(card.feature_names)
        raise InvalidInputError(f"the card has no feature {name!r}; it has {known}")
    return card.features[name]
