"""Find what was withdrawn of the files that models were trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ExposureImport, LabelSet, ModelRegistry, OutcomeImport, Withdrawal


def withdrawn_sources(db: Session, model_ids: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Find the withdrawn batches and imports behind models, in at most four questions.

    Parameters
    ----------
    db : Session
        The store.
    model_ids : iterable of str
        The models.

    Returns
    -------
    mapping of str to tuple of str
        By model, such as ``("batch B1", "outcome import 3")``; empty where nothing was withdrawn.
    """
    names = _withdrawn(db)
    ids = set(model_ids) if names else set()
    if not ids:
        return {}
    models = db.execute(
        select(ModelRegistry.id, ModelRegistry.batch_ids, ModelRegistry.label_set_ids).where(
            ModelRegistry.id.in_(ids)
        )
    ).all()
    label_sets = {number for model in models for number in model.label_set_ids}
    details = {
        row.id: row.details
        for row in db.execute(
            select(LabelSet.id, LabelSet.details).where(LabelSet.id.in_(label_sets))
        )
    }
    found = {}
    for model in models:
        made_of = {f"batch {batch_id}" for batch_id in model.batch_ids}
        for number in model.label_set_ids:
            made_of |= {one["content_hash"] for one in details[number]["imports"]}
            made_of |= set(details[number]["exposure_imports"])
        found[model.id] = tuple(what for source, what in names.items() if source in made_of)
    return {model_id: sources for model_id, sources in found.items() if sources}


def _withdrawn(db: Session) -> dict[str, str]:
    """Name what was withdrawn by how a model names it: a batch by its id, an import by its hash."""
    rows = db.execute(
        select(Withdrawal.subject_kind, Withdrawal.subject_id).order_by(Withdrawal.id)
    ).all()
    names: dict[str, str] = {}
    for kind, table in (("outcome_import", OutcomeImport), ("exposure_import", ExposureImport)):
        wanted = [int(row.subject_id) for row in rows if row.subject_kind == kind]
        if wanted:
            imports = select(table.id, table.content_hash).where(table.id.in_(wanted))
            what = kind.replace("_", " ")
            names |= {row.content_hash: f"{what} {row.id}" for row in db.execute(imports)}
    batches = [f"batch {row.subject_id}" for row in rows if row.subject_kind == "batch"]
    return names | {what: what for what in batches}
