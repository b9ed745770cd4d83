"""What the forms of a review offer: each step, allowed or not and why, and what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData

from app.domain.lifecycle import Action
from app.domain.types import Document
from app.edge import numbers
from app.errors import StaleContentError
from app.findings.actions import DECISIONS

WEIGHT_FIELD = "weight:"
"""A field of the form of a draft is named so, with the feature behind it."""

STEPS: tuple[Action, ...] = ("approve", "reject", "activate", "withdraw_approval", "rollback")
_MOST_DIGITS = 18

_ACKNOWLEDGED_IN_FORM = "not_acknowledged"
_OVERRIDDEN_IN_FORM = "gate_failed"
_PASSED_IN_EMERGENCY = "not_an_approver"


_BY_AN_ADMIN = {
    ("activate", _OVERRIDDEN_IN_FORM),
    ("rollback", _PASSED_IN_EMERGENCY),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into a form that was refused, so that it is not lost.

    Attributes
    ----------
    form : str
        Which form of the page it was; empty where none was sent.
    values : mapping of str to tuple of str
        By field.
    """

    form: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData, name: str) -> Typed:
        """Keep what was sent.

        Parameters
        ----------
        form : FormData
            What the browser sent.
        name : str
            Which form of the page it is.

        Returns
        -------
        Typed
            Its texts.
        """
        values: dict[str, tuple[str, ...]] = {}
        for key, value in form.multi_items():
            if isinstance(value, str):
                values[key] = (*values.get(key, ()), value)
        return cls(name, values)

    def text(self, form: str, name: str) -> str:
        """Give what was typed into a field of a form; empty where nothing was."""
        if form != self.form:
            return ""
        return next(iter(self.values.get(name, ())), "")

    def holds(self, form: str, name: str, value: str) -> bool:
        """Say whether a box of a form was ticked."""
        return form == self.form and value in self.values.get(name, ())


def offered_steps(
    version: Document, *, may_decide: bool, may_override: bool, roles: Sequence[str]
) -> Mapping[str, Document | None]:
    """Say for each step whether this person may take it from here, and if not why.

    Parameters
    ----------
    version : dict
        From ``get_version``: its ``steps`` come from the table that the service decides by.
    may_decide, may_override : bool
        Whether a role of the person includes the right.
    roles : sequence of str
        The person's.

    Returns
    -------
    mapping of str to dict
        Step to ``allowed`` and ``why``; None for a step that the status does not know. What the
        form itself can bring, an acknowledgement, an admin's override or an emergency, is no
        hindrance.

    Examples
    --------
    >>> version = {"steps": [
    ...     {"step": "approve", "allowed": False, "reason": "self_review", "sentence": "Yours."},
    ...     {"step": "reject", "allowed": True, "reason": None, "sentence": ""}]}
    >>> offered = offered_steps(version, may_decide=True, may_override=False, roles=["approver"])
    >>> offered["approve"], offered["reject"], offered["rollback"]
    ({'allowed': False, 'why': 'Yours.'}, {'allowed': True, 'why': ''}, None)
    >>> offered_steps(version, may_decide=False, may_override=False, roles=["viewer"])["reject"]
    {'allowed': False, 'why': 'The role viewer reads; it does not decide.'}
    """
    offered: dict[str, Document | None] = dict.fromkeys(STEPS)
    for step in version["steps"]:
        in_form = step["reason"] == _ACKNOWLEDGED_IN_FORM or (
            may_override and (step["step"], step["reason"]) in _BY_AN_ADMIN
        )
        allowed = may_decide and (step["allowed"] or in_form)
        why = "" if allowed else step["sentence"]
        if not may_decide:
            names = " and ".join(sorted(roles))
            does = "reads" if names == "viewer" else "proposes and comments"
            why = f"The role {names} {does}; it does not decide."
        offered[step["step"]] = {"allowed": allowed, "why": why}
    return offered


def last_decision(conversation: Sequence[Document]) -> int:
    """Give the number of the newest event that is more than a comment.

    Parameters
    ----------
    conversation : sequence of dict
        In time order.

    Returns
    -------
    int
        0 where there is none.

    Examples
    --------
    >>> last_decision([{"seq": 4, "action": "draft.created"},
    ...                {"seq": 9, "action": "version.commented"}])
    4
    """
    decisions = [one["seq"] for one in conversation if one["action"] in DECISIONS]
    return max(decisions, default=0)


def require_unchanged(version: str, conversation: Sequence[Document], seen: str) -> None:
    """Refuse a decision on a page that others overtook.

    Parameters
    ----------
    version : str
        Name of the version.
    conversation : sequence of dict
        As it is now, in time order.
    seen : str
        Number of the newest decision that the page showed, as the form sent it.

    Raises
    ------
    StaleContentError
        Naming who did what, and when.

    Examples
    --------
    >>> now = [{"seq": 7, "action": "version.approved", "actor": "grace",
    ...         "at": "2026-03-31T10:42:07.5+00:00"}]
    >>> require_unchanged("ml_v2", now, "7")
    >>> require_unchanged("ml_v2", now, "3")
    Traceback (most recent call last):
    ...
    app.errors.StaleContentError: grace approved ml_v2 at 2026-03-31 10:42:07 UTC, after you \
opened this page. It now shows the present state; decide again.
    """
    after = int(seen) if seen.isdecimal() and len(seen) <= _MOST_DIGITS else 0
    newer = [one for one in conversation if one["seq"] > after and one["action"] in DECISIONS]
    if newer:
        last = newer[-1]
        raise StaleContentError(
            f"{last['actor']} {DECISIONS[last['action']]} {version} at "
            f"{numbers.moment(last['at'])}, after you opened this page. It now shows the present "
            "state; decide again.",
            version=version,
        )
