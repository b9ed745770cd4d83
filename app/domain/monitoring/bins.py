"""Bins that are frozen on a reference, and what later values are counted into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from app.domain.types import Document, Floats, Ints
from app.errors import InvalidInputError

N_BINS = 10
"""Bins of equal count of a score or a number; ties and small references leave fewer."""
MOST_CATEGORIES = 50
"""Rarer categories of the reference are counted together with new ones, as `LEAST_ROWS` says."""
LEAST_ROWS = 10
"""Rows of the reference that a bin needs. A category that stands alone there is seldom met again,
and one that is new has no bin to be counted in: many such bins look like a change without one."""
OTHER, MISSING = "other", "missing"

DECIMALS = 9
"""To which numbers are rounded before they are counted: sums differ in their last digits."""

Texts: TypeAlias = Mapping[str | None, int]
"""How often each category occurs; None is missing."""


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Hold how often each value of a number occurs, as an engine counts them.

    Attributes
    ----------
    values : ndarray of shape (k,)
        Distinct and rising, rounded to nine decimals.
    counts : ndarray of shape (k,)
        Rows of each.
    n_missing : int
        Rows without a value.
    """

    values: Floats
    counts: Ints
    n_missing: int

    @property
    def n_known(self) -> int:
        """Count the rows with a value."""
        return int(self.counts.sum())

    def quantiles(self, shares: Floats) -> Floats:
        """Give the smallest values up to which these shares of the known rows lie."""
        ranks = np.maximum(np.ceil(self.n_known * shares), 1)
        return self.values[np.searchsorted(np.cumsum(self.counts), ranks, side="left")]


Numbers: TypeAlias = Floats | ValueCounts
"""Values row by row, NaN missing; or counted already."""


def count_values(values: Numbers) -> ValueCounts:
    """Count how often each value of a number occurs.

    Parameters
    ----------
    values : ndarray of shape (n,), or ValueCounts
        NaN is missing; what is counted already is given back.

    Returns
    -------
    ValueCounts
        Of the values rounded to nine decimals.

    Examples
    --------
    >>> found = count_values(np.array([2.0, np.nan, 1.0, 2.0]))
    >>> found.values.tolist(), found.counts.tolist(), found.n_missing
    ([1.0, 2.0], [1, 2], 1)
    """
    if isinstance(values, ValueCounts):
        return values
    known = _known(values)
    distinct, counts = np.unique(known, return_counts=True)
    return ValueCounts(distinct, counts, len(values) - len(known))


def _known(values: Floats) -> Floats:
    return np.asarray(np.round(values[~np.isnan(values)], DECIMALS))


