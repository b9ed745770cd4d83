"""``chancellor train``, ``refine`` and ``models``: the adviser and its advice."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.errors import GATE_FAILED
from app.cli.options import (
    Actor,
    AsJson,
    BaseVersion,
    BatchIds,
    DespiteAdvice,
    EngineName,
    Seed,
    Validation,
    ValidationMode,
)
from app.cli.output import Output
from app.cli.render import models as render
from app.cli.render import versions as render_versions
from app.cli.services import open_services
from app.domain.blocking import blocking_failures

models = typer.Typer(no_args_is_help=True, help="Models: fitted advisers; they decide nothing.")

ModelId = Annotated[
    str, typer.Argument(metavar="MODEL_ID", help="Id of the model.", show_default=False)
]


def train(
    batches: BatchIds,
    validation: ValidationMode = Validation.auto,
    base: BaseVersion = None,
    seed: Seed = 0,
    engine: EngineName = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Fit a model to the newest labels and judge it on parties it never saw.

    The whole procedure is judged, refined card included, against the baseline.
    Where the dates allow it the judgement is out of time. The model is
    registered with its advice: adopt, wait or keep. Exit code 4: a gate failed.

    Example:
      chancellor train BATCH_001

    Next: chancellor refine MODEL_ID
    """
    out = Output(as_json)
    with open_services(actor, engine) as services, out.progress() as progress:
        result = services.models.train_model(
            batch_id=batches[0] if len(batches) == 1 else batches,
            validation=validation.value,
            base_version=base,
            seed=seed,
            progress=progress,
        )
    out.show(result, render.trained)
    if blocking_failures(result["gates"]):
        raise typer.Exit(GATE_FAILED)


def refine(
    model_id: ModelId,
    base: BaseVersion = None,
    despite_advice: DespiteAdvice = False,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Draft a scorecard version from a model, inside the guard-rails.

    Where the advice is keep there is no draft, unless you ask for it with
    --despite-advice. A model that failed a gate is refused (exit code 4).

    Example:
      chancellor refine m-20260331-7f3a

    Next: chancellor versions compare v1 ml_v2
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.versions.refine_from_model(
            model_id=model_id,
            base_version=base,
            despite_advice=despite_advice,
            progress=progress,
        )
    out.show(result, render_versions.refined)


@models.command("list")
def list_models(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the models, with advice, gain and gates.

    Example:
      chancellor models list
    """
    with open_services(actor) as services:
        result = services.models.list_models()
    Output(as_json).show(result, render.listed)


@models.command("show")
def show_model(model_id: ModelId, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show one model: advice, metrics with intervals, coefficients, gates, lineage.

    Example:
      chancellor models show m-20260331-7f3a

    Next: chancellor refine MODEL_ID
    """
    with open_services(actor) as services:
        result = services.models.get_model(model_id)
    Output(as_json).show(result, render.shown)
