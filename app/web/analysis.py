"""Outcomes over time: vintage curves, roll rates and a table over windows, with a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from fastapi.responses import HTMLResponse

from app.charts.catalogue import Drawing
from app.domain.types import Document, Progress
from app.edge.access import open_store
from app.edge.prepared import Computing, Failed, Ready
from app.edge.services import Services
from app.errors import ChancellorError, InvalidInputError, UnavailableError
from app.services.outcome_analysis_service import (
    DEFAULT_MONTHS,
    DEFAULT_SPAN,
    DEFAULT_WINDOWS,
    PERIODS,
    OutcomeAnalysisService,
)
from app.web.figures import Drawings, figure_source, figures
from app.web.routing import Desk, OnDesk, page_router

router = page_router("/analysis")

_PATIENCE = 0.05
_WINDOWS = " ".join(str(days) for days in DEFAULT_WINDOWS)
_FIGURE_PATIENCE = 60.0
_LOOK_AGAIN = "2"
_SEPARATORS = re.compile(r"[\s,;]+")
_MOST_DIGITS = 6

Text = Annotated[str, Query(max_length=400)]
Texts = Annotated[list[Annotated[str, Query(max_length=200)]] | None, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to see, as typed.

    Attributes
    ----------
    outcomes : tuple of str
        Definitions; the vintages are of the first.
    by, months, span, windows, version : str
        As the form has them.
    """

    outcomes: tuple[str, ...]
    by: str
    months: str
    span: str
    windows: str
    version: str

    def facts(self) -> dict[str, str]:
        """Give what an address says of it."""
        return {
            "outcomes": " ".join(self.outcomes), "by": self.by, "months": self.months,
            "span": self.span, "windows": self.windows, "version": self.version,
        }  # fmt: skip


@router.get("")
def show_analysis(
    desk: OnDesk,
    outcome: Texts = None,
    by: Text = "auto",
    months: Text = str(DEFAULT_MONTHS),
    span: Text = str(DEFAULT_SPAN),
    windows: Text = _WINDOWS,
    version: Text = "",
) -> HTMLResponse:
    """Show outcomes over time; what takes long comes when it is computed."""
    asked = Asked(tuple(outcome or ("default",)), by, months, span, windows, version.strip())
    known = [row["name"] for row in desk.use.definitions.list_definitions()]
    shown: Document = {"asked": asked, "definitions": list(dict.fromkeys(known)),
                       "periods": PERIODS, "found": None, "computing": None, "failed": None,
                       "figures": {}}  # fmt: skip
    try:
        taken = _take(desk, asked, _PATIENCE)
    except ChancellorError as error:
        return desk.render("analysis.html", refused=error, **shown)
    if isinstance(taken, Computing):
        answer = desk.render("analysis.html", **{**shown, "computing": taken})
        answer.headers["Refresh"] = _LOOK_AGAIN
        return answer
    if isinstance(taken, Failed):
        return desk.render("analysis.html", **{**shown, "failed": taken})
    drawn = figures("analysis", asked.facts(), _drawn(taken.document))
    return desk.render("analysis.html", **{**shown, "found": taken.document, "figures": drawn})


@figure_source("analysis")
def _drawings(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the figures again, in a process that did not make the page."""
    asked = Asked(
        tuple(facts.get("outcomes", "").split()),
        *(facts.get(name, "") for name in ("by", "months", "span", "windows", "version")),
    )
    taken = _take(desk, asked, _FIGURE_PATIENCE)
    if isinstance(taken, Failed):
        raise taken.error
    if isinstance(taken, Computing):
        raise UnavailableError("The analysis behind this figure is still being computed.")
    return _drawn(taken.document)


def _drawn(document: Document) -> dict[str, Drawing]:
    vintages = document["vintages"]["document"]
    if vintages is None or not any(curve["points"] for curve in vintages["curves"]):
        return {}
    kept = {name: vintages[name] for name in ("curves", "compared")}
    return {"vintages": Drawing("vintage_curves", kept)}


def _take(desk: Desk, asked: Asked, patience: float) -> Ready | Computing | Failed:
    """Take what was computed of it, or have it computed beside the requests."""
    ways = _ways(asked)
    service, actor = desk.service, desk.caller.actor
    key = desk.use.analysis.key("analysis", *asked.facts().values())
    desk.db.rollback()  # no transaction is held by a request that waits

    def compute(progress: Progress) -> Document:
        with open_store(service) as db:
            analysis = Services(db, actor, service.lake).analysis
            return {name: _part(way, analysis, progress) for name, way in ways.items()}

    return service.prepared.take(key, compute, patience)


Way = Callable[[OutcomeAnalysisService, Progress], Document]


def _ways(asked: Asked) -> Mapping[str, Way]:
    """Read what was typed; each part is computed by itself."""
    months, span = _number("Months", asked.months), _number("Span", asked.span)
    days = [_number("Window", text) for text in _SEPARATORS.split(asked.windows.strip()) if text]
    outcomes = asked.outcomes
    return {
        "vintages": lambda use, report: use.vintages(
            outcome_type=outcomes[0], period=asked.by, months=months, progress=report
        ),
        "roll-rates": lambda use, report: use.roll_rates(months=span, progress=report),
        "windows": lambda use, report: use.windows(
            windows=days, outcome_types=outcomes, version=asked.version or None, progress=report
        ),
    }


def _part(way: Way, analysis: OutcomeAnalysisService, progress: Progress) -> Document:
    try:
        found = way(analysis, progress)
    except ChancellorError as error:
        return {"document": None, "why_not": error.message}
    return {"document": found, "why_not": None}


def _number(name: str, text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > _MOST_DIGITS:
        raise InvalidInputError(f"{name}: {text!r} is not a whole number; give one such as 180.")
    return int(text)
