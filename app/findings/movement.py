"""Who is affected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import name_of, signed


def of_shift(found: Document) -> str:
    """Say how far scores move.

    Parameters
    ----------
    found : dict
        ``shift`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_shift({"n_rows": 4000, "n_up": 812, "n_down": 3152, "n_same": 36, "median": -22,
    ...           "p05": -59, "p95": 23})
    '78.8 % of scores fall, 20.3 % rise; the median moves by -22 points, nine in ten by -59 to +23'
    """
    n = found["n_rows"]
    if found["n_same"] == n:
        return "No score moves"
    return (
        f"{numbers.rate(found['n_down'] / n)} of scores fall, {numbers.rate(found['n_up'] / n)} "
        f"rise; the median moves by {signed(found['median'])} points, nine in ten by "
        f"{signed(found['p05'])} to {signed(found['p95'])}"
    )


def of_bands(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Say which band grows and which shrinks most.

    Parameters
    ----------
    shares : mapping
        ``old`` and ``new`` fractions by band.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_bands({"old": {"poor": 0.4, "good": 0.6}, "new": {"poor": 0.5, "good": 0.5}})
    'The band poor grows from 40.0 % to 50.0 % of scores, good shrinks from 60.0 % to 50.0 %'
    """
    old, new = shares["old"], shares["new"]
    moves = {band: new.get(band, 0.0) - old.get(band, 0.0) for band in {**old, **new}}
    up, down = max(moves, key=lambda band: moves[band]), min(moves, key=lambda band: moves[band])
    if moves[up] <= 0:
        return "Every band keeps its share of scores"

    def from_to(band: str) -> str:
        return f"{numbers.rate(old.get(band, 0.0))} to {numbers.rate(new.get(band, 0.0))}"

    return (
        f"The band {name_of(up)} grows from {from_to(up)} of scores, {name_of(down)} shrinks "
        f"from {from_to(down)}"
    )


def of_migration(movement: Document) -> str:
    """Say how many scores change band, and in which direction.

    Parameters
    ----------
    movement : dict
        ``movement`` of a comparison.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_migration({"n_rows": 100, "n_changed_band": 15, "migration": {
    ...     "counts": [[40, 5], [10, 45]], "old_bands": ["a", "b"], "new_bands": ["a", "b"]}})
    '15 of 100 scores (15.0 %) change band: 10 move down, 5 up'
    """
    n, changed = movement["n_rows"], movement["n_changed_band"]
    if changed is None:
        return f"The cards have different bands: where each of {counted(n, 'score')} goes"
    if changed == 0:
        return f"None of {counted(n, 'score')} changes band"
    counts = movement["migration"]["counts"]
    up = sum(sum(row[place + 1 :]) for place, row in enumerate(counts))
    return (
        f"{numbers.count(changed)} of {counted(n, 'score')} ({numbers.rate(changed / n)}) change "
        f"band: {numbers.count(changed - up)} move down, {numbers.count(up)} up"
    )


def of_swaps(tables: Sequence[Document]) -> str:
    """Say what became of those whom the two cards treat differently, where that is most of them.

    Parameters
    ----------
    tables : sequence of dict
        One per cut-off, as ``swap_sets`` gives them.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_swaps([{"at": "good", "old_bound": 650, "new_bound": 650,
    ...            "newly_approved": {"n": 40, "bad_rate": 0.05},
    ...            "newly_declined": {"n": 60, "bad_rate": 0.25}}])
    'Approving from good (650): 40 more let in, of whom 5.0 % went bad; 60 more turned away, of \
whom 25.0 % had gone bad'
    """
    widest = max(tables, key=lambda one: one["newly_approved"]["n"] + one["newly_declined"]["n"])
    into, out = widest["newly_approved"], widest["newly_declined"]
    if into["n"] + out["n"] == 0:
        return "At every band boundary both cards decide alike"
    let_in = f"{numbers.count(into['n'])} more let in"
    away = f"{numbers.count(out['n'])} more turned away"
    if into["n"]:
        let_in += f", of whom {numbers.rate(into['bad_rate'])} went bad"
    if out["n"]:
        away += f", of whom {numbers.rate(out['bad_rate'])} had gone bad"
    old, new = widest["old_bound"], widest["new_bound"]
    where = f"{name_of(widest['at'])} ({new if old == new else f'{new}, was {old}'})"
    return f"Approving from {where}: {let_in}; {away}"


def of_movers(movers: Sequence[Document]) -> str:
    """Say whose score moves most.

    Parameters
    ----------
    movers : sequence of dict
        As the evidence gives them.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_movers([{"party_id": "P1", "change": -79, "old": {"score": 600}, "new": {"score": 521}}])
    'P1 moves most, from 600 to 521'
    """
    if not movers:
        return "No score moves"
    first = movers[0]
    sentence = (
        f"{first['party_id']} moves most, from {first['old']['score']} to {first['new']['score']}"
    )
    if len(movers) == 1:
        return sentence
    least = min(abs(one["change"]) for one in movers)
    return f"{sentence}; each of these {len(movers)} moves by {counted(least, 'point')} or more"
