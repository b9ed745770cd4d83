"""The tables of docs/evidence.md, from the records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.evidence.records import (
    Record,
    advice_shares,
    group_by,
    share_interval,
    upper_limit,
    values,
)

CARDS = {
    "followed": "following adopt only",
    "drafts": "activating every draft",
    "refined": "activating every refined card, also against the advice",
    "regression": "unanchored regression",
    "blend": "50/50 blend",
}
Z = 1.959964


def harm(records: list[Record]) -> Iterator[Record]:
    """Give mean and worst change of the exact AUC against the expert, by what is done."""
    auto = [record for record in records if record["mode"] == "auto"]
    for (scenario, n), rows in group_by(auto, "scenario", "n").items():
        row: Record = {"expert": scenario, "n": int(n), "repeats": len(rows)}
        row["AUC of the expert"] = float(values(rows, "auc_expert").mean())
        for card in CARDS:
            full = [record for record in rows if record.get(f"auc_{card}") is not None]
            if not full:
                continue
            change = values(full, f"auc_{card}") - values(full, "auc_expert")
            row[f"{card}: mean"], row[f"{card}: worst"] = float(change.mean()), float(change.min())
        yield row


def advice(records: list[Record]) -> Iterator[Record]:
    """Count how often each advice was given, and adopt with its limits."""
    for (scenario, mode, n), rows in group_by(records, "scenario", "mode", "n").items():
        adopted = int(values(rows, "is_adopted").sum())
        low, high = share_interval(adopted, len(rows))
        yield {
            "expert": scenario, "validation": str(mode).replace("_", " "), "n": int(n),
            "repeats": len(rows), **advice_shares(rows),
            "adopted": adopted, "lower limit": low, "upper limit": high,
            "clear without the rule of 100 bad": int(values(rows, "is_clear").sum()),
            "their worst loss": _worst_of_the_clear(rows),
        }  # fmt: skip


def _worst_of_the_clear(rows: list[Record]) -> float | None:
    """Give the worst change of the AUC had the interval alone been followed."""
    clear = [row for row in rows if row.get("auc_clear") is not None]
    return min((row["auc_clear"] - row["auc_expert"] for row in clear), default=None)


def looks(records: list[Record]) -> Iterator[Record]:
    """Count how often a year of monthly looks adopted noise."""
    for (scenario,), rows in group_by(records, "scenario").items():
        for column, rule in (
            ("adopted_at", "level 1 - 0.05/(k+1)^1.5, as the product"),
            ("adopted_at_fixed_95", "95 % at every look, for comparison"),
        ):
            adopted = int((values(rows, column) > 0).sum())
            low, high = share_interval(adopted, len(rows))
            yield {
                "expert": scenario, "interval of each look": rule, "years": len(rows),
                "adopted within the year": adopted, "share": adopted / len(rows),
                "lower limit": low, "upper limit": high,
            }  # fmt: skip


def pooled(records: list[Record]) -> Iterator[Record]:
    """Count how often pooled batches of the same parties are adopted."""
    for (scenario, n), rows in group_by(records, "scenario", "n_parties").items():
        adopted = int(values(rows, "is_adopted").sum())
        low, high = share_interval(adopted, len(rows))
        yield {
            "expert": scenario, "parties": int(n), "rows": int(n * rows[0]["n_batches"]),
            "repeats": len(rows), **advice_shares(rows), "adopted": adopted, "lower limit": low,
            "upper limit": high,
        }  # fmt: skip


def intervals(records: list[Record]) -> Iterator[Record]:
    """Count how often the 95 % intervals held the exact value of the cards that were judged."""
    judged = [record for record in records if record.get("gain") is not None]
    for (scenario, mode, n), rows in group_by(judged, "scenario", "mode_used", "n").items():
        row: Record = {"expert": scenario, "validation": str(mode).replace("_", " "), "n": int(n)}
        row["repeats"] = len(rows)
        for name in ("model", "refined", "baseline"):
            off = values(rows, f"judged_{name}") - values(rows, f"exact_{name}")
            row[f"AUC of {name}"] = float((np.abs(off) <= Z * values(rows, f"se_{name}")).mean())
        off = values(rows, "gain") - values(rows, "exact_gain")
        row["paired gain"] = float((np.abs(off) <= Z * values(rows, "gain_se")).mean())
        yield row


def recovery(records: list[Record]) -> Iterator[Record]:
    """Give the median relative error of the weights by n, where the truth is within reach."""
    for (n,), rows in group_by([r for r in records if r.get("round") is None], "n").items():
        yield {
            "n": int(n),
            "repeats": len(rows),
            "median error of the expert": float(np.median(values(rows, "error_expert"))),
            "of the refined card": float(np.median(values(rows, "error_refined"))),
            "of the model": float(np.median(values(rows, "error_model"))),
            "AUC lost to the truth, expert": _gap(rows, "auc_expert"),
            "AUC lost to the truth, refined": _gap(rows, "auc_refined"),
            "share at t = 1": float((values(rows, "t") == 1).mean()),
        }


def rounds(records: list[Record]) -> Iterator[Record]:
    """Give what each round of refine, approve, collect brings where the truth is out of reach."""
    inside = [record for record in records if record.get("round") is not None]
    for (n, number), rows in group_by(inside, "n", "round").items():
        cost = values(rows, "auc_model") - values(rows, "auc_refined")
        yield {
            "n per round": int(n),
            "round": int(number),
            "lenders": len(rows),
            "adopted": float(values(rows, "is_adopted").mean()),
            "weight points misplaced": float(values(rows, "misplaced").mean()),
            "AUC of the card in force": float(values(rows, "auc_card").mean()),
            "AUC of the truth": float(values(rows, "auc_truth").mean()),
            "AUC the guard-rails cost": float(cost.mean()),
        }


def _gap(rows: list[Record], column: str) -> float:
    return float((values(rows, "auc_truth") - values(rows, column)).mean())


def curves(records: list[Record]) -> Iterator[Record]:
    """Give the gain on the rows left out of each data set, by the number of rows trained on."""
    drawn = [record for record in records if record.get("year") is None]
    for (name, n), rows in group_by(drawn, "scenario", "n").items():
        expert = values(rows, "auc_expert")
        followed = values(rows, "auc_followed") - expert
        yield {
            "data": name, "n": int(n), "repeats": len(rows), **advice_shares(rows),
            "AUC of the expert": float(expert.mean()),
            "followed: mean": float(followed.mean()),
            "followed: sd": float(followed.std(ddof=1)) if len(rows) > 1 else 0.0,
            "followed: worst": float(followed.min()),
            "refined: mean": float((values(rows, "auc_refined") - expert).mean()),
            "refined: worst": float((values(rows, "auc_refined") - expert).min()),
            "regression: mean": float((values(rows, "auc_regression") - expert).mean()),
            "regression: worst": float((values(rows, "auc_regression") - expert).min()),
        }  # fmt: skip


def vintages(records: list[Record]) -> Iterator[Record]:
    """Train on approvals to a year, judge on the next."""
    for record in records:
        if record.get("year") is None:
            continue
        gain = record["auc_refined"] - record["auc_expert"]
        half = Z * record["gain_refined_se"]
        yield {
            "approved up to": int(record["year"]),
            "n": int(record["n"]),
            "bad rate": record["bad_rate_trained"],
            "advice": record["advice"],
            "gain promised": record.get("gain_promised"),
            "tested in the next year": int(record["n_tested"]),
            "bad rate there": record["bad_rate_tested"],
            "AUC of the expert there": record["auc_expert"],
            "gain of the refined card there": gain,
            "gain: lower limit": gain - half,
            "gain: upper limit": gain + half,
            "gain of the followed advice there": record["auc_followed"] - record["auc_expert"],
        }


def leaks(records: list[Record]) -> Iterator[Record]:
    """Count how often planted leaks are found, and honest features named."""
    simulated = [record for record in records if record.get("feature") is None]
    for (name, n), rows in group_by(simulated, "scenario", "n").items():
        honest = name == "honest features"
        yield {
            "planted": name,
            "n": int(n),
            "repeats": len(rows),
            "found": None if honest else float(values(rows, "is_found").mean()),
            "runs with an honest feature named": float((values(rows, "n_false") > 0).mean()),
        }


def real_leaks(records: list[Record]) -> Iterator[Record]:
    """List what is named in the real data sets, outcome columns among it."""
    for record in records:
        if record.get("feature") is not None:
            yield {
                "data": record["data"],
                "column": record["feature"],
                "sign": str(record["kind"]).replace("_", " "),
                "value": record["value"],
            }


def drift(records: list[Record]) -> Iterator[Record]:
    """Count how often it is said that dates matter."""
    simulated = [record for record in records if record.get("period") is None]
    for (name, n), rows in group_by(simulated, "scenario", "n").items():
        said = int(values(rows, "is_said").sum())
        yield {
            "portfolio": name, "n": int(n), "repeats": len(rows), "said": said / len(rows),
            "upper limit": upper_limit(said, len(rows)),
            "of the gain": float(values(rows, "gain_differs").mean()),
            "of the baseline's AUC": float(values(rows, "baseline_differs").mean()),
            "of the refined card's AUC": float(values(rows, "refined_differs").mean()),
        }  # fmt: skip


def periods(records: list[Record]) -> Iterator[Record]:
    """Give the product's own table by scoring year for sba_case."""
    for record in records:
        if record.get("period") is not None:
            yield {
                "approved in": str(int(record["period"])),
                "n": int(record["n"]),
                "bad rate": record["bad_rate"],
                "AUC of the baseline": record["auc_baseline"],
                "AUC of the refined card, unseen": record["auc_refined"],
            }
