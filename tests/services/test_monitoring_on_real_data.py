"""Monitoring of small-business loans by approval year, against figures made with pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import beta, binomtest, ks_2samp
from sklearn.metrics import roc_auc_score

from app.domain.scorecard import load_scorecard
from app.services.batch_service import BatchService
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from app.services.scoring_service import ScoringService
from tests.support.portfolio import store_with_card

pytestmark = pytest.mark.slow

THROUGH, WINDOW = pd.Timestamp("2014-08-31"), 1825
YEARS = range(1997, 2010)


def unrounded_scores(frame: pd.DataFrame, card: dict) -> np.ndarray:
    """Score a frame by the card's own document, as a person would in a notebook."""
    total = sum(feature["weight"] for feature in card["features"].values())
    points = np.zeros(len(frame))
    for name, feature in card["features"].items():
        rule, values = feature["transform"], frame[name]
        if rule["kind"] == "categories":
            texts = values.map(lambda x: f"{x:g}" if isinstance(x, float) else str(x))
            goodness = texts.map(rule["values"]).fillna(rule["other"])
        elif rule["kind"] == "bins":
            goodness = pd.Series(np.take(rule["values"], np.digitize(values, rule["edges"])))
            goodness.index = values.index
        else:
            x, worst, best = values.astype(float), rule["worst"], rule["best"]
            if rule["kind"] == "log":
                x, worst, best = np.log1p(x.clip(lower=0)), np.log1p(worst), np.log1p(best)
            goodness = ((x - worst) / (best - worst)).clip(0, 1)
        points += feature["weight"] * goodness.where(values.notna(), feature["missing"]).to_numpy()
    return 300 + 600 * points / total


