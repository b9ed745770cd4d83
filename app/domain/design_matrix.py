"""Labels and goodness, aligned row by row, and the splits that keep parties and dates apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.domain.codes import count_distinct, is_among
from app.domain.counted import counted
from app.domain.types import Bools, Dates, Floats, Ints
from app.errors import InvalidInputError, ValidationInfeasibleError

OUT_OF_TIME_SHARE = 0.7
OUT_OF_TIME_MIN_DAYS = 90
OUT_OF_TIME_MIN_BAD = 30
HOLDOUT_ABOVE = 200_000
HOLDOUT_SHARE = 0.3
N_FOLDS = 5
N_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold labelled rows ordered by (scored_at, batch, party), as training sees them.

    Attributes
    ----------
    goodness : ndarray of shape (n, d)
        Goodness in [0, 1] of the features of positive weight, under the baseline's transforms.
    bad : ndarray of shape (n,)
        1 bad, 0 good.
    party : ndarray of shape (n,)
        Party codes: equal codes are the same party.
    scored_on : ndarray of shape (n,)
        UTC calendar day of ``scored_at``, ``datetime64[D]``.
    raw : ndarray of shape (n, d)
        The features as numbers (category codes for text), NaN where missing; only the
        headroom models read it.
    categorical : ndarray of shape (d,)
        Which columns of ``raw`` are category codes.

    Raises
    ------
    InvalidInputError
        If lengths differ, goodness leaves [0, 1] or is not finite.
    """

    goodness: Floats
    bad: Ints
    party: Ints
    scored_on: Dates
    raw: Floats
    categorical: Bools

    def __post_init__(self) -> None:
        n = len(self.bad)
        if any(len(part) != n for part in (self.goodness, self.party, self.scored_on, self.raw)):
            raise InvalidInputError("the parts of a sample must have one row per label", n=n)
        if n and not (self.goodness.min() >= 0 and self.goodness.max() <= 1):
            raise InvalidInputError("goodness must lie in [0, 1]")

    @property
    def n_rows(self) -> int:
        """Give the number of rows; a party of several batches has several."""
        return len(self.bad)

    @property
    def n_parties(self) -> int:
        """Give the number of distinct parties."""
        return count_distinct(self.party)

    @property
    def n_bad(self) -> int:
        """Give the number of distinct parties with a bad row."""
        return count_distinct(self.party[self.bad == 1])

    @property
    def n_good(self) -> int:
        """Give the number of distinct parties with a good row."""
        return count_distinct(self.party[self.bad == 0])

    def take(self, rows: Ints) -> Sample:
        """Give the sample of the rows of these numbers, in this order; a run of them is shared."""
        at = _as_run(rows)
        return Sample(
            goodness=self.goodness[at],
            bad=self.bad[at],
            party=self.party[at],
            scored_on=self.scored_on[at],
            raw=self.raw[at],
            categorical=self.categorical,
        )


def _as_run(rows: Ints) -> Ints | slice:
    """Give a slice where each row follows the one before it: dates split a sample like that."""
    if len(rows) == 0 or (np.diff(rows) != 1).any():
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Split:
    """Hold the rows that train and the rows that test, and which repeat and fold this is."""

    train: Ints
    test: Ints
    repeat: int = 0
    fold: int = 0


def draw_rows(bad: Ints, size: int, seed: int) -> Ints:
    """Draw about so many rows without replacement, both classes alike.

    Parameters
    ----------
    bad : ndarray of shape (n,)
        1 bad, 0 good.
    size : int
        Rows wanted; each class is rounded by itself, and one that is there keeps a row at least.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_drawn,)
        Row numbers, rising; all of them where there are no more than `size`.

    Examples
    --------
    >>> bad = np.repeat([1, 0], [20, 180])
    >>> rows = draw_rows(bad, 50, seed=0)
    >>> len(rows), int(bad[rows].sum())
    (50, 5)
    """
    if len(bad) <= size:
        return np.arange(len(bad))
    generator = np.random.default_rng(seed)
    share = size / len(bad)
    classes = (np.flatnonzero(bad == value) for value in (0, 1))
    rows = [
        generator.choice(of_class, min(len(of_class), max(1, round(share * len(of_class)))), False)
        for of_class in classes
    ]
    return np.sort(np.concatenate(rows))


def out_of_time_cut(scored_on: Dates) -> np.datetime64:
    """Give the last training day: the day of row floor(0.7 n) in date order.

    Parameters
    ----------
    scored_on : ndarray of shape (n,)
        Days, ``datetime64[D]``, in any order.

    Returns
    -------
    datetime64[D]
        Rows on or before it train, later ones test.

    Examples
    --------
    >>> days = np.arange("2026-01-01", "2026-01-11", dtype="datetime64[D]")
    >>> str(out_of_time_cut(days))
    '2026-01-08'
    """
    ordered = np.sort(scored_on)
    return np.datetime64(ordered[int(np.floor(OUT_OF_TIME_SHARE * len(ordered)))], "D")


