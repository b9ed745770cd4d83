"""Verdicts of gates, each with a sign, a word and its colour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from app.cli.render.tables import Figure, table
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

_LOOK = {
    "pass": ("✓ pass", "green"),
    "insufficient evidence": ("? insufficient evidence", "yellow"),
    "fail": ("✗ fail", "red"),
}
_MOST_DECIMALS = 9
_WRITERS = {
    "default_rate": (numbers.rate, 1),
    "improves_on_baseline": (numbers.gain, 3),
    "weight_change": (numbers.rate, 1),
    "band_stability": (numbers.rate, 1),
    "cumulative_change": (numbers.rate, 1),
}
_NOT_RUN = ("· not run", "dim")
_LIMIT = re.compile(r"\b\d+\.\d+\b")


def verdict_text(verdict: str | None) -> Text:
    """Write a verdict with its sign and colour.

    Parameters
    ----------
    verdict : str or None
        ``pass``, ``fail`` or ``insufficient evidence``; None is "not run".

    Returns
    -------
    Text
        Such as a green "✓ pass".
    """
    words, style = _LOOK.get(verdict or "", _NOT_RUN)
    return Text(words, style=style)


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


def gate_table(gates: Iterable[Document]) -> Figure:
    """Build the table of gate verdicts.

    Parameters
    ----------
    gates : iterable of dict
        Verdicts as stored: gate, verdict, value, interval, n, rule, judged_on, sentence.

    Returns
    -------
    Figure
        One row per gate.
    """
    rows = [
        (
            gate["gate"],
            verdict_text(gate["verdict"]),
            gate_value(gate["gate"], gate["value"], gate["threshold"]),
            numbers.interval(gate["interval"]),
            gate_rule(gate["gate"], gate["rule"]),
            gate["judged_on"],
        )
        for gate in gates
    ]
    title = f"Gates: {gate_counts(rows)}"
    return table(title, ("gate", "verdict", "value>", "95 % interval>", "rule", "judged on"), rows)


def gate_counts(rows: Iterable[tuple[object, ...]]) -> str:
    """Count the verdicts in words.

    Parameters
    ----------
    rows : iterable of tuple
        Rows of the gate table; the second cell is the verdict.

    Returns
    -------
    str
        Such as ``9 pass, 1 insufficient evidence, 0 fail``.
    """
    words = [str(row[1]) for row in rows]
    return ", ".join(f"{words.count(look)} {name}" for name, (look, _) in _LOOK.items())


def blocking_sentences(gates: Iterable[Document]) -> list[str]:
    """List the sentences of verdicts that are not a pass.

    Parameters
    ----------
    gates : iterable of dict
        Verdicts as stored.

    Returns
    -------
    list of str
        ``gate: sentence`` each.
    """
    return [f"{gate['gate']}: {gate['sentence']}" for gate in gates if gate["verdict"] != "pass"]
