"""Simulated features of supply-chain parties: correlated, rounded as in life, partly missing."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from app.domain.types import Bools, Document, Floats

FACTORS = ("formality", "activity", "network")
"""What moves several features at once."""

LOADINGS: dict[str, tuple[float, float, float]] = {
    "kyc_verified": (0.55, 0.05, 0.0),
    "company_age_years": (0.30, 0.10, 0.15),
    "party_type_score": (0.25, 0.0, 0.20),
    "contact_completeness": (0.55, 0.10, 0.0),
    "has_tax_id": (0.50, 0.0, 0.10),
    "transaction_count_6m": (0.0, 0.65, 0.25),
    "avg_transaction_amount": (0.15, 0.10, 0.20),
    "transaction_regularity_score": (0.05, 0.30, 0.05),
    "recent_activity_flag": (0.0, 0.45, 0.0),
    "direct_counterparty_count": (0.0, 0.35, 0.65),
    "network_depth_downstream": (0.0, 0.10, 0.60),
    "network_size": (0.0, 0.10, 0.65),
    "supplier_share": (0.0, 0.0, 0.0),
}
"""Correlation of each feature's normal score with the three factors; the rest is its own."""

LEDGER = (
    "transaction_count_6m", "avg_transaction_amount", "total_transaction_volume_6m",
    "transaction_regularity_score", "recent_activity_flag",
)  # fmt: skip
"""Missing together, where a party's ledger is not connected."""

NETWORK = (
    "direct_counterparty_count", "network_depth_downstream", "network_size", "supplier_count",
    "customer_count", "network_balance_ratio",
)  # fmt: skip
"""Missing together, where a party's network has not been mapped."""

AGE_MISSING, AGE_MISSING_IF_INFORMAL = 0.03, 0.12
CONTACT_MISSING, TYPE_MISSING = 0.02, 0.01
LEDGER_MISSING, NETWORK_MISSING = 0.04, 0.05


def simulate_features(rng: np.random.Generator, n_parties: int) -> dict[str, Floats]:
    """Draw the sixteen features of the default card for independent parties.

    A Gaussian copula with three latent factors (how formal, how active, how well connected a
    party is) gives the correlations; each feature's own quantile function gives its shape.

    Parameters
    ----------
    rng : Generator
        The only source of chance.
    n_parties : int
        How many, >= 1.

    Returns
    -------
    dict of str to ndarray of shape (n_parties,)
        Features by name; NaN is missing.

    References
    ----------
    .. [1] R. B. Nelsen, "An Introduction to Copulas", 2nd ed., Springer 2006, section 2.3
       (Sklar's theorem): margins and dependence may be chosen apart.

    Examples
    --------
    >>> features = simulate_features(np.random.default_rng(1), 500)
    >>> len(features), features["kyc_verified"].shape
    (16, (500,))
    >>> bool(np.nanmin(features["network_balance_ratio"]) >= 0)
    True
    """
    z = _normal_scores(rng, n_parties)
    count = np.floor(np.exp(3.3 + 1.0 * z["transaction_count_6m"]))
    amount = np.round(np.exp(7.6 + 1.2 * z["avg_transaction_amount"]), 2)
    counterparties = np.floor(np.exp(1.9 + 0.8 * z["direct_counterparty_count"]))
    share = np.asarray(ndtr(z["supplier_share"]))
    suppliers = rng.binomial(counterparties.astype(np.int64), share).astype(np.float64)
    customers = counterparties - suppliers
    features = {
        "kyc_verified": _flag(z["kyc_verified"], 0.70),
        "company_age_years": np.round(
            np.minimum(np.exp(1.6 + 0.9 * z["company_age_years"]), 80), 1
        ),
        "party_type_score": np.floor(11 * ndtr(z["party_type_score"])),
        "contact_completeness": np.round(100 * ndtr(0.5 + 0.9 * z["contact_completeness"])),
        "has_tax_id": _flag(z["has_tax_id"], 0.65),
        "transaction_count_6m": count,
        "avg_transaction_amount": np.where(count > 0, amount, 0.0),
        "total_transaction_volume_6m": np.round(count * amount, 2),
        "transaction_regularity_score": np.round(
            100 * ndtr(0.1 + 1.1 * z["transaction_regularity_score"]), 1
        ),
        "recent_activity_flag": _flag(z["recent_activity_flag"], 0.68) * (count > 0),
        "direct_counterparty_count": counterparties,
        "network_depth_downstream": np.floor(
            np.maximum(2.2 + 1.5 * z["network_depth_downstream"], 0)
        ),
        "network_size": counterparties + np.floor(np.exp(1.8 + 0.9 * z["network_size"])),
        "supplier_count": suppliers,
        "customer_count": customers,
        "network_balance_ratio": _balance(suppliers, customers),
    }
    return _with_gaps(rng, features)


def _normal_scores(rng: np.random.Generator, n_parties: int) -> dict[str, Floats]:
    factors = rng.standard_normal((n_parties, len(FACTORS)))
    own = rng.standard_normal((n_parties, len(LOADINGS)))
    loadings = np.array(list(LOADINGS.values()))
    scores = factors @ loadings.T + own * np.sqrt(1 - (loadings**2).sum(axis=1))
    return dict(zip(LOADINGS, scores.T, strict=True))


def _flag(z: Floats, share: float) -> Floats:
    """Give 1.0 for the stated share of parties, those with the highest normal scores."""
    return np.asarray(ndtr(z) > 1 - share, dtype=np.float64)


def _balance(suppliers: Floats, customers: Floats) -> Floats:
    """Give the smaller count over the larger; undefined (missing) where there is neither."""
    larger = np.maximum(suppliers, customers)
    known = larger > 0
    ratio = np.full(len(larger), np.nan)
    ratio[known] = np.minimum(suppliers, customers)[known] / larger[known]
    return np.round(ratio, 3)


def _with_gaps(rng: np.random.Generator, features: dict[str, Floats]) -> dict[str, Floats]:
    """Leave out what is missing in life: by party and source, and more for the informal."""
    n_parties = len(features["kyc_verified"])
    informal = features["kyc_verified"] == 0
    age, contact, kind, ledger, network = rng.random((5, n_parties))
    gaps: dict[str, Bools] = {
        "company_age_years": age < np.where(informal, AGE_MISSING_IF_INFORMAL, AGE_MISSING),
        "contact_completeness": contact < CONTACT_MISSING,
        "party_type_score": kind < TYPE_MISSING,
        **dict.fromkeys(LEDGER, ledger < LEDGER_MISSING),
        **dict.fromkeys(NETWORK, network < NETWORK_MISSING),
    }
    for name, gap in gaps.items():
        features[name] = np.where(gap, np.nan, features[name])
    return features


def describe_features(features: dict[str, Floats]) -> Document:
    """Summarise simulated features for a person.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_parties,)
        As drawn.

    Returns
    -------
    dict
        Per feature ``mean`` over known values, and ``missing``, a fraction in [0, 1].

    Examples
    --------
    >>> describe_features({"x": np.array([1.0, 3.0, np.nan, np.nan])})
    {'x': {'mean': 2.0, 'missing': 0.5}}
    """
    return {
        name: {"mean": float(np.nanmean(values)), "missing": float(np.isnan(values).mean())}
        for name, values in features.items()
    }
