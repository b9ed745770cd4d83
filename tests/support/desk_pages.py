"""Every page of the desk's table, with its parameters filled in from a store."""

from __future__ import annotations

import itertools
import re

from sqlalchemy.orm import Session

from app.domain.access import PAGES
from app.queries.models import list_models
from app.services.batch_service import BatchService
from app.services.monitoring_service import MonitoringService
from app.services.pipeline_service import PipelineService
from app.services.scorecard_version_service import ScorecardVersionService

OPEN = ("/sign-in",)
"""What people see before they have signed in; what is open beside it is no page to look at."""
_NO_PAGE = re.compile(r"(\.\w+|/events|/report|/charts?/.*|/files?/.*)$")


def is_page(path: str) -> bool:
    """Say whether a path of the table gives a page, and not a file, a figure or a stream."""
    return _NO_PAGE.search(path) is None


def page_addresses(db: Session) -> tuple[str, ...]:
    """Give the address of every page that GET answers for those who signed in.

    Parameters
    ----------
    db : Session
        A store with at least one of everything.

    Returns
    -------
    tuple of str
        One address for each version, run, ... where the table has a parameter.

    Raises
    ------
    LookupError
        If a page has a parameter that is not known here: say below what it is.
    """
    values = _values(db)
    return tuple(
        address
        for method, path in PAGES
        if method == "GET" and is_page(path)
        for address in _filled(path, values)
    )


def _filled(path: str, values: dict[str, tuple[str, ...]]) -> list[str]:
    names = re.findall(r"\{(\w+)", path)
    chosen = itertools.product(*(values[name] for name in names))
    plain = re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", path)
    return [plain.format(**dict(zip(names, row, strict=True))) for row in chosen]


def _values(db: Session) -> dict[str, tuple[str, ...]]:
    return {
        "version": tuple(one["version"] for one in ScorecardVersionService(db).list_versions()),
        "batch_id": tuple(one["batch_id"] for one in BatchService(db).list_batches()),
        "run_id": tuple(one["run_id"] for one in PipelineService(db).list_runs()),
        "model_id": tuple(one.id for one in list_models(db)),
        "report_id": tuple(str(one["report_id"]) for one in MonitoringService(db).list_reports()),
    }
