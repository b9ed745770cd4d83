"""Turn a trained model into what the registry and the lake keep of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.counted import counted
from app.domain.sampling import Drawn, correct_intercept
from app.domain.training import TrainedModel, model_metrics, model_parameters
from app.domain.types import Document
from app.errors import TamperingError
from app.models import ModelRegistry
from app.queries.evidence import list_verdicts
from app.services.training_sample import TrainingData

if TYPE_CHECKING:
    import pyarrow as pa

    from app.domain.design_matrix import Sample


_JUDGED = (
    "status",
    "advice",
    "metrics",
    "feature_importance",
    "parameters",
    "validation",
    "warnings",
)


def registry_columns(input_hash: str, data: TrainingData, model: TrainedModel) -> Document:
    """Give the columns of a ``model_registry`` row that the training itself decided.

    Parameters
    ----------
    input_hash : str
        Hash of everything the training read.
    data : TrainingData
        The aligned sample.
    model : TrainedModel
        The trained model.

    Returns
    -------
    dict
        status, advice, metrics, feature_importance, parameters, validation, warnings, and the
        content_hash over all of it; the same inputs give the same hash.
    """
    columns: Document = {
        "status": "passed" if model.passed else "failed_gate",
        "advice": model.advice.name,
        "metrics": model_metrics(model.validation, model.headroom.gains),
        "feature_importance": model.feature_importance,
        "parameters": _of_all_rows(model_parameters(model), data.drawn),
        "validation": _validation_document(data, model),
        "warnings": list(model.warnings),
    }
    gates = [verdict.as_dict() for verdict in model.verdicts]
    columns["content_hash"] = content_hash({"inputs": input_hash, "gates": gates, **columns})
    return columns


def stored_model_hash(db: Session, row: ModelRegistry) -> str:
    """Hash what the registry holds of a model now.

    Parameters
    ----------
    db : Session
        The store.
    row : ModelRegistry
        The model.

    Returns
    -------
    str
        As `registry_columns` made it: the row's ``content_hash``, unless somebody changed it or
        its verdicts.
    """
    gates = list_verdicts(db, "model", row.id)
    columns = {name: getattr(row, name) for name in _JUDGED}
    return content_hash({"inputs": row.input_hash, "gates": list(gates), **columns})


def require_unaltered_model(db: Session, row: ModelRegistry) -> None:
    """Refuse a model whose row or verdicts somebody changed.

    Parameters
    ----------
    db : Session
        The store.
    row : ModelRegistry
        The model.

    Raises
    ------
    TamperingError
        If its hash is not the one that was registered.
    """
    found = stored_model_hash(db, row)
    if found != row.content_hash:
        raise TamperingError(
            f"model {row.id} or its verdicts are not what was registered: the hash is {found}, "
            f"recorded is {row.content_hash}. Run `chancellor doctor`.",
            model_id=row.id,
            recorded=row.content_hash,
            found=found,
        )


def _validation_document(data: TrainingData, model: TrainedModel) -> Document:
    judged, sample = model.validation, data.sample
    document: Document = {
        "mode": judged.mode,
        "why_not_out_of_time": judged.why_not_out_of_time,
        "n_labelled": sample.n_parties,
        "n_bad": sample.n_bad,
        "n_rows": sample.n_rows,
        "n_validated": judged.n_parties,
        "n_validated_bad": judged.n_bad,
        "advice": model.advice.as_dict(),
        "folds": [
            {
                "repeat": fold.split.repeat,
                "fold": fold.split.fold,
                "n_train": len(fold.split.train),
                "n_test": len(fold.split.test),
                "tau": fold.tau,
                "t": fold.t,
                "auc_roc": {name: metrics["auc_roc"] for name, metrics in fold.metrics.items()},
            }
            for fold in judged.folds
        ],
        "path_auc": [[t, auc] for t, auc in judged.path_auc().items()],
        "limits": _limits(sample, judged.mode, model) + _drawn_words(data.drawn),
        "leakage": [sign.as_dict() for sign in model.leakage],
        "drift": model.drift.as_dict(),
    }
    screens = _drawn_screens(sample, model)
    if screens:
        document["screens"] = screens
        document["limits"].append(_screen_words(screens, sample.n_rows))
    if data.drawn is not None:
        document["sampling"] = data.drawn.as_dict()
    if judged.mode == "out_of_time":
        split = judged.folds[0].split
        document["cut"] = str(sample.scored_on[split.train].max())
        document["train_from"] = str(sample.scored_on[split.train].min())
        document["test_to"] = str(sample.scored_on[split.test].max())
        document["default_rate_train"] = float(sample.bad[split.train].mean())
        document["default_rate_test"] = float(sample.bad[split.test].mean())
    return document


def _of_all_rows(parameters: Document, drawn: Drawn | None) -> Document:
    """Correct the intercepts of fits on drawn rows, so that they hold among all rows."""
    if drawn is None:
        return parameters
    alone = parameters["data_only"]
    return {
        **parameters,
        "intercept": correct_intercept(parameters["intercept"], drawn),
        "expert_intercept": correct_intercept(parameters["expert_intercept"], drawn),
        "data_only": {**alone, "intercept": correct_intercept(alone["intercept"], drawn)},
    }


def _drawn_words(drawn: Drawn | None) -> list[str]:
    if drawn is None:
        return []
    good, bad = drawn.weights
    sentence = (
        f"Trained and judged on {drawn.n_drawn:,} of {drawn.n_rows:,} labelled rows, drawn by "
        "party and stratified by outcome and scoring month; every count, interval and gate is of "
        f"the drawn rows. A good row stands for {good:.4g}, a bad one for {bad:.4g}."
    )
    return [sentence]


def _drawn_screens(sample: Sample, model: TrainedModel) -> Document:
    """Give the rows of the screens that did not look at all of them; empty where all did."""
    room = model.headroom
    screens: Document = {}
    if model.n_screened < sample.n_rows:
        screens["leakage"] = {"n_rows": model.n_screened}
    if room.n_train + room.n_test < room.n_split:
        screens["headroom"] = {"n_train": room.n_train, "n_test": room.n_test}
    return screens


def _screen_words(screens: Document, n_rows: int) -> str:
    said = []
    if "leakage" in screens:
        said.append(f"{screens['leakage']['n_rows']:,} were looked at for signs of a leak")
    if "headroom" in screens:
        of = screens["headroom"]
        fitted, judged = f"fitted to {of['n_train']:,}", f"judged on {of['n_test']:,} unseen"
        said.append(f"headroom models were {fitted} and {judged}")
    return (
        f"Of {n_rows:,} rows {', and '.join(said)}, drawn by outcome from the model's seed: these "
        "screens inform the reviewer and move no weight."
    )


def _limits(sample: Sample, mode: str, model: TrainedModel) -> list[str]:
    found = []
    if mode == "out_of_time":
        found.append(
            "Observation windows of training rows may end after the first test row was scored."
        )
    elif (sample.scored_on != sample.scored_on[0]).any():
        found.append(
            "Rows were shuffled across scoring dates: the figures do not show whether the "
            "gain lasts into later vintages."
        )
    if model.advice.n_looks:
        found.append(
            counted(model.advice.n_looks, "earlier model was", "earlier models were")
            + " judged against this baseline on "
            "overlapping rows; the interval is widened for it."
        )
    return found


def validated_rows(data: TrainingData, model: TrainedModel) -> pa.Table:
    """Give what every validated row was given by model and cards that never saw it.

    Parameters
    ----------
    data : TrainingData
        The aligned sample.
    model : TrainedModel
        The trained model.

    Returns
    -------
    pyarrow.Table
        One row per row and repeat: party_id, batch_id, scored_at, bad, repeat, fold,
        score_baseline, score_refined (unrounded points), p_model, p_baseline, p_refined.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    folds = model.validation.folds
    rows = np.concatenate([fold.split.test for fold in folds])
    tests = [len(fold.split.test) for fold in folds]

    def repeated(values: list[int]) -> np.ndarray:
        return np.repeat(np.array(values, dtype=np.int16), tests)

    def joined(kind: str, name: str) -> np.ndarray:
        parts = [getattr(fold, kind)[name] for fold in folds]
        return np.concatenate(parts)

    return pa.table(
        {
            "party_id": pa.array(data.party_id[rows], pa.string()),
            "batch_id": pa.array(data.batch_id[rows], pa.string()),
            "scored_at": pa.array(data.scored_at[rows], pa.timestamp("us", tz="UTC")),
            "bad": pa.array(data.sample.bad[rows], pa.int8()),
            "repeat": pa.array(repeated([fold.split.repeat for fold in folds]), pa.int16()),
            "fold": pa.array(repeated([fold.split.fold for fold in folds]), pa.int16()),
            "score_baseline": pa.array(joined("scores", "baseline")),
            "score_refined": pa.array(joined("scores", "refined")),
            "p_model": pa.array(expit(joined("log_odds", "model"))),
            "p_baseline": pa.array(expit(joined("log_odds", "baseline"))),
            "p_refined": pa.array(expit(joined("log_odds", "refined"))),
        }
    )
