"""What people want to know of what was brought in: labels, and what came of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.types import Document
from app.models import Batch, LabelSet, ModelRegistry, PipelineRun
from app.queries.batches import batch_document, find_withdrawal, known_batch
from app.queries.definitions import list_definition_names
from app.queries.labels import label_set_documents, list_label_sets, newest_label_counts
from app.queries.models import model_summary
from app.queries.outcomes import list_valid_imports, through_by_type
from app.services.listing_service import ListingService
from app.services.run_documents import run_document

SHOWN = 20


class IntakeOverview:
    """Show batches and outcomes with what became of them.

    Parameters
    ----------
    db : Session
        The store.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def list_batches(self, cursor: str | None = None) -> Document:
        """Give a page of batches with the counts of the newest label set of each.

        Parameters
        ----------
        cursor : str or None
            ``next_cursor`` of the page before; None is the first page.

        Returns
        -------
        dict
            ``items``, each as ``list_batches`` with ``labels``: None, or label_set_number,
            outcome_type, the counts by status and default_rate; ``next_cursor``; and over all
            batches ``n_batches``, ``n_parties`` and ``n_labelled_batches``.

        Raises
        ------
        InvalidInputError
            If the cursor is of another list.
        """
        page = ListingService(self.db, cursor).batches()
        counts = newest_label_counts(self.db, [one["batch_id"] for one in page["items"]])
        items = [{**one, "labels": counts.get(one["batch_id"])} for one in page["items"]]
        n_batches, n_parties = self.db.execute(
            select(func.count(), func.coalesce(func.sum(Batch.n_rows), 0)).select_from(Batch)
        ).one()
        n_labelled = self.db.scalar(select(func.count(LabelSet.batch_id.distinct())))
        return {
            "items": items,
            "next_cursor": page["next_cursor"],
            "n_batches": n_batches,
            "n_parties": int(n_parties),
            "n_labelled_batches": n_labelled,
        }

    def list_outcomes(self, cursor: str | None = None) -> Document:
        """Give a page of outcome imports.

        Parameters
        ----------
        cursor : str or None
            ``next_cursor`` of the page before; None is the first page.

        Returns
        -------
        dict
            ``items``, as ``OutcomeService.list_imports`` describes each; ``next_cursor``; and
            ``through``, by event type the day up to which outcomes are complete.

        Raises
        ------
        InvalidInputError
            If the cursor is of another list.
        """
        through = through_by_type(list_valid_imports(self.db, "events"))
        return {
            **ListingService(self.db, cursor).outcome_imports(),
            "through": {kind: day.isoformat() for kind, day in through.items()},
        }

    def get_batch(self, batch_id: str) -> Document:
        """Describe one batch, its label sets, and the runs and models made from it.

        Parameters
        ----------
        batch_id : str
            The batch, withdrawn or not.

        Returns
        -------
        dict
            As ``BatchService.get_batch``, label sets newest first; with the newest ``models`` and
            ``runs``, 20 at most of each, and ``outcome_types``, what a run can be asked for.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        """
        row = known_batch(self.db, batch_id)
        label_sets = label_set_documents(self.db, list_label_sets(self.db, batch_id))
        models = self.db.scalars(
            select(ModelRegistry)
            .where(_names(ModelRegistry.batch_ids, batch_id))
            .order_by(ModelRegistry.created_at.desc(), ModelRegistry.id.desc())
            .limit(SHOWN)
        )
        runs = self.db.scalars(
            select(PipelineRun)
            .where(_names(PipelineRun.batch_ids, batch_id))
            .order_by(PipelineRun.created_at.desc(), PipelineRun.id.desc())
            .limit(SHOWN)
        )
        return {
            **batch_document(row, find_withdrawal(self.db, "batch", batch_id)),
            "label_sets": list(reversed(label_sets)),
            "models": [model_summary(model) for model in models],
            "runs": [run_document(run) for run in runs],
            "outcome_types": list_definition_names(self.db),
        }


def _names(column: InstrumentedAttribute[list[str]], batch_id: str) -> ColumnElement[bool]:
    """Say in SQL that a list of batches names one; ids hold no character that JSON escapes."""
    return cast(column, Text).contains(f'"{batch_id}"', autoescape=True)
