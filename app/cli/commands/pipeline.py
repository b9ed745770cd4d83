"""``chancellor pipeline``: score, label, train and refine in one Dagster run."""

from __future__ import annotations

import typer

from app.cli.after import monitor_what_is_due
from app.cli.errors import GATE_FAILED, exit_code_of_name
from app.cli.options import (
    Actor,
    AsJson,
    BaseVersion,
    BatchIds,
    EngineName,
    Outcome,
    Validation,
    ValidationMode,
    Window,
)
from app.cli.output import Output
from app.cli.render import runs as render

app = typer.Typer(no_args_is_help=True, help="The whole way from outcomes to a draft, as one run.")


@app.callback()
def pipeline() -> None:
    """Go the whole way from outcomes to a draft, as one run."""


@app.command("run")
def run(
    batches: BatchIds,
    window: Window = 180,
    outcome: Outcome = "default",
    validation: ValidationMode = Validation.auto,
    base: BaseVersion = None,
    engine: EngineName = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Score, label, train and refine: the real Dagster job, in this process.

    Its gates are asset checks, its history is kept in CHANCELLOR_HOME/dagster:
    look at it with "dagster dev -m app.pipeline.definitions". The advice keep ends
    well (exit code 0); a failed gate ends the run with exit code 4. The same
    document is printed either way.

    Example:
      chancellor pipeline run BATCH_001 --window 180

    Next: chancellor versions compare v1 ml_v2
    """
    from app.lake.engine import computing_on  # noqa: PLC0415 - starts quickly where not needed
    from app.log import configure_logging  # noqa: PLC0415 - structlog, 0.1 s
    from app.pipeline.execution import run_pipeline  # noqa: PLC0415 - Dagster, 1.5 s

    configure_logging()
    out = Output(as_json)
    on = computing_on(None if engine is None else engine.value)
    with on, out.progress() as progress:
        result = run_pipeline(
            batch_ids=batches,
            window=window,
            outcome=outcome,
            validation=validation.value,
            base_version=base,
            actor=actor,
            progress=progress,
        )
    out.show(result, render.finished)
    monitor_what_is_due(out, actor)
    if result["gate_failed"]:
        raise typer.Exit(GATE_FAILED)
    if result["error"]:
        raise typer.Exit(exit_code_of_name(result["error"]["code"]))
