"""``python -m app.pipeline.lost_runs``: tell Dagster of runs whose process ended without a word.

Dagster shows such a run as started for ever; our record knows how it ended.
"""

from __future__ import annotations

import sys

import dagster as dg

from app.db import open_session
from app.domain.pipelines import RUN_TAG
from app.models import PipelineRun
from app.pipeline.home import open_instance
from app.queries.runs import LIVE, find_run

UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def close_lost_runs(instance: dg.DagsterInstance) -> tuple[str, ...]:
    """End Dagster's runs that have ended on our record.

    Parameters
    ----------
    instance : DagsterInstance
        The store's own.

    Returns
    -------
    tuple of str
        Ids of the runs that were ended.
    """
    unfinished = instance.get_runs(filters=dg.RunsFilter(statuses=list(UNFINISHED)))
    ended = []
    with open_session() as db:
        for run in unfinished:
            record = find_run(db, run.tags.get(RUN_TAG, ""))
            if record is not None and record.status not in LIVE:
                _end(instance, run, record)
                ended.append(run.run_id)
    return tuple(ended)


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun, record: PipelineRun) -> None:
    message = f"{record.status} on Chancellor's record: {record.error or 'no reason given'}"
    if record.status == "cancelled":
        instance.report_run_canceled(run, message)
    else:
        instance.report_run_failed(run, message)


def main() -> int:
    """Tell Dagster, in the store's home, of every lost run.

    Returns
    -------
    int
        0.
    """
    with open_instance() as instance:
        close_lost_runs(instance)
    return 0


if __name__ == "__main__":
    sys.exit(main())
