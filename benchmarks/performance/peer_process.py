"""Run a peer's scorecard in the peers' environment: one JSON request per line, one answer each.

Run by path, ``.peers/bin/python benchmarks/performance/peer_process.py PEER EDGES SAMPLE``, and so
it imports nothing of ours. A request is ``{"do": "file", "parties": PATH, "scored": PATH,
"reasons": bool}`` or ``{"do": "one", "times": N}``; the answer is seconds.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")  # peers warn of their own use of pandas, row by row
MISSING_TOO = [float("nan")]
Edges = dict[str, list[float]]
Card = tuple[Callable[..., Any], Callable[..., Any] | None]


def optbinning_card(edges: Edges, features: pd.DataFrame, bad: np.ndarray) -> Card:
    """Fit optbinning's scorecard; give what scores rows, and what gives their reasons."""
    from optbinning import BinningProcess, Scorecard  # noqa: PLC0415 - the peer that is asked for

    names = list(edges)
    fixed = {
        name: {"user_splits": splits, "user_splits_fixed": [True] * len(splits)}
        for name, splits in edges.items()
    }
    card = Scorecard(
        binning_process=BinningProcess(names, binning_fit_params=fixed),
        estimator=LogisticRegression(),
        scaling_method="min_max",
        scaling_method_params={"min": 300, "max": 900},
    )
    card.fit(features, bad)
    return card.score, None


def toad_card(edges: Edges, features: pd.DataFrame, bad: np.ndarray) -> Card:
    """Fit toad's scorecard; give what scores rows, and what gives their reasons."""
    import toad  # noqa: PLC0415 - the peer that is asked for

    combiner = toad.transform.Combiner()
    has_missing = features.isna().any()
    combiner.load(
        {name: splits + MISSING_TOO * int(has_missing[name]) for name, splits in edges.items()}
    )
    transer = toad.transform.WOETransformer()
    woe = transer.fit_transform(combiner.transform(features), bad)
    card = toad.ScoreCard(combiner=combiner, transer=transer)
    card.fit(woe, bad)
    return card.predict, lambda rows: card.get_reason(rows, keep=4)


def main(peer: str, edges_path: str, sample_path: str) -> None:
    """Fit the peer on the sample, then answer requests until there are no more."""
    edges: Edges = json.loads(Path(edges_path).read_text())
    sample = pd.read_parquet(sample_path)
    rng = np.random.default_rng(1)
    bad = (rng.random(len(sample)) < 0.1 + 0.1 * (sample["kyc_verified"] == 0)).astype(int)
    make = {"optbinning": optbinning_card, "toad": toad_card}[peer]
    score, reasons = make(edges, sample[list(edges)], bad)
    one = sample[list(edges)].iloc[[0]]
    _say({"has_reasons": reasons is not None})
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        if asked["do"] == "file":
            parties = pd.read_parquet(asked["parties"])
            parties["score"] = np.round(score(parties[list(edges)]))
            parties["band"] = pd.cut(
                parties["score"], [-np.inf, 500, 650, 750, np.inf], labels=list("DCBA")
            ).astype(str)
            if asked["reasons"]:
                why = reasons(parties[list(edges)]).astype(str)
                why.columns = [f"reason_{place}" for place in range(why.shape[1])]
                parties = parties.join(why)
            parties.to_parquet(asked["scored"], compression="zstd")
            answer = time.perf_counter() - started
        else:
            for _ in range(asked["times"]):
                score(one)
                if reasons is not None:
                    reasons(one)
            answer = (time.perf_counter() - started) / asked["times"]
        _say(answer)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