@dataclass(frozen=True, slots=True)
class FrozenBins:
    """Hold the bins of one score or feature, with the counts of the reference.

    Attributes
    ----------
    kind : str
        ``score`` or ``numbers``: bins of equal count, each up to and including its edge;
        ``values``: the few values of a number; ``categories``.
    edges : tuple of float
        Inner edges of ``score`` and ``numbers``, rising.
    categories : tuple of str
        Bins of ``values`` and ``categories``, before ``other``: those with at least ten rows.
    known : tuple of str
        All categories of the reference, those counted as ``other`` too.
    counts : tuple of int
        Rows of the reference per bin; ``other`` (of categories) and ``missing`` (of features)
        come last.
    """

    kind: str
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    known: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def expected(self) -> Ints:
        """Give the counts of the reference, shape (n_bins,)."""
        return np.array(self.counts, dtype=np.int64)

    @property
    def has_edges(self) -> bool:
        """Say whether the bins are ranges of numbers; others are values or categories."""
        return self.kind in ("score", "numbers")

    def count(self, values: Numbers | Texts) -> Ints:
        """Count values into the bins.

        Parameters
        ----------
        values : ndarray of shape (n,), ValueCounts, or mapping of str or None to int
            Numbers, NaN missing, of every kind but ``categories``; counts of categories there.

        Returns
        -------
        ndarray of shape (n_bins,)
            Rows per bin.
        """
        if self.has_edges:
            return self._count_numbers(values)
        texts = _as_texts(values)
        shown = [texts.get(name, 0) for name in self.categories]
        missing = texts.get(None, 0)
        other = sum(texts.values()) - missing - sum(shown)
        return np.array([*shown, other, missing], dtype=np.int64)

    def _count_numbers(self, values: Numbers | Texts) -> Ints:
        if isinstance(values, Mapping):
            raise TypeError(f"bins of {self.kind} take numbers, not counts of categories")
        if isinstance(values, ValueCounts):
            known, weights, n_missing = values.values, values.counts, values.n_missing
        else:
            known, weights = _known(values), None
            n_missing = len(values) - len(known)
        places = np.searchsorted(np.array(self.edges), known, side="left")
        counts = np.bincount(places, weights, minlength=len(self.edges) + 1)
        return np.append(counts, [] if self.kind == "score" else [n_missing]).astype(np.int64)

    def new_categories(self, values: Numbers | Texts) -> dict[str, int]:
        """Count the categories or values that the reference did not have, most frequent first.

        Parameters
        ----------
        values : ndarray of shape (n,), ValueCounts, or mapping of str or None to int
            As for `count`.

        Returns
        -------
        dict of str to int
            Empty for quantile bins.
        """
        if self.has_edges:
            return {}
        known = set(self.known)
        found = {
            name: n
            for name, n in _as_texts(values).items()
            if name is not None and name not in known
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def lines(self, actual: Ints) -> list[Document]:
        """Lay the counts of the reference and of a batch side by side.

        Parameters
        ----------
        actual : ndarray of shape (n_bins,)
            As `count` gives them.

        Returns
        -------
        list of dict
            ``label``, ``from`` and ``to`` (None where a bin has no such end), ``n_expected`` and
            ``n_actual``.
        """
        ends: list[tuple[float | None, float | None]] = [(None, None)] * len(self.counts)
        if self.has_edges:
            limits = (None, *self.edges, None)
            ends[: len(self.edges) + 1] = list(pairwise(limits))
        return [
            {"label": label, "from": low, "to": high, "n_expected": expected, "n_actual": n}
            for label, (low, high), expected, n in zip(
                self._labels(), ends, self.counts, actual.tolist(), strict=True
            )
        ]

    def _labels(self) -> list[str]:
        if not self.has_edges:
            return [*self.categories, OTHER, MISSING]
        shown = [f"{edge:,.6g}" for edge in self.edges]
        labels = ["all"]
        if shown:
            between = pairwise(shown)
            labels = [
                f"to {shown[0]}", *(f"{a} to {b}" for a, b in between), f"above {shown[-1]}",
            ]  # fmt: skip
        return labels if self.kind == "score" else [*labels, MISSING]

    def as_dict(self) -> Document:
        """Give the bins as a JSON-ready mapping."""
        return {
            "kind": self.kind,
            "edges": list(self.edges),
            "categories": list(self.categories),
            "known": list(self.known),
            "counts": list(self.counts),
        }


def bins_from_document(document: Mapping[str, list[float] | list[str] | str]) -> FrozenBins:
    """Rebuild frozen bins from their document.

    Parameters
    ----------
    document : mapping
        As `FrozenBins.as_dict` gives it.

    Returns
    -------
    FrozenBins
        The same value.

    Examples
    --------
    >>> bins = freeze_numbers(np.array([1.0, 2.0, np.nan]))
    >>> bins_from_document(bins.as_dict()) == bins
    True
    """
    return FrozenBins(
        kind=str(document["kind"]),
        edges=tuple(float(edge) for edge in document["edges"]),
        categories=tuple(str(name) for name in document["categories"]),
        known=tuple(str(name) for name in document["known"]),
        counts=tuple(int(n) for n in document["counts"]),
    )


def freeze_score(scores: Numbers) -> FrozenBins:
    """Freeze ten bins of equal count on the scores of a reference.

    Parameters
    ----------
    scores : ndarray of shape (n,), or ValueCounts
        Unrounded scores in points, none missing.

    Returns
    -------
    FrozenBins
        Fewer bins where scores are tied or fewer than a hundred: ten rows each, at least.

    Raises
    ------
    InvalidInputError
        If there is no score.

    Examples
    --------
    >>> bins = freeze_score(np.arange(1.0, 101.0))
    >>> bins.edges[:2], bins.counts
    ((10.0, 20.0), (10, 10, 10, 10, 10, 10, 10, 10, 10, 10))
    """
    return _with_edges("score", count_values(scores))


def freeze_numbers(values: Numbers) -> FrozenBins:
    """Freeze the bins of a numeric feature.

    Parameters
    ----------
    values : ndarray of shape (n,), or ValueCounts
        NaN is missing.

    Returns
    -------
    FrozenBins
        Each value is a bin where there are at most ten, with ten rows each on average, at least;
        else ten bins of equal count, fewer where values are tied or known of fewer than a hundred
        rows. Missing values have a bin of their own.

    Raises
    ------
    InvalidInputError
        If there is no row.

    Examples
    --------
    >>> few = freeze_numbers(np.repeat([0.0, 1.0, np.nan], [10, 20, 5]))
    >>> few.categories, few.counts
    (('0', '1'), (10, 20, 0, 5))
    >>> many = freeze_numbers(np.append(np.zeros(40), np.arange(1.0, 61.0)))
    >>> many.edges, many.counts
    ((0.0, 10.0, 20.0, 30.0, 40.0, 50.0), (40, 10, 10, 10, 10, 10, 10, 0))
    """
    counted = count_values(values)
    n_distinct = len(counted.values)
    if n_distinct > N_BINS or counted.n_known < LEAST_ROWS * n_distinct:
        return _with_edges("numbers", counted)
    names = tuple(_number_text(value) for value in counted.values.tolist())
    return _with_categories("values", _as_texts(counted), names)


def freeze_categories(texts: Texts) -> FrozenBins:
    """Freeze the bins of a feature of categories.

    Parameters
    ----------
    texts : mapping of str or None to int
        How often each occurs; None is missing.

    Returns
    -------
    FrozenBins
        The categories with at least ten rows by falling frequency, at most fifty, then ``other``
        and ``missing``.

    Raises
    ------
    InvalidInputError
        If there is no row.

    Examples
    --------
    >>> bins = freeze_categories({"retail": 30, None: 1, "farming": 50, "fishing": 2})
    >>> bins.categories, bins.counts
    (('farming', 'retail'), (50, 30, 2, 1))
    >>> bins.count({"farming": 2, "mining": 7}).tolist(), bins.new_categories({"mining": 7})
    ([2, 0, 7, 0], {'mining': 7})
    """
    names = sorted(
        (name for name in texts if name is not None), key=lambda name: (-texts[name], name)
    )
    return _with_categories("categories", texts, tuple(names))


def _with_edges(kind: str, counted: ValueCounts) -> FrozenBins:
    _require_rows(counted.n_known + counted.n_missing)
    edges = np.empty(0)
    if counted.n_known:
        n_bins = max(1, min(N_BINS, counted.n_known // LEAST_ROWS))
        edges = np.unique(counted.quantiles(np.arange(1, n_bins) / n_bins))
        edges = edges[edges < counted.values[-1]]
    bins = FrozenBins(kind, tuple(edges.tolist()), (), (), ())
    return FrozenBins(kind, bins.edges, (), (), tuple(bins.count(counted).tolist()))


def _with_categories(kind: str, texts: Texts, names: tuple[str, ...]) -> FrozenBins:
    _require_rows(sum(texts.values()))
    frequent = tuple(name for name in names if texts[name] >= LEAST_ROWS)
    bins = FrozenBins(kind, (), frequent[:MOST_CATEGORIES], names, ())
    return FrozenBins(kind, (), bins.categories, names, tuple(bins.count(texts).tolist()))


def _require_rows(n: int) -> None:
    if n == 0:
        raise InvalidInputError("A reference without rows has no bins.")


def _as_texts(values: Numbers | Texts) -> Texts:
    """Count numbers by their shortest text; a mapping is counted already."""
    if isinstance(values, Mapping):
        return values
    counted = count_values(values)
    named = zip(counted.values.tolist(), counted.counts.tolist(), strict=True)
    found: dict[str | None, int] = {_number_text(value): n for value, n in named}
    if counted.n_missing:
        found[None] = counted.n_missing
    return found


def _number_text(value: float) -> str:
    return repr(value + 0.0).removesuffix(".0")
