"""Structured logs on stderr: stdout belongs to results."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar

import structlog

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being answered; audit events and runs carry it."""


def configure_logging(*, as_json: bool = False, level: int = logging.INFO) -> None:
    """Send structured logs to stderr.

    Parameters
    ----------
    as_json : bool
        One JSON document a line, for machines; otherwise aligned text.
    level : int
        Least level that is shown.
    """
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is at that moment
        cache_logger_on_first_use=False,
    )