def maximum_likelihood(x: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Fit intercept and slope of a logistic regression by SciPy."""

    def loss(theta: np.ndarray) -> float:
        eta = theta[0] + theta[1] * x
        return float((np.logaddexp(0, eta) - bad * eta).sum())

    return minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-9}).x


@pytest.fixture
def loans(shared_data: Path, shared_cards: Path) -> pd.DataFrame:
    """Read the loans with score and label, without Chancellor."""
    frame = pd.read_csv(
        shared_data / "sba_case" / "sba_case.csv", parse_dates=["ApprovalDate", "ChgOffDate"]
    )
    frame["year"] = frame["ApprovalDate"].dt.year
    frame = frame[frame["year"].isin(YEARS)].copy()
    card = yaml.safe_load((shared_cards / "sba_case.yaml").read_text())
    frame["unrounded"] = unrounded_scores(frame, card)
    days = (frame["ChgOffDate"] - frame["ApprovalDate"]).dt.days
    frame["bad"] = ((days > 0) & (days <= WINDOW)).astype(int)
    is_mature = frame["ApprovalDate"] + pd.Timedelta(days=WINDOW) <= THROUGH
    is_excluded = days <= 0
    frame["is_labelled"] = is_mature & ~is_excluded
    return frame


@pytest.fixture
def reports(home, sqlite_template, shared_cards, shared_data, loans, tmp_path):
    """Import, score and monitor one batch per approval year, through the services."""
    whole = pd.read_csv(shared_data / "sba_case" / "sba_case.csv", dtype=str)
    card = load_scorecard(shared_cards / "sba_case.yaml")
    with store_with_card(card, home, sqlite_template) as db:
        PolicyService(db, actor="analyst").set_policy(
            {"watched_outcome": "default", "watched_window_days": WINDOW}
        )
        OutcomeService(db, actor="analyst").import_events(
            shared_data / "sba_case" / "sba_case.csv", party_id="LoanNr_ChkDgt",
            event_date="ChgOffDate", event_type="write_off", through="2014-08-31",
        )  # fmt: skip
        for year, rows in whole.loc[loans.index].groupby(loans["year"]):
            file = tmp_path / f"{year}.csv"
            rows.to_csv(file, index=False)
            BatchService(db, actor="analyst").import_file(
                file, batch_id=f"Y{year}", party_id="LoanNr_ChkDgt", scored_at="ApprovalDate"
            )
            ScoringService(db, actor="analyst").score_batch(f"Y{year}")
        service = MonitoringService(db, actor="analyst")
        made = service.monitor_due()
        assert made["failures"] == []
        yield (
            {
                int(one["batch_id"][1:]): service.get_report(one["report_id"])
                for one in made["reports"]
            },
            service.over_time(),
        )


def test_calibration_by_vintage_shows_2006_and_2007_as_pandas_computes_them(loans, reports):
    found, over_time = reports
    calibration = found[2007]["calibration"]
    made_of = int(calibration["batch_ids"][0][1:])
    reference = loans[(loans["year"] == made_of) & loans["is_labelled"]]
    fitted = maximum_likelihood(
        (reference["unrounded"].to_numpy() - 600) / 100, reference["bad"].to_numpy()
    )
    compared = 0
    for year, rows in loans[loans["is_labelled"]].groupby("year"):
        outcomes = found[year]["outcomes"]
        scores, bad = rows["unrounded"].to_numpy(), rows["bad"].to_numpy()
        n, n_bad = len(bad), int(bad.sum())
        line = outcomes["overall"]
        assert (line["n"], line["n_bad"]) == (n, n_bad)
        if year < made_of:  # nothing is expected from the future
            assert line["expected"] is None
        else:
            expected = expit(fitted[0] + fitted[1] * (scores - 600) / 100).mean()
            assert line["expected"] == pytest.approx(expected, abs=2e-5)
            p = beta.cdf(expected, n_bad + 0.5, n - n_bad + 0.5)
            assert line["jeffreys_p"] == pytest.approx(p, abs=1e-4)
            compared += 1
        limits = binomtest(n_bad, n).proportion_ci(method="wilson")
        assert (line["low"], line["high"]) == pytest.approx((limits.low, limits.high), abs=1e-9)
        by_month = rows.groupby(rows["ApprovalDate"].dt.strftime("%Y-%m"))["bad"]
        vintages = {one["vintage"]: (one["n"], one["n_bad"]) for one in outcomes["by_vintage"]}
        assert vintages == {name: (len(month), int(month.sum())) for name, month in by_month}
        if min(n_bad, n - n_bad) >= 5:
            rounded = np.round(scores, 9)
            auc = roc_auc_score(bad, -rounded)
            assert outcomes["auc_roc"]["value"] == pytest.approx(auc, abs=1e-9)
            ks = ks_2samp(rounded[bad == 1], rounded[bad == 0]).statistic
            assert outcomes["ks"]["value"] == pytest.approx(ks, abs=1e-9)
    assert compared >= 7
    # The deterioration: 2006 and 2007 turned bad far above what their scores promised.
    alerted = {
        year for year, one in found.items()
        if ("calibration", "all") in {(alert["kind"], alert["subject"]) for alert in one["alerts"]}
    }  # fmt: skip
    assert {2006, 2007} <= alerted
    observed = {year: one["outcomes"]["overall"]["observed"] for year, one in found.items()}
    assert observed[2006] > 0.4
    assert observed[2007] > 0.55
    for year in (2006, 2007):
        overall = found[year]["outcomes"]["overall"]
        assert overall["observed"] > 1.5 * overall["expected"]
        assert overall["p_adjusted"] < 0.001
    points = {int(point["batch_id"][1:]): point for point in over_time["batches"]}
    assert {year: point["overall"]["observed"] for year, point in points.items()} == observed


def test_psi_by_year_is_what_numpy_counts_over_the_reference_years_bins(loans, reports):
    found, _ = reports
    reference = next(iter(found.values()))["reference"]["batch_ids"]
    assert reference == [f"Y{YEARS[0]}"]
    first = np.sort(np.round(loans.loc[loans["year"] == YEARS[0], "unrounded"].to_numpy(), 9))
    n_bins = min(10, len(first) // 10)
    edges = np.unique([first[-(-k * len(first) // n_bins) - 1] for k in range(1, n_bins)])
    edges = np.r_[-np.inf, edges[edges < first.max()], np.inf]
    for year, rows in loans.groupby("year"):
        now = pd.cut(np.round(rows["unrounded"], 9), edges).value_counts(sort=False).to_numpy()
        before = pd.cut(first, edges).value_counts().to_numpy()
        e = (before + 0.5) / (before + 0.5).sum()
        a = (now + 0.5) / (now + 0.5).sum()
        psi = ((a - e) * np.log(a / e)).sum()
        score = found[year]["score"]
        is_small = "The reference has only 21 parties" in " ".join(found[year]["sentences"])
        assert is_small == (year != YEARS[0])
        assert [line["n_actual"] for line in score["bins"]] == now.tolist()
        assert score["psi"] == pytest.approx(psi, abs=1e-9)
