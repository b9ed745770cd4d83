"""Whether figures move with the scoring date: shuffled against out of time, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.domain.design_matrix import Sample
from app.domain.discrimination import Estimate, auc_estimate
from app.domain.policy import Policy
from app.domain.types import Bools, Dates, Document, Floats, Progress
from app.domain.validation import Card, Validation, validate

MAX_SHUFFLED_ROWS = 50_000
"""Above it the shuffled validation beside the out-of-time one is left out: it takes minutes."""
MAX_MONTHS = 36
"""More scoring months are shown as years."""
FEWEST_OF_A_CLASS = 5

_JUDGED = {
    "gain": "the gain of the refined card",
    "baseline": "the baseline's AUC",
    "refined": "the refined card's AUC",
}


@dataclass(frozen=True, slots=True)
class Period:
    """Hold the labelled rows scored in one month or year.

    Attributes
    ----------
    name : str
        ``2026-03`` or ``2026``.
    n, n_bad : int
        Labelled rows, and bad ones among them.
    baseline : Estimate or None
        AUC of the baseline on them; None with fewer than five rows of a class.
    n_unseen : int
        Rows among them that validation tested.
    refined : Estimate or None
        AUC, on these, of refined cards that never saw them.
    """

    name: str
    n: int
    n_bad: int
    baseline: Estimate | None
    n_unseen: int
    refined: Estimate | None

    def as_dict(self) -> Document:
        """Give the period as a JSON-ready mapping."""
        return {
            "period": self.name,
            "n": self.n,
            "n_bad": self.n_bad,
            "bad_rate": self.n_bad / self.n,
            "auc_baseline": _value(self.baseline),
            "auc_baseline_interval": _interval(self.baseline),
            "n_unseen": self.n_unseen,
            "auc_refined": _value(self.refined),
            "auc_refined_interval": _interval(self.refined),
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """Hold what the scoring date changes.

    Attributes
    ----------
    differs : tuple of str
        Of ``gain``, ``baseline`` and ``refined``, those whose 95 % intervals out of time and
        shuffled have no value in common.
    sentence : str
        The comparison for a person, or why there is none.
    out_of_time, shuffled : dict of Estimate
        The three figures either way; empty where they were not compared.
    periods : tuple of Period
        By scoring month, or by year where there are more than 36 of them.
    """

    differs: tuple[str, ...]
    sentence: str
    out_of_time: dict[str, Estimate]
    shuffled: dict[str, Estimate]
    periods: tuple[Period, ...]

    def as_dict(self) -> Document:
        """Give the comparison as a JSON-ready mapping."""
        return {
            "was_compared": bool(self.shuffled),
            "differs": list(self.differs),
            "sentence": self.sentence,
            "figures": {
                name: {
                    "out_of_time": self.out_of_time[name].value,
                    "out_of_time_interval": _interval(self.out_of_time[name]),
                    "shuffled": self.shuffled[name].value,
                    "shuffled_interval": _interval(self.shuffled[name]),
                }
                for name in self.shuffled
            },
            "periods": [period.as_dict() for period in self.periods],
        }


def compare_over_time(
    sample: Sample,
    card: Card,
    policy: Policy,
    judged: Validation,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Drift:
    """Compare out-of-time with shuffled validation, and lay the figures out by scoring month.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    card : Card
        The baseline.
    policy : Policy
        Thresholds of the guard-rails.
    judged : Validation
        The validation that decided.
    seed : int
        Seed of the shuffles.
    progress : callable, optional
        Called as ``progress("compare", done, total)`` where a shuffled validation is run.

    Returns
    -------
    Drift
        Nothing is compared where dates did not decide, or above 50,000 rows; it says so.
    """
    periods = tuple(_periods(sample, card, judged))
    why_not = ""
    if judged.mode != "out_of_time":
        why_not = "dates did not decide"
    elif sample.n_rows > MAX_SHUFFLED_ROWS:
        why_not = f"there are more than {MAX_SHUFFLED_ROWS:,} rows"
    if why_not:
        sentence = f"Out-of-time and shuffled validation were not compared: {why_not}."
        return Drift((), sentence, {}, {}, periods)
    shuffled = validate(
        sample, card, policy, mode="cross_validation", seed=seed, progress=_renamed(progress)
    )
    here, there = _figures(judged), _figures(shuffled)
    differs = tuple(name for name in _JUDGED if _are_apart(here[name], there[name]))
    return Drift(differs, _sentence(differs, here, there), here, there, periods)


def _renamed(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda _stage, done, total: progress("compare", done, total)


def _figures(judged: Validation) -> dict[str, Estimate]:
    return {
        "gain": judged.gain,
        "baseline": judged.auc["baseline"],
        "refined": judged.auc["refined"],
    }


def _are_apart(one: Estimate, other: Estimate) -> bool:
    """Say whether the 95 % intervals have no value in common; False where one has no interval."""
    low, high = zip(one.interval(), other.interval(), strict=True)
    return bool(max(low) > min(high))


def _sentence(
    differs: tuple[str, ...], here: dict[str, Estimate], there: dict[str, Estimate]
) -> str:
    if not differs:
        return "Out-of-time and shuffled validation agree within their intervals."
    shown = "; ".join(
        f"{_JUDGED[name]} is {_shown(name, here[name])} there and {_shown(name, there[name])} "
        "shuffled"
        for name in differs
    )
    return f"Dates matter here, believe the later vintages: {shown}."


def _shown(name: str, estimate: Estimate) -> str:
    low, high = estimate.interval()
    if name == "gain":
        return f"{estimate.value:+.4f} ({low:+.4f} to {high:+.4f})"
    return f"{estimate.value:.3f} ({low:.3f} to {high:.3f})"


def _periods(sample: Sample, card: Card, judged: Validation) -> Iterator[Period]:
    first, code = np.unique(_periods_of(sample.scored_on), return_inverse=True)
    baseline = -card.unrounded_scores(sample.goodness, card.weights)
    refined = _unseen_risk(sample, judged)
    for number, name in enumerate(np.datetime_as_string(first)):
        rows = code == number
        seen = rows & np.isfinite(refined)
        yield Period(
            name=str(name),
            n=int(rows.sum()),
            n_bad=int(sample.bad[rows].sum()),
            baseline=_auc(sample, baseline, rows),
            n_unseen=int(seen.sum()),
            refined=_auc(sample, refined, seen),
        )


def period_names(scored_on: Dates) -> np.ndarray:
    """Name the scoring month of each row, or its year where there are more than 36 months.

    Parameters
    ----------
    scored_on : ndarray of shape (n,)
        Days, ``datetime64[D]``.

    Returns
    -------
    ndarray of str, shape (n,)
        ``2026-03``, or ``2026``.

    Examples
    --------
    >>> period_names(np.array(["2026-03-31", "2026-04-01"], dtype="datetime64[D]")).tolist()
    ['2026-03', '2026-04']
    """
    return np.datetime_as_string(_periods_of(scored_on))


def _periods_of(scored_on: Dates) -> Dates:
    months = scored_on.astype("datetime64[M]")
    unit = "Y" if len(np.unique(months)) > MAX_MONTHS else "M"
    return months.astype(f"datetime64[{unit}]")


def _unseen_risk(sample: Sample, judged: Validation) -> Floats:
    """Give each tested row's risk under the refined card of its first test fold, else NaN."""
    risk = np.full(sample.n_rows, np.nan)
    for fold in judged.folds:
        if fold.split.repeat == 0:
            risk[fold.split.test] = -fold.scores["refined"]
    return risk


def _auc(sample: Sample, risk: Floats, rows: Bools) -> Estimate | None:
    bad = sample.bad[rows]
    if min(int(bad.sum()), len(bad) - int(bad.sum())) < FEWEST_OF_A_CLASS:
        return None
    return auc_estimate(risk[rows], bad, sample.party[rows])


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _interval(estimate: Estimate | None) -> list[float] | None:
    if estimate is None or not np.isfinite(estimate.standard_error):
        return None
    return list(estimate.interval())
