"""The document of a finished run: the same whether a gate failed or not."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from app.domain.types import Document
from app.edge.errors import error_code
from app.edge.gates import blocking_failures
from app.errors import QualityGateError
from app.pipeline.failures import error_of

STAGES = {
    "scores": "score_batch",
    "labels": "generate_scorecard_labels",
    "model": "train_model_asset",
    "refinement": "refine_scorecard",
}


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
        ``pipeline``, ``dagster_run_id``, ``status`` (``succeeded`` or ``failed``), ``stages``
        (each stage's document, None where it was not reached), ``gates`` (the newest verdict of
        each), ``advice``, ``advice_sentence``, ``version``, ``gate_failed`` and ``error`` (code,
        message, facts; None where there is none).
    """
    stages = {stage: _output(run, asset) for stage, asset in STAGES.items()}
    error = None if run.success else _error(run, stages)
    gates = _newest([*_stage_gates(stages), *((error or {}).get("facts", {}).get("verdicts", []))])
    advised = stages["refinement"] or stages["model"] or {}
    return {
        "pipeline": pipeline,
        "dagster_run_id": run.run_id,
        "status": "succeeded" if run.success else "failed",
        "stages": stages,
        "gates": gates,
        "advice": advised.get("advice"),
        "advice_sentence": advised.get("advice_sentence"),
        "version": (stages["refinement"] or {}).get("version"),
        "gate_failed": error is not None and error["code"] == error_code(QualityGateError),
        "error": error,
    }


def _output(run: dg.ExecuteInProcessResult, asset: str) -> Document | None:
    """Give what an asset of the run returned; None where it was not materialised."""
    made = {event.asset_key for event in run.get_asset_materialization_events()}
    if dg.AssetKey(asset) not in made:
        return None
    output: Document = run.output_for_node(asset)
    return output


def _stage_gates(stages: dict[str, Document | None]) -> list[Document]:
    return [gate for stage in stages.values() if stage for gate in stage.get("gates", [])]


def _newest(gates: Iterable[Document]) -> list[Document]:
    found: dict[tuple[str, str | None], Document] = {}
    for gate in gates:
        found.pop((gate["gate"], gate.get("batch_id")), None)
        found[gate["gate"], gate.get("batch_id")] = gate
    pooled = {gate for gate, batch_id in found if batch_id is None}
    return [
        verdict
        for (gate, batch_id), verdict in found.items()
        if batch_id is None or gate not in pooled
    ]


def _error(run: dg.ExecuteInProcessResult, stages: dict[str, Document | None]) -> Document:
    """Give the error that ended a run: the service's own, or the gate whose check stopped it."""
    errors = [error_of(event) for event in run.all_events if event.is_step_failure]
    ours = [error for error in errors if error["code"] != "unexpected"]
    if ours:
        return ours[0]
    failed = blocking_failures(_stage_gates(stages))
    if failed and any(not check.passed for check in run.get_asset_check_evaluations()):
        return _gate_error(failed, stages)
    if errors:
        return errors[0]
    return {"code": "unexpected", "message": "The run ended without a reason.", "facts": {}}


def _gate_error(failed: Iterable[Document], stages: dict[str, Document | None]) -> Document:
    sentences = [f"{gate['gate']} failed. {gate['sentence']}" for gate in failed]
    model = stages["model"] or {}
    if model.get("advice"):
        sentences.append(f"The advice is {model['advice']}. {model['advice_sentence']}".strip())
    return {
        "code": error_code(QualityGateError),
        "message": " ".join(sentences),
        "facts": {
            "verdicts": _stage_gates(stages),
            "model_id": model.get("model_id"),
            "advice": model.get("advice"),
        },
    }
