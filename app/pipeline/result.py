"""The document of a run that has ended in this process, read from Dagster's events."""

from __future__ import annotations

import dagster as dg

from app.domain.types import Document
from app.pipeline.failures import error_of
from app.services.run_results import STAGES, result_of


def result_document(pipeline: str, run: dg.ExecuteInProcessResult) -> Document:
    """Describe a run that has ended.

    Parameters
    ----------
    pipeline : str
        Name of the job.
    run : ExecuteInProcessResult
        What Dagster returned.

    Returns
    -------
    dict
        As :func:`app.services.run_results.result_of`.
    """
    made = {event.asset_key for event in run.get_asset_materialization_events()}
    return result_of(
        pipeline,
        run.run_id,
        succeeded=run.success,
        handed_on={
            asset: run.output_for_node(asset)
            for asset in STAGES.values()
            if dg.AssetKey(asset) in made
        },
        errors=[error_of(event) for event in run.all_events if event.is_step_failure],
        check_failed=any(not check.passed for check in run.get_asset_check_evaluations()),
    )
