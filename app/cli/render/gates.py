"""Verdicts of gates, each with a sign, a word and its colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from app.cli.render import numbers
from app.cli.render.tables import table

if TYPE_CHECKING:
    from app.domain.types import Document

_LOOK = {
    "pass": ("✓ pass", "green"),
    "insufficient evidence": ("? insufficient evidence", "yellow"),
    "fail": ("✗ fail", "red"),
}
_NOT_RUN = ("· not run", "dim")


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


def gate_value(gate: str, value: float | None) -> str:
    """Write a gate's value in the gate's own unit.

    Parameters
    ----------
    gate : str
        Name of the gate.
    value : float or None
        What was measured.

    Returns
    -------
    str
        The value as text.

    Examples
    --------
    >>> gate_value("default_rate", 0.26805), gate_value("sample_size", 2050.0)
    ('26.8 %', '2,050')
    """
    writers = {
        "sample_size": numbers.count,
        "default_rate": numbers.rate,
        "improves_on_baseline": numbers.gain,
        "weight_change": numbers.rate,
        "band_stability": numbers.rate,
        "cumulative_change": numbers.rate,
    }
    return writers.get(gate, numbers.auc)(value)


def gate_table(gates: Iterable[Document]) -> Group:
    """Build the table of gate verdicts.

    Parameters
    ----------
    gates : iterable of dict
        Verdicts as stored: gate, verdict, value, interval, n, rule, judged_on, sentence.

    Returns
    -------
    Group
        One row per gate.
    """
    rows = [
        (
            gate["gate"],
            verdict_text(gate["verdict"]),
            gate_value(gate["gate"], gate.get("value")),
            numbers.interval(gate.get("interval")),
            gate["rule"],
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
