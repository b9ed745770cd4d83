"""Outcome definitions, and the label of one party in plain Python.

`app.domain.outcomes_table` gives the same labels for tables; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.domain.canonical import content_hash
from app.domain.document import format_place, parse_document, raise_problems
from app.domain.types import Document
from app.errors import DocumentError

EventType = Literal["bankruptcy", "collection", "days_past_due", "write_off"]
EVENT_TYPES: tuple[EventType, ...] = ("bankruptcy", "collection", "days_past_due", "write_off")
"""Every kind of event that an outcome file may hold, in order."""

Status = Literal["good", "bad", "indeterminate", "excluded", "immature"]
STATUSES: tuple[Status, ...] = ("good", "bad", "indeterminate", "excluded", "immature")

FINAL_FLAG = "final_flag"
"""The outcome type of labels that come from a file of final flags, without window."""

CIRCULAR_TYPES = frozenset({"score", "band", "score_band", "scorecard"})
"""Outcome types that would label parties by the scorecard's own judgement."""

SCHEMA_NUMBER = 1
"""Part of every content hash; raised when the meaning of a document changes."""

Days = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EventRule(BaseModel):
    """Say which events of one type count.

    Parameters
    ----------
    event_type : str
        One of `EVENT_TYPES`.
    more_than, at_least, at_most : float or None
        Bounds on the days past due, only for ``days_past_due``, which needs a lower one.

    Examples
    --------
    >>> EventRule(event_type="days_past_due", more_than=90).covers("days_past_due", 91)
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_type: EventType
    more_than: Days | None = None
    at_least: Days | None = None
    at_most: Days | None = None

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> EventRule:
        lower = [bound for bound in (self.more_than, self.at_least) if bound is not None]
        if self.event_type != "days_past_due":
            if lower or self.at_most is not None:
                message = "only days_past_due has bounds in days"
                raise ValueError(message)
        elif len(lower) != 1:
            message = "days_past_due needs one lower bound: more_than or at_least"
            raise ValueError(message)
        elif self.at_most is not None and self.at_most < lower[0]:
            message = f"at_most {self.at_most:g} lies below the lower bound {lower[0]:g}"
            raise ValueError(message)
        return self

    def covers(self, event_type: str, days_past_due: float | None) -> bool:
        """Say whether an event counts.

        Parameters
        ----------
        event_type : str
            Type of the event.
        days_past_due : float or None
            Of the event; None meets no bound.

        Returns
        -------
        bool
            True where type and bounds hold.
        """
        if event_type != self.event_type:
            return False
        if self.event_type != "days_past_due":
            return True
        return (
            days_past_due is not None
            and (self.more_than is None or days_past_due > self.more_than)
            and (self.at_least is None or days_past_due >= self.at_least)
            and (self.at_most is None or days_past_due <= self.at_most)
        )


class OutcomeDefinition(BaseModel):
    """Say which events make a party bad, and which indeterminate.

    Parameters
    ----------
    name : str
        Lower-case name, such as ``default``.
    bad, indeterminate : tuple of EventRule
        An event that both cover is bad.

    Examples
    --------
    >>> default_definition().event_types
    ('bankruptcy', 'collection', 'days_past_due', 'write_off')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    bad: tuple[EventRule, ...]
    indeterminate: tuple[EventRule, ...] = ()

    @model_validator(mode="after")
    def _is_usable(self) -> OutcomeDefinition:
        if not self.bad:
            message = "bad lists no event: nobody could be bad"
            raise ValueError(message)
        if self.name in CIRCULAR_TYPES or self.name == FINAL_FLAG:
            message = f"the name {self.name!r} is reserved"
            raise ValueError(message)
        return self

    @classmethod
    def from_document(cls, document: Any) -> OutcomeDefinition:
        """Build a definition from a parsed document.

        Parameters
        ----------
        document : Any
            A mapping with ``name``, ``bad`` and perhaps ``indeterminate``.

        Returns
        -------
        OutcomeDefinition
            Validated.

        Raises
        ------
        DocumentError
            Naming every place that is wrong.
        """
        if not isinstance(document, Mapping):
            raise DocumentError("", "an outcome definition is a mapping with name and bad")
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise_problems(
                (format_place(item["loc"]), item["msg"].removeprefix("Value error, "))
                for item in error.errors()
            )
            raise

    def to_document(self) -> Document:
        """Give the definition as a JSON-ready mapping of the fields that say something.

        Returns
        -------
        dict
            `from_document` of it is equal to this definition.
        """
        return self.model_dump(mode="json", exclude_none=True)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON of the document, with a schema number."""
        return content_hash({"schema": SCHEMA_NUMBER, "definition": self.to_document()})

    @property
    def event_types(self) -> tuple[str, ...]:
        """Give the types of which an event can count, sorted."""
        return tuple(sorted({rule.event_type for rule in (*self.bad, *self.indeterminate)}))


def load_definition(text: str) -> OutcomeDefinition:
    """Read an outcome definition from YAML or JSON text.

    Parameters
    ----------
    text : str
        A whole document.

    Returns
    -------
    OutcomeDefinition
        Validated.

    Raises
    ------
    DocumentError
        Naming every place that is wrong.

    Examples
    --------
    >>> load_definition("{name: loss, bad: [{event_type: write_off}]}").name
    'loss'
    >>> load_definition("{name: loss, bad: [{event_type: theft}]}")
    Traceback (most recent call last):
    ...
    app.errors.DocumentError: bad[0].event_type: Input should be 'bankruptcy', 'collection', \
