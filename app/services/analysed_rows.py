"""Read what outcome analyses look at: scored rows of batches, and which outcome files count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.domain.outcomes import EVENT_TYPES, OutcomeDefinition
from app.domain.types import Document
from app.errors import ImmatureOutcomesError, InvalidInputError, NotFoundError
from app.lake.store import Lake
from app.models import Batch
from app.queries.batches import list_batches, list_withdrawals, require_batch
from app.queries.exposures import list_valid_exposure_imports
from app.queries.outcomes import list_valid_imports, through_by_type
from app.services.label_inputs import gather_inputs
from app.services.label_tables import FileName, numbered_rows

if TYPE_CHECKING:
    import pyarrow as pa

_ANY_WINDOW = 1


@dataclass(frozen=True, slots=True)
class Observed:
    """Hold the outcomes that an analysis looks at.

    Attributes
    ----------
    data_through : date
        Last day up to which outcomes are complete.
    outcomes, exposures : tuple of (path, sha256)
        Files; no exposure list means that all were granted credit.
    described : dict
        What a document says of them.
    """

    data_through: date
    outcomes: tuple[FileName, ...]
    exposures: tuple[FileName, ...]
    described: Document


@dataclass(frozen=True, slots=True)
class DefinedOutcomes(Observed):
    """Hold the outcomes that one definition looks at.

    Attributes
    ----------
    definition : OutcomeDefinition
        Which events are bad.
    """

    definition: OutcomeDefinition


def choose_batches(db: Session, batch_ids: Sequence[str]) -> tuple[Batch, ...]:
    """Find the batches that are looked at.

    Parameters
    ----------
    db : Session
        The store.
    batch_ids : sequence of str
        Named batches; none means every batch that was not withdrawn.

    Returns
    -------
    tuple of Batch
        Named ones in their order, each once; otherwise by time of import.

    Raises
    ------
    NotFoundError
        If there is no such batch, or none at all.
    ConflictError
        If a named one was withdrawn.
    """
    if batch_ids:
        return tuple(require_batch(db, batch_id) for batch_id in dict.fromkeys(batch_ids))
    withdrawn = list_withdrawals(db, "batch")
    found = tuple(row for row in list_batches(db) if row.batch_id not in withdrawn)
    if not found:
        raise NotFoundError(
            "There is no batch yet: chancellor batch import FILE --batch ID --party-id COL "
            "--scored-at COL"
        )
    return found


def defined_outcomes(db: Session, batches: Sequence[Batch], outcome_type: str) -> DefinedOutcomes:
    """Find the outcome files under one definition.

    Parameters
    ----------
    db : Session
        The store.
    batches : sequence of Batch
        At least one.
    outcome_type : str
        Name of an outcome definition.

    Returns
    -------
    DefinedOutcomes
        Their data through is the earliest of the definition's event types that were ever imported,
        as for labels.

    Raises
    ------
    InvalidInputError
        If the outcome type has no dates: final flags.
    ImmatureOutcomesError
        If nothing of the definition was imported.
    NotFoundError
        If there is no such definition.
    """
    inputs = gather_inputs(db, batches[0].batch_id, outcome_type, _ANY_WINDOW)
    if inputs.rule is None:
        raise InvalidInputError(
            f"{outcome_type} has no dates, so nothing can be told by time: name an outcome "
            "definition of dated events, such as default",
            outcome_type=outcome_type,
        )
    return DefinedOutcomes(
        definition=inputs.rule.definition,
        data_through=inputs.rule.data_through,
        outcomes=inputs.outcomes,
        exposures=inputs.exposures,
        described={
            "outcome_type": outcome_type,
            "definition_version": inputs.details["definition_version"],
            "data_through": inputs.rule.data_through.isoformat(),
            "types_never_imported": inputs.details["types_never_imported"],
            "has_exposures": bool(inputs.exposures),
        },
    )


def dated_outcomes(db: Session) -> Observed:
    """Find all files of dated events, whatever a definition makes of them.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    Observed
        Their data through is the earliest of all types ever imported.

    Raises
    ------
    ImmatureOutcomesError
        If no dated event was ever imported.
    """
    imports, exposures = list_valid_imports(db, "events"), list_valid_exposure_imports(db)
    through = through_by_type(imports)
    if not through:
        raise ImmatureOutcomesError(
            "No dated outcome was imported, so nobody knows through which day outcomes are "
            "complete: chancellor outcomes import FILE --party-id COL --event-date COL "
            "--event-type days_past_due --through 2026-03-31"
        )
    data_through = min(through.values())
    return Observed(
        data_through=data_through,
        outcomes=tuple((row.file_path, row.file_hash) for row in imports),
        exposures=tuple((row.file_path, row.file_hash) for row in exposures),
        described={
            "data_through": data_through.isoformat(),
            "types_never_imported": [kind for kind in EVENT_TYPES if kind not in through],
            "has_exposures": bool(exposures),
        },
    )


def scored_rows(lake: Lake, batches: Sequence[Batch]) -> pa.Table:
    """Read who was scored when.

    Parameters
    ----------
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    batches : sequence of Batch
        At least one.

    Returns
    -------
    pyarrow.Table
        ``row`` (a number), ``party_id`` and ``scored_on``, in the order of batches and snapshots.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    tables = [
        lake.read_table(row.file_path, row.file_hash, columns=["party_id", "scored_at"])
        for row in batches
    ]
    return numbered_rows(pa.concat_tables(tables))
