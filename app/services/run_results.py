"""The document of a finished run: the same whether a gate failed or not, and wherever it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.domain.blocking import blocking_failures
from app.domain.types import Document

STAGES = {
    "scores": "score_batch",
    "labels": "generate_scorecard_labels",
    "monitoring": "monitoring_report",
    "model": "train_model_asset",
    "refinement": "refine_scorecard",
}
UNEXPECTED = "unexpected"
QUALITY_GATE = "quality_gate"  # the name of QualityGateError among the faces' codes


def result_of(
    pipeline: str,
    dagster_run_id: str,
    *,
    succeeded: bool,
    handed_on: Mapping[str, Document],
    errors: Sequence[Document],
    check_failed: bool,
) -> Document:
    """Describe a run that has ended.

    Parameters
    ----------
    pipeline : str
        Name of the job.
    dagster_run_id : str
        Dagster's name for the run.
    succeeded : bool
        How Dagster says that it ended.
    handed_on : mapping of dict by str
        The document of each asset that was materialised.
    errors : sequence of dict
        What ended assets: code, message and facts; ``unexpected`` where it was not ours.
    check_failed : bool
        Whether any check did not pass.

    Returns
    -------
    dict
        ``pipeline``, ``dagster_run_id``, ``status`` (``succeeded`` or ``failed``), ``stages``
        (each stage's document, None where it was not reached), ``gates`` (the newest verdict of
        each), ``advice``, ``advice_sentence``, ``version``, ``gate_failed`` and ``error`` (code,
        message, facts; None where there is none).
    """
    stages = {stage: handed_on.get(asset) for stage, asset in STAGES.items()}
    error = None if succeeded else _error(stages, errors, check_failed=check_failed)
    gates = _newest([*_stage_gates(stages), *((error or {}).get("facts", {}).get("verdicts", []))])
    advised = stages["refinement"] or stages["model"] or {}
    return {
        "pipeline": pipeline,
        "dagster_run_id": dagster_run_id,
        "status": "succeeded" if succeeded else "failed",
        "stages": stages,
        "gates": gates,
        "advice": advised.get("advice"),
        "advice_sentence": advised.get("advice_sentence"),
        "version": (stages["refinement"] or {}).get("version"),
        "gate_failed": error is not None and error["code"] == QUALITY_GATE,
        "error": error,
    }


def _stage_gates(stages: Mapping[str, Document | None]) -> list[Document]:
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


def _error(
    stages: Mapping[str, Document | None], errors: Sequence[Document], *, check_failed: bool
) -> Document:
    """Give the error that ended a run: the service's own, or the gate whose check stopped it."""
    ours = [error for error in errors if error["code"] != UNEXPECTED]
    if ours:
        return ours[0]
    failed = blocking_failures(_stage_gates(stages))
    if failed and check_failed:
        return _gate_error(failed, stages)
    if errors:
        return errors[0]
    return {"code": UNEXPECTED, "message": "The run ended without a reason.", "facts": {}}


def _gate_error(failed: Iterable[Document], stages: Mapping[str, Document | None]) -> Document:
    sentences = [f"{gate['gate']} failed. {gate['sentence']}" for gate in failed]
    model = stages["model"] or {}
    if model.get("advice"):
        sentences.append(f"The advice is {model['advice']}. {model['advice_sentence']}".strip())
    return {
        "code": QUALITY_GATE,
        "message": " ".join(sentences),
        "facts": {
            "verdicts": _stage_gates(stages),
            "model_id": model.get("model_id"),
            "advice": model.get("advice"),
        },
    }
