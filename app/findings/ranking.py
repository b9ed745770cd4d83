"""Which card ranks better, and whether its probabilities came true."""

from __future__ import annotations

from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers


def of_ranking(found: Document, advice: Document | None = None) -> str:
    """Say which card ranks better, by how much, and how sure that is.

    Parameters
    ----------
    found : dict
        ``discrimination`` of a comparison.
    advice : dict or None
        Its ``advice``: after earlier looks at these rows a gain is clear only where the wider
        interval of the advice lies above 0 too.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_ranking({"old": {"auc_roc": 0.718}, "new": {"auc_roc": 0.742}, "n_parties": 1204,
    ...     "auc_roc_difference": 0.024, "auc_roc_difference_interval": [0.009, 0.039],
    ...     "source": {"in_sample": False}})
    'Ranks defaults better on 1,204 parties it never saw: AUC 0.742 against 0.718, gain 0.024, \
95 % interval 0.009 to 0.039'
    """
    gain, limits = found["auc_roc_difference"], found["auc_roc_difference_interval"]
    if limits is not None and gain and limits[0] == limits[1]:
        limits = None  # a standard error of 0 says that it cannot be estimated
    low, high = limits or (float("-inf"), float("inf"))
    if low > 0 and advice and advice["n_looks"] and not (advice["interval"][0] or 0) > 0:
        looks = counted(advice["n_looks"], "earlier look")
        said = f"May rank defaults better, but after {looks} not clearly,"
    elif low > 0:
        said = "Ranks defaults better"
    elif high < 0:
        said = "Ranks defaults worse"
    elif low == high:
        said = "Ranks defaults exactly alike"
    else:
        said = "Ranks defaults neither clearly better nor clearly worse"
    unseen = "parties that may have shaped it" if found["source"]["in_sample"] else (
        "parties it never saw"
    )  # fmt: skip
    size = f"gain {numbers.auc(gain)}" if gain >= 0 else f"loss {numbers.auc(-gain)}"
    shown = limits if gain >= 0 or limits is None else [-high, -low]
    return (
        f"{said} on {numbers.count(found['n_parties'])} {unseen}: AUC "
        f"{numbers.auc(found['new']['auc_roc'])} against {numbers.auc(found['old']['auc_roc'])}, "
        f"{size}, 95 % interval {numbers.interval(shown)}"
    )


def of_spread(found: Document) -> str:
    """Say how far apart the cards hold bads and goods.

    Parameters
    ----------
    found : dict
        ``discrimination`` of a comparison.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_spread({"old": {"ks": 0.387}, "new": {"ks": 0.425}})
    'Bads and goods lie further apart here, chance not judged: KS 0.425 against 0.387'
    """
    old, new = found["old"]["ks"], found["new"]["ks"]
    if numbers.auc(old) == numbers.auc(new):
        said = "Bads and goods lie as far apart as before"
    else:
        where = "further apart" if new > old else "closer together"
        said = f"Bads and goods lie {where} here, chance not judged"
    return f"{said}: KS {numbers.auc(new)} against {numbers.auc(old)}"


def of_spread_alone(evidence: Document, side: str, name: str) -> str:
    """Say where a card holds bads and goods furthest apart.

    Parameters
    ----------
    evidence : dict
        The evidence of a review.
    side : {'old', 'new'}
        Which card.
    name : str
        Of its version.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_spread_alone({"distributions": {"new": {"gap": 0.4253, "gap_at": 583.2,
    ...     "points": [[500.0, 0.2, 0.0], [583.2, 0.7, 0.2747]]}}}, "new", "ml_v2")
    'Under ml_v2 70.0 % of bads and 27.5 % of goods score 583 or less, 42.5 points of a hundred \
apart'
    """
    spread = evidence["distributions"][side]
    bads, goods = next(
        (bads, goods) for score, bads, goods in spread["points"] if score == spread["gap_at"]
    )
    return (
        f"Under {name} {numbers.rate(bads)} of bads and {numbers.rate(goods)} of goods score "
        f"{numbers.points(spread['gap_at'])} or less, {100 * spread['gap']:.1f} points of a "
        "hundred apart"
    )


