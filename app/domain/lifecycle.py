"""What a scorecard version may become, and who its makers are.

Statuses move only along :data:`TRANSITIONS`; the services decide by it and every page shows what
it allows. Who may take a step is decided in :mod:`app.domain.review`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.errors import InvalidInputError, TransitionError

Status = Literal["draft", "approved", "rejected", "active", "inactive"]
"""Where a version stands."""

Origin = Literal["person", "model"]
"""Who wrote the weights of a version."""

Action = Literal["approve", "reject", "withdraw_approval", "activate", "retire", "rollback"]
"""A step that moves a version; ``retire`` is what activation does to the version before."""

STATUSES: tuple[Status, ...] = ("draft", "approved", "rejected", "active", "inactive")
"""Every status, in the order of a version's life."""

TRANSITIONS: Mapping[tuple[Status, Action], Status] = MappingProxyType(
    {
        ("draft", "approve"): "approved",
        ("draft", "reject"): "rejected",
        ("draft", "withdraw_approval"): "draft",
        ("draft", "activate"): "active",
        ("approved", "approve"): "approved",
        ("approved", "reject"): "rejected",
        ("approved", "withdraw_approval"): "draft",
        ("approved", "activate"): "active",
        ("active", "retire"): "inactive",
        ("inactive", "rollback"): "active",
    }
)
"""The one table: (status, action) to the status after it. What is not here is refused.

A draft becomes approved with the last approval that the policy asks for, and an approved version
a draft again when those that are left are too few; until then each stays what it is.
"""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What the decisions need to know about one version.

    Parameters
    ----------
    version : str
        Name, such as ``ml_v2``.
    origin : {'person', 'model'}
        Who wrote the weights.
    created_by : str
        The author: a person, or ``model:<model_id>``.
    requested_by : tuple of str
        Who asked for the training and for the draft, without repetition.
    asked_despite_advice_by : str or None
        Who asked for the draft although the advice was keep; None if nobody had to.
    base_version : str or None
        The version it was made against.
    review_hash : str
        Hash of content and evidence, which an approval binds.
    """

    version: str
    origin: Origin
    created_by: str
    requested_by: tuple[str, ...]
    asked_despite_advice_by: str | None
    base_version: str | None
    review_hash: str

    @property
    def model_maker(self) -> str | None:
        """Give the author's name where it is a model, ``model:<model_id>``."""
        return self.created_by if self.origin == "model" else None


def next_status(status: str, action: str, version: str = "this version") -> Status:
    """Look up where an action leads from a status.

    Parameters
    ----------
    status : str
        One of :data:`STATUSES`.
    action : str
        One of the actions.
    version : str
        Name for the message.

    Returns
    -------
    str
        The status after the step.

    Raises
    ------
    TransitionError
        If the table has no such step; the message lists the steps there are.

    Examples
    --------
    >>> next_status("draft", "approve")
    'approved'
    >>> next_status("rejected", "activate", "ml_v2")
    Traceback (most recent call last):
    app.errors.TransitionError: ml_v2 is rejected and cannot take the step activate; there is \
no further step.
    """
    for (before, step), after in TRANSITIONS.items():
        if (before, step) == (status, action):
            return after
    steps = steps_from(status)
    can = f"possible: {', '.join(steps)}" if steps else "there is no further step"
    raise TransitionError(
        f"{version} is {status} and cannot take the step {action}; {can}.",
        version=version,
        status=status,
        action=action,
        possible=list(steps),
    )


def steps_from(status: str) -> tuple[Action, ...]:
    """List the steps that a person may ask for from a status.

    Parameters
    ----------
    status : str
        One of :data:`STATUSES`.

    Returns
    -------
    tuple of str
        Actions in the order of the table; ``retire`` is left out, since only an activation or a
        rollback of another version does it.

    Examples
    --------
    >>> steps_from("draft")
    ('approve', 'reject', 'withdraw_approval', 'activate')
    >>> steps_from("active")
    ()
    """
    return tuple(
        action for before, action in TRANSITIONS if before == status and action != "retire"
    )


def version_name(number: int, origin: Origin) -> str:
    """Name a version after its running number and its author.

    Parameters
    ----------
    number : int
        Running number over all versions, from 1.
    origin : {'person', 'model'}
        Who wrote the weights.

    Returns
    -------
    str
        ``v<number>`` for a person's version, ``ml_v<number>`` for a model's.

    Raises
    ------
    InvalidInputError
        If the number is under 1.

    Examples
    --------
    >>> version_name(1, "person"), version_name(2, "model")
    ('v1', 'ml_v2')
    """
    if number < 1:
        raise InvalidInputError(f"A version number starts at 1, this is {number}.")
    return f"ml_v{number}" if origin == "model" else f"v{number}"


def person_key(name: str) -> str:
    """Reduce a name so that spellings of one person compare equal.

    Parameters
    ----------
    name : str
        A name as it stands on the record.

    Returns
    -------
    str
        The name without outer blanks, in one Unicode form and without case.

    Examples
    --------
    >>> person_key(" Ada ") == person_key("ada")
    True
    """
    return unicodedata.normalize("NFKC", name).strip().casefold()


def is_among(name: str, names: Iterable[str]) -> bool:
    """Say whether a name is one of several, whatever the spelling.

    Parameters
    ----------
    name : str
        The name looked for.
    names : iterable of str
        Names on the record.

    Returns
    -------
    bool
        True if one of them is the same person.

    Examples
    --------
    >>> is_among("ADA", ("grace", "ada"))
    True
    """
    return person_key(name) in {person_key(other) for other in names}


def makers(facts: VersionFacts) -> tuple[str, ...]:
    """Name the makers of a version, who may never approve it.

    Parameters
    ----------
    facts : VersionFacts
        The version.

    Returns
    -------
    tuple of str
        Its author, and whoever asked for a model's draft despite the advice.

    Examples
    --------
    >>> makers(VersionFacts("ml_v2", "model", "model:m-1", ("ada",), "ada", "v1", "h"))
    ('model:m-1', 'ada')
    """
    asked = facts.asked_despite_advice_by
    return (facts.created_by,) if asked is None else (facts.created_by, asked)
