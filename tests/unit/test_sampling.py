"""A sample drawn by a digest: the same everywhere, whole parties, and no bias left in the fit."""

import hashlib
from collections import defaultdict
from datetime import date

import ibis
import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from app.domain.fitting import calibrate, fit_anchored
from app.domain.sampling import Drawn, correct_intercept, draw_parties
from app.errors import InvalidInputError


def _rows(n=600, seed=3):
    rng = np.random.default_rng(seed)
    parties = [f"Zürich {k}" for k in rng.integers(0, n // 2, n)]
    months = rng.integers(1, 4, n)
    return {
        "party_id": parties,
        "bad": rng.integers(0, 2, n).tolist(),
        "scored_on": [date(2026, int(month), 28) for month in months],
    }


def _digest(seed, party):
    return hashlib.md5(f"{seed}:{party}".encode(), usedforsecurity=False).hexdigest()


def _by_hand(rows, seed, shares):
    first, worst = {}, {}
    for party, bad, day in zip(*rows.values(), strict=True):
        first[party] = min(first.get(party, 999999), day.year * 100 + day.month)
        worst[party] = max(worst.get(party, 0), bad)
    strata = defaultdict(list)
    for party, bad in worst.items():
        strata[bad, first[party]].append(party)
    drawn = {}
    for (bad, month), parties in strata.items():
        parties.sort(key=lambda party: _digest(seed, party))
        wanted = max(1, int(np.floor(len(parties) * shares[bad] + 0.5)))
        for party in parties[:wanted]:
            drawn[party] = (bad, month, len(parties), wanted)
    return drawn


@pytest.mark.parametrize("shares", [(0.3, 0.3), (0.05, 0.8), (1.0, 1.0)])
def test_the_engine_draws_whom_the_digest_names(shares):
    rows = _rows()
    found = draw_parties(
        ibis.memtable(pa.table(rows)), seed=11, good_share=shares[0], bad_share=shares[1]
    ).to_pyarrow()
    by_party = {
        line["party_id"]: (line["is_bad"], line["month"], line["n_stratum"], line["n_drawn"])
        for line in found.to_pylist()
    }
    assert len(by_party) == found.num_rows
    assert by_party == _by_hand(rows, 11, shares)


def test_the_order_of_the_rows_draws_nobody_else_and_another_seed_does():
    table = pa.table(_rows())
    mixed = table.take(pa.array(np.random.default_rng(0).permutation(table.num_rows)))
    drawn, again, other = (
        set(
            draw_parties(ibis.memtable(part), seed=seed, good_share=0.4)
            .to_pyarrow()["party_id"]
            .to_pylist()
        )
        for part, seed in ((table, 1), (mixed, 1), (table, 2))
    )
    assert drawn == again
    assert drawn != other


def test_weights_add_up_to_all_parties_in_every_stratum():
    found = draw_parties(ibis.memtable(pa.table(_rows())), seed=5, good_share=0.2, bad_share=0.6)
    strata = found.to_pyarrow().group_by(["is_bad", "month", "n_stratum", "n_drawn"])
    for line in strata.aggregate([([], "count_all")]).to_pylist():
        assert line["count_all"] == line["n_drawn"]
        assert line["n_drawn"] * (line["n_stratum"] / line["n_drawn"]) == line["n_stratum"]


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(InvalidInputError):
        draw_parties(ibis.memtable(pa.table(_rows())), seed=1, good_share=share)


@pytest.mark.slow
def test_rows_drawn_by_outcome_give_the_coefficients_of_all_rows_and_the_corrected_intercept():
    """A rare outcome, all of its rows and one in eight of the others: King and Zeng's case."""
    truth, weights = np.array([3.0, 1.0, 2.0]), np.array([40.0, 30.0, 30.0])
    moved = []
    for seed in range(12):
        rng = np.random.default_rng(20260301 + seed)
        goodness = rng.random((40_000, 3))
        bad = (rng.random(40_000) < expit(0.2 - goodness @ truth)).astype(np.int64)
        kept = (bad == 1) | (rng.random(40_000) < 0.125)
        full, fit = (
            fit_anchored(part, labels, weights, 1.0, calibrate(part @ weights, labels))
            for part, labels in ((goodness, bad), (goodness[kept], bad[kept]))
        )
        drawn = Drawn(
            limit=10_000, seed=seed, n_rows=40_000, n_bad_rows=int(bad.sum()),
            n_drawn=int(kept.sum()), n_bad_drawn=int(bad.sum()),
        )  # fmt: skip
        assert (np.abs(fit.coefficients - full.coefficients) < 3 * fit.standard_errors).all()
        assert fit.intercept - full.intercept > 1.5  # what the draw had added: ln 8 = 2.08
        corrected = correct_intercept(fit.intercept, drawn)
        predicted = expit(corrected - goodness @ fit.coefficients)
        assert predicted.mean() == pytest.approx(bad.mean(), rel=0.04)
        moved.append(corrected - full.intercept)
    assert abs(np.mean(moved)) < 3 * np.std(moved, ddof=1) / np.sqrt(len(moved))


def test_classes_drawn_alike_have_nothing_to_correct():
    drawn = Drawn(limit=500, seed=0, n_rows=1000, n_bad_rows=200, n_drawn=500, n_bad_drawn=100)
    assert drawn.shift == 0.0
    assert drawn.weights == (2.0, 2.0)