'days_past_due' or 'write_off'
    """
    return OutcomeDefinition.from_document(parse_document(text))


def default_definition() -> OutcomeDefinition:
    """Give the definition that every store starts with.

    Returns
    -------
    OutcomeDefinition
        Bad: more than 90 days past due, write-off, collection or bankruptcy; indeterminate: 30
        to 90 days past due.

    References
    ----------
    .. [1] Regulation (EU) No 575/2013, article 178: default at more than 90 days past due.

    Examples
    --------
    >>> default_definition().name
    'default'
    """
    return OutcomeDefinition(
        name="default",
        bad=(
            EventRule(event_type="days_past_due", more_than=90),
            EventRule(event_type="write_off"),
            EventRule(event_type="collection"),
            EventRule(event_type="bankruptcy"),
        ),
        indeterminate=(EventRule(event_type="days_past_due", at_least=30, at_most=90),),
    )


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One dated outcome of a party.

    Parameters
    ----------
    event_date : date
        UTC calendar day.
    event_type : str
        One of `EVENT_TYPES`.
    days_past_due : float or None
        In days, for ``days_past_due``.
    """

    event_date: date
    event_type: str
    days_past_due: float | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What became of a party.

    Parameters
    ----------
    status : str
        One of `STATUSES`.
    value : int or None
        1 bad, 0 good, None otherwise.
    observation_end : date or None
        Last day of the window.
    event : Event or None
        The earliest event that decided the status; on one day the first type by name.
    """

    status: Status
    value: int | None
    observation_end: date | None
    event: Event | None = None


def label_party(
    definition: OutcomeDefinition,
    events: Iterable[Event],
    *,
    scored_on: date,
    window_days: int,
    data_through: date,
    is_exposed: bool = True,
) -> Label:
    """Label one party: the first that holds of excluded, immature, bad, indeterminate, good.

    Parameters
    ----------
    definition : OutcomeDefinition
        Which events count.
    events : iterable of Event
        All events of the party, in any order.
    scored_on : date
        UTC calendar day of the score.
    window_days : int
        Length of the observation window in days, at least 1.
    data_through : date
        Last day up to which outcomes are complete.
    is_exposed : bool, default True
        Whether the party was granted credit, where a list says so.

    Returns
    -------
    Label
        An event on `scored_on` was known already; one on the last day of the window counts.

    Examples
    --------
    >>> late = [Event(date(2024, 2, 1), "write_off")]
    >>> label_party(default_definition(), late, scored_on=date(2024, 1, 1), window_days=180,
    ...             data_through=date(2024, 6, 29)).status
    'bad'
    >>> label_party(default_definition(), late, scored_on=date(2024, 1, 1), window_days=180,
    ...             data_through=date(2024, 6, 28)).status
    'immature'
    """
    end = scored_on + timedelta(days=window_days)
    ordered = sorted(events, key=lambda event: (event.event_date, event.event_type))
    bads = [event for event in ordered if _covered(definition.bad, event)]
    already = next((event for event in bads if event.event_date <= scored_on), None)
    if already is not None or not is_exposed:
        return Label("excluded", None, end, already)
    if end > data_through:
        return Label("immature", None, end)
    bad = next((event for event in bads if event.event_date <= end), None)
    if bad is not None:
        return Label("bad", 1, end, bad)
    unclear = next(
        (
            event
            for event in ordered
            if scored_on < event.event_date <= end and _covered(definition.indeterminate, event)
        ),
        None,
    )
    if unclear is not None:
        return Label("indeterminate", None, end, unclear)
    return Label("good", 0, end)


def _covered(rules: tuple[EventRule, ...], event: Event) -> bool:
    return any(rule.covers(event.event_type, event.days_past_due) for rule in rules)
