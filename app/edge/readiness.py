"""Whether what the service stands on answers: database, lake and Dagster."""

from __future__ import annotations

import os
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.pipelines import TRAINING
from app.domain.types import Document
from app.edge.access import Service
from app.errors import ChancellorError
from app.services.dagster_client import DagsterClient


def read_parts(service: Service) -> dict[str, Document]:
    """Ask each part.

    Parameters
    ----------
    service : Service
        What the running service holds.

    Returns
    -------
    dict of str to dict
        ``database``, ``lake`` and ``dagster``, each with ``ok`` and ``detail``, which names no
        place: whoever has no key may read it.
    """
    return {
        "database": _asked(lambda: _database(service)),
        "lake": _asked(lambda: _lake(service)),
        "dagster": _asked(lambda: _dagster(service)),
    }


def _asked(ask: Callable[[], str]) -> Document:
    try:
        return {"ok": True, "detail": ask()}
    except (ChancellorError, SQLAlchemyError, OSError, ValueError) as error:
        return {"ok": False, "detail": f"does not answer ({type(error).__name__})"}


def _database(service: Service) -> str:
    with service.sessions.open() as db:
        db.execute(text("SELECT 1"))
    return "answers, at the schema of this release"


def _lake(service: Service) -> str:
    service.lake.require_there()
    return "is there"


def _dagster(service: Service) -> str:
    if service.settings.dagster_url:
        with DagsterClient(service.settings.dagster_url) as dagster:
            dagster.require(TRAINING)
        return "answers, and has loaded the jobs"
    home = service.settings.dagster_home
    place = home if home.exists() else home.parent
    if not os.access(place, os.W_OK):
        raise PermissionError(place)
    return "keeps its runs in the store's home"
