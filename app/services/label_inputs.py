"""Gather everything that a label set depends on, under one hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.groups import refuse_group_features
from app.domain.outcomes import CIRCULAR_TYPES, FINAL_FLAG, OutcomeDefinition
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import (
    CircularLabelError,
    ImmatureOutcomesError,
    InvalidInputError,
    NotFoundError,
    TamperingError,
)
from app.models import Batch, ExposureImport, LabelSet, OutcomeImport, ScorecardVersion
from app.models import OutcomeDefinition as DefinitionRow
from app.queries.batches import known_batch, require_batch
from app.queries.definitions import require_definition
from app.queries.exposures import list_exposure_imports, list_valid_exposure_imports
from app.queries.outcomes import list_imports, list_valid_imports, through_by_type
from app.queries.versions import require_active, require_version
from app.services.label_tables import FileName, WindowRule

SCHEMA_NUMBER = 1
"""Part of every input hash; raised when the same inputs would give other labels."""

LONGEST_WINDOW_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class LabelInputs:
    """What one label set is made of.

    Parameters
    ----------
    batch_id : str
        The batch.
    snapshot : tuple of (path, sha256)
        Its file.
    outcome_type : str
        Name of the definition, or ``final_flag``.
    definition_id : int or None
        Row of the definition.
    rule : WindowRule or None
        Definition, window and data-through date; None for final flags.
    outcomes, exposures : tuple of (path, sha256)
        Files, oldest first.
    scored_by : str
        The active version.
    card : Scorecard
        Its content.
    details : dict
        What a label set remembers of its making, JSON-ready.
    input_hash : str
        Over the content of all of these; row ids play no part.
    """

    batch_id: str
    snapshot: FileName
    outcome_type: str
    definition_id: int | None
    rule: WindowRule | None
    outcomes: tuple[FileName, ...]
    exposures: tuple[FileName, ...]
    scored_by: str
    card: Scorecard
    details: Document
    input_hash: str


@dataclass(frozen=True, slots=True)
class _Outcomes:
    definition_id: int | None
    definition_version: int | None
    rule: WindowRule | None
    imports: tuple[OutcomeImport, ...]
    exposures: tuple[ExposureImport, ...]
    through: dict[str, date]
    never_imported: tuple[str, ...]


def gather_inputs(
    db: Session, batch_id: str, outcome_type: str, observation_window_days: int
) -> LabelInputs:
    """Gather what the labels of a batch are made of, as things stand now.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        The batch.
    outcome_type : str
        Name of an outcome definition, or ``final_flag``.
    observation_window_days : int
        Length of the window, 1 to 36,500; of no account for final flags.

    Returns
    -------
    LabelInputs
        Withdrawn imports are left out.

    Raises
    ------
    CircularLabelError
        If the outcome type is the scorecard's own judgement.
    ImmatureOutcomesError
        If no import declared a date through which outcomes are complete.
    InvalidInputError
        If the window is not a number of days.
    NotFoundError, ConflictError
        If there is no such batch or definition, or no flags; if the batch was withdrawn.
    """
    if outcome_type in CIRCULAR_TYPES:
        raise CircularLabelError(
            f"outcome type {outcome_type!r} is the scorecard's own judgement: labels made from it "
            "would only teach the scorecard itself. Use realised outcomes, such as 'default'",
            outcome_type=outcome_type,
        )
    batch = require_batch(db, batch_id)
    found = (
        _final_flags(db, batch_id)
        if outcome_type == FINAL_FLAG
        else _dated_outcomes(db, outcome_type, observation_window_days)
    )
    return _as_inputs(batch, outcome_type, found, require_active(db))


def recorded_inputs(db: Session, row: LabelSet) -> LabelInputs:
    """Gather what a label set was made of, whatever was imported or withdrawn since.

    Parameters
    ----------
    db : Session
        The store.
    row : LabelSet
        The label set.

    Returns
    -------
    LabelInputs
        Its hash is the label set's ``input_hash``, unless somebody changed what was recorded.

    Raises
    ------
    TamperingError
        If something that the label set names is gone.
    """
    wanted = [item["content_hash"] for item in row.details["imports"]]
    imports = tuple(_by_content(list_imports(db), wanted, row))
    exposures = tuple(_by_content(list_exposure_imports(db), row.details["exposure_imports"], row))
    found = _Outcomes(None, None, None, imports, (), {}, ())
    if row.definition_id is not None:
        definition_row = db.get_one(DefinitionRow, row.definition_id)
        found = _windowed(definition_row, int(row.observation_window_days or 0), imports, exposures)
    batch = known_batch(db, row.batch_id)
    return _as_inputs(batch, row.outcome_type, found, require_version(db, row.scored_by))


def _by_content(rows: Iterable[Any], wanted: Sequence[str], row: LabelSet) -> Iterator[Any]:
    by_hash = {found.content_hash: found for found in rows}
    for content in wanted:
        if content not in by_hash:
            raise TamperingError(
                f"label set {row.id} was made with an import of content {content}, which is gone",
                label_set_id=row.id,
            )
        yield by_hash[content]


def _as_inputs(
    batch: Batch, outcome_type: str, found: _Outcomes, version: ScorecardVersion
) -> LabelInputs:
    card = Scorecard.from_document(version.content)
    refuse_group_features(batch.group_columns, card.features, batch.batch_id)
    details = _details(batch, found, card)
    hashed = {
        **{name: part for name, part in details.items() if name not in ("imports", "warnings")},
        "schema": SCHEMA_NUMBER,
        "batch_id": batch.batch_id,
        "outcome_type": outcome_type,
        "window_days": found.rule.window_days if found.rule else None,
        "outcomes": [row.content_hash for row in found.imports],
        "exposures": [row.content_hash for row in found.exposures],
    }
    return LabelInputs(
        batch_id=batch.batch_id,
        snapshot=(batch.file_path, batch.file_hash),
        outcome_type=outcome_type,
        definition_id=found.definition_id,
        rule=found.rule,
        outcomes=_files(found.imports),
        exposures=_files(found.exposures),
        scored_by=version.version,
        card=card,
        details=details,
        input_hash=content_hash(hashed),
    )


def _files(rows: tuple[OutcomeImport, ...] | tuple[ExposureImport, ...]) -> tuple[FileName, ...]:
    return tuple((row.file_path, row.file_hash) for row in rows)


def _final_flags(db: Session, batch_id: str) -> _Outcomes:
    imports = list_valid_imports(db, FINAL_FLAG, batch_id)
    if not imports:
        raise NotFoundError(
            f"batch {batch_id} has no final flags: chancellor outcomes import-flags FILE "
            f"--batch {batch_id} --party-id COL --flag COL --bad VALUE",
            batch_id=batch_id,
        )
    return _Outcomes(None, None, None, imports, (), {}, ())


def _dated_outcomes(db: Session, name: str, window_days: int) -> _Outcomes:
    if isinstance(window_days, bool) or not isinstance(window_days, int):
        raise InvalidInputError(f"the window is a whole number of days, not {window_days!r}")
    if not 1 <= window_days <= LONGEST_WINDOW_DAYS:
        raise InvalidInputError(
            f"the window is {window_days} days; it must be 1 to {LONGEST_WINDOW_DAYS:,}"
        )
    imports = list_valid_imports(db, "events")
    exposures = list_valid_exposure_imports(db)
    return _windowed(require_definition(db, name), window_days, imports, exposures)


def _windowed(
    row: DefinitionRow,
    window_days: int,
    imports: tuple[OutcomeImport, ...],
    exposures: tuple[ExposureImport, ...],
) -> _Outcomes:
    definition = OutcomeDefinition.from_document(row.content)
    declared = through_by_type(imports)
    through = {kind: declared[kind] for kind in definition.event_types if kind in declared}
    if not through:
        raise ImmatureOutcomesError(
            f"no outcome of {row.name!r} was imported, so nobody knows through which day outcomes "
            "are complete, and no label is mature. Declare it: chancellor outcomes import FILE "
            "--party-id COL --event-date COL --event-type write_off --through 2026-03-31",
            outcome_type=row.name,
            event_types=list(definition.event_types),
        )
    return _Outcomes(
        definition_id=row.id,
        definition_version=row.version,
        rule=WindowRule(definition, window_days, min(through.values())),
        imports=tuple(item for item in imports if set(item.through) & set(through)),
        exposures=exposures,
        through=through,
        never_imported=tuple(kind for kind in definition.event_types if kind not in through),
    )


def _details(batch: Batch, found: _Outcomes, card: Scorecard) -> Document:
    known = {column["name"] for column in batch.columns}
    lacking = [name for name in card.features if name not in known]
    details: dict[str, Any] = {
        "batch_hash": batch.file_hash,
        "definition_version": found.definition_version,
        "definition_hash": found.rule.definition.content_hash if found.rule else None,
        "through": {kind: day.isoformat() for kind, day in found.through.items()},
        "types_never_imported": list(found.never_imported),
        "scored_by_hash": card.content_hash,
        "imports": [
            {"import_id": row.id, "content_hash": row.content_hash} for row in found.imports
        ],
        "exposure_imports": [row.content_hash for row in found.exposures],
        "warnings": _warnings(found, lacking),
    }
    return details


def _warnings(found: _Outcomes, lacking: list[str]) -> list[str]:
    warnings = []
    if found.rule is not None and not found.exposures:
        warnings.append(
            "No list of exposures is in use, so every party counts as granted credit: a "
            "rejected applicant without events would count as good."
        )
    if found.never_imported:
        warnings.append(
            f"Never imported, so never seen: {', '.join(found.never_imported)}. Parties with only "
            "such events count as good."
        )
    if lacking:
        warnings.append(
            f"The batch lacks features of the active card, which score as missing: "
            f"{', '.join(lacking)}."
        )
    return warnings
