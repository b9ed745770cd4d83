"""How often monitoring alerts without a change, and how often it finds one: docs/monitoring.md.

Every repeat simulates parties of one month (`app.domain.simulation`), so that nothing but chance
differs between them, and splits them at random into a reference and a batch; then the batch is
changed on purpose, or not. ``python -m benchmarks.monitoring``; seeds are fixed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from app.domain.fitting import calibrate, fit_anchored
from app.domain.monitoring.odds import (
    FEWEST_OF_A_CLASS,
    FrozenCalibration,
    freeze_calibration,
)
from app.domain.monitoring.outcomes import Labelled, Promise, watch_outcomes
from app.domain.monitoring.population import (
    Population,
    count_population,
    freeze_reference,
    measure_movement,
)
from app.domain.monitoring.ranking import ranked_auc
from app.domain.monitoring.watched import Watched, family_of
from app.domain.proportions import wilson_interval
from app.domain.scorecard import default_card
from app.domain.simulation import simulate_portfolio
from app.domain.table_score import goodness_matrix
from app.domain.types import Document, Floats, Ints

ROOT = Path(__file__).resolve().parents[1]
MARK = "<!-- figures of make monitoring-study -->"

MAX_PSI, MAX_AUC_DROP, LEVEL = 0.10, 0.05, 0.05
REPEATS = 200
TAU = 0.35

_CARD = default_card()
_RANGE = _CARD.range.max - _CARD.range.min
_REGULARITY, _SUPPLIERS = "transaction_regularity_score", "supplier_count"


@dataclass(frozen=True, slots=True)
class Parties:
    """Hold simulated parties with what is true of them.

    Attributes
    ----------
    features : dict of str to ndarray of shape (n,)
        Raw, NaN missing.
    p_bad : ndarray of shape (n,)
        True probability.
    bad : ndarray of shape (n,)
        What became of them.
    """

    features: dict[str, Floats]
    p_bad: Floats
    bad: Ints

    def goodness(self) -> Floats:
        """Give what the card makes of the features, shape (n, d)."""
        return goodness_matrix(_CARD, pa.table(self.features))

    def take(self, rows: Ints) -> Parties:
        """Give some of the parties."""
        features = {name: values[rows] for name, values in self.features.items()}
        return Parties(features, self.p_bad[rows], self.bad[rows])


Change = Callable[[Parties, np.random.Generator], Parties]


def _as_it_was(batch: Parties, rng: np.random.Generator) -> Parties:
    del rng
    return batch


def _one_feature(batch: Parties, rng: np.random.Generator) -> Parties:
    """Move one feature by a quarter of its standard deviation; the score hardly notices."""
    del rng
    values = batch.features[_REGULARITY]
    moved = np.clip(values + np.nanstd(values) / 4, 0, 100)
    return Parties({**batch.features, _REGULARITY: moved}, batch.p_bad, batch.bad)


def _gone_missing(batch: Parties, rng: np.random.Generator) -> Parties:
    """Lose a feature of 15 % of the parties."""
    values = batch.features[_SUPPLIERS].copy()
    values[rng.random(len(values)) < 0.15] = np.nan  # noqa: PLR2004 - as the docstring says
    return Parties({**batch.features, _SUPPLIERS: values}, batch.p_bad, batch.bad)


def _riskier_mix(batch: Parties, rng: np.random.Generator) -> Parties:
    """Draw riskier parties, by half more often for each standard deviation of their log-odds."""
    risk = logit(batch.p_bad)
    weight = 1.5 ** ((risk - risk.mean()) / risk.std())
    return batch.take(rng.choice(len(risk), len(risk), p=weight / weight.sum()))


def _more_bad(times_odds: float) -> Change:
    """Let the same parties turn bad at higher odds."""

    def change(batch: Parties, rng: np.random.Generator) -> Parties:
        p_bad = expit(logit(batch.p_bad) + np.log(times_odds))
        return Parties(batch.features, p_bad, (rng.random(len(p_bad)) < p_bad).astype(np.int64))

    return change


def _ranks_less(kept: float) -> Change:
    """Let outcomes follow the score only to a share, at the same bad rate."""

    def change(batch: Parties, rng: np.random.Generator) -> Parties:
        p_bad = kept * batch.p_bad + (1 - kept) * batch.p_bad.mean()
        return Parties(batch.features, p_bad, (rng.random(len(p_bad)) < p_bad).astype(np.int64))

    return change


CHANGES: Mapping[str, tuple[str, Change, str]] = {
    "none": ("nothing changes", _as_it_was, ""),
    "feature": ("one feature moves by a quarter of its standard deviation", _one_feature,
                "feature_csi"),
    "missing": ("15 % of one feature go missing", _gone_missing, "feature_csi"),
    "mix": ("riskier parties: half more often per standard deviation of risk", _riskier_mix,
            "score_psi"),
    "bad_rate": ("the same parties turn bad at 2.5 times the odds", _more_bad(2.5), "calibration"),
    "some_bad": ("the same parties turn bad at 1.5 times the odds", _more_bad(1.5), "calibration"),
    "no_ranking": ("outcomes no longer follow the features", _ranks_less(0.0), "auc_drop"),
    "half_ranking": ("outcomes follow them by half", _ranks_less(0.5), "auc_drop"),
}  # fmt: skip
"""Name to what changes, how, and the kind of alert that must be raised."""


def simulated(rng: np.random.Generator, n: int) -> Parties:
    """Simulate parties of one month."""
    portfolio = simulate_portfolio(_CARD, rng, n_parties=n, n_months=1)
    bad = (rng.random(n) < portfolio.p_bad).astype(np.int64)
    return Parties(portfolio.features, portfolio.p_bad, bad).take(rng.permutation(n))


def one_repeat(change: str, n: int, n_reference: int, seed: int, *, refined: bool) -> Document:
    """Make a reference and a batch, and say what a report would alert to.

    Parameters
    ----------
    change : str
        One of `CHANGES`.
    n, n_reference : int
        Parties of the batch, and of the reference.
    seed : int
        Of this repeat.
    refined : bool
        Whether the weights are refined on the labels that make the calibration.
    """
    rng = np.random.default_rng(seed)
    parties = simulated(rng, n + n_reference)
    reference = parties.take(np.arange(n_reference))
    batch = CHANGES[change][1](parties.take(np.arange(n_reference, n + n_reference)), rng)
    weights = _weights(reference) if refined else _expert()
    before, after = _population(reference, weights), _population(batch, weights)
    frozen = freeze_reference(before)
    data = measure_movement(count_population(after, frozen), frozen).watched(MAX_PSI)
    outcomes, plain = _outcomes(before, reference, after, batch, with_auc=not refined)
    return {
        "change": change,
        "n": n,
        "n_reference": n_reference,
        "refined": refined,
        "seed": seed,
        "data": _alerts(data),
        "all": _alerts([*data, *outcomes]),
        "plain": _alerts([*data, *plain]),
        "has_promise": bool(outcomes),
        "psi": {one.subject: one.value for one in data},
        "auc": [None if found is None else found.value for found in (
            ranked_auc(-before.scores, reference.bad), ranked_auc(-after.scores, batch.bad))],
    }  # fmt: skip


def _expert() -> Floats:
    return np.array([feature.weight for feature in _CARD.features.values()], dtype=np.float64)


def _weights(parties: Parties) -> Floats:
    """Refine the expert's weights on the labels, without guard-rails: as in-sample as it gets."""
    goodness, expert = parties.goodness(), _expert()
    anchor = calibrate(goodness @ expert, parties.bad)
    if anchor.slope <= 0:
        return expert
    fitted = fit_anchored(goodness, parties.bad, expert, TAU, anchor).coefficients
    return np.asarray(fitted * expert.sum() / fitted.sum())


