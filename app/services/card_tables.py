"""The tables that explain a version: points by attribute, and odds by score where known."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.counted import counted
from app.domain.exports.odds_table import odds_table
from app.domain.exports.points_table import points_table
from app.domain.fitting import Calibration
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError
from app.models import ModelRegistry, ScorecardVersion
from app.queries.models import list_models, require_model
from app.services.model_documents import require_unaltered_model


def card_tables(
    db: Session, row: ScorecardVersion, card: Scorecard, model_id: str | None = None
) -> Document:
    """Give what each attribute is worth, and what a score means where a model was calibrated.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.
    card : Scorecard
        Its card.
    model_id : str or None
        Whose calibration counts; None is the newest model trained against this version.

    Returns
    -------
    dict
        version, content_hash, name, ``points`` (see
        :func:`app.domain.exports.points_table.points_table`), ``bands``, and ``odds``: None with
        ``why_no_odds``, or points_to_double_odds, scores and what it was fitted on (model_id,
        batch_ids, label_set_ids, n_rows, n_labelled, n_bad).

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidInputError
        If the model was trained against another version.
    TamperingError
        If the model is not what was registered.
    """
    model, why_not = _calibrated(db, row, model_id)
    return {
        "version": row.version,
        "name": card.name,
        "content_hash": card.content_hash,
        "range": [card.range.min, card.range.max],
        "bands": dict(card.bands),
        "points": list(points_table(card)),
        "odds": None if model is None else {**odds_table(card, _of(model)), **_fitted_on(model)},
        "why_no_odds": why_not,
    }


def _calibrated(
    db: Session, row: ScorecardVersion, model_id: str | None
) -> tuple[ModelRegistry | None, str | None]:
    """Find the model whose training calibrated this very version, or say why there is none."""
    if model_id is not None:
        model = require_model(db, model_id)
        if model.base_version != row.version:
            raise InvalidInputError(
                f"model {model_id} was trained against {model.base_version}: it calibrated that "
                f"version and not {row.version}",
                model_id=model_id,
                base_version=model.base_version,
            )
        models = [model]
    else:
        models = [model for model in list_models(db) if model.base_version == row.version]
    if not models:
        return None, (
            f"No model was trained against {row.version}, so no calibration of its score to a "
            "probability is stored, and odds would be invented."
        )
    require_unaltered_model(db, models[0])
    if _of(models[0]).slope <= 0.0:
        return None, (
            f"On the rows of model {models[0].id} a higher score of {row.version} does not mean "
            "lower risk, so there are no odds that grow with it."
        )
    return models[0], None


def _of(model: ModelRegistry) -> Calibration:
    fitted = model.parameters
    return Calibration(
        intercept=float(fitted["expert_intercept"]), slope=float(fitted["expert_slope"])
    )


def _fitted_on(model: ModelRegistry) -> Document:
    found = model.validation
    n_rows, n_labelled, n_bad = (found[name] for name in ("n_rows", "n_labelled", "n_bad"))
    sets = ", ".join(str(number) for number in model.label_set_ids)
    return {
        "model_id": model.id,
        "batch_ids": list(model.batch_ids),
        "label_set_ids": list(model.label_set_ids),
        "n_rows": n_rows,
        "n_labelled": n_labelled,
        "n_bad": n_bad,
        "fitted_on": (
            f"Fitted by model {model.id} on {counted(n_rows, 'labelled row')} of "
            f"{counted(n_labelled, 'party')}, {n_bad:,} bad, of {', '.join(model.batch_ids)} "
            f"(label set {sets}); on these rows, not on rows the fit never saw."
        ),
    }