def of_periods(found: Document) -> str:
    """Say in how many periods the new card ranks better.

    Parameters
    ----------
    found : dict
        ``periods`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_periods({"period": "month", "periods": [
    ...     {"difference": {"value": 0.02, "interval": [0.01, 0.03]}},
    ...     {"difference": {"value": 0.01, "interval": [-0.01, 0.03]}}, {"difference": None}]})
    'Better in 2 of 2 scoring months, clearly in 1 and clearly worse in none; 1 month has too few \
bads or goods to say'
    """
    period = found["period"]
    judged = [one["difference"] for one in found["periods"] if one["difference"] is not None]
    left = len(found["periods"]) - len(judged)
    few = f"{counted(left, period)} {'has' if left == 1 else 'have'} too few bads or goods to say"
    if not judged:
        return f"By scoring {period} nothing can be said: {few}"
    better = sum(one["value"] > 0 for one in judged)
    clearly = sum(one["interval"][0] > 0 for one in judged)
    worse = sum(one["interval"][1] < 0 for one in judged)
    sentence = (
        f"Better in {better} of {counted(len(judged), f'scoring {period}')}, clearly in "
        f"{clearly or 'none'} and clearly worse in {worse or 'none'}"
    )
    return f"{sentence}; {few}" if left else sentence


def of_calibration(found: Document, name: str, *, in_sample: bool = False) -> str:
    """Say whether the new card's probabilities came true.

    Parameters
    ----------
    found : dict
        ``calibration`` of the evidence.
    name : str
        Of the new version.
    in_sample : bool
        Whether the probabilities were fitted to the same rows.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_calibration({"bad_rate": 0.165, "bad_rate_interval": [0.144, 0.189], "n": 1064,
    ...     "new": {"predicted": 0.155, "bands": [
    ...         {"is_within": True}, {"is_within": False}, {"is_within": None}]}}, "ml_v2")
    'ml_v2 predicts 15.5 % bad, 16.5 % came true (95 % interval 14.4 % to 18.9 %); in 1 of 2 bands \
the prediction lies within the 95 % interval of the band'
    """
    known = [one["is_within"] for one in found["new"]["bands"] if one["is_within"] is not None]
    low, high = found["bad_rate_interval"]
    fitted = "Fitted to these very parties, " if in_sample else ""
    return (
        f"{fitted}{name} predicts {numbers.rate(found['new']['predicted'])} bad, "
        f"{numbers.rate(found['bad_rate'])} came true (95 % interval {numbers.rate(low)} to "
        f"{numbers.rate(high)}); in {sum(known)} of {counted(len(known), 'band')} the prediction "
        "lies within the 95 % interval of the band"
    )


def of_bins(found: Document, name: str) -> str:
    """Say in how many tenths of the rows the new card's probabilities came true.

    Parameters
    ----------
    found : dict
        ``calibration`` of the evidence.
    name : str
        Of the new version.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_bins({"new": {"bins": [{"is_within": True}, {"is_within": False}]}}, "ml_v2")
    'By tenths of the parties, the prediction of ml_v2 lies within the 95 % interval in 1 of 2'
    """
    known = [one["is_within"] for one in found["new"]["bins"]]
    return (
        f"By tenths of the parties, the prediction of {name} lies within the 95 % interval in "
        f"{sum(known)} of {len(known)}"
    )


def of_headroom(figures: Document) -> str:
    """Say what a flexible model would add to the refined card.

    Parameters
    ----------
    figures : dict
        ``figures`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_headroom({"metrics": {"headroom": {"goodness": 0.012, "raw": -0.003}}})
    'Headroom: a flexible model would change the AUC by -0.003 on the raw features, by +0.012 on \
the scale of the card'
    """
    room = figures["metrics"]["headroom"]
    return (
        f"Headroom: a flexible model would change the AUC by {numbers.gain(room['raw'])} on the "
        f"raw features, by {numbers.gain(room['goodness'])} on the scale of the card"
    )


def of_guard_rails(figures: Document) -> str:
    """Say what the guard-rails cost.

    Parameters
    ----------
    figures : dict
        ``figures`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_guard_rails({"metrics": {"guardrail_cost": 0.0033}})
    'Guard-rails: holding the card to them costs 0.003 of AUC against the model itself'
    >>> of_guard_rails({"metrics": {"guardrail_cost": -0.002}})
    'Guard-rails: held to them, the card ranks better than the model itself, by 0.002 of AUC'
    """
    cost = figures["metrics"]["guardrail_cost"]
    if cost < 0:
        return (
            "Guard-rails: held to them, the card ranks better than the model itself, by "
            f"{numbers.auc(-cost)} of AUC"
        )
    return (
        f"Guard-rails: holding the card to them costs {numbers.auc(cost)} of AUC against the model "
        "itself"
    )