def _population(parties: Parties, weights: Floats) -> Population:
    scores = _CARD.range.min + _RANGE * (parties.goodness() @ weights) / weights.sum()
    return Population(scores, parties.features, dict(_CARD.bands))


def _outcomes(
    before: Population, reference: Parties, after: Population, batch: Parties, *, with_auc: bool
) -> tuple[list[Watched], list[Watched]]:
    """Give the comparisons of outcomes, and the same with the calibration taken as known."""
    n_bad = int(reference.bad.sum())
    if min(n_bad, len(reference.bad) - n_bad) < FEWEST_OF_A_CLASS:
        return [], []
    calibration = freeze_calibration(before.scores, reference.bad)
    auc = ranked_auc(-before.scores, reference.bad) if with_auc else None
    days = np.full(len(batch.bad), np.datetime64("2024-01-15", "D"))
    labelled = Labelled(after.scores, batch.bad, days, dict(_CARD.bands))
    watched = watch_outcomes(labelled, Promise(calibration, auc), MAX_AUC_DROP)
    known = Promise(_as_known(calibration), auc)
    return watched, watch_outcomes(labelled, known, MAX_AUC_DROP)


def _as_known(calibration: FrozenCalibration) -> FrozenCalibration:
    return replace(calibration, variances=(1e-18, 1e-18, 0.0))