def find_out_of_time_split(sample: Sample) -> tuple[Split | None, str]:
    """Split by date where dates can decide, else say why they cannot.

    Parameters
    ----------
    sample : Sample
        Labelled rows.

    Returns
    -------
    tuple of (Split or None, str)
        The split, or None with the reason. A party of the training part is dropped from the
        test part.
    """
    span = int((sample.scored_on.max() - sample.scored_on.min()).astype(int))
    if span < OUT_OF_TIME_MIN_DAYS:
        spans = f"scored_at spans {counted(span, 'day')}"
        return None, f"{spans}, at least {OUT_OF_TIME_MIN_DAYS} are needed"
    cut = out_of_time_cut(sample.scored_on)
    is_train = sample.scored_on <= cut
    is_test = ~is_train & ~is_among(sample.party, sample.party[is_train])
    for name, part in (("training", is_train), ("test", is_test)):
        n_bad = count_distinct(sample.party[part & (sample.bad == 1)])
        if n_bad < OUT_OF_TIME_MIN_BAD:
            return None, (
                f"the {name} part, split after {cut}, holds {counted(n_bad, 'bad party')}, "
                f"at least {OUT_OF_TIME_MIN_BAD} are needed"
            )
        if not np.any(part & (sample.bad == 0)):
            return None, f"the {name} part, split after {cut}, holds no good party"
    return Split(np.flatnonzero(is_train), np.flatnonzero(is_test)), ""


def grouped_folds(sample: Sample, n_folds: int, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Split rows into stratified folds that never share a party.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    n_folds : int
        At least 2.
    seed : int
        Seed of the shuffle.

    Yields
    ------
    tuple of ndarray
        Row numbers of the training part and of the test part.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # noqa: PLC0415 - heavy

    nothing = np.zeros((sample.n_rows, 1))
    if sample.n_parties == sample.n_rows:
        rows = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(nothing, sample.bad)
    else:
        rows = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(
            nothing, sample.bad, sample.party
        )
    yield from rows


def fold_count(sample: Sample) -> int:
    """Say how many folds the sample can fill.

    Parameters
    ----------
    sample : Sample
        Labelled rows.

    Returns
    -------
    int
        min(5, bad parties, good parties), in [0, 5].
    """
    return min(N_FOLDS, sample.n_bad, sample.n_good)


def choose_splits(sample: Sample, mode: str, seed: int) -> tuple[str, tuple[Split, ...], str]:
    """Choose how the procedure is judged on rows that it never saw.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    mode : {"auto", "out_of_time", "cross_validation", "holdout"}
        ``auto`` takes dates where they can decide, a holdout above 200,000 rows, and repeated
        stratified cross-validation otherwise.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    tuple of (str, tuple of Split, str)
        The mode used, its splits, and why dates did not decide ("" where they did or were
        not asked).

    Raises
    ------
    ValidationInfeasibleError
        If a forced mode cannot be done, or no mode can.
    InvalidInputError
        If the mode is unknown.
    """
    why = ""
    if mode in ("auto", "out_of_time"):
        split, why = find_out_of_time_split(sample)
        if split is not None:
            return "out_of_time", (split,), ""
        if mode == "out_of_time":
            raise ValidationInfeasibleError(
                f"out-of-time validation is not possible: {why}. Use --validation auto."
            )
    elif mode not in ("cross_validation", "holdout"):
        raise InvalidInputError(
            f"unknown validation {mode!r}: use auto, out_of_time, cross_validation or holdout"
        )
    n_folds = fold_count(sample)
    if n_folds < 2:  # noqa: PLR2004 - a split needs two parts
        raise ValidationInfeasibleError(
            f"nothing can be held out: {sample.n_bad} bad and "
            f"{counted(sample.n_good, 'good party')}"
        )
    used = "cross_validation"
    if mode == "holdout" or (mode == "auto" and sample.n_rows > HOLDOUT_ABOVE):
        used = "holdout"
        splits: tuple[Split, ...] = (_holdout(sample, seed),)
    else:
        splits = tuple(
            Split(train, test, repeat, fold)
            for repeat in range(N_REPEATS)
            for fold, (train, test) in enumerate(grouped_folds(sample, n_folds, seed + repeat))
        )
    return used, _trainable(sample, splits), why


def _trainable(sample: Sample, splits: tuple[Split, ...]) -> tuple[Split, ...]:
    """Leave out splits that cannot be trained on; at least one must be there to be judged."""

    def has_both(rows: Ints) -> bool:
        return len(np.unique(sample.bad[rows])) == 2  # noqa: PLR2004 - bad and good

    kept = tuple(split for split in splits if has_both(split.train))
    if not any(has_both(split.test) for split in kept):
        raise ValidationInfeasibleError(
            f"no split of {sample.n_bad} bad and {counted(sample.n_good, 'good party')} leaves "
            "both on either side: label more parties"
        )
    return kept


def _holdout(sample: Sample, seed: int) -> Split:
    tenths = [test for _, test in grouped_folds(sample, min(10, sample.n_bad, sample.n_good), seed)]
    n_test = max(1, round(HOLDOUT_SHARE * len(tenths)))
    return Split(
        train=np.sort(np.concatenate(tenths[n_test:])),
        test=np.sort(np.concatenate(tenths[:n_test])),
    )
