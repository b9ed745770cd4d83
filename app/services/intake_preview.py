"""Look at a file before it is stored: its columns, what they seem to mean, and every fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import IntakeError
from app.queries.batches import find_batch
from app.queries.versions import require_active
from app.services.outcome_checks import late_event_warnings, read_through

if TYPE_CHECKING:
    from app.domain.intake_dates import DateRule
    from app.domain.intake_detection import Sketch
    from app.lake.intake import SourceFile

ROWS_SHOWN = 8
_WORDS_KEPT = 20
_LOOKED_AT = 2_000


class IntakePreviewService:
    """Say what an import of a file would do; nothing is stored.

    Parameters
    ----------
    db : Session
        The store.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def preview_batch(
        self,
        path: str | Path,
        *,
        batch_id: str = "",
        party_id: str = "",
        scored_at: str = "",
        date_format: str | None = None,
        allow_missing_features: bool = False,
        groups: Sequence[str] = (),
    ) -> Document:
        """Look at a file of parties.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        batch_id : str
            The id that it is to get, to say whether it is taken; empty while there is none.
        party_id, scored_at : str
            As ``BatchService.import_file`` takes them; empty to guess.
        date_format : str or None
            As for ``strptime``; None for ISO dates.
        allow_missing_features : bool
            Whether the file may lack features that the card can score as missing.
        groups : sequence of str
            Columns to keep as groups.

        Returns
        -------
        dict
            ``file``, ``n_rows``, ``columns`` (name, kind, n_blank, n_distinct and meaning of
            each), ``rows`` (the first eight, as texts), ``roles`` (what was given or guessed),
            ``faults`` (the first 20), ``n_faults``, ``is_taken`` (whether the id is used), and
            ``ready``: None with faults, otherwise n_rows, scored_from, scored_to and
            missing_features.

        Raises
        ------
        InvalidInputError
            If the date format is not usable.
        """
        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.domain.intake_detection import guess_date, guess_party_id  # noqa: PLC0415 - same
        from app.lake.intake import ROW_NUMBER, read_source  # noqa: PLC0415 - the same
        from app.lake.intake_batch import BatchRequest, read_batch  # noqa: PLC0415 - the same

        card = Scorecard.from_document(require_active(self.db).content)
        rule = DateRule(utc_now(), date_format)
        source = read_source(path)
        sketches = _sketches(source, rule)
        n_rows = source.table.num_rows
        roles = {
            "party_id": party_id or guess_party_id(sketches, n_rows, card.features) or ROW_NUMBER,
            "scored_at": scored_at or guess_date(sketches, of_event=False) or "",
        }
        found: Document = {
            **_described(source, sketches, _batch_meanings(roles, card, groups)),
            "roles": roles,
            "is_taken": bool(batch_id) and find_batch(self.db, batch_id) is not None,
            "ready": None,
        }
        kept = tuple(sorted(set(groups)))
        request = BatchRequest(
            roles["party_id"], roles["scored_at"], rule, allow_missing_features, kept
        )
        try:
            snapshot = read_batch(source, request, card)
        except IntakeError as error:
            return {**found, **_faults(error)}
        days = snapshot.table["scored_at"].cast("date32", safe=False)
        ready = {
            "n_rows": snapshot.table.num_rows,
            "scored_from": days[0].as_py().isoformat(),
            "scored_to": days[-1].as_py().isoformat(),
            "missing_features": list(snapshot.missing_features),
        }
        return {**found, "faults": [], "n_faults": 0, "ready": ready}

    def preview_outcomes(
        self,
        path: str | Path,
        *,
        party_id: str = "",
        event_date: str = "",
        event_type: str = "",
        through: str = "",
        days_past_due: str = "",
        date_format: str | None = None,
    ) -> Document:
        """Look at a file of dated events.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        party_id, event_date, event_type : str
            As ``OutcomeService.import_events`` takes them; empty to guess.
        through : str
            Last day up to which the file is complete; empty while it is not known.
        days_past_due : str
            The same for the column of days past due; ``-`` where there is none.
        date_format : str or None
            As for ``strptime``; None for ISO dates.

        Returns
        -------
        dict
            As ``preview_batch``; ``ready`` holds n_rows, n_events, ``types`` (per event type n,
            first and last day) and warnings.

        Raises
        ------
        InvalidInputError
            If the date format is not usable, or `through` is no date or lies in the future.
        """
        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.domain.intake_detection import (  # noqa: PLC0415 - the same
            guess_date,
            guess_days_past_due,
            guess_event_party,
            guess_event_type,
        )
        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_outcomes import EventRequest, read_events  # noqa: PLC0415 - the same

        rule = DateRule(utc_now(), date_format, required=False)
        declared = read_through(through, date_format) if through else None
        source = read_source(path)
        sketches = _sketches(source, rule)
        roles = {
            "party_id": party_id or guess_event_party(sketches) or "",
            "event_date": event_date or guess_date(sketches, of_event=True) or "",
            "event_type": event_type or guess_event_type(sketches) or "",
            "days_past_due": days_past_due or guess_days_past_due(sketches) or "-",
        }
        found: Document = {
            **_described(source, sketches, _outcome_meanings(roles)),
            "roles": roles,
            "ready": None,
        }
        past_due = None if roles["days_past_due"] == "-" else roles["days_past_due"]
        request = EventRequest(
            roles["party_id"], roles["event_date"], roles["event_type"], past_due, rule
        )
        try:
            events = read_events(source, request)
        except IntakeError as error:
            return {**found, **_faults(error)}
        ready = {
            "n_rows": events.n_rows,
            "n_events": events.table.num_rows,
            "types": _by_type(events.table),
            "warnings": [] if declared is None else late_event_warnings(events.table, declared),
        }
        return {**found, "faults": [], "n_faults": 0, "ready": ready}

    def preview_exposures(
        self,
        path: str | Path,
        *,
        party_id: str = "",
        granted_on: str = "",
        date_format: str | None = None,
    ) -> Document:
        """Look at a list of who was granted credit.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        party_id, granted_on : str
            As ``ExposureService.import_file`` takes them; empty to guess, and ``-`` for no column
            of dates.
        date_format : str or None
            As for ``strptime``; None for ISO dates.

        Returns
        -------
        dict
            As ``preview_batch``; ``ready`` holds n_rows and n_parties.

        Raises
        ------
        InvalidInputError
            If the date format is not usable.
        """
        import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.domain.intake_detection import guess_event_party  # noqa: PLC0415 - the same
        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_outcomes import read_exposures  # noqa: PLC0415 - the same

        rule = DateRule(utc_now(), date_format, required=False)
        source = read_source(path)
        sketches = _sketches(source, rule)
        roles = {
            "party_id": party_id or guess_event_party(sketches) or "",
            "granted_on": granted_on or "-",
        }
        meanings = {roles["granted_on"]: "date of granting", roles["party_id"]: "party"}
        found: Document = {
            **_described(source, sketches, meanings), "roles": roles, "ready": None,
        }  # fmt: skip
        granted = None if roles["granted_on"] == "-" else roles["granted_on"]
        try:
            table, _ = read_exposures(
                source, party_id=roles["party_id"], granted_on=granted, rule=rule
            )
        except IntakeError as error:
            return {**found, **_faults(error)}
        n_parties = int(pc.count_distinct(table["party_id"]).as_py())
        ready = {"n_rows": table.num_rows, "n_parties": n_parties}
        return {**found, "faults": [], "n_faults": 0, "ready": ready}


