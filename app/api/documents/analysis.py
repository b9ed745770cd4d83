"""Outcome analyses."""

from __future__ import annotations

from datetime import date

from app.api.documents.common import Answered, Evidence


class Vintages(Answered):
    """Curves of the cumulative bad rate by months since scoring."""

    outcome_type: str
    data_through: date
    period: str
    batch_ids: list[str]
    n: int
    n_bad: int
    n_excluded: int
    sentence: str
    curves: list[Evidence]
    compared: Evidence | None
    limits: list[str]


class RollRates(Answered):
    """Where parties went from their worst state of delinquency."""

    data_through: date
    months: int
    batch_ids: list[str]
    n_followed: int
    n_lost_before: int
    n_immature: int
    n_excluded: int
    has_days_past_due: bool
    sentence: str
    states: list[Evidence]
    limits: list[str]


class Windows(Answered):
    """Default rate and AUC over windows and definitions."""

    version: str
    batch_ids: list[str]
    sentence: str
    definitions: list[Evidence]
    limits: list[str]
