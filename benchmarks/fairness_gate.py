"""How often the gate on adverse impact errs: ``python -m benchmarks.fairness_gate``.

Four groups of equal size, 70 % approved at the cut-off, and an old and a new card that agree on
four of five parties. The figures are in docs/fairness.md; two minutes.
"""

from __future__ import annotations

import sys

import numpy as np

from app.domain.fairness_gate import adverse_impact_gate
from app.domain.group_approval import compare_approval, compare_falls
from app.domain.policy import Policy
from app.domain.types import Document

N_REPEATS = 600
SIZES = (50, 200, 1000)
CASES = {
    "no difference": (1.0, 1.0),
    "old equal, new 0.70": (1.0, 0.7),
    "old 0.70, new 0.70": (0.7, 0.7),
    "old equal, new 0.90": (1.0, 0.9),
}
"""True impact ratio of one group under the old card and the new."""

_APPROVED, _AGREE, _N_GROUPS = 0.7, 0.8, 4
_POLICY = Policy(fairness_gate=True, fairness_cutoff=600)


def main() -> None:
    """Print the share of each verdict."""
    rng = np.random.default_rng(58)
    for name, ratios in CASES.items():
        for n in SIZES:
            verdicts = [_verdict(rng, n, ratios) for _ in range(N_REPEATS)]
            shares = ", ".join(
                f"{verdict} {100 * verdicts.count(verdict) / N_REPEATS:.1f} %"
                for verdict in ("pass", "insufficient evidence", "fail")
            )
            sys.stdout.write(f"{name}, {n} a group: {shares}\n")
            sys.stdout.flush()


def _verdict(rng: np.random.Generator, n: int, ratios: tuple[float, float]) -> str:
    code = np.repeat(np.arange(_N_GROUPS), n)
    old = rng.random(len(code))
    new = np.where(rng.random(len(code)) < _AGREE, old, rng.random(len(code)))
    cut_off: Document = {"at": "cut-off"}
    approved = []
    for side, place, ratio in zip(("old", "new"), (old, new), ratios, strict=True):
        rate = _APPROVED * np.where(code == _N_GROUPS - 1, ratio, 1.0)
        approved.append(place < rate)
        cut_off[side] = compare_approval([*"abcd"], code, approved[-1])
    cut_off["falls"] = compare_falls(cut_off, code, approved[0] & approved[1])
    found = adverse_impact_gate(_POLICY, [{"column": "group", "cut_offs": [cut_off]}])
    return "" if found is None else found.verdict


if __name__ == "__main__":
    main()
