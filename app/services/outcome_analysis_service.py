"""Analyse outcomes over time: vintage curves, roll rates, and a table over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.domain.types import Document, Progress
from app.errors import InvalidInputError
from app.lake.store import Lake, open_lake
from app.queries.analysis import analysis_state
from app.services.analysed_rows import (
    Observed,
    choose_batches,
    dated_outcomes,
    defined_outcomes,
    scored_rows,
)
from app.services.label_inputs import LONGEST_WINDOW_DAYS
from app.services.label_tables import read_files
from app.services.window_rows import window_lines
from app.settings import default_actor

if TYPE_CHECKING:
    import pyarrow as pa

PERIODS = ("auto", "month", "quarter", "year")
DEFAULT_MONTHS = 60
DEFAULT_SPAN = 6
DEFAULT_WINDOWS = (90, 180, 365, 730)
MOST_WINDOWS, MOST_DEFINITIONS = 12, 6
_LONGEST_SPAN = 60
_STEPS = 3


class OutcomeAnalysisService:
    """Look at outcomes over time, to choose window and definition by evidence; writes nothing.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        Of no account here; every service takes it.
    lake : Lake or None
        Where the files are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def key(self, *asked: str) -> tuple[str, ...]:
        """Name everything that an analysis depends on.

        Parameters
        ----------
        *asked : str
            Which analysis, with its options.

        Returns
        -------
        tuple of str
            The same key, the same document.
        """
        return (*asked, *analysis_state(self.db))

    def vintages(
        self,
        *,
        outcome_type: str = "default",
        period: str = "auto",
        months: int = DEFAULT_MONTHS,
        batch_ids: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Document:
        """Give the cumulative bad rate by months since scoring, one curve per vintage.

        Parameters
        ----------
        outcome_type : str, default 'default'
            Name of an outcome definition.
        period : {'auto', 'month', 'quarter', 'year'}
            Of scoring; auto is the shortest of which there are at most 24.
        months : int, default 60
            Curves go no further, 1 to 120.
        batch_ids : sequence of str
            By default every batch that was not withdrawn.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``outcome_type``, ``data_through``, ``period``, ``batch_ids``, ``n``, ``n_bad`` and
            ``n_excluded``, ``curves`` (:func:`app.domain.vintages.draw_curve`), ``compared``
            (:func:`app.domain.vintages.compare_vintages`), ``sentence`` and ``limits``. Parties
            already bad when scored, or never granted credit, are left out; a party counts once
            per vintage, by its first scoring in it.

        Raises
        ------
        InvalidInputError
            If an option is out of range, or the outcome has no dates.
        ImmatureOutcomesError
            If nothing of the definition was imported.
        NotFoundError, ConflictError
            If there is no such batch or definition; if a named batch was withdrawn.
        FileHashError
            If a file is not what was stored.
        """
        from app.domain.vintages import MOST_MONTHS  # noqa: PLC0415 - loads SciPy
        from app.services.vintage_rows import count_vintages  # noqa: PLC0415 - the same

        _require(period in PERIODS, f"period is one of {', '.join(PERIODS)}, not {period!r}")
        _require_number(months, "months", MOST_MONTHS)
        report = progress or _silent
        batches = choose_batches(self.db, batch_ids)
        observed = defined_outcomes(self.db, batches, outcome_type)
        found = self._read(batches, observed, report)
        drawn = count_vintages(*found, observed, period=period, months=months)
        report("Drawing the curves", _STEPS, _STEPS)
        return {
            **observed.described,
            "batch_ids": [row.batch_id for row in batches],
            "months": months,
            **drawn,
            "limits": _limits(observed),
        }

    def roll_rates(
        self,
        *,
        months: int = DEFAULT_SPAN,
        batch_ids: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Document:
        """Give where parties went from their worst state of delinquency.

        Parameters
        ----------
        months : int, default 6
            Length of each of the two spans after scoring, 1 to 60.
        batch_ids : sequence of str
            By default every batch that was not withdrawn.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``data_through``, ``months``, ``batch_ids``, ``n_followed``, ``n_lost_before`` (lost in
            the first span), ``n_immature``, ``n_excluded``, ``has_days_past_due``, ``states``
            (:func:`app.domain.roll_rates.roll_rate_rows`), ``sentence`` and ``limits``.

        Raises
        ------
        InvalidInputError
            If the span is out of range.
        ImmatureOutcomesError
            If no dated outcome was imported.
        NotFoundError, ConflictError
            If there is no such batch; if a named one was withdrawn.
        FileHashError
            If a file is not what was stored.
        """
        from app.services.roll_rate_rows import count_rolls  # noqa: PLC0415 - loads Ibis

        _require_number(months, "months", _LONGEST_SPAN)
        report = progress or _silent
        batches = choose_batches(self.db, batch_ids)
        observed = dated_outcomes(self.db)
        found = self._read(batches, observed, report)
        counted = count_rolls(*found, observed, months=months)
        report("Counting the parties", _STEPS, _STEPS)
        limits = counted.pop("limits")
        return {
            **observed.described,
            "batch_ids": [row.batch_id for row in batches],
            "months": months,
            **counted,
            "limits": [*limits, *_limits(observed)],
        }

    def windows(
        self,
        *,
        windows: Sequence[int] = DEFAULT_WINDOWS,
        outcome_types: Sequence[str] = ("default",),
        version: str | None = None,
        batch_ids: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Document:
        """Give default rate and AUC over windows and definitions; no label set is stored.

        Parameters
        ----------
        windows : sequence of int
            Days, each 1 to 36,500; at most 12.
        outcome_types : sequence of str
            Names of outcome definitions; at most 6.
        version : str or None
            Whose AUC; by default the active version's.
        batch_ids : sequence of str
            By default every batch that was not withdrawn.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``version``, ``batch_ids``, ``definitions``, each with ``outcome_type``,
            ``data_through``, ``sentence`` and ``lines``: per window the counts by status, default
            rate and AUC with intervals on the mature parties, and ``same_parties``, the same on
            the rows that are mature for ``same_window_days``, the longest window of which 30 are
            labelled; and ``limits``.

        Raises
        ------
        InvalidInputError
            If windows or definitions are too many, or a window is no number of days.
        ImmatureOutcomesError
            If nothing of a definition was imported.
        NotFoundError, ConflictError
            If there is no such batch, definition or version; if a named batch was withdrawn.
        FileHashError
            If a file is not what was stored.
        """
        for days in windows:
            _require_number(days, "a window", LONGEST_WINDOW_DAYS)
        chosen, names = sorted(set(windows)), tuple(dict.fromkeys(outcome_types))
        _require(1 <= len(chosen) <= MOST_WINDOWS, f"give 1 to {MOST_WINDOWS} windows")
        _require(1 <= len(names) <= MOST_DEFINITIONS, f"give 1 to {MOST_DEFINITIONS} definitions")
        batches = choose_batches(self.db, batch_ids)
        observed = [defined_outcomes(self.db, batches, name) for name in names]
        return window_lines(
            self.db, self.lake, batches, chosen, observed, version, progress or _silent
        )

    def _read(
        self, batches: Sequence[Any], observed: Observed, report: Progress
    ) -> tuple[pa.Table, pa.Table, pa.Table | None]:
        report("Reading the batches", 0, _STEPS)
        rows = scored_rows(self.lake, batches)
        report("Reading the outcomes", 1, _STEPS)
        events = read_files(self.lake, observed.outcomes)
        exposures = read_files(self.lake, observed.exposures)
        report("Following the parties", 2, _STEPS)
        return rows, events, exposures


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""


def _require(holds: bool, sentence: str) -> None:  # noqa: FBT001 - private
    if not holds:
        raise InvalidInputError(sentence)


def _require_number(value: object, name: str, most: int) -> None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
    _require(is_number, f"{name} is a whole number from 1 to {most:,}, not {value!r}")


def _limits(observed: Observed) -> list[str]:
    limits = []
    if not observed.exposures:
        limits.append(
            "No list of exposures is in use, so every party counts as granted credit: a rejected "
            "applicant without events counts as not bad."
        )
    never = observed.described["types_never_imported"]
    if never:
        limits.append(f"Never imported, so never seen: {', '.join(never)}.")
    return limits
