"""Outcome definitions in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def rule_words(rule: Mapping[str, Any]) -> str:
    """Write one rule of a definition.

    Parameters
    ----------
    rule : mapping
        As an outcome definition holds it.

    Returns
    -------
    str
        Such as ``more than 90 days past due``.

    Examples
    --------
    >>> rule_words({"event_type": "days_past_due", "at_least": 30, "at_most": 90})
    '30 to 90 days past due'
    >>> rule_words({"event_type": "write_off"})
    'write-off'
    """
    if rule["event_type"] != "days_past_due":
        return str(rule["event_type"]).replace("_", "-")
    most = rule.get("at_most")
    if rule.get("more_than") is not None:
        upper = "" if most is None else f", at most {most:g},"
        return f"more than {rule['more_than']:g}{upper} days past due"
    lower = rule["at_least"]
    if most is None:
        return f"{lower:g} or more days past due"
    return f"{lower:g} to {most:g} days past due"


def rules_words(rules: Iterable[Mapping[str, Any]]) -> str:
    """Write the rules of a definition, one of which must hold.

    Examples
    --------
    >>> rules_words([{"event_type": "bankruptcy"}, {"event_type": "write_off"}]), rules_words([])
    ('bankruptcy; write-off', 'nothing')
    """
    return "; ".join(map(rule_words, rules)) or "nothing"
