"""Verdicts of gates, each with a sign, a word and its colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from app.cli.render.tables import Figure, table
from app.edge import numbers
from app.edge.gate_words import count_verdicts, gate_rule, gate_value

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


def gate_table(gates: Sequence[Document]) -> Figure:
    """Build the table of gate verdicts.

    Parameters
    ----------
    gates : sequence of dict
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
    title = f"Gates: {count_verdicts(gates)}"
    return table(title, ("gate", "verdict", "value>", "95 % interval>", "rule", "judged on"), rows)


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
