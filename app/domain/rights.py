"""Who has which right over a scorecard version: decisions about people, as values.

Given the policy, the facts of a version and a person, each function answers *allowed* or names
the reason why not; the services turn a named reason into its error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.lifecycle import VersionFacts, is_among, makers, person_key
from app.domain.policy import Policy
from app.errors import NotPermittedError

_PROGRAMS = ("model:", "dagster:", "chancellor:")

Reason = Literal[
    "not_a_person",
    "self_review",
    "not_an_approver",
    "not_an_admin",
    "baseline_not_active",
    "gate_failed",
    "not_acknowledged",
    "nothing_to_acknowledge",
    "nothing_to_override",
    "already_approved",
    "nothing_to_withdraw",
    "too_few_approvals",
]
"""Why a decision is no; the services hold one table from reason to error."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to "may this person do that".

    Parameters
    ----------
    allowed : bool
        The answer.
    reason : str or None
        The named reason of a no.
    sentence : str
        What to tell the person; empty when allowed.
    notices : tuple of str
        What the record of an allowed step must say beside it.
    """

    allowed: bool
    reason: Reason | None = None
    sentence: str = ""
    notices: tuple[str, ...] = ()


YES = Decision(allowed=True)
"""The plain yes."""


def no(reason: Reason, sentence: str) -> Decision:
    """Build a no with its named reason.

    Parameters
    ----------
    reason : str
        One of the named reasons.
    sentence : str
        What to tell the person.

    Returns
    -------
    Decision
        Not allowed.
    """
    return Decision(allowed=False, reason=reason, sentence=sentence)


def is_person(actor: str) -> bool:
    """Say whether a name on the record is a person's, and not that of a program.

    Parameters
    ----------
    actor : str
        The name.

    Returns
    -------
    bool
        False for a blank name, a model, and what Dagster asks for by itself.

    Examples
    --------
    >>> is_person("grace"), is_person("model:m-1"), is_person("dagster:new_outcomes")
    (True, False, False)
    """
    key = person_key(actor)
    return bool(key) and not key.startswith(_PROGRAMS)


def require_person(actor: str, deed: str) -> None:
    """Refuse a program what people do.

    Parameters
    ----------
    actor : str
        Who asks.
    deed : str
        What people do, as in "people ...".

    Raises
    ------
    NotPermittedError
        If the actor is a program.

    Examples
    --------
    >>> require_person("model:m-1", "close alerts")
    Traceback (most recent call last):
    ...
    app.errors.NotPermittedError: 'model:m-1' is not a person; people close alerts.
    """
    if not is_person(actor):
        raise NotPermittedError(f"{actor!r} is not a person; people {deed}.", actor=actor)


def may_use_rights(policy: Policy, actor: str) -> Decision:
    """Decide whether the policy gives a person the right to decide about versions at all.

    Parameters
    ----------
    policy : Policy
        The policy in force.
    actor : str
        The person.

    Returns
    -------
    Decision
        No for a model, a blank name, and anyone outside the policy's list of approvers. This is
        all that a rollback asks, since the version it returns to was reviewed before.

    Examples
    --------
    >>> may_use_rights(Policy(approvers=("grace",)), "eve").reason
    'not_an_approver'
    >>> may_use_rights(Policy(), "model:m-1").reason
    'not_a_person'
    """
    if not is_person(actor):
        return no("not_a_person", f"{actor!r} is not a person; people decide about versions.")
    if policy.approvers is not None and actor not in policy.approvers:
        named = ", ".join(policy.approvers) or "nobody"
        return no(
            "not_an_approver",
            f"{actor} is not among the approvers that the policy names: {named}.",
        )
    return YES


def may_review(policy: Policy, facts: VersionFacts, actor: str) -> Decision:
    """Decide whether a person has the right to approve a version.

    Parameters
    ----------
    policy : Policy
        The policy in force.
    facts : VersionFacts
        The version.
    actor : str
        The person.

    Returns
    -------
    Decision
        No for a maker, for whoever asked for the training where the policy forbids self-review,
        and for whoever has no rights. A yes to whoever asked for it carries a notice.

    Examples
    --------
    >>> mine = VersionFacts("v2", "person", "ada", (), None, "v1", "hash")
    >>> may_review(Policy(), mine, "Ada").reason
    'self_review'
    >>> may_review(Policy(), mine, "grace").allowed
    True
    """
    if is_among(actor, makers(facts)):
        return no("self_review", _maker_sentence(facts, actor))
    requested = facts.origin == "model" and is_among(actor, facts.requested_by)
    if requested and not policy.allow_self_review:
        return no(
            "self_review",
            f"{actor} asked for {facts.version} to be made and the policy does not allow "
            "self-review (allow_self_review: false); another person must review it.",
        )
    rights = may_use_rights(policy, actor)
    if rights.allowed and requested:
        return Decision(allowed=True, notices=(_self_review_notice(facts, actor),))
    return rights


def may_reject(policy: Policy, facts: VersionFacts, actor: str) -> Decision:
    """Decide whether a person may reject a draft.

    Parameters
    ----------
    policy : Policy
        The policy in force.
    facts : VersionFacts
        The version.
    actor : str
        The person.

    Returns
    -------
    Decision
        Yes for whoever may approve it, and for the people who made or asked for it: taking back
        one's own proposal needs no second pair of eyes.

    Examples
    --------
    >>> mine = VersionFacts("v2", "person", "ada", (), None, "v1", "hash")
    >>> policy = Policy(approvers=("grace",))
    >>> [may_reject(policy, mine, name).allowed for name in ("ada", "grace", "eve")]
    [True, True, False]
    """
    if is_among(actor, (*makers(facts), *facts.requested_by)) and actor != facts.model_maker:
        return YES
    return may_review(policy, facts, actor)


def may_use_emergency(policy: Policy, actor: str) -> Decision:
    """Decide whether a person may roll back without being an approver.

    Parameters
    ----------
    policy : Policy
        The policy in force.
    actor : str
        The person.

    Returns
    -------
    Decision
        Yes for an admin, with the notice that stays on the record until an approver, somebody
        else, acknowledges it.

    Examples
    --------
    >>> policy = Policy(approvers=("grace",), admins=("ops",))
    >>> [may_use_emergency(policy, name).allowed for name in ("grace", "ops", "model:m-1")]
    [False, True, False]
    """
    if not is_person(actor):
        return no("not_a_person", f"{actor!r} is not a person; people decide about versions.")
    if not is_admin(policy, actor):
        named = ", ".join(policy.admins or ()) or "nobody"
        return no(
            "not_an_admin",
            f"Only an admin may roll back in an emergency; {actor} is none. The policy names "
            f"{named}.",
        )
    notice = (
        f"{actor} rolled back in an emergency, without an approver. It stays listed until an "
        "approver acknowledges it: chancellor versions acknowledge-emergency."
    )
    return Decision(allowed=True, notices=(notice,))


def may_acknowledge_emergency(policy: Policy, done_by: str, actor: str) -> Decision:
    """Decide whether a person may acknowledge an emergency rollback.

    Parameters
    ----------
    policy : Policy
        The policy in force.
    done_by : str
        Who rolled back.
    actor : str
        The person.

    Returns
    -------
    Decision
        Yes for an approver who did not do it.

    Examples
    --------
    >>> may_acknowledge_emergency(Policy(), "ops", "OPS").reason
    'self_review'
    """
    if is_among(actor, (done_by,)):
        return no(
            "self_review", f"{actor} rolled back; another person must acknowledge the emergency."
        )
    return may_use_rights(policy, actor)


def is_admin(policy: Policy, actor: str) -> bool:
    """Say whether a person may override a failed gate.

    Parameters
    ----------
    policy : Policy
        The policy in force; without a list everybody with access to the store is an admin.
    actor : str
        The person.

    Returns
    -------
    bool
        True if so.

    Examples
    --------
    >>> is_admin(Policy(admins=("ada",)), "ada"), is_admin(Policy(admins=()), "ada")
    (True, False)
    """
    return policy.admins is None or actor in policy.admins


def _maker_sentence(facts: VersionFacts, actor: str) -> str:
    if person_key(actor) == person_key(facts.created_by):
        return f"{actor} wrote {facts.version}; another person must review and activate it."
    return (
        f"{actor} asked for {facts.version} despite the advice and so counts as its maker; "
        "another person must review and activate it."
    )


def _self_review_notice(facts: VersionFacts, actor: str) -> str:
    return (
        f"{actor} asked for {facts.version} to be made and reviews it: the policy allows "
        "self-review (allow_self_review: true). It was not looked at by four eyes."
    )
