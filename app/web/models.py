"""Models: how well they ranked over time, and one model with all that it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import HTMLResponse

from app.charts.modelled import model_drawings, models_drawing, weights_drawing
from app.domain.types import Document, Progress
from app.edge.access import open_store
from app.edge.prepared import Computing, Failed, Ready
from app.errors import ChancellorError, UnavailableError
from app.services.model_overview import ModelOverview
from app.web import model_words
from app.web.figures import Drawings, figure_source, figures
from app.web.routing import Desk, OnDesk, page_router

router = page_router("/models")

Cursor = Annotated[str | None, Query(max_length=512)]
ModelId = Annotated[str, Path(max_length=200)]
_PATIENCE = 0.5
_FIGURE_PATIENCE = 60.0
"""A figure that another process was asked for waits until its curves are measured here too."""
_LOOK_AGAIN = "2"


@router.get("")
def list_models(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List the models, the newest first, and draw how they ranked."""
    page = _overview(desk).list_models(cursor)
    facts = {} if cursor is None else {"cursor": cursor}
    drawn = figures("models", facts, _list_drawings(page))
    return desk.render("models.html", page=page, figures=drawn, words=model_words)


@router.get("/{model_id}")
def show_model(desk: OnDesk, model_id: ModelId) -> HTMLResponse:
    """Show one model; its curves come when they are measured."""
    model = _overview(desk).get_model(model_id)
    taken = _curves(desk, model_id, model["content_hash"], _PATIENCE)
    curves = taken.document if isinstance(taken, Ready) else None
    response = desk.render(
        "model.html",
        model=model,
        curves=curves,
        computing=taken if isinstance(taken, Computing) else None,
        failed_curves=_why(taken) if isinstance(taken, Failed) else None,
        figures=figures("model", {"model_id": model_id}, _model_drawings(model, curves)),
        words=model_words,
    )
    if isinstance(taken, Computing):
        response.headers["Refresh"] = _LOOK_AGAIN
    return response


@figure_source("models")
def _draw_list(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the figure of a list again, in a process that did not make its page."""
    return _list_drawings(_overview(desk).list_models(facts.get("cursor")))


@figure_source("model")
def _draw_model(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the figures of a model again, in a process that did not make its page."""
    model = _overview(desk).get_model(facts.get("model_id", ""))
    taken = _curves(desk, model["model_id"], model["content_hash"], _FIGURE_PATIENCE)
    if isinstance(taken, Failed):
        raise taken.error
    if isinstance(taken, Computing):
        raise UnavailableError("The curves behind this figure are still being measured.")
    return _model_drawings(model, taken.document)


def _overview(desk: Desk) -> ModelOverview:
    return ModelOverview(desk.db, desk.service.lake)


def _curves(
    desk: Desk, model_id: str, content_hash: str, patience: float
) -> Ready | Computing | Failed:
    """Take the curves of a model, or have them measured beside the requests."""
    service = desk.service
    desk.db.rollback()  # no transaction is held by a request that waits

    def compute(progress: Progress) -> Document:
        with open_store(service) as db:
            return ModelOverview(db, service.lake).curves(model_id, progress)

    return service.prepared.take(("model", model_id, content_hash), compute, patience)


def _list_drawings(page: Document) -> Drawings:
    items = page["items"]
    return {"aucs": models_drawing(items, page["min_auc_roc"])} if items else {}


def _model_drawings(model: Document, curves: Document | None) -> Drawings:
    drawn = {"weights": weights_drawing(model["model_id"], model["weights"])}
    return drawn if curves is None else {**drawn, **model_drawings(curves, model["base_version"])}


def _why(failed: Failed) -> str:
    known = isinstance(failed.error, ChancellorError)
    return str(failed.error) if known else "A fault of this service; its log says more."