def _faults(error: IntakeError) -> Document:
    return {"faults": error.facts["faults"], "n_faults": error.facts["n_faults"]}


def _described(source: SourceFile, sketches: list[Sketch], meanings: dict[str, str]) -> Document:
    shown = source.table.slice(0, ROWS_SHOWN)
    cells = [[_shown(value) for value in shown[name].to_pylist()] for name in source.columns]
    return {
        "file": source.name,
        "sha256": source.sha256,
        "n_rows": source.table.num_rows,
        "columns": [
            {
                "name": one.name,
                "kind": one.kind,
                "n_blank": one.n_blank,
                "n_distinct": one.n_distinct,
                "meaning": meanings.get(one.name, ""),
            }
            for one in sketches
        ],
        "rows": [list(row) for row in zip(*cells, strict=True)],
    }


def _shown(value: Any) -> str:
    from app.domain.intake import as_text, shown  # noqa: PLC0415 - loads pyarrow

    try:
        text = as_text(value)
    except UnicodeDecodeError:  # a Parquet column of raw bytes
        text = repr(value)
    return shown(text) or ""


def _batch_meanings(
    roles: dict[str, str], card: Scorecard, groups: Sequence[str]
) -> dict[str, str]:
    features = dict.fromkeys(card.features, "feature of the card")
    kept = dict.fromkeys(groups, "group")
    return {**kept, **features, roles["party_id"]: "party", roles["scored_at"]: "date of scoring"}


def _outcome_meanings(roles: dict[str, str]) -> dict[str, str]:
    return {
        roles["days_past_due"]: "days past due",
        roles["event_type"]: "type of event",
        roles["event_date"]: "date of the event",
        roles["party_id"]: "party",
    }


def _sketches(source: SourceFile, rule: DateRule) -> list[Sketch]:
    return [_sketch(source, name, rule) for name in source.columns]


def _sketch(source: SourceFile, name: str, rule: DateRule) -> Sketch:
    """Look at a column: all of it for blanks and repetition, its beginning for dates."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    from app.domain.intake import text_column  # noqa: PLC0415 - loads pyarrow
    from app.domain.intake_dates import instant_column  # noqa: PLC0415 - the same
    from app.domain.intake_detection import Sketch  # noqa: PLC0415 - beside those

    column = source.table[name]
    texts = text_column(column)
    kind = _kind(source, name)
    if kind == "text":
        start = texts.drop_null().slice(0, _LOOKED_AT)
        if len(start) and not instant_column(start, name, rule)[1]:
            kind = "date"
    n_distinct = int(pc.count_distinct(texts, mode="only_valid").as_py())
    words: tuple[str, ...] = ()
    if 0 < n_distinct <= _WORDS_KEPT:
        words = tuple(str(word).lower() for word in pc.unique(texts.drop_null()).to_pylist())
    return Sketch(name, kind, int(texts.null_count), n_distinct, words)


def _kind(source: SourceFile, name: str) -> str:
    import pyarrow.types as kinds  # noqa: PLC0415 - heavy import

    from app.domain.intake_columns import plain_column  # noqa: PLC0415 - loads pyarrow

    column = source.table[name]
    if column.null_count == len(column):
        return "nothing"
    found = plain_column(column) if source.is_text else column
    if found.null_count == len(found):
        return "nothing"
    if kinds.is_integer(found.type):
        return "whole number"
    if kinds.is_floating(found.type) or kinds.is_decimal(found.type):
        return "number"
    is_dated = kinds.is_date(found.type) or kinds.is_timestamp(found.type)
    return "date" if is_dated else "text"


def _by_type(events: Any) -> list[Document]:
    counted = events.group_by("event_type").aggregate(
        [("event_date", "count"), ("event_date", "min"), ("event_date", "max")]
    )
    return [
        {
            "event_type": row["event_type"],
            "n": row["event_date_count"],
            "first": row["event_date_min"].isoformat(),
            "last": row["event_date_max"].isoformat(),
        }
        for row in counted.sort_by("event_type").to_pylist()
    ]
