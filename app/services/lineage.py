"""Where a version comes from, down to the hash of every file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import (
    Batch,
    ExposureImport,
    LabelSet,
    ModelRegistry,
    OutcomeDefinition,
    OutcomeImport,
    Policy,
    ScorecardVersion,
    Verdict,
)
from app.queries.batches import list_withdrawals
from app.queries.evidence import list_evidence
from app.queries.versions import expert_ancestor, require_version
from app.services.version_hashes import review_hash


def version_lineage(
    db: Session,
    row: ScorecardVersion,
    *,
    batch_ids: Sequence[str],
    label_set_ids: Sequence[int],
) -> Document:
    """Trace a version back to files.

    Parameters
    ----------
    db : Session
        The store.
    row : ScorecardVersion
        The version.
    batch_ids : sequence of str
        The batches that it was judged on.
    label_set_ids : sequence of int
        Their label sets.

    Returns
    -------
    dict
        ``version``, ``evidence``, ``baseline``, ``expert``, ``model`` (None for a person's
        version) and ``policy`` with their hashes; ``label_sets`` with definition, window and
        data through; ``files``, each with what it is, the name and hash it came with, and the
        path and hash it is kept under.
    """
    model = None if row.model_id is None else db.get_one(ModelRegistry, row.model_id)
    label_sets = [db.get_one(LabelSet, number) for number in label_set_ids]
    return {
        "version": _hashes(row) | {"created_at": row.created_at.isoformat()},
        "evidence": {
            piece.kind: piece.content_hash for piece in list_evidence(db, "version", row.version)
        },
        "baseline": None
        if row.base_version is None
        else _hashes(require_version(db, row.base_version)),
        "expert": _hashes(expert_ancestor(db, row.version)),
        "model": None if model is None else _model(model),
        "policy": _policy(db, row, model),
        "label_sets": [_label_set(db, label_set) for label_set in label_sets],
        "files": [*_batches(db, batch_ids), *_imports(db, label_sets), *_validation(model)],
    }


def model_lineage(db: Session, model: ModelRegistry) -> Document:
    """Trace a model back to files.

    Parameters
    ----------
    db : Session
        The store.
    model : ModelRegistry
        The model.

    Returns
    -------
    dict
        ``baseline`` and ``expert`` with their hashes, ``label_sets`` and ``files`` as
        `version_lineage` gives them.
    """
    wanted = select(LabelSet).where(LabelSet.id.in_(model.label_set_ids)).order_by(LabelSet.id)
    label_sets = list(db.scalars(wanted))
    return {
        "baseline": _hashes(require_version(db, model.base_version)),
        "expert": _hashes(expert_ancestor(db, model.base_version)),
        "label_sets": [_label_set(db, label_set) for label_set in label_sets],
        "files": [
            *_batches(db, model.batch_ids), *_imports(db, label_sets), *_validation(model),
        ],
    }  # fmt: skip


Import = TypeVar("Import", OutcomeImport, ExposureImport)


def _hashes(row: ScorecardVersion) -> Document:
    return {
        "version": row.version,
        "content_hash": row.content_hash,
        "evidence_hash": row.evidence_hash,
        "review_hash": review_hash(row.content_hash, row.evidence_hash),
        "created_by": row.created_by,
    }


def _model(row: ModelRegistry) -> Document:
    return {
        "model_id": row.id,
        "content_hash": row.content_hash,
        "input_hash": row.input_hash,
        "validation_mode": row.validation["mode"],
        "seed": row.seed,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "library_versions": dict(row.library_versions),
    }


def _policy(db: Session, row: ScorecardVersion, model: ModelRegistry | None) -> Document | None:
    """Give the policy that the version's gates were judged by."""
    judged_by = model.policy_hash if model is not None else _policy_of_verdicts(db, row.version)
    found = db.scalars(
        select(Policy).where(Policy.content_hash == judged_by).order_by(Policy.id.desc()).limit(1)
    ).first()
    return None if found is None else {"policy_id": found.id, "content_hash": found.content_hash}


def _policy_of_verdicts(db: Session, version: str) -> str | None:
    return db.scalars(
        select(Verdict.policy_hash)
        .where(Verdict.subject_kind == "version", Verdict.subject_id == version)
        .order_by(Verdict.id.desc())
        .limit(1)
    ).first()


def _label_set(db: Session, row: LabelSet) -> Document:
    definition = (
        None if row.definition_id is None else db.get_one(OutcomeDefinition, row.definition_id)
    )
    return {
        "label_set_id": row.id,
        "number": row.number,
        "batch_id": row.batch_id,
        "outcome_type": row.outcome_type,
        "definition_version": None if definition is None else definition.version,
        "definition_hash": None if definition is None else definition.content_hash,
        "observation_window_days": row.observation_window_days,
        "data_through": None if row.data_through is None else row.data_through.isoformat(),
        "n_labelled": row.n_labelled,
        "n_bad": row.n_bad,
        "n_immature": row.n_immature,
        "n_excluded": row.n_excluded,
        "n_indeterminate": row.n_indeterminate,
        "has_exposures": row.has_exposures,
        "content_hash": row.content_hash,
        "input_hash": row.input_hash,
    }


def _batches(db: Session, batch_ids: Sequence[str]) -> list[Document]:
    withdrawn = list_withdrawals(db, "batch")
    rows = db.scalars(select(Batch).where(Batch.batch_id.in_(batch_ids)).order_by(Batch.batch_id))
    return [
        _file(
            row,
            f"batch {row.batch_id}, scored {row.scored_from} to {row.scored_to}",
            is_withdrawn=row.batch_id in withdrawn,
        )
        for row in rows
    ]


def _imports(db: Session, label_sets: Sequence[LabelSet]) -> list[Document]:
    """Give the files that the label sets were made of, each once."""
    outcomes = {one["content_hash"] for row in label_sets for one in row.details["imports"]}
    exposures = {one for row in label_sets for one in row.details["exposure_imports"]}
    return [
        *_files(db, "outcome_import", OutcomeImport, outcomes),
        *_files(db, "exposure_import", ExposureImport, exposures),
    ]


def _files(
    db: Session,
    kind: str,
    table: type[Import],
    wanted: Collection[str],
) -> list[Document]:
    withdrawn = list_withdrawals(db, kind)
    rows = db.scalars(
        select(table).where(table.content_hash.in_(sorted(wanted))).order_by(table.id)
    )
    return [
        _file(row, f"{kind.replace('_', ' ')} {row.id}", is_withdrawn=str(row.id) in withdrawn)
        for row in rows
    ]


def _file(
    row: Batch | OutcomeImport | ExposureImport, what: str, *, is_withdrawn: bool
) -> Document:
    return {
        "what": what,
        "n_rows": row.n_rows,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "file_path": row.file_path,
        "file_hash": row.file_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "is_withdrawn": is_withdrawn,
    }


def _validation(model: ModelRegistry | None) -> list[Document]:
    if model is None:
        return []
    return [
        {
            "what": f"validated rows of {model.id}",
            "n_rows": None,
            "source_name": None,
            "source_hash": None,
            "file_path": model.validation_path,
            "file_hash": model.validation_hash,
            "created_at": model.created_at.isoformat(),
            "created_by": model.created_by,
            "is_withdrawn": False,
        }
    ]
