"""A document for every chart of the desk, with the values of the demo's comparison, thinned."""

from __future__ import annotations

from app.domain.types import Document

MARKUP = "<script>alert(1)</script>\"'&amp;]]><img src=x onerror=alert(2)>"
"""A feature may be called like this."""

_BANDS = ("very_poor", "poor", "fair", "good", "excellent")
_T = [step / 20 for step in range(21)]


def _weights(feature: str) -> Document:
    return {
        feature: {
            "old_weight": 15.0,
            "new_weight": 8.243,
            "change": -0.4505,
            "data_only_weight": 6.217,
            "data_only_interval": [2.575, 9.859],
            "guard_rail": [7.5, 22.5],
            "binding": "weight_change (lower), band_stability",
        },
        "total_transaction_volume_6m": {
            "old_weight": 5.0,
            "new_weight": 4.854,
            "change": -0.0292,
            "data_only_weight": -27.368,
            "data_only_interval": [-76.378, 21.642],
            "guard_rail": [2.5, 7.5],
            "binding": "band_stability",
        },
        "held_back": {
            "old_weight": 3.0,
            "new_weight": 3.0,
            "change": 0.0,
            "data_only_weight": None,
            "data_only_interval": None,
            "guard_rail": None,
            "binding": "held",
        },
    }