def _alerts(watched: list[Watched]) -> list[list[str]]:
    return [[alert["kind"], alert["subject"]] for alert in family_of(watched, LEVEL).alerts()]


@dataclass(frozen=True, slots=True)
class Setting:
    """Name one row of the tables.

    Attributes
    ----------
    change : str
        One of `CHANGES`.
    n, n_reference : int
        Parties of the batch, and of the reference.
    refined : bool
        Whether the weights are refined on the labels that make the calibration.
    """

    change: str
    n: int
    n_reference: int
    refined: bool = False

    @property
    def name(self) -> str:
        """Give the name of its file."""
        return f"{self.change}-{self.n}-{self.n_reference}{'-refined' if self.refined else ''}"

    def run(self, repeats: int) -> list[Document]:
        """Run the repeats; the same seeds in every setting of the same sizes."""
        return [
            one_repeat(self.change, self.n, self.n_reference, seed, refined=self.refined)
            for seed in range(repeats)
        ]


STEADY = tuple(
    Setting("none", *sizes, refined=refined)
    for sizes, refined in (
        ((100, 100), False), ((500, 500), False), ((5_000, 5_000), False), ((100, 5_000), False),
        ((500, 5_000), False), ((500, 500), True), ((5_000, 5_000), True),
    )
)  # fmt: skip
MOVED = tuple(
    Setting(change, *sizes)
    for change in list(CHANGES)[1:]
    for sizes in ((100, 100), (500, 500), (500, 5_000), (5_000, 5_000))
)


def share(runs: list[Document], part: str, kind: str = "") -> float:
    """Give the share of reports with an alert, or with one of a kind."""
    return float(np.mean([any(kind in ("", one[0]) for one in run[part]) for run in runs]))


def _interval(rate: float, n: int) -> str:
    low, high = wilson_interval(round(rate * n), n) or (0.0, 1.0)
    return f"{100 * rate:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def tables(records: Mapping[str, list[Document]]) -> str:
    """Write the two tables as Markdown.

    Parameters
    ----------
    records : mapping of str to list of dict
        Repeats by the name of the setting.
    """
    lines = [
        "| parties | reference | weights | data alone | data and outcomes | taken as known |",
        "|---:|---:|---|---:|---:|---:|",
    ]
    for setting in STEADY:
        if runs := records.get(setting.name):
            cells = [_interval(share(runs, part), len(runs)) for part in ("data", "all", "plain")]
            weights = "refined on the reference" if setting.refined else "the expert's"
            lines.append(
                f"| {setting.n:,} | {setting.n_reference:,} | {weights} | {' | '.join(cells)} |"
            )
    lines += [
        "",
        "| what changes | parties | reference | found | any alert |",
        "|---|---:|---:|---:|---:|",
    ]
    for setting in MOVED:
        if runs := records.get(setting.name):
            what, _, kind = CHANGES[setting.change]
            found = _interval(share(runs, "all", kind), len(runs))
            lines.append(
                f"| {what} (`{kind}`) | {setting.n:,} | {setting.n_reference:,} | {found} | "
                f"{100 * share(runs, 'all'):.1f} % |"
            )
    return "\n".join(lines)


def main() -> int:
    """Run what is not there yet, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="*", metavar="SETTING", help="such as none-500-500")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "monitoring")
    parser.add_argument("--docs", type=Path, help="put the tables into this file")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for setting in (*STEADY, *MOVED):
        file = options.out / f"{setting.name}.json"
        if file.exists() or (options.only is not None and setting.name not in options.only):
            continue
        started = time.monotonic()
        file.write_text(json.dumps(setting.run(options.repeats)), encoding="utf-8")
        sys.stderr.write(f"{setting.name}: {time.monotonic() - started:.0f} s\n")
    records = {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in options.out.glob("*.json")
    }
    text = tables(records)
    if options.docs is None:
        sys.stdout.write(text + "\n")
        return 0
    before, _, rest = options.docs.read_text(encoding="utf-8").partition(f"{MARK}\n")
    _, _, after = rest.partition(MARK)
    options.docs.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
