"""A challenger beside the active version on one batch: scores, bands, and outcomes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.card_movement import describe_movement
from app.domain.discrimination import paired_auc_difference
from app.domain.monitoring.ranking import describe_auc
from app.domain.types import Document, Floats, Ints


def compare_challenger(
    scores: Floats,
    challenger: Floats,
    bands: Mapping[str, int],
    challenger_bands: Mapping[str, int],
    labelled: tuple[Ints, Ints] | None,
) -> Document:
    """Compare a challenger with the active version on the same parties.

    Parameters
    ----------
    scores, challenger : ndarray of shape (n,)
        Unrounded scores in points of either version.
    bands, challenger_bands : mapping of str to int
        Lower bounds of either version's bands, lowest first.
    labelled : tuple of ndarray, or None
        Positions of the labelled parties, and 1 bad or 0 good.

    Returns
    -------
    dict
        ``n``, ``score_correlation``, ``mean_score`` (old active, new challenger), ``band_shift``,
        ``agreement`` (share of parties in the band of the same name), ``psi``; ``auc_roc`` of the
        challenger with limits and ``auc_difference``, challenger less active, with paired DeLong
        limits, both None without enough labels.

    Examples
    --------
    >>> bands = {"low": 300, "high": 600}
    >>> found = compare_challenger(np.array([500.0, 700]), np.array([610.0, 710]), bands, bands,
    ...                            None)
    >>> found["agreement"], found["band_shift"], found["auc_roc"]
    (0.5, 0.5, None)
    """
    moved = describe_movement(scores, challenger, bands, challenger_bands)
    n_changed = moved["n_changed_band"]
    document: Document = {
        "n": moved["n_rows"],
        "score_correlation": moved["score_correlation"],
        "mean_score": moved["mean_score"],
        "band_shift": moved["band_shift"],
        "agreement": None if n_changed is None else 1 - n_changed / len(scores),
        "psi": moved["psi"],
        "auc_roc": None,
        "auc_difference": None,
    }
    if labelled is not None and len(labelled[0]):
        document |= _outcomes(scores, challenger, *labelled)
    return document


def _outcomes(scores: Floats, challenger: Floats, rows: Ints, bad: Ints) -> Document:
    auc = describe_auc(-challenger[rows], bad)
    if auc is None:
        return {}
    paired = paired_auc_difference(-challenger[rows], -scores[rows], bad)
    limits = paired.interval() if np.isfinite(paired.standard_error) else (None, None)
    difference = {"value": paired.value, "low": limits[0], "high": limits[1]}
    return {"auc_roc": auc, "auc_difference": difference}