def chart_documents(feature: str = "kyc_verified") -> dict[str, Document]:
    """Give one document per chart; ``feature`` is a name that a user chose."""
    curve = [[0.0, 0.0], [0.1, 0.35], [0.4, 0.8], [1.0, 1.0]]
    bins = [
        {
            "label": str(place),
            "n": 133,
            "n_bad": n_bad,
            "expected": expected,
            "observed": n_bad / 133,
            "interval": [max(n_bad / 133 - 0.05, 0), n_bad / 133 + 0.07],
        }
        for place, (n_bad, expected) in enumerate([(3, 0.03), (14, 0.1), (57, 0.41)])
    ] + [{"label": "empty", "n": 0, "n_bad": 0, "expected": 0.9, "observed": 0.0, "interval": None}]
    months = [
        {"at": f"2025-0{month}", "auc": 0.74 + month / 100, "interval": [0.68, 0.82], "n": 180}
        for month in range(1, 5)
    ]
    shares = [0.03525, 0.38925, 0.4005, 0.16475, 0.01025]
    return {
        "dumbbell": {"old": "v1", "new": "ml_v2", "features": _weights(feature)},
        "coefficients": {
            "model": "m-20261124-e685",
            "features": {
                feature: {"model_weight": 6.66, "interval": [2.9, 10.4], "expert_weight": 15.0},
                "network_size": {"model_weight": 4.2, "interval": None, "expert_weight": 5.0},
            },
        },
        "roc": {
            "curves": [
                {"name": feature, "role": "old", "auc": 0.746, "interval": None, "points": curve},
                {
                    "name": "ml_v2",
                    "role": "new",
                    "auc": 0.77,
                    "interval": [0.73, 0.81],
                    "points": curve,
                },
            ]
        },
        "ks": {
            "version": feature,
            "points": [[310.0, 0.0, 0.0], [589.0, 0.41, 0.83], [840.0, 1.0, 1.0]],
            "ks": 0.425,
            "at": 589.0,
        },
        "auc_over_time": {
            "x_title": "Scoring month",
            "floor": 0.6,
            "series": [
                {"name": "v1", "role": "old", "points": months},
                {"name": feature, "role": "new", "points": months[1:]},
            ],
        },
        "psi_over_time": {
            "limit": 0.1,
            "points": [
                {"at": "first", "psi": 0.0, "quantile": None, "n": 3_550, "is_moved": False},
                {"at": feature, "psi": 0.042, "quantile": 0.031, "n": 2_980, "is_moved": False},
                {"at": "third", "psi": 0.31, "quantile": 0.029, "n": 3_012, "is_moved": True},
            ],
        },
        "default_rate_over_time": {
            "x_title": "Batch",
            "points": [
                {
                    "at": "first",
                    "n": 30,
                    "n_bad": 0,
                    "expected": None,
                    "observed": 0.0,
                    "interval": None,
                },
                {
                    "at": feature,
                    "n": 3_550,
                    "n_bad": 550,
                    "expected": 0.121,
                    "observed": 0.155,
                    "interval": [0.143, 0.167],
                },
            ],
        },
        "calibration": {
            "series": [
                {"name": "v1", "role": "old", "bins": bins[:2]},
                {"name": feature, "role": "new", "bins": bins},
            ]
        },
        "score_shift": {
            "old": "v1",
            "new": feature,
            "bins": [[-31, -11, 60], [-10, 10, 90], [11, 31, 40]],
            "n_lower": 150,
            "n_same": 4,
            "n_higher": 36,
            "mean": -14.2,
        },
        "score_distribution": {
            "bins": [[300.0, 500.0], [500.0, 700.0], [700.0, 900.0]],
            "before": {"name": "BATCH_2025_Q4", "shares": [0.2, 0.6, 0.2], "n": 3902},
            "after": {"name": feature, "shares": [0.3, 0.6, 0.1], "n": 4210},
        },
        "waterfall": {
            "version": "ml_v2",
            "base": 300.0,
            "score": 393.0,
            "contributions": {
                feature: {"points": 55.0, "max_points": 72.0},
                "network_size": {"points": 38.0, "max_points": None},
            },
        },
        "band_shares": {
            "old": "v1",
            "new": feature,
            "n": 4000,
            "old_shares": dict(zip(_BANDS, shares, strict=True)),
            "new_shares": dict(zip(_BANDS, reversed(shares), strict=True)),
        },
        "migration": {
            "old": "v1",
            "new": feature,
            "old_bands": list(_BANDS),
            "new_bands": list(_BANDS),
            "counts": [
                [115, 26, 0, 0, 0],
                [45, 1473, 39, 0, 0],
                [0, 437, 1139, 26, 0],
                [0, 0, 301, 355, 3],
                [0, 0, 0, 28, 13],
            ],
        },
        "path": {
            "t": 0.9,
            "limits": {"weight_change": 0.5, "band_shift": 0.1},
            "steps": [
                {
                    "t": t,
                    "auc": 0.746 + 0.024 * t if t in {0.0, 0.5, 0.9, 1.0} else None,
                    "weight_change": 0.495 * t,
                    "band_shift": 0.112 * t,
                }
                for t in _T
            ],
        },
        "timeline": {
            "now": "2026-11-24T20:00:00+00:00",
            "spans": [
                {
                    "version": "v1",
                    "start": "2025-01-10T09:00:00+00:00",
                    "end": "2025-09-01T10:00:00+00:00",
                    "kind": "activation",
                    "actor": "ada",
                },
                {
                    "version": feature,
                    "start": "2025-09-01T10:00:00+00:00",
                    "end": "2026-01-20T10:00:00+00:00",
                    "kind": "activation",
                    "actor": "bo",
                },
                {
                    "version": "v1",
                    "start": "2026-01-20T10:00:00+00:00",
                    "end": None,
                    "kind": "rollback",
                    "actor": "bo",
                },
            ],
        },
        "vintage_curves": {
            "curves": [
                {
                    "vintage": name,
                    "n": 133,
                    "points": [
                        {
                            "month": month,
                            "n": 133,
                            "n_bad": n_bad,
                            "bad_rate": n_bad / 133,
                            "bad_rate_interval": [n_bad / 200, n_bad / 100],
                        }
                        for month, n_bad in enumerate(counts, 1)
                    ],
                }
                for name, counts in (("2024-01", (0, 3, 9)), ("2024-02 to 2024-04", (1, 5)))
            ],
            "compared": {
                "month": 2,
                "highest": {"vintage": "2024-02 to 2024-04"},
                "lowest": {"vintage": "2024-01"},
            },
        },
        "group_approval": {
            "old": "v1",
            "new": "ml_v2",
            "column": feature,
            "least": 0.8,
            "cut_off": {
                "at": "good",
                **{
                    side: {
                        "score": 700,
                        "reference": "high",
                        "groups": [
                            {
                                "group": name,
                                "n": n,
                                "n_approved": approved,
                                "approval_rate": approved / n,
                                "approval_interval": [approved / n - 0.05, approved / n + 0.05],
                                "is_judged": name == feature,
                                "impact_ratio": ratio,
                                "impact_interval": None,
                                "p_value": p,
                            }
                            for name, n, approved, ratio, p in (
                                ("high", 400, 320, None, None),
                                (feature, 200, 120, 0.75, 1e-6),
                                (None, 20, 10, 0.625, 0.004),
                            )
                        ],
                    }
                    for side in ("old", "new")
                },
            },
        },
        "label_bar": {
            "good": 2999,
            "bad": 551,
            "indeterminate": 102,
            "excluded": 148,
            "immature": 200,
        },
    }
