"""Every gate of the design as an asset check that shows the stored verdict.

The services judge and store; a check reads. A check blocks where a failed gate blocks: a label
set's gates stop training, a model's stop refinement. ``improves_on_baseline`` alone does not: its
failure is the advice keep. Verdicts of "insufficient evidence" show as warnings.
"""
# No ``from __future__ import annotations``: Dagster reads the annotations of contexts.

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from app.db import open_session
from app.domain.blocking import NEVER_BLOCKING
from app.domain.pipelines import DRAFT_GATES, LABEL_GATES, TRAINING_GATES
from app.domain.types import Document
from app.errors import QualityGateError
from app.pipeline.failures import as_dagster_failure
from app.pipeline.notes import note_check_results
from app.pipeline.request import batches
from app.queries.evidence import list_verdicts

LABEL_ASSET, MODEL_ASSET, DRAFT_ASSET = (
    "generate_scorecard_labels", "train_model_asset", "refine_scorecard",
)  # fmt: skip


def _specs(asset: str, gates: Sequence[str]) -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        # Without partitions a check is handed every batch's document instead of its own.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                gate,
                asset=asset,
                blocking=gate not in NEVER_BLOCKING,
                partitions_def=batches,
                description=f"Gate {gate}, as judged and stored by the services.",
            )
            for gate in gates
        ]


@dg.multi_asset_check(name="label_gates", specs=_specs(LABEL_ASSET, LABEL_GATES), can_subset=True)
def label_gates(
    context: dg.AssetCheckExecutionContext,
    generate_scorecard_labels: dict[str, Any],
) -> Iterator[dg.AssetCheckResult]:
    """Show the gates of the label sets; several batches are judged together by the training."""
    subjects = [("label_set", str(one)) for one in generate_scorecard_labels["label_set_ids"]]
    yield from _shown(context.run, LABEL_ASSET, LABEL_GATES, subjects, may_block=len(subjects) == 1)


@dg.multi_asset_check(
    name="model_gates", specs=_specs(MODEL_ASSET, TRAINING_GATES), can_subset=True
)
def model_gates(
    context: dg.AssetCheckExecutionContext,
    train_model_asset: dict[str, Any],
) -> Iterator[dg.AssetCheckResult]:
    """Show the gates that training evaluated."""
    label_sets = ",".join(str(one) for one in train_model_asset["label_set_ids"])
    subjects = [("label_set", label_sets), ("model", train_model_asset["model_id"])]
    yield from _shown(context.run, MODEL_ASSET, TRAINING_GATES, subjects)


@dg.multi_asset_check(name="draft_gates", specs=_specs(DRAFT_ASSET, DRAFT_GATES), can_subset=True)
def draft_gates(
    context: dg.AssetCheckExecutionContext,
    refine_scorecard: dict[str, Any],
) -> Iterator[dg.AssetCheckResult]:
    """Show the gates of the draft; where the advice made none there is nothing to show."""
    if refine_scorecard["version"] is not None:
        subjects = [("version", refine_scorecard["version"])]
        yield from _shown(context.run, DRAFT_ASSET, DRAFT_GATES, subjects)


def _shown(
    run: dg.DagsterRun,
    asset: str,
    gates: Sequence[str],
    subjects: Sequence[tuple[str, str]],
    *,
    may_block: bool = True,
) -> list[dg.AssetCheckResult]:
    with as_dagster_failure():
        with open_session() as db:
            verdicts = [verdict for one in subjects for verdict in list_verdicts(db, *one)]
        results = check_results(asset, gates, verdicts, may_block=may_block)
        return _noted(run, asset, results)


def _noted(
    run: dg.DagsterRun, asset: str, results: Iterator[dg.AssetCheckResult]
) -> list[dg.AssetCheckResult]:
    found = list(results)
    note_check_results(run, asset, found)
    return found


def check_results(
    asset: str, gates: Sequence[str], verdicts: Sequence[Document], *, may_block: bool = True
) -> Iterator[dg.AssetCheckResult]:
    """Translate stored verdicts into check results.

    Parameters
    ----------
    asset : str
        The asset that is judged.
    gates : sequence of str
        Gates to show; one without a verdict is left out ("not run").
    verdicts : sequence of dict
        Stored verdicts, oldest first; of one gate the newest counts.
    may_block : bool
        Whether a fail stops the run.

    Yields
    ------
    AssetCheckResult
        ``fail`` of a blocking gate has severity ERROR; what does not block is a warning.
    """
    for gate in gates:
        verdict = next((one for one in reversed(verdicts) if one["gate"] == gate), None)
        if verdict is not None:
            is_error = may_block and gate not in NEVER_BLOCKING and verdict["verdict"] == "fail"
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=gate,
                passed=verdict["verdict"] == "pass",
                severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
                description=verdict["sentence"],
                metadata=_metadata(verdict),
            )


@contextmanager
def showing_failed_training(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Show the verdicts of a training that a data gate stopped before there was a model.

    Parameters
    ----------
    context : AssetExecutionContext
        Of ``train_model_asset``; its checks get the verdicts that the error carries.

    Raises
    ------
    QualityGateError
        The one raised inside the block, after its verdicts were shown.
    """
    try:
        yield
    except QualityGateError as error:
        results = check_results(MODEL_ASSET, TRAINING_GATES, error.verdicts)
        for result in _noted(context.run, MODEL_ASSET, results):
            context.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(MODEL_ASSET),
                    check_name=str(result.check_name),
                    passed=result.passed,
                    severity=result.severity,
                    description=result.description,
                    metadata=result.metadata,
                    partition=context.partition_key,
                )
            )
        raise


def _metadata(verdict: Document) -> dict[str, Any]:
    shown = ("verdict", "value", "threshold", "rule", "judged_on", "n")
    return {name: verdict[name] for name in shown if verdict.get(name) is not None}
