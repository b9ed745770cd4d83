"""Read the model registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.gates import Verdict
from app.domain.types import Document
from app.errors import NotFoundError
from app.models import ModelRegistry, ScorecardVersion
from app.queries.evidence import list_verdicts, verdict_value

_ID_DIGITS = 4


class TableReader(Protocol):
    """The part of a lake that reads; queries do not import the data plane."""

    def read_table(self, path: str, sha256: str, columns: Sequence[str] | None = None) -> Any:
        """Read a table whose file still has the hash."""


_HOW_JUDGED = {
    "out_of_time": "out of time",
    "cross_validation": "by cross-validation",
    "holdout": "on one holdout",
}


def require_model(db: Session, model_id: str) -> ModelRegistry:
    """Find a model by its id.

    Parameters
    ----------
    db : Session
        The store.
    model_id : str
        Such as ``m-20260331-7f3a``.

    Returns
    -------
    ModelRegistry
        The row.

    Raises
    ------
    NotFoundError
        If there is none; the message lists close ids, or the newest ones.
    """
    row = db.get(ModelRegistry, model_id)
    if row is None:
        ids = [model.id for model in list_models(db)]
        shown = get_close_matches(model_id, ids) or ids[:10]
        raise NotFoundError(
            f"There is no model {model_id!r}. There is: {', '.join(shown) or 'none'}.",
            model_id=model_id,
            known=shown,
        )
    return row


def list_models(db: Session) -> tuple[ModelRegistry, ...]:
    """List all models.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of ModelRegistry
        Newest first.
    """
    return tuple(
        db.scalars(
            select(ModelRegistry).order_by(ModelRegistry.created_at.desc(), ModelRegistry.id.desc())
        )
    )


def new_model_id(db: Session, now: datetime, content_hash: str) -> str:
    """Name a new model after its day and its content.

    Parameters
    ----------
    db : Session
        The store.
    now : datetime
        When it is registered, UTC.
    content_hash : str
        SHA-256 of the model's content, hexadecimal.

    Returns
    -------
    str
        ``m-YYYYMMDD-xxxx``, where xxxx is the beginning of the hash; where that id is taken, as
        by the same training on the same day, ``-2``, ``-3``, ... follows.
    """
    stem = f"m-{now:%Y%m%d}-{content_hash[:_ID_DIGITS]}"
    name, number = stem, 1
    while db.get(ModelRegistry, name) is not None:
        number += 1
        name = f"{stem}-{number}"
    return name


def count_looks(
    db: Session,
    lake: TableReader,
    *,
    base_version: str,
    input_hash: str,
    shares_rows: Callable[[Any], bool],
    before: datetime | None = None,
) -> int:
    """Count the earlier looks at these rows: models judged against the same baseline on them.

    Parameters
    ----------
    db : Session
        The store.
    lake : TableReader
        Where the validated rows of the models are; each file's hash is verified.
    base_version : str
        The baseline.
    input_hash : str
        Of the training at hand; repeating a training on the same inputs is no new look.
    shares_rows : callable
        Says of a table with ``party_id`` and ``scored_at`` whether a row of it is at hand.
    before : datetime or None
        Only models registered before; None is all there are.

    Returns
    -------
    int
        Number of different trainings whose validated rows share at least one row.

    Raises
    ------
    FileHashError
        If a file of validated rows is not what was stored.
    """
    wanted = select(ModelRegistry).where(
        ModelRegistry.base_version == base_version, ModelRegistry.input_hash != input_hash
    )
    if before is not None:
        wanted = wanted.where(ModelRegistry.created_at < before)
    earlier = db.scalars(wanted).all()
    by_input = {model.input_hash: model for model in earlier}
    return sum(
        shares_rows(
            lake.read_table(
                model.validation_path, model.validation_hash, columns=["party_id", "scored_at"]
            )
        )
        for model in by_input.values()
    )


def other_opinions(db: Session, model: ModelRegistry) -> tuple[str, ...]:
    """Name the models of the same baseline and batches whose advice was another.

    Parameters
    ----------
    db : Session
        The store.
    model : ModelRegistry
        The model whose draft is looked at.

    Returns
    -------
    tuple of str
        One sentence per different training, oldest first; the reviewer should know that a
        recommendation was not the only one.
    """
    others = db.scalars(
        select(ModelRegistry)
        .where(
            ModelRegistry.base_version == model.base_version,
            ModelRegistry.input_hash != model.input_hash,
            ModelRegistry.advice != model.advice,
        )
        .order_by(ModelRegistry.created_at, ModelRegistry.id)
    )
    by_input = {
        other.input_hash: other
        for other in others
        if not set(other.batch_ids).isdisjoint(model.batch_ids)
    }
    return tuple(
        f"{other.id} advises otherwise ({other.advice}) on {', '.join(other.batch_ids)}, judged "
        f"{_HOW_JUDGED[other.validation['mode']]}: its model's AUC is "
        f"{other.metrics['auc_roc']:.3f}, the refined card's gain {other.metrics['gain']:+.3f}."
        for other in by_input.values()
    )


def stored_verdicts(db: Session, subject_kind: str, subject_id: str) -> list[Document]:
    """List the newest verdict of each gate on one subject.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'label_set', 'model', 'version'}
        What was judged.
    subject_id : str
        Which one.

    Returns
    -------
    list of dict
        In the order in which the gates were first judged.
    """
    return list(list_verdicts(db, subject_kind, subject_id))


def model_verdicts(db: Session, model_id: str) -> tuple[Verdict, ...]:
    """Read the verdicts on a model as values.

    Parameters
    ----------
    db : Session
        The store.
    model_id : str
        The model.

    Returns
    -------
    tuple of Verdict
        Data gates and model gates.
    """
    return tuple(verdict_value(verdict) for verdict in list_verdicts(db, "model", model_id))


def model_summary(row: ModelRegistry) -> Document:
    """Describe a model on one line.

    Parameters
    ----------
    row : ModelRegistry
        The model.

    Returns
    -------
    dict
        model_id, model_type, status, advice, batch_ids, base_version, auc_roc, gain, created_at
        and created_by.
    """
    return {
        "model_id": row.id,
        "model_type": row.model_type,
        "status": row.status,
        "passed": row.status == "passed",
        "advice": row.advice,
        "batch_ids": list(row.batch_ids),
        "base_version": row.base_version,
        "validation_mode": row.validation["mode"],
        "auc_roc": row.metrics["auc_roc"],
        "gain": row.metrics["gain"],
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
    }


def model_document(db: Session, row: ModelRegistry) -> Document:
    """Describe everything that the registry knows of a model.

    Parameters
    ----------
    db : Session
        The store.
    row : ModelRegistry
        The model.

    Returns
    -------
    dict
        What ``train_model`` returns: the summary, metrics, feature_importance, gates, advice with
        its sentence, validation, warnings, parameters, the versions drafted from it, and the
        hashes of its inputs and outputs.
    """
    versions = db.scalars(
        select(ScorecardVersion.version)
        .where(ScorecardVersion.model_id == row.id)
        .order_by(ScorecardVersion.number)
    )
    return {
        **model_summary(row),
        "batch_id": row.batch_id,
        "label_set_ids": list(row.label_set_ids),
        "n_labelled": row.validation["n_labelled"],
        "n_bad": row.validation["n_bad"],
        "metrics": row.metrics,
        "feature_importance": row.feature_importance,
        "gates": stored_verdicts(db, "model", row.id),
        "advice_sentence": row.validation["advice"]["sentence"],
        "validation": row.validation,
        "warnings": list(row.warnings),
        "parameters": row.parameters,
        "versions": list(versions),
        "policy_id": row.policy_id,
        "policy_hash": row.policy_hash,
        "seed": row.seed,
        "input_hash": row.input_hash,
        "content_hash": row.content_hash,
        "validation_hash": row.validation_hash,
        "library_versions": row.library_versions,
    }
