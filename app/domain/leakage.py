"""Signs that a column knew the outcome: features recorded, or changed, after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from app.domain.design_matrix import Sample, draw_rows
from app.domain.discrimination import auc_estimate
from app.domain.types import Bools, Document, Floats, Ints

MAX_ROWS = 50_000
"""More rows are drawn from by class before the check: it is a warning, not an estimate."""
SignKind = Literal["ranks_too_well", "missing_follows_label", "values_cluster_by_label"]
THRESHOLDS: Mapping[SignKind, float] = MappingProxyType(
    {"ranks_too_well": 0.85, "missing_follows_label": 0.25, "values_cluster_by_label": 0.25}
)
"""AUC of one feature alone; difference of the shares of bad and of good."""
PERIODS = (12, 10, 30, 100, 360, 365, 1_000)
"""Whole years of months or days, months of days, round numbers."""

_MARGIN = 0.05
_FEWEST_OF_A_CLASS = 10
_FEWEST_VALUES = 10
_N_STRATA = 10
_LIMIT = 1.96


@dataclass(frozen=True, slots=True)
class LeakColumn:
    """Hold one column of the batches as it was recorded.

    Attributes
    ----------
    values : ndarray of shape (n,)
        Numbers, or codes of text; NaN where missing.
    is_text : bool
        Whether the values are codes without an order.
    """

    values: Floats
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class LeakageTable:
    """Hold the columns that are looked at and the labels of their rows.

    Attributes
    ----------
    columns : dict of str to LeakColumn
        Every column of the snapshots but party and date.
    bad : ndarray of shape (n,)
        1 bad, 0 good.
    """

    columns: dict[str, LeakColumn]
    bad: Ints


@dataclass(frozen=True, slots=True)
class LeakSign:
    """Hold one sign of a leak and what to look at.

    Attributes
    ----------
    feature : str
        The column.
    kind : {"ranks_too_well", "missing_follows_label", "values_cluster_by_label"}
        What is odd about it.
    value, threshold : float
        What was measured and from where on it is named: an AUC in [0.5, 1], or a difference of
        shares in [0, 1].
    is_on_card : bool
        Whether the model was trained on it.
    sentence : str
        The sign for a person, with what to look at.
    """

    feature: str
    kind: SignKind
    value: float
    threshold: float
    is_on_card: bool
    sentence: str

    def as_dict(self) -> Document:
        """Give the sign as a JSON-ready mapping."""
        return {
            "feature": self.feature,
            "kind": self.kind,
            "value": self.value,
            "threshold": self.threshold,
            "is_on_card": self.is_on_card,
            "sentence": self.sentence,
        }


def find_leaks(table: LeakageTable, on_card: Sequence[str]) -> tuple[LeakSign, ...]:
    """Look at every column for signs that it was recorded, or changed, after the outcome.

    Parameters
    ----------
    table : LeakageTable
        Raw columns, n rows.
    on_card : sequence of str
        The features that the model is trained on.

    Returns
    -------
    tuple of LeakSign
        Features of the card first; an empty tuple where nothing is odd. Each sign needs both its
        value and, less 0.05, the lower 95 % limit of it above the threshold, so a small sample
        alone does not make one.

    Examples
    --------
    A term in months that is whole years for paid loans only:

    >>> rng = np.random.default_rng(0)
    >>> bad = (rng.random(1000) < 0.3).astype(np.int64)
    >>> term = rng.integers(12, 120, 1000).astype(np.float64)
    >>> term[bad == 0] = 12 * np.ceil(term[bad == 0] / 12)
    >>> table = LeakageTable({"term": LeakColumn(term), "age": LeakColumn(rng.random(1000))}, bad)
    >>> [(sign.feature, sign.kind) for sign in find_leaks(table, ["age"])]
    [('term', 'values_cluster_by_label')]
    """
    counts = np.bincount(table.bad, minlength=2)
    if counts.min() < _FEWEST_OF_A_CLASS:
        return ()
    card = set(on_card)
    found = [
        sign
        for name, column in table.columns.items()
        for sign in _signs(name, column, table.bad, is_on_card=name in card)
    ]
    return tuple(sorted(found, key=lambda sign: not sign.is_on_card))


def leak_warnings(signs: Sequence[LeakSign]) -> tuple[str, ...]:
    """Put the signs into words for the reviewer.

    Parameters
    ----------
    signs : sequence of LeakSign
        What was found.

    Returns
    -------
    tuple of str
        One sentence per sign on the card, and one for all columns beside it.

    Examples
    --------
    >>> sign = LeakSign("Term", "ranks_too_well", 0.93, 0.85, False, "...")
    >>> leak_warnings([sign])[0]
    'Possible leaks beside the card, on which nothing was trained: Term. Keep them off it.'
    """
    beside = dict.fromkeys(sign.feature for sign in signs if not sign.is_on_card)
    found = [sign.sentence for sign in signs if sign.is_on_card]
    if beside:
        found.append(
            "Possible leaks beside the card, on which nothing was trained: "
            f"{', '.join(beside)}. Keep them off it."
        )
    return tuple(found)


def _signs(name: str, column: LeakColumn, bad: Ints, *, is_on_card: bool) -> Iterator[LeakSign]:
    def sign(kind: SignKind, value: float, sentence: str) -> LeakSign:
        return LeakSign(name, kind, value, THRESHOLDS[kind], is_on_card, sentence)

    known = np.isfinite(column.values)
    auc = _ranking(column, bad, known)
    if auc is not None:
        yield sign(
            "ranks_too_well",
            auc,
            f"{name} alone ranks bad and good with an AUC of {auc:.2f}, more than one feature "
            "known at scoring plausibly does: look at when and by what it is recorded.",
        )
    missing = _missing_difference(known, bad)
    if missing is not None:
        yield sign(
            "missing_follows_label",
            missing,
            f"{name} is missing for {_shares(~known, bad)}: look at whether it is filled in, or "
            "blanked, after the outcome.",
        )
    cluster = None if column.is_text else _clustering(column.values[known], bad[known])
    if cluster is not None:
        period, difference = cluster
        whole = column.values[known] % period == 0
        yield sign(
            "values_cluster_by_label",
            difference,
            f"{name} is a whole multiple of {period:,} for {_shares(whole, bad[known])}, and of "
            "like size too: look at whether it is changed after the outcome.",
        )


def _ranking(column: LeakColumn, bad: Ints, known: Bools) -> float | None:
    """Give the AUC of the column alone where it is implausible; its direction is free."""
    if not _has_both(bad[known]):
        return None
    values, labels = column.values[known], bad[known]
    risk = _rate_elsewhere(values, labels) if column.is_text else values
    estimate = auc_estimate(risk, labels)
    auc = max(estimate.value, 1 - estimate.value)
    return auc if _is_clear(auc, estimate.standard_error, THRESHOLDS["ranks_too_well"]) else None


def _rate_elsewhere(codes: Floats, bad: Ints) -> Floats:
    """Give each row the bad rate of its category among the rows of the other half.

    A category's own rows are left out, so that many rare categories rank nothing by themselves.
    """
    category = np.unique(codes, return_inverse=True)[1]
    half = np.arange(len(bad)) % 2
    rate = np.empty(len(bad))
    for part in (0, 1):
        other = half != part
        size = int(category.max()) + 1
        n = np.bincount(category[other], minlength=size)
        n_bad = np.bincount(category[other], bad[other], minlength=size)
        smoothed = (n_bad + bad[other].mean()) / (n + 1)
        rate[half == part] = smoothed[category[half == part]]
    return rate


def _clustering(values: Floats, bad: Ints) -> tuple[int, float] | None:
    """Find the period whose whole multiples differ most between bad and good of like size."""
    used = (values != 0) & (values == np.floor(values))
    values, bad = values[used], bad[used]
    if not _has_both(bad) or len(np.unique(values)) < _FEWEST_VALUES:
        return None
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, _N_STRATA + 1)[1:-1]))
    stratum = np.searchsorted(cuts, values, side="left")
    clear: list[tuple[int, float]] = []
    for period in PERIODS:
        if float(np.abs(values).max()) < period:
            continue
        difference, error = _stratified_difference(values % period == 0, bad, stratum)
        if _is_clear(difference, error, THRESHOLDS["values_cluster_by_label"]):
            clear.append((period, abs(difference)))
    return max(clear, key=lambda sign: sign[1], default=None)


def _stratified_difference(mark: Bools, bad: Ints, stratum: Ints) -> tuple[float, float]:
    """Compare the marked share of bad and good within strata, weighted by what each can tell."""
    size = int(stratum.max()) + 1
    n = [np.bincount(stratum[bad == label], minlength=size) for label in (0, 1)]
    hits = [
        np.bincount(stratum[bad == label], mark[bad == label], minlength=size) for label in (0, 1)
    ]
    both = (n[0] > 0) & (n[1] > 0)
    if not both.any():
        return 0.0, np.inf
    good, badly = n[0][both], n[1][both]
    weight = good * badly / (good + badly)
    weight = weight / weight.sum()
    shares = [(hits[label][both] + 0.5) / (n[label][both] + 1) for label in (0, 1)]
    raw = [hits[label][both] / n[label][both] for label in (0, 1)]
    variance = shares[0] * (1 - shares[0]) / good + shares[1] * (1 - shares[1]) / badly
    difference = float(weight @ (raw[1] - raw[0]))
    return difference, float(np.sqrt(weight**2 @ variance))


def _missing_difference(known: Bools, bad: Ints) -> float | None:
    """Give how much more often one class is missing, in [0, 1], where that is clear."""
    if known.all() or not known.any():
        return None
    everyone = np.zeros(len(bad), dtype=np.int64)
    difference, error = _stratified_difference(~known, bad, everyone)
    return (
        abs(difference)
        if _is_clear(difference, error, THRESHOLDS["missing_follows_label"])
        else None
    )


def _shares(mark: Bools, bad: Ints) -> str:
    shares = [float(mark[bad == label].mean()) for label in (1, 0)]
    return f"{shares[0]:.0%} of bad and {shares[1]:.0%} of good rows"


def _is_clear(value: float, standard_error: float, threshold: float) -> bool:
    size = abs(value)
    return bool(size >= threshold and size - _LIMIT * standard_error >= threshold - _MARGIN)


def _has_both(bad: Ints) -> bool:
    return min(int(bad.sum()), len(bad) - int(bad.sum())) >= _FEWEST_OF_A_CLASS


def table_of_features(sample: Sample, names: Sequence[str], seed: int) -> LeakageTable:
    """Take the features of a sample as columns, where the snapshots are not at hand.

    Parameters
    ----------
    sample : Sample
        Labelled rows; above 50,000 about so many are drawn by class.
    names : sequence of str
        Its d features.
    seed : int
        Seed of the draw.

    Returns
    -------
    LeakageTable
        One column per feature.
    """
    rows = draw_rows(sample.bad, MAX_ROWS, seed)
    columns = {
        name: LeakColumn(sample.raw[rows, j], is_text=bool(sample.categorical[j]))
        for j, name in enumerate(names)
    }
    return LeakageTable(columns, sample.bad[rows])
