"""How verdicts of gates are written: values and rules in the gate's own unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

GATE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "sample_size": "Enough labelled parties",
        "default_rate": "A default rate that can be learned from",
        "expert_ranks": "The expert's score ranks risk",
        "auc_roc": "The model ranks parties it never saw",
        "improves_on_baseline": "Better than the baseline",
        "weight_change": "No weight moves too far",
        "score_correlation": "Old and new scores go together",
        "band_stability": "Bands keep their shares",
        "cumulative_change": "Not too far from the expert over time",
        "adverse_impact": "No group is approved much less often",
        "withdrawn_evidence": "Files behind it were withdrawn since",
    }
)
"""What a reviewer acknowledges by name: what each gate asks for, and withdrawn evidence."""

_VERDICTS = ("pass", "insufficient evidence", "fail")
_MOST_DECIMALS = 9
_WRITERS = {
    "default_rate": (numbers.rate, 1),
    "improves_on_baseline": (numbers.gain, 3),
    "weight_change": (numbers.rate, 1),
    "band_stability": (numbers.rate, 1),
    "cumulative_change": (numbers.rate, 1),
}
_LIMIT = re.compile(r"\b\d+\.\d+\b")


def gate_value(gate: str, value: float | None, threshold: float | None = None) -> str:
    """Write a gate's value in the gate's own unit.

    Parameters
    ----------
    gate : str
        Name of the gate.
    value : float or None
        What was measured.
    threshold : float or None
        What it was held against. A value that would read the same as its threshold is written
        with more decimals, so that the verdict can be understood.

    Returns
    -------
    str
        The value as text.

    Examples
    --------
    >>> gate_value("default_rate", 0.26805), gate_value("sample_size", 2050.0)
    ('26.8 %', '2,050')
    >>> gate_value("band_stability", 0.09975, 0.1), gate_value("auc_roc", 0.59996, 0.6)
    ('9.98 %', '0.59996')
    """
    if gate == "sample_size":
        return numbers.count(value)
    write, usual = _WRITERS.get(gate, (numbers.auc, 3))
    decimals = usual
    if value is not None and threshold is not None and value != threshold:
        while write(value, decimals) == write(threshold, decimals) and decimals < _MOST_DECIMALS:
            decimals += 1
    return write(value, decimals)


def gate_rule(gate: str, rule: str) -> str:
    """Write a gate's rule with its limits in the unit of the gate's value.

    Parameters
    ----------
    gate : str
        Name of the gate.
    rule : str
        The rule as stored.

    Returns
    -------
    str
        The rule; where the value is a percentage, so are its limits.

    Examples
    --------
    >>> gate_rule("weight_change", "max |w_new / w - 1| < 0.50")
    'max |w_new / w - 1| < 50.0 %'
    >>> gate_rule("auc_roc", "model AUC >= 0.60")
    'model AUC >= 0.60'
    """
    write, _ = _WRITERS.get(gate, (None, 0))
    if write is not numbers.rate:
        return rule
    return _LIMIT.sub(lambda found: numbers.rate(float(found.group())), rule)


def gate_interval(gate: str, interval: list[float] | None) -> str:
    """Write a gate's interval in the gate's own unit.

    Parameters
    ----------
    gate : str
        Name of the gate.
    interval : list of float or None
        Lower and upper limit.

    Returns
    -------
    str
        The interval as text, a dash where there is none.

    Examples
    --------
    >>> gate_interval("auc_roc", [0.71, 0.76]), gate_interval("sample_size", None)
    ('0.710 to 0.760', '–')
    """
    if interval is None:
        return numbers.NONE
    return " to ".join(gate_value(gate, limit) for limit in interval)


def count_verdicts(gates: Iterable[Document]) -> str:
    """Count the verdicts in words.

    Parameters
    ----------
    gates : iterable of dict
        Verdicts as stored.

    Returns
    -------
    str
        Every kind, also those that do not occur.

    Examples
    --------
    >>> count_verdicts([{"verdict": "pass"}, {"verdict": "fail"}])
    '1 pass, 0 insufficient evidence, 1 fail'
    """
    found = [gate["verdict"] for gate in gates]
    return ", ".join(f"{found.count(verdict)} {verdict}" for verdict in _VERDICTS)
